"""What a caller hears of a post that was just taken: published, planned, still on its way, or failed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

from tintype.api.social.dialect import SOCIAL
from tintype.api.social.shapes import failure, stamp
from tintype.api.social.unused import warnings
from tintype.core.publishing import Failure, Post, Problem, Product, State
from tintype.errors import (
    Busy,
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    Kind,
    Misconfigured,
    NotFound,
    RateLimited,
    Reconnect,
    Refused,
    RemoteTrouble,
    Trouble,
    Unauthorized,
    Unavailable,
    Unreachable,
)

# The promised names of what was made, and of its id at Instagram.
_NAMES: Mapping[Product, tuple[str, str]] = {
    Product.IMAGE: ("Post", "post_id"),
    Product.CAROUSEL: ("Post", "post_id"),
    Product.STORY: ("Story", "story_id"),
    Product.REEL: ("Reel", "reel_id"),
}

_KEPT = ("retry-after", "x-error-code")  # headers of a refusal that stay when its body grows

_REMOTE: Mapping[Kind, type[RemoteTrouble]] = {each.kind: each for each in (Reconnect, Refused, Busy, Unreachable)}
_OWN: Mapping[Kind, type[Trouble]] = {
    each.kind: each
    for each in (
        Unauthorized,
        Forbidden,
        NotFound,
        Gone,
        Conflict,
        RateLimited,
        Unavailable,
        Misconfigured,
    )
}


def outcome(post: Post, place: str, accept: str, found: Sequence[Problem] = ()) -> JSONResponse:
    """Return the answer to whoever asked for a post, with the address below `place` where it can be followed.

    `found` is what was sent and is not used; it stands beside the documented words, which are alone when there is nothing.
    """
    if post.state is State.FAILED:
        return _failed(post, accept)
    noun = _NAMES[post.draft.product][0]
    if post.state is State.CANCELLED:
        return _refused(Conflict(f"this {noun.lower()} was called back meanwhile"), accept, {"db_id": post.id})
    status, said = _said(post)
    warned = warnings(post, found)
    body = {**said, "warnings": list(warned)} if warned else said
    return JSONResponse(body, status, {"Location": f"{place}/{post.id}"})


def _said(post: Post) -> tuple[int, Mapping[str, Any]]:
    """Return how far a post is that has neither failed nor been called back."""
    noun, name = _NAMES[post.draft.product]
    waiting: dict[str, Any] = {"db_id": post.id, "status": post.state.value}
    match post.state:
        case State.PUBLISHED:
            known = {} if post.draft.product is Product.STORY else {"db_id": post.id}
            return 201, {"message": f"{noun} created successfully", name: post.media_id, **known}
        case State.DRAFT:
            return 201, {"message": f"{noun} kept as a draft", **waiting}
        case State.SCHEDULED if _is_planned(post):
            planned = {**waiting, "scheduled_at": stamp(post.scheduled_at)}
            return 201, {"message": f"{noun} scheduled successfully", **planned}
        case State.UNLINKED:
            message = f"{noun} is live, or may be; say which medium of the account it is"
            return 202, {"message": message, **waiting}
        case _:
            reason = {"reason": post.reason} if post.reason else {}
            return 202, {"message": f"{noun} is being published", **waiting, "status": "processing", **reason}


def entry(post: Post, account: str, found: Sequence[Problem] = ()) -> dict[str, Any]:
    """Return what POST /batch-post says of one account's post; `found` is what was sent and is not used."""
    if post.state is State.FAILED:
        return failed(account, _message(post))
    if post.state is State.CANCELLED:
        return failed(account, "called back meanwhile")
    warned = warnings(post, found)
    more = {"warnings": list(warned)} if warned else {}
    if post.state is State.PUBLISHED:
        return {"account": account, "status": "success", "post_id": post.media_id, **more}
    settled = post.state in (State.DRAFT, State.UNLINKED) or (post.state is State.SCHEDULED and _is_planned(post))
    return {"account": account, "status": post.state.value if settled else "processing", "db_id": post.id, **more}


def _is_planned(post: Post) -> bool:
    # One that was due already, and waits for quota, is on its way.
    return post.scheduled_at is not None and post.scheduled_at == post.due_at


def failed(account: str, message: str) -> dict[str, Any]:
    """Return what POST /batch-post says of an account whose post failed."""
    return {"account": account, "status": "failed", "error": message}


def trouble_of(one: Failure) -> Trouble:
    """Return a failure that was stored as the trouble it was."""
    if remote := _REMOTE.get(one.kind):
        return remote(
            one.message,
            code=one.code,
            subcode=one.subcode,
            retry_after=one.retry_after,
            action=one.action,
            trace_id=one.trace_id,
            retryable=one.retryable,
        )
    if own := _OWN.get(one.kind):
        return own(one.message, retry_after=one.retry_after)
    return Invalid(one.message)  # also of media that are too large or of no use: the request itself was neither


def _failed(post: Post, accept: str) -> JSONResponse:
    if post.failure is None:
        return _refused(Unreachable(_message(post)), accept, {"db_id": post.id})
    told = failure(post.failure)
    more = {name: told[name] for name in ("what_to_do", "instagram", "retryable") if told[name] not in (None, {})}
    return _refused(trouble_of(post.failure), accept, {**more, "db_id": post.id})


def _refused(trouble: Trouble, accept: str, more: Mapping[str, object]) -> JSONResponse:
    """Return a trouble in the dialect's own form, with what is known of the post beside it."""
    answer = SOCIAL.refuse(trouble, accept)
    headers = {name: value for name, value in answer.headers.items() if name in _KEPT}
    body = {**json.loads(bytes(answer.body)), **more}
    return JSONResponse(body, answer.status_code, headers, media_type=answer.media_type)


def _message(post: Post) -> str:
    return post.failure.message if post.failure else "it could not be published"
