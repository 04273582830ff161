"""Instagram's GraphQL: queries named by the numbers that web apps and downloaders send, and the shapes they answer with."""

import json
from collections.abc import Callable, Mapping
from typing import cast

from tintype.simulator.model import Answer, Comment, Media
from tintype.simulator.web import items, legacy
from tintype.simulator.web.look import Look

WEB_INFO = "xdt_api__v1__media__shortcode__web_info"
POLARIS = "xig_polaris_media"


def web_info(look: Look, media: Media | None) -> Answer:
    """Today's answer to a shortcode; a post that may not be seen has no items."""
    return {WEB_INFO: {"items": [items.item(look, media, graphql=True)] if media else []}}


def polaris(look: Look, media: Media | None, *, graphql: bool = True) -> Answer:
    """Today's answer for visitors without a session: by number in GraphQL, and inside a post's page."""
    if media is None:
        return {POLARIS: None}
    edges = [{"node": _comment(comment)} for comment in look.world.talk(media.id)]
    shown = items.item(look, media, graphql=graphql)
    return {POLARIS: {"if_not_gated_logged_out": shown, "comments_connection": {"edges": edges}}}


def _comment(comment: Comment) -> Answer:
    return {
        "pk": comment.id,
        "text": comment.text,
        "created_at": comment.timestamp,
        "comment_like_count": comment.like_count,
        "user": {"pk": comment.author_id, "username": comment.author},
    }


def older(look: Look, media: Media | None) -> Answer:
    """The answer of 2024 to 2026."""
    return {"xdt_shortcode_media": legacy.shortcode_media(look, media, "XDT") if media else None}


def oldest(look: Look, media: Media | None) -> Answer:
    """The answer of hashed queries."""
    return {"shortcode_media": legacy.shortcode_media(look, media) if media else None}


def viewer(look: Look, _media: Media | None) -> Answer:
    """Who is signed in."""
    return {"user": items.user_of(look, look.viewer) if look.viewer else None}


Shape = Callable[[Look, Media | None], Answer]
DOCUMENTS: Mapping[str, Shape] = {
    "27128499623469141": web_info,  # instaloader since 4.15.3
    "27830990013244856": web_info,  # PolarisPostRootQuery, instagrapi
    "27130156389949648": polaris,  # yt-dlp
    "8845758582119845": older,  # instaloader 4.13.2 to 4.15.2, cobalt
}
HASHES: Mapping[str, Shape] = {
    "2b0673e0dc4580674a88d426fe00ea90": oldest,  # instaloader until 4.13
    "477b65a610463740ccdb83135b2014db": oldest,  # instagrapi
    "d6f4427fbe92d846298cf93df0b937d3": viewer,  # whether a session works
}


def shape_of(params: Mapping[str, str]) -> Shape | None:
    """What a query asks for; None for a number that was withdrawn or never was."""
    return DOCUMENTS.get(params.get("doc_id", "")) or HASHES.get(params.get("query_hash", ""))


def asked(look: Look) -> Media | None:
    """The post that a query's variables name, by shortcode or by number."""
    try:
        given = cast(object, json.loads(look.arrival.params.get("variables") or "{}"))
    except ValueError:
        return None
    named = cast(dict[str, object], given) if isinstance(given, dict) else {}
    if shortcode := named.get("shortcode"):
        return look.find(str(shortcode))
    return look.find_pk(str(named.get("media_id", "")))
