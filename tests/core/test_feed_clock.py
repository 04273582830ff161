"""When the feed does something by itself: accounts are synced as often as the setting says, failed copies more seldom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tintype.core.feed import Standing
from tintype.core.feed.model import RELATIVE, noting, resting, sync_due

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


MOMENTS = st.integers(0, 4 * 365 * 86_400).map(lambda seconds: NOW + timedelta(seconds=seconds))


@given(st.uuids().map(str), st.integers(1, 1440), MOMENTS)
def test_an_account_is_due_before_the_interval_is_over_and_not_at_once(
    account_id: str, minutes: int, moment: datetime
) -> None:
    interval = minutes * MINUTE
    done = Standing(account_id, synced_at=moment)
    assert not sync_due(done, account_id, moment + 0.049 * interval, interval)
    assert sync_due(done, account_id, moment + 0.991 * interval, interval)
    failed = replace(done, failed_at=moment + interval)
    assert not sync_due(failed, account_id, moment + 1.049 * interval, interval)


@given(st.uuids().map(str), st.integers(1, 1440), MOMENTS)
def test_an_account_that_is_synced_when_it_is_due_keeps_its_pace(
    account_id: str, minutes: int, moment: datetime
) -> None:
    interval = minutes * MINUTE
    step = interval / 100
    standing, ages = Standing(account_id, synced_at=moment), list[float]()
    for number in range(1, 1000):
        now = moment + number * step
        if sync_due(standing, account_id, now, interval):
            assert standing.synced_at is not None
            ages.append((now - standing.synced_at) / interval)
            standing = replace(standing, synced_at=now)
    assert 0.05 < ages[0] < 1
    assert all(0.92 < age < 0.96 for age in ages[1:])


def test_an_account_never_synced_is_due() -> None:
    assert sync_due(None, "a", NOW, MINUTE)
    assert sync_due(Standing("a"), "a", NOW, MINUTE)


def test_what_was_synced_at_one_moment_is_due_over_the_whole_interval() -> None:
    names, interval = [f"account-{number}" for number in range(10_000)], 100 * MINUTE
    looks = [NOW + at * MINUTE for at in range(5, 100, 10)]
    due = [sum(sync_due(Standing(one, synced_at=NOW), one, look, interval) for one in names) for look in looks]
    assert due[0] == 0
    assert all(900 < after - before < 1230 for before, after in pairwise(due)), "some 1,064 in ten minutes"


@given(st.integers(1, 1440), st.floats(0, 1), MOMENTS)
def test_a_note_is_younger_than_what_makes_an_account_due(minutes: int, part: float, moment: datetime) -> None:
    interval = minutes * MINUTE
    assert noting(interval) <= RELATIVE
    if sync_due(Standing("a", synced_at=moment), "a", moment + part * interval, interval):
        assert part * interval > noting(interval)


@given(st.integers(0, 50))
def test_a_copy_that_failed_rests_a_day_at_most(tries: int) -> None:
    assert not resting(tries, NOW, NOW + timedelta(days=1))
    assert resting(tries, NOW, NOW + 59 * MINUTE) == (tries > 1)
