"""The second phase: which ways to a recipe are tried on a post, in which order, and when one is good enough.

Rules take milliseconds and ask nobody, so they have the first word; then pages that the text links to, then the words on the
post's pictures. Where that is too little, servers help that somebody has named: a model with the text, another one with what is
said in the video, and one that sees with the pictures. Of several answers that are not sure the surest counts, of equals the
earlier; what it lacks is taken from the others.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, TypeVar

from tintype.core.recipes.budget import Budget
from tintype.core.recipes.filling import filled
from tintype.core.recipes.model import Context, Parsed, Recipe
from tintype.core.recipes.parsers import Parser
from tintype.core.recipes.parsers.addressing import for_cooks
from tintype.core.recipes.parsers.vision import Sight, frames
from tintype.errors import Trouble

log = logging.getLogger(__name__)

SURE = 0.8  # a parser that is so sure, and found steps, is not asked after
HELPED = 0.6  # the same of a model, whose word is never taken for more

_GAP = re.compile(r"\n{4,}")  # tells no more than three, and each of its lines costs time

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Words:
    """What a post says beside its text, as far as anybody has looked: on its pictures and in its video."""

    pictured: str | None = None
    heard: str | None = None


class Media(Protocol):
    """What a post has beside its text, fetched when a way wants it; `keep` keeps its words for the next try."""

    @property
    def words(self) -> Words: ...

    async def pictures(self) -> Sequence[bytes]: ...

    async def video(self) -> Path | None: ...

    async def keep(self, words: Words) -> None: ...


class ReadsPictures(Protocol):
    """Reads the words on pictures."""

    async def read(self, pictures: Sequence[bytes]) -> str: ...


class Listens(Protocol):
    """Writes down what is said in a video."""

    async def listen(self, video: Path, budget: Budget) -> str: ...


class Looks(Protocol):
    """Finds a recipe on pictures."""

    async def look(self, pictures: Sequence[bytes], context: Context) -> Sight: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """Tries the ways one after the other: `quick` on the text, `slides` for pictures, `slow` on all words together,
    `ears` for what is said, `eyes` for what is to be seen; `seconds` are what servers may take for one recipe.
    """

    quick: Sequence[Parser]
    slides: ReadsPictures | None = None
    slow: Sequence[Parser] = ()
    ears: Listens | None = None
    eyes: Looks | None = None
    seconds: float = 90.0
    # Reading pictures takes 600 MB: one post after the other.
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1), init=False, repr=False)

    async def read(self, text: str, context: Context, media: Media | None = None) -> Parsed[Recipe] | None:
        """Return the recipe in a text, or in what comes with it.

        Raises what a way raised that could not answer, when no other found anything.
        """
        text = _GAP.sub("\n\n\n", text)
        context = replace(context, budget=Budget(seconds=self.seconds))
        ways = _Ways()
        if text.strip() and await ways.ask(self.quick, text, context):
            return ways.best()
        pictured = await self._pictured(media) if media is not None else None
        if pictured and await ways.ask(self.quick[:1], pictured, replace(context, source="ocr")):
            return ways.best()
        whole = _together(text, pictured)
        if whole and await ways.ask(self.slow, whole, context, HELPED):
            return ways.best()
        if media is None or await self._hear(media, whole, context, ways):
            return ways.best()
        await self._look(media, context, ways)
        return ways.best()

    async def _pictured(self, media: Media) -> str | None:
        if self.slides is None or media.words.pictured is not None:
            return media.words.pictured
        pictures = await _had(media.pictures())
        if not pictures:
            return None
        try:
            async with self._turn:
                words = await self.slides.read(pictures)
        except Trouble as trouble:
            log.warning("the words on a post's pictures were not read: %s", trouble.message)
            return None
        await media.keep(replace(media.words, pictured=words))
        return words

    async def _hear(self, media: Media, whole: str, context: Context, ways: "_Ways") -> bool:
        """Ask about what is said in the video, with the other words if those hold a part of it; tell whether that was enough."""
        heard = await self._heard(media, context.budget or Budget(), ways)
        if not heard:
            return False
        spoken = replace(context, source="transcript")
        if await ways.ask(self.quick[:1], _together(whole, heard) if ways.any else heard, spoken):
            return True
        return await ways.ask(self.slow, _together(whole, heard), spoken, HELPED)

    async def _heard(self, media: Media, budget: Budget, ways: "_Ways") -> str | None:
        if self.ears is None or media.words.heard is not None:
            return media.words.heard
        video = await _had(media.video())
        if video is None:
            return None
        try:
            heard = await self.ears.listen(video, budget)
        except Trouble as trouble:
            ways.had(trouble, "what is said in a video was not written down")
            return None
        await media.keep(replace(media.words, heard=heard))
        return heard

    async def _look(self, media: Media, context: Context, ways: "_Ways") -> None:
        # Lines that a model says it saw cannot be checked, so pictures that are known to talk to it are not shown to it.
        if self.eyes is None or for_cooks(media.words.pictured or "")[1]:
            return
        pictures = await _had(media.pictures()) or await _had(_moments(media))
        if not pictures:
            return
        try:
            sight = await self.eyes.look(pictures, replace(context, source="ocr"))
        except Trouble as trouble:
            ways.had(trouble, "a post's pictures were not looked at")
            return
        if not media.words.pictured:
            await media.keep(replace(media.words, pictured=sight.text))
        if sight.parsed is not None:
            ways.found(sight.parsed)


def _together(*texts: str | None) -> str:
    return "\n\n".join(text for text in texts if text and text.strip())


async def _moments(media: Media) -> Sequence[bytes]:
    video = await media.video()
    return await frames(video) if video is not None else []


async def _had(asked: Awaitable[Found]) -> Found | None:
    """Return a post's files; None when they are not to be had, for which there may be another way."""
    try:
        return await asked
    except Trouble as trouble:
        log.warning("a post's files were not had: %s", trouble.message)
        return None


class _Ways:
    """The answers so far, and the first trouble."""

    def __init__(self) -> None:
        self._found: list[Parsed[Recipe]] = []
        self._trouble: Trouble | None = None

    async def ask(self, parsers: Sequence[Parser], text: str, context: Context, sure: float = SURE) -> bool:
        """Ask one parser after the other; tell whether one was sure enough."""
        for parser in parsers:
            try:
                parsed = await parser.parse(text, context)
            except Trouble as trouble:
                self.had(trouble, f"the parser {parser.name} gave no answer")
                continue
            if parsed is not None:
                self.found(parsed)
                if parsed.confidence >= sure and parsed.value.steps:
                    return True
        return False

    @property
    def any(self) -> bool:
        """Whether there is an answer, however unsure."""
        return bool(self._found)

    def found(self, parsed: Parsed[Recipe]) -> None:
        """Keep an answer."""
        self._found.append(parsed)

    def had(self, trouble: Trouble, what: str) -> None:
        """Keep the first trouble, and write each down."""
        log.warning("%s: %s", what, trouble.message)
        self._trouble = self._trouble or trouble

    def best(self) -> Parsed[Recipe] | None:
        """Return the surest answer, with what it lacks from the others."""
        if not self._found and self._trouble is not None:
            raise self._trouble
        best = max(self._found, key=lambda one: one.confidence, default=None)
        return filled(best, self._found) if best else None
