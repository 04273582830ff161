"""What to do, one thing after the other: numbers off, prose cut, minutes read, ingredients put to their step."""

import re
from functools import lru_cache

from tintype.core.recipes.model import Ingredient, Step
from tintype.core.recipes.parsers.rules.facts import duration_at
from tintype.core.recipes.parsers.rules.lexicon import Lexicon
from tintype.core.recipes.parsers.rules.relining import sentences
from tintype.core.recipes.parsers.rules.tokens import tokenize, words

PARAGRAPH = 300  # characters: a lone paragraph beyond this is cut into its sentences
DAY = 1440  # minutes: what takes longer is how long it keeps
_TINY = 40

_ELSEWHERE = re.compile(
    r"\s*(?:…|\.\.\.)\s*(?:\(?(?:full|rest|more|continued|see|the rest|weiter|ganzes|suite|la suite|recette|receta|sigue|ricetta|continua|receita|resto|volledig|vervolg|lees)\b.*)?$"
    r"|\s*\((?:continued|cont\.|full recipe|rest|more in|weiter|geht weiter|suite|la suite|sigue|continua|segue|vervolg|verder)[^()]*\)?\s*$",
    re.IGNORECASE,
)
_ONE_NUMBER = re.compile(r"^\s*\d{1,2}[.)]\s+")


def told(line: str) -> str:
    """Return a step's words without what points to the rest of it elsewhere; a stump of two words is no step."""
    bare = _ONE_NUMBER.sub("", line).strip()
    whole = _ELSEWHERE.sub("", bare).strip()
    return whole if whole == bare or len(whole.split()) > 2 else ""


def divided(texts: list[tuple[str, str | None, bool]]) -> list[tuple[str, str | None]]:
    """Return steps from lines with their group: a lone unnumbered paragraph is cut at its sentences."""
    if len(texts) != 1 or texts[0][2] or len(texts[0][0]) <= PARAGRAPH:
        return [(text, group) for text, group, _ in texts]
    text, group, _ = texts[0]
    parts: list[str] = []
    for sentence in sentences(text):
        if parts and (len(parts[-1]) < _TINY or len(sentence) < _TINY // 2):
            parts[-1] = f"{parts[-1]} {sentence}"
        else:
            parts.append(sentence)
    return [(part, group) for part in parts]


def read_steps(
    texts: list[tuple[str, str | None]], ingredients: tuple[Ingredient, ...], lexicon: Lexicon
) -> tuple[Step, ...]:
    """Make steps of their words: each ingredient goes to the first step that names it."""
    waiting = {place: _telling(one.food, lexicon) for place, one in enumerate(ingredients)}
    steps: list[Step] = []
    for text, group in texts:
        spoken = {_stem(word) for word in words(text)}
        used = tuple(place for place, names in waiting.items() if names & spoken)
        for place in used:
            del waiting[place]
        steps.append(Step(text, group, _minutes(text, lexicon), used))
    return tuple(steps)


def _telling(food: str, lexicon: Lexicon) -> frozenset[str]:
    """Return the words of a food by which a step would name it."""
    spoken = words(food)
    named = [word for word in spoken if lexicon.is_food(word)] or spoken[-1:]
    return frozenset(_stem(word) for word in named if len(word) > 2)


@lru_cache(maxsize=16384)
def _stem(word: str) -> str:
    for end in ("es", "en", "s", "n", "e", "i", "a", "o"):
        if len(word) > len(end) + 3 and word.endswith(end):
            return word[: -len(end)]
    return word


def _minutes(text: str, lexicon: Lexicon) -> int | None:
    """Return the last duration that a step names, in minutes; seconds are no time to plan with."""
    tokens = tokenize(text)
    found: int | None = None
    place = 0
    while place < len(tokens):
        duration = duration_at(tokens, place, lexicon) if tokens[place].kind == "n" else None
        if duration is None:
            place += 1
            continue
        if 1 <= duration.minutes <= DAY:
            found = round(duration.minutes)
        place = duration.end
    return found
