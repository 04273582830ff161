"""Reels that say nothing in their caption: a server hears what is said in our copy of the video, another one sees its frames."""

from typing import Any

from tests.api.cooks import ended
from tests.doubles.model_server import MODEL, model_server
from tests.walks.test_recipes_health import MINUTE, Kitchen, kitchen

CAPTION = "My favourite of all. Save it for later! #yum"
SPOKEN = (
    "You need two cups of flour, three ripe bananas, half a cup of sugar and two eggs. First mash the bananas in a bowl. "
    "Then mix in the eggs and the sugar. Add the flour and stir. Bake it for fifty minutes."
)
PICTURED = ("Bread", "2 cups flour", "3 eggs", "Mix the flour with the eggs in a bowl.", "Bake it for 45 minutes.")


def reel(here: Kitchen) -> str:
    shape = {"width": 180, "height": 320, "caption": CAPTION}
    made = here.stage.pretend.post("/media", username="marlow.bakehouse", kind="REELS", **shape)
    return f"https://www.instagram.com/reel/{made['shortcode']}/"


async def test_what_is_said_in_a_reel_becomes_its_recipe_and_is_asked_for_once() -> None:
    async with model_server("bad gateway", spoken=SPOKEN) as (server, _):
        given: dict[str, Any] = {
            "transcription_base_url": server.base_url,
            "llm_base_url": server.base_url,
            "llm_model": MODEL,
            "recipe_outlet": "none",
        }
        async with kitchen(**given, outbound_allow=(f"127.0.0.1:{server.port}",)) as here:
            done = await here.ended(reel(here))
            assert done["status"] == "success"
            assert SPOKEN in done["results"]["extractedText"]
            foods = [one["food"] for one in done["results"]["recipe"]["ingredients"]]
            assert foods == ["flour", "ripe bananas", "sugar", "eggs"]
            assert len(server.heard) == 1


async def test_a_transcript_is_kept_while_the_model_is_away() -> None:
    async with model_server("bad gateway", spoken="La la la, what a day.") as (server, _):
        given: dict[str, Any] = {
            "transcription_base_url": server.base_url,
            "llm_base_url": server.base_url,
            "llm_model": MODEL,
            "recipe_outlet": "none",
        }
        async with kitchen(**given, outbound_allow=(f"127.0.0.1:{server.port}",)) as here:
            item = await here.ended(reel(here))
            assert (item["status"], item["errorCode"]) == ("unhealthy", "parser_unreachable")
            assert "La la la" in item["results"]["extractedText"]
            server.mode = "good"
            here.stage.skip(2 * MINUTE)
            last = await here.until(item["id"], lambda one: one["status"] == "error")
            assert last["errorCode"] == "incomplete"
            assert len(server.heard) == 1


async def test_what_a_reel_only_shows_becomes_its_recipe() -> None:
    async with model_server(pictured=PICTURED) as (server, _):
        given = {"llm_base_url": server.base_url, "llm_vision_model": MODEL, "recipe_outlet": "none"}
        async with kitchen(**given, outbound_allow=(f"127.0.0.1:{server.port}",)) as here:
            done = await here.ended(reel(here))
            assert done["status"] == "success"
            assert done["results"]["parser"] == "vision"
            assert [one["food"] for one in done["results"]["recipe"]["ingredients"]] == ["flour", "eggs"]
            assert len(server.asked[0]["messages"][1]["content"]) == 7


async def test_with_nothing_set_and_with_media_forbidden_nothing_leaves() -> None:
    async with model_server(pictured=PICTURED, spoken=SPOKEN) as (server, _):
        given: dict[str, Any] = {
            "llm_base_url": server.base_url,
            "llm_vision_model": MODEL,
            "transcription_model": "whisper-1",
            "recipe_outlet": "none",
            "llm_send_media": False,
        }
        async with kitchen(**given, outbound_allow=(f"127.0.0.1:{server.port}",)) as here:
            item = await ended(here.stage.http, await here.enqueue(reel(here)))
            assert (item["status"], item["errorCode"]) == ("error", "not_a_recipe")
            assert (server.asked, server.heard) == ([], [])
