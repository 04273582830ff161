"""`tintype webhooks`: endpoints from the command line, and a listener that hands on what happens, as a program of its own."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.backends.remote import Asked
from tests.cli.programs import PATIENCE, Program, started
from tests.core.webhooks.desk import LINK, verified
from tintype.app import open_house
from tintype.cli import main
from tintype.core.webhooks import Happening, Scope
from tintype.settings import load

Cli = Callable[..., tuple[int, Any, str]]


@dataclass(slots=True)
class Local:
    """A program on this machine that takes what it is told, or answers with `status`."""

    port: int = 0
    status: int = 200
    asked: list[Asked] = field(default_factory=list[Asked])

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/hook"

    def arrived(self, count: int) -> list[Asked]:
        until = time.monotonic() + PATIENCE
        while len(self.asked) < count and time.monotonic() < until:
            time.sleep(0.02)
        return self.asked


@pytest.fixture
def local() -> Generator[Local]:
    with _serving() as found:
        yield found


@contextmanager
def _serving() -> Generator[Local]:
    here = Local()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            here.asked.append(Asked(self.requestline, headers, body))
            self.send_response(here.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    here.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def _logs() -> Generator[None]:
    """Commands take over the process's logs; give them back to pytest."""
    root, engine = logging.getLogger(), logging.getLogger("dbos")
    before = root.handlers[:], root.level, engine.handlers[:], engine.propagate
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level, engine.handlers[:], engine.propagate = before


@pytest.fixture
def cli(tmp_path: Path, local: Local, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINTYPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("OUTBOUND_ALLOW", local.place)

    def call(*arguments: str) -> tuple[int, Any, str]:
        capsys.readouterr()
        try:
            code = main((*arguments, "--json"))
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return int(code), json.loads(said.out) if said.out else None, said.err

    return call


def test_an_endpoint_is_added_listed_and_tried(cli: Cli, local: Local) -> None:
    assert cli("webhooks", "add", local.url)[0] == 4, "there is no workspace"
    cli("workspace", "add", "Receivers")
    code, made, _ = cli("webhooks", "add", local.url, "--event", "fp.upload", "--event", "post.published")
    assert code == 0
    assert made["secret"].startswith("whsec_")
    assert made["public_key"].startswith("whpk_")
    _, listed, _ = cli("webhooks", "list")
    assert [(one["id"], one["events"], one["state"]) for one in listed] == [
        (made["id"], ["fp.upload", "post.published"], "active")
    ]
    assert "secret" not in listed[0]
    code, tried, _ = cli("webhooks", "test", made["id"])
    assert (code, tried["delivered"], tried["status"]) == (0, True, 200)
    verified(made["secret"], local.asked[0], datetime.now(UTC))
    local.status = 401
    code, tried, _ = cli("webhooks", "test", made["id"])
    assert (code, tried["delivered"]) == (1, False)
    assert "signature" in tried["advice"]
    assert cli("webhooks", "test", "nobody")[0] == 4
    assert cli("webhooks", "add", "http://10.0.0.1/")[0] == 1


def test_what_failed_is_sent_again(cli: Cli, local: Local, tmp_path: Path) -> None:
    _, room, _ = cli("workspace", "add", "Receivers")
    _, made, _ = cli("webhooks", "add", local.url, "--schedule", "once")
    local.status = 500
    asyncio.run(_told(tmp_path / "data", room["id"], work=True, until=lambda: len(local.asked) == 1))
    (line,) = cli("webhooks", "log", made["id"])[1]
    assert (line["state"], line["status"]) == ("failed", 500)
    local.status = 200
    assert cli("webhooks", "replay", made["id"], str(line["id"]))[1] == {"queued": 1}
    assert cli("webhooks", "log", made["id"])[1][0]["state"] == "waiting"
    assert cli("webhooks", "replay", made["id"], "--since", "2026-01-01T00:00:00")[1] == {"queued": 0}
    assert cli("webhooks", "replay", made["id"])[0] == 2


@pytest.mark.parametrize("elsewhere", [False, True], ids=["beside the server", "by its address"])
def test_a_listener_hands_on_what_happens(tmp_path: Path, local: Local, elsewhere: bool) -> None:
    data = tmp_path / "data"
    workspace_id, token = asyncio.run(_room(data))
    serving = {"TINTYPE_DATA": str(data), "FEED_SYNC_MINUTES": "0"}
    with started(tmp_path / "server", "serve", "--port", "0", **serving) as server:
        address = _address(server)
        way = ("--server", address) if elsewhere else ()
        environment = {"TINTYPE_TOKEN": token} if elsewhere else serving
        command = ("webhooks", "listen", "--forward", local.url, "--json", *way)
        with started(tmp_path / "listener", *command, **environment) as listener:
            opened = json.loads(listener.line("secret"))
            asyncio.run(_told(data, workspace_id))
            (asked,) = local.arrived(1)
            verified(opened["secret"], asked, datetime.now(UTC))
            assert json.loads(asked.body)["text"] == LINK
            line = json.loads(listener.line("fp.upload"))
            assert (line["status"], line["state"]) == (200, "delivered")
            assert listener.end() == 0
    assert asyncio.run(_endpoints(data, workspace_id)) == 0, "a listener leaves nothing behind"


def _address(server: Program) -> str:
    return next(word for word in server.line("http://").split() if word.startswith("http://")).rstrip("/")


async def _room(data: Path) -> tuple[str, str]:
    async with open_house(load(data=data), work=False) as house:
        workspace, issued = await house.access.register("Receivers")
        return workspace.id, issued.secret


async def _told(data: Path, workspace_id: str, *, work: bool = False, until: Callable[[], bool] = lambda: True) -> None:
    async with open_house(load(data=data, feed_sync_minutes=0), work=work) as house:
        outbox = house.picking.hooks.outbox
        await outbox.tell(Happening(workspace_id, None, "fp.upload", LINK, outbox.now()))
        last = time.monotonic() + PATIENCE
        while not until() or (work and await house.picking.hooks.webhooks.deliveries.next_due() is not None):
            assert time.monotonic() < last, "it was not sent"
            await asyncio.sleep(0.02)


async def _endpoints(data: Path, workspace_id: str) -> int:
    async with open_house(load(data=data), work=False) as house:
        return len(await house.picking.hooks.webhooks.all(Scope(workspace_id)))
