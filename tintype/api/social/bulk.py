"""/posts/import and /posts/export: lists of posts as CSV or JSON Lines, in, out, and called back again."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, cast

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from tintype.api.callers import once
from tintype.api.dialect import answers
from tintype.api.social.desk import SocialDesk
from tintype.api.social.entry import caller_of
from tintype.api.social.finding import account_of, name_of, number_of
from tintype.api.social.posting import POSTS
from tintype.api.social.posts import states_of
from tintype.core.access import Caller, Role
from tintype.core.publishing import COLUMNS, Bulk, ListFormat, Report, Row, Undone
from tintype.errors import Invalid, Unsupported

IMPORT = f"{POSTS}/import"
EXPORT = f"{POSTS}/export"

_FORMATS: Mapping[str, ListFormat] = {
    "text/csv": "csv",
    "application/csv": "csv",
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
}
_TYPES: Mapping[ListFormat, str] = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
_BODY: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": f"A list of posts; its columns are {', '.join(COLUMNS)}.",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/x-ndjson")},
    }
}
_LOOKED: dict[int | str, dict[str, Any]] = {
    200: {"description": "What a dry run found: nothing was made.", "content": {"application/json": {}}}
}


def add(app: FastAPI, desk: SocialDesk) -> None:
    """Add the routes."""
    bulk = Bulk(desk.publisher, desk.accounts)
    _taking(app, desk, bulk)
    _undoing(app, desk, bulk)
    _giving(app, desk, bulk)


def _taking(app: FastAPI, desk: SocialDesk, bulk: Bulk) -> None:
    async def editing(request: Request) -> Caller:
        caller = await caller_of(request, desk)
        caller.must(Role.EDITOR)
        return caller

    @app.post(IMPORT, status_code=207, openapi_extra=dict(_BODY), responses=_LOOKED)
    async def take(
        request: Request,
        # Who asks is settled before what is asked: a stranger learns nothing, not even that his question is wrong.
        caller: Annotated[Caller, Depends(editing)],
        dry_run: Annotated[bool, Query(description="Report on every row and make nothing.")] = False,
        format: Annotated[ListFormat | None, Query(description="What the body is; else Content-Type says so.")] = None,
        columns: Annotated[
            str | None, Query(max_length=4096, description='A JSON object of your columns, `{"Text": "caption"}`.')
        ] = None,
    ) -> Response:
        """Make posts of the good rows of a list; the bad ones are reported. The same list twice makes nothing twice."""
        form, named = format or _format(request), _columns(columns)
        if dry_run:
            report = await bulk.take(caller.workspace_id, await request.body(), form, columns=named, dry_run=True)
            said = {"valid": len(report.rows) - report.failed, "invalid": report.failed, "rows": _rows(report)}
            return JSONResponse(said)

        async def make() -> JSONResponse:
            report = await bulk.take(
                caller.workspace_id,
                await request.body(),
                form,
                columns=named,
                key=_key(request, caller),
                user_id=caller.user_id,
            )
            counts = {"batch": report.batch, "created": report.created, "failed": report.failed}
            return JSONResponse({**counts, "rows": _rows(report)}, 207)

        return await once(request, desk.idempotency, make, caller=name_of(caller))


def _undoing(app: FastAPI, desk: SocialDesk, bulk: Bulk) -> None:
    @app.delete(IMPORT + "/{batch}")
    async def undo(request: Request, batch: str) -> Response:
        """Call back what an import brought and what is not published yet; each post has an entry of its own."""
        caller = await caller_of(request, desk)
        caller.must(Role.EDITOR)
        done = await bulk.undo(caller.workspace_id, batch)
        counts = {"cancelled": sum(one.is_undone for one in done), "kept": sum(not one.is_undone for one in done)}
        return JSONResponse({"batch": batch, **counts, "posts": [_undone(one) for one in done]})


def _giving(app: FastAPI, desk: SocialDesk, bulk: Bulk) -> None:
    async def asking(request: Request) -> Caller:
        return await caller_of(request, desk)

    @app.get(EXPORT, **answers("text/csv", "application/x-ndjson"))
    async def give(
        caller: Annotated[Caller, Depends(asking)],
        format: Annotated[ListFormat, Query()] = "csv",
        status: Annotated[str | None, Query(description="One or several of the states, separated by commas.")] = None,
        account_id: Annotated[str | None, Query()] = None,
    ) -> Response:
        """Return posts as a list that can be imported again, newest first."""
        account = None if account_id is None else await account_of(desk, caller, number_of(account_id))
        states = states_of(status)
        pieces = bulk.export(caller.workspace_id, format, account_id=account and account.id, states=states)
        headers = {
            "Content-Disposition": f'attachment; filename="posts.{format}"',
            "Cache-Control": "private, no-cache",
        }
        return StreamingResponse(pieces, media_type=_TYPES[format], headers=headers)


def _format(request: Request) -> ListFormat:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    found = _FORMATS.get(kind)
    if found is None:
        raise Unsupported(f"Content-Type is {kind or 'missing'}; send text/csv or application/x-ndjson")
    return found


def _columns(text: str | None) -> Mapping[str, str]:
    try:
        sent: object = json.loads(text or "{}")
    except (ValueError, RecursionError):
        sent = None
    named = cast("dict[str, object]", sent) if isinstance(sent, dict) else None
    if named is None or not all(isinstance(ours, str) for ours in named.values()):
        raise Invalid('columns is a JSON object like {"Text": "caption"}')
    return cast("dict[str, str]", named)


def _key(request: Request, caller: Caller) -> str:
    """Return what a list is known by when its rows come again: nothing, unless an Idempotency-Key was sent."""
    key = request.headers.get("idempotency-key")
    return "" if key is None else hashlib.sha256(f"{name_of(caller)}\0{key}".encode()).hexdigest()


def _rows(report: Report) -> list[dict[str, Any]]:
    return [_row(one, dry=report.batch is None) for one in report.rows]


def _row(one: Row, *, dry: bool) -> dict[str, Any]:
    problems = [
        {"field": each.field, "code": each.code, "message": each.message, "blocking": each.blocking}
        for each in one.problems
    ]
    said: dict[str, Any] = {"row": one.number, "status": "ok" if one.passes else "invalid", "problems": problems}
    if one.passes and not dry:
        said |= {"post": one.post_id, "new": one.is_new}
    return said


def _undone(one: Undone) -> dict[str, Any]:
    reason = {} if one.reason is None else {"reason": one.reason}
    return {"post": one.post.id, "status": one.post.state.value, "undone": one.is_undone, **reason}
