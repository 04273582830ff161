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

from sqlalchemy import Column, Integer, LargeBinary, String, Table, delete, select, update
from sqlalchemy.exc import IntegrityError

from tintype.backends.database import Database, Instant, metadata
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
        try:
            async with self.database.write() as connection:
                await connection.execute(delete(answers).where(answers.c.at < now - KEPT))
                cut_off = answers.c.status.is_(None) & (answers.c.at < now - RUNNING)
                await connection.execute(delete(answers).where(answers.c.digest == digest, cut_off))
                await connection.execute(answers.insert().values(digest=digest, request=content, at=now))
        except IntegrityError:
            return await self._given(digest, content)
        return None

    @asynccontextmanager
    async def held(self, scope: str, key: str) -> AsyncGenerator[None]:
        """Hold a claimed key while its request runs, however long that takes."""
        holding = asyncio.create_task(self._hold(_digest(scope, key)), context=Context())
        try:
            yield
        finally:
            holding.cancel()

    async def _hold(self, digest: str) -> None:
        mine = (answers.c.digest == digest) & answers.c.status.is_(None)
        while True:
            await asyncio.sleep(RUNNING.total_seconds() / 4)
            with suppress(Unavailable):
                async with self.database.write() as connection:
                    await connection.execute(update(answers).where(mine).values(at=datetime.now(UTC)))

    async def finish(self, scope: str, key: str, answer: Stored) -> None:
        """Keep the answer for a key that was claimed."""
        digest = _digest(scope, key)
        sealed = self.vault.seal(answer.body, context=f"idempotent_answers:{digest}")
        query = update(answers).where(answers.c.digest == digest).values(status=answer.status, body=sealed)
        async with self.database.write() as connection:
            await connection.execute(query)

    async def abandon(self, scope: str, key: str) -> None:
        """Let go of a claimed key whose request failed: trying again may succeed."""
        async with self.database.write() as connection:
            await connection.execute(delete(answers).where(answers.c.digest == _digest(scope, key)))

    async def release(self) -> None:
        """Let go of every claimed key: where one process serves, whoever claimed them at its start is dead."""
        async with self.database.write() as connection:
            await connection.execute(delete(answers).where(answers.c.status.is_(None)))

    async def _given(self, digest: str, content: str) -> Stored | None:
        async with self.database.read() as connection:
            row = (await connection.execute(select(answers).where(answers.c.digest == digest))).one_or_none()
        if row is None:
            raise Running("the request with this Idempotency-Key just ended; try again", retry_after=1)
        if row.request != content:
            raise Mismatch("this Idempotency-Key was used with another request; use a new key for a new request")
        if row.status is None or row.body is None:
            raise Running("the request with this Idempotency-Key is still running", retry_after=2)
        return Stored(row.status, self.vault.open(row.body, context=f"idempotent_answers:{digest}"))


def _digest(scope: str, key: str) -> str:
    return hashlib.sha256(f"{scope}\0{key}".encode()).hexdigest()
