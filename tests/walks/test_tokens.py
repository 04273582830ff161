"""The life of a token: refreshed in time, tried daily when that fails, mourned aloud, and the feed outlives it."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from tests.walks.stage import Member, Stage, staged
from tintype.core.accounts import Account, State
from tintype.errors import Reconnect
from tintype.events import AccountChanged, AccountExpiring
from tintype.instagram import Login

DAY = timedelta(days=1)


@pytest.fixture
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    """A house of its own: these walks take months."""
    del anyio_backend
    async with staged() as one:
        yield one


async def test_a_token_is_refreshed_from_its_twentieth_day_on(stage: Stage) -> None:
    one = await stage.member(1)
    stage.skip(DAY * 1.1)
    await one.sync()
    assert _tries(stage) == 2  # at once, because its age was unknown and Instagram said too young; and a day later
    for _ in range(18):
        stage.skip(DAY)
        await one.sync()
    assert _tries(stage) == 2
    stage.announced.clear()
    stage.skip(3 * DAY)
    await one.sync()
    assert _tries(stage) == 3
    assert stage.events(AccountChanged) == [AccountChanged(one.workspace_id, one.account_id, "connected")]
    for _ in range(6):
        stage.skip(15 * DAY)
        await one.sync()
    assert (await _account(one)).state is State.CONNECTED


async def test_while_the_refresh_fails_the_old_token_serves_to_its_last_day(stage: Stage) -> None:
    one = await stage.member(1)
    stage.skip(DAY * 1.1)
    await one.sync()
    tries = _tries(stage)
    one.fault("oauth.refresh", "status", status=400, code=10, times=None)
    for day in range(54):
        stage.skip(DAY * 1.1)
        new = one.post() if day % 9 == 0 else (await one.ids())[0]
        await one.sync()
        assert (await one.ids())[0] == new
    assert 34 <= _tries(stage) - tries <= 40
    assert [event.days for event in stage.events(AccountExpiring)] == [14, 7, 3, 1]

    stage.skip(3 * DAY)
    with pytest.raises(Reconnect):
        await one.sync()
    assert (await _account(one)).state is State.RECONNECT
    answer = await one.read()
    assert len(answer.json()["data"]["photos"]) == 7
    assert answer.headers["x-feed-stale"] == "reconnect"
    await stage.assert_whole((await one.photos())[0]["mediaUrl"])


async def test_a_refresh_after_days_of_trouble_ends_the_warnings(stage: Stage) -> None:
    one = await stage.member(1)
    stage.skip(DAY * 1.1)
    await one.sync()
    one.fault("oauth.refresh", "status", status=500, times=None)
    stage.skip(50 * DAY)
    await stage.house.accounts.refresh_due()
    assert [event.days for event in stage.events(AccountExpiring)] == [14]
    stage.calm()
    stage.skip(DAY * 1.1)
    assert await stage.house.accounts.refresh_due() == 1
    stage.skip(10 * DAY)
    await one.sync()
    assert len(stage.events(AccountExpiring)) == 1


async def test_a_revoked_token_ends_the_connection_and_neither_the_feed_nor_the_others(stage: Stage) -> None:
    one, two = await stage.member(2), await stage.member(1)
    stage.skip(DAY * 1.1)
    await stage.house.accounts.refresh_due()
    one.post()
    stage.pretend.post("/tokens/revoke", access_token=one.token, subcode=458)
    stage.skip(21 * DAY)
    stage.announced.clear()

    assert await stage.house.accounts.refresh_due() == 1

    assert AccountChanged(one.workspace_id, one.account_id, "reconnect") in stage.announced
    assert AccountChanged(two.workspace_id, two.account_id, "connected") in stage.announced
    with pytest.raises(Reconnect):
        await one.sync()
    answer = await one.read()
    assert len(answer.json()["data"]["photos"]) == 2
    assert answer.headers["x-feed-stale"] == "reconnect"
    assert (await two.sync()).photos == 1
    assert "x-feed-stale" not in (await two.read()).headers


async def test_several_accounts_of_a_workspace_are_one_feed_newest_first(stage: Stage) -> None:
    one, other = await stage.member(), stage.person()
    second = await stage.house.accounts.add(
        one.workspace_id, Login.INSTAGRAM_LOGIN, other.username, app_secret="secret", token=other.token
    )
    posted = [one.post(), other.post(), one.post(), other.post()]
    report = await stage.house.feed.sync_workspace(one.workspace_id)
    assert report.photos == 4
    assert await one.ids() == posted[::-1]

    await stage.house.accounts.disconnect(one.workspace_id, second.id)
    assert await one.ids() == posted[::-1]
    await stage.house.feed.erase(one.workspace_id, second.id)
    assert await one.ids() == [posted[2], posted[0]]


def _tries(stage: Stage) -> int:
    return len([call for call in stage.pretend.calls() if call["path"] == "/refresh_access_token"])


async def _account(one: Member) -> Account:
    return await one.stage.house.accounts.get(one.workspace_id, one.account_id)
