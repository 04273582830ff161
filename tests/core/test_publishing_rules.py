"""Publishing's pure rules: which medium a lost post is, when to look again, what a container proves, what is asked for."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.publishing import Draft, Failure, Item, ItemKind, Part, Policy, Post, Product, Tag
from tintype.core.publishing.containers import album, child, single
from tintype.core.publishing.course import (
    CARE_GAPS,
    GROWTH,
    LONGEST_GAP,
    PICTURE_GAP,
    RETRY_GAPS,
    SEARCH_GAPS,
    SURE_GAP,
    VIDEO_GAP,
    Proof,
    gap,
    has_video,
    judge,
    poll_budget,
    poll_gap,
)
from tintype.core.publishing.failing import failure_of
from tintype.core.publishing.matching import SKEW, candidates, fingerprint, plain, reaches
from tintype.core.publishing.pace import KEPT, Pace
from tintype.core.publishing.publisher import begun
from tintype.errors import Invalid, Kind, Refused
from tintype.instagram import ContainerState, Media, MediaKind, MediaProduct

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
POLICY = Policy()
PICTURE = Item(ItemKind.PICTURE, "https://a.test/1.jpg")
VIDEO = Item(ItemKind.VIDEO, "https://a.test/1.mp4")
TAGS = (Tag("@ann", 0.5, 0.25), Tag("bob"))

IMAGE = Draft(Product.IMAGE, (PICTURE,), "Hello")
REEL = Draft(Product.REEL, (VIDEO,), "Hello")
STORY = Draft(Product.STORY, (PICTURE,))
CAROUSEL = Draft(Product.CAROUSEL, (PICTURE, VIDEO), "Hello")


def post(draft: Draft = IMAGE, **facts: Any) -> Post:
    """A post whose publishing began now."""
    made = begun("workspace", "account", draft, NOW)
    return replace(made, publish_started_at=NOW, **facts)


def medium(**facts: Any) -> Media:
    """A medium that looks like the post of `IMAGE`."""
    return replace(Media("1", MediaKind.IMAGE, MediaProduct.FEED, NOW + SECOND, "Hello"), **facts)


def found(draft: Draft, *media: Media, bound: tuple[str, ...] = ()) -> list[str]:
    return [one.media_id for one in candidates(post(draft), media, bound)]


# Which medium it is


@given(st.text(), st.sampled_from(["NFC", "NFD"]), st.sampled_from(["", " ", "\n", "\t "]))
def test_captions_are_compared_as_instagram_may_change_them(words: str, form: Any, space: str) -> None:
    composed = unicodedata.normalize("NFC", words)
    assert plain(space + unicodedata.normalize(form, composed) + space) == plain(composed)
    assert plain(plain(words)) == plain(words)


def test_captions_that_say_something_else_differ() -> None:
    assert len({plain("Hello"), plain("hello"), plain("Hello!"), plain("Hel lo"), plain(None)}) == 5


@pytest.mark.parametrize(
    ("draft", "facts", "is_one"),
    [
        (IMAGE, {}, True),
        (IMAGE, {"caption": " Hello\n"}, True),
        (IMAGE, {"caption": "Hello again"}, False),
        (IMAGE, {"caption": None}, False),
        (IMAGE, {"kind": MediaKind.VIDEO, "product": MediaProduct.REELS}, False),
        (IMAGE, {"kind": MediaKind.CAROUSEL_ALBUM}, False),
        (REEL, {"kind": MediaKind.VIDEO, "product": MediaProduct.REELS}, True),
        (REEL, {"kind": MediaKind.VIDEO, "product": None}, True),
        (REEL, {"kind": MediaKind.VIDEO, "product": MediaProduct.FEED}, False),
        (REEL, {}, False),
        (CAROUSEL, {"kind": MediaKind.CAROUSEL_ALBUM}, True),
        (CAROUSEL, {"kind": MediaKind.CAROUSEL_ALBUM, "children": (medium(), medium())}, True),
        (CAROUSEL, {"kind": MediaKind.CAROUSEL_ALBUM, "children": (medium(),)}, False),
        (CAROUSEL, {"kind": MediaKind.CAROUSEL_ALBUM, "children": (medium(),) * 3}, False),
        (STORY, {"caption": None, "product": MediaProduct.STORY}, True),
        (replace(IMAGE, hashtags=("a", "#b")), {"caption": "Hello #a #b"}, True),
        (replace(IMAGE, caption=""), {"caption": None}, True),
    ],
)
def test_a_candidate_is_of_the_kind_and_words_of_the_post(draft: Draft, facts: dict[str, Any], is_one: bool) -> None:
    assert found(draft, medium(**facts)) == (["1"] if is_one else [])


def test_a_candidate_is_not_older_than_the_call_nor_another_posts_own() -> None:
    old = medium(id="old", timestamp=NOW - SKEW - SECOND)
    edge = medium(id="edge", timestamp=NOW - SKEW)
    assert found(IMAGE, medium(), edge, old) == ["1", "edge"]
    assert found(IMAGE, medium(), edge, old, bound=("1",)) == ["edge"]


def test_a_list_reaches_back_when_it_goes_beyond_the_window() -> None:
    assert not reaches(post(), NOW - SKEW)
    assert reaches(post(), NOW - SKEW - SECOND)


def test_two_posts_share_a_fingerprint_when_instagram_shows_them_alike() -> None:
    assert fingerprint(IMAGE) == fingerprint(replace(IMAGE, caption="  Hello ", items=(replace(PICTURE, url="x"),)))
    other = [IMAGE, REEL, CAROUSEL, STORY, replace(IMAGE, caption="Bye"), replace(CAROUSEL, items=(PICTURE,) * 3)]
    assert len({fingerprint(one) for one in other}) == len(other)
    assert fingerprint(STORY) == fingerprint(replace(STORY, caption="is not shown"))


# When to look again


@given(st.timedeltas(timedelta(microseconds=1), timedelta(hours=2)), st.booleans())
def test_what_is_finished_is_seen_a_share_of_the_time_waited_later(waited: timedelta, video: bool) -> None:
    pause = poll_gap(waited, video=video)
    assert pause <= max(VIDEO_GAP if video else PICTURE_GAP, waited * GROWTH)
    assert timedelta(0) < pause <= LONGEST_GAP


@given(st.timedeltas(timedelta(microseconds=1), timedelta(hours=2)))
def test_beyond_what_is_usual_looks_come_close_together(beyond: timedelta) -> None:
    pause = poll_gap(2 * SECOND + beyond, video=False, usual=2 * SECOND)
    assert SURE_GAP <= pause <= max(SURE_GAP, beyond * GROWTH)
    assert pause <= poll_gap(2 * SECOND + beyond, video=False)


def test_what_is_usual_is_what_the_quickest_of_the_last_pictures_took() -> None:
    pace, made = Pace(), post(container_id="1")
    for took in range(1, KEPT):
        pace.finished(made, took * SECOND, 9 * SECOND)
        assert pace.usual(made) == timedelta(0), "a few say nothing yet"
    pace.finished(made, 9 * SECOND, 9.1 * SECOND)
    assert pace.usual(made) == SECOND
    assert pace.usual(replace(made, draft=STORY)) == timedelta(0)
    pace.finished(made, timedelta(0), SECOND)  # the first look came too late
    assert pace.usual(made) == 0.8 * SECOND
    for _ in range(KEPT):
        pace.finished(made, 3 * SECOND, 3.1 * SECOND)
    assert pace.usual(made) == 3 * SECOND


def test_videos_have_no_usual_time() -> None:
    pace, made = Pace(), post(REEL, container_id="1")
    for _ in range(KEPT):
        pace.finished(made, 9 * SECOND, 9 * SECOND)
    assert pace.usual(made) == timedelta(0)


@given(st.booleans())
def test_the_first_look_waits_for_nothing(video: bool) -> None:
    assert poll_gap(timedelta(0), video=video) == timedelta(0)
    assert poll_gap(-SECOND, video=video) == timedelta(0)


@pytest.mark.parametrize(("draft", "budget"), [(IMAGE, POLICY.picture_budget), (REEL, POLICY.video_budget)])
def test_instagram_is_asked_seldom_within_a_budget(draft: Draft, budget: timedelta) -> None:
    waited, looks = timedelta(milliseconds=1), 0
    while waited <= poll_budget(draft, POLICY):
        waited += poll_gap(waited, video=has_video(draft))
        looks += 1
    assert poll_budget(draft, POLICY) == budget
    assert looks < 120


@pytest.mark.parametrize("gaps", [RETRY_GAPS, SEARCH_GAPS, CARE_GAPS])
def test_pauses_grow_and_the_last_one_stays(gaps: tuple[timedelta, ...]) -> None:
    assert [gap(gaps, tries) for tries in range(1, len(gaps) + 1)] == sorted(gaps)
    assert gap(gaps, 0) == gaps[0]
    assert gap(gaps, 1000) == gaps[-1]


# What the container of a doubtful publish proves (publishing.md 2.4, rule 5 and rule 7)

LOST = Failure(Kind.UNREACHABLE, "no answer", retryable=True)
REFUSAL = Failure(Kind.REFUSED, "restricted", code=25, subcode=2207050)
UNREADY = Failure(Kind.REFUSED, "not ready", code=9007, subcode=2207027, retryable=True)
NO_TOKEN = Failure(Kind.RECONNECT, "expired", code=190)
SPAM = Failure(Kind.BUSY, "spam", code=4, subcode=2207051)
FULL = Failure(Kind.BUSY, "quota", code=9, subcode=2207042)
FORGOTTEN = Failure(Kind.REFUSED, "no such medium", code=24, subcode=2207006)
MISSING = Failure(Kind.REFUSED, "no such upload", code=24, subcode=2207008, retryable=True)
TOO_OLD = Failure(Kind.REFUSED, "too old", code=-2, subcode=2207020)

SETTLED, FRESH = POLICY.settle, POLICY.settle - SECOND


@pytest.mark.parametrize(
    ("state", "doubt", "after", "proof"),
    [
        *((ContainerState.PUBLISHED, doubt, FRESH, Proof.LIVE) for doubt in (None, LOST, REFUSAL, SPAM, FULL, NO_TOKEN)),
        *((ContainerState.ERROR, doubt, FRESH, Proof.SPENT) for doubt in (None, LOST, REFUSAL)),
        *((ContainerState.EXPIRED, doubt, SETTLED, Proof.SPENT) for doubt in (None, LOST)),
        *((ContainerState.FINISHED, doubt, FRESH, Proof.OPEN) for doubt in (None, LOST, SPAM, FULL)),
        *((ContainerState.FINISHED, doubt, SETTLED, Proof.UNUSED) for doubt in (None, LOST, SPAM, FULL)),
        *((ContainerState.FINISHED, doubt, FRESH, Proof.REFUSED) for doubt in (REFUSAL, NO_TOKEN)),
        (ContainerState.FINISHED, UNREADY, FRESH, Proof.UNUSED),
        *((ContainerState.EXPIRED, doubt, FRESH, Proof.SPENT) for doubt in (FORGOTTEN, MISSING, TOO_OLD)),
        *((ContainerState.FINISHED, doubt, FRESH, Proof.UNUSED) for doubt in (FORGOTTEN, MISSING, TOO_OLD)),
        *((state, LOST, SETTLED, Proof.OPEN) for state in (ContainerState.IN_PROGRESS, ContainerState.OTHER, None)),
    ],
)  # fmt: skip
def test_a_container_proves(
    state: ContainerState | None, doubt: Failure | None, after: timedelta, proof: Proof
) -> None:
    verdict = judge(state, post(doubt=doubt), NOW + after, POLICY)
    assert verdict.proof is proof
    if proof is Proof.OPEN:
        assert verdict.again_at is not None
        assert NOW + after < verdict.again_at <= NOW + after + RETRY_GAPS[-1]


@pytest.mark.parametrize("doubt", [FORGOTTEN, MISSING, TOO_OLD])
def test_a_container_that_is_shown_and_not_found_is_asked_for_twice(doubt: Failure) -> None:
    proofs = [
        judge(ContainerState.FINISHED, post(doubt=doubt, publishes=calls), NOW, POLICY).proof for calls in (1, 2, 3)
    ]
    assert proofs == [Proof.UNUSED, Proof.SPENT, Proof.SPENT]
    assert judge(ContainerState.PUBLISHED, post(doubt=doubt, publishes=2), NOW, POLICY).proof is Proof.LIVE


@given(
    st.sampled_from(list(ContainerState)),
    st.timedeltas(
        timedelta(0),
        POLICY.settle,
    ),
    st.integers(0, 50),
)
def test_nothing_is_published_again_before_a_lost_call_has_settled(
    state: ContainerState, after: timedelta, tries: int
) -> None:
    verdict = judge(state, post(doubt=LOST, tries=tries), NOW + after, POLICY)
    if after < POLICY.settle:
        assert verdict.proof not in (Proof.UNUSED, Proof.REFUSED)


# What containers are asked for with

WORDS: Mapping[str, str] = {"caption": "Hello #a", "location_id": "12", "collaborators": '["cleo", "dan"]'}
RICH: Mapping[str, Any] = {"hashtags": ("a",), "location_id": "12", "collaborators": ("@cleo", "dan")}
TOLD_TAGS = [{"username": "ann", "x": 0.5, "y": 0.25}, {"username": "bob"}]
PART = Part(0, "https://ours.test/1.jpg")
COVER = Part(-1, "https://ours.test/cover.jpg")


def asked(draft: Draft, *, cover: Part | None = None, resumable: bool = False) -> dict[str, Any]:
    params = dict(single(draft, PART, cover, resumable=resumable))
    return {name: json.loads(value) if name == "user_tags" else value for name, value in params.items()}


def test_a_picture_is_asked_for_with_all_that_was_said_of_it() -> None:
    item = replace(PICTURE, alt_text="a loaf", tags=TAGS)
    more = {"image_url": PART.url, "alt_text": "a loaf", "user_tags": TOLD_TAGS}
    assert asked(replace(IMAGE, items=(item,), **RICH)) == {**WORDS, **more}
    assert asked(replace(IMAGE, caption="")) == {"image_url": PART.url}


def test_a_reel_is_asked_for_with_all_that_was_said_of_it() -> None:
    draft = replace(REEL, items=(replace(VIDEO, alt_text="unused", tags=TAGS),), thumb_offset=1500, **RICH)
    base = {"media_type": "REELS", **WORDS, "user_tags": TOLD_TAGS}
    assert asked(draft) == {**base, "video_url": PART.url, "thumb_offset": "1500"}
    assert asked(draft, cover=COVER) == {**base, "video_url": PART.url, "cover_url": COVER.url}
    assert asked(draft, resumable=True) == {**base, "upload_type": "resumable", "thumb_offset": "1500"}
    for share, told in ((True, "true"), (False, "false")):
        assert asked(replace(REEL, share_to_feed=share))["share_to_feed"] == told
    assert "share_to_feed" not in asked(REEL)
    assert asked(replace(REEL, thumb_offset=0))["thumb_offset"] == "0"


def test_a_story_is_asked_for_without_words_that_instagram_would_drop() -> None:
    picture = replace(STORY, caption="unused", items=(replace(PICTURE, alt_text="unused", tags=TAGS),))
    assert asked(picture) == {"media_type": "STORIES", "image_url": PART.url, "user_tags": TOLD_TAGS}
    video = replace(STORY, items=(VIDEO,))
    assert asked(video) == {"media_type": "STORIES", "video_url": PART.url}
    assert asked(video, resumable=True) == {"media_type": "STORIES", "upload_type": "resumable"}
    assert asked(STORY, resumable=True) == {"media_type": "STORIES", "image_url": PART.url}


def test_the_words_of_a_carousel_stand_on_the_album_and_descriptions_on_its_items() -> None:
    items = (replace(PICTURE, alt_text="a loaf", tags=TAGS), replace(VIDEO, alt_text="unused"))
    draft = replace(CAROUSEL, items=items, **RICH)
    video = Part(1, "https://ours.test/1.mp4")
    first = dict(child(draft, PART, resumable=False))
    assert json.loads(first.pop("user_tags")) == TOLD_TAGS
    assert first == {"is_carousel_item": "true", "image_url": PART.url, "alt_text": "a loaf"}
    second = {"is_carousel_item": "true", "media_type": "VIDEO"}
    assert child(draft, video, resumable=False) == {**second, "video_url": video.url}
    assert child(draft, video, resumable=True) == {**second, "upload_type": "resumable"}
    assert album(draft, ["c1", "c2"]) == {"media_type": "CAROUSEL", "children": "c1,c2", **WORDS}


def test_what_was_seen_here_stands_behind_instagrams_word_and_not_behind_our_own() -> None:
    part = Part(1, notes=("metadata removed", "padded"))
    theirs = failure_of(Refused("Instagram said no.", code=36003, subcode=2207009), 1, part)
    assert theirs.message == "Item 2: Instagram said no. Seen from here: metadata removed; padded."
    assert failure_of(Invalid("it is too short"), 1, part).message == "Item 2: it is too short"
