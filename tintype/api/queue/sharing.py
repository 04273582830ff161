"""/share: the page for people and their phones. It takes what is shared to it, shows the queue, and works without scripts.

A phone shares by POST, and what arrives is taken at once. A link, which anybody can set, only fills in the form.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tintype.api.letters import without_null
from tintype.api.queue.desk import QueueDesk
from tintype.api.queue.dialect import QUEUE
from tintype.api.queue.gate import COOKIE
from tintype.api.queue.reading import item_id_of
from tintype.api.queue.shared import Shared
from tintype.api.queue.shown import Page, Row
from tintype.api.templates import PAGE_HEADERS, templates
from tintype.core.recipes import Item, Query, Taken, new_batch
from tintype.errors import Conflict, Forbidden, Invalid, NotFound, Trouble, Unauthorized

SHARE = "/share"
MOST_PICTURES = 10
TEXT_BYTES = 256 * 1024
CARRIED = 1000  # characters that are kept while the key is asked for: a link and what an app says around it
SHOWN = 30

_YEAR = 365 * 24 * 3600

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {**PAGE_HEADERS, "Content-Security-Policy": _POLICY}

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
_FOLDER = Path(__file__).parents[2] / "web" / "share"


def add(app: FastAPI, desk: QueueDesk) -> None:
    """Add the routes."""
    _page(app, desk)
    _taking(app, desk)
    _opening(app, desk)
    _rows(app, desk)
    _recipes(app, desk)
    _files(app)


def _page(app: FastAPI, desk: QueueDesk) -> None:
    @app.get(SHARE, include_in_schema=False)
    async def page(request: Request) -> Response:
        """Show the queue and the form, filled in with what a link brought."""
        asked = request.query_params
        given = _joined(asked.get("url"), asked.get("text"), asked.get("title"))
        if not _is_admitted(desk, request):
            return _asks_for_key(given)
        return await _shown(desk, given, _NOTICES.get(asked.get("done", ""), ""), item_id=asked.get("item"))


def _taking(app: FastAPI, desk: QueueDesk) -> None:
    @app.post(SHARE, include_in_schema=False)
    async def take(request: Request) -> Response:
        """Take what was shared, and show where it stands."""
        _check_own(request)
        try:
            async with request.form(max_files=MOST_PICTURES, max_part_size=TEXT_BYTES) as form:
                given = await _given(form)
        except HTTPException as refusal:
            nothing, admitted = Shared(), _is_admitted(desk, request)
            return (
                await _shown(desk, nothing, refusal.detail, refusal.status_code) if admitted else _asks_for_key(nothing)
            )
        if not _is_admitted(desk, request):
            return _asks_for_key(given)
        try:
            taken = await _take(desk, given)
        except Trouble as trouble:
            return await _shown(desk, given, trouble.message, QUEUE.sayings[trouble.kind].status)
        return RedirectResponse(_after(taken), 303)


async def _take(desk: QueueDesk, given: Shared) -> list[Taken]:
    links = given.links()
    if links:
        batch = new_batch() if len(links) > 1 else None
        return list(await desk.recipes.take_all(links, batch=batch))
    return [await desk.recipes.take_given(text=given.text, title=given.title, pictures=given.pictures)]


def _after(taken: list[Taken]) -> str:
    fresh = sum(one.is_new for one in taken)
    done = "known" if not fresh else "added" if fresh == len(taken) == 1 else "many"
    return f"{SHARE}?done={done}" + (f"#item-{taken[0].item.id}" if len(taken) == 1 else "")


_NOTICES = {
    "added": "It is in the queue. You can close this page.",
    "many": "They are in the queue. You can close this page.",
    "known": "This is in the queue already.",
    "again": "It is tried again.",
    "approved": "It is put away now.",
    "late": "It is being worked on already.",
    "removed": "It was removed from the queue.",
}


def _opening(app: FastAPI, desk: QueueDesk) -> None:
    @app.post(f"{SHARE}/key", include_in_schema=False)
    async def open_queue(request: Request) -> Response:
        """Remember the queue's key in this browser."""
        _check_own(request)
        async with request.form() as form:
            key, given = _text(form, "key"), await _given(form)
        if not desk.gate.opens(key):
            return _asks_for_key(given, "This is not the key.")
        answer = RedirectResponse(f"{SHARE}?{urlencode({'text': given.text, 'title': given.title})}", 303)
        # Lax: a stricter one would not come along when a bookmark leads here from a post's page.
        answer.set_cookie(COOKIE, key, _YEAR, httponly=True, secure=desk.gate.secure, samesite="lax")
        return answer


