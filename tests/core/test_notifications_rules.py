"""The pure rules of web push: what is encrypted how, which subscriptions are taken, and what an answer means."""

import base64
import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.push_service import CURVE, Handset, text
from tintype.backends.recovery import LOOK_SECONDS, LOOKS
from tintype.core.notifications import PLAIN_BYTES, Notice, Outcome, Policy, Subscription, VapidKey, encrypt
from tintype.core.notifications.encryption import Once
from tintype.core.notifications.model import BACKOFF, FRESH, LOST, PAYLOAD_BYTES, is_lost, judge, retry_after_of
from tintype.errors import Invalid, TooLarge, Unavailable

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
POLICY = Policy("mailto:a@b.example", own=("127.0.0.1:8443",))
FCM = "https://fcm.googleapis.com/fcm/send/abc:def"
STATUSES = st.sampled_from([None, 200, 201, 202, 301, 400, 401, 403, 404, 410, 413, 429, 500, 502, 503, 599])


def raw(written: str) -> bytes:
    return base64.urlsafe_b64decode(written + "=" * (-len(written) % 4))


def private(written: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(raw(written), "big"), CURVE)


def test_the_example_of_rfc_8291_comes_out_to_the_byte() -> None:
    once = Once(private("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), raw("DGv6ra1nlYgDCS1FRnbzlw"))
    browser = Handset(key=private("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), auth=raw("BTBZMqHH6r4Tts7J_aSIgg"))
    plain = b"When I grow up, I want to be a watermelon"
    body = encrypt(plain, browser.public, browser.auth, once)
    assert text(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl"
        "7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert browser.decrypt(body) == plain


@given(st.binary(max_size=PLAIN_BYTES))
def test_what_is_encrypted_is_read_by_that_browser(plain: bytes) -> None:
    browser = Handset()
    assert browser.decrypt(encrypt(plain, browser.public, browser.auth)) == plain


def test_the_same_message_never_looks_the_same_twice() -> None:
    browser = Handset()
    assert encrypt(b"soup", browser.public, browser.auth) != encrypt(b"soup", browser.public, browser.auth)


def test_a_message_fills_a_record_and_no_more() -> None:
    browser = Handset()
    assert len(encrypt(b"x" * PLAIN_BYTES, browser.public, browser.auth)) == 4096
    with pytest.raises(TooLarge):
        encrypt(b"x" * (PLAIN_BYTES + 1), browser.public, browser.auth)


def test_a_key_is_read_as_it_was_written() -> None:
    key = VapidKey.fresh()
    assert VapidKey.of(key.text()).public == key.public
    assert len(key.public) == 87
    assert key.text() not in repr(key)


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ("mailto:a@b.example", {"sub": "mailto:a@b.example"}),
        ("https://b.example", {"sub": "https://b.example"}),
        ("http://127.0.0.1:8000", {}),
    ],
)
def test_whom_to_write_to_is_said_when_it_can_be_written_to(contact: str, said: dict[str, str]) -> None:
    token = VapidKey.fresh().authorization(FCM, contact, NOW).partition("t=")[2].partition(",")[0]
    claims = json.loads(raw(token.split(".")[1]))
    assert claims == {"aud": "https://fcm.googleapis.com", "exp": int(NOW.timestamp()) + 12 * 3600, **said}


@pytest.mark.parametrize("nonsense", ["", "BDummyPublicKeyForDevelopment", "AAAA", "%%%"])
def test_nonsense_is_no_key(nonsense: str) -> None:
    with pytest.raises(Unavailable):
        VapidKey.of(nonsense)


@pytest.mark.parametrize(
    "endpoint",
    [
        FCM,
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA",
        "https://web.push.apple.com/QGuQyavXutnMH",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAA%3d",
    ],
)
def test_the_services_of_the_great_browsers_are_known(endpoint: str) -> None:
    browser = Handset()
    assert Subscription.of(endpoint, **browser.keys, policy=POLICY).endpoint == endpoint


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "fcm.googleapis.com/x",
        "http://fcm.googleapis.com/fcm/send/abc",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evilfcm.googleapis.com/x",
        "https://user:secret@fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8443/x",
        "https://fcm.googleapis.com:99999/x",
        "https://fcm.googleapis.com/x#y",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com/x\r\nHost: y",
        "https://127.0.0.1:8443/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "ftp://fcm.googleapis.com/x",
        f"https://fcm.googleapis.com/{'x' * 2048}",
        "https://fcm.googleapis.çom/x",
    ],
)
def test_other_endpoints_are_not_taken(endpoint: str) -> None:
    with pytest.raises(Invalid, match="endpoint"):
        Subscription.of(endpoint, **Handset().keys, policy=POLICY)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_service_of_ones_own_is_taken_when_it_is_named_twice(scheme: str) -> None:
    mine = Policy("mailto:a@b.example", services=("127.0.0.1",), own=("127.0.0.1:8443",))
    assert Subscription.of(f"{scheme}://127.0.0.1:8443/x", **Handset().keys, policy=mine)
    with pytest.raises(Invalid):
        Subscription.of(f"{scheme}://127.0.0.1:8444/x", **Handset().keys, policy=mine)


@given(st.binary(max_size=80))
def test_what_is_no_point_of_the_curve_is_not_taken(point: bytes) -> None:
    with pytest.raises(Invalid, match=r"^keys\.p256dh"):
        Subscription.of(FCM, text(point), Handset().keys["auth"], POLICY)


def test_a_point_beside_the_curve_is_not_taken() -> None:
    point = bytearray(Handset().public)
    point[-1] ^= 1
    with pytest.raises(Invalid, match="P-256"):
        Subscription.of(FCM, text(bytes(point)), Handset().keys["auth"], POLICY)


@given(st.binary(max_size=40).filter(lambda one: len(one) != 16))
def test_a_secret_of_another_length_is_not_taken(secret: bytes) -> None:
    with pytest.raises(Invalid, match=r"^keys\.auth"):
        Subscription.of(FCM, Handset().keys["p256dh"], text(secret), POLICY)


@given(st.text(), st.text(), st.uuids().map(str), st.none() | st.from_regex(r"\Ahttps://[a-z/]{0,200}\Z"))
def test_a_payload_stays_small_whatever_the_recipe_is_called(
    title: str, body: str, subject: str, picture: str | None
) -> None:
    notice = Notice("k", subject, "queue-item", "success", title, body, "https://t.example/share?item=1", picture)
    found = notice.payload()
    assert len(found) <= PAYLOAD_BYTES
    assert set(json.loads(found)) - {"thumbnail"} == {"type", "itemId", "status", "title", "body", "url"}


def test_a_topic_is_the_id_without_dashes() -> None:
    notice = Notice("k", "550e8400-e29b-41d4-a716-446655440000", "queue-item", "success", "a", "b", "/share")
    assert notice.topic == "550e8400e29b41d4a716446655440000"


@given(STATUSES, st.none() | st.integers(0, 200_000), st.integers(1, 8), st.integers(0, 86_399))
def test_an_answer_means_one_thing(status: int | None, wait: int | None, attempts: int, age: int) -> None:
    until = NOW - timedelta(seconds=age) + FRESH
    after = None if wait is None else timedelta(seconds=wait)
    verdict = judge(status, after, attempts, NOW, until)
    expected = {
        200: Outcome.DELIVERED, 201: Outcome.DELIVERED, 202: Outcome.DELIVERED, 404: Outcome.GONE, 410: Outcome.GONE,
        301: Outcome.REFUSED, 400: Outcome.REFUSED, 401: Outcome.REFUSED, 403: Outcome.REFUSED, 413: Outcome.REFUSED,
    }.get(status or 0)  # fmt: skip
    if expected is not None:
        assert verdict.outcome is expected
    elif verdict.outcome is Outcome.LATER:
        assert verdict.at is not None
        assert NOW + (after or timedelta(0)) <= verdict.at < until
        assert verdict.at >= NOW + BACKOFF[attempts - 1]
    else:
        assert verdict.outcome is Outcome.EXPIRED
        waits = max(BACKOFF[min(attempts, len(BACKOFF)) - 1], after or timedelta(0))
        assert attempts > len(BACKOFF) or NOW + waits >= until


@given(st.integers(-100_000, 100_000))
def test_retry_after_is_read_in_both_forms(seconds: int) -> None:
    moment = NOW + timedelta(seconds=seconds)
    assert retry_after_of(format_datetime(moment, usegmt=True), NOW) == timedelta(seconds=max(0, seconds))
    assert retry_after_of(str(abs(seconds)), NOW) == timedelta(seconds=abs(seconds))


@given(st.none() | st.text())
def test_nonsense_asks_for_no_wait(header: str | None) -> None:
    found = retry_after_of(header, NOW)
    assert found is None or found >= timedelta(0)


def test_a_browser_is_lost_after_a_week() -> None:
    assert not is_lost(None, NOW)
    assert not is_lost(NOW - LOST + timedelta(seconds=1), NOW)
    assert is_lost(NOW - LOST, NOW)


def test_what_a_dead_node_was_sending_is_sent_by_another_within_ten_seconds() -> None:
    found_dead = timedelta(
        seconds=LOOKS * LOOK_SECONDS
    )  # from then on its job goes on elsewhere, and waits for the lease
    assert max(POLICY.lease, found_dead) < timedelta(seconds=9), "which leaves the engine a second to begin"
