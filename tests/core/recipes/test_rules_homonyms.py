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


def test_parts_may_be_numbered_in_brackets() -> None:
    found = RulesParser().read(
        "Polenta with mushrooms\n\n(1) Polenta\n200 g polenta\n1 l water\n(2) Mushrooms\n400 g mushrooms\n\nBoil it, fry them."
    )
    assert found is not None
    assert [(one.food, one.group) for one in found.value.ingredients] == [
        ("polenta", "Polenta"),
        ("water", "Polenta"),
        ("mushrooms", "Mushrooms"),
    ]


def test_a_size_may_follow_its_number_and_digits_may_stand_in_boxes() -> None:
    found = RulesParser().read(
        "Veggie curry\n2\ufe0f\u20e30\ufe0f\u20e3 min\n\nonion, 1 large\nchickpeas, 1 tin\n\n1\ufe0f\u20e3 Fry the onion.\n2\ufe0f\u20e3 Add the chickpeas."
    )
    assert found is not None
    assert found.value.times.total == 20
    assert [(one.food, one.amount, one.note) for one in found.value.ingredients][:1] == [("onion", 1.0, "large")]
    assert [step.text for step in found.value.steps] == ["Fry the onion.", "Add the chickpeas."]
