"""A recipe of which its parser is not sure waits for a person, in the document's own statuses, and goes on at one word."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.cooks import CAPTION, done, ended, enqueued, link, show, until
from tests.api.listening import listening_to
from tests.served import Served, served


@pytest.fixture(scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(
        only=("queue",),
        recipe_folder=tmp_path_factory.mktemp("recipes"),
        recipe_read_pictures=False,
        recipe_review_below=1.0,
        public_lookups_per_hour=1000,
    ) as house:
        yield house


async def laid_out(door: Served, **more: object) -> dict[str, Any]:
    """Enqueue a new post and wait until its recipe waits for a person."""
    item = await enqueued(door, await link(door), **more)
    return await until(door.client, item["id"], lambda one: "needsReview" in one)


async def test_a_recipe_waits_before_it_is_put_away(door: Served) -> None:
    item = await laid_out(door)
    assert item["status"] == "pending"
    assert [phase["status"] for phase in item["phases"]] == ["completed", "completed", "pending"]
    assert item["results"]["recipe"]["name"] == "Potato soup for a grey evening"
    assert "outlet" not in item["results"]
    await asyncio.sleep(0.3)  # long enough for whoever would take it
    assert await show(door.client, item["id"]) == item


async def test_one_word_lets_it_go_on(door: Served) -> None:
    item = await laid_out(door)
    answers = [await door.client.post(f"/api/queue/{item['id']}/approve") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 409]
    said = answers[0].json()
    assert (said["success"], said["message"], said["item"]["status"]) == (True, "Item approved", "pending")
    assert answers[1].json()["error"] == "Conflict"
    last = await ended(door.client, item["id"])
    assert last["status"] == "success"
    assert "needsReview" not in last
    assert last["phases"][0] == item["phases"][0]


async def test_of_many_words_at_once_one_counts(door: Served) -> None:
    item = await laid_out(door)
    asked = [door.client.post(f"/api/queue/{item['id']}/approve") for _ in range(8)]
    codes = sorted(answer.status_code for answer in await asyncio.gather(*asked))
    assert codes == [200, *[409] * 7]


async def test_what_waits_can_be_listed(door: Served) -> None:
    item = await laid_out(door)
    page = (await door.client.get("/api/queue", params={"review": "true"})).json()
    assert item["id"] in {one["id"] for one in page["items"]}
    assert all(one["needsReview"] for one in page["items"])
    assert page["total"] == len(page["items"])
    pending = (await door.client.get("/api/queue", params={"review": "true", "status": "success"})).json()
    assert (pending["items"], pending["total"]) == ([], 0)
    assert (await door.client.get("/api/queue", params={"review": "maybe"})).status_code == 400


async def test_a_stream_tells_of_it(door: Served) -> None:
    async with listening_to(door.client) as stream:
        item = await laid_out(door)
        await stream.until(
            lambda heard: any("needsReview" in one.data and one.data["itemId"] == item["id"] for one in heard)
        )
        told = [one.data for one in stream.heard if one.data.get("itemId") == item["id"]]
        assert [one["status"] for one in told if "needsReview" in one] == ["pending"]
        assert told[-1]["results"]["recipe"]["name"] == item["results"]["recipe"]["name"]


async def test_a_person_corrects_it_first(door: Served) -> None:
    item = await laid_out(door)
    steps = [{"instruction": "Fry the onion in the butter for 7 minutes."}, {"instruction": "Boil.", "time": 90}]
    given = {"name": "Grandmother's soup", "steps": steps, "servings": 6, "cookTime": 90, "keywords": None}
    answer = await door.client.patch(f"/api/queue/{item['id']}/recipe", json=given)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert (said["status"], said["needsReview"]) == ("pending", True)
    recipe = said["results"]["recipe"]
    assert (recipe["name"], recipe["servings"], recipe["cookTime"]) == ("Grandmother's soup", 6, 90)
    assert recipe["ingredients"] == item["results"]["recipe"]["ingredients"]
    assert [step.get("time") for step in recipe["steps"]] == [7, 90]
    assert recipe["steps"][0]["ingredients"] == [1, 2]
    assert "keywords" not in recipe
    assert said["results"]["confidence"] == 1
    assert (await door.client.post(f"/api/queue/{item['id']}/approve")).status_code == 200
    last = await ended(door.client, item["id"])
    assert last["results"]["recipe"]["name"] == "Grandmother's soup"
    folder = door.house.settings.recipe_folder
    assert folder is not None
    page = (Path(folder) / last["results"]["outlet"]["id"] / "recipe.jsonld").read_text()
    assert "Grandmother's soup" in page
    late = await door.client.patch(f"/api/queue/{item['id']}/recipe", json={"name": "Too late"})
    assert (late.status_code, late.json()["details"]["status"]) == (409, "success")


@pytest.mark.parametrize(
    "wrong", [{"servings": -1}, {"ingredients": [{"amount": 1}]}, {"name": ""}, {"steps": "boil"}, {"totalTime": 1.5}]
)
async def test_a_correction_that_is_none_is_refused(door: Served, wrong: dict[str, Any]) -> None:
    item = await laid_out(door)
    answer = await door.client.patch(f"/api/queue/{item['id']}/recipe", json=wrong)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error", "message", "details"}
    assert await show(door.client, item["id"]) == item


async def test_without_a_recipe_there_is_nothing_to_correct_or_to_approve(door: Served) -> None:
    item = await done(door, await link(door, "Closed on Mondays. See you soon!"))
    assert (await door.client.patch(f"/api/queue/{item['id']}/recipe", json={"name": "x"})).status_code == 404
    assert (await door.client.post(f"/api/queue/{item['id']}/approve")).status_code == 409
    assert (await door.client.post("/api/queue/nonsense/approve")).status_code == 400
    unknown = "550e8400-e29b-41d4-a716-446655440000"
    assert (await door.client.post(f"/api/queue/{unknown}/approve")).status_code == 404
    assert (await door.client.patch(f"/api/queue/{unknown}/recipe", json={})).status_code == 404


async def test_the_same_post_is_not_taken_again_while_it_waits_and_can_be_thrown_away(door: Served) -> None:
    item = await laid_out(door)
    again = await door.client.post("/api/queue", json={"url": item["url"]})
    assert (again.status_code, again.json()["id"], again.json()["duplicate"]) == (200, item["id"], True)
    assert (await door.client.post(f"/api/queue/{item['id']}/retry")).status_code == 409
    assert (await door.client.delete(f"/api/queue/{item['id']}")).status_code == 200


async def test_a_page_shows_what_waits_and_lets_it_go_on(door: Served) -> None:
    item = await laid_out(door)
    row = (await door.client.get(f"/share/items/{item['id']}")).text
    assert "Look at it" in row
    assert f"/share/items/{item['id']}/approve" in row
    for notice in ("approved", "late"):
        answer = await door.client.post(f"/share/items/{item['id']}/approve")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/share?done={notice}#item-{item['id']}")
    assert (await ended(door.client, item["id"]))["status"] == "success"


async def test_a_sure_recipe_does_not_wait_and_without_the_setting_none_does() -> None:
    async with served(only=("queue",), recipe_review_below=0.5, recipe_read_pictures=False) as door:
        assert (await done(door, await link(door)))["status"] == "success"
    async with served(only=("queue",), recipe_read_pictures=False) as door:
        half = CAPTION.replace("600 g potatoes", "potatoes")
        assert (await done(door, await link(door, half)))["status"] == "success"
