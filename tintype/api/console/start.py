"""The start page: what runs here, and in the demonstration a feed to look at and an account to connect.

Whoever can open the page of a demonstration may connect accounts to it, so it only does so on this machine's own address
and for requests of its own pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tintype import __version__
from tintype.api.dialect import Dialect, Mounted, Saying, Surround, build
from tintype.api.templates import PAGE_HEADERS, templates
from tintype.core.accounts import Accounts, Connecting
from tintype.core.feed import Feed
from tintype.errors import Forbidden, Kind
from tintype.instagram import Login


def _refusal(saying: Saying, message: str) -> Mapping[str, object]:
    return {"error": message, "code": saying.code}


_STATUSES = {Kind.INVALID: 400, Kind.FORBIDDEN: 403, Kind.NOT_FOUND: 404, Kind.UNAVAILABLE: 503}

CONSOLE = Dialect(
    name="console",
    claims=("/", "/start"),
    sayings={kind: Saying(_STATUSES.get(kind, 500), kind.value) for kind in Kind},
    crash=Saying(500, "internal"),
    refusal=_refusal,
)


@dataclass(slots=True)
class Welcome:
    """What the start page offers to everybody on this machine; empty outside of a demonstration."""

    workspace_id: str | None = None
    feed_key: str | None = field(default=None, repr=False)
    simulator: str | None = None

    def offer(self, workspace_id: str, feed_key: str, simulator: str) -> None:
        """Begin to show a demonstration's workspace."""
        self.workspace_id, self.feed_key, self.simulator = workspace_id, feed_key, simulator


@dataclass(frozen=True, slots=True)
class ConsoleDesk:
    """What the start page leans on."""

    accounts: Accounts
    connecting: Connecting
    feed: Feed
    welcome: Welcome
    base: str
    callback: str


def mount(desk: ConsoleDesk) -> Mounted:
    """Return the start page, ready to be put behind a `Front`."""
    app = build(CONSOLE, version=__version__)
    _routes(app, desk)
    return Mounted(CONSOLE, Surround(app, CONSOLE, 65_536))


def _routes(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get("/")
    async def start() -> Response:
        """Say what runs here and what to do next."""
        workspace_id = desk.welcome.workspace_id
        page = templates.get_template("start.html").render(
            welcome=desk.welcome,
            base=desk.base,
            version=__version__,
            accounts=await desk.accounts.of_workspace(workspace_id) if workspace_id else (),
            posts=await desk.feed.count(workspace_id) if workspace_id else 0,
        )
        return HTMLResponse(page, headers=_headers(desk.welcome))

    @app.post("/start/connect")
    async def connect(request: Request) -> Response:
        """Begin to connect one more account to the demonstration."""
        _check_own_page(request)
        if desk.welcome.workspace_id is None:
            raise Forbidden("accounts are connected with `tintype account connect`, or by POST /auth/connect")
        begun = await desk.connecting.begin(
            desk.welcome.workspace_id, Login.INSTAGRAM_LOGIN, dialect="console", redirect_uri=desk.callback
        )
        return RedirectResponse(f"{desk.base}/connect/{begun.state}", 303)


def _headers(welcome: Welcome) -> Mapping[str, str]:
    """Return the headers of the start page, whose form leads on to the consent page: browsers check that step too."""
    if welcome.simulator is None:
        return PAGE_HEADERS
    policy = PAGE_HEADERS["Content-Security-Policy"]
    allowed = policy.replace("form-action 'self'", f"form-action 'self' {welcome.simulator}")
    return {**PAGE_HEADERS, "Content-Security-Policy": allowed}


def _check_own_page(request: Request) -> None:
    host = urlsplit(f"//{request.headers.get('host', '')}").hostname
    foreign = request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if foreign or host not in ("127.0.0.1", "localhost", "::1") or (origin and urlsplit(origin).hostname != host):
        raise Forbidden("this is only done for the start page itself, opened on this machine")
