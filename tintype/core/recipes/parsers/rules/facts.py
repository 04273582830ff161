"""How long, for how many, and what is in it: the facts that stand around a recipe."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from tintype.core.recipes.model import Language, Nutrition, Servings, Times
from tintype.core.recipes.parsers.rules.lexicon import Lexicon, everywhere, headings
from tintype.core.recipes.parsers.rules.lexicon import lexicon as lexicon_of
from tintype.core.recipes.parsers.rules.quantities import quantity
from tintype.core.recipes.parsers.rules.tokens import Token, tokenize

MOST_MINUTES = 60 * 24 * 14
MOST_SERVINGS = 200
MOST_DINERS = 20  # "2p" is for two; more of anything in so few letters is something else
_SHORT = 14  # words: a fact is not told in more

_CLOCK = re.compile("[⏰⏱⏲🕐-🕧⌛⏳🔥🔪👩👨🧑]")
_PLATES = re.compile("[👥🍽👤👪👨👩👧🙋🍴🥣]")
_PIECES = re.compile(
    "\\s*(?:[|•·()\U0001f300-\U0001faff\u23e9-\u23f3\u2600-\u27bf\ufe0f]|\\s//?\\s|;|(?<!min)(?<!std)(?<!mins)(?<!prep)(?<!tot)\\.\\s|\\.\\s(?=[^\\W\\d]+\\s?:)|,\\s|\\s[-–—~]\\s|\\s\\+\\s)\\s*",
    re.IGNORECASE,
)
_PLATED = re.compile("[👥🍽👤👪🙋🍴]\ufe0f?\\s*[x×:]?\\s*(\\d{1,2})(?=\\s*(?:$|[^\\w\\s.,:/-]))")
_FIRMLY = re.compile(r"\s(?:[|/•·]|//)\s")
_SERVED_IN = re.compile(r"(?<=\d)(\s[^\W\d]+)\s(?:en|in|em)\s(?=\d)", re.IGNORECASE)
_COUNTED = everywhere("portions")


@dataclass(frozen=True, slots=True)
class Duration:
    """Minutes as they were said, and the places in the line where they begin and end."""

    minutes: float
    start: int
    end: int


def duration_at(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> Duration | None:
    """Read "1 h 30 min", "45 Minuten", "1½ hours", "1h30" at a place; of a range its lower end."""
    amount = quantity(tokens, place, lexicon)
    if amount is None or amount.end >= len(tokens):
        return None
    end = amount.end
    scale = _scale(tokens[end].folded, lexicon)
    if scale is None:
        return None
    minutes, end = amount.amount * scale, end + 1
    if end < len(tokens) and tokens[end].text == ".":
        end += 1
    if scale in (60, 1440):
        more = end + 1 if end < len(tokens) and tokens[end].folded in ("and", "und", "et", "y", "e", "en", ",") else end
        if more < len(tokens) and tokens[more].kind == "n" and (rest := quantity(tokens, more, lexicon)):
            unit = _scale(tokens[rest.end].folded, lexicon) if rest.end < len(tokens) else None
            if unit is not None and unit < scale:
                return Duration(minutes + rest.amount * unit, place, rest.end + 1)
            if rest.end >= len(tokens) and tokens[more].start == tokens[end - 1].end:  # "1h30"
                return Duration(minutes + rest.amount, place, rest.end)
    return Duration(minutes, place, end)


def _scale(word: str, lexicon: Lexicon) -> float | None:
    """Return how many minutes a unit of time has."""
    return lexicon.durations.get(word)


def is_facts(text: str, tokens: tuple[Token, ...], lexicon: Lexicon, drawn: str = "") -> bool:
    """Tell whether a line says nothing but times, servings or what is in a serving; `drawn` is it with its pictures."""
    numbers = sum(token.kind == "n" or token.folded in lexicon.numbers for token in tokens)
    if not numbers or sum(token.kind == "w" for token in tokens) > _SHORT:
        return False
    return _states(text, drawn or text, lexicon.language)


@lru_cache(maxsize=1024)
def _states(text: str, drawn: str, language: Language) -> bool:
    """Answer `is_facts`, which several ask of the same line."""
    lexicon, tokens = lexicon_of(language), tokenize(text)
    spoken = sum(token.kind == "w" for token in tokens)
    if spoken <= 10 and _facts_beside_facts(drawn, lexicon):
        return True
    aside = text.endswith(":") or (text[:1] == "(" and text[-1:] == ")")
    plates = (aside or _PLATES.search(drawn) is not None) and _whole_line(tokens, 0, 2)
    if _PLATED.search(drawn) or (spoken <= 8 and _FIRMLY.search(text) and _serves_in_part(text, lexicon)):
        return True
    if spoken <= 10 and (_servings_in(tokens, lexicon, bold=plates) or _times_in(text, lexicon) != Times()):
        return True
    return nutrition_in(tokens, lexicon) != Nutrition()


def _facts_beside_facts(line: str, lexicon: Lexicon) -> bool:
    """Tell whether a line is pieces like "15 pieces, 25 min", all but one of them times and servings."""
    if not any(token.folded in lexicon.durations for token in tokenize(line)):
        return False
    pieces = [tokens for tokens in map(tokenize, _pieces(line)) if any(token.kind != "p" for token in tokens)]
    if len(pieces) < 2:
        return False
    known = sum(yields(tokens, lexicon) or _lasts(tokens, lexicon) for tokens in pieces)
    return known >= 2 and known >= len(pieces) - 1 and any(_lasts(tokens, lexicon) for tokens in pieces)


def _lasts(tokens: tuple[Token, ...], lexicon: Lexicon) -> bool:
    """Tell whether a piece is a duration and hardly anything else: "25 min", "12 min de horno"."""
    spoken = tuple(token for token in tokens if token.kind != "p")
    duration = duration_at(spoken, 0, lexicon)
    return duration is not None and len(spoken) - duration.end <= 2 and duration.minutes >= 1


def _serves_in_part(text: str, lexicon: Lexicon) -> bool:
    """Tell whether a part between bars is for how many: "24 cm tin / 8 servings"."""
    return any(_servings_in(tokenize(part), lexicon, bold=False) for part in _FIRMLY.split(text))


def read_times(lines: list[str], lexicon: Lexicon) -> Times:
    """Read the times that a recipe's lines of facts name; the first of each sort counts."""
    times = Times()
    for line in lines:
        found = _times_in(line, lexicon)
        times = replace(
            times,
            total=times.total if times.total is not None else found.total,
            prep=times.prep if times.prep is not None else found.prep,
            cook=times.cook if times.cook is not None else found.cook,
            wait=times.wait if times.wait is not None else found.wait,
        )
    return times


