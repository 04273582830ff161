"""Finds out whether a post was published when nobody heard the answer: read the container, then find the medium.

Nothing here publishes, and nothing here fails a post unless Instagram itself proves that it is not live.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from tintype.core.publishing.course import (
    GONE_GAP,
    GONE_READS,
    RETRY_GAPS,
    SEARCH_GAPS,
    SPAM,
    UNREADABLE,
    Proof,
    gap,
    is_full,
    is_gone,
    judge,
    stands,
)
from tintype.core.publishing.failing import failure_in
from tintype.core.publishing.matching import candidates, reaches
from tintype.core.publishing.model import Candidate, Failure, Product, State
from tintype.core.publishing.records import TakenError
from tintype.core.publishing.resources import user_of
from tintype.core.publishing.walk import Walk
from tintype.errors import Kind, Reconnect, RemoteTrouble, Trouble
from tintype.instagram import Container, Media, calls

PAGES = 4  # of the account's media that are looked through for one post
HOURLY = timedelta(hours=1)


async def reconcile(walk: Walk) -> None:
    """Bring a post in doubt one step nearer to certainty."""
    post = walk.post
    assert post.container_id is not None
    try:
        container = await _seen(walk, post.container_id)
        if container is None:
            await _forgotten(walk)
            return
        verdict = judge(container.state, post, walk.now(), walk.resources.policy)
        if verdict.proof in (Proof.LIVE, Proof.SPENT) and await walk.resources.records.has_rival(post):
            await _wait(walk, None)  # its medium is nobody's yet, and would be taken for this post's
            return
        if verdict.proof is Proof.LIVE:
            await _find(walk)
            return
        if verdict.proof is Proof.SPENT:
            await _spent(walk, container)
            return
    except Trouble as trouble:
        await _unread(walk, trouble)
        return
    match verdict.proof:
        case Proof.UNUSED:
            await _again(walk)
        case Proof.REFUSED:
            await _refused(walk, post.doubt)
        case _:
            await _wait(walk, verdict.again_at)


async def _seen(walk: Walk, container_id: str) -> Container | None:
    """Read the container; None when there is none such, as Instagram said when it was to be published."""
    try:
        return await walk.container(container_id)
    except RemoteTrouble as trouble:
        if (trouble.code, trouble.subcode) != UNREADABLE or not is_gone(walk.post.doubt):
            raise
        return None


async def _find(walk: Walk) -> None:
    """Bind the one medium that is the post; when it is not in the list yet, look again for a while."""
    post = walk.post
    found = await _candidates(walk)
    if len(found) == 1:
        try:
            await walk.published(found[0].media_id, "reconciled", permalink=found[0].permalink)
        except TakenError:  # another post was bound to it at this very moment
            await _wait(walk, walk.now() + gap(SEARCH_GAPS, post.tries + 1))
    elif found:
        reason = f"it is live, and {len(found)} posts of the account look like it: say which one it is"
        await walk.unlinked(reason, candidates=tuple(found))
    elif walk.now() - (post.publish_started_at or post.created_at) > walk.resources.policy.search:
        await walk.unlinked("Instagram says it is live, but does not show it among the account's posts")
    else:
        await _wait(walk, walk.now() + gap(SEARCH_GAPS, post.tries + 1))


async def _spent(walk: Walk, container: Container) -> None:
    """The container is dead: begin with new ones, where those may live."""
    doubt, died = walk.post.doubt, failure_in(container, None)
    if doubt is not None and stands(doubt):
        await _unless_seen(walk, walk.fail, doubt)
    elif container.failure is None or died.retryable:
        await _unless_seen(walk, walk.renew, doubt or died)
    else:
        await _unless_seen(walk, walk.fail, died)


async def _forgotten(walk: Walk) -> None:
    """Look a few times more for a container that Instagram does not know, and begin with new ones then."""
    post, now = walk.post, walk.now()
    settled = now - (post.publish_started_at or now) >= walk.resources.policy.settle
    if not settled or post.doubt is None or post.tries + 1 < GONE_READS or await walk.resources.records.has_rival(post):
        await _wait(walk, None)
    else:
        await _unless_seen(walk, walk.renew, post.doubt)


async def _unless_seen(walk: Walk, end: Callable[[Failure], Awaitable[None]], why: Failure) -> None:
    """Go the way of what was not published, unless something that looks like the post is live all the same."""
    found = await _candidates(walk)
    if found:
        reason = "its container died, but the account has a post that looks like it: say whether it is the one"
        await walk.unlinked(reason, candidates=tuple(found))
    else:
        await end(why)


async def _candidates(walk: Walk) -> Sequence[Candidate]:
    post, records = walk.post, walk.resources.records
    media = await _recent(walk)
    bound = await records.bound(post.account_id, [one.id for one in media])
    found = candidates(post, media, bound)
    if len(found) > 1:
        # Those made in the app just before are no rivals of one that was made after the call began.
        after = [one for one in found if one.timestamp >= _second(post.publish_started_at or post.created_at)]
        found = after if len(after) == 1 else found
    return found


async def _recent(walk: Walk) -> Sequence[Media]:
    """Read the account's newest media, back to the time of the call."""
    post, grip = walk.post, await walk.grip()
    login, user = grip.account.login, user_of(grip)
    call = calls.stories(login, user) if post.draft.product is Product.STORY else calls.media_page(login, user)
    found: list[Media] = []
    pages = 0
    async for page in walk.resources.graph.using(grip.app).pages(call, grip.token):
        found.extend(page.items)
        pages += 1
        if pages >= PAGES or (page.items and reaches(post, min(one.timestamp for one in page.items))):
            break
    return found


