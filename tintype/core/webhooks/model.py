"""Endpoints, messages and deliveries as values, and the rules of what an answer means. Nothing here does I/O."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from tintype.backends.addresses import forbidden
from tintype.core.webhooks.schedule import HOUR, Schedule
from tintype.errors import Invalid

ALL = "all"  # what Filestack's portal calls so: everything about files
EVERYTHING = "all+"

# What each event of ours is called in the envelope of Standard Webhooks; those about files have Filestack's names.
EVENTS: Mapping[str, str] = {
    "fp.upload": "file.uploaded",
    "fp.export": "file.exported",
    "fp.converse": "file.converted",
    "fp.delete": "file.deleted",
    "fp.overwrite": "file.overwritten",
    "fp.dialog": "dialog.opened",
    **{
        name: name
        for name in (
            "account.connected",
            "account.expiring",
            "account.disconnected",
            "post.published",
            "post.failed",
            "post.unlinked",
            "feed.synced",
            "queue.success",
            "queue.error",
            "endpoint.disabled",
        )
    },
}

URL_LENGTH = 2048
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")  # a last label that makes a host an IPv4 address, in whatever notation
DESCRIPTION_LENGTH = 200
ANSWER_BYTES = 4096  # of an answer's body are kept in the log

DEAD_AFTER = timedelta(days=5)
DEAD_SPAN = 12 * HOUR  # between the first and the last failure: one bad minute of a quiet endpoint is no death
LONGEST_WISH = 12 * HOUR  # of a Retry-After


class Envelope(StrEnum):
    """The shape of a message's body."""

    FILESTACK = "filestack"
    STANDARD = "standard"


class Way(StrEnum):
    """Who calls whom."""

    PUSH = "push"
    PULL = "pull"  # somebody behind a router asks for what is due


class State(StrEnum):
    """Whether an endpoint is sent to; what happens meanwhile is kept for it in every state."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class Progress(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"  # came while its endpoint was paused, and was not wanted afterwards


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient and how busy the deliverer is."""

    seconds: float = 15.0  # for one attempt in all
    lanes: int = 4  # attempts at a time to one endpoint
    at_once: int = 64  # attempts at a time in all
    spare: int = 32  # beyond those, for endpoints that have none under way
    doubtful: int = 48  # of all, to endpoints whose last attempt failed
    lease: timedelta = timedelta(seconds=7)  # renewed while an attempt goes on; a dead process's is made again after it
    fetched: timedelta = timedelta(seconds=60)  # for a listener to say what came of what it fetched
    jitter: timedelta = timedelta(seconds=30)
    overlap: timedelta = timedelta(hours=24)  # an earlier secret still signs after a rotation
    kept: timedelta = timedelta(days=30)
    idle: timedelta = timedelta(seconds=2)  # the longest sleep between two looks for what is due
    most: int = 100  # endpoints of a workspace
    allowed: tuple[str, ...] = ()  # host:port entries of the operator's own network
    schedule: str = "filestack-2016"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing to tell. Of several with the same `key` in a workspace only the first is told.

    `text` is the documented object, in the documented order of its keys; `app_id` names the picker's app it belongs to.
    """

    workspace_id: str
    app_id: str | None
    event: str
    text: Mapping[str, object]
    at: datetime
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address that wants to be told; its secrets are not here, see `signing.Keys`."""

    id: str
    workspace_id: str
    app_id: str | None  # None: of the whole workspace
    url: str
    description: str
    events: tuple[str, ...]
    schedule: Schedule
    envelope: Envelope
    way: Way
    state: State
    reason: str | None
    public_key: str
    created_at: datetime
    overlap_until: datetime | None = None  # as long as the earlier secret signs as well
    failing_since: datetime | None = None
    failed_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wanting:
    """An endpoint that has something due: how many attempts to it are under way, and whether the last one failed."""

    name: str
    busy: int = 0
    in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to an endpoint, as people see it."""

    id: int
    endpoint_id: str
    uid: str
    message_id: int
    event: str
    at: datetime
    state: Progress
    attempts: int
    due_at: datetime | None
    is_replay: bool
    status: int | None
    reason: str | None
    seconds: float | None
    ended_at: datetime | None
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one attempt: a status, or the code of a reason for which there is none, in a word and a sentence."""

    status: int | None = None
    reason: str | None = None
    detail: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: str = field(default="", repr=False)
    seconds: float = 0.0
    first_byte: float | None = None
    address: str | None = None
    tls: str | None = None
    dns: float | None = None  # seconds, as those that follow; None for a connection that was kept from before
    connect: float | None = None
    handshake: float | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One line of a delivery's log: what was sent and what came of it."""

    number: int
    at: datetime
    url: str
    sent: Mapping[str, str]
    answer: Answer


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means for its delivery; `due_at` is when to try again."""

    state: Progress
    reason: str | None = None
    due_at: datetime | None = None
    disables: bool = False


def checked_events(events: Sequence[str]) -> tuple[str, ...]:
    """Return the names of events that an endpoint wants; raises `Invalid` for others."""
    known = (*EVENTS, ALL, EVERYTHING)
    wrong = sorted({one for one in events if one not in known})
    if wrong or not events:
        raise Invalid(f"events must be some of {', '.join(known)}" + (f"; not {', '.join(wrong)}" if wrong else ""))
    return tuple(dict.fromkeys(events))


def checked_url(url: str, allowed: Sequence[str]) -> str:
    """Return an address that may be called, as far as its text tells: names are looked at when they are resolved.

    Raises `Invalid`.
    """
    if not 0 < len(url) <= URL_LENGTH or not url.isascii() or not url.isprintable() or " " in url:
        raise Invalid(f"url must be an address of at most {URL_LENGTH} characters")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Invalid("url is not an address") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Invalid("url must begin with https:// or http://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Invalid("url must have neither a user name nor a fragment")
    if f"{host}:{port or (443 if parts.scheme == 'https' else 80)}" in allowed:
        return url
    if port not in (None, 80, 443):
        raise Invalid("url must be on port 80 or 443; OUTBOUND_ALLOW lets a place of your own be called on another")
    name = host.rstrip(".")
    why = forbidden(name) if _NUMBER.fullmatch(name.rpartition(".")[2]) or ":" in name else None
    if why is not None or name == "localhost" or name.endswith(".localhost"):
        raise Invalid(
            f"url must be a public address ({why or 'loopback'}); OUTBOUND_ALLOW lets one of your own be called"
        )
    return url


def wants(endpoint: Endpoint, happening: Happening) -> bool:
    """Tell whether an endpoint is told of this: one of an app hears of that app alone."""
    return endpoint.app_id in (None, happening.app_id) and is_chosen(happening.event, endpoint.events)


def is_chosen(event: str, chosen: Collection[str]) -> bool:
    """Tell whether an event is among those that somebody chose."""
    return event in chosen or EVERYTHING in chosen or (ALL in chosen and is_of_files(event))


def is_of_files(event: str) -> bool:
    """Tell whether a name, of an event or of several, is about files alone."""
    return event == ALL or event.startswith("fp.")


def body_of(number: int, happening: Happening) -> bytes:
    """Return a message's body, whose bytes are the same in every attempt; keys stand in the documented order."""
    head = {"action": happening.event, "timestamp": int(happening.at.timestamp())}
    # The one documented message whose number stands last.
    is_last = happening.event == "fp.converse"
    tail = {"text": happening.text, "id": number} if is_last else {"id": number, "text": happening.text}
    return _json({**head, **tail})


