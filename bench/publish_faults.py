"""Trouble around a publish, and what three policies make of it: ours, "retry all", and "retry without reading".

    python -m bench.publish_faults [--times 1]

Each kind of trouble meets each kind of post, for each policy, at one pretend Instagram. Then what is really live is counted.
"Retry all" repeats the whole publish after any error. "Retry without reading" makes the containers once and repeats
`media_publish` after any error, without looking at the container first. Both are small clients written here from the
descriptions of such policies; no product was run. Ours is the real publisher in a house of its own.
"""

import argparse
import asyncio
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, cast

import httpx2

from bench.servers import simulator
from tests.walks.posting import draft
from tintype.app import House, open_house
from tintype.core.publishing import Item, ItemKind, Product, State
from tintype.instagram import Connection, Login, Profile, Token
from tintype.settings import load

TIMEOUT = 1.0  # seconds that each client waits for an answer
SETTLE = 2.0  # seconds before ours believes that a container is unused; longer than the latest commit below
TRIES = 4
PATIENCE = 25.0

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of trouble: faults of calls, a fate of the first container, or a medium that cannot be used."""

    name: str
    faults: Sequence[Json] = ()
    container: Json | None = None
    failing: int | None = None
    world: Json = field(default_factory=dict[str, Any])
    passing: bool = True  # whether a post can come through it


def _publish(kind: str, **more: object) -> Sequence[Json]:
    return ({"on": "graph.publish", "kind": kind, **more},)


ROWS = (
    Row("no trouble"),
    Row("timeout, never committed", _publish("hang")),
    Row("timeout, committed later", _publish("slow", delay_ms=1600)),
    Row("answer lost after commit", _publish("lost")),
    Row("reset before commit", _publish("reset")),
    Row("500 after commit", _publish("error_after", status=500)),
    Row("500 before commit", _publish("status", status=500)),
    Row("502 page before commit", _publish("html", status=502)),
    Row("half an answer after commit", _publish("malformed")),
    Row("4/2207051 while live", _publish("error_after", status=400, code=4, subcode=2207051)),
    Row("4/2207051 not live", _publish("status", status=400, code=4, subcode=2207051, times=None), passing=False),
    Row("9/2207042 while live", _publish("error_after", status=400, code=9, subcode=2207042)),
    Row("9/2207042 not live", _publish("status", status=400, code=9, subcode=2207042, times=None), passing=False),
    Row("100/33 on reads of the new post", world={"unreadable_after_publish": 6}),
    Row("lost, then 100/33 on reads", _publish("lost"), world={"unreadable_after_publish": 6}),
    Row("container ERROR, passing", container={"status_code": "ERROR", "error_code": 2207053}),
    Row("container ERROR, for good", failing=2207026, passing=False),
    Row("container EXPIRED", container={"status_code": "EXPIRED"}),
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who publishes once."""

    username: str
    user_id: str
    token: str


@dataclass(frozen=True, slots=True)
class Told:
    """What a policy says became of a post: its id, that it failed, or neither, when it waits or asks a person."""

    media_id: str | None = None
    failed: bool = False


Policy = Callable[[Person, Product, Row], Awaitable[Told]]


