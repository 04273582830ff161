"""What owners do in whatever order: nothing is published twice, nor after it was called back.

The sequences are random and their seeds are chosen by hypothesis, so that one that fails is made small and told.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.walks.posting import draft, live
from tests.walks.stage import Member, Stage, staged
from tintype.core.publishing import ENDED, Post, Product, Publisher, State
from tintype.errors import Conflict

EXAMPLES = 50
PATIENCE = 60.0
FAULTS = ("lost", "error_after", "reset")

_numbers = count(1)


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncIterator[Stage]:
    """A house whose doubts settle fast, before an Instagram that is ready at once."""
    del anyio_backend
    async with staged(publish_settle_seconds=0.1) as opened:
        opened.pretend.post("/reset", seed=7, container_seconds=0, quota_total=10_000)
        yield opened


@dataclass(slots=True)
class Owner:
    """Somebody who cannot make up his mind, and what he was told."""

    member: Member
    posts: list[int] = field(default_factory=list[int])
    words: dict[int, set[str]] = field(default_factory=dict[int, set[str]])  # that a post ever had
    called_back: dict[int, int] = field(default_factory=dict[int, int])  # how many of a post's words were live then

    async def do(self, step: tuple[str, int]) -> None:
        name, which = step
        if name == "create":
            await self.create()
        elif self.posts:
            with suppress(Conflict):  # it is under way, or has ended: that is an answer too
                await getattr(self, name)(self.posts[which % len(self.posts)])

    async def create(self) -> None:
        made = await self.publisher.create(
            self.member.workspace_id, self.member.account_id, draft(Product.IMAGE, f"Post {next(_numbers)}")
        )
        self.posts.append(made.id)
        self.words[made.id] = {made.draft.caption}

    async def edit(self, post_id: int) -> None:
        post = await self.get(post_id)
        fresh = replace(post.draft, caption=f"Post {next(_numbers)}")
        self.words[post_id].add(fresh.caption)
        await self.publisher.edit(post.workspace_id, post_id, fresh, None, tag=post.tag)

    async def cancel(self, post_id: int) -> None:
        await self.publisher.cancel(self.member.workspace_id, post_id)
        self.called_back[post_id] = self.count(post_id)

    async def retry(self, post_id: int) -> None:
        await self.publisher.retry(self.member.workspace_id, post_id)

    async def wait(self, post_id: int) -> None:
        await self.publisher.wait(self.member.workspace_id, post_id, 0.05)

    async def refuse(self, post_id: int) -> None:
        """Have Instagram refuse the next publish, so that there is something to try again."""
        del post_id
        self.member.fault("graph.publish", "status", code=25, subcode=2207050, status=400)

    async def lose(self, post_id: int) -> None:
        """Have Instagram's next answer lost, in one way or another."""
        self.member.fault("graph.publish", FAULTS[post_id % 3])

    async def get(self, post_id: int) -> Post:
        return await self.publisher.get(self.member.workspace_id, post_id)

    def count(self, post_id: int) -> int:
        """How often a post is on Instagram, under whatever words it ever had."""
        return sum(item["caption"] in self.words[post_id] for item in live(self.member))

    @property
    def publisher(self) -> Publisher:
        return self.member.stage.house.publisher


@pytest.fixture(scope="module")
async def owner_of(stage: Stage) -> Callable[[], Owner]:
    """Makes owners of one account; as a function, because hypothesis tells what its tests were given."""
    member = await stage.member()
    return lambda: Owner(member)


STEPS = st.lists(
    st.tuples(st.sampled_from(["create", "edit", "cancel", "retry", "wait", "refuse", "lose"]), st.integers(0, 5)),
    min_size=2,
    max_size=8,
)


@given(STEPS)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_nothing_is_published_twice_or_after_it_was_called_back(
    owner_of: Callable[[], Owner], steps: list[tuple[str, int]]
) -> None:
    owner = owner_of()
    one = owner.member
    for step in [("create", 0), *steps]:
        await owner.do(step)
    one.stage.calm()
    ended = await asyncio.gather(
        *(owner.publisher.wait(one.workspace_id, post_id, PATIENCE) for post_id in owner.posts)
    )
    for post in ended:
        times = owner.count(post.id)
        assert post.state in ENDED - {State.UNLINKED}, (post.state, post.reason)
        assert times == (1 if post.state is State.PUBLISHED else 0), (post.state, times)
        if post.state is State.CANCELLED:
            assert owner.called_back[post.id] == 0
        if post.state is State.PUBLISHED:
            found = next(item for item in live(one) if item["id"] == post.media_id)
            assert found["caption"] == post.draft.caption
