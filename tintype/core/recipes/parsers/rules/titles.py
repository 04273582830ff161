"""What the dish is called: the line whose words come back in what goes in, what is done and what it is tagged with."""

import re

from tintype.core.recipes.parsers.rules.labelling import Label
from tintype.core.recipes.parsers.rules.lexicon import Lexicon, everywhere
from tintype.core.recipes.parsers.rules.relining import sentences
from tintype.core.recipes.parsers.rules.seeing import Look
from tintype.core.recipes.parsers.rules.tokens import fold, tokenize, words

LIMIT = 120  # characters of a name: longer ones make records that some kitchens cannot delete

_EDGE = re.compile(r"^[^\w\"'(¿¡]+|[^\w\"')\]%®™*]+$")
_QUOTED = re.compile(r"^[\"'](.+)[\"']$")
_NAMING = everywhere("recipe")
_BELOW = everywhere("below")
_MINOR = everywhere("minor")
_COUNTING = re.compile(
    r"\b(?:day|tag|jour|dia|giorno|dag|part|teil|episode|ep)\s?\d+|\d+\s?(?:nights|times|years|x|mal|fois|veces|volte|vezes|keer)\b",
    re.IGNORECASE,
)
_INTRODUCED = re.compile(r":\s+([^:.!?]{6,})$")
_BRACKETED = re.compile(r"^([^()]{4,})\s\(([^()]{4,})\)?$")
_BARRED = re.compile(r"^([^|]{4,}?)\s[^\w\s]*\s?\|\s(.{4,})$")
_TITLE_WITHIN = re.compile(
    r"(?<=[a-z,]\s)[A-Z][\w'-]+(?:\s(?:and|with|in|&|of|on|the|al|alla|de)\s[A-Z][\w'-]+|\s[A-Z][\w'-]+){1,6}"
)
_PICTURED = re.compile(
    "^([^\U0001f300-\U0001faff\u2600-\u27bf]{4,}?)\\s[\U0001f300-\U0001faff\u2600-\u27bf\ufe0f]+\\s(.{4,})$"
)
_SHORT_SENTENCE = re.compile(
    r"^(.{3,80}?)(?:\s*[!?.:]+\s+|\s[-–—|]\s|\s*[\U0001f300-\U0001faff\u2600-\u27bf]\ufe0f?\s+)(?=\S)"
)


def read_titles(
    looks: list[Look], labels: list[Label], tags: list[str], foods: list[str], lexicon: Lexicon
) -> list[tuple[str, float]]:
    """Return what may be the name, best first, each with how much speaks for it."""
    first = next(
        (
            place
            for place, one in enumerate(labels)
            if one in ("ingredient", "ingredient_heading", "step_heading", "step", "group")
        ),
        len(labels),
    )
    recurring = {word for food in foods for word in words(food) if word not in _MINOR}
    tagged = "".join(fold(tag) for tag in tags)
    found: dict[str, float] = {}
    for place, one in enumerate(looks[:first] or looks[:1]):
        if one.facts or one.tags or one.heading or _points_below(one, lexicon):
            continue
        for name, whole in _names(one):
            score = _score(name, one, place, recurring, tagged, lexicon) - (0.0 if whole else 0.6)
            if whole and _trails_off(name, recurring, lexicon):
                score -= 1.4
            found[name] = max(score, found.get(name, -99.0))
        for name in _spoken_of(one, lexicon):
            score = _score(name, one, place, recurring, tagged, lexicon) + 2.2 * one.person - 0.4
            found[name] = max(score, found.get(name, -99.0))
    return sorted(found.items(), key=lambda item: -item[1])


def _spoken_of(one: Look, lexicon: Lexicon) -> list[str]:
    """Return the dishes that a line of chatter speaks of: behind "I'm making", or in the capitals of a title."""
    if one.words < 6 or one.capitals:
        return []
    told = told_title(sentences(one.text), lexicon)
    within = [found[0] for found in _TITLE_WITHIN.finditer(one.text) if found.start()]
    return [*([told] if told else []), *within]


def told_title(said: list[str], lexicon: Lexicon) -> str | None:
    """Return the dish that the first sentences speak of: "my favourite tomato soup", "für meine Linsensuppe"."""
    for sentence in said[:3]:
        found = _SPOKEN_OF.search(sentence)
        rest = sentence[found.end() :] if found else ""
        tokens = tokenize(rest)
        end = 0
        while end < min(len(tokens), 7) and tokens[end].kind == "w" and tokens[end].folded not in _ENDING:
            if end and tokens[end].folded in lexicon.verbs and tokens[end].folded not in lexicon.foods:
                break
            end += 1
        while end and (tokens[end - 1].folded in _MINOR or tokens[end - 1].folded in lexicon.common):
            end -= 1
        if end:
            return rest[tokens[0].start : tokens[end - 1].end]
    return None


