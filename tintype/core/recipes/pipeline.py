"""The way of an item: extraction, parsing, uploading. Each phase is stored before the next one begins.

A killed process's item goes on at the first phase that is not completed, with everything that was found before. The one
dangerous moment is the upload: the intent is stored first, and whoever finds an intent without an answer asks the outlet
what it has before anything is sent again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tintype.backends.bus import Bus
from tintype.core.recipes.extracting import Extracting
from tintype.core.recipes.failing import (
    INCOMPLETE,
    INTERNAL,
    LOST,
    NOT_A_RECIPE,
    failure_of,
    is_waited_for,
    may_pass_soon,
)
from tintype.core.recipes.items import Extract, Failure, Item, Stage, Status
from tintype.core.recipes.model import Context, Parsed, Recipe
from tintype.core.recipes.policy import Policy
from tintype.core.recipes.probing import Probes
from tintype.core.recipes.reading import Reading, Words
from tintype.core.recipes.records import ItemRecords, OvertakenError
from tintype.core.recipes.uploading import Uploading
from tintype.core.recipes.walk import Walk
from tintype.errors import Trouble

log = logging.getLogger(__name__)

NO_COVER = "no_cover"


class Halt(Exception):
    """The phase cannot be completed, for a reason of the item's own."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class ItemMedia:
    """What an item has beside its text; its words are kept with the item, so that nobody has to be asked for them again."""

    walk: Walk
    extracting: Extracting
    settle: Callable[[Walk], Awaitable[None]]

    @property
    def words(self) -> Words:
        """What is known already."""
        source = self.walk.item.source
        return Words(source.pictured, source.heard) if source else Words()

    async def pictures(self) -> Sequence[bytes]:
        """Return its pictures."""
        await self.settle(self.walk)
        return await self.extracting.pictures(self.walk.item)

    async def video(self) -> Path | None:
        """Return its video."""
        return await self.extracting.video(self.walk.item)

    async def keep(self, words: Words) -> None:
        """Keep what was found."""
        source = self.walk.item.source
        if source is not None:
            await self.walk.note(source=replace(source, pictured=words.pictured, heard=words.heard))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Takes claimed items through their phases."""

    records: ItemRecords
    extracting: Extracting
    reading: Reading
    uploading: Uploading
    probes: Probes
    bus: Bus
    policy: Policy
    now: Callable[[], datetime]

    def walk(self, item: Item) -> Walk:
        """Return a claimed item, ready to be taken on its way."""
        return Walk(item, self.records, self.bus, self.policy, self.now)

    async def run(self, walk: Walk) -> None:
        """Take an item as far as it gets.

        Raises `OvertakenError` when somebody else moved it meanwhile.
        """
        if not await self._may_go_on(walk):
            return
        try:
            await self._run(walk)
        finally:
            if walk.copying is not None:
                walk.copying.cancel()

    async def _run(self, walk: Walk) -> None:
        while (stage := walk.item.stage) is not None and not _rests(walk.item):
            await walk.begin(stage)
            try:
                await self._steps[stage](walk)
            except Halt as halt:
                await self._settle_picture(walk)
                await walk.fail(halt.failure)
            except OvertakenError:
                raise
            except Trouble as trouble:
                if not await self._goes_on_after(walk, stage, trouble):
                    return
            except Exception:
                log.exception("the %s of recipe %s failed by a fault of ours", stage.value, walk.item.id)
                await walk.fail(INTERNAL)

    @property
    def _steps(self) -> Mapping[Stage, Callable[[Walk], Awaitable[None]]]:
        return {Stage.EXTRACTION: self._extract, Stage.PARSING: self._parse, Stage.UPLOADING: self._upload}

    async def _may_go_on(self, walk: Walk) -> bool:
        """Look at how the item was left: by a dead process, or because something around it was away."""
        item = walk.item
        if item.status is Status.IN_PROGRESS:
            losses = item.losses + 1
            if losses >= self.policy.losses:
                await walk.note(losses=losses)
                await walk.fail(LOST, self._again_at(item))
                return False
            await walk.put_back(self.now(), held=True, losses=losses)
        elif item.status is Status.UNHEALTHY and item.failure is not None:
            if not await self.probes.is_green(item.failure.dependency):
                at = self._again_at(item)
                await self.records.free(await self.records.note(item, retries=item.retries + 1), at)
                return False
            await walk.put_back(self.now(), held=True, losses=0)
        return True

    async def _goes_on_after(self, walk: Walk, stage: Stage, trouble: Trouble) -> bool:
        """Decide what becomes of an item whose step ended in trouble; tell whether to take the step again at once."""
        now = self.now()
        if is_waited_for(trouble):
            await walk.put_back(now + timedelta(seconds=max(1.0, trouble.retry_after or 60.0)))
            return False
        if may_pass_soon(trouble, stage) and walk.tries < len(self.policy.pauses):
            await asyncio.sleep(self.policy.pauses[walk.tries].total_seconds())
            walk.tries += 1
            return True
        failure = failure_of(trouble, stage)
        if failure.dependency is None:
            await walk.fail(failure)
            return False
        self.probes.failed(failure.dependency)
        at = self._again_at(walk.item)
        asked = now + timedelta(seconds=trouble.retry_after) if trouble.retry_after else now
        await walk.fail(failure, max(at, asked) if at else None)
        return False

    def _again_at(self, item: Item) -> datetime | None:
        gaps = self.policy.gaps
        return self.now() + gaps[item.retries] if item.retries < len(gaps) else None

    async def _extract(self, walk: Walk) -> None:
        item = walk.item
        if item.given.text is not None or item.given.pictures:
            cover = next(iter(item.given.pictures), None)
            await walk.complete(Stage.EXTRACTION, source=Extract(item.given.text or "", cover=cover))
            return
        found = await self.extracting.find(item)
        source = found.extract()
        if source.picture is not None:
            walk.copying = asyncio.create_task(self.extracting.copy_picture(source.picture))
        warnings = tuple(one for one in item.warnings if one != NO_COVER) + (() if source.picture else (NO_COVER,))
        known: dict[str, Any] = {"link": found.link.url, "shortcode": found.link.shortcode, "warnings": warnings}
        await walk.complete(Stage.EXTRACTION, source=source, **known)

    async def _settle_picture(self, walk: Walk) -> None:
        """Keep our copy of the post's picture with the item. It is copied while the words are read, which do not wait for it."""
        source, copying = walk.item.source, walk.copying
        if source is None or source.picture is None:
            return
        walk.copying = None
        cover = await (copying or self.extracting.copy_picture(source.picture))
        warnings = walk.item.warnings if cover else (*walk.item.warnings, NO_COVER)
        await walk.note(source=replace(source, cover=cover, picture=None), warnings=warnings)

    async def _parse(self, walk: Walk) -> None:
        item = walk.item
        assert item.source is not None
        parsed = await self.reading.read(
            item.source.text, Context(force=item.force), ItemMedia(walk, self.extracting, self._settle_picture)
        )
        if parsed is None:
            raise Halt(NOT_A_RECIPE)
        if not parsed.value.ingredients and not item.force:
            raise Halt(INCOMPLETE)
        below = self.policy.review_below
        if below is not None and parsed.confidence < below:
            await self._settle_picture(walk)
            await walk.lay_out(parsed=parsed)
        else:
            await walk.complete(Stage.PARSING, parsed=parsed)

    async def read(self, text: str, context: Context) -> Parsed[Recipe] | None:
        """Return the recipe in a text that came without pictures."""
        return await self.reading.read(text, context)

    async def _upload(self, walk: Walk) -> None:
        await self._settle_picture(walk)
        await self.uploading.upload(walk)


def _rests(item: Item) -> bool:
    return item.status in (Status.ERROR, Status.UNHEALTHY) or item.in_review
