"""The queue's stream while nothing happens: a sign of life that proxies hear, in a house whose half minutes are short."""

from pathlib import Path

import pytest

from tests.api.cooks import done, link
from tests.api.listening import listening_to
from tests.served import served
from tintype.api.queue import hub


async def test_a_ping_comes_every_thirty_seconds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert hub.PING_SECONDS == 30
    monkeypatch.setattr(hub, "PING_SECONDS", 0.5)
    async with served(only=("queue",), recipe_folder=tmp_path, recipe_read_pictures=False) as door:
        item = await done(door, await link(door))
        async with listening_to(door.client, itemId=item["id"]) as stream:
            await stream.until(lambda heard: sum(one.event == "ping" for one in heard) > 1)
            ping, *_ = [one for one in stream.heard if one.event == "ping"]
            assert ping.data["timestamp"].endswith("Z")
            assert ping.id is None
