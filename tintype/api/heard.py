"""Every answer on its way out, hot or not: a 401 says which credential it asks for, and each is counted when it is over.

One that stands before the request's body was read waits for the rest of that, and ends the connection when it does not come.
"""

import time
from dataclasses import dataclass, field

from starlette.types import Message, Scope, Send

from tintype import metrics
from tintype.api.patience import Patient

REALM = "tintype"
_BODILESS = ("GET", "HEAD")
_FRAMING = (b"content-length", b"transfer-encoding", b"expect")
_LAST = (b"connection", b"close")
_OTHERS = b"reconnect"  # the code of a 401 that is about Instagram's token, and not about the one that was shown


@dataclass(slots=True)
class Heard:
    """Passes on what is sent in answer to a request; `scheme` is how its dialect is shown who asks."""

    send: Send
    scope: Scope
    body: Patient
    scheme: str = "Bearer"
    status: int = 0
    began: float = field(default_factory=time.perf_counter)

    async def __call__(self, message: Message) -> None:
        """Send a message."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            if self.status == 401:
                message = {**message, "headers": [*message.get("headers", ()), self._challenge(message)]}
            if self.scope["method"] not in _BODILESS and not self.body.is_whole and not await self._has_come():
                message = {**message, "headers": [*message.get("headers", ()), _LAST]}
        await self.send(message)

    async def _has_come(self) -> bool:
        """Take what is left of the request's body; tell whether that was all of it."""
        told = {name: value for name, value in self.scope["headers"] if name in _FRAMING}
        if told.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in told:
            return True
        if b"expect" not in told or self.body.taken:  # who waits to be asked for a body is not asked for one
            await self.body.drain()
        return self.body.is_whole

    def count(self, dialect: str, route: str) -> None:
        """Count the answer; one that was never begun is a client that went away."""
        status_class = f"{self.status // 100}xx" if self.status else "gone"
        metrics.answered(dialect, route, status_class, time.perf_counter() - self.began)

    def _challenge(self, message: Message) -> tuple[bytes, bytes]:
        """Return the header that RFC 9110 asks for; of a bearer token that was shown and refused RFC 6750 says more."""
        asked = f'{self.scheme} realm="{REALM}"'
        is_others = (b"x-error-code", _OTHERS) in message.get("headers", ())
        if self.scheme == "Bearer" and not is_others and _shows_token(self.scope):
            asked += ', error="invalid_token"'
        return b"www-authenticate", asked.encode()


def _shows_token(scope: Scope) -> bool:
    shown = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, token = shown.partition(b" ")
    return scheme.lower() == b"bearer" and token.strip() != b""
