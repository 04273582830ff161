"""The roof: settings → backends → Instagram → core → dialects → one ASGI app. Nothing else knows everything.

A `House` is put together by plain calls, may be opened several times in one process, and leaves nothing behind when it is
closed. On SQLite one process works the jobs: the one that holds the data folder's lock.
"""

import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from starlette.types import ASGIApp

from tintype import __version__
from tintype.api.callers import Limiter
from tintype.api.console import Welcome
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
from tintype.backends.idempotency import Idempotency
from tintype.backends.qstash import QStash, Signatures
from tintype.core import files, notifications, publishing, recipes
from tintype.core.access import (
    Access,
    AccessRecords,
    AttemptRecords,
    Browsing,
    Issuer,
    Issuers,
    Members,
    Passwords,
    Role,
    SessionRecords,
    Signer,
    UserRecords,
    Users,
)
from tintype.core.accounts import AccountRecords, Accounts, AppSettings, Connecting
from tintype.core.downloads import (
    DownloadRecords,
    Downloads,
    Fetching,
    Folders,
    Member,
    RememberedStandings,
    Sessions,
    StoredStandings,
    inherit,
    recover,
    standing_of,
)
from tintype.core.downloads import Policy as DownloadPolicy
from tintype.core.downloads import SessionRecords as CookieRecords
from tintype.core.downloads import jobs as download_jobs
from tintype.core.downloads import schedules as download_schedules
from tintype.core.feed import Copies, Curation, Feed, FeedRecords, OwnPosts, Policy, Renditions, jobs, schedules
from tintype.core.insights import Formula, InsightRecords, Insights
from tintype.core.insights import Policy as InsightPolicy
from tintype.core.insights import Product as Measured
from tintype.core.insights import jobs as insight_jobs
from tintype.core.insights import schedules as insight_schedules
from tintype.core.publishing import Policy as PublishingPolicy
from tintype.core.publishing import PostRecords, Preparing, Publisher, Quotas, Reservations, Resources, Runner
from tintype.events import Event, PostPublished
from tintype.instagram import App, Graph, Login, utc_now
from tintype.instagram.public import Doors, Manners, PageWay, standard_ways
from tintype.kitchen import Kitchen, open_kitchen, queue_dialect
from tintype.machinery import Backends, node_name, open_backends, secret
from tintype.picking import Picking, open_picking, picker_dialect, picker_hosts
from tintype.reception import Rooms, console_pages, open_browsing
from tintype.settings import Settings
from tintype.telling import Announcer, open_announcer

log = logging.getLogger(__name__)

# What a post is to those who count.
MEASURED = {
    publishing.Product.IMAGE: Measured.FEED,
    publishing.Product.CAROUSEL: Measured.CAROUSEL,
    publishing.Product.REEL: Measured.REELS,
    publishing.Product.STORY: Measured.STORY,
}


@dataclass(frozen=True, slots=True)
class House:
    """Everything, put together; `front` is the ASGI app."""

    settings: Settings
    backends: Backends
    access: Access
    users: Users
    members: Members
    accounts: Accounts
    connecting: Connecting
    feed: Feed
    renditions: Renditions
    publisher: Publisher
    runner: Runner
    insights: Insights
    downloads: Downloads
    kitchen: Kitchen
    picking: Picking
    announcer: Announcer
    browsing: Browsing
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
        backends = await open_backends(settings, stack, work)
        house = _furnish(settings, backends, only, now)
        if backends.works:
            await _sweep(backends, house.picking)
        if backends.works and backends.database.is_sqlite:
            await Idempotency(backends.database, backends.vault).release()
            await inherit(house.downloads)
        await backends.bus.start()
        await backends.engine.start(
            (
                *jobs(house.feed, house.renditions),
                *insight_jobs(house.insights),
                *publishing.jobs(house.publisher.resources),
                *download_jobs(house.downloads),
                *recipes.jobs(house.kitchen.pipeline, backends.blobs),
                *notifications.jobs(house.kitchen.notifier, {"queue": house.kitchen.news}),
                *files.jobs(house.picking.apps, house.picking.files, house.picking.uploads, house.picking.conversions),
            ),
            (
                *schedules(house.feed),
                *insight_schedules(house.insights),
                *publishing.schedules(),
                *download_schedules(),
                *recipes.schedules(),
                *notifications.schedules(),
                *files.schedules(),
            ),
        )
        stack.push_async_callback(backends.engine.close)
        stack.push_async_callback(house.downloads.close)
        stack.push_async_callback(house.kitchen.hub.close)
        if backends.works:
            await _begin(house, stack)
        yield house


