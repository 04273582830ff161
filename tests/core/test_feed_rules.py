"""The feed's pure rules: what changed, what may go, what is stale."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from hypothesis import given
from hypothesis import strategies as st

from tintype.core.accounts import State
from tintype.core.feed import Asset, Policy, Standing, first_sentence, widths
from tintype.core.feed.comparing import Known, Said, changed, plan, settled, stable_name, wants_copies
from tintype.core.feed.feed import FIRST_BATCH, LARGEST_BATCH, batches
from tintype.core.feed.model import DROP_SHARE, Suspect, confirm_due, deep_due, droppable, stale_reason

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def said(at: int, **facts: Any) -> Said:
    """What is said of the at-th newest post."""
    made = Said(str(at), "IMAGE", "FEED", f"caption {at}", f"https://www.instagram.com/p/{at}/", NOW - at * HOUR)
    return made._replace(**facts)


def stored(posts: Sequence[Said]) -> dict[str, Known]:
    """The posts as they are stored, with all copies."""
    return {post.id: Known(post) for post in posts}


def whole(one: Known) -> bool:
    """Nothing of a post is to be copied again."""
    del one
    return False


POSTS = st.lists(st.integers(0, 40), unique=True).map(lambda places: [said(at) for at in sorted(places)])


@given(POSTS, POSTS, st.booleans())
def test_a_plan_accounts_for_every_post_once(before: list[Said], seen: list[Said], complete: bool) -> None:
    found = plan(stored(before), seen, complete=complete, wanting=whole)
    assert not found.store & found.keep
    assert not set(found.missing) & (found.store | found.keep)
    if seen:
        assert found.store | found.keep == {one.id for one in seen}
    assert found.store == {one.id for one in seen if one not in before}


@given(POSTS, POSTS)
def test_only_what_a_pass_covered_can_be_missing(before: list[Said], seen: list[Said]) -> None:
    found = plan(stored(before), seen, complete=False, wanting=whole)
    covered = [one.id for one in before if seen and one.posted_at > min(other.posted_at for other in seen)]
    assert set(found.missing) <= set(covered)


@given(POSTS)
def test_an_empty_page_takes_nothing_away(before: list[Said]) -> None:
    assert plan(stored(before), [], complete=True, wanting=whole).missing == ()


def test_an_edited_caption_is_a_change_and_a_new_signature_is_none() -> None:
    old = said(1, picture_name=stable_name("https://a.cdninstagram.com/v/t51.29350-15/1_n.jpg?oe=66&oh=a"))
    again = old._replace(picture_name=stable_name("https://b.cdninstagram.com/v/t51.29350-15/1_n.jpg?oe=99&oh=b"))
    assert not changed(Known(old), again, whole)
    assert changed(Known(old), again._replace(caption="edited"), whole)
    assert changed(None, old, whole)


def test_an_edited_child_is_a_change_of_its_album() -> None:
    album = said(1, kind="CAROUSEL_ALBUM", children=(said(2), said(3)))
    assert not changed(Known(album), album, whole)
    assert changed(Known(album), album._replace(children=(said(2), said(4))), whole)
    assert changed(Known(album), album._replace(children=(said(3), said(2))), whole)


def test_a_post_without_its_copy_is_tried_again() -> None:
    lacking = Known(said(1), lacks_picture=True)
    assert wants_copies(lacking, Policy(), NOW)
    assert wants_copies(Known(said(1), children=(lacking,)), Policy(), NOW)
    assert not wants_copies(Known(said(1)), Policy(), NOW)


def test_a_video_that_is_not_to_be_copied_has_its_address_renewed_before_it_ends() -> None:
    policy = Policy(copy_videos=False)
    shown = Known(said(1, kind="VIDEO"), lacks_video=True, fallback_until=NOW + 10 * HOUR)
    assert not wants_copies(shown, policy, NOW)
    assert wants_copies(shown, policy, NOW + 9.9 * HOUR)
    assert wants_copies(shown, Policy(), NOW)


def test_known_ground_takes_two_known_posts_at_the_end_of_a_page() -> None:
    known = stored([said(at) for at in (2, 3, 4)])
    assert settled([said(1), said(2), said(3)], known, whole)
    assert not settled([said(1), said(3)], known, whole)
    assert not settled([said(2), said(3, caption="edited")], known, whole)
    assert not settled([], known, whole)


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
    items = [said(at).item() for at in range(count)]
    parts = list(batches(items))
    assert [one for part in parts for one in part] == items
    assert len(parts[0]) == min(count, FIRST_BATCH)
    assert all(len(part) <= LARGEST_BATCH for part in parts)
