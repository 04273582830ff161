"""The engine's own tables, for those who work no jobs: they hand some to who does, and look at what became of them."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from tintype.backends.database import unavailable
from tintype.backends.engine import Job, JobState, Lanes, Outcome, Schedule, may_have_begun, options, outcome_of_status

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowHandleAsync


class Tables:
    """Opens the engine's tables when they are first asked for: the library costs whoever loads it a fifth of a second."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: DBOSClient | None = None
        self._opening = asyncio.Lock()

    async def opened(self) -> "DBOSClient":
        """Return the tables' client, the same one each time."""
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(_client_of, self._url)
            return self._client

    async def close(self) -> None:
        """Let go of the tables."""
        if self._client is not None:
            await asyncio.to_thread(self._client.destroy)


def _client_of(url: str) -> "DBOSClient":
    from dbos import DBOSClient

    return DBOSClient(system_database_url=url)


class RemoteEngine(Lanes):
    """Hands jobs to the process that works them, without working any; for commands beside a running server."""

    def __init__(self, url: str) -> None:
        self._tables = Tables(url)

    async def start(self, jobs: Sequence[Job], schedules: Sequence[Schedule] = ()) -> None:
        """Nothing to begin: the other process works."""

    async def _enqueued(self, job: str, args: tuple[str, ...], unique: str | None, *, look: bool) -> tuple[str, bool]:
        wanted = options(job, unique)
        client = await self._tables.opened()
        try:
            handle: WorkflowHandleAsync[object] = await client.enqueue_async(wanted, *args)
        except OperationalError as error:
            raise unavailable(error) from error
        job_id = handle.get_workflow_id()
        return job_id, bool(unique) and look and await may_have_begun(self, wanted, job_id)

    async def outcome(self, job_id: str, *, wait: float = 0) -> Outcome:
        client, loop = await self._tables.opened(), asyncio.get_running_loop()
        until = loop.time() + wait
        while True:
            rows = await client.list_workflows_async(workflow_ids=[job_id])
            found = outcome_of_status(rows[0] if rows else None)
            if loop.time() >= until or found.state not in (JobState.WAITING, JobState.RUNNING):
                return found
            await asyncio.sleep(0.1)

    async def check(self) -> None:
        await (await self._tables.opened()).check_connection_async()

    async def close(self) -> None:
        await self._tables.close()
