"""The console as a dialect: what it claims, and how it says no, which is a page for people and JSON for programs."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import HTMLResponse, Response

from tintype.api.console.headers import HEADERS
from tintype.api.dialect import Dialect, Saying
from tintype.api.templates import templates
from tintype.errors import Kind

_STATUSES = {
    Kind.INVALID: 400,
    Kind.UNAUTHORIZED: 401,
    Kind.RECONNECT: 409,
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
    Kind.REFUSED: 502,
    Kind.UNREACHABLE: 502,
    Kind.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True)
class Pages(Dialect):
    """A dialect that refuses people with a page."""

    def say(
        self,
        saying: Saying,
        message: str,
        accept: str,
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> Response:
        """Return a refusal as a page for a browser, else as every dialect does."""
        if "text/html" not in accept or saying.status < 400:
            return Dialect.say(self, saying, message, accept, headers, details or {})
        title = HTTPStatus(saying.status).phrase
        page = templates.get_template("console/refused.html").render(title=title, message=message)
        return HTMLResponse(page, saying.status, {**HEADERS, **(headers or {}), "X-Error-Code": saying.code})


def _refusal(saying: Saying, message: str) -> Mapping[str, object]:
    return {"error": message, "code": saying.code}


CONSOLE = Pages(
    name="console",
    claims=("/", "/start", "/signin", "/signout", "/welcome", "/console", "/static", "/docs"),
    sayings={kind: Saying(_STATUSES.get(kind, 500), kind.value) for kind in Kind},
    crash=Saying(500, "internal"),
    refusal=_refusal,
    scheme="Cookie",
)
