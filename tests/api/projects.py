"""Projects as an agency makes them: a person in the pretend world, a token, POST /register."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx2

from tests.served import Served

SYNC_SECRET = "sync-internal-secret"
CURRENT_KEY = "sig_current_key_of_qstash_0123456789"
NEXT_KEY = "sig_next_key_of_qstash_0123456789"
VERIFY_TOKEN = "verify-me"

# One post of every documented type, the oldest first; small, because nobody here looks at the pictures.
KINDS = ("REELS", "CAROUSEL_ALBUM", "IMAGE")

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Project:
    """A registered project: what POST /register gave out, and whose Instagram it shows."""

    id: str
    token: str
    username: str
    instagram_id: str
    instagram_token: str

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"}


async def person(door: Served, *kinds: str, page: bool = False, account_type: str = "BUSINESS") -> str:
    """Put a person with a post of each kind into the pretend world, an hour between them, the newest last."""
    username = f"person.{next(_numbers)}"
    await pull(door, "people", username=username, page=page, account_type=account_type)
    now = int((await door.simulator.get("/_world")).json()["now"])
    for hours, kind in zip(range(len(kinds), 0, -1), kinds, strict=True):
        more = {"children": 2} if kind == "CAROUSEL_ALBUM" else {}
        when = now - hours * 3600
        await pull(door, "media", username=username, kind=kind, width=120, height=160, timestamp=when, **more)
    return username


async def pull(door: Served, lever: str, **body: object) -> dict[str, Any]:
    """Pull one of the pretend world's levers."""
    answer = await door.simulator.post(f"/_world/{lever}", json=body)
    assert answer.is_success, answer.text
    return answer.json() if answer.content else {}


def registration(**changes: object) -> dict[str, object]:
    """The document's own request body, with some keys changed; None leaves a key out."""
    body: dict[str, object] = {
        "name": "my-project",
        "instagramAccountId": "178",
        "instagramAccountSecret": "secret of the app",
        "instagramAccessToken": None,
        "apiType": "INSTAGRAM_LOGIN",
        **changes,
    }
    return {key: value for key, value in body.items() if value is not None}


async def register(door: Served, **changes: object) -> httpx2.Response:
    """Ask to register a project."""
    return await door.client.post("/register", json=registration(**changes))


async def project(door: Served, *kinds: str, login: str = "instagram") -> Project:
    """Register a project with a living token, which syncs it at once."""
    username = await person(door, *kinds, page=login == "facebook")
    given = await pull(door, "tokens", username=username, login=login)
    token, instagram_id = str(given["access_token"]), str(given["user_id"])
    answer = await register(
        door,
        instagramAccountId=instagram_id,
        instagramAccessToken=token,
        apiType=f"{login.upper()}_LOGIN",
    )
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    assert made["sync"] == {"status": "done", "error": None}
    return Project(made["tenantId"], made["authToken"], username, instagram_id, token)


async def bare(door: Served) -> Project:
    """Register a project without a token."""
    answer = await register(door)
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    return Project(made["tenantId"], made["authToken"], "", "178", "")


def refused(answer: httpx2.Response, status: int, code: str) -> str:
    """Check that an answer is a refusal in the document's envelope and return its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert list(body) == ["success", "code", "errorMessage"]
    assert body["success"] is False
    assert body["code"] == code
    assert len(answer.headers["x-request-id"]) >= 16
    assert isinstance(body["errorMessage"], str)
    assert body["errorMessage"]
    return body["errorMessage"]
