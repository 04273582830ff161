"""Insights: which metric exists for what, the shapes of their answers, and numbers that agree with each other."""

from typing import Any

import pytest

from tests.simulator.visitor import BAKER, HARBOUR, POTTER, Visitor

FEED = "views,reach,likes,comments,saved,shares,reposts,total_interactions,follows,profile_visits,profile_activity"
REELS = (
    "views,reach,likes,comments,saved,shares,reposts,total_interactions,ig_reels_avg_watch_time,"
    "ig_reels_video_view_total_time,reels_skip_rate"
)
STORY = "views,reach,shares,reposts,total_interactions,follows,profile_visits,profile_activity,navigation,replies"


async def a_post(visitor: Visitor, kind: str, username: str = BAKER) -> dict[str, Any]:
    return await visitor.world("POST", "/media", username=username, kind=kind)


@pytest.mark.parametrize(
    ("kind", "metrics"),
    [("IMAGE", FEED), ("CAROUSEL_ALBUM", FEED), ("VIDEO", FEED), ("REELS", REELS), ("STORY", STORY)],
)
async def test_every_metric_of_the_matrix_answers_in_one_call(visitor: Visitor, kind: str, metrics: str) -> None:
    post = await a_post(visitor, kind)
    token = await visitor.token()
    entries = (await visitor.get(token, f"/{post['id']}/insights", metric=metrics))["data"]
    assert [entry["name"] for entry in entries] == metrics.split(",")
    for entry in entries:
        assert set(entry) == {"name", "period", "values", "title", "description", "id"}
        assert entry["period"] == "lifetime"
        assert entry["id"] == f"{post['id']}/insights/{entry['name']}/lifetime"
        assert entry["values"][0]["value"] >= 0


@pytest.mark.parametrize(
    ("kind", "metric", "words"),
    [
        ("IMAGE", "plays", "metric[1] must be one of the following values: views, reach"),
        ("IMAGE", "engagement", "metric[1] must be one of"),
        ("IMAGE", "link_clicks", "metric[1] must be one of"),
        ("IMAGE", "navigation", "does not support the navigation metric for this media product type."),
        ("IMAGE", "ig_reels_avg_watch_time", "does not support"),
        ("REELS", "follows", "does not support"),
        ("REELS", "crossposted_views", "does not support"),
        ("STORY", "saved", "does not support"),
        (
            "IMAGE",
            "impressions",
            "(#100) Starting from version 22 and above, the impressions metric is no longer supported",
        ),
    ],
)
async def test_one_wrong_metric_refuses_the_whole_call(visitor: Visitor, kind: str, metric: str, words: str) -> None:
    post = await a_post(visitor, kind)
    error = await visitor.refused(await visitor.token(), f"/{post['id']}/insights", metric=f"reach,{metric}")
    assert error["code"] == 100
    assert words in error["message"]


async def test_some_metrics_are_facebooks_alone(visitor: Visitor) -> None:
    story = await a_post(visitor, "STORY", POTTER)
    meta = await visitor.token(POTTER, "facebook")
    await visitor.get(meta, f"/{story['id']}/insights", metric="link_clicks,total_views")


async def test_breakdowns_add_up_and_come_in_lower_case(visitor: Visitor) -> None:
    story, token = await a_post(visitor, "STORY"), await visitor.token()
    path, by = f"/{story['id']}/insights", "story_navigation_action_type"
    (entry,) = (await visitor.get(token, path, metric="navigation", breakdown=by))["data"]
    (total,) = entry["total_value"]["breakdowns"]
    assert total["dimension_keys"] == [by]
    assert entry["values"] == [{"value": entry["total_value"]["value"]}]
    assert sum(result["value"] for result in total["results"]) == entry["total_value"]["value"] > 0
    assert {result["dimension_values"][0] for result in total["results"]} <= {
        "tap_forward", "tap_back", "tap_exit", "swipe_forward",
    }  # fmt: skip
    error = await visitor.refused(token, path, metric="navigation,reach", breakdown=by)
    assert error["message"] == "An unknown error has occurred."


async def test_children_and_lonely_stories_have_no_insights(visitor: Visitor) -> None:
    token, album = await visitor.token(), await a_post(visitor, "CAROUSEL_ALBUM")
    child = album["children"]["data"][0]["id"]
    assert (await visitor.refused(token, f"/{child}/insights", metric="reach"))["code"] == 100
    await visitor.world("POST", "/reset", seed=7, story_viewers=4)
    token, story = await visitor.token(), await a_post(visitor, "STORY")
    error = await visitor.refused(token, f"/{story['id']}/insights", metric="reach")
    assert error["message"] == "(#10) Not enough viewers for the media to show insights"


async def test_numbers_may_come_late(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, insights_delay_hours=48)
    token, post = await visitor.token(), await a_post(visitor, "IMAGE")
    assert await visitor.get(token, f"/{post['id']}/insights", metric="reach") == {"data": []}
    await visitor.world("POST", "/clock", advance_seconds=48 * 3600 + 1)
    assert (await visitor.get(token, f"/{post['id']}/insights", metric="reach"))["data"]


