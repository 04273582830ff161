"""One line of what goes in, understood: amount, unit, food and note, each cut out of the line."""

import re
from typing import NamedTuple

from tintype.core.recipes.model import Ingredient
from tintype.core.recipes.parsers.rules.lexicon import Lexicon
from tintype.core.recipes.parsers.rules.quantities import Quantity, and_a_half, quantity
from tintype.core.recipes.parsers.rules.tokens import Token, tokenize, words

LIMIT = 160  # characters of a food's name; more is no name

_EDGES = " \t-–—:;,.*•·|/+&=~"
_TRAILING = re.compile(r"[^\w)\]%.!'\"°®™]+$")
_ASIDE = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)?")
_OR_MORE = re.compile(r"^(?:or more|oder mehr|ou plus|o más|of meer|heaped|heaping|level)\s+", re.IGNORECASE)
_DASH = re.compile(r"\s[-–—]\s|:\s")
# "oil for frying", "cheese such as feta", "honey or 1 spoon sugar": the name ends before.
_FURTHER = re.compile(
    r"\s(?:such as|for|plus|peeled|cut into|sliced into|pour|para|voor|om te|or(?=\s[\d½¼]))\s|\s\+\s", re.IGNORECASE
)
_HOW_MANY = re.compile(
    r"^(?P<what>[\d½¼¾].*\S)\s*(?:\s[-–—]|:)\s+(?P<count>\d{1,2}(?:\s\d/\d|[½¼¾])?|[½¼¾])\s*(?P<more>\(.*\))?$"
)
_CLOVES = re.compile(r"^(knoblauch|knoflook)(zehen?|teen|tenen|teentjes?)\b", re.IGNORECASE)
_COMMA = re.compile(r",\s|,$|\s[-–—]\s|;\s")
_ALTERNATIVE = re.compile(r"^\s*(?:[/|]|or|oder|ou|o|of|\+|plus)\s*(?=[\d½⅓⅔¼¾⅛])", re.IGNORECASE)
_SPREAD = re.compile(r"^[A-Za-zÀ-ÿ]$")
_SPOONS = {"T": "tbsp", "t": "tsp"}  # the one place where capitals tell units apart
_PACK = frozenset({"x", "×", "mal", "fois"})


class Measure(NamedTuple):
    """A quantity with its unit, the pack sizes around it as notes, and the place behind it all."""

    quantity: Quantity | None
    unit: str | None
    measure: str | None
    notes: tuple[str, ...]
    end: int


def read_ingredient(line: str, lexicon: Lexicon, group: str | None = None) -> Ingredient | None:
    """Understand one line, or return None when nothing in it could be the name of a food."""
    original = line.strip()
    text = _TRAILING.sub("", original.strip(_EDGES))
    if not text or not any(letter.isalpha() for letter in text):
        return None
    tokens = tokenize(text)
    found = (
        _counted(text, lexicon)
        or _leading(text, tokens, lexicon)
        or _trailing(text, tokens, lexicon)
        or _inner(text, tokens, lexicon)
    )
    measure, rest, notes = found or (None, text, ())
    food, more = _named(rest, bool(measure and measure.quantity), lexicon)
    notes = tuple(note for note in (*(measure.notes if measure else ()), *notes, *more) if note)
    if not food and measure and measure.unit:  # "2 cloves" with nothing behind it: the unit is the food
        food, measure = measure.unit, measure._replace(unit=None, measure=None)
    if not food or len(food) > LIMIT:
        return None
    if measure and measure.unit is None and (cloves := _CLOVES.match(food)):  # one word: "Knoblauchzehe"
        food, measure = cloves[1], measure._replace(unit=cloves[2], measure="clove")
    return _ingredient(original, food, measure, notes, group, lexicon)


