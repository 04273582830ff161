"""Fetches what is to be published the way Meta's servers do, before they do, and names the exact reason when it fails.

Redirects are followed by hand, so that each address on the way is judged; nothing is sent but what Meta's crawler sends.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import IO, Literal
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

from tintype.backends.outbound import Outbound, Outgoing, Policy, Stream
from tintype.core.publishing.findings import Finding, finding, host_of, of_address, of_trouble, reachable_base
from tintype.core.publishing.sniffing import HEAD, PICTURES, VIDEOS, ends_well, kind_of, said
from tintype.errors import Trouble, Unreachable

__all__ = ["AGENT", "Fetched", "Finding", "look", "reachable_base"]

AGENT = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
HOPS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"user-agent": AGENT, "accept": "*/*"}
_PICTURE = Policy(total_seconds=60, first_byte_seconds=10, https_only=False)
_VIDEO = replace(_PICTURE, total_seconds=600)
_ROBOTS = Policy(total_seconds=5, first_byte_seconds=5, max_bytes=512 * 1024, max_redirects=HOPS, https_only=False)
_STATUSES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 410: "gone", 429: "too_many_requests"}
_LOGIN = re.compile(
    r"(^|[/._-])(log-?in|log-?on|sign-?in|sso|saml2?|oauth2?|authori[sz]e|auth|account/session)([/._?-]|$)"
)
_ANY_TYPE = ("application/octet-stream", "binary/octet-stream", "application/binary", "")
_FAMILIES = {"picture": "image", "video": "video"}
_PAGES = {
    "drive.google.com": "Google Drive has no file addresses that Instagram can fetch, so upload the file here",
    "www.dropbox.com": "put raw=1 at the end of the Dropbox address",
    "photos.app.goo.gl": "Google Photos has no lasting file addresses, so upload the file here",
    "1drv.ms": "OneDrive's links lead to pages, so upload the file here",
}
_ITSELF = "use the address of the file itself, which shows nothing else when it is opened in a browser"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file that was there: what it is by its bytes and by its server's word; `notes` are findings that a copy mends."""

    kind: str
    content_type: str
    final_url: str
    bytes: int
    notes: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Way:
    """The redirects of one look."""

    url: str
    seen: set[str]
    before: str = ""  # the address that redirected to this one
    cookies: bool = False
    login: bool = False


async def look(
    outbound: Outbound,
    url: str,
    into: IO[bytes],
    *,
    most_bytes: int,
    want: Literal["picture", "video"],
    robots: bool = True,
) -> Fetched | Finding:
    """Fetch a file into `into`, which is left at its start, or return why that fails."""
    if wrong := of_address(url):
        return wrong
    way = _Way(url, {url})
    policy = replace(_VIDEO if want == "video" else _PICTURE, max_bytes=most_bytes)
    result = await _along(outbound, way, into, policy)
    if isinstance(result, Stream):
        result = await _judged(result, way.url, into, want)
    if isinstance(result, Finding):
        return finding("redirect_to_login", url) if way.login and not result.ours else result
    if not url.isascii():
        result = replace(result, notes=(*result.notes, finding("non_ascii", url)))
    if robots and await _forbidden_by_robots(outbound, way.url):
        result = replace(result, notes=(*result.notes, finding("robots_forbids", way.url)))
    return result


async def _along(outbound: Outbound, way: _Way, into: IO[bytes], policy: Policy) -> Stream | Finding:
    """Follow the redirects and fill `into` with the body at their end, whatever its status."""
    asked = way.url
    for hop in range(HOPS + 1):
        arrived = False
        try:
            async with outbound.stream(Outgoing("GET", way.url, headers=_HEADERS), policy) as answer:
                arrived = True
                target = _target(answer, way.url)
                if target is None:
                    await _poured(answer, into)
                    return answer
        except Trouble as trouble:
            return _trouble(trouble, way, hop, policy.max_bytes, arrived=arrived)
        if stop := _step(way, target, answer.headers):
            return stop
    return finding("too_many_redirects", asked)


