"""A marketing team as seed 3 knows it: users with tokens, connected accounts, pictures on a server of their own."""

import threading
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import httpx2

from tests.api.people import PASSWORD, Someone, house_of_people, someone, stranger
from tests.walks.stage import Stage
from tintype.core.accounts import Account
from tintype.instagram import Connection, Login, Profile, Token
from tintype.simulator.photographs import photograph
from tintype.simulator.videos import encoded

ROOT = "/api/sns/instagram"

_numbers = count(1)


@cache
def picture(seed: int = 1, width: int = 480, height: int = 600) -> bytes:
    """A photograph as JPEG."""
    return photograph(seed, width, height)


@cache
def clip() -> bytes:
    """A few seconds of an upright video."""
    return encoded(1, 360, 640, 4)


FILES: Mapping[str, tuple[str, Any]] = {
    "/product.jpg": ("image/jpeg", lambda: picture(1)),
    "/story.jpg": ("image/jpeg", lambda: picture(2, 360, 640)),
    "/thumbnail.jpg": ("image/jpeg", lambda: picture(3, 360, 640)),
    "/tutorial.mp4": ("video/mp4", clip),
    "/page.jpg": ("text/html", lambda: b"<html>sign in</html>"),
}


class _Shelf(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        kind, make = FILES.get(self.path, ("text/plain", None))
        body = make() if make else b"nothing here"
        self.send_response(200 if make else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - the name that http.server asks for

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def pictures() -> Generator[str]:
    """Serve `FILES` on a loopback port; yields the origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Shelf) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(5)


@dataclass(frozen=True, slots=True)
class Agency:
    """A house before a pretend Instagram, and the server where its customers keep their pictures."""

    stage: Stage
    pictures: str

    async def team(self) -> "Team":
        """A new user, who has a workspace and no account yet."""
        return Team(self, await someone(self.stage))

    def published(self, username: str) -> list[dict[str, Any]]:
        """What was really published on Instagram."""
        found = self.stage.pretend.levers.get("/_world/published", params={"username": username})
        return found.raise_for_status().json()


@asynccontextmanager
async def agency(database: str = "sqlite", **settings: object) -> AsyncGenerator[Agency]:
    """Open a house of people who publish; containers are finished at once."""
    with pictures() as origin:
        allowed = origin.removeprefix("http://")
        given: dict[str, object] = {"outbound_allow": allowed, **settings}
        async with house_of_people(database, **given) as stage:
            stage.pretend.post("/reset", seed=7, container_seconds=0)
            yield Agency(stage, origin)


@dataclass(frozen=True, slots=True)
class Team:
    """Somebody who publishes for a workspace."""

    agency: Agency
    who: Someone

    @property
    def stage(self) -> Stage:
        return self.agency.stage

    def url(self, name: str) -> str:
        """The address of one of the pictures."""
        return f"{self.agency.pictures}/{name}"

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx2.Response:
        """Ask below /api/sns/instagram with the user's token; `if_match="…"` sends If-Match."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"authorization": f"Bearer {self.who.access}", **named}
        return await self.stage.http.request(method, f"{ROOT}{path}", json=body, headers=given)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.ask("GET", path, **headers)

    async def post(self, path: str, body: object, **headers: str) -> httpx2.Response:
        return await self.ask("POST", path, body, **headers)

    async def connect(self, *, page: bool = False, token: str | None = None) -> Account:
        """Connect an account of a new person, as the callback does."""
        username = f"maker.{next(_numbers)}"
        pretend = self.stage.pretend
        person = pretend.post("/people", username=username, media=0, page=page)
        given = token or pretend.token(username)
        profile = Profile(str(person["user_id"]), None, username, account_type="BUSINESS")
        connection = Connection(Login.INSTAGRAM_LOGIN, Token(given), profile)
        return await self.stage.house.accounts.keep(self.who.workspace_id, connection)

    async def colleague(self, role: str) -> "Team":
        """Another user with a place in this workspace."""
        email = stranger(self.stage).email
        invited = await self.who.ask(
            "POST", f"/workspaces/{self.who.workspace_id}/members", {"email": email, "role": role}
        )
        assert invited.status_code == 201, invited.text
        body = {"email": email, "password": PASSWORD, "invitation": invited.json()["invitation"]}
        answer = await stranger(self.stage).post("/register", body)
        assert answer.status_code == 201, answer.text
        found = stranger(self.stage).take(answer.json())
        return Team(self.agency, found)


def refused(answer: httpx2.Response, status: int) -> str:
    """Check that an answer is a refusal in the dialect's form and return its sentence."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert answer.headers["x-error-code"]
    return answer.json()["error"]
