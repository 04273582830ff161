"""The page about sizing shows what its arithmetic says, and the arithmetic goes by the house's own rules."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.sizing import SIZES, Costs, Habits, Node, planned, reads_of, table
from tintype.core.insights.model import Product

PAGE = (Path(__file__).parents[2] / "docs" / "operations" / "sizing.md").read_text()


@pytest.mark.parametrize("habits", [Habits(), Habits(insights=False)], ids=["numbers", "without"])
def test_the_page_shows_what_is_printed(habits: Habits) -> None:
    assert "\n".join(table(habits)) in PAGE


def test_posts_are_read_as_often_as_the_rules_of_insights_say() -> None:
    # 24 in the first day, four a day up to the thirtieth, one a day up to the ninetieth.
    assert reads_of(Product.FEED) == 24 + 29 * 4 + 60
    assert reads_of(Product.STORY) == 23


@given(st.sampled_from(SIZES), st.integers(1, 120), st.booleans())
def test_ten_times_the_accounts_need_ten_times_as_much(accounts: int, minutes: int, insights: bool) -> None:
    habits = Habits(sync=timedelta(minutes=minutes), insights=insights)
    one, ten = (planned(number, habits, Costs(), Node()) for number in (accounts, 10 * accounts))
    for name in ("cores", "database", "cache", "files", "calls", "look_seconds"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))


def test_numbers_are_what_a_database_of_many_accounts_is_full_of() -> None:
    with_them, without = (planned(100_000, Habits(insights=on), Costs(), Node()) for on in (True, False))
    assert with_them.bottleneck.name == "database"
    assert without.bottleneck.name == "processors"
    assert with_them.database > 50 * without.database
