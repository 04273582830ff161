"""The cloud API of filestack-js: connect, list, store and log out by JSON calls of the page itself, with a token of ours.

The token is a dialog's secret. What a page gets in this way is less than the dialog's own page: a copy of what is chosen.
"""

from typing import Any

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from tintype.api.dialect import read_body, takes
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.dialog import CHOICES_PER_MINUTE, LISTS_PER_MINUTE
from tintype.core.accounts import Account, State
from tintype.core.files import Call, Dialog, Entry, Opening, PickerApp, Shown, origin_of
from tintype.errors import Forbidden, Invalid, NotFound, Reconnect
from tintype.instagram import MediaKind

INSTAGRAM = "instagram"
ENDED = "this token has ended; ask for a list without one to begin again"


class Wanted(BaseModel):
    """What is asked of one cloud."""

    path: str = Field(default="/", max_length=300)
    next: str | None = Field(default=None, max_length=1024)
    store: dict[str, Any] = Field(default_factory=dict[str, Any])


class Asking(BaseModel):
    """Body of the cloud API's calls."""

    apikey: str = Field(max_length=64)
    token: str | None = Field(default=None, max_length=128)
    clouds: dict[str, Wanted] = Field(default_factory=dict[str, Wanted])
    accept: list[str] | str | None = None
    policy: str | None = None
    signature: str | None = None

    def wanted(self) -> Wanted:
        """Return what is asked of Instagram, the only cloud here."""
        return self.clouds.get(INSTAGRAM, Wanted())


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""
    _listing(app, desk)
    _storing(app, desk)
    _leaving(app, desk)


def _listing(app: FastAPI, desk: PickerDesk) -> None:
    @app.post("/folder/list", openapi_extra=takes(Asking))
    async def folder(request: Request) -> Response:
        """List what an account has, or say where to connect one."""
        await desk.limiter.check(request, "picker:list", LISTS_PER_MINUTE)
        asking = await read_body(request, Asking)
        token, dialog = await _dialog(request, desk, asking)
        connected = [one for one in await desk.dialogs.accounts_of(dialog) if one.state is State.CONNECTED]
        if not connected:
            return _said({"token": token, INSTAGRAM: _ask(desk, dialog)})
        try:
            found = await _listed(desk, dialog, connected, asking.wanted())
        except Reconnect:
            found = _ask(desk, dialog)
        return _said({"token": token, INSTAGRAM: found})


def _storing(app: FastAPI, desk: PickerDesk) -> None:
    @app.post("/store", openapi_extra=takes(Asking))
    async def store(request: Request) -> Response:
        """Store a copy of what a path names."""
        await desk.limiter.check(request, "picker:choose", CHOICES_PER_MINUTE)
        asking = await read_body(request, Asking)
        if not asking.token:
            raise Forbidden(ENDED)
        dialog = await desk.dialogs.get(asking.token)
        owner = await desk.apps.by_key(asking.apikey)
        if owner.id != dialog.app_id:
            raise Forbidden("this token belongs to another app")
        await desk.policies.admit(owner, Call.STORE, _shown(request, asking))
        wanted = asking.wanted()
        account_id, media_id, child_id = _parts(wanted.path)
        storing = {name: str(value) for name, value in wanted.store.items() if isinstance(value, str) and value}
        made = await desk.dialogs.choose(dialog, owner, account_id, media_id or "", child_id, storing=storing)
        stored = made.stored
        said = {
            "url": f"{desk.base}/api/file/{made.handle}",
            "handle": made.handle,
            "filename": made.filename,
            "mimetype": made.content_type,
            "size": made.size,
            "client": INSTAGRAM,
            "key": stored.key if stored else None,
            "container": stored.container if stored else None,
            "status": "Stored",
        }
        return _said({"token": asking.token, INSTAGRAM: said})


def _leaving(app: FastAPI, desk: PickerDesk) -> None:
    @app.post("/auth/logout", openapi_extra=takes(Asking))
    async def logout(request: Request) -> Response:
        """Forget the accounts behind a token, and the token."""
        asking = await read_body(request, Asking)
        if asking.token:
            await desk.dialogs.leave(asking.token)
        return _said({})


def _said(body: dict[str, Any]) -> JSONResponse:
    return JSONResponse(body, headers={"Cache-Control": "no-store"})


