"""Connecting an account by OAuth: the address where its owner consents, and where Instagram sends them back to."""

import secrets
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, FastAPI, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from tintype.api.social.accounts import account
from tintype.api.social.desk import SocialDesk
from tintype.api.social.finding import ROOT, asking
from tintype.api.templates import PAGE_HEADERS, templates
from tintype.core.access import Caller, Role
from tintype.core.accounts import Account
from tintype.errors import Forbidden, Invalid, Misconfigured, RemoteTrouble, Unauthorized
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
    @app.get(CALLBACK, status_code=201)
    async def callback(
        request: Request,
        code: Annotated[str | None, Query(max_length=4096)] = None,
        state: Annotated[str | None, Query(max_length=512)] = None,
        error: Annotated[str | None, Query(max_length=2048)] = None,
        error_description: Annotated[str | None, Query(max_length=2048)] = None,
    ) -> Response:
        """Finish the connection that `state` names; browsers see a page, programs get JSON."""
        refusal = error_description or error
        if state is None:
            raise Invalid(_missing(refusal) if not code else "Missing state; begin again at oauth/authorize")
        connected = await _finished(request, desk, state, code, refusal)
        for one in connected:
            await desk.connected(one)
        if "text/html" in request.headers.get("accept", ""):
            return await _page(desk, connected)
        said: dict[str, Any] = {
            "message": "Instagram account connected successfully",
            "account": account(connected[0]),
        }
        if len(connected) > 1:  # Facebook Login brings one for each Page that was chosen
            said["accounts"] = [account(one) for one in connected]
        return JSONResponse(said, 201, {"Cache-Control": "no-store"})


async def _finished(
    request: Request, desk: SocialDesk, state: str, code: str | None, refusal: str | None
) -> list[Account]:
    try:
        found = await desk.connecting.finish(
            state, request.cookies.get(SESSION), code=code, refusal=refusal, dialects=("social",), unbound=True
        )
    except Forbidden as trouble:
        if code and not refusal:
            raise Unauthorized(f"Authentication failed: {trouble.message}") from None
        raise Invalid(_missing(refusal)) from None
    except RemoteTrouble as trouble:
        raise Unauthorized(f"Authentication failed: {trouble.message}") from None
    if not found:
        raise Unauthorized("Authentication failed: no professional Instagram account is linked to the chosen Pages")
    return list(found)


def _missing(refusal: str | None) -> str:
    return f"Missing authorization code{f': Instagram said {refusal!r}' if refusal else ''}"


async def _page(desk: SocialDesk, connected: list[Account]) -> HTMLResponse:
    workspace = await desk.access.workspace(connected[0].workspace_id)
    page = templates.get_template("connected.html").render(accounts=connected, workspace=workspace.name)
    return HTMLResponse(page, headers=PAGE_HEADERS)
