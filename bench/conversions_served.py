"""What a cached conversion costs, beside nginx serving the very same bytes from a file.

Run: python bench/conversions_served.py [seconds]

One process of ours, 64 connections: the same address over and over, with the bytes and with 304 for a client that has them.
The bytes of both servers are compared, before and after.
"""

import asyncio
import os
import sys
import tempfile
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.feed_read import NGINX
from bench.servers import Cost, Server, free_port, measure, need, running
from tintype.app import open_house
from tintype.core.files import StoreOptions
from tintype.settings import load
from tintype.simulator.photographs import photograph

SIZE = 400


class Stored(NamedTuple):
    """A file and the key of the app that it belongs to."""

    key: str
    handle: str

    def path(self, quality: int = 80) -> str:
        """Return the address of one form of it."""
        return f"/cdn/{self.key}/resize=width:{SIZE},height:{SIZE},fit:crop/output=format:jpg,quality:{quality}/{self.handle}"


async def furnish(folder: Path) -> Stored:
    """Store a photograph of Instagram's size in a data folder."""
    async with open_house(load(data=folder, feed_sync_minutes=0)) as house:
        workspace, _ = await house.access.register("Bench bakery")
        issued = await house.picking.apps.create(workspace.id, "bench")
        file = await house.picking.files.store(
            issued.app, photograph(7, 1440, 1800), StoreOptions(filename="loaf.jpg", content_type="image/jpeg")
        )
        return Stored(issued.app.key, file.handle)


@contextmanager
def contestants(folder: Path) -> Generator[tuple[Server, Server, Stored, bytes]]:
    """Start both with the same bytes."""
    stored = asyncio.run(furnish(folder / "data"))
    with ExitStack() as stack:
        port = free_port()
        command = [sys.executable, "-m", "tintype", "serve", "--data", str(folder / "data"), "--port", str(port)]
        ours = stack.enter_context(running("Tintype", command, port, "/health", env={"FEED_SYNC_MINUTES": "0"}))
        body = get(ours, stored.path())[0]
        (folder / "www").mkdir()
        (folder / "www" / "made.jpg").write_bytes(body)
        port = free_port()
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, port=port))
        command = [need("nginx", "nginx-light"), "-c", str(config)]
        nginx = stack.enter_context(running("nginx", command, port, "/made.jpg"))
        yield ours, nginx, stored, body


def get(server: Server, path: str) -> tuple[bytes, str]:
    """Return an answer's body and its tag."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}") as answer:
        return bytes(answer.read()), str(answer.headers["ETag"])


def report(title: str, costs: dict[str, Cost]) -> None:
    """Print what one kind of request costs: by CPU, because that is what one core can do."""
    print(f"\n{title}")
    for name, cost in costs.items():
        print(
            f"{name:>10}: {cost.cpu_us:6.0f} µs CPU, which is {1e6 / cost.cpu_us:8.0f} a second and core; "
            f"p50 {cost.p50_ms:.2f} ms, p99 {cost.p99_ms:.2f} ms"
        )
    if len(costs) == 2:
        ours, theirs = costs.values()
        print(f"{'ratio':>10}: ours takes {ours.cpu_us / theirs.cpu_us:.2f} × nginx's CPU")


def main() -> None:
    """Compare the bytes, then measure."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    os.environ.pop("DATABASE_URL", None)
    with tempfile.TemporaryDirectory() as name, contestants(Path(name)) as (ours, nginx, stored, body):
        again, tag = get(ours, stored.path())
        assert again == body == get(nginx, "/made.jpg")[0], "both serve the very same bytes"
        print(f"a {SIZE} × {SIZE} JPEG of {len(body)} bytes; 64 connections, {seconds} s each")
        both = {
            "Tintype": measure(ours, stored.path(), {}, seconds=seconds),
            "nginx": measure(nginx, "/made.jpg", {}, seconds=seconds),
        }
        report("cached conversion", both)
        _, theirs = get(nginx, "/made.jpg")
        known = {
            "Tintype": measure(ours, stored.path(), {"If-None-Match": tag}, seconds=seconds),
            "nginx": measure(nginx, "/made.jpg", {"If-None-Match": theirs}, seconds=seconds),
        }
        report("304", known)
        assert get(ours, stored.path())[0] == body, "and so after all of that"
        print(f"\nmemory: Tintype {ours.memory_mb():.0f} MB with its workers, nginx {nginx.memory_mb():.0f} MB")


if __name__ == "__main__":
    main()
