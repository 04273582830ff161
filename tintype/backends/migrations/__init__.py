"""Migrations: the database's history, one file a step; `upgrade` brings any database to the newest."""

from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.database import Database, revision

HEAD = "0011"

# Any number will do that no other program locks in the same database: it keeps two nodes from migrating at once.
_LOCK = 7_463_519_921


async def upgrade(database: Database) -> bool:
    """Bring the database to the newest revision; tell whether there was anything to do."""
    if await revision(database) == HEAD:
        return False
    async with database.write() as connection:
        await _upgrade_locked(connection)
    return True


async def _upgrade_locked(connection: AsyncConnection) -> None:
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SET LOCAL statement_timeout = 0"))
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    await connection.run_sync(_run)


def _run(connection: Connection) -> None:
    # Alembic is only needed when there is something to do; a running server never loads it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
