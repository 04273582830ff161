"""Recipes that are told rather than listed: ingredients are picked out of sentences, steps are the sentences."""

import re

from tintype.core.recipes.model import Ingredient
from tintype.core.recipes.parsers.rules.ingredients import measured
from tintype.core.recipes.parsers.rules.lexicon import Lexicon, everywhere, headings
from tintype.core.recipes.parsers.rules.quantities import quantity
from tintype.core.recipes.parsers.rules.relining import sentences
from tintype.core.recipes.parsers.rules.tokens import Token, tokenize

LONGEST_NAME = 5  # words of a food's name within a sentence

_MOVES = re.compile(
    r"\s+(?=(?:and then|then|next|after that|now|finally|und dann|dann|danach|anschließend|jetzt|zum Schluss|et puis|puis|ensuite|après ça|maintenant|y luego|luego|después|ahora"
    r"|e poi|poi|dopo|adesso|e depois|depois|agora|en dan|daarna|vervolgens|nu)\b)",
    re.IGNORECASE,
)
_SPOKEN = 220  # characters: a sentence beyond this is speech without full stops


def told_sentences(text: str) -> list[str]:
    """Cut a told recipe into what is said at a time; speech without full stops is cut where it moves on."""
    parts: list[str] = []
    for paragraph in text.split("\n"):
        for sentence in sentences(paragraph.strip()):
            parts.extend(_MOVES.split(sentence) if len(sentence) > _SPOKEN else [sentence])
    return [part.strip(" ,") for part in parts if len(part.strip(" ,")) > 2]


def pick_ingredients(text: str, lexicon: Lexicon) -> list[Ingredient]:
    """Return every food that a told text names together with how much of it; a food that comes twice counts once."""
    found: dict[str, Ingredient] = {}
    for sentence in told_sentences(text):
        tokens = tokenize(sentence)
        place, listing = 0, False
        while place < len(tokens):
            listing = _lists(tokens, place, listing, lexicon)
            picked = (
                _picked(sentence, tokens, place, lexicon)
                or (listing and _named(sentence, tokens, place, lexicon))
                or None
            )
            if picked is None:
                place += 1
                continue
            one, place = picked
            key = _key(one.food, lexicon)
            known = found.get(key)
            if known is None or (known.amount is None and one.amount is not None):
                found[key] = one
    return list(found.values())


def _picked(text: str, tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> tuple[Ingredient, int] | None:
    """Read a quantity and a food, or "some butter", at a place of a sentence."""
    if place and (tokens[place - 1].text in ("-", "/", "°") or tokens[place - 1].folded in _MAKING):
        return None
    measure = measured(text, tokens, place, lexicon)
    start = measure.end if measure else None
    if measure is None:
        loose = lexicon.loose.at(tokens, place)
        if loose is None:
            return _seasoning(text, tokens, place, lexicon)
        start = loose[1]
    if start is None or start >= len(tokens):
        return None
    end = _name_end(tokens, start, lexicon)
    if end is None:
        return None
    while start < end - 1 and (
        tokens[start].folded in lexicon.sizes
        or tokens[start].folded in lexicon.preparations
        or lexicon.partitives.at(tokens, start)
    ):
        start += 1
    food = text[tokens[start].start : tokens[end - 1].end]
    amount = measure.quantity if measure else None
    one = Ingredient(
        food=food,
        amount=round(amount.amount, 4) if amount else None,
        amount_max=round(amount.upper, 4) if amount and amount.upper is not None else None,
        unit=measure.unit if measure else None,
        measure=measure.measure if measure else None,
        original=text[tokens[place].start : tokens[end - 1].end],
        confidence=0.5,
    )
    return one, end


def _lists(tokens: tuple[Token, ...], place: int, listing: bool, lexicon: Lexicon) -> bool:
    """Tell whether what is said is still a list of what one needs: from "you need" to the first thing to do."""
    if headings("ingredient_headings").at(tokens, place):
        return True
    word = tokens[place].folded
    return listing and not (word in lexicon.connectives or (word in lexicon.verbs and word not in lexicon.foods))


def after_list(sentence: str, lexicon: Lexicon) -> str:
    """Return what a sentence says behind its list of what one needs; all of it when there is no such list."""
    tokens = tokenize(sentence)
    listing = False
    first = next((place for place in range(len(tokens)) if headings("ingredient_headings").at(tokens, place)), None)
    if first is None or any(
        token.folded in lexicon.verbs and token.folded not in lexicon.foods for token in tokens[:first]
    ):
        return sentence  # "let them brown, you need patience" is no list
    for place, token in enumerate(tokens):
        before, listing = listing, _lists(tokens, place, listing, lexicon)
        if before and not listing:
            return sentence[token.start :]
    return "" if listing else sentence


def _named(text: str, tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> tuple[Ingredient, int] | None:
    """Read a food in a list that comes without an amount."""
    end = _name_end(tokens, place, lexicon) if lexicon.is_food(tokens[place].folded) else None
    if end is None:
        return None
    food = text[tokens[place].start : tokens[end - 1].end]
    return Ingredient(food=food, original=food, confidence=0.4), end


def _seasoning(text: str, tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> tuple[Ingredient, int] | None:
    """Read salt and pepper, which nobody measures."""
    if tokens[place].folded not in _UNMEASURED:
        return None
    return Ingredient(
        food=tokens[place].text, original=text[tokens[place].start : tokens[place].end], confidence=0.4
    ), place + 1


_MAKING = everywhere("making")
_UNMEASURED = everywhere("unmeasured")


def _name_end(tokens: tuple[Token, ...], start: int, lexicon: Lexicon) -> int | None:
    """Return where a food's name ends: behind the last food word before the sentence goes on."""
    end = None
    for place in range(start, min(len(tokens), start + LONGEST_NAME)):
        token = tokens[place]
        if place > start and (token.kind != "w" or quantity(tokens, place, lexicon)):
            break
        if lexicon.is_food(token.folded):
            end = place + 1
        elif token.kind != "w" or (token.folded in _STOPS and not (place == start and token.folded in _LINKS)):
            linked = token.folded in _LINKS and end == place and place + 1 < len(tokens)
            if linked and lexicon.is_food(tokens[place + 1].folded):
                continue
            break
        elif place > start and token.folded in lexicon.verbs:
            break
    return _with_adjective(tokens, end, lexicon) if end else None


def _with_adjective(tokens: tuple[Token, ...], end: int, lexicon: Lexicon) -> int:
    """Take in the adjective behind a food, where the language puts it there: "chocolat noir", "leche entera"."""
    if lexicon.language not in ("fr", "es", "it", "pt") or end >= len(tokens):
        return end
    word = tokens[end]
    plain = word.kind == "w" and word.text.islower() and len(word.text) > 3 and not word.text.endswith("'")
    known = word.folded in _STOPS or word.folded in lexicon.common or word.folded in lexicon.verbs
    if not plain or known or word.folded in lexicon.connectives or quantity(tokens, end, lexicon):
        return end
    return end + 1


_LINKS = frozenset({"de", "di", "d'", "of", "do", "da"})
_STOPS = everywhere("ends_of_foods")


def _key(food: str, lexicon: Lexicon) -> str:
    named = [token.folded for token in tokenize(food) if lexicon.is_food(token.folded)]
    return (named[-1] if lexicon.language in ("en", "de", "nl") else named[0]) if named else food.lower()
