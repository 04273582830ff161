"""What every engine promises: jobs are done once for each `unique`, their outcome is told, trouble is an answer."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tintype.backends import engine_durable as seam
from tintype.backends.engine import TIDY, Engine, InlineEngine, Job, JobState, Result
from tintype.backends.engine_durable import DurableEngine
from tintype.errors import Refused, Unreachable


class Work:
    """The jobs of these tests, and what they saw."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.looked: list[str] = []
        self.gate = asyncio.Event()

    async def note(self, *words: str) -> Result:
        self.done.append(" ".join(words))
        return {"words": len(words)}

    async def wait(self, word: str) -> Result:
        await self.gate.wait()
        return await self.note(word)

    async def look(self, word: str) -> Result:
        """Begin, which is what those who ask again want to come after their asking, and end when all may."""
        self.looked.append(word)
        return await self.wait(word)

    async def refuse(self) -> Result:
        raise Refused("Instagram said no")

    async def flicker(self) -> Result:
        self.done.append("tried")
        if len(self.done) < 2:
            raise Unreachable("away")
        return {}

    def jobs(self) -> tuple[Job, ...]:
        return (
            Job("test.note", self.note),
            Job("test.wait", self.wait),
            Job("test.look", self.look),
            Job("test.refuse", self.refuse),
            Job("test.flicker", self.flicker, seconds_between=0.01),
        )


@pytest.fixture
async def work() -> Work:
    return Work()


@pytest.fixture(params=["inline", "durable"])
async def engine(request: pytest.FixtureRequest, tmp_path: Path, work: Work) -> AsyncIterator[Engine]:
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    made: Engine = InlineEngine() if request.param == "inline" else DurableEngine(url, polling_seconds=0.05)
    await made.start(work.jobs(), ())
    yield made
    await made.close()


async def test_a_job_is_done_and_told(engine: Engine, work: Work) -> None:
    job = await engine.enqueue("test.note", "one", "two")
    outcome = await engine.outcome(job, wait=60)
    assert (outcome.state, outcome.result, outcome.error) == (JobState.DONE, {"words": 2}, None)
    assert work.done == ["one two"]


async def test_known_trouble_is_an_answer(engine: Engine) -> None:
    outcome = await engine.outcome(await engine.enqueue("test.refuse"), wait=60)
    assert (outcome.state, outcome.error) == (JobState.FAILED, "Instagram said no")


async def test_an_unreachable_remote_is_tried_again(engine: Engine, work: Work) -> None:
    outcome = await engine.outcome(await engine.enqueue("test.flicker"), wait=60)
    assert outcome.state is JobState.DONE
    assert work.done == ["tried", "tried"]


async def test_while_one_waits_or_runs_the_same_is_not_queued_again(engine: Engine, work: Work) -> None:
    first = await engine.enqueue("test.wait", "a", unique="a")
    assert await engine.enqueue("test.wait", "a", unique="a") == first
    other = await engine.enqueue("test.wait", "b", unique="b")
    assert other != first
    work.gate.set()
    assert (await engine.outcome(first, wait=60)).state is JobState.DONE
    again = await engine.enqueue("test.wait", "a", unique="a")
    assert again != first
    assert (await engine.outcome(again, wait=60)).state is JobState.DONE
    assert sorted(work.done) == ["a", "a", "b"]


async def test_one_more_follows_a_running_one_when_it_may_have_looked_already(engine: Engine, work: Work) -> None:
    first = await engine.enqueue("test.wait", "a", unique="a")
    async with asyncio.timeout(60):
        while (await engine.outcome(first)).state is not JobState.RUNNING:  # noqa: ASYNC110 - an engine has no such event
            await asyncio.sleep(0.02)
    second = await engine.enqueue("test.wait", "a", unique="a", again=True)
    assert second != first
    assert await engine.enqueue("test.wait", "a", unique="a") == first
    work.gate.set()
    assert (await engine.outcome(second, wait=60)).state is JobState.DONE
    assert (await engine.outcome(first, wait=60)).state is JobState.DONE
    assert work.done == ["a", "a"]


