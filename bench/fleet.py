"""Two web nodes and two workers over one Postgres and one Redis, as programs of their own that are killed and started again."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString

import httpx2
import psycopg

from bench.servers import simulator
from tests.instagram.pretend import Pretend
from tests.servers import free_port, postgres_server, redis_server
from tests.walks.program import environment
from tintype.backends.vault import new_key

READY_SECONDS = 180.0
ROOT = Path(__file__).parents[1]

# What a process held when it died, in the words of the tables: a name, and the fence or owner that changes when it goes on. The last
# step of a dead process may be stored after it is gone: the database had its whole request. What is not due is at its end.
HELD: Mapping[str, LiteralString] = {
    "jobs": "SELECT workflow_uuid, coalesce(executor_id, '') FROM dbos.workflow_status "
    "WHERE status = 'PENDING' AND executor_id LIKE %s",
    "posts": "SELECT id, fence::text FROM posts WHERE lease_owner LIKE %s AND lease_until > now() AND due_at IS NOT NULL",
    "recipes": "SELECT id, fence::text FROM recipe_items "
    "WHERE lease_owner LIKE %s AND lease_until > now() AND due_at IS NOT NULL",
}
NOW: Mapping[str, LiteralString] = {
    "jobs": "SELECT workflow_uuid, CASE status WHEN 'PENDING' THEN coalesce(executor_id, '') ELSE status END "
    "FROM dbos.workflow_status WHERE workflow_uuid = ANY(%s)",
    "posts": "SELECT id, CASE WHEN due_at IS NULL THEN state ELSE fence::text END FROM posts WHERE id = ANY(%s)",
    "recipes": "SELECT id, CASE WHEN due_at IS NULL THEN status ELSE fence::text END FROM recipe_items WHERE id = ANY(%s)",
}


@dataclass(slots=True)
class Node:
    """One process: where it listens, if it does, and when it could not be asked."""

    name: str
    command: Sequence[str]
    port: int | None = None
    process: "subprocess.Popen[bytes] | None" = None
    ready: bool = False
    begins: int = 0  # where its latest start begins in its log
    deaths: list[float] = field(default_factory=list[float])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def died_since(self, moment: float) -> bool:
        """Tell whether it was killed after a moment, or is not back yet."""
        return not self.ready or any(death >= moment for death in self.deaths)


@dataclass(slots=True)
class Held:
    """Something that a killed process was doing, and the seconds until another one went on with it."""

    kind: str
    id: object
    mark: str
    died: float
    seconds: float | None = None


@dataclass(slots=True)
class Fleet:
    """The nodes, and what was seen of their deaths."""

    pretend: Pretend
    database: str
    folder: Path
    around: Mapping[str, str] = field(repr=False)
    nodes: list[Node] = field(default_factory=list[Node])
    held: list[Held] = field(default_factory=list[Held])

    @property
    def web(self) -> list[Node]:
        return [node for node in self.nodes if node.port is not None]

    def start(self, node: Node) -> None:
        """Start a node; it is not ready yet."""
        with (self.folder / f"{node.name}.log").open("ab") as log:
            node.begins = log.tell()
            node.process = subprocess.Popen(node.command, stdout=log, stderr=log, cwd=ROOT, env=self.around)

    def kill(self, chance: random.Random) -> Node:
        """Kill one of the running nodes with SIGKILL, note what it held, and start it again."""
        node = chance.choice([one for one in self.nodes if one.ready] or self.nodes)
        assert node.process is not None
        pid = node.process.pid
        node.ready = False
        died = time.monotonic()
        node.deaths.append(died)
        os.kill(pid, signal.SIGKILL)
        node.process.wait()
        with psycopg.connect(self.database) as connection:
            for kind, query in HELD.items():
                for name, mark in connection.execute(query, (f"%-{pid}-%",)).fetchall():
                    self.held.append(Held(kind, name, mark, died))
        self.start(node)
        return node

    def look(self) -> None:
        """See which nodes are back, and what others took over."""
        for node in self.nodes:
            if not node.ready:
                node.ready = self._is_ready(node)
        open_ones = [one for one in self.held if one.seconds is None]
        if not open_ones:
            return
        with psycopg.connect(self.database) as connection:
            for kind, query in NOW.items():
                mine = [one for one in open_ones if one.kind == kind]
                marks = dict(connection.execute(query, ([one.id for one in mine],)).fetchall()) if mine else {}
                for one in mine:
                    if marks.get(one.id) != one.mark:
                        one.seconds = time.monotonic() - one.died

    def _is_ready(self, node: Node) -> bool:
        assert node.process is not None
        if node.process.poll() is not None:
            raise RuntimeError(f"{node.name} ended by itself: {(self.folder / f'{node.name}.log').read_text()[-3000:]}")
        if node.port is None:
            # A worker says so when it works, behind what those before it said.
            return b"works the jobs" in (self.folder / f"{node.name}.log").read_bytes()[node.begins :]
        try:
            return httpx2.get(f"{node.url}/readyz", timeout=5.0).is_success
        except httpx2.TransportError:
            return False

    def wait_ready(self) -> None:
        """Wait until every node is there."""
        until = time.monotonic() + READY_SECONDS
        while not all(node.ready for node in self.nodes):
            if time.monotonic() > until:
                raise RuntimeError(f"not ready: {[node.name for node in self.nodes if not node.ready]}")
            self.look()
            time.sleep(0.1)

    def end(self) -> None:
        """End every process."""
        for node in self.nodes:
            if node.process is not None:
                node.process.kill()
                node.process.wait()


@contextmanager
def fleet(folder: Path, settings: Mapping[str, str], *, web: int = 2, workers: int = 2) -> Generator[Fleet]:
    """Run so many nodes before a pretend Instagram, over a Postgres and a Redis; they share one folder of blobs."""
    with ExitStack() as stack:
        origin = stack.enter_context(simulator())
        pretend = Pretend(origin, stack.enter_context(httpx2.Client(base_url=origin, timeout=60)))
        database = stack.enter_context(postgres_server())
        ports = [free_port() for _ in range(web)]
        shared = {
            "DATABASE_URL": database,
            "REDIS_URL": stack.enter_context(redis_server()),
            "BLOBS_URL": f"file://{folder / 'blobs'}",
            "ENCRYPTION_KEY": new_key(),
            "PUBLIC_URL": f"http://127.0.0.1:{ports[0]}",
            "LOG_LEVEL": "warning",
            **settings,
        }
        here = Fleet(pretend, database, folder, environment(pretend, **shared))
        stack.callback(here.end)
        program = [sys.executable, "-m", "tintype"]
        for number, port in enumerate(ports):
            name = f"web-{number + 1}"
            given = ["serve", "--no-worker", "--port", str(port), "--data", str(folder / name)]
            here.nodes.append(Node(name, [*program, *given], port))
        for number in range(workers):
            name = f"worker-{number + 1}"
            here.nodes.append(Node(name, [*program, "worker", "--data", str(folder / name)]))
        begun = time.monotonic()
        for node in here.nodes:
            here.start(node)
        here.wait_ready()
        print(f"{len(here.nodes)} nodes were there after {time.monotonic() - begun:.1f} s", flush=True)
        yield here
