"""People who register with a password and log in, each from an address of their own."""

from collections.abc import AsyncGenerator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

import httpx2

from tests.servers import postgres_server
from tests.trust import NOBODY
from tests.walks.stage import Stage, staged
from tintype.backends.vault import new_key

PASSWORD = "Correct-h0rse"
DATABASES = ("sqlite", "postgresql")

_numbers = count(1)


@asynccontextmanager
async def house_of_people(database: str = "sqlite", **settings: object) -> AsyncGenerator[Stage]:
    """Open a house on this kind of database; it believes the addresses that tests write into X-Forwarded-For."""
    with ExitStack() as stack:
        given: dict[str, object] = {"rate_limit_per_minute": 0, "trusted_proxies": "127.0.0.0/8", **settings}
        if database == "postgresql":
            given |= {"database_url": stack.enter_context(postgres_server()), "encryption_key": new_key()}
        async with staged(**given) as stage:
            own = f"http://127.0.0.1:{stage.house.settings.port}"  # whatever address the house believes to have
            async with httpx2.AsyncClient(base_url=own, timeout=60, verify=NOBODY) as http:
                yield replace(stage, http=http)


@dataclass(slots=True)
class Someone:
    """A user as the house answered when they registered, and where they ask from."""

    stage: Stage = field(repr=False)
    email: str
    address: str
    id: int = 0
    workspace_id: str = ""
    access: str = field(default="", repr=False)
    refresh: str = field(default="", repr=False)

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        """Ask with the access token."""
        given = {"authorization": f"Bearer {self.access}", "x-forwarded-for": self.address, **headers}
        return await self.stage.http.request(method, f"/api/auth{path}", json=body, headers=given)

    async def post(self, path: str, body: object, **headers: str) -> httpx2.Response:
        """Ask without a token."""
        given = {"x-forwarded-for": self.address, **headers}
        return await self.stage.http.post(f"/api/auth{path}", json=body, headers=given)

    async def login(self, password: str = PASSWORD) -> httpx2.Response:
        return await self.post("/login", {"email": self.email, "password": password})

    async def renew(self, token: str | None = None, **headers: str) -> httpx2.Response:
        """Ask for the next pair of tokens."""
        return await self.post("/refresh", {"refresh_token": token or self.refresh}, **headers)

    async def me(self, **headers: str) -> httpx2.Response:
        return await self.ask("GET", "/me", **headers)

    def take(self, said: dict[str, Any]) -> "Someone":
        """Keep what an answer with tokens said."""
        user = said["user"]
        self.id, self.workspace_id = user["id"], user["workspace_id"]
        self.access, self.refresh = said["access_token"], said["refresh_token"]
        return self


def stranger(stage: Stage) -> Someone:
    """Somebody who is not registered."""
    number = next(_numbers)
    return Someone(stage, f"person{number}@example.com", f"203.0.{number // 250}.{number % 250}")


async def someone(stage: Stage, **more: object) -> Someone:
    """Somebody who has registered."""
    found = stranger(stage)
    answer = await found.post("/register", {"email": found.email, "password": PASSWORD, **more})
    assert answer.status_code == 201, answer.text
    return found.take(answer.json())


def refused(answer: httpx2.Response, status: int, code: str) -> str:
    """Check that an answer is a refusal in the dialect's form and return its sentence."""
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert answer.headers["x-error-code"] == code
    assert answer.headers["x-request-id"]
    assert isinstance(body["error"], str)
    assert body["error"]
    return body["error"]
