"""Everything that the house does, put together below its dialects: access, accounts, and each of the trades.

Plain calls, in the order in which they lean on each other.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tintype.api.console import Welcome
from tintype.backends.cloudinary import Cloudinary
from tintype.backends.outbound import Outbound
from tintype.core import publishing
from tintype.core.access import (
    Access,
    AccessRecords,
    AttemptRecords,
    Browsing,
    BrowsingRecords,
    Issuer,
    Issuers,
    Members,
    Passwords,
    Role,
    SecondFactors,
    SessionRecords,
    Signer,
    UserRecords,
    Users,
    Uses,
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
)
from tintype.core.downloads import Policy as DownloadPolicy
from tintype.core.downloads import SessionRecords as CookieRecords
from tintype.core.feed import Copies, Curation, Feed, FeedRecords, Hosting, HostingRecords, OwnPosts, Policy, Renditions
from tintype.core.insights import Formula, InsightRecords, Insights
from tintype.core.insights import Policy as InsightPolicy
from tintype.core.insights import Product as Measured
from tintype.core.publishing import Policy as PublishingPolicy
from tintype.core.publishing import PostRecords, Preparing, Publisher, Quotas, Reservations, Resources, Runner
from tintype.core.webhooks import Letters
from tintype.events import Event, PostPublished
from tintype.instagram import App, Graph, Login
from tintype.instagram.public import Doors, Manners, PageWay, standard_ways
from tintype.kitchen import Kitchen, open_kitchen
from tintype.machinery import Backends, secret
from tintype.picking import Picking, open_picking
from tintype.settings import Settings
from tintype.telling import Announcer, open_announcer, open_letters

# What a post is to those who count.
MEASURED = {
    publishing.Product.IMAGE: Measured.FEED,
    publishing.Product.CAROUSEL: Measured.CAROUSEL,
    publishing.Product.REEL: Measured.REELS,
    publishing.Product.STORY: Measured.STORY,
}


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the house does; each dialect and each page leans on some of them."""

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
    letters: Letters | None
    browsing: Browsing
    welcome: Welcome


def furnish(settings: Settings, backends: Backends, now: Callable[[], datetime]) -> Rooms:
    """Put all rooms together on one house's backends."""
    seconds = settings.instagram_api_timeout_ms / 1000
    graph = Graph(backends.outbound, settings.instagram_graph_version, seconds, now=now)
    access = _access(backends, now)
    users = _users(settings, backends, now)
    accounts = Accounts(AccountRecords(backends.database), backends.vault, graph, backends.bus, _apps(settings))
    connecting = Connecting(accounts, graph, AppSettings(settings.instagram_graph_version, settings.instagram_origin))
    feed, renditions = _feeding(settings, backends, accounts, now)
    publisher, runner = _publishing(settings, backends, accounts, graph)
    downloads = _downloads(settings, backends, OwnPosts(feed.records, accounts, graph), now)
    kitchen = open_kitchen(settings, backends, downloads, now)
    picking = open_picking(settings, backends, accounts, connecting, publisher, now)
    return Rooms(
        access=access,
        users=users,
        members=Members(users.records, backends.bus, now),
        accounts=accounts,
        connecting=connecting,
        feed=feed,
        renditions=renditions,
        publisher=publisher,
        runner=runner,
        insights=_insights(settings, backends, accounts, graph, publisher),
        downloads=downloads,
        kitchen=kitchen,
        picking=picking,
        announcer=open_announcer(settings, backends, picking.hooks, access, accounts, feed, publisher, kitchen.recipes),
        letters=open_letters(settings, picking.hooks, users.records, now),
        browsing=_browsing(settings, backends, users, now),
        welcome=Welcome(),
    )


def _access(backends: Backends, now: Callable[[], datetime]) -> Access:
    records = AccessRecords(backends.database)
    return Access(records, backends.bus, Uses(records.uses(), now))


def _feeding(
    settings: Settings, backends: Backends, accounts: Accounts, now: Callable[[], datetime]
) -> tuple[Feed, Renditions]:
    records, graph = FeedRecords(backends.database), accounts.graph
    copies = Copies(backends.outbound, backends.blobs, backends.images, records, settings.feed_copy_videos)
    curation = Curation(backends.database, backends.bus, now)
    hosting = Hosting(
        HostingRecords(backends.database), backends.blobs, backends.bus, now, cloud_of(settings, backends.outbound)
    )
    feed = Feed(records, accounts, graph, copies, backends.engine, backends.bus, curation, hosting, _policy(settings))
    return feed, Renditions(records, backends.blobs, backends.images)


def cloud_of(settings: Settings, outbound: Outbound) -> Cloudinary | None:
    """Return the operator's cloud for pictures; None: it is not set, or not all of it."""
    name, key, text = settings.cloudinary_cloud_name, settings.cloudinary_api_key, settings.cloudinary_api_secret
    if not (name and key and text):
        return None
    return Cloudinary(
        outbound, settings.cloudinary_upload_prefix, name, key.get_secret_value(), text.get_secret_value()
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
    runner = Runner(resources, backends.node)
    publisher = Publisher(resources, runner)
    backends.bus.subscribe(publisher.heard)
    return publisher, runner


def _insights(
    settings: Settings, backends: Backends, accounts: Accounts, graph: Graph, publisher: Publisher
) -> Insights:
    policy = InsightPolicy(
        formula=Formula(settings.engagement_rate),
        kept=timedelta(days=settings.insights_kept_days),
        collects=settings.insights_collect,
    )
    insights = Insights(InsightRecords(backends.database), accounts, graph, backends.bus, policy, backends.engine)

    async def measure(event: Event) -> None:
        if isinstance(event, PostPublished):
            post = await publisher.get(event.workspace_id, event.post_id)
            await insights.track(
                event.workspace_id,
                event.account_id,
                event.media_id,
                MEASURED[post.draft.product],
                post.published_at or graph.now(),
                caption=post.draft.words,
            )

    if backends.works and policy.collects:
        backends.bus.subscribe(measure)
    return insights


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
    node = "local" if backends.works and backends.database.is_sqlite else backends.node
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
        policy,
        node,
        now,
    )


def _browsing(settings: Settings, backends: Backends, users: Users, now: Callable[[], datetime]) -> Browsing:
    """Return what signs people in with their browsers."""
    records = BrowsingRecords(backends.database)
    factors = SecondFactors(records, users.attempts, backends.vault, now)
    return Browsing(records, users, factors, now, frozenset(settings.operators))
