"""`tintype doctor` on what stands around a house: the mail server, QStash, its own address, clocks and versions."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.backends.remote import answer, remote
from tests.cli.programs import run, started
from tests.mail_server import mail_server
from tests.servers import postgres_server
from tintype import __version__

KEY = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
PASSWORD, TOKEN = "planted-password", "planted-token"
KEYS = {"QSTASH_CURRENT_SIGNING_KEY": "sig_current", "QSTASH_NEXT_SIGNING_KEY": "sig_next"}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


async def found(folder: Path, check: str, *arguments: str, **environment: str) -> tuple[int, dict[str, Any]]:
    """Have the doctor come while others answer here; return its exit code and one of its findings."""
    done = await asyncio.to_thread(run, folder, "doctor", "--json", "--data", "data", *arguments, **environment)
    assert not [word for word in (PASSWORD, TOKEN) if word in done.stdout + done.stderr]
    return done.returncode, next(one for one in json.loads(done.stdout) if one["check"] == check)


async def test_a_mail_server_that_takes_us_gets_no_letter(tmp_path: Path) -> None:
    async with mail_server() as server:
        given = {"SMTP_URL": f"smtp://me:{PASSWORD}@127.0.0.1:{server.port}", "SMTP_FROM": "tintype@example.com"}
        code, said = await found(tmp_path, "letters", **given)
        assert (code, said["state"]) == (0, "ok")
        assert said["found"] == "the mail server at '127.0.0.1' takes us as its user, in the clear"
        assert server.letters == []

        server.denies = True
        code, said = await found(tmp_path, "letters", **given)
        assert (code, said["state"]) == (1, "fail")
        assert "does not accept the user and password: 535" in said["found"]
    code, said = await found(tmp_path, "letters", **given)
    assert (code, said["state"]) == (1, "fail")
    assert "nobody listens there" in said["found"]


async def test_half_a_setting_for_letters_is_said(tmp_path: Path) -> None:
    code, said = await found(tmp_path, "letters", SMTP_URL="smtp://mail.example.com")
    assert (code, said["state"]) == (1, "fail")
    assert "SMTP_FROM" in said["found"]


@pytest.mark.parametrize(
    ("status", "body", "state", "words"),
    [
        ("200 OK", {"current": "sig_current", "next": "sig_next"}, "ok", "its keys are ours"),
        ("200 OK", {"current": "sig_next", "next": "sig_third"}, "ok", "its keys are ours"),
        ("200 OK", {"current": "sig_other", "next": "sig_next"}, "fail", "none of ours"),
        ("401 Unauthorized", {"error": "unauthorized"}, "fail", "does not take QSTASH_TOKEN"),
        ("404 Not Found", {}, "ok", "says nothing of its keys"),
    ],
)
async def test_qstash_is_asked_for_its_keys(
    tmp_path: Path, status: str, body: dict[str, str], state: str, words: str
) -> None:
    async with remote(answer(json.dumps(body).encode(), status=status)) as there:
        given = {"QSTASH_URL": there.url().rstrip("/"), "QSTASH_TOKEN": TOKEN, "OUTBOUND_ALLOW": there.place, **KEYS}
        code, said = await found(tmp_path, "qstash", **given)
        assert (said["state"], words in said["found"]) == (state, True), said
        assert code == (1 if state == "fail" else 0)
        (asked,) = there.asked
        assert (asked.target, asked.headers["authorization"]) == ("/v2/keys", f"Bearer {TOKEN}")


async def test_the_real_qstash_is_asked_only_online_and_one_that_is_away_is_said(tmp_path: Path) -> None:
    code, said = await found(tmp_path, "qstash", QSTASH_TOKEN=TOKEN, **KEYS)
    assert (code, said["state"], said["found"]) == (0, "ok", "not asked")
    away = {"QSTASH_URL": "http://127.0.0.1:1", "OUTBOUND_ALLOW": "127.0.0.1:1"}
    code, said = await found(tmp_path, "qstash", QSTASH_TOKEN=TOKEN, **KEYS, **away)
    assert (code, said["state"]) == (1, "fail")


async def test_versions_and_the_databases_clock_are_told(tmp_path: Path) -> None:
    _, said = await found(tmp_path, "versions")
    assert said["found"].startswith(f"Tintype {__version__}, Python 3.")
    assert all(name in said["found"] for name in ("SQLite 3.", "libvips 8.", "Graph API v"))
    assert (await found(tmp_path, "database clock"))[1]["found"] == "the same as this machine's"
    with postgres_server() as url:
        _, said = await found(tmp_path, "database clock", DATABASE_URL=url, ENCRYPTION_KEY=KEY)
    assert (said["state"], said["found"]) == ("ok", "0 s off")


async def test_who_works_the_jobs_of_a_database_server_is_counted(tmp_path: Path) -> None:
    with postgres_server() as url:
        given = {"DATABASE_URL": url, "ENCRYPTION_KEY": KEY}
        told = [(await found(tmp_path, "engine", **given))[1]]
        with (
            started(tmp_path / "web", "serve", "--no-worker", "--port", "0", "--data", "data", **given) as web,
            started(tmp_path / "worker", "worker", "--data", "data", **given) as worker,
        ):
            web.line("listens on")
            worker.line("works")
            told.append((await found(tmp_path, "engine", **given))[1])
            worker.kill()
            told.append((await found(tmp_path, "engine", **given))[1])
    assert [one["state"] for one in told] == ["warn", "ok", "warn"]
    assert [one["found"] for one in told][:2] == ["nobody works the jobs now", "1 process works the jobs"]
