"""Stored files over HTTP, whole or in ranges: named by their content, so they may be kept for ever by everybody."""

import re
from pathlib import Path

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from tintype.backends.blobs import Blobs
from tintype.errors import NotFound

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Accept-Ranges": "bytes",
}


class WholeFile(FileResponse):
    """A file from its first byte to its last, whatever range was asked for: one that counts was answered before."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        headers = [one for one in scope["headers"] if one[0] not in (b"range", b"if-range")]
        await super().__call__({**scope, "headers": headers}, receive, send)


def unchanged(request: Request, etag: str, *, there: bool = False) -> Response | None:
    """Return the answer for somebody who has the file already; `*` stands for any file, once it is known to be `there`."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or (there and "*" in known):
        return Response(status_code=304, headers={**HEADERS, "ETag": etag})
    return None


async def send(request: Request, blobs: Blobs, key: str, *, etag: str, kind: str, missing: str) -> Response:
    """Return the blob under `key`, or the part of it that was asked for.

    Raises `NotFound`, saying what is `missing`, when there is none, and 416 for a range outside of it.
    """
    headers = {**HEADERS, "ETag": etag}
    path = blobs.path(key)
    asked = request.headers.get("range")
    found = await blobs.head(key)
    if found is None:
        raise NotFound(missing)
    if path is not None and asked is None and not request.state.head:
        return FileResponse(Path(path), media_type=kind, headers=headers)
    if request.state.head:  # answered without reading the file; a range means nothing here (RFC 9110, 14.2)
        return Response(headers={**headers, "Content-Length": str(found.size)}, media_type=kind)
    span = span_of(asked, found.size) if request.headers.get("if-range", etag) == etag else None
    start, end = span or (0, found.size)
    headers["Content-Length"] = str(end - start)
    if span is None:
        return StreamingResponse(blobs.stream(key), 200, headers, kind)
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    return StreamingResponse(blobs.stream(key, start, end), 206, headers, kind)


def span_of(header: str | None, size: int) -> tuple[int, int] | None:
    """Return the first byte asked for and the one after the last; None: the whole file, as for several ranges.

    Raises 416 for a range that lies outside of the file.
    """
    found = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", header or "")
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    if start >= size:
        raise HTTPException(416, "the range lies outside of the file", {"Content-Range": f"bytes */{size}"})
    return start, min(size, int(last) + 1) if first and last else size
