"""The steps while Instagram works: look how far the containers are, and go on with what is finished."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from tintype.core.publishing.course import has_video, poll_budget, poll_gap
from tintype.core.publishing.creating import create_album, send
from tintype.core.publishing.failing import failure_in
from tintype.core.publishing.going_live import publish
from tintype.core.publishing.model import Failure, Part, State, changed
from tintype.core.publishing.walk import SHORT, Walk
from tintype.errors import Kind
from tintype.instagram import Container, ContainerState

DEAD = frozenset({ContainerState.ERROR, ContainerState.EXPIRED})


async def poll(walk: Walk) -> None:
    """Look how far Instagram is."""
    unsent = next((part for part in walk.post.parts if part.container_id and not part.sent), None)
    if unsent is not None:
        await send(walk, unsent)
    elif (early := walk.resources.pace.usual(walk.post) - _waited(walk)) > timedelta(0):
        walk.post = replace(walk.post, due_at=walk.now() + min(early, SHORT))
    elif walk.post.container_id is None:
        await _children(walk)
    else:
        await _post(walk, walk.post.container_id)


async def _children(walk: Walk) -> None:
    """Look at the children of a carousel; it fails as a whole when one of them does."""
    waiting = [part for part in walk.post.parts if part.position >= 0 and not part.finished]
    waited = _waited(walk)
    found = await asyncio.gather(*(walk.container(part.container_id or "") for part in waiting))
    pairs = list(zip(waiting, found, strict=True))
    dead = next(((part, container) for part, container in pairs if container.state in DEAD), None)
    if dead is not None:
        await _died(walk, dead[1], dead[0])
        return
    finished = [replace(part, finished=True) for part, one in pairs if one.state is ContainerState.FINISHED]
    parts = changed(walk.post.parts, *finished)
    if len(finished) < len(waiting):
        await _wait(walk, parts, waited)
    else:
        _finished(walk, waited)
        await create_album(walk, parts)


async def _post(walk: Walk, container_id: str) -> None:
    waited = _waited(walk)
    container = await walk.container(container_id)
    match container.state:
        case ContainerState.FINISHED:
            _finished(walk, waited)
            await publish(walk)
        case ContainerState.PUBLISHED:
            await walk.move("container.published", state=State.RECONCILING, tries=0, due_at=walk.now())
        case ContainerState.ERROR | ContainerState.EXPIRED:
            items = [part for part in walk.post.parts if part.position >= 0]
            await _died(walk, container, items[0] if len(items) == 1 else None)
        case _:
            await _wait(walk, walk.post.parts, waited)


async def _died(walk: Walk, container: Container, part: Part | None) -> None:
    position = part.position if part and len(walk.post.draft.items) > 1 else None
    failure = failure_in(container, position, part)
    if container.state is ContainerState.EXPIRED or failure.retryable:
        await walk.renew(failure)
    else:
        await walk.fail(failure)


async def _wait(walk: Walk, parts: tuple[Part, ...], unfinished: timedelta) -> None:
    """Come back when it is worth a look; a short wait is not stored, unless something else is."""
    post, waited = walk.post, _waited(walk)
    walk.unfinished = unfinished
    if waited > poll_budget(post.draft, walk.resources.policy):
        minutes = round(waited.total_seconds() / 60)
        message = f"Instagram did not finish the medium in {minutes} minutes; try again, or make it smaller"
        await walk.renew(Failure(Kind.UNREACHABLE, message, retryable=True))
        return
    usual = walk.resources.pace.usual(post)
    pause = poll_gap(max(waited, timedelta(milliseconds=1)), video=has_video(post.draft), usual=usual)
    due = walk.now() + pause
    if pause <= SHORT and parts == post.parts:
        walk.post = replace(post, due_at=due)
    else:
        await walk.move(None, parts=parts, due_at=due)


def _waited(walk: Walk) -> timedelta:
    now = walk.now()
    return now - (walk.post.container_at or now)


def _finished(walk: Walk, waited: timedelta) -> None:
    walk.resources.pace.finished(walk.post, walk.unfinished, waited)
    walk.unfinished = timedelta(0)
