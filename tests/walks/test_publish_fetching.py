"""Other people's servers that fail for a moment, just when a post's picture is fetched from them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.walks.posting import events, live, publish
from tests.walks.stage import Member, Stage, staged
from tintype.core.publishing import ENDED, Draft, Item, ItemKind, Moment, Post, Product, State
from tintype.errors import Kind

HOUR = timedelta(hours=1)
PASSING: list[dict[str, Any]] = [
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 429},
    {"kind": "truncate"},
]
LASTING: list[dict[str, Any]] = [{"kind": "status", "status": 404}, {"kind": "html", "status": 200}]


@pytest.fixture(scope="module")
async def house(anyio_backend: str) -> AsyncIterator[Stage]:
    del anyio_backend
    async with staged() as stage:
        yield stage


@pytest.fixture
def stage(house: Stage) -> Stage:
    house.calm()
    return house


@pytest.mark.parametrize("trouble", PASSING)
async def test_a_planned_post_outlives_a_server_that_fails_for_a_moment(stage: Stage, trouble: dict[str, Any]) -> None:
    one = await stage.member()
    post = await _planned(one)
    stage.pretend.fault("cdn.image", **trouble)
    post = await _ended(one, post)
    assert post.state is State.PUBLISHED, post.failure
    assert (await events(stage, post)).count("retry") == 1
    assert [item["id"] for item in live(one)] == [post.media_id]


async def test_a_server_that_goes_on_failing_is_the_senders_trouble_at_last(stage: Stage) -> None:
    one = await stage.member()
    post = await _planned(one)
    stage.pretend.fault("cdn.image", "status", status=500, times=None)
    post = await _ended(one, post)
    assert post.state is State.FAILED
    assert post.failure is not None
    assert (post.failure.kind, post.failure.retryable) == (Kind.INVALID, True)
    assert "failed to send the file (500)" in post.failure.message
    assert (await events(stage, post)).count("retry") == stage.house.publisher.resources.policy.tries - 1
    assert live(one) == []


@pytest.mark.parametrize("trouble", LASTING)
async def test_what_will_not_pass_ends_a_planned_post_at_once(stage: Stage, trouble: dict[str, Any]) -> None:
    one = await stage.member()
    post = await _planned(one)
    stage.pretend.fault("cdn.image", times=None, **trouble)
    post = await _ended(one, post)
    assert post.state is State.FAILED
    assert post.failure is not None
    assert post.failure.retryable is False
    assert "retry" not in await events(stage, post)


@pytest.mark.parametrize("trouble", PASSING)
async def test_who_waits_for_a_post_hears_at_once_and_may_try_again(stage: Stage, trouble: dict[str, Any]) -> None:
    one = await stage.member()
    picture = _elsewhere(one)
    stage.pretend.fault("cdn.image", **trouble)
    post = await publish(one, picture)
    assert post.state is State.FAILED
    assert post.failure is not None
    assert (post.failure.kind, post.failure.retryable) == (Kind.INVALID, True)
    publisher = stage.house.publisher
    await publisher.retry(one.workspace_id, post.id)
    post = await publisher.wait(one.workspace_id, post.id, 30)
    assert post.state is State.PUBLISHED, post.failure


async def _planned(one: Member) -> Post:
    moment = Moment(one.stage.clock() + HOUR)
    return await one.stage.house.publisher.create(one.workspace_id, one.account_id, _elsewhere(one), moment=moment)


async def _ended(one: Member, post: Post) -> Post:
    """Let the time that a post waits for come at once, until it has ended."""
    while post.state not in ENDED:
        if post.due_at is not None and post.due_at > one.stage.clock():
            one.stage.skip(post.due_at - one.stage.clock())
        one.stage.house.runner.wake()
        post = await one.stage.house.publisher.wait(one.workspace_id, post.id, 0.05)
    return post


def _elsewhere(one: Member) -> Draft:
    """A post whose picture lies on a server of its own: the one from which Instagram serves its pictures."""
    media_id = one.post()
    answer = one.stage.pretend.levers.get(
        f"/{media_id}",
        params={"fields": "media_url", "access_token": one.token},
        headers={"Host": "graph.instagram.com"},
    )
    url = str(answer.raise_for_status().json()["media_url"])
    return Draft(Product.IMAGE, (Item(ItemKind.PICTURE, url),), "From elsewhere")
