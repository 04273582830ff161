"""Takes a post one step on: each step is stored before the next one, so a killed process's post goes on where it stood.

Three rules make that safe. A remote id is stored as it arrives. `media_publish` is called once after a stored intent, and
never again before its container was read. Every write carries the fence of the claim.
"""

from collections.abc import Awaitable, Callable, Mapping

from tintype.core.publishing.care import care, tell
from tintype.core.publishing.creating import begin, create, prepare
from tintype.core.publishing.going_live import interrupted, publish
from tintype.core.publishing.model import Post, State
from tintype.core.publishing.polling import poll
from tintype.core.publishing.reconciling import reconcile
from tintype.core.publishing.stumbling import stumble
from tintype.core.publishing.walk import Walk
from tintype.errors import Trouble

STEPS: Mapping[State, Callable[[Walk], Awaitable[None]]] = {
    State.SCHEDULED: begin,
    State.PREPARING: prepare,
    State.CREATING: create,
    State.PROCESSING: poll,
    State.READY: publish,
    State.PUBLISHING: interrupted,
    State.RECONCILING: reconcile,
    State.PUBLISHED: care,
    State.UNLINKED: tell,
    State.FAILED: tell,
}


async def step(walk: Walk) -> Post:
    """Take the next step and return the post as it stands then.

    Raises `OvertakenError` when somebody else moved it meanwhile.
    """
    walk.about = None
    try:
        take = STEPS.get(walk.post.state, _rest)
        await take(walk)
    except Trouble as trouble:
        await stumble(walk, trouble)
    walk.fresh = False
    return walk.post


async def _rest(walk: Walk) -> None:
    """Nothing happens by itself to a post that has ended, or that is a draft."""
    await walk.move(None, due_at=None)