_SPOKEN_OF = re.compile(
    r"\b(?:(?:show(?:ing)? you|make|making|made|recipe for|cook|cooking)(?: how to make| how i make)? (?:my |our |the |this |these |some |a |an )?"
    r"(?:favou?rite |famous |quick |easy )*|my (?:favou?rite |famous |go-to |grandmother's |grandma's |mom's )?"
    r"|(?:zeige ich euch|zeig ich euch|mache ich|machen wir|gibt es|gab es|gibt's|koche ich|backe ich|für) (?:heute |euch |also |wieder )*"
    r"(?:mein\w* |ein\w* |dies\w* |unser\w* |d(?:ie|en|as|er) )(?:schnell\w* |einfach\w* )?"
    r"|pour (?:ma |mon |mes |cette |ce |notre )|(?:faire|préparer|cuisiner) (?:une? |des |ma |mon |la |le )"
    r"|(?:preparar|hacer|cocinar|hace|hago|preparo|preparamos|hacemos) (?:una? |unos |unas |mi |el |la )|para (?:mi |mis |este |esta |estos |estas |meu |minha )"
    r"|(?:per (?:la mia|il mio|questa|questo|i miei|le mie)|prepariamo|preparare|facciamo|fare) (?:una? |un' ?|la |il |i |le )?"
    r"|(?:fazer|preparar|cozinhar) (?:uma? |o |a |meu |minha )|(?:voor|maak je|maken we|maak ik) (?:deze |dit |mijn |een |de |onze ))",
    re.IGNORECASE,
)
_ENDING = everywhere("ends_of_names")


def _names(one: Look) -> list[tuple[str, bool]]:
    """Return the whole line, and its first part when a mark divides it."""
    whole = _bare(one.text)
    parts = [(whole, True)] if whole and len(whole) <= LIMIT and len(sentences(one.text)) == 1 else []
    if found := _SHORT_SENTENCE.match(one.text):
        parts.append((_bare(found[1]), False))
    if (found := _INTRODUCED.search(one.text)) and len(found[1]) <= LIMIT:
        parts.append((_bare(found[1]), False))
    if (found := _BRACKETED.match(whole)) and len(found[1]) <= LIMIT:
        parts.append((_bare(found[1]), False))
    if not parts and whole:
        parts.append((_bare(sentences(one.text)[0])[:LIMIT], False))
    return [(name, full) for name, full in parts if name]


def _points_below(one: Look, lexicon: Lexicon) -> bool:
    """Tell whether a line only says that the recipe follows: "RECIPE BELOW"."""
    spoken = [token.folded for token in one.tokens if token.kind == "w"]
    rest = [word for word in spoken if word not in _NAMING and word not in _MINOR and word not in lexicon.common]
    return len(spoken) <= 5 and len(rest) < len(spoken) and all(word in _BELOW for word in rest)


def _trails_off(name: str, recurring: set[str], lexicon: Lexicon) -> bool:
    """Tell whether what follows a bar or stands in brackets at the end says nothing of the dish."""
    found = _BRACKETED.match(name) or _BARRED.match(name) or _PICTURED.match(name)
    if found is None:
        return False
    told = words(found[2])
    speaks = bool(lexicon.chatter.within(tokenize(found[2]))) or any(word in lexicon.people for word in told)
    named = any(word in recurring or lexicon.is_food(word) for word in told)
    return speaks or (found.re is not _BRACKETED and len(told) > 2 and not named)


def _bare(text: str) -> str:
    text = _EDGE.sub("", text.strip())
    if found := _QUOTED.match(text):
        text = found[1]
    if text.count("(") > text.count(")"):
        text += ")"
    return text.strip()


def _score(name: str, one: Look, place: int, recurring: set[str], tagged: str, lexicon: Lexicon) -> float:
    spoken = words(name)
    if not spoken:
        return -50.0
    heavy = [word for word in spoken if word not in _MINOR]
    score = -3.0 * (one.has_unit and name[:1].isdigit())
    score += 1.2 * (place == 0) - 0.15 * place
    score += 1.0 * min(sum(word in recurring for word in heavy), 3) + 0.7 * min(
        sum(lexicon.is_food(word) for word in heavy), 3
    )
    score += 1.0 * min(sum(len(word) > 3 and word in tagged for word in heavy), 2)
    score += 1.2 * bool(_NAMING & set(heavy)) + 1.2 * one.capitals + 0.8 * (_titled(name) and len(spoken) > 1)
    known = sum(word in recurring for word in heavy)
    score -= (
        (1.0 if known >= 2 else 2.2) * one.person
        + 0.7 * one.text.endswith("!")
        + 2.5 * min(len(lexicon.chatter.within(tokenize(name))) if name != one.text else one.chatter, 2)
        + 2.5 * one.asks
        + 2.8 * (_COUNTING.search(name) is not None)
    )
    score -= (
        0.9 * (one.text.endswith("."))
        + 0.5 * max(0, len(spoken) - 11)
        + 0.8 * (len(spoken) == 1 and not lexicon.is_food(spoken[0]) and not one.capitals)
    )
    common = sum(word in lexicon.common and word not in _MINOR for word in spoken)
    return score - 0.7 * common - 0.8 * (one.verb and spoken[0] not in recurring and not one.capitals)


def _titled(name: str) -> bool:
    """Tell whether the words of a name are capitalised as a title's are."""
    heavy = [token.text for token in tokenize(name) if token.kind == "w" and token.folded not in _MINOR]
    return len(heavy) > 0 and sum(word[0].isupper() for word in heavy) >= 0.8 * len(heavy)