async def _dialog(request: Request, desk: PickerDesk, asking: Asking) -> tuple[str, Dialog]:
    owner = await desk.apps.by_key(asking.apikey)
    await desk.policies.admit(owner, Call.PICK, _shown(request, asking))
    if asking.token:
        try:
            dialog = await desk.dialogs.get(asking.token)
        except Forbidden:
            return await _begun(request, desk, owner, asking)
        if dialog.app_id != owner.id:
            raise Forbidden("this token belongs to another app")
        return asking.token, dialog
    return await _begun(request, desk, owner, asking)


async def _begun(request: Request, desk: PickerDesk, owner: PickerApp, asking: Asking) -> tuple[str, Dialog]:
    accept = [asking.accept] if isinstance(asking.accept, str) else asking.accept or []
    types = tuple(one for one in accept if "/" in one)
    endings = tuple(one.lstrip(".").lower() for one in accept if "/" not in one and not types)
    opening = Opening(types=types, endings=endings, many=True, storing={"location": "S3"})
    return await desk.dialogs.open(owner, _origin(request), opening)


def _origin(request: Request) -> str:
    try:
        return origin_of(request.headers.get("origin", ""))
    except Invalid:
        raise Forbidden("this is called by a page in a browser, which says its origin") from None


def _shown(request: Request, asking: Asking) -> Shown:
    return Shown(asking.policy or None, asking.signature or None, None, request.headers.get("origin"))


def _ask(desk: PickerDesk, dialog: Dialog) -> dict[str, Any]:
    return {"auth": {"redirect_url": f"{desk.base}/dialog/connect/{dialog.id}/{desk.dialogs.ticket(dialog)}"}}


async def _listed(desk: PickerDesk, dialog: Dialog, connected: list[Account], wanted: Wanted) -> dict[str, Any]:
    account_id, album_id, _ = _parts(wanted.path)
    if not account_id and len(connected) > 1:
        folders = [_folder(f"/{one.id}", one.username or one.instagram_id) for one in connected]
        return {"contents": folders, "client": INSTAGRAM, "filename": "/", "next": ""}
    account = next((one for one in connected if account_id in ("", one.id)), None)
    if account is None:
        raise NotFound("this account is not connected here")
    after = wanted.next or None
    if album_id:
        return await _album(desk, dialog, account, album_id)
    page = await desk.dialogs.show(dialog, account.id, after=after)
    contents = [_content(desk, dialog, account.id, one) for one in page.items if one.choosable]
    return {"contents": contents, "client": INSTAGRAM, "filename": account.username or "/", "next": page.after or ""}


async def _album(desk: PickerDesk, dialog: Dialog, account: Account, album_id: str) -> dict[str, Any]:
    album = await desk.dialogs.look(dialog, account.id, album_id)
    contents = [_content(desk, dialog, account.id, one) for one in album.children if one.choosable]
    return {"contents": contents, "client": INSTAGRAM, "filename": album.caption[:80] or "album", "next": ""}


def _parts(path: str) -> tuple[str, str | None, str | None]:
    parts = [one for one in path.split("/") if one][:3]
    account, media, child = (*parts, *[None] * (3 - len(parts)))
    return account or "", media, child


def _folder(path: str, name: str) -> dict[str, Any]:
    return {"name": name, "path": path, "folder": True, "mimetype": "", "size": "", "bytes": 0, "thumbnail": ""}


def _content(desk: PickerDesk, dialog: Dialog, account_id: str, entry: Entry) -> dict[str, Any]:
    token = desk.thumbs.token(dialog, account_id, entry)
    path = "/".join(("", account_id, entry.media_id, *([entry.child_id] if entry.child_id else ())))
    shown_id, video = entry.child_id or entry.media_id, entry.kind is MediaKind.VIDEO
    name = f"{shown_id}.{'mp4' if video else 'jpg'}"
    thumb = f"{desk.base}/dialog/thumbs/{dialog.id}/{token}" if token else ""
    if entry.children:
        return {**_folder(path, entry.caption[:80] or shown_id), "thumbnail": thumb}
    kind = "video/mp4" if video else "image/jpeg"
    said = {"name": name, "path": path, "mimetype": kind, "size": "", "bytes": 0, "thumbnail": thumb, "folder": False}
    return {**said, "caption": entry.caption[:500], "modified": entry.timestamp.isoformat()}
