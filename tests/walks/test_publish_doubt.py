"""Whatever Instagram does around `media_publish`, a post is on it exactly once, and nobody is told otherwise."""

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.walks.posting import draft, events, live, publish
from tests.walks.stage import Member, Stage, staged
from tintype.backends.outbound import Answer, Outgoing, Policy
from tintype.core.publishing import ENDED, Post, Product, State
from tintype.errors import Kind

SETTLE = 0.5


@pytest.fixture(scope="module")
async def stage() -> AsyncIterator[Stage]:
    async with staged(publish_settle_seconds=SETTLE, instagram_api_timeout_ms=4000) as opened:
        yield opened


LOST: Sequence[dict[str, Any]] = ({"kind": "lost"}, {"kind": "error_after"}, {"kind": "hang"}, {"kind": "reset"}, {"kind": "malformed"},
        {"kind": "html", "status": 502}, {"kind": "status", "code": 1, "status": 500},
        {"kind": "status", "code": 2, "status": 503})  # fmt: skip


@pytest.mark.parametrize(
    ("product", "fault"),
    [(Product.IMAGE, fault) for fault in LOST]
    + [(product, fault) for product in (Product.CAROUSEL, Product.REEL, Product.STORY) for fault in LOST[:2]],
    ids=lambda value: value.value if isinstance(value, Product) else "-".join(map(str, value.values())),
)
async def test_a_lost_answer_never_publishes_twice_and_never_loses_the_id(
    stage: Stage, product: Product, fault: dict[str, Any]
) -> None:
    one = await stage.member()
    one.fault("graph.publish", **fault)
    post = await publish(one, draft(product, f"Doubt {fault['kind']}"))
    assert post.state is State.PUBLISHED, (post.failure, post.reason)
    assert [item["id"] for item in live(one)] == [post.media_id]
    assert "publish.doubtful" in await events(stage, post)


@pytest.mark.parametrize("product", [Product.IMAGE, Product.STORY])
async def test_a_container_that_cannot_be_read_for_a_while_is_no_reason_to_publish_again(
    stage: Stage, product: Product
) -> None:
    one = await stage.member()
    one.fault("graph.publish", "lost")
    one.fault("graph.container_status", "status", code=100, subcode=33, status=400, after=2, times=2)
    post = await publish(one, draft(product, "Unreadable"))
    assert post.state is State.PUBLISHED
    assert [item["id"] for item in live(one)] == [post.media_id]


async def test_spam_words_behind_a_live_post_are_not_believed(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.publish", "error_after", code=4, subcode=2207051, status=400)
    post = await publish(one, draft(Product.IMAGE, "Suspected"))
    assert post.state is State.PUBLISHED, (post.reason, post.doubt, await events(stage, post))
    assert len(live(one)) == 1


async def test_spam_words_that_hold_end_the_post_and_let_the_account_rest(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.publish", "status", code=4, subcode=2207051, status=400)
    post = await publish(one, draft(Product.IMAGE, "Refused for spam"))
    assert post.state is State.FAILED
    assert post.failure is not None
    assert post.failure.kind is Kind.BUSY
    assert live(one) == []
    publisher = stage.house.publisher
    other = await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "After that"))
    later = stage.clock() + timedelta(hours=3)
    other = await _until(one, other, lambda now: now.due_at is not None and now.due_at > later)
    assert other.state is State.SCHEDULED


async def test_a_full_quota_behind_a_publish_makes_the_post_wait(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.publish", "status", code=9, subcode=2207042, status=400)
    publisher = stage.house.publisher
    post = await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "Too many today"))
    post = await _until(one, post, lambda now: "quota" in (now.reason or ""))
    assert post.state is State.READY
    assert live(one) == []


