"""The roof: settings → backends → Instagram → core → dialects → one ASGI app. Nothing else knows everything.

A `House` is put together by plain calls, may be opened several times in one process, and leaves nothing behind when it is
closed. On SQLite one process works the jobs: the one that holds the data folder's lock.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from functools import partial

from starlette.types import ASGIApp

from tintype import __version__, tracing
from tintype.api.callers import Limiter
from tintype.api.dialect import Front, Mounted
from tintype.api.feed import FEED, FeedDesk, Shelf
from tintype.api.feed import mount as mount_feed
from tintype.api.feed.wire import Links
from tintype.api.health import Part
from tintype.api.health import mount as mount_health
from tintype.api.meta import MetaDesk
from tintype.api.meta import mount as mount_meta
from tintype.api.scrape import SCRAPE, Gate, MediaLinks, Rates, ScrapeDesk, alone
from tintype.api.scrape import mount as mount_scrape
from tintype.api.social import Registration, SocialDesk
from tintype.api.social import mount as mount_social
from tintype.backends.engine import Job, Schedule
from tintype.backends.idempotency import Idempotency
from tintype.backends.qstash import QStash, Signatures
from tintype.core import files, notifications, publishing, recipes, webhooks
from tintype.core.downloads import (
    Downloads,
    inherit,
    standing_of,
)
from tintype.core.downloads import Runner as DownloadRunner
from tintype.core.downloads import jobs as download_jobs
from tintype.core.downloads import schedules as download_schedules
from tintype.core.feed import Feed, FeedRecords, Policy, Renditions, jobs, schedules
from tintype.core.insights import jobs as insight_jobs
from tintype.core.insights import schedules as insight_schedules
from tintype.instagram import utc_now
from tintype.kitchen import queue_dialect
from tintype.machinery import Backends, open_backends, secret
from tintype.picking import Picking, picker_dialect, picker_hosts
from tintype.reception import console_pages
from tintype.rooms import Rooms, furnish
from tintype.settings import Settings
from tintype.watching import open_figures

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class House(Rooms):
    """Everything, put together; `front` is the ASGI app."""

    settings: Settings
    backends: Backends
    front: ASGIApp


@asynccontextmanager
async def open_house(
    settings: Settings, *, work: bool = True, only: tuple[str, ...] = (), now: Callable[[], datetime] = utc_now
) -> AsyncGenerator[House]:
    """Open a house; with `work` it also works the jobs, unless another process of the same data folder does.

    Accounts and feeds keep the dates that `now` gives.

    Raises `Misconfigured` before anything is opened when a setting cannot be.
    """
    async with AsyncExitStack() as stack:
        tracing.begin(settings.otel_exporter_otlp_endpoint, __version__)
        stack.callback(tracing.end)
        backends = await open_backends(settings, stack, work)
        rooms = furnish(settings, backends, now)
        front = _front(settings, backends, rooms, only, now)
        furnished = {one.name: getattr(rooms, one.name) for one in fields(rooms)}
        house = House(**furnished, settings=settings, backends=backends, front=front)
        if backends.works:
            await _sweep(backends, house.picking)
        if backends.works and backends.database.is_sqlite:
            await Idempotency(backends.database, backends.vault).release()
            await inherit(house.downloads)
        await backends.bus.start()
        await backends.engine.start(_jobs(house), _schedules(house))
        uses = house.access.uses, house.picking.apps.uses
        for one in (backends.engine, house.downloads, *uses, house.kitchen.hub):
            stack.push_async_callback(one.close)
        if backends.works:
            await _begin(house, stack)
        yield house


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


def _front(
    settings: Settings, backends: Backends, rooms: Rooms, only: tuple[str, ...], now: Callable[[], datetime]
) -> ASGIApp:
    """Return the app that speaks all dialects, or only some, and has the pages for people beside all of them."""
    dialects = [
        _feed_dialect(settings, backends, rooms),
        _social_dialect(settings, backends, rooms),
        _scrape_dialect(settings, backends, rooms.downloads, only, now),
        queue_dialect(settings, backends, rooms.kitchen, now),
        picker_dialect(settings, backends, rooms.picking, rooms.access, rooms.users),
    ]
    spoken = [one for one in dialects if not only or one.dialect.name in only]
    meta = _meta(settings, rooms)
    parts, ways = _parts(backends), partial(_ways, rooms.downloads)
    pages = [] if only else [console_pages(settings, backends, rooms, parts, ways, spoken, now)]
    figures = open_figures(settings, backends, rooms, now)
    told = {"public_posts": ways} | ({"cloudinary": partial(_hosted, rooms.feed)} if rooms.feed.hosting.cloud else {})
    health = mount_health(parts, [*spoken, meta], told, figures)
    fallback = spoken[0].dialect if len(spoken) == 1 else FEED
    return Front([*spoken, meta, *pages, health], fallback, picker_hosts(settings))


def _meta(settings: Settings, rooms: Rooms) -> Mounted:
    verify_token = secret(settings.webhook_verify_token)
    files, base, most = rooms.picking.files, settings.address(), settings.max_body_bytes
    return mount_meta(MetaDesk(rooms.accounts, rooms.feed, rooms.insights, files, base, verify_token, most))


def _feed_dialect(settings: Settings, backends: Backends, rooms: Rooms) -> Mounted:
    links = Links(settings.address(), settings.instagram_origin)
    shelf = Shelf(rooms.access, rooms.feed, backends.cache, links, settings.instagram_photos_ttl_seconds)
    backends.bus.subscribe(shelf.forget)
    token = secret(settings.qstash_token)
    return mount_feed(
        FeedDesk(
            access=rooms.access,
            accounts=rooms.accounts,
            connecting=rooms.connecting,
            feed=rooms.feed,
            renditions=rooms.renditions,
            shelf=shelf,
            idempotency=Idempotency(backends.database, backends.vault),
            limiter=Limiter(backends.cache, settings.trusted_proxies),
            signatures=_signatures(settings),
            qstash=QStash(backends.outbound, settings.qstash_url, token) if token else None,
            base=settings.address(),
            callback=settings.callback(),
            version=__version__,
            max_body_bytes=settings.max_body_bytes,
            exchanges_per_minute=settings.rate_limit_per_minute,
            admin_token=secret(settings.admin_token),
            sync_secret=secret(settings.sync_internal_secret),
        )
    )


def _social_dialect(settings: Settings, backends: Backends, rooms: Rooms) -> Mounted:
    admin_token = secret(settings.admin_token)
    is_local = settings.is_local()
    is_open = settings.registration == "open" or (settings.registration is None and is_local and admin_token is None)
    return mount_social(
        SocialDesk(
            access=rooms.access,
            users=rooms.users,
            members=rooms.members,
            accounts=rooms.accounts,
            connecting=rooms.connecting,
            connected=lambda account: rooms.feed.queue(account, again=True),
            publisher=rooms.publisher,
            insights=rooms.insights,
            blobs=backends.blobs,
            registration=Registration(is_open, is_local, admin_token),
            idempotency=Idempotency(backends.database, backends.vault),
            limiter=Limiter(backends.cache, settings.trusted_proxies),
            base=settings.address(),
            version=__version__,
            max_body_bytes=settings.max_body_bytes,
            upload_max_bytes=settings.upload_max_bytes,
            wait_seconds=settings.publish_wait_seconds,
            per_minute=settings.rate_limit_per_minute,
            origins=tuple(origin.rstrip("/") for origin in settings.cors_origins),
        )
    )


def _signatures(settings: Settings) -> Signatures | None:
    current = secret(settings.qstash_current_signing_key)
    return Signatures(current, secret(settings.qstash_next_signing_key) or current) if current else None


def _parts(backends: Backends) -> tuple[Part, ...]:
    return (
        Part("database", backends.database.check),
        Part("engine", backends.engine.check),
        Part("blobs", backends.blobs.health),
        Part("cache", backends.cache.health),
    )


async def _sweep(backends: Backends, picking: Picking) -> None:
    """Put away what a killed process left half-written; on SQLite no other process is writing now."""
    if backends.database.is_sqlite:
        records = FeedRecords(backends.database)
        renditions = Renditions(records, backends.blobs, backends.images)
        swept = await renditions.collect(Policy().grace, strays_too=timedelta(0))
        swept += await picking.files.tidy(timedelta(0))
        if swept:
            log.info("put away %d copies that nothing refers to", swept)


def _scrape_dialect(
    settings: Settings, backends: Backends, downloads: Downloads, only: tuple[str, ...], now: Callable[[], datetime]
) -> Mounted:
    gate = Gate(
        rates=_rates(settings),
        max_body_bytes=settings.max_json_body_bytes,
        max_url_length=settings.max_url_length,
        trusted=settings.trusted_proxies,
        key=secret(settings.api_key),
    )
    desk = ScrapeDesk(
        downloads=downloads,
        gate=gate,
        resolves=replace(gate, rates=_rates(settings)),
        links=MediaLinks.of(backends.vault, settings.address(), settings.media_link_seconds, now),
        idempotency=Idempotency(backends.database, backends.vault),
        wait_seconds=settings.scrape_wait_seconds,
        version=__version__,
        now=now,
    )
    return mount_scrape(desk, alone(SCRAPE) if only and "feed" not in only else SCRAPE)


def _rates(settings: Settings) -> Rates:
    return Rates(settings.rate_limit_max_requests, settings.rate_limit_window_seconds)


async def _ways(downloads: Downloads) -> object:
    return [standing_of(one) for one in await downloads.health()]


async def _hosted(feed: Feed) -> object:
    standing = await feed.hosting.standing()
    return {name: getattr(standing, name) for name in ("there", "waiting", "leaving")}
