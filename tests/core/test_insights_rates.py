"""Engagement rates to the cent, the hours of a week, and the order of posts: pure, and honest about what is unknown."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.insights import Formula, Known, Post, Product, Source, Target, best_hours, engagement
from tintype.core.insights.hours import BEST, PRIOR, SURE, shrunk
from tintype.core.insights.ranking import RANKABLE, ranked, value_of
from tintype.core.insights.rates import numbers_of
from tintype.errors import Invalid

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

SEED: dict[str, float | None] = {
    "likes": 245, "comments": 18, "shares": 5, "saved": 12, "reach": 3890, "views": 5234, "followers": 15420,
}  # fmt: skip
SMALL: dict[str, float | None] = {
    "likes": 1, "comments": 0, "shares": 0, "saved": 0, "reach": 3, "views": 8, "followers": 800,
}  # fmt: skip
VIRAL: dict[str, float | None] = {
    "likes": 90_000, "comments": 4_000, "shares": 5_000, "saved": 1_000, "reach": 1_000_000, "views": 2_500_000,
    "followers": 40_000,
}  # fmt: skip


@pytest.mark.parametrize(
    ("formula", "given_", "rate"),
    [
        (Formula.REACH, SEED, 7.20),
        (Formula.VIEWS, SEED, 5.35),
        (Formula.FOLLOWERS, SEED, 1.82),
        (Formula.LIKES_COMMENTS_FOLLOWERS, SEED, 1.71),
        (Formula.REACH, SMALL, 33.33),
        (Formula.VIEWS, SMALL, 12.5),
        (Formula.FOLLOWERS, SMALL, 0.13),  # 0.125: halves go up
        (Formula.LIKES_COMMENTS_FOLLOWERS, SMALL, 0.13),
        (Formula.REACH, VIRAL, 10.0),
        (Formula.VIEWS, VIRAL, 4.0),
        (Formula.FOLLOWERS, VIRAL, 250.0),
        (Formula.LIKES_COMMENTS_FOLLOWERS, VIRAL, 235.0),
    ],
)
def test_a_rate_is_what_its_name_says(formula: Formula, given_: dict[str, float | None], rate: float) -> None:
    found = engagement(formula, given_)
    assert (found.value, found.status) == (rate, "ok")


@pytest.mark.parametrize("formula", list(Formula))
@pytest.mark.parametrize("below", [None, 0, 0.0])
def test_without_a_denominator_there_is_no_rate(formula: Formula, below: float | None) -> None:
    found = engagement(formula, SEED | {"reach": below, "views": below, "followers": below})
    assert (found.value, found.status) == (0.0, "no_denominator")
    assert engagement(formula, {}).status == "no_denominator"


@pytest.mark.parametrize("formula", list(Formula))
def test_interactions_that_were_not_told_make_a_rate_partial_and_none_make_it_unknown(formula: Formula) -> None:
    assert engagement(formula, SEED | {"comments": None}).status == "partial"
    some = engagement(formula, SEED | {"comments": None})
    assert some.value == engagement(formula, SEED | {"comments": 0}).value
    none = engagement(formula, SEED | dict.fromkeys(("likes", "comments", "shares", "saved")))
    assert (none.value, none.status) == (0.0, "no_interactions")
    zero = engagement(formula, SEED | dict.fromkeys(("likes", "comments", "shares", "saved"), 0))
    assert (zero.value, zero.status) == (0.0, "ok")


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_rate_is_exact_to_two_decimals(likes: int, reach: int) -> None:
    found = engagement(Formula.REACH, {"likes": likes, "comments": 0, "shares": 0, "saved": 0, "reach": reach})
    cents = (20_000 * likes + reach) // (2 * reach)
    assert found.value == cents / 100


def target(number: int, at: datetime = NOW) -> Target:
    return Target("account", "workspace", str(number), Product.FEED, at)


def post(number: int, **known: float) -> Post:
    one = target(number, NOW + timedelta(minutes=number))
    numbers = {name: Known(value, NOW, Source.API) for name, value in known.items()}
    return Post(one, numbers_of(one, numbers, None, Formula.REACH))


def test_documented_numbers_are_0_where_the_raw_ones_are_unknown() -> None:
    numbers = post(1, likes=3, reach=10).numbers
    assert (numbers.likes, numbers.comments, numbers.impressions) == (3, 0, 0)
    assert (numbers.raw["likes"], numbers.raw["comments"], numbers.raw["views"]) == (3, None, None)
    assert numbers.impressions_source is None
    assert (numbers.engagement_rate, numbers.engagement_rate_status) == (30.0, "partial")


def test_numbers_are_as_old_as_the_oldest_of_them() -> None:
    known = {
        "likes": Known(1, NOW, Source.API),
        "reach": Known(2, NOW - timedelta(hours=5), Source.API),
    }
    assert numbers_of(target(1), known, None, Formula.REACH).captured_at == NOW - timedelta(hours=5)
    read = replace(target(1), read_at=NOW)
    assert numbers_of(read, {}, None, Formula.REACH).captured_at == NOW
    assert numbers_of(target(1), {}, None, Formula.REACH).captured_at is None


def test_impressions_come_from_views_and_from_a_storys_own_word_otherwise() -> None:
    both = post(1, views=20, impressions=30).numbers
    assert (both.impressions, both.impressions_source) == (20, "views")
    old = post(1, impressions=30).numbers
    assert (old.impressions, old.impressions_source) == (30, "impressions")


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), max_size=12), st.integers(0, 15))
def test_posts_are_ranked_by_what_is_known_and_the_newer_first(values: list[int | None], limit: int) -> None:
    posts = [post(at) if value is None else post(at, likes=value) for at, value in enumerate(values)]
    known = [value for value in values if value is not None]
    best = ranked(posts, "likes", "desc", limit)
    assert [value_of(one, "likes") for one in best] == sorted(known, reverse=True)[:limit]
    worst = ranked(posts, "likes", "asc", limit)
    assert [value_of(one, "likes") for one in worst] == sorted(known)[:limit]
    for order in (best, worst):
        pairs = [(value_of(one, "likes"), int(one.target.media_id)) for one in order]
        assert all(a[1] > b[1] for a, b in pairwise(pairs) if a[0] == b[0])


@pytest.mark.parametrize("metric", RANKABLE)
def test_every_metric_can_be_ranked_by(metric: str) -> None:
    assert ranked([post(1)], metric, "desc", 10) == []


def test_an_unknown_metric_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Invalid, match="engagement_rate"):
        ranked([], "fame", "desc", 10)


@given(st.integers(0, 100), st.floats(0, 100), st.floats(0, 100))
def test_a_cell_lies_between_its_own_mean_and_the_accounts(n: int, mean: float, prior: float) -> None:
    value = shrunk(n, mean, prior)
    assert min(mean, prior) - 1e-9 <= value <= max(mean, prior) + 1e-9
    assert shrunk(0, mean, prior) == prior
    assert abs(shrunk(10**9, mean, prior) - mean) < 1e-6
    assert abs(shrunk(PRIOR, mean, prior) - (mean + prior) / 2) < 1e-9


MOMENTS = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda span: NOW + span)
HOURS = st.lists(st.tuples(MOMENTS, st.floats(0, 50)), max_size=60)


@given(HOURS, st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]))
def test_every_post_is_in_one_cell_and_no_cell_with_few_is_named(
    posts: list[tuple[datetime, float]], zone: str
) -> None:
    found = best_hours(posts, zone, "reach")
    assert len(found.cells) == 168
    assert sum(cell.n for cell in found.cells) == found.n == len(posts)
    assert all(cell.sure == (cell.n >= SURE) for cell in found.cells)
    assert all((cell.mean is None) == (cell.n == 0) for cell in found.cells)
    assert all(cell.sure and (cell.value or 0.0) > (found.mean or 0.0) for cell in found.best)
    assert len(found.best) <= BEST
    assert list(found.best) == sorted(found.best, key=lambda cell: -(cell.value or 0.0))


def test_without_posts_nothing_is_claimed() -> None:
    found = best_hours([], "UTC", "reach")
    assert (found.n, found.mean, found.best) == (0, None, ())
    assert {(cell.n, cell.mean, cell.value, cell.sure) for cell in found.cells} == {(0, None, None, False)}


def test_hours_are_those_of_the_zone_also_when_the_clocks_change() -> None:
    summer, winter = datetime(2026, 7, 6, 7, 30, tzinfo=UTC), datetime(2026, 12, 7, 8, 30, tzinfo=UTC)
    found = best_hours([(summer, 1.0), (winter, 3.0)], "Europe/Berlin", "reach")
    assert [(cell.weekday, cell.hour, cell.n, cell.mean) for cell in found.cells if cell.n] == [(0, 9, 2, 2.0)]
    sunday = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    (cell,) = (cell for cell in best_hours([(sunday, 1.0)], "Europe/Berlin", "reach").cells if cell.n)
    assert (cell.weekday, cell.hour) == (0, 0)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe", "x" * 5000])
def test_an_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(Invalid, match="timezone"):
        best_hours([], zone, "reach")
