"""What is refused before any work, as bytes: counting within a sliding window, and links that are signed."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.api.scrape import MediaLinks, Rates
from tintype.backends.vault import Vault

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
KEYS = [b64encode(bytes([number]) * 32).decode() for number in range(3)]


@given(pauses=st.lists(st.floats(0, 30), max_size=60), most=st.integers(1, 5))
def test_no_window_holds_more_than_most(pauses: list[float], most: int) -> None:
    moment = 0.0
    rates = Rates(most, 60, clock=lambda: moment)
    taken: list[float] = []
    for pause in pauses:
        moment += pause
        standing = rates.count("one")
        assert standing is not None
        recent = [at for at in taken if at > moment - 60]
        assert (standing.left >= 0) == (len(recent) < most)
        if standing.left >= 0:
            taken.append(moment)
            assert standing.left == most - len(recent) - 1
        else:
            assert 0 < standing.wait <= 60
            assert recent[0] + 60 <= moment + standing.wait + 1e-6


def test_addresses_are_counted_apart() -> None:
    rates = Rates(1, 60)
    for who in ("one", "two"):
        found = [rates.count(who) for _ in range(3)]
        assert [standing.left for standing in found if standing] == [0, -1, -1]


def test_zero_counts_nobody() -> None:
    rates = Rates(0, 60)
    assert {rates.count("one") for _ in range(100)} == {None}


def links(*keys: str, ahead: timedelta = timedelta(0)) -> MediaLinks:
    return MediaLinks.of(Vault.of(keys[0], keys[1:]), "http://here", 60, lambda: NOW + ahead)


def parts(url: str) -> tuple[str, str]:
    fields = dict(part.split("=", 1) for part in url.partition("?")[2].split("&"))
    return fields["until"], fields["sig"]


def test_a_link_opens_its_file_until_it_expires() -> None:
    until, signature = parts(links(KEYS[0]).url("Abc", "Abc.mp4"))
    assert links(KEYS[0]).opens("Abc", "Abc.mp4", until, signature)
    assert links(KEYS[0], ahead=timedelta(seconds=59)).opens("Abc", "Abc.mp4", until, signature)
    assert not links(KEYS[0], ahead=timedelta(seconds=60)).opens("Abc", "Abc.mp4", until, signature)


@given(
    shortcode=st.sampled_from(["Abc", "Abd", "Ab"]),
    name=st.sampled_from(["Abc.mp4", "Abc.jpg", "c/Abc.mp4"]),
    more=st.integers(-5, 5),
    cut=st.integers(0, 22),
)
def test_nothing_else_is_opened_by_it(shortcode: str, name: str, more: int, cut: int) -> None:
    until, signature = parts(links(KEYS[0]).url("Abc", "Abc.mp4"))
    same = (shortcode, name, more, cut) == ("Abc", "Abc.mp4", 0, 22)
    assert links(KEYS[0]).opens(shortcode, name, str(int(until) + more), signature[:cut]) == same


@pytest.mark.parametrize("until", [None, "", "never", "-1", "9" * 13, "٣"])
def test_an_end_that_is_no_number_opens_nothing(until: str | None) -> None:
    assert not links(KEYS[0]).opens("Abc", "Abc.mp4", until, parts(links(KEYS[0]).url("Abc", "Abc.mp4"))[1])


def test_links_outlive_the_rotation_of_the_key_they_were_made_with() -> None:
    until, signature = parts(links(KEYS[0]).url("Abc", "Abc.mp4"))
    assert links(KEYS[1], KEYS[0]).opens("Abc", "Abc.mp4", until, signature)
    assert not links(KEYS[1], KEYS[2]).opens("Abc", "Abc.mp4", until, signature)
    assert signature != parts(links(KEYS[1]).url("Abc", "Abc.mp4"))[1]
