"""The engine of one node among several, on Postgres: it takes no more than it comes to, so that the others have something to do."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.servers import postgres_server
from tintype.backends.database import Database, open_database
from tintype.backends.engine import Job, JobState, Result
from tintype.backends.engine_durable import DurableEngine
from tintype.backends.migrations import upgrade
from tintype.backends.recovery import Watch
from tintype.backends.turns import AHEAD_AT_MOST, wanted

PATIENCE = 60.0
AT_ONCE = 2


@dataclass(slots=True)
class Work:
    """The jobs of these tests: quick ones, and one that lasts until it may end."""

    gates: dict[str, asyncio.Event] = field(default_factory=lambda: defaultdict(asyncio.Event))
    begun: list[str] = field(default_factory=list[str])

    async def quick(self) -> Result:
        return {}

    async def slow(self, gate: str) -> Result:
        self.begun.append(gate)
        await self.gates[gate].wait()
        return {}


@dataclass(frozen=True, slots=True)
class Node:
    """One node, and the tables of its engine."""

    engine: DurableEngine
    work: Work
    database: Database

    async def count(self, which: str) -> int:
        """How many jobs are so."""
        async with self.database.read() as connection:
            query = f"SELECT count(*) FROM dbos.workflow_status WHERE name LIKE 'test.%' AND {which}"
            return (await connection.execute(text(query))).scalar_one()

    async def until(self, holds: Callable[[int], bool], which: str) -> None:
        """Wait until it holds of the number of jobs that are so."""
        async with asyncio.timeout(PATIENCE):
            while not holds(await self.count(which)):  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.05)


@pytest.fixture
async def node() -> AsyncGenerator[Node]:
    with postgres_server() as url:
        database = open_database(url)
        await upgrade(database)
        work = Work()
        engine = DurableEngine(
            "postgresql+psycopg" + url[url.index("://") :],
            executor="node",
            at_once=AT_ONCE,
            polling_seconds=0.2,
            watch=Watch(database, "node"),
        )
        await engine.start([Job("test.quick", work.quick), Job("test.slow", work.slow)])
        yield Node(engine, work, database)
        await engine.close()
        await database.close()


async def test_of_slow_jobs_a_node_takes_no_more_than_it_works(node: Node) -> None:
    jobs = [await node.engine.enqueue("test.slow", "gate") for _ in range(10)]
    await node.until(lambda count: count == AT_ONCE, "status = 'PENDING'")
    await asyncio.sleep(1.0)  # some looks, which take nothing
    assert await node.count("status = 'ENQUEUED' AND recovery_attempts = 0") == 10 - AT_ONCE
    node.work.gates["gate"].set()
    for job in jobs:
        assert (await node.engine.outcome(job, wait=PATIENCE)).state is JobState.DONE


async def test_quick_jobs_are_taken_many_at_a_look(node: Node) -> None:
    jobs = [await node.engine.enqueue("test.quick") for _ in range(100)]
    for job in jobs:
        assert (await node.engine.outcome(job, wait=PATIENCE)).state is JobState.DONE
    async with node.database.read() as connection:
        query = "SELECT count(DISTINCT started_at_epoch_ms) FROM dbos.workflow_status WHERE name = 'test.quick'"
        looks = (await connection.execute(text(query))).scalar_one()
    assert looks < 100 / AT_ONCE / 2


async def test_what_a_node_does_not_come_to_others_may_have(node: Node) -> None:
    engine, work = node.engine, node.work
    jobs = [await engine.enqueue("test.slow", gate) for gate in ("first", "then") for _ in range(AT_ONCE)]
    jobs += [await engine.enqueue("test.quick") for _ in range(6)]
    await node.until(lambda count: count == AT_ONCE, "status = 'PENDING'")
    work.gates["first"].set()  # both of them end between two looks, as if they were quick
    await node.until(lambda count: count > 0, "status = 'ENQUEUED' AND recovery_attempts > 0 AND owner_xid IS NULL")
    await node.until(lambda count: count == AT_ONCE, "status = 'PENDING'")
    assert work.begun == ["first"] * AT_ONCE + ["then"] * AT_ONCE
    assert (await engine.outcome(jobs[-1])).state is JobState.WAITING
    work.gates["then"].set()
    for job in jobs:
        assert (await engine.outcome(job, wait=PATIENCE)).state is JobState.DONE


async def test_a_job_that_was_taken_and_never_begun_goes_on(node: Node) -> None:
    engine, work = node.engine, node.work
    jobs = [await engine.enqueue("test.slow", "gate") for _ in range(AT_ONCE)]
    await node.until(lambda count: count == AT_ONCE, "status = 'PENDING'")
    lost = await engine.enqueue("test.quick", unique="lost")
    async with node.database.write() as connection:
        taken = "status = 'PENDING', executor_id = 'node', owner_xid = 'nobody', recovery_attempts = 1"
        await connection.execute(
            text(f"UPDATE dbos.workflow_status SET {taken} WHERE workflow_uuid = :job"), {"job": lost}
        )
    await node.until(lambda count: count == 1, "status = 'ENQUEUED' AND recovery_attempts = 1")
    work.gates["gate"].set()
    for job in (*jobs, lost):
        assert (await engine.outcome(job, wait=PATIENCE)).state is JobState.DONE


@given(st.integers(1, 64), st.integers(0, 10_000))
def test_a_node_wants_what_it_works_at_a_time_and_more_only_while_its_jobs_are_quick(at_once: int, ended: int) -> None:
    found = wanted(at_once, ended)
    assert at_once <= found <= at_once * AHEAD_AT_MOST
    assert found == at_once or ended >= at_once
    assert found <= wanted(at_once, ended + 1)
