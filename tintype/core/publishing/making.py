"""Has the items of a post made right, the first of a carousel before the others, which take its ratio."""

import asyncio
from collections.abc import Sequence

from tintype.core.publishing.model import Draft, Item, ItemKind, Part, Post, Product
from tintype.core.publishing.preparing import Prepared, Role, Wanted
from tintype.core.publishing.resources import Resources

_ROLES: dict[Product, Role] = {
    Product.IMAGE: "feed",
    Product.CAROUSEL: "carousel",
    Product.REEL: "reel",
    Product.STORY: "story",
}
COVER = -1


async def make(resources: Resources, post: Post) -> tuple[Part, ...]:
    """Return the prepared parts of a post, in order, the cover of a reel last.

    Raises `Invalid`, `Unsupported` or `TooLarge` for what cannot be published, naming the item.
    """
    draft = post.draft
    first = await _made(resources, draft, 0, None)
    ratio = first.width / first.height if _unifies(draft, first) and first.width and first.height else None
    rest = await asyncio.gather(*(_made(resources, draft, place, ratio) for place in range(1, len(draft.items))))
    cover = await _cover(resources, draft)
    return (first, *rest, *cover)


def wanted(draft: Draft, item: Item, ratio: float | None) -> Wanted:
    """Return what is asked of the preparation of one item."""
    return Wanted(
        kind=item.kind.value,
        url=item.url,
        blob=item.blob,
        role=_ROLES[draft.product],
        mode=draft.fit.value,
        background=draft.background,
        ratio=ratio,
        text=draft.text if draft.product is Product.STORY else None,
    )


def cover_of(draft: Draft) -> Wanted | None:
    """Return what is asked of the preparation of a reel's cover."""
    if draft.product is not Product.REEL or not (draft.cover_url or draft.cover_blob):
        return None
    return Wanted(kind="picture", url=draft.cover_url, blob=draft.cover_blob, role="cover")


def _unifies(draft: Draft, first: Part) -> bool:
    return draft.product is Product.CAROUSEL and draft.items[first.position].kind is ItemKind.PICTURE


async def _made(resources: Resources, draft: Draft, place: int, ratio: float | None) -> Part:
    return _part(place, await resources.preparing.prepare(wanted(draft, draft.items[place], ratio)))


async def _cover(resources: Resources, draft: Draft) -> Sequence[Part]:
    asked = cover_of(draft)
    return [_part(COVER, await resources.preparing.prepare(asked))] if asked else []


def _part(place: int, made: Prepared) -> Part:
    return Part(place, made.url, made.blob, made.width, made.height, made.seconds, (*made.changes, *made.warnings))