async def test_a_refusal_that_is_one_fails_the_post_with_what_to_do(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.publish", "status", code=25, subcode=2207050, status=400)
    post = await publish(one, draft(Product.IMAGE, "Restricted"))
    assert post.state is State.FAILED
    assert post.failure is not None
    assert (post.failure.code, post.failure.subcode) == (25, 2207050)
    assert post.failure.action
    assert live(one) == []


async def test_two_that_look_the_same_are_told_apart_after_a_lost_answer(stage: Stage) -> None:
    one = await stage.member()
    first = await publish(one, draft(Product.IMAGE, "Twins"))
    one.fault("graph.publish", "lost")
    second = await publish(one, draft(Product.IMAGE, "Twins"))
    assert (first.state, second.state) == (State.PUBLISHED, State.PUBLISHED)
    assert [item["id"] for item in live(one)] == [first.media_id, second.media_id]


async def test_one_in_doubt_waits_for_the_answer_of_another_that_looks_the_same(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other_answered = await stage.member(), anyio.Event()
    outbound = stage.house.backends.outbound
    send, sent = outbound.send, anyio.Event()

    async def late(request: Outgoing, policy: Policy) -> Answer:
        answer = await send(request, policy)
        if request.url.endswith("/media_publish") and not sent.is_set():
            sent.set()  # it is live, and nobody here knows
            await other_answered.wait()
        return answer

    monkeypatch.setattr(outbound, "send", late)
    publisher = stage.house.publisher
    first = await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "At the same time"))
    await sent.wait()
    one.fault("graph.publish", "lost")
    second = await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "At the same time"))
    second = await _until(one, second, lambda now: now.state is State.RECONCILING and now.tries > 0)
    other_answered.set()
    ends = [await publisher.wait(one.workspace_id, post.id, 30) for post in (first, second)]
    assert [post.state for post in ends] == [State.PUBLISHED, State.PUBLISHED], ends[1].reason
    assert sorted(str(post.media_id) for post in ends) == sorted(item["id"] for item in live(one))
    assert "publish.doubtful" not in await events(stage, first)


async def test_what_cannot_be_told_apart_is_left_to_a_person(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.publish", "lost")
    one.fault("graph.container_status", "hang", after=2, times=1)
    publisher = stage.house.publisher
    post = await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "Which one"))
    now = int(stage.clock().timestamp())
    twin = one.post(caption="Which one", timestamp=now + 1)
    post = await publisher.wait(one.workspace_id, post.id, 60)
    assert post.state is State.UNLINKED
    assert {candidate.media_id for candidate in post.candidates} == {twin, live(one)[0]["id"]}
    linked = await publisher.link(one.workspace_id, post.id, live(one)[0]["id"])
    assert (linked.state, linked.media_id) == (State.PUBLISHED, live(one)[0]["id"])


@pytest.mark.parametrize("twin", [False, True])
async def test_a_container_that_died_in_doubt_is_made_anew_only_when_nothing_looks_like_the_post(
    stage: Stage, twin: bool
) -> None:
    one = await stage.member()
    one.fault("graph.publish", "reset")
    one.fault("graph.container_status", "status", code=2, status=503, after=2, times=3)
    publisher = stage.house.publisher
    post = await publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "Half dead"))
    post = await _until(one, post, lambda now: now.state is State.RECONCILING)
    stage.pretend.levers.patch(f"/_world/containers/{post.container_id}", json={"status_code": "ERROR"})
    lookalike = one.post(caption="Half dead", timestamp=int(stage.clock().timestamp())) if twin else None
    post = await publisher.wait(one.workspace_id, post.id, 40)
    if lookalike:
        assert post.state is State.UNLINKED
        assert [candidate.media_id for candidate in post.candidates] == [lookalike]
        assert live(one) == []
    else:
        assert post.state is State.PUBLISHED, (post.failure, post.reason)
        assert [item["id"] for item in live(one)] == [post.media_id]
        assert post.round == 1


async def _until(one: Member, post: Post, holds: Callable[[Post], bool]) -> Post:
    """Wait until something is true of a post that has not ended."""
    while not holds(post):
        post = await one.stage.house.publisher.wait(one.workspace_id, post.id, 0.05)
        assert post.state not in ENDED
    return post
