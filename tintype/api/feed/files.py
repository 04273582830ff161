"""Own copies over HTTP: named by their content, so they may be kept for ever by everybody."""

import re
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
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
        headers = {**_HEADERS, "ETag": etag}
        if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        key = await self.renditions.file(digest, name)
        path = self.renditions.blobs.path(key)
        if path is not None:
            return FileResponse(Path(path), media_type=kind, headers=headers)
        found = await self.renditions.blobs.head(key)
        if found is None:
            raise NotFound("there is no such picture")
        start, end = _range(request.headers.get("range"), found.size)
        if start == 0 and end == found.size:
            headers |= {"Content-Length": str(found.size), "Accept-Ranges": "bytes"}
            return StreamingResponse(self.renditions.blobs.stream(key), 200, headers, kind)
        headers |= {"Content-Length": str(end - start), "Content-Range": f"bytes {start}-{end - 1}/{found.size}"}
        return StreamingResponse(self.renditions.blobs.stream(key, start, end), 206, headers, kind)


def _range(header: str | None, size: int) -> tuple[int, int]:
    """Return the first and the last-but-one byte asked for; one range is served, anything else means the whole file."""
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if not found or not any(found.groups()):
        return 0, size
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    start, end = int(first), min(size, int(last) + 1) if last else size
    return (start, end) if start < end else (0, size)
