"""Instagram calling us: the proof that a delivery is Meta's, and its changes in one shape.

Documentation, dashboard samples and real deliveries use three shapes for the same event (graph-api.md 7.4); all are read.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import datetime

from tintype.errors import Invalid
from tintype.instagram import wire

# Keys beside sender and recipient that name what happened in a messaging entry.
_MESSAGING = ("message", "reaction", "postback", "referral", "read", "message_edit", "optin")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to an account; `value` is Meta's own object, `subject_id` the comment, medium or message."""

    account_id: str | None
    field: str
    subject_id: str | None
    verb: str | None
    at: datetime | None
    value: Mapping[str, object] = attribute(repr=False, hash=False)


def verify_webhook_signature(
    raw_body: bytes, header_256: str | None, header_1: str | None, secrets: Iterable[str]
) -> bool:
    """Whether one of the app secrets signed these very bytes; SHA-1 counts only when no SHA-256 header came. Fails closed."""
    header, prefix, digest = (
        (header_256, "sha256=", hashlib.sha256) if header_256 else (header_1, "sha1=", hashlib.sha1)
    )
    if not header:
        return False
    given = header.strip().lower().encode()
    wanted = [
        f"{prefix}{hmac.new(secret.encode(), raw_body, digest).hexdigest()}".encode() for secret in secrets if secret
    ]
    return any(hmac.compare_digest(given, each) for each in wanted)


def parse_webhook(body: bytes) -> tuple[Change, ...]:
    """The changes of a delivery in order; entries of no known shape are left out. Raises Invalid when it is not JSON."""
    try:
        sent = wire.decoded(body)
    except ValueError:
        raise Invalid("The webhook body is not JSON.") from None
    envelopes = (wire.record(each) for each in wire.items(sent) or (sent,))  # some samples print an outer list
    return tuple(change for envelope in envelopes for change in _in_envelope(envelope))


def _in_envelope(envelope: Mapping[str, object]) -> list[Change]:
    if "entry" not in envelope:
        return _in_entry(envelope)  # the dashboard's test button sends a bare field and value
    return [change for entry in wire.records(envelope["entry"]) for change in _in_entry(entry)]


def _in_entry(entry: Mapping[str, object]) -> list[Change]:
    account_id = wire.identifier(entry.get("id"))
    at = wire.unix_moment(entry.get("time"))
    fields = [_change(account_id, at, each) for each in (entry, *wire.records(entry.get("changes")))]
    messages = [_message(account_id, at, each) for each in wire.records(entry.get("messaging"))]
    return [change for change in (*fields, *messages) if change is not None]


def _change(account_id: str | None, at: datetime | None, sent: Mapping[str, object]) -> Change | None:
    name = wire.phrase(sent.get("field"))
    if name is None:
        return None
    value = wire.record(sent.get("value"))
    ids = (wire.identifier(value.get(key)) for key in ("id", "comment_id", "media_id"))
    subject = next((each for each in ids if each), None)
    return Change(account_id, name, subject, wire.phrase(value.get("verb")), at, value)


def _message(account_id: str | None, at: datetime | None, sent: Mapping[str, object]) -> Change | None:
    name = next((key for key in _MESSAGING if key in sent), None)
    if name is None:
        return None
    inner = wire.record(sent[name])
    verb = wire.phrase(inner.get("action"))
    when = wire.unix_moment(sent.get("timestamp")) or at
    return Change(account_id, name, wire.identifier(inner.get("mid")), verb, when, sent)
