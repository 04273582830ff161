"""/posts: what was published or will be; looked at, changed, called back, tried again, linked by hand."""

import re
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import JSONResponse, Response

from tintype.api.callers import guarded, matches, once
from tintype.api.dialect import read_body, takes
from tintype.api.social.amending import amended, moment_for
from tintype.api.social.desk import SocialDesk
from tintype.api.social.entry import caller_of
from tintype.api.social.finding import account_of, asking, name_of, number_of, post_number
from tintype.api.social.outcomes import outcome
from tintype.api.social.posting import POSTS
from tintype.api.social.publication import Link, Publication
from tintype.api.social.shapes import occurrence
from tintype.api.social.shapes import post as shape
from tintype.core.access import Caller, Role
from tintype.core.publishing import UNDER_WAY, Post, State
from tintype.errors import Invalid

ONE = POSTS + "/{number:int}"


def add(app: FastAPI, desk: SocialDesk) -> None:
    """Add the routes."""
    _listing(app, desk)
    _showing(app, desk)
    _changing(app, desk)
    _mending(app, desk)


def _listing(app: FastAPI, desk: SocialDesk) -> None:
    @app.get(POSTS)
    async def posts(
        caller: Annotated[Caller, Depends(asking(desk))],
        account_id: Annotated[str | None, Query()] = None,
        status: Annotated[str | None, Query(description="One or several of the states, separated by commas.")] = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 25,
        after: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    ) -> Response:
        """List posts, newest first; `next_cursor` is what `after` takes, and null on the last page."""
        account = None if account_id is None else await account_of(desk, caller, number_of(account_id))
        found = await desk.publisher.list(
            caller.workspace_id,
            account_id=account and account.id,
            states=states_of(status),
            after=after,
            limit=limit,
        )
        numbers = await _numbers(desk, caller)
        shown = [shape(one, numbers.get(one.account_id)) for one in found.posts]
        return JSONResponse({"posts": shown, "next_cursor": str(found.after) if found.after is not None else None})


def states_of(text: str | None) -> frozenset[State]:
    """Return the states that a query names; `processing` is also what callers hear of a post that is under way."""
    found: set[State] = set()
    for name in filter(None, (text or "").split(",")):
        try:
            found |= UNDER_WAY if name.strip() == "processing" else {State(name.strip())}
        except ValueError:
            raise Invalid(f"status must be one of {', '.join(State)}") from None
    return frozenset(found)


async def _numbers(desk: SocialDesk, caller: Caller) -> dict[str, int]:
    return {account.id: account.number for account in await desk.accounts.of_workspace(caller.workspace_id)}


def _showing(app: FastAPI, desk: SocialDesk) -> None:
    @app.get(ONE)
    async def show(request: Request, number: int) -> Response:
        """Return a post with its state; its ETag changes with all that its owner sees."""
        caller = await caller_of(request, desk)
        post = await desk.publisher.get(caller.workspace_id, post_number(number))
        if matches(request.headers.get("if-none-match"), post.tag, weak=True):
            return Response(status_code=304, headers={"ETag": post.tag, **_PRIVATE})
        return await _shown(desk, caller, post)

    @app.get(ONE + "/events")
    async def events(request: Request, number: int) -> Response:
        """Return a post's timeline, oldest first."""
        caller = await caller_of(request, desk)
        found = await desk.publisher.timeline(caller.workspace_id, post_number(number))
        return JSONResponse({"events": [occurrence(one) for one in found]})


_PRIVATE = {"Cache-Control": "private, no-cache"}


async def _shown(desk: SocialDesk, caller: Caller, post: Post) -> JSONResponse:
    numbers = await _numbers(desk, caller)
    return JSONResponse(shape(post, numbers.get(post.account_id)), headers={"ETag": post.tag, **_PRIVATE})


def _changing(app: FastAPI, desk: SocialDesk) -> None:
    @app.patch(ONE, openapi_extra=takes(Publication))
    async def change(request: Request, number: int) -> Response:
        """Change a draft, a planned or a failed post: what is named is said anew. If-Match guards against overwriting."""
        caller = await caller_of(request, desk)
        caller.must(Role.EDITOR)
        body = await read_body(request, Publication)
        post = await desk.publisher.get(caller.workspace_id, post_number(number))
        tag = guarded(request, post.tag, "the post")
        numbers = await _numbers(desk, caller)
        if body.account_id not in (None, numbers.get(post.account_id)):
            raise Invalid("account_id of a post cannot be changed; make a new post")
        moment = moment_for(post, body, desk.accounts.graph.now())
        draft = amended(post.draft, body)
        changed = await desk.publisher.edit(caller.workspace_id, post.id, draft, moment, tag=tag, hold=body.draft)
        return await _shown(desk, caller, changed)

    @app.delete(ONE)
    async def call_back(request: Request, number: int) -> Response:
        """Call back a post that is not under way yet; what is published stays on Instagram."""
        caller = await caller_of(request, desk)
        caller.must(Role.EDITOR)
        post = await desk.publisher.get(caller.workspace_id, post_number(number))
        done = await desk.publisher.cancel(caller.workspace_id, post.id, tag=guarded(request, post.tag, "the post"))
        said = {"message": "Post cancelled successfully", "db_id": done.id, "status": done.state.value}
        return JSONResponse(said, headers={"ETag": done.tag})


def _mending(app: FastAPI, desk: SocialDesk) -> None:
    @app.post(ONE + "/retry", status_code=201)
    async def retry(request: Request, number: int) -> Response:
        """Try a failed post again; the answer is that of the route which made it."""
        caller = await caller_of(request, desk)
        caller.must(Role.EDITOR)

        async def make() -> JSONResponse:
            post = await desk.publisher.retry(caller.workspace_id, post_number(number))
            ended = await desk.publisher.wait(caller.workspace_id, post.id, desk.wait_seconds)
            return outcome(ended, POSTS, request.headers.get("accept", ""))

        return await once(request, desk.idempotency, make, caller=name_of(caller))

    @app.post(ONE + "/link", openapi_extra=takes(Link))
    async def link(request: Request, number: int) -> Response:
        """Say which medium of the account a post is that went out without telling us."""
        caller = await caller_of(request, desk)
        caller.must(Role.EDITOR)
        body = await read_body(request, Link)
        if not body.media_id:
            raise Invalid("media_id is required")
        if not re.fullmatch("[0-9]+", body.media_id):
            raise Invalid("media_id is the number by which Instagram knows the medium")
        linked = await desk.publisher.link(caller.workspace_id, post_number(number), body.media_id)
        return await _shown(desk, caller, linked)
