"""The console's style sheet, script and icon: read once, told apart by their content, kept by browsers for a year."""

import hashlib
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


def add(app: FastAPI) -> None:
    """Add the route."""

    @app.get("/static/{name}", include_in_schema=False)
    async def asset(name: str, request: Request) -> Response:
        """Send one file."""
        data, tag = _read(name)
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        kept = _YEAR if "v" in request.query_params else "no-cache"
        headers = {"ETag": tag, "Cache-Control": kept, "X-Content-Type-Options": "nosniff"}
        return Response(data, media_type=_TYPES[Path(name).suffix], headers=headers)


def address_of(name: str) -> str:
    """Return where a file lies, under an address that changes with its content."""
    return f"/static/{name}?v={_read(name)[1][1:13]}"


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _TYPES)


@cache
def _read(name: str) -> tuple[bytes, str]:
    if name not in _names():
        raise NotFound(f"there is no file {name[:80]!r}")
    data = (_FOLDER / name).read_bytes()
    return data, f'"{hashlib.sha256(data).hexdigest()[:32]}"'


templates.filters["asset"] = address_of
