"""Sessions as the library requests has them, for libraries that are built on it: without a connection of their own."""

from collections.abc import Callable
from email.message import Message
from http.client import responses
from types import SimpleNamespace
from typing import Any

import requests
import requests.adapters
import requests.cookies
import requests.exceptions
import requests.utils

from tintype.backends.blocking import Send
from tintype.backends.outbound import Answer, Outgoing

# Set by the transport itself; what a library thinks of them is dropped.
_NOT_PASSED_ON = frozenset({"host", "connection", "content-length", "accept-encoding", "transfer-encoding"})


def requests_over(current: Callable[[], Send]) -> SimpleNamespace:
    """Return what a library may take for the module `requests`, with sessions that open no connection.

    Each request goes to the `Send` that `current` names in the thread it is made in.
    """

    def session() -> requests.Session:
        made = requests.Session()
        made.trust_env = False
        made.adapters.clear()
        made.mount("https://", _Adapter(current))
        return made

    return SimpleNamespace(
        Session=session, Response=requests.Response, utils=requests.utils, exceptions=requests.exceptions
    )


class _Answered(requests.Response):
    def __init__(self, request: requests.PreparedRequest, answer: Answer) -> None:
        super().__init__()
        self.status_code = answer.status
        self.reason = responses.get(answer.status, "")
        self.headers.update(answer.headers)
        self.encoding = requests.utils.get_encoding_from_headers(self.headers)
        self.url = request.url or ""
        self.request = request
        self._content = answer.body
        self._content_consumed = True
        said = Message()
        for cookie in answer.cookies:
            said["Set-Cookie"] = cookie
        # requests reads cookies from what http.client parsed, and nothing else from it.
        self.raw: Any = SimpleNamespace(_original_response=SimpleNamespace(msg=said), close=_nothing)

    def close(self) -> None:
        """Nothing is open."""


class _Adapter(requests.adapters.BaseAdapter):
    def __init__(self, current: Callable[[], Send]) -> None:
        super().__init__()
        self._current = current

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        body: object = request.body
        content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else None
        headers = {name: _text(value) for name, value in request.headers.items() if name.lower() not in _NOT_PASSED_ON}
        sent = Outgoing(request.method or "GET", request.url or "", headers=headers, content=content)
        answered = _Answered(request, self._current()(sent))
        requests.cookies.extract_cookies_to_jar(answered.cookies, request, answered.raw)
        return answered

    def close(self) -> None:
        """Nothing is open."""


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _nothing() -> None:
    """Stand for the closing of a connection that is not ours."""
