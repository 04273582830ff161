"""What a post costs on top of the network, at a round trip of 40 ms, beside plain instaloader; and who suffers meanwhile.

    python bench/scrape.py [posts]

Everything is warm, and every post is a new one. Between all programs and the pretend Instagram lies the same wire, over which a
connection costs a round trip and each direction half of one (bench/relay.py). "network" is a client that does nothing but the two
requests that a post needs, over kept connections. Nobody uses TLS, which favours who opens new connections: instaloader does for
each file. Its own pauses are switched off.
"""

import asyncio
import json
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.servers import Server, free_port, running

ROUND_TRIP_MS = 40
OWNER = "marlow.bakehouse"

PLAIN = """
import json, os, sys, tempfile, time
from urllib.parse import urlsplit
import instaloader, requests

port = sys.argv[1]
send = requests.adapters.HTTPAdapter.send

def rerouted(self, request, **more):
    parts = urlsplit(request.url)
    request.headers['Host'] = parts.hostname
    request.url = f'http://127.0.0.1:{port}{parts.path}' + (f'?{parts.query}' if parts.query else '')
    return send(self, request, **more)

requests.adapters.HTTPAdapter.send = rerouted
os.chdir(tempfile.mkdtemp())
loader = instaloader.Instaloader(sleep=False, quiet=True, download_video_thumbnails=False, save_metadata=False,
                                 post_metadata_txt_pattern='', max_connection_attempts=1)
for code in sys.argv[2:]:
    wall, cpu = time.perf_counter(), time.process_time()
    post = instaloader.Post.from_shortcode(loader.context, code)
    assert loader.download_post(post, target=code)
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]), flush=True)
"""


def main() -> None:
    """Measure all of them in turn, in one run."""
    posts = int(sys.argv[1]) if len(sys.argv) > 1 else 25
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        simulator, wire = free_port(), free_port()
        command = [sys.executable, "-m", "tintype", "simulate", "--port", str(simulator)]
        stack.enter_context(running("simulator", command, simulator, "/_world"))
        relay = [sys.executable, str(Path(__file__).with_name("relay.py")), str(wire), str(simulator)]
        stack.enter_context(running("relay", [*relay, str(ROUND_TRIP_MS)], wire, "/_world"))
        with httpx2.Client(base_url=f"http://127.0.0.1:{simulator}", timeout=60) as levers:
            one = stack.enter_context(_served(wire, Path(name)))
            _compare(levers, one, wire, posts)
            asyncio.run(_meanwhile(levers, one))


def _served(wire: int, folder: Path) -> Any:
    port = free_port()
    command = [sys.executable, "-m", "tintype", "serve", "--only", "scrape", "--data", str(folder), "--port", str(port)]
    env = {
        "INSTAGRAM_ORIGIN": f"http://127.0.0.1:{wire}",
        "RATE_LIMIT_MAX_REQUESTS": "0",
        "PUBLIC_LOOKUPS_PER_HOUR": "2000",
        "LOG_LEVEL": "error",
    }
    return running("Tintype", command, port, "/health", env=env)


def _posted(levers: httpx2.Client, count: int, kind: str) -> list[str]:
    shape = {"width": 640, "height": 800} if kind == "IMAGE" else {}
    body = {"username": OWNER, "kind": kind, **shape}
    codes = [str(levers.post("/_world/media", json=body).raise_for_status().json()["shortcode"]) for _ in range(count)]
    network = Network(levers.base_url.port or 80)
    for code in codes:
        network.get(code)  # the simulator draws a picture when it is first asked for
    return codes


class Network:
    """The two requests that a post needs, over kept connections."""

    def __init__(self, port: int) -> None:
        self._client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
        page = self._client.get("/", headers={"host": "www.instagram.com"}).text
        found = re.search(r'"LSD",\[\],\{"token":"([^"]+)"', page)
        assert found is not None
        self._lsd = found.group(1)

    def get(self, code: str) -> int:
        """Fetch a post's file and return its bytes."""
        variables = {"shortcode": code, "__relay_internal__pv__PolarisAIGMMediaWebLabelEnabledrelayprovider": False}
        form = {"variables": json.dumps(variables), "doc_id": "27128499623469141", "lsd": self._lsd}
        headers = {"host": "www.instagram.com", "x-ig-app-id": "936619743392459", "x-fb-lsd": self._lsd}
        said = self._client.post("/api/graphql", data=form, headers=headers).raise_for_status().json()
        [item] = said["data"]["xdt_api__v1__media__shortcode__web_info"]["items"]
        versions = item.get("video_versions") or item["image_versions2"]["candidates"]
        url = httpx2.URL(max(versions, key=lambda one: one["width"] * one["height"])["url"])
        path = url.raw_path.decode()
        return len(self._client.get(path, headers={"host": url.host}).raise_for_status().content)


