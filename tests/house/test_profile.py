"""What TINTYPE_TEST_PROFILE names is what the houses of tests really open, each with something of its own."""

import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest
from redis import Redis

from tests import profile
from tests.beside import Kept
from tests.served import served
from tests.walks.stage import staged
from tintype.app import House, open_house
from tintype.backends.blobs import FolderBlobs
from tintype.backends.blobs.bucket import BucketBlobs
from tintype.backends.bus import RedisBus
from tintype.backends.cache import MemoryCache, RedisCache
from tintype.backends.journal import Journal
from tintype.settings import load

FULL = (False, RedisCache, RedisBus, BucketBlobs)
EMBEDDED = (True, MemoryCache, Journal, FolderBlobs)
KEY, BYTES = "files/kept.txt", b"kept"


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def opened(house: House) -> tuple[object, ...]:
    """What a house stands on."""
    used = house.backends
    return (used.database.is_sqlite, type(used.cache), type(used.bus), type(used.blobs))


async def test_houses_of_tests_stand_on_the_profile() -> None:
    chosen = FULL if profile.IS_FULL else EMBEDDED
    async with staged() as stage:
        assert opened(stage.house) == chosen
    async with served() as house:
        assert opened(house.house) == chosen


async def test_each_folder_has_its_own_and_leaves_nothing_behind(tmp_path: Path) -> None:
    one, other, copy = (tmp_path / name for name in ("one", "other", "copy"))
    with profile.servers() as servers:
        for folder in (one, other):
            folder.mkdir()
            async with open_house(load(data=folder, feed_sync_minutes=0, **servers.of(folder))) as house:
                assert opened(house) == FULL
                assert await house.access.workspaces() == []
                await house.access.register("Somebody")
                await house.backends.blobs.put(KEY, BYTES, content_type="text/plain")
                await house.backends.cache.set("mark", BYTES, 60)
        shutil.copytree(one, copy)
        servers.copy(one, copy)
        async with open_house(load(data=copy, feed_sync_minutes=0, **servers.of(copy)), work=False) as house:
            assert len(await house.access.workspaces()) == 1
            assert await house.backends.blobs.get(KEY) == BYTES
        kept = Kept.by(load(data=copy, **servers.of(copy)))
        assert list(kept.files()) == [KEY]
        assert kept.content(KEY) == BYTES
        assert kept.rows("SELECT name FROM workspaces") == [("Somebody",)]
        names = [name_of(servers.of(folder)) for folder in (one, other, copy)]
        assert remaining(servers) == (set(names), {f"{name}:mark" for name in names[:2]})

        shutil.rmtree(one)
        shutil.rmtree(other)
        following = name_of(servers.of(tmp_path / "next"))
        assert remaining(servers) == ({names[2], following}, set())


def name_of(given: profile.Settings) -> str:
    return str(given["database_url"]).rpartition("/")[2]


def remaining(servers: profile.Servers) -> tuple[set[str], set[str]]:
    """The databases and the keys of houses; nobody is connected to any of them."""
    with psycopg.connect(servers.database) as connection:
        ours = (f"{servers.own}_house%",)
        names = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", ours).fetchall()
        busy = connection.execute("SELECT datname FROM pg_stat_activity WHERE datname LIKE %s", ours).fetchall()
        assert busy == []
    redis: Any = Redis.from_url(servers.redis)  # pyright: ignore[reportUnknownMemberType] - open keyword arguments
    with redis:
        return {name for (name,) in names}, {key.decode() for key in redis.keys(f"{servers.own}_house*:mark")}
