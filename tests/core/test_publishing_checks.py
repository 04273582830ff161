"""What stands against a draft: each rule at its boundary, by its code."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.publishing import Draft, Item, ItemKind, Product, Tag, check, problems
from tintype.errors import Invalid
from tintype.instagram import LIMITS

PICTURE = Item(ItemKind.PICTURE, "https://a.test/1.jpg")
VIDEO = Item(ItemKind.VIDEO, "https://a.test/1.mp4")
IMAGE = Draft(Product.IMAGE, (PICTURE,))
REEL = Draft(Product.REEL, (VIDEO,))
STORY = Draft(Product.STORY, (PICTURE,))
CAROUSEL = Draft(Product.CAROUSEL, (PICTURE, VIDEO))

BAD_NAMES = ("", "an n", "a" * 31, "anä", "@@ann", "ann!")

BAD_ADDRESSES = {
    "photo.jpg": "not_an_address",
    "http://[::1": "not_an_address",
    "https://a.test:99999/1.jpg": "not_an_address",
    "javascript:alert(1)": "scheme",
    "ftp://a.test/1.jpg": "scheme",
    "https://ann:secret@a.test/1.jpg": "user_name",
}

BAD_HASHTAGS = ("a b", "#a\nb", "# a", "a\u00a0b", "#", " ##")


def said(draft: Draft, **changes: Any) -> set[tuple[str, str, bool]]:
    return {(one.field, one.code, one.blocking) for one in problems(replace(draft, **changes))}


@pytest.mark.parametrize("draft", [IMAGE, REEL, STORY, CAROUSEL], ids=lambda one: one.product.value)
def test_what_is_right_is_taken(draft: Draft) -> None:
    assert problems(draft) == []
    check(draft)


@pytest.mark.parametrize(
    ("draft", "changes", "problem"),
    [
        (CAROUSEL, {"items": (PICTURE,)}, ("children", "carousel_size", True)),
        (CAROUSEL, {"items": (PICTURE,) * 11}, ("children", "carousel_size", True)),
        (IMAGE, {"items": (PICTURE, PICTURE)}, ("image_url", "one_item", True)),
        (IMAGE, {"items": ()}, ("image_url", "one_item", True)),
        (STORY, {"items": (PICTURE, VIDEO)}, ("image_url", "one_item", True)),
        (REEL, {"items": (PICTURE,)}, ("video_url", "reel_video", True)),
        (IMAGE, {"items": (VIDEO,)}, ("image_url", "single_video", True)),
        (IMAGE, {"items": (Item(ItemKind.PICTURE),)}, ("image_url", "missing", True)),
        (REEL, {"items": (Item(ItemKind.VIDEO),)}, ("video_url", "missing", True)),
        (CAROUSEL, {"items": (PICTURE, Item(ItemKind.VIDEO))}, ("children.1.video_url", "missing", True)),
        (IMAGE, {"items": (replace(PICTURE, url="https://a.test/" + "x" * 2000),)}, ("image_url", "url_too_long", True)),
        *((IMAGE, {"items": (replace(PICTURE, url=url),)}, ("image_url", code, True)) for url, code in BAD_ADDRESSES.items()),
        *((REEL, {"cover_url": url}, ("cover_url", code, True)) for url, code in BAD_ADDRESSES.items()),
        (CAROUSEL, {"items": (PICTURE, replace(VIDEO, url="a.mp4"))}, ("children.1.video_url", "not_an_address", True)),
        (REEL, {"cover_url": "https://a.test/" + "x" * 2000}, ("cover_url", "url_too_long", True)),
        (IMAGE, {"caption": "x" * 2201}, ("caption", "caption_too_long", True)),
        (IMAGE, {"caption": "x" * 2197, "hashtags": ("abc",)}, ("caption", "caption_too_long", True)),
        (IMAGE, {"caption": "😀" * 1101}, ("caption", "caption_may_be_too_long", False)),
        (IMAGE, {"hashtags": tuple(f"t{n}" for n in range(31))}, ("hashtags", "too_many_hashtags", True)),
        *((IMAGE, {"hashtags": (tag,)}, ("hashtags", "bad_hashtag", True)) for tag in BAD_HASHTAGS),
        (IMAGE, {"caption": "#a " * 30, "hashtags": ("b",)}, ("hashtags", "too_many_hashtags", True)),
        (IMAGE, {"caption": "@a " * 21}, ("caption", "too_many_mentions", True)),
        (STORY, {"caption": "hello"}, ("caption", "caption_on_story", False)),
        (STORY, {"text": "x" * 101}, ("text", "text_too_long", True)),
        (STORY, {"items": (VIDEO,), "text": "hello"}, ("text", "text_on_video", True)),
        (IMAGE, {"text": "hello"}, ("text", "text_unused", False)),
        (STORY, {"collaborators": ("ann",)}, ("collaborators", "collaborators_on_story", True)),
        (IMAGE, {"collaborators": ("a", "b", "c", "d", "e", "f")}, ("collaborators", "too_many_collaborators", True)),
        *((IMAGE, {"collaborators": (name,)}, ("collaborators", "bad_username", True)) for name in BAD_NAMES),
        (IMAGE, {"location_id": "Berlin"}, ("location_id", "bad_location", True)),
        (IMAGE, {"location_id": "\uff11\uff12"}, ("location_id", "bad_location", True)),
        (STORY, {"location_id": "12"}, ("location_id", "location_on_story", True)),
        (REEL, {"thumb_offset": -1}, ("thumb_offset", "bad_offset", True)),
        (IMAGE, {"thumb_offset": 1}, ("thumb_offset", "reels_only", True)),
        (IMAGE, {"share_to_feed": False}, ("share_to_feed", "reels_only", True)),
        (IMAGE, {"cover_url": "https://a.test/c.jpg"}, ("cover_url", "reels_only", True)),
        (CAROUSEL, {"cover_blob": "publishing/uploads/c.jpg"}, ("cover_url", "reels_only", True)),
        (IMAGE, {"background": "red"}, ("background", "bad_background", True)),
        (IMAGE, {"background": "#fff"}, ("background", "bad_background", True)),
        (STORY, {"first_comment": "hi"}, ("first_comment", "comment_on_story", True)),
        (IMAGE, {"first_comment": "  "}, ("first_comment", "bad_comment", True)),
        (IMAGE, {"first_comment": "x" * 2201}, ("first_comment", "bad_comment", True)),
        (IMAGE, {"first_comment": "#a #b #c #d #e"}, ("first_comment", "comment_hashtags", False)),
        (IMAGE, {"items": (replace(PICTURE, alt_text="x" * 1001),)}, ("alt_text", "alt_text_too_long", True)),
        (REEL, {"items": (replace(VIDEO, alt_text="x"),)}, ("alt_text", "alt_text_unused", False)),
        (STORY, {"items": (replace(PICTURE, alt_text="x"),)}, ("alt_text", "alt_text_unused", False)),
        (IMAGE, {"items": (replace(PICTURE, tags=(Tag("a b", 0, 0),)),)}, ("user_tags", "bad_username", True)),
        (IMAGE, {"items": (replace(PICTURE, tags=(Tag("ann"),)),)}, ("user_tags", "tag_place", True)),
        (IMAGE, {"items": (replace(PICTURE, tags=(Tag("ann", 0.5),)),)}, ("user_tags", "tag_place", True)),
        (IMAGE, {"items": (replace(PICTURE, tags=(Tag("ann", 0, 1.01),)),)}, ("user_tags", "tag_place", True)),
        (REEL, {"items": (replace(VIDEO, tags=(Tag("ann", -1, 0),)),)}, ("user_tags", "tag_place", True)),
        (CAROUSEL, {"items": (PICTURE, replace(PICTURE, tags=(Tag("a"),)))}, ("children.1.user_tags", "tag_place", True)),
        (IMAGE, {"items": (replace(PICTURE, tags=(Tag("a", 0, 0),) * 21),)}, ("user_tags", "too_many_tags", True)),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(draft: Draft, changes: dict[str, Any], problem: tuple[str, str, bool]) -> None:
    assert said(draft, **changes) == {problem}


@pytest.mark.parametrize(
    ("draft", "changes"),
    [
        (CAROUSEL, {"items": (PICTURE,) * 10}),
        (IMAGE, {"caption": "x" * 2200}),
        (IMAGE, {"caption": "x" * 2195, "hashtags": ("abc",)}),
        (IMAGE, {"hashtags": tuple(f"#t{n}" for n in range(30))}),
        (IMAGE, {"hashtags": ("", " ", "##a", " #b ")}),
        (IMAGE, {"caption": "see https://a.test/#one and a&#39;b and C#minor " + "@a " * 20}),
        (STORY, {"text": "x" * 100}),
        (IMAGE, {"collaborators": ("@ann", "b.b", "c_c")}),
        (IMAGE, {"location_id": "123456"}),
        (REEL, {"thumb_offset": 0, "share_to_feed": True, "cover_url": "https://a.test/c.jpg"}),
        (IMAGE, {"background": "#f0e6D2"}),
        (IMAGE, {"background": "blur"}),
        (IMAGE, {"first_comment": "x" * 2200}),
        (IMAGE, {"items": (replace(PICTURE, alt_text="x" * 1000, tags=(Tag("ann", 0, 1),) * 20),)}),
        (REEL, {"items": (replace(VIDEO, tags=(Tag("ann"),)),)}),
        (STORY, {"items": (replace(PICTURE, tags=(Tag("ann"),)),)}),
    ],
)
def test_what_is_just_right_is_taken(draft: Draft, changes: dict[str, Any]) -> None:
    assert said(draft, **changes) == set()


@given(st.text(max_size=40), st.lists(st.text(max_size=12), max_size=5))
def test_the_caption_is_counted_with_the_hashtags_behind_it(caption: str, hashtags: list[str]) -> None:
    draft = replace(IMAGE, caption=caption + "x" * (LIMITS.caption_characters.whole - 60), hashtags=tuple(hashtags))
    too_long = any(one.code == "caption_too_long" for one in problems(draft))
    assert too_long == (len(draft.words) > LIMITS.caption_characters.whole)
    for tag in hashtags:
        if bare := tag.strip().lstrip("#"):
            assert f"#{bare}" in draft.words


def test_all_problems_are_told_in_one_refusal() -> None:
    with pytest.raises(Invalid) as trouble:
        check(replace(IMAGE, caption="x" * 2201, location_id="x"))
    assert len(trouble.value.problems) == 2
