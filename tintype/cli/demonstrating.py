"""`tintype demo`: the pretend Instagram, the server and its worker in one process, with an account connected already.

The account is connected as a person would do it: begin, the browser's way through the consent page, and back with the
cookie. What the demo would otherwise take from the environment of a real installation (database, keys, apps) is left out.
"""

import asyncio
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from tintype import __version__
from tintype.cli.listening import LOOPBACK, listening, port_of, run_until_signal, simulating
from tintype.cli.opening import start_logs
from tintype.cli.output import AsJson, note, say, say_json
from tintype.cli.serving import Seed, listener_on
from tintype.cli.visitor import connect
from tintype.errors import NotFound, Trouble, Unavailable

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.settings import Settings
    from tintype.simulator import Settings as Switches
    from tintype.simulator import Simulator

_PATIENCE = 30.0  # seconds for the first posts, before the demo is announced without them

_FIRST = 1  # posts whose pictures are made before anybody asks: those that a first sync stores first

NAME = "Demo"
RESIDENT = "you@demo.example"
SECRETS = "demo.json"  # in the data folder: a second start hands out the same token and key

# What would lead out of the demo's folder, or to the real Instagram.
_LEFT_OUT = (
    "database_url", "redis_url", "upstash_redis_rest_url", "upstash_redis_rest_token", "blobs_url", "encryption_key",
    "encryption_keys_old", "public_url", "redirect_uri",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pass:
    """What opens the demo's workspace."""

    workspace: str
    user: int  # as whom visitors of the demo's console come in; nobody knows their password
    token: str = field(repr=False)
    feed_key: str = field(repr=False)
    app_key: str = ""  # of the picker, for pages


def demo(
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="0 takes a free one. Default 8000, or the next free one.")
    ] = None,
    simulator_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="The same for the simulator, from 8001 on.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="Keep everything here; else a folder that is removed.")
    ] = None,
    seed: Seed = 7,
    as_json: AsJson = False,
) -> None:
    """Try Tintype without an Instagram account: simulator, server and worker in one process.

    Keys of --json: url, simulator, console, workspace, token, feed_key, app_key, pid.
    """
    with ExitStack() as stack:
        folder = data or Path(
            stack.enter_context(TemporaryDirectory(prefix="tintype-demo-", ignore_cleanup_errors=True))
        )
        listener = stack.enter_context(listener_on(port, 8000))
        beside = stack.enter_context(listener_on(simulator_port, 8001))
        run_until_signal(_demo(folder, listener, beside, seed, as_json=as_json, kept=data is not None))


async def _demo(
    folder: Path, listener: socket.socket, beside: socket.socket, seed: int, *, as_json: bool, kept: bool
) -> None:
    from tintype.simulator import Settings, create

    origin = f"http://{LOOPBACK}:{port_of(beside)}"
    url = f"http://{LOOPBACK}:{port_of(listener)}"
    simulator = create(seed, settings=_switches(Settings(), url))
    # The pretend world begins anew at each start and the data folder does not: what is published now is not what was then.
    simulator.world.begin_beyond(int(time.time()))
    _prepare(simulator)
    settings = _settings(folder, port_of(listener), origin, simulator)
    start_logs(settings, quiet=True)
    with simulating(simulator, beside):
        async with _open(settings, listener) as (house, server):
            opened = await _admitted(house, folder / SECRETS)
            house.welcome.offer(opened.workspace, opened.feed_key, origin, opened.user)
            await asyncio.to_thread(connect, url, opened.token, _busiest(simulator))
            async with _syncing(house, opened.workspace):
                await _first_items(house, opened.workspace, server)
                _announce(opened, url, origin, folder if kept else None, as_json=as_json)
                await asyncio.wait({server})
                raise Unavailable("the web server ended by itself")


@asynccontextmanager
async def _open(settings: "Settings", listener: socket.socket) -> AsyncGenerator[tuple["House", "asyncio.Task[None]"]]:
    from tintype.app import open_house

    async with open_house(settings) as house, listening(house.front, listener, ending=house.publisher.hurry) as server:
        if not house.backends.works:
            raise Unavailable(f"another process works with {settings.data}; end it, or give another --data")
        yield house, server


def _prepare(simulator: "Simulator") -> None:
    """Begin to make the first pictures: that takes one processor about as long as loading the house takes another."""

    def make() -> None:
        # A demo that is ended at once takes the threads away that make them.
        with suppress(RuntimeError):
            asyncio.run(simulator.prepare(_busiest(simulator), _FIRST))

    threading.Thread(target=make, name="pictures", daemon=True).start()


def _switches(switches: "Switches", url: str) -> "Switches":
    return replace(
        switches,
        redirect_uris=(f"{url}/instagram-callback",),
        webhook_url=f"{url}/meta/webhooks",
        deauthorize_url=f"{url}/meta/deauthorize",
        deletion_url=f"{url}/meta/data-deletion",
    )


