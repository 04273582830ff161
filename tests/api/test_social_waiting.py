"""Posts that take longer than a request may wait: 202, and the same key asks how far they are."""

from collections.abc import AsyncGenerator

import pytest

from tests.api.marketing import Agency, Team, agency


@pytest.fixture(scope="module")
async def office() -> AsyncGenerator[Agency]:
    async with agency(publish_wait_seconds=0.2) as one:
        yield one


@pytest.fixture
async def team(office: Agency) -> Team:
    office.stage.pretend.post("/reset", seed=7, container_seconds=3600)
    return await office.team()


async def test_a_post_that_takes_its_time(office: Agency, team: Team) -> None:
    account = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("product.jpg")}
    answer = await team.post("/posts", body, idempotency_key="slow")
    assert answer.status_code == 202, answer.text
    said = answer.json()
    assert list(said)[:3] == ["message", "db_id", "status"]
    assert said["status"] == "processing"
    assert answer.headers["location"] == f"/api/sns/instagram/posts/{said['db_id']}"
    while not (shown := (await team.get("/posts?status=processing")).json()["posts"]):  # its picture takes a moment
        await office.stage.house.publisher.wait(team.who.workspace_id, said["db_id"], 0.1)
    assert [one["db_id"] for one in shown] == [said["db_id"]]
    again = await team.post("/posts", body, idempotency_key="slow")
    assert (again.status_code, again.json()["db_id"]) == (202, said["db_id"])
    await finish(office, team, said["db_id"])
    done = await team.post("/posts", body, idempotency_key="slow")
    assert done.status_code == 201, done.text
    assert done.headers["idempotent-replayed"] == "true"
    [live] = office.published(account.username or "")
    assert done.json() == {"message": "Post created successfully", "post_id": live["id"], "db_id": said["db_id"]}
    last = await team.post("/posts", body, idempotency_key="slow")
    assert (last.json(), last.headers["location"]) == (done.json(), answer.headers["location"])
    changed = await team.post("/posts", {**body, "caption": "other"}, idempotency_key="slow")
    assert changed.status_code == 422


async def finish(office: Agency, team: Team, number: int) -> None:
    """Let Instagram finish a post's container, and wait for its end."""
    house = office.stage.house
    while (post := await house.publisher.get(team.who.workspace_id, number)).container_id is None:
        for part in post.parts:
            if part.container_id:
                change = office.stage.pretend.levers.patch(
                    f"/_world/containers/{part.container_id}", json={"status_code": "FINISHED"}
                )
                change.raise_for_status()
        await house.publisher.wait(team.who.workspace_id, number, 0.1)
    office.stage.pretend.levers.patch(
        f"/_world/containers/{post.container_id}", json={"status_code": "FINISHED"}
    ).raise_for_status()
    ended = await house.publisher.wait(team.who.workspace_id, number, 60)
    assert ended.media_id is not None


async def test_a_batch_that_takes_its_time(team: Team) -> None:
    account = await team.connect()
    answer = await team.post("/batch-post", {"image_url": team.url("product.jpg")})
    assert answer.status_code == 207
    [entry] = answer.json()
    assert entry == {"account": account.username, "status": "processing", "db_id": entry["db_id"]}


async def test_a_post_on_its_way_is_called_back(office: Agency, team: Team) -> None:
    account = await team.connect()
    body = {"account_id": account.number, "image_url": team.url("product.jpg")}
    number = (await team.post("/posts", body)).json()["db_id"]
    assert (await team.ask("DELETE", f"/posts/{number}")).status_code == 200
    assert (await team.get(f"/posts/{number}")).json()["status"] == "cancelled"
    assert office.published(account.username or "") == []
