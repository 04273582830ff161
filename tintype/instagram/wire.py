"""Total readers for JSON that Meta sent: any value goes in, a clean value or None comes out, nothing raises.

The documentation and the servers disagree about types (ids as numbers, keys left out, lists wrapped in `data`), so every
parser here reads through these functions instead of trusting a shape.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import cast

from tintype.errors import Unreachable

MILLISECONDS_FROM = 100_000_000_000  # webhooks give seconds or milliseconds; seconds reach this in the year 5138


def decoded(body: bytes | str) -> object:
    """The JSON value of a body; raises ValueError for anything that is not JSON."""
    try:
        return cast("object", json.loads(body))
    except RecursionError:
        raise ValueError("nested too deeply") from None


def record(value: object) -> Mapping[str, object]:
    """The value when it is a JSON object, else an empty one."""
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}


def items(value: object) -> tuple[object, ...]:
    """The elements when the value is a JSON list, else none."""
    return tuple(cast("list[object]", value)) if isinstance(value, list) else ()


def records(value: object) -> tuple[Mapping[str, object], ...]:
    """The JSON objects of a list; `{"data": [...]}` counts as its list."""
    listed = items(value) or items(record(value).get("data"))
    return tuple(cast("dict[str, object]", item) for item in listed if isinstance(item, dict))


def unwrapped(value: object) -> Mapping[str, object]:
    """The object itself, or the first of `{"data": [{...}]}`: Meta documents the wrapped form and sends the flat one."""
    flat = record(value)
    wrapped = records(flat.get("data"))
    return wrapped[0] if wrapped else flat


def text(value: object) -> str | None:
    """The string without NUL and half surrogates, which databases refuse; None for other types."""
    if not isinstance(value, str):
        return None
    if value.isascii():
        return value.replace("\0", "")
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", "")


def phrase(value: object) -> str | None:
    """A string that says something: None when absent or empty."""
    if not isinstance(value, str):
        return None
    # What nearly all of them are comes first: a sync reads a thousand.
    return (value if value.isascii() and "\0" not in value else text(value)) or None


def identifier(value: object) -> str | None:
    """An opaque id as a string, also when it came as a number (some exceed 2^53)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:d}"
    return phrase(value)


def count(value: object) -> int | None:
    """A whole number; numbers inside strings count, booleans and fractions do not."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.removeprefix("-").isdigit():
        return int(value)
    return None


def number(value: object) -> float | None:
    """A finite number, whole or not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None


def moment(value: object) -> datetime | None:
    """An instant in UTC from ISO 8601 text (`2021-08-13T08:25:28+0000`; without an offset it is UTC)."""
    if not isinstance(value, str):
        return None
    try:
        read = datetime.fromisoformat(value)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def unix_moment(value: object) -> datetime | None:
    """An instant in UTC from Unix seconds, or milliseconds when the number is too large for seconds."""
    stamp = count(value)
    if stamp is None:
        return None
    try:
        return datetime.fromtimestamp(stamp / 1000 if stamp >= MILLISECONDS_FROM else stamp, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def required(value: str | None, name: str, thing: str) -> str:
    """The value; raises Unreachable when Instagram left out what makes the answer usable."""
    if value is None:
        raise Unreachable(f'Instagram sent {thing} without "{name}"; try again, and report it if it stays so.')
    return value
