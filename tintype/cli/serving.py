"""The commands that stay: `serve`, `worker` and `simulate`."""

import asyncio
import gc
import socket
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from tintype import __version__
from tintype.cli.listening import bind, bind_near, is_loopback, listening, port_of, run_until_signal, simulating
from tintype.cli.opening import Folder, settings_of, start_logs, uncollected
from tintype.cli.output import note, say
from tintype.errors import Unavailable

if TYPE_CHECKING:
    from tintype.settings import Settings

_ROUND = 10_000  # objects made between two of the collector's rounds; a request makes some thousand
_TURN_SECONDS = 0.0005  # Python's own 5 ms are longer than what a request takes
_TAKE_OVER_SECONDS = 1.0  # between two looks whether the data folder's lock is free

Seed = Annotated[int, typer.Option("--seed", help="The same seed gives the same people, posts and ids.")]


def serve(
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="0 takes a free one. Else PORT, else 8000.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on. Else HOST, else 127.0.0.1.")] = None,
    only: Annotated[str | None, typer.Option(metavar="feed,…", help="Serve only these dialects.")] = None,
    data: Folder = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Leave the jobs to `tintype worker`.")] = False,
) -> None:
    """Serve Tintype's HTTP dialects, and work its jobs. Settings come from the environment or a .env file.

    On SQLite one process of a data folder works the jobs; a second server leaves them to it, and goes on doing so when it ends:
    only a worker takes over.
    """
    chosen = _dialects(only)
    settings = settings_of(data, host=host, port=port)
    start_logs(settings)
    _warn_of_open_doors(settings, chosen)
    # The port is taken first: a free one that was asked for with 0 is part of every address the house gives out.
    listener = bind(settings.host, settings.port)
    settings = settings.model_copy(update={"port": port_of(listener)})
    run_until_signal(_serve(settings, listener, chosen, work=not no_worker))


def _warn_of_open_doors(settings: "Settings", only: tuple[str, ...]) -> None:
    if is_loopback(settings.host):
        return
    doors = (
        ("feed", settings.admin_token, "can register here", "Set ADMIN_TOKEN to close POST /register"),
        ("scrape", settings.api_key, "can have posts downloaded here", "Set API_KEY to close POST /scrape"),
    )
    for dialect, key, can, advice in doors:
        if key is None and (not only or dialect in only):
            note(f"WARNING: whoever reaches this machine on {settings.host} {can}. {advice}, or listen on 127.0.0.1.")


def _settle() -> None:
    """Have the collector's rounds seldom, and let threads take turns quickly."""
    gc.set_threshold(_ROUND, 20, 20)
    sys.setswitchinterval(_TURN_SECONDS)


async def _serve(settings: "Settings", listener: socket.socket, only: tuple[str, ...], *, work: bool) -> None:
    async with AsyncExitStack() as stack:
        with uncollected():
            from tintype.app import open_house

            house = await stack.enter_async_context(open_house(settings, work=work, only=only))
            server = await stack.enter_async_context(listening(house.front, listener, ending=house.publisher.hurry))
        _settle()
        if work and not house.backends.works:
            note(f"another process works the jobs of {settings.data}; this one only serves")
        say(f"Tintype {__version__} listens on {_own_address(settings)}")
        if not only and await house.users.is_empty():
            secret = await house.browsing.welcome()
            say(f"Nobody has registered yet. The first user comes in at {settings.address()}/welcome/{secret}")
        await asyncio.wait({server})
        raise Unavailable("the web server ended by itself; the log above says why")


def _own_address(settings: "Settings") -> str:
    return settings.model_copy(update={"public_url": None}).address()


def _dialects(only: str | None) -> tuple[str, ...]:
    from tintype.settings import DIALECTS

    chosen = tuple(name.strip() for name in (only or "").split(",") if name.strip())
    unknown = [name for name in chosen if name not in DIALECTS]
    if unknown or (only is not None and not chosen):
        said = f"there is no dialect {', '.join(unknown)!r}; " if unknown else ""
        raise typer.BadParameter(f"{said}known: {', '.join(DIALECTS)}", param_hint="--only")
    return chosen


def worker(data: Folder = None) -> None:
    """Work the jobs without serving HTTP.

    On Postgres as many workers may run as you like. On SQLite one process works: a worker beside it waits to take over.
    """
    settings = settings_of(data)
    start_logs(settings)
    run_until_signal(_work(settings))


async def _work(settings: "Settings") -> None:
    with uncollected():
        from tintype.app import open_house
        from tintype.machinery import is_worked

    told = False
    while True:
        while is_worked(settings):
            if not told:
                say(f"another process works the jobs of {_place(settings)}; waiting to take over")
                told = True
            await asyncio.sleep(_TAKE_OVER_SECONDS)
        async with open_house(settings) as house:
            if house.backends.works:
                say(f"Tintype {__version__} works the jobs of {_place(settings)}")
                await asyncio.Event().wait()


def _place(settings: "Settings") -> str:
    return str(settings.data) if settings.database_url is None else "the database"


def simulate(
    port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="0 takes a free one. Default 8001, or the next free one.")
    ] = None,
    seed: Seed = 7,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Run the pretend Instagram: both logins, Graph API, public pages, pictures, and /_world to move and break it.

    Point Tintype at it with INSTAGRAM_ORIGIN.
    """
    from tintype import logs

    logs.set_up()
    listener = listener_on(port, 8001, host)
    place = f"[{host}]" if ":" in host else host
    run_until_signal(_simulate(f"http://{place}:{port_of(listener)}", listener, seed))


def listener_on(port: int | None, default: int, host: str = "127.0.0.1") -> socket.socket:
    """Return a socket on the port that was asked for, or near the default one when none was.

    Raises `Unavailable` when a port that was asked for is taken.
    """
    return bind_near(default) if port is None and is_loopback(host) else bind(host, default if port is None else port)


async def _simulate(origin: str, listener: socket.socket, seed: int) -> None:
    from tintype.simulator import create

    simulator = create(seed)
    with simulating(simulator, listener):
        say(f"the pretend Instagram (seed {seed}) listens on {origin}; its levers are under {origin}/_world")
        await asyncio.Event().wait()