def _ingredient(
    original: str, food: str, measure: Measure | None, notes: tuple[str, ...], group: str | None, lexicon: Lexicon
) -> Ingredient:
    known = any(lexicon.is_food(token.folded) for token in tokenize(food))
    amount = measure.quantity if measure else None
    sure = 0.6 + 0.2 * known + 0.1 * (amount is not None) + 0.1 * bool(measure and measure.unit)
    return Ingredient(
        food=food,
        amount=round(amount.amount, 4) if amount else None,
        amount_max=round(amount.upper, 4) if amount and amount.upper is not None else None,
        unit=measure.unit if measure else None,
        measure=measure.measure if measure else None,
        note=", ".join(notes),
        group=group,
        original=original,
        confidence=round(sure, 2),
    )


def _counted(text: str, lexicon: Lexicon) -> tuple[Measure, str, tuple[str, ...]] | None:
    """Read "28 oz can chickpeas – 1": what stands at the end is how many of that size."""
    found = _HOW_MANY.match(text)
    if found is None:
        return None
    head = found["what"]
    tokens, last = tokenize(head), tokenize(found["count"])
    size, count = measured(head, tokens, 0, lexicon), quantity(last, 0, lexicon)
    if size is None or size.unit is None or count is None or size.end >= len(tokens):
        return None
    container = lexicon.units.at(tokens, size.end)
    start = _past_partitive(tokens, container[1], lexicon) if container else size.end
    if start >= len(tokens):
        return None
    unit = head[tokens[size.end].start : tokens[container[1] - 1].end] if container else None
    note = head[: tokens[size.end - 1].end]
    measure = Measure(count, unit, container[0] if container else None, (note, *size.notes), start)
    return measure, head[tokens[start].start :], tuple(_pieces(found["more"] or ""))


def _leading(text: str, tokens: tuple[Token, ...], lexicon: Lexicon) -> tuple[Measure, str, tuple[str, ...]] | None:
    """Read "2 cups flour", "one 15-ounce can beans", "etwas Salz", "a pinch of salt"."""
    measure = measured(text, tokens, 0, lexicon)
    if measure is None:
        loose = lexicon.loose.at(tokens, 0)
        if loose is None or loose[1] >= len(tokens):
            return None
        end = _past_partitive(tokens, loose[1], lexicon)
        bare = Measure(None, None, None, (text[: tokens[end - 1].end].strip(),), end)
        return (bare, text[tokens[end].start :], ()) if end < len(tokens) else None
    rest = text[tokens[measure.end - 1].end :] if measure.end else text
    return measure, rest, ()


