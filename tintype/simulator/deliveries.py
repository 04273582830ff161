"""Broken deliveries: answers that begin well and then stop, drip, lie about themselves or never end."""

from collections.abc import AsyncIterator

import anyio
import anyio.lowlevel
from starlette.responses import PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tintype.simulator import faults
from tintype.simulator.faults import Cut

DRIP_SECONDS = 1.0  # between two bytes
EXPIRED, GONE = "URL signature expired", "Not Found"
AWAY = "https://media.example/clip.mp4"  # a host that is nobody's
LOOPBACK = "http://127.0.0.1:9/clip.mp4"  # the discard port: whoever follows finds nobody
FILLING = bytes(256 * 1024)
SAYINGS = {403: EXPIRED, 404: GONE, 410: "Gone", 429: "Too Many Requests", 500: "Sorry, something went wrong"}


class Truncated(Response):
    """Announces the whole length, sends half of the bytes and closes the connection."""

    @classmethod
    def of(cls, answer: Response) -> "Truncated":
        """This answer, broken."""
        return cls(bytes(answer.body), answer.status_code, dict(answer.headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body[: len(self.body) // 2], "more_body": True})
        await Cut()(scope, receive, send)


class Dripping(Response):
    """Sends one byte per DRIP_SECONDS until the end or until the client has had enough."""

    @classmethod
    def of(cls, answer: Response) -> "Dripping":
        """This answer, slow."""
        return cls(bytes(answer.body), answer.status_code, dict(answer.headers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._drip, send, tasks.cancel_scope)
            await faults.silence(receive)
            tasks.cancel_scope.cancel()

    async def _drip(self, send: Send, both: anyio.CancelScope) -> None:
        for place in range(len(self.body)):
            await send({"type": "http.response.body", "body": self.body[place : place + 1], "more_body": True})
            await anyio.sleep(DRIP_SECONDS)
        await send({"type": "http.response.body", "body": b""})
        both.cancel()


class Unframed(Response):
    """Sends its body without a length and closes politely, so that nothing tells half a file from a whole one.

    Under uvicorn, whose own answers always have a frame; elsewhere there is no frame to leave out.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        transport = scope.get("simulator.transport")
        if transport is None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": self.body})
            return
        kind = self.headers.get("content-type", "")
        transport.write(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\nconnection: close\r\n\r\n".encode() + self.body)
        transport.close()
        await faults.silence(receive)


def broken(trouble: str, answer: Response) -> Response:
    """A good answer of the media host as one of the magic posts has it."""
    body, kind = bytes(answer.body), answer.headers.get("content-type")
    if trouble.isdecimal():
        return PlainTextResponse(SAYINGS[int(trouble)], int(trouble))
    match trouble:
        case "cut":
            return Truncated.of(answer)
        case "chunked":
            return _unmeasured(Truncated.of(answer))
        case "half":
            return Unframed(body[: len(body) // 2], media_type=kind)
        case "empty":
            return Response(b"", media_type=kind)
        case "html":
            return Response(faults.SORRY, media_type="text/html")
        case "octet":
            return Response(body, media_type="application/octet-stream")
        case "notype":
            return Response(body)
        case "drip":
            return Dripping.of(answer)
        case "away" | "loopback":
            return RedirectResponse(AWAY if trouble == "away" else LOOPBACK, 302)
        case "endless":
            return StreamingResponse(_endless(body), media_type=kind)
        case _:
            return answer


def _unmeasured(answer: Response) -> Response:
    del answer.headers["content-length"]
    return answer


async def _endless(body: bytes) -> AsyncIterator[bytes]:
    yield body
    while True:
        yield FILLING
        await anyio.lowlevel.checkpoint()
