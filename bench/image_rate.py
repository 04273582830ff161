"""Pictures per second through the workshop, beside libvips alone doing the same work in plain processes.

    python bench/image_rate.py [--pictures 60] [--rounds 3]

Both sides take the same photographs of 1440 × 1800 and make 320, 640 and 1080 pixels in AVIF, WebP and JPEG; the
workshop also decodes completely, finds the colour and the ThumbHash, and passes every byte through pipes. Rounds
alternate, so that other work on the machine meets both; a ratio of 1.0 means that the workshop costs nothing.
"""

import argparse
import asyncio
import os
import resource
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import pyvips

from tintype.backends.images import SIZES, Images
from tintype.simulator.photographs import photograph

Image: Any = pyvips.Image  # pyright: ignore[reportUnknownMemberType] - pyvips carries no types


@dataclass(frozen=True, slots=True)
class Round:
    """One pass over all pictures: seconds by the clock, and CPU seconds of this process and its children."""

    seconds: float
    cpu: float


def alone(data: bytes) -> int:
    """Make the nine pictures of one photograph with libvips and nothing else; return their bytes in all."""
    source = Image.new_from_buffer(data, "", access="sequential", fail_on="error")
    largest = source.resize(SIZES[-1] / source.width).copy_memory()
    size = 0
    for width in SIZES:
        scaled = largest.resize(width / largest.width).copy_memory() if width < largest.width else largest
        size += len(scaled.heifsave_buffer(compression="av1", effort=0, Q=65, bitdepth=8, keep="none"))
        size += len(scaled.webpsave_buffer(Q=82, effort=4, keep="none"))
        size += len(
            scaled.jpegsave_buffer(Q=80, optimize_coding=True, interlace=False, subsample_mode="on", keep="none")
        )
    return size


def begin() -> None:
    """Set a plain process up as libvips' own documentation advises for many small pictures."""
    pyvips.cache_set_max(0)


def spent() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    return sum(
        used.ru_utime + used.ru_stime
        for used in (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    )


def plain(pictures: Sequence[bytes], processes: int) -> Round:
    """Measure libvips alone in a pool of processes, warm before the clock starts."""
    cpu = spent()
    with ProcessPoolExecutor(processes, get_context("spawn"), begin) as pool:
        list(pool.map(alone, [*pictures[:processes]] * 2))
        start = time.perf_counter()
        list(pool.map(alone, pictures))
        seconds = time.perf_counter() - start
    return Round(seconds, spent() - cpu)


async def workshop(pictures: Sequence[bytes], processes: int) -> Round:
    """Measure the workshop with as many workers, warm before the clock starts."""
    cpu = spent()
    images = Images(processes)
    await asyncio.gather(*(images.prepare(data) for data in [*pictures[:processes]] * 2))
    door = asyncio.Semaphore(2 * processes)  # as a sync does: the workshop sends away whom it cannot serve soon

    async def prepare(data: bytes) -> None:
        async with door:
            await images.prepare(data)

    start = time.perf_counter()
    await asyncio.gather(*(prepare(data) for data in pictures))
    seconds = time.perf_counter() - start
    await images.close()
    return Round(seconds, spent() - cpu)


def main() -> None:
    """Alternate the two sides and print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=60)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    processes = os.cpu_count() or 1
    os.environ["VIPS_CONCURRENCY"] = "1"
    pictures = [photograph(seed, 1440, 1800) for seed in range(given.pictures)]
    pairs = [(plain(pictures, processes), asyncio.run(workshop(pictures, processes))) for _ in range(given.rounds)]
    for name, side in (("libvips alone", 0), ("the workshop", 1)):
        rate = statistics.median(given.pictures / pair[side].seconds for pair in pairs)
        cpu = statistics.median(pair[side].cpu / given.pictures for pair in pairs)
        print(f"{name:>14}: {rate:6.2f} pictures/s  {cpu * 1000:6.1f} ms CPU each, start included")
    rate = statistics.median(pair[0].seconds / pair[1].seconds for pair in pairs)
    cpu = statistics.median(pair[0].cpu / pair[1].cpu for pair in pairs)
    print(f"         ratio: {rate:6.3f} × the rate of libvips alone by the clock, {cpu:.3f} × by CPU")
    print(
        f"                {processes} processes, {given.rounds} rounds; on a busy machine only the CPU figure means much"
    )


if __name__ == "__main__":
    main()
