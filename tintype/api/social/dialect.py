"""The social dialect as data: what it claims, how it says no, and what it adds for programs that read a refusal."""

from collections.abc import Mapping

from tintype.api.dialect import Dialect, Saying
from tintype.core.access import REQUIREMENTS, Locked, Unfit
from tintype.errors import Busy, Invalid, Kind, RateLimited, Reconnect, RemoteTrouble, Trouble

AUTHORIZE = "/api/sns/instagram/oauth/authorize"

# The document's own sentences for these two; what exactly happened stands beside them, in `detail`.
LIMITED = "Rate limit exceeded. Please try again later."
EXPIRED = "Access token expired. Please re-authenticate."

_STATUSES = {
    Kind.INVALID: 400,
    Kind.UNAUTHORIZED: 401,
    Kind.RECONNECT: 401,
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
    Kind.REFUSED: 502,
    Kind.UNREACHABLE: 502,
    Kind.UNAVAILABLE: 503,
}


def _refusal(saying: Saying, message: str) -> Mapping[str, object]:
    del saying  # its word is in the header X-Error-Code: the document shows bodies with this one key
    return {"error": message}


def _details(trouble: Trouble) -> Mapping[str, object]:
    found: dict[str, object] = {}
    match trouble:
        case Locked():
            found |= {"error_code": "ACCOUNT_LOCKED", "retry_after": _seconds(trouble)}
        case RateLimited():
            found |= {"error": LIMITED, "detail": trouble.message}
            found |= {"error_code": "RATE_LIMITED", "retry_after": _seconds(trouble)}
        case Busy():
            found |= {"error": LIMITED, "detail": trouble.message, "retry_after": _seconds(trouble)}
        case Reconnect():
            found |= {"error": EXPIRED, "detail": trouble.message, "action": "redirect", "auth_url": AUTHORIZE}
        case Invalid() if len(trouble.problems) > 1 or isinstance(trouble, Unfit):
            found |= {"errors": list(trouble.problems)}
        case _:
            pass
    if isinstance(trouble, Unfit):
        found["requirements"] = REQUIREMENTS
    if isinstance(trouble, RemoteTrouble):
        found |= _remote(trouble)
    return found


def _seconds(trouble: Trouble) -> int:
    return max(1, round(trouble.retry_after or 1))


def _remote(trouble: RemoteTrouble) -> Mapping[str, object]:
    """Return what Instagram said in its own numbers, as far as it did, and what a person can do about it."""
    said = {"code": trouble.code, "subcode": trouble.subcode, "trace_id": trouble.trace_id}
    known = {name: value for name, value in said.items() if value is not None}
    return {
        "retryable": trouble.retryable,
        **({"what_to_do": trouble.action} if trouble.action else {}),
        **({"instagram": known} if known else {}),
    }


SOCIAL = Dialect(
    name="social",
    claims=("/api/sns", "/api/auth"),
    sayings={kind: Saying(_STATUSES[kind], kind.value) for kind in Kind},
    crash=Saying(500, "internal"),
    refusal=_refusal,
    details=_details,
)
