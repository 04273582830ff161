"""One dish, however its caption is written: every amount, unit, food, step, time and name comes out the same."""

import pytest

from tests.core.recipes.captions import (
    DISHES,
    DIVIDED,
    STYLES,
    WITH_MINUTES,
    WITH_SERVINGS,
    WITHOUT_STEPS,
    Dish,
)
from tintype.core.recipes import Recipe, RulesParser


def read(caption: str) -> Recipe:
    found = RulesParser().read(caption)
    assert found is not None, caption
    return found.value


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("dish", DISHES, ids=lambda dish: f"{dish.language}-{dish.name.split()[0]}")
class TestEveryStyle:
    def test_what_goes_in(self, dish: Dish, style: str) -> None:
        recipe = read(STYLES[style](dish))
        expected = [(one.amount, one.measure, one.food.lower()) for one in dish.things]
        assert [(one.amount, one.measure, one.food.lower()) for one in recipe.ingredients] == expected

    def test_units_are_the_authors_own(self, dish: Dish, style: str) -> None:
        recipe = read(STYLES[style](dish))
        assert [(one.unit or "").lower() for one in recipe.ingredients] == [one.unit.lower() for one in dish.things]

    def test_name_and_language(self, dish: Dish, style: str) -> None:
        recipe = read(STYLES[style](dish))
        assert (recipe.name.lower(), recipe.language) == (dish.name.lower(), dish.language)

    def test_what_to_do(self, dish: Dish, style: str) -> None:
        recipe = read(STYLES[style](dish))
        steps = [step.text.lower() for step in recipe.steps]
        if style in DIVIDED:
            assert steps == [step.lower() for step in dish.steps]
        elif style in WITHOUT_STEPS:
            assert steps == []
        else:
            assert " ".join(steps) == " ".join(dish.steps).lower()

    def test_servings_and_minutes(self, dish: Dish, style: str) -> None:
        recipe = read(STYLES[style](dish))
        servings = recipe.servings.amount if recipe.servings else None
        assert servings == (dish.servings[1] if style in WITH_SERVINGS else None)
        assert recipe.times.whole == (dish.minutes[1] if style in WITH_MINUTES else None)
