"""The accounts of a workspace: how each stands with Instagram, and what can be done about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import back, text_of
from tintype.api.console.headers import leading_to
from tintype.core.access import Visit
from tintype.core.accounts import CAUSES, Account, State, diagnose, look
from tintype.core.feed import Standing
from tintype.core.publishing import Quota
from tintype.errors import Invalid, Trouble
from tintype.instagram import Login

PLACE = "/console/accounts"


@dataclass(frozen=True, slots=True)
class Row:
    """An account as the page shows it."""

    account: Account
    standing: Standing | None
    quota: Quota | None


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""
    _showing(app, desk)
    _changing(app, desk)
    _doctor(app, desk)


def _doctor(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(f"{PLACE}/doctor")
    async def doctor(request: Request, said: str = "") -> Response:
        """Say what keeps accounts from being connected, and what a message of Instagram's means."""
        visit = await desk.door.visit(request)
        workspace_id = visit.caller().workspace_id
        apps = [app for login in Login if (app := await desk.accounts.app(workspace_id, login))]
        accounts = await desk.accounts.of_workspace(workspace_id)
        return desk.door.page(
            visit,
            "doctor.html",
            findings=look(apps, desk.callback, accounts),
            causes=CAUSES,
            said=said[:2000],
            meant=diagnose(said[:2000]) if said else (),
            callback=desk.callback,
        )


def _showing(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE)
    async def accounts(request: Request) -> Response:
        """Show all accounts of the workspace."""
        visit = await desk.door.visit(request)
        rows = await _rows(desk, visit)
        apps = [login for login in Login if await desk.accounts.app(visit.caller().workspace_id, login)]
        return desk.door.page(
            visit,
            "accounts.html",
            headers=leading_to(desk.consents),
            rows=rows,
            logins=apps,
            callback=desk.callback,
            done=request.query_params.get("done", ""),
            problem=request.query_params.get("problem", ""),
        )


def _changing(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.post(f"{PLACE}/connect")
    async def connect(request: Request) -> Response:
        """Lead the browser to Instagram's consent, for a new account or one that has to be connected again."""
        visit, form = await desk.door.form(request)
        login = _login(text_of(form, "login"))
        begun = await desk.connecting.begin(
            visit.caller().workspace_id, login, dialect="console", redirect_uri=desk.callback
        )
        await desk.door.note(visit, "account.connecting", login.value)
        return RedirectResponse(f"/connect/{begun.state}", 303)

    @app.post(PLACE + "/{account_id}/sync")
    async def sync(account_id: str, request: Request) -> Response:
        """Ask for an account's media to be compared with Instagram soon."""
        visit, _ = await desk.door.form(request)
        account = await desk.accounts.get(visit.caller().workspace_id, account_id)
        await desk.feed.queue(account, again=True)
        return back(PLACE, "syncing")

    @app.post(PLACE + "/{account_id}/refresh")
    async def refresh(account_id: str, request: Request) -> Response:
        """Get a fresh token from Instagram."""
        visit, _ = await desk.door.form(request)
        account = await desk.accounts.get(visit.caller().workspace_id, account_id)
        fresh = await desk.accounts.refresh(account)
        return back(PLACE, "refreshed" if fresh else "fresh")

    @app.post(PLACE + "/{account_id}/disconnect")
    async def disconnect(account_id: str, request: Request) -> Response:
        """Let go of an account; its stored feed and its history stay."""
        visit, _ = await desk.door.form(request)
        account = await desk.accounts.get(visit.caller().workspace_id, account_id)
        await desk.accounts.disconnect(visit.caller().workspace_id, account.id)
        await desk.publisher.stop(account.id)
        await desk.door.note(visit, "account.disconnected", account.username or account.instagram_id)
        return back(PLACE, "disconnected")


async def _rows(desk: ConsoleDesk, visit: Visit) -> Sequence[Row]:
    workspace_id = visit.caller().workspace_id
    standings = await desk.feed.standings(workspace_id)
    accounts = await desk.accounts.of_workspace(workspace_id)
    return [Row(one, standings.get(one.id), await _quota(desk, one)) for one in accounts]


async def _quota(desk: ConsoleDesk, account: Account) -> Quota | None:
    """Return an account's quota, or nothing while Instagram does not tell: a page does not fail for that."""
    if account.state is not State.CONNECTED:
        return None
    try:
        return await desk.publisher.quota(account.workspace_id, account.id)
    except Trouble:
        return None


def _login(word: str) -> Login:
    try:
        return Login(word)
    except ValueError:
        raise Invalid(f"login must be one of {', '.join(Login)}") from None
