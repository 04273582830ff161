"""The only way out for HTTP: deadlines, byte caps, the address guard, and no redirects that nobody asked for.

Everything the service fetches, from Instagram's API to a user's webhook, passes here. A caller states what kind of
remote it talks to by choosing a `Policy`; the guard decides on the addresses a name resolves to, never on its spelling.
"""

import asyncio
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol, cast
from urllib.parse import urlencode

import httpcore2
import httpx2

from tintype import metrics, tracing
from tintype.backends.addresses import first_forbidden
from tintype.backends.connections import Connections
from tintype.backends.dialling import Dialler
from tintype.backends.journeys import present, step
from tintype.errors import Forbidden, Misconfigured, TooLarge, Trouble, Unreachable

INSTAGRAM_HOSTS = frozenset(
    {
        "graph.instagram.com",
        "api.instagram.com",
        "www.instagram.com",
        "i.instagram.com",
        "graph.facebook.com",
        "www.facebook.com",
        "rupload.facebook.com",
    }
)
INSTAGRAM_CDN = ("cdninstagram.com", "fbcdn.net")  # their subdomains; links to media live there and expire

_PORTS = {"http": 80, "https": 443}
_CONNECTIONS = 100
_KEPT_SECONDS = 30.0  # a connection that nobody uses
_UNPACK_STEP = 64 * 1024  # decoded bytes taken at once: a gzip bomb meets the cap after one step
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
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
    parsed = _parse(url)
    return _on_origin(parsed, origin) if origin is not None and _is_instagram(parsed) else url


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
        if not exempt and port not in _PORTS.values():
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
        self._origin = instagram_origin
        self._place = _parse(instagram_origin) if instagram_origin is not None else None
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
        async with self.stream(request, policy) as answer:
            body = b"".join([chunk async for chunk in answer.chunks])
        return Answer(answer.status, answer.headers, body, answer.cookies)

    @asynccontextmanager
    async def stream(self, request: Outgoing, policy: Policy) -> AsyncGenerator[Stream]:
        """Open an answer and hand out its body as it arrives; the connection is given back when the block ends."""
        if forbid_when is not None and forbid_when():
            raise RuntimeError("outbound was called inside an open transaction: end the transaction first (house.md)")
        deadline = asyncio.get_running_loop().time() + policy.total_seconds
        response, host = await self._counted(request, policy, deadline)
        try:
            headers = _headers(response)
            packed = headers.get("content-encoding", "identity")
            empty = request.method.upper() == "HEAD" or response.status in (204, 304)
            if not empty and packed == "identity" and _stated_length(headers) > policy.max_bytes:
                raise TooLarge(f"{host!r} offers more than the {policy.max_bytes} bytes that are taken here")
            unpack = _unpacker("identity" if empty else packed, host)
            if packed != "identity":
                headers = {k: v for k, v in headers.items() if k not in ("content-encoding", "content-length")}
            async with aclosing(_body(response, unpack, policy.max_bytes, deadline, host)) as chunks:
                yield Stream(response.status, headers, chunks, _cookies(response))
        finally:
            await response.aclose()

    async def close(self) -> None:
        """End all kept connections."""
        await self._connections.close()

    async def _counted(self, request: Outgoing, policy: Policy, deadline: float) -> tuple[httpcore2.Response, str]:
        host = _parse(request.url).host
        with tracing.span(f"{request.method} {host}", "client", {"server.address": host}) as span:
            try:
                response, answered = await self._follow(request, policy, deadline)
            except Trouble as trouble:
                metrics.OUTBOUND.labels(trouble.kind.value).inc()
                raise
            if span is not None:
                span.set_attribute("http.response.status_code", response.status)
        metrics.OUTBOUND.labels(f"{response.status // 100}xx").inc()
        return response, answered

    async def _follow(self, request: Outgoing, policy: Policy, deadline: float) -> tuple[httpcore2.Response, str]:
        url = _with_query(_parse(request.url), request.query)
        given = {name.lower(): value for name, value in request.headers.items()}
        follows = policy.max_redirects > 0 and request.method.upper() in ("GET", "HEAD")
        for _ in range(policy.max_redirects + 1):
            response = await self._ask(request, url, given, policy, deadline)
            location = _headers(response).get("location")
            if not follows or response.status not in _REDIRECTS or location is None:
                return response, url.host
            await response.aclose()
            target = _parse(location, base=url)
            given = given if _keeps_credentials(url, target) else _without_credentials(given)
            url = target
        raise Unreachable(f"{url.host!r} redirects more than {policy.max_redirects} times")

    async def _ask(
        self, request: Outgoing, url: httpx2.URL, given: Mapping[str, str], policy: Policy, deadline: float
    ) -> httpcore2.Response:
        self._admit(url, policy)
        place = self._place if self._place is not None and _is_instagram(url) else url
        host = url.netloc.decode("ascii")
        # Only gzip is asked for: it can be unpacked in bounded steps, where br and zstd swell a million times at once.
        ours = {"host": host, "user-agent": self._user_agent, "accept": "*/*", "accept-encoding": "gzip"}
        headers, body = _packed(request, {**ours, **given, "host": host, "accept-encoding": "gzip"})
        wait = policy.first_byte_seconds
        built = httpcore2.Request(
            request.method.upper(),
            httpcore2.URL(scheme=place.raw_scheme, host=place.raw_host, port=place.port, target=url.raw_path),
            headers=headers,
            content=body,
            extensions={"timeout": {"connect": wait, "read": wait, "write": wait}},
        )
        try:
            async with asyncio.timeout_at(deadline):
                response = await self._connections.send(built, wait)
                _arrived(response)
                return response
        except FOREIGN as error:
            raise trouble(error, url.host) from error

    def _admit(self, url: httpx2.URL, policy: Policy) -> None:
        port = url.port or _PORTS.get(url.scheme, 0)
        place = (url.raw_host.decode("ascii"), port)
        if url.scheme not in _PORTS or not url.host:
            raise Forbidden("only http:// and https:// addresses are called")
        if url.userinfo:
            raise Forbidden(f"an address with a user name in front of {url.host!r} is not called")
        if place in self._own:
            return
        if policy.host_suffixes and not _ends_with(url.host, policy.host_suffixes):
            raise Forbidden(f"{url.host!r} is not one of the hosts that this may be fetched from")
        if place in self._exempt or (self._origin is not None and _is_instagram(url)):
            return
        if policy.https_only and url.scheme != "https":
            raise Forbidden(f"{url.host!r} is only called with https")
        if port not in _PORTS.values():
            raise Forbidden(f"port {port} of {url.host!r} is not called, only 80 and 443 are")


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


