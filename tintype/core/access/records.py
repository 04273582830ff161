"""The tables of access and their SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Row,
    Select,
    String,
    Table,
    bindparam,
    exists,
    insert,
    select,
    update,
)

from tintype.backends.database import Database, Instant, Json, metadata
from tintype.backends.statements import Statement
from tintype.core.access.model import Caller, Credential, Grant, Workspace
from tintype.core.access.use_records import UseRecords

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("removed_at", Instant),
)

credentials = Table(
    "credentials",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("workspace_id", String(36), ForeignKey("workspaces.id", ondelete="CASCADE"), nullable=False),
    Column("grant", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("label", String(200), nullable=False),
    Column("hint", String(12), nullable=False),
    Column("origins", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("used_at", Instant),
    Index(None, "digest", unique=True),
    Index(None, "workspace_id"),
)


_SHOWN = Statement(
    select(*credentials.c["workspace_id", "id", "origins"], *workspaces.c["name", "removed_at"])
    .join(workspaces)
    .where(credentials.c.digest == bindparam("digest"), credentials.c.grant == bindparam("grant"))
    .where(credentials.c.revoked_at.is_(None))
)


@dataclass(frozen=True, slots=True)
class AccessRecords:
    """Reads and writes workspaces and credentials, one short transaction a method."""

    database: Database

    def uses(self) -> UseRecords:
        """Return what keeps when each credential was last used."""
        return UseRecords(self.database, credentials)

    async def add_workspace(self, workspace: Workspace, credential: Credential, digest: str) -> None:
        """Store a workspace together with its first credential."""
        async with self.database.write() as connection:
            await connection.execute(
                insert(workspaces).values(id=workspace.id, name=workspace.name, created_at=workspace.created_at)
            )
            await connection.execute(insert(credentials).values(_row(credential, digest)))

    async def add_credential(self, credential: Credential, digest: str) -> None:
        """Store one more credential of a workspace."""
        async with self.database.write() as connection:
            await connection.execute(insert(credentials).values(_row(credential, digest)))

    async def digests(self, workspace_id: str) -> Sequence[str]:
        """Return under which digests a workspace's credentials are stored, those of removed ones included."""
        query = select(credentials.c.digest).where(credentials.c.workspace_id == workspace_id)
        async with self.database.read() as connection:
            return list(await connection.scalars(query))

    async def find(self, digest: str, grant: Grant) -> tuple[Caller, bool] | None:
        """Return the caller behind a live credential, and whether its workspace still exists."""
        shown = {"digest": digest, "grant": grant.value}
        row = await self.database.look(lambda connection: _SHOWN.one(connection, shown))
        if row is None:
            return None
        workspace_id, credential_id, origins, name, removed_at = row
        return Caller(workspace_id, name, grant, credential_id, tuple(origins)), removed_at is None

    async def workspace(self, workspace_id: str) -> Workspace | None:
        """Return a workspace that was not removed."""
        found = await self._workspaces(workspaces.c.id == workspace_id)
        return found[0] if found else None

    async def workspaces(self) -> Sequence[Workspace]:
        """Return all workspaces, oldest first."""
        return await self._workspaces()

    async def remove_workspace(self, workspace_id: str, at: datetime) -> bool:
        """Mark a workspace as removed; its credentials stay, so that their owners hear what happened."""
        query = update(workspaces).where(workspaces.c.id == workspace_id, workspaces.c.removed_at.is_(None))
        async with self.database.write() as connection:
            return (await connection.execute(query.values(removed_at=at))).rowcount > 0

    async def credentials(self, workspace_id: str) -> Sequence[Credential]:
        """Return a workspace's credentials, newest first."""
        query = select(credentials).where(credentials.c.workspace_id == workspace_id)
        async with self.database.read() as connection:
            rows = await connection.execute(query.order_by(credentials.c.created_at.desc(), credentials.c.id))
            return [_credential(row) for row in rows]

    async def revoke(self, workspace_id: str, credential_id: str, at: datetime) -> bool:
        """Revoke a live credential of a workspace; tell whether there was one."""
        query = update(credentials).where(
            credentials.c.id == credential_id,
            credentials.c.workspace_id == workspace_id,
            credentials.c.revoked_at.is_(None),
        )
        async with self.database.write() as connection:
            return (await connection.execute(query.values(revoked_at=at))).rowcount > 0

    async def _workspaces(self, *conditions: Any) -> Sequence[Workspace]:
        query = select(workspaces).where(workspaces.c.removed_at.is_(None), *conditions)
        async with self.database.read() as connection:
            rows = await connection.execute(query.order_by(workspaces.c.created_at, workspaces.c.id))
            return [Workspace(row.id, row.name, row.created_at) for row in rows]


def living_ids() -> Select[tuple[str]]:
    """Return the query for the ids of all workspaces that were not removed, for conditions that go over all rows."""
    return select(workspaces.c.id).where(workspaces.c.removed_at.is_(None))


def is_living(workspace_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a row's workspace was not removed; only that one is looked at, however many there are."""
    mine = select(workspaces.c.id).where(workspaces.c.id == workspace_id, workspaces.c.removed_at.is_(None))
    return exists(mine.correlate_except(workspaces))


def _row(credential: Credential, digest: str) -> dict[str, Any]:
    return {
        "id": credential.id,
        "workspace_id": credential.workspace_id,
        "grant": credential.grant.value,
        "digest": digest,
        "label": credential.label,
        "hint": credential.hint,
        "origins": list(credential.origins),
        "created_at": credential.created_at,
    }


def _credential(row: Row[Any]) -> Credential:
    return Credential(
        row.id,
        row.workspace_id,
        Grant(row.grant),
        row.label,
        row.hint,
        tuple(row.origins),
        row.created_at,
        row.revoked_at,
        row.used_at,
    )
