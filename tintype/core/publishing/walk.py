"""A post that was claimed, and the few ways in which a step may change it.

Every write carries the fence of the claim: whoever was overtaken stores nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tintype import metrics
from tintype.core.accounts import Grip
from tintype.core.publishing.course import RETRY_GAPS, gap
from tintype.core.publishing.model import Failure, Occurrence, Part, Post, State
from tintype.core.publishing.resources import Resources
from tintype.events import Event, PostFailed, PostPublished, PostUnlinked
from tintype.instagram import Container, publishing

SHORT = timedelta(seconds=1)  # a pause that is not worth letting go of a post


@dataclass(slots=True)
class Walk:
    """One claimed post on its way; `about` is the item that the present step is about."""

    resources: Resources
    post: Post
    about: Part | None = None
    unfinished: timedelta = timedelta(0)  # how long its present containers took for certain
    fresh: bool = True  # no step was taken since the claim: an intent found now is that of somebody who died
    _grip: Grip | None = field(default=None, repr=False)
    _passed: list[Occurrence] = field(default_factory=list[Occurrence])  # what happened since the last step was stored
    _unstored: dict[str, Any] = field(default_factory=dict[str, Any])

    def now(self) -> datetime:
        """The present instant by the house's clock."""
        return self.resources.graph.now()

    async def grip(self) -> Grip:
        """The account with its token, opened once a walk; raises `Reconnect` when only a person can help."""
        if self._grip is None:
            self._grip = await self.resources.accounts.open(self.post.account_id)
        return self._grip

    def let_go(self) -> Grip | None:
        """Forget the opened token, because it was refused or renewed, and return it."""
        grip, self._grip = self._grip, None
        return grip

    def pass_on(self, name: str, detail: Mapping[str, object] | None = None, **changes: Any) -> None:
        """Go on without storing yet: for steps that cost little and may as well be taken again."""
        self._passed.append(Occurrence(self.now(), name, detail or {}))
        self._unstored |= changes
        self.post = replace(self.post, **changes)

    async def move(
        self, name: str | None, detail: Mapping[str, object] | None = None, *, durable: bool = False, **changes: Any
    ) -> None:
        """Store what a step changed, with a line in the timeline; the post is held on while it is due soon."""
        now = self.now()
        due = changes.get("due_at", self.post.due_at)
        lease = self.resources.policy.lease if due is not None and due - now <= SHORT else None
        happened = [*self._passed, *([Occurrence(now, name, detail or {})] if name else [])]
        records, changes = self.resources.records, self._unstored | changes
        self.post = await records.move(self.post, now, *happened, lease=lease, durable=durable, **changes)
        self._passed, self._unstored = [], {}

    async def later(self, at: datetime, reason: str | None = None, name: str | None = "waits", **changes: Any) -> None:
        """Wait until an instant, for a reason that people may read."""
        await self.move(name, {"until": at, "reason": reason}, due_at=at, reason=reason, **changes)

    async def fail(self, failure: Failure) -> None:
        """End the way: certainly not published."""
        assert self.post.state is not State.PUBLISHED, "what is live does not fail"
        shown = ("message", "code", "subcode", "trace_id", "position")
        detail = {name: value for name in shown if (value := getattr(failure, name)) is not None}
        changes: dict[str, Any] = {"state": State.FAILED, "failure": failure, "tries": 0, "reserved_at": None}
        await self.move("failed", detail, durable=True, reason=None, due_at=self.now(), **changes)
        metrics.POSTS.labels(self.post.draft.product.value, "failed").inc()
        await self.announce()

    async def renew(self, failure: Failure) -> None:
        """Begin again with new containers, unless that was done often enough."""
        again = self.post.round + 1
        if again >= self.resources.policy.rounds:
            await self.fail(failure)
            return
        changes: dict[str, Any] = {
            "container_id": None,
            "container_at": None,
            "round": again,
            "tries": 0,
            "doubt": None,
        }
        changes["parts"] = tuple(replace(part, container_id=None, finished=False) for part in self.post.parts)
        due = self.now() + gap(RETRY_GAPS, again)
        await self.move("containers.renewed", {"reason": failure.message}, state=State.CREATING, due_at=due, **changes)

    async def published(self, media_id: str, name: str = "published", **detail: object) -> None:
        """Store the real media id, and tell everybody."""
        now = self.now()
        changes: dict[str, Any] = {"media_id": media_id, "published_at": now, "candidates": (), "failure": None}
        told = {"media_id": media_id, **detail}
        await self.move(name, told, durable=True, state=State.PUBLISHED, reason=None, tries=0, due_at=now, **changes)
        metrics.POSTS.labels(self.post.draft.product.value, "published").inc()
        await self.announce()

    async def unlinked(self, reason: str, **changes: Any) -> None:
        """Leave it to a person to say which medium the post is."""
        now = self.now()
        detail = {"reason": reason}
        changes |= {"state": State.UNLINKED, "reason": reason, "published_at": now, "tries": 0, "due_at": now}
        await self.move("needs_reconcile", detail, **changes)
        metrics.POSTS.labels(self.post.draft.product.value, "unlinked").inc()
        await self.announce()

    async def announce(self) -> None:
        """Tell everybody how the post ended; whoever keeps that keeps it once, however often it is told."""
        post = self.post
        self.resources.arrivals.arrived(post.id)
        await self.resources.bus.publish(_end_of(post))

    async def container(self, container_id: str) -> Container:
        """Read how far a container is."""
        grip = await self.grip()
        return await self.resources.ask(grip, publishing.container_state(grip.account.login, container_id))


def _end_of(post: Post) -> Event:
    of = (post.workspace_id, post.account_id, post.id)
    if post.state is State.FAILED:
        return PostFailed(*of, post.failure.message if post.failure else "")
    return PostPublished(*of, post.media_id) if post.media_id else PostUnlinked(*of)
