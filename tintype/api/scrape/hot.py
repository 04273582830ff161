"""POST /scrape and GET /health as plain ASGI in front of everything else: what is refused never reaches the framework."""

import json
from uuid import uuid4

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tintype.api.dialect import PROBLEM
from tintype.api.scrape.gate import TOO_LARGE, Gate, Refused, Standing

_TEXT = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"2")]
_OK: tuple[Message, Message] = (
    {"type": "http.response.start", "status": 200, "headers": _TEXT},
    {"type": "http.response.body", "body": b"OK"},
)


async def health(scope: Scope, receive: Receive, send: Send) -> None:
    """GET /health on a port of its own: alive, without asking anything behind."""
    del scope, receive
    for message in _OK:
        await send(message)


class HotScrape:
    """POST /scrape: says no at once, and hands what may be worked for to `behind` with its link understood."""

    def __init__(self, gate: Gate, behind: ASGIApp) -> None:
        self._gate = gate
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        body = await read(receive, self._gate.max_body_bytes)
        if body is None:
            await refuse(TOO_LARGE, None, scope, send)
            return
        verdict, standing = self._gate.judge(scope, body)
        if isinstance(verdict, Refused):
            await refuse(verdict, standing, scope, send)
            return
        scope["state"] = {**scope.get("state", {}), "admitted": verdict}
        await self._behind(scope, _Again(body, receive), send)


async def read(receive: Receive, most: int) -> bytes | None:
    """Return a request's body; None when it is larger than is taken, counted on the bytes that arrive."""
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False) and len(body) <= most:
        message = await receive()
        body += message.get("body", b"")
    return body if len(body) <= most else None


async def refuse(refused: Refused, standing: Standing | None, scope: Scope, send: Send) -> None:
    """Send a refusal in this dialect's form, or as RFC 9457 when that is asked for."""
    more: dict[str, str] = standing.headers() if standing else {}
    if refused.retry_after:
        more["Retry-After"] = str(refused.retry_after)
    request_id = uuid4().hex
    said = refused.body() | {"request_id": request_id}
    kind = "application/json"
    if any(name == b"accept" and PROBLEM.encode() in value for name, value in scope["headers"]):
        said = {"type": "about:blank", "title": said.pop("error"), "status": refused.status, **said}
        kind = PROBLEM
    body = json.dumps(said, separators=(",", ":")).encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        *((name.lower().encode(), value.encode()) for name, value in more.items()),
    ]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Again:
    """A body that was read, to be read again; after it, what the connection says."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is None:
            return await self._receive()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}


def as_response(refused: Refused, request_id: str) -> JSONResponse:
    """Return a refusal as the framework sends it, for the paths that are not hot."""
    headers = {"Retry-After": str(refused.retry_after)} if refused.retry_after else None
    return JSONResponse(refused.body() | {"request_id": request_id}, refused.status, headers)
