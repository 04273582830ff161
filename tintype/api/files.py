"""Stored files over HTTP, whole or in ranges: named by their content, so they may be kept for ever by everybody."""

import asyncio
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from stat import S_ISREG

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
    """A file from its first byte to its last, or the span of it that was found to be asked for, whatever the request says."""

    span: tuple[int, int] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file."""
        headers = [one for one in scope["headers"] if one[0] not in (b"range", b"if-range")]
        if self.span is not None:
            headers.append((b"range", f"bytes={self.span[0]}-{self.span[1] - 1}".encode()))
        await super().__call__({**scope, "headers": headers}, receive, send)


def unchanged(request: Request, etag: str, *, there: bool = False) -> Response | None:
    """Return the answer for somebody who has the file already; `*` stands for any file, once it is known to be `there`."""
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if etag in known or (there and "*" in known):
        return Response(status_code=304, headers={**HEADERS, "ETag": etag})
    return None


def is_known(request: Request, etag: str, changed: datetime) -> bool:
    """Tell whether somebody says that he has a file as it is: by its name, or else by the moment of its last change."""
    tags = request.headers.get("if-none-match")
    if tags is not None:
        return any(tag.strip().removeprefix("W/") in (etag, "*") for tag in tags.split(","))
    try:
        return changed <= parsedate_to_datetime(request.headers.get("if-modified-since", ""))
    except (TypeError, ValueError):
        return False


def part_of(request: Request, path: Path, size: int, headers: Mapping[str, str], kind: str) -> Response:
    """Return a file of this disk, or the part of it that was asked for; `headers` say its ETag and when it last changed.

    Raises 416 for a range outside of it.
    """
    if request.state.head:  # answered without reading the file; a range means nothing here (RFC 9110, 14.2)
        return Response(headers={**headers, "Content-Length": str(size)}, media_type=kind)
    found = WholeFile(path, media_type=kind, headers=headers)
    if request.headers.get("if-range", headers["ETag"]) in (headers["ETag"], headers["Last-Modified"]):
        found.span = span_of(request.headers.get("range"), size)
    return found


async def send(request: Request, blobs: Blobs, key: str, *, etag: str, kind: str, missing: str) -> Response:
    """Return the blob under `key`, or the part of it that was asked for.

    Raises `NotFound`, saying what is `missing`, when there is none, and 416 for a range outside of it.
    """
    headers = {**HEADERS, "ETag": etag}
    path = blobs.path(key)
    asked = request.headers.get("range")
    if path is not None and asked is None and not request.state.head:
        stat = await asyncio.to_thread(_stat_of, path)
        if stat is not None:
            return FileResponse(path, media_type=kind, headers=headers, stat_result=stat)
    found = await blobs.head(key)  # which also knows why there is none
    if found is None:
        raise NotFound(missing)
    if request.state.head:  # answered without reading the file; a range means nothing here (RFC 9110, 14.2)
        return Response(headers={**headers, "Content-Length": str(found.size)}, media_type=kind)
    span = span_of(asked, found.size) if request.headers.get("if-range", etag) == etag else None
    start, end = span or (0, found.size)
    headers["Content-Length"] = str(end - start)
    if span is None:
        return StreamingResponse(blobs.stream(key), 200, headers, kind)
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
    return StreamingResponse(blobs.stream(key, start, end), 206, headers, kind)


def _stat_of(path: Path) -> os.stat_result | None:
    with suppress(OSError):
        found = path.stat()
        return found if S_ISREG(found.st_mode) else None
    return None


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
