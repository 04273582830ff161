"""The scrape dialect's wire shapes: the promised keys first, and what we know beyond them."""

from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, Field

from tintype.api.scrape.dialect import RETRY_SECONDS
from tintype.api.scrape.files import MediaLinks
from tintype.core.downloads import Download, Failure, File, Post
from tintype.errors import Kind
from tintype.instagram.links import Link, LinkKind, taken_at

_KINDS = {"IMAGE": "image", "VIDEO": "video", "CAROUSEL_ALBUM": "carousel"}


class ScrapeRequest(BaseModel):
    """Body of POST /scrape."""

    url: str = Field(description="Address of a post, reel or carousel on instagram.com.")


class ResolveRequest(BaseModel):
    """Body of POST /resolve."""

    url: str = Field(description="Any text that may be a link to something on Instagram.")


def moment(at: datetime | None) -> str | None:
    """Return a moment as RFC 3339 with Z."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z") if at else None


def answer(shortcode: str, post: Post, folder: Path, links: MediaLinks) -> dict[str, object]:
    """Return a downloaded post; `video` names a file that exists."""
    return {
        "shortcode": shortcode,
        "video": str(folder / post.main.name),
        "description": post.caption,
        "cdn_url": post.main.cdn_url,
        "kind": _KINDS[post.kind],
        "media": [_file(shortcode, one, folder, links) for one in post.files],
        "owner": post.owner,
        "owner_name": post.owner_name,
        "taken_at": moment(post.taken_at),
        "media_id": post.media_id,
        "source": post.source,
    }


def _file(shortcode: str, file: File, folder: Path, links: MediaLinks) -> dict[str, object]:
    return {
        "path": str(folder / file.name),
        "kind": _KINDS[file.kind],
        "url": links.url(shortcode, file.name),
        "width": file.width,
        "height": file.height,
        "bytes": file.bytes,
        "sha256": file.sha256,
        "content_type": file.content_type,
        "cdn_url": file.cdn_url,
    }


def job(download: Download, folder: Path, links: MediaLinks, now: datetime) -> dict[str, object]:
    """Return how far a download is; with its `result` when it is done, and its `error` when it failed."""
    post, failure = download.post, download.failure
    return {
        "id": download.id,
        "status": download.state.value,
        "shortcode": download.shortcode,
        "asked_at": moment(download.asked_at),
        "ended_at": moment(download.ended_at),
        "result": answer(download.shortcode, post, folder, links) if post else None,
        "error": _error(failure, now) if failure else None,
    }


def _error(failure: Failure, now: datetime) -> dict[str, object]:
    left = (failure.until - now).total_seconds() if failure.until else RETRY_SECONDS
    return {"code": failure.code, "detail": failure.message, "retry_after": max(1, round(left))}


def explained(link: Link, refused: str | None) -> dict[str, object]:
    """Return what a link is, and why POST /scrape would not take it, if so."""
    return {
        "kind": link.kind.value,
        "accepted": refused is None,
        "why_not": refused,
        "url": link.url,
        "shortcode": link.shortcode,
        "media_id": link.media_id,
        "username": link.username,
        # Stories are named by their id alone; for them it tells the time as well.
        "taken_at": moment(taken_at(link.media_id)) if link.media_id else None,
        "needs_a_look": link.kind is LinkKind.SHARE,
    }


def late(download: Download) -> Failure:
    """Return what is said of a download that goes on when the time of its caller is over."""
    message = f"the download of {download.shortcode} takes longer than this answer may; it goes on, ask again"
    return Failure(Kind.UNREACHABLE, "upstream_timeout", message)
