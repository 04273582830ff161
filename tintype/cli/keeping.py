"""Keeping house: `migrate`, `workspace`, `token` and `vault`."""

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tintype.cli.finding import find_workspace
from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, Exit, rows, thing
from tintype.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.access import Credential, Grant, Workspace
    from tintype.settings import Settings

workspaces = typer.Typer(
    help="Workspaces: one for each customer, with accounts and tokens of its own.", no_args_is_help=True
)
tokens = typer.Typer(help="Workspace tokens and publishable feed keys.", no_args_is_help=True)
vault = typer.Typer(help="The encryption key that seals tokens.", no_args_is_help=True)

Named = Annotated[str, typer.Argument(metavar="WORKSPACE", help="Id, or name if no other has it.", show_default=False)]


def migrate(
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; end with 1 when the database is behind this version.")
    ] = False,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show where the database stands, and bring it to the newest revision; every command that opens it does so, too.

    Keys of --json: was, revision, newest, changed.
    """
    import asyncio

    from tintype.backends.migrations import HEAD

    settings = settings_of(data)
    was, changed = asyncio.run(_migrated(settings.database_address(), look_only=check))
    stands = HEAD if changed else was
    found = {"was": was, "revision": stands, "newest": HEAD, "changed": changed}
    thing(found, as_json=as_json, sentence=_standing(was, HEAD, changed=changed))
    if check and (was is None or was < HEAD):
        raise typer.Exit(Exit.TROUBLE)


async def _migrated(address: str, *, look_only: bool) -> tuple[str | None, bool]:
    """Return the revision that was found, and whether the database was brought further."""
    from tintype.backends.database import open_database, revision, sqlite_file
    from tintype.backends.migrations import upgrade

    file = sqlite_file(address)
    if look_only and file is not None and not file.exists():
        return None, False
    database = open_database(address)
    try:
        if look_only:
            await database.check()  # a database that is away is not one that is behind
        was = await revision(database)
        return was, False if look_only else await upgrade(database)
    finally:
        await database.close()


def _standing(was: str | None, newest: str, *, changed: bool) -> str:
    before = f"at revision {was}" if was else "empty"
    if changed:
        return f"the database was {before} and is at revision {newest} now"
    if was is None or was < newest:
        return f"the database is {before}; this version wants {newest}: run `tintype migrate`"
    newer = f", newer than this version's {newest}" if was > newest else ""
    return f"the database is {before} already{newer}"


@workspaces.command("add")
def add_workspace(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a workspace with its first token, which is shown this one time.

    Keys of --json: id, name, created_at, token, token_id.
    """

    async def add(house: "House") -> dict[str, object]:
        workspace, issued = await house.access.register(name, label="command line")
        return {**_workspace(workspace), "token": issued.secret, "token_id": issued.credential.id}

    made = in_house(settings_of(data), add)
    thing(made, as_json=as_json, sentence=f"workspace {made['name']}: {made['id']}\ntoken: {made['token']}")


@workspaces.command("list")
def list_workspaces(data: Folder = None, as_json: AsJson = False) -> None:
    """Show all workspaces.

    Keys of --json, for each: id, name, created_at, accounts, posts.
    """

    async def look(house: "House") -> list[dict[str, object]]:
        return [
            {
                **_workspace(one),
                "accounts": len(await house.accounts.of_workspace(one.id)),
                "posts": await house.feed.count(one.id),
            }
            for one in await house.access.workspaces()
        ]

    found = in_house(settings_of(data), look)
    rows(found, as_json=as_json, empty="There is no workspace yet; make one with: tintype workspace add NAME")


