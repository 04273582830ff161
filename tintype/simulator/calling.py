"""Calls out to plain HTTP addresses, which are all on this machine: a connection each, straight on the loop's own streams.

What the protocol allows is h11's to say, and redirects, encodings and cookies are the client's. The client's own transport
comes to the same, with a pool, locks and traces that take four times as long as the call.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager, suppress
from typing import cast

import h11
import httpx2

PIECE = 256 * 1024  # bytes that are read at a time


class Straight(httpx2.AsyncBaseTransport):
    """Carries calls to `http://` itself, and leaves others to the client's own transport."""

    def __init__(self, authorities: ssl.SSLContext) -> None:
        self._authorities = authorities
        self._other: httpx2.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the answer's beginning; its body is read as it is asked for."""
        if request.url.scheme != "http":
            self._other = self._other or httpx2.AsyncHTTPTransport(verify=self._authorities, trust_env=False)
            return await self._other.handle_async_request(request)
        patience = cast("dict[str, float | None]", request.extensions.get("timeout", {}))
        with _translated(httpx2.ConnectError, httpx2.ConnectTimeout, request):
            async with asyncio.timeout(patience.get("connect")):
                ends = await asyncio.open_connection(request.url.host, request.url.port or 80, limit=PIECE)
        line = _Line(*ends, request, patience.get("read"))
        try:
            head = await line.ask(await request.aread())
        except BaseException:
            await line.aclose()
            raise
        return httpx2.Response(head.status_code, headers=list(head.headers), stream=line, request=request)

    async def aclose(self) -> None:
        """Let go of what was needed for others."""
        if self._other is not None:
            await self._other.aclose()


class _Line(httpx2.AsyncByteStream):
    """A connection with one request on it; iterating gives the answer's body."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        request: httpx2.Request,
        patience: float | None,
    ) -> None:
        self._reader, self._writer, self._request, self._patience = reader, writer, request, patience
        self._state = h11.Connection(h11.CLIENT)

    async def ask(self, body: bytes) -> h11.Response:
        """Send the request in one piece and return how the answer begins."""
        request = self._request
        said: list[h11.Request | h11.Data | h11.EndOfMessage] = [
            h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        ]
        said += [h11.Data(data=body), h11.EndOfMessage()] if body else [h11.EndOfMessage()]
        with _translated(httpx2.ReadError, httpx2.ReadTimeout, request):
            self._writer.write(b"".join(map(self._state.send, said)))
            while not isinstance(event := await self._heard(), h11.Response):
                if not isinstance(event, h11.InformationalResponse):
                    raise h11.RemoteProtocolError("no answer came")
            return event

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _translated(httpx2.ReadError, httpx2.ReadTimeout, self._request):
            while isinstance(event := await self._heard(), h11.Data):
                yield bytes(event.data)

    async def aclose(self) -> None:
        """Close the connection."""
        self._writer.close()
        with suppress(OSError):  # the other side was faster
            await self._writer.wait_closed()

    async def _heard(self) -> object:
        while (event := self._state.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(self._patience):
                self._state.receive_data(await self._reader.read(PIECE))
        return event


@contextmanager
def _translated(
    broken: type[httpx2.NetworkError], late: type[httpx2.TimeoutException], request: httpx2.Request
) -> Generator[None]:
    """Say what goes wrong in the client's own words."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error), request=request) from error
    except OSError as error:
        raise broken(str(error), request=request) from error
    except h11.RemoteProtocolError as error:
        raise httpx2.RemoteProtocolError(str(error), request=request) from error
    except h11.LocalProtocolError as error:
        raise httpx2.LocalProtocolError(str(error), request=request) from error
