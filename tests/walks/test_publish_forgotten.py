"""A container that Instagram forgot, or that became too old, was not published: the post gets a new one, and is on Instagram once."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.walks.posting import draft, events, live, publish
from tests.walks.stage import Member, Stage, staged
from tintype.backends.outbound import Answer, Outgoing, Policy
from tintype.core.publishing import ENDED, Post, Product, State

DAY = timedelta(days=1)
GONE = [(24, 2207006), (24, 2207008), (-2, 2207020)]
UNREADABLE: dict[str, Any] = {"kind": "status", "code": 100, "subcode": 33, "status": 400}


@pytest.fixture(scope="module")
async def house(anyio_backend: str) -> AsyncIterator[Stage]:
    del anyio_backend
    async with staged(publish_settle_seconds=0.3, instagram_api_timeout_ms=12000) as stage:
        yield stage


@pytest.fixture
def stage(house: Stage) -> Stage:
    """The house before a new world, in which containers are finished at once."""
    _world(house)
    return house


@pytest.mark.parametrize("numbers", GONE)
@pytest.mark.parametrize("product", [Product.IMAGE, Product.CAROUSEL])
async def test_a_container_that_became_too_old_while_its_post_waited_is_replaced(
    stage: Stage, product: Product, numbers: tuple[int, int]
) -> None:
    one = await stage.member()
    one.fault("graph.publish", "status", code=9, subcode=2207042, status=400)
    post = await _begun(one, product, "A day later")
    post = await _until(one, post, lambda now: now.state is State.READY and now.due_at is not None and _waits(one, now))
    _refused(one, numbers)
    stage.skip(DAY + timedelta(hours=1))
    post = await _ended(one, post)
    assert post.state is State.PUBLISHED, (post.failure, post.reason)
    assert [item["id"] for item in live(one)] == [post.media_id]
    assert post.round == 1


@pytest.mark.parametrize("numbers", GONE)
async def test_a_container_that_cannot_be_read_any_more_either_is_replaced(
    stage: Stage, numbers: tuple[int, int]
) -> None:
    one = await stage.member()
    _refused(one, numbers)
    one.fault("graph.container_status", **UNREADABLE, after=1, times=4)
    post = await _ended(one, await _begun(one, Product.IMAGE, "Forgotten"))
    assert post.state is State.PUBLISHED, (post.failure, post.reason)
    assert [item["id"] for item in live(one)] == [post.media_id]
    assert post.round == 1


async def test_one_that_can_be_read_again_is_published_itself(stage: Stage) -> None:
    one = await stage.member()
    _refused(one, GONE[0])
    one.fault("graph.container_status", **UNREADABLE, after=1, times=2)
    post = await _ended(one, await _begun(one, Product.IMAGE, "Found again"))
    assert post.state is State.PUBLISHED, (post.failure, post.reason)
    assert [item["id"] for item in live(one)] == [post.media_id]
    assert post.round == 0


@pytest.mark.parametrize("readable", [True, False])
async def test_it_is_not_replaced_while_something_looks_like_the_post(stage: Stage, readable: bool) -> None:
    one = await stage.member()
    lookalike = one.post(caption="Seen already", timestamp=int(stage.clock().timestamp()) + 1)
    _refused(one, GONE[0], times=None)
    if not readable:
        one.fault("graph.container_status", **UNREADABLE, after=1, times=None)
    post = await _ended(one, await _begun(one, Product.IMAGE, "Seen already"))
    assert post.state is State.UNLINKED
    assert [candidate.media_id for candidate in post.candidates] == [lookalike]
    assert live(one) == []
    assert _made(one) == 1


async def test_what_another_that_looks_the_same_is_about_to_be_told_of_is_not_taken_for_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, answered = await stage.member(), anyio.Event()
    outbound, publisher = stage.house.backends.outbound, stage.house.publisher
    send, sent = outbound.send, anyio.Event()

    async def late(request: Outgoing, policy: Policy) -> Answer:
        answer = await send(request, policy)
        if request.url.endswith("/media_publish") and not sent.is_set():
            sent.set()  # it is live, and nobody here knows
            await answered.wait()
        return answer

    monkeypatch.setattr(outbound, "send", late)
    first = await _begun(one, Product.IMAGE, "Both at once")
    await sent.wait()
    _refused(one, GONE[0])
    one.fault("graph.container_status", **UNREADABLE, after=1, times=8)
    second = await _begun(one, Product.IMAGE, "Both at once")
    while (second := await publisher.get(one.workspace_id, second.id)).state not in ENDED and second.tries < 6:
        await _held(one, first)
        if second.due_at is not None and (pause := second.due_at - stage.clock()) > timedelta(0):
            stage.skip(pause)
        stage.house.runner.wake()
        await anyio.sleep(0.03)
    assert second.state is State.RECONCILING
    answered.set()
    ends = [await _ended(one, post) for post in (first, second)]
    assert [post.state for post in ends] == [State.PUBLISHED, State.PUBLISHED], ends[1].reason
    assert sorted(str(post.media_id) for post in ends) == sorted(item["id"] for item in live(one))


@pytest.mark.parametrize("numbers", GONE)
@pytest.mark.parametrize("readable", [True, False])
async def test_what_is_forgotten_again_and_again_fails_the_post_in_the_end(
    stage: Stage, numbers: tuple[int, int], readable: bool
) -> None:
    one = await stage.member()
    _refused(one, numbers, times=None)
    if not readable:
        one.fault("graph.container_status", **UNREADABLE, after=1, times=4)
    post = await _ended(one, await _begun(one, Product.IMAGE, "Never found"))
    assert post.state is State.FAILED
    assert post.failure is not None
    assert post.failure.action
    assert live(one) == []
    assert _made(one) == stage.house.publisher.resources.policy.rounds


@pytest.mark.parametrize("numbers", [None, *GONE])
async def test_a_child_that_became_too_old_before_its_carousel_is_replaced_with_the_others(
    stage: Stage, numbers: tuple[int, int] | None
) -> None:
    _world(stage, container_seconds=100)
    one = await stage.member()
    post = await _begun(one, Product.CAROUSEL, "Too old a child")
    post = await _until(one, post, lambda now: now.state is State.PROCESSING)
    _change(stage, post.parts[0].container_id, "FINISHED")
    post = await _until(one, post, lambda now: now.parts[0].finished)
    if numbers is not None:
        one.fault("graph.container", "status", code=numbers[0], subcode=numbers[1], status=400)
    for part, status in zip(post.parts, ["EXPIRED", *["FINISHED"] * (len(post.parts) - 1)], strict=True):
        _change(stage, part.container_id, status)
    post = await _until(one, post, lambda now: now.round == 1)
    _world_is_quick(stage)
    post = await _ended(one, post)
    assert post.state is State.PUBLISHED, (post.failure, post.reason)
    assert [item["id"] for item in live(one)] == [post.media_id]
    assert post.round == 1


async def test_children_that_instagram_does_not_take_although_they_are_finished_are_replaced_at_last(
    stage: Stage,
) -> None:
    one = await stage.member()
    parts, tries = len(draft(Product.CAROUSEL).items), stage.house.publisher.resources.policy.tries
    one.fault("graph.container", "status", code=9007, subcode=2207027, status=400, after=parts, times=tries)
    post = await _ended(one, await _begun(one, Product.CAROUSEL, "Together at last"))
    assert post.state is State.PUBLISHED, (post.failure, post.reason)
    assert [item["id"] for item in live(one)] == [post.media_id]
    assert (post.round, _made(one)) == (1, 2 * parts + tries + 1)


@pytest.mark.parametrize("product", [Product.IMAGE, Product.CAROUSEL])
async def test_a_container_that_cannot_be_read_before_anything_was_published_is_replaced(
    stage: Stage, product: Product
) -> None:
    one = await stage.member()
    reads = 1 if product is Product.IMAGE else len(draft(Product.CAROUSEL).items)
    one.fault("graph.container_status", **UNREADABLE, times=6 * reads)
    post = await _ended(one, await _begun(one, product, "Lost early"))
    assert post.state is State.PUBLISHED, (post.failure, post.reason)
    assert [item["id"] for item in live(one)] == [post.media_id]
    assert post.round == 1


async def test_nobody_waits_for_nothing(stage: Stage) -> None:
    one = await stage.member()
    post = await publish(one, draft(Product.IMAGE, "As ever"))
    assert post.state is State.PUBLISHED
    assert "containers.renewed" not in await events(stage, post)


def _world(stage: Stage, **settings: object) -> None:
    """Begin a new world at the present moment."""
    stage.calm()
    chosen = {"container_seconds": 0, **settings}
    stage.pretend.post("/reset", seed=7, now=stage.clock().timestamp(), **chosen)


def _world_is_quick(stage: Stage) -> None:
    stage.pretend.levers.patch("/_world/settings", json={"container_seconds": 0}).raise_for_status()


def _refused(one: Member, numbers: tuple[int, int], times: int | None = 1) -> None:
    one.fault("graph.publish", "status", code=numbers[0], subcode=numbers[1], status=400, times=times)


def _waits(one: Member, post: Post) -> bool:
    return post.due_at is not None and post.due_at - one.stage.clock() > timedelta(minutes=1)


def _made(one: Member) -> int:
    """How many containers were asked for."""
    return sum(call["method"] == "POST" and str(call["path"]).endswith("/media") for call in one.calls())


def _change(stage: Stage, container_id: str | None, status: str) -> None:
    stage.pretend.levers.patch(f"/_world/containers/{container_id}", json={"status_code": status}).raise_for_status()


async def _begun(one: Member, product: Product, caption: str) -> Post:
    return await one.stage.house.publisher.create(one.workspace_id, one.account_id, draft(product, caption))


async def _held(one: Member, post: Post) -> None:
    """Keep a post with whoever moves it while time passes at once."""
    records = one.stage.house.publisher.resources.records
    held = await one.stage.house.publisher.get(one.workspace_id, post.id)
    assert await records.renew(held, one.stage.clock() + DAY)


async def _until(one: Member, post: Post, so: Callable[[Post], bool], *, skipping: bool = False) -> Post:
    """Wait until a post is as it should be; while `skipping` the time it waits for comes at once."""
    for _ in range(900):
        post = await one.stage.house.publisher.get(one.workspace_id, post.id)
        if so(post):
            return post
        pause = post.due_at - one.stage.clock() if post.due_at else timedelta(0)
        if skipping and pause > timedelta(0):
            one.stage.skip(pause)
        one.stage.house.runner.wake()
        await anyio.sleep(0.03)
    raise AssertionError(f"post {post.id} stays {post.state}: {post.reason}")


async def _ended(one: Member, post: Post) -> Post:
    return await _until(one, post, lambda now: now.state in ENDED, skipping=True)
