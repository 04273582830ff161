"""Lines that were run together come apart: at headings, bullets, numbers, and between the items of a list."""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from tintype.core.recipes.parsers.rules.facts import is_facts
from tintype.core.recipes.parsers.rules.lexicon import LANGUAGES, Lexicon, headings, phrase, tables
from tintype.core.recipes.parsers.rules.quantities import quantity
from tintype.core.recipes.parsers.rules.tokens import VULGAR, fold, tokenize

LONG = 260  # characters: a line beyond this among few others holds more than one thing
FEW = 5
NARROW = 56  # characters: what is set in lines of this at most was wrapped
SHARE = 0.45  # of a list's items begin with a quantity

_BULLET = re.compile(r"(?:(?<=\s)|^)([-–—•·▪▫‣●○◦◆✔✓✅☑➡→👉✨🔸🔹🟢🔻♦*|])\ufe0f?(?=\s)")
_NUMBERED = re.compile(r"(?:(?<=\s)|^)(\d{1,2})[.)](?=\s|[^\W\d_])")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+(?=[^\W_]|[\"'¡¿(½¼¾⅓⅔])|(?<=[a-zà-ÿ]{2}[.!])(?=[A-ZÀ-Þ][a-zà-ÿ])")
_TAGS = re.compile(r"\s(#[^\W_]\w*(?:\s+#\w+)*\s*)$")
_SEPARATORS = (" | ", "; ", " / ", " • ", " · ", " + ", ", ", " - ", " – ")
_RISKY = (" - ", " – ", " + ")  # ranges and sums have these too
_COLON = re.compile(r"^([^:;|]{3,60}):\s+(?=.{20})")
_FIRST_SENTENCE = re.compile(r"^([^.!?]*\d[^.!?]{2,50}[.!])\s+(?=[^\W_].{6})")
_LETTER = re.compile(r"[^\W\d_]")
_LAST = re.compile(r"\s(?:and|und|et|y|e|en|&)\s+", re.IGNORECASE)
_ASIDES = re.compile(
    "\\s*[(|•·]|,\\s|\\s[-–—]\\s|\\s[\U0001f300-\U0001faff\u2600-\u27bf\u23e9-\u23f3]|\\s(?=(?:serves|makes|für|pour|para|per|voor|rende|ergibt)\\s\\d)",
    re.IGNORECASE,
)
_PICTURES = re.compile("\\s(?:[\U0001f300-\U0001faff\u2600-\u27bf]\ufe0f?)+\\s+(?=\\S)")
_PICTURE = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf\u25a0-\u25ff•·▪]")
_CLOCKS = re.compile(r"(?<=\S)\s+(?=[⏰⏱⏲🕐🕒⏳👥🍽🔥])")
_ABBREVIATED = re.compile(
    r"(?:\b(?:ca|approx|min|std|sek|tbsp|tsp|oz|lb|gr|ml|env|aprox|bzw|z\.b|evtl|st|no|nr|max|vel|c|s|cuil|cuill|therm|th|inkl|etc|usw"
    r"|cda|cdta|cdas|cdtas|msp|stk|pck|pkt|el|tl|q\.b|p|b|g|h|sec|mins|hrs|hr)|\d)\.$",
    re.IGNORECASE,
)

_LONGEST_SHORT = 10  # characters of an abbreviation and what stands before it
_ONLY_NUMBER = re.compile(r"\W*\d+[.)]")


def sentences(text: str) -> list[str]:
    """Cut a paragraph at the ends of its sentences; abbreviations and decimals do not end one."""
    parts: list[str] = []
    for part in _SENTENCE.split(text):
        if parts and (
            (not part[:1].isupper() and _ABBREVIATED.search(parts[-1][-_LONGEST_SHORT:]))
            or _ONLY_NUMBER.fullmatch(parts[-1])
        ):
            parts[-1] = f"{parts[-1]} {part}"
        elif part.strip():
            parts.append(part)
    return [part.strip() for part in parts]


def relined(text: str, lexicon: Lexicon) -> list[str]:
    """Return the lines of a text, blank ones as "", with those apart that were run together, and whole what was wrapped."""
    lines = _headed(_unwrapped([line.strip() for line in text.split("\n")], lexicon), lexicon)
    filled = [line for line in lines if line and not line.startswith("#")]
    if len(filled) <= FEW and any(len(line) > LONG or len(_heading_inside().findall(line)) > 1 for line in filled):
        lines = [part for line in lines for part in (_exploded(line, lexicon) if len(line) > 100 else [line])]
    elif len(filled) <= 3:
        lines = [part for line in lines for part in (_PICTURES.split(line) if len(line) > 60 else [line])]
    lines = [part for line in lines for part in _fact_led(line, lexicon)]
    return [part for line in lines for part in (_pictured(line, lexicon) or _listed(line, lexicon) or [line])]


