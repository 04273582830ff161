"""The same numbers with the other login, on the other database, and without the permission to see them."""

from collections.abc import AsyncGenerator
from datetime import UTC, date, timedelta

import pytest

from tests.servers import postgres_server
from tests.walks.measured import measured
from tests.walks.stage import Stage, staged
from tintype.backends.vault import new_key
from tintype.core.accounts import State
from tintype.core.insights import Formula, Policy, Product, schedules
from tintype.errors import Forbidden
from tintype.instagram import Login

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged() as one:
        yield one


@pytest.fixture
async def shared(anyio_backend: str) -> AsyncGenerator[Stage]:
    """A house whose database is Postgres."""
    del anyio_backend
    with postgres_server() as url:
        async with staged(database_url=url, encryption_key=new_key()) as one:
            yield one


async def test_numbers_come_through_facebooks_login_as_well(stage: Stage) -> None:
    one = await measured(stage, Policy(Formula.FOLLOWERS), login=Login.FACEBOOK_LOGIN, followers=1000)
    made = [one.post(kind, like_count=40) for kind in ("IMAGE", "REELS", "STORY")]
    assert await one.insights.visit(one.account_id) > 3
    shown = await one.insights.of_media(one.workspace_id, made[0])
    assert (shown.likes, shown.engagement_rate_basis) == (40, "interactions/followers")
    assert shown.engagement_rate == pytest.approx((40 + shown.comments + shown.shares + shown.saved) / 10, abs=0.005)
    today = stage.clock().astimezone(UTC).date()
    series = await one.insights.of_account(one.workspace_id, one.account_id, today - 3 * DAY, today)
    assert series.followers[-1].value == 1000
    assert series.reach[0].value
    assert (await one.account()).followers_count == 1000


async def test_postgres_keeps_the_same_numbers(shared: Stage) -> None:
    one, other = await measured(shared), await measured(shared)
    post, story = await one.published(like_count=5), await one.published("STORY")
    await other.published()
    await one.insights.discover(await one.account())
    assert await one.pass_time(26 * HOUR, steps=HOUR / 2) > 60
    one.edit(post, like_count=50)
    shared.skip(2 * HOUR)
    assert (await one.insights.of_media(one.workspace_id, post)).likes == 50
    assert (await one.insights.of_media(one.workspace_id, story)).raw["navigation.tap_back"]
    assert [one.target.media_id for one in await one.insights.top(one.workspace_id, metric="likes")] == [post]
    assert len(await one.insights.posts(one.workspace_id, one.account_id, products=tuple(Product))) == 2

    assert await one.insights.visit(one.account_id) > 30
    today = shared.clock().astimezone(UTC).date()
    series = await one.insights.of_account(one.workspace_id, one.account_id, today - 10 * DAY, today)
    assert len([point for point in series.reach if point.value]) >= 8
    assert len(list(await one.insights.export_posts(one.workspace_id))) == 3

    before = len(await one.curve(post, "likes"))
    shared.skip(91 * DAY)
    assert await one.insights.thin() > 0
    assert 2 <= len(await one.curve(post, "likes")) <= 3 < before
    again = await one.insights.of_account(one.workspace_id, one.account_id, today - 10 * DAY, today)
    assert again.reach == series.reach
    await one.insights.erase(one.workspace_id)
    assert await one.insights.posts(one.workspace_id) == []
    assert len(await other.insights.posts(other.workspace_id)) == 1


async def test_an_account_that_withheld_the_permission_is_not_asked(stage: Stage) -> None:
    one = await measured(stage, scopes=frozenset({"instagram_business_basic"}))
    await one.published()
    stage.skip(2 * HOUR)
    assert (await one.insights.collect_due()).accounts == 0
    assert await one.insights.due() == []
    assert one.calls() == []


async def test_a_permission_that_is_missing_makes_an_account_rest_and_not_disconnected(stage: Stage) -> None:
    one = await measured(stage)
    media_id = await one.published()
    stage.skip(2 * HOUR)
    one.fault("graph.insights", "status", status=400, code=10, times=None)
    done = await one.insights.collect_due()
    assert (done.read, done.failed) == (0, 1)
    assert (await one.account()).state is State.CONNECTED
    asked = len(one.asked())
    await one.pass_time(4 * HOUR, steps=HOUR)
    assert len(one.asked()) == asked
    with pytest.raises(Forbidden):
        await one.insights.of_media(one.workspace_id, media_id)
    stage.calm()
    await one.pass_time(6 * HOUR, steps=HOUR)
    assert await one.curve(media_id, "likes") != []


async def test_where_nothing_is_collected_by_itself_numbers_are_read_when_somebody_asks(stage: Stage) -> None:
    one = await measured(stage, Policy(collects=False))
    assert [schedule.job for schedule in schedules(one.insights)] == ["insights.thin"]
    media_id = one.post(like_count=3)
    shown = await one.insights.of_media(one.workspace_id, media_id, account_id=one.account_id)
    assert shown.likes == 3
    empty = await one.insights.of_account(one.workspace_id, one.account_id, date(2026, 11, 1), date(2026, 11, 2))
    assert (empty.captured_at, empty.next_due) == (None, None)
