"""Twenty-four hours in which everything goes wrong that can: the feed answers at every step, with whole pictures."""

import random
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta

import pytest

from tests.walks.stage import Member, Stage, staged
from tintype.core.accounts import State
from tintype.errors import Trouble

STEP = timedelta(minutes=30)
STEPS = 48
POSTS = 8


@pytest.fixture
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged(feed_sync_minutes=30) as one:
        yield one


def edits(one: Member, ids: list[str], number: int) -> None:
    one.edit(ids[0], caption=f"edited at step {number}", picture=number)


def deletions(one: Member, ids: list[str], _number: int) -> None:
    one.delete(ids[-1])


def errors(one: Member, _ids: list[str], _number: int) -> None:
    one.fault("graph.media", "status", status=500, times=1)


def rate_limits(one: Member, _ids: list[str], _number: int) -> None:
    one.fault("graph.media", "rate_limit", times=1)


def expired_addresses(one: Member, ids: list[str], number: int) -> None:
    one.edit(ids[0], picture=number)
    one.fault("cdn.image", "expired_token", times=1)


def broken_pictures(one: Member, ids: list[str], number: int) -> None:
    one.edit(ids[1], picture=number)
    one.fault("cdn.image", "truncate", times=None)


def malformed_answers(one: Member, _ids: list[str], _number: int) -> None:
    one.fault("graph.media", "malformed", times=3)


def cut_connections(one: Member, _ids: list[str], _number: int) -> None:
    one.fault("graph.media", "reset", times=3)


def new_posts(one: Member, _ids: list[str], _number: int) -> None:
    one.post()


TROUBLES: tuple[Callable[[Member, list[str], int], None], ...] = (
    edits, deletions, errors, rate_limits, expired_addresses, broken_pictures, malformed_answers, cut_connections,
    new_posts,
)  # fmt: skip


async def test_a_day_of_trouble_breaks_no_answer_and_no_picture(stage: Stage) -> None:
    one = await stage.member(POSTS)
    chance = random.Random(7)
    alive = await one.ids()
    synced = 0
    for number in range(STEPS):
        chance.choice(TROUBLES)(one, _living(one), number + 1)
        if number == 2 * STEPS // 3:
            stage.pretend.post("/tokens/revoke", access_token=one.token, subcode=463)
        synced += await _synced(one)
        await one.assert_whole_feed()
        assert len(await one.ids()) >= 3
        stage.calm()
        stage.skip(STEP)
    assert synced >= STEPS / 3
    assert alive != await one.ids()
    account = await stage.house.accounts.get(one.workspace_id, one.account_id)
    assert account.state is State.RECONNECT
    assert (await one.read()).headers["x-feed-stale"] == "reconnect"


async def _synced(one: Member) -> bool:
    try:
        await one.sync()
    except Trouble:
        return False
    return True


def _living(one: Member) -> list[str]:
    """What this person shows on Instagram, newest first; asked with a token of its own, which outlives the account's."""
    pretend = one.stage.pretend
    headers = {"Authorization": f"Bearer {pretend.token(one.username)}", "Host": "graph.instagram.com"}
    answer = pretend.levers.get("/v25.0/me/media", params={"fields": "id", "limit": 100}, headers=headers)
    return [str(media["id"]) for media in answer.json()["data"]]
