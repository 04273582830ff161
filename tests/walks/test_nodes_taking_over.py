"""What a dead node worked on goes on at another one by the fact of its death.

Its leases are made to last for an hour, so nobody goes on because they are over. On an idle machine it takes some three seconds, which
follows from the looks at who is there; here it has as long as it takes where others want the processors as well.
"""

import asyncio
import os
import signal
import subprocess
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import httpx2
import psycopg
import pytest

from tests.api.cooks import CAPTION
from tests.core.webhooks.desk import receiving
from tests.instagram.pretend import Pretend, running
from tests.push_service import Handset, push_service
from tests.servers import postgres_server
from tests.walks.posting import draft
from tests.walks.program import environment, serving
from tests.walks.stage import Clock, opened
from tintype.app import open_house
from tintype.backends.vault import new_key
from tintype.core.publishing import Product, State
from tintype.core.webhooks import Happening, Scope, Wish
from tintype.instagram import utc_now

PATIENCE = 60.0
KEY = new_key()  # of both tests, as they share a database


@dataclass(frozen=True, slots=True)
class Nodes:
    """Two nodes that work, and the pretend Instagram before them."""

    pretend: Pretend
    programs: "tuple[subprocess.Popen[str], subprocess.Popen[str]]"
    addresses: tuple[str, str]


@pytest.fixture(scope="module")
def database() -> Generator[str]:
    with postgres_server() as found:
        yield found


@asynccontextmanager
async def nodes(database: str, folder: Path, **more: str) -> AsyncGenerator[Nodes]:
    with running() as pretend:
        around = environment(pretend, DATABASE_URL=database, ENCRYPTION_KEY=KEY, **more)
        with serving(folder / "a", around) as (first, one), serving(folder / "b", around) as (second, other):
            yield Nodes(pretend, (first, second), (one, other))


async def test_a_dead_nodes_download_is_done_elsewhere(database: str, tmp_path: Path) -> None:
    async with nodes(database, tmp_path) as here:
        here.pretend.post("/people", username="taken.over", media=0)
        post = here.pretend.post("/media", username="taken.over", kind="IMAGE", width=64, height=80)
        here.pretend.fault("cdn.image", "hang", times=1)
        body = {"url": f"https://www.instagram.com/p/{post['shortcode']}/"}
        first, second = here.addresses
        accepted = httpx2.post(f"{first}/scrape", json=body, headers={"prefer": "respond-async"}, timeout=PATIENCE)
        job = f"{second}{accepted.headers['location'].removeprefix(first)}"
        await _until(lambda: _hangs(here.pretend))
        _kill(database, here.programs[0].pid)
        await _until(lambda: _status(job) == "done")


async def test_what_a_dead_node_was_telling_is_told_by_another(database: str, tmp_path: Path) -> None:
    phone = Handset()
    async with push_service() as service:
        allowed = {"PUSH_HOSTS": "127.0.0.1", "OUTBOUND_ALLOW": service.place}
        async with nodes(database, tmp_path, **allowed) as here:
            first, second = here.addresses
            body = {"subscription": service.subscription(phone), "clientId": "phone"}
            service.slowness.append(2 * PATIENCE)
            async with httpx2.AsyncClient(timeout=PATIENCE) as client:
                (await client.post(f"{second}/api/notifications/subscribe", json=body)).raise_for_status()
                (await client.post(f"{first}/api/queue", json={"text": CAPTION})).raise_for_status()
            await _until(lambda: len(service.arrived(phone)) == 1)
            _kill(database, _teller(database))
            await _until(lambda: len(service.arrived(phone)) == 2)


async def test_a_dead_nodes_recipe_and_the_download_it_waits_for_are_done_elsewhere(
    database: str, tmp_path: Path
) -> None:
    async with nodes(database, tmp_path) as here:
        here.pretend.post("/people", username="cook.over", media=0)
        post = here.pretend.post("/media", username="cook.over", kind="IMAGE", width=64, height=80, caption=CAPTION)
        here.pretend.fault("web.graphql", "hang", times=1)
        async with httpx2.AsyncClient(timeout=PATIENCE) as client:
            body = {"url": f"https://www.instagram.com/p/{post['shortcode']}/"}
            item = (await client.post(f"{here.addresses[0]}/api/queue", json=body)).raise_for_status().json()
            await _until(lambda: _hangs(here.pretend))
            dead = _holder(database)
            _kill(database, dead)
            alive = here.addresses[0 if dead == here.programs[1].pid else 1]
            await _until(lambda: _is_success(f"{alive}/api/queue/{item['id']}"))


