"""The window in which an account is connected: out to Instagram, and back to the one redirect address of the document.

Whoever comes back has to be whoever went out. The window's own cookie proves that; where a phone's app or a browser's
settings lost it, the dialog's code does, which the opener tells the page or a person types.
"""

import secrets
from typing import Annotated

from fastapi import FastAPI, Form, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tintype.api.callers import host_of
from tintype.api.dialect import answers
from tintype.api.picker import pages
from tintype.api.picker.desk import PickerDesk
from tintype.api.picker.dialect import PICKER
from tintype.api.templates import wants_page
from tintype.core.accounts import Account
from tintype.core.files import CALLBACK, Return
from tintype.errors import Forbidden, Invalid, Trouble

WINDOW = "tintype_window"
WINDOW_SECONDS = 900
CONFIRM = CALLBACK.replace("/open", "/confirm")
OPENED_PER_MINUTE = 60
TRIED_PER_MINUTE = 20
CONSENTS = "https://www.instagram.com https://www.facebook.com"

Text = Annotated[str | None, Query(max_length=4096)]


def add(app: FastAPI, desk: PickerDesk) -> None:
    """Add the routes."""
    _going(app, desk)
    _coming(app, desk)
    _proving(app, desk)


def _going(app: FastAPI, desk: PickerDesk) -> None:
    @app.get("/dialog/connect/{dialog_id}/{ticket}", include_in_schema=False)
    async def go(request: Request, dialog_id: str, ticket: str) -> Response:
        """Lead the dialog's window to Instagram; whoever comes from elsewhere is told first who asks."""
        try:
            await desk.limiter.check(request, "picker:connect", OPENED_PER_MINUTE)
            dialog = await desk.dialogs.admitted(dialog_id, ticket)
            if request.headers.get("sec-fetch-site") != "same-origin":
                leads_to = desk.connecting.settings.origin or CONSENTS
                return pages.popup("ask.html", leads_to=leads_to, site=_site(dialog.origin), here=request.url.path)
            return await _sent(request, desk, dialog_id, ticket)
        except Trouble as trouble:
            return _failed(request, trouble)

    @app.post("/dialog/connect/{dialog_id}/{ticket}", include_in_schema=False)
    async def agreed(request: Request, dialog_id: str, ticket: str) -> Response:
        """Lead a person to Instagram who was told who asks, and went on."""
        try:
            _check_own(request)
            await desk.limiter.check(request, "picker:connect", OPENED_PER_MINUTE)
            return await _sent(request, desk, dialog_id, ticket)
        except Trouble as trouble:
            return _failed(request, trouble)


async def _sent(request: Request, desk: PickerDesk, dialog_id: str, ticket: str) -> Response:
    dialog = await desk.dialogs.admitted(dialog_id, ticket)
    window = request.cookies.get(WINDOW) or secrets.token_urlsafe(32)
    headers = {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "unsafe-none",
    }
    address = await desk.dialogs.begin(dialog, desk.base + CALLBACK, window)
    answer = RedirectResponse(address, 303, headers)
    answer.set_cookie(
        WINDOW,
        window,
        max_age=WINDOW_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",
        secure=desk.base.startswith("https:"),
    )
    return answer


def _coming(app: FastAPI, desk: PickerDesk) -> None:
    @app.get(CALLBACK, **answers("text/html"))
    async def come(
        request: Request, code: Text = None, state: Text = None, error: Text = None, error_description: Text = None
    ) -> Response:
        """Finish the connection that `state` names, or ask for its dialog's code where the window does not prove itself."""
        try:
            if state is None:
                raise Invalid("this address names no connection; begin again on the page where you pick photos")
            came = Return(state, code, error_description or error)
            if not await desk.dialogs.came_from(state, request.cookies.get(WINDOW)):
                return await _asks(desk, came)
            return await _finished(desk, came)
        except Trouble as trouble:
            return _failed(request, trouble)


def _proving(app: FastAPI, desk: PickerDesk) -> None:
    @app.post(CONFIRM, include_in_schema=False)
    async def confirm(
        request: Request,
        state: Annotated[str, Form(max_length=512)],
        held: Annotated[str, Form(max_length=16_384)],
        code: Annotated[str, Form(max_length=32)] = "",
    ) -> Response:
        """Finish a connection whose window showed its dialog's code."""
        try:
            _check_own(request)
            await desk.limiter.check(request, "picker:confirm", TRIED_PER_MINUTE)
            try:
                came = await desk.dialogs.prove(state, code, held)
            except Forbidden as wrong:
                return await _asks(desk, Return(state, None, None), held=held, wrong=wrong.message)
            return await _finished(desk, came)
        except Trouble as trouble:
            return _failed(request, trouble)


async def _asks(desk: PickerDesk, came: Return, *, held: str | None = None, wrong: str = "") -> HTMLResponse:
    return pages.popup(
        "confirm.html",
        status=403 if wrong else 200,
        state=came.state,
        held=held or desk.dialogs.hold(came),
        site=_site(await desk.dialogs.origin_of(came.state)),
        action=CONFIRM,
        wrong=_sentence(wrong),
    )


async def _finished(desk: PickerDesk, came: Return) -> HTMLResponse:
    site = _site(await desk.dialogs.origin_of(came.state))
    found = await desk.dialogs.finish(came)
    return pages.popup("connected.html", names=[_name(one) for one in found], site=site)


def _failed(request: Request, trouble: Trouble) -> Response:
    if not wants_page(request):
        raise trouble
    status = PICKER.sayings[trouble.kind].status
    return pages.popup("not_connected.html", status=status, sentence=_sentence(trouble.message))


def _check_own(request: Request) -> None:
    # A form of ours says so itself; browsers that do not speak of it send the origin, "null" from a page without referrers.
    site = request.headers.get("sec-fetch-site")
    host = host_of(request.headers.get("origin", ""))
    if site != "same-origin" and (site is not None or host != request.headers.get("host")):
        raise Forbidden("this form was sent from another site; begin again on the page where you pick photos")


def _site(origin: str) -> str:
    return origin.partition("://")[2]


def _name(account: Account) -> str:
    return account.username or account.name or account.instagram_id


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""
