"""What a read of a 50-post feed costs, beside nginx (the same bytes as a file), a plain Express and a plain FastAPI app.

Run: python bench/feed_read.py [seconds]
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.servers import Cost, Server, free_port, measure, need, running
from tintype.app import open_house
from tintype.core.feed import Asset, Item
from tintype.core.feed.model import Departures
from tintype.instagram import Login
from tintype.settings import load

POSTS = 50

EXPRESS = """
import express from 'express'; import fs from 'fs';
const feed = JSON.parse(fs.readFileSync(process.argv[2])); const token = 'Bearer ' + process.argv[4];
const app = express(); app.disable('x-powered-by');
app.get('/photos', (req, res) => req.headers.authorization === token ? res.json(feed) : res.status(401).json({}));
app.get('/health', (req, res) => res.json({success: true, data: {message: 'ok'}}));
app.listen(Number(process.argv[3]), '127.0.0.1');
"""

FASTAPI = """
import json, sys, uvicorn
from fastapi import FastAPI, Header, HTTPException
feed, token = json.load(open(sys.argv[1])), 'Bearer ' + sys.argv[3]
app = FastAPI()
@app.get('/photos')
async def photos(authorization: str = Header('')):
    if authorization != token:
        raise HTTPException(401)
    return feed
@app.get('/health')
async def health():
    return {'success': True, 'data': {'message': 'ok'}}
uvicorn.run(app, port=int(sys.argv[2]), log_level='error')
"""

NGINX = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; client_body_temp_path {folder}; proxy_temp_path {folder};
  fastcgi_temp_path {folder}; uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; root {folder}/www; default_type application/json; }} }}
"""


async def furnish(folder: Path) -> str:
    """Make a workspace with 50 posts in a data folder, and return its token."""
    async with open_house(load(data=folder, feed_sync_minutes=0)) as house:
        workspace, issued = await house.access.register("Bench bakery")
        account = await house.accounts.add(
            workspace.id, Login.INSTAGRAM_LOGIN, "17841400000000001", app_secret="none", token=None
        )
        pictures = [
            Asset(f"{at:064x}", "jpeg", 200_000, 1080, 1350, "#a08060", "1QcSHQRnh493V4dIh4eXh1h4kJUI")
            for at in range(POSTS)
        ]
        now = datetime.now(UTC)
        await house.feed.records.claim(pictures, now)
        items = [_item(at, picture, now) for at, picture in enumerate(pictures)]
        standing = await house.feed.records.standing(account.id)
        await house.feed.records.store(
            account, items, kept=(), departures=Departures(), standing=standing, max_items=500
        )
    return issued.secret


def _item(at: int, picture: Asset, now: datetime) -> Item:
    caption = (
        f"Loaf number {at}: rye, honey and a long night in the basket. Open until six. #bread #bakery #rye #morning"
    )
    return Item(
        id=f"1790000000000{at:04d}",
        kind="IMAGE",
        product="FEED",
        caption=caption,
        permalink=f"https://www.instagram.com/p/Dd6eqCbyi{at:02d}/",
        posted_at=now - timedelta(hours=at),
        picture=picture,
    )


@contextmanager
def contestants(folder: Path) -> Generator[tuple[list[Server], str]]:
    """Start all servers with the same bytes."""
    token = asyncio.run(furnish(folder / "data"))
    with ExitStack() as stack:
        port = free_port()
        command = [sys.executable, "-m", "tintype", "serve", "--data", str(folder / "data"), "--port", str(port)]
        env = {"FEED_SYNC_MINUTES": "0"}
        ours = stack.enter_context(running("Tintype", command, port, "/health", env=env))
        feed = folder / "www" / "photos"
        feed.parent.mkdir()
        feed.write_bytes(_get(ours, "/photos", token))
        (folder / "www" / "health").write_text('{"success":true,"data":{"message":"ok"}}')
        others = [_nginx(stack, folder), _express(stack, folder, feed, token), _fastapi(stack, folder, feed, token)]
        yield [ours, *others], token


def _get(server: Server, path: str, token: str) -> bytes:
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request) as answer:
        return bytes(answer.read())


def _nginx(stack: ExitStack, folder: Path) -> Server:
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(folder=folder, port=port))
    return stack.enter_context(running("nginx", [need("nginx", "nginx-light"), "-c", str(config)], port, "/health"))


def _express(stack: ExitStack, folder: Path, feed: Path, token: str) -> Server:
    port = free_port()
    home = folder / "express"
    home.mkdir()
    (home / "package.json").write_text('{"type": "module", "dependencies": {"express": "^5"}}')
    (home / "app.js").write_text(EXPRESS)
    subprocess.run([need("npm", "npm"), "install", "--silent", "--no-audit", "--no-fund"], cwd=home, check=True)
    command = [need("node", "nodejs"), "app.js", str(feed), str(port), token]
    return stack.enter_context(running("Express", command, port, "/health", env={"NODE_ENV": "production"}, cwd=home))


def _fastapi(stack: ExitStack, folder: Path, feed: Path, token: str) -> Server:
    port = free_port()
    (folder / "plain.py").write_text(FASTAPI)
    command = [sys.executable, str(folder / "plain.py"), str(feed), str(port), token]
    return stack.enter_context(running("FastAPI", command, port, "/health"))


def report(title: str, costs: dict[str, Cost]) -> None:
    """Print one table: CPU per request, ours as a multiple of theirs, and latency."""
    ours = costs["Tintype"]
    print(f"\n{title}")
    print(f"{'':10}{'req':>9}{'CPU µs/req':>12}{'ours/theirs':>13}{'p50 ms':>9}{'p99 ms':>9}")
    for name, cost in costs.items():
        ratio = ours.cpu_us / cost.cpu_us
        print(f"{name:10}{cost.requests:>9}{cost.cpu_us:>12.0f}{ratio:>13.2f}{cost.p50_ms:>9.2f}{cost.p99_ms:>9.2f}")


def main() -> None:
    """Measure all servers in turn, in one run."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    os.environ.pop("DATABASE_URL", None)
    with tempfile.TemporaryDirectory() as name, contestants(Path(name)) as (servers, token):
        ours = servers[0]
        auth = {"Authorization": f"Bearer {token}"}
        body = _get(ours, "/photos", token)
        print(f"{len(json.loads(body)['data']['photos'])} posts, {len(body)} bytes; 64 connections, {seconds} s each")
        print("fresh memory: " + ", ".join(f"{one.name} {one.memory_mb():.0f} MB" for one in servers))
        report("GET /photos", {one.name: measure(one, "/photos", auth, seconds=seconds) for one in servers})
        request = urllib.request.Request(f"http://127.0.0.1:{ours.port}/photos", headers=auth)
        with urllib.request.urlopen(request) as answer:
            known = {**auth, "If-None-Match": str(answer.headers["ETag"])}
        report("GET /photos, 304", {"Tintype": measure(ours, "/photos", known, seconds=seconds)})
        report("GET /health", {one.name: measure(one, "/health", {}, seconds=seconds) for one in servers})


if __name__ == "__main__":
    main()
