"""Readers of single values, as addresses and JSON bodies spell them: each returns the canonical form or raises `Invalid`."""

import math
import re
from collections.abc import Callable, Sequence

from tintype.backends.image_operations import ALIGNMENTS
from tintype.core.files.conversion.colours import NAMED
from tintype.core.files.conversion.model import Value
from tintype.errors import Invalid

Reader = Callable[[str, Value], object]

_HEX = re.compile(r"[0-9a-f]{3}|[0-9a-f]{4}|[0-9a-f]{6}|[0-9a-f]{8}")
_NUMBER = re.compile(r"[+-]?\d{1,12}(\.\d{0,12})?")
_HANDLE = re.compile(r"[A-Za-z0-9_-]{20,64}")
_PLACES = frozenset(ALIGNMENTS) - {"attention", "entropy"}
_TEXT_MAX = 2048


def whole(least: int, most: int, **words: int) -> Reader:
    """Read a whole number between two bounds, or one of `words` that stands for one."""

    def read(name: str, value: Value) -> int:
        if isinstance(value, str) and value in words:
            return words[value]
        found = _number(name, value)
        if found != int(found) or not least <= found <= most:
            raise Invalid(f"{name} must be a whole number from {least} to {most}, not {_shown(value)}")
        return int(found)

    return read


def number(least: float, most: float) -> Reader:
    """Read a number between two bounds."""

    def read(name: str, value: Value) -> float:
        found = _number(name, value)
        if not least <= found <= most:
            raise Invalid(f"{name} must be a number from {least:g} to {most:g}, not {_shown(value)}")
        return round(found, 3) + 0.0

    return read


def choice(*words: str, **others: str) -> Reader:
    """Read one of `words`, or a synonym of one."""

    def read(name: str, value: Value) -> str:
        said = value.lower() if isinstance(value, str) else ""
        if said in words:
            return said
        if said in others:
            return others[said]
        raise Invalid(f"{name} must be one of {', '.join(words)}, not {_shown(value)}")

    return read


def flag(name: str, value: Value) -> bool:
    """Read true or false; a bare name is true."""
    match value:
        case bool():
            return value
        case None | "" | "true" | "1" | 1:
            return True
        case "false" | "0" | 0:
            return False
        case _:
            raise Invalid(f"{name} must be true or false, not {_shown(value)}")


def colour(name: str, value: Value) -> str:
    """Read a colour: 3, 4, 6 or 8 hex digits, a name of CSS, or `transparent`."""
    said = str(value).lower().removeprefix("#") if isinstance(value, str | int) else ""
    if said in ("transparent", "none"):
        return "transparent"
    if said in NAMED:
        return NAMED[said]
    if not _HEX.fullmatch(said):
        raise Invalid(f"{name} must be a colour like ff8800, orange or transparent, not {_shown(value)}")
    full = "".join(digit * 2 for digit in said) if len(said) in (3, 4) else said
    if full.endswith("00") and len(full) == 8:
        return "transparent"
    return full.removesuffix("ff") if len(full) == 8 else full


def align(name: str, value: Value) -> str:
    """Read what a crop keeps: a side, a corner, or what draws the eye (also asked for as `faces`)."""
    if value in ("faces", "face", "attention", "entropy"):
        return "entropy" if value == "entropy" else "attention"
    return place(name, value)


def place(name: str, value: Value) -> str:
    """Read a side or a corner, `top` before `left` whichever was said first."""
    said = value if isinstance(value, list) else str(value).split(",")
    words = [_CENTRES.get(word, word) for word in (str(each).strip().lower() for each in said)]
    aside = [word for word in words if word != "center"]
    found = ",".join(sorted(aside, key=("top", "bottom", "left", "right").index)) if _sides(aside) else ""
    if not words or len(words) > 2 or (aside and found not in _PLACES):
        raise Invalid(
            f"{name} must be one of {', '.join(ALIGNMENTS[:5])} or a corner like [top,left], not {_shown(value)}"
        )
    return found or "center"


_CENTRES = {"middle": "center", "centre": "center"}


def _sides(words: Sequence[str]) -> bool:
    return bool(words) and all(word in ("top", "bottom", "left", "right") for word in words)


def box(name: str, value: Value) -> tuple[int, int, int, int]:
    """Read `[x,y,width,height]`, also written without brackets."""
    said = value if isinstance(value, list) else str(value).split(",")
    if len(said) != 4:
        raise Invalid(f"{name} must be [x,y,width,height], not {_shown(value)}")
    corner, side = whole(0, SIDE), whole(1, SIDE)
    parts = [each.strip() if isinstance(each, str) else each for each in said]
    x, y, width, height = (
        reader(f"{name} {part}", each)
        for reader, part, each in zip((corner, corner, side, side), ("x", "y", "width", "height"), parts, strict=True)
    )
    return int(str(x)), int(str(y)), int(str(width)), int(str(height))


SIDE = 10_000


def file(name: str, value: Value) -> str:
    """Read another picture: a handle of ours, or an address on the web."""
    said = value if isinstance(value, str) else ""
    if _HANDLE.fullmatch(said) or (said.startswith(("https://", "http://")) and len(said) <= _TEXT_MAX):
        return said
    raise Invalid(f"{name} must be a file's handle or address, not {_shown(value)}")


def words(name: str, value: Value) -> str:
    """Read any short text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float) or len(str(value)) > _TEXT_MAX or "\0" in str(value):
        raise Invalid(f"{name} must be a text of at most {_TEXT_MAX} characters")
    return str(value)


def seconds(name: str, value: Value) -> int:
    """Read a time to keep something, `max` being for as long as possible."""
    longest = 31_536_000
    return min(longest, int(str(whole(0, 10**11, max=longest)(name, value))))


def _number(name: str, value: Value) -> float:
    if isinstance(value, bool) or value is None or isinstance(value, list):
        raise Invalid(f"{name} must be a number, not {_shown(value)}")
    if isinstance(value, str):
        if not _NUMBER.fullmatch(value.strip()):
            raise Invalid(f"{name} must be a number, not {_shown(value)}")
        return float(value)
    if abs(value) > 10**12 or not math.isfinite(value):
        raise Invalid(f"{name} is no number that can be used")
    return float(value)


def _shown(value: Value) -> str:
    return repr(value)[:60] if value is not None else "nothing"
