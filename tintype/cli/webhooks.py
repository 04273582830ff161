"""`tintype webhooks`: who is told of what happens, whether it arrives, and a way to hear of it on one's own machine."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tintype.cli.finding import find_workspace
from tintype.cli.opening import Folder, in_house, settings_of, start_logs
from tintype.cli.output import AsJson, Exit, note, rows, say, say_json, thing
from tintype.errors import Invalid, NotFound

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.access import Workspace
    from tintype.core.webhooks import Delivery, Endpoint, Scope

webhooks = typer.Typer(help="Programs that are told of what happens.", no_args_is_help=True)

EndpointId = Annotated[str, typer.Argument(metavar="ENDPOINT", help="Id of the endpoint.", show_default=False)]
Room = Annotated[
    str | None, typer.Option("--workspace", metavar="WORKSPACE", help="Id or name. Default: the only one there is.")
]
Events = Annotated[
    list[str] | None,
    typer.Option("--event", help="Of what to tell; may be given again. Default: all about files; all+ is everything."),
]
_COLUMNS = {"id": "id", "url": "url", "events": "events", "schedule": "schedule", "state": "state", "reason": "reason"}


@webhooks.command("list")
def list_endpoints(workspace: Room = None, data: Folder = None, as_json: AsJson = False) -> None:
    """Show the endpoints of a workspace, or of all.

    Keys of --json, for each: id, workspace_id, app_id, url, description, events, schedule, state, reason, failing_since,
    delivered_at.
    """

    async def look(house: "House") -> list[dict[str, object]]:
        from tintype.core.webhooks import Scope

        rooms = await house.access.workspaces() if workspace is None else [await find_workspace(house, workspace)]
        found = [await house.picking.hooks.webhooks.all(Scope(room.id)) for room in rooms]
        return [_row(one) for some in found for one in some]

    found = in_house(settings_of(data), look)
    rows(found, as_json=as_json, empty="Nobody is told of anything yet.", columns=_COLUMNS)


@webhooks.command("add")
def add_endpoint(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where messages are sent.", show_default=False)],
    event: Events = None,
    schedule: Annotated[str | None, typer.Option(help="When to try again: see docs/dialects/webhooks.md.")] = None,
    description: Annotated[str | None, typer.Option(help="A note for people.")] = None,
    workspace: Room = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Tell a program of what happens; its secret is shown this one time.

    Keys of --json: id, workspace_id, app_id, url, description, events, schedule, state, reason, failing_since,
    delivered_at, public_key, secret.
    """

    async def add(house: "House") -> dict[str, object]:
        from tintype.core.webhooks import Scope, Wish

        room = await _chosen(house, workspace)
        wish = Wish(url=url, events=event, description=description, schedule=schedule)
        issued = await house.picking.hooks.webhooks.add(Scope(room.id), wish)
        return {**_row(issued.endpoint), "public_key": issued.endpoint.public_key, "secret": issued.secret}

    made = in_house(settings_of(data), add)
    thing(made, as_json=as_json, sentence=f"endpoint {made['id']}\nsecret: {made['secret']}")


