"""Trouble on the way to a post: dead tokens, dead containers, limits, people who change their mind, and processes that end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from tests.instagram.pretend import running
from tests.walks.posting import PICTURE, draft, events, live, publish
from tests.walks.stage import Clock, Member, Stage, opened, staged
from tintype.core.accounts import State as AccountState
from tintype.core.publishing import ENDED, CommentState, Draft, Item, ItemKind, Moment, Post, Product, State
from tintype.errors import Conflict, Kind, Reconnect
from tintype.events import AccountChanged, Event, PostFailed

HOUSE: dict[str, Any] = {"publish_settle_seconds": 0.3, "instagram_api_timeout_ms": 12000}
HOUR = timedelta(hours=1)
SLOW = 100  # seconds for a container, of the two minutes that are waited for a picture


# Before the fixture below: the engine is one per process, so no other house may be open meanwhile.
async def test_a_house_that_was_closed_goes_on_when_it_is_opened_again(tmp_path: Path) -> None:
    clock = Clock()
    with running() as pretend:
        pretend.post("/reset", seed=7, container_seconds=SLOW)
        async with opened(pretend, clock, data=tmp_path, **HOUSE) as stage:
            one = await stage.member()
            post = await _begun(one, draft(Product.CAROUSEL, "Before the night"))
            await _until(one, post, lambda now: now.state is State.PROCESSING)
        async with opened(pretend, clock, data=tmp_path, **HOUSE) as stage:
            one = replace(one, stage=stage)
            assert (await _now(one, post)).state is State.PROCESSING
            post = await _ended(one, post, finishing=True)
            assert post.state is State.PUBLISHED
            assert [item["id"] for item in live(one)] == [post.media_id]
            assert len(_creations(one)) == len(post.draft.items) + 1


@pytest.fixture(scope="module")
async def house(anyio_backend: str) -> AsyncIterator[Stage]:
    del anyio_backend
    async with staged(**HOUSE) as stage:
        yield stage


@pytest.fixture
def stage(house: Stage) -> Stage:
    """The house before a new world, in which containers are finished at once."""
    _world(house)
    return house


async def test_a_refused_token_is_renewed_once_and_the_post_goes_on(stage: Stage) -> None:
    one = await _with_a_young_token(stage)
    one.fault("graph.container", "expired_token")
    post = await publish(one, draft(Product.IMAGE, "With a new token"))
    assert post.state is State.PUBLISHED, post.failure
    assert (await events(stage, post)).count("token.refreshed") == 1
    assert len(live(one)) == 1
    assert await _standing(one) is AccountState.CONNECTED


@pytest.mark.parametrize("is_live", [True, False])
async def test_a_token_refused_at_the_publish_itself_is_renewed_and_the_container_is_read_first(
    stage: Stage, is_live: bool
) -> None:
    one = await _with_a_young_token(stage)
    one.fault("graph.publish", "error_after" if is_live else "status", code=190, subcode=463, status=400)
    one.fault("graph.container_status", "expired_token", after=1)
    post = await _ended(one, await _begun(one, draft(Product.IMAGE, "With a new token at last")))
    assert post.state is State.PUBLISHED, post.failure
    assert [item["id"] for item in live(one)] == [post.media_id]
    asked = [str(call["path"]).rpartition("/")[2] for call in one.calls()]
    first = asked.index("media_publish")
    assert asked.count("media_publish") == (1 if is_live else 2)
    read = [call for call in one.calls()[first:] if str(call["path"]).endswith(f"/{post.container_id}")]
    assert [call["status"] for call in read[:2]] == [400, 200]


async def test_a_token_renewed_in_vain_ends_the_post(stage: Stage) -> None:
    one = await _with_a_young_token(stage)
    one.fault("graph.container", "expired_token", times=None)
    post = await publish(one, draft(Product.IMAGE, "Twice refused"))
    assert post.state is State.FAILED
    assert (await events(stage, post)).count("token.refreshed") == 1
    assert len(_creations(one)) == 2
    assert await _standing(one) is AccountState.RECONNECT


async def test_a_revoked_token_fails_the_post_marks_the_account_and_touches_nobody_else(stage: Stage) -> None:
    one, other = await stage.member(), await stage.member()
    stage.announced.clear()
    stage.pretend.post("/tokens/revoke", access_token=one.token, subcode=458)
    post = await publish(one, draft(Product.IMAGE, "Revoked"))
    assert post.state is State.FAILED
    assert post.failure is not None
    assert post.failure.kind is Kind.RECONNECT
    assert post.failure.action
    assert live(one) == []
    assert await _standing(one) is AccountState.RECONNECT
    lost = AccountChanged(one.workspace_id, one.account_id, "reconnect")
    assert stage.events(AccountChanged) == [lost]
    assert [event.post_id for event in stage.events(PostFailed)] == [post.id]
    with pytest.raises(Reconnect):
        await _begun(one, draft(Product.IMAGE, "Not before somebody connects it"))
    assert (await publish(other, draft(Product.IMAGE, "Not revoked"))).state is State.PUBLISHED


async def test_a_dead_child_fails_the_whole_carousel_with_its_place(stage: Stage) -> None:
    one = await stage.member()
    broken = Item(ItemKind.VIDEO, "https://pictures.invalid/fail/2207076/two.mp4")
    post = await publish(one, replace(draft(Product.CAROUSEL, "Incomplete"), items=(PICTURE, broken, PICTURE)))
    assert post.state is State.FAILED
    assert post.failure is not None
    assert post.failure.position == 1
    assert post.failure.message.startswith("Item 2: ")
    assert post.failure.kind is Kind.INVALID
    assert live(one) == []
    assert len(_creations(one)) == 3


@pytest.mark.parametrize("product", [Product.CAROUSEL, Product.IMAGE])
@pytest.mark.parametrize("death", [{"status_code": "ERROR", "error_code": 2207053}, {"status_code": "EXPIRED"}])
async def test_containers_that_died_of_something_passing_are_made_anew(
    stage: Stage, product: Product, death: dict[str, object]
) -> None:
    _world(stage, container_seconds=SLOW)
    one = await stage.member()
    post = await _begun(one, draft(product, "Second set"))
    post = await _until(one, post, lambda now: now.state is State.PROCESSING)
    _change(stage, post.parts[-1].container_id, **death)
    post = await _until(one, post, lambda now: now.round == 1)
    post = await _ended(one, post, finishing=True)
    assert post.state is State.PUBLISHED
    assert "containers.renewed" in await events(stage, post)
    assert [item["id"] for item in live(one)] == [post.media_id]


async def test_what_instagram_cannot_fetch_is_tried_again_and_is_the_senders_mistake_at_last(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.container", "status", code=9004, subcode=2207052, status=400, times=None)
    post = await _ended(one, await _begun(one, draft(Product.IMAGE, "Out of reach")))
    assert post.state is State.FAILED
    assert post.failure is not None
    assert (post.failure.kind, post.failure.code, post.failure.subcode) == (Kind.INVALID, 9004, 2207052)
    assert len(_creations(one)) == stage.house.publisher.resources.policy.tries
    assert live(one) == []


async def test_what_instagram_can_fetch_at_the_second_try_is_published(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.container", "status", code=9004, subcode=2207052, status=400)
    post = await _ended(one, await _begun(one, draft(Product.IMAGE, "Within reach")))
    assert post.state is State.PUBLISHED
    assert len(live(one)) == 1


@pytest.mark.parametrize(
    ("product", "failure", "kind", "containers"),
    [
        (Product.IMAGE, 2207005, Kind.INVALID, 1),
        (Product.IMAGE, 2207009, Kind.INVALID, 1),
        (Product.IMAGE, 2207050, Kind.REFUSED, 1),
        (Product.IMAGE, 2207003, Kind.UNREACHABLE, 6),
        (Product.REEL, 2207026, Kind.INVALID, 1),
        (Product.REEL, 2207076, Kind.INVALID, 1),
        (Product.REEL, 2207077, Kind.INVALID, 3),
        (Product.STORY, 2207053, Kind.REFUSED, 3),
    ],
)
async def test_each_way_in_which_media_fail_is_told_as_what_it_is(
    stage: Stage, product: Product, failure: int, kind: Kind, containers: int
) -> None:
    one = await stage.member()
    what = draft(product, "Failing")
    url = f"https://pictures.invalid/fail/{failure}/file"
    post = await _begun(one, replace(what, items=(replace(what.items[0], url=url),)))
    post = await _ended(one, post)
    assert post.state is State.FAILED
    assert post.failure is not None
    assert (post.failure.subcode, post.failure.kind) == (failure, kind)
    assert post.failure.action
    assert len(_creations(one)) == containers
    assert live(one) == []


async def test_a_rate_limit_makes_the_post_wait_as_long_as_instagram_says(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.container", "rate_limit")
    post = await _begun(one, draft(Product.IMAGE, "In a while"))
    post = await _until(one, post, lambda now: now.state is State.CREATING and now.reason is not None)
    assert post.due_at is not None
    assert timedelta(minutes=15) < post.due_at - stage.clock() < timedelta(minutes=25)
    assert len(_creations(one)) == 1
    post = await _ended(one, post)
    assert post.state is State.PUBLISHED
    assert len(live(one)) == 1
    assert len(_creations(one)) == 2


async def test_a_post_called_back_while_instagram_works_on_it_is_never_published(stage: Stage) -> None:
    _world(stage, container_seconds=SLOW)
    one = await stage.member()
    post = await _begun(one, draft(Product.IMAGE, "Never mind"))
    await _until(one, post, lambda now: now.state is State.PROCESSING)
    post = await stage.house.publisher.cancel(one.workspace_id, post.id)
    assert post.state is State.CANCELLED
    _finish(stage, post)
    later = await _ended(one, await _begun(one, draft(Product.IMAGE, "This one")), finishing=True)
    assert [item["id"] for item in live(one)] == [later.media_id]
    assert (await _now(one, post)).state is State.CANCELLED


async def test_a_post_that_is_being_published_cannot_be_called_back(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.publish", "slow", delay_ms=700)
    post = await _begun(one, draft(Product.IMAGE, "Too late"))
    await _until(one, post, lambda now: now.state is State.PUBLISHING)
    with pytest.raises(Conflict):
        await stage.house.publisher.cancel(one.workspace_id, post.id)
    post = await _ended(one, post)
    assert post.state is State.PUBLISHED
    assert len(live(one)) == 1


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [{"kind": "lost"}],
        [{"kind": "error_after", "status": 500}],
        [{"kind": "error_after", "code": 20, "subcode": 1772107, "status": 400}],
        [{"kind": "hang"}],
        [{"kind": "lost"}, {"kind": "status", "status": 500, "times": 4}],
        [{"kind": "status", "status": 503, "times": 3}],
        [{"kind": "status", "status": 400, "code": 100, "subcode": 33, "times": 3}],
        [{"kind": "lost"}, {"kind": "status", "status": 400, "code": 100, "subcode": 33, "times": 3}],
    ],
    ids=lambda faults: "-".join(str(fault.get("subcode", fault["kind"])) for fault in faults) or "none",
)
async def test_the_first_comment_is_written_exactly_once(stage: Stage, faults: Sequence[dict[str, Any]]) -> None:
    one = await stage.member()
    for fault in faults:
        one.fault("graph.comments", **fault)
    post = await publish(one, draft(Product.IMAGE, "Comment", first_comment="More in  the bio"))
    assert post.state is State.PUBLISHED
    post = await _rested(one, post)
    written = _comments(one, post)
    assert [comment["text"] for comment in written] == ["More in  the bio"]
    assert (post.comment_state, post.comment_id) == (CommentState.SENT, written[0]["id"])
    assert post.permalink


async def test_a_comment_that_is_refused_does_not_make_the_live_post_fail(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.comments", "status", code=10, status=400, times=None)
    post = await _rested(one, await publish(one, draft(Product.REEL, "Alone", first_comment="Not allowed")))
    assert (post.state, post.comment_state) == (State.PUBLISHED, CommentState.FAILED)
    assert post.permalink


async def test_a_permalink_that_cannot_be_read_at_first_comes_later(stage: Stage) -> None:
    _world(stage, unreadable_after_publish=3)
    one = await stage.member()
    post = await publish(one, draft(Product.IMAGE, "Fresh"))
    assert (post.state, post.permalink) == (State.PUBLISHED, None)
    post = await _rested(one, post)
    assert post.state is State.PUBLISHED
    assert post.permalink == live(one)[0]["permalink"]


async def test_who_tries_again_while_the_failure_is_still_told_hears_of_the_second_end(stage: Stage) -> None:
    one = await stage.member()
    heard, go_on = asyncio.Event(), asyncio.Event()

    async def linger(event: Event) -> None:
        if isinstance(event, PostFailed):
            heard.set()
            await go_on.wait()

    leave = stage.house.backends.bus.subscribe(linger)
    one.fault("graph.publish", "status", code=25, subcode=2207050, status=400)
    publisher = stage.house.publisher
    post = await _begun(one, draft(Product.IMAGE, "At the second try"))
    await heard.wait()
    assert (await publisher.retry(one.workspace_id, post.id)).state is State.SCHEDULED
    second = await publisher.wait(one.workspace_id, post.id, 20)
    go_on.set()
    leave()
    assert second.state is State.PUBLISHED
    assert [item["id"] for item in live(one)] == [second.media_id]


async def test_a_scheduled_post_is_published_at_its_time_and_not_before(stage: Stage) -> None:
    one = await stage.member()
    at = stage.clock() + HOUR
    post = await _begun(one, draft(Product.IMAGE, "At nine"), moment=Moment(at, "Europe/Berlin"))
    stage.skip(HOUR - timedelta(minutes=1))
    stage.house.runner.wake()
    early = await publish(one, draft(Product.IMAGE, "Before nine"))
    assert (await _now(one, post)).state is State.SCHEDULED
    stage.skip(timedelta(minutes=1))
    post = await _until(one, post, lambda now: now.state is State.PUBLISHED)
    assert post.published_at is not None
    assert timedelta(0) <= post.published_at - at < timedelta(seconds=30)
    assert [item["id"] for item in live(one)] == [early.media_id, post.media_id]


def _world(stage: Stage, **settings: object) -> None:
    """Begin a new world at the present moment."""
    chosen = {"container_seconds": 0, **settings}
    stage.pretend.post("/reset", seed=7, now=stage.clock().timestamp(), **chosen)


async def _with_a_young_token(stage: Stage) -> Member:
    """Somebody whose token was refreshed two days ago, so that Instagram would do so again."""
    one = await stage.member()
    stage.skip(timedelta(days=2))
    await stage.house.accounts.refresh_due()
    stage.skip(timedelta(days=2))
    return one


async def _begun(one: Member, what: Draft, **more: Any) -> Post:
    return await one.stage.house.publisher.create(one.workspace_id, one.account_id, what, **more)


async def _now(one: Member, post: Post) -> Post:
    return await one.stage.house.publisher.get(one.workspace_id, post.id)


async def _until(
    one: Member, post: Post, so: Callable[[Post], bool], *, skipping: bool = False, finishing: bool = False
) -> Post:
    """Wait until a post is as it should be; while `skipping` the time it waits for comes at once, while `finishing` its
    containers are finished at once."""
    for _ in range(600):
        post = await _now(one, post)
        if so(post):
            return post
        if finishing and post.state is State.PROCESSING:
            _finish(one.stage, post)
        pause = post.due_at - one.stage.clock() if post.due_at else timedelta(0)
        if skipping and pause > timedelta(0):
            one.stage.skip(pause)
        one.stage.house.runner.wake()
        await asyncio.sleep(0.03)
    raise AssertionError(f"post {post.id} stays {post.state}: {post.reason}")


async def _ended(one: Member, post: Post, *, finishing: bool = False) -> Post:
    return await _until(one, post, lambda now: now.state in ENDED, skipping=True, finishing=finishing)


async def _rested(one: Member, post: Post) -> Post:
    """Wait until nothing happens to a post by itself any more."""
    return await _until(one, post, lambda now: now.due_at is None, skipping=True)


async def _standing(one: Member) -> AccountState:
    return (await one.stage.house.accounts.get(one.workspace_id, one.account_id)).state


def _creations(one: Member) -> Sequence[dict[str, object]]:
    """The calls that asked for a container."""
    return [call for call in one.calls() if call["method"] == "POST" and str(call["path"]).endswith("/media")]


def _comments(one: Member, post: Post) -> Sequence[dict[str, Any]]:
    """What is really written below a post."""
    query = {"access_token": one.token, "fields": "id,text"}
    answer = one.stage.pretend.levers.get(f"/{post.media_id}/comments", params=query)
    return cast("list[dict[str, Any]]", answer.raise_for_status().json()["data"])


def _finish(stage: Stage, post: Post) -> None:
    for container_id in {post.container_id, *(part.container_id for part in post.parts)} - {None}:
        _change(stage, container_id, status_code="FINISHED")


def _change(stage: Stage, container_id: str | None, **changes: object) -> None:
    stage.pretend.levers.patch(f"/_world/containers/{container_id}", json=changes).raise_for_status()
