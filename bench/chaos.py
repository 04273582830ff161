"""Kill a random process of several nodes every two seconds under load, and count what was lost, done twice or refused.

    python -m bench.chaos [--seconds 300] [--every 2] [--seed 8]

Two web nodes and two workers stand before a pretend Instagram over one Postgres, one Redis and one folder of blobs. All the
time posts are published, accounts synced, recipes made, webhooks delivered to a receiver here, feeds read and the queue's stream
followed. Who asks does as clients do: when a connection breaks, the same is asked again with the same key at the other node.
At the end nothing more is killed, and what was accepted is looked for at the pretend Instagram, in the feed, in the folder of
recipes and at the receiver.
"""

import argparse
import asyncio
import json
import random
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2

from bench.fleet import Fleet, Node, fleet
from tests.api.cooks import CAPTION
from tests.api.listening import Said, listening_to
from tests.api.marketing import pictures
from tests.core.webhooks.desk import Receiver, receiving
from tintype.app import open_house
from tintype.core.access import Grant
from tintype.core.webhooks import Scope, Wish
from tintype.instagram import Connection, Login, Profile, Token
from tintype.settings import load

PATIENCE = 20.0  # seconds for one request
SETTLE = 120.0  # seconds after the last death in which everything has to come to its end
ACCOUNTS = 6
SHARED = ("DATABASE_URL", "REDIS_URL", "BLOBS_URL", "ENCRYPTION_KEY", "OUTBOUND_ALLOW")
EVENTS = ["post.published", "post.failed", "feed.synced"]
PAUSE = 0.3  # before the same is asked again


@dataclass(slots=True)
class Tally:
    """What was asked and what came of it."""

    asked: Counter[str] = field(default_factory=Counter[str])
    refused: Counter[str] = field(default_factory=Counter[str])  # by nodes that nobody had killed
    cut_off: Counter[str] = field(default_factory=Counter[str])  # with the node that was killed
    again: Counter[str] = field(default_factory=Counter[str])
    slowest: dict[str, float] = field(default_factory=dict[str, float])
    notes: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Load:
    """The clients: what they were promised."""

    fleet: Fleet
    receiver: Receiver
    chance: random.Random
    pictures: str
    tally: Tally = field(default_factory=Tally)
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict[str, httpx2.AsyncClient])
    names: dict[int, str] = field(default_factory=dict[int, str])  # accounts by their number
    access: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    posts: dict[str, int] = field(default_factory=dict[str, int])  # caption: number of the accepted post
    tried: list[str] = field(default_factory=list[str])
    media: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])  # put on Instagram by somebody else
    recipes: dict[str, str] = field(default_factory=dict[str, str])  # link: item
    heard: dict[str, list[Said]] = field(default_factory=lambda: defaultdict(list[Said]))

    def node(self, other: Node | None = None) -> Node:
        """Choose a web node as a balancer does: one that is there, and not the one that just broke."""
        there = [node for node in self.fleet.web if node.ready and node is not other]
        return self.chance.choice(there or self.fleet.web)

    async def ask(self, what: str, node: Node, method: str, path: str, **given: Any) -> httpx2.Response | None:
        """Ask one node; None when nothing usable came. Whose fault that was is counted."""
        begun = time.monotonic()
        self.tally.asked[what] += 1
        answer, broken = None, ""
        try:
            answer = await self.clients[node.name].request(method, path, timeout=PATIENCE, **given)
        except httpx2.HTTPError as error:
            broken = type(error).__name__
        passed = time.monotonic() - begun
        if answer is not None and answer.status_code < 500:
            self.tally.slowest[what] = max(passed, self.tally.slowest.get(what, 0.0))
            return answer
        if node.died_since(begun):
            self.tally.cut_off[what] += 1
        else:
            self.tally.refused[what] += 1
            said = f"{answer.status_code} {answer.text[:200]}" if answer is not None else broken
            self.tally.notes.append(f"{what} at {node.name} after {passed:.1f} s: {said}")
        return None

    async def insist(self, what: str, method: str, path: str, **given: Any) -> httpx2.Response:
        """Ask again with the same key until it is accepted."""
        given["headers"] = {**given.get("headers", {}), "Idempotency-Key": uuid4().hex}
        node = self.node()
        for number in count():
            answer = await self.ask(what, node, method, path, **given)
            if answer is not None and answer.status_code not in (409, 429):
                return answer
            if answer is not None:
                self.tally.again[f"{what} {answer.status_code}"] += 1
            self.tally.again[what] += number > 0
            await asyncio.sleep(PAUSE)
            node = self.node(node)
        raise AssertionError

    async def read(self, number: int) -> None:
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = await self.ask(
            "GET /photos", self.fleet.web[number % len(self.fleet.web)], "GET", "/photos", headers=headers
        )
        if answer is not None and answer.status_code != 200:
            self.tally.refused["GET /photos"] += 1
            self.tally.notes.append(f"GET /photos: {answer.status_code} {answer.text[:200]}")

    async def publish(self, number: int) -> None:
        caption = f"Chaos no. {number:05}"
        self.tried.append(caption)
        body = {
            "account_id": self.chance.choice(list(self.names)),
            "image_url": f"{self.pictures}/product.jpg",
            "caption": caption,
        }
        path, headers = "/api/sns/instagram/posts", {"Authorization": f"Bearer {self.access}"}
        answer = await self.insist("publish", "POST", path, json=body, headers=headers)
        if answer.status_code in (201, 202):
            self.posts[caption] = answer.json()["db_id"]
        else:
            self.tally.refused["publish"] += 1
            self.tally.notes.append(f"publish: {answer.status_code} {answer.text[:200]}")

    async def sync(self, number: int) -> None:
        username = self.chance.choice(list(self.names.values()))
        world = {"username": username, "kind": "IMAGE", "width": 64, "height": 80}
        made = await asyncio.to_thread(self.fleet.pretend.post, "/media", **world)
        answer = await self.insist("sync", "POST", "/sync", json={"secret": "sync"})
        if answer.is_success:
            self.media.append((time.monotonic(), str(made["id"])))
        else:
            self.tally.refused["sync"] += 1
            self.tally.notes.append(f"sync: {answer.status_code} {answer.text[:200]}")

    async def cook(self, number: int) -> None:
        caption = CAPTION.replace("Potato soup", f"Potato soup no. {number}")
        world = {"username": "chaos.cook", "kind": "IMAGE", "width": 64, "height": 80, "caption": caption}
        made = await asyncio.to_thread(self.fleet.pretend.post, "/media", **world)
        link = f"https://www.instagram.com/p/{made['shortcode']}/"
        answer = await self.insist("recipe", "POST", "/api/queue", json={"url": link})
        if answer.is_success:
            self.recipes[link] = answer.json()["id"]
        else:
            self.tally.refused["recipe"] += 1
            self.tally.notes.append(f"recipe: {answer.status_code} {answer.text[:200]}")

    async def follow(self, node: Node) -> None:
        """Follow the queue's stream at one node, coming back with the place of the last event."""
        heard = self.heard[node.name]
        while True:
            place = {"Last-Event-ID": heard[-1].id or "0"} if heard else {"Last-Event-ID": "0"}
            try:
                async with listening_to(self.clients[node.name], place) as stream:
                    await _take(stream, heard)
            except (httpx2.HTTPError, AssertionError):
                await asyncio.sleep(0.1)


