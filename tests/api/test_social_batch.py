"""One post for many accounts: an entry for each, and nobody's trouble is another's."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from tests.api.marketing import Agency, Team, agency, refused


@pytest.fixture(scope="module")
async def office() -> AsyncGenerator[Agency]:
    async with agency(publish_wait_seconds=20) as one:
        yield one


@pytest.fixture
async def team(office: Agency) -> Team:
    return await office.team()


async def test_every_account_gets_the_post(office: Agency, team: Team) -> None:
    accounts = [await team.connect() for _ in range(3)]
    body = {"image_url": team.url("product.jpg"), "caption": "for all", "hashtags": ["us"]}
    answer = await team.post("/batch-post", body)
    assert answer.status_code == 207, answer.text
    entries = answer.json()
    assert [list(entry) for entry in entries] == [["account", "status", "post_id"]] * 3
    for account, entry in zip(accounts, entries, strict=True):
        assert (entry["account"], entry["status"]) == (account.username, "success")
        [live] = office.published(account.username or "")
        assert (live["id"], live["caption"]) == (entry["post_id"], "for all #us")


async def test_a_dead_account_touches_no_other(office: Agency, team: Team) -> None:
    first, dead, lost, last = [await team.connect() for _ in range(4)]
    gone = await team.connect()
    await team.ask("DELETE", f"/accounts/{gone.number}")
    grip = await office.stage.house.accounts.open(dead.id)
    office.stage.pretend.post("/tokens/revoke", access_token=grip.token)
    office.stage.pretend.fault("graph.container", "status", username=lost.username, status=400, code=36000,
                               subcode=2207004)  # fmt: skip
    for expected in ("failed", "failed"):  # the second time it is known that the account is dead
        answer = await team.post("/batch-post", {"image_url": team.url("product.jpg")})
        assert answer.status_code == 207, answer.text
        entries = {entry["account"]: entry for entry in answer.json()}
        assert list(entries) == [one.username for one in (first, dead, lost, last)]
        assert list(entries[dead.username]) == ["account", "status", "error"]
        assert (entries[dead.username]["status"], bool(entries[dead.username]["error"])) == (expected, True)
        assert entries[first.username]["status"] == entries[last.username]["status"] == "success"
    assert len(office.published(lost.username or "")) == 1
    assert office.published(gone.username or "") == []


async def test_only_the_accounts_that_are_named(office: Agency, team: Team) -> None:
    one, two = await team.connect(), await team.connect()
    foreign = await (await office.team()).connect()
    body = {"image_url": team.url("product.jpg"), "account_ids": [str(two.number), foreign.number, two.number]}
    answer = await team.post("/batch-post", body)
    assert answer.status_code == 207, answer.text
    mine, other = answer.json()
    assert (mine["account"], mine["status"]) == (two.username, "success")
    assert other == {"account": str(foreign.number), "status": "failed", "error": "Instagram account not found"}
    assert office.published(one.username or "") == office.published(foreign.username or "") == []
    assert len(office.published(two.username or "")) == 1


async def test_planned_for_all(office: Agency, team: Team) -> None:
    account = await team.connect()
    when = (office.stage.clock() + timedelta(days=1)).isoformat()
    answer = await team.post("/batch-post", {"image_url": team.url("product.jpg"), "scheduled_at": when})
    [entry] = answer.json()
    assert entry == {"account": account.username, "status": "scheduled", "db_id": entry["db_id"]}
    assert (await team.get(f"/posts/{entry['db_id']}")).json()["status"] == "scheduled"


async def test_what_a_batch_needs(team: Team) -> None:
    assert (await team.post("/batch-post", {"image_url": team.url("product.jpg")})).json() == []
    assert refused(await team.post("/batch-post", {"caption": "nothing"}), 400) == "image_url is required"
    refused(await team.post("/batch-post", {"image_url": team.url("product.jpg"), "account_ids": "all"}), 400)
    refused(await team.post("/batch-post", {"image_url": team.url("product.jpg"), "scheduled_at": "soon"}), 400)


async def test_a_key_covers_the_whole_batch(office: Agency, team: Team) -> None:
    accounts = [await team.connect() for _ in range(2)]
    body = {"image_url": team.url("product.jpg"), "caption": "once for all"}
    answers = await asyncio.gather(*(team.post("/batch-post", body, idempotency_key="all") for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {207, 409}
    again = await team.post("/batch-post", body, idempotency_key="all")
    assert again.headers["idempotent-replayed"] == "true"
    assert [entry["status"] for entry in again.json()] == ["success", "success"]
    assert [len(office.published(one.username or "")) for one in accounts] == [1, 1]