def enveloped(body: bytes, envelope: Envelope) -> bytes:
    """Return a body in the shape that an endpoint asked for."""
    if envelope is Envelope.FILESTACK:
        return body
    said: dict[str, Any] = json.loads(body)
    moment = datetime.fromtimestamp(said["timestamp"], UTC).isoformat().replace("+00:00", "Z")
    return _json({"type": EVENTS[said["action"]], "timestamp": moment, "data": said["text"]})


def judge(
    answer: Answer, schedule: Schedule, attempts: int, first: datetime, now: datetime, jitter: timedelta
) -> Verdict:
    """Return what the answer to the `attempts`th attempt means; the first one was at `first`."""
    if answer.status is not None and answer.status // 100 == 2:
        return Verdict(Progress.DELIVERED)
    reason = reason_of(answer)
    if answer.status == 410:
        return Verdict(Progress.FAILED, reason, disables=True)
    if answer.headers.get("webhook-delivery", "").strip().lower() == "abort-message":
        return Verdict(Progress.FAILED, "aborted")
    due = schedule.next(first, attempts, now, jitter)
    if due is None:
        return Verdict(Progress.FAILED, reason)
    if answer.status in (429, 503):
        due = max(due, now + min(wish(answer.headers.get("retry-after", ""), now), LONGEST_WISH))
    return Verdict(Progress.WAITING, reason, due)


def reason_of(answer: Answer) -> str:
    """Return in one word why an attempt did not deliver."""
    if answer.status is None:
        return answer.reason or "broken"
    if answer.status == 410:
        return "gone"
    return "redirect" if answer.status // 100 == 3 else f"http_{answer.status}"


def wish(header: str, now: datetime) -> timedelta:
    """Return how long a Retry-After header asks to wait, in either of its forms; nothing for nonsense."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 8:
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    return max(moment - now, timedelta(0)) if moment.tzinfo is not None else timedelta(0)


def is_dead(failing_since: datetime | None, failed_at: datetime | None, now: datetime) -> bool:
    """Tell whether an endpoint that fails at `now` has failed for so long that it is given up.

    `failing_since` is its first failure since it last took something, `failed_at` the last one before this.
    """
    if failing_since is None or failed_at is None:
        return False
    return now - failing_since >= DEAD_AFTER and failed_at - failing_since >= DEAD_SPAN


def share(wanting: Sequence[Wanting], under_way: int, doubted: int, policy: Policy) -> dict[str, int]:
    """Return how many attempts each endpoint may begin, beside so many `under_way`, of which some are to those in doubt.

    Places go to whoever has the fewest, one by one, and among them to the first. One that has none finds a place although
    others hold all that there are to be shared, and those in doubt have one each and never all: whoever hangs keeps only
    his own kind waiting.
    """
    given = dict.fromkeys((one.name for one in wanting), 0)
    for lane in range(policy.lanes):
        most = policy.at_once if lane else policy.at_once + policy.spare
        for one in wanting:
            is_barred = one.in_doubt and (lane > 0 or doubted >= policy.doubtful)
            if under_way < most and not is_barred and one.busy + given[one.name] == lane:
                given[one.name] += 1
                under_way += 1
                doubted += one.in_doubt
    return {name: count for name, count in given.items() if count}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
