"""The table of files and its SQL. Whoever shows a handle may have its file, so handles are looked up without a workspace."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database
from tintype.core.access import is_living, living_ids
from tintype.core.files.debt_records import DebtRecords, Place
from tintype.core.files.model import HOME, File, Kind, Medium, Overtaken, PickerApp, Stored
from tintype.core.files.tables import apps, derived, files
from tintype.errors import NotFound, TooLarge, Unavailable

Beside = Callable[[AsyncConnection, File], Awaitable[None]]  # what else happens in the transaction that stores a file

_LATE = "storing the file took too long; send it again"
_COLUMNS = tuple(name for name in File.__dataclass_fields__ if name not in ("number", "medium", "stored"))
_STORED = tuple(Stored.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class FileRecords:
    """Reads and writes files, one short transaction a method."""

    database: Database
    debts: DebtRecords

    async def add(self, app: PickerApp, file: File, beside: Beside) -> File:
        """Store a file that refers to bytes which were put already; return it with its number.

        Raises `TooLarge` beyond the app's quotas, and `NotFound` when the app was removed.
        """
        async with self.database.write(durable=True) as connection:
            await _hold(connection, app.id)
            await _within_quotas(connection, app, file)
            if file.stored is not None:
                await self._settle(connection, file.stored)
            number = await connection.scalar(insert(files).values(_row(file)).returning(files.c.number))
            added = replace(file, number=number or 0)
            await beside(connection, added)
        return added

    async def replace(self, app: PickerApp, old: File, new: File, beside: Beside, now: datetime) -> Sequence[Place]:
        """Put new content in place of the old; return the places that are let go.

        Raises `Overtaken` when somebody else changed or removed the file meanwhile.
        """
        mine = (files.c.handle == old.handle) & (files.c.version == old.version) & files.c.removed_at.is_(None)
        async with self.database.write(durable=True) as connection:
            await _hold(connection, app.id)
            await _within_quotas(connection, app, new, instead_of=old)
            if new.stored is not None:
                await self._settle(connection, new.stored)
            if (await connection.execute(update(files).where(mine).values(_row(new)))).rowcount == 0:
                raise Overtaken("somebody else changed this file at the same moment; try again")
            left = [*_places(old), *await _derived(connection, [old.handle])]
            await self.debts.leave(connection, left, now)
            await beside(connection, new)
        return left

    async def remove(
        self, file: File, *, reason: str, now: datetime, keep_bytes: bool, beside: Beside | None
    ) -> Sequence[Place] | None:
        """Leave a tombstone of a file; return the places that are let go, None when it was removed already."""
        mine = (files.c.handle == file.handle) & files.c.removed_at.is_(None)
        tombstone = {"removed_at": now, "reason": reason, "place": None, "source_url": None}
        async with self.database.write(durable=True) as connection:
            if (await connection.execute(update(files).where(mine).values(**tombstone))).rowcount == 0:
                return None
            left = [*(() if keep_bytes else _places(file)), *await _derived(connection, [file.handle])]
            await self.debts.leave(connection, left, now)
            if beside is not None:
                await beside(connection, file)
        return left

    async def get(self, handle: str) -> File | None:
        """Return a file, or its tombstone."""
        query = select(files).where(files.c.handle == handle, is_living(files.c.workspace_id))
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _file(row) if row else None

    async def measured(self, handle: str, version: int, **values: Any) -> None:
        """Note what was found out about a file's content."""
        mine = (files.c.handle == handle) & (files.c.version == version)
        async with self.database.write() as connection:
            await connection.execute(update(files).where(mine).values(**values))

    async def of_app(self, app_id: str, *, limit: int, before: int | None = None) -> Sequence[File]:
        """Return an app's living files, newest first; `before` is the number of the last one that was seen."""
        mine = (files.c.app_id == app_id) & files.c.removed_at.is_(None)
        if before is not None:
            mine = mine & (files.c.number < before)
        return await self._files(mine, limit)

    async def of_account(self, account_id: str, limit: int) -> Sequence[File]:
        """Return living files that show media of an Instagram account, in any order."""
        return await self._files((files.c.account_id == account_id) & files.c.removed_at.is_(None), limit)

    async def abandoned(self, limit: int) -> Sequence[File]:
        """Return living files whose app or workspace was removed."""
        dead = select(apps.c.id).where(apps.c.removed_at.is_not(None))
        lost = files.c.app_id.in_(dead) | files.c.workspace_id.not_in(living_ids())
        return await self._files(lost & files.c.removed_at.is_(None), limit)

    async def erase(self, handles: Sequence[str]) -> None:
        """Forget tombstones, names included."""
        async with self.database.write() as connection:
            await connection.execute(delete(files).where(files.c.handle.in_(handles), files.c.removed_at.is_not(None)))

    async def _files(self, condition: Any, limit: int) -> Sequence[File]:
        query = select(files).where(condition).order_by(files.c.number.desc()).limit(limit)
        async with self.database.read() as connection:
            return [_file(row) for row in await connection.execute(query)]

    async def _settle(self, connection: AsyncConnection, stored: Stored) -> None:
        if not await self.debts.settle(connection, Place(stored.store, stored.place)):
            raise Unavailable(_LATE, retry_after=1)