def measured(text: str, tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> Measure | None:
    """Read the quantity and unit that start at a token, past pack sizes and size words, up to the food."""
    amount = quantity(tokens, place, lexicon)
    if amount is None:
        return None
    end, notes = _pack(
        text, tokens, _past_sum(tokens, _past_sizes_to_aside(tokens, amount.end, lexicon), lexicon), lexicon
    )
    jump = end
    while (
        jump < len(tokens)
        and jump - end < 4
        and (tokens[jump].folded in lexicon.sizes or (jump > end and tokens[jump].text == "."))
    ):
        jump += 1
    jump = _past_partitive(tokens, jump, lexicon)  # "¼ de cucharadita"
    unit = lexicon.units.at(tokens, jump) or (lexicon.units.at(tokens, end) if jump != end else None)
    start = (
        jump if lexicon.units.at(tokens, jump) or (tokens[jump : jump + 1] and tokens[jump].text in _SPOONS) else end
    )
    if unit is None and jump < len(tokens) and tokens[jump].text in _SPOONS and lexicon.language == "en":
        unit = (_SPOONS[tokens[jump].text], jump + 1)
    if unit and unit[0] == "g" and amount.amount < _FEW_GRAMS and _abbreviates_size(tokens, start, lexicon):
        unit, end = None, unit[1]
    if unit is None:
        return Measure(amount, None, None, notes, _past_partitive(tokens, end, lexicon))
    if unit[1] < len(tokens) and tokens[unit[1]].text == "-" and tokens[unit[1]].start == tokens[unit[1] - 1].end:
        return Measure(amount, None, None, notes, end)  # "2 inch-thick", "g-force": not a unit of its own
    spelled = text[tokens[start].start : tokens[unit[1] - 1].end]
    if spelled.endswith(".") and not spelled[:-1].count("."):
        spelled = spelled[:-1]
    if unit[0] == "cup":  # "xícara (chá)": the bracket tells cups from other cups, as nobody outside Brazil does
        spelled = spelled.partition("(")[0].rstrip()
    behind = _past_plural(tokens, unit[1])
    if half := and_a_half(tokens, behind, lexicon):  # "una cucharada y media"
        amount, behind = amount._replace(amount=amount.amount + 0.5), half
    behind, more = _second_measure(text, tokens, behind, lexicon)
    behind = _past_partitive(tokens, behind, lexicon)
    return Measure(amount, spelled, unit[0], (*notes, *more), behind)


_FEW_GRAMS = 6


def _abbreviates_size(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> bool:
    """Tell whether "gr." stands for "große", as in "1 gr. Zwiebel"."""
    return (
        lexicon.language == "de"
        and tokens[place].folded == "gr"
        and tokens[place + 1 : place + 2] != ()
        and tokens[place + 1].text == "."
    )


def _past_sum(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> int:
    """Step over the second part of "1/4 + 1/8 teaspoon"."""
    if place + 1 < len(tokens) and tokens[place].text == "+" and tokens[place + 1].kind == "n":
        return place + 2
    return place


def _past_sizes_to_aside(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> int:
    """Step over "large" in "1 large (9 oz) onion"."""
    ahead = place
    while ahead < len(tokens) and tokens[ahead].folded in lexicon.sizes:
        ahead += 1
    return ahead if ahead < len(tokens) and tokens[ahead].text == "(" else place


def _pack(text: str, tokens: tuple[Token, ...], end: int, lexicon: Lexicon) -> tuple[int, tuple[str, ...]]:
    """Step over the size of a pack before its unit: "(15 oz)", "15-ounce", "x 400 g"; it becomes a note."""
    if end >= len(tokens):
        return end, ()
    if tokens[end].text == "(" and (close := _closing(tokens, end)) is not None:
        inside = text[tokens[end].end : tokens[close].start].strip()
        if any(token.kind == "n" for token in tokens[end:close]) and close + 1 < len(tokens):
            return close + 1, (inside,)
        return end, ()
    start = end
    if tokens[end].folded in _PACK and end + 1 < len(tokens) and tokens[end + 1].kind == "n":
        start = end + 1
    if tokens[start].kind != "n":
        return end, ()
    inner = start + 1
    while inner < len(tokens) and tokens[inner].text == "-":
        inner += 1
    size = lexicon.units.at(tokens, inner)
    if size is None:
        return end, ()
    return size[1], (text[tokens[start].start : tokens[size[1] - 1].end],)


def _closing(tokens: tuple[Token, ...], opening: int) -> int | None:
    depth = 0
    for place in range(opening, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[place].text, 0)
        if depth == 0:
            return place
    return None


def _past_plural(tokens: tuple[Token, ...], place: int) -> int:
    """Step over the "(s)" of "tasse(s)"."""
    if place + 2 < len(tokens) and tokens[place].text == "(" and tokens[place + 1].folded in ("s", "n", "en", "e"):
        return place + 3 if tokens[place + 2].text == ")" else place
    return place


def _second_measure(text: str, tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> tuple[int, tuple[str, ...]]:
    """Step over the same amount said in other units: "/ 240 ml", "(113 g)", "plus 2 tbsp", "/1lb 5oz"."""
    notes: list[str] = []
    while place < len(tokens):
        if tokens[place].text == "(" and (close := _closing(tokens, place)) is not None:
            notes.append(text[tokens[place].end : tokens[close].start].strip())
            place = close + 1
            continue
        inner = place
        if _ALTERNATIVE.match(text[tokens[place].start :]):
            while inner < len(tokens) and tokens[inner].kind != "n":
                inner += 1
        other = quantity(tokens, inner, lexicon) if inner < len(tokens) and tokens[inner].kind == "n" else None
        unit = lexicon.units.at(tokens, other.end) if other else None
        if unit is None or unit[1] >= len(tokens):
            break
        notes.append(text[tokens[place].start : tokens[unit[1] - 1].end].lstrip("/|+ "))
        place = unit[1]
    return place, tuple(notes)


def _past_partitive(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> int:
    found = lexicon.partitives.at(tokens, place)
    return found[1] if found and found[1] < len(tokens) else place


def _trailing(text: str, tokens: tuple[Token, ...], lexicon: Lexicon) -> tuple[Measure, str, tuple[str, ...]] | None:
    """Read "Flour - 2 cups, sifted", "Mehl: 250 g", "flour (2 cups)", "Zucker 100 g"."""
    for place in range(1, len(tokens)):
        before = tokens[place - 1]
        if before.text in "-–—" and place > 1 and tokens[place - 2].kind == "n":
            continue
        if tokens[place].kind == "p" or not (
            tokens[place].kind == "n" or before.text in (":", "-", "–", "—", "(", "=")
        ):
            continue
        measure = measured(text, tokens, place, lexicon)
        if measure is None:
            continue
        if turned := _turned(text, tokens, place, measure, lexicon):
            return turned
        name = text[: tokens[place].start].rstrip(_EDGES + "([")
        behind = text[tokens[measure.end - 1].end :]
        sized = before.text == "," and all(word in lexicon.sizes for word in words(behind))  # "onion, 1 large"
        if not name or not (sized or _ends_there(before, behind, measure)):
            continue
        return measure, name, tuple(_pieces(behind))
    return None


def _turned(
    text: str, tokens: tuple[Token, ...], place: int, measure: Measure, lexicon: Lexicon
) -> tuple[Measure, str, tuple[str, ...]] | None:
    """Read "ceci g 400" and "Mehl: g 250", where the weight is written before its number."""
    unit = lexicon.units.at(tokens, place - 1)
    start = place - 1
    if unit is None and place > 2 and tokens[place - 1].text == ".":
        start, unit = place - 2, lexicon.units.at(tokens, place - 2)
    if unit is None or unit[0] not in _WEIGHED or measure.unit is not None or start == 0:
        return None
    if measure.end < len(tokens) and tokens[measure.end].text not in ",(":
        return None
    name = text[: tokens[start].start].rstrip(_EDGES)
    behind = text[tokens[measure.end - 1].end :]
    return measure._replace(unit=tokens[start].text, measure=unit[0]), name, tuple(_pieces(behind))


_WEIGHED = frozenset({"g", "kg", "ml", "cl", "dl", "l"})


def _ends_there(before: Token, behind: str, measure: Measure) -> bool:
    """Tell whether a quantity after a name is the name's own: behind a mark, or the last thing in the line."""
    rest = behind.strip().lstrip(")").strip()
    if before.text in (":", "-", "–", "—", "="):
        return True
    closed = not rest or rest[0] in ",;(-–"
    if before.text == "(":
        return behind.strip().startswith(")") and measure.quantity is not None and not re.match(r"[^\W\d]", rest)
    return (
        closed
        and (measure.unit is not None or not rest)
        and not re.match(r"(?i)(?:type|typ|tipo|n|no|nr|size)$", before.text)
    )


def _inner(text: str, tokens: tuple[Token, ...], lexicon: Lexicon) -> tuple[Measure, str, tuple[str, ...]] | None:
    """Read "Zest of 3 limes": what is taken of a counted thing is a note to it."""
    for place in range(1, min(len(tokens) - 1, 6)):
        counts = tokens[place].kind == "n" or _halves(tokens, place, lexicon)
        if not counts or tokens[place - 1].kind != "w" or len(tokens[place - 1].text) > 4:
            continue
        amount = quantity(tokens, place, lexicon)
        if (
            amount is None
            or amount.end >= len(tokens)
            or tokens[amount.end].kind != "w"
            or "," in text[: tokens[place].start]
        ):
            return None
        if lexicon.units.at(tokens, amount.end):
            return None
        taken = text[: tokens[place].start].strip()
        return Measure(amount, None, None, (taken,), amount.end), text[tokens[amount.end].start :], ()
    return None


def _halves(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> bool:
    """Tell whether "half a", "einer halben", "medio" stands there."""
    after = tokens[place + 1].folded if place + 1 < len(tokens) else ""
    word = tokens[place].folded
    return lexicon.numbers.get(word, 1) < 1 or (word in lexicon.articles and lexicon.numbers.get(after, 1) < 1)


def _pieces(text: str) -> list[str]:
    """Return the notes in what follows a food: asides in brackets, and pieces between commas."""
    asides = [found[1].strip(" ,;") for found in _ASIDE.finditer(text)]
    rest = _ASIDE.sub(" ", text).replace(")", " ").strip(_EDGES)
    return [piece for piece in (rest, *asides) if piece]


def _named(rest: str, counted: bool, lexicon: Lexicon) -> tuple[str, list[str]]:
    """Cut what follows the quantity into the food's name and notes."""
    rest = _OR_MORE.sub("", rest.strip().lstrip(".,:;-–—/* "))
    notes: list[str] = []
    if (found := _ASIDE.match(rest)) and rest[found.end() :].strip():
        notes.append(found[1].strip())
        rest = rest[found.end() :].strip()
    name, tail = rest, ""
    if (found := _ASIDE.search(rest)) and rest[: found.start()].strip():
        before, behind = rest[: found.start()], rest[found.end() :]
        named = any(lexicon.is_food(token.folded) for token in tokenize(before))
        if named or not re.match(r"\s*[^\W\d_]", behind):  # else "all-purpose (plain) flour" is one name
            name, tail = before, rest[found.start() :]
    cut = _name_ends(name, counted, lexicon)
    if (further := _FURTHER.search(name, 1, cut)) and any(
        lexicon.is_food(token.folded) for token in tokenize(name[: further.start()])
    ):
        cut = further.start()
    notes = [name[cut:].strip(_EDGES), *notes, *_pieces(tail)]
    return _bare(name[:cut], lexicon, notes), [note for note in dict.fromkeys(notes) if note]


def _name_ends(name: str, counted: bool, lexicon: Lexicon) -> int:
    """Return where a food's name ends: at the first comma or dash, unless only describing words stand before it."""
    for found in _COMMA.finditer(name):
        before = tokenize(name[: found.start()])
        after = tokenize(name[found.end() :])
        if not any(lexicon.is_food(token.folded) for token in before):
            if any(lexicon.is_food(token.folded) for token in after) and len(before) <= 3 and found[0] == ", ":
                continue
        elif found[0] == ", " and not counted and _seasonings(name, lexicon):
            return len(name)
        return found.start()
    return len(name)


def _seasonings(name: str, lexicon: Lexicon) -> bool:
    """Tell whether a line without a quantity lists foods and nothing else: "salt, pepper, paprika"."""
    pieces = [tokenize(piece) for piece in name.split(",")]
    return all(0 < len(piece) <= 3 and any(lexicon.is_food(token.folded) for token in piece) for piece in pieces)


def _bare(name: str, lexicon: Lexicon, notes: list[str]) -> str:
    """Take size and preparation words off the front of a name, and "to taste" off its end; they become notes."""
    tokens = tokenize(name)
    start = 0
    while start < len(tokens) - 1 and (tokens[start].folded in lexicon.sizes or tokens[start].text in ".,-"):
        start += 1
    front = start
    while front < len(tokens) - 1 and (tokens[front].folded in lexicon.preparations or tokens[front].text in ",/"
                                       or (tokens[front].folded == "and" and front > start)):  # fmt: skip
        front += 1
    if front > start and not any(token.kind == "w" for token in tokens[front:]):
        front = start
    if front > start:
        notes.insert(0, name[tokens[start].start : tokens[front - 1].end].strip(_EDGES))
        start = front
    end = len(tokens)
    for place in range(max(start + 1, 1), len(tokens)):
        found = lexicon.taste.at(tokens, place)
        if found and found[1] >= len(tokens):
            end = place
            notes.append(name[tokens[place].start :].strip(_EDGES))
            break
    while end > start + 1 and tokens[end - 1].folded in lexicon.preparations:
        end -= 1
    if not tokens[start:end]:
        return ""
    return name[tokens[start].start : tokens[end - 1].end].strip(_EDGES)
