"""Twenty-four hours in which everything goes wrong that can: the feed answers at every step, with whole pictures."""

import random
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta

import pytest

from tests.walks.stage import Member, Stage, staged
from tintype.core.accounts import State
from tintype.errors import Trouble

STEP = timedelta(hours=1)
STEPS = 24
POSTS = 6
FEWEST = 4  # posts that stay on Instagram

Living = list[str]  # what is on Instagram, newest first


@pytest.fixture
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged(feed_sync_minutes=30) as one:
        yield one


def edits(one: Member, living: Living, number: int) -> None:
    one.edit(living[0], caption=f"edited at step {number}", picture=number)


def deletions(one: Member, living: Living, _number: int) -> None:
    if len(living) > FEWEST:
        one.delete(living.pop())


def new_posts(one: Member, living: Living, _number: int) -> None:
    living.insert(0, one.post())


def errors(one: Member, _living: Living, _number: int) -> None:
    one.fault("graph.media", "status", status=500, times=3)


def rate_limits(one: Member, _living: Living, _number: int) -> None:
    one.fault("graph.media", "rate_limit", times=1)


def expired_addresses(one: Member, living: Living, number: int) -> None:
    one.edit(living[0], picture=number)
    one.fault("cdn.image", "expired_token", times=1)


def broken_pictures(one: Member, living: Living, number: int) -> None:
    one.edit(living[1], picture=number)
    one.fault("cdn.image", "truncate", times=None)


def malformed_answers(one: Member, _living: Living, _number: int) -> None:
    one.fault("graph.media", "malformed", times=1)


def cut_connections(one: Member, _living: Living, _number: int) -> None:
    one.fault("graph.media", "reset", times=1)


TROUBLES: tuple[Callable[[Member, Living, int], None], ...] = (
    edits, deletions, errors, rate_limits, expired_addresses, broken_pictures, malformed_answers, cut_connections,
    new_posts,
)  # fmt: skip


async def test_a_day_of_trouble_breaks_no_answer_and_no_picture(stage: Stage) -> None:
    one = await stage.member(POSTS)
    chance = random.Random(7)
    living = await one.ids()
    seen: set[str] = set()
    synced = 0
    order = [trouble for _ in range(3) for trouble in chance.sample(TROUBLES, len(TROUBLES))]
    for number, trouble in enumerate(order[:STEPS], 1):
        trouble(one, living, number)
        if number == 3 * STEPS // 4:
            stage.pretend.post("/tokens/revoke", access_token=one.token, subcode=463)
        synced += await _synced(one)
        await _assert_whole(one, seen)
        stage.calm()
        stage.skip(STEP)
    assert synced >= STEPS / 2
    assert len(seen) > POSTS
    account = await stage.house.accounts.get(one.workspace_id, one.account_id)
    assert account.state is State.RECONNECT
    assert (await one.read()).headers["x-feed-stale"] == "reconnect"

    # A person connects it again, and the feed is what Instagram shows.
    await one.reconnect()
    for _ in range(4):
        await one.sync(deep=True)
        stage.skip(2 * STEP)
    assert await one.ids() == living
    await one.assert_whole_feed()


async def _assert_whole(one: Member, seen: set[str]) -> None:
    photos = await one.photos()
    assert len(photos) >= FEWEST
    for url in {str(photo["mediaUrl"]) for photo in photos}:
        if one.is_own(url):
            assert await one.stage.status(url) == 200
        if one.is_own(url) and url not in seen:
            await one.stage.assert_whole(url)
            seen.add(url)


async def _synced(one: Member) -> bool:
    try:
        await one.sync()
    except Trouble:
        return False
    return True