def _times_in(line: str, lexicon: Lexicon) -> Times:
    """Read each piece of a line that opens with a label or a clock and goes on with a duration."""
    found: dict[str, int] = {}
    added = False
    if not any(token.folded in lexicon.durations for token in tokenize(line)):
        return Times()
    marked = _CLOCK.search(line) is not None or _beside_servings(line, lexicon) or _facts_beside_facts(line, lexicon)
    for piece in _pieces(line):
        tokens = tokenize(piece)
        for duration, spoken in _durations(tokens, lexicon):
            sort = _label(spoken, duration, marked or bool(found), lexicon)
            beside = (*spoken[: duration.start], *spoken[duration.end :])
            bare = all(token.kind == "p" for token in beside)
            if sort is None and bare and len(spoken) == len(tokens) and (marked or is_duration(line, lexicon)):
                sort, added = "total", " + " in line
            if sort:
                found.setdefault(sort, round(duration.minutes))
    if added and len(found) > 1 and "prep" not in found:  # "25 min + 55 min oven"
        found["prep"] = found.pop("total")
    return Times(found.get("total"), found.get("prep"), found.get("cook"), found.get("wait"))


def _durations(tokens: tuple[Token, ...], lexicon: Lexicon) -> list[tuple[Duration, tuple[Token, ...]]]:
    """Return each duration of a piece within the words that are its own: "Prep: 20 min" and "Cook: 1 h"."""
    found: list[tuple[Duration, tuple[Token, ...]]] = []
    begin, place = 0, 0
    digits = any(token.kind == "n" for token in tokens)
    while place < len(tokens):
        counts = tokens[place].kind == "n" if digits else quantity(tokens, place, lexicon) is not None
        duration = duration_at(tokens, place, lexicon) if counts else None
        if duration is None:
            if counts:
                break
            place += 1
            continue
        later = any(token.kind == "n" for token in tokens[duration.end :])
        end = duration.end if later and place > begin else len(tokens)
        if 0 < duration.minutes <= MOST_MINUTES:
            own = Duration(duration.minutes, place - begin, duration.end - begin)
            found.append((own, tokens[begin:end]))
        begin = place = duration.end
    return found


def is_duration(line: str, lexicon: Lexicon) -> bool:
    """Tell whether a line is a duration and nothing else: "20 min", "1 h 30"."""
    tokens = tuple(token for token in tokenize(line) if token.kind != "p")
    duration = duration_at(tokens, 0, lexicon) if tokens and len(tokens) <= 6 else None
    return duration is not None and duration.end >= len(tokens) and duration.minutes >= 1