def _fact_led(line: str, lexicon: Lexicon) -> list[str]:
    """Cut a line behind its first sentence when that says how long or for how many: "Serves 6. Tag a friend!"."""
    found = _FIRST_SENTENCE.match(line)
    if found is None or _ABBREVIATED.search(found[1]) or not is_facts(found[1], tokenize(found[1]), lexicon):
        return [line]
    return [found[1], line[found.end() :]]


def _headed(lines: list[str], lexicon: Lexicon) -> list[str]:
    """Cut a line before the recipe's own before the facts that follow a name: "Lemon loaf (serves 10) - 1 hour"."""
    begun = 0
    for place, line in enumerate(lines):
        if not line:
            continue
        if begun > 5 or len(line) > 120 or _is_heading(line) or (begun and _starts(line, lexicon)):
            return lines
        for found in _ASIDES.finditer(line):
            if begun and line[found.start() :].strip()[:1] != "(":
                continue
            head, tail = line[: found.start()], line[found.start() :].strip(" -–—|•·")
            spoken = [token for token in tokenize(head) if token.kind == "w"]
            if spoken and not is_facts(head, tokenize(head), lexicon) and is_facts(tail, tokenize(tail), lexicon):
                return [*lines[:place], head, tail, *lines[place + 1 :]]
        begun += 1
    return lines


def _unwrapped(lines: list[str], lexicon: Lexicon) -> list[str]:
    """Join a line that only goes on with the one before: its end was the end of the paper, not of the thought."""
    width = _width(lines)
    if not width and _in_lower_case(lines):
        return lines
    whole: list[str] = []
    last = ""
    for line in lines:
        if whole and whole[-1] and line and _joins(whole[-1], last, line, width, lexicon):
            whole[-1] = f"{whole[-1]} {line}"
        else:
            whole.append(line)
        last = line
    return whole


def _in_lower_case(lines: list[str]) -> bool:
    """Tell whether somebody writes without capitals, so that a small letter says nothing of where a line begins."""
    letters = [found[0] for line in lines if not line.startswith("#") and (found := _LETTER.search(line))]
    return len(letters) >= 6 and sum(letter.islower() for letter in letters) > 0.85 * len(letters)


def _width(lines: list[str]) -> int:
    """Return how wide the paper is when a text is set in narrow lines, most of them nearly full, or 0."""
    lengths = [len(line) for line in lines if line]
    widest = max(lengths, default=0)
    full = sum(length > 0.75 * widest for length in lengths)
    return widest if len(lengths) >= 8 and widest <= NARROW and full >= 0.4 * len(lengths) else 0


def _joins(before: str, last: str, line: str, width: int, lexicon: Lexicon) -> bool:
    if not line[:1].islower():
        numbered = _NUMBERED.match(before) is not None and _instructs(before, lexicon)
        fresh = _NUMBERED.match(line) or not line[0].isalnum() or opening(line) or _is_heading(line)
        return bool(width and numbered and not fresh and len(last) > 0.6 * width)
    if width and len(last) > 0.6 * width and not last.endswith((".", "!", "?", ":")) and not _starts(line, lexicon):
        return True
    return _goes_on(before, line, lexicon)


def _is_heading(line: str) -> bool:
    found = headings("step_headings").at(tokenize(line), 0)
    return found is not None and len(tokenize(line)) <= found[1] + 1


def _goes_on(before: str, line: str, lexicon: Lexicon) -> bool:
    if (
        before.endswith((".", "!", "?", ":"))
        or before.startswith("#")
        or line.startswith("#")
        or _starts(line, lexicon)
    ):
        return False
    if is_facts(line, tokenize(line), lexicon):
        return False
    marked = not before[0].isalnum() or re.match(r"\d{1,2}\s?[.)]|\d{1,2}\s[A-ZÀ-Þ]", before) is not None
    bare = re.sub(r"^\W*(?:\d{1,2}\s?[.)]?)?\s*", "", before)
    if before.endswith(",") or (_describes(line, lexicon) and not _foods([line], lexicon)):
        return marked or before.endswith(",") or _starts(before, lexicon)
    return _instructs(bare, lexicon) and len(bare) > 28 and (marked or len(line.split()) < 12)


