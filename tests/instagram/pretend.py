"""The pretend Instagram on a loopback port, and its levers."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import httpx2
import uvicorn

from tests.trust import NOBODY
from tintype.simulator import create

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Pretend:
    """Where the pretend Instagram answers, and its control plane (simulator.md)."""

    origin: str
    levers: httpx2.Client

    def get(self, path: str) -> Json:
        return self._read(self.levers.get(f"/_world{path}"))

    def post(self, path: str, **body: object) -> Json:
        return self._read(self.levers.post(f"/_world{path}", json=body))

    def _read(self, answer: httpx2.Response) -> Json:
        assert answer.is_success, answer.text
        return cast("Json", answer.json()) if answer.content else {}

    def calls(self) -> list[Json]:
        """What was asked of it so far, oldest first."""
        return cast("list[Json]", self.levers.get("/_world/log").raise_for_status().json())

    def app(self, login: str) -> Json:
        apps = cast("list[Json]", self.get("")["apps"])
        return next(app for app in apps if app["login"] == login)

    def token(self, username: str, login: str = "instagram", **more: object) -> str:
        return str(self.post("/tokens", username=username, login=login, **more)["access_token"])

    def fault(self, on: str, kind: str, **more: object) -> None:
        self.post("/faults", on=on, kind=kind, **more)


@contextmanager
def running() -> Generator[Pretend]:
    """Serves one until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = int(listening.getsockname()[1])
        server = uvicorn.Server(uvicorn.Config(create(), log_level="warning", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            origin = f"http://127.0.0.1:{port}"
            with httpx2.Client(base_url=origin, timeout=20, verify=NOBODY) as levers:
                yield Pretend(origin, levers)
        finally:
            server.should_exit = server.force_exit = True  # whoever still asks belongs to a test that is over
            thread.join(10)
