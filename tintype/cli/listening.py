"""Ports, web servers and signals: what `serve`, `demo` and `simulate` stand on.

The product is served by granian inside our own event loop, so that house and server share one process; the simulator by
uvicorn in a thread with a loop of its own, because its faults cut connections and nothing it does may slow the house.
"""

import asyncio
import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from tintype.errors import Invalid, Unavailable

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from tintype.simulator import Simulator

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"

_BACKLOG = 1024
# Connections at a time; granian's own 128 would be used up by as many people who watch a queue, and nobody else be heard.
_CONNECTIONS = 20_000
_HEADER_MILLISECONDS = 10_000  # for all headers of a request; whoever needs longer only holds a connection
_NEXT_PORTS = 100  # tried after a default port that is taken
_GRACE_SECONDS = 3.0  # for requests under way when a server ends
_LAST_SECONDS = 8.0  # after a signal; what has not ended by then is cut off, which the next start repairs


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on a port of `host` already (0: a free one), so that nobody else can take it.

    Raises `Unavailable` when the port is taken, `Invalid` when the address is not one of this machine.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise Invalid(f"--host: {host!r} is no address of this machine") from None
    found = socket.socket(family, kind, protocol)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(place)
        found.listen(_BACKLOG)
    except OSError as error:
        found.close()
        raise _refused(error, host, port) from None
    found.setblocking(False)
    return found


def _refused(error: OSError, host: str, port: int) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return Unavailable(f"port {port} of {host} is in use; end what listens there, or choose another with --port")
    if error.errno == errno.EACCES:
        return Unavailable(f"this user may not listen on port {port}; choose one above 1023 with --port")
    return Invalid(f"--host: cannot listen on {host}: {error.strerror}")


def bind_near(port: int) -> socket.socket:
    """Return a loopback socket on `port`, or on the next free one after it."""
    for candidate in range(port, min(port + _NEXT_PORTS, 65_536)):
        with suppress(Unavailable):
            return bind(LOOPBACK, candidate)
    return bind(LOOPBACK, 0)


def port_of(listener: socket.socket) -> int:
    """Return the port a socket listens on."""
    return int(listener.getsockname()[1])


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@asynccontextmanager
async def listening(
    app: "ASGIApp", listener: socket.socket, *, ending: Callable[[], None] = lambda: None
) -> AsyncGenerator["asyncio.Task[None]"]:
    """Serve an app on a socket while the block runs; the task ends early only when the server breaks.

    `ending` is called before the server stops, so that requests which only wait can still be answered.
    """
    # Granian takes a while to load, which commands without a server should not wait for.
    from granian.constants import HTTPModes, Interfaces
    from granian.http import HTTP1Settings
    from granian.log import LogLevels
    from granian.net import SocketHolder  # pyright: ignore[reportPrivateImportUsage] - it is there for this
    from granian.server.embed import Server

    host, port = listener.getsockname()[:2]
    server = Server(
        app,
        host,
        port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MILLISECONDS),
        websockets=False,
        backpressure=_CONNECTIONS,
        log_level=LogLevels.error,
        log_dictconfig={"formatters": {}, "handlers": {}, "loggers": {"_granian": {"propagate": True}}},
    )

    def hand_over() -> None:
        # Granian would bind with SO_REUSEPORT, with which two servers share one port without a word. It takes no ready
        # socket from outside; this is the one step in which it would make its own.
        server._shd = SocketHolder(listener.detach(), False, _BACKLOG)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage, reportCallIssue, reportAttributeAccessIssue] - see above

    server._init_shared_socket = hand_over  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - see above
    task = asyncio.create_task(server.serve())
    try:
        await asyncio.sleep(0)
        yield task
    finally:
        ending()
        server.stop()
        _, left = await asyncio.wait({task}, timeout=_GRACE_SECONDS)
        if left:
            log.warning("requests that were still under way are cut off")
            for name in ("_granian", "_granian.utils", "asyncio"):
                logging.getLogger(name).disabled = True  # each would tell of it once more, with a traceback


@contextmanager
def simulating(simulator: "Simulator", listener: socket.socket) -> Generator[None]:
    """Serve the pretend Instagram on a socket, in a thread of its own, while the block runs."""
    import uvicorn

    config = uvicorn.Config(
        simulator,
        lifespan="off",
        http="httptools",
        ws="none",
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=1,
        # The pretend Instagram answers as Meta's servers do, not as uvicorn.
        server_header=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="simulator", daemon=True)
    thread.start()
    try:
        yield
    finally:
        # Whoever still asks it belongs to a house that is gone: nothing to wait for.
        server.should_exit = server.force_exit = True
        thread.join(_GRACE_SECONDS)


def run_until_signal(main: Coroutine[Any, Any, None]) -> None:
    """Run `main`, which ends by being cancelled: at SIGTERM or SIGINT its blocks close in their order.

    A second signal, or a close that takes too long, ends the process at once.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_cancelled_by_signal(main))


async def _cancelled_by_signal(main: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(main)
    stopping = threading.Timer(_LAST_SECONDS, os._exit, (0,))
    stopping.daemon = True

    def stop() -> None:
        if stopping.is_alive():
            os._exit(130)
        stopping.start()
        # A terminal's Ctrl-C also ends the ffmpeg that the simulator waits for; that it broke is no news any more.
        logging.getLogger("uvicorn.error").disabled = True
        task.cancel()

    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop)
    try:
        await task
    except asyncio.CancelledError:
        # The timer goes on: leaving the loop waits for threads, which may take too long as well.
        if not stopping.is_alive():
            raise


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None  # asyncio's own loop does the same, somewhat slower
    return uvloop.new_event_loop
