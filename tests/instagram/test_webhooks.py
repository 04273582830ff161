"""Instagram's calls to us: every shape, every signature rule."""

import hmac
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.instagram.test_model import LIKELY
from tintype.errors import Invalid
from tintype.instagram import parse_webhook, verify_webhook_signature

SECRET = "instagram-app-secret"
BODY = '{"object":"instagram","entry":[{"id":"1","text":"Grüße"}]}'.encode()
VALUE = {
    "id": "17865799348089039",
    "text": "so cool!",
    "from": {"id": "232323232", "username": "test"},
    "media": {"id": "123123123", "media_product_type": "FEED"},
}


def signed(body: bytes, secret: str = SECRET, kind: str = "sha256") -> str:
    return f"{kind}={hmac.new(secret.encode(), body, kind).hexdigest()}"


def test_either_secret_may_have_signed():
    assert verify_webhook_signature(BODY, signed(BODY), None, ["meta-app-secret", SECRET])


def test_the_old_header_counts_only_alone():
    assert verify_webhook_signature(BODY, None, signed(BODY, kind="sha1"), [SECRET])
    assert not verify_webhook_signature(BODY, "sha256=00", signed(BODY, kind="sha1"), [SECRET])


@pytest.mark.parametrize(
    ("header", "secrets"),
    [
        (None, [SECRET]),
        ("", [SECRET]),
        ("sha256=", [SECRET]),
        (signed(BODY)[7:], [SECRET]),
        (signed(BODY + b" "), [SECRET]),
        (signed(BODY), ["other"]),
        (signed(BODY), []),
        (signed(BODY, ""), [""]),
        ("sha256=\xe9\xe9", [SECRET]),
    ],
)
def test_anything_else_is_refused(header: str | None, secrets: list[str]):
    assert not verify_webhook_signature(BODY, header, None, secrets)


@given(st.binary(max_size=40), st.text(max_size=80))
def test_no_header_crashes_the_check(body: bytes, header: str):
    expected = header.strip().lower() == signed(body)
    assert verify_webhook_signature(body, header, None, [SECRET]) is expected


def body_of(*entries: object) -> bytes:
    return json.dumps({"object": "instagram", "entry": entries}).encode()


@pytest.mark.parametrize(
    "body",
    [
        body_of({"id": "9", "time": 1520383571, "changes": [{"field": "comments", "value": VALUE}]}),
        body_of({"id": "9", "time": 1520383571, "field": "comments", "value": VALUE}),
        body_of({"id": 9, "time": 1520383571000, "changes": [{"field": "comments", "value": VALUE}]}),
        json.dumps(
            [json.loads(body_of({"id": "9", "time": "1520383571", "field": "comments", "value": VALUE}))]
        ).encode(),
    ],
)
def test_a_comment_in_every_shape(body: bytes):
    (change,) = parse_webhook(body)
    assert (change.account_id, change.field, change.subject_id) == ("9", "comments", "17865799348089039")
    assert change.at == datetime(2018, 3, 7, 0, 46, 11, tzinfo=UTC)
    assert change.value["text"] == "so cool!"
    assert "so cool!" not in repr(change)


def test_the_dashboards_test_button():
    (change,) = parse_webhook(json.dumps({"field": "live_comments", "value": VALUE}).encode())
    assert (change.account_id, change.field, change.at) == (None, "live_comments", None)


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        ({"comment_id": "5", "media_id": "6"}, "5"),
        ({"media_id": "6"}, "6"),
        ({"id": 7, "comment_id": "5"}, "7"),
        ({}, None),
    ],
)
def test_what_a_change_is_about(value: dict[str, object], subject: str | None):
    (change,) = parse_webhook(body_of({"id": "9", "changes": [{"field": "mentions", "value": value}]}))
    assert change.subject_id == subject


def test_messages_reactions_and_postbacks():
    people = {"sender": {"id": "1"}, "recipient": {"id": "9"}, "timestamp": 1569262485349}
    sent = [
        {**people, "message": {"mid": "m1", "text": "hi"}},
        {**people, "reaction": {"mid": "m1", "action": "react", "emoji": "x"}},
        {**people, "message_edit": {"mid": "m1", "num_edit": 1}},
        {**people, "something_new": {}},
    ]
    changes = parse_webhook(body_of({"id": "9", "time": 1569262486134, "messaging": sent}))
    assert [(change.field, change.subject_id, change.verb) for change in changes] == [
        ("message", "m1", None),
        ("reaction", "m1", "react"),
        ("message_edit", "m1", None),
    ]
    assert changes[0].at == datetime(2019, 9, 23, 18, 14, 45, 349000, tzinfo=UTC)
    assert changes[0].value["sender"] == {"id": "1"}


def test_a_batch_keeps_its_order():
    batch = [
        {"id": str(n), "changes": [{"field": "comments", "value": {"id": f"{n}{m}"}} for m in range(3)]}
        for n in range(3)
    ]
    assert [change.subject_id for change in parse_webhook(body_of(*batch))] == [
        f"{n}{m}" for n in range(3) for m in range(3)
    ]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_no_json_is_invalid(body: bytes):
    with pytest.raises(Invalid):
        parse_webhook(body)


@settings(max_examples=200)
@given(LIKELY, LIKELY)
def test_any_json_is_read_in_peace(entry: object, value: object):
    for shape in (entry, {"entry": [entry]}, {"entry": [{"changes": [entry], "messaging": [entry]}]}):
        assert isinstance(parse_webhook(json.dumps(shape).encode()), tuple)
    (change,) = parse_webhook(body_of({"time": entry, "field": "f", "value": value}))
    assert change.field == "f"
