"""A queue item as a value, and the pure rules of its way: three phases, one status, what a retry keeps. Nothing here does I/O.

An item is `in_progress` exactly while one of its phases is, and an item that ended badly has exactly one phase in error.
Progress never falls within an attempt, and is 100 exactly when the phase is completed.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import uuid4

from tintype.core.recipes.model import Parsed, Recipe

MILLISECOND = timedelta(milliseconds=1)


class Status(StrEnum):
    """Where an item stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    UNHEALTHY = "unhealthy"  # its surroundings failed: it is tried again by itself
    ERROR = "error"  # its own failure: only a person can say that it is worth another try
    SUCCESS = "success"


# In the order in which a list sorted by status shows them.
RANKS = {status: rank for rank, status in enumerate(Status)}
ACTIVE = frozenset({Status.PENDING, Status.IN_PROGRESS})
FAILED = frozenset({Status.ERROR, Status.UNHEALTHY})


class Stage(StrEnum):
    """The three phases, in their order."""

    EXTRACTION = "extraction"
    PARSING = "parsing"
    UPLOADING = "uploading"


class PhaseStatus(StrEnum):
    """Where a phase stands."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    ERROR = "error"


class Dependency(StrEnum):
    """What around an item can be away, so that it has to wait for it."""

    INSTAGRAM = "instagram"
    MODEL = "model"
    OUTLET = "outlet"
    HOUSE = "house"


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase of an item."""

    name: Stage
    status: PhaseStatus = PhaseStatus.PENDING
    progress: int = 0
    started_at: datetime | None = None
    completed_at: datetime | None = None


FRESH = tuple(Phase(stage) for stage in Stage)


@dataclass(frozen=True, slots=True)
class Given:
    """What came directly, so that nothing has to be extracted: a text, and pictures under their blob keys."""

    text: str | None = None
    title: str | None = None
    pictures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extract:
    """What extraction found; `text` is the raw text, `cover` the blob key of our own copy of the picture.

    `picture` is where the picture lies at Instagram, until it is copied or was tried to be.

    `pictured` are the words on the pictures and `heard` those that are spoken in the video, where somebody looked or listened.
    """

    text: str
    link: str | None = None
    owner: str | None = None
    taken_at: datetime | None = None
    kind: str | None = None
    cover: str | None = None
    picture: str | None = field(default=None, repr=False)
    pictured: str | None = None
    heard: str | None = None

    @property
    def words(self) -> str:
        """All words that were found."""
        return "\n\n".join(part for part in (self.text, self.pictured, self.heard) if part)


@dataclass(frozen=True, slots=True)
class Upload:
    """How far the outlet is with an item: `begun` is stored before anything is sent, `id` as soon as it is known."""

    outlet: str
    id: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an item failed; `dependency` names what was away, and is None for a failure of the item's own."""

    code: str
    message: str
    dependency: Dependency | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One import on its way from a link, a text or pictures to an outlet."""

    id: str
    url: str | None
    link: str | None
    shortcode: str | None
    given: Given
    status: Status
    phases: tuple[Phase, ...]
    created_at: datetime
    updated_at: datetime
    number: int = 0  # given by the table: the order of arrival
    source: Extract | None = None
    parsed: Parsed[Recipe] | None = None
    upload: Upload | None = None
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None
    force: bool = False  # take the best guess
    again: bool = False  # a second recipe of the same post is wanted
    attempt: int = 1  # goes up when somebody asks for a retry
    retries: int = 0  # by itself, since the item became unhealthy
    losses: int = 0  # processes that died with it in this phase, one after the other
    told: str | None = None  # the end that people were told of last
    duplicate_of: str | None = None
    batch: str | None = None
    due_at: datetime | None = None
    fence: int = 0
    ended_at: datetime | None = None

    @property
    def stage(self) -> Stage | None:
        """The first phase that is not completed; None when all are."""
        return next((phase.name for phase in self.phases if phase.status is not PhaseStatus.COMPLETED), None)

    @property
    def in_review(self) -> bool:
        """Whether it waits for a person: it is pending, and nothing but somebody's word makes it due."""
        return self.status is Status.PENDING and self.due_at is None

    def phase(self, stage: Stage) -> Phase:
        """One of the three phases."""
        return next(phase for phase in self.phases if phase.name is stage)


def begun(
    now: datetime,
    *,
    url: str | None = None,
    link: str | None = None,
    shortcode: str | None = None,
    given: Given | None = None,
    again: bool = False,
    duplicate_of: str | None = None,
    batch: str | None = None,
) -> Item:
    """Return a new item that is due at once."""
    moment = in_milliseconds(now)
    return Item(
        id=str(uuid4()),
        url=url,
        link=link,
        shortcode=shortcode,
        given=given or Given(),
        status=Status.PENDING,
        phases=FRESH,
        created_at=moment,
        updated_at=moment,
        again=again,
        duplicate_of=duplicate_of,
        batch=batch,
        due_at=moment,
    )


