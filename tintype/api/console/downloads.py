"""Posts by their links for people: paste one, see its files and its words, or why it cannot be had."""

from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import text_of
from tintype.api.files import is_known, part_of
from tintype.core.access import Visit
from tintype.core.downloads import Download
from tintype.errors import Invalid, NotFound, Trouble
from tintype.instagram.links import parse_link

PLACE = "/console/downloads"


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""

    @app.get(PLACE)
    async def downloads(request: Request) -> Response:
        """Show what was asked for last."""
        return await _shown(desk, await desk.door.visit(request))

    @app.post(PLACE)
    async def ask(request: Request) -> Response:
        """Have a post downloaded."""
        visit, form = await desk.door.form(request)
        pasted = text_of(form, "link").strip()
        try:
            link = parse_link(pasted)
            if link.shortcode is None:
                raise Invalid("this is no link to one post; copy the link of a post, a reel or a carousel")
            await desk.downloads.ask(link.shortcode)
        except Trouble as trouble:
            return await _shown(desk, visit, problem=trouble.message, pasted=pasted, status=400)
        return RedirectResponse(f"{PLACE}/{link.shortcode}", 303)

    @app.get(PLACE + "/{shortcode}")
    async def one(shortcode: str, request: Request) -> Response:
        """Show one post's files, or why there are none."""
        visit = await desk.door.visit(request)
        found = await _known(desk, shortcode)
        return desk.door.page(visit, "download.html", download=found, follows=found.state == "running")

    @app.get(PLACE + "/{shortcode}/{name}")
    async def file(shortcode: str, name: str, request: Request) -> Response:
        """Send a downloaded file."""
        await desk.door.visit(request)
        path, kept = await desk.downloads.file(shortcode, name)
        found = path.stat()
        changed = datetime.fromtimestamp(int(found.st_mtime), UTC)
        headers = {
            "ETag": f'"{kept.sha256}"',
            "Last-Modified": format_datetime(changed, usegmt=True),
            "Accept-Ranges": "bytes",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "sandbox",
            "Cache-Control": "private",
        }
        if "save" in request.query_params:
            headers["Content-Disposition"] = f'attachment; filename="{name}"'
        if is_known(request, headers["ETag"], changed):
            return Response(status_code=304, headers=headers)
        return part_of(request, path, found.st_size, headers, kept.content_type)


async def _known(desk: ConsoleDesk, shortcode: str) -> Download:
    found = await desk.downloads.known(shortcode)
    if found is None:
        raise NotFound("this post was not asked for here, or its files are gone again")
    return found


async def _shown(
    desk: ConsoleDesk, visit: Visit, *, problem: str = "", pasted: str = "", status: int = 200
) -> Response:
    found: Sequence[Download] = await desk.downloads.recent()
    return desk.door.page(
        visit,
        "downloads.html",
        status=status,
        downloads=found,
        problem=problem,
        pasted=pasted,
        follows=not pasted and any(one.state == "running" for one in found),
    )