def _exploded(line: str, lexicon: Lexicon) -> list[str]:
    """Cut one long line at its headings, times and servings, then its parts at bullets and running numbers."""
    tags = _TAGS.search(line)
    body, tail = (line[: tags.start()], [tags[1].strip()]) if tags else (line, [])
    body = _CLOCKS.sub("\n", _heading_inside().sub(_on_own_line, body))
    body = _times_inside().sub(lambda found: f"\n{found[0].strip()}\n", body)
    body = _portions_inside().sub(lambda found: f"\n{found[0].strip()}\n", body)
    parts: list[str] = []
    for place, piece in enumerate(body.split("\n")):
        if place == 0 and len(piece) < LONG:  # hooks and the name, before anything else
            parts.extend(part for half in _PICTURES.split(f"{piece} ") for part in sentences(half))
            continue
        parts.extend(_at_numbers(piece) or _at_bullets(piece) or [piece])
    return [part.strip() for part in (*parts, *tail) if part.strip(" .•·-–—|")]


def _on_own_line(found: re.Match[str]) -> str:
    return f"\n{found[1]}:\n"


@cache
def _heading_inside() -> re.Pattern[str]:
    """Match a heading inside a line: followed by a colon, or in capitals before a bullet or a number."""
    every = {one.strip() for table in tables().values() for key in ("ingredient_headings", "step_headings")
             for one in str(table[key]).split(",")}  # fmt: skip
    return re.compile(
        rf"(?:(?<=[\s.!?,])|^)({_spelled(every)})\s*(?::|(?=\s[-–•·▪✔✅]\s)|(?=\s1[.)]\s))", re.IGNORECASE
    )


_ACCENTS = {"a": "[aàáâãä]", "e": "[eèéêë]", "i": "[iìíîï]", "o": "[oòóôõö]", "u": "[uùúûü]", "c": "[cç]", "n": "[nñ]"}


def _spelled(words: Iterable[str]) -> str:
    """Return a pattern of words, with accents or without, that looks at each letter once however many there are."""
    tails: dict[str, set[str]] = {}
    for word in words:
        tails.setdefault(word[:1], set()).add(word[1:])
    ends = tails.pop("", None) is not None
    branches = [_ACCENTS.get(first, re.escape(first)) + _spelled(rest) for first, rest in sorted(tails.items())]
    return f"(?:{'|'.join(branches)}){'?' * ends}" if branches else ""


@cache
def _portions_inside() -> re.Pattern[str]:
    """Match "48 servings." or "Portions : 4." inside a line."""
    counted = "servings?|portionen|portions?|porciones|raciones|porzioni|porç[õo]es|porties|people|personen|personnes|personas|persone|pessoas"
    openers = "servings|serves|portionen|portions|porciones|raciones|porzioni|dosi per|porç[õo]es|porties|rende|serves|makes|for|für|pour|para|per|voor"
    return re.compile(
        rf"(?:(?<=\s)|^)(?:(?:servings|serves|portionen|portions|porciones|raciones|porzioni|porç[õo]es|porties)\s*:?\s*\d+"
        rf"(?:\s?[-–]\s?\d+)?|(?:(?:{openers})\s)?\d+(?:\s?[-–]\s?\d+)?\s(?:{counted}))(?:\.(?=\s|$)|(?=\s|$))",
        re.IGNORECASE,
    )


@cache
def _times_inside() -> re.Pattern[str]:
    """Match "Time: 45 min." or "Ready in 20 minutes" inside a line."""
    labels = {one.strip() for table in tables().values() for key in ("time_total", "time_prep", "time_cook", "time_wait")
              for one in str(table[key]).split(",")}  # fmt: skip
    units = "h|hrs?|hours?|min|mins|minutes?|minuten|minutos?|minuti|minuut|std|stunden?|heures?|horas?|ore|ora|uur"
    return re.compile(
        rf"(?:(?<=\s)|^)(?:(?:{_spelled(labels)})\s*:|(?:ready|done|fertig|pr[eê]te?|list[oa]|pront[oa]|klaar) (?:in|en|em))\s*\d+\s?(?:{units})\b\.?(?:\s?(?:und|and|et|y|e|en)?\s?\d+\s?(?:min|minuten|minutes|minutos|minuti)\b\.?)?",
        re.IGNORECASE,
    )


