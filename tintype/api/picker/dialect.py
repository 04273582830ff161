"""The picker dialect as data: what it claims and how it says no.

Clients of old look at the status alone and know only 400, 403, 404 and 5xx; anything else is trouble with the network to them.
Ours shows `message` and `hint` as well. None of the old ones sends an idempotency key, so what is said about keys is what all dialects say.
"""

from collections.abc import Mapping

from tintype.api.dialect import Dialect, Saying
from tintype.backends.idempotency import Running
from tintype.core.files import Overtaken
from tintype.errors import Kind

# Answered to browsers of any origin; who may do what is decided by key, policy and the app's own list of origins.
SENT = "Content-Type, X-No-Stream, X-Requested-With, Idempotency-Key, If-Match, Filestack-Source, Filestack-Trace-Id, Filestack-Trace-Span"
SHOWN = "ETag, Location, Retry-After, X-Error-Code, X-Request-Id"

_STATUSES = {
    Kind.INVALID: 400,
    Kind.UNAUTHORIZED: 403,
    Kind.RECONNECT: 403,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 400,
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

_HINTS = {
    "forbidden": "Check the key, the policy with its signature, and the app's allowed origins.",
    "unauthorized": "Show a workspace's token or a user's, as Authorization: Bearer and the token.",
    "reconnect": "The Instagram account has to be connected again in the dialog.",
    "not_found": "What the address names is unknown here, or was removed.",
    "stale": "Somebody else changed it meanwhile: read it again, and make the change from there.",
    "too_large": "Send a smaller file, or raise the app's limit.",
    "rate_limited": "Wait as long as Retry-After says.",
}


def _refusal(saying: Saying, message: str) -> Mapping[str, object]:
    return {"error": {"code": saying.status, "message": message, "hint": _HINTS.get(saying.code, "")}}


PICKER = Dialect(
    name="picker",
    claims=(
        "/filepicker.js",
        "/v1/filepicker.js",
        "/v2/filepicker.js",
        "/filestack.js",
        "/picker",
        "/dialog",
        "/cdn",
        "/process",
        "/multipart",
        "/prefetch",
        "/folder",
        "/store",
        "/metadata",
        "/auth/logout",
        "/api/file",
        "/api/store",
        "/api/client",
        "/api/clients",
        "/api/apps",
        "/api/webhooks",
    ),
    sayings={kind: Saying(_STATUSES[kind], kind.value) for kind in Kind},
    crash=Saying(500, "internal"),
    refusal=_refusal,
    narrower={
        Running: Saying(409, Kind.CONFLICT.value),
        Overtaken: Saying(400, Kind.STALE.value),  # of files, which clients of old write
    },
)
