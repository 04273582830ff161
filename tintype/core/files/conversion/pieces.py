"""Takes processing addresses apart: at slashes, commas and colons, but never inside of quotes or brackets."""

import base64
import binascii
import re
from collections.abc import Iterator
from urllib.parse import unquote

from tintype.core.files.conversion.model import Value
from tintype.errors import Invalid

DEPTH = 4  # of brackets; documented are two
_TOKEN = re.compile(r'\\.|%22|%5B|%5D|["\[\]/,:]', re.IGNORECASE)
_OPENING = {"[": 1, "%5B": 1, "]": -1, "%5D": -1}


def split(text: str, at: str) -> list[tuple[int, str]]:
    """Return the pieces of a text between the characters `at`, each with its place; raises `Invalid` for an open quote."""
    pieces: list[tuple[int, str]] = []
    start = 0
    for place in _marks(text, at):
        pieces.append((start, text[start:place]))
        start = place + 1
    return [*pieces, (start, text[start:])]


def _marks(text: str, at: str) -> Iterator[int]:
    quoted, depth = False, 0
    for found in _TOKEN.finditer(text):
        token = found.group().upper()
        if token.startswith("\\"):
            continue
        if token in ('"', "%22"):
            quoted = not quoted
        elif not quoted and token in _OPENING:
            depth += _OPENING[token]
            if not 0 <= depth <= DEPTH:
                raise Invalid("a bracket in the address is closed or opened once too often")
        elif token == at and not quoted and depth == 0:
            yield found.start()
    if quoted or depth:
        raise Invalid("a quote or a bracket in the address is never closed")


def options(text: str) -> dict[str, Value]:
    """Return `name:value,name:value` as a mapping."""
    found: dict[str, Value] = {}
    for _, piece in split(text, ","):
        name, colon, value = piece.partition(":")
        if not colon or not name.strip():
            raise Invalid(f"{piece[:60]!r} is no option; write name:value")
        if name.strip() in found:
            raise Invalid(f"the option {name.strip()[:40]!r} is there twice")
        found[name.strip()] = value_of(value)
    return found


def value_of(text: str) -> Value:
    """Return a value without its quotes, a list as a list."""
    said = text.strip()
    if said.startswith("[") and said.endswith("]"):
        inner = said[1:-1].strip()
        return [value_of(piece) for _, piece in split(inner, ",")] if inner else []
    if len(said) > 1 and said.startswith('"') and said.endswith('"'):
        return re.sub(r'\\([\\"])', r"\1", said[1:-1])
    return said


def decoded(text: str) -> str:
    """Return a piece of a path as it was meant; raises `Invalid` for bytes that are no text."""
    try:
        plain = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise Invalid("the address is not UTF-8") from None
    if any(ord(letter) < 32 for letter in plain):
        raise Invalid("the address holds control characters")
    return plain


def of_base64(text: str) -> bytes | None:
    """Return what either alphabet of base64 says, with or without padding; None when it is none."""
    plain = text.strip().translate(_STANDARD).rstrip("=")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


_STANDARD = str.maketrans("-_ ", "+/+")
