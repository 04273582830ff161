"""The table of publishing quotas, and the places in them that posts under way hold."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    Integer,
    String,
    Table,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from tintype.backends.database import Database, Instant, metadata, put
from tintype.backends.statements import Record, Statement
from tintype.core.publishing.model import ENDED, Post, Quota, State
from tintype.core.publishing.records import posts

quotas = Table(
    "publishing_quotas",
    metadata,
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("used", Integer),
    Column("total", Integer),
    Column("window_seconds", Integer),
    Column("read_at", Instant),
    Column("resting_until", Instant),  # Instagram suspects spam: nothing is published before
)

_UNDER_WAY = [state.value for state in set(State) - ENDED - {State.DRAFT}]
_WAITING = [State.SCHEDULED.value, State.READY.value]  # a ready one holds none when Instagram itself had none for it
_LIVE = [State.PUBLISHED.value, State.UNLINKED.value]


_EVER = datetime(1970, 1, 1, tzinfo=UTC)
_mine = quotas.c.account_id == bindparam("account_id")
_held = (  # by posts under way, and by those published since Instagram was asked, which it may not know
    select(func.count())
    .select_from(posts)
    .where(posts.c.account_id == bindparam("account_id"), posts.c.id != bindparam("beside"))
    .where(posts.c.reserved_at.is_not(None))
    .where(
        or_(
            posts.c.state.in_(_UNDER_WAY),
            and_(
                posts.c.state.in_(_LIVE),
                func.coalesce(posts.c.published_at, posts.c.publish_started_at)
                >= func.coalesce(quotas.c.read_at, _EVER),
            ),
        )
    )
    .correlate(quotas)
    .scalar_subquery()
)
_wanted = func.coalesce(posts.c.scheduled_at, posts.c.created_at)
_ahead = (  # those that a post must let go first, up to all places there are
    select(func.count())
    .select_from(
        select(posts.c.id)
        .where(posts.c.account_id == bindparam("account_id"), posts.c.state.in_(_WAITING))
        .where(posts.c.due_at <= bindparam("now"), posts.c.reserved_at.is_(None))
        .where(
            or_(
                _wanted < bindparam("mine"),
                and_(_wanted == bindparam("mine"), posts.c.id < bindparam("post_id")),
            )
        )
        .limit(select(func.coalesce(quotas.c.total, 0)).where(_mine).scalar_subquery())
        .subquery()
    )
    .scalar_subquery()
)
_known = (quotas.c.used, quotas.c.total, quotas.c.window_seconds, quotas.c.read_at, quotas.c.resting_until)
_LOCKING = Statement(select(quotas.c.account_id).where(_mine).with_for_update())
_STANDING = Statement(select(*_known, _held).where(_mine))
_PLACE = Statement(select(*_known, _held, _ahead).where(_mine))
_HOLDING = Statement(update(posts).where(posts.c.id == bindparam("post_id"), posts.c.fence == bindparam("held_by")))
LAST = 2**31 - 1  # in place of the id of a post that has none yet: it comes behind all others


@dataclass(frozen=True, slots=True)
class Standing:
    """An account's quota with what is reserved of it, and until when the account rests."""

    quota: Quota
    resting_until: datetime | None = None

    def rests(self, now: datetime) -> bool:
        """Tell whether nothing may be published now, whatever the quota is."""
        return self.resting_until is not None and self.resting_until > now

    def is_known_since(self, moment: datetime) -> bool:
        """Tell whether Instagram was asked at that moment or later."""
        return self.quota.read_at is not None and self.quota.read_at > moment


@dataclass(frozen=True, slots=True)
class Reservations:
    """Reads and writes quotas, one short transaction a method."""

    database: Database

    async def standing(self, account_id: str) -> Standing:
        """Return how an account's quota stands."""
        given = {"account_id": account_id, "beside": 0}
        return _standing(await self.database.look(lambda connection: _STANDING.one(connection, given)))

    async def read(
        self, account_id: str, used: int | None, total: int | None, window: int | None, at: datetime
    ) -> None:
        """Store what Instagram says of a quota; `at` is the moment before it was asked."""
        row = {"account_id": account_id, "used": used, "total": total, "window_seconds": window, "read_at": at}
        await self.database.store(lambda connection: put(connection, quotas, [row]))

    async def rest(self, account_id: str, until: datetime) -> None:
        """Let an account rest."""
        row = {"account_id": account_id, "resting_until": until}
        await self.database.store(lambda connection: put(connection, quotas, [row]))

    async def hold(self, post: Post, now: datetime, *, known_since: datetime | None) -> tuple[bool, Standing]:
        """Hold a place for a post; tell whether it has one, and how the quota stands.

        Of many who ask at once no more get one than there are; those that are due as well and were due earlier go first.
        Nobody gets one while the account rests, or while Instagram's word is older than `known_since`.
        """
        values = {"reserved_at": now, "post_id": post.id, "held_by": post.fence}

        def store(connection: Connection) -> tuple[bool, Standing]:
            has_place, standing = find_place(connection, post, now, known_since=known_since)
            if has_place:
                _HOLDING.run(connection, values)
            return has_place, standing

        return await self.database.store(store)

    def finder(self, post: Post, now: datetime, *, known_since: datetime) -> Callable[[Connection], bool]:
        """Return what tells, in the transaction that stores a new post, whether there is a place for it."""
        return lambda connection: find_place(connection, post, now, known_since=known_since)[0]

    async def frees_at(self, account_id: str, window: timedelta, now: datetime) -> datetime | None:
        """Return when the oldest post of the window leaves it, as far as it was published here."""
        recent = (posts.c.account_id == account_id) & (posts.c.published_at > now - window)
        async with self.database.read() as connection:
            oldest = await connection.scalar(select(func.min(posts.c.published_at)).where(recent))
        return oldest + window if oldest else None


def find_place(
    connection: Connection, post: Post, now: datetime, *, known_since: datetime | None
) -> tuple[bool, Standing]:
    """Tell whether there is a place for a post, and how the quota stands; nobody else finds one until the transaction ends."""
    if connection.dialect.name == "postgresql":  # what is counted has to be seen after the others' end
        _LOCKING.one(connection, {"account_id": post.account_id})
    mine, post_id = post.scheduled_at or post.created_at, post.id or LAST
    given = {"account_id": post.account_id, "beside": post_id, "now": now, "mine": mine, "post_id": post_id}
    row = _PLACE.one(connection, given)
    standing = _standing(row)
    if standing.rests(now) or (known_since is not None and not standing.is_known_since(known_since)):
        return False, standing
    remaining = standing.quota.remaining
    return row is None or remaining is None or remaining > row[-1], standing


def _standing(row: Record | None) -> Standing:
    if row is None:
        return Standing(Quota(None, None, None, 0, None))
    used, total, window, read_at, resting_until, held = row[:6]
    return Standing(Quota(used, total, window, held, read_at), resting_until)
