"""What apps ask besides GraphQL: a post by number, why one may not be seen, oEmbed, and what a page's route is."""

import json
from html import escape
from urllib.parse import urlsplit

from starlette.responses import JSONResponse, Response

from tintype.simulator import errors
from tintype.simulator.model import Answer, Media
from tintype.simulator.web import items, pages, refusals
from tintype.simulator.web.look import Look

PAGES = ("p", "reel", "reels", "tv")
RULINGS = {
    "age": ("Restricted Video", "You must be 18 years old or over to see this video."),
    "geo": ("Not available in your country", "This content isn't available in your country or region."),
    "private": ("This account is private", "Follow this account to see its photos and videos."),
}
EMBED_WIDTH = 658


def code_in(path: str) -> str:
    """The shortcode in the path of a post's page, with or without its owner in front; empty when there is none."""
    parts = [part for part in path.split("/") if part]
    for place in (0, 1):
        if len(parts) > place + 1 and parts[place] in PAGES:
            return parts[place + 1]
    return ""


def linked(look: Look) -> Media | None:
    """The post that the `url` parameter leads to."""
    return look.find(code_in(urlsplit(look.arrival.params.get("url", "")).path))


def targeted(look: Look) -> Media | None:
    """The post that a ruling is asked about."""
    params = look.arrival.params
    return look.find_pk(params.get("target_id") or params.get("media_id") or "")


def routed(look: Look) -> Media | None:
    """The post whose route is asked for."""
    return look.find(code_in(look.arrival.params.get("route_urls[0]", "")))


def info(look: Look, media: Media | None) -> Response:
    """`media/<pk>/info/`: for people who are signed in."""
    if look.viewer is None:
        return refusals.not_signed_in(look)
    standing = look.standing(media)
    if media is None or standing == "gone":
        return refusals.fail(404, refusals.GONE)
    if standing == "private":
        return refusals.fail(403, "Not authorized to view user")
    shown = [items.item(look, media)] if standing == "seen" else []
    return JSONResponse({"items": shown, "num_results": len(shown), "more_available": False, "status": "ok"})


def ruling(look: Look, media: Media | None) -> Response:
    """Whether a visitor may see a post, and with which words not."""
    standing = look.standing(media)
    if standing == "gone":
        return refusals.fail(404, refusals.GONE)
    title, description = RULINGS.get(standing, ("", ""))
    words = {"title": title, "description": description} if title else {}
    return JSONResponse({**words, "status": "ok"})


def oembed(look: Look, media: Media | None) -> Response:
    """The app's own oEmbed, with the post's number."""
    if media is None or look.standing(media) not in ("seen", "age"):
        return refusals.fail(404, refusals.GONE)
    owner = look.owner(media)
    poster = items.pictures(media)[0]
    about: Answer = {
        "title": media.caption,
        "author_name": owner.username,
        "author_url": f"{look.site}/{owner.username}",
        "author_id": owner.pk,
        "media_id": f"{media.pk}_{owner.pk}",
        "thumbnail_url": look.file(poster.key),
        "thumbnail_width": poster.width,
        "thumbnail_height": poster.height,
    }
    return JSONResponse(_rich(look, media) | about)


def official_oembed(look: Look) -> Response:
    """`instagram_oembed` of graph.facebook.com: the embed's HTML alone, without a token since June 2026."""
    media = linked(look)
    if media is None or look.standing(media) != "seen":
        return errors.answer(errors.GraphError(24, "(#24) The requested resource does not exist", 2207018))
    return JSONResponse(_rich(look, media))


def routes(look: Look, media: Media | None) -> Response:
    """`/ajax/bulk-route-definitions/`: JSON behind a guard against being run as a script."""
    asked = look.arrival.params.get("route_urls[0]", "")
    found: Answer = {"error": True, "result": None}
    if media is not None and look.standing(media) != "gone":
        found = {"error": False, "result": {"exports": pages.route_of(look, media)}}
    body = json.dumps({"payload": {"payloads": {asked: found}}}, separators=(",", ":"))
    return Response(f"for (;;);{body}", media_type="application/x-javascript")


def _rich(look: Look, media: Media) -> Answer:
    link = look.permalink(media)
    html = (
        f'<blockquote class="instagram-media" data-instgrm-captioned data-instgrm-permalink="{escape(link)}" '
        f'data-instgrm-version="14"><a href="{escape(link)}">A post shared by {escape(look.owner(media).name)}</a>'
        f'</blockquote>\n<script async src="{look.site}/embed.js"></script>'
    )
    return {
        "version": "1.0",
        "provider_name": "Instagram",
        "provider_url": f"{look.site}/",
        "type": "rich",
        "width": EMBED_WIDTH,
        "height": None,
        "html": html,
    }
