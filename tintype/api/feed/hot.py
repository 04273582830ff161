"""The routes that websites hammer, as plain ASGI in front of everything else: no framework, no copy, no encoding.

Each answers from the shelf when it can, and hands over to the ordinary route when it cannot.
"""

import json

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tintype.api.feed.forms import matches
from tintype.api.feed.shelf import Shelf

_HEALTH = json.dumps({"success": True, "data": {"message": "ok"}}, separators=(",", ":")).encode()
_NO_BODY: Message = {"type": "http.response.body", "body": b""}


def _plain(body: bytes, content_type: bytes) -> tuple[Message, Message]:
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode()), (b"vary", b"Accept")]
    start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
    return start, {"type": "http.response.body", "body": body}


_JSON = _plain(_HEALTH, b"application/json")
_TEXT = _plain(b"OK", b"text/plain; charset=utf-8")


def prefers_text(accept: bytes) -> bool:
    """Tell whether an Accept header names text/plain and ranks nothing that JSON satisfies before it."""
    if b"text/plain" not in accept:
        return False
    ranks: dict[bytes, float] = {}
    for part in accept.split(b","):
        name, _, rest = part.strip().partition(b";")
        quality = rest.replace(b" ", b"").removeprefix(b"q=")
        try:
            ranks[name.strip()] = float(quality) if quality else 1.0
        except ValueError:
            ranks[name.strip()] = 0.0
    json_rank = ranks.get(b"application/json", ranks.get(b"application/*", ranks.get(b"*/*", 0.0)))
    explicit = b"application/json" in ranks or b"application/*" in ranks
    return ranks[b"text/plain"] > json_rank or (ranks[b"text/plain"] == json_rank > 0 and not explicit)


async def health(scope: Scope, receive: Receive, send: Send) -> None:
    """GET /health: alive, without asking anything behind."""
    del receive
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    start, body = _TEXT if prefers_text(accept) else _JSON
    await send(start)
    await send(body)


class HotPhotos:
    """GET /photos from the shelf; anything that is not a plain read of a prepared list goes to `behind`."""

    def __init__(self, shelf: Shelf, behind: ASGIApp) -> None:
        self._shelf = shelf
        self._behind = behind

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        secret = encodings = known = b""
        for name, value in scope["headers"]:
            if name == b"authorization":
                secret = value
            elif name == b"accept-encoding":
                encodings = value
            elif name == b"if-none-match":
                known = value
        entry = None
        if secret[:7].lower() == b"bearer " and not scope["query_string"]:
            entry = self._shelf.ready(secret[7:].strip().decode("latin-1"))
        if entry is None:
            await self._behind(scope, receive, send)
            return
        form = entry.form(encodings)
        if known and matches(known, form):
            await send(form.unchanged)
            await send(_NO_BODY)
        else:
            await send(form.start)
            await send(form.body)
