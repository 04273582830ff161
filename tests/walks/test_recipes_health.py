"""What is around a recipe fails and comes back: nothing is lost, nothing is made twice, and nobody has to ask again."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.api.cooks import CAPTION, ended, show, until
from tests.doubles.model_server import MODEL, model_server
from tests.doubles.tandoor import READ, WRITE, PretendTandoor, pretend_tandoor
from tests.walks.stage import Stage, staged
from tintype.core.recipes import Status
from tintype.core.recipes.records import OvertakenError
from tintype.events import QueueItemChanged

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
STORY = """My grandmother never wrote anything down, and yet we all know it by heart.
250 g honesty
2 cups kindness
Stir it on the wood stove for as long as it takes to walk to the well and back again."""


class Kitchen(NamedTuple):
    """A house with its Tandoor, before a pretend Instagram."""

    stage: Stage
    tandoor: PretendTandoor

    async def enqueue(self, url: str) -> str:
        answer = await self.stage.http.post("/api/queue", json={"url": url})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def ended(self, url: str) -> dict[str, Any]:
        return await ended(self.stage.http, await self.enqueue(url))

    async def until(self, item_id: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        return await until(self.stage.http, item_id, holds)

    def post(self, caption: str = CAPTION) -> str:
        """The address of a new post with a recipe."""
        made = self.stage.pretend.post(
            "/media", username="marlow.bakehouse", kind="IMAGE", width=160, height=200, caption=caption
        )
        return f"https://www.instagram.com/p/{made['shortcode']}/"


@asynccontextmanager
async def kitchen(token: str = WRITE, **settings: Any) -> AsyncGenerator[Kitchen]:
    """Open a kitchen."""
    async with pretend_tandoor() as (tandoor, _):
        given: dict[str, object] = {
            "tandoor_url": tandoor.url,
            "tandoor_token": token,
            "outbound_allow": (f"127.0.0.1:{tandoor.port}",),
            "public_lookups_per_hour": 1000,
            "recipe_read_pictures": False,
        }
        async with staged(**{**given, **settings}) as stage:
            yield Kitchen(stage, tandoor)


def states(item: dict[str, Any]) -> list[str]:
    return [phase["status"] for phase in item["phases"]]


async def test_a_recipe_waits_for_tandoor_and_is_made_once_when_that_is_back() -> None:
    async with kitchen() as here:
        here.tandoor.down = True
        item = await here.ended(here.post())
        assert (item["status"], states(item)) == ("unhealthy", ["completed", "completed", "error"])
        assert item["results"]["recipe"]["ingredients"]
        assert "tandoorUrl" not in item["results"]
        assert item["error"]
        assert item["nextRetryAt"] > item["updatedAt"]
        here.stage.skip(2 * MINUTE)
        await here.until(item["id"], lambda one: one.get("nextRetryAt", "") > item["nextRetryAt"])
        still = await show(here.stage.http, item["id"])
        assert (still["status"], still["phases"], still["updatedAt"]) == (
            "unhealthy",
            item["phases"],
            item["updatedAt"],
        )
        here.tandoor.down = False
        here.stage.skip(6 * MINUTE)
        done = await here.until(item["id"], lambda one: one["status"] == "success")
        assert done["phases"][:2] == item["phases"][:2]
        assert "error" not in done
        assert list(here.tandoor.recipes) == [1]
        assert done["results"]["tandoorUrl"] == f"{here.tandoor.url}/recipe/1"
        assert here.tandoor.recipes[1]["image"]
        told: list[str] = []
        for _ in range(1000):  # it is announced after it was stored
            told = [str(one.status) for one in here.stage.events(QueueItemChanged) if one.tell]
            if len(told) == 2:
                break
            await asyncio.sleep(0.01)
        assert told == ["unhealthy", "success"]


async def test_a_lost_answer_makes_no_second_recipe() -> None:
    async with kitchen() as here:
        here.tandoor.lose = 1
        item = await here.ended(here.post())
        assert item["status"] == "success"
        assert list(here.tandoor.recipes) == [1]


async def test_a_full_tandoor_is_an_error_and_a_wrong_token_is_not_the_recipes_fault() -> None:
    async with kitchen() as here:
        here.tandoor.full = True
        item = await here.ended(here.post())
        assert (item["status"], states(item)) == ("error", ["completed", "completed", "error"])
        assert "maximum number of recipes" in item["error"]
        here.tandoor.full = False
        url = f"/api/queue/{item['id']}/retry"
        (await here.stage.http.post(url)).raise_for_status()
        assert (await ended(here.stage.http, item["id"]))["status"] == "success"
    async with kitchen(READ) as here:
        item = await here.ended(here.post())
        assert (item["status"], states(item)) == ("unhealthy", ["completed", "completed", "error"])
        assert "TANDOOR_TOKEN" in item["error"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("x-login", "login_required"),
        ("x-429", "upstream_rate_limited"),
        ("x-checkpt", "checkpoint_required"),
        ("x-403-html", "upstream_blocked"),
    ],
)
async def test_a_door_that_is_shut_makes_an_item_unhealthy(code: str, said: str) -> None:
    async with kitchen() as here:
        item = await here.ended(f"https://www.instagram.com/reel/{code}/")
        assert (item["status"], item["errorCode"]) == ("unhealthy", said)
        assert states(item) == ["error", "pending", "pending"]
        (await here.stage.http.post(f"/api/queue/{item['id']}/retry")).raise_for_status()


async def test_an_error_of_instagrams_own_is_tried_again_at_once_and_then_later() -> None:
    async with kitchen() as here:
        item = await here.ended("https://www.instagram.com/reel/x-503-once/")
        assert item["errorCode"] == "not_a_recipe"


async def test_who_has_used_up_the_hours_look_ups_waits_his_turn() -> None:
    async with kitchen(public_lookups_per_hour=1) as here:
        assert (await here.ended(here.post()))["status"] == "success"
        waiting = await here.enqueue(here.post())
        await here.until(waiting, lambda one: states(one)[0] == "pending" and one["updatedAt"] != one["createdAt"])
        here.stage.skip(2 * HOUR)
        assert (await ended(here.stage.http, waiting))["status"] == "success"


async def test_a_model_reads_what_rules_cannot_and_is_waited_for_while_it_is_away() -> None:
    async with model_server("bad gateway") as (model, _), kitchen() as tandoor_only:
        item = await tandoor_only.ended(tandoor_only.post(STORY))
        assert (item["status"], item["errorCode"], model.asked) == ("error", "not_a_recipe", [])
    async with model_server("bad gateway") as (model, _):
        given = {"llm_base_url": model.base_url, "llm_model": MODEL, "recipe_outlet": "none"}
        async with kitchen(**given, outbound_allow=(f"127.0.0.1:{model.port}",)) as here:
            item = await here.ended(here.post(STORY))
            assert (item["status"], states(item)) == ("unhealthy", ["completed", "error", "pending"])
            model.mode = "good"
            here.stage.skip(2 * MINUTE)
            done = await here.until(item["id"], lambda one: one["status"] == "success")
            assert done["results"]["parser"] == "llm"
            assert done["results"]["recipe"]["ingredients"]


async def test_without_an_outlet_the_recipe_stays_here(tmp_path: Path) -> None:
    async with kitchen(recipe_outlet="none", recipe_folder=tmp_path) as here:
        item = await here.ended(here.post())
        assert (item["status"], states(item)) == ("success", ["completed"] * 3)
        assert item["results"]["warnings"] == ["upload_disabled"]
        assert "tandoorUrl" not in item["results"]
        assert not list(tmp_path.iterdir())  # noqa: ASYNC240 - of this test alone


async def test_an_item_that_three_processes_died_with_is_suspected_and_tried_again_later() -> None:
    async with kitchen() as here:
        pipeline = here.stage.house.kitchen.pipeline
        await here.stage.house.kitchen.runner.close()
        here.stage.pretend.fault("web.graphql", "hang", times=3)
        item_id = await here.enqueue(here.post())
        for death in range(3):
            [item] = await pipeline.records.claim("dead", pipeline.now(), pipeline.policy.lease, 10)
            assert item.losses == max(0, death - 1)
            await _die(pipeline.run(pipeline.walk(item)), item_id, here)
            here.stage.skip(pipeline.policy.lease + timedelta(seconds=1))
        [item] = await pipeline.records.claim("next", pipeline.now(), pipeline.policy.lease, 10)
        await pipeline.run(pipeline.walk(item))
        found = await show(here.stage.http, item_id)
        assert (found["status"], found["errorCode"]) == ("unhealthy", "worker_lost")
        here.stage.calm()
        here.stage.skip(2 * MINUTE)
        [item] = await pipeline.records.claim("next", pipeline.now(), pipeline.policy.lease, 10)
        await pipeline.run(pipeline.walk(item))
        assert (await show(here.stage.http, item_id))["status"] == "success"
        assert list(here.tandoor.recipes) == [1]


async def _die(work: Any, item_id: str, here: Kitchen) -> None:
    """Let a process work until it waits for Instagram, and then no longer."""
    task = asyncio.create_task(work)
    before = len(here.stage.pretend.calls())
    for _ in range(500):
        if len(here.stage.pretend.calls()) > before:
            break
        await asyncio.sleep(0.02)
    assert (await show(here.stage.http, item_id))["status"] == "in_progress"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_whoever_was_overtaken_stores_nothing() -> None:
    async with kitchen() as here:
        records, clock = here.stage.house.kitchen.pipeline.records, here.stage.clock
        await here.stage.house.kitchen.runner.close()
        await here.enqueue(here.post())
        [slow] = await records.claim("slow", clock(), timedelta(seconds=1), 1)
        here.stage.skip(timedelta(seconds=2))
        [quick] = await records.claim("quick", clock(), timedelta(seconds=1), 1)
        assert (quick.id, quick.fence) == (slow.id, slow.fence + 1)
        with pytest.raises(OvertakenError):
            await records.move(slow, clock(), status=Status.ERROR)
        assert (await records.move(quick, clock(), status=Status.ERROR)).item.status is Status.ERROR