async def _begin(house: House, stack: AsyncExitStack) -> None:
    """Start those who do what is due, each with what a process that died has left."""
    alone, deliverer = house.backends.database.is_sqlite, house.picking.hooks.deliverer
    await house.runner.start(alone=alone)
    stack.push_async_callback(house.runner.close)
    await house.kitchen.start(alone=alone)
    stack.push_async_callback(house.kitchen.runner.close)
    await deliverer.start(alone=alone)
    stack.push_async_callback(deliverer.close)
    await recover(house.downloads)
    await house.announcer.catch_up()


def _furnish(settings: Settings, backends: Backends, only: tuple[str, ...], now: Callable[[], datetime]) -> House:
    seconds = settings.instagram_api_timeout_ms / 1000
    graph = Graph(backends.outbound, settings.instagram_graph_version, seconds, now=now)
    access = Access(AccessRecords(backends.database), backends.bus)
    users = _users(settings, backends, now)
    members = Members(users.records, backends.bus, now)
    accounts = Accounts(AccountRecords(backends.database), backends.vault, graph, backends.bus, _apps(settings))
    connecting = Connecting(accounts, graph, AppSettings(settings.instagram_graph_version, settings.instagram_origin))
    records = FeedRecords(backends.database)
    copies = Copies(backends.outbound, backends.blobs, backends.images, records, settings.feed_copy_videos)
    curation = Curation(backends.database, backends.bus, now)
    feed = Feed(records, accounts, graph, copies, backends.engine, backends.bus, curation, _policy(settings))
    renditions = Renditions(records, backends.blobs, backends.images)
    publisher, runner = _publishing(settings, backends, accounts, graph)
    insights = _insights(settings, backends, accounts, graph, publisher)
    welcome = Welcome()
    browsing = open_browsing(backends, users, now)
    downloads = _downloads(settings, backends, OwnPosts(records, accounts, graph), now)
    kitchen = open_kitchen(settings, backends, downloads, now)
    picking = open_picking(settings, backends, accounts, connecting, publisher, now)
    announcer = open_announcer(settings, backends, picking.hooks, access, accounts, feed, publisher, kitchen.recipes)
    dialects = [
        _feed_dialect(settings, backends, access, accounts, connecting, feed, renditions),
        _social_dialect(settings, backends, access, users, members, accounts, connecting, feed, publisher, insights),
        _scrape_dialect(settings, backends, downloads, only, now),
        queue_dialect(settings, backends, kitchen, now),
        picker_dialect(settings, backends, picking, access, users),
    ]
    spoken = [one for one in dialects if not only or one.dialect.name in only]
    verify_token = secret(settings.webhook_verify_token)
    meta = mount_meta(
        MetaDesk(accounts, feed, insights, picking.files, settings.address(), verify_token, settings.max_body_bytes)
    )
    parts, ways = _parts(backends), partial(_ways, downloads)
    rooms = Rooms(access, users, members, accounts, connecting, feed, publisher, insights, downloads, kitchen, picking)
    console = console_pages(settings, backends, rooms, browsing, welcome, parts, ways, now)
    pages = [] if only else [console]
    health = mount_health(parts, [*spoken, meta], {"public_posts": ways})
    fallback = spoken[0].dialect if len(spoken) == 1 else FEED
    front = Front([*spoken, meta, *pages, health], fallback, picker_hosts(settings))
    return House(
        settings,
        backends,
        access,
        users,
        members,
        accounts,
        connecting,
        feed,
        renditions,
        publisher,
        runner,
        insights,
        downloads,
        kitchen,
        picking,
        announcer,
        browsing,
        welcome,
        front,
    )


