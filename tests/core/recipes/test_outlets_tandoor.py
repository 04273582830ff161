"""What leaves for Tandoor: always within its limits, never code, and understood by both lines of it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from tests.backends.remote import answer, remote
from tests.core.recipes.recipes import harmful, recipes
from tests.doubles.tandoor import READ as READ_ONLY
from tests.doubles.tandoor import WRITE, PretendTandoor, pretend_tandoor, recipe_errors, rendered
from tintype.backends.outbound import HttpOutbound
from tintype.core.recipes import Ingredient, Nutrition, Recipe, Servings, Step, Times
from tintype.core.recipes.outlets import Order, Tandoor, TandoorPolicy, place
from tintype.core.recipes.outlets.forms import sentence
from tintype.core.recipes.outlets.tandoor_recipe import payload, times
from tintype.errors import Busy, Misconfigured, Refused, Unreachable

NOW = datetime.now(UTC)
SOURCE = "https://www.instagram.com/p/ABC/"
PLAIN = Recipe("Bread", (Ingredient("flour", 500, unit="g"),), (Step("Knead.", ingredients=(0,)),))


@given(recipes)
def test_whatever_was_parsed_is_taken_and_is_harmless(recipe: Recipe) -> None:
    body = payload(recipe, SOURCE)
    assert recipe_errors(body) == {}
    assert harmful({**body, "source_url": ""}) == []
    json.dumps(body, allow_nan=False)
    for step in body["steps"]:
        assert rendered(step["instruction"]) == f"<p>{step['instruction']}</p>"


@given(recipes)
def test_every_ingredient_is_on_one_step(recipe: Recipe) -> None:
    body = payload(recipe, SOURCE)
    sent = [one for step in body["steps"] for one in step["ingredients"] if not one["is_header"]]
    assert len(sent) <= len(recipe.ingredients)
    named = [one for one in recipe.ingredients if one.food.isalpha()]
    assert len(sent) >= len(named)
    for step in body["steps"]:
        assert [one["order"] for one in step["ingredients"]] == list(range(len(step["ingredients"])))


def test_ingredients_stand_on_the_step_that_uses_them() -> None:
    recipe = Recipe(
        "Pie",
        (
            Ingredient("flour", 2.25, unit="cups", original="2 1/4 cups flour"),
            Ingredient("egg", 2, 3, group="For the glaze", note="beaten"),
            Ingredient("salt", note="to taste", original="salt to taste"),
            Ingredient("sugar", unit="pinch", group="For the glaze"),
        ),
        (Step("Knead.", ingredients=(0,)), Step("Brush.", group="Glaze", minutes=5, ingredients=(1, 3))),
    )
    first, second = payload(recipe, SOURCE)["steps"]
    flour, salt = first["ingredients"]
    header, egg, sugar = second["ingredients"]
    assert (flour["amount"], flour["unit"], flour["original_text"]) == (2.25, {"name": "cups"}, "2 1/4 cups flour")
    assert (salt["food"], salt["amount"], salt["no_amount"]) == ({"name": "salt"}, 0, True)
    assert (header["is_header"], header["note"], header["food"]) == (True, "For the glaze", None)
    assert (egg["amount"], egg["note"], egg["unit"]) == (2, "beaten, 2\u20133", None)
    assert (sugar["amount"], sugar["unit"], sugar["no_amount"]) == (0, {"name": "pinch"}, False)
    assert (second["name"], second["time"], second["order"]) == ("Glaze", 5, 1)


def test_a_long_name_is_cut_at_a_word_and_goes_on_in_the_description() -> None:
    name = "The very best " + "lemon chicken " * 20
    body = payload(replace(PLAIN, name=name, description="From my oven."), SOURCE)
    assert len(body["name"]) <= 128
    assert body["name"].endswith(("lemon…", "chicken…"))
    rest, said = body["description"].split("\n")
    assert body["name"].removesuffix("…") + " " + rest == name.strip()
    assert said == "From my oven."


def test_facts_have_the_form_that_tandoor_wants() -> None:
    facts = replace(
        PLAIN,
        servings=Servings(2.5, what="loaves"),
        nutrition=Nutrition(420, 38, 20, 18),
        keywords=("#Bread", "bread ", "Easy", "x" * 65),
    )
    body = payload(facts, SOURCE)
    assert (body["servings"], body["servings_text"]) == (2, "loaves")
    assert body["nutrition"] == {"calories": 420, "carbohydrates": 20, "fats": 18, "proteins": 38, "source": ""}
    assert body["keywords"] == [{"name": "bread"}, {"name": "easy"}]
    assert (body["source_url"], body["internal"]) == (SOURCE, True)


def test_half_known_nutrition_is_said_and_not_made_up() -> None:
    body = payload(replace(PLAIN, nutrition=Nutrition(calories=420, protein=38.5)), SOURCE)
    assert "nutrition" not in body
    assert body["description"] == "420 kcal, 38.5 g protein"
    assert "servings" not in body


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Times(50, 15, 35), (15, 35)),
        (Times(50, 15), (15, 35)),
        (Times(50, cook=35), (15, 35)),
        (Times(90, 15, 35, 40), (15, 75)),
        (Times(prep=15, cook=35, wait=40), (15, 75)),
        (Times(30), (30, 0)),
        (Times(), (0, 0)),
        (Times(10, 15), (15, 0)),
        (Times(-5, -5), (0, 0)),
    ],
)
def test_times_add_up_to_the_total(known: Times, expected: tuple[int, int]) -> None:
    assert times(known) == expected


def test_a_heading_sign_is_no_heading() -> None:
    body = payload(replace(PLAIN, steps=(Step("# 1 tip: rest the dough"),)), SOURCE)
    assert body["steps"][0]["instruction"] == "\\# 1 tip: rest the dough"


def test_a_refusal_that_mirrors_the_payload_becomes_a_sentence() -> None:
    body = {"steps": [{}, {"ingredients": [{"unit": ["This field is required."]}]}], "non_field_errors": ["Full."]}
    assert sentence(body) == "steps 2, ingredients 1, unit: This field is required.; Full."
    assert sentence({"name": ["Too long."], "detail": "no"}) == "name: Too long.; no"
    assert sentence({"a": [{"x": [str(n)]} for n in range(9)]}).endswith("(and 5 more)")
    assert sentence(None) == sentence([]) == "it does not say why"


async def reach(double: PretendTandoor, token: str = WRITE) -> Tandoor:
    return Tandoor(TandoorPolicy(double.url, token), HttpOutbound(allow=(f"127.0.0.1:{double.port}",)))


@pytest.mark.parametrize("new", [False, True])
async def test_a_throttled_or_renamed_recipe_is_found_by_reading(new: bool) -> None:
    async with pretend_tandoor(new=new) as (double, _):
        tandoor = await reach(double)
        order = Order("1", PLAIN, NOW, SOURCE)
        made = await place(tandoor, order, begun=False)
        for number in range(3):
            await place(tandoor, replace(order, source_url=f"{SOURCE}{number}"), begun=False)
        double.recipes[int(made.id)]["name"] = "Renamed by a person"
        assert await tandoor.find(order) == made
        double.told = 60
        assert await tandoor.find(order) == made
        assert made.url == f"{double.url}{'/recipe' if new else '/view/recipe'}/{made.id}"
        await tandoor.outbound.close()


async def test_a_recipe_among_many_is_found_by_reading() -> None:
    async with pretend_tandoor(new=False) as (double, _):
        tandoor = await reach(double)
        order = Order("1", PLAIN, NOW, SOURCE)
        made = await place(tandoor, order, begun=False)
        for number in range(130):
            double.create(payload(replace(PLAIN, name=f"Other {number}"), f"https://other/{number}"))
        assert await tandoor.find(order) == made
        await tandoor.outbound.close()


async def test_a_read_only_token_is_told_apart_from_a_wrong_one() -> None:
    async with pretend_tandoor() as (double, _):
        for token, why in ((READ_ONLY, "permission"), ("nobody", "credentials")):
            tandoor = await reach(double, token)
            with pytest.raises(Misconfigured, match=why):
                await tandoor.check()
            await tandoor.outbound.close()


async def test_a_full_space_is_refused_for_good() -> None:
    async with pretend_tandoor() as (double, _):
        double.full = True
        tandoor = await reach(double)
        with pytest.raises(Refused, match="maximum number of recipes") as told:
            await place(tandoor, Order("1", PLAIN, NOW, SOURCE), begun=False)
        assert not told.value.retryable
        await tandoor.outbound.close()


async def test_the_cover_goes_as_bytes_under_its_own_ending() -> None:
    async with pretend_tandoor() as (double, here):
        tandoor = await reach(double)
        made = await place(tandoor, Order("1", PLAIN, NOW, SOURCE), begun=False)
        for data, ending in ((b"\x89PNG\r\n\x1a\n", "png"), (b"GIF89a", "gif"), (b"RIFF\0\0\0\0WEBP", "webp")):
            picture = data + bytes(range(256))
            assert await tandoor.illustrate(made, picture) is None
            assert double.recipes[1]["image"].endswith(f".{ending}")
            assert picture in here.asked[-1].body
            assert b"image_url" not in here.asked[-1].body
        await tandoor.outbound.close()


@pytest.mark.parametrize(
    ("status", "headers", "kind"),
    [
        ("301 Moved", ("Location: https://elsewhere.example/",), Misconfigured),
        ("404 Not Found", (), Misconfigured),
        ("429 Slow down", ("Retry-After: 7",), Busy),
    ],
)
async def test_other_answers_have_a_meaning(status: str, headers: tuple[str, ...], kind: type[Exception]) -> None:
    async with remote(answer(b"<html>", *headers, status=status)) as here:
        outbound = HttpOutbound(allow=(here.place,))
        with pytest.raises(kind) as told:
            await Tandoor(TandoorPolicy(here.url(""), WRITE), outbound).put(Order("1", PLAIN, NOW, SOURCE))
        known: Any = told.value
        assert known.retry_after == (7.0 if kind is Busy else None)
        await outbound.close()


@pytest.mark.parametrize("new", [True, False])
async def test_a_recipe_that_tandoor_broke_off_is_made_anew(new: bool) -> None:
    async with pretend_tandoor(new=new) as (tandoor, here):
        outbound = HttpOutbound(allow=(here.place,))
        outlet = Tandoor(TandoorPolicy(tandoor.url, WRITE), outbound, pauses=(0.0, 0.01))
        order = Order("one", PLAIN, NOW, SOURCE)
        tandoor.broken = 1
        with pytest.raises(Unreachable):
            await place(outlet, order, begun=False)
        receipt = await place(outlet, order, begun=True)
        [kept] = tandoor.recipes.values()
        assert (str(kept["id"]), len(kept["steps"])) == (receipt.id, 1)
        assert await place(outlet, order, begun=True) == receipt
        await outbound.close()


async def test_a_recipe_that_a_person_shortened_is_left_as_it_is() -> None:
    async with pretend_tandoor() as (tandoor, here):
        outbound = HttpOutbound(allow=(here.place,))
        outlet = Tandoor(TandoorPolicy(tandoor.url, WRITE), outbound, pauses=(0.0, 0.01))
        order = Order("one", PLAIN, NOW, SOURCE)
        receipt = await place(outlet, order, begun=False)
        tandoor.recipes[1] |= {"steps": [], "updated_at": (datetime.now(UTC) + timedelta(minutes=5)).isoformat()}
        assert await place(outlet, order, begun=True) == receipt
        assert tandoor.recipes[1]["steps"] == []
        await outbound.close()
