"""What the engine has to do and has done, for people: the latest jobs, one more try, and calling one off."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

from sqlalchemy.exc import OperationalError, ProgrammingError

from tintype.backends.engine import TIDY, Engine, JobState, outcome_of_status
from tintype.backends.engine_remote import Tables
from tintype.errors import Conflict, NotFound

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowStatus

SHOWN = 100
_MANY = 500


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job: what it is, with which ids, how far it came, and its sentence when it failed."""

    id: str
    name: str
    args: tuple[str, ...]
    state: JobState
    error: str | None
    tries: int
    at: datetime


class JobDesk:
    """Looks at the engine's own tables, whichever process works the jobs."""

    def __init__(self, url: str, engine: Engine) -> None:
        self._tables, self._engine = Tables(url), engine

    async def counts(self) -> Mapping[JobState, int]:
        """Return how many of the latest jobs stand where."""
        rows = await self.recent()
        return {state: sum(row.state is state for row in rows) for state in JobState}

    async def recent(self, limit: int = SHOWN) -> Sequence[JobRow]:
        """Return the latest jobs, newest first, but those by which the engine tends itself."""
        found = await (await self._tables.opened()).list_workflows_async(limit=limit, sort_desc=True)
        return [_row(one) for one in found if one.name != TIDY and not one.name.startswith("schedule.")]

    async def retry(self, job_id: str) -> str:
        """Queue a job that ended once more, and return the new one's id.

        Raises `NotFound`, and `Conflict` for one that is still on its way.
        """
        row = await self._row(job_id)
        if row.state in (JobState.WAITING, JobState.RUNNING):
            raise Conflict("this job is still on its way")
        return await self._engine.enqueue(row.name, *row.args)

    async def cancel(self, job_id: str) -> None:
        """Call a job off; a running one ends at its next step.

        Raises `NotFound`, and `Conflict` for one that has ended.
        """
        row = await self._row(job_id)
        if row.state not in (JobState.WAITING, JobState.RUNNING):
            raise Conflict("this job has ended already")
        await (await self._tables.opened()).cancel_workflow_async(job_id)

    async def close(self) -> None:
        """Let go of the engine's tables."""
        await self._tables.close()

    async def _row(self, job_id: str) -> JobRow:
        found = await (await self._tables.opened()).list_workflows_async(workflow_ids=[job_id])
        if not found:
            raise NotFound(f"there is no job {job_id[:80]!r}")
        return _row(found[0])


def _row(status: "WorkflowStatus") -> JobRow:
    outcome = outcome_of_status(status)
    given = cast("Sequence[object]", (status.input or {}).get("args") or ())
    at = datetime.fromtimestamp((status.updated_at or status.created_at or 0) / 1000, UTC)
    args = tuple(str(one) for one in given)
    tries = status.recovery_attempts or 0
    return JobRow(status.workflow_id, status.name, args, outcome.state, outcome.error, tries, at)


async def forget_jobs(url: str, words: Collection[str]) -> int:
    """Forget every job whose ids, answer or error hold one of some words, wherever it stands; return how many that were."""
    tables = Tables(url)
    client = await tables.opened()
    try:
        meant: list[str] = []
        seen = 0
        if not await _was_started(client):
            return 0
        while some := await client.list_workflows_async(limit=_MANY, offset=seen):
            meant += [one.workflow_id for one in some if _speaks_of(one, words)]
            seen += len(some)
        for start in range(0, len(meant), _MANY):
            await client.delete_workflows_async(meant[start : start + _MANY])
        return len(meant)
    finally:
        await tables.close()


async def _was_started(client: "DBOSClient") -> bool:
    """Tell whether the engine's tables are there: its first start makes them."""
    try:
        await client.list_workflows_async(limit=1, load_input=False, load_output=False)
    except (OperationalError, ProgrammingError) as error:
        if "no such table" in str(error.orig) or "does not exist" in str(error.orig):
            return False
        raise
    return True


def _speaks_of(status: "WorkflowStatus", words: Collection[str]) -> bool:
    said = repr((status.workflow_id, status.input, status.output, status.error))
    return any(word in said for word in words)
