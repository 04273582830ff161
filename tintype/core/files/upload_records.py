"""The tables of uploads on their way, and their SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, insert, select, update

from tintype.backends.database import Database
from tintype.core.files.debt_records import DebtRecords, Place
from tintype.core.files.model import HOME, StoreOptions
from tintype.core.files.tables import parts, uploads
from tintype.errors import NotFound, Unavailable


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that comes in parts; whoever knows its id may send them."""

    id: str
    app_id: str
    handle: str
    filename: str
    content_type: str
    size: int
    options: StoreOptions
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of an upload, by the number of their part and where in it they begin."""

    part: int
    offset: int
    place: str
    size: int
    md5: str


@dataclass(frozen=True, slots=True)
class UploadRecords:
    """Reads and writes uploads and their parts, one short transaction a method."""

    database: Database
    debts: DebtRecords

    async def begin(self, upload: Upload) -> None:
        """Store a new upload."""
        row = {name: getattr(upload, name) for name in Upload.__dataclass_fields__}
        row |= {"options": asdict(upload.options), "used_at": upload.begun_at}
        async with self.database.write() as connection:
            await connection.execute(insert(uploads).values(row))

    async def get(self, upload_id: str) -> Upload | None:
        """Return an upload."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(uploads).where(uploads.c.id == upload_id))).one_or_none()
        return _upload(row) if row else None

    async def keep(self, upload: Upload, part: Part, now: datetime) -> Sequence[Place]:
        """Store a part over an earlier one of the same number and offset; return the places that are let go."""
        mine = (parts.c.upload_id == upload.id) & (parts.c.part == part.part) & (parts.c.offset == part.offset)
        async with self.database.write() as connection:
            used = update(uploads).where(uploads.c.id == upload.id).values(used_at=now)
            if (await connection.execute(used)).rowcount == 0:
                raise NotFound("this upload is over")
            if not await self.debts.settle(connection, Place(HOME, part.place)):
                raise Unavailable("the part came too late; send it again", retry_after=1)
            rows = await connection.execute(select(parts.c.place).where(mine))
            left = [Place(HOME, row.place) for row in rows]
            await connection.execute(delete(parts).where(mine))
            await connection.execute(insert(parts).values(upload_id=upload.id, **asdict(part)))
            await self.debts.leave(connection, left, now)
        return left

    async def parts(self, upload_id: str) -> Sequence[Part]:
        """Return an upload's parts in the order of their bytes."""
        query = select(parts).where(parts.c.upload_id == upload_id).order_by(parts.c.part, parts.c.offset)
        async with self.database.read() as connection:
            rows = await connection.execute(query)
            return [Part(row.part, row.offset, row.place, row.size, row.md5) for row in rows]

    async def end(self, upload_id: str, now: datetime, *, forget: bool) -> Sequence[Place]:
        """Let go of an upload's parts, and with `forget` of itself; return their places."""
        async with self.database.write() as connection:
            rows = await connection.execute(select(parts.c.place).where(parts.c.upload_id == upload_id))
            left = [Place(HOME, row.place) for row in rows]
            await connection.execute(delete(parts).where(parts.c.upload_id == upload_id))
            if forget:
                await connection.execute(delete(uploads).where(uploads.c.id == upload_id))
            await self.debts.leave(connection, left, now)
        return left

    async def idle(self, before: datetime, limit: int) -> Sequence[str]:
        """Return uploads that nobody sent anything to since `before`."""
        query = select(uploads.c.id).where(uploads.c.used_at < before).limit(limit)
        async with self.database.read() as connection:
            return list(await connection.scalars(query))


def _upload(row: Row[Any]) -> Upload:
    options: Mapping[str, Any] = row.options
    found: dict[str, Any] = {name: getattr(row, name) for name in Upload.__dataclass_fields__}
    found["options"] = StoreOptions(**options)
    return Upload(**found)
