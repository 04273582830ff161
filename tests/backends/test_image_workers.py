"""The workers behind the picture workshop: started late, few, small, renewed, and never in anybody's way when they die."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from tests.backends.pictures import blank, picture
from tintype.backends import images as seam
from tintype.backends.images import Images
from tintype.errors import Invalid, Unavailable


@pytest.fixture
async def images() -> AsyncIterator[Images]:
    workshop = Images(workers=2)
    yield workshop
    await workshop.close()


def workers() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if "image_worker.py" in " ".join(child.cmdline())]


async def test_a_killed_worker_costs_one_job_and_is_replaced(images: Images) -> None:
    good = picture(width=300, height=300)
    await images.inspect(good)
    (worker,) = workers()
    worker.suspend()
    job = asyncio.create_task(images.inspect(good))
    await asyncio.sleep(0.05)
    worker.send_signal(signal.SIGSEGV)
    worker.resume()
    with pytest.raises(Invalid):
        await job
    assert (await images.inspect(good)).width == 300
    assert worker.pid not in {each.pid for each in workers()}


async def test_a_worker_that_died_while_idle_costs_no_job(images: Images) -> None:
    good = picture(width=300, height=300)
    await images.inspect(good)
    (worker,) = workers()
    worker.kill()
    assert (await images.inspect(good)).width == 300


async def test_a_worker_killed_from_outside_in_the_middle_of_a_job_costs_no_job(images: Images) -> None:
    good = picture(width=300, height=300)
    await images.inspect(good)
    (worker,) = workers()
    worker.suspend()
    job = asyncio.create_task(images.inspect(good))
    await asyncio.sleep(0.05)
    worker.kill()
    assert (await job).width == 300


async def test_a_cancelled_job_does_not_leave_its_answer_to_the_next(images: Images) -> None:
    big, small = picture(), picture(width=100, height=50)
    await images.inspect(small)
    task = asyncio.create_task(images.prepare(big))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await images.inspect(small)).width == 100


async def test_a_job_that_takes_too_long_is_ended(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    await images.inspect(picture(width=100, height=100))
    monkeypatch.setattr(seam, "_JOB_SECONDS", 0.1)
    (worker,) = workers()
    worker.suspend()
    with pytest.raises(Invalid, match="too long"):
        await images.inspect(picture(width=100, height=100))
    assert workers() == []


async def test_workers_are_renewed(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seam, "_JOBS_PER_WORKER", 2)
    small = picture(width=40, height=40)
    seen: set[int] = set()
    for _ in range(4):
        await images.inspect(small)
        seen |= {each.pid for each in workers()}
    assert len(seen) == 2


async def test_many_jobs_share_few_workers_and_too_many_are_sent_away(images: Images) -> None:
    small = picture(width=40, height=40)
    results = await asyncio.gather(*(images.inspect(small) for _ in range(80)), return_exceptions=True)
    refused = [each for each in results if isinstance(each, Unavailable)]
    assert len(refused) == 80 - 64 - 2
    assert refused[0].retry_after == 1
    assert len([each for each in results if not isinstance(each, BaseException)]) == 66
    assert len(workers()) == 2


async def test_closing_ends_the_workers_and_takes_no_more() -> None:
    workshop = Images(workers=1)
    await workshop.inspect(picture(width=40, height=40))
    await workshop.close()
    assert workers() == []
    with pytest.raises(Unavailable):
        await workshop.inspect(b"")


async def test_no_worker_is_started_before_it_is_needed() -> None:
    workshop = Images(workers=2)
    assert workers() == []
    await workshop.close()


async def test_a_worker_is_small_and_knows_no_secret(images: Images, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", "secret")
    await images.inspect(picture(width=40, height=40))
    (worker,) = workers()
    assert "ENCRYPTION_KEY" not in worker.environ()
    assert worker.memory_info().rss < 90 * 1024 * 1024


PARENT = """
import asyncio, sys
from tintype.backends.images import Images
async def run():
    images = Images(workers=1)
    await images.inspect(open(sys.argv[1], "rb").read())
    print("ready", flush=True)
    await asyncio.sleep(60)
asyncio.run(run())
"""


async def test_a_large_picture_is_decoded_in_strips(images: Images) -> None:
    found, made = await images.prepare(blank(7_000, 7_000), (320,), ("jpeg",))
    assert (found.width, found.height, made[0].width) == (7_000, 7_000, 320)
    (worker,) = workers()
    assert worker.memory_info().rss < 300 * 1024 * 1024


def test_workers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "picture.jpg"
    file.write_bytes(picture(width=40, height=40))
    with subprocess.Popen([sys.executable, "-c", PARENT, str(file)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == b"ready\n"
        (worker,) = psutil.Process(parent.pid).children()
        parent.kill()
    gone, alive = psutil.wait_procs([worker], timeout=10)
    assert (len(gone), alive) == (1, [])


async def test_a_look_at_a_new_picture_goes_before_the_sizes_of_an_old_one() -> None:
    workshop = Images(workers=1)
    try:
        good = picture(width=300, height=300)
        first, second = (asyncio.create_task(workshop.render(good)) for _ in range(2))
        await asyncio.sleep(0)
        await workshop.inspect(good)
        assert first.done()
        assert not second.done()
        await second
    finally:
        await workshop.close()


async def test_jobs_that_nobody_wants_any_more_leave_the_queue() -> None:
    workshop = Images(workers=1)
    try:
        good = picture(width=300, height=300)
        jobs = [asyncio.create_task(workshop.render(good)) for _ in range(4)]
        await asyncio.sleep(0)
        for job in jobs[1:]:
            job.cancel()
        await asyncio.gather(*jobs[1:], return_exceptions=True)
        await jobs[0]
        assert (await workshop.inspect(good)).format == "jpeg"
    finally:
        await workshop.close()


async def test_pictures_go_through_the_pipe_where_memory_cannot_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(seam.os, "memfd_create")
    workshop = Images(workers=1)
    try:
        for size in (40, 900):
            assert (await workshop.inspect(picture("png", size, size))).width == size
    finally:
        await workshop.close()


async def test_a_small_picture_after_a_large_one_is_read_alone(images: Images) -> None:
    large, small = blank(3_000, 3_000) + os.urandom(9 * 2**20), picture(width=30, height=20)
    for data, width in ((large, 3_000), (small, 30), (large, 3_000), (small, 30)):
        assert (await images.inspect(data)).width == width


async def test_ended_workers_leave_nothing_open() -> None:
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - one word instead of a list of paths
    for _ in range(3):
        workshop = Images(workers=2)
        await asyncio.gather(*(workshop.inspect(picture(width=40, height=40)) for _ in range(4)))
        await workshop.close()
    await asyncio.sleep(0)
    assert len(os.listdir("/proc/self/fd")) <= before + 1  # noqa: PTH208
