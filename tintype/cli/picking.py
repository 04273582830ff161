"""Websites that use the picker: `app`."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated

import typer

from tintype.cli.finding import find_workspace
from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, note, rows, say, thing
from tintype.errors import Invalid, NotFound

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.access import Workspace
    from tintype.core.files import PickerApp

apps = typer.Typer(help="Apps of the picker: keys for websites, secrets for their servers.", no_args_is_help=True)

AppId = Annotated[str, typer.Argument(metavar="APP", help="Id or key of the app.", show_default=False)]
Room = Annotated[
    str | None, typer.Option("--workspace", metavar="WORKSPACE", help="Id or name. Default: the only one there is.")
]


@apps.command("create")
def create_app(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the app is called.", show_default=False)],
    workspace: Room = None,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", help="Whose pages may use it, like https://example.com; may be given again."),
    ] = None,
    secure: Annotated[bool, typer.Option("--secure", help="Ask for a policy to read, write and remove.")] = False,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Make an app; its secret is shown this one time.

    Keys of --json: id, workspace_id, name, key, origins, secure_reads, secure_writes, created_at, used_at, script, secret.
    """

    async def create(house: "House") -> dict[str, object]:
        room = await _room(house, workspace)
        issued = await house.picking.apps.create(
            room.id, name, origins=tuple(origin or ()), secure_reads=secure, secure_writes=secure
        )
        return {**_row(issued.app, house), "secret": issued.secret}

    made = in_house(settings_of(data), create)
    if as_json:
        thing(made, as_json=True, sentence="")
        return
    say(f"key     {made['key']}")
    say(f"secret  {made['secret']}")
    say(f'script  <script src="{made["script"]}"></script>')
    note("the secret is for servers alone, and is not shown again")


@apps.command("list")
def list_apps(workspace: Room = None, data: Folder = None, as_json: AsJson = False) -> None:
    """Show the apps of a workspace, or of all.

    Keys of --json, for each: id, workspace_id, name, key, origins, secure_reads, secure_writes, created_at, used_at, script.
    """

    async def look(house: "House") -> list[dict[str, object]]:
        rooms = await house.access.workspaces() if workspace is None else [await find_workspace(house, workspace)]
        return [_row(one, house) for room in rooms for one in await house.picking.apps.of_workspace(room.id)]

    found = in_house(settings_of(data), look)
    columns = {"id": "id", "name": "name", "key": "key", "workspace_id": "workspace", "used_at": "used at"}
    rows(found, as_json=as_json, empty="There is no app yet; make one with: tintype app create NAME", columns=columns)


@apps.command("rotate")
def rotate_app(app: AppId, data: Folder = None, as_json: AsJson = False) -> None:
    """Give an app a new secret; the one before it counts for another day.

    Keys of --json: id, secret.
    """

    async def rotate(house: "House", found: "PickerApp") -> dict[str, object]:
        issued = await house.picking.apps.rotate_secret(found.workspace_id, found.id)
        return {"id": found.id, "secret": issued.secret}

    made = in_house(settings_of(data), _with(app, rotate))
    thing(made, as_json=as_json, sentence=f"secret  {made['secret']}")


@apps.command("delete")
def delete_app(app: AppId, data: Folder = None, as_json: AsJson = False) -> None:
    """Remove an app with all its files.

    Keys of --json: id.
    """

    async def remove(house: "House", found: "PickerApp") -> dict[str, object]:
        await house.picking.apps.remove(found.workspace_id, found.id)
        await house.picking.files.erase_abandoned()
        await house.picking.apps.records.forget_removed()
        return {"id": found.id}

    made = in_house(settings_of(data), _with(app, remove))
    thing(made, as_json=as_json, sentence=f"app {made['id']} is removed, with its files")


def _with(
    named: str, act: "Callable[[House, PickerApp], Awaitable[dict[str, object]]]"
) -> "Callable[[House], Awaitable[dict[str, object]]]":
    async def found(house: "House") -> dict[str, object]:
        for room in await house.access.workspaces():
            for one in await house.picking.apps.of_workspace(room.id):
                if named in (one.id, one.key):
                    return await act(house, one)
        raise NotFound(f"there is no app {named!r}; `tintype app list` shows all")

    return found


async def _room(house: "House", named: str | None) -> "Workspace":
    if named is not None:
        return await find_workspace(house, named)
    every = await house.access.workspaces()
    if len(every) != 1:
        raise Invalid(f"there are {len(every)} workspaces; name one with --workspace")
    return every[0]


def _row(app: "PickerApp", house: "House") -> dict[str, object]:
    return {
        "id": app.id,
        "workspace_id": app.workspace_id,
        "name": app.name,
        "key": app.key,
        "origins": list(app.origins),
        "secure_reads": app.secure_reads,
        "secure_writes": app.secure_writes,
        "created_at": app.created_at.isoformat(),
        "used_at": app.used_at.isoformat() if app.used_at else None,
        "script": f"{house.settings.address()}/v2/filepicker.js?key={app.key}",
    }
