"""A 400 × 400 crop of an Instagram photo and of a 20 Mpx photograph, beside sharp and thumbor.

    python bench/images.py [--rounds 7] [--each 36] [--cache FOLDER]

All three are processes that stay: ours is the workshop with its workers, as the server uses it; sharp runs in node, fed from
memory; thumbor serves HTTP and reads files, as it does. JPEG in, JPEG out, quality 80, 4:2:0, Huffman tables optimised where
that can be had. Rounds alternate; CPU is that of whole process trees, starts excluded. sharp and thumbor are installed into a
folder outside of the tree, once; without npm, or without thumbor's wheels, their columns are left out.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pyvips
import uvloop

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.servers import free_port, running
from tintype.backends.image_operations import Output, Resize
from tintype.backends.images import Images
from tintype.simulator.photographs import photograph

PLAN = (Resize(400, 400, "crop"),)
WRITTEN = Output("jpg", 80)
SIZES = {"1440 × 1800": (1440, 1800, 82), "4000 × 5000": (4000, 5000, 92)}
Image: Any = pyvips.Image  # pyright: ignore[reportUnknownMemberType] - pyvips carries no types

SHARP = """
const sharp = require('sharp'), fs = require('fs'), readline = require('readline');
sharp.cache(false); sharp.concurrency(1);
const files = process.argv.slice(2).map(name => fs.readFileSync(name));
const one = data => sharp(data).rotate().resize(400, 400, {fit: 'cover'}).jpeg({quality: 80}).toBuffer();
readline.createInterface({input: process.stdin}).on('line', async line => {
  const {file, count, at_once} = JSON.parse(line);
  let left = count, bytes = 0;
  const work = async () => { while (left-- > 0) bytes = (await one(files[file])).length; };
  await Promise.all(Array.from({length: at_once}, work));
  process.stdout.write(JSON.stringify({bytes}) + '\\n');
});
"""

Work = Callable[[int, int, int], int]


@dataclass(frozen=True, slots=True)
class Side:
    """One contender: does `count` conversions of a picture, so many at once; returns the result's bytes."""

    name: str
    pid: int
    work: Work

    def spent(self) -> float:
        """Return the CPU seconds of its processes."""
        mine = psutil.Process(self.pid)
        return sum(sum(each.cpu_times()[:2]) for each in (mine, *mine.children(recursive=True)))

    def measured(self, file: int, count: int, at_once: int) -> tuple[float, float, int]:
        """Return milliseconds of CPU and of the clock for one picture, and the bytes of the result."""
        cpu, start = self.spent(), time.perf_counter()
        size = self.work(file, count, at_once)
        return (self.spent() - cpu) / count * 1000, (time.perf_counter() - start) / count * 1000, size


