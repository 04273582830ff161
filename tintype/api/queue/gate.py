"""Who may use the queue: everybody, as the document has it, or whoever shows the key when one is set."""

import hmac
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from starlette.responses import Response

from tintype.errors import Unauthorized

COOKIE = "tintype_queue_key"
_KEPT = 365 * 86_400


@dataclass(frozen=True, slots=True)
class Gate:
    """Lets requests in; `key` None: nobody is asked."""

    key: str | None = field(repr=False)
    secure: bool = False  # whether we are reached by https

    def check(self, request: HTTPConnection) -> None:
        """Let a request in by its header X-API-Key, its Bearer token, or the cookie of a page.

        Raises `Unauthorized` when a key is set and the request shows none, or another one.
        """
        if not any(self.opens(given) for given in _given(request)):
            raise Unauthorized("this queue needs its key; send it in the header X-API-Key")

    def opens(self, given: str) -> bool:
        """Tell whether a key opens the queue."""
        return self.key is None or hmac.compare_digest(given.encode(), self.key.encode())

    def remember(self, answer: Response) -> None:
        """Put the key into a cookie, for pages whose EventSource cannot send headers."""
        if self.key is not None:
            answer.set_cookie(COOKIE, self.key, _KEPT, httponly=True, samesite="strict", secure=self.secure)


def _given(request: HTTPConnection) -> list[str]:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return [request.headers.get("x-api-key", ""), bearer, request.cookies.get(COOKIE, "")]
