"""What browsers load of the picker, as it is built: read once, packed once, known by what is in it."""

import gzip
import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import brotli
from starlette.requests import Request
from starlette.responses import Response

_FOLDER = Path(__file__).parents[2] / "web" / "picker"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}

HOUR = 3600
FOR_EVER = 31_536_000

# Pages of every origin run these, those behind a strict policy as well.
SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Content-Type-Options": "nosniff",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class Asset:
    """One built file in the three forms in which browsers take it."""

    name: str
    kind: str
    digest: str
    plain: bytes = field(repr=False)
    gzip: bytes = field(repr=False)
    brotli: bytes = field(repr=False)

    def answer(self, request: Request, max_age: int) -> Response:
        """Return the file, packed as the browser likes it, or word that it has it already."""
        etag = f'"{self.digest[:32]}"'
        headers = {**SHARED, "ETag": etag, "Cache-Control": f"public, max-age={max_age}"}
        if max_age == FOR_EVER:
            headers["Cache-Control"] += ", immutable"
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if etag in known:
            return Response(status_code=304, headers=headers)
        body, encoding = self._packed(request.headers.get("accept-encoding", ""))
        if encoding:
            headers["Content-Encoding"] = encoding
        return Response(body, headers=headers, media_type=self.kind)

    def _packed(self, accepted: str) -> tuple[bytes, str | None]:
        taken = {part.partition(";")[0].strip() for part in accepted.lower().split(",") if "q=0" not in part.split(";")}
        if "br" in taken:
            return self.brotli, "br"
        return (self.gzip, "gzip") if "gzip" in taken else (self.plain, None)


@cache
def asset(name: str, before: str = "") -> Asset:
    """Return a built file, with a line `before` it where it has to know something of this house."""
    plain = before.encode() + (_FOLDER / name).read_bytes()
    packed = gzip.compress(plain, 9, mtime=0)
    digest = hashlib.sha256(plain).hexdigest()
    return Asset(name, _TYPES[Path(name).suffix], digest, plain, packed, brotli.compress(plain))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType] - the library has no types


@cache
def languages() -> Mapping[str, Mapping[str, str]]:
    """Return the dialog's words by language."""
    return {path.stem: tomllib.loads(path.read_text("utf-8")) for path in sorted((_FOLDER / "words").glob("*.toml"))}


def language_of(asked: str | None, accepted: str) -> str:
    """Return the language that a page asked for, else the first of the browser's that we speak, else English."""
    wanted = [asked or "", *(part.partition(";")[0] for part in accepted.split(","))]
    spoken = (one.strip().lower().replace("_", "-").partition("-")[0] for one in wanted)
    return next((one for one in spoken if one in languages()), "en")
