"""Remembers answers by idempotency key, so that a client that asks again does not make a thing twice.

Answers may hold credentials, so they are kept sealed. Fail closed: when the database is away, nothing is made.
"""

import asyncio
import hashlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    LargeBinary,
    String,
    Table,
    bindparam,
    delete,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from tintype.backends.database import Database, Instant, metadata
from tintype.backends.statements import Record, Statement
from tintype.backends.vault import Vault
from tintype.errors import Conflict, Invalid, Mismatch, Unavailable

KEPT = timedelta(hours=24)
# A request that has not said for so long that it is still running was cut off with its process: the key may be tried again.
# What must not be made twice has a key of its own where it is stored.
RUNNING = timedelta(seconds=10)
LONGEST_KEY = 255

answers = Table(
    "idempotent_answers",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    Column("at", Instant, nullable=False),
)


_THIS = answers.c.digest == bindparam("key")
_CUT_OFF = answers.c.status.is_(None) & (answers.c.at < bindparam("running_since"))
_FREEING = Statement(delete(answers).where(_THIS, (answers.c.at < bindparam("kept_since")) | _CUT_OFF))
_SWEEPING = Statement(delete(answers).where(answers.c.at < bindparam("kept_since")))
_SWEEPER = "00"  # how the digests begin, one in 256, whose claims also put away what is too old of all others
_GIVEN = Statement(select(answers.c.request, answers.c.status, answers.c.body).where(_THIS))
_HOLDING = Statement(update(answers).where(_THIS, answers.c.status.is_(None)))
_FINISHING = Statement(update(answers).where(_THIS))
_ABANDONING = Statement(delete(answers).where(_THIS))


@cache
def _claiming(dialect: str) -> Statement:
    put = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return Statement(put(answers).on_conflict_do_nothing().returning(answers.c.digest))


@dataclass(frozen=True, slots=True)
class Stored:
    """An answer that was given before."""

    status: int
    body: str = field(repr=False)


class Running(Conflict):
    """The same request is under way."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Keeps one answer per key and scope for a day."""

    database: Database
    vault: Vault

    async def begin(self, scope: str, key: str, request: bytes) -> Stored | None:
        """Claim a key for a request, or return the answer it got before.

        Raises `Mismatch` when the key came with another request, `Running` while that one still does.
        """
        if not 0 < len(key) <= LONGEST_KEY:
            raise Invalid(f"Idempotency-Key must have 1 to {LONGEST_KEY} characters")
        now = datetime.now(UTC)
        digest, content = _digest(scope, key), hashlib.sha256(request).hexdigest()
        times = {"kept_since": now - KEPT, "running_since": now - RUNNING}

        def claim(connection: Connection) -> tuple[bool, Record | None]:
            if digest.startswith(_SWEEPER):
                _SWEEPING.run(connection, {"kept_since": times["kept_since"]})
            _FREEING.run(connection, {"key": digest, **times})
            row = {"digest": digest, "request": content, "at": now}
            if _claiming(connection.dialect.name).value(connection, row) is not None:
                return True, None
            return False, _GIVEN.one(connection, {"key": digest})

        is_mine, given = await self.database.store(claim)
        return None if is_mine else self._given(digest, content, given)

    @asynccontextmanager
    async def held(self, scope: str, key: str) -> AsyncGenerator[None]:
        """Hold a claimed key while its request runs, however long that takes."""
        holding = asyncio.create_task(self._hold(_digest(scope, key)), context=Context())
        try:
            yield
        finally:
            holding.cancel()

    async def _hold(self, digest: str) -> None:
        while True:
            await asyncio.sleep(RUNNING.total_seconds() / 4)
            this = {"key": digest, "at": datetime.now(UTC)}
            with suppress(Unavailable):
                await self.database.store(lambda connection, this=this: _HOLDING.run(connection, this))

    async def finish(self, scope: str, key: str, answer: Stored) -> None:
        """Keep the answer for a key that was claimed."""
        digest = _digest(scope, key)
        sealed = self.vault.seal(answer.body, context=f"idempotent_answers:{digest}")
        this = {"key": digest, "status": answer.status, "body": sealed}
        await self.database.store(lambda connection: _FINISHING.run(connection, this))

    async def abandon(self, scope: str, key: str) -> None:
        """Let go of a claimed key whose request failed: trying again may succeed."""
        this = {"key": _digest(scope, key)}
        await self.database.store(lambda connection: _ABANDONING.run(connection, this))

    async def release(self) -> None:
        """Let go of every claimed key: where one process serves, whoever claimed them at its start is dead."""
        async with self.database.write() as connection:
            await connection.execute(delete(answers).where(answers.c.status.is_(None)))

    def _given(self, digest: str, content: str, row: Record | None) -> Stored:
        if row is None:
            raise Running("the request with this Idempotency-Key just ended; try again", retry_after=1)
        request, status, body = row
        if request != content:
            raise Mismatch("this Idempotency-Key was used with another request; use a new key for a new request")
        if status is None or body is None:
            raise Running("the request with this Idempotency-Key is still running", retry_after=2)
        return Stored(status, self.vault.open(body, context=f"idempotent_answers:{digest}"))


def _digest(scope: str, key: str) -> str:
    return hashlib.sha256(f"{scope}\0{key}".encode()).hexdigest()
