"""What a sync costs when nothing has changed: all projects asked for at once by `POST /sync`, queue and database included.

    python -m bench.unchanged [--tenants 1000] [--posts 50] [--rounds 3] [--shared]

`tintype serve` runs as a process of its own before a pretend Instagram in another, which answers at once. Every account was synced
half an hour ago, so each sync also notes that it was made. Counted is the processor time of the server and of all of its
children from `POST /sync` to the last job's end, and none of the pretend Instagram's. Beside it stands the least that anybody
pays who asks Instagram: a program with kept connections that reads the same pages, one after the other, and decodes them. Both
take turns. With `--shared` the same runs over a Postgres and a Redis, whose own time is not counted either.
"""

import argparse
import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx2

from bench.crowd import age, follow
from bench.servers import Server, free_port, running, simulator
from tests.instagram.pretend import Pretend
from tests.servers import postgres_server, redis_server
from tests.walks.program import environment
from tintype.app import open_house
from tintype.backends.vault import new_key
from tintype.instagram import Login, calls
from tintype.settings import load

AGO = timedelta(minutes=31)
PATIENCE = 600.0
SETTLE = 3.0  # until everything has started
BARE = """
import resource, sys, httpx2
address, tokens = sys.argv[1], sys.stdin.read().split()
def spent():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
with httpx2.Client(timeout=60) as client:
    ask = lambda token: client.get(address, headers={'host': 'graph.instagram.com', 'authorization': f'Bearer {token}'})
    ask(tokens[0])
    before = spent()
    for token in tokens:
        assert ask(token).raise_for_status().json()['data']
    print(spent() - before)
"""


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over all projects: seconds by the clock, and of processors, for each of them."""

    wall: float
    cpu: float


def main() -> None:
    """Alternate the two sides and print what each project cost."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tenants", type=int, default=1000)
    options.add_argument("--posts", type=int, default=50)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--shared", action="store_true")
    given = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="unchanged-")))
        origin = stack.enter_context(simulator())
        pretend = Pretend(origin, stack.enter_context(httpx2.Client(base_url=origin, timeout=60)))
        shared: Mapping[str, str] = _shared(stack) if given.shared else {}
        tokens = asyncio.run(_prepared(folder, pretend, shared, given.tenants, given.posts))
        rounds = [(_bare(origin, tokens), _house(folder, pretend, shared, len(tokens))) for _ in range(given.rounds)]
        where = "Postgres and Redis" if shared else "SQLite"
        print(
            f"{given.tenants} projects of {given.posts} posts, {given.rounds} rounds, {where}; medians, and all rounds"
        )
        for name, side in (("bare reading", 0), ("Tintype", 1)):
            cpu = [pair[side].cpu * 1000 for pair in rounds]
            wall = statistics.median(pair[side].wall for pair in rounds)
            each = ", ".join(f"{one:.2f}" for one in cpu)
            middle = statistics.median(cpu)
            print(f"{name:>14}: {middle:6.2f} ms CPU each ({each}): {1000 / middle:5.0f} a second and core;", end="")
            print(f" {wall * 1000:6.2f} ms by the clock")
        ratio = statistics.median(pair[1].cpu / pair[0].cpu for pair in rounds)
        print(f"{'ratio':>14}: {ratio:.2f} × the processor time of bare reading")


def _shared(stack: ExitStack) -> Mapping[str, str]:
    return {
        "DATABASE_URL": stack.enter_context(postgres_server()),
        "REDIS_URL": stack.enter_context(redis_server()),
        "ENCRYPTION_KEY": new_key(),
    }


async def _prepared(
    folder: Path, pretend: Pretend, shared: Mapping[str, str], tenants: int, posts: int
) -> Sequence[str]:
    found: list[str] = []
    settings = load(data=folder, instagram_origin=pretend.origin, feed_sync_minutes=0, **_lower(shared))
    async with open_house(settings, work=False) as house:
        for number in range(tenants):
            username = f"baker.{number}"
            person = pretend.post("/people", username=username, media=posts)
            found.append(pretend.token(username))
            await follow(house, username, found[-1], str(person["user_id"]))
    return found


def _lower(shared: Mapping[str, str]) -> Mapping[str, str]:
    return {name.lower(): value for name, value in shared.items()}


def _bare(origin: str, tokens: Sequence[str]) -> Round:
    call, version = calls.media_page(Login.INSTAGRAM_LOGIN, "me"), load().instagram_graph_version
    address = f"{origin}/{version}/{call.path}?{urlencode(call.params)}"
    begun = time.perf_counter()
    command = [sys.executable, "-c", BARE, address]
    done = subprocess.run(command, input=" ".join(tokens), capture_output=True, text=True, check=True)
    return Round((time.perf_counter() - begun) / len(tokens), float(done.stdout) / len(tokens))


def _house(folder: Path, pretend: Pretend, shared: Mapping[str, str], tenants: int) -> Round:
    asyncio.run(_aged(folder, pretend, shared))
    with _served(folder, pretend, shared) as server, httpx2.Client(timeout=PATIENCE) as client:
        base = f"http://127.0.0.1:{server.port}"
        time.sleep(SETTLE)
        before, begun = server.cpu_seconds(), time.perf_counter()
        answer = client.post(f"{base}/sync", json={"secret": "sync"}).raise_for_status()
        assert len(answer.json()["data"]["summary"]["queuedTasks"]) == tenants
        while (done := _done(client, base)) < tenants:
            if time.perf_counter() - begun > PATIENCE:
                raise RuntimeError(f"only {done} of {tenants} syncs were done")
            time.sleep(4.0)  # each look costs the server some 20 ms as well
        return Round((time.perf_counter() - begun) / tenants, (server.cpu_seconds() - before) / tenants)


async def _aged(folder: Path, pretend: Pretend, shared: Mapping[str, str]) -> None:
    settings = load(data=folder, instagram_origin=pretend.origin, feed_sync_minutes=0, **_lower(shared))
    async with open_house(settings, work=False) as house:
        await age(house, AGO)


@contextmanager
def _served(folder: Path, pretend: Pretend, shared: Mapping[str, str]) -> Generator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "tintype", "serve", "--data", str(folder), "--port", str(port)]
    env = environment(pretend, INSIGHTS_COLLECT="false", **shared)
    with running("Tintype", command, port, "/readyz", env=env) as server:
        yield server


def _done(client: httpx2.Client, base: str) -> int:
    text = client.get(f"{base}/metrics").raise_for_status().text
    ended = re.findall(r'tintype_jobs_total\{job="feed\.sync_workspace",outcome="(\w+)"\} ([\d.]+)', text)
    if wrong := [outcome for outcome, _ in ended if outcome != "done"]:
        raise RuntimeError(f"syncs ended as {wrong}")
    return int(sum(float(count) for _, count in ended))


if __name__ == "__main__":
    main()
