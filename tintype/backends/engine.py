"""Durable jobs: what is accepted is done, also when the process is killed in the middle of it.

A job is named `package.verb`, carries ids only and may run twice. `DurableEngine` (`engine_durable.py`) stands on DBOS, on SQLite
beside our own file or on Postgres; `RemoteEngine` hands jobs to the process that works them; `InlineEngine` is the twin that needs
nothing and forgets everything. One suite of tests holds them to their promises.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from tintype.errors import Trouble, Unreachable

if TYPE_CHECKING:
    # Its words only: the library itself costs a command a fifth of a second, and most commands have no job for anybody.
    from dbos import EnqueueOptions, WorkflowStatus

Result = Mapping[str, object]

QUEUE = "tintype"
AGAIN = "+"  # on the name of the lane of those that follow a running one
TIDY = "engine.tidy"


class JobState(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Job:
    """A named piece of work; `run` takes ids and returns plain JSON values. Unreachable remotes are tried again."""

    name: str
    run: Callable[..., Awaitable[Result]]
    attempts: int = 3
    seconds_between: float = 2.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Starts a job by a cron line (minute hour day month weekday, UTC)."""

    name: str
    job: str
    cron: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How far a job came; `result` is its answer when it is done, `error` a sentence when it failed."""

    state: JobState
    result: Result = field(default_factory=dict[str, object])
    error: str | None = None


class Engine(Protocol):
    """Takes jobs and says what became of them."""

    async def start(self, jobs: Sequence[Job], schedules: Sequence[Schedule]) -> None:
        """Begin to work on jobs, those first that a killed process left."""
        ...

    async def enqueue(self, job: str, *args: str, unique: str | None = None, again: bool = False) -> str:
        """Accept a job and return its id; while one with the same `unique` waits or runs, return that one's id.

        With `again` one that has begun is not enough, because it may have looked already: the id is that of one that begins
        from now on.
        """
        ...

    async def enqueue_after(self, job: str, *args: str, unique: str) -> str:
        """Put a job into the queue as `enqueue` does; one that is there and has begun is followed by one more.

        The id is that of the one that is there, so who asks twice is told the same; however often that is, one follows.
        """
        ...

    async def outcome(self, job_id: str, *, wait: float = 0) -> Outcome:
        """Return the state of a job, waiting up to `wait` seconds for its end."""
        ...

    async def check(self) -> None:
        """Raise when jobs cannot be accepted."""
        ...

    async def close(self) -> None:
        """Stop working; unfinished jobs stay for the next start."""
        ...


class Lanes(ABC):
    """Both ways into the queue, for engines that can tell whether a job was there."""

    async def enqueue(self, job: str, *args: str, unique: str | None = None, again: bool = False) -> str:
        """As `Engine` says."""
        job_id, has_begun = await self._enqueued(job, args, unique, look=again)
        return await self.enqueue(job, *args, unique=f"{unique}{AGAIN}", again=True) if has_begun else job_id

    async def enqueue_after(self, job: str, *args: str, unique: str) -> str:
        """As `Engine` says."""
        job_id, has_begun = await self._enqueued(job, args, unique, look=True)
        if has_begun:
            await self.enqueue(job, *args, unique=unique + AGAIN)
        return job_id

    @abstractmethod
    async def _enqueued(self, job: str, args: tuple[str, ...], unique: str | None, *, look: bool) -> tuple[str, bool]:
        """Return the job's id and, if it has to `look`, whether that one was there before and may have begun."""


class InlineEngine:
    """The twin: runs each job as a task of this process, at once, and loses it with the process."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._tasks: dict[str, asyncio.Task[Result]] = {}
        self._unique: dict[str, str] = {}

    async def start(self, jobs: Sequence[Job], schedules: Sequence[Schedule] = ()) -> None:
        del schedules
        self._jobs = {job.name: job for job in jobs}

    async def enqueue(self, job: str, *args: str, unique: str | None = None, again: bool = False) -> str:
        if unique and (running := self._running(unique)):
            return await self.enqueue(job, *args, unique=unique + AGAIN, again=True) if again else running
        job_id = str(uuid4())
        self._tasks[job_id] = asyncio.create_task(attempt(self._jobs[job], *args))
        if unique:
            self._unique[unique] = job_id
        return job_id

    async def enqueue_after(self, job: str, *args: str, unique: str) -> str:
        running = self._running(unique)
        made = await self.enqueue(job, *args, unique=unique + AGAIN if running else unique)
        return running or made

    def _running(self, unique: str) -> str | None:
        job_id = self._unique.get(unique)
        return job_id if job_id and not self._tasks[job_id].done() else None

    async def outcome(self, job_id: str, *, wait: float = 0) -> Outcome:
        task = self._tasks.get(job_id)
        if task is None:
            return Outcome(JobState.UNKNOWN)
        if wait:
            await asyncio.wait({task}, timeout=wait)
        if not task.done():
            return Outcome(JobState.RUNNING)
        return _outcome_of(task.result())

    async def check(self) -> None:
        """Always ready."""

    async def close(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)


async def attempt(job: Job, *args: str) -> Result:
    """Run a job, again when a remote was unreachable; a known trouble is an answer, an unknown one is raised."""
    for left in reversed(range(job.attempts)):
        try:
            return await job.run(*args)
        except Unreachable as trouble:
            if not left:
                return {"error": trouble.message, "kind": trouble.kind.value}
            await asyncio.sleep(job.seconds_between * 2 ** (job.attempts - 1 - left))
        except Trouble as trouble:
            return {"error": trouble.message, "kind": trouble.kind.value}
    raise AssertionError("a job has at least one attempt")


def options(job: str, unique: str | None) -> "EnqueueOptions":
    """Return how a job is put into the queue: at most one with the same `unique` waits or runs."""
    found: EnqueueOptions = {"workflow_name": job, "queue_name": QUEUE, "workflow_id": str(uuid4())}
    if unique:
        found["deduplication_id"] = unique
        found["duplication_policy"] = "return-existing"
    return found


async def may_have_begun(engine: Engine, wanted: "EnqueueOptions", job_id: str) -> bool:
    """Tell whether a wish was answered with a job that was there before it and may have looked already."""
    return job_id != wanted.get("workflow_id") and (await engine.outcome(job_id)).state is not JobState.WAITING


def outcome_of_status(status: "WorkflowStatus | None") -> Outcome:
    """Read what the engine's row says of a job."""
    if status is None:
        return Outcome(JobState.UNKNOWN)
    match status.status:
        case "ENQUEUED" | "DELAYED":
            return Outcome(JobState.WAITING)
        case "PENDING":
            return Outcome(JobState.RUNNING)
        case "SUCCESS":
            return _outcome_of(status.output or {})
        case _:
            return Outcome(JobState.FAILED, error=f"the job ended as {status.status}: {status.error}")


def _outcome_of(result: Result) -> Outcome:
    error = result.get("error")
    return Outcome(JobState.FAILED if error else JobState.DONE, result, str(error) if error else None)
