"""The kitchen: what recipes lean on, put together for the roof. It is a part of `app.py` that grew too long for one page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from tintype import __version__
from tintype.api.callers import Limiter
from tintype.api.dialect import Mounted
from tintype.api.queue import Gate, Hub, QueueDesk, QueueNews, Wire, mount
from tintype.backends.idempotency import Idempotency
from tintype.core import notifications, recipes
from tintype.core.downloads import Downloads
from tintype.core.notifications import Notifier, PushRecords
from tintype.core.recipes import Pipeline, Recipes, Runner
from tintype.errors import Misconfigured
from tintype.events import Event, QueueItemChanged
from tintype.machinery import Backends, node_name, secret
from tintype.settings import Settings


@dataclass(frozen=True, slots=True)
class Kitchen:
    """Where recipes are made: who takes imports, who works them, who lets people watch, and who tells them of the end."""

    recipes: Recipes
    pipeline: Pipeline
    runner: Runner
    hub: Hub
    notifier: Notifier
    news: QueueNews


def open_kitchen(settings: Settings, backends: Backends, downloads: Downloads, now: Callable[[], datetime]) -> Kitchen:
    """Put the kitchen together, and have it hear of what happens."""
    policy = recipes.Policy(at_once=settings.recipes_at_once)
    records = recipes.ItemRecords(backends.database)
    outlet = _outlet(settings, backends)
    pipeline = Pipeline(
        records=records,
        extracting=recipes.Extracting(downloads, backends.outbound, backends.blobs, policy),
        parsers=(recipes.RulesParser(),),
        uploading=recipes.Uploading(outlet, backends.blobs, records),
        probes=recipes.Probes(_probes(downloads, outlet), policy.probed, now),
        bus=backends.bus,
        policy=policy,
        now=now,
    )
    runner = Runner(pipeline, node_name())
    taken = Recipes(records, backends.blobs, backends.images, backends.bus, policy, now, runner.wake)
    notifier = _notifier(settings, backends, now)
    kitchen = Kitchen(
        taken, pipeline, runner, Hub(taken, Wire(settings.address())), notifier, QueueNews(taken, settings.address())
    )
    backends.bus.subscribe(kitchen.hub.heard)

    async def follow(event: Event) -> None:
        if isinstance(event, QueueItemChanged):
            runner.wake()
            if event.tell:
                await notifier.wake()

    if backends.works:
        backends.bus.subscribe(follow)
    return kitchen


def _outlet(settings: Settings, backends: Backends) -> recipes.Outlet | None:
    chosen, outbound = settings.recipe_outlet, backends.outbound
    tandoor, mealie = secret(settings.tandoor_token), secret(settings.mealie_token)
    if chosen in ("auto", "tandoor") and settings.tandoor_url and tandoor:
        return recipes.Tandoor(recipes.TandoorPolicy(settings.tandoor_url, tandoor), outbound)
    if chosen in ("auto", "mealie") and settings.mealie_url and mealie:
        return recipes.Mealie(recipes.MealiePolicy(settings.mealie_url, mealie), outbound)
    if chosen in ("auto", "folder") and settings.recipe_folder:
        return recipes.Folder(recipes.FolderPolicy(settings.recipe_folder.resolve()))
    if chosen in ("auto", "none"):
        return None
    raise Misconfigured(f"RECIPE_OUTLET is {chosen}, but where that is is not set: see docs/settings.md")


def _probes(
    downloads: Downloads, outlet: recipes.Outlet | None
) -> dict[recipes.Dependency, Callable[[], Awaitable[None]]]:
    async def instagram() -> None:
        await downloads.check()

    async def target() -> None:
        if outlet is not None:
            await outlet.check()

    return {recipes.Dependency.INSTAGRAM: instagram, recipes.Dependency.OUTLET: target}


def _notifier(settings: Settings, backends: Backends, now: Callable[[], datetime]) -> Notifier:
    policy = notifications.Policy(
        contact=settings.push_contact or settings.address(),
        services=(*notifications.SERVICES, *settings.push_hosts),
        own=settings.outbound_allow,
    )
    return Notifier(PushRecords(backends.database), backends.vault, backends.outbound, backends.engine, policy, now)


def queue_dialect(settings: Settings, backends: Backends, kitchen: Kitchen, now: Callable[[], datetime]) -> Mounted:
    """Return the queue dialect, ready to be put behind a `Front`."""
    return mount(
        QueueDesk(
            recipes=kitchen.recipes,
            notifier=kitchen.notifier,
            hub=kitchen.hub,
            wire=Wire(settings.address()),
            gate=Gate(secret(settings.queue_api_key), settings.address().startswith("https://")),
            limiter=Limiter(backends.cache, settings.trusted_proxies),
            idempotency=Idempotency(backends.database, backends.vault),
            base=settings.address(),
            version=__version__,
            now=now,
            streams_per_client=settings.queue_streams_per_client,
        )
    )
