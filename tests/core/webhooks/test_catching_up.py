"""What was missed, and what waits for an endpoint that stands still."""

import asyncio

import pytest

from tests.core.webhooks.desk import NOW, Desk
from tintype.core.webhooks import Answer, State, Way, Wish


async def test_what_was_missed_is_written_once_however_many_ask(desk: Desk) -> None:
    await desk.add("/other")
    for _ in range(5):
        await desk.tell()
    issued = await desk.add()
    asked = (desk.webhooks.recover(desk.scope, issued.endpoint.id, NOW, missing=True) for _ in range(4))
    assert sum(await asyncio.gather(*asked)) == 5
    await desk.deliver()
    assert len(desk.receiver.arrived()) == 5


@pytest.mark.parametrize("state", [State.PAUSED, State.DISABLED])
async def test_a_listener_gets_nothing_while_its_endpoint_stands_still(desk: Desk, state: State) -> None:
    webhooks, scope = desk.webhooks, desk.scope
    issued = await webhooks.add(scope, Wish(events=["all"]), way=Way.PULL)
    await desk.tell()
    if state is State.PAUSED:
        await webhooks.pause(scope, issued.endpoint.id)
    else:
        (held,) = await webhooks.pull(scope, issued.endpoint.id)
        gone = Answer(status=410)
        await webhooks.answered(scope, issued.endpoint.id, held.delivery.id, held.fence, "http://127.0.0.1/", gone)
        await desk.tell()
    assert (await webhooks.get(scope, issued.endpoint.id)).state is state
    assert await webhooks.pull(scope, issued.endpoint.id) == []
    await webhooks.resume(scope, issued.endpoint.id)
    assert len(await webhooks.pull(scope, issued.endpoint.id)) == 1
