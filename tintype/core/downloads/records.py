"""The table of downloads and its SQL: one row for each try, one of which is the present answer for its post."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    Row,
    Select,
    String,
    Table,
    Update,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from tintype.backends.database import Database, Instant, Json, metadata
from tintype.core.downloads.model import Download, Failure, File, Lease, Post, State
from tintype.errors import Kind

downloads = Table(
    "downloads",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("shortcode", String(64), nullable=False),
    Column("current", String(64)),  # the shortcode while this row is the post's present answer, else nothing
    Column("state", String(8), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("lease_by", String(64)),
    Column("lease_until", Instant),
    Column("post", Json),
    Column("failure", Json),
    Index(None, "current", unique=True),
    Index(None, "state", "ended_at"),
)

# Said once: putting a statement together costs as much as running it.
_CURRENT = select(downloads).where(downloads.c.current == bindparam("wanted"))
_FOUND = select(downloads).where(downloads.c.id == bindparam("wanted"))
_INSERT = insert(downloads)
_ENDED = ("state", "ended_at", "lease_by", "lease_until", "post", "failure")
_FINISH = (
    update(downloads)
    .where(downloads.c.id == bindparam("mine"), downloads.c.lease_by == bindparam("by"))
    .values({name: bindparam(f"new_{name}") for name in _ENDED})
)

_REPLACE = (
    update(downloads)
    .where(downloads.c.id == bindparam("before"), downloads.c.current == bindparam("wanted"))
    .values(current=None)
)
_TAKE = (
    update(downloads)
    .where(
        downloads.c.id == bindparam("mine"),
        downloads.c.state == State.RUNNING.value,
        (downloads.c.lease_by == bindparam("by"))
        | downloads.c.lease_until.is_(None)
        | (downloads.c.lease_until <= bindparam("now")),
    )
    .values(lease_by=bindparam("by"), lease_until=bindparam("until"))
)
_RELEASE = (
    update(downloads)
    .where(downloads.c.lease_by == bindparam("by"), downloads.c.state == State.RUNNING.value)
    .values(lease_until=bindparam("now"))
)

MANY = 500  # rows taken at once by background work


@dataclass(frozen=True, slots=True)
class DownloadRecords:
    """Reads and writes downloads, one short transaction a method."""

    database: Database

    async def current(self, shortcode: str) -> Download | None:
        """Return a post's present answer."""
        return await self._one(_CURRENT, shortcode)

    async def find(self, download_id: str) -> Download | None:
        """Return one try by its id."""
        return await self._one(_FOUND, download_id)

    async def recent(self, limit: int) -> Sequence[Download]:
        """Return the present answers, those that were asked for last in front."""
        query = select(downloads).where(downloads.c.current.is_not(None)).order_by(downloads.c.asked_at.desc())
        async with self.database.read() as connection:
            return [_download(row) for row in await connection.execute(query.limit(limit))]

    async def begin(self, download: Download, before: Download | None) -> bool:
        """Make a new try the present answer in place of `before`; False when another was quicker."""
        row = _row(download)

        def step(connection: Connection) -> bool:
            if before is not None:
                replaced = connection.execute(_REPLACE, {"before": before.id, "wanted": download.shortcode})
                if replaced.rowcount == 0:
                    return False
            connection.execute(_INSERT, row)
            return True

        try:
            return await self.database.store(step)
        except IntegrityError:
            return False

    async def take(self, download_id: str, lease: Lease, now: datetime) -> bool:
        """Take, or renew, the lease of a running download; False when another holds it or it has ended."""
        taken = {"mine": download_id, "by": lease.by, "now": now, "until": lease.until}
        return await self._changed(_TAKE, taken) > 0

    async def finish(self, download: Download, by: str) -> bool:
        """Store how a download ended; False when its lease was lost meanwhile."""
        row = _row(download)
        ended = {f"new_{name}": row[name] for name in _ENDED}
        return await self._changed(_FINISH, {"mine": download.id, "by": by, **ended}) > 0

    async def release(self, by: str, now: datetime) -> int:
        """End the leases of a process that is gone; return how many downloads it left."""
        return await self._changed(_RELEASE, {"by": by, "now": now})

    async def running(self) -> Sequence[Download]:
        """Return all downloads that have not ended."""
        query = select(downloads).where(downloads.c.state == State.RUNNING.value).order_by(downloads.c.asked_at)
        async with self.database.read() as connection:
            return [_download(row) for row in (await connection.execute(query)).all()]

    async def ended(self, before: datetime) -> Sequence[Download]:
        """Return some downloads that ended before a moment, oldest first."""
        old = downloads.c.state.in_([State.DONE.value, State.FAILED.value]) & (downloads.c.ended_at <= before)
        query = select(downloads).where(old).order_by(downloads.c.ended_at).limit(MANY)
        async with self.database.read() as connection:
            return [_download(row) for row in (await connection.execute(query)).all()]

    async def forget(self, download_id: str) -> None:
        """Forget a download that ended."""
        async with self.database.write() as connection:
            await connection.execute(delete(downloads).where(downloads.c.id == download_id))

    async def is_current(self, download: Download) -> bool:
        """Tell whether a download is its post's present answer."""
        found = await self.current(download.shortcode)
        return found is not None and found.id == download.id

    async def _one(self, query: Select[Any], wanted: str) -> Download | None:
        row = await self.database.look(lambda connection: connection.execute(query, {"wanted": wanted}).one_or_none())
        return _download(row) if row else None

    async def _changed(self, change: Update, values: Mapping[str, object]) -> int:
        return await self.database.store(lambda connection: connection.execute(change, values).rowcount)


