"""The table of the picker's apps and its SQL. Secrets arrive and leave sealed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from tintype.backends.database import Database
from tintype.core.access import UseRecords, is_living, living_ids
from tintype.core.files.model import Kind, PickerApp
from tintype.core.files.tables import apps, files
from tintype.errors import Stale

_SHOWN = tuple(name for name in PickerApp.__dataclass_fields__ if name != "number")


@dataclass(frozen=True, slots=True)
class SealedApp:
    """An app with its sealed secrets: the present one, and the one before it while that still counts."""

    app: PickerApp
    secret: bytes = field(repr=False)
    old_secret: bytes | None = field(repr=False)
    old_secret_until: datetime | None


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of its quotas an app has used."""

    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class AppRecords:
    """Reads and writes apps, one short transaction a method."""

    database: Database

    def uses(self) -> UseRecords:
        """Return what keeps when each app's key or secret was last used."""
        return UseRecords(self.database, apps)

    async def add(self, app: PickerApp, secret: bytes) -> int | None:
        """Store an app and return its number; None, and nothing stored, without its workspace."""
        living = living_ids()
        mine = living.where(living.selected_columns.id == app.workspace_id).with_for_update(read=True)
        async with self.database.write() as connection:
            if await connection.scalar(mine) is None:
                return None
            return await connection.scalar(insert(apps).values(_row(app) | {"secret": secret}).returning(apps.c.number))

    async def by_key(self, key: str) -> SealedApp | None:
        """Return the living app of a key."""
        query = select(apps).where(apps.c.key == key, apps.c.removed_at.is_(None), _living())
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _sealed(row) if row else None

    async def by_id(self, app_id: str) -> SealedApp | None:
        """Return a living app by its id."""
        query = select(apps).where(apps.c.id == app_id, apps.c.removed_at.is_(None), _living())
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return _sealed(row) if row else None

    async def of_workspace(self, workspace_id: str) -> Sequence[PickerApp]:
        """Return a workspace's living apps, oldest first."""
        mine = (apps.c.workspace_id == workspace_id) & apps.c.removed_at.is_(None)
        async with self.database.read() as connection:
            rows = await connection.execute(select(apps).where(mine).order_by(apps.c.number))
            return [_app(row) for row in rows]

    async def change(self, workspace_id: str, app_id: str, **values: Any) -> bool:
        """Set some columns of a workspace's living app; tell whether there is one."""
        mine = (apps.c.id == app_id) & (apps.c.workspace_id == workspace_id) & apps.c.removed_at.is_(None)
        async with self.database.write() as connection:
            return (await connection.execute(update(apps).where(mine).values(**values))).rowcount > 0

    async def amend(self, workspace_id: str, app_id: str, tag: str | None, values: Mapping[str, Any]) -> bool:
        """Set what its owner changes of a workspace's living app; tell whether there is one.

        Raises `Stale` when somebody else changed it since it had this tag.
        """
        mine = (apps.c.id == app_id) & (apps.c.workspace_id == workspace_id) & apps.c.removed_at.is_(None)
        async with self.database.write() as connection:
            query = select(apps).where(mine).with_for_update(key_share=True)
            row = (await connection.execute(query)).one_or_none()
            if row is None:
                return False
            if tag not in (None, _app(row).tag):
                raise Stale("the app changed since you read it; read it again")
            await connection.execute(update(apps).where(mine).values(**values))
        return True

    async def forget_removed(self) -> None:
        """Forget apps that were removed, or whose workspace was, once none of their files is left."""
        removed = apps.c.removed_at.is_not(None) | apps.c.workspace_id.not_in(living_ids())
        kept = select(files.c.app_id).where(files.c.removed_at.is_(None))
        async with self.database.write() as connection:
            await connection.execute(delete(apps).where(removed, apps.c.id.not_in(kept)))

    async def usage(self, app_id: str) -> Usage:
        """Return how many living files an app has, and how many bytes its copies take."""
        mine = (files.c.app_id == app_id) & files.c.removed_at.is_(None)
        stored = func.coalesce(func.sum(files.c.size).filter(files.c.kind == Kind.COPY.value), 0)
        async with self.database.read() as connection:
            row = (await connection.execute(select(func.count(), stored).where(mine))).one()
        return Usage(int(row[0]), int(row[1]))

    async def sealed(self) -> Sequence[SealedApp]:
        """Return every app with its sealed secrets, for sealing them anew."""
        async with self.database.read() as connection:
            return [_sealed(row) for row in await connection.execute(select(apps))]

    async def rotate(self, held: SealedApp, secret: bytes, until: datetime) -> bool:
        """Store a new secret, and until when the one that is held counts beside it; False when there is another by now."""
        mine = (apps.c.id == held.app.id) & (apps.c.secret == held.secret) & apps.c.removed_at.is_(None)
        values = {"secret": secret, "old_secret": held.secret, "old_secret_until": until}
        async with self.database.write() as connection:
            return (await connection.execute(update(apps).where(mine).values(**values))).rowcount > 0

    async def reseal(self, app_id: str, name: str, old: bytes, new: bytes) -> bool:
        """Put a newly sealed secret in place of the old one, unless that was replaced meanwhile."""
        mine = (apps.c.id == app_id) & (apps.c[name] == old)
        async with self.database.write() as connection:
            return (await connection.execute(update(apps).where(mine).values({name: new}))).rowcount > 0


def _living() -> Any:
    return is_living(apps.c.workspace_id)


def _row(app: PickerApp) -> dict[str, Any]:
    row = {name: getattr(app, name) for name in _SHOWN}
    return row | {"origins": list(app.origins), "presets": dict(app.presets), "storages": dict(app.storages)}


def _sealed(row: Row[Any]) -> SealedApp:
    return SealedApp(_app(row), row.secret, row.old_secret, row.old_secret_until)


def _app(row: Row[Any]) -> PickerApp:
    found: dict[str, Any] = {name: getattr(row, name) for name in PickerApp.__dataclass_fields__}
    found["origins"] = tuple(row.origins)
    return PickerApp(**found)
