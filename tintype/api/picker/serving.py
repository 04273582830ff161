"""Files as browsers get them: whole or in ranges, and harmless whatever they hold."""

import base64
from collections.abc import AsyncIterator, Mapping
from urllib.parse import quote

from fastapi import Request
from starlette.responses import Response, StreamingResponse

from tintype.api.files import WholeFile, span_of
from tintype.core.files import PICTURES, File, Files

# No script of a file runs, none of its bytes are taken for another type, and pages of any site may show it.
HARMLESS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
}


def disposition(filename: str, content_type: str, *, download: bool) -> str:
    """Return how a browser is to take a file: pictures are shown, everything else is saved under its name."""
    way = "inline" if content_type in PICTURES and not download else "attachment"
    plain = "".join(
        letter if (letter.isascii() and letter.isalnum()) or letter in "._-" else "_" for letter in filename
    )
    return f"{way}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def known(request: Request, etag: str) -> bool:
    """Tell whether whoever asks has a file of this tag already."""
    tags = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in tags or "*" in tags


async def serve(request: Request, files: Files, file: File, *, is_private: bool) -> Response:
    """Return a file, or the part of it that was asked for.

    Raises `MediumGone` for a link whose medium is gone, 416 for a range outside of the file.
    """
    etag = f'"{file.etag}"'
    download = request.query_params.get("dl") == "true"
    headers = {
        **HARMLESS,
        "ETag": etag,
        # A handle's content may be overwritten, so everybody asks whether what they have is still it.
        "Cache-Control": "private, no-cache" if is_private else "public, no-cache",
        "Content-Disposition": disposition(file.filename, file.content_type, download=download),
    }
    await files.present(file)
    if known(request, etag):
        return Response(status_code=304, headers=headers)
    if request.query_params.get("base64encode") == "true":
        return await _base64(request, files, file, headers)
    headers["Accept-Ranges"] = "bytes"
    if request.state.head:  # answered without reading the file; a range means nothing here (RFC 9110, 14.2)
        length = {} if file.size is None else {"Content-Length": str(file.size)}
        return Response(headers={**headers, **length}, media_type=file.content_type)
    return await _bytes(request, files, file, headers)


async def _bytes(request: Request, files: Files, file: File, headers: dict[str, str]) -> Response:
    asked = request.headers.get("range")
    if_range = request.headers.get("if-range", headers["ETag"])
    span = span_of(asked, file.size) if asked and file.size is not None and if_range == headers["ETag"] else None
    if span is None:
        opened = await files.open(file)
        if opened.path is not None:
            return WholeFile(opened.path, media_type=file.content_type, headers=headers)
        length = {} if opened.size is None else {"Content-Length": str(opened.size)}
        return StreamingResponse(opened.chunks, 200, {**headers, **length}, file.content_type)
    start, end = span
    opened = await files.open(file, start, end)
    headers |= {"Content-Range": f"bytes {start}-{end - 1}/{file.size}", "Content-Length": str(end - start)}
    return StreamingResponse(opened.chunks, 206, headers, file.content_type)


async def _base64(request: Request, files: Files, file: File, headers: dict[str, str]) -> Response:
    if request.state.head:
        return Response(headers=headers, media_type="text/plain")
    opened = await files.open(file)
    return StreamingResponse(_encoded(opened.chunks), 200, headers, "text/plain; charset=us-ascii")


async def _encoded(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    held = b""
    async for chunk in chunks:
        held += chunk
        whole = len(held) // 3 * 3
        yield base64.b64encode(held[:whole])
        held = held[whole:]
    yield base64.b64encode(held)
