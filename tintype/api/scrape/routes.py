"""Seed 2's routes. Each reads the request, asks core one thing, and says the answer in the promised form."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp

from tintype.api.callers import once
from tintype.api.dialect import Dialect, Mounted, Surround, answers, build, read_body, takes
from tintype.api.later import Later
from tintype.api.scrape import files, hot
from tintype.api.scrape.dialect import failed
from tintype.api.scrape.files import MediaLinks
from tintype.api.scrape.gate import Gate, Refused
from tintype.api.scrape.wire import ResolveRequest, ScrapeRequest, answer, explained, job, late
from tintype.backends.idempotency import Idempotency
from tintype.core.downloads import Download, Downloads
from tintype.errors import RateLimited, Unauthorized
from tintype.instagram.links import Link, parse_link


@dataclass(frozen=True, slots=True)
class ScrapeDesk:
    """What the scrape routes lean on."""

    downloads: Downloads
    gate: Gate
    resolves: Gate  # the same door with a count of its own
    links: MediaLinks
    idempotency: Idempotency
    wait_seconds: float
    version: str
    now: Callable[[], datetime]


def mount(desk: ScrapeDesk, dialect: Dialect) -> Mounted:
    """Return the scrape dialect, ready to be put behind a `Front`."""
    app = Later(partial(_routes, desk, dialect))
    around = Surround(app, dialect, desk.gate.max_body_bytes)
    before: dict[tuple[str, str], ASGIApp] = {("POST", "/scrape"): hot.HotScrape(desk.gate, around)}
    if "/health" in dialect.claims:
        before["GET", "/health"] = hot.health
    return Mounted(dialect, around, before, app.openapi)


def _routes(desk: ScrapeDesk, dialect: Dialect) -> FastAPI:
    app = build(dialect, version=desk.version)
    for add in (_scraping, _explaining, _serving):
        add(app, desk)
    if "/health" in dialect.claims:
        _health(app)
    return app


def _scraping(app: FastAPI, desk: ScrapeDesk) -> None:
    @app.post("/scrape", openapi_extra=takes(ScrapeRequest))
    async def scrape(request: Request) -> Response:
        """Download a post by its address; with `Prefer: respond-async` it is only begun."""
        link = await _admitted(desk, request)
        if isinstance(link, Refused):
            return hot.as_response(link, request.state.request_id)

        async def make() -> JSONResponse:
            return await _scraped(desk, request, link)

        try:
            return await once(request, desk.idempotency, make)
        except _NotHad as end:
            return end.answer

    @app.get("/scrape/jobs/{job_id}")
    async def look(request: Request, job_id: str) -> Response:
        """Return how far a download is."""
        _check_key(desk, request)
        found = await desk.downloads.find(job_id)
        return JSONResponse(_job(desk, found))


class _NotHad(Exception):
    """A post could not be had, or not yet: an answer that no idempotency key may keep."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


async def _admitted(desk: ScrapeDesk, request: Request) -> Link | Refused:
    """Return the link that the hot route understood, or judge here a request that did not come that way."""
    admitted = getattr(request.state, "admitted", None)
    if admitted is None:
        verdict, standing = desk.gate.judge(request.scope, await request.body())
        request.state.headers.update(standing.headers() if standing else {})
        return verdict if isinstance(verdict, Refused) else verdict.link
    if admitted.standing is not None:
        request.state.headers.update(admitted.standing.headers())
    return admitted.link


async def _scraped(desk: ScrapeDesk, request: Request, link: Link) -> JSONResponse:
    assert link.shortcode is not None
    prefer = request.headers.get("prefer", "")
    is_async = "respond-async" in prefer
    wait = _patience(prefer, desk.wait_seconds) if is_async else desk.wait_seconds
    found = await desk.downloads.ask(link.shortcode, wait=wait)
    accept, request_id = request.headers.get("accept", ""), request.state.request_id
    if found.post is not None:
        folder = desk.downloads.folders.folder(found.shortcode)
        return JSONResponse(answer(found.shortcode, found.post, folder, desk.links))
    if found.failure is not None:
        raise _NotHad(failed(found.failure, desk.now(), accept, job=found.id, request_id=request_id))
    if is_async:
        headers = {"Location": f"/scrape/jobs/{found.id}", "Preference-Applied": "respond-async", "Retry-After": "1"}
        return JSONResponse(_job(desk, found), 202, headers)
    raise _NotHad(failed(late(found), desk.now(), accept, job=found.id, request_id=request_id))


def _patience(prefer: str, longest: float) -> float:
    """Return the seconds that a caller would rather wait than be sent away, `longest` at most (RFC 7240, 4.3)."""
    found = re.search(r"\bwait=(\d{1,4})\b", prefer)
    return min(float(found.group(1)), longest) if found else 0.0


def _job(desk: ScrapeDesk, download: Download) -> dict[str, object]:
    folder = desk.downloads.folders.folder(download.shortcode)
    return job(download, folder, desk.links, desk.now())


def _explaining(app: FastAPI, desk: ScrapeDesk) -> None:
    @app.post("/resolve", openapi_extra=takes(ResolveRequest))
    async def resolve(request: Request) -> Response:
        """Explain a link: what it is, its plain form, and whether POST /scrape takes it. Instagram is not asked."""
        standing = desk.resolves.rates.count(desk.resolves.who(request.scope))
        if standing is not None:
            request.state.headers.update(standing.headers())
            if standing.left < 0:
                raise RateLimited("Too many requests", retry_after=standing.wait)
        _check_key(desk, request)
        body = await read_body(request, ResolveRequest)
        link = parse_link(body.url)
        taken = desk.gate.link(body.url)
        return JSONResponse(explained(link, taken.detail if isinstance(taken, Refused) else None))


def _serving(app: FastAPI, desk: ScrapeDesk) -> None:
    @app.get("/media/{shortcode}/{name}", **answers("image/*", "video/*"))
    async def media(request: Request, shortcode: str, name: str) -> Response:
        """Return a downloaded file; a signed link opens it without a key."""
        signature = request.query_params.get("sig")
        if signature is None:
            _check_key(desk, request)
        elif not desk.links.opens(shortcode, name, request.query_params.get("until"), signature):
            raise Unauthorized("this link has expired or was altered; ask for the post again")
        return await files.answer(desk.downloads, request, shortcode, name)


def _health(app: FastAPI) -> None:
    @app.get("/health", **answers("text/plain"))
    async def health() -> Response:
        """Alive."""
        return PlainTextResponse("OK")


def _check_key(desk: ScrapeDesk, request: Request) -> None:
    if not desk.gate.admits(request.headers.raw):
        raise Unauthorized("Unauthorized")
