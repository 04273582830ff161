"""Kill a process at every moment of a publish, and count what is on Instagram after the next one went on.

    python bench/kill_publish.py [--seeds 5] [--every 1] [--products image,carousel,reel,story]

For each kind of post a first run counts the moments at which the process waits (requests and transactions, before and after
each). Then it is killed at each of them, in worlds of several seeds; the client asks again with the same key, a second process
goes on, and what was really published is counted at the pretend Instagram.
"""

import argparse
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx2

from bench.servers import simulator
from tests.walks import dying
from tintype.core.publishing import Product, State


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--every", type=int, default=1, help="take each so-manieth moment only")
    parser.add_argument("--products", default=",".join(product.value for product in Product))
    given = parser.parse_args()
    counted: Counter[str] = Counter()
    with simulator() as origin, tempfile.TemporaryDirectory(prefix="kill-publish-") as text:
        for product in map(Product, given.products.split(",")):
            for seed in range(given.seeds):
                counted += _round(Path(text), origin, product, seed, given.every)
    deaths = counted["deaths"]
    print(
        f"\n{deaths} deaths: published twice {counted['twice']}, lost {counted['lost']}, falsely failed {counted['failed']}"
    )
    print(
        f"real media id bound {counted['bound']} ({counted['bound'] / max(1, deaths):.1%}), rest unlinked {counted['unlinked']}"
    )


def _round(folder: Path, origin: str, product: Product, seed: int, every: int) -> Counter[str]:
    with httpx2.Client(base_url=origin, timeout=20) as levers:
        levers.post("/_world/reset", json={"seed": seed + 1, "container_seconds": 0}).raise_for_status()
    first = dying.prepared(folder / f"{product}-{seed}-count", origin, f"counter.{seed}")
    moments = dying.points(first, product)
    counted: Counter[str] = Counter()
    for point in range(1 + seed % every, moments + 1, every):
        stand = dying.prepared(folder / f"{product}-{seed}-{point}", origin, f"victim.{seed}.{point}")
        if not dying.die(stand, product, point):
            continue
        end = dying.go_on(stand, product)
        counted["deaths"] += 1
        counted["twice"] += len(end.live) > 1
        counted["lost"] += len(end.live) == 0
        counted["failed"] += end.state == State.FAILED.value
        counted["bound"] += end.live == (end.media_id,)
        counted["unlinked"] += end.state == State.UNLINKED.value
        if end.live != (end.media_id,):
            print(f"{product} seed {seed} point {point}: {end}")
        with suppress(OSError):
            shutil.rmtree(stand.folder)
    print(
        f"{product}, seed {seed}: {moments} moments, {counted['deaths']} deaths, {counted['bound']} bound", flush=True
    )
    return counted


if __name__ == "__main__":
    main()
