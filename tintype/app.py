"""The roof: settings → backends → Instagram → core → dialects → one ASGI app. Nothing else knows everything.

A `House` is put together by plain calls, may be opened several times in one process, and leaves nothing behind when it is
closed. On SQLite one process works the jobs: the one that holds the data folder's lock.
"""

import fcntl
import logging
import os
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr
from starlette.types import ASGIApp

from tintype import __version__
from tintype.api.callers import Limiter
from tintype.api.console import ConsoleDesk, Welcome
from tintype.api.console import mount as mount_console
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
from tintype.backends import outbound as outbound_module
from tintype.backends.blobs import Blobs, open_blobs
from tintype.backends.bus import Bus, RedisBus
from tintype.backends.cache import Cache, MemoryCache, RedisCache
from tintype.backends.database import Database, in_transaction, open_database
from tintype.backends.engine import DurableEngine, Engine, RemoteEngine
from tintype.backends.idempotency import Idempotency
from tintype.backends.images import Images
from tintype.backends.journal import Journal
from tintype.backends.migrations import upgrade
from tintype.backends.outbound import HttpOutbound, Outbound
from tintype.backends.qstash import QStash, Signatures
from tintype.backends.vault import Vault, new_key
from tintype.core.access import Access, AccessRecords
from tintype.core.accounts import AccountRecords, Accounts, AppSettings, Connecting
from tintype.core.downloads import (
    DownloadRecords,
    Downloads,
    Fetching,
    Folders,
    Member,
    RememberedStandings,
    SessionRecords,
    Sessions,
    StoredStandings,
    inherit,
    recover,
    standing_of,
)
from tintype.core.downloads import Policy as DownloadPolicy
from tintype.core.downloads import jobs as download_jobs
from tintype.core.downloads import schedules as download_schedules
from tintype.core.feed import Copies, Feed, FeedRecords, OwnPosts, Policy, Renditions, jobs, schedules
from tintype.errors import Misconfigured
from tintype.instagram import App, Graph, Login, utc_now
from tintype.instagram.public import Doors, Manners, PageWay, standard_ways
from tintype.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backends:
    """The machinery of one house."""

    database: Database
    engine: Engine
    outbound: Outbound
    vault: Vault
    blobs: Blobs
    cache: Cache
    bus: Bus
    images: Images
    works: bool  # whether this process works the jobs


@dataclass(frozen=True, slots=True)
class House:
    """Everything, put together; `front` is the ASGI app."""

    settings: Settings
    backends: Backends
    access: Access
    accounts: Accounts
    connecting: Connecting
    feed: Feed
    renditions: Renditions
    downloads: Downloads
    welcome: Welcome
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
        backends = await _open_backends(settings, stack, work)
        house = _furnish(settings, backends, only, now)
        if backends.works:
            await _sweep(backends)
        if backends.works and backends.database.is_sqlite:
            await inherit(house.downloads)
        await backends.bus.start()
        await backends.engine.start(
            (*jobs(house.feed, house.renditions), *download_jobs(house.downloads)),
            (*schedules(house.feed), *download_schedules()),
        )
        stack.push_async_callback(backends.engine.close)
        stack.push_async_callback(house.downloads.close)
        if backends.works:
            await recover(house.downloads)
        yield house


async def _open_backends(settings: Settings, stack: AsyncExitStack, work: bool) -> Backends:
    settings.data.mkdir(parents=True, exist_ok=True)
    vault = Vault.of(_encryption_key(settings), (key.get_secret_value() for key in settings.encryption_keys_old))
    database = open_database(settings.database_address())
    stack.push_async_callback(database.close)
    works = work and (not database.is_sqlite or _lock(settings.data, stack))
    await upgrade(database)
    outbound = HttpOutbound(instagram_origin=settings.instagram_origin, allow=settings.outbound_allow)
    stack.push_async_callback(outbound.close)
    outbound_module.forbid_when = in_transaction
    images = Images(settings.image_workers)
    stack.push_async_callback(images.close)
    cache, bus = _shared(settings, database)
    stack.push_async_callback(cache.close)
    stack.push_async_callback(bus.close)
    engine = _engine(settings, database, works)
    return Backends(database, engine, outbound, vault, open_blobs(settings.blobs_address()), cache, bus, images, works)


