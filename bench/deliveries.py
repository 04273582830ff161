"""What telling somebody by webhook costs: from a file that is stored to a receiver's 204, and of a backlog that is sent.

    python -m bench.deliveries [--events 150] [--endpoints 1] [--others 0] [--rounds 3]

`tintype serve` on SQLite runs as a process of its own before a receiver in another, which answers 204 to what is signed in both
dialects. Each round stores so many small files over HTTP, one after the other, and counts the processor time of the server and
of all of its children until everything has arrived:

* `quiet`: in a workspace that nobody listens to. That is what the event itself costs.
* `told`: in one whose endpoints hear of each file. What it costs beyond `quiet` is the delivery: the message is written with the
  file, claimed, signed, sent and recorded with its log.
* `backlog`: from when endpoints that were paused are resumed until all that waited for them has arrived.

Beside it, in turns, the least that anybody pays: a program with a kept connection that signs the same bodies with the library of
Standard Webhooks and posts them to the same receiver, one after the other. It keeps no record and tries nothing again.
What arrives is verified afterwards, and the house's log has to agree. With `--others` so many workspaces more have an endpoint
each that hears nothing, which should cost nobody anything.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx2
from sqlalchemy import insert, select
from standardwebhooks import Webhook

from bench.servers import Server, free_port, running
from tintype.app import House, open_house
from tintype.core.access.records import workspaces
from tintype.core.webhooks import Scope, Wish
from tintype.core.webhooks.tables import endpoints
from tintype.settings import load

MOST = 1_000  # deliveries of one pass
NOBODY = "127.0.0.1:9"  # where the others would be told, if anything happened to them
WARM = 10  # events before anything counts
PATIENCE = 60.0
SETTLE = 0.5  # in which the last outcome is stored, and what was only begun comes to rest
SIGNED = ("webhook-id", "webhook-timestamp", "webhook-signature", "fs-timestamp", "fs-signature")
ROOT = Path(__file__).parents[1]
BARE = """
import json, resource, sys, time
from datetime import UTC, datetime
import httpx2
from standardwebhooks import Webhook
given = json.load(sys.stdin)
hook = Webhook(given['secret'])
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
with httpx2.Client(timeout=60) as client:
    def tell(number, body):
        now, name = datetime.now(UTC), f'msg_{number}'
        marks = {'webhook-id': name, 'webhook-timestamp': str(int(now.timestamp()))}
        proof = {'webhook-signature': hook.sign(name, now, body), 'content-type': 'application/json'}
        client.post(given['url'], content=body.encode(), headers={**marks, **proof}).raise_for_status()
    tell(-1, given['bodies'][0])
    before, begun = spent(), time.perf_counter()
    for number, body in enumerate(given['bodies']):
        tell(number, body)
    print(spent() - before, time.perf_counter() - begun)