def _compare(levers: httpx2.Client, one: Server, wire: int, count: int) -> None:
    for kind in ("IMAGE", "REELS"):
        codes = _posted(levers, 3 * count + 3, kind)
        network = Network(wire)
        network.get(codes.pop())
        walls: dict[str, list[float]] = {"network": [_timed(partial(network.get, code)) for code in codes[:count]]}
        size = network.get(codes[0])
        with httpx2.Client(base_url=f"http://127.0.0.1:{one.port}", timeout=60) as client:
            _scrape(client, codes.pop())
            before = one.cpu_seconds()
            walls["Tintype"] = [_timed(partial(_scrape, client, code)) for code in codes[:count]]
            cpu = {"Tintype": (one.cpu_seconds() - before) / count}
        walls["instaloader"], cpu["instaloader"] = _plain(wire, [codes.pop(), *codes[count : 2 * count]])
        print(f"\n{kind}: {count} posts of {size / 1024:.0f} KiB, one after the other, {ROUND_TRIP_MS} ms round trip")
        print(f"{'':14}{'median ms':>11}{'p90 ms':>9}{'on top ms':>11}{'CPU ms':>9}")
        base = statistics.median(walls["network"])
        for name, found in walls.items():
            middle, late = statistics.median(found), sorted(found)[int(len(found) * 0.9)]
            spent = f"{cpu[name] * 1000:>9.1f}" if name in cpu else f"{'':>9}"
            print(f"{name:14}{middle * 1000:>11.0f}{late * 1000:>9.0f}{(middle - base) * 1000:>11.0f}{spent}")


def _timed(act: Any) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _scrape(client: httpx2.Client, code: str) -> None:
    client.post("/scrape", json={"url": f"https://www.instagram.com/p/{code}/"}).raise_for_status()


def _plain(wire: int, codes: list[str]) -> tuple[list[float], float]:
    command = [sys.executable, "-c", PLAIN, str(wire), *codes]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")][
        1:
    ]  # the first one warms up
    return [wall for wall, _ in found], statistics.mean(cpu for _, cpu in found)


async def _meanwhile(levers: httpx2.Client, one: Server) -> None:
    codes = _posted(levers, 62, "IMAGE")
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{one.port}", timeout=60) as client:

        async def scrape(code: str) -> int:
            answer = await client.post("/scrape", json={"url": f"https://www.instagram.com/reel/{code}/"})
            return answer.status_code

        over = threading.Event()
        took: list[float] = []
        prober = threading.Thread(target=_probe, args=(one.port, over, took))
        prober.start()
        statuses = await asyncio.gather(*(scrape(code) for code in codes[:50]))
        over.set()
        await asyncio.to_thread(prober.join)
        late = sorted(took)[min(len(took) - 1, int(len(took) * 0.99))]
        print(
            f"\n50 downloads at once: {statuses.count(200)} × 200; GET /health meanwhile, {len(took)} times: ", end=""
        )
        print(
            f"median {statistics.median(took) * 1000:.1f} ms, p99 {late * 1000:.1f} ms, worst {max(took) * 1000:.1f} ms"
        )
        statuses = await asyncio.gather(*(scrape(codes[50]) for _ in range(12)))
        print(f"12 requests at once for one cold post: {statuses.count(200)} × 200")
        begun = time.perf_counter()
        first = await scrape("x-429")
        middle = time.perf_counter()
        again = [await scrape("x-429"), await scrape(codes[51])]
        print(
            f"429 of Instagram: answered {first} after {(middle - begun) * 1000:.0f} ms with the question to Instagram, "
            f"and {again} after {(time.perf_counter() - middle) * 500:.1f} ms without"
        )


def _probe(port: int, over: threading.Event, took: list[float]) -> None:
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        while not over.is_set():
            took.append(_timed(lambda: client.get("/health").raise_for_status()))
            time.sleep(0.002)


if __name__ == "__main__":
    main()
