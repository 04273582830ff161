"""Connecting an account by OAuth: the address where its owner consents, and where Instagram sends them back to."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tintype.api.dialect import answers
from tintype.api.social.accounts import account
from tintype.api.social.desk import SocialDesk
from tintype.api.social.dialect import SOCIAL
from tintype.api.social.finding import ROOT, asking
from tintype.api.templates import not_connected, page, wants_page
from tintype.core.access import Caller, Role
from tintype.core.accounts import Account
from tintype.errors import Forbidden, Invalid, Misconfigured, Refused, RemoteTrouble, Trouble, Unauthorized
from tintype.instagram import Login

CALLBACK = f"{ROOT}/callback"
SESSION = "tintype_social"
SESSION_SECONDS = 900


def add(app: FastAPI, desk: SocialDesk) -> None:
    """Add the routes."""
    _beginning(app, desk)
    _ending(app, desk)


def _beginning(app: FastAPI, desk: SocialDesk) -> None:
    @app.get(f"{ROOT}/oauth/authorize")
    async def authorize(
        request: Request,
        caller: Annotated[Caller, Depends(asking(desk))],
        login: Annotated[Login | None, Query()] = None,
    ) -> Response:
        """Begin to connect an account; the address in the answer works once, for ten minutes."""
        caller.must(Role.EDITOR)
        chosen = await _login(desk, caller, login)
        session = _session(request, desk)
        begun = await desk.connecting.begin(
            caller.workspace_id, chosen, dialect="social", redirect_uri=desk.base + CALLBACK, session=session
        )
        url = await desk.connecting.address(begun.state)
        answer = JSONResponse({"auth_url": url}, headers={"Cache-Control": "no-store"})
        if session:
            _remember(answer, session, desk)
        return answer


async def _login(desk: SocialDesk, caller: Caller, asked: Login | None) -> Login:
    """Return the login that is asked for, else the first one that has an app."""
    for login in (asked,) if asked else (Login.INSTAGRAM_LOGIN, Login.FACEBOOK_LOGIN):
        if await desk.accounts.app(caller.workspace_id, login):
            return login
    raise Misconfigured("Instagram app not configured")


def _session(request: Request, desk: SocialDesk) -> str | None:
    """Return what binds a connection to the asking browser, where it is one that will show our cookie at the callback.

    A page of the callback's own origin that asks says so itself (Sec-Fetch-Site), and its browser keeps what we set. A
    program that asks hands the address to a browser that nobody knows yet; there the state alone, secret and used once,
    has to do.
    """
    if request.headers.get("host") != urlsplit(desk.base).netloc:
        return None
    known = request.cookies.get(SESSION)
    if known or request.headers.get("sec-fetch-site") == "same-origin":
        return known or secrets.token_urlsafe(32)
    return None


def _remember(answer: Response, session: str, desk: SocialDesk) -> None:
    secure = desk.base.startswith("https:")
    answer.set_cookie(
        SESSION, session, max_age=SESSION_SECONDS, path="/api/sns", httponly=True, samesite="lax", secure=secure
    )


def _ending(app: FastAPI, desk: SocialDesk) -> None:
    @app.get(CALLBACK, status_code=201, **answers("application/json", "text/html", status=201))
    async def callback(
        request: Request,
        code: Annotated[str | None, Query()] = None,
        state: Annotated[str | None, Query()] = None,
        error: Annotated[str | None, Query()] = None,
        error_description: Annotated[str | None, Query()] = None,
    ) -> Response:
        """Finish the connection that `state` names; browsers see a page, programs get JSON."""
        came = _Return(state, code, error_description or error)
        try:
            connected = await _finished(request, desk, came)
        except Trouble as trouble:
            documented = _documented(trouble, came)
            if not wants_page(request):
                raise documented from None
            return not_connected(SOCIAL.refuse(documented), trouble.message)
        for one in connected:
            await desk.connected(one)
        if wants_page(request):
            return await _page(desk, connected)
        said: dict[str, Any] = {
            "message": "Instagram account connected successfully",
            "account": account(connected[0]),
        }
        if len(connected) > 1:  # Facebook Login brings one for each Page that was chosen
            said["accounts"] = [account(one) for one in connected]
        return JSONResponse(said, 201, {"Cache-Control": "no-store"})


@dataclass(frozen=True, slots=True)
class _Return:
    """What a browser that comes back from Instagram brings: the state, and the code or what Instagram said instead."""

    state: str | None
    code: str | None = field(repr=False)
    refusal: str | None


async def _finished(request: Request, desk: SocialDesk, came: _Return) -> Sequence[Account]:
    if came.state is None:
        raise Invalid("this address names no connection; begin again")
    for name, value, most in (("state", came.state, 512), ("code", came.code, 4096), ("error", came.refusal, 2048)):
        if value is not None and len(value) > most:
            raise Invalid(f"{name} must be at most {most} characters")
    found = await desk.connecting.finish(
        came.state,
        request.cookies.get(SESSION),
        code=came.code,
        refusal=came.refusal,
        dialects=("social",),
        unbound=True,
    )
    if not found:
        raise Refused("no professional Instagram account is linked to the chosen Pages")
    return found


def _documented(trouble: Trouble, came: _Return) -> Trouble:
    """Return why nothing was connected in the document's words: a missing code, or a login that failed."""
    missing = f"Missing authorization code{f': Instagram said {came.refusal!r}' if came.refusal else ''}"
    match trouble:
        case Invalid() if came.state is None:
            return Invalid("Missing state; begin again at oauth/authorize" if came.code else missing)
        case Forbidden() if came.refusal or not came.code:
            return Invalid(missing)
        case Forbidden() | RemoteTrouble():
            return Unauthorized(f"Authentication failed: {trouble.message}")
        case _:
            return trouble


async def _page(desk: SocialDesk, connected: Sequence[Account]) -> HTMLResponse:
    workspace = await desk.access.workspace(connected[0].workspace_id)
    return page("connected.html", accounts=connected, workspace=workspace.name)
