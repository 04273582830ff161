"""What is said of a post, for every state it can be in and every kind of failure it can have."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tintype.api.social.dialect import EXPIRED, LIMITED
from tintype.api.social.outcomes import entry, outcome, trouble_of
from tintype.core.publishing import CommentState, Draft, Failure, Item, ItemKind, Post, Product, State
from tintype.errors import Kind

NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
POST = Post(
    id=42,
    workspace_id="w",
    account_id="a",
    user_id=1,
    draft=Draft(Product.IMAGE, (Item(ItemKind.PICTURE, "https://example.com/product.jpg"),)),
    state=State.SCHEDULED,
    version=1,
    scheduled_at=None,
    timezone=None,
    due_at=NOW,
    parts=(),
    container_id=None,
    container_at=None,
    round=0,
    tries=0,
    publishes=0,
    publish_started_at=None,
    doubt=None,
    media_id=None,
    permalink=None,
    failure=None,
    candidates=(),
    comment_state=CommentState.NONE,
    comment_id=None,
    comment_tries=0,
    refreshed=False,
    reason=None,
    fence=0,
    created_at=NOW,
    updated_at=NOW,
    published_at=None,
)
STATUSES = {
    Kind.INVALID: 400,
    Kind.UNAUTHORIZED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.GONE: 410,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 400,
    Kind.UNSUPPORTED: 400,
    Kind.RATE_LIMITED: 429,
    Kind.UNAVAILABLE: 503,
    Kind.RECONNECT: 401,
    Kind.REFUSED: 502,
    Kind.BUSY: 429,
    Kind.UNREACHABLE: 502,
    Kind.MISCONFIGURED: 500,
}


@pytest.mark.parametrize("state", State)
def test_every_state_is_said_in_both_places(state: State) -> None:
    failure = Failure(Kind.REFUSED, "no") if state is State.FAILED else None
    post = replace(POST, state=state, media_id="17" if state is State.PUBLISHED else None, failure=failure)
    answer = outcome(post, "/posts", "")
    expected = {State.PUBLISHED: 201, State.DRAFT: 201, State.FAILED: 502, State.CANCELLED: 409}.get(state, 202)
    assert answer.status_code == expected
    body = json.loads(bytes(answer.body))
    assert body["db_id"] == 42
    assert ("location" in answer.headers) is (answer.status_code < 300)
    said = entry(post, "john_doe")
    assert said["account"] == "john_doe"
    assert set(said) - {"account", "status"} in ({"post_id"}, {"error"}, {"db_id"})
    if "status" in body:
        assert said["status"] == body["status"]


@pytest.mark.parametrize("kind", STATUSES)
def test_every_kind_of_failure_has_its_status(kind: Kind) -> None:
    failure = Failure(kind, "it went wrong", action="mend it", code=9, subcode=2207042, trace_id="t", retry_after=90)
    assert trouble_of(failure).kind is (Kind.INVALID if STATUSES[kind] == 400 else kind)
    answer = outcome(replace(POST, state=State.FAILED, failure=failure), "/posts", "")
    assert answer.status_code == STATUSES[kind]
    body = json.loads(bytes(answer.body))
    assert (body.get("detail", body["error"]), body["db_id"], body["what_to_do"]) == ("it went wrong", 42, "mend it")
    documented = {Kind.RECONNECT: EXPIRED, Kind.BUSY: LIMITED, Kind.RATE_LIMITED: LIMITED}
    assert body["error"] == documented.get(kind, "it went wrong")
    assert body["instagram"] == {"code": 9, "subcode": 2207042, "trace_id": "t"}
    if answer.status_code in (429, 503):
        assert answer.headers["retry-after"] == "90"


def test_a_planned_post_is_not_one_that_waits_for_quota() -> None:
    planned = replace(POST, scheduled_at=LATER, due_at=LATER)
    assert (outcome(planned, "/posts", "").status_code, entry(planned, "a")["status"]) == (201, "scheduled")
    waiting = replace(planned, due_at=LATER + timedelta(hours=1), reason="the quota is used up")
    answer = outcome(waiting, "/posts", "")
    assert answer.status_code == 202
    assert json.loads(bytes(answer.body))["reason"] == "the quota is used up"
    assert entry(waiting, "a")["status"] == "processing"


def test_a_failure_in_the_form_of_rfc_9457() -> None:
    post = replace(POST, state=State.FAILED, failure=Failure(Kind.INVALID, "too tall"))
    answer = outcome(post, "/posts", "application/problem+json")
    assert answer.media_type == "application/problem+json"
    body = json.loads(bytes(answer.body))
    assert (body["status"], body["detail"], body["db_id"]) == (400, "too tall", 42)