def _shared(settings: Settings, database: Database) -> tuple[Cache, Bus]:
    address = settings.redis_address()
    if address is None:
        return MemoryCache(), Journal(database)
    prefix = settings.redis_key_prefix
    return RedisCache(address, prefix=prefix), RedisBus(address, prefix=prefix)


def _engine(settings: Settings, database: Database, works: bool) -> Engine:
    # Beside, not inside, our own file: the engine writes often and must not hold up anybody else's transactions.
    url = f"sqlite:///{(settings.data / 'jobs.db').resolve()}" if database.is_sqlite else _sync_url(database.url)
    if not works:
        return RemoteEngine(url)
    name = "local" if database.is_sqlite else f"{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:6]}"
    return DurableEngine(url, executor=name, shared=None if database.is_sqlite else database)


def _sync_url(url: str) -> str:
    return "postgresql+psycopg" + url[url.index("://") :]


def _furnish(settings: Settings, backends: Backends, only: tuple[str, ...], now: Callable[[], datetime]) -> House:
    seconds = settings.instagram_api_timeout_ms / 1000
    graph = Graph(backends.outbound, settings.instagram_graph_version, seconds, now=now)
    access = Access(AccessRecords(backends.database), backends.bus)
    accounts = Accounts(AccountRecords(backends.database), backends.vault, graph, backends.bus, _apps(settings))
    connecting = Connecting(accounts, graph, AppSettings(settings.instagram_graph_version, settings.instagram_origin))
    records = FeedRecords(backends.database)
    copies = Copies(backends.outbound, backends.blobs, backends.images, records, settings.feed_copy_videos)
    feed = Feed(records, accounts, graph, copies, backends.engine, backends.bus, _policy(settings))
    renditions = Renditions(records, backends.blobs, backends.images)
    welcome = Welcome()
    console = ConsoleDesk(accounts, connecting, feed, welcome, settings.address(), settings.callback())
    downloads = _downloads(settings, backends, OwnPosts(records, accounts, graph), now)
    dialects = [
        _feed_dialect(settings, backends, access, accounts, connecting, feed, renditions),
        _scrape_dialect(settings, backends, downloads, only, now),
    ]
    spoken = [one for one in dialects if not only or one.dialect.name in only]
    verify_token = _secret(settings.webhook_verify_token)
    meta = mount_meta(MetaDesk(accounts, feed, settings.address(), verify_token, settings.max_body_bytes))
    pages = [] if only else [mount_console(console)]
    health = mount_health(_parts(backends), [*spoken, meta], {"public_posts": partial(_ways, downloads)})
    front = Front([*spoken, meta, *pages, health], spoken[0].dialect if len(spoken) == 1 else FEED)
    return House(settings, backends, access, accounts, connecting, feed, renditions, downloads, welcome, front)


def _feed_dialect(
    settings: Settings,
    backends: Backends,
    access: Access,
    accounts: Accounts,
    connecting: Connecting,
    feed: Feed,
    renditions: Renditions,
) -> Mounted:
    links = Links(settings.address(), settings.instagram_origin)
    shelf = Shelf(access, feed, backends.cache, links, settings.instagram_photos_ttl_seconds)
    backends.bus.subscribe(shelf.forget)
    token = _secret(settings.qstash_token)
    return mount_feed(
        FeedDesk(
            access=access,
            accounts=accounts,
            connecting=connecting,
            feed=feed,
            renditions=renditions,
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
            admin_token=_secret(settings.admin_token),
            sync_secret=_secret(settings.sync_internal_secret),
        )
    )


def _signatures(settings: Settings) -> Signatures | None:
    current = _secret(settings.qstash_current_signing_key)
    return Signatures(current, _secret(settings.qstash_next_signing_key) or current) if current else None


def _apps(settings: Settings) -> tuple[App, ...]:
    pairs = (
        (Login.INSTAGRAM_LOGIN, settings.instagram_app_id, settings.instagram_app_secret),
        (Login.FACEBOOK_LOGIN, settings.facebook_app_id, settings.facebook_app_secret),
    )
    return tuple(App(login, app, secret.get_secret_value()) for login, app, secret in pairs if app and secret)


