"""Bodies of /api/webhooks: what is read from requests, and how endpoints, deliveries and their log are shown."""

import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, Field

from tintype.core.webhooks import (
    Answer,
    Attempt,
    Delivery,
    Endpoint,
    Envelope,
    Pulled,
    Tested,
    Wish,
    advice,
    enveloped,
    filestack_text,
    standard_text,
)

_WEEK = 7 * 86_400
_HOURS = 168

Delays = Annotated[list[Annotated[int, Field(ge=1, le=_WEEK)]], Field(max_length=19)]


class EndpointRequest(BaseModel):
    """POST /api/webhooks and PATCH /api/webhooks/{id}."""

    url: str | None = None
    events: list[str] | None = Field(None, max_length=100)
    description: str | None = None
    schedule: str | None = None
    delays: Delays = []
    envelope: Envelope | None = None

    def wish(self) -> Wish:
        """Return what the endpoint should be like."""
        return Wish(self.url, self.events, self.description, self.schedule, tuple(self.delays), self.envelope)


class CreateRequest(EndpointRequest):
    """POST /api/webhooks."""

    app_id: str | None = Field(None, alias="appId", description="A picker app, to hear of that app alone.")
    listen: bool = Field(False, description="Call nobody: a listener fetches what happens.")


class RotateRequest(BaseModel):
    """POST /api/webhooks/{id}/rotate."""

    overlap_hours: int = Field(24, ge=0, le=_HOURS, alias="overlapHours")


class ResumeRequest(BaseModel):
    """POST /api/webhooks/{id}/resume."""

    skip: bool = Field(False, description="Leave out what was never tried so far.")


class TestRequest(BaseModel):
    """POST /api/webhooks/{id}/test."""

    event: str = "fp.upload"


class RecoverRequest(BaseModel):
    """POST /api/webhooks/{id}/recover."""

    since: AwareDatetime
    which: Literal["failed", "missing"] = "failed"


class PullRequest(BaseModel):
    """POST /api/webhooks/{id}/pull."""

    wait: float = Field(0.0, ge=0, le=30, allow_inf_nan=False)


class AnswerRequest(BaseModel):
    """POST /api/webhooks/{id}/deliveries/{delivery}/answer."""

    fence: int = Field(ge=0, le=2**31 - 1)
    url: str = Field(max_length=2048)
    status: int | None = Field(None, ge=100, le=599)
    reason: str | None = Field(None, max_length=32)
    detail: str | None = Field(None, max_length=500)
    headers: dict[str, str] = Field({}, max_length=40)
    body: str = Field("", max_length=8192)
    seconds: float = Field(0.0, ge=0, le=3600, allow_inf_nan=False)

    def answer(self) -> Answer:
        """Return what the listener's receiver said."""
        headers = {_plain(name).lower()[:200]: _plain(value)[:500] for name, value in self.headers.items()}
        detail = _plain(self.detail) if self.detail is not None else None
        reason = _plain(self.reason) if self.reason is not None else None
        return Answer(self.status, reason, detail, headers, _plain(self.body), self.seconds)


def endpoint(found: Endpoint) -> dict[str, Any]:
    """Return an endpoint as its owner sees it; its secret is shown once, when it is made."""
    return {
        "id": found.id,
        "url": found.url,
        "description": found.description,
        "events": list(found.events),
        "schedule": found.schedule.name,
        "delays": list(found.schedule.seconds),
        "envelope": found.envelope.value,
        "way": found.way.value,
        "state": found.state.value,
        "reason": found.reason,
        "appId": found.app_id,
        "publicKey": found.public_key,
        "createdAt": moment(found.created_at),
        "overlapUntil": moment(found.overlap_until),
        "failingSince": moment(found.failing_since),
        "deliveredAt": moment(found.delivered_at),
    }


def delivery(found: Delivery) -> dict[str, Any]:
    """Return a delivery as a line of a list."""
    return {
        "id": found.id,
        "webhookId": found.uid,
        "messageId": found.message_id,
        "event": found.event,
        "at": moment(found.at),
        "state": found.state.value,
        "attempts": found.attempts,
        "nextAttemptAt": moment(found.due_at),
        "replay": found.is_replay,
        "status": found.status,
        "reason": found.reason,
        "seconds": found.seconds,
        "endedAt": moment(found.ended_at),
    }


def logged(found: Delivery, log: list[Attempt], of: Endpoint) -> dict[str, Any]:
    """Return a delivery with everything that is known of each attempt."""
    body = enveloped(found.body.encode(), of.envelope)
    return {**delivery(found), "body": body.decode(), "log": [attempt(one, body) for one in log]}


def attempt(found: Attempt, body: bytes) -> dict[str, Any]:
    """Return one attempt: what was sent, which texts were signed, what came back, and what to do about it."""
    said, sent = found.answer, dict(found.sent)
    uid, at = sent.get("webhook-id", ""), sent.get("webhook-timestamp", "")
    answered = {"status": said.status, "headers": dict(said.headers), "body": said.body}
    return {
        "number": found.number,
        "at": moment(found.at),
        "request": {"method": "POST", "url": found.url, "headers": sent},
        "signed": {
            "standard": standard_text(uid, at, body).decode(),
            "filestack": filestack_text(at, body).decode(),
        },
        "response": answered if said.status is not None else None,
        "reason": said.reason,
        "detail": said.detail,
        "seconds": said.seconds,
        "firstByteSeconds": said.first_byte,
        "connection": {
            "address": said.address,
            "tls": said.tls,
            "dnsSeconds": said.dns,
            "connectSeconds": said.connect,
            "tlsSeconds": said.handshake,
        },
        "advice": advice(said),
        "curl": _curl(found.url, sent, body),
    }


def tested(found: Tested) -> dict[str, Any]:
    """Return what came of a test."""
    status = found.attempt.answer.status
    is_taken = status is not None and status // 100 == 2
    return {"delivered": is_taken, "body": found.body.decode(), **attempt(found.attempt, found.body)}


def pulled(found: Pulled) -> dict[str, Any]:
    """Return a delivery for a listener: the request that it makes in our place."""
    request = {"headers": dict(found.request.headers), "body": found.request.body.decode()}
    return {"id": found.delivery.id, "event": found.delivery.event, "fence": found.fence, **request}


def moment(found: datetime | None) -> str | None:
    """Return a moment as it is written here: UTC with milliseconds."""
    if found is None:
        return None
    return found.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _curl(url: str, headers: Mapping[str, str], body: bytes) -> str:
    lines = [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in headers.items()]
    return " ".join(["curl", "-X", "POST", shlex.quote(url), *lines, "--data-binary", shlex.quote(body.decode())])


def _plain(text: str) -> str:
    return text.replace("\0", "")
