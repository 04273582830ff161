"""What the Graph API shows of a post, a story or a carousel child."""

from collections.abc import Mapping, Sequence

from tintype.simulator import people
from tintype.simulator.clock import stamp
from tintype.simulator.errors import GraphError
from tintype.simulator.grammar import Field, parse
from tintype.simulator.model import Answer, Media
from tintype.simulator.visit import Maker, Visit, cursor, moment

NEWEST = 10_000  # posts that /media ever lists
CHILD_DEFAULT = parse("id")


def media_edge(visit: Visit, username: str, owner_id: str, field: Field) -> Answer:
    """`/media` of an account: newest first, `since` and `until` applied."""
    now = visit.world.now()
    since, until = moment(field.args.get("since"), now), moment(field.args.get("until"), now)
    posts = [
        post
        for post in visit.world.posts(username)[:NEWEST]
        if (since is None or post.timestamp >= since) and (until is None or post.timestamp <= until)
    ]
    return visit.edge(owner_id, posts, field, paging="cursors" if visit.lens == "public" else "both")


def stories_edge(visit: Visit, username: str, owner_id: str, field: Field) -> Answer:
    """`/stories` of an account: the last 24 hours."""
    return visit.edge(owner_id, visit.world.stories(username), field)


def tagging(visit: Visit, username: str) -> list[Media]:
    """Posts by others whose caption mentions this account, newest first."""
    everyone = (post for name in visit.world.people if name != username for post in visit.world.posts(name))
    found = [post for post in everyone if f"@{username}" in post.caption]
    return sorted(found, key=lambda post: (post.timestamp, post.sequence), reverse=True)


def mentioned(visit: Visit, username: str, media_id: str) -> Media:
    """The post with this id, if its caption mentions the account; GraphError 100/33 otherwise."""
    media = visit.world.media.get(media_id)
    if media is None or f"@{username}" not in media.caption:
        raise GraphError(100, f"(#100) Media with id {media_id} does not mention the queried user")
    return media


def _media_url(visit: Visit, media: Media, _field: Field) -> object:
    if media.no_media_url:
        return None
    return visit.file(people.renditions_of(media)[0].key)


def _thumbnail_url(visit: Visit, media: Media, _field: Field) -> object:
    return visit.file(people.renditions_of(media)[1].key) if media.media_type == "VIDEO" else None


def permalink(visit: Visit, media: Media, _field: Field) -> object:
    """The address people see; stories have a form of their own, without `www.`."""
    if media.kind == "STORY":
        return f"https://instagram.com/stories/{media.owner}/{media.pk}"
    kind = "reel" if media.kind == "REELS" else "p"
    return f"https://www.instagram.com/{kind}/{media.shortcode}/"


def _product_type(_visit: Visit, media: Media, _field: Field) -> object:
    return {"STORY": "STORY", "REELS": "REELS"}.get(media.kind, "FEED")


def _owner(visit: Visit, media: Media, field: Field) -> object:
    if not visit.may_speak_for(media.owner):
        return None
    person = visit.world.people[media.owner]
    return visit.show(person, field.fields) if field.fields else {"id": person.user_id}


def _children(visit: Visit, media: Media, field: Field) -> object:
    if media.kind != "CAROUSEL_ALBUM":
        return None
    children = [visit.world.media[child] for child in media.children]
    return {"data": [visit.show(child, field.fields or CHILD_DEFAULT) for child in children]}


def _comments(visit: Visit, media: Media, field: Field) -> object:
    visit.require("comments")
    return comments_edge(visit, media, field)


def comments_edge(visit: Visit, media: Media, field: Field) -> Answer:
    """`/comments` of a post: top level, newest first, at most 50 a page; Facebook's pages have only `after` cursors."""
    if visit.lens == "instagram" and visit.world.settings.development_mode:
        nowhere = {side: cursor(f"{media.id}/comments", media.id, 0) for side in ("before", "after")}
        return {"data": [], "paging": {"cursors": nowhere}}
    paging = "both" if visit.lens == "instagram" else "after"
    return visit.edge(media.id, visit.world.talk(media.id), field, default=COMMENT_DEFAULT, paging=paging, most=50)


COMMENT_DEFAULT: Sequence[Field] = parse("timestamp,text,id")


def _collaborators(visit: Visit, media: Media, field: Field) -> object:
    known = (visit.world.people.get(name) for name in media.collaborators)
    return {
        "data": [
            {"id": person.user_id, "username": person.username, "invite_status": "Pending"}
            for person in known
            if person
        ]
    }


def _top(value: Maker) -> Maker:
    return lambda visit, media, field: None if media.parent_id else value(visit, media, field)


COMMON: Mapping[str, Maker] = {
    "id": lambda _v, media, _f: media.id,
    "caption": _top(lambda _v, media, _f: media.caption or None),
    "media_type": lambda _v, media, _f: media.media_type,
    "media_product_type": _top(_product_type),
    "media_url": _media_url,
    "thumbnail_url": _thumbnail_url,
    "permalink": permalink,
    "timestamp": lambda _v, media, _f: stamp(media.timestamp),
    "username": lambda _v, media, _f: media.owner,
    "like_count": _top(lambda _v, media, _f: media.like_count),
    "comments_count": _top(lambda visit, media, _f: visit.world.comments_count(media)),
    "children": _children,
}

INSTAGRAM: Mapping[str, Maker] = {
    **COMMON,
    "shortcode": lambda _v, media, _f: media.shortcode,
    "owner": _owner,
    "is_comment_enabled": _top(lambda _v, media, _f: media.comment_enabled),
    "is_shared_to_feed": lambda _v, media, _f: media.shared_to_feed if media.kind == "REELS" else None,
    "alt_text": lambda _v, media, _f: media.alt_text or None,
    "is_ai_generated": _top(lambda _v, media, _f: media.is_ai_generated),
    "comments": _comments,
}


def _count(per_mille: int) -> Maker:
    def shown(_visit: Visit, media: Media, _field: Field) -> object:
        return media.like_count * per_mille // 1000 if media.kind != "STORY" and media.parent_id is None else None

    return shown


FACEBOOK: Mapping[str, Maker] = {
    **INSTAGRAM,
    "ig_id": lambda _v, media, _f: str(media.pk),
    "media_audio_type": lambda _v, media, _f: (
        ("MUSIC" if media.music else "ORIGINAL_SOUND") if media.media_type == "VIDEO" else None
    ),
    "reposts_count": _count(9),
    "saved_count": _count(55),
    "shares_count": _count(31),
    "total_like_count": _count(1040),
    "total_comments_count": _top(lambda visit, media, _f: visit.world.comments_count(media)),
    "total_views_count": lambda _v, media, _f: media.views + 12 if media.media_type == "VIDEO" else None,
    "boost_eligibility_info": _top(lambda _v, media, _f: {"eligible_to_boost": media.kind != "STORY"}),
    "boost_ads_list": lambda _v, _m, _f: None,
    "legacy_instagram_media_id": lambda _v, media, _f: str(media.pk),
    "copyright_check_information": lambda _v, media, _f: (
        {"status": {"status": "completed", "matches_found": media.music}} if media.media_type == "VIDEO" else None
    ),
    "collaborators": _collaborators,
}

PUBLIC: Mapping[str, Maker] = {
    **COMMON,
    "shortcode": lambda _v, media, _f: media.shortcode,
    "view_count": lambda _v, media, _f: media.views if media.kind == "REELS" else None,
}
