"""The kitchen: what recipes lean on, put together for the roof. It is a part of `app.py` that grew too long for one page."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec

from tintype.api.queue import Hub, QueueNews, Wire
from tintype.backends.images import Images
from tintype.backends.outbound import Outbound
from tintype.core import notifications, recipes
from tintype.core.downloads import Downloads
from tintype.core.notifications import Notifier, PushRecords
from tintype.core.recipes import Pipeline, Recipes, Runner, Status
from tintype.errors import Misconfigured, Trouble
from tintype.events import Event, QueueItemChanged
from tintype.machinery import Backends, secret
from tintype.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kitchen:
    """Where recipes are made: who takes imports, who works them, who lets people watch, and who tells them of the end."""

    recipes: Recipes
    pipeline: Pipeline
    runner: Runner
    hub: Hub
    notifier: Notifier
    news: QueueNews

    async def start(self, *, alone: bool) -> None:
        """Begin to work. The key for pushes is made by the first start: a browser's consent belongs to one key."""
        try:
            await self.notifier.key()
        except Trouble as trouble:
            log.error("no pushes can be sent: %s", trouble.message)
        await self.runner.start(alone=alone)


def open_kitchen(settings: Settings, backends: Backends, downloads: Downloads, now: Callable[[], datetime]) -> Kitchen:
    """Put the kitchen together, and have it hear of what happens."""
    policy = recipes.Policy(at_once=settings.recipes_at_once, review_below=settings.recipe_review_below)
    records = recipes.ItemRecords(backends.database)
    outlet = outlet_of(settings, backends.outbound)
    helpers = helpers_of(settings, backends.outbound, backends.images)
    pipeline = Pipeline(
        records=records,
        extracting=recipes.Extracting(downloads, backends.outbound, backends.blobs, policy),
        reading=_reading(settings, backends, helpers),
        uploading=recipes.Uploading(outlet, backends.blobs, records),
        probes=recipes.Probes(_probes(downloads, outlet, helpers), policy.probed, now),
        bus=backends.bus,
        policy=policy,
        now=now,
    )
    runner = Runner(pipeline, backends.node)
    taken = Recipes(records, backends.blobs, backends.images, backends.bus, policy, now, runner.wake)
    notifier = _notifier(settings, backends, now)
    kitchen = Kitchen(
        taken, pipeline, runner, Hub(taken, Wire(settings.address())), notifier, QueueNews(taken, settings.address())
    )
    backends.bus.subscribe(kitchen.hub.heard)

    async def follow(event: Event) -> None:
        if isinstance(event, QueueItemChanged):
            if event.status == Status.PENDING:
                runner.wake()
            if event.tell:
                await notifier.wake()

    if backends.works:
        backends.bus.subscribe(follow)
    return kitchen


@dataclass(frozen=True, slots=True)
class Helpers:
    """The servers that help where rules stop, each only where the settings name it."""

    model: recipes.LlmParser | None = None
    ears: recipes.Listener | None = None
    eyes: recipes.VisionParser | None = None

    def checks(self) -> dict[str, Callable[[], Awaitable[str]]]:
        """Return by name how each of them is asked whether it is there; what it raises says what to do."""
        known = {"language model": self.model, "transcription": self.ears, "vision model": self.eyes}
        return {name: one.check for name, one in known.items() if one is not None}


def helpers_of(settings: Settings, outbound: Outbound, images: Images) -> Helpers:
    """Return the servers that the settings name."""
    base, media, rungs = settings.llm_base_url, settings.llm_send_media, recipes.Rungs()
    model, eyes = None, None
    if base and settings.llm_model:
        model = recipes.LlmParser(_model(settings, base, settings.llm_model), outbound, rungs=rungs)
    if base and settings.llm_vision_model and media:
        eyes = recipes.VisionParser(_model(settings, base, settings.llm_vision_model), outbound, images, rungs=rungs)
    speech = _speech(settings) if media else None
    return Helpers(model, recipes.Listener(speech, outbound) if speech else None, eyes)


def _model(settings: Settings, base: str, model: str) -> recipes.ModelPolicy:
    tokens = settings.llm_max_tokens
    return recipes.ModelPolicy(
        base,
        model,
        secret(settings.llm_api_key),
        total_seconds=settings.llm_seconds,
        max_tokens=tokens,
        most_tokens=3 * tokens,
    )


def _speech(settings: Settings) -> recipes.SpeechPolicy | None:
    base = settings.transcription_base_url or settings.llm_base_url
    if not base or not (settings.transcription_base_url or settings.transcription_model):
        return None
    key = settings.transcription_api_key or (settings.llm_api_key if base == settings.llm_base_url else None)
    model = settings.transcription_model or "whisper-1"  # most servers of one's own have one model and ask for no name
    return recipes.SpeechPolicy(base, model, secret(key), settings.transcription_seconds)


def _reading(settings: Settings, backends: Backends, helpers: Helpers) -> recipes.Reading:
    linked = (recipes.LinkedParser(backends.outbound),) if settings.recipe_follow_links else ()
    sees = settings.recipe_read_pictures and find_spec("rapidocr") is not None
    return recipes.Reading(
        quick=(recipes.RulesParser(), *linked),
        slides=recipes.SlideReader() if sees else None,
        slow=(helpers.model,) if helpers.model is not None else (),
        ears=helpers.ears,
        eyes=helpers.eyes,
        seconds=settings.llm_seconds,
    )


def outlet_of(settings: Settings, outbound: Outbound) -> recipes.Outlet | None:
    """Return where recipes go, or None when they stay here."""
    chosen = settings.recipe_outlet
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
    downloads: Downloads, outlet: recipes.Outlet | None, helpers: Helpers
) -> dict[recipes.Dependency, Callable[[], Awaitable[None]]]:
    async def instagram() -> None:
        await downloads.check()

    async def target() -> None:
        if outlet is not None:
            await outlet.check()

    async def reader() -> None:
        for check in helpers.checks().values():
            await check()

    kinds = recipes.Dependency
    return {kinds.INSTAGRAM: instagram, kinds.OUTLET: target, kinds.MODEL: reader}


def _notifier(settings: Settings, backends: Backends, now: Callable[[], datetime]) -> Notifier:
    policy = notifications.Policy(
        contact=settings.push_contact or settings.address(),
        services=(*notifications.SERVICES, *settings.push_hosts),
        own=settings.outbound_allow,
    )
    records = PushRecords(backends.database)
    return Notifier(records, backends.vault, backends.outbound, backends.engine, policy, now, backends.node)
