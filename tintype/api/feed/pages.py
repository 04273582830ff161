"""The feed as HTML: a piece to put into a page, or a page of its own when a browser opens or frames it."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import HTMLResponse, Response

from tintype.api.feed.forms import fitting, forms_of
from tintype.api.feed.shelf import Choice, Entry
from tintype.api.templates import page
from tintype.core.access import Caller
from tintype.core.accounts import Account

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, max-age=60, stale-while-revalidate=86400, stale-if-error=604800",
    "Vary": "Accept-Encoding, Sec-Fetch-Dest",
}
_KIND = b"text/html; charset=utf-8"
_LOCAL = "http://localhost:* http://127.0.0.1:* https://localhost:* https://127.0.0.1:*"


def feed(request: Request, entry: Entry, choice: Choice, caller: Caller, base: str, oembed: str) -> Response:
    """Return a feed as HTML: a whole page for a browser's address bar or frame, the piece for everybody who embeds it."""
    place = request.headers.get("sec-fetch-dest")
    drawn = page(
        "feed_page.html" if place in ("document", "iframe") else "feed.html",
        headers={**_HEADERS, "Content-Security-Policy": _policy(base, caller.origins)},
        photos=own(choice.of(entry.items), base),
        title=caller.workspace_name,
        stale=entry.stale,
        framed=place == "iframe",
        oembed=oembed,
    )
    return _packed(request, drawn)


def _packed(request: Request, drawn: HTMLResponse) -> Response:
    """Return a page packed as whoever asks takes it: every picture has its address in many sizes, which are nearly the same."""
    headers = [pair for pair in drawn.raw_headers if pair[0] not in (b"content-length", b"content-type")]
    accepted = request.headers.get("accept-encoding", "").encode("latin-1")
    return fitting(forms_of(bytes(drawn.body), headers, _KIND), accepted).answer(request)


def own(items: Sequence[Mapping[str, Any]], base: str) -> Sequence[Mapping[str, Any]]:
    """Return the posts whose picture is a copy of ours: a visitor's browser asks nobody else."""
    return [one for one in items if str(_picture(one)).startswith(f"{base}/")]


def _picture(item: Mapping[str, Any]) -> object:
    return item["posterUrl"] if item["mediaType"] == "VIDEO" else item["mediaUrl"]


def _policy(base: str, origins: Sequence[str]) -> str:
    parts = urlsplit(base)
    policy = (
        f"default-src 'none'; img-src 'self' {parts.scheme}://{parts.netloc} data:; base-uri 'none'; form-action 'none'"
    )
    return f"{policy}; frame-ancestors 'self' {' '.join(sorted(origins))} {_LOCAL}" if origins else policy


def connected(accounts: Sequence[Account]) -> HTMLResponse:
    """Return the page that a person sees after connecting."""
    return page("connected.html", accounts=accounts)
