"""HTTP/1.1 on one connection of the way out: a request leaves in one piece, and its answer is taken as it comes.

What the protocol allows is h11's to say. httpcore lays locks, traces and a generator for each layer around it, which takes
longer than the protocol does.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Generator
from contextlib import aclosing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

import h11
import httpcore2

_READ_BYTES = 64 * 1024
_HEAD_BYTES = 100 * 1024  # of an answer before its body


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
        self._state = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_BYTES)

    async def ask(self, request: Request, patience: Patience) -> h11.Response:
        """Send a request and return its answer's beginning."""
        with _translated():
            # Whoever refuses a body may answer and close before he has read it to its end.
            with suppress(httpcore2.WriteError):
                await self._say(request, patience)
            while isinstance(event := await self._heard(patience), h11.InformationalResponse):
                pass
            if not isinstance(event, h11.Response):
                raise h11.RemoteProtocolError("no answer came")
            return event

    async def piece(self, patience: Patience) -> bytes:
        """Return what comes next of the answer's body; nothing at its end."""
        with _translated():
            while isinstance(event := await self._heard(patience), h11.Data):
                if event.data:
                    return bytes(event.data)
            return b""

    def is_over(self) -> bool:
        """Tell whether the answer was read to its end, and make ready for another request."""
        state = self._state
        if state.our_state is not h11.DONE or state.their_state is not h11.DONE or state.trailing_data[0]:
            return False
        state.start_next_cycle()
        return True

    async def _say(self, request: Request, patience: Patience) -> None:
        head = self._written(h11.Request(method=request.method, target=request.target, headers=request.headers))
        if isinstance(request.body, bytes):
            body = self._written(h11.Data(data=request.body)) if request.body else b""
            await self.stream.write(head + body + self._written(h11.EndOfMessage()), patience.left())
            return
        async with asyncio.timeout_at(patience.deadline):
            await self.stream.write(head, patience.silence)
            async with aclosing(cast("AsyncGenerator[bytes]", aiter(request.body))) as pieces:
                async for piece in pieces:
                    await self.stream.write(self._written(h11.Data(data=piece)), patience.silence)
            await self.stream.write(self._written(h11.EndOfMessage()), patience.silence)

    def _written(self, event: h11.Request | h11.Data | h11.EndOfMessage) -> bytes:
        return self._state.send(event)

    async def _heard(self, patience: Patience) -> h11.Event | type[h11.PAUSED]:
        while (event := self._state.next_event()) is h11.NEED_DATA:
            self._state.receive_data(await self.stream.read(_READ_BYTES, patience.left()))
        return cast("h11.Event | type[h11.PAUSED]", event)


@contextmanager
def _translated() -> Generator[None]:
    try:
        yield
    except h11.RemoteProtocolError as error:
        raise httpcore2.RemoteProtocolError(str(error)) from error
    except h11.LocalProtocolError as error:
        raise httpcore2.LocalProtocolError(str(error)) from error