def pictures(folder: Path) -> list[Path]:
    """Write a photograph of each size."""
    found: list[Path] = []
    for width, height, quality in SIZES.values():
        small = Image.new_from_buffer(photograph(7, width // 2, height // 2), "")
        grain = Image.gaussnoise(width, height, sigma=4, mean=0, seed=3)
        large = (small.resize(2) + grain).cast("uchar").crop(0, 0, width, height)
        found.append(folder / f"{width}.jpg")
        found[-1].write_bytes(bytes(large.copy(interpretation="srgb").jpegsave_buffer(Q=quality, keep="none")))
    return found


def ours(runner: asyncio.Runner, images: Images, files: Sequence[bytes]) -> Side:
    """Return the workshop as a contender."""

    def work(file: int, count: int, at_once: int) -> int:
        async def lane(left: list[int]) -> int:
            size = 0
            while left:
                left.pop()
                size = len((await images.convert(files[file], PLAN, WRITTEN)).data)
            return size

        async def every() -> int:
            left = list(range(count))
            return max(await asyncio.gather(*(lane(left) for _ in range(at_once))))

        return runner.run(every())

    return Side("Tintype", os.getpid(), work)


@contextlib.contextmanager
def sharp(cache: Path, files: Sequence[Path]) -> Generator[Side | None]:
    """Run sharp in node, installed into `cache` when it is not there yet."""
    home = cache / "sharp"
    home.mkdir(parents=True, exist_ok=True)
    (home / "package.json").write_text('{"dependencies": {"sharp": "*"}}')
    (home / "run.js").write_text(SHARP)
    try:
        if not (home / "node_modules" / "sharp").exists():
            subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=home, check=True)
    except (OSError, subprocess.CalledProcessError):
        yield None
        return
    process = subprocess.Popen(
        ["node", "run.js", *map(str, files)], cwd=home, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )

    def work(file: int, count: int, at_once: int) -> int:
        assert process.stdin is not None
        assert process.stdout is not None
        asked = {"file": file, "count": count, "at_once": at_once}
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
        return int(json.loads(process.stdout.readline())["bytes"])

    try:
        yield Side("sharp", process.pid, work)
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def thumbor(cache: Path, files: Sequence[Path]) -> Generator[Side | None]:
    """Run thumbor over HTTP, installed into a virtual environment in `cache` when it is not there yet."""
    home = cache / "thumbor"
    program = home / "bin" / "thumbor"
    if not program.exists():
        made = subprocess.run([sys.executable, "-m", "venv", str(home)], check=False, capture_output=True)
        if made.returncode == 0:
            subprocess.run([str(home / "bin" / "pip"), "install", "-q", "thumbor"], check=False, capture_output=True)
    if not program.exists():
        yield None
        return
    port = free_port()
    config = files[0].parent / "thumbor.conf"
    config.write_text(
        f"LOADER = 'thumbor.loaders.file_loader'\nFILE_LOADER_ROOT_PATH = {str(files[0].parent)!r}\nQUALITY = 80\n"
        "STORAGE = 'thumbor.storages.no_storage'\nALLOW_UNSAFE_URL = True\nMAX_PIXELS = None\n"
    )
    command = [str(program), "-i", "127.0.0.1", "-p", str(port), "-c", str(config), "-l", "error"]
    with running("thumbor", command, port, "/healthcheck") as server:

        def work(file: int, count: int, at_once: int) -> int:
            del at_once  # one process does one after the other
            url = f"http://127.0.0.1:{port}/unsafe/400x400/{files[file].name}"
            size = 0
            for _ in range(count):
                with urllib.request.urlopen(url) as answer:
                    size = len(answer.read())
            return size

        yield Side("thumbor", server.process.pid, work)


def report(title: str, figures: dict[str, list[float]], unit: str, *, more_is_better: bool) -> None:
    """Print medians, and ours against each of the others, taken round by round."""
    print(f"\n{title}")
    for name, found in figures.items():
        line = f"{name:>10}: {statistics.median(found):8.1f} {unit}"
        if name != "Tintype":
            ratio = statistics.median(one / other for one, other in zip(figures["Tintype"], found, strict=True))
            line += f"   ours is {ratio:.2f} × that"
        print(line)
    print(f"            ({'more' if more_is_better else 'less'} is better)")


def compare(sides: list[Side], rounds: int, each: int) -> None:
    """Alternate the contenders and print the figures of each picture."""
    for at, title in enumerate(SIZES):
        count = each if at == 0 else max(2, each // 4)
        sizes = {side.name: side.measured(at, 2, 1)[2] for side in sides}
        cpu: dict[str, list[float]] = {side.name: [] for side in sides}
        pace: dict[str, list[float]] = {side.name: [] for side in sides if side.name != "thumbor"}
        for turn in range(rounds):
            for side in sides[turn % len(sides) :] + sides[: turn % len(sides)]:
                cpu[side.name].append(side.measured(at, count, 1)[0])
            for side in sides:
                if side.name in pace:
                    pace[side.name].append(1000 / side.measured(at, count * 2, 2)[1])
        report(f"{title}, one at a time", cpu, "ms CPU", more_is_better=False)
        report(f"{title}, two at a time", pace, "pictures/s", more_is_better=True)
        print("            bytes: " + ", ".join(f"{name} {size}" for name, size in sizes.items()))


def main() -> None:
    """Start everything and compare."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--each", type=int, default=36)
    mark = hashlib.sha256(str(Path.home()).encode()).hexdigest()[:8]
    options.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / f"tintype-bench-{mark}")
    given = options.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        files = pictures(folder)
        runner = stack.enter_context(asyncio.Runner(loop_factory=uvloop.new_event_loop))  # as the server runs
        images = Images(workers=2)
        stack.callback(lambda: runner.run(images.close()))
        others = [stack.enter_context(start(given.cache, files)) for start in (sharp, thumbor)]
        mine = ours(runner, images, [one.read_bytes() for one in files])
        partial(mine.work, 0, 4, 2)()
        found = [side for side in others if side is not None]
        names = {"sharp", "thumbor"} - {side.name for side in found}
        if names:
            print(f"not installed here, and left out: {', '.join(sorted(names))}")
        compare([mine, *found], given.rounds, given.each)


if __name__ == "__main__":
    main()
