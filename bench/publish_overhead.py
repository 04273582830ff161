"""What a publish takes beyond Instagram's own time: twenty in flight at one process, over HTTP, with and without delays.

    python -m bench.publish_overhead [--posts 400] [--at-once 20] [--pictures 12] [--delays off,on] [--open 0]

`tintype serve` runs as a process of its own before a pretend Instagram in another; pictures come from a third. A publish is
timed from `POST /api/sns/instagram/posts` to its 201, and three lines are printed:

* `whole`: all of that time.
* `overhead`: without the moments that are Instagram's own by what the pretend one was told: the latency of each call of that
  account from when it was received, and the time until a container is finished. What the pretend one's process works beyond
  that is overhead, too, though nobody who publishes at Instagram pays for it. With delays off nothing at all is Instagram's.
* `less calls`: without the moments that are Instagram's own by what the pretend one did: each call of that account from when it
  was received until it was answered, as its log has it, and the time until a container is finished. Its fetch of the picture
  is within such a call, whoever serves that; the way of a call there and back, and its wait to be received, are not.

The last line is the processor time of each process for a publish; all of them share the machine.
Of `--pictures` each goes to several accounts, as a campaign's do, and is decoded once; as many as posts: none is seen twice.
With `--open` so many publishes a second are begun, whatever is still in flight, instead of the next one after each.
"""

import argparse
import asyncio
import json
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any, cast

import httpx2
import pyvips

from bench.servers import Server, free_port, pretending, running
from bench.wire import Wire
from tintype.app import open_house
from tintype.instagram import Connection, Login, Profile, Token
from tintype.settings import load

PASSWORD = "Correct-h0rse"
DELAYS: Mapping[str, tuple[int, float]] = {"off": (0, 0.0), "on": (80, 1.0)}  # ms an answer, seconds a container
SHARE = 0.12  # of the publishes are left out at the beginning


@dataclass(frozen=True, slots=True)
class Publish:
    """One publish as its client saw it."""

    username: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Desk:
    """A client of the house: its port and bearer token, and its accounts' numbers with their names."""

    port: int
    token: str
    accounts: Sequence[tuple[int, str]]


async def furnished(folder: Path, origin: str, accounts: int) -> Desk:
    """Make a user with so many connected accounts in a data folder."""
    async with (
        open_house(load(data=folder, instagram_origin=origin, feed_sync_minutes=0), work=False) as house,
        httpx2.AsyncClient(base_url=origin, timeout=30) as levers,
    ):
        opened = await house.users.register("bench@example.com", PASSWORD)
        assert opened.seat is not None
        found: list[tuple[int, str]] = []
        for number in range(accounts):
            name = f"shop.{secrets.token_hex(3)}.{number}"
            (await levers.post("/_world/people", json={"username": name, "media": 0})).raise_for_status()
            answer = await levers.post("/_world/tokens", json={"username": name, "login": "instagram"})
            made = cast("dict[str, Any]", answer.raise_for_status().json())
            profile = Profile(str(made["user_id"]), None, name)
            connection = Connection(Login.INSTAGRAM_LOGIN, Token(str(made["access_token"])), profile)
            kept = await house.accounts.keep(opened.seat.workspace.id, connection)
            found.append((kept.number, name))
    return Desk(0, "", found)


def paint(folder: Path, count: int) -> None:
    """Make pictures as a phone's app hands them on, with metadata and more grain than most: 1080 by 1350, 400 kB."""
    folder.mkdir()
    for number in range(count):
        noise = pyvips.Image.gaussnoise(270, 338, mean=110 + 8 * (number % 12), sigma=40, seed=number).resize(4.0)
        bands = cast("Any", noise).bandjoin([noise.rot180().crop(0, 0, noise.width, noise.height), noise])
        picture = bands.crop(0, 0, 1080, 1350).cast("uchar").copy(interpretation="srgb")
        picture.jpegsave(str(folder / f"{number}.jpg"), Q=82)


@asynccontextmanager
async def served(folder: Path, origin: str, accounts: int) -> AsyncGenerator[tuple[Desk, Server, Server]]:
    """Serve the house and the pictures; gives a client's desk, the house's process, and that of the pictures."""
    data = folder / f"data-{secrets.token_hex(3)}"
    bare = await furnished(data, origin, accounts)
    with ExitStack() as stack:
        shop, port = free_port(), free_port()
        shown = [sys.executable, str(Path(__file__).with_name("pictures.py")), str(shop), str(folder / "www")]
        pictures = stack.enter_context(running("pictures", shown, shop, "/0.jpg"))
        command = [sys.executable, "-m", "tintype", "serve", "--data", str(data), "--port", str(port)]
        env = {
            "INSTAGRAM_ORIGIN": origin,
            "INSTAGRAM_APP_ID": "1",
            "INSTAGRAM_APP_SECRET": "secret",
            "FEED_SYNC_MINUTES": "0",
            "OUTBOUND_ALLOW": f"127.0.0.1:{shop}",
        }
        house = stack.enter_context(running("Tintype", command, port, "/health", env=env))
        async with httpx2.AsyncClient(base_url=house.origin, timeout=60) as http:
            answer = await http.post("/api/auth/login", json={"email": "bench@example.com", "password": PASSWORD})
            token = str(answer.raise_for_status().json()["access_token"])
        yield Desk(port, token, bare.accounts), house, pictures


