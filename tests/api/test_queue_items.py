"""Seed 4's queue over HTTP: an item from its link to its recipe, as the document shows it."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from tests.api.cooks import done, enqueued, link
from tests.served import Served, served

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    folder = tmp_path_factory.mktemp("recipes")
    async with served(
        only=("queue",), recipe_folder=folder, recipe_read_pictures=False, public_lookups_per_hour=1000
    ) as house:
        yield house


async def test_a_new_item_is_pending_with_three_pending_phases(door: Served) -> None:
    url = f"{await link(door)}?utm_source=ig_web_copy_link"
    item = await enqueued(door, url)
    assert UUID(item["id"]).version == 4
    assert (item["url"], item["status"]) == (url, "pending")
    assert item["phases"] == [
        {"name": name, "status": "pending", "progress": 0} for name in ("extraction", "parsing", "uploading")
    ]
    assert STAMP.fullmatch(item["createdAt"])
    assert item["createdAt"] == item["updatedAt"]


async def test_an_item_becomes_a_recipe_in_the_folder(door: Served) -> None:
    item = await done(door, await link(door))
    assert item["status"] == "success", item
    for phase in item["phases"]:
        assert (phase["status"], phase["progress"]) == ("completed", 100)
        assert STAMP.fullmatch(phase["startedAt"])
        assert phase["startedAt"] <= phase["completedAt"]
    recipe = item["results"]["recipe"]
    assert recipe["servings"] == 4
    assert {"food": "potatoes", "amount": 600, "unit": "g"}.items() <= recipe["ingredients"][0].items()
    assert len(recipe["steps"]) == 4
    assert recipe["steps"][1]["time"] == 5
    assert "soup" in recipe["keywords"]
    assert item["results"]["extractedText"].startswith("Potato soup")
    thumbnail = item["results"]["thumbnail"]
    assert recipe["image"] == thumbnail == f"{door.house.settings.address()}/api/queue/{item['id']}/thumbnail"
    picture = await door.client.get(thumbnail)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    folder = door.house.settings.recipe_folder
    assert folder is not None
    assert (Path(folder) / item["results"]["outlet"]["id"]).is_dir()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 201),
        ({"sec-fetch-site": "same-origin", "origin": "http://own.example"}, 201),
        ({"sec-fetch-site": "cross-site", "origin": "https://evil.example"}, 415),
        ({"sec-fetch-site": "same-site"}, 415),
        ({"origin": "https://evil.example"}, 415),
        ({"origin": "null"}, 415),
        ({"origin": "OWN"}, 201),
    ],
)
async def test_the_documents_example_without_a_content_type_works_for_pages_of_ours(
    door: Served, headers: dict[str, str], status: int
) -> None:
    own = door.house.settings.address()
    sent = {"content-type": "text/plain;charset=UTF-8"} | {
        key: value.replace("OWN", own) for key, value in headers.items()
    }
    body = json.dumps({"url": await link(door)})
    answer = await door.client.post("/api/queue", content=body, headers=sent)
    assert answer.status_code == status, answer.text
