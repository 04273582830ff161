"""A disk that takes no more: the system refuses the process each byte, as it does when a volume is full."""

import resource
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.programs import Program, fetch, fetch_json, started

SECRET = "s" * 40
_BYTES = 4096  # no file of a database is that small, so each write is refused


@contextmanager
def full(program: Program) -> Generator[None]:
    """Let the process write nothing while the block runs."""
    usual, most = resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (_BYTES, most))
    try:
        yield
    finally:
        resource.prlimit(program.process.pid, resource.RLIMIT_FSIZE, (usual, most))


@pytest.mark.timeout(300)
def test_a_full_disk_is_said_wherever_something_is_to_be_stored_and_is_over_with_room(tmp_path: Path) -> None:
    around = {"SYNC_INTERNAL_SECRET": SECRET, "OUTBOUND_ALLOW": "127.0.0.1:9"}
    with started(tmp_path, "serve", "--port", "0", "--data", "data", **around) as program:
        url = program.line("listens on").rpartition(" ")[2]
        account = {"instagramAccountId": "1", "instagramAccountSecret": "s", "apiType": "INSTAGRAM_LOGIN"}
        made = fetch_json(f"{url}/register", body={"name": "Bakery", **account})
        bearer = {"Authorization": f"Bearer {made['data']['authToken']}"}
        asked = {
            "/sync": {"secret": SECRET},
            "/register": {"name": "Butcher", **account},
            "/api/queue": {"text": "Bread. 500 g flour, 300 g water. Mix and bake."},
            "/api/webhooks": {"url": "http://127.0.0.1:9/hook", "events": ["all"]},
        }
        with full(program):
            for path, body in asked.items():
                status, said = fetch(f"{url}{path}", body=body, **bearer)
                assert (path, status) == (path, 200 if path == "/sync" else 503)  # a sync tells it of each project
                assert b"is its disk full?" in said, path
            assert fetch(f"{url}/photos", **bearer)[0] == 200, "what is there is shown"
        for path, body in asked.items():
            status, said = fetch(f"{url}{path}", body=body, **bearer)
            assert (path, status < 300, b"disk" in said) == (path, True, False)
