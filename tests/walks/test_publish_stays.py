"""Once a post is live nothing takes that back: whatever happens to its account afterwards, it is not called failed."""

from collections.abc import AsyncIterator
from datetime import timedelta

import anyio
import pytest

from tests.walks.posting import draft, live, publish
from tests.walks.stage import Member, Stage, staged
from tintype.core.publishing import CommentState, Post, Product, State
from tintype.errors import Conflict


@pytest.fixture
async def stage(anyio_backend: str) -> AsyncIterator[Stage]:
    del anyio_backend
    async with staged(publish_settle_seconds=0.3) as opened:
        opened.pretend.post(
            "/reset", seed=7, now=opened.clock().timestamp(), container_seconds=0, unreadable_after_publish=3
        )
        yield opened


@pytest.mark.parametrize("comment", [None, "First"])
async def test_a_live_post_of_an_account_that_is_let_go_stays_published(stage: Stage, comment: str | None) -> None:
    one = await stage.member()
    if comment:
        one.fault("graph.comments", "status", status=503, times=None)
    post = await publish(one, draft(Product.IMAGE, "Live", first_comment=comment))
    assert (post.state, post.permalink) == (State.PUBLISHED, None)
    await stage.house.accounts.disconnect(one.workspace_id, one.account_id)
    await _assert_stays(one, post)


async def test_a_live_post_whose_token_is_revoked_stays_published(stage: Stage) -> None:
    one = await stage.member()
    post = await publish(one, draft(Product.REEL, "Live"))
    stage.pretend.post("/tokens/revoke", access_token=one.token, subcode=458)
    await _assert_stays(one, post)


async def test_a_live_post_whose_permalink_never_comes_stays_published(stage: Stage) -> None:
    one = await stage.member()
    one.fault("graph.media_item", "status", status=500, times=None)
    await _assert_stays(one, await publish(one, draft(Product.STORY)))


async def _assert_stays(one: Member, post: Post) -> None:
    """Let all the time pass that a post waits for, and look at it: published, once, and not to be tried again."""
    publisher = one.stage.house.publisher
    for _ in range(600):
        post = await publisher.get(one.workspace_id, post.id)
        if post.due_at is None:
            break
        if (pause := post.due_at - one.stage.clock()) > timedelta(0):
            one.stage.skip(pause)
        one.stage.house.runner.wake()
        await anyio.sleep(0.03)
    assert (post.state, post.due_at, post.failure) == (State.PUBLISHED, None, None)
    assert post.comment_state in (CommentState.NONE, CommentState.FAILED)
    assert [item["id"] for item in live(one)] == [post.media_id]
    with pytest.raises(Conflict):
        await publisher.retry(one.workspace_id, post.id)