async def _take(stream: Any, heard: list[Said]) -> None:
    taken = 0
    while not stream.ended:
        await stream.more.wait()
        stream.more.clear()
        fresh, taken = stream.heard[taken:], len(stream.heard)
        assert all(one.event != "reset" for one in fresh)
        heard += [one for one in fresh if one.event == "queue-update"]


async def _prepare(load_: Load, folder: Path) -> None:
    """Have one team with some accounts, a token for websites and an endpoint for webhooks."""
    here = load_.fleet
    node = here.web[0]
    body = {"email": "chaos@example.com", "password": "Correct-h0rse"}
    said = (await load_.clients[node.name].post("/api/auth/register", json=body)).raise_for_status().json()
    load_.access, workspace_id = said["access_token"], said["user"]["workspace_id"]
    here.pretend.post("/people", username="chaos.cook", media=0)
    shared = {name.lower(): here.around[name] for name in SHARED}
    settings = load(data=folder / "desk", instagram_origin=here.pretend.origin, image_workers=1, **shared)
    async with open_house(settings, work=False) as house:
        for number in range(ACCOUNTS):
            username = f"chaos.{number}"
            person = here.pretend.post("/people", username=username, media=0)
            profile = Profile(str(person["user_id"]), None, username, account_type="BUSINESS")
            token = Token(here.pretend.token(username))
            account = await house.accounts.keep(workspace_id, Connection(Login.INSTAGRAM_LOGIN, token, profile))
            load_.names[account.number] = username
        load_.token = (await house.access.issue(workspace_id, Grant.WORKSPACE)).secret
        wish = Wish(url=load_.receiver.url("/hook"), events=EVENTS)
        await house.picking.hooks.webhooks.add(Scope(workspace_id), wish)


