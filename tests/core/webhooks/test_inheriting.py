"""What a dead process was sending: its name ends its leases, and nobody else's."""

from dataclasses import replace

from tests.core.webhooks.desk import Desk
from tintype.core.webhooks import Deliverer, Progress


async def test_what_a_dead_process_was_sending_is_sent_at_once_and_nobody_elses(desk: Desk) -> None:
    await desk.add()
    await desk.tell()
    tries = desk.webhooks.tries
    (mine,) = await replace(tries, owner="dead").claim()
    await desk.tell()
    (other,) = await replace(tries, owner="alive").claim()
    deliverer = Deliverer(tries)
    assert await deliverer.inherit("dead") == 1
    assert await deliverer.inherit("dead") == 0
    (again,) = await replace(tries, owner="heir").claim()
    assert (again.delivery.id, again.fence) == (mine.delivery.id, mine.fence + 1)
    await tries.hold([mine, other])
    assert (await tries.attempt(mine)).state is Progress.DELIVERED
    assert (await tries.attempt(again)).state is Progress.DELIVERED
    found = await desk.webhooks.deliveries.get(again.endpoint, again.delivery.id)
    assert found is not None
    assert len(found[1]) == 1, "who was overtaken stores nothing"
