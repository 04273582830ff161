"""What a line looks like, before anybody says what it is: its bullet, number, quantity, foods, verbs, marks."""

import re
from dataclasses import dataclass
from functools import cache

from tintype.core.recipes.parsers.rules.facts import duration_at, is_facts
from tintype.core.recipes.parsers.rules.lexicon import Lexicon, Phrases, everywhere, headings
from tintype.core.recipes.parsers.rules.quantities import quantity
from tintype.core.recipes.parsers.rules.tokens import Token, tokenize

_BULLET = re.compile(r"^(?:[^\w\s#@\"'(¿¡½⅓⅔¼¾⅛⅜⅝⅞\[<]\ufe0f?\u200d?)+\s*|^\[[ xX]?\]\s*|^[eo°]\s(?=\d)")
_NUMBERING = re.compile(
    r"^(?:(?:step|schritt|paso|passo|étape|etape|stap|fase)\s*(?P<worded>\d{1,2}|one|two|three|four|five|six)\s*[.:)\-–—]*|(?P<lettered>[a-h])\)\s|\((?P<closed>\d{1,2})\)\s|(?P<n>\d{1,2})\s?(?:[.)]\s?[-–]?|[°º]\s?[.)]?|/(?=\s)|:(?=\s))(?=\D|\s))\s*",
    re.IGNORECASE,
)
_TAIL = re.compile(r"[^\w)\]%.!?:…\"'°®™*+]+$")
_PRICE = re.compile(r"[€$£]\s?\d|\d\s?(?:[€$£]|eur\b|usd\b|chf\b)|\W\d{1,3}[.,]\d[05]\)?\s*$", re.IGNORECASE)
_SETS = re.compile(r"\b\d+\s?[x×]\s?\d+(?!\s?(?:cm|inch|in\b|g\b|kg|ml|g\s|oz|\d))", re.IGNORECASE)
_LINK = re.compile(r"https?://|www\.|(?:^|\s)@\w|\.com\b")
_TAGS = re.compile(r"^(?:[^\w\s#]*\s*#[\w-]+[\s.,·]*)+$")
_HEAT = re.compile(
    r"\d\s?(?:°|º|℃|℉|grad\b|degrees|graden|gradi|grados|graus)|\d\s?(?:min|sec|sek|std|hour|stunde|heure|hora|uur|ora|ore)",
    re.IGNORECASE,
)
_ENDINGS = {"de": ("en", "ern", "eln")}


@dataclass(frozen=True, slots=True)
class Look:
    """One line and what can be seen of it; `text` is without bullet, number and ornaments."""

    raw: str
    text: str
    tokens: tuple[Token, ...]
    after_blank: bool
    bullet: bool
    numbered: bool
    words: int
    starts_with_quantity: bool
    digits: bool
    has_unit: bool
    ends_with_quantity: bool
    foods: int
    taste: bool
    verb: bool
    verbs: int
    ends_sentence: bool
    colon: bool
    heat: bool
    sentences: int
    heading: str | None
    prefix: str | None
    group: bool
    facts: bool
    tags: bool
    chatter: int
    person: bool
    asks: bool
    price: bool
    sets: bool
    capitals: bool


