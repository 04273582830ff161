"""People who log in: `user`."""

import sys
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from tintype.cli.finding import find_workspace
from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, rows, thing
from tintype.errors import Conflict

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.access import Person
    from tintype.settings import Settings

users = typer.Typer(help="Users, who log in with a password, and their roles in workspaces.", no_args_is_help=True)

Email = Annotated[
    str, typer.Argument(metavar="EMAIL", help="The address that the user logs in with.", show_default=False)
]


@users.command("add")
def add_user(
    email: Email,
    name: Annotated[str | None, typer.Option(help="How the user is called.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Name of the workspace that is made for the user.")] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make a user with a workspace of their own.

    The password is asked for, or read from standard input. Keys of --json: id, email, name, created_at, disabled_at,
    workspaces.
    """
    password = _password()

    async def add(house: "House") -> dict[str, object]:
        user_id = await house.users.add(email, password, name=name, workspace=workspace)
        return _person(await house.users.person(user_id))

    made = in_house(settings_of(data), add)
    thing(made, as_json=as_json, sentence=f"user {made['email']}: {made['id']}")


@users.command("welcome")
def welcome(
    email: Annotated[
        str | None, typer.Argument(metavar="[EMAIL]", help="Who forgot their password; without it, the first user.")
    ] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Print a one-time link, good for a day: the first user registers by it, a known one chooses a new password.

    Keys of --json: url.
    """

    async def invite(house: "House") -> dict[str, object]:
        user = await house.users.find(email) if email else None
        if user is None and not await house.users.is_empty():
            raise Conflict("there are users already; name the one who needs a new password")
        return {"url": f"{house.settings.address()}/welcome/{await house.browsing.welcome(user)}"}

    made = in_house(settings_of(data), invite)
    thing(made, as_json=as_json, sentence=str(made["url"]))


@users.command("list")
def list_users(data: Folder = None, as_json: AsJson = False) -> None:
    """Show all users with their roles.

    Keys of --json, for each: id, email, name, created_at, disabled_at, workspaces.
    """

    async def look(house: "House") -> list[dict[str, object]]:
        return [_person(one) for one in await house.users.all()]

    found = in_house(settings_of(data), look)
    shown = found if as_json else [{**one, "workspaces": _seats(one["workspaces"])} for one in found]
    columns = {"id": "id", "email": "email", "name": "name", "workspaces": "workspaces", "disabled_at": "disabled at"}
    rows(shown, as_json=as_json, empty="There is no user yet; make one with: tintype user add EMAIL", columns=columns)


@users.command("role")
def set_role(
    email: Email,
    named: Annotated[str, typer.Argument(metavar="WORKSPACE", help="Id, or name if no other has it.")],
    role: Annotated[Literal["owner", "editor", "viewer", "none"], typer.Argument(help="`none` takes the place away.")],
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Give a user a role in a workspace.

    Keys of --json: id, email, workspace_id, role.
    """

    async def place(house: "House") -> dict[str, object]:
        from tintype.core.access import Role

        user = await house.users.find(email)
        workspace = await find_workspace(house, named)
        await house.members.place(workspace.id, user.id, None if role == "none" else Role(role))
        return {"id": user.id, "email": user.email, "workspace_id": workspace.id, "role": role}

    made = in_house(settings_of(data), place)
    thing(made, as_json=as_json, sentence=f"{made['email']}: {role} in workspace {made['workspace_id']}")


@users.command("password")
def set_password(email: Email, data: Folder = None, as_json: AsJson = False) -> None:
    """Give a user another password, and end all their sessions.

    The password is asked for, or read from standard input. Keys of --json: id, email.
    """
    password = _password()

    async def change(house: "House") -> dict[str, object]:
        user = await house.users.find(email)
        await house.users.set_password(user, password)
        return {"id": user.id, "email": user.email}

    changed = in_house(settings_of(data), change)
    thing(changed, as_json=as_json, sentence=f"{changed['email']} has another password, and is logged out everywhere")


@users.command("disable")
def disable_user(email: Email, data: Folder = None, as_json: AsJson = False) -> None:
    """Let a user in no longer; all their tokens are worthless at once.

    Keys of --json: id, email, enabled.
    """
    _enable(email, settings_of(data), as_json=as_json, enabled=False)


@users.command("enable")
def enable_user(email: Email, data: Folder = None, as_json: AsJson = False) -> None:
    """Let a user in again, who has to log in anew.

    Keys of --json: id, email, enabled.
    """
    _enable(email, settings_of(data), as_json=as_json, enabled=True)


def _enable(email: str, settings: "Settings", *, as_json: bool, enabled: bool) -> None:
    async def change(house: "House") -> dict[str, object]:
        user = await house.users.find(email)
        await house.users.set_enabled(user, enabled=enabled)
        return {"id": user.id, "email": user.email, "enabled": enabled}

    changed = in_house(settings, change)
    thing(
        changed,
        as_json=as_json,
        sentence=f"{changed['email']} may {'log in again' if enabled else 'not log in any more'}",
    )


def _password() -> str:
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise typer.BadParameter("the password is empty; write it to standard input", param_hint="PASSWORD")
    return password


def _person(found: "Person") -> dict[str, object]:
    user = found.user
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
        "workspaces": [
            {"id": seat.workspace.id, "name": seat.workspace.name, "role": seat.role.value} for seat in found.seats
        ],
    }


def _seats(found: object) -> str:
    """Return a user's places for the table."""
    seats = cast("list[dict[str, str]]", found)
    return ", ".join(f"{one['name']} ({one['role']})" for one in seats)
