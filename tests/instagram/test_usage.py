"""The pace that usage headers demand: slower from 70 %, no call from 90 %."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.instagram.script import Watch
from tintype.errors import Busy
from tintype.instagram import Throttle, Usage, account_usage, app_usage, pace
from tintype.instagram.usage import LONGEST_WAIT, Pace

RECORDED = (
    '{"17841400455970028":[{"type":"instagram","call_count":12,"total_cputime":72,"total_time":10,'
    '"estimated_time_to_regain_access":20}]}'
)


def test_the_recorded_headers():
    assert app_usage({"x-app-usage": '{"call_count":28,"total_time":25,"total_cputime":25}'}) == Usage(28)
    assert account_usage({"x-business-use-case-usage": RECORDED}) == Usage(72, 1200.0)


def test_the_fullest_of_several_entries_counts():
    entries = {"1": [{"call_count": 95, "estimated_time_to_regain_access": 0}], "2": [{"total_time": 97}]}
    assert account_usage({"x-business-use-case-usage": json.dumps(entries)}) == Usage(97)


def test_older_key_names_count_too():
    assert app_usage({"x-app-usage": '{"call_volume":3,"cpu_time":88}'}) == Usage(88)


@pytest.mark.parametrize("header", ["", "{}", "[]", "null", "{", '{"call_count":"many"}', "[" * 100_000])
def test_a_header_that_tells_nothing(header: str):
    assert app_usage({"x-app-usage": header}) is None
    assert account_usage({"x-business-use-case-usage": header}) is None


def test_no_header():
    assert (app_usage({}), account_usage({})) == (None, None)


@given(st.text() | st.recursive(st.none() | st.floats() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_header_is_read_in_peace(header: str):
    for usage in (app_usage({"x-app-usage": header}), account_usage({"x-business-use-case-usage": header})):
        assert usage is None or usage.percent >= 0


@pytest.mark.parametrize("percent", [0, 50, 69])
def test_free_below_seventy(percent: int):
    assert pace(Usage(percent)) == Pace()


@given(st.integers(70, 88))
def test_slower_the_fuller_it_is(percent: int):
    here, next_one = pace(Usage(percent)), pace(Usage(percent + 1))
    assert here.stop == next_one.stop == 0
    assert 0 < here.spacing < next_one.spacing <= LONGEST_WAIT


@pytest.mark.parametrize("percent", [90, 95, 100, 250])
def test_no_call_from_ninety(percent: int):
    assert pace(Usage(percent)) == Pace(stop=3600)


def test_instagrams_own_wait_wins():
    assert pace(Usage(12, 1200.0)) == Pace(stop=1200)


def test_calls_are_spaced_and_a_crowd_is_told_when_to_come_back():
    watch = Watch()
    throttle = Throttle(watch)
    throttle.note("app", Usage(89))
    assert throttle.admit("app") == 0
    assert throttle.admit("app") == pytest.approx(2.0)
    with pytest.raises(Busy) as refused:
        throttle.admit("app")
    assert refused.value.retry_after == 4
    watch.time += 10
    assert throttle.admit("app") == 0


def test_a_stop_names_the_time_left_and_ends_by_itself():
    watch = Watch()
    throttle = Throttle(watch)
    throttle.note("lena", Usage(99, 1200.0))
    watch.time += 200
    with pytest.raises(Busy) as refused:
        throttle.admit("app", "lena")
    assert refused.value.retry_after == 1000
    assert throttle.admit("app", "marc") == 0
    watch.time += 1001
    assert throttle.admit("app", "lena") == 0


def test_a_late_answer_does_not_lift_a_stop():
    throttle = Throttle(Watch())
    throttle.note("lena", Usage(100))
    throttle.note("lena", Usage(10))
    with pytest.raises(Busy):
        throttle.admit("lena")


def test_a_recovered_budget_is_free_again():
    throttle = Throttle(Watch())
    throttle.note("lena", Usage(80))
    throttle.note("lena", Usage(10))
    assert [throttle.admit("lena") for _ in range(5)] == [0] * 5


def test_an_answer_without_headers_changes_nothing():
    throttle = Throttle(Watch())
    throttle.stop("lena", 60)
    throttle.note("lena", None)
    with pytest.raises(Busy) as refused:
        throttle.admit("lena")
    assert refused.value.retry_after == 60
