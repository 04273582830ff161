"""Whatever the text: every food, unit, step and number of a recipe stands in it."""

import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.recipes.captions import DISHES, STYLES
from tests.core.recipes.look_alikes import LOOK_ALIKES
from tintype.core.recipes import Context, Parsed, Recipe, RulesParser
from tintype.core.recipes.parsers.rules.lexicon import LANGUAGES, tables
from tintype.core.recipes.parsers.rules.tokens import VULGAR, fold, number, tokenize
from tintype.core.recipes.parsers.rules.unwrapping import plain, unwrap

PIECES = st.sampled_from(
    [
        "2 cups flour", "1½ TL Salz", "½", "1/2", "3-4", "100 g de beurre", "zwei Eier", "una cebolla", "Ingredients:", "Zubereitung:", "1.", "2)",
        "- ", "• ", "✅", "\n", "\n\n", ". ", ", ", " / ", "Mix and bake 20 minutes.", "Den Ofen vorheizen.", "Serves 4", "Prep: 10 min", "⏱ 1 h 30",
        "#food", "@cook", "for the sauce:", "(15 oz)", "can", "salt", "1 0/0 cup", "1/0 cup sugar", "9999999 g salt", "0 eggs", "12,5.3 g", "½½ cup",
        "1 1/2 1/2", "320 kcal", "Protein: 12 g", "<b>", "{{ 7*7 }}", "half a cup of", "and a half", "twee", "meia xícara (chá) de leite", "1️⃣ ",
    ]
)  # fmt: skip
JUMBLED = st.lists(st.one_of(PIECES, st.text(max_size=12)), max_size=40).map(" ".join)
WRITTEN = st.sampled_from([STYLES[style](dish) for dish in DISHES for style in sorted(STYLES)])
CUT = st.tuples(WRITTEN, st.integers(0, 400), st.integers(0, 400)).map(lambda made: made[0][made[1] :][: made[2]])
TEXTS = st.one_of(JUMBLED, WRITTEN, CUT, st.sampled_from(sorted(LOOK_ALIKES.values())))

SPOKEN = {fold(word): float(value) for language in LANGUAGES for word, value in tables()[language]["numbers"].items()}
ARTICLES = {fold(word) for language in LANGUAGES for word in str(tables()[language]["articles"]).split()}


def said(text: str) -> set[float]:
    """Return every number that a text says, and what two numbers next to each other come to."""
    found = [value for token in tokenize(text) if (value := _value(token.kind, token.text, token.folded)) is not None]
    pairs = {one + other for one, other in pairwise(found)}
    scaled = {one * 100 for one in found} | {one * 100 + other for one, other in zip(found, found[2:], strict=False)}
    return set(found) | pairs | {one + 0.5 for one in found} | {one / 4 for one in found} | scaled


def _value(kind: str, text: str, folded: str) -> float | None:
    if kind == "n":
        return number(text)
    return 1.0 if folded in ARTICLES else SPOKEN.get(folded)


def squeezed(text: str) -> str:
    return re.sub(r"\W+", "", text)


def forced(text: str) -> Parsed[Recipe]:
    found = RulesParser().read(text, Context(force=True))
    assert found is not None
    return found


@settings(max_examples=250, deadline=None)
@given(TEXTS)
def test_foods_units_and_steps_are_cut_out_of_the_text(text: str) -> None:
    whole = plain(unwrap(text))
    recipe, bare = forced(text).value, squeezed(whole)
    for one in recipe.ingredients:
        assert squeezed(one.food) in bare
        assert squeezed(one.unit or "") in bare
        assert one.food.strip()
    for step in recipe.steps:
        assert squeezed(step.text) in bare
    assert squeezed(recipe.name).rstrip(")") in bare


@settings(max_examples=250, deadline=None)
@given(TEXTS)
def test_numbers_are_said_in_the_text(text: str) -> None:
    recipe, numbers = forced(text).value, said(plain(unwrap(text)))
    for one in recipe.ingredients:
        for amount in (one.amount, one.amount_max):
            assert amount is None or any(abs(amount - value) < 1e-3 for value in numbers), (one, text)
    if recipe.servings:
        assert recipe.servings.amount in numbers
    for value in (
        recipe.nutrition.calories,
        recipe.nutrition.protein,
        recipe.nutrition.carbohydrates,
        recipe.nutrition.fat,
    ):
        assert value is None or value in numbers


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_a_reading_is_whole_and_always_the_same(text: str) -> None:
    found = forced(text)
    assert found == forced(text)
    assert 0 <= found.confidence <= 1
    assert all(0 <= one.confidence <= 1 and one.reason for one in found.fields)
    places = [place for step in found.value.steps for place in step.ingredients]
    assert len(places) == len(set(places))
    assert all(0 <= place < len(found.value.ingredients) for place in places)
    assert all(step.minutes is None or step.minutes > 0 for step in found.value.steps)


def test_vulgar_fractions_are_worth_what_they_say() -> None:
    assert {number(f"2{mark}") - 2 for mark in VULGAR} == {2 + value - 2 for value in VULGAR.values()}
