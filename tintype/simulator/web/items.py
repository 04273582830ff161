"""A post in the shape that Instagram's web app reads today: the items of `web_info`, of the page and of the mobile API."""

from tintype.simulator import people
from tintype.simulator.deliveries import AWAY
from tintype.simulator.model import Answer, Media, Person, Rendition
from tintype.simulator.web.look import Look

MEDIA_TYPES = {"IMAGE": 1, "VIDEO": 2, "CAROUSEL_ALBUM": 8}
UNKNOWN_TYPE = 99
ANOTHER_CODE = "C0ffeeC0ffe"
VERSION_TYPES = (101, 102, 103)  # of video_versions, largest first


def item(look: Look, media: Media, *, graphql: bool = False) -> Answer:
    """The post as one of `items`; some magic posts are spoilt in GraphQL's answers only."""
    owner, video = look.owner(media), media.media_type == "VIDEO"
    user = user_of(look, owner)
    shown: Answer = {
        "code": media.shortcode,
        "pk": str(media.pk),
        "id": f"{media.pk}_{owner.pk}",
        "media_type": MEDIA_TYPES[media.media_type],
        "product_type": _product(media),
        "taken_at": media.timestamp,
        "user": user,
        "owner": user,
        "caption": _caption(media),
        **_files(look, media),
        "carousel_media_count": len(media.children) or None,
        "carousel_media": [_child(look, media, look.world.media[child]) for child in media.children] or None,
        "like_count": media.like_count,
        "comment_count": look.world.comments_count(media),
        "view_count": media.views if video else None,
        "play_count": media.views if video else None,
        "like_and_view_counts_disabled": False,
        "commenting_disabled_for_viewer": not media.comment_enabled,
        "has_liked": False,
        "title": None,
        "location": None,
        "usertags": None,
        "coauthor_producers": [],
        "is_paid_partnership": False,
    }
    magic = look.magic(media)
    if magic and (magic.everywhere or graphql):
        _spoil(shown, magic.trouble)
    return shown


def user_of(look: Look, person: Person) -> Answer:
    """A person as pages and items name them."""
    return {
        "pk": str(person.pk),
        "id": str(person.pk),
        "username": person.username,
        "full_name": person.name,
        "profile_pic_url": look.file(people.profile_key(person)),
        "is_private": person.private,
        "is_verified": False,
    }


def pictures(media: Media) -> list[Rendition]:
    """The picture or poster of a post in every size, largest first."""
    return [one for one in people.renditions_of(media) + people.smaller_of(media) if one.kind == "image"]


def clips(media: Media) -> list[Rendition]:
    """The video of a post in every size, largest first."""
    return [one for one in people.renditions_of(media) + people.smaller_of(media) if one.kind == "video"]


def clip_address(look: Look, media: Media, clip: Rendition) -> str:
    """Where a clip is fetched; for magic posts an address that is too old or on a foreign host."""
    magic = look.magic(media)
    trouble = magic.trouble if magic and magic.place == "media" else ""
    if trouble == "nonmeta":
        return AWAY
    first = look.world.magic_memory.lookups[media.shortcode] <= 1
    return look.file(clip.key, expired=trouble == "expired" and first)


def _product(media: Media) -> str:
    if media.media_type == "CAROUSEL_ALBUM":
        return "carousel_container"
    return "clips" if media.kind == "REELS" else "feed"


def _caption(media: Media) -> Answer | None:
    if not media.caption:
        return None
    return {"pk": str(media.pk + 1), "text": media.caption, "created_at": media.timestamp}


def _files(look: Look, media: Media) -> Answer:
    """Pictures, clips and sizes, the same for a post and for a child."""
    video = media.media_type == "VIDEO"
    versions = [
        {"type": kind, "width": clip.width, "height": clip.height, "url": clip_address(look, media, clip)}
        for kind, clip in zip(VERSION_TYPES, clips(media), strict=False)
    ]
    candidates = [{"url": look.file(one.key), "width": one.width, "height": one.height} for one in pictures(media)]
    return {
        "accessibility_caption": media.alt_text or None,
        "original_width": media.width,
        "original_height": media.height,
        "image_versions2": {"candidates": candidates},
        "video_versions": versions or None,
        "video_dash_manifest": None,
        "video_duration": media.seconds if video else None,
        "has_audio": True if video else None,
    }


def _child(look: Look, album: Media, child: Media) -> Answer:
    return {
        "code": child.shortcode,
        "pk": str(child.pk),
        "id": f"{child.pk}_{look.owner(album).pk}",
        "media_type": MEDIA_TYPES[child.media_type],
        "product_type": "carousel_item",
        "carousel_parent_id": f"{album.pk}_{look.owner(album).pk}",
        **_files(look, child),
        "usertags": None,
    }


def _spoil(shown: Answer, trouble: str) -> None:
    """Take away or change what a magic post lacks."""
    match trouble:
        case "type":
            shown |= {"media_type": UNKNOWN_TYPE, "video_versions": None}  # a kind that has no clip to guess from
        case "noclip":
            shown["video_versions"] = None
        case "other":
            shown["code"] = ANOTHER_CODE
        case "nouser":
            del shown["user"], shown["owner"]
        case "nopk":
            del shown["pk"], shown["id"]
        case "caption":
            shown["caption"] = {"pk": "1", "created_at": shown["taken_at"]}
        case _:
            pass
