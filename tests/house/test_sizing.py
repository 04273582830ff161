"""The page about sizing shows what its arithmetic says, and the arithmetic goes by the house's own rules."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.sizing import SIZES, Costs, Habits, Node, main, planned, reads_of, table
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
    for name in ("cores", "database", "cache", "files", "calls", "deliveries", "look_seconds"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))


def test_numbers_are_what_a_database_of_many_accounts_is_full_of() -> None:
    with_them, without = (planned(100_000, Habits(insights=on), Costs(), Node()) for on in (True, False))
    assert with_them.bottleneck.name == "database"
    assert without.bottleneck.name == "Redis"
    assert with_them.database > 50 * without.database


@given(st.sampled_from(SIZES), st.integers(0, 1_000), st.integers(0, 100_000))
def test_what_is_told_and_shown_takes_what_it_was_measured_to_take(accounts: int, told: int, shown: int) -> None:
    costs, node = Costs(), Node(load=1.0)
    habits = Habits(deliveries_a_week=7.0 * told, conversions_a_day=shown)
    busy, idle = (
        planned(accounts, one, costs, node) for one in (habits, Habits(deliveries_a_week=0, conversions_a_day=0))
    )
    daily = accounts * (told * costs.delivery + shown * costs.conversion)
    assert 86_400 * (busy.cores - idle.cores) == pytest.approx(daily, abs=1e-3 * accounts)
    assert 86_400 * busy.deliveries == pytest.approx(accounts * told)
    assert busy.database - idle.database == pytest.approx(30 * accounts * told * costs.delivery_bytes, rel=1e-3, abs=1)


def test_due_webhooks_are_looked_for_among_the_endpoints_that_have_something_waiting() -> None:
    silent = Habits(deliveries_a_week=0, waiting=0.1)
    looks = [
        next(
            need for need in planned(10_000, habits, Costs(), Node()).needs if need.name == "the look for due webhooks"
        )
        for habits in (silent, Habits(waiting=0), Habits(endpoints=0))
    ]
    assert looks[0].used == pytest.approx(1_000 * Costs().endpoint / 2)  # the house looks every two seconds
    assert looks[1].used == looks[2].used == 0
    assert not looks[0].divides


def test_the_command_goes_by_the_habits_that_it_is_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("--no-insights", "--deliveries-a-week", "40", "--conversions-a-day", "9000", "--endpoints", "3")
    given += ("--waiting", "0.5")
    monkeypatch.setattr("sys.argv", ["sizing", *given])
    main()
    habits = Habits(insights=False, deliveries_a_week=40, conversions_a_day=9000, endpoints=3, waiting=0.5)
    assert capsys.readouterr().out.splitlines() == table(habits)
