"""What Instagram's refusals become: own literal bodies for every rule, and every recorded body where they lie beside us."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.instagram.test_model import LIKELY
from tintype.errors import Busy, Forbidden, Kind, Misconfigured, Reconnect, RemoteTrouble, Trouble, Unreachable
from tintype.instagram import MEANINGS, Category, category_of, meaning_of, revokes, trouble_from
from tintype.instagram.errors import judged, scrubbed

SHARED = Path(os.environ.get("TINTYPE_SHARED", Path(__file__).parents[2] / "../shared"))
TOKEN = "IGAAabcdefghijklmnopqrstuvwxyz0123456789"


def graph_error(code: int | None, subcode: int | None = None, message: str = "no", **more: object) -> bytes:
    error = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode, **more}
    return json.dumps({"error": {key: value for key, value in error.items() if value is not None}}).encode()


def trouble(code: int, subcode: int | None = None, message: str = "no", **more: object) -> Trouble:
    return trouble_from(400, {}, graph_error(code, subcode, message, **more), what="read the media list")


@pytest.mark.parametrize(
    ("code", "subcode", "kind"),
    [
        (1, None, Kind.UNREACHABLE),
        (2, None, Kind.UNREACHABLE),
        (4, None, Kind.BUSY),
        (4, 2207051, Kind.BUSY),
        (9, 2207042, Kind.BUSY),
        (10, None, Kind.FORBIDDEN),
        (12, None, Kind.REFUSED),
        (17, 2446079, Kind.BUSY),
        (32, None, Kind.BUSY),
        (100, None, Kind.REFUSED),
        (100, 33, Kind.REFUSED),
        (100, 36009, Kind.REFUSED),
        (100, 2207028, Kind.REFUSED),
        (104, None, Kind.MISCONFIGURED),
        (190, None, Kind.RECONNECT),
        (190, 0, Kind.RECONNECT),
        (190, 458, Kind.RECONNECT),
        (190, 459, Kind.RECONNECT),
        (190, 999, Kind.RECONNECT),
        (200, None, Kind.FORBIDDEN),
        (299, 5, Kind.FORBIDDEN),
        (300, None, Kind.REFUSED),
        (368, None, Kind.BUSY),
        (613, 1996, Kind.BUSY),
        (803, None, Kind.REFUSED),
        (9007, 2207027, Kind.BUSY),
        (80002, None, Kind.BUSY),
        (80014, None, Kind.BUSY),
        (80007, None, Kind.REFUSED),
        (-1, 2207001, Kind.UNREACHABLE),
        (-2, 2207020, Kind.REFUSED),
        (36000, 2207004, Kind.REFUSED),
        (424242, None, Kind.REFUSED),
    ],
)
def test_code_and_subcode_decide(code: int, subcode: int | None, kind: Kind):
    said = trouble(code, subcode)
    assert said.kind is kind
    assert f"Instagram code {code}" in said.message
    assert said.message.startswith("Could not read the media list: ")
    if isinstance(said, RemoteTrouble):
        assert (said.code, said.subcode) == (code, subcode or None)


@pytest.mark.parametrize(("code", "subcode"), MEANINGS)
def test_every_meaning_is_a_sentence_for_a_person(code: int | None, subcode: int | None):
    meaning = meaning_of(code, subcode)
    assert meaning.sentence == f"{meaning.cause}; {meaning.action}."
    assert len(meaning.sentence) < 200
    for phrase in (meaning.cause, meaning.action):
        assert phrase
        assert phrase == phrase.strip(" .;")
    assert (meaning.wait is not None) == (meaning.kind is Kind.BUSY)
    assert not meaning.revoking or meaning.kind is Kind.RECONNECT


@pytest.mark.parametrize("subcode", [None, 0, 458, 460, 463, 467])
def test_these_end_the_connection(subcode: int | None):
    assert revokes(trouble(190, subcode))


@pytest.mark.parametrize(("code", "subcode"), [(190, 459), (190, 464), (190, 492), (10, None), (100, 33), (4, None)])
def test_these_do_not_end_the_connection(code: int, subcode: int | None):
    assert not revokes(trouble(code, subcode))


def test_only_what_may_pass_is_retryable():
    """What the sender repeats at once; a limit may pass too, but only after its wait."""
    retryable = {pair for pair in MEANINGS if judged(400, {}, graph_error(*pair), what="x").retryable}
    assert retryable == {
        (1, None),
        (2, None),
        (-2, 2207003),
        (-1, 2207001),
        (-1, 2207032),
        (-1, 2207053),
        (24, 2207008),
        (9004, 2207052),
        (None, 2207077),
        (None, 2207082),
    }


def test_instagrams_word_that_it_is_transient_beats_the_table():
    verdict = judged(400, {}, graph_error(100, is_transient=True), what="x")
    assert (verdict.trouble.kind, verdict.retryable) == (Kind.UNREACHABLE, True)
    assert verdict.trouble.message.startswith("Could not x: Instagram did not accept a part of the request; try again.")
    for pair in ((190, 463), (10, None), (104, None), (36001, 2207005)):
        said = trouble(*pair, is_transient=True)
        assert (said.kind, revokes(said), category_of(said)) == (Kind.UNREACHABLE, False, Category.TRANSIENT)
    assert trouble(4, is_transient=True).kind is Kind.BUSY  # waiting is what it asks for


def test_a_wait_comes_from_the_usage_header_then_from_retry_after_then_from_the_table():
    usage = '{"17841400455970028":[{"type":"instagram","call_count":100,"estimated_time_to_regain_access":20}]}'
    body = graph_error(80002)
    from_usage = trouble_from(400, {"x-business-use-case-usage": usage, "retry-after": "7"}, body, what="x")
    from_header = trouble_from(400, {"retry-after": "7"}, body, what="x")
    assert [t.retry_after for t in (from_usage, from_header, trouble(80002), trouble(4))] == [1200, 7, 3600, 3600]


@pytest.mark.parametrize("retry_after", ["0", "-5", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_a_wait_is_never_nothing(retry_after: str):
    said = trouble_from(400, {"retry-after": retry_after}, graph_error(17), what="x")
    assert said.retry_after == 3600


def test_the_app_limit_does_not_take_an_accounts_wait():
    usage = '{"1":[{"call_count":10,"estimated_time_to_regain_access":3}]}'
    said = trouble_from(400, {"x-business-use-case-usage": usage}, graph_error(4), what="x")
    assert said.retry_after == 3600


@pytest.mark.parametrize(
    ("said", "kind", "advice"),
    [
        ("Matching code was not found or was already used", Kind.REFUSED, "start connecting again"),
        ("Invalid platform app", Kind.MISCONFIGURED, "Instagram app id"),
        ("Error validating verification code. Please make sure", Kind.REFUSED, "start connecting again"),
        ("Invalid redirect_uri", Kind.REFUSED, "redirect address"),
        ("Something new", Kind.REFUSED, "Instagram says: Something new"),
    ],
)
def test_the_short_form_of_the_token_host(said: str, kind: Kind, advice: str):
    body = json.dumps({"error_type": "OAuthException", "code": 400, "error_message": said}).encode()
    found = trouble_from(400, {}, body, what="exchange the authorisation code")
    assert found.kind is kind
    assert advice in found.message
    assert "code 400" not in found.message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><title>Sorry</title>",
        b'{"error": {"mess',
        b"\xff\xfe",
        b"[" * 200_000,
        b'{"data": 1}',
        b"[]",
        b"null",
    ],
)
def test_an_answer_that_says_nothing_is_unreachable(body: bytes):
    for status, retryable in ((502, True), (200, True), (404, False)):
        verdict = judged(status, {"content-type": "text/html; charset=utf-8"}, body, what="x")
        assert isinstance(verdict.trouble, Unreachable)
        assert f"HTTP {status}, text/html" in verdict.trouble.message
        assert verdict.retryable is retryable


def test_429_without_a_body_is_a_wait():
    said = trouble_from(429, {"retry-after": "12"}, b"slow down", what="x")
    assert isinstance(said, Busy)
    assert said.retry_after == 12


def test_an_error_without_a_code_goes_by_its_status():
    for unknown in (b'{"error": {"message": "oops", "code": 424242}}', b'{"error": "oops"}'):
        assert judged(503, {}, unknown, what="x").retryable
        assert not judged(400, {}, unknown, what="x").retryable
    body = b'{"error": {"message": "oops"}}'
    assert judged(500, {}, body, what="x").retryable
    assert trouble_from(400, {}, body, what="x").message.endswith("Instagram says: oops")


@pytest.mark.parametrize(
    "message",
    [
        f"Malformed access token {TOKEN}",
        f"bad url https://graph.instagram.com/me?access_token={TOKEN}&x=1",
        "bad url https://graph.instagram.com/me?access_token=short&client_secret=small&code=tiny",
        f"Unknown path /v1/{TOKEN}%7C{TOKEN}",
    ],
)
def test_nothing_like_a_token_is_ever_quoted(message: str):
    said = trouble(100, message=message).message
    assert "Instagram says: " in said
    for secret in (TOKEN, "short", "small", "tiny"):
        assert secret not in said


def test_what_was_sent_is_hidden_whatever_it_looks_like():
    body = graph_error(100, message="Do you mean hunter2?")
    assert "hunter2" not in judged(400, {}, body, what="x", hide=("hunter2",)).trouble.message


def test_a_helpful_constant_is_not_taken_for_a_token():
    assert "INSTAGRAM_PLATFORM_API__INVALID_LOCATION_ID" in scrubbed("INSTAGRAM_PLATFORM_API__INVALID_LOCATION_ID")


def test_the_words_written_for_users_are_preferred():
    said = trouble(100, message="developer text", error_user_msg="Only for people.")
    assert "Only for people." in said.message
    assert "developer text" not in said.message


@settings(max_examples=200)
@given(status=st.integers(200, 599), value=LIKELY, cut=st.integers(0, 400))
def test_any_body_becomes_a_trouble(status: int, value: object, cut: int):
    for body in (json.dumps(value).encode(), json.dumps({"error": value}).encode()[:cut]):
        assert trouble_from(status, {}, body, what="x").message


@given(st.text(max_size=2000))
def test_a_quote_is_one_short_line(said: str):
    quoted = scrubbed(said)
    assert len(quoted) <= 300
    assert "\n" not in quoted


RECORDED = {
    "issues/error_100_collaborators_on_child.json": Kind.REFUSED,
    "issues/error_100_impressions_v22.json": Kind.REFUSED,
    "issues/error_100_nonexisting_field.json": Kind.REFUSED,
    "issues/error_100_views_unsupported_media.json": Kind.REFUSED,
    "issues/error_12_wrong_node.json": Kind.REFUSED,
    "issues/error_190_expired.json": Kind.RECONNECT,
    "issues/error_200_permissions.json": Kind.FORBIDDEN,
    "issues/error_2207089_carousel_item_standalone.json": Kind.REFUSED,
    "issues/error_4_2207051_spam.json": Kind.BUSY,
    "issues/error_803_alias.json": Kind.REFUSED,
    "issues/error_9004_fetch_failed.json": Kind.REFUSED,
    "issues/error_9007_not_ready.json": Kind.BUSY,
    "issues/error_fb_code_used.json": Kind.REFUSED,
    "issues/error_fb_unsupported_get.json": Kind.REFUSED,
    "issues/error_ig_invalid_platform_app.json": Kind.MISCONFIGURED,
    "issues/error_ig_unsupported_get.json": Kind.REFUSED,
    "docs/error_image_too_large.json": Kind.REFUSED,
    "docs/error_throttle_32.json": Kind.BUSY,
    "docs/error_throttle_80001.json": Kind.BUSY,
    "docs/media_delete_unsupported.json": Kind.REFUSED,
    "docs/oauth_ig_error_code_used.json": Kind.REFUSED,
    "pyfacebook/testdata/error.json": Kind.REFUSED,
    "pyfacebook/testdata/base/error_data.json": Kind.REFUSED,
}


def test_every_recorded_refusal():
    """Runs over the recordings where they lie beside the checkout; the literal bodies above cover the rules without them."""
    recorded = {path: SHARED / "data/graph" / path for path in RECORDED}
    found = {
        path: trouble_from(400, {}, file.read_bytes(), what="x").kind
        for path, file in recorded.items()
        if file.exists()
    }
    assert found == {path: RECORDED[path] for path in found}
    assert len(found) in (0, len(RECORDED))


def test_each_kind_is_its_own_class():
    classes = {10: Forbidden, 104: Misconfigured, 190: Reconnect, 4: Busy, 2: Unreachable}
    assert all(isinstance(trouble(code), one) for code, one in classes.items())


def test_every_refusal_carries_its_numbers_and_what_to_do():
    for code in (10, 104, 190, 4, 2, 100):
        said = trouble(code, 7, fbtrace_id="AbC-_1")
        assert isinstance(said, RemoteTrouble)
        assert (said.code, said.subcode, said.trace_id) == (code, 7, "AbC-_1")
        assert said.action
        assert said.action in said.message


@pytest.mark.parametrize("trace", ["a b", "x" * 65, "<b>", ["a"], "", {}])
def test_a_trace_that_is_none_is_left_out(trace: object):
    said = trouble(100, fbtrace_id=trace)
    assert isinstance(said, RemoteTrouble)
    assert said.trace_id is None
