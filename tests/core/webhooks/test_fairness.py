"""Receivers that hang keep nobody else waiting, however many they are and however much waits for them."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.core.webhooks.desk import NOW, Desk, opened
from tintype.backends.database import Database
from tintype.core.webhooks import Policy
from tintype.core.webhooks.tables import endpoints

USUAL = Policy()
BACKLOG = 6
HUNG_FOR = 300.0  # longer than any of these tests: who waits for a place of theirs waits in vain
PATIENCE = 30.0


@asynccontextmanager
async def besieged(database: Database, hung: int) -> AsyncGenerator[Desk]:
    """Open the trade with so many endpoints that hang, each with a backlog, beside one that answers."""
    async with opened(database, seconds=HUNG_FOR, most=500) as desk:
        for number in range(hung):
            desk.receiver.hanging.add(f"/hung/{number}")
            await desk.add(f"/hung/{number}", events=["fp.upload"])
        await desk.add("/quick", events=["fp.delete"])
        for _ in range(BACKLOG):
            await desk.tell("fp.upload")
        try:
            yield desk
        finally:
            await desk.deliverer.close()


async def arrived(desk: Desk, count: int) -> None:
    """Wait until so many messages came to the endpoint that answers."""
    async with asyncio.timeout(PATIENCE):
        while len(desk.receiver.arrived("/quick")) < count:  # noqa: ASYNC110 - a receiver tells nobody
            await asyncio.sleep(0.01)


async def failed(desk: Desk) -> None:
    """Have all endpoints that hang be known for it: each failed a while ago."""
    async with desk.webhooks.outbox.database.write() as connection:
        hung = update(endpoints).where(endpoints.c.url.contains("/hung/"))
        await connection.execute(hung.values(failing_since=NOW, failed_at=NOW))


def held(desk: Desk) -> Counter[str]:
    """Return how many requests each endpoint that hangs has before it."""
    return Counter(asked.target for asked in desk.receiver.remote.asked if asked.target in desk.receiver.hanging)


@pytest.mark.parametrize("hung", [1, 16, 64])
async def test_what_is_fresh_goes_out_while_others_hang(database: Database, hung: int) -> None:
    async with besieged(database, hung) as desk:
        await desk.deliverer.start(alone=True)
        async with asyncio.timeout(PATIENCE):
            while sum(held(desk).values()) < min(hung * USUAL.lanes, USUAL.at_once):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
        for count in range(1, 4):
            await desk.tell("fp.delete")
            await arrived(desk, count)
        assert max(held(desk).values()) <= USUAL.lanes


async def test_those_known_to_hang_get_one_lane_each_and_leave_room(database: Database) -> None:
    async with besieged(database, 130) as desk:
        await failed(desk)
        await desk.deliverer.start(alone=True)
        for count in range(1, 4):
            await desk.tell("fp.delete")
            await arrived(desk, count)
        found = held(desk)
        assert set(found.values()) == {1}
        assert len(found) == USUAL.doubtful


async def test_each_of_those_that_hang_is_tried_in_its_turn(database: Database) -> None:
    async with besieged(database, 100) as desk:
        await failed(desk)
        tries, policy = desk.webhooks.tries, desk.webhooks.policy
        tried = Counter[str]()
        for _ in range(4):
            claims = await tries.claim()
            tried.update(one.endpoint.url for one in claims)
            desk.skip(timedelta(seconds=1))
            async with database.write() as connection:
                names = [one.endpoint.id for one in claims]
                await connection.execute(update(endpoints).where(endpoints.c.id.in_(names)).values(failed_at=desk.now))
            desk.skip(policy.lease)
        assert len(tried) == 100, "none is forgotten behind those that were there first"
        assert max(tried.values()) - min(tried.values()) <= 1