async def _again(walk: Walk) -> None:
    """Publish once more: the container proves that nothing is live."""
    post, policy = walk.post, walk.resources.policy
    doubt = post.doubt
    if post.publishes >= policy.tries:
        await walk.fail(doubt or Failure(Kind.UNREACHABLE, "Instagram did not publish it, however often it was asked"))
        return
    numbers = (doubt.code, doubt.subcode) if doubt else (None, None)
    if doubt and numbers == SPAM:
        await walk.resources.quotas.rest(post.account_id)
        await walk.fail(doubt)
    elif is_full(doubt):
        later = await walk.resources.quotas.full(post.account_id)
        await walk.later(later.at, later.reason, "quota.waits", state=State.READY, reserved_at=None)
    else:
        pause = timedelta(seconds=doubt.retry_after) if doubt and doubt.retry_after else timedelta(0)
        due = walk.now() + (GONE_GAP if is_gone(doubt) else pause)
        await walk.move("publish.unused", state=State.READY, reason=None, due_at=due)


async def _refused(walk: Walk, doubt: Failure | None) -> None:
    """Instagram's answer stands; a refused token is renewed once, as before publishing."""
    assert doubt is not None
    if doubt.kind is Kind.RECONNECT:
        raise Reconnect(doubt.message, code=doubt.code, subcode=doubt.subcode, action=doubt.action)
    await walk.fail(doubt)


async def _unread(walk: Walk, trouble: Trouble) -> None:
    """Nobody can say now; look again, less and less often, until a container cannot live any more."""
    post, policy, now = walk.post, walk.resources.policy, walk.now()
    if isinstance(trouble, Reconnect) and _certain(post.doubt):
        raise trouble
    if now - (post.publish_started_at or post.created_at) > policy.doubt:
        await walk.unlinked(f"it may be live, but nobody could look: {trouble.message}")
        return
    due = now + (HOURLY if isinstance(trouble, Reconnect) else gap(RETRY_GAPS, post.tries + 1))
    await walk.later(due, f"whether it is live is not known yet: {trouble.message}", None, tries=post.tries + 1)


def _certain(doubt: Failure | None) -> bool:
    """Tell whether Instagram refused the publish for want of a token: then nothing was published."""
    return doubt is not None and doubt.kind is Kind.RECONNECT


async def _wait(walk: Walk, at: datetime | None) -> None:
    due = at or walk.now() + gap(RETRY_GAPS, walk.post.tries + 1)
    await walk.later(due, "whether it is live is being found out", None, tries=walk.post.tries + 1)


def _second(moment: datetime) -> datetime:
    """Instagram tells times in whole seconds."""
    return moment.replace(microsecond=0)
