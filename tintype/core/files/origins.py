"""Web origins as an app lists them: parsed and compared whole, never as patterns, which have let strangers in elsewhere."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from tintype.errors import Invalid

_PORTS = {"http": 80, "https": 443}
MOST = 100


def origins_of(given: Iterable[str]) -> tuple[str, ...]:
    """Return origins as browsers write them: in lower case, without a default port, each once.

    Raises `Invalid` for anything that is not an origin, `*` included.
    """
    found = tuple(dict.fromkeys(origin_of(one) for one in given))
    if len(found) > MOST:
        raise Invalid(f"an app has at most {MOST} origins")
    return found


def origin_of(text: str) -> str:
    """Return one origin as browsers write it; raises `Invalid`."""
    wrong = Invalid(f"{text[:80]!r} is not an origin; write it like https://example.com")
    try:
        parts = urlsplit(text.strip().rstrip("/"))
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    bare = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    if parts.scheme not in _PORTS or not host or not bare or not _is_host(host):
        raise wrong
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port and port != _PORTS[parts.scheme] else "")


def _is_host(host: str) -> bool:
    return host.isascii() and not set(host) & set("*?#@/ %\\<>\"'`^{}|")
