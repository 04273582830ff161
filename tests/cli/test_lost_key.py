"""The encryption key that sealed what is stored: nothing works with another one before somebody has said that it is lost."""

import json
from pathlib import Path

import pytest

from tests.cli.programs import run, started

pytestmark = pytest.mark.timeout(600)  # program after program, each of which takes seconds on a busy machine
KEPT = "--data", "data"


@pytest.fixture
def old(tmp_path: Path) -> str:
    """The key of a server that has run, which is not in its place any more."""
    with started(tmp_path, "serve", "--port", "0", *KEPT) as program:
        program.line("listens on")
        assert program.end() == 0
    place = tmp_path / "data" / "encryption.key"
    key = place.read_text().strip()
    place.unlink()
    return key


def test_nothing_starts_with_another_key(old: str, tmp_path: Path) -> None:
    for command in (("serve", "--port", "0"), ("worker",), ("workspace", "add", "Shop")):
        done = run(tmp_path, *command, *KEPT)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (3, "", 1)
        assert "is not the one that sealed what is stored here" in done.stderr
        assert "ENCRYPTION_KEYS_OLD" in done.stderr
        assert old not in done.stderr
    looked = run(tmp_path, "doctor", "--json", *KEPT)
    assert looked.returncode == 1
    assert {one["check"]: one["state"] for one in json.loads(looked.stdout)}["encryption key"] == "fail"
    assert run(tmp_path, "workspace", "list", *KEPT, ENCRYPTION_KEYS_OLD=old).returncode == 0


def test_a_lost_key_is_let_go(old: str, tmp_path: Path) -> None:
    assert run(tmp_path, "vault", "forget", *KEPT).returncode == 2  # nobody is there to be asked
    assert run(tmp_path, "vault", "forget", "--yes", *KEPT, ENCRYPTION_KEY=old).returncode == 1  # it is not lost
    done = run(tmp_path, "vault", "forget", "--yes", "--json", *KEPT)
    assert json.loads(done.stdout) == {"browsers": 0}
    with started(tmp_path, "serve", "--port", "0", *KEPT) as program:
        program.line("listens on")
        assert program.end() == 0
    again = run(tmp_path, "vault", "forget", "--yes", *KEPT)
    assert (again.returncode, "no key is lost" in again.stderr) == (1, True)
