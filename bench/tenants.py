"""What a read of `GET /photos` waits when a house has 10,000 projects of 50 posts, beside one that has ten.

    python -m bench.tenants [--tenants 10000] [--few 10] [--posts 50] [--rounds 5] [--seconds 5] [--connections 8] [--shared]

Both houses run side by side, each a `tintype serve` of its own; they take turns. "the same ten" are read in both; "all of them" are
read evenly, which no real visitors do, after each was read once. First reads come from the database: each project once, one after
the other. With `--shared` both stand over Postgres and Redis, a database and a prefix for each.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx2

from bench.crowd import Project, fill
from bench.servers import Cost, Server, free_port, measure_among, running
from tests.servers import postgres_server, redis_server
from tintype.app import open_house
from tintype.backends.vault import new_key
from tintype.settings import load


@dataclass(frozen=True, slots=True)
class House:
    """A running house, its folder, and the tokens of its projects in a file: of some, and of all."""

    server: Server
    folder: Path
    projects: Sequence[Project]

    def tokens(self, count: int) -> Path:
        """Return a file with the tokens of so many projects."""
        file = self.folder / f"tokens-{count}"
        file.write_text("\n".join(one.token for one in self.projects[:count]) + "\n")
        return file


def main() -> None:
    """Fill both, and let them take turns."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tenants", type=int, default=10_000)
    options.add_argument("--few", type=int, default=10)
    options.add_argument("--posts", type=int, default=50)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=5)
    options.add_argument("--connections", type=int, default=8)
    options.add_argument("--shared", action="store_true")
    given = options.parse_args()
    with ExitStack() as stack:
        few = _opened(stack, "few", given.few, given.posts, shared=given.shared)
        many = _opened(stack, "many", given.tenants, given.posts, shared=given.shared)
        print(f"{given.few} and {given.tenants} projects of {given.posts} posts; {given.connections} connections")
        _tell_first(few, many)
        sides = {
            f"{given.few} of {given.few}": (few, given.few),
            f"{given.few} of {given.tenants}": (many, given.few),
            f"all of {given.tenants}": (many, given.tenants),
        }
        found: dict[str, list[Cost]] = {name: [] for name in sides}
        for _ in range(given.rounds):
            for name, (house, count) in sides.items():
                found[name].append(
                    measure_among(
                        house.server,
                        "/photos",
                        house.tokens(count),
                        house.folder,
                        connections=given.connections,
                        seconds=given.seconds,
                    )
                )
        _report(found)
        print(f"memory: {few.server.memory_mb():.0f} MB with {given.few}, {many.server.memory_mb():.0f} MB with all")


def _opened(stack: ExitStack, name: str, projects: int, posts: int, *, shared: bool) -> House:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=f"tenants-{name}-")))
    env: Mapping[str, str] = {}
    if shared:
        database, redis = stack.enter_context(postgres_server()), stack.enter_context(redis_server())
        env = {"DATABASE_URL": database, "REDIS_URL": redis, "ENCRYPTION_KEY": new_key()}
    begun = time.perf_counter()
    made = asyncio.run(_filled(folder, env, projects, posts))
    print(f"{projects} projects were made in {time.perf_counter() - begun:.0f} s", flush=True)
    port = free_port()
    command = [sys.executable, "-m", "tintype", "serve", "--data", str(folder), "--port", str(port)]
    more = {"FEED_SYNC_MINUTES": "0", "INSIGHTS_COLLECT": "false", "IMAGE_WORKERS": "1", "LOG_LEVEL": "error"}
    server = stack.enter_context(running(name, command, port, "/readyz", env={**env, **more}))
    return House(server, folder, made)


async def _filled(folder: Path, env: Mapping[str, str], projects: int, posts: int) -> Sequence[Project]:
    settings = load(data=folder, feed_sync_minutes=0, **{name.lower(): value for name, value in env.items()})
    async with open_house(settings, work=False) as house:
        return await fill(house, projects, posts)


def _tell_first(few: House, many: House) -> None:
    """Read every project once: what comes from the database."""
    for house in (few, many):
        with httpx2.Client(base_url=f"http://127.0.0.1:{house.server.port}", timeout=60) as client:
            client.get("/health").raise_for_status()
            took = sorted(_timed(client, project) for project in house.projects)
        late = took[min(len(took) - 1, int(len(took) * 0.99))]
        print(
            f"first reads of {len(took)}: median {statistics.median(took) * 1000:.1f} ms, p99 {late * 1000:.1f} ms",
            flush=True,
        )


def _timed(client: httpx2.Client, project: Project) -> float:
    begun = time.perf_counter()
    client.get("/photos", headers={"Authorization": f"Bearer {project.token}"}).raise_for_status()
    return time.perf_counter() - begun


def _report(found: Mapping[str, Sequence[Cost]]) -> None:
    base, *_ = found.values()
    print(f"{'':16}{'reads':>9}{'CPU µs':>9}{'p50 ms':>9}{'p99 ms':>9}{'p99, of the first':>20}")
    for name, costs in found.items():
        reads = sum(one.requests for one in costs)
        cpu, middle, late = (
            statistics.median(getattr(one, part) for one in costs) for part in ("cpu_us", "p50_ms", "p99_ms")
        )
        ratio = statistics.median(one.p99_ms / other.p99_ms for one, other in zip(costs, base, strict=True))
        print(f"{name:16}{reads:>9}{cpu:>9.0f}{middle:>9.2f}{late:>9.2f}{ratio:>20.2f}")


if __name__ == "__main__":
    main()
