"""Addresses of this server's own: which file one of them names, so that nothing of ours is fetched over the network. Pure."""

import re
from urllib.parse import unquote, urlsplit

from tintype.core.files.keys import is_handle
from tintype.errors import Invalid

PROCESSING = ("cdn", "process")  # the hosts on which clients of today look for processed files
FILES = "/api/file/"
CDN = "/cdn/"

_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_END = re.compile(r"[.+]")


def zone_of(base: str) -> str:
    """Return the name below which the clients of today look for `www.`, `cdn.` and the others."""
    zone = urlsplit(base).hostname or "localhost"
    return "localhost" if zone in ("127.0.0.1", "::1") else zone


def handle_in(url: str, base: str) -> str | None:
    """Return the handle in an address of one of our own files; None: it is none of them, and fetched like any other.

    Raises `Invalid` for a conversion by the first version's parameters, whose result is stored with the conversion itself.
    """
    if url.startswith(base + FILES):
        handle, _, rest = url.removeprefix(base + FILES).partition("?")[0].partition("/")
        if rest.startswith("convert"):
            raise Invalid("this is the address of a conversion; store it with convert and a storeLocation")
        return handle.partition("+")[0]
    path = _processing(url, base)
    if path is None:
        return None
    *front, last = [unquote(piece) for piece in path.split("/") if piece] or [""]
    handle = _END.split(last, maxsplit=1)[0]
    if not is_handle(handle):
        return None
    if front and _KEY.fullmatch(front[0]):
        del front[0]
    return handle if all(piece.startswith("security=") for piece in front) else None


def _processing(url: str, base: str) -> str | None:
    """Return what stands behind the host, or behind `/cdn`, in a processing address of ours."""
    if url.startswith(base + CDN):
        return url.removeprefix(base + CDN).partition("?")[0]
    try:
        found = urlsplit(url)
        ports = {None, urlsplit(base).port}
        is_ours = found.hostname in {f"{name}.{zone_of(base)}" for name in PROCESSING} and found.port in ports
    except ValueError:
        return None
    return found.path if is_ours and found.scheme in ("http", "https") else None