def _policy(settings: Settings) -> Policy:
    minutes = settings.feed_sync_minutes
    return Policy(
        max_items=settings.feed_max_items,
        copy_videos=settings.feed_copy_videos,
        removal_spacing=timedelta(seconds=settings.feed_removal_spacing_seconds),
        interval=timedelta(minutes=minutes) if minutes else None,
    )


def _parts(backends: Backends) -> tuple[Part, ...]:
    return (
        Part("database", backends.database.check),
        Part("engine", backends.engine.check),
        Part("blobs", backends.blobs.health),
        Part("cache", backends.cache.health),
    )


async def _sweep(backends: Backends) -> None:
    """Put away what a killed process left half-written; on SQLite no other process is writing now."""
    if backends.database.is_sqlite:
        records = FeedRecords(backends.database)
        renditions = Renditions(records, backends.blobs, backends.images)
        swept = await renditions.collect(Policy().grace, strays_too=timedelta(0))
        if swept:
            log.info("put away %d copies that nothing refers to", swept)


def _encryption_key(settings: Settings) -> str:
    if settings.encryption_key is not None:
        return settings.encryption_key.get_secret_value()
    path = settings.data / "encryption.key"
    if not path.exists():
        if settings.database_url is not None:
            raise Misconfigured(
                "ENCRYPTION_KEY is needed with DATABASE_URL, because every node must have the same one; "
                "make one with: openssl rand -base64 32"
            )
        _write_key(path)
    return path.read_text().strip()


def _write_key(path: Path) -> None:
    # Written beside and linked into place, so that of two processes that start at once both read one whole key.
    beside = path.with_name(f".{path.name}.{uuid4().hex}")
    beside.touch(mode=0o600)
    beside.write_text(new_key() + "\n")
    try:
        os.link(beside, path)
    except FileExistsError:
        pass
    finally:
        beside.unlink()


def is_worked(settings: Settings) -> bool:
    """Tell whether a process works the jobs of this data folder now; on Postgres nobody has to wait for another."""
    place = settings.data / "jobs.lock"
    if not settings.database_address().startswith("sqlite") or not place.exists():
        return False
    with ExitStack() as stack:
        return not _lock(settings.data, stack)


def _lock(folder: Path, stack: ExitStack | AsyncExitStack) -> bool:
    """Take the data folder's lock; tell whether it was free. A killed process lets go of it."""
    file = stack.enter_context((folder / "jobs.lock").open("a"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None


def _downloads(settings: Settings, backends: Backends, owns: OwnPosts, now: Callable[[], datetime]) -> Downloads:
    policy = DownloadPolicy(
        seconds=settings.download_seconds,
        max_bytes=settings.max_media_bytes,
        min_free_bytes=settings.min_free_bytes,
        at_once=settings.downloads_at_once,
        kept=timedelta(days=settings.max_media_age_days),
        cleanup_interval=timedelta(seconds=settings.media_cleanup_interval_seconds),
    )
    # Who works the jobs of a data folder holds its lock, so a lease under this name is its own or a dead one's.
    node = "local" if backends.works and backends.database.is_sqlite else f"{socket.gethostname()}-{uuid4().hex[:12]}"
    manners = Manners(start=settings.public_lookups_per_hour)
    stored = StoredStandings(backends.database)
    standings = RememberedStandings(stored) if backends.works and backends.database.is_sqlite else stored
    ways, asks = standard_ways(backends.outbound), PageWay(backends.outbound)
    sessions = Sessions(SessionRecords(backends.database), backends.vault, now)
    return Downloads(
        DownloadRecords(backends.database),
        Folders((settings.data / "instaloader").resolve()),
        owns,
        Doors(ways, asks, now, manners, standings, seconds=settings.public_lookup_seconds),
        Member.of(backends.outbound, sessions, standings),
        Fetching(backends.outbound, policy),
        backends.engine,
        policy,
        node,
        now,
    )


def _scrape_dialect(
    settings: Settings, backends: Backends, downloads: Downloads, only: tuple[str, ...], now: Callable[[], datetime]
) -> Mounted:
    gate = Gate(
        rates=_rates(settings),
        max_body_bytes=settings.max_json_body_bytes,
        max_url_length=settings.max_url_length,
        trusted=settings.trusted_proxies,
        key=_secret(settings.api_key),
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
