"""The rules of asking politely, as properties: whatever happens, nobody asks too much, and every wait is kept and ends."""

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.instagram.public import Manners, Reason, Standing, State, Verdict
from tintype.instagram.public.manners import (
    HOUR,
    admit,
    failed,
    health,
    limited,
    newcomer,
    refilled,
    resting,
    succeeded,
)

MORNING = datetime(2026, 11, 27, 8, tzinfo=UTC)
MANNERS = Manners(start=10, growth=1)

events = st.one_of(
    st.tuples(st.just("ask"), st.just(0.0)),
    st.tuples(st.just("succeed"), st.just(0.0)),
    st.tuples(st.just("limit"), st.one_of(st.just(0.0), st.floats(1, 1e6))),
    st.tuples(st.just("fail"), st.floats(0, 9)),
    st.tuples(st.just("wait"), st.floats(0, 1e5)),
    st.tuples(st.just("rest"), st.floats(0, 1e5)),
)


def later(seconds: float) -> datetime:
    return MORNING + timedelta(seconds=seconds)


def played(script: list[tuple[str, float]]) -> tuple[Standing, datetime, list[datetime]]:
    """What a script leads to, and when look-ups were made in it."""
    standing, now, made = newcomer(MANNERS, MORNING), MORNING, list[datetime]()
    for what, figure in script:
        match what:
            case "ask":
                standing, denial = admit(standing, MANNERS, now)
                made += [] if denial else [now]
            case "succeed":
                standing = succeeded(standing, MANNERS, now)
            case "limit":
                standing = limited(
                    standing, MANNERS, now, reason=Reason.UPSTREAM_RATE_LIMITED, retry_after=figure or None
                )
            case "fail":
                standing = failed(
                    standing, MANNERS, now, reason=Reason.BAD_UPSTREAM_RESPONSE, shortcode=f"C{figure:.0f}"
                )
            case "rest":
                standing = resting(
                    standing, now, until=now + timedelta(seconds=figure), reason=Reason.UPSTREAM_RATE_LIMITED
                )
            case _:
                now += timedelta(seconds=figure)
    return standing, now, made


scripts = st.lists(events, max_size=60)


@given(scripts)
def test_a_denied_look_up_is_let_in_when_it_was_told_to_come_back(script: list[tuple[str, float]]):
    standing, now, _ = played(script)
    for _ in range(4):  # a pause may end in an empty budget, whose end is told then
        standing, denial = admit(standing, MANNERS, now)
        if denial is None:
            return
        assert denial.seconds > 0
        now += timedelta(seconds=denial.seconds + 1e-3)
    raise AssertionError("told to come back again and again")


@given(scripts)
def test_coming_back_early_is_denied(script: list[tuple[str, float]]):
    standing, now, _ = played(script)
    standing, denial = admit(standing, MANNERS, now)
    if denial is not None:
        _, still = admit(standing, MANNERS, now + timedelta(seconds=denial.seconds * 0.98))
        assert still is not None


@given(scripts)
def test_the_budget_stays_within_its_bounds(script: list[tuple[str, float]]):
    standing, now, made = played(script)
    assert MANNERS.least <= standing.budget <= MANNERS.most
    assert 0 <= refilled(standing, now).left <= standing.budget
    hours = (now - MORNING).total_seconds() / HOUR
    assert len(made) <= MANNERS.start + script.count(("succeed", 0.0)) + MANNERS.most * hours + len(script) // 2 + 1


@given(st.lists(st.floats(0, 600), max_size=200))
def test_no_hour_has_more_look_ups_than_the_budget_twice(gaps: list[float]):
    """A full budget may be spent at once; from then on it is won back evenly."""
    standing, now, made = newcomer(Manners(start=10, growth=0), MORNING), MORNING, list[datetime]()
    for gap in gaps:
        now += timedelta(seconds=gap)
        standing, denial = admit(standing, Manners(start=10, growth=0), now)
        made += [] if denial else [now]
    for begun in made:
        assert sum(0 <= (one - begun).total_seconds() < HOUR for one in made) <= 20


