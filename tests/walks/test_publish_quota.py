"""A day's quota: never overshot however many posts are due in one minute, and what has no place goes out in order later."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta

import pytest

from tests.walks.posting import draft, events, live, publish
from tests.walks.stage import Member, Stage, staged
from tintype.core.publishing import ENDED, Moment, Post, Product, State

QUOTA = 10
POSTS = 30
DAY = timedelta(days=1)


@pytest.fixture
async def stage(anyio_backend: str) -> AsyncIterator[Stage]:
    """A house of its own: these walks take days, and Instagram allows little."""
    del anyio_backend
    async with staged(publish_settle_seconds=0.3) as opened:
        opened.pretend.post("/reset", seed=7, container_seconds=0, quota_total=QUOTA)
        yield opened


async def test_posts_of_one_minute_fill_the_quota_and_the_rest_go_out_in_order(stage: Stage) -> None:
    one = await stage.member()
    posts = await _planned(one, POSTS)
    assert live(one) == []

    stage.skip(timedelta(minutes=2))
    waiting = await _settled(one, posts)
    assert _words(one) == _captions(0, QUOTA)
    assert [post.id for post in waiting] == [post.id for post in posts[QUOTA:]]
    for post in waiting:
        assert post.reason is not None
        assert f"quota of {QUOTA}" in post.reason
        assert post.due_at is not None
        assert post.due_at - stage.clock() <= timedelta(hours=1)

    stage.skip(DAY)
    await _settled(one, posts)
    assert _words(one) == _captions(0, 2 * QUOTA)

    stage.skip(DAY)
    await _settled(one, posts)
    assert _words(one) == _captions(0, POSTS)
    _assert_nothing_refused(stage, one, POSTS)


async def test_a_quota_that_cannot_be_read_stops_nobody(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.limit", "status", status=500, times=None)
    post = await publish(one, draft(Product.IMAGE, "Nobody knows how many more"))
    assert post.state is State.PUBLISHED
    assert len(live(one)) == 1


async def test_a_full_account_disturbs_no_other(stage: Stage) -> None:
    full, other = await stage.member(), await stage.member()
    posts = await _planned(full, QUOTA + 5)
    stage.skip(timedelta(minutes=2))
    await _settled(full, posts)
    post = await publish(other, draft(Product.IMAGE, "Mine is empty"))
    assert post.state is State.PUBLISHED
    assert len(live(full)) == QUOTA
    quota = await stage.house.publisher.quota(other.workspace_id, other.account_id)
    assert (quota.used, quota.total, quota.remaining) == (1, QUOTA, QUOTA - 1)


async def test_a_post_that_is_called_back_gives_its_place_to_the_next(stage: Stage) -> None:
    stage.pretend.post("/reset", seed=7, container_seconds=3600, quota_total=2)
    one = await stage.member()
    publisher = stage.house.publisher
    held = [await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, f"{n}")) for n in range(3)]
    await _until(lambda: _states(one, held), [State.PROCESSING, State.PROCESSING, State.SCHEDULED])

    await publisher.cancel(one.workspace_id, held[0].id)
    stage.skip(timedelta(hours=1, minutes=1))
    await _until(lambda: _states(one, held), [State.CANCELLED, State.PUBLISHED, State.PROCESSING])


async def test_a_post_that_waits_with_its_container_has_a_place_before_it_goes_on_and_goes_first(stage: Stage) -> None:
    stage.pretend.post("/reset", seed=7, container_seconds=0, quota_total=1)
    one = await stage.member()
    publisher = stage.house.publisher
    one.fault("graph.publish", "status", code=9, subcode=2207042, status=400)
    first = await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "Burst 000"))
    await _until(lambda: _states(one, [first]), [State.READY])
    second = await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "Burst 001"))
    posts = [first, second]
    await _settled(one, posts)
    assert await _states(one, posts) == [State.READY, State.SCHEDULED]

    one.fault("graph.publish", "slow", delay_ms=1500)  # long enough for the other to be quicker
    stage.skip(timedelta(hours=1, minutes=1))
    await _settled(one, posts)
    assert _words(one) == _captions(0, 1)
    stage.skip(DAY)
    await _settled(one, posts)
    assert _words(one) == _captions(0, 2)
    assert [call["status"] for call in _publishes(one)] == [400, 200, 200]


async def test_a_post_that_waits_for_a_place_waits_for_it_with_a_new_token_too(stage: Stage) -> None:
    one = await stage.member()
    stage.skip(2 * DAY)
    await stage.house.accounts.refresh_due()
    stage.skip(2 * DAY)  # Instagram would renew its token again
    one.fault("graph.publish", "status", code=9, subcode=2207042, status=400)
    post = await stage.house.publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "Full"))
    await _until(lambda: _states(one, [post]), [State.READY])
    await _settled(one, [post])

    stage.pretend.levers.patch("/_world/settings", json={"quota_total": 0}).raise_for_status()
    one.fault("graph.limit", "expired_token")
    stage.skip(timedelta(hours=1, minutes=1))
    (waiting,) = await _settled(one, [post])
    assert "token.refreshed" in await events(stage, waiting)
    assert (waiting.state, waiting.reason) == (
        State.READY,
        "the account's publishing quota of 0 is used up; the post waits for the next place",
    )
    assert [call["status"] for call in _publishes(one)] == [400]


async def _planned(one: Member, count: int) -> Sequence[Post]:
    """So many posts for one minute from now."""
    due = Moment(one.stage.clock() + timedelta(minutes=1))
    return [
        await one.stage.house.publisher.create(
            one.workspace_id, one.account_id, draft(Product.IMAGE, caption), moment=due
        )
        for caption in _captions(0, count)
    ]


def _captions(first: int, end: int) -> Sequence[str]:
    return [f"Burst {number:03}" for number in range(first, end)]


def _words(one: Member) -> Sequence[str]:
    """What came onto Instagram so far, sorted."""
    return sorted(str(item["caption"]) for item in live(one))


async def _settled(one: Member, posts: Sequence[Post]) -> Sequence[Post]:
    """Wait until each of the posts has ended or waits for its next place; return those that wait."""
    publisher = one.stage.house.publisher

    async def waiting() -> Sequence[Post] | None:
        now = one.stage.clock()
        found = [await publisher.get(one.workspace_id, post.id) for post in posts]
        open_ = [post for post in found if post.state not in ENDED]
        return open_ if all(post.due_at and post.due_at > now and post.reason for post in open_) else None

    for _ in range(600):
        if (found := await waiting()) is not None:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("the posts never come to rest")


async def _states(one: Member, posts: Sequence[Post]) -> Sequence[State]:
    publisher = one.stage.house.publisher
    return [(await publisher.get(one.workspace_id, post.id)).state for post in posts]


async def _until(look: Callable[[], Awaitable[object]], wanted: object) -> None:
    found: object = None
    for _ in range(400):
        if (found := await look()) == wanted:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{found} and never {wanted}")


def _assert_nothing_refused(stage: Stage, one: Member, count: int) -> None:
    assert [call["status"] for call in _publishes(one)] == [200] * count


def _publishes(one: Member) -> Sequence[dict[str, object]]:
    return [call for call in one.calls() if str(call["path"]).endswith("/media_publish")]
