"""Feeds that are read all the time: what nobody told of is seen in time all the same, and big feeds do not push others out."""

import asyncio
from datetime import UTC, datetime

import pytest

from tests.api.projects import project
from tests.served import Served
from tintype.api.feed import shelf


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute is a second."""
    monkeypatch.setattr(shelf, "RECHECK_SECONDS", 1.0)


@pytest.mark.usefixtures("quick")
async def test_a_change_that_nobody_told_of_is_seen(door: Served) -> None:
    one = await project(door, "IMAGE")
    assert (await door.client.get("/photos", headers=one.bearer)).json()["data"]["photos"]
    await door.house.feed.records.erase(one.id)
    async with asyncio.timeout(20):
        while (await door.client.get("/photos", headers=one.bearer)).json()["data"]["photos"]:
            pass  # as many visitors as come


@pytest.mark.usefixtures("quick")
async def test_a_token_that_was_revoked_without_a_word_is_refused(door: Served) -> None:
    one = await project(door, "IMAGE")
    assert (await door.client.get("/photos", headers=one.bearer)).status_code == 200
    records = door.house.access.records
    for credential in await records.credentials(one.id):
        assert await records.revoke(one.id, credential.id, datetime.now(UTC))
    async with asyncio.timeout(20):
        while (await door.client.get("/photos", headers=one.bearer)).status_code == 200:
            pass  # as many visitors as come
    assert (await door.client.get("/photos", headers=one.bearer)).status_code == 401


async def test_what_does_not_fit_is_made_again(door: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "MOST_BYTES", 1)
    projects = [await project(door, "IMAGE") for _ in range(3)]
    first = [(await door.client.get("/photos", headers=one.bearer)).json() for one in projects]
    assert len({answer["data"]["photos"][0]["id"] for answer in first}) == 3
    assert [(await door.client.get("/photos", headers=one.bearer)).json() for one in projects] == first