def _row(download: Download) -> dict[str, Any]:
    lease = download.lease
    return {
        "id": download.id,
        "shortcode": download.shortcode,
        "current": download.shortcode,
        "state": download.state.value,
        "asked_at": download.asked_at,
        "ended_at": download.ended_at,
        "lease_by": lease.by if lease else None,
        "lease_until": lease.until if lease else None,
        "post": post_json(download.post) if download.post else None,
        "failure": _failure_json(download.failure) if download.failure else None,
    }


def _download(row: Row[Any]) -> Download:
    return Download(
        id=row.id,
        shortcode=row.shortcode,
        state=State(row.state),
        asked_at=row.asked_at,
        lease=Lease(row.lease_by, row.lease_until) if row.lease_by and row.lease_until else None,
        ended_at=row.ended_at,
        post=post_from(row.post) if row.post else None,
        failure=_failure_from(row.failure) if row.failure else None,
    )


def post_json(post: Post) -> dict[str, Any]:
    """Return a post as plain JSON values, for the row and for the sidecar beside its files."""
    return asdict(post) | {
        "taken_at": post.taken_at.isoformat() if post.taken_at else None,
        "files": [asdict(file) for file in post.files],
    }


def post_from(value: dict[str, Any]) -> Post:
    """Read what `post_json` wrote.

    Raises `KeyError`, `TypeError` or `ValueError` for anything else.
    """
    known = {name: value[name] for name in Post.__dataclass_fields__}
    taken_at = datetime.fromisoformat(known["taken_at"]) if known["taken_at"] else None
    files = tuple(File(**file) for file in known["files"])
    found: dict[str, Any] = known | {"taken_at": taken_at, "files": files}
    return Post(**found)


def _failure_json(failure: Failure) -> dict[str, Any]:
    until = failure.until.isoformat() if failure.until else None
    kind = failure.kind.value if failure.kind else None
    return {"kind": kind, "code": failure.code, "message": failure.message, "until": until}


def _failure_from(value: dict[str, Any]) -> Failure:
    until = datetime.fromisoformat(value["until"]) if value["until"] else None
    kind = Kind(value["kind"]) if value["kind"] else None
    return Failure(kind, value["code"], value["message"], until)
