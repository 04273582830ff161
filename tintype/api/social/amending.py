"""A post said anew in part: what a PATCH names replaces what was said before, and nothing else moves."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from tintype.api.social.publication import Publication
from tintype.core.publishing import Draft, Item, Moment, Post, Product, moved
from tintype.errors import Invalid

_MEDIA = frozenset({"image_url", "video_url", "upload", "children"})
_COVER = frozenset({"cover_url", "thumbnail_url", "cover_upload"})
_PLAIN = (
    "caption",
    "hashtags",
    "text",
    "location_id",
    "collaborators",
    "thumb_offset",
    "share_to_feed",
    "first_comment",
    "fit",
    "background",
)


def amended(draft: Draft, body: Publication) -> Draft:
    """Return a draft with what the body names.

    Raises `Invalid` when what it names leaves nothing to publish.
    """
    sent = body.model_fields_set
    fresh = body.draft_for(_product(draft, body))
    changes: dict[str, Any] = {name: getattr(fresh, name) for name in _PLAIN if name in sent}
    if sent & _COVER:
        changes |= {"cover_url": fresh.cover_url, "cover_blob": fresh.cover_blob}
    if sent & _MEDIA:
        if not all(item.url or item.blob for item in fresh.items):
            raise Invalid(f"this leaves the {draft.product.value} without a medium of its kind")
        changes |= {"product": fresh.product, "items": _kept(draft.items, fresh.items, body)}
    elif sent & {"alt_text", "user_tags"} and len(draft.items) == 1:
        changes["items"] = (replace(draft.items[0], **_described(fresh.items[0], body)),)
    return replace(draft, **changes)


def moment_for(post: Post, body: Publication, now: datetime) -> Moment | None:
    """Return when a changed post is due: as the body says, else as before; null in the body means at once.

    A time alone is meant in the post's zone, and a zone alone moves the post to the same time of its own clocks. Raises
    `Invalid` for a time that cannot be.
    """
    sent = body.model_fields_set
    if "scheduled_at" in sent:
        return (
            body.moment(now) if "timezone" in sent else body.model_copy(update={"timezone": post.timezone}).moment(now)
        )
    if post.scheduled_at is None:
        return body.moment(now)
    before = Moment(post.scheduled_at, post.timezone)
    if "timezone" not in sent or body.timezone == post.timezone:
        return before
    return moved(before, body.timezone, now) if body.timezone is not None else replace(before, timezone=None)


def _product(draft: Draft, body: Publication) -> Product:
    # A picture becomes a carousel when children are named, and a carousel a picture when one is.
    return Product.IMAGE if draft.product in (Product.IMAGE, Product.CAROUSEL) else draft.product


def _kept(before: tuple[Item, ...], fresh: tuple[Item, ...], body: Publication) -> tuple[Item, ...]:
    """Return new items; another file for the one item keeps what was said of that."""
    if len(before) != 1 or len(fresh) != 1 or body.children:
        return fresh
    described: dict[str, Any] = {"alt_text": before[0].alt_text, "tags": before[0].tags} | dict(
        _described(fresh[0], body)
    )
    return (replace(fresh[0], **described),)


def _described(fresh: Item, body: Publication) -> Mapping[str, Any]:
    names = {"alt_text": "alt_text", "user_tags": "tags"}
    return {field: getattr(fresh, field) for name, field in names.items() if name in body.model_fields_set}