@dataclass(frozen=True, slots=True)
class Client:
    """The calls of a publish as small clients make them."""

    http: httpx2.AsyncClient
    person: Person
    product: Product
    failing: int | None

    async def container(self) -> str:
        """Make the containers and wait until Instagram is done with them."""
        items = draft(self.product).items
        if self.product is not Product.CAROUSEL:
            return await self._ready(await self._created(self._medium(items[0])))
        children = [await self._created({**self._medium(item), "is_carousel_item": "true"}) for item in items]
        for child in children:
            await self._ready(child)
        album = {"media_type": "CAROUSEL", "children": ",".join(children), "caption": "Matrix"}
        return await self._ready(await self._created(album))

    async def publish(self, container_id: str) -> str:
        """Call `media_publish`."""
        path = f"/{self.person.user_id}/media_publish"
        return str((await self._called("POST", path, creation_id=container_id))["id"])

    async def link(self, media_id: str) -> None:
        """Read the permalink of what was published."""
        await self._called("GET", f"/{media_id}", fields="permalink")

    def _medium(self, item: Item) -> dict[str, str]:
        url = _url(item, self.failing)
        kind = {Product.REEL: "REELS", Product.STORY: "STORIES"}.get(self.product)
        if item.kind is ItemKind.VIDEO:
            return {"media_type": kind or "VIDEO", "video_url": url, "caption": "Matrix"}
        return {**({"media_type": kind} if kind else {}), "image_url": url, "caption": "Matrix"}

    async def _created(self, params: Mapping[str, str]) -> str:
        return str((await self._called("POST", f"/{self.person.user_id}/media", **params))["id"])

    async def _ready(self, container_id: str) -> str:
        while True:
            state = (await self._called("GET", f"/{container_id}", fields="status_code"))["status_code"]
            if state == "FINISHED":
                return container_id
            if state != "IN_PROGRESS":
                raise RuntimeError(f"the container is {state}")
            await asyncio.sleep(0.2)

    async def _called(self, method: str, path: str, **params: str) -> Json:
        sent = {"access_token": self.person.token, **params}
        where = {"params": sent} if method == "GET" else {"data": sent}
        answer = await self.http.request(method, path, timeout=TIMEOUT, **cast("Any", where))
        return cast("Json", answer.raise_for_status().json())


def retry_all(http: httpx2.AsyncClient) -> Policy:
    """The policy that repeats the whole publish after any error."""

    async def act(person: Person, product: Product, row: Row) -> Told:
        client = Client(http, person, product, row.failing)
        for _ in range(TRIES):
            with suppress(httpx2.HTTPError, ValueError, RuntimeError):
                media_id = await client.publish(await client.container())
                await client.link(media_id)
                return Told(media_id)
            await asyncio.sleep(0.2)
        return Told(failed=True)

    return act


def retry_unread(http: httpx2.AsyncClient) -> Policy:
    """The policy that repeats `media_publish` after any error; containers are made anew while nothing was published."""

    async def act(person: Person, product: Product, row: Row) -> Told:
        client = Client(http, person, product, row.failing)
        container_id: str | None = None
        for _ in range(TRIES + 1):
            with suppress(httpx2.HTTPError, ValueError, RuntimeError):
                container_id = container_id or await client.container()
                media_id = await client.publish(container_id)
                with suppress(httpx2.HTTPError):
                    await client.link(media_id)
                return Told(media_id)
            await asyncio.sleep(0.5)
        return Told(failed=True)

    return act


def ours(house: House) -> Policy:
    """The real publisher."""

    async def act(person: Person, product: Product, row: Row) -> Told:
        workspace, _ = await house.access.register(person.username)
        profile = Profile(person.user_id, None, person.username)
        connection = Connection(Login.INSTAGRAM_LOGIN, Token(person.token), profile)
        account = await house.accounts.keep(workspace.id, connection)
        what = draft(product, "Matrix")
        what = replace(what, items=tuple(replace(item, url=_url(item, row.failing)) for item in what.items))
        post = await house.publisher.create(workspace.id, account.id, what)
        post = await house.publisher.wait(workspace.id, post.id, PATIENCE if row.passing else 8)
        return Told(post.media_id, post.state is State.FAILED)

    return act


def _url(item: Item, failing: int | None) -> str:
    url = item.url or ""
    return url.replace("/one", f"/fail/{failing}/one") if failing else url