def look(raw: str, after_blank: bool, lexicon: Lexicon) -> Look:
    """See what there is to see of one line."""
    bared = _BULLET.sub("", raw, count=1)
    numbering = _NUMBERING.match(bared)
    text = bared[numbering.end() :] if numbering and bared[numbering.end() :].strip() else bared
    text = _TAIL.sub("", _BULLET.sub("", text, count=1)).strip()
    tokens = tokenize(text)
    if numbering is None and (dashed := _DASHED.match(bared)) and _tells(tokenize(bared[dashed.end() :]), lexicon):
        numbering, text = dashed, text[dashed.end() :].strip()
        tokens = tokenize(text)
    if numbering is None and _counts_steps(tokens, lexicon):  # "1 Mash the bananas"
        numbering, text = _COUNT.match(text), text[tokens[0].end :].strip()
        tokens = tokenize(text)
    spoken = tuple(token for token in tokens if token.kind == "w")
    amount = None if duration_at(tokens, 0, lexicon) else quantity(tokens, 0, lexicon)
    heading, prefix = _heading(text, tokens, lexicon)
    return Look(
        raw=raw,
        text=text,
        tokens=tokens,
        after_blank=after_blank,
        bullet=bool(bared != raw and not text.startswith("#")),
        numbered=numbering is not None and text != bared.strip(),
        words=len(spoken),
        starts_with_quantity=amount is not None,
        digits=amount is not None and amount.digits,
        has_unit=amount is not None and _unit_after(tokens, amount.end, lexicon),
        ends_with_quantity=amount is None and _ends_with_quantity(tokens, lexicon),
        foods=sum(lexicon.is_food(token.folded) for token in spoken),
        taste=bool(lexicon.taste.within(tokens)) if len(spoken) <= 12 else False,
        verb=_tells(spoken, lexicon, text.endswith(".")),
        verbs=sum(token.folded in lexicon.verbs and token.folded not in lexicon.foods for token in spoken),
        ends_sentence=text.endswith((".", "!", "…")),
        colon=text.endswith(":"),
        heat=_HEAT.search(text) is not None,
        sentences=len(re.findall(r"[.!?](?:\s|$)", text)),
        heading=heading,
        prefix=prefix,
        group=heading is None and _is_group(text, tokens, after_blank, lexicon),
        facts=is_facts(text, tokens, lexicon, raw),
        tags=_TAGS.match(raw) is not None,
        chatter=len(lexicon.chatter.within(tokens)) + (_LINK.search(raw) is not None),
        person=any(token.folded in lexicon.people for token in spoken),
        asks="?" in text,
        price=_PRICE.search(raw) is not None,
        sets=_SETS.search(text) is not None,
        capitals=text.isupper() and sum(map(str.isalpha, text)) > 3,
    )


_DASHED = re.compile(r"^\d{1,2}[-–](?=[^\W\d_])")
_COUNT = re.compile(r"\d{1,2}")


def _counts_steps(tokens: tuple[Token, ...], lexicon: Lexicon) -> bool:
    """Tell whether a line opens with a bare number and what to do."""
    if len(tokens) < 4 or tokens[0].kind != "n" or not tokens[0].text.isdigit() or len(tokens[0].text) > 2:
        return False
    word = tokens[1]
    told = word.folded in lexicon.verbs and word.folded not in lexicon.foods and lexicon.units.at(tokens, 1) is None
    return told and word.text[0].isupper()


_INFINITIVE = re.compile(r"(?!ge|.{2,4}ge)[a-zäöü]{3,}(?:en|eln|ern)$")  # nouns have capitals
_GERMAN_FOR = frozenset({"zum", "zur"})
_NOUN_MARKS = frozenset({"of"})


def _tells(spoken: tuple[Token, ...], lexicon: Lexicon, dotted: bool = False) -> bool:
    """Tell whether a line opens with what to do, or ends with it as German recipes do."""
    if not spoken:
        return False
    start = 0
    while start < len(spoken) - 1 and spoken[start].folded in lexicon.connectives and start < 3:
        start += 1
    opener = spoken[start].folded
    if start + 1 < len(spoken) and spoken[start + 1].folded in _NOUN_MARKS:
        return False  # "zest of two lemons" is a thing
    if opener in lexicon.verbs and not (opener in lexicon.foods and len(spoken) < 4):
        return True
    if lexicon.language != "de" or len(spoken) < 3:
        return False
    before, last = spoken[-2:]
    ends = last.folded in lexicon.verbs or (dotted and _INFINITIVE.match(last.text) is not None)
    return ends and before.folded not in _GERMAN_FOR  # "Milch zum Bestreichen" is a thing as well


