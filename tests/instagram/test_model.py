"""What Instagram's JSON becomes: recorded oddities by example, and any JSON at all by property."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tintype.errors import Unreachable
from tintype.instagram import Login, MediaKind, MediaProduct, expiry_of, media_from, model

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
# fmt: off
KEYS = st.sampled_from([
    "id", "user_id", "username", "data", "paging", "next", "cursors", "after", "children", "timestamp", "media_type",
    "media_product_type", "caption", "like_count", "media_url", "name", "values", "value", "end_time", "total_value",
    "breakdowns", "results", "dimension_keys", "dimension_values", "account_type", "instagram_business_account",
    "access_token", "status_code", "quota_usage", "config", "quota_total", "error", "code", "error_subcode",
])
# fmt: on
LIKELY = st.recursive(
    JSON | st.sampled_from(["IMAGE", "VIDEO", "REELS", "2021-08-13T08:25:28+0000", "17895731045244887"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=8),
    max_leaves=30,
)
POST = {
    "id": "17895731045244887",
    "media_type": "IMAGE",
    "media_product_type": "FEED",
    "timestamp": "2021-08-13T08:25:28+0000",
}


def test_a_post_with_everything():
    media = media_from(
        {
            **POST,
            "caption": "Nice",
            "permalink": "https://www.instagram.com/p/CSgf9BChwVq/",
            "shortcode": "CSgf9BChwVq",
            "media_url": "https://scontent.cdninstagram.com/a.jpg?oe=61227755",
            "alt_text": "A dog",
            "like_count": 2,
            "comments_count": 6,
            "username": "ikroskun",
        }
    )
    assert media.kind is MediaKind.IMAGE
    assert media.product is MediaProduct.FEED
    assert media.timestamp == datetime(2021, 8, 13, 8, 25, 28, tzinfo=UTC)
    assert (media.caption, media.alt_text, media.like_count, media.comments_count) == ("Nice", "A dog", 2, 6)
    assert (media.shortcode, media.username) == ("CSgf9BChwVq", "ikroskun")
    assert expiry_of(media.media_url) == datetime(2021, 8, 22, 16, 12, 5, tzinfo=UTC)


def test_what_is_left_out_is_none_and_never_zero():
    media = media_from(POST)
    assert (media.caption, media.media_url, media.thumbnail_url, media.like_count, media.alt_text) == (None,) * 5
    assert media.children == ()


def test_a_number_as_id_keeps_every_digit():
    assert media_from({**POST, "id": 17841405793187218999}).id == "17841405793187218999"


@pytest.mark.parametrize("sent", ["BROADCAST", "HOLOGRAM", None, 3])
def test_a_kind_we_do_not_know_is_named_other(sent: object):
    assert media_from({**POST, "media_type": sent}).kind is MediaKind.OTHER


def test_an_unknown_product_is_other_and_a_missing_one_none():
    assert media_from({**POST, "media_product_type": "HOLODECK"}).product is MediaProduct.OTHER
    assert media_from({k: v for k, v in POST.items() if k != "media_product_type"}).product is None


def test_carousel_children_take_the_parents_time_and_keep_their_order():
    album = media_from(
        {
            **POST,
            "media_type": "CAROUSEL_ALBUM",
            "children": {"data": [{"id": "2", "media_type": "VIDEO"}, {"id": "1", "media_type": "IMAGE"}]},
        }
    )
    assert [(child.id, child.kind) for child in album.children] == [("2", MediaKind.VIDEO), ("1", MediaKind.IMAGE)]
    assert {child.timestamp for child in album.children} == {album.timestamp}


@pytest.mark.parametrize("missing", ["id", "timestamp"])
def test_a_medium_without_identity_or_time_is_no_usable_answer(missing: str):
    with pytest.raises(Unreachable, match=missing):
        media_from({**POST, missing: None})


def test_text_that_databases_refuse_is_mended():
    assert media_from({**POST, "caption": "a\0b \ud83d"}).caption == "ab \ufffd"


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "https://x/y.jpg",
        "https://x/y?oe=",
        "https://x/y?oe=zz",
        "https://x/y?oe=" + "f" * 40,
        "http://[/?oe=1",
    ],
)
def test_no_expiry_where_none_can_be_read(url: str | None):
    assert expiry_of(url) is None


def test_a_profile_of_instagram_login_keeps_both_ids_apart():
    sent = {"id": "app-scoped", "user_id": 17841405793187218, "username": "lena", "account_type": "Media_Creator"}
    for shape in (sent, {"data": [sent]}):
        profile = model.profile_from(shape, Login.INSTAGRAM_LOGIN)
        assert (profile.user_id, profile.app_scoped_id) == ("17841405793187218", "app-scoped")
        assert (profile.username, profile.account_type) == ("lena", "MEDIA_CREATOR")
        assert profile.followers_count is None


def test_a_profile_of_facebook_login_has_one_id():
    profile = model.profile_from({"id": "17841405822304914", "followers_count": 0}, Login.FACEBOOK_LOGIN)
    assert (profile.user_id, profile.app_scoped_id, profile.followers_count) == ("17841405822304914", None, 0)


def test_instagram_login_never_mistakes_the_app_scoped_id_for_the_account():
    with pytest.raises(Unreachable, match="user_id"):
        model.profile_from({"id": "app-scoped"}, Login.INSTAGRAM_LOGIN)


def test_a_facebook_page_without_a_linked_account():
    page = model.facebook_page_from({"name": "blabla", "id": "177057932317550", "access_token": "EAAP-secret"})
    assert (page.id, page.instagram_user_id, page.username) == ("177057932317550", None, None)
    assert "EAAP-secret" not in repr(page)


def test_only_next_says_that_there_is_another_page():
    cursors = {"cursors": {"before": "b", "after": "a"}}
    last = model.page_from({"data": [POST], "paging": cursors}, media_from)
    more = model.page_from({"data": [POST], "paging": {**cursors, "next": "https://x/?access_token=t"}}, media_from)
    assert (last.after, more.after) == (None, "a")
    assert [item.id for item in last.items] == [POST["id"]]


@pytest.mark.parametrize("shape", [{}, {"data": None}, [], None, {"data": {}}])
def test_a_list_without_items_is_no_empty_list(shape: object):
    with pytest.raises(Unreachable):
        model.page_from(shape, media_from)


def test_insights_as_series_total_and_breakdown():
    series = {"name": "reach", "period": "day", "values": [{"value": 3, "end_time": "2025-12-09T08:00:00+0000"}]}
    total = {
        "name": "navigation",
        "period": "lifetime",
        "values": [{"value": 25}],
        "total_value": {
            "value": 25,
            "breakdowns": [
                {
                    "dimension_keys": ["story_navigation_action_type"],
                    "results": [{"dimension_values": ["tap_forward"], "value": 19}],
                }
            ],
        },
    }
    lifetime = {"name": "likes", "period": "lifetime", "values": [{"value": 0}]}
    found = model.insights_from({"data": [series, total, lifetime]})
    reach, navigation, _ = found.metrics
    assert (reach.total, reach.points[0].value) == (None, 3)
    assert reach.points[0].end_time == datetime(2025, 12, 9, 8, tzinfo=UTC)
    assert navigation.slices == (model.Slice((("story_navigation_action_type", "tap_forward"),), 19),)
    assert [found.total(name) for name in ("navigation", "likes", "saved")] == [25, 0, None]


def test_quota_and_container():
    quota = model.quota_from({"data": [{"quota_usage": 2, "config": {"quota_total": 50, "quota_duration": 86400}}]})
    assert quota == model.PublishingQuota(2, 50, 86400)
    container = model.container_from({"status_code": "ERROR", "status": "Error: … 2207082", "id": "1"})
    assert (container.state, container.status) == (model.ContainerState.ERROR, "Error: … 2207082")


READERS: tuple[Callable[[object], object], ...] = (
    media_from,
    model.media_urls_from,
    model.facebook_page_from,
    model.container_from,
    model.insights_from,
    model.quota_from,
    lambda value: model.profile_from(value, Login.INSTAGRAM_LOGIN),
    lambda value: model.profile_from(value, Login.FACEBOOK_LOGIN),
    lambda value: model.page_from(value, media_from),
)


@pytest.mark.parametrize("read", READERS)
@settings(max_examples=60)
@given(value=LIKELY)
def test_any_json_gives_a_value_or_a_trouble(read: Callable[[object], object], value: object):
    with suppress(Unreachable):
        read(value)


@given(st.text())
def test_any_text_is_asked_for_its_expiry_in_peace(url: str):
    expiry = expiry_of(url)
    assert expiry is None or expiry.tzinfo is UTC


def test_secrets_stay_out_of_reprs():
    token = model.Token("IGAA-secret", None, frozenset({"a"}))
    app = model.App(Login.INSTAGRAM_LOGIN, "1", "app-secret")
    assert "secret" not in repr(token) + repr(app)