@dataclass(frozen=True, slots=True)
class Matrix:
    """The pretend Instagram under all policies."""

    levers: httpx2.AsyncClient
    numbers: "count[int]" = field(default_factory=count)

    async def play(self, row: Row, policies: Mapping[str, Policy]) -> Mapping[str, Counter[str]]:
        """Let every policy publish every kind of post in one kind of trouble."""
        world = {"seed": 1 + next(self.numbers), "container_seconds": 0.6, **row.world}
        await self._pulled("reset", world)
        cases = [(name, product) for name in policies for product in Product]
        found = await asyncio.gather(*(self._case(row, policies[name], product) for name, product in cases))
        counted = {name: Counter[str]() for name in policies}
        for (name, _), one in zip(cases, found, strict=True):
            counted[name] += one
        return counted

    async def _case(self, row: Row, policy: Policy, product: Product) -> Counter[str]:
        person = await self._person(f"matrix.{next(self.numbers)}")
        for fault in row.faults:
            await self._pulled("faults", {"username": person.username, **fault})
        fate = asyncio.create_task(self._fate(person, row))
        told = await policy(person, product, row)
        fate.cancel()
        await asyncio.sleep(TIMEOUT + 1)  # what is still on its way arrives
        answer = await self.levers.get("/_world/published", params={"username": person.username})
        live = [str(item["id"]) for item in answer.raise_for_status().json()]
        return Counter(
            {
                "posts": 1,
                "twice": max(0, len(live) - 1),
                "false": int(told.failed and bool(live)),
                "lost": int(bool(live) and told.media_id not in live),
                "missed": int(row.passing and not live),
            }
        )

    async def _person(self, username: str) -> Person:
        await self._pulled("people", {"username": username, "media": 0})
        made = await self._pulled("tokens", {"username": username, "login": "instagram"})
        return Person(username, str(made["user_id"]), str(made["access_token"]))

    async def _fate(self, person: Person, row: Row) -> None:
        """Let the first container of somebody die."""
        while row.container:
            calls = (await self.levers.get("/_world/log")).json()
            made = [str(call.get("effect", "")) for call in calls if call.get("username") == person.username]
            first = next((one.partition(":")[2] for one in made if one.startswith("container:")), None)
            if first:
                await self.levers.patch(f"/_world/containers/{first}", json=dict(row.container))
                return
            await asyncio.sleep(0.02)

    async def _pulled(self, lever: str, body: Json) -> Json:
        answer = await self.levers.post(f"/_world/{lever}", json=dict(body))
        return cast("Json", answer.raise_for_status().json() if answer.content else {})


COLUMNS = ("twice", "false", "lost", "missed")


def show(row: str, counted: Mapping[str, Counter[str]]) -> None:
    """Print one line of the table."""
    cells = ["".join(f"{one[column]:>7}" for column in COLUMNS) for one in counted.values()]
    print(f"{row:34}" + "  |".join(cells), flush=True)


async def measured(origin: str, folder: Path, times: int) -> None:
    """Print the table."""
    settings = load(
        data=folder,
        instagram_origin=origin,
        instagram_app_id="1",
        instagram_app_secret="secret",
        feed_sync_minutes=0,
        image_workers=1,
        publish_settle_seconds=SETTLE,
        instagram_api_timeout_ms=int(TIMEOUT * 1000),
    )
    async with open_house(settings) as house, httpx2.AsyncClient(base_url=origin, timeout=PATIENCE) as http:
        policies = {"ours": ours(house), "retry all": retry_all(http), "retry without reading": retry_unread(http)}
        matrix = Matrix(http)
        total = {name: Counter[str]() for name in policies}
        print(f"{'':34}" + "   ".join(f"{name:^27}" for name in policies))
        print(f"{'':34}" + "  |".join("".join(f"{column:>7}" for column in COLUMNS) for _ in policies))
        for row in ROWS:
            counted = {name: Counter[str]() for name in policies}
            for _ in range(times):
                for name, one in (await matrix.play(row, policies)).items():
                    counted[name] += one
            show(row.name, counted)
            for name, one in counted.items():
                total[name] += one
        show(f"all, of {total['ours']['posts']} posts each", total)
    print("twice: published once too often; false: said to have failed, and live; lost: live, and its id not known;")
    print("missed: not live although the trouble passed")


def main() -> None:
    """Measure against a simulator of its own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--times", type=int, default=1)
    given = parser.parse_args()
    with simulator() as origin, tempfile.TemporaryDirectory(prefix="publish-faults-") as text:
        asyncio.run(measured(origin, Path(text), given.times))


if __name__ == "__main__":
    main()
