"""What stands against a draft before anything is done: the rules of graph-api.md 4.2 and limits.toml. Pure."""

import re
from collections.abc import Iterator, Sequence

from tintype.core.publishing.findings import of_address
from tintype.core.publishing.model import Draft, Item, ItemKind, Problem, Product
from tintype.instagram import LIMITS

STORY_TEXT = 100  # promised by seed 3's siblings
URL_LENGTH = 2000
COMMENT_HASHTAGS = 4
_USERNAME = re.compile(rf"@?[A-Za-z0-9_.]{{1,{LIMITS.username_characters.whole}}}")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{6}")
_HASHTAG = re.compile(r"(?<![\w&/])#\w+")
_MENTION = re.compile(r"(?<![\w.])@[\w.]+")


def problems(draft: Draft) -> Sequence[Problem]:
    """Return everything that stands against a draft, and what its sender should know besides."""
    found = [*_items(draft), *_words(draft), *_people(draft), *_extras(draft)]
    for place, item in enumerate(draft.items):
        found.extend(_item(draft, item, _at(draft, place)))
    return found


def beyond_end(draft: Draft, seconds: float | None) -> Problem | None:
    """Return what stands against the moment that a reel's cover is taken from, once the video's length is known."""
    offset = draft.thumb_offset
    if draft.product is not Product.REEL or offset is None or seconds is None or offset < seconds * 1000:
        return None
    message = f"thumb_offset is {offset}, and the video ends after {round(seconds * 1000)} milliseconds"
    return Problem("thumb_offset", "beyond_end", message)


def name_of(draft: Draft, place: int) -> str:
    """Return the name by which a draft's item was sent."""
    item = draft.items[place]
    return _at(draft, place) + (
        "upload" if item.blob else "image_url" if item.kind is ItemKind.PICTURE else "video_url"
    )


def _at(draft: Draft, place: int) -> str:
    return f"children.{place}." if draft.product is Product.CAROUSEL else ""


def _items(draft: Draft) -> Iterator[Problem]:
    least, most = LIMITS.carousel_items_min.whole, LIMITS.carousel_items_max.whole
    if draft.product is Product.CAROUSEL and not least <= len(draft.items) <= most:
        yield Problem("children", "carousel_size", f"a carousel needs {least} to {most} pictures or videos")
    if draft.product is not Product.CAROUSEL and len(draft.items) != 1:
        yield Problem("image_url", "one_item", "exactly one picture or video is needed; several make a carousel")
    if draft.product is Product.REEL and any(item.kind is not ItemKind.VIDEO for item in draft.items):
        yield Problem("video_url", "reel_video", "a reel is made of a video")
    if draft.product is Product.IMAGE and any(item.kind is not ItemKind.PICTURE for item in draft.items):
        yield Problem("image_url", "single_video", "a single video is published as a reel")


def _words(draft: Draft) -> Iterator[Problem]:
    words, most = draft.words, LIMITS.caption_characters.whole
    if len(words) > most:
        yield Problem("caption", "caption_too_long", f"caption with hashtags has {len(words)} of {most} characters")
    elif len(words.encode("utf-16-le")) // 2 > most:
        message = "caption may be too long for Instagram, which may count an emoji as two characters"
        yield Problem("caption", "caption_may_be_too_long", message, blocking=False)
    yield from _hashtags(draft)
    tags = len(_HASHTAG.findall(words))
    if tags > LIMITS.caption_hashtags.whole:
        yield Problem("hashtags", "too_many_hashtags", f"{tags} hashtags of {LIMITS.caption_hashtags.whole} allowed")
    mentions = len(_MENTION.findall(words))
    if mentions > LIMITS.caption_mentions.whole:
        message = f"{mentions} mentions of {LIMITS.caption_mentions.whole} allowed"
        yield Problem("caption", "too_many_mentions", message)
    if draft.product is Product.STORY and words:
        message = "Instagram shows no captions on stories; use text, which is drawn onto the picture"
        yield Problem("caption", "caption_on_story", message, blocking=False)
    if draft.text is not None and len(draft.text) > STORY_TEXT:
        yield Problem("text", "text_too_long", f"text has {len(draft.text)} of {STORY_TEXT} characters")
    if draft.text and draft.product is not Product.STORY:
        message = "text is drawn onto stories only; it is left out"
        yield Problem("text", "text_unused", message, blocking=False)
    elif draft.text and draft.items and draft.items[0].kind is ItemKind.VIDEO:
        yield Problem("text", "text_on_video", "text can be drawn onto pictures only")


def _hashtags(draft: Draft) -> Iterator[Problem]:
    for tag in draft.hashtags:
        word = tag.strip().lstrip("#")
        if not word and tag.strip():
            yield Problem("hashtags", "bad_hashtag", f"hashtags: {tag[:40]!r} has no word")
        elif any(letter.isspace() for letter in word):
            message = f"hashtags: {tag[:40]!r} has white space in it, which would end the hashtag there"
            yield Problem("hashtags", "bad_hashtag", message)


