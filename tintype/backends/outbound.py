"""The only way out for HTTP: deadlines, byte caps, the address guard, and no redirects that nobody asked for.

Everything the service fetches, from Instagram's API to a user's webhook, passes here. A caller states what kind of
remote it talks to by choosing a `Policy`; the guard decides on the addresses a name resolves to, never on its spelling.
"""

import asyncio
import socket
import ssl
import zlib
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, cast
from urllib.parse import urlencode

import httpcore2
import httpx2

from tintype import metrics, tracing
from tintype.backends.addresses import first_forbidden
from tintype.backends.connections import Connections, Reply
from tintype.backends.dialling import Dialler
from tintype.backends.journeys import present, step
from tintype.backends.speaking import Patience, Place, Request
from tintype.backends.urls import INSTAGRAM_CDN as INSTAGRAM_CDN  # known here to those who call
from tintype.backends.urls import INSTAGRAM_HOSTS as INSTAGRAM_HOSTS
from tintype.backends.urls import PORTS, Url, ends_with
from tintype.errors import Forbidden, Misconfigured, TooLarge, Trouble, Unreachable

_CONNECTIONS = 100
_KEPT_SECONDS = 30.0  # a connection that nobody uses
_UNPACK_STEP = 64 * 1024  # decoded bytes taken at once: a gzip bomb meets the cap after one step
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})  # their length is said though it be nothing
_CREDENTIALS = ("authorization", "cookie", "proxy-authorization")

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]

# Set at the roof: tells whether a call would be a mistake right now, which is so inside an open transaction.
forbid_when: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What a call may do: seconds in all, seconds of silence, bytes, hops, and which hosts (empty: any public host)."""

    total_seconds: float = 10.0
    first_byte_seconds: float = 10.0
    max_bytes: int = 8 * 1024 * 1024
    max_redirects: int = 0
    host_suffixes: tuple[str, ...] = ()
    https_only: bool = True


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request as a value. `query`, `form` and `headers` may hold secrets, so none of them is in its repr."""

    method: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: object | None = field(default=None, repr=False)
    content: bytes | AsyncIterator[bytes] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer: status, headers with lower-case names, and a body of at most `Policy.max_bytes`.

    `cookies` holds each Set-Cookie header by itself: joined with commas, as the others are, it could not be read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    cookies: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is still to come; iterating raises `TooLarge` past the cap and `Unreachable` when cut off."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes] = field(repr=False)
    cookies: tuple[str, ...] = field(default=(), repr=False)


class Outbound(Protocol):
    """Sends requests; raises `Unreachable` (time-out, broken), `Forbidden` (the guard) or `TooLarge`, no other error."""

    async def send(self, request: Outgoing, policy: Policy) -> Answer: ...

    def stream(self, request: Outgoing, policy: Policy) -> AbstractAsyncContextManager[Stream]: ...

    async def close(self) -> None: ...


def browser_url(url: str, origin: str | None) -> str:
    """Return the address a person's browser should open: on the simulator's own `origin` when one is set."""
    parsed = Url.of(url)
    return _on_origin(url, parsed, origin) if origin is not None and parsed.is_instagram else url


