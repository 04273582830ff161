"""Downloads, standings and the session in both kinds of database: one answer for each post, one holder for each lease."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from tests.servers import postgres_server
from tintype.backends.database import Database, open_database
from tintype.backends.migrations import upgrade
from tintype.core.downloads import (
    Download,
    DownloadRecords,
    Failure,
    File,
    Lease,
    Post,
    RememberedStandings,
    SessionRecords,
    State,
    StoredStandings,
)
from tintype.core.downloads.session_records import SealedSession
from tintype.core.downloads.standings import WRITTEN_EVERY
from tintype.errors import Kind
from tintype.instagram.public import Reason, Standing

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
POST = Post(
    kind="VIDEO",
    product="REELS",
    media_id="1",
    caption="Brot & 🍞",
    owner="somebody",
    owner_name=None,
    taken_at=NOW,
    source="page",
    files=(File("a.mp4", "VIDEO", "video/mp4", 2**40, "0" * 64, 720, None, "https://scontent.cdninstagram.com/x"),),
)


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[Database]:
    del anyio_backend
    if request.param == "sqlite":
        async for opened in _opened(f"sqlite:///{tmp_path_factory.mktemp('records') / 'test.db'}"):
            yield opened
        return
    with postgres_server() as url:
        async for opened in _opened(url):
            yield opened


async def _opened(url: str) -> AsyncIterator[Database]:
    opened = open_database(url)
    await upgrade(opened)
    yield opened
    await opened.close()


@pytest.fixture
def records(database: Database) -> DownloadRecords:
    return DownloadRecords(database)


def fresh(by: str = "one", *, code: str | None = None, at: datetime = NOW) -> Download:
    shortcode = code or f"D{uuid4().hex[:10]}"
    return Download(str(uuid4()), shortcode, State.RUNNING, at, Lease(by, at + timedelta(seconds=30)))


async def test_what_is_stored_is_read_back(records: DownloadRecords) -> None:
    begun = fresh()
    assert await records.current(begun.shortcode) is None
    assert await records.begin(begun, None)
    assert await records.current(begun.shortcode) == await records.find(begun.id) == begun
    done = begun.done(POST, NOW)
    assert await records.finish(done, "one")
    assert await records.find(begun.id) == done
    failed = fresh()
    assert await records.begin(failed, None)
    ended = failed.failed(Failure(Kind.NOT_FOUND, "not_found", "gone", NOW), NOW)
    assert await records.finish(ended, "one")
    assert await records.find(failed.id) == ended


async def test_of_many_who_begin_one_does(records: DownloadRecords) -> None:
    first = fresh()
    tries = [replace(fresh(f"{number}"), shortcode=first.shortcode) for number in range(8)]
    assert sum(await asyncio.gather(*(records.begin(one, None) for one in tries))) == 1
    before = await records.current(first.shortcode)
    assert before is not None
    again = [replace(fresh(f"{number}"), shortcode=first.shortcode) for number in range(8)]
    assert sum(await asyncio.gather(*(records.begin(one, before) for one in again))) == 1
    now = await records.current(first.shortcode)
    assert now is not None
    assert now.id in {one.id for one in again}
    assert (await records.find(before.id)) == before  # whoever has its address can still read what became of it


async def test_of_many_who_take_a_lapsed_lease_one_does(records: DownloadRecords) -> None:
    begun = fresh("dead")
    assert await records.begin(begun, None)
    later = NOW + timedelta(seconds=31)

    async def take(number: int, at: datetime) -> bool:
        return await records.take(begun.id, Lease(f"{number}", at + timedelta(seconds=30)), at)

    assert sum(await asyncio.gather(*(take(number, NOW) for number in range(8)))) == 0
    assert sum(await asyncio.gather(*(take(number, later) for number in range(8)))) == 1
    held = await records.find(begun.id)
    assert held is not None
    assert held.lease is not None
    assert await records.take(begun.id, Lease(held.lease.by, later + timedelta(seconds=60)), later)  # renewed
    assert not await records.finish(begun.done(POST, later), "dead")
    assert await records.finish(begun.done(POST, later), held.lease.by)
    assert not await records.take(begun.id, held.lease, later + timedelta(days=1))


async def test_a_dead_process_lets_go_of_all_at_once(records: DownloadRecords) -> None:
    mine = [fresh("going") for _ in range(3)]
    other = fresh("staying")
    for one in (*mine, other):
        assert await records.begin(one, None)
    assert await records.release("going", NOW) == 3
    running = {one.id: one for one in await records.running()}
    assert {running[one.id].lease for one in mine} == {Lease("going", NOW)}
    assert running[other.id] == other


async def test_the_old_are_found_and_forgotten(records: DownloadRecords) -> None:
    long_ago = NOW - timedelta(days=400)
    old = fresh(at=long_ago)
    assert await records.begin(old, None)
    assert await records.finish(old.done(POST, long_ago), "one")
    [found] = [one for one in await records.ended(long_ago + timedelta(days=1)) if one.id == old.id]
    assert await records.is_current(found)
    await records.forget(old.id)
    assert await records.find(old.id) is None
    assert await records.ended(long_ago + timedelta(days=1)) == []


def used(standing: Standing | None) -> tuple[Standing, int]:
    known = standing or Standing(100, 100, NOW)
    return replace(known, left=known.left - 1), 100 - int(known.left)


@pytest.mark.parametrize("remembered", [False, True])
async def test_every_look_up_counts(database: Database, remembered: bool) -> None:
    stored = StoredStandings(database)
    standings = RememberedStandings(stored) if remembered else stored
    way = f"way-{uuid4().hex[:8]}"
    seen = await asyncio.gather(*(standings.change(way, used) for _ in range(20)))
    assert sorted(seen) == list(range(20))


def limited(standing: Standing | None) -> tuple[Standing, None]:
    known = standing or Standing(100, 100, NOW)
    until = NOW + timedelta(minutes=15)
    return replace(known, open_until=until, limits=1, reason=Reason.UPSTREAM_RATE_LIMITED, last_failure=NOW), None


def looked(standing: Standing | None) -> tuple[Standing, Standing | None]:
    return standing or Standing(100, 100, NOW), standing


async def test_a_refusal_is_written_at_once_and_learned_by_others(database: Database) -> None:
    way = f"way-{uuid4().hex[:8]}"
    here, there = (RememberedStandings(StoredStandings(database)) for _ in range(2))
    await here.change(way, used)
    await there.change(way, used)
    await here.change(way, limited)
    assert (await StoredStandings(database).all())[way].reason is Reason.UPSTREAM_RATE_LIMITED

    def succeeded(standing: Standing | None) -> tuple[Standing, Standing | None]:
        known = standing or Standing(100, 100, NOW)
        return replace(known, last_success=NOW + WRITTEN_EVERY), standing

    known = await there.change(way, succeeded)
    assert known is not None
    assert known.reason is Reason.UPSTREAM_RATE_LIMITED
    assert known.open_until == NOW + timedelta(minutes=15)


async def test_a_standing_is_the_same_after_a_restart(database: Database) -> None:
    way = f"way-{uuid4().hex[:8]}"
    full = Standing(3.5, 1.25, NOW, NOW, NOW, 2, 1, ("a", "b"), Reason.UPSTREAM_ERROR, NOW, NOW)
    await StoredStandings(database).change(way, lambda _: (full, None))
    assert await StoredStandings(database).change(way, looked) == full


async def test_there_is_one_session_at_most(database: Database) -> None:
    records = SessionRecords(database)
    assert await records.find() is None
    for number in range(2):
        await records.keep(SealedSession(f"{number}", b"sealed", None, NOW, NOW, None, None))
    await records.park("0", NOW, "no longer there")
    assert await records.find() == SealedSession("1", b"sealed", None, NOW, NOW, None, None)
    await records.park("1", NOW, "checkpoint_required")
    assert await records.find() == SealedSession("1", b"sealed", None, NOW, NOW, NOW, "checkpoint_required")
    assert await records.remove()
    assert not await records.remove()
