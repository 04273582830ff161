"""What people choose about a feed: posts that are hidden or come first, and words for those who cannot see them.

A choice belongs to a post of an account and outlives every sync; the feed itself stays what Instagram says.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    delete,
    func,
    insert,
    select,
)

from tintype.backends.bus import Bus
from tintype.backends.database import Database, Instant, metadata
from tintype.core.feed.model import Item
from tintype.errors import Invalid
from tintype.events import MediaSynced

ALT_MAX = 1000  # characters, as many as Instagram takes itself

choices = Table(
    "feed_choices",
    metadata,
    Column("account_id", String(36), primary_key=True),
    Column("media_id", String(32), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("hidden", Boolean, nullable=False),
    Column("place", Integer),
    Column("alt_text", Text),
    Column("number", Integer, nullable=False),
    Column("chosen_at", Instant, nullable=False),
)

_CHOSEN = select(choices).where(choices.c.workspace_id == bindparam("workspace_id"))


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen about one post; `place` is its place among those that come first, None for all others."""

    hidden: bool = False
    place: int | None = None
    alt_text: str | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """All choices of a workspace by post, and a number that grows with each of them."""

    by_media: Mapping[str, Choice] = field(default_factory=dict[str, Choice])
    number: int = 0

    def of(self, media_id: str) -> Choice:
        """Return what was chosen about a post."""
        return self.by_media.get(media_id, Choice())

    def applied(self, items: Sequence[Item]) -> tuple[Item, ...]:
        """Return the items as visitors get them: those that come first, then the others as they stood, none hidden."""
        seen = [self._worded(item) for item in items if not self.of(item.id).hidden]
        first = [item for item in seen if self.of(item.id).place is not None]
        first.sort(key=lambda item: self.of(item.id).place or 0)
        return (*first, *(item for item in seen if self.of(item.id).place is None))

    def _worded(self, item: Item) -> Item:
        alt_text = self.of(item.id).alt_text
        return replace(item, alt_text=alt_text) if alt_text else item


@dataclass(frozen=True, slots=True)
class Curation:
    """Keeps the choices, and tells those who remember feeds."""

    database: Database
    bus: Bus
    now: Callable[[], datetime]

    async def of(self, workspace_id: str) -> Choices:
        """Return a workspace's choices."""
        wanted = {"workspace_id": workspace_id}
        rows = await self.database.look(lambda connection: connection.execute(_CHOSEN, wanted).all())
        return Choices({row.media_id: _choice(row) for row in rows}, max((row.number for row in rows), default=0))

    async def hide(self, workspace_id: str, account_id: str, media_id: str, *, hidden: bool) -> None:
        """Hide a post from visitors, or show it again."""
        await self._choose(workspace_id, account_id, media_id, hidden=hidden)

    async def describe(self, workspace_id: str, account_id: str, media_id: str, alt_text: str) -> None:
        """Put words in the place of a post's own alt text; none give that back.

        Raises `Invalid` for more than a thousand characters.
        """
        if len(alt_text) > ALT_MAX:
            raise Invalid(f"an alt text has at most {ALT_MAX} characters; this one has {len(alt_text)}")
        await self._choose(workspace_id, account_id, media_id, alt_text=alt_text.strip() or None)

    async def pin(self, workspace_id: str, account_id: str, media_id: str, place: int | None) -> None:
        """Let a post come first at a place (0 before all others), or where its date puts it."""
        present = await self.of(workspace_id)
        order = sorted((one for one in present.by_media if one != media_id), key=_rank(present))
        order = [one for one in order if present.of(one).place is not None]
        if place is not None:
            order.insert(max(0, min(place, len(order))), media_id)
        await self._choose(workspace_id, account_id, media_id, place=None)
        await self._number(workspace_id, order)

    async def forget(self, workspace_id: str, account_id: str | None) -> None:
        """Forget what was chosen about a workspace's posts, or those of one account."""
        query = delete(choices).where(choices.c.workspace_id == workspace_id)
        async with self.database.write() as connection:
            await connection.execute(query.where(choices.c.account_id == account_id) if account_id else query)

    async def _choose(self, workspace_id: str, account_id: str, media_id: str, **chosen: object) -> None:
        mine = (choices.c.account_id == account_id, choices.c.media_id == media_id)
        async with self.database.write() as connection:
            row = (await connection.execute(select(choices).where(*mine).with_for_update())).one_or_none()
            top = select(func.coalesce(func.max(choices.c.number), 0)).where(choices.c.workspace_id == workspace_id)
            number = int((await connection.execute(top)).scalar_one()) + 1
            await connection.execute(delete(choices).where(*mine))
            known = {"hidden": row.hidden, "place": row.place, "alt_text": row.alt_text} if row else {"hidden": False}
            values = {"account_id": account_id, "media_id": media_id, "workspace_id": workspace_id, **known, **chosen}
            await connection.execute(insert(choices).values(**values, number=number, chosen_at=self.now()))
        await self.bus.publish(MediaSynced(workspace_id, account_id, changed=True))

    async def _number(self, workspace_id: str, order: Sequence[str]) -> None:
        async with self.database.write() as connection:
            for place, media_id in enumerate(order):
                query = choices.update().where(choices.c.workspace_id == workspace_id, choices.c.media_id == media_id)
                await connection.execute(query.values(place=place))
        await self.bus.publish(MediaSynced(workspace_id, "", changed=True))


def _rank(present: Choices) -> Callable[[str], int]:
    return lambda media_id: present.of(media_id).place or 0


def _choice(row: Row[tuple[object, ...]]) -> Choice:
    return Choice(row.hidden, row.place, row.alt_text)