async def _poured(answer: Stream, into: IO[bytes]) -> None:
    into.seek(0)
    into.truncate()
    async for chunk in answer.chunks:
        into.write(chunk)
    into.flush()
    into.seek(0)


def _target(answer: Stream, url: str) -> str | None:
    location = answer.headers.get("location")
    if answer.status not in _REDIRECTS or not location:
        return None
    try:
        return urljoin(url, location)
    except ValueError:
        return location  # no address, as `_step` finds


def _step(way: _Way, target: str, headers: Mapping[str, str]) -> Finding | None:
    """Go on to a redirect's target, or say why not."""
    way.cookies = way.cookies or "set-cookie" in headers
    if target in way.seen:
        return finding("needs_cookies" if way.cookies else "redirect_loop", way.url)
    try:
        parts = urlsplit(target)
    except ValueError:
        return of_address(target)
    way.login = way.login or bool(_LOGIN.search(f"{parts.hostname or ''}{parts.path}".lower()))
    way.before, way.url = way.url, target
    way.seen.add(target)
    return of_address(target)


def _trouble(trouble: Trouble, way: _Way, hop: int, most_bytes: int, *, arrived: bool) -> Finding:
    found = of_trouble(trouble, way.url, most_bytes)
    if hop and found.code in ("localhost", "private_address"):
        return finding("redirect_to_private", way.before, target=host_of(way.url))
    broke_off = arrived and isinstance(trouble, Unreachable) and found.code in ("not_http", "connection_failed")
    return replace(finding("truncated", way.url), passing=True) if broke_off else found


async def _judged(answer: Stream, url: str, into: IO[bytes], want: str) -> Fetched | Finding:
    head = into.read(HEAD)
    size = into.seek(0, 2)
    into.seek(0)
    if answer.status != 200:
        return _of_status(answer.status, url, head)
    if not size:
        return finding("empty", url)
    kind = kind_of(head)
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in (PICTURES if want == "picture" else VIDEOS):
        return _of_kind(kind, content_type, url, want)
    if not ends_well(kind, into):
        return finding("truncated", url)
    notes = () if _fits(content_type, kind, want) else (finding("wrong_content_type", url, content_type=content_type),)
    return Fetched(kind, content_type, url, size, notes)


def _of_status(status: int, url: str, head: bytes) -> Finding:
    if status in (400, 403) and b"expired" in head.lower():
        return finding("expired_link", url)
    if status in _STATUSES:
        return finding(_STATUSES[status], url)
    if status == 204:
        return finding("empty", url)
    return finding("server_error" if status >= 500 else "status", url, status=status)


def _of_kind(kind: str, content_type: str, url: str, want: str) -> Finding:
    if kind == "html" or (kind in ("text", "unknown") and content_type == "text/html"):
        return finding("html", url, advice=_PAGES.get(urlsplit(url).hostname or "", _ITSELF))
    if kind in ("json", "xml"):
        return finding(kind, url)
    return finding("not_a_picture" if want == "picture" else "not_a_video", url, what=said(kind))


def _fits(content_type: str, kind: str, want: str) -> bool:
    return content_type in (*_ANY_TYPE, f"application/{kind}") or content_type.startswith(f"{_FAMILIES[want]}/")


async def _forbidden_by_robots(outbound: Outbound, url: str) -> bool:
    """Whether robots.txt keeps Meta's crawler out; one that cannot be had forbids nothing."""
    try:
        answer = await outbound.send(Outgoing("GET", urljoin(url, "/robots.txt"), headers=_HEADERS), _ROBOTS)
    except Trouble:
        return False
    if answer.status != 200:
        return False
    rules = RobotFileParser()
    rules.parse(answer.body.decode("utf-8", "replace").splitlines())
    return not rules.can_fetch(AGENT, url)
