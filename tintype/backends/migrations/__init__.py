"""Migrations: the database's history, one file a step; `upgrade` brings any database to the newest."""

import asyncio
import logging
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, revision
from tintype.errors import Unavailable

log = logging.getLogger(__name__)

HEAD = "0017"

# Any number will do that no other program locks in the same database: it keeps two nodes from migrating at once.
_LOCK = 7_463_519_921

_DEADLOCK = "40P01"  # Postgres gave up the migration, because a node that goes on read its tables in another order
_TRIES = 10
PAUSE_SECONDS = 0.5


async def upgrade(database: Database, to: str = HEAD) -> bool:
    """Bring the database to the newest revision, or no further than `to`; tell whether there was anything to do.

    One that a newer version of the program brought further is left as it is: while nodes are upgraded one after the other,
    the old ones go on, because migrations only add (docs/operations/upgrading.md).
    """
    found = await revision(database)
    if found is not None and found >= to:
        if found > HEAD:
            log.warning("the database is at revision %s, newer than this version's %s; going on", found, HEAD)
        return False
    for _ in range(_TRIES - 1):
        try:
            await _upgrade(database, to)
        except Unavailable as trouble:
            if not _is_deadlock(trouble.__cause__):
                raise
            log.warning("the migration met a node at work; trying again")
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return True
    await _upgrade(database, to)
    return True


def _is_deadlock(error: BaseException | None) -> bool:
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _DEADLOCK


async def _upgrade(database: Database, to: str) -> None:
    async with database.write() as connection:
        await _upgrade_locked(connection, to)


async def _upgrade_locked(connection: AsyncConnection, to: str) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    await connection.run_sync(_run, to)


def _run(connection: Connection, to: str) -> None:
    # Alembic is only needed when there is something to do; a running server never loads it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