def _at_bullets(line: str) -> list[str] | None:
    """Cut at a mark that stands at least three times between blanks, or twice when the line begins with it."""
    marks = Counter(found[1] for found in _BULLET.finditer(line) if found[1] != "|")
    if not marks:
        return None
    mark, count = marks.most_common(1)[0]
    if count < 3 and not (count >= 1 and line.lstrip().startswith(mark)):
        return None
    parts = re.split(rf"(?:(?<=\s)|^){re.escape(mark)}\ufe0f?\s", line)
    return [part for index, part in enumerate(parts) if index or part.strip()]


def _pictured(line: str, lexicon: Lexicon) -> list[str] | None:
    """Cut "✅ 250 g flour ✅ 2 eggs ✅ …" at the picture that stands before each thing."""
    marks = Counter(found[0] for found in _PICTURE.finditer(line))
    mark, count = marks.most_common(1)[0] if marks else ("", 0)
    if count < 3:
        return None
    parts = [part.strip(" \ufe0f") for part in line.split(mark) if part.strip(" \ufe0f")]
    counted = sum(_starts(part, lexicon) or _ends(part, lexicon) for part in parts)
    return parts if counted >= SHARE * len(parts) else None


def _at_numbers(line: str) -> list[str] | None:
    """Cut before "1.", "2.", "3." as long as they count up."""
    cuts: list[int] = []
    for found in _NUMBERED.finditer(line):
        if int(found[1]) == len(cuts) + 1:
            cuts.append(found.start())
    if len(cuts) < 2:
        return None
    edges = [*cuts, len(line)]
    return [line[: cuts[0]], *(line[start:end] for start, end in pairwise(edges))]


def opening(line: str) -> tuple[str, str] | None:
    """Cut "You'll need: 2 eggs, …" into its heading and the rest, or return None for a line that opens with none."""
    tokens = tokenize(line)
    start = 0
    while start < len(tokens) and tokens[start].kind == "p":
        start += 1
    found = headings("ingredient_headings").at(tokens, start)
    if found is None:
        return None
    end = found[1]
    rest = line[tokens[end - 1].end :]
    return line[: tokens[end - 1].end], re.sub(
        r"^\s*(?:\([^)]*\))?\s*(?:nur|only|just|solo|juste|seulement|alleen|só)?\s*[:\-–]?\s*", "", rest
    )


def _listed(line: str, lexicon: Lexicon) -> list[str] | None:
    """Cut a line that lists things with quantities into one line per thing, its heading first."""
    if len(line) < 12 or line.startswith("#"):
        return None
    if is_facts(line, tokenize(line), lexicon):
        return None
    opened = opening(line)
    head, rest = opened if opened and len(opened[1]) > 8 else ("", line)
    if not head and (colon := re.match(r"^([^:,;/|.]{3,60}):\s+(?=.*[,;/|])", line)) and not _starts(line, lexicon):
        head, rest = colon[1], line[colon.end() :]
    if not head and (colon := _COLON.match(line)) and is_facts(colon[1], tokenize(colon[1]), lexicon):
        head, rest = colon[1], line[colon.end() :]
    if not opened and _instructs(rest, lexicon):
        return None
    for separator in _SEPARATORS:
        if rest.count(separator.strip()) < (1 if head and opened else 2) or (separator in _RISKY and not head):
            continue
        parts = _parts(rest, separator, lexicon)
        counted = sum(_starts(part, lexicon) or _ends(part, lexicon) for part in parts)
        led = opened or _starts(parts[0], lexicon) or _ends(parts[0], lexicon) if parts else False
        if led and counted >= max(2, SHARE * len(parts)) and not _prose(parts, lexicon):
            return [f"{head}:"] * bool(head) + parts
        if opened and head and len(parts) >= 3 and _foods(parts, lexicon) >= 0.6 * len(parts):
            return [f"{head}:", *parts]
    return _unmarked(head if opened else "", rest, lexicon)


def _parts(rest: str, separator: str, lexicon: Lexicon) -> list[str]:
    """Cut a list at its separator; what only describes the item before it stays with that item."""
    rest = rest.strip()
    sentence = re.match(r"^(.*?[^\W\d_)%]{2,})\.\s+(?=[A-ZÀ-Þ])", rest)
    tail = rest[sentence.end() :].strip() if sentence else ""
    if sentence and (separator == ", " or any(token.folded in lexicon.verbs for token in tokenize(tail))):
        rest = sentence[1]
    else:
        tail = ""
    rest = rest.rstrip(". ")
    parts: list[str] = []
    depth_cut = re.sub(r"\([^()]*\)", lambda found: "\0" * len(found[0]), rest)
    place = 0
    for piece in depth_cut.split(separator):
        part = rest[place : place + len(piece)].strip()
        place += len(piece) + len(separator)
        if parts and separator == ", " and _describes(part, lexicon):
            parts[-1] = f"{parts[-1]}, {part}"
        elif part:
            parts.append(part)
    return [*_last(parts, lexicon), *([tail] if tail else [])]


