"""Downloads as values, and the rules of when an answer counts again. Nothing here does I/O."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tintype.errors import Kind, Trouble, Unavailable
from tintype.instagram.public import Health

# How long Instagram's no is taken for an answer: a deleted post stays deleted, a private one may be opened any minute.
HELD = {
    Kind.NOT_FOUND: timedelta(minutes=10),
    Kind.GONE: timedelta(minutes=10),
    Kind.FORBIDDEN: timedelta(minutes=5),
}
PASSING = frozenset({"session_expired"})  # over as soon as the operator gives new cookies
BUSY = timedelta(minutes=15)  # when Instagram asks us to wait without saying how long


class DiskFull(Unavailable):
    """The volume has no room for another post."""

    reason = "disk_full"


class State(StrEnum):
    """How far a download came."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Step(StrEnum):
    """What is to be done about a post that somebody asks for."""

    ANSWER = "answer"
    JOIN = "join"
    TAKE_OVER = "take_over"
    BEGIN = "begin"


@dataclass(frozen=True, slots=True)
class File:
    """One verified file of a post, by its name in the post's folder."""

    name: str
    kind: str  # IMAGE or VIDEO
    content_type: str
    bytes: int
    sha256: str
    width: int | None
    height: int | None
    cdn_url: str


@dataclass(frozen=True, slots=True)
class Post:
    """What is known of a downloaded post; `source` is the way that found it."""

    kind: str  # IMAGE, VIDEO or CAROUSEL_ALBUM
    product: str | None
    media_id: str | None
    caption: str
    owner: str | None
    owner_name: str | None
    taken_at: datetime | None
    source: str
    files: tuple[File, ...]

    @property
    def main(self) -> File:
        """The first video, else the first file."""
        return next((file for file in self.files if file.kind == "VIDEO"), self.files[0])


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a post could not be had; `code` is one word for programs, `until` how long this counts as the answer."""

    kind: Kind | None  # None: a fault of ours, which only the log describes
    code: str
    message: str
    until: datetime | None = None

    def holds(self, now: datetime) -> bool:
        """Tell whether asking Instagram again would be too early."""
        return self.until is not None and now < self.until


@dataclass(frozen=True, slots=True)
class Lease:
    """Who works on a download, and until when nobody else may."""

    by: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Download:
    """One try to get a post: running under a lease, done with a post, or failed with a reason."""

    id: str
    shortcode: str
    state: State
    asked_at: datetime
    lease: Lease | None = None
    ended_at: datetime | None = None
    post: Post | None = None
    failure: Failure | None = None

    def done(self, post: Post, now: datetime) -> "Download":
        """The same, with its post published."""
        return replace(self, state=State.DONE, lease=None, post=post, ended_at=now)

    def failed(self, failure: Failure, now: datetime) -> "Download":
        """The same, given up."""
        return replace(self, state=State.FAILED, lease=None, failure=failure, ended_at=now)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a download may cost, and how long its files stay."""

    seconds: float = 600.0  # for one post, from the look-up to the published folder
    max_bytes: int = 256 * 1024 * 1024  # of all files of one post together
    min_free_bytes: int = 32 * 1024 * 1024  # below this nothing new is begun
    at_once: int = 8  # files fetched at the same time by one process
    kept: timedelta = timedelta(days=7)
    cleanup_interval: timedelta = timedelta(hours=1)
    lease: timedelta = timedelta(
        seconds=7
    )  # a process that says nothing for so long is dead, and its downloads go on elsewhere
    look: timedelta = timedelta(
        seconds=2
    )  # between two looks for such downloads: with the lease, less than ten seconds


def next_step(found: Download | None, now: datetime, *, whole: bool) -> Step:
    """Return what to do when a post is asked for; `whole` says whether the files of a done one lie there unharmed."""
    if found is None:
        return Step.BEGIN
    if found.state is State.RUNNING:
        return Step.TAKE_OVER if found.lease is None or found.lease.until <= now else Step.JOIN
    if found.state is State.DONE:
        return Step.ANSWER if whole else Step.BEGIN
    return Step.ANSWER if found.failure and found.failure.holds(now) else Step.BEGIN


def failure_from(trouble: Trouble, now: datetime) -> Failure:
    """Return what a trouble means for this post and for how long."""
    code = getattr(trouble, "reason", None) or CODES.get(trouble.kind, "internal")
    return Failure(trouble.kind, str(code), trouble.message, _held_until(trouble, now))


def _held_until(trouble: Trouble, now: datetime) -> datetime | None:
    if getattr(trouble, "reason", None) in PASSING:
        return None
    if trouble.kind is Kind.BUSY:
        return now + (BUSY if trouble.retry_after is None else timedelta(seconds=trouble.retry_after))
    held = HELD.get(trouble.kind)
    return now + held if held else None


# The words for programs where the way that failed gave none of its own (public-web.md 2.4).
CODES = {
    Kind.NOT_FOUND: "not_found",
    Kind.GONE: "media_gone",
    Kind.FORBIDDEN: "private_or_login_required",
    Kind.RECONNECT: "login_required",
    Kind.BUSY: "upstream_rate_limited",
    Kind.UNREACHABLE: "upstream_unreachable",
    Kind.REFUSED: "bad_upstream_response",
    Kind.UNAVAILABLE: "unavailable",
}


def name_of(shortcode: str, place: int, of: int, ending: str) -> str:
    """Return the promised name of a post's file: numbered from 1 when there are several."""
    number = f"_{place + 1}" if of > 1 else ""
    return f"{shortcode}{number}.{ending}"


def total_bytes(files: Iterable[File]) -> int:
    """Return the size of several files together."""
    return sum(file.bytes for file in files)


def standing_of(health: Health) -> dict[str, object]:
    """Return how a way stands as plain values; `limited` is about this address, `broken` most likely about everybody."""
    return {
        "way": health.way,
        "verdict": health.verdict.value,
        "breaker": health.state.value,
        "lookups_left": health.left,
        "lookups_per_hour": health.budget,
        "next_at": health.next_at.isoformat(timespec="seconds"),
        "reason": health.reason.value if health.reason else None,
        "last_success": health.last_success.isoformat(timespec="seconds") if health.last_success else None,
        "last_failure": health.last_failure.isoformat(timespec="seconds") if health.last_failure else None,
    }
