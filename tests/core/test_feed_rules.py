"""The feed's pure rules: what changed, what may go, what is stale."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from tintype.core.accounts import State
from tintype.core.feed import Asset, Item, Policy, Standing, first_sentence, widths
from tintype.core.feed.feed import FIRST_BATCH, LARGEST_BATCH, batches
from tintype.core.feed.model import (
    DROP_SHARE,
    Suspect,
    changed,
    confirm_due,
    deep_due,
    droppable,
    plan,
    settled,
    stable_name,
    stale_reason,
    wants_copies,
)

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def item(at: int, **facts: object) -> Item:
    """The at-th newest item."""
    made = Item(str(at), "IMAGE", "FEED", f"caption {at}", f"https://www.instagram.com/p/{at}/", NOW - at * HOUR)
    return replace(made, **facts)  # pyright: ignore[reportArgumentType] - facts are fields of an item


def whole(one: Item) -> bool:
    """Nothing of an item is to be copied again."""
    del one
    return False


ITEMS = st.lists(st.integers(0, 40), unique=True).map(lambda places: [item(at) for at in sorted(places)])


@given(ITEMS, ITEMS, st.booleans())
def test_a_plan_accounts_for_every_item_once(before: list[Item], seen: list[Item], complete: bool) -> None:
    stored = {one.id: one for one in before}
    found = plan(stored, seen, complete=complete, wanting=whole)
    stores = {one.id for one in found.store}
    assert not stores & found.keep
    assert not set(found.missing) & (stores | found.keep)
    if seen:
        assert stores | found.keep == {one.id for one in seen}
    assert stores == {one.id for one in seen if one.id not in stored}


@given(ITEMS, ITEMS)
def test_only_what_a_pass_covered_can_be_missing(before: list[Item], seen: list[Item]) -> None:
    found = plan({one.id: one for one in before}, seen, complete=False, wanting=whole)
    covered = [one.id for one in before if seen and one.posted_at > min(other.posted_at for other in seen)]
    assert set(found.missing) <= set(covered)


@given(ITEMS)
def test_an_empty_page_takes_nothing_away(before: list[Item]) -> None:
    assert plan({one.id: one for one in before}, [], complete=True, wanting=whole).missing == ()


def test_an_edited_caption_is_a_change_and_a_new_signature_is_none() -> None:
    old = item(1, picture_name=stable_name("https://a.cdninstagram.com/v/t51.29350-15/1_n.jpg?oe=66&oh=a"))
    again = replace(old, picture_name=stable_name("https://b.cdninstagram.com/v/t51.29350-15/1_n.jpg?oe=99&oh=b"))
    assert not changed(old, again, whole)
    assert changed(old, replace(again, caption="edited"), whole)


def test_an_edited_child_is_a_change_of_its_album() -> None:
    album = item(1, kind="CAROUSEL_ALBUM", children=(item(2), item(3)))
    assert not changed(album, album, whole)
    assert changed(album, replace(album, children=(item(2), item(4))), whole)
    assert changed(album, replace(album, children=(item(3), item(2))), whole)


def test_an_item_without_its_copy_is_tried_again() -> None:
    lacking = item(1, picture_fallback="https://a.cdninstagram.com/1.jpg")
    assert wants_copies(lacking, Policy(), NOW)
    assert wants_copies(item(1, children=(lacking,)), Policy(), NOW)
    assert not wants_copies(item(1), Policy(), NOW)


def test_a_video_that_is_not_to_be_copied_has_its_address_renewed_before_it_ends() -> None:
    policy = Policy(copy_videos=False)
    shown = item(1, kind="VIDEO", video_fallback="https://a.cdninstagram.com/1.mp4", fallback_until=NOW + 10 * HOUR)
    assert not wants_copies(shown, policy, NOW)
    assert wants_copies(shown, policy, NOW + 9.9 * HOUR)
    assert wants_copies(shown, Policy(), NOW)


def test_known_ground_takes_two_known_items_at_the_end_of_a_page() -> None:
    stored = {str(at): item(at) for at in (2, 3, 4)}
    assert settled([item(1), item(2), item(3)], stored, whole)
    assert not settled([item(1), item(3)], stored, whole)
    assert not settled([item(2), item(3, caption="edited")], stored, whole)
    assert not settled([], stored, whole)


ADDRESSES = st.from_regex(
    r"(https?://[a-z.]{0,9}|//h)?(/v/t[0-9.-]{0,5})?[/a-z0-9_.;:@ %é-]{0,12}(\?[a-z=&/]{0,5})?(#[a-z]{0,3})?",
    fullmatch=True,
)


@given(ADDRESSES)
def test_a_file_has_the_name_that_its_address_has_without_the_edge(url: str) -> None:
    assert stable_name(url) == re.sub(r"^/v/t[\d.-]+/", "/", urlsplit(url).path)


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 1000))
def test_a_pass_drops_a_fifth_at_most_and_at_least_one(gone: list[str], held: int) -> None:
    dropped = droppable(gone, held)
    assert len(dropped) <= max(1, held * DROP_SHARE)
    assert bool(dropped) == bool(gone)


def test_a_missing_item_is_read_again_after_its_spacing() -> None:
    assert confirm_due(Suspect("1"), NOW, HOUR)
    assert not confirm_due(Suspect("1", 1, NOW - HOUR / 2), NOW, HOUR)
    assert confirm_due(Suspect("1", 1, NOW - HOUR), NOW, HOUR)


def test_why_a_feed_is_stale() -> None:
    fresh = Standing("a", synced_at=NOW - HOUR / 4)
    half = HOUR / 2
    assert stale_reason(fresh, State.CONNECTED, NOW, half) is None
    assert stale_reason(None, State.CONNECTED, NOW, half) == "never-synced"
    assert stale_reason(fresh, State.RECONNECT, NOW, half) == "reconnect"
    assert stale_reason(fresh, State.DISCONNECTED, NOW, half) == "disconnected"
    assert stale_reason(replace(fresh, failed_at=NOW), State.CONNECTED, NOW, half) == "sync-failed"
    assert stale_reason(replace(fresh, synced_at=NOW - 5 * HOUR), State.CONNECTED, NOW, half) == "overdue"
    assert stale_reason(replace(fresh, synced_at=NOW - 5 * HOUR), State.CONNECTED, NOW, None) is None


def test_a_deep_pass_is_due_once_a_day() -> None:
    assert deep_due(Standing("a"), NOW)
    assert not deep_due(Standing("a", deep_at=NOW - 19 * HOUR), NOW)
    assert deep_due(Standing("a", deep_at=NOW - 20 * HOUR), NOW)


def test_what_stands_in_for_a_missing_alt_text() -> None:
    assert first_sentence("Fresh bread! Come by.") == "Fresh bread!"
    assert first_sentence("#rye #bread") is None
    assert first_sentence("Rye 2.5 kg, still warm #bread") == "Rye 2.5 kg, still warm"
    assert first_sentence("") is None


@given(st.text(max_size=3000))
def test_an_alt_text_is_short_and_on_one_line(caption: str) -> None:
    found = first_sentence(caption)
    assert found is None or (0 < len(found) <= 200 and "\n" not in found)


@given(st.integers(1, 5000))
def test_no_size_is_blown_up_and_no_width_made_twice(width: int) -> None:
    found = widths(Asset("d", "jpeg", 1, width, width))
    assert all(real <= size and real <= width for size, real in found.items())
    assert len(set(found.values())) == len(found)
    assert max(found.values()) == min(width, 1080)


@given(st.integers(0, 600))
def test_batches_hold_everything_in_order_and_start_small(count: int) -> None:
    items = [item(at) for at in range(count)]
    parts = list(batches(items))
    assert [one for part in parts for one in part] == items
    assert len(parts[0]) == min(count, FIRST_BATCH)
    assert all(len(part) <= LARGEST_BATCH for part in parts)