async def _often(seconds: float, act: Callable[[int], Awaitable[None]]) -> None:
    """Do something again and again, whether or not the one before has ended."""
    under_way: set[asyncio.Task[None]] = set()
    try:
        for number in count():
            task: asyncio.Task[None] = asyncio.ensure_future(act(number))  # pyright: ignore[reportAssignmentType]
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        if under_way:
            await asyncio.wait(under_way, timeout=60)
        raise


async def _killing(here: Fleet, seconds: float, every: float, chance: random.Random) -> None:
    until, next_death = time.monotonic() + seconds, time.monotonic() + every
    while time.monotonic() < until:
        if time.monotonic() >= next_death:
            await asyncio.to_thread(here.kill, chance)
            next_death += every
        await asyncio.to_thread(here.look)
        await asyncio.sleep(0.1)
    await asyncio.to_thread(here.wait_ready)


async def run(seconds: float, every: float, seed: int, folder: Path) -> None:
    """Let it happen, and tell."""
    chance = random.Random(seed)
    async with receiving() as receiver:
        with pictures() as origin:
            allowed = f"{receiver.remote.place},{origin.removeprefix('http://')}"
            settings = {
                "OUTBOUND_ALLOW": allowed,
                "RECIPE_FOLDER": str(folder / "recipes"),
                "RECIPE_READ_PICTURES": "false",
                "PUBLIC_LOOKUPS_PER_HOUR": "100000",
                "RATE_LIMIT_PER_MINUTE": "0",
                "PUBLISH_WAIT_SECONDS": "0",
                "PUBLISH_SETTLE_SECONDS": "2",
                "WEBHOOK_JITTER_SECONDS": "0",
                "INSIGHTS_COLLECT": "false",
            }
            with fleet(folder, settings) as here:
                here.pretend.post("/reset", seed=seed, container_seconds=1, quota_total=100_000)
                load_ = Load(here, receiver, chance, origin)
                for node in here.web:
                    load_.clients[node.name] = httpx2.AsyncClient(base_url=node.url)
                await _prepare(load_, folder)
                await _through(load_, seconds, every, chance)
                _tell(load_, folder)


async def _through(load_: Load, seconds: float, every: float, chance: random.Random) -> None:
    rates = ((0.1, load_.read), (1.0, load_.publish), (2.0, load_.sync), (1.0, load_.cook))
    acting = [asyncio.create_task(_often(pause, act)) for pause, act in rates]
    following = [asyncio.create_task(load_.follow(node)) for node in load_.fleet.web]
    try:
        await _killing(load_.fleet, seconds, every, chance)
        for task in acting:
            task.cancel()
        await asyncio.gather(*acting, return_exceptions=True)
        begun = time.monotonic()
        left = await _left(load_)
        while left and time.monotonic() - begun < SETTLE:
            await asyncio.to_thread(load_.fleet.look)
            await asyncio.sleep(0.5)
            left = await _left(load_)
        load_.tally.notes.append(
            f"settled {time.monotonic() - begun:.1f} s after the last request; left: {left or 'nothing'}"
        )
        await asyncio.sleep(2.0)
        await asyncio.to_thread(load_.fleet.look)
    finally:
        for task in (*acting, *following):
            task.cancel()
        await asyncio.gather(*acting, *following, return_exceptions=True)


async def _left(load_: Load) -> Mapping[str, int]:
    """Return what has not come to its end, by kind."""
    client = load_.clients[load_.fleet.web[0].name]
    published = await asyncio.to_thread(_published, load_)
    told = {one["text"].get("postId") for one in load_.receiver.told() if one["action"] == "post.published"}
    answer = await client.get("/photos", headers={"Authorization": f"Bearer {load_.token}"}, timeout=PATIENCE)
    shown = {str(photo["id"]) for photo in answer.raise_for_status().json()["data"]["photos"]}
    items = await _items(client)
    for item in items:
        if (
            item["status"] == "unhealthy"
        ):  # some of its processes died with it, which is suspicious, and a person decides
            load_.tally.again["recipe suspected of killing"] += 1
            await client.post(f"/api/queue/{item['id']}/retry", timeout=PATIENCE)
    ended = {item["id"] for item in items if item["status"] in ("success", "error")}
    found = {
        "posts": sum(caption not in published for caption in load_.posts),
        "webhooks": sum(post not in told for post in load_.posts.values()),
        "media": sum(media not in shown for _, media in load_.media),
        "recipes": sum(item not in ended for item in load_.recipes.values()),
        "taken over": sum(one.seconds is None for one in load_.fleet.held),
    }
    return {kind: number for kind, number in found.items() if number}


