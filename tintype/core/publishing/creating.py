"""The steps up to the containers: a place in the quota, media made right, one container after the other."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tintype.core.publishing.containers import Params, album, child, single
from tintype.core.publishing.course import GONE, NOT_READY, RETRY_GAPS, gap, has_video
from tintype.core.publishing.failing import failure_of
from tintype.core.publishing.making import UnmadeError, make
from tintype.core.publishing.model import Failure, ItemKind, Part, Post, Product, State, changed
from tintype.core.publishing.resources import user_of
from tintype.core.publishing.walk import Walk
from tintype.errors import RemoteTrouble
from tintype.instagram import Container, publishing

CHILDLESS = GONE | {NOT_READY}  # what a carousel is refused with when one of its children is not fit for it any more


async def begin(walk: Walk) -> None:
    """Hold a place in the account's quota, or wait for one."""
    later = await walk.resources.quotas.hold(walk.post, await walk.grip())
    if later is not None:
        await walk.later(later.at, later.reason, "quota.waits")
        return
    await _went(walk, "preparing", {}, state=State.PREPARING, reason=None)


async def prepare(walk: Walk) -> None:
    """Have every item made as Instagram takes it."""
    try:
        parts = await make(walk.resources, walk.post)
    except UnmadeError as error:
        walk.about = error.part
        raise error.trouble from None
    notes = [note for part in parts for note in part.notes]
    await _went(walk, "prepared", {"notes": notes}, state=State.CREATING, parts=parts)


async def _went(walk: Walk, name: str, detail: Mapping[str, object], **changes: Any) -> None:
    """Go on to the next step; what took long is stored first, what did not is stored with the container's id."""
    changes |= {"tries": 0, "due_at": walk.now()}
    if has_video(walk.post.draft):
        await walk.move(name, detail, **changes)
    else:
        walk.pass_on(name, detail, **changes)


async def create(walk: Walk) -> None:
    """Create one container that is missing, and store its id before the next one is asked for."""
    draft, items = walk.post.draft, [part for part in walk.post.parts if part.position >= 0]
    if draft.product is not Product.CAROUSEL:
        part = items[0]
        cover = next((one for one in walk.post.parts if one.position < 0), None)
        made = await _ask(walk, single(draft, part, cover, resumable=is_sent(walk, part)), part)
        await _store(walk, "container.created", made, part, container_id=made.id)
        return
    part = next((one for one in items if one.container_id is None), None)
    if part is None:
        await walk.move(None, state=State.PROCESSING, container_at=walk.now(), tries=0)
        return
    made = await _ask(walk, child(draft, part, resumable=is_sent(walk, part)), part)
    state = State.PROCESSING if part is items[-1] else State.CREATING
    await _store(walk, "child.created", made, part, state=state)


async def create_album(walk: Walk, parts: tuple[Part, ...]) -> None:
    """Create the carousel that holds the finished children."""
    children = [part.container_id or "" for part in parts if part.position >= 0]
    try:
        made = await _ask(walk, album(walk.post.draft, children), None)
    except RemoteTrouble as trouble:
        if (trouble.code, trouble.subcode) not in CHILDLESS:
            raise
        await _look_again(walk, failure_of(trouble), parts)
        return
    now, told = walk.now(), {"container_id": made.id, "children": len(children)}
    changes: dict[str, Any] = {"parts": parts, "container_id": made.id, "container_at": now, "tries": 0}
    await walk.move("carousel.created", told, due_at=now, **changes)


async def _look_again(walk: Walk, failure: Failure, parts: tuple[Part, ...]) -> None:
    """Read all children once more, one of which Instagram does not take; after so many times make them anew."""
    tries = walk.post.tries + 1
    if tries >= walk.resources.policy.tries:
        await walk.renew(failure)
        return
    unsure = tuple(replace(part, finished=False) for part in parts)
    await walk.later(walk.now() + gap(RETRY_GAPS, tries), failure.message, "retry", tries=tries, parts=unsure)


async def send(walk: Walk, part: Part) -> None:
    """Send a video's bytes to its container."""
    walk.about = part
    assert part.blob is not None
    assert part.container_id is not None
    grip, blobs, blob = await walk.grip(), walk.resources.blobs, part.blob
    found = await blobs.head(blob)
    size = found.size if found else 0
    graph = walk.resources.graph.using(grip.app)
    await graph.upload(
        grip.account.login, part.container_id, grip.token, lambda offset: blobs.stream(blob, offset), size=size
    )
    parts = changed(walk.post.parts, replace(part, sent=True))
    await walk.move("video.sent", {"position": part.position, "bytes": size}, parts=parts, due_at=walk.now())


def is_sent(walk: Walk, part: Part) -> bool:
    """Tell whether we send a part's bytes ourselves, instead of giving an address to fetch it from."""
    return walk.resources.uploads and is_video(walk.post, part) and part.blob is not None


def is_video(post: Post, part: Part) -> bool:
    """Tell whether a part is a video."""
    return part.position >= 0 and post.draft.items[part.position].kind is ItemKind.VIDEO


async def _ask(walk: Walk, params: Params, part: Part | None) -> Container:
    walk.about = part
    grip = await walk.grip()
    return await walk.resources.ask(grip, publishing.container(grip.account.login, user_of(grip), params))


async def _store(walk: Walk, name: str, made: Container, part: Part, **changes: Any) -> None:
    now = walk.now()
    parts = changed(walk.post.parts, replace(part, container_id=made.id, sent=not is_sent(walk, part)))
    stored: dict[str, Any] = {"state": State.PROCESSING, "tries": 0, "parts": parts, "container_at": now, **changes}
    await walk.move(name, {"container_id": made.id, "position": part.position}, due_at=now, **stored)