async def _hold(connection: AsyncConnection, app_id: str) -> None:
    # Held until the transaction ends, so that of many files at once none slips past a quota or into a removed app.
    mine = (apps.c.id == app_id) & apps.c.removed_at.is_(None) & is_living(apps.c.workspace_id)
    if await connection.scalar(select(apps.c.id).where(mine).with_for_update()) is None:
        raise NotFound("the app was removed; nothing is stored for it any more")


async def _within_quotas(
    connection: AsyncConnection, app: PickerApp, file: File, *, instead_of: File | None = None
) -> None:
    if app.quota_files is None and app.quota_bytes is None:
        return
    mine = (files.c.app_id == app.id) & files.c.removed_at.is_(None)
    stored = func.coalesce(func.sum(files.c.size).filter(files.c.kind == Kind.COPY.value), 0)
    count, size = (await connection.execute(select(func.count(), stored).where(mine))).one()
    if instead_of is None and app.quota_files is not None and count >= app.quota_files:
        raise TooLarge(f"the app's {app.quota_files} files are all used; remove some, or raise its quota")
    freed = (instead_of.size or 0) if instead_of and instead_of.stored else 0
    more = (file.size or 0) if file.stored else 0
    if app.quota_bytes is not None and size - freed + more > app.quota_bytes:
        raise TooLarge(f"the app's {app.quota_bytes} bytes would not be enough; remove files, or raise its quota")


async def _derived(connection: AsyncConnection, handles: Sequence[str]) -> Sequence[Place]:
    mine = derived.c.handle.in_(handles)
    rows = await connection.execute(select(derived.c.place).where(mine))
    found = [Place(HOME, row.place) for row in rows]
    await connection.execute(delete(derived).where(mine))
    return found


def _places(file: File) -> Sequence[Place]:
    return [Place(file.stored.store, file.stored.place)] if file.stored else []


def _row(file: File) -> dict[str, Any]:
    row = {name: getattr(file, name) for name in _COLUMNS}
    row |= {name: getattr(file.stored, name) if file.stored else None for name in _STORED}
    row |= {name: getattr(file.medium, name) if file.medium else None for name in Medium.__dataclass_fields__}
    return row | {"kind": file.kind.value, "tags": dict(file.tags) if file.tags else None}


def _file(row: Row[Any]) -> File:
    found: dict[str, Any] = {name: getattr(row, name) for name in _COLUMNS}
    found["kind"] = Kind(row.kind)
    found["medium"] = Medium(row.account_id, row.media_id, row.child_id) if row.media_id else None
    if row.store and row.place:
        found["stored"] = Stored(**{name: getattr(row, name) for name in _STORED})
    return File(number=row.number, **found)