@webhooks.command("test")
def try_endpoint(
    endpoint: EndpointId,
    event: Annotated[str, typer.Option(help="Of which kind the made-up message is.")] = "fp.upload",
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Send a made-up message once, and say what came of it; ends with 1 when it was not taken.

    Keys of --json: delivered, status, reason, detail, seconds, advice, body.
    """

    async def test(house: "House") -> dict[str, object]:
        tested = await house.picking.hooks.webhooks.test(await _scope(house, endpoint), endpoint, event)
        said = tested.attempt.answer
        return {
            "delivered": said.status is not None and said.status // 100 == 2,
            "status": said.status,
            "reason": said.reason,
            "detail": said.detail,
            "seconds": said.seconds,
            "advice": tested.advice,
            "body": tested.body.decode(),
        }

    found = in_house(settings_of(data), test)
    outcome = f"it answered {found['status']}" if found["status"] else f"{found['reason']}: {found['detail']}"
    thing(found, as_json=as_json, sentence="\n".join(filter(None, (outcome, str(found["advice"] or "")))))
    if not found["delivered"]:
        raise typer.Exit(Exit.TROUBLE)


@webhooks.command("log")
def show_log(
    endpoint: EndpointId,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many, the newest first.")] = 20,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show what was sent to an endpoint.

    Keys of --json, for each: id, event, at, state, attempts, status, reason, next_attempt_at.
    """

    async def look(house: "House") -> list[dict[str, object]]:
        found = await house.picking.hooks.webhooks.log(await _scope(house, endpoint), endpoint, limit=limit)
        return [_line(one) for one in found]

    rows(in_house(settings_of(data), look), as_json=as_json, empty="Nothing was sent to it yet.")


@webhooks.command("replay")
def replay(
    endpoint: EndpointId,
    delivery: Annotated[
        int | None, typer.Argument(metavar="DELIVERY", min=1, max=2**31 - 1, help="One delivery.", show_default=False)
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(help="All that failed since then, in UTC, like 2026-05-01T09:00:00.")
    ] = None,
    missing: Annotated[bool, typer.Option("--missing", help="With --since: what was never sent instead.")] = False,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Send a message again, or all that failed; the running server does so.

    Keys of --json: queued.
    """
    if (delivery is None) == (since is None):
        raise typer.BadParameter("give either a delivery or --since", param_hint="DELIVERY")

    async def again(house: "House") -> int:
        scope, trade = await _scope(house, endpoint), house.picking.hooks.webhooks
        if delivery is not None:
            await trade.replay(scope, endpoint, delivery)
            return 1
        assert since is not None
        return await trade.recover(scope, endpoint, since.replace(tzinfo=since.tzinfo or UTC), missing=missing)

    count = in_house(settings_of(data), again)
    thing({"queued": count}, as_json=as_json, sentence=f"{count} will be sent again")


@webhooks.command("listen")
def listen(
    forward: Annotated[str, typer.Option("--forward", metavar="URL", help="Like http://127.0.0.1:3000/hook.")],
    event: Events = None,
    workspace: Room = None,
    server: Annotated[
        str | None, typer.Option(metavar="URL", help="A server elsewhere. Default: the house of this data folder.")
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(envvar="TINTYPE_TOKEN", help="Token of a workspace on that server.", show_default=False),
    ] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Hand on what happens to a program on this machine, until Ctrl-C; nothing here is reachable from outside.

    Bodies and signatures are those that an endpoint would get. Keys of --json: first endpoint and secret, then for each
    message id, event, status, reason, seconds, state.
    """
    from tintype.cli.forwarding import from_house, from_server, hand_on
    from tintype.cli.listening import run_until_signal

    if server is not None and token is None:
        raise typer.BadParameter("a server elsewhere wants a token", param_hint="--token")
    settings = settings_of(data)
    start_logs(settings, quiet=True)

    def opened(line: dict[str, Any]) -> None:
        if as_json:
            say_json(line)
        else:
            note(f"Handing on to {forward} until Ctrl-C. The secret of these signatures: {line['secret']}")

    def told(line: dict[str, Any]) -> None:
        what = line["status"] if line["status"] is not None else line["reason"]
        say_json(line) if as_json else say(f"{line['event']}  {what}  {line['seconds']:.3f} s  {line['state']}")

    if server is not None:
        source = from_server(server, token or "", tuple(event or ("all",)))
    else:
        source = from_house(settings, workspace, tuple(event or ("all",)))
    run_until_signal(hand_on(source, forward, opened, told))


async def _chosen(house: "House", named: str | None) -> "Workspace":
    """Return the workspace that is meant: the named one, or the only one."""
    if named is not None:
        return await find_workspace(house, named)
    rooms = await house.access.workspaces()
    if len(rooms) == 1:
        return rooms[0]
    if not rooms:
        raise NotFound("there is no workspace yet; make one with: tintype workspace add NAME")
    raise Invalid("there are several workspaces; name one with --workspace")


async def _scope(house: "House", endpoint_id: str) -> "Scope":
    """Return whose an endpoint is: whoever has the data folder may see all."""
    from tintype.core.webhooks import Scope

    for room in await house.access.workspaces():
        found = await house.picking.hooks.webhooks.all(Scope(room.id))
        if any(one.id == endpoint_id for one in found):
            return Scope(room.id)
    raise NotFound(f"there is no endpoint {endpoint_id!r}; `tintype webhooks list` shows all")


def _row(found: "Endpoint") -> dict[str, object]:
    return {
        "id": found.id,
        "workspace_id": found.workspace_id,
        "app_id": found.app_id,
        "url": found.url,
        "description": found.description,
        "events": list(found.events),
        "schedule": found.schedule.name,
        "state": found.state.value,
        "reason": found.reason,
        "failing_since": found.failing_since,
        "delivered_at": found.delivered_at,
    }


def _line(found: "Delivery") -> dict[str, object]:
    return {
        "id": found.id,
        "event": found.event,
        "at": found.at,
        "state": found.state.value,
        "attempts": found.attempts,
        "status": found.status,
        "reason": found.reason,
        "next_attempt_at": found.due_at,
    }