async def _items(client: httpx2.AsyncClient) -> Sequence[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    while True:
        query = {"limit": 100, "offset": len(found), "sort": "createdAt", "order": "asc"}
        page = (await client.get("/api/queue", params=query, timeout=PATIENCE)).raise_for_status().json()
        found += page["items"]
        if not page["hasMore"]:
            return found


def _published(load_: Load) -> Counter[str]:
    found: Counter[str] = Counter()
    for username in load_.names.values():
        live = load_.fleet.pretend.levers.get("/_world/published", params={"username": username}).json()
        found.update(str(item["caption"]) for item in live)
    return found


def _tell(load_: Load, folder: Path) -> None:
    tally, here = load_.tally, load_.fleet
    deaths = {node.name: len(node.deaths) for node in here.nodes}
    print(f"killed {sum(deaths.values())} times: {deaths}")
    published = _published(load_)
    twice = sum(published[caption] > 1 for caption in load_.tried)
    lost = [caption for caption in load_.posts if caption not in published]
    print(f"publish: accepted {len(load_.posts)} of {len(load_.tried)}, lost {len(lost)}, published twice {twice}")
    _tell_recipes(load_, folder)
    _tell_webhooks(load_, published)
    for name, heard in load_.heard.items():
        numbers = [int(one.id or 0) for one in heard]
        gaps = sum(later > earlier + 1 for earlier, later in pairwise(numbers))
        again = len(numbers) - len(set(numbers))
        print(f"stream at {name}: {len(numbers)} changes heard, gaps {gaps}, twice {again}")
    _tell_taking_over(here)
    for what, number in tally.asked.items():
        bad = tally.refused[what]
        print(
            f"{what}: {number} requests, cut off with their node {tally.cut_off[what]}, refused by living nodes {bad} "
            f"({bad / number:.2%}), slowest answer {tally.slowest.get(what, 0):.2f} s"
        )
    total, bad = sum(tally.asked.values()), sum(tally.refused.values())
    print(
        f"all requests: {total}, refused by living nodes {bad} ({bad / max(1, total):.3%}); asked again {dict(tally.again)}"
    )
    for note, number in Counter(tally.notes).most_common(20):
        print(f"  {number} × {note}")
    for node in here.nodes:
        text = (folder / f"{node.name}.log").read_text()
        lines = Counter(_about(line) for line in text.splitlines() if _about(line))
        print(f"  {node.name} said: {dict(lines.most_common(12))}")


def _about(line: str) -> str:
    """Return what a line of a node's log is about, without its moment; nothing of lines that go on from another."""
    word, _, rest = line.partition(" ")
    return rest[:100] if word[:2] == "20" and word.endswith("Z") else ""


def _tell_recipes(load_: Load, folder: Path) -> None:
    made = Counter(json.loads(page.read_text())["url"] for page in (folder / "recipes").glob("*/recipe.jsonld"))
    lost = [link for link in load_.recipes if link not in made]
    twice = sum(number > 1 for number in made.values())
    print(f"recipes: accepted {len(load_.recipes)}, lost {len(lost)}, made twice {twice}")
    if lost:
        print(f"  lost: {lost[:5]}")


def _tell_webhooks(load_: Load, published: Counter[str]) -> None:
    ids: dict[Any, set[str]] = defaultdict(set)
    for told, asked in zip(load_.receiver.told(), load_.receiver.arrived(), strict=True):
        if told["action"] == "post.published":
            ids[told["text"]["postId"]].add(asked.headers["webhook-id"])
    lost = [post for caption, post in load_.posts.items() if caption in published and post not in ids]
    twice = sum(len(found) > 1 for found in ids.values())
    again = len(load_.receiver.arrived()) - len({asked.headers["webhook-id"] for asked in load_.receiver.arrived()})
    print(
        f"webhooks: published posts told {len(ids)}, lost {len(lost)}, told twice under other ids {twice}, sent again under the same id {again}"
    )


def _tell_taking_over(here: Fleet) -> None:
    for kind in sorted({one.kind for one in here.held}):
        mine = [one for one in here.held if one.kind == kind]
        known = [one.seconds for one in mine if one.seconds is not None]
        longest = f"p50 {statistics.median(known):.1f} s, longest {max(known):.1f} s" if known else "none went on"
        print(f"taken over, {kind}: {len(known)} of {len(mine)}, {longest}")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--every", type=float, default=2)
    parser.add_argument("--seed", type=int, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chaos-") as text:
        asyncio.run(run(given.seconds, given.every, given.seed, Path(text)))


if __name__ == "__main__":
    main()