async def test_one_that_has_begun_is_named_and_followed_by_one_more(engine: Engine, work: Work) -> None:
    first = await engine.enqueue_after("test.look", "a", unique="a")
    async with asyncio.timeout(60):
        while not work.looked:  # noqa: ASYNC110 - an engine has no such event
            await asyncio.sleep(0.02)
    for _ in range(3):  # one follows, however often it is asked for
        assert await engine.enqueue_after("test.look", "a", unique="a") == first
        await asyncio.sleep(0.3)
    assert len(work.looked) <= 2
    work.gate.set()
    async with asyncio.timeout(60):
        while len(work.looked) < 2:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
    assert (await engine.outcome(first, wait=60)).state is JobState.DONE
    last = await engine.enqueue("test.look", "a", unique="a", again=True)
    assert (await engine.outcome(last, wait=60)).state is JobState.DONE
    assert len(work.looked) == 3


async def test_whoever_asks_again_gets_one_that_begins_after_it_asked(engine: Engine, work: Work) -> None:
    """Also when the one that follows has begun too, while the first is not written down as ended."""
    asked: list[str] = []
    for number in range(1, 4):
        asked.append(await engine.enqueue("test.look", "a", unique="a", again=True))
        async with asyncio.timeout(60):
            while len(work.looked) < number:  # noqa: ASYNC110 - an engine has no such event
                await asyncio.sleep(0.02)
    assert len(set(asked)) == 3
    work.gate.set()
    for job in asked:
        assert (await engine.outcome(job, wait=60)).state is JobState.DONE
    assert len(work.looked) == 3


async def test_of_those_that_ask_again_while_one_waits_all_get_that_one(work: Work, tmp_path: Path) -> None:
    engine = DurableEngine(f"sqlite:///{tmp_path / 'jobs.db'}", at_once=1, polling_seconds=0.05)
    await engine.start(work.jobs(), ())
    try:
        first = await engine.enqueue("test.wait", "a")
        async with asyncio.timeout(60):
            while (await engine.outcome(first)).state is not JobState.RUNNING:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
        waiting = await engine.enqueue("test.look", "a", unique="a", again=True)
        await asyncio.sleep(0.5)  # in which the engine takes it, ahead of its turn
        asked = [await engine.enqueue("test.look", "a", unique="a", again=True) for _ in range(3)]
        assert asked == [waiting] * 3
        assert (await engine.outcome(waiting)).state is JobState.WAITING
        work.gate.set()
        assert (await engine.outcome(waiting, wait=60)).state is JobState.DONE
        assert len(work.looked) == 1
    finally:
        await engine.close()


async def test_everybody_who_waits_is_told(engine: Engine, work: Work) -> None:
    job = await engine.enqueue("test.wait", "a")
    waiting = [asyncio.create_task(engine.outcome(job, wait=60)) for _ in range(3)]
    await asyncio.sleep(0.1)
    work.gate.set()
    assert [one.state for one in await asyncio.gather(*waiting)] == [JobState.DONE] * 3


async def test_waiting_ends_in_time(engine: Engine) -> None:
    job = await engine.enqueue("test.wait", "a")
    outcome = await engine.outcome(job, wait=0.1)
    assert outcome.state in (JobState.WAITING, JobState.RUNNING)


async def test_an_unknown_job_is_unknown(engine: Engine) -> None:
    assert (await engine.outcome("nobody")).state is JobState.UNKNOWN


async def test_an_engine_that_runs_is_ready(engine: Engine) -> None:
    await engine.check()


async def test_jobs_that_a_closed_engine_left_are_done_by_the_next(tmp_path: Path, work: Work) -> None:
    url = f"sqlite:///{tmp_path / 'jobs.db'}"
    first = DurableEngine(url, polling_seconds=0.05)
    await first.start(work.jobs(), ())
    job = await first.enqueue("test.wait", "a")
    await asyncio.sleep(0.5)
    await first.close()
    work.gate.set()
    second = DurableEngine(url, polling_seconds=0.05)
    await second.start(work.jobs(), ())
    try:
        assert (await second.outcome(job, wait=60)).state is JobState.DONE
        assert work.done == ["a"]
    finally:
        await second.close()


async def test_jobs_that_ended_long_ago_are_forgotten(
    tmp_path: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = DurableEngine(f"sqlite:///{tmp_path / 'jobs.db'}", polling_seconds=0.05)
    await engine.start(work.jobs(), ())
    try:
        old = await engine.enqueue("test.note", "a")
        await engine.outcome(old, wait=60)
        kept = await engine.outcome(await engine.enqueue(TIDY), wait=60)
        assert kept.result == {"forgotten": 0}
        monkeypatch.setattr(seam, "KEPT", seam.KEPT * 0)
        tidied = await engine.outcome(await engine.enqueue(TIDY), wait=60)
        assert tidied.state is JobState.DONE
        assert (await engine.outcome(old)).state is JobState.UNKNOWN
    finally:
        await engine.close()
