"""The tables of browsers' sessions, one-time links and second factors, and their SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    delete,
    insert,
    or_,
    select,
    update,
)

from tintype.backends.database import Database, Instant, Json, metadata
from tintype.core.access.browsing_model import Browser

browsers = Table(
    "browsers",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    Column("workspace_id", String(36)),
    Column("agent", String(200), nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Index(None, "user_id"),
    Index(None, "seen_at"),
)

welcomes = Table(
    "welcomes",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE")),
    Column("expires_at", Instant, nullable=False),
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("confirmed_at", Instant),
    Column("last_step", Integer, nullable=False),
    Column("spares", Json, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Factor:
    """A user's second factor as it is stored: the sealed secret, the last step that was used, digests of spare codes."""

    sealed: bytes
    confirmed_at: datetime | None
    last_step: int
    spares: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BrowsingRecords:
    """Reads and writes who is signed in with which browser."""

    database: Database

    async def begin(self, browser: Browser, *, forget: datetime) -> None:
        """Store a session; forget all that nobody used since `forget`."""
        row = {
            "digest": browser.digest,
            "user_id": browser.user_id,
            "workspace_id": browser.workspace_id,
            "agent": browser.agent,
            "proven": browser.proven,
            "created_at": browser.created_at,
            "seen_at": browser.seen_at,
        }
        async with self.database.write() as connection:
            await connection.execute(delete(browsers).where(browsers.c.seen_at < forget))
            await connection.execute(insert(browsers).values(row))

    async def find(self, digest: str) -> Browser | None:
        """Return a session."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(browsers).where(browsers.c.digest == digest))).one_or_none()
        return _browser(row) if row else None

    async def of_user(self, user_id: int) -> Sequence[Browser]:
        """Return a user's sessions, the one that was used last in front."""
        query = select(browsers).where(browsers.c.user_id == user_id).order_by(browsers.c.seen_at.desc())
        async with self.database.read() as connection:
            return [_browser(row) for row in await connection.execute(query)]

    async def seen(self, digest: str, at: datetime) -> None:
        """Note that a session was used."""
        await self._change(digest, seen_at=at)

    async def choose(self, digest: str, workspace_id: str) -> None:
        """Keep which workspace a browser looks at."""
        await self._change(digest, workspace_id=workspace_id)

    async def _change(self, digest: str, **values: object) -> None:
        async with self.database.write() as connection:
            await connection.execute(update(browsers).where(browsers.c.digest == digest).values(values))

    async def end(self, digest: str) -> None:
        """End a session."""
        async with self.database.write() as connection:
            await connection.execute(delete(browsers).where(browsers.c.digest == digest))

    async def end_all(self, user_id: int, *, but: str | None = None) -> None:
        """End a user's sessions, but for one of them."""
        query = delete(browsers).where(browsers.c.user_id == user_id)
        async with self.database.write() as connection:
            await connection.execute(query.where(browsers.c.digest != but) if but else query)

    async def welcome(self, digest: str, user_id: int | None, until: datetime, now: datetime) -> None:
        """Store a one-time link in the place of earlier ones for the same user, or for whoever comes first."""
        mine = welcomes.c.user_id == user_id if user_id is not None else welcomes.c.user_id.is_(None)
        async with self.database.write() as connection:
            await connection.execute(delete(welcomes).where(or_(mine, welcomes.c.expires_at < now)))
            await connection.execute(insert(welcomes).values(digest=digest, user_id=user_id, expires_at=until))

    async def welcomed(self, digest: str, now: datetime) -> tuple[int | None] | None:
        """Return for whom a one-time link is, in a tuple; None: there is no such link, or no more."""
        query = select(welcomes.c.user_id).where(welcomes.c.digest == digest, welcomes.c.expires_at > now)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return (row.user_id,) if row else None

    async def use(self, digest: str, now: datetime) -> bool:
        """Use a one-time link up; of several who try at once one does."""
        query = delete(welcomes).where(welcomes.c.digest == digest, welcomes.c.expires_at > now)
        async with self.database.write() as connection:
            return (await connection.execute(query)).rowcount > 0

    async def factor(self, user_id: int) -> Factor | None:
        """Return a user's second factor, confirmed or not."""
        query = select(second_factors).where(second_factors.c.user_id == user_id)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Factor(row.sealed, row.confirmed_at, row.last_step, tuple(row.spares)) if row else None

    async def keep_factor(self, user_id: int, sealed: bytes) -> None:
        """Store a new second factor that is not confirmed yet; a confirmed one stays."""
        mine = second_factors.c.user_id == user_id
        async with self.database.write() as connection:
            await connection.execute(delete(second_factors).where(mine, second_factors.c.confirmed_at.is_(None)))
            await connection.execute(
                insert(second_factors).values(user_id=user_id, sealed=sealed, last_step=0, spares=[])
            )

    async def confirm_factor(self, user_id: int, step: int, spares: Sequence[str], at: datetime) -> bool:
        """Confirm a second factor; False: there is none that waits for it."""
        query = update(second_factors).where(
            second_factors.c.user_id == user_id, second_factors.c.confirmed_at.is_(None)
        )
        async with self.database.write() as connection:
            done = await connection.execute(query.values(confirmed_at=at, last_step=step, spares=list(spares)))
            return done.rowcount > 0

    async def take_step(self, user_id: int, step: int) -> bool:
        """Use the code of a step up; False: this one, or a later one, was used already."""
        query = update(second_factors).where(second_factors.c.user_id == user_id, second_factors.c.last_step < step)
        async with self.database.write() as connection:
            return (await connection.execute(query.values(last_step=step))).rowcount > 0

    async def take_spare(self, user_id: int, digest: str) -> bool:
        """Use a spare code up; False: it is none, or was used already."""
        mine = second_factors.c.user_id == user_id
        async with self.database.write() as connection:
            row = (
                await connection.execute(select(second_factors.c.spares).where(mine).with_for_update())
            ).one_or_none()
            left = [one for one in row.spares if one != digest] if row else []
            if row is None or len(left) == len(row.spares):
                return False
            await connection.execute(update(second_factors).where(mine).values(spares=left))
            return True

    async def drop_factor(self, user_id: int) -> None:
        """Forget a user's second factor."""
        async with self.database.write() as connection:
            await connection.execute(delete(second_factors).where(second_factors.c.user_id == user_id))


def _browser(row: Row[tuple[object, ...]]) -> Browser:
    return Browser(
        digest=row.digest,
        user_id=row.user_id,
        workspace_id=row.workspace_id,
        agent=row.agent,
        proven=row.proven,
        created_at=row.created_at,
        seen_at=row.seen_at,
    )
