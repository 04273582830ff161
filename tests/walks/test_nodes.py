"""Two nodes that share Postgres, Redis and a bucket: one feed, one memory of what was revoked, and no job is lost."""

import os
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psycopg
import pytest

from tests.instagram.pretend import Pretend, running
from tests.servers import free_port, postgres_server, redis_server, s3_server
from tests.walks.program import environment, serving
from tests.walks.stage import settings_for
from tintype.app import open_house
from tintype.backends.vault import new_key
from tintype.settings import Settings

PATIENCE = 30.0  # seconds for what takes one

POSTS = 4
MARK = b"\xff\xd8\xff"  # how a JPEG begins


@dataclass(frozen=True, slots=True)
class Ensemble:
    """What the nodes share, and who is on Instagram."""

    pretend: Pretend
    database: str
    shared: dict[str, str] = field(repr=False)
    addresses: tuple[str, str]

    def register(self, url: str) -> str:
        """Register the only person there is at one node and return the token for both."""
        body = {
            "name": "Shared",
            "instagramAccountId": "me",
            "instagramAccountSecret": "secret",
            "instagramAccessToken": self.pretend.token("two.nodes"),
            "apiType": "INSTAGRAM_LOGIN",
        }
        answer = httpx2.post(f"{url}/register", json=body, timeout=PATIENCE)
        assert answer.json()["data"]["sync"] == {"status": "done", "error": None}
        return answer.json()["data"]["authToken"]


@pytest.fixture(scope="module")
def ensemble() -> Generator[Ensemble]:
    with (
        pytest.MonkeyPatch.context() as patch, postgres_server() as database, redis_server() as redis, s3_server() as s3,
        running() as pretend,
    ):  # fmt: skip
        credentials = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        for name, value in credentials.items():
            patch.setenv(name, value)
        addresses = (f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}")
        shared = {
            "DATABASE_URL": database,
            "REDIS_URL": redis,
            "BLOBS_URL": s3.url,
            "ENCRYPTION_KEY": new_key(),
            "PUBLIC_URL": addresses[0],
        }
        pretend.post("/people", username="two.nodes", media=0)
        for _ in range(POSTS):
            _post(pretend)
        yield Ensemble(pretend, database, shared | credentials, addresses)


def _post(pretend: Pretend) -> None:
    pretend.post("/media", username="two.nodes", kind="IMAGE", width=160, height=200)


@contextmanager
def nodes(one: Ensemble, folder: Path) -> Generator[None]:
    """Run both nodes, which know each other through what they share only."""
    around = environment(one.pretend, **one.shared)
    first, second = (int(url.rpartition(":")[2]) for url in one.addresses)
    with serving(folder / "a", around, port=first), serving(folder / "b", around, port=second):
        yield


async def test_two_nodes_show_one_feed_and_lose_no_job(ensemble: Ensemble, tmp_path: Path) -> None:
    with nodes(ensemble, tmp_path):
        first, second = ensemble.addresses
        token = ensemble.register(first)
        assert _photos(first, token) == _photos(second, token)
        assert len(_photos(second, token)) == POSTS
        for photo in _photos(second, token):
            shown = str(photo["mediaUrl"]).replace(first, second)
            assert httpx2.get(shown, timeout=PATIENCE).content.startswith(MARK)

        # The node that works the job is killed; the other one ends it.
        ensemble.pretend.fault("cdn.image", "hang", times=1)
        _post(ensemble.pretend)
        httpx2.post(f"{first}/sync", json={"secret": "sync"}, timeout=PATIENCE).raise_for_status()
        _wait(lambda: any(call.get("fault") == "hang" for call in ensemble.pretend.calls()))
        os.kill(_working(ensemble), signal.SIGKILL)
        alive = next(url for url in ensemble.addresses if _answers(url))
        _wait(lambda: len(_photos(alive, token)) == POSTS + 1)

        # A third node revokes the token; the one that has seen it does not believe it any more.
        async with open_house(_third(ensemble, tmp_path / "c"), work=False) as house:
            workspace = next(one for one in await house.access.workspaces() if one.name == "Shared")
            credential = (await house.access.credentials(workspace.id))[0]
            await house.access.revoke(workspace.id, credential.id)
        _wait(lambda: _status(alive, token) == 401)


async def test_without_redis_the_processes_of_one_folder_tell_each_other(tmp_path: Path) -> None:
    here = {"DATABASE_URL": f"sqlite:///{tmp_path / 'tintype.db'}", "ENCRYPTION_KEY": new_key()}
    with running() as pretend, serving(tmp_path, environment(pretend, **here)) as (_, url):
        settings = settings_for(pretend, data=tmp_path, **{name.lower(): value for name, value in here.items()})
        async with open_house(settings) as house:
            assert not house.backends.works
            workspace, issued = await house.access.register("Journal")
            _wait(lambda: _status(url, issued.secret) == 200)
            await house.access.revoke(workspace.id, issued.credential.id)
            _wait(lambda: _status(url, issued.secret) == 401)


def _third(one: Ensemble, folder: Path) -> Settings:
    names = ("database_url", "redis_url", "blobs_url", "encryption_key")
    return settings_for(one.pretend, data=folder, **{name: one.shared[name.upper()] for name in names})


def _photos(url: str, token: str) -> list[dict[str, object]]:
    answer = httpx2.get(f"{url}/photos", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
    return answer.raise_for_status().json()["data"]["photos"]


def _status(url: str, token: str) -> int:
    return httpx2.get(f"{url}/photos", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE).status_code


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health", timeout=PATIENCE).is_success
    except httpx2.TransportError:
        return False


def _working(one: Ensemble) -> int:
    """The process that has the unfinished job; it is part of the node's name."""
    with psycopg.connect(one.database) as connection:
        query = "SELECT executor_id FROM dbos.workflow_status WHERE status = 'PENDING'"
        names = [str(row[0]) for row in connection.execute(query)]
    assert len(names) == 1
    return int(names[0].split("-")[-2])


def _wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not until():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.1)
