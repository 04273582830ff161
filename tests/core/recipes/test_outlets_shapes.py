"""A recipe in the forms that others read, and the cleaning that all of them lean on."""

import json

import pytest
from hypothesis import given

from tests.core.recipes.recipes import HOSTILE, harmful, recipes, texts
from tintype.core.recipes import Ingredient, Nutrition, Recipe, Servings, Step, Times
from tintype.core.recipes.plain import cut, one_line, plain
from tintype.core.recipes.shapes import ingredient_line, jsonld, markdown

BREAD = Recipe(
    "Bread",
    (
        Ingredient("flour", 500, unit="g", original="500 g flour"),
        Ingredient("egg", 2, 3, note="beaten", group="Glaze"),
        Ingredient("salt"),
    ),
    (Step("Knead.", minutes=10), Step("Brush.", group="Glaze")),
    "From my oven.",
    Servings(2, 3, "loaves"),
    Times(prep=20, cook=70),
    Nutrition(calories=420, protein=38.5),
    ("Bread", "#easy"),
    ("Keeps two days",),
    "en",
)


def test_jsonld_says_what_is_known_in_schema_orgs_words() -> None:
    assert jsonld(BREAD, url="https://www.instagram.com/p/A/", image="cover.jpg") == {
        "@context": "https://schema.org",
        "@type": "Recipe",
        "name": "Bread",
        "description": "From my oven.",
        "url": "https://www.instagram.com/p/A/",
        "image": "cover.jpg",
        "inLanguage": "en",
        "recipeYield": "2\u20133 loaves",
        "prepTime": "PT20M",
        "cookTime": "PT1H10M",
        "totalTime": "PT1H30M",
        "recipeIngredient": ["500 g flour", "2\u20133 egg, beaten", "salt"],
        "recipeInstructions": [
            {"@type": "HowToStep", "text": "Knead."},
            {"@type": "HowToSection", "name": "Glaze", "itemListElement": [{"@type": "HowToStep", "text": "Brush."}]},
        ],
        "keywords": "bread, easy",
        "nutrition": {"@type": "NutritionInformation", "calories": "420 kcal", "proteinContent": "38.5 g"},
    }


def test_markdown_is_a_page_that_a_cook_can_read() -> None:
    assert markdown(BREAD, url="https://www.instagram.com/p/A/", image="cover.jpg") == (
        "# Bread\n\n![](cover.jpg)\n\nFrom my oven.\n\n"
        "- Makes: 2\u20133 loaves\n- Preparation: 20 min\n- Cooking: 70 min\n- Total: 90 min\n"
        "- Per serving: 420 kcal, 38.5 g protein\n\n"
        "## Ingredients\n\n- 500 g flour\n\n### Glaze\n\n- 2\u20133 egg, beaten\n\n- salt\n\n"
        "## Steps\n\n1. Knead.\n\n### Glaze\n\n1. Brush.\n\n"
        "## Notes\n\n- Keeps two days\n\nbread, easy\n\nSource: <https://www.instagram.com/p/A/>\n"
    )


def test_what_nobody_said_has_no_key() -> None:
    assert set(jsonld(Recipe("Bread"))) == {"@context", "@type", "name", "recipeIngredient", "recipeInstructions"}
    assert markdown(Recipe("")) == "# Recipe\n"


@given(recipes)
def test_every_recipe_has_harmless_shapes(recipe: Recipe) -> None:
    facts = jsonld(recipe)
    facts["@context"] = ""
    assert harmful(facts) == []
    assert harmful([markdown(recipe)]) == []
    json.loads(json.dumps(facts, allow_nan=False))


@given(texts)
def test_cleaning_what_is_clean_changes_nothing(text: str) -> None:
    assert harmful([plain(text)]) == []
    assert plain(plain(text)) == plain(text)
    assert "\n" not in one_line(text)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_is_hidden_in_a_line_goes_and_the_line_stays(hostile: str) -> None:
    cleaned = plain(f"Roast at 200 °C {hostile}")
    assert cleaned.startswith("Roast at 200 °C")
    assert harmful([cleaned]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mix. Serve/eat with 1.5/2 cups", "Mix. Serve/eat with 1.5/2 cups"),
        ("Salt &amp; pepper", "Salt & pepper"),
        ("**Bold** move", "Bold move"),
        ("½ Öl – crème 😀 👩\u200d🍳", "½ Öl – crème 😀 👩\u200d🍳"),
        ("from my blog.com today", "from my today"),
        ("write to me@kitchen.example now", "write to now"),
        ("2 [heaped] spoons", "2 (heaped) spoons"),
        ("5 min.Serve hot", "5 min.Serve hot"),
        ("a\r\nb\t c\n\n\n\nd", "a\nb c\n\nd"),
    ],
)
def test_cooks_words_stay(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(texts)
def test_a_cut_keeps_to_its_limit_and_loses_no_word(text: str) -> None:
    line = one_line(text)
    kept, rest = cut(line, 30)
    assert len(kept) <= 30
    assert line.startswith(kept.removesuffix("…")) if rest else kept == line
    assert line.endswith(rest)


def test_an_ingredient_without_its_line_is_written_anew() -> None:
    assert ingredient_line(Ingredient("sugar", 0.3333333, unit="cup")) == "0.3333 cup sugar"
    assert ingredient_line(Ingredient("", note="to taste")) == "to taste"
