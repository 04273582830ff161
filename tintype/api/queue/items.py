"""/api/queue: take links and texts, show items, try them again, let go of them, and hand out what was made of them."""

import re
from collections.abc import Sequence
from typing import Any

from fastapi import Depends, FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tintype.api.callers import once
from tintype.api.dialect import answers, read_body, takes
from tintype.api.queue.amending import RecipeEdit
from tintype.api.queue.desk import QueueDesk
from tintype.api.queue.reading import is_ours, item_id_of, query_of
from tintype.api.queue.stream import PATH, StreamRoute
from tintype.api.queue.wire import BatchRequest, QueueRequest, RetryRequest
from tintype.core.recipes import Item, Stage, Taken, accepted, jsonld, markdown, new_batch
from tintype.errors import Invalid, NotFound

ITEMS = "/api/queue"
BATCH = "/api/queue/batch"
BATCH_BYTES = 1_048_576

_PICTURE_HEADERS = {
    "Cache-Control": "private, max-age=86400",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)


def add(app: FastAPI, desk: QueueDesk) -> None:
    """Add the routes; those with fixed paths before the ones that take anything."""
    app.router.add_route(PATH, StreamRoute(desk), include_in_schema=False)  # pyright: ignore[reportArgumentType] - an ASGI app is taken as well

    def check(request: Request) -> None:
        desk.gate.check(request)

    keyed: list[Any] = [Depends(check)]
    _entering(app, desk)
    _taking(app, desk, keyed)
    _showing(app, desk, keyed)
    _amending(app, desk, keyed)
    _handing(app, desk, keyed)


def _entering(app: FastAPI, desk: QueueDesk) -> None:
    @app.post("/api/queue/session", status_code=204)
    async def enter(request: Request) -> Response:
        """Keep the key in a cookie, for pages whose EventSource cannot send headers."""
        desk.gate.check(request)
        answer = Response(status_code=204)
        desk.gate.remember(answer)
        return answer


def _taking(app: FastAPI, desk: QueueDesk, keyed: list[Any]) -> None:
    @app.post(ITEMS, status_code=201, dependencies=keyed, openapi_extra=takes(QueueRequest))
    async def take(request: Request) -> Response:
        """Take a link, or a text; a post that is on its way already is answered with its item."""

        async def make() -> JSONResponse:
            # The document's own examples send no Content-Type, and then browsers call a text text/plain.
            body = await read_body(request, QueueRequest, plain=is_ours(request, desk.base))
            if body.text is not None and body.url is None:
                taken = await desk.recipes.take_given(text=body.text, title=body.title)
            else:
                dedupe = body.dedupe or request.query_params.get("dedupe") == "true"
                taken = await desk.recipes.take(accepted(body.url), again=body.again, dedupe=dedupe)
            return _answer(desk, taken)

        return await once(request, desk.idempotency, make)

    @app.post(BATCH, status_code=201, dependencies=keyed, openapi_extra=takes(BatchRequest))
    async def take_all(request: Request) -> Response:
        """Take many links at once, in their order; one that is wrong is reported and does not stop the others."""

        async def make() -> JSONResponse:
            body = await read_body(request, BatchRequest)
            given = _listed(body)
            if not 0 < len(given) <= desk.recipes.policy.batch:
                raise Invalid(f"a batch has 1 to {desk.recipes.policy.batch} links")
            return await _taken_all(desk, given, dedupe=body.dedupe, again=body.again)

        return await once(request, desk.idempotency, make)


def _answer(desk: QueueDesk, taken: Taken) -> JSONResponse:
    said = desk.wire.item(taken.item)
    if not taken.is_new:
        return JSONResponse({**said, "duplicate": True})
    if taken.known is not None and taken.known.upload is not None and taken.known.upload.url:
        said["tandoorUrl"] = taken.known.upload.url
    return JSONResponse(said, 201, {"Location": f"{ITEMS}/{taken.item.id}"})


def _listed(body: BatchRequest) -> Sequence[Any]:
    return body.urls if body.urls is not None else _ADDRESS.findall(body.text or "")


async def _taken_all(desk: QueueDesk, given: Sequence[Any], *, dedupe: bool, again: bool) -> JSONResponse:
    """Take what is good of a list, and say of each line what became of it."""
    good: list[str] = []
    rows: list[dict[str, Any]] = []
    for place, one in enumerate(given):
        row: dict[str, Any] = {"index": place, "url": one}
        try:
            good.append(accepted(one))
        except Invalid as wrong:
            row |= {"status": "invalid", "message": wrong.message}
        rows.append(row)
    batch = new_batch()
    taken = iter(await desk.recipes.take_all(good, again=again, dedupe=dedupe, batch=batch))
    counts = {"queued": 0, "duplicates": 0, "invalid": 0}
    for row in rows:
        if "status" in row:
            counts["invalid"] += 1
            continue
        found = next(taken)
        row |= {"status": "queued" if found.is_new else "duplicate", "id": found.item.id}
        if found.item.duplicate_of:
            row["duplicateOf"] = found.item.duplicate_of
        counts["queued" if found.is_new else "duplicates"] += 1
    return JSONResponse({"batch": batch, **counts, "items": rows}, 201)


