"""Which medium of an account is a post whose answer was lost: fingerprints and candidates. Pure."""

import hashlib
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from tintype.core.publishing.model import Candidate, Draft, Post, Product
from tintype.instagram import Media, MediaKind, MediaProduct

SKEW = timedelta(minutes=5)  # between Instagram's clock and ours


def fingerprint(draft: Draft) -> str:
    """Return what two posts share that could be taken for each other on Instagram."""
    words = "" if draft.product is Product.STORY else plain(draft.words)
    return hashlib.sha256(f"{draft.product}\0{len(draft.items)}\0{words}".encode()).hexdigest()


def plain(caption: str | None) -> str:
    """Return a caption as it can be compared: Instagram trims it and may compose its letters otherwise."""
    return " ".join(unicodedata.normalize("NFC", caption or "").split())


def candidates(post: Post, media: Iterable[Media], bound: Collection[str]) -> Sequence[Candidate]:
    """Return the media that may be the post, newest first: of its kind and words, in its time, and nobody else's."""
    since = (post.publish_started_at or post.created_at) - SKEW
    return [
        Candidate(one.id, one.permalink, one.caption, one.timestamp, one.kind.value)
        for one in media
        if one.id not in bound and one.timestamp >= since and _is_like(post.draft, one)
    ]


def reaches(post: Post, oldest: datetime) -> bool:
    """Tell whether a list that goes back to `oldest` holds everything that may be the post."""
    return oldest < (post.publish_started_at or post.created_at) - SKEW


def _is_like(draft: Draft, media: Media) -> bool:
    match draft.product:
        case Product.STORY:
            return True  # the list of stories has nothing else, and stories carry no words
        case Product.REEL:
            kind = media.product is MediaProduct.REELS or (media.product is None and media.kind is MediaKind.VIDEO)
        case Product.CAROUSEL:
            kind = media.kind is MediaKind.CAROUSEL_ALBUM and len(media.children) in (0, len(draft.items))
        case Product.IMAGE:
            kind = media.kind is MediaKind.IMAGE
    return kind and plain(media.caption) == plain(draft.words)