async def resolve(host: str, port: int) -> list[str]:
    """Ask the system for a name's addresses, in its order of preference; raises `Unreachable` for an unknown name."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"the name {host!r} has no address") from error
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard(httpcore2.AsyncNetworkBackend):
    """Connects only to addresses that it has checked: one resolution, one verdict, and the literal address is dialled.

    `exempt` are exact (host, port) pairs of the operator's own; everything else must be public, on port 80 or 443.
    """

    def __init__(
        self, resolver: Resolver, exempt: frozenset[tuple[str, int]], dial: httpcore2.AsyncNetworkBackend
    ) -> None:
        self._resolver = resolver
        self._exempt = exempt
        self._dial = dial

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Return a connection to the first address that takes it; raises `Forbidden` or httpcore's connect errors."""
        exempt = (host, port) in self._exempt
        if not exempt and port not in PORTS.values():
            raise Forbidden(f"port {port} of {host!r} is not called, only 80 and 443 are")
        with step("dns"):
            async with asyncio.timeout(timeout):
                addresses = await self._resolver(host, port)
        why = None if exempt else first_forbidden(addresses)
        if why is not None:
            raise Forbidden(f"{host!r} is not called: it has an address that is not public ({why})")
        return await self._first(addresses, port, timeout, local_address, socket_options)

    async def _first(
        self,
        addresses: Sequence[str],
        port: int,
        timeout: float | None,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.AsyncNetworkStream:
        share = None if timeout is None else timeout / max(1, len(addresses))
        failure: Exception = httpcore2.ConnectError("no address")
        for address in addresses:
            try:
                with step("connect", address):
                    return await self._dial.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


class HttpOutbound:
    """The real way out, over one pool of kept connections; safe to share between tasks, to be closed at the end.

    `instagram_origin` is where Instagram's hosts are served instead (a simulator); `allow` lists exact `host:port`
    entries whose addresses may be private.
    """

    def __init__(
        self,
        *,
        instagram_origin: str | None = None,
        allow: tuple[str, ...] = (),
        user_agent: str = "Tintype",
        resolver: Resolver = resolve,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._place = Url.of(instagram_origin) if instagram_origin is not None else None
        self._own = _own_place(instagram_origin)
        self._exempt = frozenset(_place(entry) for entry in allow) | self._own
        self._user_agent = user_agent
        self._connections = Connections(
            Guard(resolver, self._exempt, Dialler()),
            ssl_context or _authorities(),
            most=_CONNECTIONS,
            kept=_KEPT_SECONDS,
        )

    async def send(self, request: Outgoing, policy: Policy) -> Answer:
        """Return the complete answer, whatever its status; see `Outbound` for what is raised."""
        opened = await self._open(request, policy)
        try:
            body = b"".join([chunk async for chunk in opened.chunks()])
        finally:
            opened.reply.close()
        return Answer(opened.reply.status, opened.headers, body, opened.cookies)

    @asynccontextmanager
    async def stream(self, request: Outgoing, policy: Policy) -> AsyncGenerator[Stream]:
        """Open an answer and hand out its body as it arrives; the connection is given back when the block ends."""
        opened = await self._open(request, policy)
        try:
            async with aclosing(opened.chunks()) as chunks:
                yield Stream(opened.reply.status, opened.headers, chunks, opened.cookies)
        finally:
            opened.reply.close()

    async def close(self) -> None:
        """End all kept connections."""
        await self._connections.close()

    async def _open(self, request: Outgoing, policy: Policy) -> "_Opened":
        if forbid_when is not None and forbid_when():
            raise RuntimeError("outbound was called inside an open transaction: end the transaction first (house.md)")
        deadline = asyncio.get_running_loop().time() + policy.total_seconds
        reply, host = await self._counted(request, policy, Patience(policy.first_byte_seconds, deadline))
        try:
            return _Opened.of(reply, host, request.method.upper(), policy.max_bytes)
        except Trouble:
            reply.close()
            raise

    async def _counted(self, request: Outgoing, policy: Policy, patience: Patience) -> tuple[Reply, str]:
        url = Url.of(request.url)
        with tracing.span(f"{request.method} {url.host}", "client", {"server.address": url.host}) as span:
            try:
                reply, answered = await self._follow(request, url, policy, patience)
            except Trouble as trouble:
                _count(trouble.kind.value).inc()
                raise
            if span is not None:
                span.set_attribute("http.response.status_code", reply.status)
        _count(f"{reply.status // 100}xx").inc()
        return reply, answered

    async def _follow(self, request: Outgoing, url: Url, policy: Policy, patience: Patience) -> tuple[Reply, str]:
        url = url.asking(request.query)
        given = {name.lower(): value for name, value in request.headers.items()}
        follows = policy.max_redirects > 0 and request.method.upper() in ("GET", "HEAD")
        for _ in range(policy.max_redirects + 1):
            self._admit(url, policy)
            reply = await self._ask(request, url, given, patience)
            location = _headers(reply).get("location") if follows and reply.status in _REDIRECTS else None
            if location is None:
                return reply, url.host
            reply.close()
            target = url.joined(location)
            given = given if _keeps_credentials(url, target) else _without_credentials(given)
            url = target
        raise Unreachable(f"{url.host!r} redirects more than {policy.max_redirects} times")

    async def _ask(self, request: Outgoing, url: Url, given: Mapping[str, str], patience: Patience) -> Reply:
        there = self._place if self._place is not None and url.is_instagram else url
        host = url.netloc.decode("ascii")
        # Only gzip is asked for: it can be unpacked in bounded steps, where br and zstd swell a million times at once.
        ours = {"host": host, "user-agent": self._user_agent, "accept": "*/*", "accept-encoding": "gzip"}
        headers, body = _packed(request, {**ours, **given, "host": host, "accept-encoding": "gzip"})
        place = Place(there.scheme, there.raw_host, there.wire_port)
        try:
            reply = await self._connections.send(
                Request(place, request.method.upper(), url.target, headers, body), patience
            )
        except FOREIGN as error:
            raise trouble(error, url.host) from error
        _arrived(reply)
        return reply

    def _admit(self, url: Url, policy: Policy) -> None:
        port = url.wire_port
        place = (url.raw_host.decode("ascii"), port)
        if url.scheme not in PORTS or not url.host:
            raise Forbidden("only http:// and https:// addresses are called")
        if url.is_personal:
            raise Forbidden(f"an address with a user name in front of {url.host!r} is not called")
        if place in self._own:
            return
        if policy.host_suffixes and not ends_with(url.host, policy.host_suffixes):
            raise Forbidden(f"{url.host!r} is not one of the hosts that this may be fetched from")
        if place in self._exempt or (self._place is not None and url.is_instagram):
            return
        if policy.https_only and url.scheme != "https":
            raise Forbidden(f"{url.host!r} is only called with https")
        if port not in PORTS.values():
            raise Forbidden(f"port {port} of {url.host!r} is not called, only 80 and 443 are")


_count = cache(metrics.OUTBOUND.labels)  # looking a child up by its labels costs more than counting


@cache
def _authorities() -> ssl.SSLContext:
    """Return whom we trust, read once: that takes longer than ten answers do."""
    return httpx2.create_ssl_context(trust_env=False)


FOREIGN: tuple[type[Exception], ...] = (
    httpcore2.TimeoutException,
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
    httpcore2.UnsupportedProtocol,
    TimeoutError,
    ssl.SSLError,
    zlib.error,
)


def trouble(error: Exception, host: str) -> Trouble:
    """Return what a library's error means to us, naming the host and nothing else of the address."""
    match error:
        case httpcore2.TimeoutException() | TimeoutError():
            return Unreachable(f"{host!r} did not answer in time")
        case httpcore2.ProtocolError():
            return Unreachable(f"{host!r} broke off or did not speak HTTP")
        case zlib.error():
            return Unreachable(f"{host!r} sent a body that cannot be unpacked")
        case httpcore2.UnsupportedProtocol():
            return Forbidden("only http:// and https:// addresses are called")
        case _:
            return Unreachable(f"the connection to {host!r} failed")


def _arrived(reply: Reply) -> None:
    """Note, for whoever follows this request, where its connection leads."""
    if (journey := present()) is not None:
        secured: ssl.SSLObject | None = reply.stream.get_extra_info("ssl_object")
        peer: tuple[str, int] | None = reply.stream.get_extra_info("server_addr")
        journey.arrive(peer[0] if peer else None, secured.version() if secured else None)


def _on_origin(url: str, parsed: Url, origin: str) -> str:
    fragment = "".join(url.partition("#")[1:])
    return origin.rstrip("/") + parsed.target.decode("ascii") + fragment


def _place(entry: str) -> tuple[str, int]:
    try:
        url = httpx2.URL(f"//{entry}")
    except httpx2.InvalidURL:
        url = httpx2.URL()
    port = entry.rpartition(":")[2]
    if not url.host or not port.isascii() or not port.isdigit() or entry != url.netloc.decode("ascii") or "*" in entry:
        raise Misconfigured(f"OUTBOUND_ALLOW: {entry!r} is not host:port; write each host of yours with its port")
    return url.raw_host.decode("ascii"), int(port)


def _own_place(origin: str | None) -> frozenset[tuple[str, int]]:
    if origin is None:
        return frozenset()
    url = Url.of(origin)
    if url.scheme not in PORTS or not url.host or url.is_personal or url.target != b"/" or "#" in origin:
        raise Misconfigured("INSTAGRAM_ORIGIN: write only scheme, host and port, as in http://127.0.0.1:8001")
    return frozenset({(url.raw_host.decode("ascii"), url.wire_port)})


def _packed(
    request: Outgoing, headers: dict[str, str]
) -> tuple[list[tuple[bytes, bytes]], bytes | AsyncIterable[bytes]]:
    """Return a request's headers and body as they are sent."""
    if request.content is not None or request.json is not None:
        built = httpx2.Request(
            request.method, "http://body", headers=headers, content=request.content, json=request.json
        )
        whole = request.json is not None or isinstance(request.content, bytes)
        return built.headers.raw, built.content if whole else cast("AsyncIterable[bytes]", built.stream)
    body = b"" if request.form is None else urlencode(request.form).encode("ascii")
    if body:
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    if body or request.method.upper() in _WITH_BODY:
        headers.setdefault("content-length", str(len(body)))
    return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()], body


def _keeps_credentials(before: Url, after: Url) -> bool:
    same_host = before.host == after.host
    same = same_host and (before.scheme, before.port) == (after.scheme, after.port)
    upgraded = same_host and (before.scheme, after.scheme) == ("http", "https") and before.port is after.port is None
    return same or upgraded


def _without_credentials(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _CREDENTIALS}


def _headers(reply: Reply) -> dict[str, str]:
    merged: dict[str, str] = {}
    for raw_name, raw_value in reply.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        merged[name] = f"{merged[name]}, {value}" if name in merged else value
    return merged


def _stated_length(headers: Mapping[str, str]) -> int:
    stated = headers.get("content-length", "")
    return int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 20 else 0


@dataclass(frozen=True, slots=True)
class _Opened:
    """An answer that is fit to be read; `headers` are those of its body as it comes out of `chunks`."""

    reply: Reply
    host: str
    headers: Mapping[str, str]
    max_bytes: int
    unpack: "_Plain | _Gunzip"

    @classmethod
    def of(cls, reply: Reply, host: str, method: str, max_bytes: int) -> "_Opened":
        """Look at an answer's beginning; raises `TooLarge`, and `Unreachable` for a packing that was not asked for."""
        headers = _headers(reply)
        packed = headers.get("content-encoding", "identity")
        empty = method == "HEAD" or reply.status in (204, 304)
        if not empty and packed == "identity" and _stated_length(headers) > max_bytes:
            raise TooLarge(f"{host!r} offers more than the {max_bytes} bytes that are taken here")
        unpack = _unpacker("identity" if empty else packed, host)
        if packed != "identity":
            headers = {k: v for k, v in headers.items() if k not in ("content-encoding", "content-length")}
        return cls(reply, host, headers, max_bytes, unpack)

    @property
    def cookies(self) -> tuple[str, ...]:
        """The Set-Cookie headers, each by itself."""
        return tuple(value.decode("latin-1") for name, value in self.reply.headers if name.lower() == b"set-cookie")

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Yield the body, unpacked; raises as `Stream` says."""
        seen, piece = 0, b"?"
        try:
            while piece:
                piece = await self.reply.piece()
                for chunk in self.unpack.feed(piece) if piece else self.unpack.finish():
                    seen += len(chunk)
                    if seen > self.max_bytes:
                        raise TooLarge(f"{self.host!r} sends more than the {self.max_bytes} bytes that are taken here")
                    if chunk:
                        yield chunk
        except FOREIGN as error:
            raise trouble(error, self.host) from error


class _Plain:
    def feed(self, piece: bytes) -> Iterable[bytes]:
        return (piece,)

    def finish(self) -> Iterable[bytes]:
        return ()


class _Gunzip:
    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(wbits=31)
        self._begun = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        while piece:
            self._begun = True
            if self._inflate.eof:  # a gzip body may be several members in a row
                self._inflate = zlib.decompressobj(wbits=31)
            yield self._inflate.decompress(piece, _UNPACK_STEP)
            piece = self._inflate.unconsumed_tail or self._inflate.unused_data

    def finish(self) -> Iterator[bytes]:
        if self._begun:
            yield self._inflate.flush()
            if not self._inflate.eof:
                raise zlib.error("ended early")


def _unpacker(encoding: str, host: str) -> "_Plain | _Gunzip":
    match encoding.strip().lower():
        case "identity" | "":
            return _Plain()
        case "gzip" | "x-gzip":
            return _Gunzip()
        case _:
            raise Unreachable(f"{host!r} packed its body in a way that was not asked for")