def _showing(app: FastAPI, desk: QueueDesk, keyed: list[Any]) -> None:
    @app.get(ITEMS, dependencies=keyed)
    async def show_all(request: Request) -> Response:
        """List items: filtered by `status`, a page by `limit` and `offset`, in the order of `sort` and `order`."""
        query = query_of(request.query_params)
        page = await desk.recipes.page(query)
        has_more = query.offset + len(page.items) < page.total
        items = [desk.wire.item(one) for one in page.items]
        return JSONResponse({"items": items, "total": page.total, "hasMore": has_more})

    @app.get(ITEMS + "/{item_id}", dependencies=keyed)
    async def show(item_id: str) -> Response:
        """Return one item."""
        return JSONResponse(desk.wire.item(await desk.recipes.get(item_id_of(item_id))))


def _amending(app: FastAPI, desk: QueueDesk, keyed: list[Any]) -> None:
    @app.post(ITEMS + "/{item_id}/retry", dependencies=keyed, openapi_extra=takes(RetryRequest))
    async def retry(request: Request, item_id: str) -> Response:
        """Try a failed item again, from its first unfinished phase or from the one that is named."""
        found = item_id_of(item_id)
        body = await read_body(request, RetryRequest)
        item = await desk.recipes.retry(found, since=Stage(body.since) if body.since else None, force=body.force)
        return JSONResponse({"success": True, "message": "Item queued for retry", "item": desk.wire.item(item)})

    @app.patch(ITEMS + "/{item_id}/recipe", dependencies=keyed, openapi_extra=takes(RecipeEdit))
    async def amend(request: Request, item_id: str) -> Response:
        """Correct the recipe of an item that waits for a review, or that was not put away."""
        found = item_id_of(item_id)
        body = await read_body(request, RecipeEdit)
        return JSONResponse(desk.wire.item(await desk.recipes.amend(found, body.changes())))

    @app.post(ITEMS + "/{item_id}/approve", dependencies=keyed)
    async def approve(item_id: str) -> Response:
        """Put the recipe away that waits for a review."""
        item = await desk.recipes.approve(item_id_of(item_id))
        return JSONResponse({"success": True, "message": "Item approved", "item": desk.wire.item(item)})

    @app.delete(ITEMS + "/{item_id}", dependencies=keyed)
    async def remove(request: Request, item_id: str) -> Response:
        """Remove an item; one that is being worked on only with `?cancel=true`."""
        cancel = request.query_params.get("cancel") == "true"
        await desk.recipes.remove(item_id_of(item_id), cancel=cancel)
        return JSONResponse({"success": True, "message": "Item removed"})


def _handing(app: FastAPI, desk: QueueDesk, keyed: list[Any]) -> None:
    @app.get(ITEMS + "/{item_id}/thumbnail", dependencies=keyed, **answers("image/*"))
    async def thumbnail(request: Request, item_id: str) -> Response:
        """Return our copy of the post's picture, which does not expire."""
        data, kind, tag = await desk.recipes.thumbnail(item_id_of(item_id))
        headers = {**_PICTURE_HEADERS, "ETag": f'"{tag}"'}
        if f'"{tag}"' in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(data, media_type=kind, headers=headers)

    @app.get(ITEMS + "/{item_id}/recipe.jsonld", dependencies=keyed, **answers("application/ld+json"))
    async def as_jsonld(item_id: str) -> Response:
        """Return the recipe as schema.org has it."""
        item = await _finished(desk, item_id)
        assert item.parsed is not None
        said = jsonld(item.parsed.value, url=item.link, image=desk.wire.thumbnail(item))
        return JSONResponse(said, media_type="application/ld+json")

    @app.get(ITEMS + "/{item_id}/recipe.md", dependencies=keyed, **answers("text/markdown"))
    async def as_markdown(item_id: str) -> Response:
        """Return the recipe as a page of Markdown."""
        item = await _finished(desk, item_id)
        assert item.parsed is not None
        said = markdown(item.parsed.value, url=item.link, image=desk.wire.thumbnail(item))
        return PlainTextResponse(said, media_type="text/markdown; charset=utf-8")


async def _finished(desk: QueueDesk, item_id: str) -> Item:
    item = await desk.recipes.get(item_id_of(item_id))
    if item.parsed is None:
        raise NotFound("there is no recipe of this item, or none yet")
    return item
