"""The trade of publishing: take posts, let their owners change and follow them, and wait for their end."""

import asyncio
from collections.abc import AsyncIterable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tintype.core.accounts import Account
from tintype.core.accounts import State as AccountState
from tintype.core.publishing import checks
from tintype.core.publishing.making import asked
from tintype.core.publishing.model import (
    EDITABLE,
    ENDED,
    CommentState,
    Draft,
    Listing,
    Moment,
    Occurrence,
    Post,
    Problem,
    Quota,
    Review,
    State,
)
from tintype.core.publishing.resources import Resources
from tintype.core.publishing.runner import Runner
from tintype.core.publishing.uploads import NOT_THERE, UPLOADS, key_for, media_type_of, not_there, uploads_of
from tintype.errors import Conflict, Invalid, NotFound, Reconnect, Refused, Stale, Trouble, Unsupported
from tintype.events import Event, PostCancelled, PostPublished, PostScheduled
from tintype.instagram import calls

LOOK_SECONDS = 0.5  # between two looks at a post that another process moves

_RECALLABLE = frozenset(
    {
        State.DRAFT,
        State.SCHEDULED,
        State.PREPARING,
        State.CREATING,
        State.PROCESSING,
        State.READY,
        State.FAILED,
    }
)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Takes posts and shows how far they are; `runner` moves them in this process, if it works."""

    resources: Resources
    runner: Runner

    async def create(
        self,
        workspace_id: str,
        account: str | Account,
        draft: Draft,
        *,
        user_id: int | None = None,
        moment: Moment | None = None,
        hold: bool = False,
        key: str | None = None,
        batch: str | None = None,
    ) -> Post:
        """Take a post for an account, which is read where only its id is given: due at once, at `moment`, or on `hold`.

        One on hold is kept as a draft. The same `key` again returns the post that was taken with it. Raises `Invalid` with one
        sentence per problem, `NotFound` for an account of others, and `Reconnect` when the account has to be connected first.
        """
        if isinstance(account, str) or account.workspace_id != workspace_id:
            account_id = account if isinstance(account, str) else account.id
            account = await self.resources.accounts.get(workspace_id, account_id)
        if not hold:
            check(draft)
            if account.state is not AccountState.CONNECTED:
                raise Reconnect(account.reason or "this Instagram account is not connected; connect it first")
        await self._has(workspace_id, draft)
        now = self._now()
        post = begun(workspace_id, account.id, draft, now, user_id=user_id, moment=moment, hold=hold, batch=batch)
        # What is due at once is ours from its first moment on, if this process works and has room.
        holder = self.runner.holder() if post.due_at is not None and post.due_at <= now else None
        taken = Occurrence(now, "drafted" if hold else "accepted")
        resources, lease = self.resources, self.resources.policy.lease
        has_place = resources.quotas.finder(post) if holder else None
        stored, is_new = await resources.records.add(post, key, taken, holder=holder, lease=lease, has_place=has_place)
        if is_new and holder:
            self.runner.take(stored)  # and nobody else needs to hear of it
        elif is_new and not hold:
            await self._scheduled(stored)
        return stored

    async def wait(self, workspace_id: str, post_id: int, seconds: float) -> Post:
        """Return a post when it has ended, or as it stands after so many seconds or when nobody may wait any more."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        with self.resources.arrivals.expecting(post_id) as arrived:
            heard = True
            while True:
                arrived.clear()
                left = until - loop.time()
                post = self.runner.moving(post_id) if heard else None
                # What ended is read: its owner may have begun it anew while its end is still told.
                if post is None or post.workspace_id != workspace_id or left <= 0 or post.state in ENDED:
                    post = await self.get(workspace_id, post_id)
                if post.state in ENDED or left <= 0 or self.resources.arrivals.over:
                    return post
                heard = await _within(min(LOOK_SECONDS, left), arrived)

    def hurry(self) -> None:
        """Tell everybody who waits how far their post is: this process ends, and the work goes on in the next one."""
        self.resources.arrivals.end()

    async def get(self, workspace_id: str, post_id: int) -> Post:
        """Return a workspace's post.

        Raises `NotFound` when the workspace has none of that id.
        """
        moved = self.runner.moving(post_id)  # what is live and still cared for here is in memory as it is stored
        if moved is not None and moved.state is State.PUBLISHED and moved.workspace_id == workspace_id:
            return moved
        found = await self.resources.records.get(workspace_id, post_id)
        if found is None:
            raise NotFound("Post not found")
        return found

    async def list(
        self,
        workspace_id: str,
        *,
        account_id: str | None = None,
        states: Collection[State] = (),
        after: int | None = None,
        limit: int = 25,
    ) -> Listing:
        """Return a page of a workspace's posts, newest first."""
        return await self.resources.records.listed(workspace_id, account_id, states, after, limit)

    async def timeline(self, workspace_id: str, post_id: int) -> Sequence[Occurrence]:
        """Return what happened to a post, oldest first.

        Raises `NotFound`.
        """
        return await self.resources.records.timeline((await self.get(workspace_id, post_id)).id)

    async def edit(
        self,
        workspace_id: str,
        post_id: int,
        draft: Draft,
        moment: Moment | None,
        *,
        tag: str | None,
        hold: bool | None = None,
    ) -> Post:
        """Change a post that waits, a draft, or one that failed; `hold` False sends a draft on its way.

        Raises `Stale` when `tag` is not its present one, `Conflict` when it is under way or has ended, and `Invalid`.
        """
        post = await self._own(workspace_id, post_id, tag)
        if post.state not in EDITABLE:
            raise Conflict(f"this post is {post.state.value}; only one that waits can be changed")
        hold = post.state is State.DRAFT if hold is None else hold
        if not hold:
            check(draft)
        await self._has(workspace_id, draft)
        now = self._now()
        changes = _afresh()
        changes["state"] = State.DRAFT if hold else State.SCHEDULED
        changes["scheduled_at"] = moment.at if moment else None
        changes["timezone"] = moment.timezone if moment else None
        changes["due_at"] = None if hold else max(moment.at, now) if moment else now
        changes["comment_state"] = _comment_state(draft)
        changed = await self._change(post, EDITABLE, "edited", draft=draft, **changes)
        if not hold:
            await self._scheduled(changed)
        return changed

    async def cancel(self, workspace_id: str, post_id: int, *, tag: str | None = None) -> Post:
        """Call a post back; one on its way comes back as long as it is certainly not published yet.

        Raises `Stale`, and `Conflict` when it is published, or may be.
        """
        post = await self._own(workspace_id, post_id, tag)
        while post.state is not State.CANCELLED:
            if post.state not in _RECALLABLE:
                raise Conflict(f"this post is {post.state.value} and cannot be called back")
            gone: dict[str, Any] = {"state": State.CANCELLED, "due_at": None, "reserved_at": None, "reason": None}
            happened = Occurrence(self._now(), "cancelled")
            changed = await self.resources.records.change(post, {post.state}, self._now(), happened, **gone)
            if changed is not None:
                self.resources.arrivals.arrived(post.id)
                await self.resources.bus.publish(PostCancelled(workspace_id, post.account_id, post.id))
                return changed
            post = await self._own(workspace_id, post_id, tag)  # it moved on meanwhile
        return post

    async def retry(self, workspace_id: str, post_id: int) -> Post:
        """Try a failed post again from its beginning.

        Raises `Conflict` when it has not failed.
        """
        post = await self.get(workspace_id, post_id)
        if post.state is not State.FAILED:
            raise Conflict(f"this post is {post.state.value}; only a failed one can be tried again")
        now = self._now()
        changed = await self._change(post, {State.FAILED}, "retried", **_afresh(), state=State.SCHEDULED, due_at=now)
        await self._scheduled(changed)
        return changed

    async def link(self, workspace_id: str, post_id: int, media_id: str) -> Post:
        """Let a person say which medium of the account a post is.

        Raises `Conflict` when the post is not `published_unlinked`, or another post is that medium, and `Invalid` when
        Instagram does not show it as the account's.
        """
        post = await self.get(workspace_id, post_id)
        if post.state is not State.UNLINKED:
            raise Conflict(f"this post is {post.state.value}; only one that is published_unlinked can be linked")
        if await self.resources.records.bound(post.account_id, [media_id]):
            raise Conflict(f"medium {media_id} belongs to another post already")
        if media_id not in {candidate.media_id for candidate in post.candidates}:
            await self._recognise(post.account_id, media_id)
        found: dict[str, Any] = {
            "media_id": media_id,
            "candidates": (),
            "reason": None,
            "tries": 0,
            "due_at": self._now(),
        }
        changed = await self._change(post, {State.UNLINKED}, "linked", state=State.PUBLISHED, **found)
        self.runner.wake()
        await self.resources.bus.publish(PostPublished(workspace_id, post.account_id, post.id, media_id))
        return changed

    async def review(self, workspace_id: str, account_id: str, draft: Draft) -> Review:
        """Look at a draft without doing anything: what stands against it, what would be converted, what quota is left."""
        found = list(checks.problems(draft))
        conversions: list[tuple[str, ...]] = []
        gone = await not_there(self.resources.blobs, workspace_id, uploads_of(draft))
        for name, one in asked(draft):
            if one.blob in gone:
                found.append(Problem(name, "no_such_upload", f"{name}: {NOT_THERE}"))
                continue
            seen = await self.resources.preparing.inspect(one)
            conversions.append(seen.changes)
            said = {(problem.field, problem.code) for problem in found}
            anew = [each for each in seen.findings if (name, each.code) not in said]
            found.extend(Problem(name, each.code, each.sentence, each.blocking) for each in anew)
            if one.role == "reel" and (wrong := checks.beyond_end(draft, seen.seconds)):
                found.append(wrong)
        quota: Quota | None = None
        try:
            quota = await self.quota(workspace_id, account_id)
        except Reconnect as trouble:
            found.append(Problem("account_id", "reconnect", trouble.message))
        except Trouble as trouble:
            found.append(Problem("account_id", "quota_unknown", trouble.message, blocking=False))
        if quota is not None and quota.remaining == 0:
            message = "the account's publishing quota is used up; the post would wait for the next place"
            found.append(Problem("account_id", "quota_used_up", message, blocking=False))
        return Review(tuple(found), tuple(conversions), quota)

    async def quota(self, workspace_id: str, account_id: str) -> Quota:
        """Return how much an account may publish.

        Raises `NotFound` and `Reconnect`.
        """
        account = await self.resources.accounts.get(workspace_id, account_id)
        return await self.resources.quotas.read(await self.resources.accounts.open(account.id))

    async def stop(self, account_id: str) -> int:
        """Call back everything that waits for an account that was let go; return how much that was."""
        waiting = await self.resources.records.waiting(account_id)
        for post in waiting:
            with suppress(Conflict):
                await self.cancel(post.workspace_id, post.id)
        return len(waiting)

    async def keep_upload(self, workspace_id: str, data: AsyncIterable[bytes], content_type: str) -> str:
        """Store a file that a workspace is to publish, and return its key.

        Raises `Unsupported` for what is neither a picture nor a video.
        """
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type not in UPLOADS:
            raise Unsupported(f"{media_type or 'no content type'} is not published; send one of {', '.join(UPLOADS)}")
        key = key_for(workspace_id, media_type)
        await self.resources.blobs.put(key, data, content_type=media_type)
        return key

    async def upload(self, workspace_id: str, key: str) -> tuple[str, AsyncIterable[bytes]]:
        """Return the media type and the bytes of a file that was uploaded to a workspace.

        Raises `NotFound`.
        """
        if await not_there(self.resources.blobs, workspace_id, {key}):
            raise NotFound(NOT_THERE)
        return media_type_of(key), self.resources.blobs.stream(key)

    async def heard(self, event: Event) -> None:
        """Listen to the other processes: what they moved, and what they stored for us to move."""
        post_id = getattr(event, "post_id", None)
        if isinstance(post_id, int) and self.runner.moving(post_id) is None:
            self.resources.arrivals.arrived(post_id)
            if isinstance(event, PostScheduled):
                self.runner.wake()

    async def _has(self, workspace_id: str, draft: Draft) -> None:
        """Check that what a draft is made of is the workspace's own; raises `Invalid`."""
        if await not_there(self.resources.blobs, workspace_id, uploads_of(draft)):
            raise Invalid(f"upload: {NOT_THERE}")

    def _now(self) -> datetime:
        return self.resources.graph.now()

    async def _recognise(self, account_id: str, media_id: str) -> None:
        """Go on when Instagram shows a medium to its account; raises `Invalid` when not, other `Trouble` when it tells nothing."""
        grip = await self.resources.accounts.open(account_id)
        try:
            await self.resources.ask(grip, calls.media_item(grip.account.login, media_id))
        except Refused:
            raise Invalid(f"media_id: Instagram shows no medium {media_id} of this account") from None

    async def _scheduled(self, post: Post) -> None:
        await self.resources.bus.publish(PostScheduled(post.workspace_id, post.account_id, post.id))

    async def _own(self, workspace_id: str, post_id: int, tag: str | None) -> Post:
        post = await self.get(workspace_id, post_id)
        if tag is not None and tag not in ("*", post.tag):
            raise Stale("this post was changed since it was read; read it again and repeat the change")
        return post

    async def _change(self, post: Post, states: Collection[State], name: str, **changes: Any) -> Post:
        now = self._now()
        changed = await self.resources.records.change(post, states, now, Occurrence(now, name), **changes)
        if changed is None:
            raise Conflict("this post moved on at this very moment; look at it again")
        return changed


