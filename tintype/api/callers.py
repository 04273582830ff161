"""Who is asking, how often, and what they have read: tokens, addresses behind proxies, rate limits, idempotency keys, tags."""

import ipaddress
import json
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import JSONResponse, Response

from tintype.backends.idempotency import Idempotency, Stored
from tintype.errors import RateLimited, Stale, Unauthorized, Unavailable

WINDOW_SECONDS = 60
_SAYING = ("content-type", "location", "retry-after", "x-error-code")  # headers that an answer keeps


class Counter(Protocol):
    """Counts within a window of time."""

    async def incr(self, key: str, ttl: float) -> int: ...


def bearer(request: Request) -> str:
    """Return the token of the Authorization header; the word Bearer may be written as one likes.

    Raises `Unauthorized` when there is none.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("Unauthorized")
    return token.strip()


def address(request: Request, trusted: tuple[str, ...]) -> str:
    """Return the caller's address; X-Forwarded-For counts only as far as it was written by trusted proxies."""
    peer = request.client.host if request.client else "unknown"
    # Some proxies add a line of their own below the one that the caller made up: all lines are one list.
    written = ",".join(request.headers.getlist("x-forwarded-for"))
    hops = [part.strip() for part in written.split(",") if part.strip()]
    while hops and _is_trusted(peer, trusted):
        peer = hops.pop()
    return peer


def guarded(request: Request, tag: str, what: str) -> str | None:
    """Return the tag that a change is made from, if its maker says so; raises `Stale` when it is not the present one."""
    header = request.headers.get("if-match")
    if header is None or header.strip() == "*":
        return None
    if not matches(header, tag):
        raise Stale(f"{what} changed since you read it; read it again")
    return tag


def matches(header: str | None, tag: str, *, weak: bool = False) -> bool:
    """Tell whether a list of tags names this one; If-Match compares strongly, If-None-Match weakly (RFC 9110, 8.8.3.2)."""
    named = [one.strip() for one in (header or "").split(",")]
    return tag in named or (weak and (f"W/{tag}" in named or "*" in named))


def host_of(address: str) -> str:
    """Return the host and the port that an address names; nothing for what is no address."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return ""


def _is_trusted(peer: str, trusted: tuple[str, ...]) -> bool:
    try:
        found = ipaddress.ip_address(peer)
        return any(found in ipaddress.ip_network(network, strict=False) for network in trusted)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Limiter:
    """Counts what callers ask per minute. Fails open: when the counter is away, requests go through."""

    counter: Counter
    trusted: tuple[str, ...]

    async def check(self, request: Request, what: str, most: int) -> None:
        """Count one request; its answer, whatever it will be, says how many are left.

        Raises `RateLimited` when the caller's address asked more than `most` times in this minute of the clock.
        """
        if not most:
            return
        window, passed = divmod(time.time(), WINDOW_SECONDS)
        left = math.ceil(WINDOW_SECONDS - passed)
        key = f"rate:{what}:{window:.0f}:{address(request, self.trusted)}"
        try:
            count = await self.counter.incr(key, WINDOW_SECONDS)
        except Unavailable:
            return
        request.state.headers["RateLimit-Limit"] = str(most)
        request.state.headers["RateLimit-Remaining"] = str(max(0, most - count))
        request.state.headers["RateLimit-Reset"] = str(left)
        if count > most:
            raise RateLimited(f"more than {most} requests in a minute; wait and try again", retry_after=left)


async def once(
    request: Request,
    idempotency: Idempotency,
    make: Callable[[], Awaitable[JSONResponse]],
    *,
    caller: str | None = None,
    content: bytes | None = None,
    key: str | None = None,
) -> Response:
    """Answer a request that makes something; with an Idempotency-Key the same request gets the same answer again.

    Where no client sends one, `key` says what makes two requests the same. A key belongs to `caller`, or else to the Authorization header, which is no name for somebody whose tokens change.
    Requests are the same when their bodies are, or their `content` where the body is too long to be kept. A 202 says that
    work goes on: when that is asked again, so is `make`, which has to know the work again by the key.
    """
    key = key or request.headers.get("idempotency-key")
    if key is None:
        return await make()
    scope = f"{request.url.path} {caller or request.headers.get('authorization', '')}"
    stored = await idempotency.begin(scope, key, await request.body() if content is None else content)
    replayed = {"Idempotent-Replayed": "true"}
    if stored is not None and stored.status != HTTPStatus.ACCEPTED:
        return _replay(stored, replayed)
    try:
        async with idempotency.held(scope, key):
            answer = await make()
    except BaseException:
        if stored is None:
            await idempotency.abandon(scope, key)
        raise
    await idempotency.finish(scope, key, Stored(answer.status_code, _kept(answer)))
    if stored is not None:
        answer.headers.update(replayed)
    return answer


def _kept(answer: JSONResponse) -> str:
    """Return what is stored of an answer: its body, and above that in lines the headers that say something of it."""
    said = [f"{name}: {answer.headers[name]}" for name in _SAYING if name in answer.headers]
    return "\n".join([*said, bytes(answer.body).decode()])


def _replay(stored: Stored, headers: Mapping[str, str]) -> JSONResponse:
    *lines, body = stored.body.split("\n")  # JSON as we send it has no line ends
    # A line without a name was kept by an older version.
    said = dict(line.split(": ", 1) for line in lines if ": " in line)
    return JSONResponse(json.loads(body), stored.status, {**said, **headers})
