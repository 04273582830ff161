"""Nodes while what they share is away: reads go on, writes are kept or clearly refused, and all of it heals by itself."""

import asyncio
import errno
import io
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from redis.asyncio import Redis as AsyncRedis

from tests.api.cooks import CAPTION
from tests.api.listening import listening_to
from tests.instagram.pretend import running
from tests.servers import Postgres, free_port, postgres, redis_server
from tests.trust import NOBODY
from tests.walks.posting import draft, live
from tests.walks.program import environment, serving
from tests.walks.stage import Stage, staged
from tintype.app import open_house
from tintype.backends.database import lock_key
from tintype.backends.vault import new_key
from tintype.cli.listening import bind, listening, port_of
from tintype.core.publishing import Product, State

KEY = new_key()  # of all who come to the same database, one after the other
PATIENCE = 40.0  # seconds for what takes some on an idle machine
QUICK = 20.0  # that a page may take while something is away, on a machine that has more to do


@dataclass(slots=True)
class Redis:
    """A Redis that can be stopped and started again at the same address, empty as it is after a restart."""

    port: int = field(default_factory=free_port)
    _running: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._running.enter_context(redis_server(self.port))

    def stop(self) -> None:
        self._running.close()

    async def is_heard_by_two(self) -> bool:
        """Tell whether two nodes listen to what happens at the other one."""
        async with AsyncRedis.from_url(self.url) as asked:  # pyright: ignore[reportUnknownMemberType] - open keyword arguments
            channels: Any = await asked.pubsub_channels()  # pyright: ignore[reportUnknownMemberType] - open keyword arguments
            counts: Any = await asked.pubsub_numsub(*channels)  # pyright: ignore[reportUnknownMemberType] - open keyword arguments
        return [count for _, count in counts] == [2]


@pytest.fixture(scope="module")
def database() -> Generator[Postgres]:
    with postgres() as found:
        yield found


@pytest.fixture
def redis() -> Generator[Redis]:
    found = Redis()
    found.start()
    try:
        yield found
    finally:
        found.stop()


@asynccontextmanager
async def beside(stage: Stage) -> AsyncGenerator[httpx2.AsyncClient]:
    """Open a second node of the same house, which works no jobs, and a client of it."""
    with bind("127.0.0.1", 0) as listener:
        settings = stage.house.settings.model_copy(update={"port": port_of(listener)})
        url = f"http://127.0.0.1:{port_of(listener)}"
        async with (
            open_house(settings, work=False) as house,
            listening(house.front, listener),
            httpx2.AsyncClient(base_url=url, timeout=60, verify=NOBODY) as http,
        ):
            yield http


async def test_while_redis_is_away_everything_goes_on_and_then_it_heals(database: Postgres, redis: Redis) -> None:
    given = {"database_url": database.url, "redis_url": redis.url, "encryption_key": KEY}
    async with staged(**given) as stage, beside(stage) as other:
        one = await stage.member(posts=1)
        reading = {"Authorization": f"Bearer {one.key}"}
        assert len((await other.get("/photos", headers=reading)).json()["data"]["photos"]) == 1

        redis.stop()
        for http in (stage.http, other) * 3:
            async with asyncio.timeout(QUICK):
                assert (await http.get("/photos", headers=reading)).status_code == 200
        second = await stage.member(posts=2)
        assert len(await second.photos()) == 2
        post = await stage.house.publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "Without"))
        assert (await stage.house.publisher.wait(one.workspace_id, post.id, PATIENCE)).state is State.PUBLISHED
        item = (await other.post("/api/queue", json={"text": CAPTION})).raise_for_status().json()
        await until(lambda: _has_ended(stage.http, item["id"]))

        redis.start()
        await until(
            lambda: _is_ready(stage.http), lambda: _is_ready(other), lambda: _counts(other), redis.is_heard_by_two
        )
        async with listening_to(other) as stream:
            await stream.until(lambda heard: len(heard) > 0)
            later = (await stage.http.post("/api/queue", json={"text": CAPTION})).raise_for_status().json()
            await stream.end_of(later["id"])
        one.post()
        await one.sync()
        await until(lambda: _shows(other, reading, 3))


async def test_a_restart_of_postgres_loses_nothing_and_is_said_clearly(database: Postgres) -> None:
    async with staged(database_url=database.url, encryption_key=KEY, publish_settle_seconds=1) as stage:
        stage.pretend.post("/reset", seed=7, container_seconds=2)
        one = await stage.member(posts=1)
        assert len(await one.photos()) == 1
        house = stage.house
        post = await house.publisher.create(one.workspace_id, one.account_id, draft(Product.IMAGE, "Through it"))

        database.stop()
        async with asyncio.timeout(QUICK):
            assert len(await one.photos()) == 1, "the last good list"
        refused = await stage.http.post("/api/queue", json={"text": CAPTION})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "database" in refused.json()["message"]
        assert (await stage.http.get("/readyz")).status_code == 503

        database.start()
        await until(lambda: _is_ready(stage.http))
        assert (await house.publisher.wait(one.workspace_id, post.id, PATIENCE)).state is State.PUBLISHED
        assert [item["caption"] for item in live(one)] == ["Through it"]
        one.post()
        answer = await stage.http.post("/sync", json={"secret": "sync"})
        assert answer.status_code == 200, "the engine takes jobs again"
        await until(lambda: _shows(stage.http, {"Authorization": f"Bearer {one.key}"}, 3))
        item = (await stage.http.post("/api/queue", json={"text": CAPTION})).raise_for_status().json()
        await until(lambda: _has_ended(stage.http, item["id"]))
        await until(lambda: _is_watched(database))


