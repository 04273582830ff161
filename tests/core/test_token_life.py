"""A token's life: when it is refreshed, when somebody is warned, when it is over."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tintype.core.accounts import Account, State, share
from tintype.core.accounts.model import expired, refresh_due, too_fresh, warning_due
from tintype.instagram import Login

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def account(age_days: float | None, tried_days: float | None = None, left_days: float | None = None) -> Account:
    return Account(
        id="a",
        workspace_id="w",
        login=Login.INSTAGRAM_LOGIN,
        instagram_id="17841400000000001",
        username=None,
        name=None,
        account_type=None,
        state=State.CONNECTED,
        reason=None,
        scopes=(),
        token_issued_at=None if age_days is None else NOW - age_days * DAY,
        token_expires_at=None if left_days is None else NOW + left_days * DAY,
        token_tried_at=None if tried_days is None else NOW - tried_days * DAY,
        warned_days=None,
        created_at=NOW,
    )


def test_the_window_opens_on_the_twentieth_day() -> None:
    assert not refresh_due(account(19.9), NOW, 0)
    assert refresh_due(account(20), NOW, 0)


@given(st.uuids().map(str), st.floats(0, 60))
def test_the_first_try_is_on_the_twenty_first_day(name: str, age: float) -> None:
    due = refresh_due(account(age), NOW, share(name))
    assert due if age >= 21 else not due if age < 20 else True


def test_what_was_connected_at_one_moment_is_refreshed_over_a_day() -> None:
    apart = [share(f"account-{number}") for number in range(10_000)]
    due = [sum(refresh_due(account(20 + hour / 24), NOW, one) for one in apart) for hour in range(25)]
    assert due[-1] == len(apart)
    assert all(350 < after - before < 490 for before, after in pairwise(due)), "some 417 an hour"


@given(st.uuids().map(str))
def test_a_try_that_failed_is_followed_by_one_a_day(name: str) -> None:
    tries, tried_at = 0, None
    for hour in range(60 * 24):
        now = NOW + hour * HOUR
        known = replace(account(0), token_tried_at=tried_at)
        if refresh_due(known, now, share(name)):
            tries, tried_at = tries + 1, now
    assert 35 <= tries <= 40


def test_a_failed_try_is_repeated_a_day_later_and_not_before() -> None:
    assert not refresh_due(account(25, tried_days=0.9), NOW, 0)
    assert refresh_due(account(25, tried_days=1), NOW, 0)
    assert not refresh_due(account(25, tried_days=1), NOW, 0.5)


def test_a_token_of_unknown_age_is_tried_at_once() -> None:
    assert refresh_due(account(None), NOW, 0.9)
    assert not refresh_due(account(None, tried_days=0.5), NOW, 0.9)


@given(st.floats(0, 1, exclude_max=True))
def test_a_token_younger_than_a_day_is_never_refreshed(age: float) -> None:
    assert not refresh_due(account(age), NOW, 0)
    assert too_fresh(account(age), NOW)


def test_each_warning_is_given_once() -> None:
    near = account(50, left_days=6.5)
    assert warning_due(near, NOW) == 7
    assert warning_due(replace(near, warned_days=7), NOW) is None
    assert warning_due(replace(near, warned_days=14), NOW) == 7
    assert warning_due(replace(near, warned_days=7), NOW + 4 * DAY) == 3
    assert warning_due(account(10, left_days=50), NOW) is None
    assert warning_due(account(10), NOW) is None


def test_a_token_is_over_at_its_end() -> None:
    assert expired(account(60, left_days=0), NOW)
    assert not expired(account(59, left_days=1), NOW)
    assert not expired(account(400), NOW)