def _people(draft: Draft) -> Iterator[Problem]:
    most = LIMITS.collaborators.whole
    if draft.collaborators and draft.product is Product.STORY:
        yield Problem("collaborators", "collaborators_on_story", "stories have no collaborators")
    if len(draft.collaborators) > most:
        yield Problem("collaborators", "too_many_collaborators", f"at most {most} collaborators can be invited")
    for name in draft.collaborators:
        if not _USERNAME.fullmatch(name):
            yield Problem("collaborators", "bad_username", f"{name[:40]!r} is not a username")


def _extras(draft: Draft) -> Iterator[Problem]:
    if draft.location_id is not None and not (draft.location_id.isascii() and draft.location_id.isdigit()):
        yield Problem("location_id", "bad_location", "location_id is the number of a Facebook Page with a place")
    if draft.location_id is not None and draft.product is Product.STORY:
        yield Problem("location_id", "location_on_story", "stories take no location")
    if draft.thumb_offset is not None and draft.thumb_offset < 0:
        yield Problem("thumb_offset", "bad_offset", "thumb_offset is a moment of the video, in milliseconds")
    for name, value in (("thumb_offset", draft.thumb_offset), ("share_to_feed", draft.share_to_feed)):
        if value is not None and draft.product is not Product.REEL:
            yield Problem(name, "reels_only", f"{name} is for reels")
    if (draft.cover_url or draft.cover_blob) and draft.product is not Product.REEL:
        yield Problem("cover_url", "reels_only", "cover_url is for reels")
    if draft.cover_url:
        yield from _address(draft.cover_url, "cover_url")
    if draft.background not in ("white", "blur", "dominant") and not _COLOUR.fullmatch(draft.background):
        yield Problem("background", "bad_background", "background is white, blur, dominant or a colour like #f0e6d2")
    yield from _comment(draft)


def _comment(draft: Draft) -> Iterator[Problem]:
    if draft.first_comment is None:
        return
    if draft.product is Product.STORY:
        yield Problem("first_comment", "comment_on_story", "stories have no comments")
    most = LIMITS.comment_characters.whole
    if not draft.first_comment.strip() or len(draft.first_comment) > most:
        message = f"first_comment needs 1 to {most} characters"
        yield Problem("first_comment", "bad_comment", message)
    if len(_HASHTAG.findall(draft.first_comment)) > COMMENT_HASHTAGS:
        message = f"Instagram may refuse a comment with more than {COMMENT_HASHTAGS} hashtags"
        yield Problem("first_comment", "comment_hashtags", message, blocking=False)


def _item(draft: Draft, item: Item, at: str) -> Iterator[Problem]:
    name = "image_url" if item.kind is ItemKind.PICTURE else "video_url"
    if not (item.url or item.blob):
        yield Problem(f"{at}{name}", "missing", f"{at}{name} is required")
    if item.url:
        yield from _address(item.url, f"{at}{name}")
    if item.alt_text is not None:
        most = LIMITS.alt_text_characters.whole
        if len(item.alt_text) > most:
            yield Problem(
                f"{at}alt_text", "alt_text_too_long", f"alt_text has {len(item.alt_text)} of {most} characters"
            )
        if item.kind is ItemKind.VIDEO or draft.product is Product.STORY:
            message = "Instagram takes alt_text for pictures of the feed only; it is left out"
            yield Problem(f"{at}alt_text", "alt_text_unused", message, blocking=False)
    if len(item.tags) > LIMITS.user_tags.whole:
        message = f"{at}user_tags has {len(item.tags)} of {LIMITS.user_tags.whole} tags"
        yield Problem(f"{at}user_tags", "too_many_tags", message)
    for tag in item.tags:
        if not _USERNAME.fullmatch(tag.username):
            yield Problem(f"{at}user_tags", "bad_username", f"{tag.username[:40]!r} is not a username")
        yield from _place(draft, item, (tag.x, tag.y), at)


def _address(url: str, name: str) -> Iterator[Problem]:
    """Yield what nobody has to be asked for: planned or not, nothing is ever fetched from there."""
    if len(url) > URL_LENGTH:
        yield Problem(name, "url_too_long", f"{name} is longer than {URL_LENGTH} characters")
    elif wrong := of_address(url):
        yield Problem(name, wrong.code, f"{name}: {wrong.sentence}")


def _place(draft: Draft, item: Item, place: tuple[float | None, float | None], at: str) -> Iterator[Problem]:
    needed = item.kind is ItemKind.PICTURE and draft.product is not Product.STORY
    if needed and None in place:
        yield Problem(f"{at}user_tags", "tag_place", "a tag on a picture needs x and y from 0 to 1")
    if any(value is not None and not 0 <= value <= 1 for value in place):
        yield Problem(f"{at}user_tags", "tag_place", "x and y of a tag run from 0 to 1")
