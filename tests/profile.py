"""What the houses of tests stand on: by itself what is embedded, with TINTYPE_TEST_PROFILE=full Postgres, Redis and S3.

The servers are started once a process of tests, at the first house that asks, and serve the programs that it starts. Every
data folder has a database, a prefix in Redis and a bucket of its own, so that a house that is opened again finds what it left;
when the folder is gone, so are they.
"""

import asyncio
import atexit
import os
import shutil
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from dbos import run_dbos_database_migrations
from psycopg.sql import SQL, Identifier
from redis import Redis

from tests.servers import S3, postgres_server, redis_server, s3_server
from tintype.backends.database import open_database
from tintype.backends.migrations import upgrade
from tintype.backends.vault import new_key

IS_FULL = os.environ.get("TINTYPE_TEST_PROFILE") == "full"

_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
_STARTED = "TINTYPE_TEST_SERVERS"

Settings = dict[str, object]


def backends(folder: Path, **chosen: object) -> Settings:
    """Return the settings that put a house of this data folder onto the profile; what a test chose itself stays so."""
    if not IS_FULL or "database_url" in chosen:
        return {}
    return _servers().of(folder)


def environment(folder: Path) -> dict[str, str]:
    """Return what a program is started with, so that it stands on the profile with this data folder."""
    found = backends(folder)
    return {name.upper(): str(value) for name, value in found.items()} | (_CREDENTIALS if found else {})


def copied(folder: Path, to: Path) -> None:
    """Copy a data folder, and what it has on the profile; nobody may be at work on it."""
    shutil.copytree(folder, to)
    if IS_FULL:
        _servers().copy(folder, to)


@dataclass(frozen=True, slots=True)
class Servers:
    """What all houses of this process share, and what each of them was given."""

    database: str
    redis: str
    s3: S3
    given: dict[Path, Settings] = field(default_factory=dict[Path, Settings])
    numbers: "count[int]" = field(default_factory=count)

    @property
    def empty(self) -> str:
        """The database that all others begin as: migrating each of them would take a second."""
        return f"{self.own}_empty"

    @property
    def own(self) -> str:
        """How all names begin that are given out here; others may share the servers."""
        return self.database.rpartition("/")[2]

    def of(self, folder: Path) -> Settings:
        """Return the settings of a house of this data folder, the same ones each time."""
        folder = folder.resolve()
        if folder not in self.given:
            self.given[folder] = self._furnished(self.empty, new_key())
        return self.given[folder]

    def copy(self, folder: Path, to: Path) -> None:
        """Give a data folder a copy of what another one has."""
        source = self.of(folder)
        self.given[to.resolve()] = self._furnished(_name_of(source), str(source["encryption_key"]))

    def _furnished(self, source: str, key: str) -> Settings:
        self._tidy()
        name = f"{self.own}_house{os.getpid()}_{next(self.numbers)}"
        self._ask(SQL("CREATE DATABASE {} TEMPLATE {}").format(Identifier(name), Identifier(source)))
        bucket = replace(self.s3, bucket=name).make()
        if source != self.empty:
            bucket.take(source)
        return {
            "database_url": self.address(name),
            "redis_url": self.redis,
            "redis_key_prefix": f"{name}:",
            "blobs_url": bucket.url,
            "encryption_key": key,
        }

    def address(self, database: str) -> str:
        return self.database.rpartition("/")[0] + f"/{database}"

    def _ask(self, statement: Any) -> None:
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(statement)

    def _tidy(self) -> None:
        """Remove what belonged to folders that are gone."""
        for folder in [folder for folder in self.given if not folder.exists()]:
            name = _name_of(self.given.pop(folder))
            self._ask(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
            self._forget(f"{name}:*")
            replace(self.s3, bucket=name).remove()

    def _forget(self, keys: str) -> None:
        redis: Any = Redis.from_url(self.redis)  # pyright: ignore[reportUnknownMemberType] - open keyword arguments
        with redis:
            for key in redis.scan_iter(keys, count=1000):
                redis.delete(key)

    def prepare(self) -> None:
        """Bring the database that all others begin as to the newest revision, ours and the engine's."""
        self._ask(SQL("CREATE DATABASE {}").format(Identifier(self.empty)))
        with ThreadPoolExecutor(1) as beside:  # whoever asks for a house is in a loop already
            beside.submit(asyncio.run, _migrated(self.address(self.empty))).result()
        run_dbos_database_migrations(system_database_url=self.address(self.empty).replace("://", "+psycopg://"))


def _name_of(given: Settings) -> str:
    return str(given["redis_key_prefix"]).removesuffix(":")


async def _migrated(url: str) -> None:
    database = open_database(url)
    await upgrade(database)
    await database.close()


@contextmanager
def servers() -> Generator[Servers]:
    """Run what the full profile stands on."""
    os.environ |= _CREDENTIALS
    with postgres_server() as database, redis_server() as redis, s3_server() as s3:
        found = Servers(database, redis, s3)
        found.prepare()
        yield found


@cache
def _servers() -> Servers:
    if _STARTED in os.environ:  # by the test that has started this process
        database, redis, s3, bucket = os.environ[_STARTED].split()
        return Servers(database, redis, S3(s3, bucket))
    stack = ExitStack()
    atexit.register(stack.close)
    found = stack.enter_context(servers())
    os.environ[_STARTED] = f"{found.database} {found.redis} {found.s3.origin} {found.s3.bucket}"
    return found
