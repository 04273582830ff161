"""The tables of publishing and their SQL: posts with their way, their timeline, and the quotas of accounts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    bindparam,
    func,
    insert,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from tintype.backends.database import Database, Instant, Json, lock_key, metadata
from tintype.backends.statements import Record, Statement
from tintype.core.publishing.matching import fingerprint
from tintype.core.publishing.model import (
    ENDED,
    Candidate,
    CommentState,
    Draft,
    Failure,
    Listing,
    Occurrence,
    Part,
    Post,
    State,
)

posts = Table(
    "posts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", String(36), ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Integer),
    Column("draft", Json, nullable=False),
    Column("state", String(24), nullable=False),
    Column("version", Integer, nullable=False),
    Column("scheduled_at", Instant),
    Column("timezone", String(64)),
    Column("due_at", Instant),
    Column("parts", Json, nullable=False),
    Column("container_id", String(64)),
    Column("container_at", Instant),
    Column("round", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("publishes", Integer, nullable=False),
    Column("publish_started_at", Instant),
    Column("doubt", Json),
    Column("media_id", String(64)),
    Column("permalink", Text),
    Column("failure", Json),
    Column("candidates", Json, nullable=False),
    Column("comment_state", String(12), nullable=False),
    Column("comment_id", String(64)),
    Column("comment_tries", Integer, nullable=False),
    Column("refreshed", Boolean, nullable=False),
    Column("fingerprint", String(64), nullable=False),  # what it could be taken for on Instagram
    Column("reserved_at", Instant),  # since when a place in the account's quota is held for it
    Column("reason", Text),
    Column("key", String(255)),
    Column("batch", String(36)),
    Column("lease_owner", String(80)),
    Column("lease_until", Instant),
    Column("fence", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("published_at", Instant),
    Index(None, "due_at"),
    Index(None, "workspace_id", "id"),
    Index(None, "workspace_id", "key", unique=True),
    Index(None, "account_id", "state"),
    Index(None, "account_id", "media_id", unique=True),
    sqlite_autoincrement=True,
)

occurrences = Table(
    "post_events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("post_id", Integer, ForeignKey("posts.id", ondelete="CASCADE"), nullable=False),
    Column("at", Instant, nullable=False),
    Column("name", String(40), nullable=False),
    Column("detail", Json, nullable=False),
    Index(None, "post_id", "id"),
)

# Columns that hold words of ours as JSON, and how those are read and written.
_FORMS: Mapping[str, TypeAdapter[Any]] = {
    "draft": TypeAdapter(Draft),
    "parts": TypeAdapter(tuple[Part, ...]),
    "doubt": TypeAdapter(Failure | None),
    "failure": TypeAdapter(Failure | None),
    "candidates": TypeAdapter(tuple[Candidate, ...]),
}
_WORDS = tuple(Post.__dataclass_fields__)
_DETAIL = TypeAdapter(dict[str, Any])
_READING: Sequence[tuple[int, Callable[[Any], Any]]] = [
    *((_WORDS.index(name), form.validate_python) for name, form in _FORMS.items()),
    (_WORDS.index("state"), State),
    (_WORDS.index("comment_state"), CommentState),
]


HELD = timedelta(seconds=10)


class OvertakenError(Exception):
    """Somebody else moved the post meanwhile: its owner called it back, or another process took it over."""


class DoubtedError(Exception):
    """A post that could be taken for this one is being looked for on Instagram."""


class TakenError(Exception):
    """The medium belongs to another post already."""


# What every post needs several times is put together once.
_columns = [posts.c[name] for name in _WORDS]  # a post is read by place
_twins = posts.alias("twins")
_alike = (
    select(_twins.c.id)
    .where(_twins.c.account_id == posts.c.account_id, _twins.c.fingerprint == posts.c.fingerprint)
    .where(_twins.c.id != posts.c.id)
)
_doubted = _alike.where(_twins.c.state == State.RECONCILING.value).exists()
_rivalled = _alike.where(_twins.c.state == State.PUBLISHING.value).exists()
_moving = update(posts).where(posts.c.id == bindparam("post_id"), posts.c.fence == bindparam("held_by"))

_ADDING = Statement(insert(posts).returning(posts.c.id))
_NOTING = Statement(insert(occurrences))
_MOVING = Statement(_moving)
_MOVING_UNDOUBTED = Statement(_moving.where(~_doubted))
_RENEWING = Statement(_moving.where(posts.c.lease_until.is_not(None)))  # one that was let go of meanwhile stays free
_DOUBTED = Statement(select(posts.c.id).where(posts.c.id == bindparam("post_id"), _doubted))
_RIVALLED = Statement(select(posts.c.id).where(posts.c.id == bindparam("post_id"), _rivalled))
_ONE = Statement(
    select(*_columns).where(posts.c.workspace_id == bindparam("workspace_id"), posts.c.id == bindparam("post_id"))
)
_NEXT_DUE = Statement(
    select(func.min(posts.c.due_at)).where(or_(posts.c.lease_until.is_(None), posts.c.lease_until < bindparam("now")))
)


@dataclass(frozen=True, slots=True)
class PostRecords:
    """Reads and writes posts, one short transaction a method."""

    database: Database

    async def add(
        self,
        post: Post,
        key: str | None,
        happened: Occurrence,
        *,
        holder: str | None = None,
        lease: timedelta = HELD,
        has_place: Callable[[Connection], bool] | None = None,
    ) -> tuple[Post, bool]:
        """Store a new post and return it with its id; with a `key` that was used before, the post of then and False.

        With a `holder` it is claimed for that process from its first moment on. One that `has_place` in its account's
        quota holds that, and is on its way already.
        """
        row = _fresh(post, key)
        row |= {"lease_owner": holder, "lease_until": post.created_at + lease if holder else None}
        under_way = replace(post, state=State.PREPARING)
        row_under_way = row | {"state": under_way.state.value, "reserved_at": post.created_at}

        def store(connection: Connection) -> Post:
            if has_place is not None and has_place(connection):
                stored = replace(under_way, id=_ADDING.value(connection, row_under_way))
                _note(connection, stored.id, [happened, Occurrence(post.created_at, stored.state.value)])
            else:
                stored = replace(post, id=_ADDING.value(connection, row))
                _note(connection, stored.id, [happened])
            return stored

        try:
            return await self.database.store(store, durable=True), True
        except IntegrityError:
            known = await self._with_key(post.workspace_id, key) if key is not None else None
            if known is None:
                raise
            return known, False

    async def add_many(self, fresh: Sequence[tuple[Post, str]], happened: Occurrence) -> Mapping[str, tuple[int, bool]]:
        """Store new posts of one workspace, all or none; return for each key the post's id, and whether it is new.

        Of a key that was used before the post of then is meant.
        """
        rows = [_fresh(post, key) for post, key in fresh]
        workspace_id, keys = fresh[0][0].workspace_id, [key for _, key in fresh]
        async with self.database.write(durable=True) as connection:
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            if dialect is postgresql:  # of two lists that overlap, each would wait for the other's half
                turn = {"key": lock_key(f"posts:{workspace_id}")}
                await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), turn)
            adding = dialect.insert(posts).on_conflict_do_nothing(index_elements=["workspace_id", "key"])
            made = {
                row.key: row.id for row in await connection.execute(adding.returning(posts.c.id, posts.c.key), rows)
            }
            if made:
                await connection.execute(insert(occurrences), [_line(post_id, happened) for post_id in made.values()])
            known = select(posts.c.id, posts.c.key).where(
                posts.c.workspace_id == workspace_id, posts.c.key.in_([key for key in keys if key not in made])
            )
            before = {row.key: row.id for row in await connection.execute(known)}
        return {key: (post_id, key in made) for key, post_id in (before | made).items()}

    async def keys(self, post_ids: Collection[int]) -> Mapping[int, str]:
        """Return the keys with which posts were taken, where there was one."""
        query = select(posts.c.id, posts.c.key).where(posts.c.id.in_(post_ids), posts.c.key.is_not(None))
        async with self.database.read() as connection:
            return {row.id: row.key for row in await connection.execute(query)}

    async def recall(self, workspace_id: str, batch: str, now: datetime, happened: Occurrence) -> Collection[int]:
        """Call back what waits of an import, at once and all of it; return the posts' ids."""
        query = (
            update(posts)
            .where(posts.c.workspace_id == workspace_id, posts.c.batch == batch)
            .where(posts.c.state.in_([State.DRAFT.value, State.SCHEDULED.value, State.FAILED.value]))
            .values(state=State.CANCELLED.value, due_at=None, reserved_at=None, reason=None, updated_at=now)
            .values(version=posts.c.version + 1, fence=posts.c.fence + 1, lease_until=None)
            .returning(posts.c.id)
        )
        async with self.database.write(durable=True) as connection:
            gone = list(await connection.scalars(query))
            if gone:
                await connection.execute(insert(occurrences), [_line(post_id, happened) for post_id in gone])
        return gone

    async def forget_keys(self, workspace_id: str, batch: str) -> None:
        """Let what was called back of an import be taken anew."""
        gone = (posts.c.workspace_id == workspace_id) & (posts.c.batch == batch)
        query = update(posts).where(gone, posts.c.state == State.CANCELLED.value).values(key=None)
        async with self.database.write() as connection:
            await connection.execute(query)

    async def get(self, workspace_id: str, post_id: int) -> Post | None:
        """Return a workspace's post."""
        given = {"post_id": post_id, "workspace_id": workspace_id}
        row = await self.database.look(lambda connection: _ONE.one(connection, given))
        return _post(row) if row else None

    async def load(self, post_id: int) -> Post | None:
        """Return a post of whatever workspace."""
        return await self._found(posts.c.id == post_id)

    async def listed(
        self, workspace_id: str, account_id: str | None, states: Collection[State], after: int | None, limit: int
    ) -> Listing:
        """Return a page of a workspace's posts, newest first."""
        query = select(*_columns).where(posts.c.workspace_id == workspace_id)
        if account_id is not None:
            query = query.where(posts.c.account_id == account_id)
        if states:
            query = query.where(posts.c.state.in_([state.value for state in states]))
        if after is not None:
            query = query.where(posts.c.id < after)
        async with self.database.read() as connection:
            found = [_post(row) for row in await connection.execute(query.order_by(posts.c.id.desc()).limit(limit + 1))]
        return Listing(tuple(found[:limit]), found[limit - 1].id if len(found) > limit else None)

    async def timeline(self, post_id: int) -> Sequence[Occurrence]:
        """Return what happened to a post, oldest first."""
        query = select(occurrences).where(occurrences.c.post_id == post_id).order_by(occurrences.c.id)
        async with self.database.read() as connection:
            return [Occurrence(row.at, row.name, row.detail) for row in await connection.execute(query)]

    async def of_batch(self, workspace_id: str, batch: str) -> Sequence[Post]:
        """Return the posts that one import brought."""
        query = select(*_columns).where(posts.c.workspace_id == workspace_id, posts.c.batch == batch)
        async with self.database.read() as connection:
            return [_post(row) for row in await connection.execute(query.order_by(posts.c.id))]

    async def among(self, workspace_id: str, post_ids: Collection[int]) -> Sequence[Post]:
        """Return those of some posts that are the workspace's."""
        query = select(*_columns).where(posts.c.workspace_id == workspace_id, posts.c.id.in_(post_ids))
        async with self.database.read() as connection:
            return [_post(row) for row in await connection.execute(query)]

    async def waiting(self, account_id: str) -> Sequence[Post]:
        """Return an account's posts that wait for their time."""
        mine = (posts.c.account_id == account_id) & (posts.c.state == State.SCHEDULED.value)
        async with self.database.read() as connection:
            query = select(*_columns).where(mine).order_by(posts.c.id)
            return [_post(row) for row in await connection.execute(query)]

    async def claim(self, owner: str, now: datetime, lease: timedelta, limit: int) -> Sequence[Post]:
        """Take so many due posts whose lease is free; of several who ask at once each gets others."""
        free = or_(posts.c.lease_until.is_(None), posts.c.lease_until < now)
        due = select(posts.c.id).where(posts.c.due_at <= now, free).order_by(posts.c.due_at, posts.c.id).limit(limit)
        taken = (
            update(posts)
            .where(posts.c.id.in_(due.with_for_update(skip_locked=True)))
            .values(lease_owner=owner, lease_until=now + lease, fence=posts.c.fence + 1)
            .returning(*_columns)
        )
        rows = await self.database.store(lambda connection: connection.execute(taken).all())
        found = [_post(row) for row in rows]
        return sorted(found, key=lambda post: (post.due_at or now, post.id))

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when the next post that nobody holds is due; whoever let a lease run out holds nothing any more."""
        return await self.database.look(lambda connection: _NEXT_DUE.value(connection, {"now": now}))

    async def move(
        self,
        post: Post,
        now: datetime,
        *happened: Occurrence,
        lease: timedelta | None = None,
        durable: bool = False,
        unless_doubted: bool = False,
        **changes: Any,
    ) -> Post:
        """Store a step of whoever holds the post; with a `lease` it is held on, without it is free.

        With `unless_doubted` it raises `DoubtedError` while one that looks the same is searched for on Instagram. Raises
        `OvertakenError` when somebody else moved it meanwhile, and `TakenError` when another post has its medium; then nothing
        is stored.
        """
        moved = replace(post, updated_at=now, **{name: value for name, value in changes.items() if name in _WORDS})
        values = {name: _formed(name, value) for name, value in changes.items()}
        values |= {"updated_at": now, "lease_until": now + lease if lease else None}
        values |= {"post_id": post.id, "held_by": post.fence}
        moving = _MOVING_UNDOUBTED if unless_doubted else _MOVING

        def store(connection: Connection) -> None:
            if not moving.run(connection, values):
                raise DoubtedError if unless_doubted and _is_doubted(connection, post) else OvertakenError
            _note(connection, post.id, happened)

        try:
            await self.database.store(store, durable=durable)
        except IntegrityError as error:
            raise TakenError from error
        return moved

    async def renew(self, post: Post, until: datetime) -> bool:
        """Hold a post longer; tell whether it was still held."""
        values = {"lease_until": until, "post_id": post.id, "held_by": post.fence}
        return await self.database.store(lambda connection: _RENEWING.run(connection, values) > 0)

    async def change(
        self, post: Post, states: Collection[State], now: datetime, *happened: Occurrence, **changes: Any
    ) -> Post | None:
        """Store what a post's owner changed, taking it away from whoever moves it; None when it is not as read any more."""
        values = {name: _formed(name, value) for name, value in changes.items()}
        if "draft" in changes:
            values["fingerprint"] = fingerprint(changes["draft"])
        values |= {"updated_at": now, "version": posts.c.version + 1, "fence": posts.c.fence + 1, "lease_until": None}
        same = (posts.c.id == post.id) & (posts.c.version == post.version)
        query = update(posts).where(same, posts.c.state.in_([state.value for state in states])).values(values)

        def store(connection: Connection) -> Row[Any] | None:
            row = connection.execute(query.returning(*_columns)).one_or_none()
            if row is not None:
                _note(connection, post.id, happened)
            return row

        row = await self.database.store(store, durable=True)
        return _post(row) if row else None

    async def release(self, owner: str | None = None) -> int:
        """Free the leases of a process that is dead, or all: on SQLite one process works; return how many those were."""
        held = posts.c.lease_until.is_not(None) & (true() if owner is None else posts.c.lease_owner == owner)
        async with self.database.write() as connection:
            return (await connection.execute(update(posts).where(held).values(lease_until=None))).rowcount

    async def needed(self) -> frozenset[str]:
        """Return the keys of all files that posts which have not ended refer to."""
        living = posts.c.state.not_in([state.value for state in ENDED - {State.FAILED}])
        found: set[str] = set()
        async with self.database.read() as connection:
            for row in await connection.execute(select(*_columns).where(living)):
                post = _post(row)
                found.update(item.blob for item in post.draft.items if item.blob)
                found.update(part.blob for part in post.parts if part.blob)
                found.update([post.draft.cover_blob] if post.draft.cover_blob else [])
        return frozenset(found)

    async def has_rival(self, post: Post) -> bool:
        """Tell whether another post that looks the same is being published, so that its medium may be on Instagram unbound."""
        given = {"post_id": post.id}
        return await self.database.look(lambda connection: _RIVALLED.one(connection, given)) is not None

    async def bound(self, account_id: str, media_ids: Collection[str]) -> set[str]:
        """Return those of an account's media that belong to a post already."""
        query = select(posts.c.media_id).where(posts.c.account_id == account_id, posts.c.media_id.in_(media_ids))
        async with self.database.read() as connection:
            return {media_id for media_id in await connection.scalars(query) if media_id}

    async def _with_key(self, workspace_id: str, key: str) -> Post | None:
        return await self._found(posts.c.workspace_id == workspace_id, posts.c.key == key)

    async def _found(self, *conditions: ColumnElement[bool]) -> Post | None:
        query = select(*_columns).where(*conditions)
        row = await self.database.look(lambda connection: connection.execute(query).one_or_none())
        return _post(row) if row else None


def _is_doubted(connection: Connection, post: Post) -> bool:
    return _DOUBTED.one(connection, {"post_id": post.id}) is not None


def _note(connection: Connection, post_id: int, happened: Sequence[Occurrence]) -> None:
    if happened:
        _NOTING.run_each(connection, [_line(post_id, one) for one in happened])


def _line(post_id: int, one: Occurrence) -> dict[str, Any]:
    detail = _DETAIL.dump_python(dict(one.detail), mode="json")
    return {"post_id": post_id, "at": one.at, "name": one.name, "detail": detail}


def _fresh(post: Post, key: str | None) -> dict[str, Any]:
    row = {name: _formed(name, getattr(post, name)) for name in _WORDS if name != "id"}  # the database gives the id
    return {**row, "key": key, "fingerprint": fingerprint(post.draft)}


def _formed(name: str, value: Any) -> Any:
    form = _FORMS.get(name)
    return form.dump_python(value, mode="json") if form else value


def _post(row: Record) -> Post:
    said = list(row)
    for place, form in _READING:
        said[place] = form(said[place])
    return Post(*said)
