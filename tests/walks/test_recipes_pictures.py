"""The post's picture is copied while its words are read: a slow one keeps no recipe waiting, and none is forgotten."""

from pathlib import Path

import httpx2

from tests.api.cooks import until
from tests.instagram.pretend import running
from tests.walks.stage import Clock, opened
from tests.walks.test_recipes_health import kitchen


async def test_a_picture_that_takes_its_time_keeps_no_recipe_waiting() -> None:
    async with kitchen(recipe_outlet="none") as here:
        url = here.post()
        here.stage.pretend.fault("cdn.image", "slow", delay_ms=2000)
        item = await here.enqueue(url)
        read = await here.until(item, lambda one: one["phases"][1]["status"] == "completed")
        assert "thumbnail" not in read["results"]
        assert read["results"]["recipe"]["ingredients"]
        done = await here.until(item, lambda one: one["status"] == "success")
        assert (await here.stage.http.get(done["results"]["thumbnail"])).status_code == 200
        assert "no_cover" not in done["results"]["warnings"]


async def test_a_picture_that_is_not_to_be_had_is_a_warning() -> None:
    async with kitchen(recipe_outlet="none") as here:
        url = here.post()
        here.stage.pretend.fault("cdn.image", "status", status=410, times=None)
        done = await here.ended(url)
        assert (done["status"], "thumbnail" in done["results"]) == ("success", False)
        assert "no_cover" in done["results"]["warnings"]


async def test_a_picture_is_copied_by_whoever_goes_on(tmp_path: Path) -> None:
    with running() as pretend:
        given = {"data": tmp_path, "recipe_outlet": "none", "recipe_read_pictures": False}
        async with opened(pretend, Clock(), **given) as stage:
            made = pretend.post(
                "/media", username="marlow.bakehouse", kind="IMAGE", width=160, height=200, caption=SOUP
            )
            pretend.fault("cdn.image", "slow", delay_ms=20_000)
            url = f"https://www.instagram.com/p/{made['shortcode']}/"
            item = (await stage.http.post("/api/queue", json={"url": url})).json()["id"]
            await until(stage.http, item, lambda one: one["phases"][2]["status"] == "in_progress")
        pretend.levers.delete("/_world/faults").raise_for_status()
        async with opened(pretend, Clock(), **given) as stage:
            done = await until(stage.http, item, lambda one: one["status"] == "success")
            answer: httpx2.Response = await stage.http.get(f"/api/queue/{item}/thumbnail")
            assert answer.headers["content-type"] == "image/jpeg"
            assert done["attempt"] == 1


SOUP = """Potato soup

Ingredients:
- 600 g potatoes
- 1 onion
- 2 tbsp butter

Method:
1. Peel the potatoes and cut them into cubes.
2. Fry the onion in the butter, add the potatoes and simmer for 20 minutes.
"""
