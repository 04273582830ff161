"""The console's style sheet, script and icon: read and packed once, told apart by their content, kept by browsers for a year."""

import gzip
import hashlib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from tintype.api.templates import templates
from tintype.errors import NotFound

_FOLDER = Path(__file__).parents[2] / "web" / "console"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_YEAR = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, plain and packed. Pages are not packed: each has its form token beside what strangers may have written."""

    digest: str
    kind: str
    plain: bytes = field(repr=False)
    packed: bytes = field(repr=False)

    def answer(self, request: Request) -> Response:
        """Return the file as the browser takes it, or word that it has it already."""
        packs = "gzip" in _taken(request.headers.get("accept-encoding", ""))
        tag = f'"{self.digest}-gz"' if packs else f'"{self.digest}"'
        kept = _YEAR if "v" in request.query_params else "no-cache"
        headers = {"ETag": tag, "Cache-Control": kept, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if packs:
            headers["Content-Encoding"] = "gzip"
        return Response(self.packed if packs else self.plain, media_type=self.kind, headers=headers)


def add(app: FastAPI) -> None:
    """Add the route."""

    @app.get("/static/{name}", include_in_schema=False)
    async def asset(name: str, request: Request) -> Response:
        """Send one file."""
        return _read(name).answer(request)


def address_of(name: str) -> str:
    """Return where a file lies, under an address that changes with its content."""
    return f"/static/{name}?v={_read(name).digest[:12]}"


def _taken(accepted: str) -> frozenset[str]:
    """Return the encodings that a browser takes; one that it names with q=0 is none."""
    parts = [part.replace(" ", "").partition(";") for part in accepted.lower().split(",")]
    return frozenset(name for name, _, quality in parts if quality not in ("q=0", "q=0.0", "q=0.00", "q=0.000"))


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _TYPES)


@cache
def _read(name: str) -> Asset:
    if name not in _names():
        raise NotFound(f"there is no file {name[:80]!r}")
    plain = (_FOLDER / name).read_bytes()
    digest = hashlib.sha256(plain).hexdigest()[:32]
    return Asset(digest, _TYPES[Path(name).suffix], plain, gzip.compress(plain, 9, mtime=0))


templates.filters["asset"] = address_of
