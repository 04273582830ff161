"""Reading what a model wrote: the one JSON object in it, whatever stands around it, and its fields, whatever their types.

Nothing is trusted: a schema may have been ignored, numbers come as "4 people" and "45 min", lists as text. What cannot be
read is left out. What is read is not believed either: that is grounding's work.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from typing import Any, cast

_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.IGNORECASE | re.DOTALL)
_LONGEST = 200_000  # characters looked at
_STARTS = 40  # braces tried as the beginning of the object
_ITEMS = 120  # ingredients or steps taken
_LINE = 400  # characters of a line that was seen
_COMMA = re.compile(r",\s*([}\]])")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_HOURS = re.compile(r"(\d+(?:[.,]\d+)?)\s*(?:h\b|hour|hr|stunde|std|heure|hora|or[ae]\b|uur)", re.IGNORECASE)
_MINUTES = re.compile(r"(\d+(?:[.,]\d+)?)\s*m", re.IGNORECASE)
_ISO = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?", re.IGNORECASE)
_FRACTION = re.compile(r"(?:(\d+)\s+)?(\d+)\s*/\s*(\d+)")
_VULGAR = dict(zip("½⅓⅔¼¾⅛⅜⅝⅞", ("1/2", "1/3", "2/3", "1/4", "3/4", "1/8", "3/8", "5/8", "7/8"), strict=True))


@dataclass(frozen=True, slots=True)
class SaidIngredient:
    """An ingredient as a model gave it, with the line that it says it is from."""

    line: int
    food: str
    amount: float | None = None
    unit: str | None = None
    note: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True)
class SaidStep:
    """A step as a model gave it, with the lines that it says it is from."""

    lines: tuple[int, ...]
    instruction: str
    minutes: float | None = None


@dataclass(frozen=True, slots=True)
class SaidNumber:
    """A number as a model gave it, with the line that it says it is from."""

    value: float
    line: int


@dataclass(frozen=True, slots=True)
class SaidRecipe:
    """A whole answer, read and not yet believed."""

    is_recipe: bool
    name: str
    ingredients: tuple[SaidIngredient, ...]
    steps: tuple[SaidStep, ...]
    servings: SaidNumber | None = None
    prep_minutes: SaidNumber | None = None
    cook_minutes: SaidNumber | None = None
    total_minutes: SaidNumber | None = None
    keywords: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()  # lines on pictures, which the others cite by their place, from 1 on


def read(*texts: str) -> SaidRecipe | None:
    """Return the answer in the first of `texts` that has one, or None."""
    for text in texts:
        found = _json_in(_THINKING.sub("", text[:_LONGEST]))
        if found is not None:
            return _recipe(found)
    return None


def _json_in(text: str) -> dict[str, Any] | None:
    decoder = json.JSONDecoder()
    for place in [match.start() for match in re.finditer(r"\{", text)][:_STARTS]:
        for candidate in (text[place:], _COMMA.sub(r"\1", text[place:])):
            try:
                found: object = decoder.raw_decode(candidate)[0]
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict) and _looks_right(answer := cast("dict[str, Any]", found)):
                return _unwrapped(answer)
    return None


def _looks_right(answer: dict[str, Any]) -> bool:
    return bool({"is_recipe", "ingredients", "steps", "recipe"} & answer.keys())


def _unwrapped(answer: dict[str, Any]) -> dict[str, Any]:
    inner = answer.get("recipe")
    return cast("dict[str, Any]", inner) if isinstance(inner, dict) else answer


def _recipe(answer: dict[str, Any]) -> SaidRecipe:
    ingredients = tuple(one for entry in _list(answer.get("ingredients")) if (one := _ingredient(entry)))
    steps = tuple(one for entry in _list(answer.get("steps")) if (one := _step(entry)))
    said = answer.get("is_recipe")
    return SaidRecipe(
        is_recipe=bool(ingredients or steps) if said is None else said not in (False, "false", "False", "no", 0),
        name=_text(answer.get("name") or answer.get("title")) or "",
        ingredients=ingredients,
        steps=steps,
        servings=_number(answer.get("servings"), amount),
        prep_minutes=_number(answer.get("prep_minutes"), minutes),
        cook_minutes=_number(answer.get("cook_minutes"), minutes),
        total_minutes=_number(answer.get("total_minutes"), minutes),
        keywords=tuple(word for entry in _list(answer.get("keywords")) if (word := _text(entry))),
        seen=tuple((_text(entry) or "")[:_LINE] for entry in _list(answer.get("seen"))),
    )


def _ingredient(entry: object) -> SaidIngredient | None:
    if not isinstance(entry, dict):
        return None
    fields = cast("dict[str, Any]", entry)
    food = _text(fields.get("food") or fields.get("name"))
    lines = _lines(fields)
    if food is None or not lines:
        return None
    return SaidIngredient(
        lines[0],
        food,
        amount(fields.get("amount", fields.get("quantity"))),
        _text(fields.get("unit")),
        _text(fields.get("note")),
        _text(fields.get("group")),
    )


def _step(entry: object) -> SaidStep | None:
    if not isinstance(entry, dict):
        return None
    fields = cast("dict[str, Any]", entry)
    instruction = _text(fields.get("instruction") or fields.get("text"))
    lines = _lines(fields)
    if instruction is None or not lines:
        return None
    return SaidStep(lines, instruction, minutes(fields.get("minutes", fields.get("time"))))


def _lines(fields: dict[str, Any]) -> tuple[int, ...]:
    cited = fields.get("lines", fields.get("line"))
    entries = cast("list[object]", cited) if isinstance(cited, list) else [cited]
    found = [match for entry in entries if (match := re.search(r"\d{1,4}", str(entry)))]
    return tuple(int(match.group(0)) for match in found[:_ITEMS])


def _number(entry: object, reading: Callable[[object], float | None]) -> SaidNumber | None:
    if not isinstance(entry, dict):
        return None  # without a line there is nothing to hold it against
    fields = cast("dict[str, Any]", entry)
    value, lines = reading(fields.get("value")), _lines(fields)
    return SaidNumber(value, lines[0]) if value is not None and lines else None


def amount(value: object) -> float | None:
    """Return the number in a value such as 2, "2", "1 1/2", "1½" or "4 people"; nothing below zero or beyond a million."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return _sane(value)
    text = "".join(f" {_VULGAR[c]}" if c in _VULGAR else c for c in str(value))
    if fraction := _FRACTION.search(text):
        whole, over, under = fraction.groups()
        return _sane(int(whole or 0) + int(over) / int(under)) if int(under) else None
    found = _NUMBER.search(text)
    return _sane(float(found.group(0).replace(",", "."))) if found else None


def minutes(value: object) -> float | None:
    """Return the minutes in a value such as 45, "45 min", "1 h 20 min" or "PT1H20M"."""
    if not isinstance(value, str):
        return amount(value)
    if (iso := _ISO.fullmatch(value.strip())) and any(iso.groups()):
        return _sane(60 * int(iso.group(1) or 0) + int(iso.group(2) or 0))
    hours, rest = _HOURS.search(value), _MINUTES.search(value)
    if not hours and not rest:
        return amount(value)
    return _sane(sum(scale * float(str(m.group(1)).replace(",", ".")) for scale, m in ((60, hours), (1, rest)) if m))


def _sane(value: float) -> float | None:
    return float(value) if isfinite(value) and 0 < value < 1_000_000 else None


def _text(value: object) -> str | None:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        return None
    return str(value).strip() or None


def _list(value: object) -> list[object]:
    if isinstance(value, str):
        return list[object](part for part in re.split(r"[,\n]", value) if part.strip())[:_ITEMS]
    return cast("list[object]", value)[:_ITEMS] if isinstance(value, list) else []