def _last(parts: list[str], lexicon: Lexicon) -> list[str]:
    """Cut the end of a list at its "and" when a quantity follows, or when both sides are foods."""
    if not parts:
        return parts
    cut = [piece.strip() for piece in _LAST.split(parts[-1])]
    if len(cut) == 2 and all(cut) and _starts(cut[1], lexicon) and len(parts[-1]) < 90 and "(" not in cut[0]:
        return [*parts[:-1], *cut]
    return parts


def _describes(part: str, lexicon: Lexicon) -> bool:
    """Tell whether a piece between commas says more of the thing before it: "diced", "at room temperature"."""
    tokens = tokenize(part)
    if not tokens or _starts(part, lexicon):
        return False
    if lexicon.notes.at(tokens, 0) is not None or tokens[0].folded in lexicon.preparations:
        return not any(lexicon.is_food(token.folded) for token in tokens[:2])
    return part[:1].islower() and not any(lexicon.is_food(token.folded) for token in tokens)


def _starts(part: str, lexicon: Lexicon) -> bool:
    return quantity(tokenize(part.lstrip(" -–•*·")), 0, lexicon) is not None


def _ends(part: str, lexicon: Lexicon) -> bool:
    """Tell whether a piece ends with a quantity: "Butter - 20 g", "Zucker 100g"."""
    tokens = tokenize(part)
    for place in range(max(1, len(tokens) - 5), len(tokens)):
        found = quantity(tokens, place, lexicon) if tokens[place].kind == "n" else None
        if found:
            unit = lexicon.units.at(tokens, found.end)
            return (unit[1] if unit else found.end) >= len(tokens)
    return False


def _foods(parts: list[str], lexicon: Lexicon) -> int:
    return sum(len(part) < 60 and any(lexicon.is_food(token.folded) for token in tokenize(part)) for part in parts)


def _instructs(line: str, lexicon: Lexicon) -> bool:
    """Tell whether a line is a numbered step, or opens with what to do."""
    if (numbered := _NUMBERED.match(line)) and not line[numbered.end() :].strip()[:1].isdigit():
        return True
    tokens = tuple(token for token in tokenize(line) if token.kind == "w")
    return bool(tokens) and tokens[0].folded in lexicon.verbs and tokens[0].folded not in lexicon.foods


def _prose(parts: list[str], lexicon: Lexicon) -> bool:
    """Tell whether the pieces are those of a sentence that tells what to do."""
    told = sum(
        bool(found := tokenize(part)) and found[0].folded in lexicon.verbs and found[0].folded not in lexicon.foods
        for part in parts
    )
    return told > 0.34 * len(parts) or sum(len(part) > 90 for part in parts) > 0.4 * len(parts)


def _unmarked(head: str, rest: str, lexicon: Lexicon) -> list[str] | None:
    """Cut "2 cups flour 1 tsp salt 3 eggs" before each quantity with a unit; at least three and nothing else between."""
    tokens = tokenize(rest)
    if not tokens or tokens[0].kind != "n" or len(tokens) < 8:
        return None
    cuts: list[int] = []
    depth = 0
    for place, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        if depth or token.kind != "n" or (place and tokens[place - 1].text in "(-–/x×~"):
            continue
        found = quantity(tokens, place, lexicon)
        if found and (
            lexicon.units.at(tokens, found.end)
            or (found.end < len(tokens) and lexicon.is_food(tokens[found.end].folded))
        ):
            cuts.append(token.start)
    if len(cuts) < 3 or cuts[0] != 0 or len(rest) / len(cuts) > 45:
        return None
    edges = [*cuts, len(rest)]
    return [f"{head}:"] * bool(head) + [rest[a:b].strip(" ,;") for a, b in pairwise(edges)]


def unfold(text: str) -> str:
    """Return a text with vulgar fractions written out, to compare what is read with what stands there."""
    return "".join(f" {value}" if (value := VULGAR.get(letter)) else letter for letter in text)


def heading_words() -> frozenset[str]:
    """Return every word of every heading, in all languages."""
    return frozenset(word for language in LANGUAGES for key in ("ingredient_headings", "step_headings")
                     for one in str(tables()[language][key]).split(",") for word in phrase(fold(one)))  # fmt: skip
