"""One word of house, body or garden refuses no dish, and food that goes into jars, hair or flower pots is none."""

import pytest

from tests.core.recipes.homonyms import DISHES, NOT_FOR_TABLE
from tintype.core.recipes import RulesParser


@pytest.mark.parametrize("caption", DISHES.values(), ids=DISHES)
def test_a_dish_is_read_whatever_it_is_compared_with(caption: str) -> None:
    found = RulesParser().read(caption)
    assert found is not None
    assert len(found.value.ingredients) >= 2


@pytest.mark.parametrize("caption", NOT_FOR_TABLE.values(), ids=NOT_FOR_TABLE)
def test_what_goes_anywhere_but_on_the_table_is_refused(caption: str) -> None:
    assert RulesParser().refusal(caption)