def in_milliseconds(moment: datetime) -> datetime:
    """Return a moment as exactly as it is shown."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def touched(item: Item, now: datetime) -> datetime:
    """Return an item's next `updated_at`, which strictly increases also when the clock does not."""
    return max(in_milliseconds(now), item.updated_at + MILLISECOND)


def working(item: Item, stage: Stage, now: datetime) -> dict[str, Any]:
    """Return what changes when a phase begins, or is taken up again."""
    phase = item.phase(stage)
    started = phase.started_at if phase.status is PhaseStatus.IN_PROGRESS else None
    moved = replace(
        phase, status=PhaseStatus.IN_PROGRESS, started_at=started or in_milliseconds(now), completed_at=None
    )
    return {
        "status": Status.IN_PROGRESS,
        "phases": _with(item.phases, moved),
        "failure": None,
        "ended_at": None,
        "due_at": now,
    }


def progressed(item: Item, stage: Stage, progress: int) -> dict[str, Any]:
    """Return what changes when a phase comes further; it never goes back, and 100 is kept for its end."""
    phase = item.phase(stage)
    return {"phases": _with(item.phases, replace(phase, progress=max(phase.progress, min(progress, 99))))}


def completed(item: Item, stage: Stage, now: datetime) -> dict[str, Any]:
    """Return what changes when a phase is done: the next one begins in the same moment, or the item is a success."""
    moment = in_milliseconds(now)
    phase = item.phase(stage)
    done = replace(
        phase,
        status=PhaseStatus.COMPLETED,
        progress=100,
        started_at=phase.started_at or moment,
        completed_at=moment,
    )
    phases = _with(item.phases, done)
    following = next((one for one in phases if one.status is not PhaseStatus.COMPLETED), None)
    if following is None:
        return {
            "phases": phases,
            "status": Status.SUCCESS,
            "failure": None,
            "due_at": None,
            "ended_at": moment,
            "retries": 0,
        }
    begins = replace(following, status=PhaseStatus.IN_PROGRESS, started_at=moment)
    return {"phases": _with(phases, begins), "status": Status.IN_PROGRESS, "failure": None, "losses": 0}


def laid_out(item: Item, now: datetime) -> dict[str, Any]:
    """Return what changes when a recipe is found that a person should look at: the upload waits, and nobody takes the item."""
    changed = completed(item, Stage.PARSING, now)
    phases = _reopened(changed["phases"])
    return {**changed, "phases": phases, "status": Status.PENDING, "due_at": None}


def failed(item: Item, failure: Failure, now: datetime, again_at: datetime | None) -> dict[str, Any]:
    """Return what changes when the phase at work fails: an unhealthy item is due again at `again_at`."""
    stage = item.stage or Stage.UPLOADING
    phase = replace(item.phase(stage), status=PhaseStatus.ERROR)
    is_unhealthy = failure.dependency is not None
    return {
        "phases": _with(item.phases, replace(phase, progress=min(phase.progress, 99))),
        "status": Status.UNHEALTHY if is_unhealthy else Status.ERROR,
        "failure": failure,
        "due_at": again_at if is_unhealthy else None,
        "ended_at": in_milliseconds(now),
    }


def put_back(item: Item, due_at: datetime) -> dict[str, Any]:
    """Return what changes when the phase at work has to wait: it begins anew, completed ones stay as they are."""
    return {"phases": _reopened(item.phases), "status": Status.PENDING, "due_at": due_at, "ended_at": None}


def retried(item: Item, now: datetime, *, since: Stage | None = None, force: bool | None = None) -> dict[str, Any]:
    """Return what changes when an item is tried again from its first unfinished phase, or from `since` on.

    Completed phases that are not repeated keep their times; what was extracted stays until it is replaced.
    """
    phases = _reopened(item.phases)
    if since is not None:
        later = list(Stage)[list(Stage).index(since) :]
        phases = tuple(Phase(phase.name) if phase.name in later else phase for phase in phases)
    return {
        "phases": phases,
        "status": Status.PENDING,
        "failure": None,
        "due_at": now,
        "ended_at": None,
        "attempt": item.attempt + 1,
        "retries": 0,
        "losses": 0,
        "force": item.force if force is None else force,
    }


def _reopened(phases: Sequence[Phase]) -> tuple[Phase, ...]:
    return tuple(phase if phase.status is PhaseStatus.COMPLETED else Phase(phase.name) for phase in phases)


def _with(phases: Collection[Phase], changed: Phase) -> tuple[Phase, ...]:
    return tuple(changed if phase.name is changed.name else phase for phase in phases)


def end_of(item: Item) -> str | None:
    """Return by what an end is known, so that people are told of each once an attempt; None: it is no end.

    An item that waits for a person is told of as well: otherwise it would wait for ever.
    """
    if item.in_review:
        return f"{item.attempt}:review"
    return None if item.status in ACTIVE else f"{item.attempt}:{item.status.value}"