async def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with staged(blobs_url=(tmp_path / "blobs").as_uri()) as stage:
        one = await stage.member(posts=1)
        kept = _originals(stage)
        team = (await stage.http.post("/api/auth/register", json=_PERSON)).raise_for_status().json()
        headers = {"Authorization": f"Bearer {team['access_token']}", "Content-Type": "image/jpeg"}
        sent: dict[str, Any] = {"content": b"\xff\xd8\xff" + bytes(400_000), "headers": headers}
        with monkeypatch.context() as patch:
            _fill(patch)
            refused = await stage.http.post("/api/sns/instagram/uploads", **sent)
            assert refused.status_code == 503, refused.text
            assert "No space left on device" in refused.json()["error"]
            one.post()
            await one.sync()
            assert len(await one.photos()) == 2, "shown from Instagram until there is room"
            assert _originals(stage) == kept
        assert not list((tmp_path / "blobs" / ".unfinished").iterdir())
        assert (await stage.http.post("/api/sns/instagram/uploads", **sent)).status_code == 201
        await one.sync(deep=True)
        assert await one.assert_whole_feed() == [], "every picture is a copy of our own"


async def test_a_node_goes_on_beside_a_database_that_a_newer_one_migrated(database: Postgres, tmp_path: Path) -> None:
    with running() as pretend:
        around = environment(pretend, DATABASE_URL=database.url, ENCRYPTION_KEY=KEY)
        with serving(tmp_path / "a", around) as (_, old):
            _migrate_further(database.url)
            try:
                with serving(tmp_path / "b", around) as (_, started_later):
                    for url in (old, started_later):
                        async with httpx2.AsyncClient(base_url=url, timeout=PATIENCE, verify=NOBODY) as http:
                            item = (await http.post("/api/queue", json={"text": CAPTION})).raise_for_status().json()
                            await until(lambda http=http, item=item: _has_ended(http, item["id"]))
                            assert (await http.get("/readyz")).status_code == 200
            finally:
                _migrate_back(database.url)


_PERSON = {"email": "full@example.com", "password": "Correct-h0rse"}


def _fill(patch: pytest.MonkeyPatch) -> None:
    """Let the disk have no room for new files, as the system says it: when bytes are written, and again at the end."""

    class Full(io.FileIO):
        def write(self, data: Any) -> int:
            del data
            raise OSError(errno.ENOSPC, "No space left on device")

    opened = Path.open

    def opening(path: Path, mode: str = "r", *given: Any, **more: Any) -> Any:
        return io.BufferedWriter(Full(path, mode)) if mode == "xb" else opened(path, mode, *given, **more)

    patch.setattr(Path, "open", opening)


def _originals(stage: Stage) -> set[str]:
    return {name for name in stage.files() if "/original." in name or "/uploads/" in name}


def _migrate_further(url: str) -> None:
    """Do what a later version's migration may do: add tables, and columns that may be empty."""
    with psycopg.connect(url, autocommit=True) as connection:  # a migration that meets a node at work is tried again
        for table in _tables(connection):
            connection.execute(SQL("ALTER TABLE {} ADD COLUMN from_the_future text").format(Identifier(table)))
        connection.execute("CREATE TABLE future (id integer PRIMARY KEY)")
        connection.execute("UPDATE alembic_version SET version_num = '9' || version_num")


def _migrate_back(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DROP TABLE future")
        for table in _tables(connection):
            connection.execute(SQL("ALTER TABLE {} DROP COLUMN from_the_future").format(Identifier(table)))
        connection.execute("UPDATE alembic_version SET version_num = substr(version_num, 2)")


def _tables(connection: "psycopg.Connection[Any]") -> list[str]:
    found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    return [str(row[0]) for row in found if row[0] != "alembic_version"]


async def until(*conditions: Callable[[], Any]) -> None:
    """Wait until each of these holds."""
    async with asyncio.timeout(PATIENCE):
        for holds in conditions:
            while not await holds():  # noqa: ASYNC110 - other processes tell nobody
                await asyncio.sleep(0.1)


async def _is_ready(http: httpx2.AsyncClient) -> bool:
    return (await http.get("/readyz")).status_code == 200


async def _counts(http: httpx2.AsyncClient) -> bool:
    """Tell whether requests are counted, which needs Redis."""
    return "ratelimit-remaining" in (await http.post("/register", json={})).headers


async def _has_ended(http: httpx2.AsyncClient, item_id: str) -> bool:
    return (await http.get(f"/api/queue/{item_id}")).json()["status"] == "success"


async def _shows(http: httpx2.AsyncClient, headers: dict[str, str], count: int) -> bool:
    return len((await http.get("/photos", headers=headers)).json()["data"]["photos"]) == count


async def _is_watched(database: Postgres) -> bool:
    """Tell whether the node holds its lock, without which others would take the jobs it works on."""
    nodes = "SELECT DISTINCT executor_id FROM dbos.workflow_status"
    locks = "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND granted"
    async with await psycopg.AsyncConnection.connect(database.url) as connection:
        names = [str(row[0]) async for row in await connection.execute(nodes) if row[0]]
        held = {int(row[0]) async for row in await connection.execute(locks)}
    return any(lock_key(f"node:{name}") in held for name in names)
