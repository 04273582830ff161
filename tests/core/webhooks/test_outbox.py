"""When a look for what is due is called for: after what somebody wants to hear was stored, and at nothing else."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from tests.core.webhooks.desk import LINK, Desk
from tintype.core.webhooks import Happening, Outbox


@dataclass(slots=True)
class Writer:
    """Somebody who stores things and tells of them, and how often a look was called for."""

    desk: Desk
    woken: list[str] = field(default_factory=list[str])

    @property
    def outbox(self) -> Outbox:
        return replace(self.desk.webhooks.outbox, wake=lambda: self.woken.append("look"))

    async def write(self, event: str = "fp.upload") -> None:
        """Put a message beside something else, as whoever stores a file does."""
        outbox = self.outbox
        async with outbox.database.write() as connection:
            await outbox.put(connection, Happening(self.desk.scope.workspace_id, None, event, LINK, self.desk.now))

    async def store(self, event: str = "fp.upload") -> None:
        await self.write(event)
        self.outbox.due()


@pytest.fixture
def writer(desk: Desk) -> Writer:
    return Writer(desk)


async def test_what_nobody_wants_calls_for_no_look(writer: Writer) -> None:
    await writer.store()
    await writer.desk.add(events=["fp.delete"])
    await writer.store()
    assert writer.woken == []


async def test_what_somebody_wants_calls_for_one_look_each_time(writer: Writer) -> None:
    await writer.desk.add()
    await writer.store()
    await writer.store()
    assert writer.woken == ["look", "look"]
    writer.outbox.due()
    await writer.store("feed.synced")
    assert writer.woken == ["look", "look"]


async def test_nobody_is_kept_from_his_look_by_others(writer: Writer) -> None:
    await writer.desk.add()
    written, others = asyncio.Event(), asyncio.Event()

    async def mine() -> None:
        await writer.write()
        written.set()
        await others.wait()
        writer.outbox.due()

    async def theirs() -> None:
        await written.wait()
        await writer.store("feed.synced")
        assert writer.woken == []
        others.set()

    await asyncio.gather(mine(), theirs())
    assert writer.woken == ["look"]
