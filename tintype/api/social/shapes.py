"""Posts and what belongs to them as JSON: the promised names first, and ours beside them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tintype.core.publishing import Draft, Failure, Item, ItemKind, Occurrence, Post, Product, Quota, Review


def said(draft: Draft) -> dict[str, Any]:
    """Return a draft with the names under which it came, so that some of them can be said anew."""
    items = [_item_said(item) for item in draft.items]
    words = {
        "caption": draft.caption,
        "hashtags": list(draft.hashtags),
        "text": draft.text,
        "location_id": draft.location_id,
        "collaborators": list(draft.collaborators),
        "cover_url": draft.cover_url,
        "cover_upload": draft.cover_blob,
        "thumb_offset": draft.thumb_offset,
        "share_to_feed": draft.share_to_feed,
        "first_comment": draft.first_comment,
        "fit": draft.fit.value,
        "background": draft.background,
    }
    media = {"children": items} if draft.product is Product.CAROUSEL else (items[0] if items else {})
    return {**media, **words}


def _item_said(item: Item) -> dict[str, Any]:
    address = "video_url" if item.kind is ItemKind.VIDEO else "image_url"
    tags = [{"username": tag.username, "x": tag.x, "y": tag.y} for tag in item.tags]
    found = {address: item.url, "upload": item.blob, "alt_text": item.alt_text, "user_tags": tags}
    return {name: value for name, value in found.items() if value}


def post(one: Post, account_number: int | None) -> dict[str, Any]:
    """Return a post as its owner sees it."""
    shown: dict[str, Any] = {
        "db_id": one.id,
        "account_id": account_number,
        "kind": one.draft.product.value,
        "status": one.state.value,
        "post_id": one.media_id,
        "permalink": one.permalink,
        **said(one.draft),
        "scheduled_at": stamp(one.scheduled_at),
        "timezone": one.timezone,
        "created_at": stamp(one.created_at),
        "updated_at": stamp(one.updated_at),
        "published_at": stamp(one.published_at),
        "reason": one.reason,
        "failure": failure(one.failure) if one.failure else None,
        "first_comment_status": one.comment_state.value,
        "batch": one.batch,
    }
    if one.candidates:
        shown["candidates"] = [
            {
                "media_id": each.media_id,
                "permalink": each.permalink,
                "caption": each.caption,
                "timestamp": stamp(each.timestamp),
                "media_type": each.media_type,
            }
            for each in one.candidates
        ]
    return shown


def failure(one: Failure) -> dict[str, Any]:
    """Return what went wrong, for people and programs."""
    said = {"code": one.code, "subcode": one.subcode, "trace_id": one.trace_id}
    return {
        "kind": one.kind.value,
        "message": one.message,
        "what_to_do": one.action,
        "instagram": {name: value for name, value in said.items() if value is not None},
        "retryable": one.retryable,
        "item": one.position,
    }


def occurrence(one: Occurrence) -> dict[str, Any]:
    """Return one line of a timeline."""
    return {"at": stamp(one.at), "name": one.name, "detail": dict(one.detail)}


def quota(one: Quota) -> dict[str, Any]:
    """Return an account's publishing quota; null where Instagram did not say."""
    return {
        "used": one.used,
        "total": one.total,
        "reserved": one.reserved,
        "remaining": one.remaining,
        "window_seconds": one.window_seconds,
        "read_at": stamp(one.read_at),
    }


def review(one: Review) -> Mapping[str, Any]:
    """Return what a dry run found."""
    problems = [
        {"field": each.field, "code": each.code, "message": each.message, "blocking": each.blocking}
        for each in one.problems
    ]
    return {
        "valid": one.passes,
        "problems": problems,
        "conversions": [list(each) for each in one.conversions],
        "quota": quota(one.quota) if one.quota else None,
    }


def stamp(at: datetime | None) -> str | None:
    """Return a moment as RFC 3339 in UTC, where there is one."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None
