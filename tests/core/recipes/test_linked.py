"""The page behind a caption's link, fetched from a real server: what it says for machines becomes the recipe."""

import json
import time
from typing import Any

import pytest

from tests.backends.remote import Remote, Script, answer, remote
from tintype.backends.outbound import HttpOutbound
from tintype.core.recipes import Context, Nutrition, Parsed, Recipe, Servings, Times
from tintype.core.recipes.parsers.linked import LinkedParser, links

FACTS: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "Recipe",
    "name": "Lemon cake",
    "recipeYield": "8 slices",
    "prepTime": "PT20M",
    "cookTime": "PT40M",
    "totalTime": "PT1H",
    "recipeIngredient": ["200 g flour", "2 lemons, juiced", "1/2 tsp salt"],
    "recipeInstructions": [
        {"@type": "HowToStep", "text": "Mix the flour and the salt."},
        {"@type": "HowToStep", "text": "Add the lemons and bake for 40 minutes."},
    ],
    "nutrition": {"@type": "NutritionInformation", "calories": "310 kcal", "proteinContent": "5 g"},
    "keywords": "cake, Lemon",
}


def page(facts: Any, *, head: str = "") -> bytes:
    said = facts if isinstance(facts, str) else json.dumps(facts).replace("</", "<\\/")
    return (
        f'<html><head>{head}<script type="application/ld+json">{said}</script></head>'
        "<body><h1>My blog</h1></body></html>"
    ).encode()


HTML = "Content-Type: text/html; charset=utf-8"


async def parse(script: Script, caption: str = "Full recipe here: {url} #cake") -> tuple[Parsed[Recipe] | None, Remote]:
    async with remote(script) as here:
        outbound = HttpOutbound(allow=(here.place,))
        try:
            text = caption.format(url=here.url("/cakes/lemon-cake"), host=here.place)
            return await LinkedParser(outbound).parse(text, Context()), here
        finally:
            await outbound.close()


async def test_a_linked_page_becomes_the_recipe() -> None:
    found, here = await parse(answer(page(FACTS), HTML))
    assert [asked.target for asked in here.asked] == ["/cakes/lemon-cake"]
    assert found is not None
    recipe = found.value
    assert (found.parser, found.confidence, found.missing) == ("linked", 0.95, ())
    assert (recipe.name, recipe.servings, recipe.language) == ("Lemon cake", Servings(8, what="slices"), "en")
    assert recipe.times == Times(60, 20, 40)
    assert [(one.amount, one.unit, one.food, one.note) for one in recipe.ingredients] == [
        (200, "g", "flour", ""),
        (2, None, "lemons", "juiced"),
        (0.5, "tsp", "salt", ""),
    ]
    assert [(step.minutes, step.ingredients) for step in recipe.steps] == [(None, (0, 2)), (40, (1,))]
    assert recipe.nutrition == Nutrition(310, 5)
    assert recipe.keywords == ("cake", "lemon")


@pytest.mark.parametrize(
    "facts",
    [
        {**FACTS, "@type": "Article"},
        {**FACTS, "recipeIngredient": []},
        {**FACTS, "recipeIngredient": "a text"},
        {**FACTS, "name": None},
        "{ this is no JSON",
        "[" * 3000,
        [],
    ],
)
async def test_a_page_without_a_recipe_is_none(facts: Any) -> None:
    assert (await parse(answer(page(facts), HTML)))[0] is None


@pytest.mark.parametrize(
    "script",
    [
        answer(page(FACTS), HTML, status="404 Not Found"),
        answer(page(FACTS), "Content-Type: application/pdf"),
        answer(b"\x00\xff" * 500, HTML),
        answer(b"", HTML),
        answer(b"x" * (4 * 1024 * 1024), HTML),
        answer(b"", "Location: http://127.0.0.1:1/", status="302 Found"),
    ],
)
async def test_a_page_that_is_away_or_no_page_is_none(script: Script) -> None:
    assert (await parse(script))[0] is None


async def test_half_a_recipe_says_what_is_missing() -> None:
    facts = {name: FACTS[name] for name in ("@context", "@type", "name", "recipeIngredient")}
    found, _ = await parse(answer(page({**facts, "recipeYield": "many", "totalTime": "soon"}), HTML))
    assert found is not None
    assert (found.confidence, found.missing) == (0.6, ("steps", "servings", "times"))


async def test_a_page_inside_the_house_is_not_asked() -> None:
    async with remote(answer(page(FACTS), HTML)) as here:
        outbound = HttpOutbound()
        assert await LinkedParser(outbound).parse(f"see {here.url('/cake')}", Context()) is None
        await outbound.close()
        assert here.asked == []


async def test_a_caption_without_a_link_asks_nobody() -> None:
    found, here = await parse(answer(page(FACTS), HTML), "2 cups flour, link in bio, https://www.instagram.com/p/A/")
    assert found is None
    assert here.asked == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see https://blog.example/cake.", ["https://blog.example/cake"]),
        ("(http://blog.example/cake)", ["http://blog.example/cake"]),
        ("full recipe: blog.example/lemon-cake!", ["https://blog.example/lemon-cake"]),
        ("blog.example", []),
        ("me@blog.example/cake", []),
        ("https://instagram.com/p/A https://www.youtube.com/watch?v=1 https://l.instagram.com/x", []),
        ("https://notinstagram.com/a", ["https://notinstagram.com/a"]),
        (
            "https://a.example/1 https://a.example/1 https://b.example/2 https://c.example/3",
            ["https://a.example/1", "https://b.example/2"],
        ),
        ("1.5/2 cups and 20.Serve/eat", []),
        ("https://[broken", []),
    ],
)
def test_links_that_may_be_a_recipes_page(text: str, expected: list[str]) -> None:
    assert links(text) == expected


@pytest.mark.parametrize("unit", ["a", "a.", "a-", "1.", "1a", "www.", "http://", "a/", ".", "-"])
def test_a_long_text_without_a_link_takes_no_time(unit: str) -> None:
    text = f"2 {unit * 30_000}"
    begun = time.process_time()
    links(text)
    assert time.process_time() - begun < 0.5
