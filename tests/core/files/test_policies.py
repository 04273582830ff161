"""Policies: signed over the letters as they are, read whichever base64 they are in, and never wider than what they say."""

import base64
import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.files import Call, Policy, Subject, signed
from tintype.core.files.policies import check, compiled, parse
from tintype.errors import Forbidden

NOW = datetime(2026, 6, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)

# What filestack-python makes of the secret SECRET.
KNOWN = "eyJjYWxsIjogWyJyZWFkIiwgImNvbnZlcnQiXSwgImV4cGlyeSI6IDE4OTM0NTYwMDB9"


def encoded(said: object, *, safe: bool = True, padded: bool = True) -> str:
    raw = json.dumps(said).encode()
    text = (base64.urlsafe_b64encode(raw) if safe else base64.b64encode(raw)).decode()
    return text if padded else text.rstrip("=")


def test_the_known_pair() -> None:
    assert signed("SECRET", KNOWN) == "fdcea4e5666a5b21128256ae5f92a50a200c28742796b9a8211458810eb24569"
    assert parse(KNOWN) == Policy(datetime(2030, 1, 1, tzinfo=UTC), frozenset({Call.READ, Call.CONVERT}))


@given(
    st.dictionaries(st.sampled_from(["handle", "path", "container", "url"]), st.text(max_size=30)),
    st.booleans(),
    st.booleans(),
)
def test_every_base64_says_the_same(said: dict[str, str], safe: bool, padded: bool) -> None:
    whole = {"expiry": 1893456000, **said}
    assert parse(encoded(whole, safe=safe, padded=padded)) == parse(encoded(whole))


def test_without_calls_everything_but_exif_is_allowed() -> None:
    policy = parse(encoded({"expiry": 1893456000}))
    assert policy.calls == frozenset(Call) - {Call.EXIF}
    assert parse(encoded({"expiry": 1893456000, "call": "read"})).calls == {Call.READ}
    assert parse(encoded({"expiry": 1893456000, "call": ["read", "unheard"]})).calls == {Call.READ}
    assert parse(encoded({"expiry": 1893456000, "call": []})).calls == frozenset()


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"expiry": None},
        {"expiry": "1893456000"},
        {"expiry": True},
        {"expiry": -1},
        {"expiry": 1e300},
        {"expiry": 1893456000, "handle": 5},
        {"expiry": 1893456000, "path": ["a"]},
        {"expiry": 1893456000, "path": "x" * 501},
        {"expiry": 1893456000, "maxSize": "10"},
        {"expiry": 1893456000, "minSize": -1},
        {"expiry": 1893456000, "maxSize": True},
        [],
        "text",
        None,
    ],
)
def test_what_no_policy_says_allows_nothing(said: object) -> None:
    with pytest.raises(Forbidden):
        parse(encoded(said))


@pytest.mark.parametrize("text", ["", "%%%", "a", "e30", "[" * 3000, base64.b64encode(b"\xff\xfe").decode()])
def test_what_cannot_be_read_allows_nothing(text: str) -> None:
    with pytest.raises(Forbidden):
        parse(text)


@given(st.sampled_from(list(Call)), st.frozensets(st.sampled_from(list(Call))), st.integers(-10, 10))
def test_a_call_needs_its_name_and_time(call: Call, calls: frozenset[Call], seconds: int) -> None:
    policy = Policy(NOW + timedelta(seconds=seconds), calls)
    if call in calls and seconds > 0:
        check(policy, call, Subject(), NOW)
    else:
        with pytest.raises(Forbidden):
            check(policy, call, Subject(), NOW)


def test_a_policy_for_one_handle_is_for_no_other() -> None:
    policy = Policy(LATER, frozenset(Call), handle="a" * 20)
    check(policy, Call.READ, Subject(handle="a" * 20), NOW)
    for other in (Subject(handle="b" * 20), Subject()):
        with pytest.raises(Forbidden):
            check(policy, Call.READ, other, NOW)


def test_paths_containers_and_addresses_are_held_against_patterns() -> None:
    policy = Policy(LATER, frozenset(Call), path="^/?photos/", container="^box$", url=r"^https://shop\.example/")
    fine = Subject(path="photos/a", container="box", url="https://shop.example/a.jpg")
    check(policy, Call.STORE, fine, NOW)
    check(policy, Call.READ, Subject(), NOW)
    for wrong in ({"path": "other/"}, {"path": None}, {"container": "boxes"}, {"url": "https://shop.example.org/"}):
        with pytest.raises(Forbidden):
            check(policy, Call.STORE, replace(fine, **wrong), NOW)


def test_a_pattern_takes_time_in_proportion_to_what_it_is_held_against() -> None:
    begun = time.perf_counter()
    assert compiled(r"^(a+)+$").search("a" * 2000 + "b") is None
    assert compiled(r"(.*)(.*)(.*)(.*)(.*)[^a]$").search("a" * 2000) is None
    assert time.perf_counter() - begun < 30  # where patterns that go back take years
    for unserved in (r"(?=a)", r"(a)\1", "(", "a{1000}{1000}"):
        with pytest.raises(Forbidden):
            compiled(unserved)