async def test_likes_agree_with_the_post_and_stay_what_they_are(visitor: Visitor) -> None:
    token, post = await visitor.token(), await a_post(visitor, "IMAGE")
    await visitor.world("PATCH", f"/media/{post['id']}", like_count=321)
    answers = [await visitor.get(token, f"/{post['id']}/insights", metric="likes,views") for _ in range(2)]
    assert answers[0] == answers[1]
    values = {entry["name"]: entry["values"][0]["value"] for entry in answers[0]["data"]}
    assert values["likes"] == 321 < values["views"]


async def test_insights_can_be_asked_inside_a_list(visitor: Visitor) -> None:
    posts = await visitor.get(await visitor.token(), "/me/media", fields="insights.metric(reach,likes)", limit=2)
    assert [entry["name"] for entry in posts["data"][0]["insights"]["data"]] == ["reach", "likes"]


async def account(visitor: Visitor, token: str, **params: Any) -> Any:
    return await visitor.get(token, "/v25.0/me/insights", **params)


async def test_totals_with_one_and_two_breakdowns(visitor: Visitor) -> None:
    token = await visitor.token()
    one = await account(
        visitor,
        token,
        metric="reach,likes,views",
        period="day",
        metric_type="total_value",
        breakdown="media_product_type",
    )
    for entry in one["data"]:
        (total,) = entry["total_value"]["breakdowns"]
        assert sum(result["value"] for result in total["results"]) == entry["total_value"]["value"] > 0
        assert "values" not in entry
    assert {"previous", "next"} == set(one["paging"])
    two = await account(
        visitor,
        token,
        metric="reach",
        period="day",
        metric_type="total_value",
        breakdown="media_product_type,follow_type",
    )
    (total,) = two["data"][0]["total_value"]["breakdowns"]
    assert all(len(result["dimension_values"]) == 2 for result in total["results"])


async def test_a_series_has_a_value_per_day_and_ends_at_midnight_in_california(visitor: Visitor) -> None:
    until = 1_790_812_800
    found = await account(
        visitor,
        await visitor.token(),
        metric="reach,follower_count",
        period="day",
        since=until - 5 * 86400,
        until=until,
    )
    for entry in found["data"]:
        assert len(entry["values"]) == 5
        assert "total_value" not in entry
        assert all(row["end_time"].endswith("T07:00:00+0000") for row in entry["values"])
    before = await visitor.http.get(found["paging"]["previous"])
    assert len(before.json()["data"][0]["values"]) == 5
    assert before.json()["data"][0]["values"] != found["data"][0]["values"]


async def test_demographics_need_a_living_time_frame(visitor: Visitor) -> None:
    token = await visitor.token()
    asked = {
        "metric": "follower_demographics",
        "period": "lifetime",
        "metric_type": "total_value",
        "breakdown": "country",
    }
    (entry,) = (await account(visitor, token, timeframe="this_month", **asked))["data"]
    assert "value" not in entry["total_value"]
    (total,) = entry["total_value"]["breakdowns"]
    assert total["dimension_keys"] == ["timeframe", "country"]
    assert total["results"][0]["dimension_values"][0] == "THIS_MONTH"
    for wrong in ("last_30_days", ""):
        assert (await visitor.refused(token, "/me/insights", timeframe=wrong, **asked))["code"] == 100


async def test_small_accounts_have_no_follower_numbers(visitor: Visitor) -> None:
    token = await visitor.token(HARBOUR)
    found = await account(visitor, token, metric="follower_count,reach", period="day")
    assert [entry["name"] for entry in found["data"]] == ["reach"]


@pytest.mark.parametrize(
    "params",
    [
        {"metric": "reach"},
        {"period": "day"},
        {"metric": "audience_city", "period": "lifetime"},
        {"metric": "impressions", "period": "day"},
        {"metric": "profile_views", "period": "day"},
        {"metric": "likes", "period": "day"},
        {"metric": "likes", "period": "week", "metric_type": "total_value"},
        {"metric": "likes", "period": "day", "metric_type": "total_value", "breakdown": "age"},
        {"metric": "views", "period": "day", "metric_type": "total_value", "breakdown": "follow_type"},
        {"metric": "reach", "period": "day", "since": 1_780_000_000, "until": 1_790_000_000},
        {"metric": "reach", "period": "day", "since": 1_790_000_000, "until": 1_780_000_000},
    ],
)
async def test_what_does_not_go_together_is_refused(visitor: Visitor, params: dict[str, Any]) -> None:
    assert (await visitor.refused(await visitor.token(), "/me/insights", **params))["code"] == 100


async def test_a_dead_series_beside_a_living_one_is_dropped(visitor: Visitor) -> None:
    found = await account(visitor, await visitor.token(), metric="reach,profile_views", period="day")
    assert [entry["name"] for entry in found["data"]] == ["reach"]


async def test_the_spelling_of_the_views_breakdown_is_a_switch(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, views_breakdown="follow_type")
    token = await visitor.token()
    await account(visitor, token, metric="views", period="day", metric_type="total_value", breakdown="follow_type")
