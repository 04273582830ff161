"""The kitchen: what recipes lean on, put together for the roof. It is a part of `app.py` that grew too long for one page."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec

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
    outlet, model = _outlet(settings, backends), _model(settings, backends)
    pipeline = Pipeline(
        records=records,
        extracting=recipes.Extracting(downloads, backends.outbound, backends.blobs, policy),
        reading=_reading(settings, backends, model),
        uploading=recipes.Uploading(outlet, backends.blobs, records),
        probes=recipes.Probes(_probes(downloads, outlet, model), policy.probed, now),
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


def _model(settings: Settings, backends: Backends) -> recipes.LlmParser | None:
    if not settings.llm_base_url or not settings.llm_model:
        return None
    policy = recipes.ModelPolicy(
        settings.llm_base_url, settings.llm_model, secret(settings.llm_api_key), total_seconds=settings.llm_seconds
    )
    return recipes.LlmParser(policy, backends.outbound)


def _reading(settings: Settings, backends: Backends, model: recipes.LlmParser | None) -> recipes.Reading:
    linked = (recipes.LinkedParser(backends.outbound),) if settings.recipe_follow_links else ()
    sees = settings.recipe_read_pictures and find_spec("rapidocr") is not None
    return recipes.Reading(
        quick=(recipes.RulesParser(), *linked),
        slides=recipes.SlideReader() if sees else None,
        slow=(model,) if model is not None else (),
    )


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
    downloads: Downloads, outlet: recipes.Outlet | None, model: recipes.LlmParser | None
) -> dict[recipes.Dependency, Callable[[], Awaitable[None]]]:
    async def instagram() -> None:
        await downloads.check()

    async def target() -> None:
        if outlet is not None:
            await outlet.check()

    async def reader() -> None:
        if model is not None:
            await model.check()

    kinds = recipes.Dependency
    return {kinds.INSTAGRAM: instagram, kinds.OUTLET: target, kinds.MODEL: reader}


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
