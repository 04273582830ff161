"""Own copies over HTTP: named by their content, so they may be kept for ever by everybody."""

import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response, StreamingResponse

from tintype.core.feed import Renditions
from tintype.errors import NotFound

_DIGEST = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"(original|320|640|1080)\.(jpeg|png|webp|avif|gif|mp4)")
_TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "avif": "image/avif",
    "gif": "image/gif",
    "mp4": "video/mp4",
}
_HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@dataclass(frozen=True, slots=True)
class Files:
    """Answers requests for the files of own copies, whole or in ranges."""

    renditions: Renditions

    async def answer(self, request: Request, digest: str, name: str) -> Response:
        """Return one file.

        Raises `NotFound` when there is no such copy or it has no such file.
        """
        if not _DIGEST.fullmatch(digest) or not _NAME.fullmatch(name):
            raise NotFound("there is no such picture")
        etag = f'"{digest[:32]}-{name}"'
        kind = _TYPES[name.rpartition(".")[2]]
        headers = {**_HEADERS, "ETag": etag, "Accept-Ranges": "bytes"}
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if etag in known:
            return Response(status_code=304, headers=headers)
        key = await self.renditions.file(digest, name)
        if "*" in known:
            return Response(status_code=304, headers=headers)
        path = self.renditions.blobs.path(key)
        asked = request.headers.get("range")
        if path is not None and asked is None and not request.state.head:
            return FileResponse(Path(path), media_type=kind, headers=headers)
        found = await self.renditions.blobs.head(key)
        if found is None:
            raise NotFound("there is no such picture")
        if request.state.head:  # answered without reading the file; a range means nothing here (RFC 9110, 14.2)
            return Response(headers={**headers, "Content-Length": str(found.size)}, media_type=kind)
        span = span_of(asked, found.size) if request.headers.get("if-range", etag) == etag else None
        start, end = span or (0, found.size)
        headers["Content-Length"] = str(end - start)
        if span is None:
            return StreamingResponse(self.renditions.blobs.stream(key), 200, headers, kind)
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{found.size}"
        return StreamingResponse(self.renditions.blobs.stream(key, start, end), 206, headers, kind)


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
