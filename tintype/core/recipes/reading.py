"""The second phase: which ways to a recipe are tried on a text, in which order, and when one is good enough.

Rules take milliseconds and ask nobody, so they have the first word; then pages that the text links to, then the words on the
post's pictures, and at last a model. Of several answers that are not sure the surest counts, and of equals the earlier.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tintype.core.recipes.model import Context, Parsed, Recipe
from tintype.core.recipes.parsers import Parser
from tintype.errors import Trouble

log = logging.getLogger(__name__)

SURE = 0.8  # a parser that is so sure, and found steps, is not asked after

Pictures = Callable[[], Awaitable[Sequence[bytes]]]


class ReadsPictures(Protocol):
    """Reads the words on pictures."""

    async def read(self, pictures: Sequence[bytes]) -> str: ...


@dataclass(frozen=True, slots=True)
class Read:
    """What was made of a post, and the words on its pictures where those had to be read."""

    parsed: Parsed[Recipe] | None
    pictured: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Tries the ways one after the other: `quick` on the text, `slides` for pictures, `slow` on all words together."""

    quick: Sequence[Parser]
    slides: ReadsPictures | None = None
    slow: Sequence[Parser] = ()
    # Reading pictures takes 600 MB: one post after the other.
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), init=False, repr=False)

    async def read(self, text: str, context: Context, pictures: Pictures | None = None) -> Read:
        """Return the recipe in a text, or on its pictures.

        Raises what a way raised that could not answer, when no other found anything.
        """
        ways = _Ways()
        if text.strip() and await ways.ask(self.quick, text, context):
            return Read(ways.best())
        words = await self._words(pictures) if pictures is not None else None
        if words and await ways.ask(self.quick[:1], words, Context("ocr", context.language, context.force)):
            return Read(ways.best(), words)
        whole = "\n\n".join(part for part in (text, words) if part and part.strip())
        if whole:
            await ways.ask(self.slow, whole, context)
        return Read(ways.best(), words)

    async def _words(self, pictures: Pictures) -> str | None:
        if self.slides is None:
            return None
        try:
            seen = await pictures()
            async with self._turn:
                return (await self.slides.read(seen) or None) if seen else None
        except Trouble as trouble:
            log.warning("the words on a post's pictures were not read: %s", trouble.message)
            return None


class _Ways:
    """The answers so far, and the first trouble."""

    def __init__(self) -> None:
        self._found: list[Parsed[Recipe]] = []
        self._trouble: Trouble | None = None

    async def ask(self, parsers: Sequence[Parser], text: str, context: Context) -> bool:
        """Ask one parser after the other; tell whether one was sure enough."""
        for parser in parsers:
            try:
                parsed = await parser.parse(text, context)
            except Trouble as trouble:
                log.warning("the parser %s gave no answer: %s", parser.name, trouble.message)
                self._trouble = self._trouble or trouble
                continue
            if parsed is not None:
                self._found.append(parsed)
                if parsed.confidence >= SURE and parsed.value.steps:
                    return True
        return False

    def best(self) -> Parsed[Recipe] | None:
        """Return the surest answer."""
        if not self._found and self._trouble is not None:
            raise self._trouble
        return max(self._found, key=lambda one: one.confidence, default=None)