@workspaces.command("remove")
def remove_workspace(
    named: Named,
    sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Remove a workspace: its tokens open nothing any more, its accounts are let go, its feed is erased.

    Keys of --json: id, name, created_at, disconnected.
    """
    if not sure:
        _ask(f"Remove workspace {named!r} with its accounts and its feed?")

    async def remove(house: "House") -> dict[str, object]:
        from tintype.api.cached import forget_workspace

        workspace = await find_workspace(house, named)
        await house.access.remove(workspace.id)
        disconnected = await house.feed.leave(workspace.id)
        with suppress(Unavailable):  # a Redis that is away forgets it by itself within its time
            await forget_workspace(house.backends.cache, workspace.id, await house.access.records.digests(workspace.id))
        await house.accounts.forget(workspace.id)
        return {**_workspace(workspace), "disconnected": disconnected}

    gone = in_house(settings_of(data), remove)
    thing(gone, as_json=as_json, sentence=f"workspace {gone['name']} ({gone['id']}) is removed")


@workspaces.command("app")
def set_app(
    named: Named,
    app_id: Annotated[str, typer.Option("--app-id", help="The app's id, as its dashboard shows it.")],
    login: Annotated[
        Literal["instagram", "facebook"], typer.Option(help="Which login the app is made for.")
    ] = "instagram",
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Give a workspace an Instagram app of its own, for the connections begun from now on.

    The app's secret is asked for, or read from standard input; it is sealed and never shown. Keys of --json: id, name,
    created_at, login, app_id.
    """
    secret = typer.prompt("App secret", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not secret.strip():
        raise typer.BadParameter("the secret is empty; write it to standard input", param_hint="SECRET")

    async def keep(house: "House") -> dict[str, object]:
        from tintype.instagram import App, Login

        workspace = await find_workspace(house, named)
        chosen = Login.FACEBOOK_LOGIN if login == "facebook" else Login.INSTAGRAM_LOGIN
        await house.accounts.set_app(workspace.id, App(chosen, app_id, secret.strip()))
        return {**_workspace(workspace), "login": login, "app_id": app_id}

    kept = in_house(settings_of(data), keep)
    thing(kept, as_json=as_json, sentence=f"workspace {kept['name']} connects with app {app_id} now")


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked; say that you are sure", param_hint="--yes")
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)


def _workspace(workspace: "Workspace") -> dict[str, object]:
    return {"id": workspace.id, "name": workspace.name, "created_at": workspace.created_at}


@tokens.command("add")
def add_token(
    named: Named,
    feed_key: Annotated[bool, typer.Option("--feed-key", help="A publishable key that only reads the feed.")] = False,
    origin: Annotated[
        list[str] | None, typer.Option(help="Website that may use the feed key, like https://example.com; repeatable.")
    ] = None,
    label: Annotated[str, typer.Option(help="What it is for, to tell it from others.")] = "",
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make one more token or feed key, which is shown this one time; earlier ones stay valid until they are revoked.

    Keys of --json: id, workspace_id, grant, label, hint, origins, created_at, used_at, revoked_at, token.
    """
    if origin and not feed_key:
        raise typer.BadParameter("only feed keys are bound to websites; add --feed-key", param_hint="--origin")

    async def add(house: "House") -> dict[str, object]:
        workspace = await find_workspace(house, named)
        issued = await house.access.issue(workspace.id, _grant(feed_key), label=label, origins=tuple(origin or ()))
        return {**_credential(issued.credential), "token": issued.secret}

    made = in_house(settings_of(data), add)
    thing(made, as_json=as_json, sentence=str(made["token"]))


def _grant(feed_key: bool) -> "Grant":
    from tintype.core.access import Grant

    return Grant.FEED if feed_key else Grant.WORKSPACE


@tokens.command("list")
def list_tokens(named: Named, data: Folder = None, as_json: AsJson = False) -> None:
    """Show a workspace's tokens and feed keys by how they begin; nobody can show the rest again.

    Keys of --json, for each: id, workspace_id, grant, label, hint, origins, created_at, used_at, revoked_at.
    """

    async def look(house: "House") -> list[dict[str, object]]:
        workspace = await find_workspace(house, named)
        return [_credential(one) for one in await house.access.credentials(workspace.id)]

    columns = {name: name for name in ("id", "grant", "label", "hint", "origins")}
    columns |= {"created_at": "created at", "used_at": "used at", "revoked_at": "revoked at"}
    rows(in_house(settings_of(data), look), as_json=as_json, empty="This workspace has no token.", columns=columns)


@tokens.command("revoke")
def revoke_token(
    named: Named,
    token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID", help="As `token list` shows it.", show_default=False)],
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a token or feed key worthless, everywhere and at once.

    Keys of --json: id, workspace_id, revoked.
    """

    async def revoke(house: "House") -> dict[str, object]:
        workspace = await find_workspace(house, named)
        await house.access.revoke(workspace.id, token_id)
        return {"id": token_id, "workspace_id": workspace.id, "revoked": True}

    gone = in_house(settings_of(data), revoke)
    thing(gone, as_json=as_json, sentence=f"token {token_id} is revoked")


def _credential(credential: "Credential") -> dict[str, object]:
    return {
        "id": credential.id,
        "workspace_id": credential.workspace_id,
        "grant": credential.grant.value,
        "label": credential.label,
        "hint": f"{credential.hint}…",
        "origins": credential.origins,
        "created_at": credential.created_at,
        "used_at": credential.used_at,
        "revoked_at": credential.revoked_at,
    }


@vault.command("rotate")
def rotate(data: Folder = None, as_json: AsJson = False) -> None:
    """Seal everything anew with the current ENCRYPTION_KEY, after which ENCRYPTION_KEYS_OLD can be emptied.

    Keys of --json: resealed.
    """

    async def turn(house: "House") -> int:
        rooms = (house.accounts, house.downloads.member.sessions, house.kitchen.notifier)
        picking = house.picking
        return (
            sum([await room.rotate() for room in (*rooms, picking.apps)]) + await picking.hooks.webhooks.rotate_vault()
        )

    count = in_house(settings_of(data), turn)
    thing({"resealed": count}, as_json=as_json, sentence=f"{count} secrets are sealed with the current key now")


@vault.command("forget")
def forget(
    sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Let go of an encryption key that is lost, so that everything starts with another one.

    Browsers that asked for notifications have to ask again at once. What else the lost key sealed stays shut: accounts are to
    be connected again, and the secrets of apps and webhooks to be made anew, where they say so.

    Keys of --json: browsers.
    """
    import asyncio

    if not sure:
        _ask("Is the key that sealed what is stored here lost for good?")
    browsers = asyncio.run(_forgotten(settings_of(data)))
    thing({"browsers": browsers}, as_json=as_json, sentence=f"the lost key is let go, and {browsers} browsers with it")


async def _forgotten(settings: "Settings") -> int:
    from tintype.backends.database import open_database
    from tintype.backends.migrations import upgrade
    from tintype.core.notifications import PushRecords
    from tintype.machinery import vault_of

    vault, database = vault_of(settings), open_database(settings.database_address())
    try:
        await upgrade(database)
        records = PushRecords(database)
        pair = await records.key()
        if pair is None or vault.stranger(pair) is None:
            raise Conflict("no key is lost: the one that is set opens what is stored here")
        return await records.drop_key()
    finally:
        await database.close()
