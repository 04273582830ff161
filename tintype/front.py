"""Puts the dialects together, each with what it leans on, behind one `Front`; beside them the pages for people and health."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from starlette.types import ASGIApp

from tintype import __version__
from tintype.api.callers import Limiter
from tintype.api.dialect import Front, Mounted
from tintype.api.feed import FEED, FeedDesk, Shelf
from tintype.api.feed import mount as mount_feed
from tintype.api.feed.wire import Links
from tintype.api.health import Part
from tintype.api.health import mount as mount_health
from tintype.api.meta import MetaDesk
from tintype.api.meta import mount as mount_meta
from tintype.api.picker import PickerDesk, Results
from tintype.api.picker import mount as mount_picker
from tintype.api.queue import Wire
from tintype.api.queue.desk import QueueDesk
from tintype.api.queue.gate import Gate as QueueGate
from tintype.api.queue.routes import mount as mount_queue
from tintype.api.scrape import SCRAPE, Gate, MediaLinks, Rates, ScrapeDesk, alone
from tintype.api.scrape import mount as mount_scrape
from tintype.api.social import Registration, SocialDesk
from tintype.api.social import mount as mount_social
from tintype.backends.idempotency import Idempotency
from tintype.backends.qstash import QStash, Signatures
from tintype.core.access import Access, Users
from tintype.core.downloads import Downloads, standing_of
from tintype.core.feed import Feed
from tintype.core.files import PROCESSING, zone_of
from tintype.kitchen import Kitchen
from tintype.machinery import Backends, secret
from tintype.picking import Picking
from tintype.reception import console_pages
from tintype.rooms import Rooms
from tintype.settings import Settings
from tintype.watching import open_figures

BESIDE = 2**20  # bytes of a form around the file in it


def open_front(
    settings: Settings, backends: Backends, rooms: Rooms, only: tuple[str, ...], now: Callable[[], datetime]
) -> ASGIApp:
    """Return the app that speaks all dialects, or only some, and has the pages for people beside all of them."""
    dialects = [
        _feed_dialect(settings, backends, rooms),
        _social_dialect(settings, backends, rooms),
        _scrape_dialect(settings, backends, rooms.downloads, only, now),
        _queue_dialect(settings, backends, rooms.kitchen, now),
        _picker_dialect(settings, backends, rooms.picking, rooms.access, rooms.users),
    ]
    spoken = [one for one in dialects if not only or one.dialect.name in only]
    meta = _meta(settings, backends, rooms)
    parts, ways = _parts(backends), partial(_ways, rooms.downloads)
    pages = [] if only else [console_pages(settings, backends, rooms, parts, ways, spoken, now)]
    figures = open_figures(settings, backends, rooms, now)
    told = {"public_posts": ways} | ({"cloudinary": partial(_hosted, rooms.feed)} if rooms.feed.hosting.cloud else {})
    health = mount_health(parts, [*spoken, meta], told, figures)
    fallback = spoken[0].dialect if len(spoken) == 1 else FEED
    return Front([*spoken, meta, *pages, health], fallback, _picker_hosts(settings))


def _meta(settings: Settings, backends: Backends, rooms: Rooms) -> Mounted:
    return mount_meta(
        MetaDesk(
            accounts=rooms.accounts,
            feed=rooms.feed,
            insights=rooms.insights,
            files=rooms.picking.files,
            idempotency=Idempotency(backends.database, backends.vault),
            cache=backends.cache,
            base=settings.address(),
            verify_token=secret(settings.webhook_verify_token),
            max_body_bytes=settings.max_body_bytes,
        )
    )


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


def _queue_dialect(settings: Settings, backends: Backends, kitchen: Kitchen, now: Callable[[], datetime]) -> Mounted:
    """Return the queue dialect, ready to be put behind a `Front`."""
    return mount_queue(
        QueueDesk(
            recipes=kitchen.recipes,
            notifier=kitchen.notifier,
            hub=kitchen.hub,
            wire=Wire(settings.address()),
            gate=QueueGate(secret(settings.queue_api_key), settings.address().startswith("https://")),
            limiter=Limiter(backends.cache, settings.trusted_proxies),
            idempotency=Idempotency(backends.database, backends.vault),
            base=settings.address(),
            version=__version__,
            now=now,
            streams_per_client=settings.queue_streams_per_client,
        )
    )


def _picker_dialect(settings: Settings, backends: Backends, picking: Picking, access: Access, users: Users) -> Mounted:
    """Return the picker dialect, speaking of `picking`."""
    results = Results()
    backends.bus.subscribe(results.forget)
    return mount_picker(
        PickerDesk(
            access=access,
            users=users,
            accounts=picking.accounts,
            connecting=picking.connecting,
            apps=picking.apps,
            policies=picking.policies,
            files=picking.files,
            metadata=picking.metadata,
            uploads=picking.uploads,
            exports=picking.exports,
            conversions=picking.conversions,
            results=results,
            dialogs=picking.dialogs,
            thumbs=picking.thumbs,
            webhooks=picking.hooks.webhooks,
            idempotency=Idempotency(backends.database, backends.vault),
            limiter=Limiter(backends.cache, settings.trusted_proxies),
            base=settings.address(),
            version=__version__,
            max_body_bytes=settings.max_body_bytes,
            upload_max_bytes=settings.files_max_bytes + BESIDE,
            writes_per_minute=settings.picker_writes_per_minute,
        )
    )


def _picker_hosts(settings: Settings) -> Mapping[str, str]:
    """Return the hosts on which clients of today look for processed files: the whole path there is one of `/cdn`."""
    return {f"{name}.{zone_of(settings.address())}": "/cdn" for name in PROCESSING}


def _parts(backends: Backends) -> tuple[Part, ...]:
    return (
        Part("database", backends.database.check),
        Part("engine", backends.engine.check),
        Part("blobs", backends.blobs.health),
        Part("cache", backends.cache.health),
    )
