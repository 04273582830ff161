"""What a request has to pass before any work is done for it, in the promised order: size, rate, key, JSON, url, URL rules.

Refusing is the most frequent answer of an open door, so it is plain bytes: no framework, no model.
"""

import hmac
import json
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import cast

from starlette.requests import Request
from starlette.types import Scope

from tintype.api.callers import address
from tintype.errors import Invalid
from tintype.instagram.links import Link, LinkKind, NoLink, parse_link

_ADDRESSES = 10_000  # counted at a time; the one that asked longest ago is forgotten first
_HOSTS = ("instagram.com", "www.instagram.com")
_KINDS = (LinkKind.POST, LinkKind.REEL, LinkKind.TV)


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that goes no further."""

    status: int
    error: str
    code: str
    detail: str | None = None
    retry_after: int | None = None

    def body(self) -> dict[str, object]:
        """Return what the caller reads."""
        more = {"detail": self.detail, "retry_after": self.retry_after}
        return {"error": self.error, "code": self.code, **{key: value for key, value in more.items() if value}}


TOO_LARGE = Refused(413, "Request body too large", "body_too_large")
UNAUTHORIZED = Refused(401, "Unauthorized", "unauthorized")
NO_JSON = Refused(400, "Invalid JSON body", "invalid_json")
NO_URL = Refused(400, "Missing 'url'", "missing_url")
BAD_URL = "Invalid URL format"


@dataclass(frozen=True, slots=True)
class Standing:
    """How an address stands after a request: what is left to it, and the seconds until it may ask again."""

    most: int
    left: int
    wait: int

    def headers(self) -> dict[str, str]:
        """Return it as the answer's headers."""
        return {
            "RateLimit-Limit": str(self.most),
            "RateLimit-Remaining": str(max(0, self.left)),
            "RateLimit-Reset": str(self.wait),
        }


@dataclass(slots=True)
class Rates:
    """Counts the requests of each address within a window that slides; refused ones do not count. 0: nobody is counted.

    Counted in this process alone, as the original does.
    """

    most: int
    seconds: float
    clock: Callable[[], float] = time.monotonic
    _asked: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict[str, "deque[float]"], init=False)

    def count(self, who: str) -> Standing | None:
        """Count one request; `left` is -1 when it was one too many, None means that nobody is counted."""
        if not self.most:
            return None
        now = self.clock()
        asked = self._asked.setdefault(who, deque())
        self._asked.move_to_end(who)
        if len(self._asked) > _ADDRESSES:
            self._asked.popitem(last=False)
        while asked and asked[0] <= now - self.seconds:
            asked.popleft()
        if len(asked) < self.most:
            asked.append(now)
            return Standing(self.most, self.most - len(asked), self._wait(asked[0], now))
        return Standing(self.most, -1, self._wait(asked[0], now))

    def _wait(self, first: float, now: float) -> int:
        return max(1, min(ceil(self.seconds), ceil(first + self.seconds - now)))


@dataclass(frozen=True, slots=True)
class Admitted:
    """A request that may be worked for."""

    link: Link
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Gate:
    """Looks at a request and says whether it may be worked for."""

    rates: Rates
    max_body_bytes: int
    max_url_length: int
    trusted: tuple[str, ...]
    key: str | None = field(repr=False)

    def judge(self, scope: Scope, body: bytes) -> tuple[Admitted | Refused, Standing | None]:
        """Return what is to become of a request whose body is of a size that is taken."""
        standing = self.rates.count(self.who(scope))
        if standing is not None and standing.left < 0:
            return Refused(429, "Too many requests", "rate_limited", retry_after=standing.wait), standing
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        if not self.admits(headers):
            return UNAUTHORIZED, standing
        found = self._link(_header(headers, b"content-type"), body)
        return (found if isinstance(found, Refused) else Admitted(found, standing)), standing

    def admits(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Tell whether the key is shown, as X-API-Key or as a Bearer token; when none is set everybody is admitted."""
        return self.key is None or any(hmac.compare_digest(one, self.key.encode()) for one in _keys(headers))

    def who(self, scope: Scope) -> str:
        """Return the address that asks, as trusted proxies tell it."""
        if self.trusted:
            return address(Request(scope), self.trusted)
        client = scope.get("client")
        return client[0] if client else "unknown"

    def _link(self, content_type: bytes | None, body: bytes) -> Link | Refused:
        media_type = (content_type or b"").partition(b";")[0].strip().lower()
        if media_type not in (b"", b"application/json") and not media_type.endswith(b"+json"):
            return Refused(415, "Content-Type must be application/json", "unsupported_media_type")
        try:
            sent: object = json.loads(body)
        except (ValueError, RecursionError):
            return NO_JSON
        if not isinstance(sent, dict):
            return NO_JSON
        url = cast("Mapping[str, object]", sent).get("url")
        if not url:
            return NO_URL
        if not isinstance(url, str):
            return Refused(400, BAD_URL, "invalid_url", "url must be a string")
        return self.link(url)

    def link(self, url: str) -> Link | Refused:
        """Return what a URL leads to; only public posts are taken, by their plain addresses."""
        if len(url) > self.max_url_length:
            return Refused(400, BAD_URL, "invalid_url", f"the URL is longer than {self.max_url_length} characters")
        try:
            link = parse_link(url)
        except Invalid as trouble:
            code = trouble.why.value if isinstance(trouble, NoLink) else "invalid_url"
            return Refused(400, BAD_URL, "invalid_url", f"{trouble.message} ({code})")
        if link.kind not in _KINDS or link.shortcode is None:
            return Refused(400, BAD_URL, "invalid_url", f"the link leads to a {link.kind}, not to a post or reel")
        if link.host not in _HOSTS:
            return Refused(400, BAD_URL, "invalid_url", f"write it with www.instagram.com: {link.url}")
        return link


def _keys(headers: Sequence[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    scheme, _, token = (_header(headers, b"authorization") or b"").partition(b" ")
    return _header(headers, b"x-api-key") or b"", token.strip() if scheme.lower() == b"bearer" else b""


def _header(headers: Sequence[tuple[bytes, bytes]], wanted: bytes) -> bytes | None:
    return next((value for name, value in headers if name == wanted), None)
