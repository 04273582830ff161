"""Webhooks of a whole house: what outlives a kill -9, and what the house's own events tell."""

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.backends.remote import Asked
from tests.core.webhooks.desk import LINK, Receiver, receiving, verified
from tests.profile import environment
from tests.walks.dying_webhooks import settings_of
from tests.walks.posting import draft
from tests.walks.stage import Stage, staged
from tintype.app import House, open_house
from tintype.core.publishing import Product, State
from tintype.core.webhooks import Happening, Scope, Wish

MESSAGES = 12


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


async def _told(house: House, receiver: Receiver) -> str:
    """Register an endpoint, tell it of some things and send nothing; return its secret."""
    workspace, _ = await house.access.register("Receivers")
    hooks = house.picking.hooks
    issued = await hooks.webhooks.add(Scope(workspace.id), Wish(url=receiver.url("/hook")))
    for number in range(MESSAGES):
        text = {**LINK, "size": number}
        await hooks.outbox.tell(Happening(workspace.id, None, "fp.upload", text, datetime.now(UTC)))
    return issued.secret


def _beside(folder: Path) -> dict[str, str]:
    """What a program is started with that works on what this process has prepared."""
    return {**os.environ, "TINTYPE_TEST_PROFILE": "", **environment(folder)}


@pytest.mark.parametrize("moment", ["claimed", "sent", "recorded"])
@pytest.mark.parametrize("count", [1, 3, 7])
async def test_after_a_kill_nothing_is_lost(tmp_path: Path, moment: str, count: int) -> None:
    async with receiving() as receiver:
        settings = settings_of(tmp_path, receiver.remote.place)
        async with open_house(settings, work=False) as house:
            secret = await _told(house, receiver)
        program = ["-m", "tests.walks.dying_webhooks", str(tmp_path), receiver.remote.place, moment, str(count)]
        process = await asyncio.create_subprocess_exec(sys.executable, *program, env=_beside(tmp_path))
        assert await process.wait() == -signal.SIGKILL
        async with open_house(settings):
            await _arrived(receiver, MESSAGES)
        counts = Counter(told["text"]["size"] for told in receiver.told())
        assert sorted(counts) == list(range(MESSAGES)), "every one arrived"
        assert sum(counts.values()) - MESSAGES <= 4, "only what was under way may come twice"
        for asked in receiver.arrived():
            verified(secret, asked, datetime.now(UTC))
        names = {(told["text"]["size"], asked.headers["webhook-id"]) for told, asked in _both(receiver)}
        assert len(names) == MESSAGES, "twice under the same name"


async def test_a_post_that_is_published_is_told() -> None:
    async with receiving() as receiver, staged(outbound_allow=receiver.remote.place) as stage:
        person = await stage.member(posts=1)
        hooks = stage.house.picking.hooks
        events = ["post.published", "account.connected", "account.disconnected", "feed.synced"]
        await hooks.webhooks.add(Scope(person.workspace_id), Wish(url=receiver.url("/hook"), events=events))
        await _published(stage, person.workspace_id, person.account_id)
        person.post()
        await person.sync()
        await person.reconnect()
        await stage.house.accounts.disconnect(person.workspace_id, person.account_id)
        heard: set[str] = set()
        async with asyncio.timeout(30):
            while heard != set(events):
                await asyncio.sleep(0.02)
                heard = {told["action"] for told in receiver.told()}
        by_name = {told["action"]: told["text"] for told in receiver.told()}
        known = {"accountId": person.account_id, "username": person.username}
        assert by_name["account.connected"] == by_name["feed.synced"] == known
        assert by_name["account.disconnected"] == {
            **known,
            "state": "disconnected",
            "reason": "disconnected by its owner",
        }
        assert by_name["post.published"]["mediaId"]


async def test_what_a_dead_process_did_not_announce_is_told_by_the_next() -> None:
    async with receiving() as receiver, staged(outbound_allow=receiver.remote.place) as stage:
        person = await stage.member()
        await _published(stage, person.workspace_id, person.account_id)
        hooks = stage.house.picking.hooks
        wish = Wish(url=receiver.url("/hook"), events=["post.published"])
        issued = await hooks.webhooks.add(Scope(person.workspace_id), wish)
        for _ in range(2):
            await stage.house.announcer.catch_up()
        await _arrived(receiver, 1)
        log = await hooks.webhooks.log(Scope(person.workspace_id), issued.endpoint.id, limit=9)
        assert [one.event for one in log] == ["post.published"]


async def _published(stage: Stage, workspace_id: str, account_id: str) -> None:
    publisher = stage.house.publisher
    post = await publisher.create(workspace_id, account_id, draft(Product.IMAGE, "Told"))
    assert (await publisher.wait(workspace_id, post.id, 30)).state is State.PUBLISHED


async def _arrived(receiver: Receiver, count: int) -> None:
    """Wait until so many different messages are there."""
    seen = len({asked.headers["webhook-id"] for asked in receiver.arrived()})
    async with asyncio.timeout(30):
        while seen < count:
            await asyncio.sleep(0.02)
            seen = len({asked.headers["webhook-id"] for asked in receiver.arrived()})


def _both(receiver: Receiver) -> list[tuple[dict[str, Any], Asked]]:
    return list(zip(receiver.told(), receiver.arrived(), strict=True))
