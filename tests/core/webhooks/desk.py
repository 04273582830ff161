"""Webhooks before a receiver on a loopback port, with a clock that stands until it is moved."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from filestack.helpers import (  # pyright: ignore[reportMissingTypeStubs] - untyped library
    verify_webhook_signature,  # pyright: ignore[reportUnknownVariableType]
)
from standardwebhooks import Webhook
from standardwebhooks import webhooks as official

from tests.backends.remote import Asked, Remote, answer, remote
from tintype.backends.bus import MemoryBus
from tintype.backends.database import Database, open_database
from tintype.backends.migrations import upgrade
from tintype.backends.outbound import HttpOutbound
from tintype.backends.vault import Vault, new_key
from tintype.core.access import Access, AccessRecords, Uses
from tintype.core.webhooks import (
    Deliverer,
    DeliveryRecords,
    EndpointRecords,
    Happening,
    Issued,
    Outbox,
    Policy,
    Progress,
    Scope,
    Tries,
    Webhooks,
    Wish,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LINK = {
    "url": "https://files.example.com/api/file/WAunDTTqQfCNWwUUyf6n",
    "client": "Instagram",
    "type": "image/jpeg",
    "filename": "1579337399020824.jpg",
    "size": 139154,
}


@asynccontextmanager
async def migrated(url: str) -> AsyncGenerator[Database]:
    """Open a database at its newest state."""
    opened = open_database(url)
    await upgrade(opened)
    try:
        yield opened
    finally:
        await opened.close()


@dataclass(slots=True)
class Receiver:
    """Somebody's server: what it answers by path, and what arrived."""

    remote: Remote
    answers: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])  # status line and headers
    bodies: dict[str, bytes] = field(default_factory=dict[str, bytes])
    hanging: set[str] = field(default_factory=set[str])  # paths that take everything and answer nothing
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def url(self, path: str) -> str:
        return self.remote.url(path)

    def arrived(self, path: str = "/hook") -> list[Asked]:
        return [asked for asked in self.remote.asked if asked.target == path]

    def told(self, path: str = "/hook") -> list[dict[str, Any]]:
        return [json.loads(asked.body) for asked in self.arrived(path)]


@dataclass(slots=True)
class Desk:
    """The trade, its receiver and its clock."""

    webhooks: Webhooks
    deliverer: Deliverer
    receiver: Receiver
    scope: Scope
    clock: list[datetime]

    @property
    def now(self) -> datetime:
        return self.clock[0]

    def skip(self, span: timedelta) -> None:
        self.clock[0] += span

    async def add(self, path: str = "/hook", **wish: Any) -> Issued:
        """Register an endpoint of the receiver."""
        return await self.webhooks.add(self.scope, Wish(url=self.receiver.url(path), **wish))

    async def tell(self, event: str = "fp.upload", text: Mapping[str, object] = LINK, **more: Any) -> None:
        """Let something happen."""
        await self.webhooks.outbox.tell(Happening(self.scope.workspace_id, None, event, text, self.now, **more))

    async def deliver(self, after: timedelta = timedelta(0)) -> list[Progress]:
        """Let time pass, then send all that is due; return what each attempt came to."""
        self.skip(after)
        found: list[Progress] = []
        tries = self.webhooks.tries
        while claims := await tries.claim():
            found += [verdict.state for verdict in await asyncio.gather(*map(tries.attempt, claims))]
        return found

    async def remove_workspace(self) -> None:
        """Remove the workspace whose endpoints these are."""
        await access_to(self.webhooks.outbox.database).remove(self.scope.workspace_id)


def access_to(database: Database) -> Access:
    """Return who makes and removes workspaces there."""
    records = AccessRecords(database)
    return Access(records, MemoryBus(), Uses(records.uses(), lambda: NOW))


@asynccontextmanager
async def opened(database: Database, **changes: Any) -> AsyncGenerator[Desk]:
    """Open the trade on an empty database."""
    async with receiving() as receiver:
        clock = [NOW]
        outbound = HttpOutbound(allow=(receiver.remote.place,))
        try:
            async with database.write() as connection:
                await connection.exec_driver_sql("DELETE FROM workspaces")
            workspace, _ = await access_to(database).register("Receivers")
            policy = replace(Policy(jitter=timedelta(0), seconds=5, allowed=(receiver.remote.place,)), **changes)
            yield desk_on(database, outbound, receiver, policy, workspace.id, clock, Vault.of(new_key()))
        finally:
            await outbound.close()


def desk_on(
    database: Database,
    outbound: HttpOutbound,
    receiver: Receiver,
    policy: Policy,
    workspace_id: str,
    clock: list[datetime],
    vault: Vault,
) -> Desk:
    """Put the trade together."""
    endpoints, deliveries = EndpointRecords(database), DeliveryRecords(database)
    tries = Tries(deliveries, endpoints, outbound, vault, policy, lambda: clock[0], draw=lambda: 1.0)
    deliverer = Deliverer(tries)
    outbox = Outbox(database, lambda: clock[0], deliverer.wake)
    webhooks = Webhooks(endpoints, deliveries, outbox, tries, vault, policy, "https://files.example.com")
    return Desk(webhooks, deliverer, receiver, Scope(workspace_id), clock)


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    """Serve a receiver that takes everything, unless `answers` has something else for a path."""
    here: list[Receiver] = []

    async def play(asked: Asked, writer: Any) -> None:
        if asked.target in here[0].hanging:
            await here[0].over.wait()
        status, *headers = here[0].answers.get(asked.target, ("200 OK",))
        body = here[0].bodies.get(asked.target, b"thanks")
        await answer(body, "Connection: close", *headers, status=status)(asked, writer)

    async with remote(play) as found:
        here.append(Receiver(found))
        try:
            yield here[0]
        finally:
            here[0].over.set()


class _Standing(datetime):
    """The moment at which the official verifier looks; it has no clock of its own to be set."""

    moment = NOW

    @classmethod
    def now(cls, tz: Any = None) -> datetime:
        return cls.moment.astimezone(tz)


def verified(secret: str, asked: Asked, at: datetime) -> Any:
    """Have both official verifiers look at a request, at a moment of ours, and return what was told."""
    assert filestack_takes(secret, asked)
    return standard_takes(secret, asked, at)


def filestack_takes(secret: str, asked: Asked) -> bool:
    ok, _ = verify_webhook_signature(secret, asked.body, asked.headers)
    return bool(ok)


def standard_takes(secret: str, asked: Asked, at: datetime) -> Any:
    real, official.datetime = official.datetime, _Standing  # pyright: ignore[reportPrivateImportUsage] - its clock
    _Standing.moment = at
    try:
        return Webhook(secret).verify(asked.body, asked.headers)
    finally:
        official.datetime = real  # pyright: ignore[reportPrivateImportUsage] - see above