def _arrived(response: httpcore2.Response) -> None:
    """Note, for whoever follows this request, where its connection leads."""
    if (journey := present()) is not None:
        stream = cast("dict[str, httpcore2.AsyncNetworkStream]", response.extensions)["network_stream"]
        secured: ssl.SSLObject | None = stream.get_extra_info("ssl_object")
        peer: tuple[str, int] | None = stream.get_extra_info("server_addr")
        journey.arrive(peer[0] if peer else None, secured.version() if secured else None)


def _parse(url: str, base: httpx2.URL | None = None) -> httpx2.URL:
    try:
        return httpx2.URL(url) if base is None else base.join(url)
    except (httpx2.InvalidURL, ValueError):
        # The library's words repeat parts of the address, where a secret may be.
        raise Forbidden("this is not an address that can be called") from None


def _is_instagram(url: httpx2.URL) -> bool:
    host = url.host.rstrip(".")
    return host in INSTAGRAM_HOSTS or _ends_with(host, tuple(f".{suffix}" for suffix in INSTAGRAM_CDN))


def _ends_with(host: str, suffixes: Iterable[str]) -> bool:
    name = host.rstrip(".")
    return any(name.endswith("." + s.removeprefix(".")) or name == s.removeprefix(".") for s in suffixes)


def _on_origin(url: httpx2.URL, origin: str) -> str:
    fragment = "".join(str(url).partition("#")[1:])
    return origin.rstrip("/") + url.raw_path.decode("ascii") + fragment


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
    url = _parse(origin)
    if url.scheme not in _PORTS or not url.host or url.userinfo or url.raw_path not in (b"", b"/") or url.fragment:
        raise Misconfigured("INSTAGRAM_ORIGIN: write only scheme, host and port, as in http://127.0.0.1:8001")
    return frozenset({(url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme])})


def _with_query(url: httpx2.URL, query: Mapping[str, str]) -> httpx2.URL:
    if not query:
        return url
    # Joined as text: taking the present query apart and writing it anew would break the signature of a CDN address.
    present = [url.query] if url.query else []
    return url.copy_with(query=b"&".join([*present, urlencode(query).encode("ascii")]))


def _packed(request: Outgoing, headers: Mapping[str, str]) -> tuple[Sequence[tuple[bytes, bytes]], Any]:
    """Return a request's headers and body as they are sent."""
    if request.content is None and request.form is None and request.json is None and request.method.upper() == "GET":
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()], None
    form = dict(request.form) if request.form is not None else None
    built = httpx2.Request(
        request.method, "http://body", headers=headers, content=request.content, data=form, json=request.json
    )
    return built.headers.raw, built.stream


def _keeps_credentials(before: httpx2.URL, after: httpx2.URL) -> bool:
    same_host = before.host == after.host
    same = same_host and (before.scheme, before.port) == (after.scheme, after.port)
    upgraded = same_host and (before.scheme, after.scheme) == ("http", "https") and before.port is after.port is None
    return same or upgraded


def _without_credentials(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _CREDENTIALS}


def _headers(response: httpcore2.Response) -> dict[str, str]:
    merged: dict[str, str] = {}
    for raw_name, raw_value in response.headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        merged[name] = f"{merged[name]}, {value}" if name in merged else value
    return merged


def _cookies(response: httpcore2.Response) -> tuple[str, ...]:
    return tuple(value.decode("latin-1") for name, value in response.headers if name.lower() == b"set-cookie")


def _stated_length(headers: Mapping[str, str]) -> int:
    stated = headers.get("content-length", "")
    return int(stated) if stated.isascii() and stated.isdigit() and len(stated) < 20 else 0


class _Plain:
    def feed(self, piece: bytes) -> Iterator[bytes]:
        yield piece

    def finish(self) -> Iterator[bytes]:
        return iter(())


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


async def _body(
    response: httpcore2.Response, unpack: "_Plain | _Gunzip", max_bytes: int, deadline: float, host: str
) -> AsyncGenerator[bytes]:
    seen = 0
    raw = response.aiter_stream()
    try:
        while True:
            async with asyncio.timeout_at(deadline):
                piece = await anext(raw, None)
            for chunk in unpack.feed(piece) if piece is not None else unpack.finish():
                seen += len(chunk)
                if seen > max_bytes:
                    raise TooLarge(f"{host!r} sends more than the {max_bytes} bytes that are taken here")
                if chunk:
                    yield chunk
            if piece is None:
                return
    except FOREIGN as error:
        raise trouble(error, host) from error
