"""A post in the shape of older web apps: `shortcode_media`, of hashed queries, of the first documents and of embeds."""

from tintype.simulator.model import Answer, Comment, Media
from tintype.simulator.web import items
from tintype.simulator.web.look import Look

TYPES = {"IMAGE": "GraphImage", "VIDEO": "GraphVideo", "CAROUSEL_ALBUM": "GraphSidecar"}


def shortcode_media(look: Look, media: Media, prefix: str = "") -> Answer:
    """The post as a node with edges; `prefix` XDT for the documents that followed the hashed queries."""
    comments = look.world.talk(media.id)
    magic = look.magic(media)
    children = [{"node": _node(look, look.world.media[child], prefix)} for child in media.children]
    shown: Answer = {
        **_node(look, media, prefix),
        "owner": items.user_of(look, look.owner(media)),
        "taken_at_timestamp": media.timestamp,
        "product_type": "clips" if media.kind == "REELS" else "feed",
        "title": None,
        "location": None,
        "edge_media_to_caption": {"edges": [{"node": {"text": media.caption}}] if media.caption else []},
        "edge_media_preview_like": {"count": media.like_count, "edges": []},
        "edge_media_to_parent_comment": {
            "count": look.world.comments_count(media),
            "page_info": {"has_next_page": False, "end_cursor": None},
            "edges": [{"node": _comment(comment)} for comment in comments],
        },
        "edge_media_to_tagged_user": {"edges": []},
        "viewer_has_liked": False,
    }
    if children:
        shown["edge_sidecar_to_children"] = {"edges": children}
    if magic:
        _spoil(shown, magic.trouble)
    return shown


def _node(look: Look, media: Media, prefix: str) -> Answer:
    pictures, clips = items.pictures(media), items.clips(media)
    shown: Answer = {
        "__typename": prefix + TYPES[media.media_type],
        "id": str(media.pk),
        "shortcode": media.shortcode,
        "dimensions": {"height": media.height, "width": media.width},
        "display_url": look.file(pictures[0].key),
        "display_resources": [
            {"src": look.file(one.key), "config_width": one.width, "config_height": one.height}
            for one in reversed(pictures)
        ],
        "accessibility_caption": media.alt_text or None,
        "is_video": bool(clips),
    }
    if clips:
        shown |= {
            "video_url": items.clip_address(look, media, clips[0]),
            "video_duration": media.seconds,
            "video_view_count": media.views,
            "video_play_count": media.views,
            "has_audio": True,
        }
    return shown


def _comment(comment: Comment) -> Answer:
    return {
        "id": comment.id,
        "text": comment.text,
        "created_at": comment.timestamp,
        "owner": {"id": comment.author_id, "username": comment.author},
        "edge_liked_by": {"count": comment.like_count},
        "edge_threaded_comments": {"count": 0, "edges": []},
    }


def _spoil(shown: Answer, trouble: str) -> None:
    """The same troubles as those of an item, where this shape has a word for them."""
    match trouble:
        case "type":
            shown |= {"__typename": "GraphHologram", "video_url": None}
        case "noclip":
            shown["video_url"] = None
        case "other":
            shown["shortcode"] = items.ANOTHER_CODE
        case "nouser":
            del shown["owner"]
        case "nopk":
            del shown["id"]
        case "caption":
            shown["edge_media_to_caption"] = {"edges": [{"node": {}}]}
        case _:
            pass
