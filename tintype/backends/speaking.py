"""HTTP/1.1 on one connection of the way out: a request leaves in one piece, and its answer is taken as it comes.

What counts as an answer is left to llhttp, which httptools brings along. httpcore lays locks, traces and a generator for each
layer around the protocol, and h11 says in Python in 86 µs what llhttp says in 5.
"""

import asyncio
import re
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import httpcore2
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

_READ_BYTES = 64 * 1024
_HEAD_BYTES = 100 * 1024  # of an answer that are no part of its body, before it or in a row between its parts

_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TARGET = re.compile(rb"[!-~]+")
_VALUE = re.compile(rb"[\t -~\x80-\xff]*")  # no end of a line, behind which another request would begin


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connection leads; `host` is a name, or the address itself."""

    scheme: str
    host: bytes
    port: int


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it stands on the wire; its headers say how long the body is."""

    place: Place
    method: str
    target: bytes = field(repr=False)
    headers: list[tuple[bytes, bytes]] = field(repr=False)
    body: bytes | AsyncIterable[bytes] = field(default=b"", repr=False)


class Head(NamedTuple):
    """An answer's beginning."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait: for seconds of silence, and in all until an instant of the loop's clock."""

    silence: float
    deadline: float

    def left(self) -> float:
        """Return for how long to wait now.

        Raises httpcore's `ReadTimeout` when there is nothing left, be there something to read or not.
        """
        left = self.deadline - asyncio.get_running_loop().time()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return min(left, self.silence)


