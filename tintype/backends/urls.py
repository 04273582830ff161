"""Addresses of the web taken apart: where a request goes, and what it asks for there.

How an address is read is httpx's to say, strange spellings above all. The plain ones, which nearly all of ours are, differ
in their path alone, so their beginning is read once.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlencode

import httpx2

from tintype.errors import Forbidden

INSTAGRAM_HOSTS = frozenset(
    {
        "graph.instagram.com",
        "api.instagram.com",
        "www.instagram.com",
        "i.instagram.com",
        "graph.facebook.com",
        "www.facebook.com",
        "rupload.facebook.com",
    }
)
INSTAGRAM_CDN = ("cdninstagram.com", "fbcdn.net")  # their subdomains; links to media live there and expire

PORTS = {"http": 80, "https": 443}

_HOSTS = INSTAGRAM_HOSTS | set(INSTAGRAM_CDN)
_BELOW = tuple(f".{suffix}" for suffix in INSTAGRAM_CDN)

_BEGINNINGS = 256  # of plain addresses that are remembered
_LONGEST = 2048  # of those that are looked at for being plain
# Nothing in such a path is written anew when it is sent, and no segment of it means another one.
_PLAIN = re.compile(r"(https?://[a-z0-9.-]{1,255}(?::[0-9]{1,5})?)((?:/(?!\.)[A-Za-z0-9_.-]*)+)")


@dataclass(frozen=True, slots=True)
class Url:
    """An address; `netloc` is its host as a Host header names it, and `target` what stands in a request's first line.

    The target may hold secrets, so it is not in the repr.
    """

    scheme: str
    host: str
    raw_host: bytes
    port: int | None  # None: its scheme's own
    netloc: bytes
    target: bytes = field(repr=False)
    is_personal: bool = False  # a user name stands in front of the host

    @classmethod
    def of(cls, text: str) -> "Url":
        """Take an address apart.

        Raises `Forbidden` for what is none.
        """
        plain = _PLAIN.fullmatch(text) if len(text) <= _LONGEST else None
        return _read(text) if plain is None else _beginning(plain[1]).at(plain[2].encode("ascii"))

    def at(self, target: bytes) -> "Url":
        """Return the address of something else in the same place."""
        return Url(self.scheme, self.host, self.raw_host, self.port, self.netloc, target, self.is_personal)

    @property
    def wire_port(self) -> int:
        """Return the port that is called; 0 for a scheme that is not."""
        return self.port or PORTS.get(self.scheme, 0)

    @property
    def is_instagram(self) -> bool:
        """Tell whether it leads to Instagram."""
        host = self.host.rstrip(".")
        return host in _HOSTS or host.endswith(_BELOW)

    def asking(self, query: Mapping[str, str]) -> "Url":
        """Return it with more of a query.

        It is joined as text: taking the present one apart and writing it anew would break the signature of a CDN address.
        """
        if not query:
            return self
        path, _, present = self.target.partition(b"?")
        return self.at(path + b"?" + (present + b"&" if present else b"") + urlencode(query).encode("ascii"))

    def joined(self, location: str) -> "Url":
        """Return where a redirect from here leads.

        Raises `Forbidden` for what is no address.
        """
        here = f"{self.scheme}://{self.netloc.decode('ascii')}{self.target.decode('ascii')}"
        return _read(location, here)


@lru_cache(_BEGINNINGS)
def _beginning(text: str) -> Url:
    return _read(text)


def _read(text: str, base: str | None = None) -> Url:
    try:
        url = httpx2.URL(text) if base is None else httpx2.URL(base).join(text)
    except (httpx2.InvalidURL, ValueError):
        # The library's words repeat parts of the address, where a secret may be.
        raise Forbidden("this is not an address that can be called") from None
    return Url(url.scheme, url.host, url.raw_host, url.port, url.netloc, url.raw_path, bool(url.userinfo))


def ends_with(host: str, suffixes: Iterable[str]) -> bool:
    """Tell whether a host is one of these, or lies below one."""
    name = host.rstrip(".")
    return any(name.endswith("." + s.removeprefix(".")) or name == s.removeprefix(".") for s in suffixes)
