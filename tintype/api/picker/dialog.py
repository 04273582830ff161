"""The dialog: the page that customers' pages frame, and what it asks for with the secret that only it holds."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from tintype.api.callers import bearer
from tintype.api.dialect import read_body, takes
from tintype.api.picker import pages
from tintype.api.picker.assets import language_of
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.dialect import PICKER
from tintype.api.picker.openers import narrowed, opener_of, opening_of, referring
from tintype.core.accounts import Account
from tintype.core.files import Call, Dialog, Entry, File, Purpose, Shown, Subject
from tintype.core.webhooks import Scope
from tintype.errors import Forbidden, Invalid, Trouble

SESSION = "tintype_dialog"
SESSION_SECONDS = 3600
LISTS_PER_MINUTE = 240
CHOICES_PER_MINUTE = 240
PAGES_PER_MINUTE = 120

Id = Annotated[str, Query(max_length=64)]


class Choice(BaseModel):
    """Body of POST /dialog/choose."""

    account: str = Field(max_length=64)
    media: str = Field(max_length=64)
    child: str | None = Field(default=None, max_length=64)


class Leaving(BaseModel):
    """Body of POST /dialog/forget."""

    account: str = Field(max_length=64)


class Sharing(BaseModel):
    """Body of POST /dialog/export."""

    account: str = Field(max_length=64)
    caption: str = Field(default="", max_length=2200)


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""
    _probe(app)
    _opening(app, desk)
    _standing(app, desk)
    _looking(app, desk)
    _choosing(app, desk)
    _leaving(app, desk)


def _probe(app: FastAPI) -> None:
    @app.get("/dialog/comm_iframe", include_in_schema=False)
    async def comm() -> Response:
        """Tell a script of old whether this frame has cookies, without which it opens no dialog. No secret is in that."""
        return pages.framed("comm.html", "*")


def _opening(app: FastAPI, desk: PickerDesk) -> None:
    async def show(request: Request, purpose: Purpose) -> Response:
        language = language_of(request.query_params.get("language"), request.headers.get("accept-language", ""))
        try:
            await desk.limiter.check(request, "picker:dialog", PAGES_PER_MINUTE)
            secret, dialog, name = await _opened(request, desk, purpose)
        except Trouble as trouble:
            return _refused(request, trouble, language)
        given = {
            **_given(desk, dialog, secret, request),
            "accounts": [_account(desk, dialog, one) for one in await desk.dialogs.accounts_of(dialog)],
            "site": dialog.origin.partition("://")[2],
            "app": name,
            "words": pages.words_of(language),
            "language": language,
        }
        answer = pages.framed("dialog.html", dialog.origin, language=language, given=given)
        _remember(answer, secret, desk)
        return answer

    @app.get("/dialog/open", include_in_schema=False)
    async def pick(request: Request) -> Response:
        """Open the dialog in which photos are chosen."""
        return await show(request, Purpose.PICK)

    @app.get("/dialog/save", include_in_schema=False)
    async def save(request: Request) -> Response:
        """Open the dialog in which a file is shared on Instagram."""
        return await show(request, Purpose.EXPORT)

    @app.get("/dialog/process", include_in_schema=False)
    @app.get("/dialog/folder", include_in_schema=False)
    async def nothing(request: Request) -> Response:
        """Say that there is no editor, and that Instagram has no folders."""
        what = "no editor here: use convert" if request.url.path.endswith("process") else "no folders on Instagram"
        return _refused(request, Invalid(f"there are {what}" if "folders" in what else f"there is {what}"), "en", 102)


async def _opened(request: Request, desk: PickerDesk, purpose: Purpose) -> tuple[str, Dialog, str]:
    query = request.query_params
    app = await desk.apps.by_key(query.get("key", ""))
    origin = opener_of(request, app)
    opening = opening_of(purpose, query)
    storing = opening.storing
    shown = Shown(query.get("policy") or None, query.get("signature") or None, None, origin)
    subject = Subject(path=storing.get("path"), container=storing.get("container"))
    admitted = await desk.policies.admit(app, Call.PICK, shown, subject)
    if storing and admitted.policy is not None and not admitted.may(Call.STORE):
        raise Forbidden("the page's policy allows to pick, and not to store")
    before = request.cookies.get(SESSION)
    secret, dialog = await desk.dialogs.open(app, origin, narrowed(opening, admitted), before=before)
    await desk.webhooks.opened(Scope(app.workspace_id, app.id), dialog.id, desk.base + request.url.path, origin)
    return secret, dialog, app.name


def _given(desk: PickerDesk, dialog: Dialog, secret: str, request: Request) -> dict[str, Any]:
    opening = dialog.opening
    return {
        "secret": secret,
        "id": opening.call_id,
        "origin": dialog.origin,
        "purpose": opening.purpose.value,
        "isWindow": request.query_params.get("iframe") == "false",
        "many": opening.many,
        "most": opening.most if opening.many else 1,
        "pictures": opening.takes_pictures,
        "videos": opening.takes_videos,
        "storing": bool(opening.storing),
        "url": opening.url if (opening.url or "").startswith(f"{desk.base}/api/file/") else None,
        "connect": f"/dialog/connect/{dialog.id}/{desk.dialogs.ticket(dialog)}",
    }


def _refused(request: Request, trouble: Trouble, language: str, code: int | None = None) -> Response:
    """Return a page that says why there is no dialog. There is nothing on it to press, so every page may show it."""
    status = PICKER.sayings[trouble.kind].status
    given = {
        "id": request.query_params.get("id", "")[:64],
        "origin": referring(request),
        "code": code or status,
        "hint": f"{trouble.message[:1].upper()}{trouble.message[1:]}.",
        "isWindow": request.query_params.get("iframe") == "false",
    }
    return pages.framed("refused.html", "*", status=status, language=language, given=given)


def _remember(answer: Response, secret: str, desk: PickerDesk) -> None:
    secure = desk.base.startswith("https:")
    answer.set_cookie(
        SESSION,
        secret,
        max_age=SESSION_SECONDS,
        path="/",
        httponly=True,
        secure=secure,
        samesite="none" if secure else "lax",
    )
    if secure:  # a jar of its own for each site that frames us, which browsers keep where they block the common one
        answer.headers["set-cookie"] += "; Partitioned"


def session(desk: PickerDesk) -> Any:
    """Return what a route depends on that is only for a dialog's own page."""

    async def of(request: Request) -> Dialog:
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise Forbidden("this is asked by the dialog itself and by nobody else")
        return await desk.dialogs.get(bearer(request))

    return Depends(of)


