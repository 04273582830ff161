"""What operators watch: states of the house as figures, asked for when somebody looks at `/metrics`."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from tintype import __version__, metrics
from tintype.api.health import Figures
from tintype.backends.engine import JobState
from tintype.backends.engine_jobs import JobDesk
from tintype.core.recipes import Query, Status
from tintype.machinery import Backends, engine_url, secret
from tintype.rooms import Rooms
from tintype.settings import Settings

Asked = Callable[[], Awaitable[Mapping[str, float]]]


def open_figures(settings: Settings, backends: Backends, rooms: Rooms, now: Callable[[], datetime]) -> Figures:
    """Return who may read the figures, and how each state is found. One that cannot be found leaves the others alone."""
    metrics.BUILD.labels(__version__).set(1)
    jobs = JobDesk(engine_url(settings, backends.database), backends.engine)
    states: dict[str, Asked] = {
        "feeds": _feeds(rooms, now),
        "jobs": _jobs(jobs),
        "work": _work(backends, rooms, now),
    }
    return Figures(secret(settings.metrics_token), settings.is_local(), states)


def _feeds(rooms: Rooms, now: Callable[[], datetime]) -> Asked:
    async def ask() -> Mapping[str, float]:
        standings = await rooms.feed.records.all_standings()
        moments = [one.synced_at for one in standings.values() if one.synced_at is not None]
        oldest = (now() - min(moments)).total_seconds() if moments else 0.0
        return {"tintype_feeds": len(standings), "tintype_feed_age_seconds": max(0.0, oldest)}

    return ask


def _jobs(jobs: JobDesk) -> Asked:
    async def ask() -> Mapping[str, float]:
        counts = await jobs.counts()
        return {
            "tintype_jobs_waiting": counts[JobState.WAITING],
            "tintype_jobs_running": counts[JobState.RUNNING],
        }

    return ask


def _work(backends: Backends, rooms: Rooms, now: Callable[[], datetime]) -> Asked:
    async def ask() -> Mapping[str, float]:
        under_way = Query(statuses=(Status.PENDING, Status.IN_PROGRESS), limit=1)
        due = await rooms.picking.hooks.webhooks.deliveries.next_due()
        late = (now() - due.replace(tzinfo=due.tzinfo or UTC)).total_seconds() if due else 0.0
        return {
            "tintype_recipes_waiting": (await rooms.kitchen.recipes.page(under_way)).total,
            "tintype_webhooks_late_seconds": max(0.0, late),
            "tintype_picture_workers": backends.images.workers,
            "tintype_pictures_waiting": backends.images.waiting,
            "tintype_streams": rooms.kitchen.hub.open,
        }

    return ask
