"""`account`: which Instagram accounts there are, connecting them, and letting go of them."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tintype.cli.finding import find_account, find_workspace
from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, note, rows, say, say_json, thing
from tintype.errors import Invalid

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.accounts import Account, Beginning
    from tintype.settings import Settings

accounts = typer.Typer(help="Instagram accounts.", no_args_is_help=True)

_LOOK_SECONDS = 0.5

_COLUMNS = {
    "id": "id",
    "username": "username",
    "login": "login",
    "state": "state",
    "reason": "reason",
    "workspace": "workspace",
    "synced_at": "synced at",
    "token_expires_at": "token expires at",
}

Named = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="Id, Instagram id, or username if it is unique.", show_default=False)
]


@accounts.command("list")
def list_accounts(
    named: Annotated[str | None, typer.Argument(metavar="[WORKSPACE]", help="Only of this workspace.")] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show the accounts and how they stand with Instagram.

    Keys of --json, for each: id, workspace_id, workspace, login, instagram_id, username, name, account_type, state,
    reason, scopes, token_issued_at, token_expires_at, synced_at, created_at.
    """

    async def look(house: "House") -> list[dict[str, object]]:
        rooms = [await find_workspace(house, named)] if named else await house.access.workspaces()
        found: list[dict[str, object]] = []
        for room in rooms:
            standings = await house.feed.standings(room.id)
            for account in await house.accounts.of_workspace(room.id):
                standing = standings.get(account.id)
                synced_at = standing.synced_at if standing else None
                found.append({**_account(account), "workspace": room.name, "synced_at": synced_at})
        return found

    empty = "There is no account yet; connect one with: tintype account connect WORKSPACE"
    rows(in_house(settings_of(data), look), as_json=as_json, empty=empty, columns=_COLUMNS)


@accounts.command("connect")
def connect_account(
    named: Annotated[str, typer.Argument(metavar="WORKSPACE", help="Id or name.", show_default=False)],
    login: Annotated[
        Literal["instagram", "facebook"], typer.Option(help="Which login the account's owner uses.")
    ] = "instagram",
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait until the account is connected.")] = True,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Begin to connect an account: prints the address that its owner opens in a browser, within ten minutes.

    The server must be running. Keys of --json: url, expires_at, connected (with --wait: a list as `account list` has).
    """
    settings = settings_of(data)

    async def connect(house: "House") -> None:
        workspace = await find_workspace(house, named)
        await _warn_without_server(settings)
        before = await _issued(house, workspace.id)
        begun = await _begin(house, workspace.id, login)
        url = f"{settings.address()}/connect/{begun.state}"
        if not as_json:
            say(url)
        elif not wait:
            say_json({"url": url, "expires_at": begun.expires_at})
        else:
            # A program needs the address before it can make anybody open it.
            note(url)
        if wait:
            connected = await _wait(house, workspace.id, before, begun, quiet=as_json)
            _say_connected(url, begun, connected, as_json=as_json)

    in_house(settings, connect)


async def _begin(house: "House", workspace_id: str, login: str) -> "Beginning":
    from tintype.instagram import Login

    chosen = Login.FACEBOOK_LOGIN if login == "facebook" else Login.INSTAGRAM_LOGIN
    redirect = house.settings.callback()
    return await house.connecting.begin(workspace_id, chosen, dialect="feed", redirect_uri=redirect)


async def _warn_without_server(settings: "Settings") -> None:
    if settings.public_url:
        return
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", settings.port)
    except OSError:
        note(f"no server answers at {settings.address()} yet: start `tintype serve`, with the same --data and --port")
    else:
        writer.close()


async def _issued(house: "House", workspace_id: str) -> dict[str, object]:
    return {one.id: (one.state, one.token_issued_at) for one in await house.accounts.of_workspace(workspace_id)}


async def _wait(
    house: "House", workspace_id: str, before: dict[str, object], begun: "Beginning", *, quiet: bool
) -> "Sequence[Account]":
    from datetime import UTC, datetime

    from rich.console import Console

    from tintype.core.accounts import State

    with Console(stderr=True, quiet=quiet).status("waiting for the account's owner …"):
        while datetime.now(UTC) < begun.expires_at:
            found = await house.accounts.of_workspace(workspace_id)
            news = [one for one in found if before.get(one.id) != (one.state, one.token_issued_at)]
            connected = [one for one in news if one.state is State.CONNECTED]
            if connected:
                return connected
            await asyncio.sleep(_LOOK_SECONDS)
    raise Invalid("nobody connected an account in time; begin again")


def _say_connected(url: str, begun: "Beginning", connected: "Sequence[Account]", *, as_json: bool) -> None:
    if as_json:
        say_json({"url": url, "expires_at": begun.expires_at, "connected": [_account(one) for one in connected]})
        return
    for one in connected:
        say(f"connected: {one.username or one.instagram_id} ({one.id})")


@accounts.command("refresh")
def refresh_account(named: Named, data: Folder = None, as_json: AsJson = False) -> None:
    """Refresh an account's token now, if it is old enough for that to be of use.

    Keys of --json: those of `account list`, and refreshed.
    """

    async def refresh(house: "House") -> dict[str, object]:
        account = await find_account(house, named)
        refreshed = await house.accounts.refresh(account)
        return {**_account(await house.accounts.get(account.workspace_id, account.id)), "refreshed": refreshed}

    done = in_house(settings_of(data), refresh)
    said = "is refreshed" if done["refreshed"] else "is fresh enough"
    thing(done, as_json=as_json, sentence=f"the token of {done['username'] or done['instagram_id']} {said}")


@accounts.command("disconnect")
def disconnect_account(named: Named, data: Folder = None, as_json: AsJson = False) -> None:
    """Let go of an account: its token is destroyed; its feed stays as it is.

    Keys of --json: those of `account list`.
    """

    async def disconnect(house: "House") -> dict[str, object]:
        account = await find_account(house, named)
        return _account(await house.accounts.disconnect(account.workspace_id, account.id))

    gone = in_house(settings_of(data), disconnect)
    thing(gone, as_json=as_json, sentence=f"account {gone['username'] or gone['instagram_id']} is disconnected")


def _account(account: "Account") -> dict[str, object]:
    return {
        "id": account.id,
        "workspace_id": account.workspace_id,
        "login": account.login.value,
        "instagram_id": account.instagram_id,
        "username": account.username,
        "name": account.name,
        "account_type": account.account_type,
        "state": account.state.value,
        "reason": account.reason,
        "scopes": account.scopes,
        "token_issued_at": account.token_issued_at,
        "token_expires_at": account.token_expires_at,
        "created_at": account.created_at,
    }