def _beside_servings(line: str, lexicon: Lexicon) -> bool:
    """Tell whether a line names servings as well: "serves 4, 25 mins"."""
    pieces = _pieces(line)
    return len(pieces) > 1 and any(_servings_in(tokenize(piece), lexicon, bold=False) for piece in pieces)


def _label(tokens: tuple[Token, ...], duration: Duration, clock: bool, lexicon: Lexicon) -> str | None:
    """Return what a duration is the time of: the label stands before it, or behind it ("20 min prep")."""
    before = tuple(token for token in tokens[: duration.start] if token.kind == "w")
    after = tuple(token for token in tokens[duration.end :] if token.kind == "w")
    while len(after) > 1 and after[0].folded in _FILLERS and after[0].folded in _OF:
        after = after[1:]
    marked = clock or any(token.text in ":-–=|" for token in tokens[: duration.start])
    for said in (before, after):
        if not said or len(said) > 4:
            continue
        for sort in ("total", "prep", "cook", "wait"):
            listed = lexicon.listed(f"time_{sort}")
            at = listed.at(said, 0)
            if at and said is before and not marked and before[:1] and before[0].folded in lexicon.verbs:
                continue  # "Bake 20 minutes" is a step
            if (
                at
                and all(token.folded in _FILLERS for token in said[at[1] :])
                and (said is before or (len(after) <= 2 and not before))
            ):
                return sort
    return None


_OF = frozenset({"de", "di", "do", "en", "in"})
_FILLERS = everywhere("beside_labels")


def read_servings(lines: list[str], lexicon: Lexicon) -> Servings | None:
    """Read how much a recipe makes from its lines of facts and headings."""
    for bold in (False, True):
        for line in lines:
            if plated := _PLATED.search(line):
                return Servings(float(plated[1]), None, "")
            for piece in (line, *_pieces(line)):
                found = _servings_in(tokenize(piece.strip(" ()")), lexicon, bold=bold or _shows_plates(line, lexicon))
                if found:
                    return found
    return None


def _shows_plates(line: str, lexicon: Lexicon) -> bool:
    """Tell whether a number beside a noun can only be servings: a plate is drawn, a time stands there, or a colon ends it."""
    if _PLATES.search(line) or _clocked(line, lexicon):
        return True
    return (line.endswith(":") or (line[:1] == "(" and line[-1:] == ")")) and _whole_line(tokenize(line), 0, 2)


def _pieces(line: str) -> list[str]:
    """Cut a line of facts between them: "3 portions in 25 min" holds two."""
    return _PIECES.split(_SERVED_IN.sub(r"\1 | ", line))


def _clocked(line: str, lexicon: Lexicon) -> bool:
    return len(_pieces(line)) > 1 and _times_in(line, lexicon) != Times()


def _servings_in(tokens: tuple[Token, ...], lexicon: Lexicon, *, bold: bool) -> Servings | None:
    """Read "Serves 4", "für 4 Personen", "4 servings", "Makes 12 muffins"; `bold` takes "12 muffins" as well."""
    for place in range(len(tokens)):
        amount = quantity(tokens, place, lexicon)
        if amount is None:
            continue
        if not (0 < amount.amount <= MOST_SERVINGS):
            return None
        what = tokens[amount.end] if amount.end < len(tokens) else None
        opener = _opens(tokens, place, lexicon)
        portioned = what is not None and (
            what.folded in _COUNTED or (what.text == "p" and amount.amount <= MOST_DINERS)
        )
        counted = portioned or (what is not None and what.folded in lexicon.serving_words)
        alone = what is None or what.kind == "p"
        if (
            (opener == "label" and (alone or counted or _whatever(tokens, amount.end, lexicon)))
            or (opener == "for" and (portioned or (what is not None and _diners(tokens, place, amount.end, lexicon))))
            or (not opener and portioned and (bold or _whole_line(tokens, place, amount.end, more=3)))
        ):
            return Servings(amount.amount, amount.upper, what.text if what is not None and what.kind == "w" else "")
        if bold and counted and place <= 1:
            return Servings(amount.amount, amount.upper, what.text if what else "")
        return None
    return None


def _diners(tokens: tuple[Token, ...], place: int, end: int, lexicon: Lexicon) -> bool:
    """Tell whether a line says nothing beside "for 12 cookies" or "pour 2 gourmands", whoever they are."""
    word = tokens[end]
    if end + 2 < len(tokens) and tokens[-1].text == ":" and tokens[end + 1].kind == "w":  # "für 2 hungrige Gäste:"
        end, word = end + 1, tokens[end + 1]
    needed = headings("ingredient_headings").at(tokens, end + 1)  # "Para 6 tarrinas necesitas:"
    whole = _whole_line(tokens, place, end) or (needed and not any(one.kind != "p" for one in tokens[needed[1] :]))
    if word.kind != "w" or not whole:
        return False
    known = word.folded in lexicon.serving_words
    return known or not (
        lexicon.is_food(word.folded) or lexicon.units.at(tokens, end) or _scale(word.folded, lexicon) is not None
    )


