"""The feed as HTML: a piece to put into a page, or a page of its own when a browser opens it directly."""

from collections.abc import Sequence

from fastapi import Request
from starlette.responses import HTMLResponse

from tintype.api.feed.shelf import Entry
from tintype.api.templates import PAGE_HEADERS, templates
from tintype.core.accounts import Account

_EMBEDDABLE = {
    # Pictures that could not be copied yet come from Instagram's own hosts; any site may frame the page.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src * data:; media-src *; "
    "base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, max-age=60, stale-while-revalidate=86400, stale-if-error=604800",
    "Vary": "Accept-Encoding, Sec-Fetch-Dest",
}


def feed(request: Request, entry: Entry, title: str) -> HTMLResponse:
    """Return a feed as HTML: the whole page for a browser's address bar, the piece for everybody who embeds it."""
    whole = request.headers.get("sec-fetch-dest") in ("document", "iframe")
    template = templates.get_template("feed_page.html" if whole else "feed.html")
    return HTMLResponse(template.render(photos=entry.items, title=title, stale=entry.stale), headers=_EMBEDDABLE)


def connected(accounts: Sequence[Account]) -> HTMLResponse:
    """Return the page that a person sees after connecting."""
    return HTMLResponse(templates.get_template("connected.html").render(accounts=accounts), headers=PAGE_HEADERS)
