"""One request as it arrived: which of Instagram's hosts it meant, its version, path and parameters."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Literal, cast
from urllib.parse import parse_qsl, urlsplit

import httpx2
from starlette.formparsers import MultiPartException
from starlette.requests import Request

from tintype.simulator.log import Entry
from tintype.simulator.world import World

Host = Literal["www", "api", "graph", "private", "facebook_graph", "rupload", "facebook", "cdn", "own"]

HOSTS: dict[str, Host] = {
    "www.instagram.com": "www",
    "instagram.com": "www",
    "api.instagram.com": "api",
    "graph.instagram.com": "graph",
    "i.instagram.com": "private",
    "graph.facebook.com": "facebook_graph",
    "rupload.facebook.com": "rupload",
    "www.facebook.com": "facebook",
    "facebook.com": "facebook",
}
VERSION = re.compile(r"v(\d+)\.(\d+)")
OLDEST, NEWEST = 21, 26  # alive in November 2026; older ones are served by the oldest
Client = Callable[[], httpx2.AsyncClient]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request with its parameters from query, form and JSON in one place; `origin` is the simulator's own address."""

    world: World
    request: Request
    host: Host
    origin: str
    method: str
    segments: tuple[str, ...]
    version: str | None
    params: dict[str, str]
    client: Client = field(repr=False)
    entry: Entry = field(default_factory=lambda: Entry(0, 0.0, "", "", "", ""))

    @property
    def token(self) -> str | None:
        """The access token from query, form or `Authorization: Bearer`."""
        if value := self.params.get("access_token"):
            return value
        scheme, _, value = self.request.headers.get("authorization", "").partition(" ")
        return value.strip() or None if scheme.lower() in ("bearer", "oauth") else None

    @property
    def own(self) -> bool:
        """Whether it came to the simulator's own address."""
        return self.host == "own"

    @property
    def address(self) -> str:
        """Scheme, host and version as the client wrote them, for paging links."""
        name = {"graph": "https://graph.instagram.com", "facebook_graph": "https://graph.facebook.com"}
        base = name.get(self.host, self.origin)
        return f"{base}/{self.version}" if self.version else base

    @property
    def served_version(self) -> str:
        """The version that answers: the asked one, or the oldest alive."""
        match = VERSION.fullmatch(self.version or "")
        major = int(match.group(1)) if match else OLDEST
        return f"v{max(OLDEST, min(NEWEST, major))}.0"

    def effect(self, text: str) -> None:
        """Note in the log what this call changed."""
        self.entry.effect = text


def host_of(name: str) -> Host:
    """Which of Instagram's hosts a Host header means; anything unknown is the simulator itself."""
    bare = name.rsplit(":", 1)[0].lower() if ":" in name else name.lower()
    if bare in HOSTS:
        return HOSTS[bare]
    return "cdn" if bare.endswith((".cdninstagram.com", ".fbcdn.net")) else "own"


def loopback(uri: str) -> bool:
    """Whether an address leads to this machine; such redirect addresses need no registration."""
    try:
        name = urlsplit(uri).hostname or ""
        return name == "localhost" or name.endswith(".localhost") or ip_address(name).is_loopback
    except ValueError:
        return False


def split_path(path: str) -> tuple[str | None, tuple[str, ...]]:
    """The version, if the path begins with one, and the other segments."""
    segments = tuple(part for part in path.split("/") if part)
    if segments and VERSION.fullmatch(segments[0]):
        return segments[0], segments[1:]
    return None, segments


async def params_of(request: Request) -> dict[str, str]:
    """Query, form and JSON parameters as text; lists and maps of a JSON body as JSON text."""
    found = dict(request.query_params)
    if request.method not in ("POST", "PUT", "PATCH", "DELETE"):
        return found
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        found |= _from_json(await request.body())
    elif kind == "application/x-www-form-urlencoded":
        found |= _joined(parse_qsl((await request.body()).decode("latin-1"), keep_blank_values=True))
    elif kind == "multipart/form-data":
        found |= await _from_form(request)
    return found


async def _from_form(request: Request) -> dict[str, str]:
    """Form fields as text, a repeated name joined by commas; a form that cannot be read holds nothing."""
    try:
        async with request.form() as form:
            return {name: ",".join(one for one in form.getlist(name) if isinstance(one, str)) for name in form}
    except MultiPartException:
        return {}


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Values by name; those of a repeated name joined by commas."""
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _from_json(body: bytes) -> dict[str, str]:
    try:
        given = cast(object, json.loads(body or b"{}"))
    except ValueError:
        return {}
    if not isinstance(given, dict):
        return {}
    pairs = cast(dict[str, object], given).items()
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in pairs}
