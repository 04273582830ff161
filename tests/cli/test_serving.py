"""`serve`, `worker` and `simulate`: ports, jobs, signals."""

import json
import socket
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.programs import Program, fetch, fetch_json, run, started


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serving")


@pytest.fixture(scope="module")
def server(folder: Path) -> Generator[Program]:
    with started(
        folder, "serve", "--port", "0", "--data", "data", INSTAGRAM_APP_ID="1", INSTAGRAM_APP_SECRET="s" * 32
    ) as one:
        one.line("listens on")
        yield one


@pytest.fixture
def url(server: Program) -> str:
    return server.line("listens on").rpartition(" ")[2]


def test_a_free_port_is_part_of_every_address(server: Program, url: str, folder: Path) -> None:
    assert fetch(f"{url}/health")[0] == 200
    assert fetch_json(f"{url}/readyz")["ready"] is True
    made = run(folder, "workspace", "add", "Somebody", "--json", "--data", "data")
    token = json.loads(made.stdout)["token"]
    begun = fetch_json(f"{url}/auth/connect", body={}, Authorization=f"Bearer {token}")
    assert begun["data"]["url"].startswith(f"{url}/connect/")


def test_a_port_in_use_is_said_in_one_line(url: str, folder: Path) -> None:
    done = run(folder, "serve", "--port", url.rpartition(":")[2], "--data", "other")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1
    assert "in use" in done.stderr


def test_listening_to_everybody_is_said_aloud(url: str, folder: Path) -> None:
    busy = url.rpartition(":")[2]  # so that nothing of this test is ever reached from outside
    done = run(folder, "serve", "--host", "0.0.0.0", "--port", busy, "--data", "other")
    assert "WARNING" in done.stderr
    assert "ADMIN_TOKEN" in done.stderr
    assert "API_KEY" in done.stderr
    keys = {"ADMIN_TOKEN": "t" * 40, "API_KEY": "k" * 40}
    quiet = run(folder, "serve", "--host", "0.0.0.0", "--port", busy, "--data", "other", **keys)
    assert "WARNING" not in quiet.stderr


def test_a_worker_takes_over_when_the_server_ends(server: Program, folder: Path) -> None:
    with started(folder, "worker", "--data", "data") as worker:
        worker.line("waiting to take over")
        assert server.end() == 0
        worker.line("works the jobs")
        assert worker.end() == 0
    assert "Traceback" not in server.err.read_text() + worker.err.read_text()


def test_requests_under_way_do_not_hold_the_end_up(tmp_path: Path) -> None:
    with started(tmp_path, "serve", "--port", "0", "--no-worker", "--data", "data") as program:
        port = int(program.line("listens on").rpartition(":")[2])
        with (
            socket.create_connection(("127.0.0.1", port)) as idle,
            socket.create_connection(("127.0.0.1", port)) as half,
        ):
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(12) == b"HTTP/1.1 200"
            half.sendall(b"POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
            assert program.end() == 0
    assert "Traceback" not in program.err.read_text()


def test_the_pretend_instagram_alone(tmp_path: Path) -> None:
    with started(tmp_path, "simulate", "--port", "0", "--seed", "11") as program:
        origin = program.line("/_world").rpartition(" ")[2]
        assert fetch_json(origin)["seed"] == 11
        assert program.end() == 0
    assert program.err.read_text() == ""