"""


@dataclass(frozen=True, slots=True)
class Pass:
    """Seconds by the clock and of processors that one pass took."""

    wall: float
    cpu: float

    def each(self, count: int) -> "Pass":
        """Return what each of so many took."""
        return Pass(self.wall / count, self.cpu / count)


@dataclass(frozen=True, slots=True)
class Round:
    """What each event cost without and with a delivery, and what each delivery of a backlog and of a bare client cost."""

    quiet: Pass
    told: Pass
    backlog: Pass
    bare: Pass
    live: float  # seconds of processors of one delivery, within `told`


@dataclass(frozen=True, slots=True)
class Desk:
    """A served house with its two apps, and the endpoints of one of them."""

    server: Server
    receiver: Server
    client: httpx2.Client
    quiet: str
    told: str
    secrets: Mapping[str, str]  # of each endpoint, by its id


class Receiver:
    """Somebody's server: it takes what is signed, and shows what it took."""

    def __init__(self) -> None:
        self._taken: list[tuple[str, Mapping[str, str], str]] = []

    async def serve(self, port: int) -> None:
        """Answer until the process ends."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", port)
        await server.serve_forever()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *rest = head.strip().split("\r\n")
                headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in rest)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                method, target, _ = line.split(" ")
                writer.write(self._said(method, target, headers, body.decode()))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # whoever asked has hung up
        finally:
            writer.close()

    def _said(self, method: str, target: str, headers: Mapping[str, str], body: str) -> bytes:
        if method == "GET":
            found = json.dumps(len(self._taken) if target == "/arrived" else self._taken).encode()
            if target == "/taken":
                self._taken = []
            return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(found), found)
        if target != "/bare":
            if not all(headers.get(name) for name in SIGNED):
                return b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"
            self._taken.append((target, {name: headers[name] for name in SIGNED}, body))
        elif "webhook-signature" not in headers:
            return b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"
        return b"HTTP/1.1 204 No Content\r\n\r\n"


@contextmanager
def served(folder: Path, hearing: int, others: int) -> Generator[Desk]:
    """Serve a house and a receiver of its webhooks."""
    apps = asyncio.run(_furnished(folder, others))
    with ExitStack() as stack:
        hears, port = free_port(), free_port()
        command = [sys.executable, "-m", "bench.deliveries", "--receive", str(hears)]
        receiver = stack.enter_context(running("receiver", command, hears, "/arrived", cwd=ROOT))
        command = [sys.executable, "-m", "tintype", "serve", "--data", str(folder), "--port", str(port)]
        env = {
            "FEED_SYNC_MINUTES": "0",
            "PICKER_WRITES_PER_MINUTE": "0",
            "OUTBOUND_ALLOW": f"127.0.0.1:{hears}",
            "LOG_LEVEL": "error",
        }
        server = stack.enter_context(running("Tintype", command, port, "/readyz", env=env))
        auth = {"Authorization": f"Bearer {apps['told'][1]}"}
        client = stack.enter_context(httpx2.Client(base_url=server.origin, headers=auth, timeout=PATIENCE))
        secrets: dict[str, str] = {}
        for number in range(hearing):
            wish = {"url": f"{receiver.origin}/{number}", "events": ["fp.upload"]}
            made = client.post("/api/webhooks", json=wish).raise_for_status().json()
            secrets[made["id"]] = made["secret"]
        yield Desk(server, receiver, client, apps["quiet"][0], apps["told"][0], secrets)


async def _furnished(folder: Path, others: int) -> Mapping[str, tuple[str, str]]:
    """Make two workspaces with an app each; return the apps' keys and the workspaces' tokens."""
    found: dict[str, tuple[str, str]] = {}
    async with open_house(load(data=folder, feed_sync_minutes=0, outbound_allow=NOBODY), work=False) as house:
        for name in ("quiet", "told"):
            workspace, issued = await house.access.register(f"Bench bakery, {name}")
            app = await house.picking.apps.create(workspace.id, name)
            found[name] = (app.app.key, issued.secret)
        if others:
            await _crowd(house, others)
    return found


async def _crowd(house: House, others: int) -> None:
    """Let so many workspaces have an endpoint each; all but the first are copies of it."""
    first, _ = await house.access.register("Others")
    await house.picking.hooks.webhooks.add(Scope(first.id), Wish(url=f"http://{NOBODY}/"))
    names = [str(uuid4()) for _ in range(others - 1)]
    async with house.backends.database.write() as connection:
        for table, known, own in (
            (workspaces, workspaces.c.id, "id"),
            (endpoints, endpoints.c.workspace_id, "workspace_id"),
        ):
            model = (await connection.execute(select(table).where(known == first.id))).mappings().one()
            rows = [{**model, "id": str(uuid4()), own: name} for name in names]
            if rows:
                await connection.execute(insert(table), rows)


def measured(desk: Desk, events: int) -> Round:
    """Let all sides take their turn."""
    deliveries = events * len(desk.secrets)
    quiet = _timed(desk, 0, lambda: _store(desk, desk.quiet, events))
    told = _timed(desk, deliveries, lambda: _store(desk, desk.told, events))
    bodies = _verified(desk, deliveries)
    _stand(desk, "pause")
    _store(desk, desk.told, events)
    time.sleep(SETTLE)
    backlog = _timed(desk, deliveries, lambda: _stand(desk, "resume"))
    _verified(desk, deliveries)
    return Round(
        quiet.each(events),
        told.each(events),
        backlog.each(deliveries),
        _bare(desk, bodies).each(deliveries),
        (told.cpu - quiet.cpu) / deliveries,
    )


def _timed(desk: Desk, deliveries: int, act: Callable[[], None]) -> Pass:
    """Measure from an act to when so many deliveries have arrived."""
    before, begun = desk.server.cpu_seconds(), time.perf_counter()
    act()
    with httpx2.Client(base_url=desk.receiver.origin) as receiver:
        while (arrived := receiver.get("/arrived").json()) < deliveries:
            if time.perf_counter() - begun > PATIENCE:
                raise RuntimeError(f"only {arrived} of {deliveries} deliveries arrived")
            time.sleep(0.02)
    wall = time.perf_counter() - begun
    time.sleep(SETTLE)
    return Pass(wall, desk.server.cpu_seconds() - before)


def _store(desk: Desk, key: str, events: int) -> None:
    for number in range(events):
        said, kind = {"key": key, "filename": f"loaf-{number}.txt"}, {"Content-Type": "text/plain"}
        content = f"rye, {number}".encode()
        desk.client.post("/api/store/S3", params=said, content=content, headers=kind).raise_for_status()


def _stand(desk: Desk, verb: str) -> None:
    for endpoint in desk.secrets:
        desk.client.post(f"/api/webhooks/{endpoint}/{verb}", json={}).raise_for_status()


def _verified(desk: Desk, deliveries: int) -> Sequence[str]:
    """Have the official verifier look at all that arrived, and the log say the same; return the bodies."""
    taken = cast("list[tuple[str, dict[str, str], str]]", httpx2.get(f"{desk.receiver.origin}/taken").json())
    secrets = list(desk.secrets.values())
    for target, headers, body in taken:
        Webhook(secrets[int(target[1:])]).verify(body, headers)
    told = {(target, headers["webhook-id"]) for target, headers, _ in taken}
    assert len(told) == len(taken) == deliveries, "each arrived, and once"
    for endpoint in desk.secrets:
        counts = desk.client.get(f"/api/webhooks/{endpoint}").raise_for_status().json()["deliveries"]
        assert set(counts) == {"delivered"}, counts
    return [body for _, _, body in taken]


def _bare(desk: Desk, bodies: Sequence[str]) -> Pass:
    secret = next(iter(desk.secrets.values()))
    given = json.dumps({"url": f"{desk.receiver.origin}/bare", "secret": secret, "bodies": bodies})
    done = subprocess.run([sys.executable, "-c", BARE], input=given, capture_output=True, text=True, check=True)
    cpu, wall = map(float, done.stdout.split())
    return Pass(wall, cpu)


def told(rounds: Sequence[Round]) -> Iterable[str]:
    """Return the lines that are printed: medians, and all rounds."""
    for title, passes in (
        ("a bare client", [one.bare for one in rounds]),
        ("a file, quiet", [one.quiet for one in rounds]),
        ("a file, told", [one.told for one in rounds]),
        ("of a backlog", [one.backlog for one in rounds]),
    ):
        wall = statistics.median(one.wall for one in passes)
        yield f"{_spent(title, [one.cpu for one in passes])}; {wall * 1000:6.2f} ms by the clock, {1 / wall:4.0f} a second"
    yield _spent("a delivery", [one.live for one in rounds])
    live = statistics.median(one.live / one.bare.cpu for one in rounds)
    backlog = statistics.median(one.backlog.cpu / one.bare.cpu for one in rounds)
    yield f"{'ratio':>14}: {live:.1f} × the processor time of a bare client, {backlog:.1f} × of a backlog"


def _spent(title: str, seconds: Sequence[float]) -> str:
    middle, each = statistics.median(seconds), ", ".join(f"{one * 1000:.2f}" for one in seconds)
    return f"{title:>14}: {middle * 1000:6.2f} ms CPU ({each}): {1 / middle:5.0f} a second and core"


def main() -> None:
    """Let the sides take turns and print what each delivery cost."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=150)
    options.add_argument("--endpoints", type=int, default=1)
    options.add_argument("--others", type=int, default=0)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--receive", type=int, metavar="PORT", help="be the receiver")
    given = options.parse_args()
    if given.receive:
        asyncio.run(Receiver().serve(given.receive))
        return
    if given.events * given.endpoints > MOST:
        options.error(f"at most {MOST} deliveries a pass")
    with (
        tempfile.TemporaryDirectory(prefix="deliveries-") as text,
        served(Path(text), given.endpoints, given.others) as desk,
    ):
        measured(desk, WARM)
        rounds = [measured(desk, given.events) for _ in range(given.rounds)]
    beside = f" beside {given.others} of others" if given.others else ""
    print(
        f"{given.events} files, endpoints: {given.endpoints}{beside}, {given.rounds} rounds, SQLite; medians, and all rounds"
    )
    print("\n".join(told(rounds)))


if __name__ == "__main__":
    main()