def _whole_line(tokens: tuple[Token, ...], place: int, end: int, more: int = 0) -> bool:
    """Tell whether a line says nothing beside "for 12 cookies", or hardly more: "2 persons as a side"."""
    before = sum(token.kind == "w" for token in tokens[:place])
    after = [token for token in tokens[end + 1 :] if token.kind != "p"]
    return before <= 2 and len(after) <= more and all(token.kind == "w" for token in after)


_WEIGHED = frozenset({"g", "kg", "mg", "ml", "cl", "dl", "l", "oz", "lb"})


def _whatever(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> bool:
    """Tell whether what ends a short line ("Makes 1 brownie", "Makes 6 big ones") is no weight and no time."""
    rest = [token for token in tokens[place:] if token.kind != "p"]
    if not 0 < len(rest) <= 3 or any(token.kind != "w" for token in rest):
        return False
    opens = sum(token.kind == "w" for token in tokens[:place]) <= 2
    unit = lexicon.units.at(tokens, place)
    timed = any(_scale(token.folded, lexicon) is not None or token.folded in lexicon.verbs for token in rest)
    return opens and not timed and (unit is None or unit[0] not in _WEIGHED)


def _opens(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> str | None:
    """Tell whether a label ("Serves", "Portionen:") or only "for" stands before a number."""
    before = tuple(token for token in tokens[:place] if token.kind == "w")[-5:]
    openers = lexicon.serving_openers
    for start in range(len(before)):
        found = openers.at(before, start)
        if found and all(token.folded in _FILLERS for token in before[found[1] :]):
            return "for" if before[start].folded in lexicon.group_openers else "label"
    return None


_NUTRIENTS = (("calories", "calories"), ("protein", "protein"), ("carbs", "carbohydrates"), ("fat", "fat"))
_LETTERS = {"P": "protein", "C": "carbs", "F": "fat"}  # "42P 72C 35F", as people who count write it


def nutrition_in(tokens: tuple[Token, ...], lexicon: Lexicon) -> Nutrition:
    """Read "320 kcal", "Protein: 12 g", "14g protein", "410 cals | 32P 45C 9F" in one line."""
    found: dict[str, float] = {}
    lettered = {token.text for token in tokens} >= _LETTERS.keys()
    if not lettered and not any(token.folded in lexicon.nutrients for token in tokens):
        return Nutrition()
    for place, token in enumerate(tokens):
        amount = quantity(tokens, place, lexicon) if token.kind == "n" else None
        if amount is None:
            continue
        after = amount.end
        gram = after < len(tokens) and tokens[after].folded in ("g", "gr", "gram", "grams")
        for key, field in _NUTRIENTS:
            listed = lexicon.listed(key)
            named = listed.at(tokens, after + gram) or listed.at(tokens, after)
            told = named is not None or _named_before(tokens, place, key, lexicon)
            letter = lettered and after < len(tokens) and _LETTERS.get(tokens[after].text) == key
            if letter or (told and (gram or key == "calories" or len(tokens) <= 4)):
                found.setdefault(field, amount.amount)
    return Nutrition(**found)


def _named_before(tokens: tuple[Token, ...], place: int, key: str, lexicon: Lexicon) -> bool:
    start = place - 1
    while start >= 0 and tokens[start].text in ":-–=~":
        start -= 1
    listed = lexicon.listed(key)
    return any(
        (found := listed.at(tokens, at)) is not None and found[1] == start + 1
        for at in range(max(0, start - 2), start + 1)
    )


def yields(tokens: tuple[Token, ...], lexicon: Lexicon) -> bool:
    """Tell whether a line is a number of things that are made and nothing else: "about 20 pieces"."""
    amount = quantity(tokens, 0, lexicon)
    if amount is None or amount.end >= len(tokens) or not _whole_line(tokens, 0, amount.end, more=1):
        return False
    return tokens[amount.end].folded in lexicon.serving_words


def read_nutrition(lines: list[str], lexicon: Lexicon) -> Nutrition:
    """Read what is in a serving from a recipe's lines of facts; the first of each sort counts."""
    found: dict[str, float] = {}
    for line in lines:
        one = nutrition_in(tokenize(line), lexicon)
        for field in ("calories", "protein", "carbohydrates", "fat"):
            value = getattr(one, field)
            if value is not None:
                found.setdefault(field, value)
    return Nutrition(**found)
