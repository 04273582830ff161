"""The pure rules of pictures at Cloudinary: names, tags, and how long it is left alone."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tintype.core.feed import Asset, Item
from tintype.core.feed.hosting_model import FIRST_REST, LONGEST_REST, Pause, pictures, public_id, rest, tag_mark

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
ASKED = st.none() | st.floats(0, 10**7)


@given(st.integers(0, 1000), ASKED)
def test_a_rest_grows_to_six_hours_and_is_at_least_as_long_as_was_asked(tries: int, asked: float | None) -> None:
    now, later = rest(tries, asked), rest(tries + 1, asked)
    assert FIRST_REST <= now <= later <= LONGEST_REST
    assert now >= min(timedelta(seconds=asked or 0), LONGEST_REST)


def test_the_first_rests_are_short() -> None:
    assert [rest(tries, None).total_seconds() / 60 for tries in range(5)] == [1, 2, 4, 8, 16]


@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=40))
def test_a_pause_is_over_after_its_rest_and_what_fails_within_it_makes_it_no_longer(
    events: list[tuple[int, bool]],
) -> None:
    pause, now, expected = Pause(), NOW, None
    fails = 0
    for minutes, failed in events:
        now += timedelta(minutes=minutes)
        if not failed:
            pause.end()
            expected, fails = None, 0
        elif expected is None or now >= expected:
            pause.begin(now, None)
            expected, fails = now + rest(fails, None), fails + 1
        else:
            pause.begin(now, None)
        assert pause.until == expected
        assert pause.holds(now) == (expected is not None and now < expected)


IDS = st.lists(st.uuids().map(str), min_size=1, max_size=5, unique=True)


@given(IDS, IDS)
def test_a_mark_is_that_of_a_set_of_tags_and_tells_none_of_them(one: list[str], other: list[str]) -> None:
    assert tag_mark(one) == tag_mark(reversed(one))
    assert (tag_mark(one) == tag_mark(other)) == (set(one) == set(other))
    assert not any(each in tag_mark(one) for each in one)


def item(number: int, digest: str | None, *children: Item) -> Item:
    asset = Asset(digest, "jpeg", 1, 1, 1) if digest else None
    return Item(str(number), "IMAGE", "FEED", "", "", NOW, picture=asset, children=children)


def test_the_pictures_of_items_are_each_named_once_with_those_of_children() -> None:
    album = item(1, "b" * 64, item(2, "b" * 64), item(3, "a" * 64), item(4, None))
    assert pictures([album, item(5, None)]) == ["a" * 64, "b" * 64]
    assert public_id("a" * 64) == f"instagram-media/{'a' * 64}"
