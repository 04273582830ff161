"""A feed's page inside the pages of others, as oEmbed 1.0 describes it: which page is meant, how large, and its frame."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from math import ceil
from urllib.parse import parse_qs, quote, urlencode

from tintype.api.feed.shelf import Choice

WIDTH = 640  # where nobody says how wide
GAP, TILE, ACROSS = (
    8,
    224,
    3,
)  # what feed.html is drawn with: the gap, the least width of a picture, and the least number
EMPTY = 64  # the height of "No posts yet."


@dataclass(frozen=True, slots=True)
class Page:
    """A feed's page that somebody wants to embed."""

    key: str
    choice: Choice

    def address(self, base: str) -> str:
        """Return its address, with nothing in it but what we know."""
        asked = {"limit": self.choice.limit, "account": self.choice.account}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        return f"{base}/feeds/{quote(self.key)}.html{f'?{query}' if query else ''}"


def discovered(base: str, path: str, query: str) -> str:
    """Return the address that a feed's page gives as its oEmbed."""
    page = f"{base}{path}{f'?{query}' if query else ''}"
    return f"{base}/oembed?{urlencode({'format': 'json', 'url': page})}"


def asked(base: str, url: str) -> Page | None:
    """Return the page that an address means, None when it is not one of ours."""
    place, _, query = url.partition("#")[0].partition("?")
    key = place.removeprefix(f"{base}/feeds/").removesuffix(".html")
    if place != f"{base}/feeds/{key}.html" or not key or "/" in key:
        return None
    given = parse_qs(query)
    limit, account = given.get("limit", [""])[0], given.get("account", [""])[0][:64]
    few = int(limit) if limit.isascii() and limit.isdigit() and 0 < int(limit[:6]) <= 10_000 else None
    return Page(key, Choice(few, account or None))


def measured(posts: int, maxwidth: int | None, maxheight: int | None) -> tuple[int, int]:
    """Return the width and height in which so many posts are seen whole, within what is allowed."""
    width = min(WIDTH, maxwidth or WIDTH)
    across = max(ACROSS, (width + GAP) // (TILE + GAP))
    rows = ceil(posts / across)
    tile = max(1.0, (width - (across - 1) * GAP) / across)
    height = ceil(rows * tile) + (rows - 1) * GAP if rows else EMPTY
    return width, min(height, maxheight or height)


def said(base: str, page: Page, name: str, size: tuple[int, int]) -> Mapping[str, object]:
    """Return the oEmbed answer."""
    title, (width, height) = f"{name} on Instagram", size
    frame = {
        "src": page.address(base),
        "title": title,
        "width": str(width),
        "height": str(height),
        "frameborder": "0",
        "loading": "lazy",
        "sandbox": "allow-popups allow-popups-to-escape-sandbox",
    }
    attributes = " ".join(f'{name}="{escape(value)}"' for name, value in frame.items())
    return {
        "version": "1.0",
        "type": "rich",
        "provider_name": "Tintype",
        "provider_url": f"{base}/",
        "title": title,
        "cache_age": 3600,
        "width": width,
        "height": height,
        "html": f"<iframe {attributes}></iframe>",
    }
