"""What a second node is worth: `GET /photos` of one node alone, and of two at once, over one Postgres and one Redis.

    python -m bench.nodes [--rounds 5] [--seconds 5] [--connections 32] [--projects 100] [--posts 50] [--changes 2]

Two `tintype serve --no-worker` stand over the same database, cache and folder of blobs. Rounds take turns: load on the first
node, load on the second, load on both at once. Meanwhile so many feeds a second change, which both nodes hear of through Redis and
read anew. Where nodes have no core of their own the rate says how many cores there are: what a node gets done with a core is the
processor time of a request, and a pair's against a single's is what the second node is worth.
"""

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import threading
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx2

from bench.crowd import Project, fill, touch
from bench.servers import Cost, Server, free_port, measure_among, running
from tests.servers import postgres_server, redis_server
from tintype.app import open_house
from tintype.backends.vault import new_key
from tintype.settings import Settings, load


def main() -> None:
    """Let one and two nodes take turns."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--projects", type=int, default=100)
    options.add_argument("--posts", type=int, default=50)
    options.add_argument("--changes", type=float, default=2.0)
    given = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nodes-")))
        env = {
            "DATABASE_URL": stack.enter_context(postgres_server()),
            "REDIS_URL": stack.enter_context(redis_server()),
            "BLOBS_URL": f"file://{folder / 'blobs'}",
            "ENCRYPTION_KEY": new_key(),
        }
        settings = load(data=folder / "desk", feed_sync_minutes=0, **{one.lower(): value for one, value in env.items()})
        projects = asyncio.run(_filled(settings, given.projects, given.posts))
        tokens = folder / "tokens"
        tokens.write_text("\n".join(one.token for one in projects) + "\n")
        nodes = [stack.enter_context(_node(folder, name, env)) for name in ("first", "second")]
        for node in nodes:
            _read_once(node, projects)
        stack.enter_context(_changing(settings, projects, given.changes))
        alone: list[Cost] = []
        paired: list[Cost] = []

        def load_of(node: Server) -> Cost:
            here = folder / f"{node.name}-load"
            here.mkdir(exist_ok=True)
            return measure_among(node, "/photos", tokens, here, connections=given.connections, seconds=given.seconds)

        with ThreadPoolExecutor(2) as pool:
            for _ in range(given.rounds):
                alone += [load_of(node) for node in nodes]
                paired += list(pool.map(load_of, nodes))
        print(
            f"{given.projects} feeds of {given.posts} posts, {given.changes:g} changes a second, {os.cpu_count()} cores; "
            f"{given.rounds} rounds of {given.seconds} s, medians"
        )
        _report(alone, paired, given.seconds)


async def _filled(settings: Settings, projects: int, posts: int) -> Sequence[Project]:
    async with open_house(settings, work=False) as house:
        return await fill(house, projects, posts)


@contextmanager
def _node(folder: Path, name: str, env: Mapping[str, str]) -> Generator[Server]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "tintype",
        "serve",
        "--no-worker",
        "--data",
        str(folder / name),
        "--port",
        str(port),
    ]
    more = {"FEED_SYNC_MINUTES": "0", "INSIGHTS_COLLECT": "false", "IMAGE_WORKERS": "1", "LOG_LEVEL": "error"}
    with running(name, command, port, "/readyz", env={**env, **more}) as server:
        yield server


def _read_once(node: Server, projects: Sequence[Project]) -> None:
    with httpx2.Client(base_url=f"http://127.0.0.1:{node.port}", timeout=60) as client:
        for one in projects:
            client.get("/photos", headers={"Authorization": f"Bearer {one.token}"}).raise_for_status()


@contextmanager
def _changing(settings: Settings, projects: Sequence[Project], rate: float) -> Generator[None]:
    """Change so many feeds a second, one after the other, as a worker of a third process does."""
    over = threading.Event()

    async def change() -> None:
        async with open_house(settings, work=False) as house:
            number = 0
            while not over.is_set():
                await touch(house, projects[number % len(projects)])
                number += 1
                await asyncio.sleep(1 / rate)

    thread = threading.Thread(target=lambda: asyncio.run(change()))
    if rate:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if rate:
            thread.join()


def _report(alone: Sequence[Cost], paired: Sequence[Cost], seconds: int) -> None:
    print(f"{'':16}{'requests/s':>12}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}")
    for name, costs in (("one node", alone), ("each of two", paired)):
        rate = statistics.median(one.requests for one in costs) / seconds
        cpu, middle, late = (
            statistics.median(getattr(one, part) for one in costs) for part in ("cpu_us", "p50_ms", "p99_ms")
        )
        print(f"{name:16}{rate:>12.0f}{cpu:>9.1f}{middle:>9.2f}{late:>9.2f}")
    share = statistics.median(one.cpu_us / two.cpu_us for one, two in zip(alone, paired, strict=True))
    by_clock = statistics.median(two.requests / one.requests for one, two in zip(alone, paired, strict=True))
    print(f"each of two does {share:.0%} of what one does with a core; {by_clock:.0%} by the clock, on these cores")


if __name__ == "__main__":
    main()