async def test_a_dead_nodes_post_and_its_webhook_go_on_elsewhere(database: str, tmp_path: Path) -> None:
    async with receiving() as receiver:
        given = {"database_url": database, "encryption_key": KEY, "outbound_allow": receiver.remote.place}
        with running() as pretend:
            async with opened(pretend, Clock(), data=tmp_path, **given) as stage:
                one, settings = await stage.member(), stage.house.settings
            async with open_house(settings, work=False) as house:
                scope, wish = Scope(one.workspace_id), Wish(url=receiver.url("/hook"), events=["fp.upload"])
                hooks = house.picking.hooks
                await hooks.webhooks.add(scope, wish)
                await hooks.outbox.tell(Happening(one.workspace_id, None, "fp.upload", {"url": "x"}, utc_now()))
                post = await house.publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "Left"))
            _held_by_the_dead(database)
            async with opened(pretend, Clock(), data=tmp_path, **given) as stage:
                ended = await stage.house.publisher.wait(one.workspace_id, post.id, PATIENCE)
                assert ended.state is State.PUBLISHED
                await _until(lambda: len(receiver.arrived()) == 1)


_GHOST = "elsewhere-1-abcdef"
_HELD: Sequence[LiteralString] = (
    "UPDATE posts SET lease_until = now() + interval '1 hour' WHERE lease_until IS NOT NULL AND lease_owner LIKE %s",
    "UPDATE recipe_items SET lease_until = now() + interval '1 hour' WHERE lease_until IS NOT NULL AND lease_owner LIKE %s",
    "UPDATE downloads SET lease_until = now() + interval '1 hour' WHERE state = 'running' AND lease_by LIKE %s",
    "UPDATE push_deliveries SET due_at = now() + interval '1 hour' WHERE lease_owner LIKE %s",
)


def _kill(database: str, pid: int) -> None:
    """Kill a node that has leases for an hour."""
    with psycopg.connect(database) as connection:
        counts = [connection.execute(query, (f"%-{pid}-%",)).rowcount for query in _HELD]
        os.kill(pid, signal.SIGSTOP)  # it renews nothing any more
        connection.commit()
    assert any(counts)
    os.kill(pid, signal.SIGKILL)


def _held_by_the_dead(database: str) -> None:
    """Let all posts and deliveries that wait be held for an hour by a node that is no more."""
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO nodes VALUES (%s)", (_GHOST,))
        held = "lease_until = now() + interval '1 hour', lease_owner = %s WHERE due_at IS NOT NULL"
        assert connection.execute(f"UPDATE posts SET {held}", (_GHOST,)).rowcount == 1
        until = "due_at = now() + interval '1 hour', leased_until = now() + interval '1 hour', first_at = now()"
        query = f"UPDATE webhook_deliveries SET {until}, lease_owner = %s WHERE due_at IS NOT NULL"
        assert connection.execute(query, (_GHOST,)).rowcount == 1


def _holder(database: str) -> int:
    """The process that works the recipe; it is part of its node's name."""
    with psycopg.connect(database) as connection:
        (row,) = connection.execute("SELECT lease_owner FROM recipe_items WHERE lease_until IS NOT NULL").fetchall()
    return int(str(row[0]).split("-")[-2])


def _teller(database: str) -> int:
    """The process that sends now; it is part of its node's name."""
    with psycopg.connect(database) as connection:
        query = (
            "SELECT executor_id FROM dbos.workflow_status WHERE status = 'PENDING' AND name = 'notifications.deliver'"
        )
        (row,) = connection.execute(query).fetchall()
    return int(str(row[0]).split("-")[-2])


def _hangs(pretend: Pretend) -> bool:
    return any(call.get("fault") == "hang" for call in pretend.calls())


def _status(job: str) -> str:
    return str(httpx2.get(job, timeout=PATIENCE).raise_for_status().json()["status"])


def _is_success(item: str) -> bool:
    return _status(item) == "success"


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(0.1)
