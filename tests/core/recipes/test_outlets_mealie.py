"""What leaves for Mealie: JSON-LD under a name that it can bear, without sections, and found by its source again."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.core.recipes.recipes import harmful
from tests.doubles.mealie import TOKEN, PretendMealie, pretend_mealie
from tintype.backends.outbound import HttpOutbound
from tintype.core.recipes import Ingredient, Recipe, Step
from tintype.core.recipes.outlets import Mealie, MealiePolicy, Order, place
from tintype.errors import Refused

NOW = datetime.now(UTC)
RECIPE = Recipe("Pie", (Ingredient("egg", 2),), (Step("Knead."), Step("Brush.", group="Glaze")))


def reach(double: PretendMealie) -> Mealie:
    return Mealie(MealiePolicy(double.url, TOKEN), HttpOutbound(allow=(f"127.0.0.1:{double.port}",)))


async def put(recipe: Recipe, source: str | None = "https://www.instagram.com/p/A/") -> dict[str, Any]:
    async with pretend_mealie() as (double, _):
        mealie = reach(double)
        made = await place(mealie, Order("1", recipe, NOW, source), begun=False)
        assert made == await mealie.find(Order("1", recipe, NOW, source))
        assert made.url == f"{double.url}/g/cooks/r/{made.id}"
        await mealie.outbound.close()
        return double.recipes[made.id]


async def test_a_caption_long_name_is_cut_and_its_sections_are_plain_steps() -> None:
    stored = await put(replace(RECIPE, name="The best lemon pie " * 30))
    assert len(stored["name"]) <= 128
    assert stored["data"]["recipeInstructions"] == [
        {"@type": "HowToStep", "text": "Knead."},
        {"@type": "HowToStep", "text": "Brush."},
    ]


async def test_nothing_in_it_is_code_or_an_address() -> None:
    evil = "{{ 7*7 }} <script>alert(1)</script> https://evil.example/x @a_friend"
    stored = await put(Recipe(f"Pie {evil}", (Ingredient("egg", 2, note=evil),), (Step(f"Mix {evil}"),), evil))
    known = {name: value for name, value in stored["data"].items() if name not in ("@context", "url")}
    assert harmful(known) == []


@pytest.mark.parametrize("source", [None, 'https://www.instagram.com/p/A/?q="or name like "%', "https://a.example/\\"])
async def test_any_source_can_be_asked_for(source: str | None) -> None:
    stored = await put(RECIPE, source)
    assert '"' not in stored["orgURL"]


async def test_the_recipe_can_be_found_before_its_source_is_set_again() -> None:
    """Who dies between the two calls of a creation has left the source in the first one."""
    async with pretend_mealie() as (double, here):
        mealie = reach(double)
        order = Order("1", RECIPE, NOW, "https://www.instagram.com/p/A/")
        await place(mealie, order, begun=False)
        sent = json.loads(next(asked.body for asked in here.asked if "html-or-json" in asked.target))
        assert json.loads(sent["data"])["url"] == order.source_url
        await mealie.outbound.close()


async def test_without_a_group_of_its_own_the_page_is_the_first_one_s() -> None:
    async with pretend_mealie() as (double, _):
        double.group = None
        mealie = reach(double)
        made = await place(mealie, Order("1", RECIPE, NOW), begun=False)
        assert made.url == f"{double.url}/g/home/r/pie"
        await mealie.outbound.close()


async def test_what_it_cannot_read_is_refused_for_good() -> None:
    async with pretend_mealie() as (double, _):
        mealie = reach(double)
        double.empty = True
        with pytest.raises(Refused, match="BAD_RECIPE_DATA"):
            await place(mealie, Order("1", RECIPE, NOW), begun=False)
        await mealie.outbound.close()
