"""The journal: what one process announces the others hear, each thing once, whatever becomes of old entries."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from tintype.backends.bus import encode
from tintype.backends.database import Database, open_database
from tintype.backends.journal import KEPT, Journal, journal
from tintype.backends.migrations import upgrade
from tintype.events import Event, MediaSynced, WorkspaceChanged


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path / 'test.db'}")
    await upgrade(opened)
    yield opened
    await opened.close()


async def soon(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not happened():  # noqa: ASYNC110 - what is waited for has no event: it is another process that acts
            await asyncio.sleep(0.02)


async def listening(database: Database) -> tuple[Journal, list[Event]]:
    bus, heard = Journal(database), list[Event]()
    bus.subscribe(heard.append)
    await bus.start()
    return bus, heard


async def test_another_process_hears_it_once_and_the_own_one_at_once(database: Database) -> None:
    (here, mine), (there, theirs) = await listening(database), await listening(database)
    event = WorkspaceChanged("w1")
    await here.publish(event)
    assert mine == [event]
    await soon(lambda: bool(theirs))
    await there.publish(WorkspaceChanged("w2"))
    await soon(lambda: len(mine) == 2)
    assert theirs == [event, WorkspaceChanged("w2")]
    await here.close()
    await there.close()


async def test_what_was_said_before_is_not_heard(database: Database) -> None:
    early = Journal(database)
    await early.publish(WorkspaceChanged("w1"))
    await early.close()
    late, heard = await listening(database)
    await early.publish(WorkspaceChanged("w2"))
    await soon(lambda: bool(heard))
    assert heard == [WorkspaceChanged("w2")]
    await late.close()


async def test_readers_still_hear_after_the_journal_was_emptied(database: Database) -> None:
    writer = Journal(database)
    for number in range(5):
        await writer.publish(WorkspaceChanged(f"old{number}"))
    await writer.close()
    reader, heard = await listening(database)
    async with database.write() as connection:
        old = datetime.now(UTC) - KEPT - timedelta(minutes=1)
        await connection.execute(update(journal).values(at=old))
    await writer.publish(WorkspaceChanged("new"))
    await soon(lambda: bool(heard))
    assert heard == [WorkspaceChanged("new")]
    await reader.close()


async def test_an_entry_that_becomes_visible_late_is_heard(database: Database) -> None:
    reader, heard = await listening(database)
    for number, name in ((12, "fast"), (11, "slow")):
        row = {"id": number, "node": "other", "event": encode(WorkspaceChanged(name)).decode(), "at": datetime.now(UTC)}
        async with database.write() as connection:
            await connection.execute(insert(journal).values(row))
        await soon(lambda name=name: WorkspaceChanged(name) in heard)
    assert heard == [WorkspaceChanged("fast"), WorkspaceChanged("slow")]
    await reader.close()


async def test_what_many_announce_at_once_is_heard_whole_and_in_order(database: Database) -> None:
    reader, heard = await listening(database)
    writer = Journal(database)
    said = [WorkspaceChanged(f"w{number}") for number in range(50)]
    await asyncio.gather(*(writer.publish(event) for event in said))
    await soon(lambda: len(heard) == len(said))
    assert heard == said
    await writer.close()
    await reader.close()


async def test_a_sync_that_changed_nothing_writes_nothing(database: Database) -> None:
    here, mine = await listening(database)
    there, theirs = await listening(database)
    await here.publish(MediaSynced("w", "a", changed=False))
    await here.publish(WorkspaceChanged("w"))
    await soon(lambda: bool(theirs))
    assert theirs == [WorkspaceChanged("w")]
    assert len(mine) == 2
    await here.close()
    await there.close()
