"""Comparing what Instagram says now with what is stored: what is new or changed, what stayed, what is missing.

A sync does so for hundreds of posts and mostly finds nothing, so both sides are plain tuples: of what is stored no copies are
looked up, and items are made of those posts only that have to be stored.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from tintype.core.feed.model import Item, Kind, Policy, ends_soon, resting

_EDGE = re.compile(r"^/v/t[\d.-]+/")
# An address as Instagram sends it, taken apart at once.
_PLAIN_ADDRESS = re.compile(r"https?://[\w.:-]+(?:/v/t[\d.-]+(?=/))?(/[!-\"$-:<->@-~]*)(?:[?#]|\Z)", re.ASCII)


class Said(NamedTuple):
    """What Instagram says of a post, or of one child, and what stays equal from read to read, unlike its signed addresses."""

    id: str
    kind: Kind
    product: str
    caption: str
    permalink: str
    posted_at: datetime
    alt_text: str | None = None
    picture_name: str | None = None
    video_name: str | None = None
    children: tuple["Said", ...] = ()

    def item(self) -> Item:
        """Return it as an item of the feed, still without copies."""
        return Item(*self[:-1], children=tuple(child.item() for child in self.children))


class Known(NamedTuple):
    """What is stored of a post as far as it is compared: what was said, and what is still shown from Instagram's address.

    `missed` tells that a pass which should have shown it did not.
    """

    said: Said
    lacks_picture: bool = False
    lacks_video: bool = False
    fallback_until: datetime | None = None
    tries: int = 0
    tried_at: datetime | None = None
    missed: bool = False
    children: tuple["Known", ...] = ()


class Plan(NamedTuple):
    """What a pass found, as ids: what is to be stored (new or changed), what stayed, and what is missing."""

    store: frozenset[str]
    keep: frozenset[str]
    missing: tuple[str, ...]


Wanting = Callable[[Known], bool]


def plan(stored: Mapping[str, Known], seen: Sequence[Said], *, complete: bool, wanting: Wanting) -> Plan:
    """Compare what is stored with what a pass has seen (newest first); `wanting` says what is to be copied again.

    A post is missing when the pass covered its place: anything in a complete pass, otherwise what is newer than the
    oldest post seen. A pass that saw nothing proves nothing.
    """
    if not seen:
        return Plan(frozenset(), frozenset(), ())
    store = frozenset(said.id for said in seen if changed(stored.get(said.id), said, wanting))
    shown = frozenset(said.id for said in seen)
    oldest = min(said.posted_at for said in seen)
    missing = tuple(
        media_id
        for media_id, known in stored.items()
        if media_id not in shown and (complete or known.said.posted_at > oldest)
    )
    return Plan(store, shown - store, missing)


def changed(old: Known | None, new: Said, wanting: Wanting) -> bool:
    """Tell whether Instagram now says something else about a post than is stored, or a copy of it is still wanting."""
    return old is None or old.said != new or wanting(old)


def settled(seen: Sequence[Said], stored: Mapping[str, Known], wanting: Wanting) -> bool:
    """Tell whether the end of a page is known ground: its last two posts are stored and unchanged.

    Two and not one, because a person can archive and bring back a single old post.
    """
    tail = seen[-2:]
    return bool(tail) and not any(changed(stored.get(said.id), said, wanting) for said in tail)


def wants_copies(known: Known, policy: Policy, now: datetime) -> bool:
    """Tell whether a post, or a child of it, shows an Instagram address in place of a copy, or one that ends soon."""
    if (known.lacks_picture or known.lacks_video) and _wants(known, policy, now):
        return True
    return any(wants_copies(child, policy, now) for child in known.children)


def _wants(known: Known, policy: Policy, now: datetime) -> bool:
    soon, trying = ends_soon(known.fallback_until, policy, now), not resting(known.tries, known.tried_at, now)
    picture = known.lacks_picture and (trying or soon)
    return picture or (known.lacks_video and ((trying and policy.copy_videos) or soon))


def stable_name(url: str | None) -> str | None:
    """Return the part of a CDN address that names the file: its path, without the edge's own prefix and signature."""
    if url is None:
        return None
    plain = _PLAIN_ADDRESS.match(url)
    return plain.group(1) if plain else _EDGE.sub("/", urlsplit(url).path)
