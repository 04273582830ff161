"""The trade of recipes: take links, texts and pictures, show how far they are, try them again, let go of them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from tintype.backends.blobs import Blobs
from tintype.backends.bus import Bus
from tintype.backends.images import Images
from tintype.core.recipes.amending import amended
from tintype.core.recipes.extracting import cover_key, known_shortcode
from tintype.core.recipes.items import FAILED, Given, Item, Stage, Status, begun, retried
from tintype.core.recipes.policy import Policy
from tintype.core.recipes.records import Change, ItemRecords, Page, Query
from tintype.core.recipes.walk import announce
from tintype.errors import Conflict, Invalid, NotFound
from tintype.events import QueueItemChanged

_TRIES = 5  # to change an item that somebody else moves at the same time
_PICTURES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
TEXT_LENGTH = 50_000
TITLE_LENGTH = 200


class WrongStatus(Conflict):
    """The item's status does not allow what was asked; `status` is what it is."""

    def __init__(self, message: str, status: Status) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one thing to import: its item, and whether that is a new one.

    `known` is the newest item of the same post that became a recipe.
    """

    item: Item
    is_new: bool
    known: Item | None = None


@dataclass(frozen=True, slots=True)
class Recipes:
    """Takes imports and shows how far they are; `wake` tells whoever works them in this process."""

    records: ItemRecords
    blobs: Blobs
    images: Images
    bus: Bus
    policy: Policy
    now: Callable[[], datetime]
    wake: Callable[[], None]

    async def take(self, url: str, *, again: bool = False, dedupe: bool = False) -> Taken:
        """Take one link; see `take_all`."""
        return (await self.take_all([url], again=again, dedupe=dedupe, batch=None))[0]

    async def take_all(
        self, urls: Sequence[str], *, again: bool = False, dedupe: bool = False, batch: str | None
    ) -> Sequence[Taken]:
        """Take links in their order, all or none.

        A post that is on its way is not taken twice. With `dedupe` neither is one that became a recipe; with `again` a
        second recipe of the same post is wanted.
        """
        now = self.now()
        parts = [known_shortcode(url) for url in urls]
        known = await self.records.successes({code for _, code in parts if code})
        fresh: list[Item] = []
        for url, (link, code) in zip(urls, parts, strict=True):
            before = known.get(code) if code else None
            origin = before.id if before else None
            item = begun(now, url=url, link=link, shortcode=code, again=again, duplicate_of=origin, batch=batch)
            fresh.append(item)
        wanted = [item for item in fresh if not (dedupe and item.duplicate_of)]
        stored, number = await self.records.add(wanted)
        by_id = dict(zip((item.id for item in wanted), stored, strict=True))
        if number:
            await self.bus.publish(QueueItemChanged(stored[-1].id, Status.PENDING.value, number, tell=False))
            self.wake()
        return [_taken(item, by_id, known) for item in fresh]

    async def take_given(self, *, text: str | None, title: str | None = None, pictures: Sequence[bytes] = ()) -> Taken:
        """Take a text, pictures or both, from which nothing has to be extracted.

        Raises `Invalid` when there is nothing in them.
        """
        words = (text or "").strip()
        if not words and not pictures:
            raise Invalid("there is neither a text nor a picture to make a recipe of")
        if len(words) > TEXT_LENGTH:
            raise Invalid(f"text must be at most {TEXT_LENGTH} characters")
        keys = tuple([await self._keep(data) for data in pictures])
        given = Given(words or None, (title or "").strip()[:TITLE_LENGTH] or None, keys)
        stored, number = await self.records.add([begun(self.now(), given=given)])
        await self.bus.publish(QueueItemChanged(stored[0].id, Status.PENDING.value, number, tell=False))
        self.wake()
        return Taken(stored[0], is_new=True)

    async def get(self, item_id: str) -> Item:
        """Return an item.

        Raises `NotFound` when there is none.
        """
        found = await self.records.get(item_id)
        if found is None:
            raise NotFound("Queue item not found")
        return found

    async def page(self, query: Query) -> Page:
        """Return a page of items."""
        return await self.records.page(query)

    async def retry(self, item_id: str, *, since: Stage | None = None, force: bool | None = None) -> Item:
        """Try a failed item again, from its first unfinished phase or from `since` on; of many who ask at once one does.

        Raises `WrongStatus` for an item that has not failed, `NotFound` when there is none.
        """
        for _ in range(_TRIES):
            item = await self.get(item_id)
            if item.status not in FAILED:
                break
            again = Stage.PARSING if force and since is None and item.source is not None else since
            moved = await self.records.change(item, self.now(), **retried(item, self.now(), since=again, force=force))
            if moved is not None:
                await announce(self.bus, moved)
                self.wake()
                return moved.item
        else:
            raise Conflict("the item is being worked on right now; try again")
        raise WrongStatus(
            f"Cannot retry item with status {item.status.value}; only error and unhealthy can be", item.status
        )

    async def amend(self, item_id: str, changes: Mapping[str, Any]) -> Item:
        """Put a person's words in place of what was read, field by field.

        Raises `WrongStatus` while the item is worked on, or when its recipe was put away already, `NotFound` without one.
        """
        for _ in range(_TRIES):
            item = await self.get(item_id)
            if item.parsed is None:
                raise NotFound("there is no recipe of this item, or none yet")
            if not _may_be_amended(item):
                raise WrongStatus(f"Cannot change the recipe of an item with status {item.status.value}", item.status)
            moved = await self.records.change(item, self.now(), parsed=amended(item.parsed, changes))
            if moved is not None:
                await announce(self.bus, moved)
                return moved.item
        raise Conflict("the item is being worked on right now; try again")

    async def approve(self, item_id: str) -> Item:
        """Let an item go on that waits for a person; of many who do so at once one does.

        Raises `WrongStatus` for one that does not wait, `NotFound` when there is none.
        """
        item = await self.get(item_id)
        moved = None
        if item.in_review:
            moved = await self.records.change(item, self.now(), due_at=self.now())
        if moved is None:
            raise WrongStatus("The item does not wait for a review", item.status)
        await announce(self.bus, moved)
        self.wake()
        return moved.item

    async def remove(self, item_id: str, *, cancel: bool = False) -> None:
        """Remove an item; one that is being worked on only with `cancel`.

        Raises `WrongStatus` or `NotFound`.
        """
        for _ in range(_TRIES):
            item = await self.get(item_id)
            if item.status is Status.IN_PROGRESS and not cancel:
                raise WrongStatus("The item is being worked on; cancel it with ?cancel=true", item.status)
            number = await self.records.remove(item, self.now())
            if number is not None:
                await self.bus.publish(QueueItemChanged(item.id, "removed", number, tell=False))
                return
        raise Conflict("the item is being worked on right now; try again")

    async def thumbnail(self, item_id: str) -> tuple[bytes, str, str]:
        """Return our copy of an item's picture, its type, and a tag of its content.

        Raises `NotFound` when there is none.
        """
        item = await self.get(item_id)
        key = item.source.cover if item.source else None
        if key is None:
            raise NotFound("there is no picture of this item")
        tag, _, ending = key.rpartition("/")[2].partition(".")
        return await self.blobs.get(key), _TYPES[ending], tag

    async def snapshot(self) -> tuple[int, Sequence[Item]]:
        """Return all items on their way, and a number behind which their changes follow; none is lost between the two."""
        _, last = await self.records.ends()
        return last, await self.records.active()

    async def ends(self) -> tuple[int, int]:
        """Return the numbers of the log's first and last lines; 0 and 0 when it is empty."""
        return await self.records.ends()

    async def changes(self, after: int, limit: int) -> Sequence[Change]:
        """Return what happened behind a number of the log, oldest first."""
        return await self.records.after(after, limit)

    async def told(self, after: int, limit: int) -> Sequence[Change]:
        """Return what people should be told of behind a number of the log, oldest first."""
        return await self.records.told_after(after, limit)

    async def counts(self, batch: str) -> Mapping[Status, int]:
        """Return how many items of a batch stand where."""
        return await self.records.counts(batch)

    async def _keep(self, data: bytes) -> str:
        """Keep a picture that came directly.

        Raises `Invalid` for what is none, or none of a kind that every outlet takes.
        """
        picture = await self.images.inspect(data)
        kind = _PICTURES.get(picture.format)
        if kind is None:
            raise Invalid(f"pictures are taken as JPEG, PNG or WebP, and this is {picture.format}")
        key = cover_key(hashlib.sha256(data).hexdigest(), kind)
        if await self.blobs.head(key) is None:
            await self.blobs.put(key, data, content_type=kind)
        return key


_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


def new_batch() -> str:
    """Return a name for things that are imported together."""
    return str(uuid4())


def _may_be_amended(item: Item) -> bool:
    """Tell whether a change still reaches the recipe that is put away: nobody works on it, and it is nowhere yet."""
    is_here = item.status is Status.SUCCESS and item.upload is None
    return item.in_review or item.status in FAILED or is_here


def _taken(fresh: Item, stored: Mapping[str, Item], known: Mapping[str, Item]) -> Taken:
    before = known.get(fresh.shortcode) if fresh.shortcode else None
    found = stored.get(fresh.id)
    if found is None:
        assert before is not None
        return Taken(before, is_new=False, known=before)
    return Taken(found, is_new=found.id == fresh.id, known=before)
