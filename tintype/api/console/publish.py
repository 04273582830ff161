"""The composer: what is to be published, how Instagram will show it, what stands against it, and when it is due."""

from collections.abc import AsyncIterator, Sequence

from fastapi import FastAPI, Request
from starlette.datastructures import UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse

from tintype.api.console.composing import (
    CHUNK,
    Composed,
    Piece,
    addresses,
    composed,
    is_number,
    kept_pieces,
    read,
    uploads,
)
from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.headers import HEADERS
from tintype.api.templates import templates
from tintype.core.access import Role, Visit
from tintype.core.accounts import Account, State
from tintype.core.publishing import EDITABLE, Draft, Fit, Problem, Product, Review, problems
from tintype.errors import Conflict, Invalid, NotFound, Trouble
from tintype.instagram import LIMITS, utc_now

PLACE = "/console/publish"


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""
    _asking(app, desk)
    _taking(app, desk)
    _looking(app, desk)


def _asking(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE)
    async def compose(request: Request) -> Response:
        """Show the empty form."""
        visit = await desk.door.visit(request, Role.EDITOR)
        return await _shown(desk, visit, Composed())

    @app.get(PLACE + "/{post_id}")
    async def edit(post_id: int, request: Request) -> Response:
        """Show the form of a post that waits."""
        visit = await desk.door.visit(request, Role.EDITOR)
        post = await desk.publisher.get(visit.caller().workspace_id, post_id)
        if post.state not in EDITABLE:
            raise Conflict(f"this post is {post.state.value} and cannot be changed any more")
        return await _shown(desk, visit, composed(post, post.account_id))


def _taking(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.post(PLACE)
    async def take(request: Request) -> Response:
        """Look at the form, keep it as a draft, or take the post; whatever is wrong, nothing that was typed is lost."""
        visit, form = await desk.door.form(request, files=True)
        workspace_id, verb = visit.caller().workspace_id, form.get("verb")
        try:
            kept = [await _kept(desk, workspace_id, one) for one in uploads(form)]
        finally:
            await form.close()
        filled = read(form, [*kept_pieces(form), *kept, *addresses(form)])
        try:
            draft = filled.draft()
            account = await _account(desk, workspace_id, filled.account_id)
            if verb == "check":
                review = await desk.publisher.review(workspace_id, account.id, draft)
                return await _shown(desk, visit, filled, review=review)
            post_id = await _stored(desk, visit, filled, account, draft, hold=verb == "draft")
        except Invalid as trouble:
            return await _shown(desk, visit, filled, wrong=trouble.problems, status=400)
        except Trouble as trouble:
            return await _shown(desk, visit, filled, wrong=(trouble.message,), status=409)
        return RedirectResponse(f"/console/posts/{post_id}?done={'draft' if verb == 'draft' else 'taken'}", 303)


def _looking(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.post(PLACE + "/problems")
    async def look(request: Request) -> Response:
        """Return what stands against the words of the form, as a piece of the page."""
        _, form = await desk.door.form(request)
        filled = read(form, kept_pieces(form))
        page = templates.get_template("console/problems.html").render(problems=_spotted(filled), wrong=(), review=None)
        return HTMLResponse(page, headers=HEADERS)

    @app.get("/console/uploads/{key:path}")
    async def upload(key: str, request: Request) -> Response:
        """Send a file that was uploaded to this workspace."""
        visit = await desk.door.visit(request)
        media_type, data = await desk.publisher.upload(visit.caller().workspace_id, key)
        headers = {
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
            "Cache-Control": "private",
        }
        return StreamingResponse(data, media_type=media_type, headers=headers)


async def _stored(
    desk: ConsoleDesk, visit: Visit, filled: Composed, account: Account, draft: Draft, *, hold: bool
) -> int:
    workspace_id, user = visit.caller().workspace_id, visit.person.user.id
    moment = filled.moment(utc_now())
    if is_number(filled.post_id):
        post_id = int(filled.post_id)
        await desk.publisher.edit(workspace_id, post_id, draft, moment, tag=filled.tag or None, hold=hold)
        await desk.door.note(visit, "post.edited", str(post_id))
        return post_id
    post = await desk.publisher.create(workspace_id, account.id, draft, user_id=user, moment=moment, hold=hold)
    await desk.door.note(visit, "post.drafted" if hold else "post.taken", str(post.id))
    return post.id


def _spotted(filled: Composed) -> Sequence[Problem]:
    """Return what can be said about a form before its files have arrived."""
    try:
        found = problems(filled.draft())
    except Invalid as trouble:
        return [Problem("", "invalid", one) for one in trouble.problems]
    return [one for one in found if filled.pieces or not one.field.startswith(("image", "video", "child"))]


async def _kept(desk: ConsoleDesk, workspace_id: str, file: UploadFile) -> Piece:
    key = await desk.publisher.keep_upload(workspace_id, _chunks(file), file.content_type or "")
    return Piece(key, (file.filename or "file")[:80])


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while piece := await file.read(CHUNK):
        yield piece


async def _account(desk: ConsoleDesk, workspace_id: str, account_id: str) -> Account:
    try:
        return await desk.accounts.get(workspace_id, account_id)
    except NotFound:
        raise Invalid("choose the account that is to publish it") from None


async def _shown(
    desk: ConsoleDesk,
    visit: Visit,
    filled: Composed,
    *,
    review: Review | None = None,
    wrong: Sequence[str] = (),
    status: int = 200,
) -> Response:
    found = await desk.accounts.of_workspace(visit.caller().workspace_id)
    return desk.door.page(
        visit,
        "publish.html",
        status=status,
        accounts=[one for one in found if one.state is State.CONNECTED],
        filled=filled,
        problems=_spotted(filled) if review is None and filled.pieces else (),
        review=review,
        wrong=wrong,
        products=list(Product),
        fits=list(Fit),
        characters=LIMITS.caption_characters.whole,
        hashtags=LIMITS.caption_hashtags.whole,
        mentions=LIMITS.caption_mentions.whole,
        most=LIMITS.carousel_items_max.whole,
    )
