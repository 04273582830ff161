"""The scrape dialect as data: what it claims, how it says no, and which status each end of a download has."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from http import HTTPStatus

from starlette.responses import JSONResponse, Response

from tintype.api.dialect import PROBLEM, Dialect, Saying
from tintype.core.downloads import Failure
from tintype.errors import Kind

# The document's own sentences; programs compare them, so whatever we know beyond them stands in `detail`.
SENTENCES = {
    403: "Access to this post is forbidden or requires login",
    404: "Post not found",
    413: "Request body too large",
    429: "Rate limit reached when contacting Instagram",
    500: "Internal server error",
    502: "Unexpected error while contacting Instagram",
    503: "Unable to reach Instagram",
    507: "No room left to store the media",
}

_OF_OURS = (413,)  # the refusals of requests, and not of downloads, that have a promised sentence of their own


def _refusal(saying: Saying, message: str) -> Mapping[str, object]:
    if saying.status in _OF_OURS:
        return {"error": SENTENCES[saying.status], "code": saying.code, "detail": message}
    return {"error": message, "code": saying.code.lower()}  # the words of HTTP itself come in capitals


SCRAPE = Dialect(
    name="scrape",
    claims=("/scrape", "/resolve", "/media"),
    sayings={
        Kind.INVALID: Saying(400, "invalid_request"),
        Kind.UNAUTHORIZED: Saying(401, "unauthorized"),
        Kind.FORBIDDEN: Saying(403, "private_or_login_required"),
        Kind.NOT_FOUND: Saying(404, "not_found"),
        Kind.GONE: Saying(404, "media_gone"),
        Kind.CONFLICT: Saying(409, "conflict"),
        Kind.MISMATCH: Saying(422, "idempotency_key_reused"),
        Kind.STALE: Saying(412, "changed"),
        Kind.TOO_LARGE: Saying(413, "body_too_large"),
        Kind.UNSUPPORTED: Saying(415, "unsupported_media_type"),
        Kind.RATE_LIMITED: Saying(429, "rate_limited"),
        Kind.UNAVAILABLE: Saying(503, "unavailable"),
        Kind.RECONNECT: Saying(403, "login_required"),
        Kind.REFUSED: Saying(502, "bad_upstream_response"),
        Kind.BUSY: Saying(429, "upstream_rate_limited"),
        Kind.UNREACHABLE: Saying(503, "upstream_unreachable"),
        Kind.MISCONFIGURED: Saying(500, "misconfigured"),
    },
    crash=Saying(500, "internal"),
    refusal=_refusal,
)

# Where the end of a download has another status than its kind.
STATUSES = {"disk_full": 507, "media_too_large": 502}


def alone(dialect: Dialect) -> Dialect:
    """Return the dialect as it is on a port of its own, where it answers for its health as well."""
    return replace(dialect, claims=(*dialect.claims, "/health"))


def failed(failure: Failure, now: datetime, accept: str, *, job: str, request_id: str) -> Response:
    """Return how a download ended, with the document's sentence, a code, and a detail for the person who reads it."""
    saying = SCRAPE.sayings[failure.kind] if failure.kind else SCRAPE.crash
    status = STATUSES.get(failure.code, saying.status)
    found: dict[str, object] = {"code": failure.code, "detail": failure.message}
    headers: dict[str, str] = {}
    if status in (429, 503):
        seconds = RETRY_SECONDS if failure.until is None else max(1, round((failure.until - now).total_seconds()))
        headers["Retry-After"] = str(seconds)
        found["retry_after"] = seconds
    found |= {"job": job, "request_id": request_id}
    if PROBLEM in accept:
        body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, **found}
        return JSONResponse(body, status, headers, media_type=PROBLEM)
    return JSONResponse({"error": SENTENCES.get(status, failure.message), **found}, status, headers)


RETRY_SECONDS = 30  # after a remote that was not reached (public-web.md 2.4)
