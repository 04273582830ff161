"""What containers are asked for with: the parameters of graph-api.md 4.2, made of a draft and its prepared parts. Pure."""

import json
from collections.abc import Mapping, Sequence

from tintype.core.publishing.model import Draft, Item, ItemKind, Part, Product, Tag

Params = Mapping[str, str]


def single(draft: Draft, part: Part, cover: Part | None, *, resumable: bool) -> Params:
    """Return what makes the one container of a picture, a reel or a story."""
    item = draft.items[part.position]
    match draft.product:
        case Product.REEL:
            return {
                "media_type": "REELS",
                **_video(part, resumable=resumable),
                **_words(draft),
                **_reel(draft, cover),
                **_tags(item),
            }
        case Product.STORY:
            return {"media_type": "STORIES", **_medium(item, part, resumable=resumable), **_tags(item)}
        case _:
            return {**_medium(item, part, resumable=False), **_words(draft), **_alt(item), **_tags(item)}


def child(draft: Draft, part: Part, *, resumable: bool) -> Params:
    """Return what makes the container of one item of a carousel."""
    item = draft.items[part.position]
    kind = {"media_type": "VIDEO"} if item.kind is ItemKind.VIDEO else {}
    medium = _medium(item, part, resumable=resumable)
    return {"is_carousel_item": "true", **kind, **medium, **_alt(item), **_tags(item)}


def album(draft: Draft, children: Sequence[str]) -> Params:
    """Return what makes a carousel of its finished children."""
    return {"media_type": "CAROUSEL", "children": ",".join(children), **_words(draft)}


def _medium(item: Item, part: Part, *, resumable: bool) -> Params:
    if item.kind is ItemKind.VIDEO:
        return _video(part, resumable=resumable)
    return {"image_url": part.url or ""}


def _video(part: Part, *, resumable: bool) -> Params:
    return {"upload_type": "resumable"} if resumable else {"video_url": part.url or ""}


def _words(draft: Draft) -> Params:
    found: dict[str, str] = {}
    if draft.words:
        found["caption"] = draft.words
    if draft.location_id:
        found["location_id"] = draft.location_id
    if draft.collaborators:
        found["collaborators"] = json.dumps([name.lstrip("@") for name in draft.collaborators])
    return found


def _reel(draft: Draft, cover: Part | None) -> Params:
    found: dict[str, str] = {}
    if cover is not None and cover.url:
        found["cover_url"] = cover.url
    elif draft.thumb_offset is not None:
        found["thumb_offset"] = str(draft.thumb_offset)
    if draft.share_to_feed is not None:
        found["share_to_feed"] = "true" if draft.share_to_feed else "false"
    return found


def _alt(item: Item) -> Params:
    return {"alt_text": item.alt_text} if item.alt_text and item.kind is ItemKind.PICTURE else {}


def _tags(item: Item) -> Params:
    return {"user_tags": json.dumps([_tag(tag) for tag in item.tags])} if item.tags else {}


def _tag(tag: Tag) -> Mapping[str, object]:
    place = {"x": tag.x, "y": tag.y} if tag.x is not None and tag.y is not None else {}
    return {"username": tag.username.lstrip("@"), **place}
