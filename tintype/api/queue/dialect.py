"""The queue dialect as data: what it claims, how it says no, and what it adds for programs that read a refusal."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from tintype.api.dialect import Dialect, Saying
from tintype.core.recipes import WrongStatus
from tintype.errors import Invalid, Kind, Trouble

BODY_BYTES = 16_384

_STATUSES = {
    Kind.INVALID: 400,
    Kind.UNAUTHORIZED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.STALE: 412,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED: 415,
    Kind.MISMATCH: 422,
    Kind.RATE_LIMITED: 429,
    Kind.BUSY: 429,
    Kind.MISCONFIGURED: 500,
    Kind.RECONNECT: 502,
    Kind.REFUSED: 502,
    Kind.UNREACHABLE: 502,
    Kind.UNAVAILABLE: 503,
}


def _refusal(saying: Saying, message: str) -> Mapping[str, object]:
    return {"error": HTTPStatus(saying.status).phrase, "message": message, "details": {"code": saying.code}}


def _details(trouble: Trouble) -> Mapping[str, object]:
    found: dict[str, Any] = {"code": _code(trouble.kind)}
    match trouble:
        case WrongStatus():
            found["status"] = trouble.status.value
        case Invalid() if len(trouble.problems) > 1:
            found["problems"] = list(trouble.problems)
        case _:
            pass
    if trouble.retry_after is not None:
        found["retryAfter"] = max(1, round(trouble.retry_after))
    return {"details": found}


def _code(kind: Kind) -> str:
    return QUEUE.sayings[kind].code


QUEUE = Dialect(
    name="queue",
    claims=("/api/queue", "/api/notifications", "/api/extract", "/api/extract-stream", "/share"),
    sayings={kind: Saying(_STATUSES[kind], kind.value) for kind in Kind},
    crash=Saying(500, "internal"),
    refusal=_refusal,
    details=_details,
)
