"""The text a model is given: numbered lines, without markup and without what talks to the model.

Every line that could be cited is known here by its number, so that whatever comes back can be held against it. Nobody can
cite what was never shown.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tintype.core.recipes.parsers.addressing import for_cooks, heard
from tintype.core.recipes.plain import plain

_DIGITS = 2
_LONG = 240  # a longer line is shown as its sentences, so that a citation says something


@dataclass(frozen=True, slots=True)
class Source:
    """Numbered lines as a model sees them, and the same with their gaps; `hidden` counts what was kept from it."""

    lines: dict[int, str]
    text: str = ""
    hidden: int = 0

    @property
    def shown(self) -> str:
        """The text of the user's message: `L07| 2 cups flour`."""
        width = max(_DIGITS, len(str(len(self.lines))))
        return "\n".join(f"L{number:0{width}d}| {line}" for number, line in self.lines.items())


def numbered(text: str, characters: int) -> Source:
    """Return a text's lines with numbers, without markup and without what addresses a model."""
    heard, hidden = for_cooks(text[:characters])
    whole = [plain(line) for line in heard.splitlines()]
    pieces = (piece for line in whole for piece in _pieces(line))
    return Source(dict(enumerate(pieces, 1)), "\n".join(whole), hidden)


def told(lines: Sequence[str]) -> Source:
    """Return lines that a model itself has numbered from 1 on, under the same numbers."""
    kept, hidden = heard([" ".join(line.split()) for line in lines])
    whole = [plain(line or "") for line in kept]
    return Source({number: line for number, line in enumerate(whole, 1) if line}, "\n".join(whole), hidden)


def _pieces(line: str) -> list[str]:
    if len(line) <= _LONG:
        return [line] if line else []
    return [piece for piece in re.split(r"(?<=[.!?…])\s+", line) if piece]
