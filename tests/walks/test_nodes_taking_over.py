"""What a dead node worked on goes on at another one, with no need of the next minute.

On an idle machine that takes less than ten seconds, which follows from leases and looks (`test_downloads_rules.py`,
`test_notifications_rules.py`); here it has as long as it takes where others want the processors as well.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.api.cooks import CAPTION
from tests.instagram.pretend import Pretend, running
from tests.push_service import Handset, push_service
from tests.servers import postgres_server
from tests.walks.program import environment, serving
from tintype.backends.vault import new_key

SOON = (
    30.0  # seconds from a death until what it cut off is done elsewhere: less than the leases of old, and their minute
)
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
        here.programs[0].kill()
        assert await _seconds(lambda: _status(job) == "done") < SOON


async def test_what_a_dead_node_was_telling_is_told_by_another(database: str, tmp_path: Path) -> None:
    phone = Handset()
    async with push_service() as service:
        allowed = {"PUSH_HOSTS": "127.0.0.1", "OUTBOUND_ALLOW": service.place}
        async with nodes(database, tmp_path, **allowed) as here:
            first, second = here.addresses
            body = {"subscription": service.subscription(phone), "clientId": "phone"}
            service.slowness.append(2 * SOON)
            async with httpx2.AsyncClient(timeout=PATIENCE) as client:
                (await client.post(f"{second}/api/notifications/subscribe", json=body)).raise_for_status()
                (await client.post(f"{first}/api/queue", json={"text": CAPTION})).raise_for_status()
            await _until(lambda: len(service.arrived(phone)) == 1)
            os.kill(_teller(database), signal.SIGKILL)
            assert await _seconds(lambda: len(service.arrived(phone)) == 2) < SOON


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


async def _seconds(holds: Callable[[], bool]) -> float:
    begun = time.monotonic()
    await _until(holds)
    return time.monotonic() - begun


async def _until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - other processes tell nobody
            await asyncio.sleep(0.1)
