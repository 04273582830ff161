"""Subscriptions and notices as values, and the rules of what a push service's answer means. Nothing here does I/O."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from urllib.parse import urlsplit

from tintype.core.notifications.encryption import POINT_BYTES, SECRET_BYTES, is_point
from tintype.core.notifications.vapid import bytes_of
from tintype.errors import Invalid

# The push services of Chrome, Firefox, Safari and Edge: a stranger's endpoint is one of theirs, or it is not called.
SERVICES = ("fcm.googleapis.com", "push.services.mozilla.com", "push.apple.com", "notify.windows.com")

ENDPOINT_LENGTH = 2048
CLIENT_LENGTH = 200
PAYLOAD_BYTES = 1000  # ids and a title: what a lock screen shows

# What is over since a day is no news any more, so the push service need not keep it for longer either.
FRESH = timedelta(days=1)
BACKOFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))
LOST = timedelta(days=7)  # a browser that could not be reached for so long is given up

_TEXT_LENGTHS = ((120, 240), (120, 60), (60, 0), (20, 0))  # title and body, until they fit


class Outcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    LATER = "later"  # the service is busy or away
    EXPIRED = "expired"  # it was away for as long as the notice was news
    REFUSED = "refused"  # the service does not take what we say: ours to mend
    GONE = "gone"  # the browser does not want any more


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may be called, how we introduce ourselves, and how much there may be."""

    contact: str  # mailto: or https:, for the people who run a push service
    services: tuple[str, ...] = SERVICES
    own: tuple[str, ...] = ()  # host:port entries of the operator's own network, which need no https
    seconds: float = 15.0
    most: int = 1000  # subscriptions
    lease: timedelta = timedelta(
        seconds=7
    )  # a process that says nothing for so long is dead, and others send what it had


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where one browser is reached; whoever knows all of it can send to that browser what looks like ours."""

    endpoint: str = field(repr=False)
    p256dh: bytes = field(repr=False)
    auth: bytes = field(repr=False)

    @classmethod
    def of(cls, endpoint: str, p256dh: str, auth: str, policy: Policy) -> "Subscription":
        """Read what a browser gave.

        Raises `Invalid` with a sentence for each thing that is wrong.
        """
        receiver, secret = _decoded(p256dh), _decoded(auth)
        problems = [
            *_problems_of_endpoint(endpoint, policy),
            *(() if is_point(receiver) else (f"keys.p256dh is not the {POINT_BYTES} bytes of a point on P-256",)),
            *(() if len(secret) == SECRET_BYTES else (f"keys.auth is not {SECRET_BYTES} bytes in base64url",)),
        ]
        if problems:
            raise Invalid(*problems)
        return cls(endpoint, receiver, secret)


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell. Of several notices with the same `key` only the first is sent."""

    key: str
    subject: str  # the id of what it is about: a later notice takes the place of an earlier one that still waits
    kind: str
    status: str
    title: str
    body: str
    url: str
    thumbnail: str | None = None
    is_urgent: bool = False  # a person has to do something

    @property
    def topic(self) -> str:
        """The name under which push services keep at most one message: up to 32 characters of base64url."""
        return self.subject.replace("-", "")[:32]

    def payload(self) -> bytes:
        """Return what the page's worker gets, with its texts cut to what fits."""
        found = b""
        for title, body in _TEXT_LENGTHS:
            found = self._payload(_cut(self.title, title), _cut(self.body, body))
            if len(found) <= PAYLOAD_BYTES:
                return found
        return found

    def _payload(self, title: str, body: str) -> bytes:
        said = {
            "type": self.kind,
            "itemId": self.subject,
            "status": self.status,
            "title": title,
            "body": body,
            "url": self.url,
            **({"thumbnail": self.thumbnail} if self.thumbnail else {}),
        }
        return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an attempt came to; `at` is when to try again."""

    outcome: Outcome
    at: datetime | None = None


def judge(status: int | None, retry_after: timedelta | None, attempts: int, now: datetime, until: datetime) -> Verdict:
    """Return what a push service's answer means for an attempt, the `attempts`th; None: there was no answer."""
    if status is not None and status // 100 == 2:
        return Verdict(Outcome.DELIVERED)
    if status in (404, 410):
        return Verdict(Outcome.GONE)
    if status is not None and status != 429 and status < 500:
        return Verdict(Outcome.REFUSED)
    if attempts > len(BACKOFF):
        return Verdict(Outcome.EXPIRED)
    at = now + max(BACKOFF[attempts - 1], retry_after or timedelta(0))
    return Verdict(Outcome.LATER, at) if at < until else Verdict(Outcome.EXPIRED)


def is_lost(failing_since: datetime | None, now: datetime) -> bool:
    """Tell whether a browser was out of reach for so long that it is given up."""
    return failing_since is not None and now - failing_since >= LOST


def retry_after_of(header: str | None, now: datetime) -> timedelta | None:
    """Return how long a Retry-After header asks to wait, in either of its forms; None for none and for nonsense."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit() and len(text) < 8:
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(moment - now, timedelta(0)) if moment.tzinfo is not None else None


def _problems_of_endpoint(endpoint: str, policy: Policy) -> Iterable[str]:
    if not 0 < len(endpoint) <= ENDPOINT_LENGTH or not endpoint.isascii() or not endpoint.isprintable():
        return (f"endpoint must be an address of at most {ENDPOINT_LENGTH} characters",)
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return ("endpoint is not an address",)
    is_own = parts.scheme == "http" and f"{host}:{port or 80}" in policy.own
    if " " in endpoint or (parts.scheme != "https" and not is_own):
        return ("endpoint must be an https:// address",)
    if parts.username is not None or parts.password is not None or parts.fragment:
        return ("endpoint must have neither a user name nor a fragment",)
    if not _is_among(host, policy.services):
        return ("endpoint is not at a push service that is known here; PUSH_HOSTS adds one",)
    if port not in (None, 443) and f"{host}:{port}" not in policy.own:
        return ("endpoint must be on port 443",)
    return ()


def _is_among(host: str, services: Iterable[str]) -> bool:
    return any(host == one or host.endswith(f".{one}") for one in services)


def _decoded(text: str) -> bytes:
    try:
        return bytes_of(text)
    except ValueError:
        return b""


def _cut(text: str, most: int) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= most else plain[: max(0, most - 1)].rstrip() + "…" * (most > 0)
