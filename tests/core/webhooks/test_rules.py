"""The rules of webhooks as pure functions: bodies, schedules, verdicts, signatures, lanes, deaths."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from filestack.helpers import (  # pyright: ignore[reportMissingTypeStubs] - untyped library
    verify_webhook_signature,  # pyright: ignore[reportUnknownVariableType]
)
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from tintype.core.webhooks import EVENTS, PRESETS, Answer, Happening, Progress, Schedule, advice
from tintype.core.webhooks.model import DEAD_AFTER, Policy, Wanting, body_of, is_dead, judge, share, wish
from tintype.core.webhooks.samples import sample
from tintype.core.webhooks.signing import Keys, new_private, new_secret, public_of, sign
from tintype.errors import Invalid

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SEED = Schedule.of("filestack-2016")

# The four messages of the document, letter by letter in their values and their order; only the white space was cut.
UPLOADED_LINK = (
    '{"action":"fp.upload","timestamp":1443444905,"id":100946,"text":{"url":"https://www.filestackapi.com/api/file/'
    'WAunDTTqQfCNWwUUyf6n","client":"Instagram","type":"image/jpeg","filename":"1579337399020824.jpg","size":139154}}'
)
UPLOADED_COPY = (
    '{"action":"fp.upload","timestamp":1443515345,"id":105258,"text":{"container":"kg_bucket","url":"https://www.'
    'filestackapi.com/api/file/0CpUz9H4QfaX7LwwsgUf","filename":"Cat_crying_Lolcat.jpg","client":"Instagram","key":'
    '"EqACdfNRmylz2h1SSYwT_Cat_crying_Lolcat.jpg","type":"image/jpeg","size":205354}}'
)
EXPORTED = (
    '{"action":"fp.export","timestamp":1444257665,"id":142447,"text":{"source":"https://www.filestackapi.com/api/file/'
    'qHi4LxRh28IeEBdJcFpw","client":"Instagram","filename":"newFiletest.jpg","created":"https://www.filestackapi.com/'
    'api/file/s40jJOQDGVr2T86cgOAe"}}'
)
CONVERTED = (
    '{"action":"fp.converse","timestamp":1435586806,"text":{"url":"https://www.filestackapi.com/api/file/'
    'uydUKAcTSsWB3g5HOsB4/convert?w=102","link":{"writeable":true,"mimetype":"image/jpeg","handle":'
    '"uydUKAcTSsWB3g5HOsB4","url":"filepicker_upload_persist/pHSrbCRqSqeR1wh8USfY_1.jpeg","created_at":'
    '"2015-06-29T13:31:02.204Z","provider":"Instagram","app_id":7876,"filename":"1.jpeg","mongo_id":null,"_metadata":'
    'null,"access_tokens":[],"is_folder":false,"persist":false,"user_id":null,"id":31968,"size":"111175"}},"id":109}'
)


@pytest.mark.parametrize(
    "document", [UPLOADED_LINK, UPLOADED_COPY, EXPORTED, CONVERTED], ids=["link", "copy", "export", "converse"]
)
def test_the_documented_messages_byte_for_byte(document: str) -> None:
    said: dict[str, Any] = json.loads(document)
    at = datetime.fromtimestamp(said["timestamp"], UTC)
    happening = Happening("one", "app", said["action"], said["text"], at)
    assert body_of(said["id"], happening) == document.encode()


@pytest.mark.parametrize("event", EVENTS)
def test_a_sample_has_the_documented_keys(event: str) -> None:
    said = json.loads(body_of(1, sample("one", event, "https://files.example.com", NOW)))
    documented = {
        "fp.upload": UPLOADED_LINK,
        "fp.export": EXPORTED,
        "fp.converse": CONVERTED,
        "fp.delete": UPLOADED_COPY,
    }
    if event in documented:
        assert list(said) == list(json.loads(documented[event]))
        assert list(said["text"]) == list(json.loads(documented[event])["text"])


@given(st.binary(max_size=400), st.integers(1, 20))
def test_every_body_verifies_by_all_three_signatures(raw: bytes, attempt: int) -> None:
    body = json.dumps({"text": raw.decode("latin-1")}, ensure_ascii=False).encode("utf-8", "replace")
    secret, private, at = new_secret(), new_private(), datetime.now(UTC)
    signed = sign(Keys(secret, private), "msg_1", at, body, attempt)
    assert Webhook(secret).verify(body, signed.headers) == json.loads(body)
    assert verify_webhook_signature(secret, body, signed.headers) == (True, {})
    proof = next(one for one in signed.headers["webhook-signature"].split() if one.startswith("v1a,"))
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_of(private).removeprefix("whpk_")))
    key.verify(base64.b64decode(proof.removeprefix("v1a,")), signed.standard)
    with pytest.raises(InvalidSignature):
        key.verify(base64.b64decode(proof.removeprefix("v1a,")), signed.filestack)


@given(st.sampled_from(sorted(PRESETS)), st.integers(1, 30), st.timedeltas(timedelta(0), timedelta(days=2)))
def test_the_next_attempt_is_in_the_future_and_never_before_its_moment(
    name: str, attempts: int, late: timedelta
) -> None:
    schedule = Schedule.of(name)
    due = schedule.next(NOW, attempts, NOW + late, timedelta(0))
    if attempts >= len(schedule.delays):
        assert due is None
    else:
        assert due is not None
        assert due > NOW + late
        assert due >= NOW + schedule.delays[attempts]


@given(st.lists(st.integers(-5, 10**6), max_size=30))
def test_a_schedule_of_ones_own_grows_or_is_refused(seconds: list[int]) -> None:
    fits = (
        len(seconds) < 20
        and seconds == sorted(set(seconds))
        and (not seconds or 0 < seconds[0] <= seconds[-1] <= 604_800)
    )
    if fits:
        assert Schedule.of("custom", seconds).seconds == tuple(seconds)
    else:
        with pytest.raises(Invalid):
            Schedule.of("custom", seconds)


@given(st.integers(100, 599), st.integers(1, 12))
def test_2xx_alone_delivers_and_410_alone_disables(status: int, attempts: int) -> None:
    verdict = judge(Answer(status), SEED, attempts, NOW, NOW + SECOND, timedelta(0))
    assert (verdict.state is Progress.DELIVERED) == (200 <= status < 300)
    assert verdict.disables == (status == 410)
    assert (verdict.due_at is not None) == (verdict.state is Progress.WAITING)
    assert verdict.state is not Progress.WAITING or attempts < 4


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 7 ", 7),
        ("Fri, 27 Nov 2026 12:01:00 GMT", 60),
        ("Fri, 27 Nov 2026 11:00:00 GMT", 0),
        ("Fri, 27 Nov 2026 12:01:00", 0),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
        ("9" * 30, 0),
    ],
)
def test_retry_after_in_both_of_its_forms(header: str, seconds: int) -> None:
    assert wish(header, NOW) == timedelta(seconds=seconds)


@given(
    st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 6), st.booleans()), max_size=30),
    st.integers(0, 80),
    st.builds(
        Policy,
        lanes=st.integers(1, 6),
        at_once=st.integers(0, 80),
        spare=st.integers(0, 20),
        doubtful=st.integers(0, 40),
    ),
)
def test_lanes_are_never_overfull_and_shared_fairly(
    found: dict[str, tuple[int, bool]], others: int, policy: Policy
) -> None:
    wanting = [Wanting(name, *each) for name, each in found.items()]
    under_way = others + sum(one.busy for one in wanting)
    doubted = sum(one.busy for one in wanting if one.in_doubt)
    given_out = share(wanting, under_way, doubted, policy)
    after = {one.name: one.busy + given_out.get(one.name, 0) for one in wanting}
    assert all(after[one.name] <= max(policy.lanes, one.busy) for one in wanting)
    firsts = sum(1 for one in wanting if not one.busy and one.name in given_out)
    total = under_way + sum(given_out.values())
    assert total <= max(under_way, policy.at_once + policy.spare)
    assert total - firsts <= max(under_way, policy.at_once)
    well = [one for one in wanting if not one.in_doubt]
    idle = [one for one in well if after[one.name] == 0]
    assert not idle or total >= policy.at_once + policy.spare
    gaining = [after[one.name] for one in well if one.name in given_out]
    waiting = [after[one.name] for one in well if after[one.name] < policy.lanes]
    assert not gaining or not waiting or max(gaining) <= min(waiting) + 1
    ill = [one for one in wanting if one.in_doubt and one.name in given_out]
    assert all(after[one.name] == 1 for one in ill)
    assert doubted + len(ill) <= max(doubted, policy.doubtful)


@pytest.mark.parametrize(
    ("since", "last", "dead"),
    [
        (None, None, False),
        (timedelta(0), timedelta(0), False),  # one bad minute five days ago, and nothing since
        (timedelta(0), timedelta(hours=11), False),
        (timedelta(0), timedelta(hours=12), True),
        (timedelta(seconds=1), timedelta(days=4), False),  # five days are not over
    ],
)
def test_an_endpoint_is_dead_after_five_days_of_nothing_else(
    since: timedelta | None, last: timedelta | None, dead: bool
) -> None:
    first = NOW - DEAD_AFTER
    assert is_dead(None if since is None else first + since, None if last is None else first + last, NOW) is dead


@given(st.integers(300, 599))
def test_there_is_advice_for_every_failure(status: int) -> None:
    assert advice(Answer(status, headers={"location": "https://www.example.com/"}))


@pytest.mark.parametrize("reason", ["blocked", "timeout", "dns", "tls", "connect", "broken", None])
def test_there_is_advice_for_every_reason(reason: str | None) -> None:
    assert advice(Answer(reason=reason))
    assert advice(Answer(204)) is None
