"""The engine that works jobs: DBOS, with what several nodes and short jobs need around it."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context
from datetime import UTC, datetime, timedelta
from weakref import WeakValueDictionary

from dbos import DBOS, DBOSConfig
from dbos._core import ActiveWorkflowById
from sqlalchemy.exc import OperationalError

from tintype import logs, metrics, tracing
from tintype.backends.database import sqlite_file, unavailable
from tintype.backends.engine import (
    QUEUE,
    TIDY,
    Job,
    JobState,
    Lanes,
    Outcome,
    Result,
    Schedule,
    attempt,
    may_have_begun,
    options,
    outcome_of_status,
)
from tintype.backends.recovery import Watch
from tintype.backends.turns import PATIENCE, Turns

log = logging.getLogger(__name__)

POLLING_SECONDS = 0.5  # between two looks at the queue
LOOKS = 5  # in a row that find a job of this node that is not at work, before it goes back to the queue
KEPT = timedelta(days=7)  # how long what became of a job can be looked up

# Jobs that a node alone takes at one look for each that is worked at a time: looks are half a second apart, most jobs take a
# hundredth of one. Where there are others, `turns` says how many.
AHEAD = 16

# The format of our jobs, not the program's version: jobs of an older program must go on after an upgrade.
JOBS_VERSION = "jobs-1"

# A job that was cut off is started again at the next launch; only a job that kills its process every time is given up.
RECOVERIES = 1000


class DurableEngine(Lanes):
    """Works jobs on DBOS; `url` is a SQLite file of its own or the Postgres database, `executor` this node's name.

    Given the `watch` over several nodes, it also takes over the jobs of those that died, and leaves some to those that live.
    """

    def __init__(
        self,
        url: str,
        *,
        executor: str = "local",
        at_once: int = 4,
        polling_seconds: float | None = None,
        watch: Watch | None = None,
    ) -> None:
        self._url = url
        self._executor = executor
        self._turns = Turns(at_once)
        self._polling = polling_seconds or POLLING_SECONDS
        self._ended: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        self._running: set[asyncio.Task[Result]] = set()
        self._closing = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watch = watch
        self._engine: DBOS | None = None
        self._here = _Appetite(self._turns)
        self._missed: dict[str, int] = {}  # jobs that are ours by their rows and not at work here: looks in a row
        if watch is not None:
            watch.busy = self._busy_nodes
            watch.heirs.append(_take_over)

    async def start(self, jobs: Sequence[Job], schedules: Sequence[Schedule] = ()) -> None:
        config: DBOSConfig = {
            "name": "tintype",
            "system_database_url": self._url,
            "application_version": JOBS_VERSION,
            "executor_id": self._executor,
            "log_level": "ERROR",
            "notification_listener_polling_interval_sec": self._polling,
        }
        _append(self._url)
        self._engine = DBOS(config=config)
        if self._watch:
            self._engine._active_workflows_set = self._here  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - there is no other place to say how many
        self._loop = asyncio.get_running_loop()
        schedules = (*schedules, Schedule(TIDY, TIDY, "23 4 * * *"))
        workflows = {job.name: self._workflow(job) for job in (*jobs, Job(TIDY, self._tidy))}
        timers = {schedule.name: self._timer(schedule) for schedule in schedules}
        if self._watch:
            await self._watch.start()
        DBOS.launch()
        # Nodes share what is registered.
        taken = self._turns.at_once * (1 if self._watch else AHEAD)
        await DBOS.register_queue_async(QUEUE, worker_concurrency=taken, polling_interval_sec=self._polling)
        await self._schedule(schedules, timers)
        if self._watch:
            self._watch.look_after_others()
        log.info("engine started with %d kinds of jobs and %d schedules", len(workflows), len(timers))

    async def _enqueued(self, job: str, args: tuple[str, ...], unique: str | None, *, look: bool) -> tuple[str, bool]:
        wanted = options(job, unique)
        # The engine's own way without a thread takes two of them, one after the other.
        try:
            handle = await asyncio.to_thread(DBOS.enqueue_workflow_with_options, wanted, *args)
        except OperationalError as error:
            raise unavailable(error) from error
        job_id = handle.get_workflow_id()
        return job_id, bool(unique) and look and await may_have_begun(self, wanted, job_id)

    async def outcome(self, job_id: str, *, wait: float = 0) -> Outcome:
        # The event tells at once of a job that ended here; one that another node works is looked at again and again.
        ended = self._ended.setdefault(job_id, asyncio.Event())
        clock = asyncio.get_running_loop().time
        until = clock() + wait
        while True:
            found = outcome_of_status(await DBOS.get_workflow_status_async(job_id))
            if found.state is JobState.RUNNING and self._turns.waits(job_id):
                found = Outcome(JobState.WAITING)
            if clock() >= until or found.state not in (JobState.WAITING, JobState.RUNNING):
                return found
            if ended.is_set():
                await asyncio.sleep(0.02)  # the job's last act was ours; its row is written right after
            else:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(until - clock(), self._polling)):
                        await ended.wait()

    async def check(self) -> None:
        await DBOS.list_workflows_async(limit=1)

    async def close(self) -> None:
        # A cancelled workflow keeps its place and goes on at the next start; a failed one would be over.
        self._closing = True
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._watch:
            await self._watch.close()
        # DBOS put its own threads under this loop; what is closed after the engine still needs some.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())
        await asyncio.to_thread(DBOS.destroy, destroy_registry=True)

    async def _tidy(self) -> Result:
        """Forget jobs that ended long ago."""
        before = (datetime.now(UTC) - KEPT).isoformat()
        forgotten = 0
        while ended := await DBOS.list_workflows_async(
            status=["SUCCESS", "ERROR", "CANCELLED"], end_time=before, limit=500, load_input=False, load_output=False
        ):
            await DBOS.delete_workflows_async([one.workflow_id for one in ended])
            forgotten += len(ended)
        return {"forgotten": forgotten}

    def _workflow(self, job: Job) -> object:
        @DBOS.workflow(name=job.name, max_recovery_attempts=RECOVERIES)
        async def run(*args: str) -> Result:
            work = self._work(job, args, DBOS.workflow_id or "")
            if self._loop is None or self._loop is asyncio.get_running_loop():
                return await work
            # While ours rests, DBOS takes a loop of its own, on which nothing of the house may be touched.
            return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

        return run

    async def _work(self, job: Job, args: Sequence[str], job_id: str) -> Result:
        if self._closing:
            raise asyncio.CancelledError
        # In a context of its own: a job that is run again may ask the engine other things in another order, which DBOS
        # would take for a workflow that is not deterministic.
        task = asyncio.get_running_loop().create_task(self._in_turn(job, args, job_id), context=Context())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await task
        finally:
            if not task.cancelled() and (event := self._ended.get(job_id)):
                event.set()

    async def _in_turn(self, job: Job, args: Sequence[str], job_id: str) -> Result:
        if not await self._turns.begin(job_id, PATIENCE if self._watch else None):
            await asyncio.to_thread(self._give_back, job_id)
            raise asyncio.CancelledError  # which ends it here, and nowhere else
        try:
            return await _told(job, args, job_id)
        finally:
            self._turns.end()

    async def _busy_nodes(self) -> set[str]:
        """Return who has unfinished jobs; those of ours that nobody works, as the database went away when they were taken, go on."""
        rows = await DBOS.list_workflows_async(status="PENDING", load_input=False, load_output=False)
        mine = {row.workflow_id for row in rows if row.executor_id == self._executor} - set(self._here.activeList())
        self._missed = {job_id: self._missed.get(job_id, 0) + 1 for job_id in mine}
        for job_id in [job_id for job_id, looks in self._missed.items() if looks >= LOOKS]:
            log.warning("job %s was taken and is not at work; it goes back to the queue", job_id)
            await asyncio.to_thread(self._give_back, job_id)
        return {row.executor_id for row in rows if row.executor_id}

    def _give_back(self, job_id: str) -> None:
        """Put a job that was taken and not begun into the queue again, in its old place."""
        assert self._engine is not None
        tables = self._engine._sys_db  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - as `_take_over`
        tables.reenqueue_for_recovery(job_id, [self._executor], QUEUE)

    def _timer(self, schedule: Schedule) -> Callable[[datetime, object], Awaitable[None]]:
        @DBOS.workflow(name=f"schedule.{schedule.name}")
        async def fire(at: datetime, context: object) -> None:
            del at, context
            await self.enqueue(schedule.job, unique=schedule.name)

        return fire

    async def _schedule(self, wanted: Sequence[Schedule], timers: Mapping[str, object]) -> None:
        for known in await DBOS.list_schedules_async():
            if known["schedule_name"] not in timers:
                await DBOS.delete_schedule_async(known["schedule_name"])
        await DBOS.apply_schedules_async(
            [
                {"schedule_name": one.name, "workflow_fn": timers[one.name], "schedule": one.cron, "context": None}  # pyright: ignore[reportArgumentType] - a workflow is such a function
                for one in wanted
            ]
        )


def _append(url: str) -> None:
    """Let a SQLite file's commits be appended to a log, as durable as before: a quarter of the time that the disk takes.

    The file remembers it. Where another process has it open, it stays as it is until the next start.
    """
    file = sqlite_file(url)
    if file is not None:
        with contextlib.closing(sqlite3.connect(file)) as connection, contextlib.suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")


class _Appetite(ActiveWorkflowById):
    """The engine's list of jobs at work here; it takes what is missing from as many as the queue allows a node."""

    def __init__(self, turns: Turns) -> None:
        super().__init__()
        self._turns = turns

    def count_for_queue(self, queue_name: str) -> int:
        """Return fewer than there are by as many as this node wants beyond what it works at a time."""
        more = self._turns.wanted() - self._turns.at_once if queue_name == QUEUE else 0
        return super().count_for_queue(queue_name) - more


async def _take_over(node: str) -> int:
    # The engine's own word for it, which it otherwise only hears from its makers' cloud.
    return len(await asyncio.to_thread(DBOS._recover_pending_workflows, [node]))  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - see above


async def _told(job: Job, args: Sequence[str], job_id: str) -> Result:
    """Run a job; its lines, its figures and its span say which it is."""
    outcome = "crashed"
    with (
        logs.about(job=job.name, job_id=job_id),
        tracing.span(f"job {job.name}", attributes={"tintype.job_id": job_id}),
        metrics.measured(metrics.JOB_SECONDS, job.name),
    ):
        try:
            result = await attempt(job, *args)
            outcome = "failed" if "error" in result else "done"
            log.debug("job %s: %s", job.name, outcome)
            return result
        except asyncio.CancelledError:
            outcome = "interrupted"
            raise
        finally:
            metrics.JOBS.labels(job.name, outcome).inc()