def _settings(folder: Path, port: int, origin: str, simulator: "Simulator") -> "Settings":
    from tintype.settings import Settings, load

    apps = {app.login: app for app in simulator.world.apps.values()}
    left_out = {name: Settings.model_fields[name].get_default() for name in _LEFT_OUT}
    return load(
        **left_out,
        data=folder,
        host=LOOPBACK,
        port=port,
        instagram_origin=origin,
        instagram_app_id=apps["instagram"].app_id,
        instagram_app_secret=apps["instagram"].app_secret,
        facebook_app_id=apps["facebook"].app_id,
        facebook_app_secret=apps["facebook"].app_secret,
        webhook_verify_token=simulator.world.settings.verify_token,
    )


def _busiest(simulator: "Simulator") -> str:
    """Return the person with most posts among those whom the API shows to apps."""
    world = simulator.world
    shown = [person.username for person in world.people.values() if person.account_type != "PERSONAL"]
    return max(shown, key=lambda username: len(world.posts(username)))


async def _admitted(house: "House", kept: Path) -> Pass:
    """Return the demo's workspace with a token and a feed key: those of an earlier start while they are good."""
    from tintype.core.access import Grant

    with suppress(FileNotFoundError, ValueError, TypeError, Trouble):
        found = _read(kept)
        await house.access.who(found.token, Grant.WORKSPACE)
        await house.access.who(found.feed_key, Grant.FEED)
        await house.picking.apps.by_key(found.app_key)
        return found
    workspace_id, user_id = await _room(house)
    token = await house.access.issue(workspace_id, Grant.WORKSPACE, label="demo")
    key = await house.access.issue(workspace_id, Grant.FEED, label="demo")
    app = (await house.picking.apps.create(workspace_id, "Demo shop")).app
    made = Pass(workspace_id, user_id, token.secret, key.secret, app.key)
    _write(kept, made)
    return made


async def _room(house: "House") -> tuple[str, int]:
    """Return the demo's workspace and the user who owns it, made when they are not there yet."""
    with suppress(NotFound):
        person = await house.users.person((await house.users.find(RESIDENT)).id)
        return person.seats[0].workspace.id, person.user.id
    password = f"Aa1!{secrets.token_urlsafe(24)}"
    user_id = await house.users.add(RESIDENT, password, name="You", workspace=NAME)
    return (await house.users.person(user_id)).seats[0].workspace.id, user_id


def _read(kept: Path) -> Pass:
    return Pass(**json.loads(kept.read_text()))


def _write(kept: Path, made: Pass) -> None:
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(asdict(made)))


@asynccontextmanager
async def _syncing(house: "House", workspace_id: str) -> AsyncGenerator[None]:
    """Sync and measure at once; the job that connecting has queued waits for the engine's next look and finds all done."""
    task = asyncio.create_task(_first_look(house, workspace_id))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _first_look(house: "House", workspace_id: str) -> None:
    """Fetch what there is, and meanwhile its numbers: both are there before anybody opens their pages."""

    async def measure() -> None:
        for account in await house.accounts.of_workspace(workspace_id):
            await house.insights.visit(account.id)
        await house.insights.collect_due()

    await asyncio.gather(house.feed.sync_workspace(workspace_id), measure())


async def _first_items(house: "House", workspace_id: str, server: "asyncio.Task[None]") -> None:
    """Wait until the feed shows something, or its sync has ended some other way; pictures go on being copied after."""
    until = asyncio.get_running_loop().time() + _PATIENCE
    while not server.done() and asyncio.get_running_loop().time() < until:
        if await house.feed.count(workspace_id):
            return
        standings = (await house.feed.standings(workspace_id)).values()
        if failed := [one.problem for one in standings if one.problem]:
            note(f"the first sync did not go well: {failed[0]}")
            return
        await asyncio.sleep(0.02)


def _announce(opened: Pass, url: str, origin: str, kept: Path | None, *, as_json: bool) -> None:
    if as_json:
        say_json(
            {
                "url": url,
                "simulator": origin,
                "console": f"{url}/",
                "workspace": opened.workspace,
                "token": opened.token,
                "feed_key": opened.feed_key,
                "app_key": opened.app_key,
                "pid": os.getpid(),
            }
        )
        return
    say(f"Tintype {__version__} listens on {url}, beside a pretend Instagram on {origin}")
    say(f"  start page   {url}/")
    say(f"  feed page    {url}/feeds/{opened.feed_key}.html")
    say(f"  feed JSON    {url}/feeds/{opened.feed_key}.json")
    say(f'  photos       curl -H "Authorization: Bearer {opened.token}" {url}/photos')
    say(f'  picker       <script src="{url}/v2/filepicker.js?key={opened.app_key}"></script>')
    say(f"  levers       {origin}/_world")
    say(f"  data         {kept or 'a temporary folder, removed at the end'}")
    say("Ctrl-C ends it.")
