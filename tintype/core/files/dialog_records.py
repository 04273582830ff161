"""The tables of dialogs and their SQL: which dialog stands open for whom, what was connected in it, and how."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Row, String, Table, delete, insert, select, update

from tintype.backends.database import Database, Instant, Json, metadata
from tintype.core.files.dialog_model import Dialog, DialogState, Opening
from tintype.core.files.tables import dialog_accounts, dialogs, files

connects = Table(
    "dialog_connects",
    metadata,
    Column("state", String(64), primary_key=True),
    Column("dialog_id", String(64), ForeignKey("dialogs.id", ondelete="CASCADE"), nullable=False),
    Column("browser", String(64), nullable=False),
    Column("code", String(8), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("done", Boolean, nullable=False),
    Column("trouble", Json),
    Column("begun_at", Instant, nullable=False),
    Index(None, "dialog_id"),
)


@dataclass(frozen=True, slots=True)
class Connect:
    """A connection that was begun in a dialog; `browser` is the fingerprint of what its window holds."""

    dialog_id: str
    browser: str = field(repr=False)
    code: str = field(repr=False)
    tries: int
    done: bool
    trouble: dict[str, str] | None
    begun_at: datetime


@dataclass(frozen=True, slots=True)
class DialogRecords:
    """Reads and writes dialogs, one short transaction a method."""

    database: Database

    async def add(self, dialog: Dialog, account_ids: Iterable[str], forget_before: datetime) -> None:
        """Store a dialog that opens now with accounts it knows already, and forget those that ended long ago."""
        rows = [{"dialog_id": dialog.id, "account_id": one} for one in account_ids]
        async with self.database.write() as connection:
            await connection.execute(delete(dialogs).where(dialogs.c.expires_at < forget_before))
            await connection.execute(insert(dialogs).values(_row(dialog)))
            if rows:
                await connection.execute(insert(dialog_accounts), rows)

    async def get(self, dialog_id: str) -> Dialog | None:
        """Return a dialog, however long ago it was used."""
        async with self.database.read() as connection:
            row = (await connection.execute(select(dialogs).where(dialogs.c.id == dialog_id))).one_or_none()
        return _dialog(row) if row else None

    async def touch(self, dialog_id: str, now: datetime, until: datetime) -> None:
        """Note that a dialog is used now, and lives on until a moment."""
        async with self.database.write() as connection:
            mine = (dialogs.c.id == dialog_id) & (dialogs.c.state == DialogState.OPEN.value)
            await connection.execute(update(dialogs).where(mine).values(used_at=now, expires_at=until))

    async def close(self, dialog_id: str, now: datetime) -> None:
        """End a dialog; nothing is shown or chosen in it any more."""
        async with self.database.write() as connection:
            ended = {"state": DialogState.CLOSED.value, "expires_at": now}
            await connection.execute(update(dialogs).where(dialogs.c.id == dialog_id).values(**ended))

    async def account_ids(self, dialog_id: str) -> Sequence[str]:
        """Return the accounts that were connected in a dialog."""
        query = select(dialog_accounts.c.account_id).where(dialog_accounts.c.dialog_id == dialog_id)
        async with self.database.read() as connection:
            return list(await connection.scalars(query))

    async def attach(self, dialog_id: str, state: str, account_ids: Iterable[str]) -> None:
        """Note what a connection brought to its dialog."""
        wanted = set(account_ids)
        async with self.database.write() as connection:
            mine = dialog_accounts.c.dialog_id == dialog_id
            known = set(await connection.scalars(select(dialog_accounts.c.account_id).where(mine)))
            rows = [{"dialog_id": dialog_id, "account_id": one} for one in sorted(wanted - known)]
            if rows:
                await connection.execute(insert(dialog_accounts), rows)
            ended = update(connects).where(connects.c.state == state).values(done=True, trouble=None)
            await connection.execute(ended)

    async def detach(self, account_id: str, dialog_id: str | None = None) -> None:
        """Take an account out of a dialog, or out of all."""
        mine = dialog_accounts.c.account_id == account_id
        if dialog_id is not None:
            mine &= dialog_accounts.c.dialog_id == dialog_id
        async with self.database.write() as connection:
            await connection.execute(delete(dialog_accounts).where(mine))

    async def linked(self, account_id: str) -> bool:
        """Tell whether a living link or copy still names an account."""
        mine = (files.c.account_id == account_id) & files.c.removed_at.is_(None)
        async with self.database.read() as connection:
            return await connection.scalar(select(files.c.handle).where(mine).limit(1)) is not None

    async def begin(self, state: str, connect: Connect) -> None:
        """Store a connection that begins now."""
        row = {name: getattr(connect, name) for name in Connect.__dataclass_fields__}
        async with self.database.write() as connection:
            await connection.execute(insert(connects).values(state=state, **row))

    async def connect(self, state: str) -> Connect | None:
        """Return a connection by its state's fingerprint."""
        return await self._connect(select(connects).where(connects.c.state == state))

    async def last_connect(self, dialog_id: str) -> Connect | None:
        """Return the newest connection that a dialog began."""
        newest = connects.c.begun_at.desc()
        return await self._connect(select(connects).where(connects.c.dialog_id == dialog_id).order_by(newest).limit(1))

    async def tried(self, state: str) -> int:
        """Count one more try at a connection's code, and return the count."""
        query = update(connects).where(connects.c.state == state).values(tries=connects.c.tries + 1)
        async with self.database.write() as connection:
            return await connection.scalar(query.returning(connects.c.tries)) or 0

    async def failed(self, state: str, trouble: dict[str, str]) -> None:
        """Note why a connection came to nothing."""
        async with self.database.write() as connection:
            ended = update(connects).where(connects.c.state == state).values(done=True, trouble=trouble)
            await connection.execute(ended)

    async def _connect(self, query: Any) -> Connect | None:
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Connect(**{name: getattr(row, name) for name in Connect.__dataclass_fields__}) if row else None


def _row(dialog: Dialog) -> dict[str, Any]:
    return {
        "id": dialog.id,
        "app_id": dialog.app_id,
        "workspace_id": dialog.workspace_id,
        "origin": dialog.origin,
        "options": dialog.opening.stored(),
        "state": dialog.state.value,
        "made_at": dialog.made_at,
        "used_at": dialog.used_at,
        "expires_at": dialog.expires_at,
    }


def _dialog(row: Row[Any]) -> Dialog:
    return Dialog(
        id=row.id,
        app_id=row.app_id,
        workspace_id=row.workspace_id,
        origin=row.origin,
        opening=Opening.of(row.options),
        state=DialogState(row.state),
        made_at=row.made_at,
        used_at=row.used_at,
        expires_at=row.expires_at,
    )
