"""When the feed does something by itself: accounts are synced as often as the setting says, failed copies more seldom."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tintype.core.feed import Item, Standing
from tintype.core.feed.model import RELATIVE, noting, resting, sync_due

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@given(st.uuids().map(str), st.integers(1, 1440))
def test_an_account_is_due_once_in_an_interval_and_up_to_a_tenth_early(account_id: str, minutes: int) -> None:
    interval = minutes * MINUTE
    done = Standing(account_id, synced_at=NOW)
    assert not sync_due(done, account_id, NOW + 0.899 * interval, interval)
    assert sync_due(done, account_id, NOW + 0.991 * interval, interval)
    failed = replace(done, failed_at=NOW + interval)
    assert not sync_due(failed, account_id, NOW + 1.5 * interval, interval)


def test_an_account_never_synced_is_due() -> None:
    assert sync_due(None, "a", NOW, MINUTE)
    assert sync_due(Standing("a"), "a", NOW, MINUTE)


def test_accounts_are_due_at_moments_of_their_own() -> None:
    names = [str(number) for number in range(100)]
    early = [sync_due(Standing(one, synced_at=NOW), one, NOW + 95 * MINUTE, 100 * MINUTE) for one in names]
    assert 20 < sum(early) < 80


@given(st.integers(1, 1440))
def test_a_note_is_younger_than_what_makes_an_account_due(minutes: int) -> None:
    assert noting(minutes * MINUTE) < 0.9 * minutes * MINUTE
    assert noting(minutes * MINUTE) <= RELATIVE


@given(st.integers(0, 50))
def test_a_copy_that_failed_rests_a_day_at_most(tries: int) -> None:
    post = Item("1", "VIDEO", "REELS", "", "", NOW, tries=tries, tried_at=NOW)
    assert not resting(post, NOW + timedelta(days=1))
    assert resting(post, NOW + 59 * MINUTE) == (tries > 1)