def _standing(app: FastAPI, desk: PickerDesk) -> None:
    @app.get("/dialog/session", include_in_schema=False)
    async def standing(dialog: Annotated[Dialog, session(desk)]) -> Response:
        """Tell how things stand: the accounts, and what became of a connection that was begun."""
        found = await desk.dialogs.standing(dialog)
        said = {
            "accounts": [_account(desk, dialog, one) for one in found.accounts],
            "attempt": found.attempt.isoformat() if found.attempt else None,
            "connecting": found.connecting,
            "code": found.code,
            "trouble": found.trouble,
        }
        return JSONResponse(said, headers={"Cache-Control": "no-store"})


def _looking(app: FastAPI, desk: PickerDesk) -> None:
    @app.get("/dialog/media", include_in_schema=False)
    async def media(
        request: Request,
        dialog: Annotated[Dialog, session(desk)],
        account: Id,
        after: Annotated[str | None, Query(max_length=1024)] = None,
        q: Annotated[str, Query(max_length=200)] = "",
    ) -> Response:
        """Return a page of an account's posts, or of those whose caption has some words."""
        await desk.limiter.check(request, "picker:list", LISTS_PER_MINUTE)
        found = await desk.dialogs.show(dialog, account, after=after, search=q)
        items = [_entry(desk, dialog, account, one) for one in found.items]
        return JSONResponse({"items": items, "after": found.after}, headers={"Cache-Control": "no-store"})

    @app.get("/dialog/thumbs/{dialog_id}/{token}", include_in_schema=False)
    async def thumb(dialog_id: str, token: str) -> Response:
        """Return the small picture of an entry, to whoever has its address."""
        dialog = await desk.dialogs.living(dialog_id)
        headers = {
            "Cache-Control": "private, max-age=3600",
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(await desk.thumbs.picture(dialog, token), headers=headers, media_type="image/webp")


def _choosing(app: FastAPI, desk: PickerDesk) -> None:
    @app.post("/dialog/choose", include_in_schema=False, openapi_extra=takes(Choice))
    async def choose(request: Request, dialog: Annotated[Dialog, session(desk)]) -> Response:
        """Make a link to one photo, or a copy of it."""
        await desk.limiter.check(request, "picker:choose", CHOICES_PER_MINUTE)
        body = await read_body(request, Choice)
        owner = await desk.apps.by_id(dialog.app_id)
        made = await desk.dialogs.choose(dialog, owner, body.account, body.media, body.child)
        return JSONResponse(blob(desk, made))

    @app.post("/dialog/export", include_in_schema=False, openapi_extra=takes(Sharing))
    async def export(request: Request, dialog: Annotated[Dialog, session(desk)]) -> Response:
        """Share the file that the page named on Instagram."""
        await desk.limiter.check(request, "picker:export", CHOICES_PER_MINUTE)
        body = await read_body(request, Sharing)
        handle = desk.files.own_handle(dialog.opening.url or "")
        if dialog.opening.purpose is not Purpose.EXPORT or handle is None:
            raise Invalid("only files of this server are shared from here")
        owner, account = (
            await desk.apps.by_id(dialog.app_id),
            await desk.dialogs.account(dialog, body.account),
        )
        file = await desk.files.get(handle)
        desk.files.check_owner(owner, file)
        key = f"dialog:{dialog.id}:{account.id}"
        made, _ = await desk.exports.export(
            owner, file, account, caption=body.caption, filename=dialog.opening.filename, key=key
        )
        return JSONResponse(blob(desk, made))


def _leaving(app: FastAPI, desk: PickerDesk) -> None:
    @app.post("/dialog/forget", include_in_schema=False, openapi_extra=takes(Leaving))
    async def forget(request: Request, dialog: Annotated[Dialog, session(desk)]) -> Response:
        """Take an account out of the dialog."""
        body = await read_body(request, Leaving)
        await desk.dialogs.forget(dialog, body.account)
        return Response(status_code=204)

    @app.get("/api/clients/unauth", include_in_schema=False)
    @app.get("/api/client/instagram/unauth", include_in_schema=False)
    async def logout(request: Request) -> Response:
        """End what this browser has here; it can do no more, so pages of every origin may ask for it."""
        await desk.limiter.check(request, "picker:logout", PAGES_PER_MINUTE)
        secret = request.cookies.get(SESSION)
        if secret and request.headers.get("sec-fetch-mode", "cors") != "navigate":
            await desk.dialogs.leave(secret)
        answer = JSONResponse({"result": "success"}, headers={"Cache-Control": "no-store", "Vary": "Origin"})
        origin = request.headers.get("origin")
        if origin and origin != "null":
            answer.headers["Access-Control-Allow-Origin"] = origin
            answer.headers["Access-Control-Allow-Credentials"] = "true"
        answer.delete_cookie(SESSION, path="/")
        return answer


def blob(desk: PickerDesk, file: File) -> dict[str, Any]:
    """Return a file as the dialog tells the page of it."""
    data: dict[str, Any] = {
        "filename": file.filename,
        "type": file.content_type,
        "size": file.size,
        "client": file.client,
    }
    if file.stored is not None:
        stored = file.stored
        data |= {"key": stored.key, "container": stored.container, "path": stored.path, "location": stored.location}
    url = f"{desk.base}/api/file/{file.handle}"
    return {"url": url, "data": {name: value for name, value in data.items() if value is not None}}


def _account(desk: PickerDesk, dialog: Dialog, account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "name": account.username or account.name or account.instagram_id,
        "connected": desk.dialogs.usable(dialog, account),
    }


def _entry(desk: PickerDesk, dialog: Dialog, account_id: str, entry: Entry) -> dict[str, Any]:
    token = desk.thumbs.token(dialog, account_id, entry)
    said: dict[str, Any] = {
        "media": entry.media_id,
        "kind": entry.kind.value,
        "caption": entry.caption[:500],
        "alt": entry.alt_text,
        "at": entry.timestamp.isoformat(),
        "choosable": entry.choosable,
        "thumb": f"/dialog/thumbs/{dialog.id}/{token}" if token else None,
    }
    if entry.child_id:
        said["child"] = entry.child_id
    if entry.children:
        said["children"] = [_entry(desk, dialog, account_id, one) for one in entry.children]
    return said