async def _within(seconds: float, arrived: asyncio.Event) -> bool:
    """Tell whether something arrives within so many seconds."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await arrived.wait()
    return False


def check(draft: Draft) -> None:
    """Go on when nothing stands against a draft; raises `Invalid` with one sentence per problem."""
    blocking = [one.message for one in checks.problems(draft) if one.blocking]
    if blocking:
        raise Invalid(*blocking)


def _comment_state(draft: Draft) -> CommentState:
    return CommentState.WANTED if draft.first_comment else CommentState.NONE


def _afresh() -> dict[str, Any]:
    """Return the columns of a post's way as they are at its beginning."""
    return {
        "parts": (),
        "container_id": None,
        "container_at": None,
        "round": 0,
        "tries": 0,
        "publishes": 0,
        "publish_started_at": None,
        "doubt": None,
        "failure": None,
        "reason": None,
        "refreshed": False,
        "reserved_at": None,
    }


def begun(
    workspace_id: str,
    account_id: str,
    draft: Draft,
    now: datetime,
    *,
    user_id: int | None = None,
    moment: Moment | None = None,
    hold: bool = False,
    batch: str | None = None,
) -> Post:
    """Return a post at the beginning of its way, which is not stored yet."""
    at = moment.at if moment else now
    return Post(
        id=0,
        workspace_id=workspace_id,
        account_id=account_id,
        user_id=user_id,
        draft=draft,
        state=State.DRAFT if hold else State.SCHEDULED,
        version=1,
        scheduled_at=moment.at if moment else None,
        timezone=moment.timezone if moment else None,
        due_at=None if hold else max(at, now),
        parts=(),
        container_id=None,
        container_at=None,
        round=0,
        tries=0,
        publishes=0,
        publish_started_at=None,
        doubt=None,
        media_id=None,
        permalink=None,
        failure=None,
        candidates=(),
        comment_state=_comment_state(draft),
        comment_id=None,
        comment_tries=0,
        refreshed=False,
        reason=None,
        fence=0,
        created_at=now,
        updated_at=now,
        published_at=None,
        batch=batch,
    )
