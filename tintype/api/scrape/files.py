"""Downloaded files over HTTP, whole or in ranges, behind links that are signed and expire."""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime

from fastapi import Request
from starlette.responses import Response

from tintype.api.files import is_known, part_of
from tintype.backends.vault import Vault
from tintype.core.downloads import Downloads

_PURPOSE = b"tintype media links"
_SIGNATURE_BYTES = 16  # as many as nobody guesses; a link is read by people
_HEADERS = {
    "Accept-Ranges": "bytes",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


@dataclass(frozen=True, slots=True)
class MediaLinks:
    """Makes and checks links to downloaded files; `keys` are derived from the vault's, the present one first."""

    base: str
    seconds: int
    keys: tuple[bytes, ...] = field(repr=False)
    now: Callable[[], datetime]

    @classmethod
    def of(cls, vault: Vault, base: str, seconds: int, now: Callable[[], datetime]) -> "MediaLinks":
        """Return the links of a house with this vault."""
        keys = tuple(hmac.digest(key.secret, _PURPOSE, "sha256") for key in (vault.current, *vault.old))
        return cls(base, seconds, keys, now)

    def url(self, shortcode: str, name: str) -> str:
        """Return an address that opens one file for everybody who has it, for a while."""
        until = int(self.now().timestamp()) + self.seconds
        return f"{self.base}/media/{shortcode}/{name}?until={until}&sig={_sign(self.keys[0], shortcode, name, until)}"

    def opens(self, shortcode: str, name: str, until: str | None, signature: str | None) -> bool:
        """Tell whether a link was made here for this file and has not expired."""
        if not until or not signature or not re.fullmatch(r"[0-9]{1,12}", until):
            return False
        given = signature.encode("utf-8", "replace")
        wanted = [_sign(key, shortcode, name, int(until)).encode() for key in self.keys]
        genuine = any(hmac.compare_digest(given, one) for one in wanted)
        return genuine and int(until) > self.now().timestamp()


def _sign(key: bytes, shortcode: str, name: str, until: int) -> str:
    digest = hmac.digest(key, f"{shortcode}/{name}\0{until}".encode(), "sha256")
    return urlsafe_b64encode(digest[:_SIGNATURE_BYTES]).rstrip(b"=").decode()


async def answer(downloads: Downloads, request: Request, shortcode: str, name: str) -> Response:
    """Return one file.

    Raises `NotFound` when there is none, and 416 for a range that lies outside of it.
    """
    path, file = await downloads.file(shortcode, name)
    found = path.stat()
    changed = datetime.fromtimestamp(int(found.st_mtime), UTC)
    etag = f'"{file.sha256}"'
    disposition = "attachment" if "download" in request.query_params else "inline"
    headers = {**_HEADERS, "ETag": etag, "Last-Modified": format_datetime(changed, usegmt=True)}
    headers |= {"Cache-Control": "private, max-age=3600", "Content-Disposition": f'{disposition}; filename="{name}"'}
    if is_known(request, etag, changed):
        return Response(status_code=304, headers=headers)
    return part_of(request, path, found.st_size, headers, file.content_type)
