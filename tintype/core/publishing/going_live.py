"""The one step that others see: store the intent, call `media_publish` once, store what it gives.

Anything but a yes leads to `reconciling`, never to a second call.
"""

from datetime import timedelta

from tintype.core.publishing.course import is_full
from tintype.core.publishing.failing import failure_of
from tintype.core.publishing.model import State
from tintype.core.publishing.records import DoubtedError, TakenError
from tintype.core.publishing.resources import user_of
from tintype.core.publishing.walk import Walk
from tintype.errors import Trouble
from tintype.instagram import publishing

TWIN_PAUSE = timedelta(seconds=2)


async def publish(walk: Walk) -> None:
    """Publish a finished container."""
    resources, post, now = walk.resources, walk.post, walk.now()
    grip = await walk.grip()
    later = await resources.quotas.hold(post, grip) if is_full(post.doubt) else None
    if later is not None:
        await walk.later(later.at, later.reason, "quota.waits", state=State.READY)
        return
    assert post.container_id is not None
    intent = {"publish_started_at": now, "publishes": post.publishes + 1, "doubt": None, "due_at": now}
    told = {"container_id": post.container_id, "call": post.publishes + 1}
    try:
        await walk.move("publishing", told, durable=True, unless_doubted=True, state=State.PUBLISHING, **intent)
    except DoubtedError:
        reason = "another post that looks the same is being looked for on Instagram"
        await walk.later(now + TWIN_PAUSE, reason, None, state=State.READY)
        return
    call = publishing.publish(grip.account.login, user_of(grip), post.container_id)
    try:
        media_id = await resources.ask(grip, call)
    except Trouble as trouble:
        doubt = failure_of(trouble)
        seen = {"message": doubt.message, "code": doubt.code, "subcode": doubt.subcode}
        await walk.move("publish.doubtful", seen, state=State.RECONCILING, doubt=doubt, tries=0, due_at=walk.now())
        return
    try:
        await walk.published(media_id)
    except TakenError:
        await walk.unlinked(f"Instagram calls it {media_id}, which is the medium of another post: say which one it is")


async def interrupted(walk: Walk) -> None:
    """Go on where a process died between the intent and the answer."""
    assert walk.fresh, "a call of this walk's own ends in another state"
    await walk.move("publish.interrupted", state=State.RECONCILING, tries=0, due_at=walk.now())
