"""Endpoints and messages in SQL: who is told, and what is to be told; the way between them is in `delivery_records.py`."""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database
from tintype.backends.statements import Statement
from tintype.core.access import is_living, living_ids
from tintype.core.webhooks.model import (
    Endpoint,
    Envelope,
    Happening,
    Progress,
    State,
    Way,
    body_of,
    is_chosen,
    is_of_files,
    wants,
)
from tintype.core.webhooks.schedule import Schedule
from tintype.core.webhooks.tables import deliveries, endpoints, messages

_BASE62 = string.ascii_letters + string.digits
_UID = 22  # characters: 131 bits

WISHED = ("url", "events", "description", "schedule", "delays", "envelope")
STANDING = ("state", "reason", "failing_since", "failed_at")
SEALED = ("secret", "earlier", "private")

_of_workspace = (endpoints.c.workspace_id == bindparam("workspace_id")) & is_living(endpoints.c.workspace_id)
_LISTENING = select(endpoints).where(_of_workspace)
_CHOSEN = Statement(select(endpoints.c.events).where(_of_workspace, endpoints.c.app_id.is_(None)))
# An endpoint that is removed at this moment must not take the caller's transaction with it.
_LOCKED = _LISTENING.with_for_update(read=True, key_share=True)


@dataclass(frozen=True, slots=True)
class Sealed:
    """An endpoint's keys as they are stored."""

    secret: bytes = field(repr=False)
    private: bytes = field(repr=False)
    earlier: bytes | None = field(default=None, repr=False)
    overlap_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class EndpointRecords:
    """Reads and writes endpoints, one short transaction a method; every query takes the workspace."""

    database: Database

    async def add(self, endpoint: Endpoint, sealed: Sealed, most: int) -> bool:
        """Store a new endpoint; False when its workspace has `most` already."""
        values = {name: getattr(endpoint, name) for name in _PLAIN} | _columns(endpoint)
        keys = {"secret": sealed.secret, "private": sealed.private}
        async with self.database.write() as connection:
            count = select(func.count()).where(endpoints.c.workspace_id == endpoint.workspace_id)
            if ((await connection.execute(count)).scalar_one()) >= most:
                return False
            await connection.execute(insert(endpoints).values(**values, **keys))
        return True

    async def all(self, workspace_id: str, app_id: str | None) -> Sequence[Endpoint]:
        """Return a workspace's endpoints, or those of one app of it, the oldest first."""
        query = select(endpoints).where(*_of(workspace_id, app_id)).order_by(endpoints.c.created_at, endpoints.c.id)
        async with self.database.read() as connection:
            return [endpoint_of(row) for row in await connection.execute(query)]

    async def get(self, workspace_id: str, app_id: str | None, endpoint_id: str) -> Endpoint | None:
        """Return one of them."""
        query = select(endpoints).where(*_of(workspace_id, app_id), endpoints.c.id == endpoint_id)
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return endpoint_of(row) if row else None

    async def change(self, endpoint: Endpoint, **values: Any) -> None:
        """Store what changed of an endpoint."""
        async with self.database.write() as connection:
            await connection.execute(update(endpoints).where(_is(endpoint)).values(**values))

    async def store(self, endpoint: Endpoint, columns: Sequence[str]) -> None:
        """Store some columns of an endpoint as they are now; the others may change at this moment."""
        values = {name: getattr(endpoint, name) for name in _PLAIN} | _columns(endpoint)
        await self.change(endpoint, **{name: values[name] for name in columns})

    async def remove(self, endpoint: Endpoint) -> None:
        """Forget an endpoint with all its deliveries."""
        async with self.database.write() as connection:
            await connection.execute(delete(endpoints).where(_is(endpoint)))

    async def unwritten(self, since: datetime) -> Sequence[Endpoint]:
        """Return the endpoints of living workspaces that were disabled since then and whose owners were not told."""
        mine = (endpoints.c.state == State.DISABLED.value) & endpoints.c.written_at.is_(None)
        lately = (endpoints.c.failed_at >= since) & is_living(endpoints.c.workspace_id)
        query = select(endpoints).where(mine, lately).order_by(endpoints.c.failed_at, endpoints.c.id)
        async with self.database.read() as connection:
            return [endpoint_of(row) for row in await connection.execute(query)]

    async def sealed(self, endpoint: Endpoint) -> Sealed | None:
        """Return an endpoint's keys, unless it was removed meanwhile."""
        query = select(endpoints).where(_is(endpoint))
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return sealed_of(row) if row else None

    async def rotate(
        self, endpoint: Endpoint, before: bytes, secret: bytes, earlier: bytes | None, until: datetime | None
    ) -> bool:
        """Store a new secret, with the one before for as long as it is accepted; False when that is another by now."""
        values = {"secret": secret, "earlier": earlier, "overlap_until": until}
        mine = _is(endpoint) & (endpoints.c.secret == before)
        async with self.database.write() as connection:
            return (await connection.execute(update(endpoints).where(mine).values(**values))).rowcount > 0

    async def skip(self, endpoint: Endpoint, now: datetime) -> int:
        """Let go of what waits for an endpoint and was never tried; return how much that was."""
        waiting = (
            deliveries.c.endpoint_id == endpoint.id,
            deliveries.c.state == Progress.WAITING.value,
            deliveries.c.first_at.is_(None),
        )
        skipped = update(deliveries).where(*waiting).values(state=Progress.SKIPPED.value, due_at=None, ended_at=now)
        async with self.database.write() as connection:
            return (await connection.execute(skipped)).rowcount

    async def remove_unpulled(self, before: datetime) -> int:
        """Forget endpoints of listeners that did not ask since; return how many those were."""
        silent = or_(
            endpoints.c.pulled_at < before, endpoints.c.pulled_at.is_(None) & (endpoints.c.created_at < before)
        )
        async with self.database.write() as connection:
            gone = delete(endpoints).where(endpoints.c.way == Way.PULL.value, silent)
            return (await connection.execute(gone)).rowcount

    async def every_sealed(self) -> Sequence[tuple[str, str, bytes]]:
        """Return every sealed value of every endpoint: its id, the column's name, and the value."""
        async with self.database.read() as connection:
            rows = (await connection.execute(select(endpoints))).all()
        return [(row.id, name, value) for row in rows for name in SEALED if (value := getattr(row, name)) is not None]

    async def reseal(self, endpoint_id: str, name: str, before: bytes, sealed: bytes) -> bool:
        """Store a value sealed anew, unless it changed meanwhile."""
        mine = (endpoints.c.id == endpoint_id) & (endpoints.c[name] == before)
        async with self.database.write() as connection:
            return (await connection.execute(update(endpoints).where(mine).values({name: sealed}))).rowcount > 0


