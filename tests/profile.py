"""What the served houses of tests stand on: by itself what is embedded, with TINTYPE_TEST_PROFILE=full Postgres, Redis and S3.

The servers are started once a process of tests, at the first house that asks. Every data folder has a database, a prefix in
Redis and one in the bucket of its own, so that a house that is opened again finds what it left.
"""

import atexit
import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from tests.servers import S3, postgres_server, redis_server, s3_server
from tintype.backends.vault import new_key

IS_FULL = os.environ.get("TINTYPE_TEST_PROFILE") == "full"


@dataclass(frozen=True, slots=True)
class _Servers:
    """What all houses of this process share, and what each of them was given."""

    database: str
    redis: str
    s3: S3
    given: dict[Path, dict[str, object]] = field(default_factory=dict[Path, dict[str, object]])


def backends(folder: Path, **chosen: object) -> dict[str, object]:
    """Return the settings that put a house of this data folder onto the profile; what a test chose itself stays so."""
    if not IS_FULL or "database_url" in chosen:
        return {}
    servers = _servers()
    if folder not in servers.given:
        servers.given[folder] = _own(servers, f"house{len(servers.given)}")
    return servers.given[folder]


def _own(servers: _Servers, name: str) -> dict[str, object]:
    with psycopg.connect(servers.database, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    return {
        "database_url": servers.database.rpartition("/")[0] + f"/{name}",
        "redis_url": servers.redis,
        "redis_key_prefix": f"{name}:",
        "blobs_url": servers.s3.url.replace("/prefix?", f"/{name}?"),
        "encryption_key": new_key(),
    }


@cache
def _servers() -> _Servers:
    stack = ExitStack()
    atexit.register(stack.close)
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    database, redis = stack.enter_context(postgres_server()), stack.enter_context(redis_server())
    return _Servers(database, redis, stack.enter_context(s3_server()))
