"""Has the items of a post made right, the first of a carousel before the others, which take its ratio."""

import asyncio
from collections.abc import Sequence

from tintype.core.publishing.checks import beyond_end, name_of
from tintype.core.publishing.model import Draft, Item, ItemKind, Part, Post, Product
from tintype.core.publishing.preparing import Prepared, Role, Wanted, warnings_in
from tintype.core.publishing.resources import Resources
from tintype.errors import Invalid, Trouble

_ROLES: dict[Product, Role] = {
    Product.IMAGE: "feed",
    Product.CAROUSEL: "carousel",
    Product.REEL: "reel",
    Product.STORY: "story",
}
COVER = -1


class UnmadeError(Exception):
    """One item of a post could not be made right: `part` says which, and `trouble` why."""

    def __init__(self, part: Part, trouble: Trouble) -> None:
        super().__init__(trouble.message)
        self.part = part
        self.trouble = trouble


async def make(resources: Resources, post: Post) -> tuple[Part, ...]:
    """Return the prepared parts of a post, in order, the cover of a reel last.

    Raises `UnmadeError` for the first item that cannot be published, or not now.
    """
    draft = post.draft
    first = await _made(resources, draft, 0, None)
    if wrong := beyond_end(draft, first.seconds):
        raise UnmadeError(first, Invalid(wrong.message))
    ratio = first.width / first.height if _unifies(draft, first) and first.width and first.height else None
    rest = await _all_made(resources, draft, ratio)
    cover = await _cover(resources, draft)
    return (first, *rest, *cover)


def warned(post: Post) -> Sequence[str]:
    """Return in sentences what somebody should know of how a post's items were made, each once."""
    return list(dict.fromkeys(warning for part in post.parts for warning in warnings_in(part.notes)))


def asked(draft: Draft) -> Sequence[tuple[str, Wanted]]:
    """Return what is asked of the preparation of every item and of the cover, under the names by which they were sent."""
    found = [(name_of(draft, place), wanted(draft, item, None)) for place, item in enumerate(draft.items)]
    cover = cover_of(draft)
    named = [(name, one) for name, one in found if one.url or one.blob]
    return [*named, ("cover_upload" if cover.blob else "cover_url", cover)] if cover else named


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


async def _all_made(resources: Resources, draft: Draft, ratio: float | None) -> Sequence[Part]:
    """Have the items behind the first one made, all to their end: the first trouble in their order is told."""
    places = range(1, len(draft.items))
    found = await asyncio.gather(*(_made(resources, draft, place, ratio) for place in places), return_exceptions=True)
    made: list[Part] = []
    for one in found:
        if isinstance(one, BaseException):
            raise one
        made.append(one)
    return made


async def _made(resources: Resources, draft: Draft, place: int, ratio: float | None) -> Part:
    return await _prepared(resources, place, wanted(draft, draft.items[place], ratio))


async def _cover(resources: Resources, draft: Draft) -> Sequence[Part]:
    cover = cover_of(draft)
    return [await _prepared(resources, COVER, cover)] if cover else []


async def _prepared(resources: Resources, place: int, what: Wanted) -> Part:
    try:
        return _part(place, await resources.preparing.prepare(what))
    except Trouble as trouble:
        raise UnmadeError(Part(place), trouble) from trouble


def _part(place: int, made: Prepared) -> Part:
    return Part(place, made.url, made.blob, made.width, made.height, made.seconds, (*made.changes, *made.warnings))
