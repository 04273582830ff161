"""The start page: what runs here, and in the demonstration a feed to look at and the way into the console.

Whoever can open the page of a demonstration may do everything in it, so it only offers that on this machine's own address
and for requests of its own pages.
"""

from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import bare, check_own
from tintype.api.console.headers import HEADERS, leading_to
from tintype.errors import Forbidden, Unauthorized
from tintype.instagram import Login


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""

    @app.get("/")
    async def start(request: Request) -> Response:
        """Say what runs here and what to do next; whoever is signed in goes on to the console."""
        if await _is_signed_in(desk, request) and "stay" not in request.query_params:
            return RedirectResponse("/console", 303)
        workspace_id = desk.welcome.workspace_id
        return bare(
            "start.html",
            headers=leading_to([desk.welcome.simulator]) if desk.welcome.simulator else HEADERS,
            welcome=desk.welcome,
            base=desk.base,
            is_new=await desk.users.is_empty(),
            accounts=await desk.accounts.of_workspace(workspace_id) if workspace_id else (),
            posts=await desk.feed.count(workspace_id) if workspace_id else 0,
        )

    @app.post("/start/enter")
    async def enter(request: Request) -> Response:
        """Open the console of a demonstration for whoever sits before this machine."""
        _check_here(request)
        if desk.welcome.user_id is None:
            raise Forbidden("this is no demonstration; sign in at /signin")
        secret = await desk.browsing.admit(desk.welcome.user_id, request.headers.get("user-agent", ""))
        return desk.door.let_in(secret, "/console")

    @app.post("/start/connect")
    async def connect(request: Request) -> Response:
        """Begin to connect one more account to the demonstration."""
        _check_here(request)
        if desk.welcome.workspace_id is None:
            raise Forbidden("accounts are connected with `tintype account connect`, or by POST /auth/connect")
        begun = await desk.connecting.begin(
            desk.welcome.workspace_id, Login.INSTAGRAM_LOGIN, dialect="console", redirect_uri=desk.callback
        )
        return RedirectResponse(f"{desk.base}/connect/{begun.state}", 303)


async def _is_signed_in(desk: ConsoleDesk, request: Request) -> bool:
    try:
        await desk.browsing.visit(desk.door.secret(request))
    except Unauthorized:
        return False
    return True


def _check_here(request: Request) -> None:
    check_own(request)
    try:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    except ValueError:
        host = None
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise Forbidden("this is only done for the start page itself, opened on this machine")
