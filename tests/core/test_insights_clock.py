"""When what is measured: never before it is due, once after any downtime, and to the end of a story."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tintype.core.insights.days import BACK, LATE, bounds, ended_by, last_day, spans, wanted
from tintype.core.insights.model import (
    CADENCE,
    DAY,
    GONE_AFTER,
    HOUR,
    MEASURED,
    MINUTE,
    STORIES_EVERY,
    STORY_LIFE,
    End,
    Product,
    Target,
    Visits,
    day_due,
    failed,
    never_read,
    next_due,
    readable,
    resting,
    slot_of,
    stories_due,
    was_read,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
POST = Target("account", "workspace", "17901234", Product.FEED, NOW)
STORY = replace(POST, product=Product.STORY)

APART = st.floats(0, 1, exclude_max=True)
AGES = st.timedeltas(timedelta(0), 100 * DAY)
POSTS = st.sampled_from([one for one in Product if one is not Product.STORY])
MOMENTS = st.timedeltas(timedelta(0), 2000 * DAY).map(lambda span: datetime(2024, 1, 1, tzinfo=UTC) + span)


def interval(age: timedelta) -> timedelta:
    return next(every for until, every in CADENCE if age < until)


@given(POSTS, AGES, APART)
def test_a_post_is_due_again_between_half_and_one_and_a_half_intervals_later(
    product: Product, age: timedelta, apart: float
) -> None:
    read_at = NOW + age
    due = next_due(product, NOW, read_at, apart)
    if age >= MEASURED:
        assert due is None
    elif due is None:
        assert MEASURED - age < DAY / 2
    else:
        every = interval(age)
        assert every / 2 <= due - read_at <= 1.6 * every
        assert due <= NOW + MEASURED


@given(POSTS, APART)
def test_a_post_that_is_never_missed_is_read_as_often_as_promised(product: Product, apart: float) -> None:
    reads: list[datetime] = []
    due = next_due(product, NOW, None, apart)
    while due is not None:
        reads.append(due)
        due = next_due(product, NOW, due, apart)
    of_day_one = [moment for moment in reads if moment - NOW <= DAY]
    of_month_one = [moment for moment in reads if DAY < moment - NOW <= 30 * DAY]
    later = [moment for moment in reads if moment - NOW > 30 * DAY]
    assert 23 <= len(of_day_one) <= 24
    assert 115 <= len(of_month_one) <= 117
    assert 59 <= len(later) <= 61
    assert 89 * DAY <= reads[-1] - NOW <= MEASURED


@given(POSTS, AGES, st.timedeltas(timedelta(0), 40 * DAY), APART)
def test_after_downtime_one_read_catches_up(product: Product, age: timedelta, away: timedelta, apart: float) -> None:
    back = NOW + age + away
    due = next_due(product, NOW, NOW + age, apart)
    if due is not None and due <= back:
        after = next_due(product, NOW, back, apart)
        assert after is None or after > back


@given(st.timedeltas(timedelta(0), STORY_LIFE), APART)
def test_a_story_is_read_in_its_last_hour(late: timedelta, apart: float) -> None:
    due = next_due(Product.STORY, NOW, None if late < HOUR else NOW + late, apart)
    last = NOW + max(late, HOUR)
    while due is not None:
        assert due - last <= 1.6 * HOUR
        assert due < NOW + STORY_LIFE
        last, due = due, next_due(Product.STORY, NOW, due, apart)
    assert last >= NOW + STORY_LIFE - HOUR


@given(AGES)
def test_media_of_one_moment_are_read_apart(age: timedelta) -> None:
    dues = {next_due(Product.FEED, NOW, NOW + min(age, 80 * DAY), at / 10) for at in range(10)}
    assert len(dues) == 10


def test_a_new_medium_is_due_an_hour_later_and_an_old_one_at_once() -> None:
    due = never_read(POST).next_due
    assert due is not None
    assert NOW + HOUR <= due <= NOW + 1.1 * HOUR
    old = never_read(replace(POST, published_at=NOW - 20 * DAY)).next_due
    assert old is not None
    assert old < NOW


def test_a_read_that_failed_is_tried_again_later_from_time_to_time() -> None:
    target, now, pauses = POST, NOW, list[timedelta]()
    for _ in range(5):
        target = failed(target, now, refused=False)
        assert target.next_due is not None
        pauses.append(target.next_due - now)
        now = target.next_due
    assert pauses == [10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR, 6 * HOUR]
    assert was_read(target, now).tries == 0


def test_a_medium_that_is_refused_again_and_again_is_gone() -> None:
    target = replace(POST, tries=GONE_AFTER - 2)
    assert failed(target, NOW, refused=True).ended is None
    gone = failed(failed(target, NOW, refused=True), NOW, refused=True)
    assert (gone.ended, gone.next_due) == (End.GONE, None)
    assert not readable(gone, NOW)
    silent = failed(failed(target, NOW, refused=False), NOW, refused=False)
    assert silent.ended is None


def test_a_story_is_tried_again_soon_and_not_when_it_is_over() -> None:
    assert failed(replace(STORY, tries=4), NOW, refused=False).next_due == NOW + 10 * MINUTE
    over = NOW + STORY_LIFE
    assert failed(STORY, over, refused=False).next_due is None
    assert not readable(STORY, over)
    assert readable(POST, over)


@given(st.uuids().map(str), MOMENTS)
def test_an_accounts_day_is_captured_once_a_day_at_a_moment_of_its_own(account_id: str, now: datetime) -> None:
    slot = slot_of(account_id, now)
    assert timedelta(0) <= now - slot < DAY
    assert not day_due(Visits(account_id, captured_at=now), now)
    assert day_due(Visits(account_id, captured_at=slot - MINUTE), now)
    assert day_due(Visits(account_id, captured_at=now), slot + DAY)
    assert not day_due(Visits(account_id, captured_at=now), slot + DAY - MINUTE)
    assert last_day(slot) >= slot.date() - DAY  # California's yesterday is over


def test_an_account_that_was_never_visited_is_due() -> None:
    assert day_due(Visits("a"), NOW)
    assert stories_due(Visits("a"), NOW)
    assert not stories_due(Visits("a", stories_at=NOW - STORIES_EVERY + MINUTE), NOW)
    assert resting(Visits("a", paused_until=NOW + MINUTE), NOW)
    assert not resting(Visits("a", paused_until=NOW), NOW)


@given(st.dates(date(2024, 1, 1), date(2030, 1, 1)))
def test_days_end_at_midnight_in_california(day: date) -> None:
    start, end = bounds(day)
    assert 23 * HOUR <= end - start <= 25 * HOUR
    assert end.hour in (7, 8)
    assert bounds(day + DAY)[0] == end
    assert ended_by(end) == day
    assert {ended_by(end + HOUR), ended_by(end - HOUR)} == {day}
    assert last_day(end) == day
    assert last_day(end - MINUTE) == day - DAY


@given(st.dictionaries(st.integers(0, 60), st.integers(0, 60)), MOMENTS)
def test_days_are_asked_for_until_they_are_settled(captured: dict[int, int], now: datetime) -> None:
    known = {last_day(now) - DAY * back: now - DAY * ago for back, ago in captured.items()}
    days = wanted(known, now)
    assert list(days) == sorted(set(days))
    assert all(last_day(now) - DAY * (BACK - 1) <= day <= last_day(now) for day in days)
    settled = {day for day, at in known.items() if at >= bounds(day)[1] + LATE}
    assert not settled & set(days)
    month = {last_day(now) - DAY * back for back in range(BACK)}
    assert month - settled == set(days)
    asked = [day for first, last in spans(days) for day in days if first <= day <= last]
    assert asked == list(days)
    assert all((bounds(last)[1] - bounds(first)[0]) <= 30 * DAY for first, last in spans(days))