@given(scripts)
def test_a_limit_halves_the_budget_and_success_wins_it_back(script: list[tuple[str, float]]):
    standing, now, _ = played(script)
    after = limited(standing, MANNERS, now, reason=Reason.UPSTREAM_RATE_LIMITED)
    assert after.budget == max(standing.budget / 2, MANNERS.least)
    mended = succeeded(after, MANNERS, now)
    assert mended.budget == min(after.budget + MANNERS.growth, MANNERS.most)
    assert (mended.open_until, mended.limits, mended.reason) == (None, 0, None)


@given(scripts, st.floats(0, 1e6))
def test_health_tells_what_a_look_up_would_be_told(script: list[tuple[str, float]], seconds: float):
    standing, now, _ = played(script)
    now += timedelta(seconds=seconds)
    _, denial = admit(standing, MANNERS, now)
    told = health("way", standing, MANNERS, now)
    assert (told.next_at > now) == (denial is not None)
    assert (told.left == 0) >= (denial is not None)


def test_one_trial_at_a_time_after_a_pause():
    standing = limited(newcomer(MANNERS, MORNING), MANNERS, MORNING, reason=Reason.UPSTREAM_RATE_LIMITED)
    standing, first = admit(standing, MANNERS, later(900))
    _, second = admit(standing, MANNERS, later(901))
    assert first is None
    assert second is not None
    assert second.seconds == MANNERS.trial_seconds - 1
    assert health("way", standing, MANNERS, later(901)).state is State.HALF_OPEN
    _, third = admit(standing, MANNERS, later(900 + MANNERS.trial_seconds))  # whoever tried has died
    assert third is None


def test_a_way_that_rested_for_another_is_judged_by_itself_when_the_pause_is_over():
    standing = resting(newcomer(MANNERS, MORNING), MORNING, until=later(900), reason=Reason.UPSTREAM_RATE_LIMITED)
    told = [health("way", standing, MANNERS, later(seconds)) for seconds in (899, 900)]
    assert [(one.verdict, one.state) for one in told] == [
        (Verdict.LIMITED, State.OPEN),
        (Verdict.UNKNOWN, State.HALF_OPEN),
    ]


def test_a_trial_that_fails_ends_in_a_longer_pause():
    standing, at, pauses = newcomer(MANNERS, MORNING), MORNING, list[float]()
    for number in range(12):
        standing, denial = admit(standing, MANNERS, at)
        assert denial is None
        standing = failed(standing, MANNERS, at, reason=Reason.BAD_UPSTREAM_RESPONSE, shortcode=f"C{number}")
        pauses.append((standing.open_until - at).total_seconds() if standing.open_until else 0)
        at = max(standing.open_until or at, at)
    assert pauses == [0, 0, 120, 240, 480, 960, 1920, 3600, 3600, 3600, 3600, 3600]


def test_a_broken_connection_is_tried_again_sooner_than_a_broken_way():
    standing = newcomer(MANNERS, MORNING)
    for number in range(3):
        standing = failed(standing, MANNERS, MORNING, reason=Reason.UPSTREAM_TIMEOUT, shortcode=f"C{number}")
    assert standing.open_until == later(30)


@pytest.mark.parametrize("named", [60.0, 10 * 86_400.0])
def test_instagrams_own_figure_is_kept_however_long(named: float):
    standing = limited(
        newcomer(MANNERS, MORNING), MANNERS, MORNING, reason=Reason.UPSTREAM_RATE_LIMITED, retry_after=named
    )
    assert standing.open_until == later(named)


def test_a_clock_that_goes_back_wins_nothing():
    spent = replace(newcomer(MANNERS, MORNING), left=0.0)
    assert refilled(spent, later(-3600)) == spent


def test_a_newcomer_is_unknown_until_it_worked():
    standing = newcomer(MANNERS, MORNING)
    assert health("way", standing, MANNERS, MORNING).verdict is Verdict.UNKNOWN
    assert health("way", succeeded(standing, MANNERS, MORNING), MANNERS, MORNING).verdict is Verdict.WORKING


def test_a_standing_is_plain_values_that_can_be_shared():
    standing, _, _ = played([("limit", 0.0), ("fail", 1.0), ("ask", 0.0)])
    assert Standing(**asdict(standing)) == standing
