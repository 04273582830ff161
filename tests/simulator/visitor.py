"""Somebody who uses the pretend Instagram over HTTP, in this process: as a client, and at the levers of `/_world`."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from starlette.types import Receive, Scope, Send

from tintype.simulator import Simulator, create

OWN = "http://127.0.0.1:8001"
BAKER, POTTER, WALKER, HARBOUR, PRIVATE = (
    "marlow.bakehouse", "keramik.nordlicht", "juniper.walks", "quiet.harbour", "tomas.private",
)  # fmt: skip
CALLBACK = "http://127.0.0.1:9999/callback"


@dataclass
class Listener:
    """A web server of the app's owner: keeps what it was sent, answers from `files`, `echo`es or with `status`."""

    status: int = 200
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    heard: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list[Any])
    echo: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.heard.append((scope["method"], scope["path"], headers, body))
        status, answer = self._answer(scope)
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, scope: Scope) -> tuple[int, bytes]:
        if self.echo is not None:
            query = httpx2.QueryParams(scope["query_string"].decode())
            return (200, query["hub.challenge"].encode()) if query["hub.verify_token"] == self.echo else (403, b"")
        if scope["method"] == "GET":
            return (200, self.files[scope["path"]]) if scope["path"] in self.files else (404, b"")
        return self.status, b""


@dataclass(frozen=True)
class Visitor:
    """The simulator with a client in front of it."""

    simulator: Simulator
    http: httpx2.AsyncClient
    listener: Listener

    async def world(self, method: str, path: str = "", **body: object) -> Any:
        """Pull a lever that must work; its answer, None for 204."""
        answer = await self.pull(method, path, **body)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def pull(self, method: str, path: str = "", **body: object) -> httpx2.Response:
        """Pull a lever, whatever it says."""
        return await self.http.request(method, f"/_world{path}", json=body or None)

    async def token(self, username: str = BAKER, login: str = "instagram", **more: object) -> str:
        """A long-lived token."""
        return (await self.world("POST", "/tokens", username=username, login=login, **more))["access_token"]

    async def user_id(self, username: str = BAKER) -> str:
        """The professional account id of somebody."""
        people = (await self.world("GET"))["people"]
        return next(one["user_id"] for one in people if one["username"] == username)

    async def app(self, login: str = "instagram") -> dict[str, Any]:
        """The demo app of a login."""
        return next(app for app in (await self.world("GET"))["apps"] if app["login"] == login)

    async def ask(
        self, token: str, path: str, *, method: str = "GET", host: str = "", **params: Any
    ) -> httpx2.Response:
        """A graph call, whatever it says; parameters in the query."""
        query = {name: str(value) for name, value in params.items()}
        headers = {"authorization": f"Bearer {token}"} | ({"host": host} if host else {})
        return await self.http.request(method, path, params=query, headers=headers)

    async def get(self, token: str, path: str, **params: Any) -> Any:
        """The answer of a graph read that must work."""
        answer = await self.ask(token, path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, token: str, path: str, **params: Any) -> Any:
        """The answer of a graph write that must work."""
        answer = await self.ask(token, path, method="POST", **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, token: str, path: str, *, method: str = "GET", **params: Any) -> dict[str, Any]:
        """The `error` object of a graph call that must be refused with 400."""
        answer = await self.ask(token, path, method=method, **params)
        assert answer.status_code == 400, answer.text
        return answer.json()["error"]

    async def log(self, since: int = 0) -> list[dict[str, Any]]:
        """What the simulator wrote down."""
        return (await self.http.get("/_world/log", params={"since": since})).json()


@asynccontextmanager
async def visiting(seed: int = 7) -> AsyncGenerator[Visitor]:
    """A fresh simulator, a client at its own address, and a listener behind every address it calls."""
    listener = Listener()
    simulator = create(seed, transport=httpx2.ASGITransport(app=listener))
    transport = httpx2.ASGITransport(app=simulator)
    async with httpx2.AsyncClient(transport=transport, base_url=OWN) as http:
        yield Visitor(simulator, http, listener)
