"""Kill the server and the worker of a queue at random, again and again, and count what became of the items and who heard of it.

    python bench/kill_queue.py [--items 200] [--deaths 20] [--seed 4]

A server and a worker stand before a pretend Instagram over one data folder. Links come in small batches; one of the two, or both, is
killed with SIGKILL at a random moment and started again. Somebody listens through all of it, coming back with the place of the last
event. At the end every item has to be in its final state, every recipe there once, and every change heard once.
"""

import argparse
import asyncio
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2

from tests.instagram.pretend import running
from tests.servers import free_port
from tests.walks.program import serving
from tests.walks.test_recipes_killed import Follower, ended, posted, settings

PATIENCE = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=200)
    parser.add_argument("--deaths", type=int, default=20)
    parser.add_argument("--seed", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="kill-queue-") as text, running() as pretend:
        folder = Path(text)
        urls = posted(pretend, given.items)
        port, chosen = free_port(), settings(pretend, folder)
        heard, found, counted = asyncio.run(
            _watched(folder, chosen, port, urls, given.deaths, random.Random(given.seed))
        )
        made = Counter(json.loads(page.read_text())["url"] for page in (folder / "recipes").glob("*/recipe.jsonld"))
        _tell(found, heard, made, counted, urls)


async def _watched(
    folder: Path, chosen: Mapping[str, str], port: int, urls: Sequence[str], deaths: int, chance: random.Random
) -> tuple[list[Any], list[dict[str, Any]], Counter[str]]:
    async with Follower(f"http://127.0.0.1:{port}") as follower:
        found, counted = await asyncio.to_thread(_through_deaths, folder, chosen, port, urls, deaths, chance)
        await follower.until_told_of(max(item["updatedAt"] for item in found))
    return follower.heard, found, counted


def _through_deaths(
    folder: Path, chosen: Mapping[str, str], port: int, urls: Sequence[str], deaths: int, chance: random.Random
) -> tuple[list[dict[str, Any]], Counter[str]]:
    counted: Counter[str] = Counter()
    left, size = list(urls), -(-len(urls) // deaths)
    with _Worker(folder, chosen) as worker:
        while left:
            with serving(folder, dict(chosen), port=port) as (server, url):
                part, left = left[:size], left[size:]
                httpx2.post(f"{url}/api/queue/batch", json={"urls": part}, timeout=PATIENCE).raise_for_status()
                time.sleep(chance.uniform(0.0, 1.2))
                victims = chance.choice(("server", "worker", "both"))
                if victims != "server":
                    counted["worker"] += worker.die()
                    time.sleep(chance.uniform(0.0, 0.4))
                if victims != "worker":
                    counted["server"] += 1
                    server.kill()
                    server.wait()
        with serving(folder, dict(chosen), port=port) as (_, url):
            for item in ended(url):
                if item["status"] == "unhealthy":  # three of its processes died with it
                    counted["suspected"] += 1
                    httpx2.post(f"{url}/api/queue/{item['id']}/retry", timeout=PATIENCE).raise_for_status()
            found = ended(url)
            time.sleep(1.5)  # for those who listen
    return found, counted


class _Worker:
    """`tintype worker`, started again after every death; a moment passes until it has taken over."""

    def __init__(self, folder: Path, chosen: Mapping[str, str]) -> None:
        self._command = [sys.executable, "-m", "tintype", "worker", "--data", str(folder)]
        self._chosen = dict(chosen)

    def __enter__(self) -> "_Worker":
        self._start()
        return self

    def __exit__(self, *given: object) -> None:
        self._process.kill()
        self._process.wait()

    def die(self) -> int:
        self._process.kill()
        self._process.wait()
        self._start()
        return 1

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, env=self._chosen)


def _tell(
    found: list[dict[str, Any]], heard: list[Any], made: Counter[str], counted: Counter[str], urls: Sequence[str]
) -> None:
    states = Counter(item["status"] for item in found)
    print(
        f"{len(found)} items of {len(urls)}, server killed {counted['server']} times, worker {counted['worker']} times"
    )
    print(f"final: {dict(states)}; suspected of killing and tried again by hand: {counted['suspected']}")
    wanted = Counter(item["normalizedUrl"] for item in found if item["status"] == "success")
    print(
        f"recipes: {sum(made.values())}, missing {sum((wanted - made).values())}, made twice {sum((made - wanted).values())}"
    )
    numbers = [int(one.id or 0) for one in heard]
    gaps = sum(later != earlier + 1 for earlier, later in pairwise(numbers))
    ends = {one.data["itemId"]: one.data for one in heard}
    unheard = sum(ends.get(item["id"], {}).get("timestamp") != item["updatedAt"] for item in found)
    print(
        f"changes heard: {len(numbers)}, twice {len(numbers) - len(set(numbers))}, gaps {gaps}, ends not heard {unheard}"
    )


if __name__ == "__main__":
    main()
