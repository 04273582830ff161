"""The feed dialect as data: what it claims, and how it says no."""

from collections.abc import Mapping

from tintype.api.dialect import Dialect, Saying
from tintype.errors import Kind


def _refusal(saying: Saying, message: str) -> Mapping[str, object]:
    return {"success": False, "code": saying.code, "errorMessage": message}


_FAULT = Saying(500, "INTERNAL_ERROR")

FEED = Dialect(
    name="feed",
    claims=(
        "/health",
        "/instagram-callback",
        "/auth/obtain-token",
        "/auth/refresh-token",
        "/auth/connect",
        "/connect",
        "/register",
        "/photos",
        "/sync",
        "/feeds",
        "/widget.js",
        "/oembed",
        "/m",
    ),
    sayings={
        Kind.INVALID: Saying(400, "VALIDATION_FAILED"),
        Kind.UNAUTHORIZED: Saying(401, "UNAUTHORIZED"),
        Kind.NOT_FOUND: Saying(404, "NOT_FOUND"),
        Kind.GONE: Saying(410, "GONE"),
        Kind.CONFLICT: Saying(409, "CONFLICT"),
        Kind.MISMATCH: Saying(422, "IDEMPOTENCY_KEY_REUSED"),
        Kind.STALE: Saying(412, "PRECONDITION_FAILED"),
        Kind.TOO_LARGE: Saying(413, "PAYLOAD_TOO_LARGE"),
        Kind.UNSUPPORTED: Saying(415, "UNSUPPORTED_MEDIA_TYPE"),
        Kind.RATE_LIMITED: Saying(429, "RATE_LIMITED"),
        Kind.UNAVAILABLE: Saying(503, "UNAVAILABLE"),
        # The document knows one status for everything that fails behind us: "500 - Token exchange failed".
        Kind.FORBIDDEN: _FAULT,
        Kind.RECONNECT: _FAULT,
        Kind.REFUSED: _FAULT,
        Kind.BUSY: _FAULT,
        Kind.UNREACHABLE: _FAULT,
        Kind.MISCONFIGURED: _FAULT,
    },
    crash=_FAULT,
    refusal=_refusal,
)
