"""The roof: settings → backends → Instagram → core → dialects → one ASGI app. Nothing else knows everything.

A `House` is put together by plain calls, may be opened several times in one process, and leaves nothing behind when it is
closed. On SQLite one process works the jobs: the one that holds the data folder's lock.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from tintype import __version__, tracing
from tintype.backends.engine import Job, Schedule
from tintype.backends.idempotency import Idempotency
from tintype.core import files, notifications, publishing, recipes, webhooks
from tintype.core.downloads import Runner as DownloadRunner
from tintype.core.downloads import inherit
from tintype.core.downloads import jobs as download_jobs
from tintype.core.downloads import schedules as download_schedules
from tintype.core.feed import FeedRecords, Policy, Renditions, jobs, schedules
from tintype.core.insights import jobs as insight_jobs
from tintype.core.insights import schedules as insight_schedules
from tintype.instagram import utc_now
from tintype.machinery import Backends, open_backends
from tintype.picking import Picking
from tintype.rooms import Rooms, furnish
from tintype.settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class House(Rooms):
    """Everything, put together."""

    settings: Settings
    backends: Backends
    fronting: "Callable[[], ASGIApp]"

    @property
    def front(self) -> "ASGIApp":
        """The ASGI app, put together when it is first asked for: most commands serve nobody."""
        return self.fronting()


@asynccontextmanager
async def open_house(
    settings: Settings, *, work: bool = True, only: tuple[str, ...] = (), now: Callable[[], datetime] = utc_now
) -> AsyncGenerator[House]:
    """Open a house; with `work` it also works the jobs, unless another process of the same data folder does.

    Accounts and feeds keep the dates that `now` gives.

    Raises `Misconfigured` before anything is opened when a setting cannot be, and before anything is done with another
    encryption key than the one that sealed what is stored.
    """
    async with AsyncExitStack() as stack:
        tracing.begin(settings.otel_exporter_otlp_endpoint, __version__)
        stack.callback(tracing.end)
        backends = await open_backends(settings, stack, work)
        rooms = furnish(settings, backends, now)
        fronting = _fronting(settings, backends, rooms, only, now)
        furnished = {one.name: getattr(rooms, one.name) for one in fields(rooms)}
        house = House(**furnished, settings=settings, backends=backends, fronting=fronting)
        await house.kitchen.notifier.prove()
        if backends.works:
            await _sweep(backends, house.picking)
        if backends.works and backends.database.is_sqlite:
            await Idempotency(backends.database, backends.vault).release()
            await inherit(house.downloads)
        if backends.watch is not None:
            backends.watch.heirs += _heirs(house)
        await backends.bus.start()
        await backends.engine.start(_jobs(house), _schedules(house))
        uses = house.access.uses, house.picking.apps.uses
        for one in (backends.engine, house.downloads, *uses, house.kitchen.hub):
            stack.push_async_callback(one.close)
        if backends.works:
            await _begin(house, stack)
        yield house


def _fronting(
    settings: Settings, backends: Backends, rooms: Rooms, only: tuple[str, ...], now: Callable[[], datetime]
) -> "Callable[[], ASGIApp]":
    """Return what gives the app that speaks all dialects, or only some: always the same one, made at the first call."""

    @cache
    def front() -> "ASGIApp":
        # To load the web framework and the dialects takes half a second, which whoever serves nobody need not wait for.
        from tintype.front import open_front

        return open_front(settings, backends, rooms, only, now)

    return front


def _jobs(house: House) -> Sequence[Job]:
    picking, kitchen = house.picking, house.kitchen
    return (
        *jobs(house.feed, house.renditions),
        *insight_jobs(house.insights),
        *publishing.jobs(house.publisher.resources),
        *download_jobs(house.downloads),
        *recipes.jobs(kitchen.pipeline, house.backends.blobs),
        *notifications.jobs(kitchen.notifier, {"queue": kitchen.news}),
        *files.jobs(picking.apps, picking.files, picking.uploads, picking.conversions),
        *webhooks.jobs(house.letters),
    )


def _schedules(house: House) -> Sequence[Schedule]:
    return (
        *schedules(house.feed),
        *insight_schedules(house.insights),
        *publishing.schedules(),
        *download_schedules(),
        *recipes.schedules(),
        *notifications.schedules(),
        *files.schedules(),
        *webhooks.schedules(house.letters),
    )


def _heirs(house: House) -> Sequence[Callable[[str], Awaitable[int]]]:
    """Return who goes on with what a node had that died, those first for whom others wait."""
    kitchen, deliverer = house.kitchen, house.picking.hooks.deliverer
    trades = (house.downloads, house.runner, kitchen.runner, deliverer, kitchen.notifier)
    return [one.inherit for one in trades]


async def _begin(house: House, stack: AsyncExitStack) -> None:
    """Start those who do what is due, each with what a process that died has left."""
    alone, deliverer = house.backends.database.is_sqlite, house.picking.hooks.deliverer
    await house.runner.start(alone=alone)
    stack.push_async_callback(house.runner.close)
    await house.kitchen.start(alone=alone)
    stack.push_async_callback(house.kitchen.runner.close)
    await deliverer.start(alone=alone)
    stack.push_async_callback(deliverer.close)
    heirs = DownloadRunner(house.downloads)
    await heirs.start()
    stack.push_async_callback(heirs.close)
    await house.announcer.catch_up()


async def _sweep(backends: Backends, picking: Picking) -> None:
    """Put away what a killed process left half-written; on SQLite no other process is writing now."""
    if backends.database.is_sqlite:
        records = FeedRecords(backends.database)
        renditions = Renditions(records, backends.blobs, backends.images)
        swept = await renditions.collect(Policy().grace, strays_too=timedelta(0))
        swept += await picking.files.tidy(timedelta(0))
        if swept:
            log.info("put away %d copies that nothing refers to", swept)