async def publish_all(desk: Desk, pictures: Iterator[str], posts: int, at_once: int, rate: float) -> Sequence[Publish]:
    """Publish so many posts, each account one at a time; answers what each took."""
    done: list[Publish] = []
    idle: list[Wire] = []
    free: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
    for account in desk.accounts:
        free.put_nowait(account)

    async def one(number: int) -> None:
        account, name = await free.get()
        wire = idle.pop() if idle else await Wire.to(desk.port, {"authorization": f"Bearer {desk.token}"})
        body = {
            "account_id": account,
            "image_url": next(pictures),
            "caption": f"Number {number}, {secrets.token_hex(8)} #bench",
        }
        asked = json.dumps(body).encode()
        began = time.time()
        status, answer = await wire.post("/api/sns/instagram/posts", asked)
        ended = time.time()
        if status != 201:
            raise RuntimeError(f"{status} {answer[:300].decode()}")
        done.append(Publish(name, began, ended))
        idle.append(wire)
        free.put_nowait((account, name))

    if rate:
        tasks: list[asyncio.Task[None]] = []
        for number in range(posts):
            tasks.append(asyncio.create_task(one(number)))
            await asyncio.sleep(1 / rate)
        await asyncio.gather(*tasks)
    else:
        numbers = iter(range(posts))
        await asyncio.gather(*(_each(numbers, one) for _ in range(at_once)))
    for wire in idle:
        wire.close()
    return sorted(done, key=lambda publish: publish.began)


async def _each(numbers: Iterator[int], act: Callable[[int], Awaitable[None]]) -> None:
    for number in numbers:
        await act(number)


def overheads(
    done: Sequence[Publish], log: Sequence[Mapping[str, Any]], container: float, latency: float | None
) -> Sequence[float]:
    """Return the milliseconds of each publish in which Instagram had nothing to do.

    A call is with Instagram for `latency` seconds, or, without one, for as long as its log says: until now if it says nothing.
    """
    busy: dict[str, list[tuple[float, float]]] = {}
    for call in log:
        began = float(call["at"])
        end = began + (float(call.get("took_ms", "inf")) / 1000 if latency is None else latency)
        if str(call.get("effect", "")).startswith("container:"):
            end += container
        busy.setdefault(str(call.get("username")), []).append((began, end))
    return [1000 * _idle(one.began, one.ended, busy.get(one.username, [])) for one in done]


def _idle(began: float, ended: float, busy: Sequence[tuple[float, float]]) -> float:
    """Return the seconds between two moments that no span of `busy` covers."""
    idle, at = 0.0, began
    for start, end in sorted(busy):
        if end <= at or start >= ended:
            continue
        idle += max(0.0, start - at)
        at = max(at, end)
    return idle + max(0.0, ended - at)


def spent(house: Server, pretend: Server, pictures: Server) -> Mapping[str, float]:
    """Return the seconds of processor time that each process used so far."""
    own = house.own_cpu_seconds()
    return {
        "serving": own,
        "image workers": house.cpu_seconds() - own,
        "pretend Instagram": pretend.cpu_seconds(),
        "pictures": pictures.cpu_seconds(),
        "this client": time.process_time(),
    }


async def measured(folder: Path, pretend: Server, name: str, given: argparse.Namespace) -> None:
    """Measure with delays off or on, and print."""
    latency, container = DELAYS[name]
    async with httpx2.AsyncClient(base_url=pretend.origin, timeout=30) as levers:
        world = {"seed": 7, "latency_ms": latency, "container_seconds": container}
        (await levers.post("/_world/reset", json=world)).raise_for_status()
        async with served(folder, pretend.origin, 2 * given.at_once) as (desk, house, pictures):
            shown = cycle([f"{pictures.origin}/{number}.jpg" for number in range(given.pictures)])
            await publish_all(desk, shown, given.at_once, given.at_once, 0)
            before, began = spent(house, pretend, pictures), time.monotonic()
            done = await publish_all(desk, shown, given.posts, given.at_once, given.open)
            took, after = time.monotonic() - began, spent(house, pretend, pictures)
            log = cast("list[dict[str, Any]]", (await levers.get("/_world/log")).raise_for_status().json())
            memory = house.memory_mb()
    kept = done[int(len(done) * SHARE) :]
    cpu = {process: 1000 * (after[process] - before[process]) / given.posts for process in after}
    calls = sum(call.get("username") is not None for call in log) / (len(done) + given.at_once)
    print(
        f"\ndelays {name}: {latency} ms an answer, {container:g} s a container; {given.posts} posts of {given.pictures} pictures, ",
        end="",
    )
    print(f"{given.open:g} begun a second" if given.open else f"{given.at_once} in flight")
    print(f"  {'':12}{'p50':>9}{'p95':>9}{'p99':>9}{'most':>9}  ms")
    for label, values in (
        ("whole", [1000 * (one.ended - one.began) for one in kept]),
        ("overhead", overheads(kept, log, container, latency / 1000)),
        ("less calls", overheads(kept, log, container, None)),
    ):
        cuts = statistics.quantiles(values, n=100)
        print(f"  {label:12}{cuts[49]:>9.0f}{cuts[94]:>9.0f}{cuts[98]:>9.0f}{max(values):>9.0f}")
    print(f"  {given.posts / took:.1f} posts/s, {cpu['serving'] + cpu['image workers']:.1f} ms CPU a publish, ", end="")
    print(f"{calls:.1f} calls to Instagram each, {memory:.0f} MB")
    print("  ms CPU a publish: " + ", ".join(f"{process} {each:.1f}" for process, each in cpu.items()), flush=True)


def main() -> None:
    """Measure with delays off and on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--posts", type=int, default=400)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--delays", default="off,on")
    parser.add_argument(
        "--open", type=float, default=0.0, help="publishes begun a second, instead of one after another"
    )
    given = parser.parse_args()
    with pretending() as pretend, tempfile.TemporaryDirectory(prefix="publish-overhead-") as text:
        folder = Path(text)
        paint(folder / "www", given.pictures)
        for name in given.delays.split(","):
            asyncio.run(measured(folder, pretend, name, given))


if __name__ == "__main__":
    main()