def wanting(connection: Connection, happening: Happening, *, lock: bool = False) -> Sequence[Endpoint]:
    """Return the endpoints that want to hear of this; with `lock` none of them goes away before the transaction ends."""
    rows = connection.execute(_LOCKED if lock else _LISTENING, {"workspace_id": happening.workspace_id})
    return [one for row in rows if wants(one := endpoint_of(row), happening)]


def hears(connection: Connection, workspace_id: str, event: str) -> bool:
    """Tell whether an endpoint that is of no app wants to hear of such an event."""
    return any(is_chosen(event, chosen) for (chosen,) in _CHOSEN.all(connection, {"workspace_id": workspace_id}))


async def curious(database: Database) -> Sequence[str]:
    """Return the workspaces whose endpoints want to hear of more than files."""
    query = select(endpoints).where(endpoints.c.workspace_id.in_(living_ids()))
    async with database.read() as connection:
        found = [endpoint_of(row) for row in await connection.execute(query)]
    return sorted({one.workspace_id for one in found if any(not is_of_files(event) for event in one.events)})


async def put(
    connection: AsyncConnection, happening: Happening, now: datetime, *, but: str | None = None
) -> int | None:
    """Write one message with its way to every endpoint that wants it (but one), in the caller's own transaction.

    Returns the message's number; None when nobody wants it, or one with its key was written before.
    """
    wanting_it = [one for one in await connection.run_sync(wanting, happening, lock=True) if one.id != but]
    if not wanting_it:
        return None
    number = await _number(connection, happening, now)
    if number is None:
        return None
    body = body_of(number, happening).decode()
    await connection.execute(update(messages).where(messages.c.id == number).values(body=body))
    fresh = [{"endpoint_id": one.id, "message_id": number, "due_at": now, **NEW} for one in wanting_it]
    await connection.execute(insert(deliveries), fresh)
    return number


NEW: dict[str, Any] = {"state": Progress.WAITING.value, "attempts": 0, "fence": 0, "is_replay": False}


async def _number(connection: AsyncConnection, happening: Happening, now: datetime) -> int | None:
    insert_or_not = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    uid = "msg_" + "".join(secrets.choice(_BASE62) for _ in range(_UID))
    row = {name: getattr(happening, name) for name in ("workspace_id", "app_id", "event", "key", "at")}
    statement = insert_or_not(messages).values(**row, uid=uid, body="", stored_at=now)
    fresh = statement.on_conflict_do_nothing(index_elements=["workspace_id", "key"]).returning(messages.c.id)
    return (await connection.execute(fresh)).scalar_one_or_none()


_PLAIN = (
    "id",
    "workspace_id",
    "app_id",
    "url",
    "description",
    "reason",
    "public_key",
    "created_at",
    "overlap_until",
    "failing_since",
    "failed_at",
    "delivered_at",
)


def _columns(endpoint: Endpoint) -> dict[str, Any]:
    return {
        "events": list(endpoint.events),
        "schedule": endpoint.schedule.name,
        "delays": list(endpoint.schedule.seconds),
        "envelope": endpoint.envelope.value,
        "way": endpoint.way.value,
        "state": endpoint.state.value,
    }


def endpoint_of(row: Row[Any]) -> Endpoint:
    """Return the endpoint that a row of its table is."""
    return Endpoint(
        **{name: getattr(row, name) for name in _PLAIN},
        events=tuple(row.events),
        schedule=Schedule.of(row.schedule, row.delays),
        envelope=Envelope(row.envelope),
        way=Way(row.way),
        state=State(row.state),
    )


def sealed_of(row: Row[Any]) -> Sealed:
    """Return the keys that a row of endpoints has."""
    return Sealed(row.secret, row.private, row.earlier, row.overlap_until)


def _of(workspace_id: str, app_id: str | None) -> tuple[Any, ...]:
    mine = endpoints.c.workspace_id == workspace_id
    return (mine,) if app_id is None else (mine, endpoints.c.app_id == app_id)


def _is(endpoint: Endpoint) -> Any:
    return (endpoints.c.id == endpoint.id) & (endpoints.c.workspace_id == endpoint.workspace_id)
