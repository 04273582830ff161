"""What five thousand listeners cost one process of ours, beside the same thing by the framework's own event streams.

    python bench/sse.py [clients] [changes]

A change is the removal of a queue item, which is stored, logged and announced before it is told; its moment stands in the
event, so what is measured reaches from the change to the client's socket. The framework's stream is fed from memory.
"""

import json
import re
import resource
import selectors
import socket
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.servers import Server, free_port, running

FRAMEWORK = """
import asyncio
from collections.abc import AsyncIterable
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.sse import EventSourceResponse, ServerSentEvent

app = FastAPI()
queues = set()

@app.get('/api/queue/stream', response_class=EventSourceResponse)
async def stream() -> AsyncIterable[ServerSentEvent]:
    queue = asyncio.Queue(256)
    queues.add(queue)
    try:
        yield ServerSentEvent(event='connection', data={'message': 'Connected to queue stream'})
        while True:
            number, data = await queue.get()
            yield ServerSentEvent(event='queue-removed', id=str(number), data=data)
    finally:
        queues.discard(queue)

@app.delete('/{number}')
async def tell(number: int):
    now = datetime.now(UTC)
    stamp = now.strftime('%Y-%m-%dT%H:%M:%S.') + f'{now.microsecond // 1000:03d}Z'
    for queue in queues:
        queue.put_nowait((number, {'itemId': str(number), 'timestamp': stamp}))
    return {}
"""
SECONDS_BETWEEN = 1.0
PATIENCE = 60.0
SETTLED = 6.0
_GREETING = b"GET /api/queue/stream HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n"


@dataclass(slots=True)
class Figures:
    """What was measured of one server."""

    name: str
    clients: int
    delays: list[float] = field(default_factory=list[float])
    kilobytes: float = 0.0
    cpu_us: float = 0.0
    missed: int = 0

    def line(self) -> str:
        """Return it as a line of the table."""
        ordered = sorted(self.delays)
        if not ordered:
            return f"{self.name:24}{self.clients:>9}   nobody heard of anything"
        p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
        return f"{self.name:24}{self.clients:>9}{p50:>9.0f}{p99:>9.0f}{self.kilobytes:>12.1f}{self.cpu_us:>12.0f}{self.missed:>9}"


def main() -> None:
    """Measure both servers in turn, in one run."""
    clients = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
    changes = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(f"{changes} changes, one every {SECONDS_BETWEEN:.0f} s; delays from the change to the client's socket")
    print(f"{'':24}{'clients':>9}{'p50 ms':>9}{'p99 ms':>9}{'kB/client':>12}{'CPU µs/msg':>12}{'missed':>9}")
    with tempfile.TemporaryDirectory() as name:
        for start in (_ours, _framework):
            with ExitStack() as stack:
                server, acts = start(stack, Path(name), changes)
                print(_measured(server, clients, acts).line(), flush=True)


def _measured(server: Server, clients: int, acts: list[Callable[[], object]]) -> Figures:
    """Connect everybody, let things happen one after the other, and note when each client hears of each."""
    figures = Figures(server.name, clients)
    before = server.memory_mb()
    used = 0.0
    with _connected(server.port, clients) as selector:
        time.sleep(SETTLED)  # greeted, they are still being told how things stand
        figures.kilobytes = (server.memory_mb() - before) * 1024 / clients
        for act in acts:
            cpu = server.cpu_seconds()
            act()
            delays = _heard(selector, clients)
            used += server.cpu_seconds() - cpu
            figures.delays += delays
            figures.missed += clients - len(delays)
            time.sleep(SECONDS_BETWEEN)
    figures.cpu_us = used / max(1, len(figures.delays)) * 1e6
    return figures


@contextmanager
def _connected(port: int, clients: int) -> Generator[selectors.BaseSelector]:
    """Connect and wait until everybody was greeted."""
    selector = selectors.DefaultSelector()
    sockets: list[socket.socket] = []
    greeted = 0
    try:
        for number in range(clients):
            # One loopback address each few thousand: a port of its own for every client.
            here = (f"127.0.0.{2 + number // 20_000}", 0)
            one = socket.create_connection(("127.0.0.1", port), 30, source_address=here)
            one.sendall(_GREETING)
            one.setblocking(False)
            selector.register(one, selectors.EVENT_READ)
            sockets.append(one)
            if number % 50 == 49:
                greeted += _greeted(selector, 0.05)
        until = time.monotonic() + PATIENCE
        while greeted < clients and time.monotonic() < until:
            greeted += _greeted(selector, 0.5)
        if greeted < clients:
            raise RuntimeError(f"only {greeted} of {clients} clients were greeted")
        yield selector
    finally:
        selector.close()
        for one in sockets:
            one.close()


def _greeted(selector: selectors.BaseSelector, seconds: float) -> int:
    return sum(b"event: connection" in _received(key.fileobj) for key, _ in selector.select(seconds))


def _heard(selector: selectors.BaseSelector, clients: int) -> list[float]:
    """Return each client's delay for one change."""
    delays: list[float] = []
    until = time.monotonic() + PATIENCE
    while len(delays) < clients and time.monotonic() < until:
        for key, _ in selector.select(0.2):
            piece = _received(key.fileobj)
            now = time.time()
            found = re.search(rb'"timestamp": ?"([^"]+)"', piece) if b"queue-removed" in piece else None
            if found:
                delays.append(now - _moment(found.group(1).decode()))
    return delays


def _received(one: object) -> bytes:
    assert isinstance(one, socket.socket)
    try:
        return one.recv(65_536)
    except BlockingIOError:
        return b""


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _ours(stack: ExitStack, folder: Path, changes: int) -> tuple[Server, list[Callable[[], object]]]:
    port = free_port()
    command = [sys.executable, "-m", "tintype", "serve", "--only", "queue", "--data", str(folder / "data")]
    env = {"QUEUE_STREAMS_PER_CLIENT": "0", "LOG_LEVEL": "error"}
    server = stack.enter_context(running("Tintype", [*command, "--port", str(port)], port, "/api/queue", env=env))
    urls = [f"https://www.instagram.com/explore/{number}/" for number in range(changes)]
    taken = _asked(port, "POST", "/api/queue/batch", {"urls": urls})
    ids = [row["id"] for row in taken["items"]]
    while _asked(port, "GET", "/api/queue?status=pending&status=in_progress")["total"]:
        time.sleep(0.1)
    return server, [partial(_asked, port, "DELETE", f"/api/queue/{one}") for one in ids]


def _framework(stack: ExitStack, folder: Path, changes: int) -> tuple[Server, list[Callable[[], object]]]:
    port = free_port()
    (folder / "framework.py").write_text(FRAMEWORK)
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "asgi", "--port", str(port)]
    options = [
        "--workers",
        "1",
        "--loop",
        "uvloop",
        "--log-level",
        "error",
        "--backlog",
        "4096",
        "--backpressure",
        "20000",
        "framework:app",
    ]
    server = stack.enter_context(running("FastAPI's own, granian", [*command, *options], port, "/none", cwd=folder))
    return server, [partial(_asked, port, "DELETE", f"/{one}") for one in range(changes)]


def _asked(port: int, method: str, path: str, body: object = None) -> dict[str, "list[dict[str, str]]"]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"})
    request.method = method
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    main()
