"""What a publish takes beyond Instagram's own time: twenty in flight at one process, over HTTP, with and without delays.

    python -m bench.publish_overhead [--posts 400] [--at-once 20] [--delays off,on] [--open 0]

`tintype serve` runs as a process of its own before a pretend Instagram in another; pictures come from a third. A publish is
timed from `POST /api/sns/instagram/posts` to its 201. Instagram's own time in it is every moment in which a call of that
account was with Instagram, by its log and the latency it was told to have, or in which a container was not finished yet; the
rest is overhead, the pretend Instagram's own work included. With delays off nothing is Instagram's time.
With `--open` so many publishes a second are begun, whatever is still in flight, instead of the next one after each.
"""

import argparse
import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx2
import pyvips

from bench.servers import Server, free_port, running, simulator
from tintype.app import open_house
from tintype.instagram import Connection, Login, Profile, Token
from tintype.settings import load

PICTURES = 12
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
    """A client of the house: its bearer token, and its accounts' numbers with their names."""

    base: str
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
    return Desk("", "", found)


def paint(folder: Path) -> None:
    """Make pictures as a phone's app hands them on, with metadata and more grain than most: 1080 by 1350, 400 kB."""
    folder.mkdir()
    for number in range(PICTURES):
        noise = pyvips.Image.gaussnoise(270, 338, mean=110 + 8 * number, sigma=40, seed=number).resize(4.0)
        bands = cast("Any", noise).bandjoin([noise.rot180().crop(0, 0, noise.width, noise.height), noise])
        picture = bands.crop(0, 0, 1080, 1350).cast("uchar").copy(interpretation="srgb")
        picture.jpegsave(str(folder / f"{number}.jpg"), Q=82)


@asynccontextmanager
async def served(folder: Path, origin: str, accounts: int) -> AsyncGenerator[tuple[Desk, Server, str]]:
    """Serve the house and the pictures; gives a client's desk, the house's process, and where pictures are."""
    data = folder / f"data-{secrets.token_hex(3)}"
    bare = await furnished(data, origin, accounts)
    with ExitStack() as stack:
        shop, port = free_port(), free_port()
        shown = [
            sys.executable,
            "-m",
            "http.server",
            str(shop),
            "--bind",
            "127.0.0.1",
            "--directory",
            str(folder / "www"),
        ]
        stack.enter_context(running("pictures", shown, shop, "/0.jpg"))
        command = [sys.executable, "-m", "tintype", "serve", "--data", str(data), "--port", str(port)]
        env = {
            "INSTAGRAM_ORIGIN": origin,
            "INSTAGRAM_APP_ID": "1",
            "INSTAGRAM_APP_SECRET": "secret",
            "FEED_SYNC_MINUTES": "0",
            "OUTBOUND_ALLOW": f"127.0.0.1:{shop}",
        }
        house = stack.enter_context(running("Tintype", command, port, "/health", env=env))
        base = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(base_url=base, timeout=60) as http:
            answer = await http.post("/api/auth/login", json={"email": "bench@example.com", "password": PASSWORD})
            token = str(answer.raise_for_status().json()["access_token"])
        yield Desk(base, token, bare.accounts), house, f"http://127.0.0.1:{shop}"


async def publish_all(desk: Desk, pictures: str, posts: int, at_once: int, rate: float) -> Sequence[Publish]:
    """Publish so many posts, each account one at a time; answers what each took."""
    done: list[Publish] = []
    free: asyncio.Queue[tuple[int, str]] = asyncio.Queue()
    for account in desk.accounts:
        free.put_nowait(account)
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=200)
    headers = {"authorization": f"Bearer {desk.token}"}
    async with httpx2.AsyncClient(base_url=desk.base, timeout=90, headers=headers, limits=limits) as http:

        async def one(number: int) -> None:
            account, name = await free.get()
            body = {
                "account_id": account,
                "image_url": f"{pictures}/{number % PICTURES}.jpg",
                "caption": f"Number {number}, {secrets.token_hex(8)} #bench",
            }
            began = time.time()
            answer = await http.post("/api/sns/instagram/posts", json=body)
            ended = time.time()
            if answer.status_code != 201:
                raise RuntimeError(f"{answer.status_code} {answer.text[:300]}")
            done.append(Publish(name, began, ended))
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
    return sorted(done, key=lambda publish: publish.began)


async def _each(numbers: Iterator[int], act: Callable[[int], Awaitable[None]]) -> None:
    for number in numbers:
        await act(number)


def overheads(done: Sequence[Publish], log: Sequence[Mapping[str, Any]], delays: tuple[int, float]) -> Sequence[float]:
    """Return the milliseconds of each publish in which Instagram had nothing to do."""
    latency, container = delays[0] / 1000, delays[1]
    busy: dict[str, list[tuple[float, float]]] = {}
    for call in log:
        began = float(call["at"])
        end = began + latency
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


async def measured(folder: Path, origin: str, name: str, given: argparse.Namespace) -> None:
    """Measure with delays or without, and print."""
    delays = DELAYS[name]
    async with httpx2.AsyncClient(base_url=origin, timeout=30) as levers:
        world = {"seed": 7, "latency_ms": delays[0], "container_seconds": delays[1]}
        (await levers.post("/_world/reset", json=world)).raise_for_status()
        async with served(folder, origin, 2 * given.at_once) as (desk, house, pictures):
            await publish_all(desk, pictures, given.at_once, given.at_once, 0)
            before, began = house.cpu_seconds(), time.monotonic()
            done = await publish_all(desk, pictures, given.posts, given.at_once, given.open)
            took, cpu = time.monotonic() - began, house.cpu_seconds() - before
            log = cast("list[dict[str, Any]]", (await levers.get("/_world/log")).raise_for_status().json())
            memory = house.memory_mb()
    kept = done[int(len(done) * SHARE) :]
    over, whole = overheads(kept, log, delays), [1000 * (one.ended - one.began) for one in kept]
    calls = sum(call.get("username") is not None for call in log) / (len(done) + given.at_once)
    print(f"\ndelays {name}: {delays[0]} ms an answer, {delays[1]:g} s a container; {given.posts} posts, ", end="")
    print(f"{given.open:g} begun a second" if given.open else f"{given.at_once} in flight")
    print(f"  {'':12}{'p50':>9}{'p95':>9}{'p99':>9}{'most':>9}  ms")
    for label, values in (("whole", whole), ("overhead", over)):
        cuts = statistics.quantiles(values, n=100)
        print(f"  {label:12}{cuts[49]:>9.0f}{cuts[94]:>9.0f}{cuts[98]:>9.0f}{max(values):>9.0f}")
    print(f"  {given.posts / took:.1f} posts/s, {1000 * cpu / given.posts:.1f} ms CPU a publish, ", end="")
    print(f"{calls:.1f} calls to Instagram each, {memory:.0f} MB", flush=True)


def main() -> None:
    """Measure with delays off and on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--posts", type=int, default=400)
    parser.add_argument("--at-once", type=int, default=20)
    parser.add_argument("--delays", default="off,on")
    parser.add_argument(
        "--open", type=float, default=0.0, help="publishes begun a second, instead of one after another"
    )
    given = parser.parse_args()
    with simulator() as origin, tempfile.TemporaryDirectory(prefix="publish-overhead-") as text:
        folder = Path(text)
        paint(folder / "www")
        for name in given.delays.split(","):
            asyncio.run(measured(folder, origin, name, given))


if __name__ == "__main__":
    main()
