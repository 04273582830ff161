"""What happens to a post when a step before its publishing fails: again, later, renewed tokens, or the end."""

import logging
from datetime import timedelta

from tintype.core.publishing.course import RETRY_GAPS, SPAM, UNREADABLE, gap, may_pass
from tintype.core.publishing.failing import failure_of
from tintype.core.publishing.model import Post, State
from tintype.core.publishing.preparing import Unfetchable
from tintype.core.publishing.walk import Walk
from tintype.errors import Busy, Kind, Reconnect, Trouble

log = logging.getLogger(__name__)

_BRIEF = 60.0  # seconds, when Instagram asks to wait and does not say how long


async def stumble(walk: Walk, trouble: Trouble) -> None:
    """Decide what becomes of a post whose step ended in trouble, and store it."""
    post, part = walk.post, walk.about
    if isinstance(trouble, Reconnect):
        await _reconnect(walk, trouble)
        return
    position = part.position if part and len(post.draft.items) > 1 else None
    failure = failure_of(trouble, position, part)
    numbers = (failure.code, failure.subcode)
    if isinstance(trouble, Busy) and numbers == SPAM:
        await walk.resources.quotas.rest(post.account_id)
        await walk.fail(failure)
    elif isinstance(trouble, Busy):
        seconds = max(trouble.retry_after or _BRIEF, 1.0)
        await _again(walk, failure.message, seconds)
    elif _awaited(post, trouble):
        await walk.fail(failure)
    elif may_pass(failure) or (numbers == UNREADABLE and post.state is State.PROCESSING):
        if post.tries + 1 >= walk.resources.policy.tries and failure.kind is not Kind.UNAVAILABLE:
            # A container that can never be read was never published: another one may be luckier.
            await (walk.renew(failure) if numbers == UNREADABLE else walk.fail(failure))
        else:
            await _again(walk, failure.message, gap(RETRY_GAPS, post.tries + 1).total_seconds())
    else:
        await walk.fail(failure)


def _awaited(post: Post, trouble: Trouble) -> bool:
    """Tell whether somebody waits who can do more about his own file than ask for it again."""
    return isinstance(trouble, Unfetchable) and post.scheduled_at is None and post.batch is None


async def _again(walk: Walk, reason: str, seconds: float) -> None:
    await walk.later(walk.now() + timedelta(seconds=seconds), reason, "retry", tries=walk.post.tries + 1)


async def _reconnect(walk: Walk, trouble: Reconnect) -> None:
    """Refresh the token and try once more; when that does not help a person has to connect the account."""
    grip = walk.let_go()
    if grip is not None and not walk.post.refreshed and await _refreshed(walk, trouble):
        # Of a publish that was refused for want of a token nothing is held to be known: its container can be read now.
        doubt = None if walk.post.state is State.RECONCILING else walk.post.doubt
        await walk.move("token.refreshed", doubt=doubt, tries=0, refreshed=True, due_at=walk.now())
        return
    if grip is not None:
        await walk.resources.accounts.lost(grip.account, trouble, grip)
    await walk.fail(failure_of(trouble))


async def _refreshed(walk: Walk, trouble: Reconnect) -> bool:
    try:
        account = await walk.resources.accounts.find(walk.post.account_id)
        return account is not None and await walk.resources.accounts.refresh(account, refused=True)
    except Trouble as second:
        log.info("the token of account %s is not renewed: %s", walk.post.account_id, second.message)
        return False
