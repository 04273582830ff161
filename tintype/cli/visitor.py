"""A person with a browser, as far as connecting an account needs one: opens pages, keeps the cookie, presses Allow.

Written on the standard library: the house's own way out guards against the very loopback addresses this walk is about.
"""

import json
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode, urljoin, urlsplit

from tintype.errors import Unreachable

_SECONDS = 20.0


@dataclass(slots=True)
class Visitor:
    """Follows no redirect by itself: each step of the walk is looked at."""

    cookies: dict[str, str] = field(default_factory=dict[str, str], repr=False)

    def get(self, url: str) -> tuple[int, str, str]:
        """Return the status, the place it points to (or nothing), and the body."""
        return self._ask("GET", url, None, {})

    def post(self, url: str, fields: dict[str, str]) -> tuple[int, str, str]:
        """Send a form; returns as `get` does."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", url, urlencode(fields), kind)

    def post_json(self, url: str, body: object, token: str) -> tuple[int, str, str]:
        """Send JSON with a bearer token; returns as `get` does."""
        kind = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        return self._ask("POST", url, json.dumps(body), kind)

    def _ask(self, method: str, url: str, body: str | None, headers: dict[str, str]) -> tuple[int, str, str]:
        parts = urlsplit(url)
        cookies = (
            {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())} if self.cookies else {}
        )
        connection = HTTPConnection(parts.netloc, timeout=_SECONDS)
        try:
            connection.request(method, f"{parts.path or '/'}?{parts.query}", body, {**headers, **cookies})
            answer = connection.getresponse()
            text = answer.read().decode()
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{parts.netloc} gave no answer: {type(error).__name__}") from None
        finally:
            connection.close()
        for line in answer.headers.get_all("Set-Cookie", []):
            name, _, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer.status, urljoin(url, answer.headers.get("Location", "")), text


def connect(url: str, token: str, username: str) -> None:
    """Connect a person of the pretend Instagram to a workspace of the server at `url`, by its documented way.

    Raises `Unreachable` at the step that does not go on.
    """
    visitor = Visitor()
    begun = _expect(
        visitor.post_json(f"{url}/auth/connect", {"apiType": "INSTAGRAM_LOGIN"}, token), 201, "/auth/connect"
    )
    _, consent, _ = _step(visitor.get(json.loads(begun)["data"]["url"]), 302, "the connect link")
    _expect(visitor.get(consent), 200, "the consent page")
    _, callback, _ = _step(visitor.post(consent, {"username": username, "decision": "allow"}), 302, "consenting")
    _expect(visitor.get(callback), 200, "/instagram-callback")


def _step(answer: tuple[int, str, str], status: int, what: str) -> tuple[int, str, str]:
    if answer[0] != status:
        raise Unreachable(f"connecting the account: {what} answered {answer[0]}: {answer[2][:300]}")
    return answer


def _expect(answer: tuple[int, str, str], status: int, what: str) -> str:
    return _step(answer, status, what)[2]