def _publishing(settings: Settings, backends: Backends, accounts: Accounts, graph: Graph) -> tuple[Publisher, Runner]:
    policy = PublishingPolicy(settle=timedelta(seconds=settings.publish_settle_seconds))
    # A pretend Instagram on this machine reaches us wherever we listen; the real one only at a public address.
    serves = settings.instagram_origin is not None or publishing.reachable_base(settings.address()) is None
    uploads = settings.publish_video_upload == "always" or (settings.publish_video_upload == "auto" and not serves)
    resources = Resources(
        records=PostRecords(backends.database),
        accounts=accounts,
        graph=graph,
        preparing=Preparing(
            backends.outbound, backends.blobs, backends.images, settings.address(), serves=serves, uploads=uploads
        ),
        quotas=Quotas(Reservations(backends.database), graph, policy),
        blobs=backends.blobs,
        bus=backends.bus,
        policy=policy,
        uploads=uploads,
    )
    runner = Runner(resources, node_name())
    publisher = Publisher(resources, runner)
    backends.bus.subscribe(publisher.heard)
    return publisher, runner


def _insights(
    settings: Settings, backends: Backends, accounts: Accounts, graph: Graph, publisher: Publisher
) -> Insights:
    policy = InsightPolicy(formula=Formula(settings.engagement_rate), collects=settings.insights_collect)
    insights = Insights(InsightRecords(backends.database), accounts, graph, backends.bus, policy, backends.engine)

    async def measure(event: Event) -> None:
        if isinstance(event, PostPublished):
            post = await publisher.get(event.workspace_id, event.post_id)
            account = await accounts.get(event.workspace_id, event.account_id)
            product, published_at = MEASURED[post.draft.product], post.published_at or graph.now()
            await insights.track(account, event.media_id, product, published_at, caption=post.draft.words)

    if backends.works and policy.collects:
        backends.bus.subscribe(measure)
    return insights


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
    token = secret(settings.qstash_token)
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
            admin_token=secret(settings.admin_token),
            sync_secret=secret(settings.sync_internal_secret),
        )
    )


def _social_dialect(
    settings: Settings,
    backends: Backends,
    access: Access,
    users: Users,
    members: Members,
    accounts: Accounts,
    connecting: Connecting,
    feed: Feed,
    publisher: Publisher,
    insights: Insights,
) -> Mounted:
    admin_token = secret(settings.admin_token)
    is_local = settings.is_local()
    is_open = settings.registration == "open" or (settings.registration is None and is_local and admin_token is None)
    return mount_social(
        SocialDesk(
            access=access,
            users=users,
            members=members,
            accounts=accounts,
            connecting=connecting,
            connected=lambda account: feed.queue(account, again=True),
            publisher=publisher,
            insights=insights,
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


def _users(settings: Settings, backends: Backends, now: Callable[[], datetime]) -> Users:
    issuers = (
        Issuer(one.issuer, one.audience, secret(one.secret), one.jwks_url, one.email_claim, Role(one.role))
        for one in settings.auth_issuers
    )
    return Users(
        UserRecords(backends.database),
        SessionRecords(backends.database),
        AttemptRecords(backends.database),
        Passwords(),
        Signer.of(secret(settings.platform_secret_key), backends.vault),
        Issuers(tuple(issuers), backends.outbound, now),
        now,
    )


def _signatures(settings: Settings) -> Signatures | None:
    current = secret(settings.qstash_current_signing_key)
    return Signatures(current, secret(settings.qstash_next_signing_key) or current) if current else None


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


async def _sweep(backends: Backends, picking: Picking) -> None:
    """Put away what a killed process left half-written; on SQLite no other process is writing now."""
    if backends.database.is_sqlite:
        records = FeedRecords(backends.database)
        renditions = Renditions(records, backends.blobs, backends.images)
        swept = await renditions.collect(Policy().grace, strays_too=timedelta(0))
        swept += await picking.files.tidy(timedelta(0))
        if swept:
            log.info("put away %d copies that nothing refers to", swept)


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
    node = "local" if backends.works and backends.database.is_sqlite else node_name()
    manners = Manners(start=settings.public_lookups_per_hour)
    stored = StoredStandings(backends.database)
    standings = RememberedStandings(stored) if backends.works and backends.database.is_sqlite else stored
    ways, asks = standard_ways(backends.outbound), PageWay(backends.outbound)
    sessions = Sessions(CookieRecords(backends.database), backends.vault, now)
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