def _unit_after(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> bool:
    """Tell whether a unit follows a quantity, with at most two size words or a bracket between."""
    for ahead in range(place, min(place + 3, len(tokens))):
        if lexicon.units.at(tokens, ahead):
            return True
        if (
            tokens[ahead].kind == "w"
            and tokens[ahead].folded not in lexicon.sizes
            and lexicon.partitives.at(tokens, ahead) is None
        ):
            return False
    return False


def _ends_with_quantity(tokens: tuple[Token, ...], lexicon: Lexicon) -> bool:
    """Tell whether "flour – 2 cups", "Mehl: 250 g, gesiebt", "sugar (100 g)" stands there."""
    if len(tokens) > 24:
        return False
    for place in range(1, min(len(tokens), 10)):
        if tokens[place].kind != "n" and tokens[place - 1].text not in "-–—:":
            continue
        amount = quantity(tokens, place, lexicon)
        if amount is None:
            continue
        unit = lexicon.units.at(tokens, amount.end)
        end = unit[1] if unit else amount.end
        after = tokens[end].text if end < len(tokens) else ""
        if tokens[place - 1].text == "," and unit is None and after in lexicon.sizes and end + 1 == len(tokens):
            return True  # "onion, 1 large"
        if tokens[place - 1].text in ("-", "–", "—", ":", "("):
            return unit is not None or after in ("", ",", "(", ")") or tokens[place - 1].text != "("
        return after in ("", ",", "(", ")") and unit is not None
    return False


@cache
def _heads() -> tuple[tuple[str, Phrases], ...]:
    return tuple((sort, headings(f"{sort}_headings")) for sort in ("ingredient", "step", "note"))


def _heading(text: str, tokens: tuple[Token, ...], lexicon: Lexicon) -> tuple[str | None, str | None]:
    """Return the sort of heading that a line is, and the sort that it opens with before a colon or dash."""
    if not tokens:
        return None, None
    if _needs_for_some(tokens):
        return "ingredient", "ingredient"
    for sort, heads in _heads():
        found = heads.at(tokens, 0)
        if found is None:
            continue
        rest = tokens[found[1] :]
        if all(token.kind == "p" for token in rest) or (sort != "note" and _about_servings(rest)):
            return sort, sort
        if rest[0].text in (":", "-", "–") or (sort == "note" and rest[0].text in ".:)"):
            return None, sort
        if sort != "note" and _in_brackets(rest, lexicon):
            return sort, sort
        if sort == "ingredient" and _of_a_part(rest):
            return sort, sort
        if sort == "ingredient" and text.endswith(":") and len(tokens) <= 9:
            return sort, sort
        if sort == "step" and text.endswith(":") and len(tokens) <= 6:
            return sort, sort
    return None, None


def _needs_for_some(tokens: tuple[Token, ...]) -> bool:
    """Tell whether a line is "For 4 people you need:" and nothing else."""
    if tokens[0].folded not in _PORTIONS or not any(token.kind == "n" for token in tokens[1:3]):
        return False
    needs = headings("ingredient_headings")
    found = [at for place in range(2, min(len(tokens), 6)) if (at := needs.at(tokens, place))]
    return any(all(token.kind == "p" for token in tokens[end:]) for _, end in found)


def _in_brackets(rest: tuple[Token, ...], lexicon: Lexicon) -> bool:
    """Tell whether a heading goes on with an aside and nothing else: "Ingredients (no need to measure)"."""
    inside = [token for token in rest[1:-1] if token.kind == "w"]
    closed = rest[0].text == "(" and any(token.text == ")" for token in rest[-2:]) and len(inside) <= 8
    return closed and not any(lexicon.is_food(token.folded) for token in inside)


def _of_a_part(rest: tuple[Token, ...]) -> bool:
    """Tell whether a heading goes on with what it is for: "Ingredients for the base", "Ingredientes do bolo"."""
    spoken = [token for token in rest if token.kind == "w"]
    if not 2 <= len(spoken) <= 4 or any(token.kind == "n" for token in rest):
        return False
    return rest[0].folded in _LINKS and all(token.kind == "w" for token in rest[:-1])


_LINKS = everywhere("links_to_parts")


def _about_servings(rest: tuple[Token, ...]) -> bool:
    """Tell whether a heading goes on with "(serves 4)" or "für 4 Personen" and nothing else."""
    while rest and rest[-1].kind == "p":
        rest = rest[:-1]
    return 1 < len(rest) <= 7 and any(token.kind == "n" for token in rest) and rest[0].folded in _PORTIONS


_PORTIONS = everywhere("opens_portions")


def _is_group(text: str, tokens: tuple[Token, ...], after_blank: bool, lexicon: Lexicon) -> bool:
    """Tell whether a line names a part of the dish: "For the sauce:", "Teig", "DRESSING"."""
    opener = next((token.folded for token in tokens), None)
    if opener is None or len(tokens) > 11 or any(token.kind == "n" for token in tokens):
        return False
    body = tokens[:-1] if text.endswith(":") else tokens
    found = lexicon.group_prefixes.at(tokens, 0)
    if not body or text.endswith((".", "!", "?")):
        return False
    if text.endswith(":"):
        return found is not None or len(body) <= 5
    if found is None:
        if after_blank and len(tokens) <= 6 and text.isupper():
            return True
        return after_blank and 1 < len(tokens) <= 6 and lexicon.group_prefixes.at(tokens, len(tokens) - 1) is not None
    return found[1] == len(tokens) or opener in lexicon.group_openers
