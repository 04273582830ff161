"""The SQL of last uses, for every table whose rows are credentials: they have an `id` and a `used_at`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection, Table, bindparam, update
from sqlalchemy.exc import DBAPIError

from tintype.backends.database import Database
from tintype.core.access.browsing_model import NOTED
from tintype.errors import Unavailable


@dataclass(frozen=True, slots=True)
class UseRecords:
    """Writes when the rows of one table were last used."""

    database: Database
    table: Table

    async def store(self, ids: Sequence[str], at: datetime) -> None:
        """Store that these were used, where no other process did lately.

        Raises `Unavailable` when the database is away, or only read from.
        """
        try:
            await self.database.store(partial(_stored, table=self.table, ids=sorted(ids), at=at))
        except DBAPIError as error:
            raise Unavailable("the database does not take it", retry_after=1) from error


def _stored(connection: Connection, table: Table, ids: Sequence[str], at: datetime) -> None:
    # In one order everywhere, so that two nodes do not wait for each other.
    long_ago = table.c.used_at.is_(None) | (table.c.used_at <= at - NOTED)
    used = update(table).where(table.c.id == bindparam("one"), long_ago)
    connection.execute(used.values(used_at=at), [{"one": one} for one in ids])