def _rows(app: FastAPI, desk: QueueDesk) -> None:
    @app.get(f"{SHARE}/items/{{item_id}}", include_in_schema=False)
    async def row(request: Request, item_id: str) -> Response:
        """Return one row of the queue, for the page that is open."""
        desk.gate.check(request)
        item = await desk.recipes.get(item_id_of(item_id))
        return HTMLResponse(templates.get_template("share_item.html").render(item=Row.of(item)), headers=HEADERS)

    @app.post(f"{SHARE}/items/{{item_id}}/retry", include_in_schema=False)
    async def retry(request: Request, item_id: str) -> Response:
        """Try a failed item again."""
        _check_own(request)
        if not _is_admitted(desk, request):
            return _asks_for_key(Shared())
        async with request.form() as form:
            force = True if _text(form, "force") else None
        try:
            await desk.recipes.retry(item_id_of(item_id), force=force)
            done = "again"
        except Conflict:
            done = "late"
        return RedirectResponse(f"{SHARE}?done={done}#item-{item_id}", 303)

    @app.post(f"{SHARE}/items/{{item_id}}/approve", include_in_schema=False)
    async def approve(request: Request, item_id: str) -> Response:
        """Put a recipe away that waits for a person's word."""
        _check_own(request)
        if not _is_admitted(desk, request):
            return _asks_for_key(Shared())
        try:
            await desk.recipes.approve(item_id_of(item_id))
            done = "approved"
        except Conflict:
            done = "late"
        return RedirectResponse(f"{SHARE}?done={done}#item-{item_id}", 303)

    @app.post(f"{SHARE}/items/{{item_id}}/remove", include_in_schema=False)
    async def remove(request: Request, item_id: str) -> Response:
        """Let go of an item; what was made of it stays where it was put."""
        _check_own(request)
        if not _is_admitted(desk, request):
            return _asks_for_key(Shared())
        try:
            await desk.recipes.remove(item_id_of(item_id))
            done = "removed"
        except Conflict:
            done = "late"
        return RedirectResponse(f"{SHARE}?done={done}", 303)


def _recipes(app: FastAPI, desk: QueueDesk) -> None:
    @app.get(f"{SHARE}/recipes/{{item_id}}", include_in_schema=False)
    async def recipe(request: Request, item_id: str) -> Response:
        """Show a recipe, in a page of which other programs can read it too."""
        if not _is_admitted(desk, request):
            return _asks_for_key(Shared())
        item = await desk.recipes.get(item_id_of(item_id))
        if item.parsed is None:
            raise NotFound("there is no recipe of this item yet")
        page = Page.of(item, item.parsed.value, desk.base)
        return HTMLResponse(templates.get_template("share_recipe.html").render(recipe=page, notice=""), headers=HEADERS)


async def _shown(
    desk: QueueDesk, given: Shared, notice: str, status: int = 200, *, item_id: str | None = None
) -> Response:
    found = (await desk.recipes.page(Query(limit=SHOWN))).items
    asked = await _asked(desk, item_id) if item_id and item_id not in {item.id for item in found} else ()
    page = templates.get_template("share.html").render(
        items=[Row.of(item) for item in (*asked, *found)],
        given=given,
        notice=notice,
        bookmarklet=f"javascript:location.href='{desk.base}{SHARE}?url='+encodeURIComponent(location.href)",
    )
    return HTMLResponse(page, status, HEADERS)


async def _asked(desk: QueueDesk, item_id: str) -> tuple[Item, ...]:
    """Return the item that a notification leads to, if it is still there."""
    try:
        return (await desk.recipes.get(item_id_of(item_id)),)
    except (Invalid, NotFound):
        return ()


def _asks_for_key(given: Shared, notice: str = "") -> Response:
    kept = Shared(given.text[:CARRIED], given.title[:CARRIED])
    page = templates.get_template("share_key.html").render(given=kept, notice=notice)
    return HTMLResponse(page, 401, HEADERS)


def _is_admitted(desk: QueueDesk, request: Request) -> bool:
    try:
        desk.gate.check(request)
    except Unauthorized:
        return False
    return True


def _check_own(request: Request) -> None:
    """Refuse what another site's page sends: whoever shares from a phone is no site ("none"), and old browsers say nothing."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        raise Forbidden("this is only taken from the page itself, or from a share sheet")


async def _given(form: FormData) -> Shared:
    files = [one for one in form.getlist("pictures") if isinstance(one, UploadFile) and one.filename]
    pictures = [await one.read() for one in files]
    given = _joined(_text(form, "url"), _text(form, "text"), _text(form, "title"))
    return Shared(given.text, given.title, tuple(one for one in pictures if one))


def _joined(url: str | None, text: str | None, title: str | None) -> Shared:
    """Put a link, which some phones send by itself and some in the text, in front of the text."""
    words = (text or "").strip()
    link = (url or "").strip()
    return Shared(words if link in words else f"{link}\n{words}".strip(), (title or "").strip())


def _text(form: FormData, name: str) -> str:
    found = form.get(name)
    return without_null(found) if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class File:
    """One of the page's own files, as it is sent."""

    content: bytes
    headers: Mapping[str, str]

    @classmethod
    def of(cls, path: Path) -> "File":
        """Read it."""
        content = path.read_bytes()
        headers = {
            "Content-Type": _TYPES[path.suffix],
            "Content-Security-Policy": "default-src 'none'; connect-src 'self'",  # a worker has a policy of its own
            "X-Content-Type-Options": "nosniff",
            "ETag": f'"{hashlib.sha256(content).hexdigest()[:20]}"',
            "Cache-Control": "no-cache",
            **({"Service-Worker-Allowed": SHARE} if path.name == "worker.js" else {}),
        }
        return cls(content, headers)


def _files(app: FastAPI) -> None:
    files = {path.name: File.of(path) for path in _FOLDER.iterdir() if path.suffix in _TYPES}

    @app.get(f"{SHARE}/{{name}}", include_in_schema=False)
    async def file(request: Request, name: str) -> Response:
        """Return one of the page's own files."""
        found = files.get(name)
        if found is None:
            raise NotFound("there is no such file")
        if request.headers.get("if-none-match") == found.headers["ETag"]:
            return Response(status_code=304, headers=found.headers)
        return Response(found.content, headers=found.headers)
