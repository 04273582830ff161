"""The closed set of kinds of trouble; core raises them, each dialect says them in its own form.

    Trouble
    ├── Invalid            what the caller sent is wrong; `problems` has one sentence each
    ├── Unauthorized       no credential, or one we do not know
    ├── Forbidden          a known caller who may not do this
    ├── NotFound           no such thing here, or not yours: nobody learns which
    ├── Gone               it was here and will not come back
    ├── Conflict           it clashes with what is already so, or is still running
    ├── Mismatch           an idempotency key came back with another request
    ├── Stale              it changed since the caller read it
    ├── TooLarge           more bytes, pixels or items than we take
    ├── Unsupported        a media type or an Instagram feature we do not serve
    ├── RateLimited        this caller asks too often
    ├── Unavailable        a part of ours is away for now
    ├── Reconnect          the Instagram account must be connected again by a person
    ├── Refused            Instagram said no and will say no again
    ├── Busy               Instagram asks us to wait
    ├── Unreachable        Instagram, or another remote, gave no usable answer
    └── Misconfigured      a setting is missing or wrong; nothing runs until it is mended

A dialect maps every `Kind` to a status and a body; a test walks dialects × kinds. Core knows no status codes.
"""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """The names by which dialects, logs and metrics know the troubles."""

    INVALID = "invalid"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    GONE = "gone"
    CONFLICT = "conflict"
    MISMATCH = "mismatch"
    STALE = "stale"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    RECONNECT = "reconnect"
    REFUSED = "refused"
    BUSY = "busy"
    UNREACHABLE = "unreachable"
    MISCONFIGURED = "misconfigured"


class Trouble(Exception):
    """What went wrong, to which thing, and what to do, in one sentence for the person who reads it."""

    kind: ClassVar[Kind]

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.retry_after = retry_after  # seconds until asking again makes sense; None: no promise


class Invalid(Trouble):
    """The caller's input is wrong; `problems` holds one readable sentence per problem."""

    kind = Kind.INVALID

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Unauthorized(Trouble):
    """No credential was sent, or none that we know."""

    kind = Kind.UNAUTHORIZED


class Forbidden(Trouble):
    """The caller is known and may not do this."""

    kind = Kind.FORBIDDEN


class NotFound(Trouble):
    """There is no such thing in the caller's workspace."""

    kind = Kind.NOT_FOUND


class Gone(Trouble):
    """The thing was here and will not come back."""

    kind = Kind.GONE


class Conflict(Trouble):
    """The request clashes with the present state."""

    kind = Kind.CONFLICT


class Mismatch(Trouble):
    """An idempotency key was used before with another request."""

    kind = Kind.MISMATCH


class Stale(Trouble):
    """The thing changed since the caller read it, so a change made from that reading is not taken."""

    kind = Kind.STALE


class TooLarge(Trouble):
    """More bytes, pixels or items than this place takes."""

    kind = Kind.TOO_LARGE


class Unsupported(Trouble):
    """A type or feature that is not served here."""

    kind = Kind.UNSUPPORTED


class RateLimited(Trouble):
    """This caller asks too often; `retry_after` says when to come back."""

    kind = Kind.RATE_LIMITED


class Unavailable(Trouble):
    """A part of our own is away for now."""

    kind = Kind.UNAVAILABLE


class RemoteTrouble(Trouble):
    """What a remote answered; `code` and `subcode` are Instagram's own numbers where it gave any.

    `action` says what a person can do, `trace_id` is what Meta's support asks for, `retryable` whether asking again may help.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        subcode: int | None = None,
        retry_after: float | None = None,
        action: str | None = None,
        trace_id: str | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message, retry_after=retry_after)
        self.code = code
        self.subcode = subcode
        self.action = action
        self.trace_id = trace_id
        self.retryable = retryable


class Reconnect(RemoteTrouble):
    """The account's permission is gone: a person has to connect it again."""

    kind = Kind.RECONNECT


class Refused(RemoteTrouble):
    """Instagram said no, and asking again would not change it."""

    kind = Kind.REFUSED


class Busy(RemoteTrouble):
    """Instagram asks us to wait; `retry_after` is its own figure where it gave one."""

    kind = Kind.BUSY


class Unreachable(RemoteTrouble):
    """A remote gave no usable answer: time-out, broken connection, 5xx, nonsense."""

    kind = Kind.UNREACHABLE


class Misconfigured(Trouble):
    """A setting is missing or wrong; the message names it and says what to put there."""

    kind = Kind.MISCONFIGURED
