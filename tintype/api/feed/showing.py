"""What websites fetch with a publishable key: the feed as JSON and HTML, the widget's script, oEmbed, and the files."""

import asyncio
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from tintype.api.dialect import answers
from tintype.api.feed import embedding, pages
from tintype.api.feed.desk import FeedDesk
from tintype.api.feed.files import Files
from tintype.api.feed.forms import Forms, fitting, forms_of
from tintype.api.feed.shelf import Choice
from tintype.core.access import Caller, Grant
from tintype.errors import Invalid, NotFound

_SCRIPT = Path(__file__).parents[2] / "web" / "widget" / "widget.js"
_EXPOSED = "ETag, X-Feed-Synced-At, X-Feed-Stale"
_ANYBODY = {"Access-Control-Allow-Origin": "*"}


def add(app: FastAPI, desk: FeedDesk) -> None:
    """Add the routes."""
    _feeds(app, desk)
    _embedding(app, desk)
    files = Files(desk.renditions)

    @app.get("/m/{digest}/{name}", **answers("image/*", "video/*"))
    async def media(request: Request, digest: str, name: str) -> Response:
        """Return one file of an own copy."""
        return await files.answer(request, digest, name)


def _feeds(app: FastAPI, desk: FeedDesk) -> None:
    @app.get("/feeds/{name}", **answers("application/json", "text/html"))
    async def public_feed(
        request: Request,
        name: str,
        limit: Annotated[int | None, Query(ge=1, le=10_000)] = None,
        account: Annotated[str | None, Query(max_length=64)] = None,
    ) -> Response:
        """Return a feed by its publishable key, or the first posts of it, as JSON or as a piece of HTML."""
        key, _, form = name.rpartition(".")
        caller = await _caller(desk, request, key)
        cors = _cors(request.headers.get("origin"), caller)
        entry = await desk.shelf.entry(caller.workspace_id)
        choice = Choice(limit, account or None)
        if form == "json":
            part = await asyncio.to_thread(entry.part, choice, _accepted(request))  # the first of its kind is packed
            desk.shelf.weigh(entry)
            return _with(part.answer(request), cors)
        if form == "html":
            oembed = embedding.discovered(desk.base, str(request.url.path), request.url.query)
            return _with(pages.feed(request, entry, choice, caller, desk.base, oembed), cors)
        raise Invalid("a feed is served as .json or .html")

    @app.options("/feeds/{name}", status_code=204)
    async def preflight(request: Request, name: str) -> Response:
        """Let a page send If-None-Match: a browser asks first."""
        caller = await desk.shelf.caller(name.rpartition(".")[0], Grant.FEED)
        cors = _cors(request.headers.get("origin"), caller)
        asked = {"Access-Control-Allow-Methods": "GET, HEAD", "Access-Control-Allow-Headers": "If-None-Match"}
        allowed = {**asked, "Access-Control-Max-Age": "86400"} if "Access-Control-Allow-Origin" in cors else {}
        return Response(status_code=204, headers={"Allow": "GET, HEAD, OPTIONS", **cors, **allowed})


async def _caller(desk: FeedDesk, request: Request, key: str) -> Caller:
    """Return who shows a key; every page may read the refusal, so that the widget can say on its console what is wrong."""
    request.state.headers.update(_ANYBODY)
    caller = await desk.shelf.caller(key, Grant.FEED)
    for name in _ANYBODY:
        del request.state.headers[name]
    return caller


def _embedding(app: FastAPI, desk: FeedDesk) -> None:
    @app.get("/widget.js", include_in_schema=False)
    async def widget(request: Request) -> Response:
        """Return the script that puts a feed into a page."""
        return fitting(_script(), _accepted(request)).answer(request)

    @app.get("/oembed", responses={501: {"description": "Another format than JSON was asked for."}})
    async def oembed(
        url: Annotated[str, Query(max_length=2048)],
        form: Annotated[Literal["json", "xml"], Query(alias="format")] = "json",
        maxwidth: Annotated[int | None, Query(ge=1)] = None,
        maxheight: Annotated[int | None, Query(ge=1)] = None,
    ) -> Response:
        """Return how to put a feed's page into another one, as oEmbed 1.0 has it; as JSON only."""
        if form == "xml":
            raise HTTPException(501, "oEmbed is answered as JSON; ask with format=json")
        page = embedding.asked(desk.base, url)
        if page is None:
            raise NotFound(f"url names no page of a feed; one looks like {desk.base}/feeds/YOUR_FEED_KEY.html")
        caller = await desk.shelf.caller(page.key, Grant.FEED)
        entry = await desk.shelf.entry(caller.workspace_id)
        count = len(pages.own(page.choice.of(entry.items), desk.base))
        size = embedding.measured(count, maxwidth, maxheight)
        return JSONResponse(embedding.said(desk.base, page, caller.workspace_name, size), headers=_ANYBODY)


@cache
def _script() -> Forms:
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "public, max-age=3600, stale-while-revalidate=86400, stale-if-error=604800",
    }
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return forms_of(_SCRIPT.read_bytes(), pairs, b"text/javascript; charset=utf-8")


def _accepted(request: Request) -> bytes:
    return request.headers.get("accept-encoding", "").encode("latin-1")


def _with(answer: Response, headers: Mapping[str, str]) -> Response:
    varies = [value for value in (answer.headers.get("vary"), headers.get("Vary")) if value]
    answer.headers.update(headers)
    if varies:
        answer.headers["Vary"] = ", ".join(dict.fromkeys(name.strip() for part in varies for name in part.split(",")))
    return answer


def _cors(origin: str | None, caller: Caller) -> dict[str, str]:
    """Return what lets the browsers of allowed sites read a public feed; a key without origins is for every site."""
    if not caller.origins:
        return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": _EXPOSED}
    if origin is None or not (origin.lower() in caller.origins or _is_local(origin)):
        return {"Vary": "Accept-Encoding, Origin"}
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": _EXPOSED,
        "Vary": "Accept-Encoding, Origin",
    }


def _is_local(origin: str) -> bool:
    return re.fullmatch(r"https?://(localhost|127\.0\.0\.1)(:\d+)?", origin) is not None
