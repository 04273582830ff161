"""Numbers in time: a post's go up, downtime costs no more than itself, a story's outlive it, and unknown is not zero."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import cast

import pytest

from tests.walks.measured import Measured, measured
from tests.walks.stage import Stage, staged
from tintype.backends.engine import InlineEngine, JobState
from tintype.core.accounts import State
from tintype.core.insights import METRICS, Product, Source, jobs, schedules
from tintype.errors import Busy, NotFound, Reconnect, Unreachable
from tintype.events import InsightsUpdated
from tintype.instagram import Change

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    """A house of its own: these walks take days, and some of them another Instagram."""
    del anyio_backend
    async with staged() as one:
        yield one


async def test_a_posts_numbers_go_up_hour_by_hour(stage: Stage) -> None:
    one = await measured(stage)
    media_id = await one.published(like_count=1)
    read = 0
    for hour in range(1, 25):
        one.edit(media_id, like_count=10 * hour, views=100 * hour)
        read += await one.pass_time(HOUR)
    curve = await one.curve(media_id, "likes")
    assert 22 <= read == len(curve) <= 24
    assert all(before.value < after.value for before, after in pairwise(curve) if before.value and after.value)
    assert all(HOUR / 2 < after.captured_at - before.captured_at < 1.5 * HOUR for before, after in pairwise(curve))
    assert {sample.source for sample in curve} == {Source.API}
    assert InsightsUpdated(one.workspace_id, one.account_id) in stage.announced


async def test_after_a_day_it_is_read_four_times_a_day_and_after_ninety_not_at_all(stage: Stage) -> None:
    one = await measured(stage)
    media_id = await one.published()
    await one.pass_time(DAY + HOUR)
    assert await one.pass_time(2 * DAY, steps=HOUR) in (7, 8, 9)
    stage.skip(30 * DAY)
    assert await one.pass_time(4 * DAY, steps=6 * HOUR) in (4, 5)
    for _ in range(4):
        stage.skip(15 * DAY)
        await stage.house.accounts.refresh_due()
    assert (await one.insights.collect_due()).read == 1
    assert await one.pass_time(5 * DAY, steps=12 * HOUR) == 0
    target = await one.insights.records.target(one.workspace_id, media_id)
    assert target is not None
    assert target.next_due is None


async def test_twelve_hours_of_downtime_cost_one_read_of_each_post(stage: Stage) -> None:
    one = await measured(stage)
    media = [await one.published() for _ in range(3)]
    await one.pass_time(3 * HOUR)
    asked = len(one.asked())
    curves = [len(await one.curve(media_id, "likes")) for media_id in media]
    stage.skip(12 * HOUR)
    done = await one.insights.collect_due()
    assert (done.read, done.failed, done.accounts) == (3, 0, 1)
    assert len(one.asked()) == asked + 3
    assert (await one.insights.collect_due()).read == 0
    assert [len(await one.curve(media_id, "likes")) for media_id in media] == [length + 1 for length in curves]


async def test_the_first_read_of_many_posts_found_at_once_is_shared_out(stage: Stage) -> None:
    one = await measured(stage)
    for _ in range(4):
        one.post()
    one.post(timestamp=int((stage.clock() - 100 * DAY).timestamp()))
    assert await one.insights.discover(await one.account()) == 4
    assert await one.insights.discover(await one.account()) == 0
    assert (await one.insights.collect_due(limit=3)).read == 3
    assert (await one.insights.collect_due(limit=3)).read == 1


async def test_a_post_made_in_the_app_is_measured_as_what_it_is(stage: Stage) -> None:
    one = await measured(stage)
    now = int(stage.clock().timestamp())
    made = {kind: one.post(kind, timestamp=now) for kind in ("IMAGE", "REELS", "CAROUSEL_ALBUM", "STORY")}
    assert await one.insights.discover(await one.account()) == 4
    stage.skip(2 * HOUR)
    assert (await one.insights.collect_due()).read == 4
    posts = await one.insights.posts(one.workspace_id, products=tuple(Product))
    found = {post.target.media_id: post for post in posts}
    products = {kind: found[media_id].target.product for kind, media_id in made.items()}
    assert products == {"IMAGE": "FEED", "REELS": "REELS", "CAROUSEL_ALBUM": "CAROUSEL", "STORY": "STORY"}
    for post in posts:
        assert set(METRICS[post.target.product]) <= post.numbers.raw.keys()
        assert all(value is not None for value in post.numbers.raw.values()), post


async def test_what_is_shown_is_read_when_it_is_old_and_stored_when_it_is_young(stage: Stage) -> None:
    one = await measured(stage)
    media_id = await one.published(like_count=245)
    one.edit(media_id, views=5234, comments_count=18)
    shown = await one.insights.of_media(one.workspace_id, media_id)
    assert (shown.likes, shown.comments, shown.impressions, shown.impressions_source) == (245, 18, 5234, "views")
    assert (shown.reach, shown.saved, shown.shares) == (3716, 13, 7)
    assert (shown.engagement_rate, shown.engagement_rate_status) == (7.62, "ok")
    assert shown.engagement_rate_basis == "interactions/reach"
    one.edit(media_id, like_count=300)
    assert (await one.insights.of_media(one.workspace_id, media_id)).likes == 245
    stage.skip(timedelta(minutes=6))
    assert (await one.insights.of_media(one.workspace_id, media_id)).likes == 300
    assert len(one.asked()) == 2


async def test_many_who_ask_at_once_are_told_by_one_read(stage: Stage) -> None:
    one = await measured(stage)
    media_id = await one.published(like_count=8)
    shown = await asyncio.gather(*(one.insights.of_media(one.workspace_id, media_id) for _ in range(10)))
    assert {numbers.likes for numbers in shown} == {8}
    assert len(one.asked()) == 1


async def test_while_instagram_is_silent_the_last_numbers_are_shown_with_their_age(stage: Stage) -> None:
    one = await measured(stage)
    media_id = await one.published(like_count=7)
    one.fault("graph.insights", "status", status=500, times=None)
    with pytest.raises(Unreachable):
        await one.insights.of_media(one.workspace_id, media_id)
    stage.calm()
    at = stage.clock()
    await one.insights.of_media(one.workspace_id, media_id)
    stage.skip(2 * HOUR)
    one.fault("graph.insights", "status", status=500, times=None)
    shown = await one.insights.of_media(one.workspace_id, media_id)
    assert shown.likes == 7
    assert shown.captured_at is not None
    assert shown.captured_at - at < timedelta(minutes=1)


async def test_media_of_others_are_not_found(stage: Stage) -> None:
    one, other = await measured(stage), await measured(stage)
    media_id = await one.published()
    foreign = other.post()
    with pytest.raises(NotFound):
        await other.insights.of_media(other.workspace_id, media_id)
    with pytest.raises(NotFound):
        await other.insights.of_media(other.workspace_id, media_id, account_id=one.account_id)
    with pytest.raises(NotFound):
        await one.insights.of_media(one.workspace_id, foreign, account_id=one.account_id)
    with pytest.raises(NotFound):
        await one.insights.history(other.workspace_id, media_id)
    with pytest.raises(NotFound):
        await one.insights.of_account(other.workspace_id, one.account_id, date(2026, 11, 1), date(2026, 11, 2))
    with pytest.raises(NotFound):
        await one.insights.top(other.workspace_id, one.account_id)
    assert await other.insights.posts(other.workspace_id) == []
    assert (await other.insights.of_media(other.workspace_id, foreign, account_id=other.account_id)).likes > 0


async def test_a_metric_that_is_refused_by_name_does_not_lose_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(METRICS, Product.FEED, ("likes", "facebook_views", "reach", "plays", "views"))  # pyright: ignore[reportArgumentType] - a dict behind the mapping
    one = await measured(stage)
    media_id = await one.published(like_count=50)
    shown = await one.insights.of_media(one.workspace_id, media_id)
    assert (shown.likes, shown.raw["facebook_views"], shown.raw["plays"]) == (50, None, None)
    assert shown.reach > 0
    assert len(one.asked()) == 3
    assert await one.curve(media_id, "plays") == []
    other_post = await one.published(like_count=20)
    assert (await one.insights.of_media(one.workspace_id, other_post)).likes == 20
    assert len(one.asked()) == 4  # what was refused is remembered
    stage.skip(DAY + HOUR)
    await one.insights.of_media(one.workspace_id, media_id)
    assert len(one.asked()) == 7  # and asked for again a day later


async def test_a_metric_that_is_refused_without_a_name_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("likes", "reach", "views", "saved", "ig_reels_video_view_total_time", "shares")
    monkeypatch.setitem(METRICS, Product.FEED, names)  # pyright: ignore[reportArgumentType] - a dict behind the mapping
    one = await measured(stage)
    media_id = await one.published(like_count=50)
    shown = await one.insights.of_media(one.workspace_id, media_id)
    assert shown.likes == 50
    assert [name for name, value in shown.raw.items() if value is None] == ["ig_reels_video_view_total_time"]
    assert shown.shares == 1


async def test_numbers_that_instagram_does_not_tell_yet_are_unknown_and_not_zero(stage: Stage) -> None:
    stage.pretend.post("/reset", insights_delay_hours=10)
    one = await measured(stage)
    media_id = await one.published(like_count=0)
    stage.skip(2 * HOUR)
    await one.insights.collect_due()
    early = await one.insights.of_media(one.workspace_id, media_id)
    assert (early.likes, early.raw["likes"], early.engagement_rate_status) == (0, None, "no_denominator")
    assert early.impressions_source is None
    assert await one.insights.top(one.workspace_id, metric="likes") == []
    stage.skip(10 * HOUR)
    late = await one.insights.of_media(one.workspace_id, media_id)
    assert (late.likes, late.raw["likes"]) == (0, 0.0)
    assert [sample.value for sample in await one.curve(media_id, "likes")] == [None, 0.0]
    rows = list(await one.insights.export_posts(one.workspace_id))
    assert len(rows) == 2


async def test_a_storys_numbers_are_read_to_the_end_and_its_last_word_comes_by_webhook(stage: Stage) -> None:
    one = await measured(stage)
    story = one.post("STORY", timestamp=int(stage.clock().timestamp()))
    assert await one.insights.visit(one.account_id) > 0
    read = await one.pass_time(23 * HOUR)
    one.edit(story, like_count=400)
    read += await one.pass_time(2 * HOUR)
    assert 21 <= read <= 25
    last = (await one.curve(story, "reach"))[-1]
    vanishes = (await one.curve(story, "reach"))[0].captured_at + 23 * HOUR
    assert vanishes - HOUR < last.captured_at < vanishes
    taps = await one.insights.of_media(one.workspace_id, story)
    assert taps.raw["navigation.tap_forward"]

    assert await one.insights.heard(_vanished(one, story, stage.clock()), await stage.house.accounts.signers()) == 1
    stage.skip(3 * HOUR)
    shown = await one.insights.of_media(one.workspace_id, story)
    assert (shown.reach, shown.raw["replies"], shown.raw["navigation.tap_exit"]) == (81, 3.0, 9.0)
    assert shown.raw["navigation.tap_back"] == taps.raw["navigation.tap_back"]  # -1 says nothing new
    curve = await one.curve(story, "reach")
    assert (curve[-1].value, curve[-1].source, curve[-1].captured_at > last.captured_at) == (81.0, "webhook", True)
    again = await one.insights.heard(_vanished(one, story, stage.clock()), await stage.house.accounts.signers())
    assert (again, len(await one.curve(story, "reach"))) == (0, len(curve))
    assert await one.pass_time(2 * HOUR) == 0


async def test_a_story_that_nobody_here_knew_is_kept_from_its_webhook(stage: Stage) -> None:
    one = await measured(stage)
    change = _vanished(one, "17999999999999999", stage.clock())
    assert await one.insights.heard(change, ()) == 0  # signed by nobody who speaks for the account
    signers = await stage.house.accounts.signers()
    assert await one.insights.heard(replace(change, field="comments"), signers) == 0
    assert await one.insights.heard(change, signers) == 1
    shown = await one.insights.of_media(one.workspace_id, "17999999999999999")
    assert (shown.reach, shown.impressions, shown.impressions_source) == (81, 120, "impressions")
    stories = await one.insights.posts(one.workspace_id, products=(Product.STORY,))
    assert [post.target.media_id for post in stories] == ["17999999999999999"]
    assert one.asked() == []


def _vanished(one: Measured, story: str, at: datetime) -> Change:
    value: dict[str, object] = {
        "media_id": story, "impressions": 120, "reach": 81, "taps_forward": 60, "taps_back": -1, "exits": 9, "replies": 3,
    }  # fmt: skip
    return Change(one.user_id, "story_insights", story, None, at, value)


async def test_a_story_with_few_viewers_is_unknown_and_no_trouble_of_the_account(stage: Stage) -> None:
    stage.pretend.post("/reset", story_viewers=3)
    one = await measured(stage)
    story = await one.published("STORY")
    post = await one.published(like_count=5)
    stage.skip(2 * HOUR)
    done = await one.insights.collect_due()
    assert (done.read, done.failed) == (2, 0)
    assert {sample.value for sample in await one.curve(story, "reach")} == {None}
    assert (await one.insights.of_media(one.workspace_id, story)).reach == 0
    assert (await one.insights.of_media(one.workspace_id, post)).likes == 5
    assert (await one.account()).state is State.CONNECTED


async def test_an_account_day_by_day_and_what_was_missed_is_caught_up(stage: Stage) -> None:
    one = await measured(stage)
    since = (stage.clock() - 2 * DAY).astimezone(UTC).date()
    for _ in range(3):
        assert [account.id for account in await one.insights.due()] == [one.account_id]
        await one.insights.visit(one.account_id)
        assert await one.insights.due() == []
        stage.skip(DAY)
    stage.skip(3 * DAY)  # nobody is there
    await one.insights.visit(one.account_id)
    until = stage.clock().astimezone(UTC).date() - DAY
    series = await one.insights.of_account(one.workspace_id, one.account_id, since, until)

    ended = [point for point in zip(series.reach, series.views, strict=True) if point[0].day < until]
    assert all(reach.value and views.value for reach, views in ended)
    assert {point.source for point in series.reach[:-1]} == {Source.API}
    known = [point for point in series.followers if point.value is not None]
    assert {point.value for point in known} == {1200}
    assert 2 <= len(known) <= 4
    assert [point.value for point in series.followers[:2]] == [None, None]  # no past is made up
    assert {point.value for point in series.followers_net} == {None, 0.0}
    assert series.captured_at is not None
    assert series.next_due is not None
    assert series.delay_hint == 2 * DAY
    assert not hasattr(series, "reach_total")


async def test_a_day_is_read_until_its_numbers_have_settled_and_then_no_more(stage: Stage) -> None:
    one = await measured(stage)
    await one.insights.capture_account(await one.account())
    first = len(one.asked())
    assert first == 32  # reach in two questions, and views day by day for a month
    stage.skip(DAY)
    await one.insights.capture_account(await one.account())
    second = len(one.asked()) - first
    assert 1 + 1 <= second <= 1 + 4  # the new day, and the last two again
    rows = list(await one.insights.export_account(one.workspace_id, one.account_id, date(2026, 1, 1), date(2026, 1, 3)))
    assert rows[0] == "day,followers,followers_net,reach,views,captured_at\r\n"
    assert rows[1] == "2026-01-01,,,,,\r\n"
    assert len(rows) == 4


async def test_trouble_with_one_account_stops_neither_the_others_nor_the_rest_of_its_posts(stage: Stage) -> None:
    one, limited, lost = await measured(stage), await measured(stage), await measured(stage)
    posts = [await each.published() for each in (one, limited, lost)]
    deleted = await one.published()
    one.delete(deleted)
    limited.fault("graph.insights", "rate_limit", times=1)
    stage.pretend.post("/tokens/revoke", access_token=lost.token, subcode=458)
    stage.skip(2 * HOUR)
    done = await one.insights.collect_due()
    assert (done.read, done.failed, done.accounts) == (1, 3, 3)
    assert len(await one.curve(posts[0], "likes")) == 1
    assert (await lost.account()).state is State.RECONNECT
    assert (await limited.account()).state is State.CONNECTED
    today = stage.clock().astimezone(UTC).date()
    series = await limited.insights.of_account(limited.workspace_id, limited.account_id, today, today)
    assert "too many calls" in (series.problem or "")
    asked = len(limited.asked())
    await one.pass_time(timedelta(minutes=10))
    assert len(limited.asked()) == asked  # left alone until Instagram's own time
    stage.skip(6 * HOUR)
    await one.insights.collect_due()
    assert len(await limited.curve(posts[1], "likes")) == 1
    series = await limited.insights.of_account(limited.workspace_id, limited.account_id, today, today)
    assert series.problem is None
    assert await lost.curve(posts[2], "likes") == []
    with pytest.raises(Reconnect):
        await lost.insights.of_media(lost.workspace_id, posts[2])
    await lost.reconnect()
    assert (await lost.insights.collect_due()).read >= 1
    assert len(await lost.curve(posts[2], "likes")) == 1


async def test_a_deleted_post_is_asked_for_some_hours_and_then_no_more(stage: Stage) -> None:
    one = await measured(stage)
    media_id = await one.published(like_count=9)
    await one.pass_time(2 * HOUR)
    one.delete(media_id)
    await one.pass_time(40 * HOUR, steps=HOUR)
    asked = len(one.asked())
    assert asked < 20
    await one.pass_time(20 * HOUR, steps=HOUR)
    assert len(one.asked()) == asked
    assert (await one.insights.of_media(one.workspace_id, media_id)).likes == 9


async def test_old_samples_are_thinned_to_the_last_of_each_day(stage: Stage) -> None:
    one = await measured(stage)
    media_id = await one.published()
    await one.pass_time(2 * DAY, steps=HOUR)
    before = await one.curve(media_id, "likes")
    assert await one.insights.thin() == 0
    stage.skip(95 * DAY)
    assert await one.insights.thin() > 0
    after = await one.curve(media_id, "likes")
    days = {sample.captured_at.date() for sample in before}
    assert [sample.captured_at for sample in after] == [
        max(sample.captured_at for sample in before if sample.captured_at.date() == day) for day in sorted(days)
    ]
    assert await one.insights.thin() == 0


async def test_days_go_as_a_whole_when_they_are_not_kept_any_more_and_last_numbers_stay(stage: Stage) -> None:
    one = await measured(stage)
    media_id = await one.published()
    await one.pass_time(3 * DAY, steps=HOUR)
    before = await one.curve(media_id, "likes")
    numbers = await one.insights.records.numbers(one.workspace_id, one.account_id, media_id)
    assert await one.insights.expire() == 0
    stage.skip(one.insights.policy.kept - DAY)
    assert await one.insights.expire() > 0
    first = (stage.clock() - one.insights.policy.kept).date()
    kept = [sample for sample in before if sample.captured_at.date() >= first]
    assert 0 < len(kept) < len(before)
    assert await one.curve(media_id, "likes") == kept
    assert await one.insights.expire() == 0
    stage.skip(2 * DAY)
    assert await one.insights.expire() > 0
    assert await one.curve(media_id, "likes") == []
    assert await one.insights.records.numbers(one.workspace_id, one.account_id, media_id) == numbers != {}


async def test_nothing_is_kept_of_an_account_that_was_let_go_or_erased(stage: Stage) -> None:
    one, other = await measured(stage), await measured(stage)
    media = [await each.published(like_count=3) for each in (one, other)]
    stage.skip(2 * HOUR)
    await one.insights.collect_due()
    await stage.house.accounts.disconnect(one.workspace_id, one.account_id)
    stage.skip(2 * HOUR)
    assert (await one.insights.collect_due()).accounts == 1
    assert (await one.insights.of_media(one.workspace_id, media[0])).likes == 3  # what was measured stays
    assert await one.insights.heard(_vanished(one, "1", stage.clock()), await stage.house.accounts.signers()) == 0
    await one.insights.erase(one.workspace_id, one.account_id)
    with pytest.raises(NotFound):
        await one.insights.of_media(one.workspace_id, media[0])
    await stage.house.access.remove(other.workspace_id)
    await other.insights.thin()
    assert await other.insights.records.history(other.workspace_id, other.account_id, media[1]) == []


async def test_the_best_come_first_and_the_unmeasured_nowhere(stage: Stage) -> None:
    one = await measured(stage)
    few, many, none = [await one.published(like_count=likes) for likes in (5, 50, 0)]
    stage.skip(2 * HOUR)
    await one.insights.collect_due()
    await one.published(like_count=999)
    top = await one.insights.top(one.workspace_id, one.account_id, metric="likes", limit=2)
    assert [post.target.media_id for post in top] == [many, few]
    worst = await one.insights.top(one.workspace_id, metric="likes", order="asc")
    assert [post.target.media_id for post in worst] == [none, few, many]
    assert await one.insights.top(one.workspace_id, until=stage.clock() - DAY) == []


async def test_best_hours_need_three_posts_before_they_claim_anything(stage: Stage) -> None:
    one = await measured(stage)
    monday = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
    for week, likes in enumerate((90, 100, 110)):
        one.post(timestamp=int((monday + 7 * week * DAY).timestamp()), like_count=likes)
    one.post(timestamp=int((monday + DAY).timestamp()), like_count=10_000)
    await one.insights.discover(await one.account())
    await one.insights.collect_due()
    found = await one.insights.best_hours(one.workspace_id, one.account_id, "Europe/Berlin", metric="likes")
    cells = {(cell.weekday, cell.hour): cell for cell in found.cells}
    assert (len(found.cells), found.n, found.best) == (168, 4, ())
    assert (cells[0, 9].n, cells[0, 9].mean, cells[0, 9].sure) == (3, 100.0, True)
    assert (cells[1, 9].n, cells[1, 9].sure) == (1, False)


async def test_the_jobs_do_the_same_as_the_methods(stage: Stage) -> None:
    one = await measured(stage)
    made = {job.name: job for job in jobs(one.insights)}
    assert {schedule.job for schedule in schedules(one.insights)} <= made.keys()
    media_id = one.post(timestamp=int(stage.clock().timestamp()), like_count=11)
    assert await made["insights.track"].run(one.account_id, media_id) == {"tracked": media_id}
    stage.skip(2 * HOUR)
    assert await made["insights.collect"].run() == {"read": 1, "failed": 0, "accounts": 1}
    assert (await made["insights.visit"].run(one.account_id))["new"] != 0
    assert await made["insights.thin"].run() == {"thinned": 0, "expired": 0}
    one.fault("graph.me", "rate_limit", times=1)
    stage.skip(DAY)
    with pytest.raises(Busy):
        await made["insights.visit"].run(one.account_id)
    assert await one.insights.due() == []  # it rests


async def test_the_daily_look_visits_each_account_once(stage: Stage) -> None:
    one, engine = await measured(stage), InlineEngine()
    insights = replace(one.insights, engine=engine)
    await engine.start(jobs(insights))
    for fresh in (True, False):
        looked = await engine.outcome(await engine.enqueue("insights.daily"), wait=20)
        queued = cast("list[str]", looked.result["queued"])
        assert len(queued) == int(fresh)
        for job_id in queued:
            done = await engine.outcome(job_id, wait=20)
            assert done.state is JobState.DONE
            assert done.result["new"]
    stage.skip(4 * HOUR)
    story = one.post("STORY", timestamp=int(stage.clock().timestamp()))
    assert [account.id for account in await insights.due()] == [one.account_id]
    await insights.visit(one.account_id)
    assert await insights.records.known(one.account_id) == {story}
    await engine.close()
