"""CPU for making a picture fit for Instagram, beside Pillow doing the same, and what the fast path costs.

    python bench/image_fit.py [--pictures 12] [--rounds 3]

Photographs of 12 Mpx (4000 × 3000 and 5000 × 2400, the latter padded) become JPEGs of 1440 pixels: decoded, turned upright,
scaled with Lanczos, padded, saved as 4:2:0 at quality 92 without metadata. Pillow is given its best chance: `draft` lets it
decode at half the size, as libvips does. Without Pillow that column is left out. The fast path takes a picture that is right
already and only proves it whole. Rounds alternate; CPU counts this process and its workers, start excluded.
"""

import argparse
import asyncio
import io
import os
import statistics
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import psutil
import pyvips

from tintype.backends.images import Fit, Images
from tintype.instagram import LIMITS
from tintype.simulator.photographs import photograph

FEED = Fit(
    ratio_min=LIMITS.image_aspect_min.value,
    ratio_max=LIMITS.image_aspect_max.value,
    width_min=LIMITS.image_width_min.whole,
    width_max=LIMITS.image_width_max.whole,
    bytes_max=LIMITS.image_bytes.whole,
)
SIZES = ((4000, 3000), (5000, 2400))
Image: Any = pyvips.Image  # pyright: ignore[reportUnknownMemberType] - pyvips carries no types


def pictures(count: int) -> list[bytes]:
    """Return photographs of 12 Mpx, half of them too wide for Instagram."""
    made: list[bytes] = []
    for seed in range(count):
        width, height = SIZES[seed % 2]
        small = Image.new_from_buffer(photograph(seed, width // 2, height // 2), "")
        large = small.resize(2).crop(0, 0, width // 2 * 2, height // 2 * 2)
        made.append(bytes(large.jpegsave_buffer(Q=92, keep="none")))
    return made


def with_pillow(data: bytes) -> bytes:
    """Do the same with Pillow as its documentation advises."""
    image, ops = import_module("PIL.Image"), import_module("PIL.ImageOps")
    opened = image.open(io.BytesIO(data))
    widest = FEED.width_max
    opened.draft("RGB", (widest, max(1, round(opened.height * widest / opened.width))))
    upright = ops.exif_transpose(opened).convert("RGB")
    height = round(upright.height * widest / upright.width)
    scaled = upright.resize((widest, height), image.Resampling.LANCZOS)
    least = -(-widest * 100 // round(FEED.ratio_max * 100))
    if height < least:
        canvas = image.new("RGB", (widest, least), "white")
        canvas.paste(scaled, (0, (least - height) // 2))
        scaled = canvas
    out = io.BytesIO()
    scaled.save(out, "JPEG", quality=92, subsampling="4:2:0", optimize=True)
    return out.getvalue()


def spent() -> float:
    """Return the CPU seconds of this process and of the workers that live."""
    here = psutil.Process()
    return sum(sum(each.cpu_times()[:2]) for each in (here, *here.children()))


def measured(work: Callable[[], object], count: int) -> tuple[float, float]:
    """Return milliseconds of CPU and of the clock for one picture."""
    cpu, start = spent(), time.perf_counter()
    work()
    return (spent() - cpu) / count * 1000, (time.perf_counter() - start) / count * 1000


def main() -> None:
    """Alternate the sides and print the figures."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pictures", type=int, default=12)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    os.environ["VIPS_CONCURRENCY"] = "1"
    large = pictures(given.pictures)
    with asyncio.Runner() as runner:
        images = Images(workers=1)

        def fit(data: Sequence[bytes]) -> list[bytes]:
            async def each() -> list[bytes]:
                return [(await images.fit(one, FEED)).data for one in data]

            return runner.run(each())

        right = fit(large)
        assert fit(right) == right
        sides: dict[str, Callable[[], object]] = {"fit, 12 Mpx": lambda: fit(large), "fast path": lambda: fit(right)}
        if find_spec("PIL"):
            sides["Pillow, 12 Mpx"] = lambda: [with_pillow(one) for one in large]
        rounds = [{name: measured(work, len(large)) for name, work in sides.items()} for _ in range(given.rounds)]
        runner.run(images.close())
    for name in sides:
        cpu, clock = (statistics.median(each[name][place] for each in rounds) for place in (0, 1))
        print(f"{name:>15}: {cpu:6.1f} ms CPU, {clock:6.1f} ms by the clock")
    if "Pillow, 12 Mpx" in sides:
        ratio = statistics.median(each["Pillow, 12 Mpx"][0] / each["fit, 12 Mpx"][0] for each in rounds)
        print(f"          ratio: Pillow takes {ratio:.2f} × the CPU, without a worker process between")


if __name__ == "__main__":
    main()