class Line:
    """A connection, for one request at a time; raises httpcore's errors, and is of no further use after one."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self.stream = stream
        self._answer = _Answer("")
        self._said = False  # all of the request
        self.heard = False  # anything of its answer

    async def ask(self, request: Request, patience: Patience) -> Head:
        """Send a request and return its answer's beginning."""
        self._answer, self._said, self.heard = _Answer(request.method), False, False
        # Whoever refuses a body may answer and close before he has read it to its end.
        with suppress(httpcore2.WriteError):
            await self._say(request, patience)
            self._said = True
        while self._answer.head is None:
            await self._hear(patience)
        return self._answer.head

    async def piece(self, patience: Patience) -> bytes:
        """Return what comes next of the answer's body; nothing at its end."""
        while not self._answer.pieces:
            if self._answer.is_over:
                return b""
            await self._hear(patience)
        return self._answer.pieces.popleft()

    def is_over(self) -> bool:
        """Tell whether the answer was read to its end, and another request may follow."""
        answer = self._answer
        return self._said and answer.is_over and answer.is_reusable and not answer.pieces

    async def _say(self, request: Request, patience: Patience) -> None:
        head, body, length = _written(request), request.body, _length(request.headers)
        if isinstance(body, bytes):
            if len(body) != length:
                raise httpcore2.LocalProtocolError("the body is not as long as it says")
            await self.stream.write(head + body, patience.left())
            return
        async with asyncio.timeout_at(patience.deadline):
            await self.stream.write(head, patience.silence)
            async with aclosing(_framed(body, length)) as pieces:
                async for piece in pieces:
                    await self.stream.write(piece, patience.silence)

    async def _hear(self, patience: Patience) -> None:
        data = await self.stream.read(_READ_BYTES, patience.left())
        self.heard = self.heard or bool(data)
        try:
            self._answer.take(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            raise httpcore2.RemoteProtocolError(str(error)) from error


class _Answer:
    """One answer as the parser tells of it; those that only say that another one follows are passed over."""

    def __init__(self, method: str) -> None:
        self.head: Head | None = None
        self.pieces: deque[bytes] = deque()
        self.is_over = False
        self.is_reusable = False  # its connection, when it is over
        self._has_body = method != "HEAD"
        self._headers: list[tuple[bytes, bytes]] = []
        self._taken = 0  # bytes since the last part of the body, or the beginning
        self._ends_by_close = False
        self._parser = HttpResponseParser(self)
        # There are such servers, and what they mean is plain.
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True)

    def take(self, data: bytes) -> None:
        """Read on; nothing is the connection's end. Raises `HttpParserError` for what is no answer, or no whole one."""
        if not data:
            if not self._ends_by_close:
                raise HttpParserError("the connection ended before the answer did")
            self.is_over = True
        else:
            self._feed(data)
        if self.is_over:
            del self._parser  # which knows us: the two would keep each other

    def _feed(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except HttpParserError:
            if not self.is_over:
                raise
            self.is_reusable = False  # something stands behind the answer, and nobody asked for it
        self._taken = 0 if self.pieces else self._taken + len(data)
        if self._taken > _HEAD_BYTES and not self.is_over:
            raise HttpParserError("the headers are too long")

    def on_message_begin(self) -> None:
        """Begin an answer, or what nobody asked for."""
        self.is_reusable = False
        self._headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what stands behind a body is of no use to anybody."""
        if self.head is None:
            self._headers.append((name, value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Take the head as a whole."""
        status = self._parser.get_status_code()
        if self.head is not None or status < 200:
            return
        self.head = Head(status, self._headers)
        names = [name.lower() for name, _ in self._headers]
        self._ends_by_close = b"content-length" not in names and b"transfer-encoding" not in names
        if b"transfer-encoding" in names and not self._is_in_plain_chunks():
            raise HttpParserError("the body is coded in a way that was not asked for")
        if not self._has_body:
            self._end()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self.is_over:
            self.is_reusable = False
        else:
            self.pieces.append(body)

    def on_message_complete(self) -> None:
        """Note the end."""
        if self.head is not None and not self.is_over:
            self._end()

    def _is_in_plain_chunks(self) -> bool:
        return [value.lower() for name, value in self._headers if name.lower() == b"transfer-encoding"] == [b"chunked"]

    def _end(self) -> None:
        self.is_over, self.is_reusable = True, self._parser.should_keep_alive()


def _written(request: Request) -> bytes:
    """Return a request's head; raises httpcore's `LocalProtocolError` for one that would say something else."""
    method = request.method.encode("ascii", "replace")
    right = _TOKEN.fullmatch(method) and _TARGET.fullmatch(request.target)
    if not right or not all(_TOKEN.fullmatch(name) and _VALUE.fullmatch(value) for name, value in request.headers):
        raise httpcore2.LocalProtocolError("this is no request: a name or a value holds what none may hold")
    headers = b"".join([b"%b: %b\r\n" % header for header in request.headers])
    return b"%b %b HTTP/1.1\r\n%b\r\n" % (method, request.target, headers)


def _length(headers: Sequence[tuple[bytes, bytes]]) -> int | None:
    """Return how long a body is by its headers, nothing where it comes in chunks.

    Raises httpcore's `LocalProtocolError` where they do not say it.
    """
    said = {name.lower(): value for name, value in headers}
    if said.get(b"transfer-encoding") == b"chunked":
        return None
    stated = said.get(b"content-length", b"0")
    if not stated.isdigit():
        raise httpcore2.LocalProtocolError("the length of the body is no number")
    return int(stated)


async def _framed(body: AsyncIterable[bytes], length: int | None) -> AsyncGenerator[bytes]:
    """Yield a body piece by piece, in chunks where its length is not known.

    Raises httpcore's `LocalProtocolError` where it is not as long as it says.
    """
    left = length or 0
    async with aclosing(cast("AsyncGenerator[bytes]", aiter(body))) as pieces:
        async for piece in pieces:
            if length is None:
                yield b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b""
                continue
            left -= len(piece)
            if left < 0:
                raise httpcore2.LocalProtocolError("the body is longer than it says")
            yield piece
    if left:
        raise httpcore2.LocalProtocolError("the body is shorter than it says")
    if length is None:
        yield b"0\r\n\r\n"
