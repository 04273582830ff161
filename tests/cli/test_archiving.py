"""`backup`, `restore` and `move`: what is put back serves the same bytes, and nothing is put where something is."""

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.cli.programs import Program, fetch, fetch_json, run, started
from tests.servers import S3, postgres_server, s3_server

_numbers = count(1)
KEY = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
PUBLIC = "http://127.0.0.1:1"  # the same for all houses, so that addresses in answers are, too


@dataclass(frozen=True, slots=True)
class Shown:
    """What a website gets: the list, its tag, and the bytes of its pictures."""

    body: bytes
    pictures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Lived:
    """A data folder that a server worked with, and what it showed."""

    folder: Path
    token: str
    shown: Shown


pytestmark = pytest.mark.timeout(600)  # program after program, each of which takes seconds on a busy machine


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    with started(tmp_path_factory.mktemp("world"), "simulate", "--port", "0") as program:
        yield program.line("listens on").partition("listens on ")[2].partition(";")[0]


@pytest.fixture(scope="module")
def lived(origin: str, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A house that was lived in: registered, synced, backed up while others write to it."""
    folder = tmp_path_factory.mktemp("lived")
    with serving(folder, origin, "data") as url:
        token = register(url, origin)
        shown = look(url, token)
        with busy(url, origin):
            for number in range(2):
                done = run(folder, "backup", "saved", "--data", "data", "--json")
                assert done.returncode == 0, done.stderr
                assert json.loads(done.stdout)["files"] > len(shown.pictures), number
    return Lived(folder, token, shown)


@contextmanager
def serving(folder: Path, origin: str, data: str, **environment: str) -> Generator[str]:
    given = {"INSTAGRAM_ORIGIN": origin, "PUBLIC_URL": PUBLIC, "FEED_SYNC_MINUTES": "0", **environment}
    with started(folder, "serve", "--port", "0", "--data", data, **given) as program:
        yield address(program)
        assert program.end() == 0, program.err.read_text()


def address(program: Program) -> str:
    return program.line("listens on").rpartition(" ")[2]


def register(url: str, origin: str) -> str:
    username = f"keeper{next(_numbers)}"
    fetch_json(f"{origin}/_world/people", body={"username": username, "media": 0})
    for height in (200, 220):
        small = {"username": username, "kind": "IMAGE", "width": 160, "height": height}
        fetch_json(f"{origin}/_world/media", body=small)
    granted = fetch_json(f"{origin}/_world/tokens", body={"username": username, "login": "instagram"})
    body = {
        "name": username,
        "instagramAccountId": "me",
        "instagramAccountSecret": "secret",
        "instagramAccessToken": granted["access_token"],
        "apiType": "INSTAGRAM_LOGIN",
    }
    return str(fetch_json(f"{url}/register", body=body)["data"]["authToken"])


def look(url: str, token: str) -> Shown:
    status, body = fetch(f"{url}/photos", Authorization=f"Bearer {token}")
    assert status == 200, body
    found = [one for one in json.loads(body)["data"]["photos"] if one["mediaType"] == "IMAGE"]
    assert found
    pictures = [fetch(f"{url}{urlsplit(str(one['mediaUrl'])).path}") for one in found]
    assert {status for status, _ in pictures} == {200}
    return Shown(body, tuple(body for _, body in pictures))


@contextmanager
def busy(url: str, origin: str) -> Generator[None]:
    """Somebody registers again and again, until the block ends."""
    over = threading.Event()
    made: list[str] = []

    def work() -> None:
        while not over.is_set():
            made.append(register(url, origin))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert made


def told(done: Any) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(done: Any, *, code: int = 1) -> str:
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.count("\n") == 1, done.stderr
    return str(done.stderr)


def test_what_was_saved_under_load_serves_the_same_bytes(lived: Lived, origin: str, tmp_path: Path) -> None:
    found = told(run(tmp_path, "restore", str(lived.folder / "saved"), "--data", "data", "--json"))
    assert found["key"] is True
    file = tmp_path / "data" / "tintype.db"
    with sqlite3.connect(file) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
    with serving(tmp_path, origin, "data") as url:
        assert look(url, lived.token) == lived.shown
        register(url, origin)  # what is new is sealed with the same key and numbered behind what was there


def test_a_second_backup_copies_only_what_is_new(lived: Lived) -> None:
    stored = list((lived.folder / "saved" / "files").glob("*/*"))
    assert len({path.name for path in stored}) == len(stored)
    inodes = {path: path.stat().st_mtime_ns for path in stored}
    told(run(lived.folder, "backup", "saved", "--data", "data", "--json", "--keep", "0"))
    assert {path: path.stat().st_mtime_ns for path in stored} == inodes


def test_old_backups_and_their_files_go(lived: Lived, tmp_path: Path) -> None:
    keep = ("--data", "data", "--json", "--keep", "2")
    dropped = [told(run(lived.folder, "backup", str(tmp_path / "few"), *keep))["dropped"] for _ in range(3)]
    assert [len(some) for some in dropped] == [0, 0, 1]
    assert len(list((tmp_path / "few").glob("*/manifest.json"))) == 2
    stray = tmp_path / "few" / "files" / "00" / ("0" * 64)
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"of a backup that is gone")
    told(run(lived.folder, "backup", str(tmp_path / "few"), "--data", "data", "--json"))
    assert not stray.exists()


def test_one_file_takes_it_all(lived: Lived, origin: str, tmp_path: Path) -> None:
    told(run(lived.folder, "backup", str(tmp_path / "all.tar.gz"), "--data", "data", "--json"))
    assert {path.name for path in tmp_path.iterdir()} == {"all.tar.gz"}
    assert "is there already" in refused(run(lived.folder, "backup", str(tmp_path / "all.tar.gz"), "--data", "data"))
    told(run(tmp_path, "restore", "all.tar.gz", "--data", "data", "--json"))
    with serving(tmp_path, origin, "data") as url:
        assert look(url, lived.token) == lived.shown


def test_two_do_not_work_in_one_folder_of_backups(lived: Lived, tmp_path: Path) -> None:
    place = str(tmp_path / "saved")
    made = told(run(lived.folder, "backup", place, "--data", "data", "--json"))
    handle = os.open(place, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)  # as a backup does that is still being made
        for command in ("backup", "restore"):
            said = refused(run(tmp_path if command == "restore" else lived.folder, command, place, "--data", "data"))
            assert "another backup or restore is at work" in said
    finally:
        os.close(handle)
    assert told(run(tmp_path, "restore", place, "--data", "data", "--json"))["name"] == made["name"]


def test_what_a_killed_backup_left_beside_its_file_goes_with_the_next(lived: Lived, tmp_path: Path) -> None:
    left = tmp_path / ".tintype-unfinished-killed" / "packed"
    left.mkdir(parents=True)
    (left / "encryption.key").write_text("of somebody")
    told(run(lived.folder, "backup", str(tmp_path / "all.tar"), "--no-files", "--data", "data", "--json"))
    assert {path.name for path in tmp_path.iterdir()} == {"all.tar"}


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("data/blobs/saved", "lies among the stored files"),
        ("data/blobs/saved.tar", "lies among the stored files"),
        ("/proc/saved", "/proc/saved: No such file"),
        ("data/tintype.db/saved", "Not a directory"),
        ("data/tintype.db", "File exists"),
    ],
)
def test_a_place_where_no_backup_can_be_is_said(lived: Lived, place: str, said: str) -> None:
    assert said in refused(run(lived.folder, "backup", place, "--data", "data"))
    assert not (lived.folder / "data" / "blobs" / "saved").exists()


@pytest.mark.parametrize("part", [0.0, 0.5])
def test_a_file_that_was_cut_off_is_not_put_back(lived: Lived, tmp_path: Path, part: float) -> None:
    told(run(lived.folder, "backup", str(tmp_path / "all.tgz"), "--data", "data", "--json"))
    whole = (tmp_path / "all.tgz").read_bytes()
    (tmp_path / "all.tgz").write_bytes(whole[: int(len(whole) * part)])
    assert "no archive that can be read" in refused(run(tmp_path, "restore", "all.tgz", "--data", "data"))
    assert not (tmp_path / "data" / "tintype.db").exists()


def test_nothing_is_put_where_something_is(lived: Lived, tmp_path: Path) -> None:
    saved = str(lived.folder / "saved")
    assert "is not empty: it has tintype.db" in refused(run(lived.folder, "restore", saved, "--data", "data"))
    (tmp_path / "data" / "blobs" / "media").mkdir(parents=True)
    (tmp_path / "data" / "blobs" / "media" / "a.jpg").write_bytes(b"x")
    assert "stored files is not empty" in refused(run(tmp_path, "restore", saved, "--data", "data"))
    assert not (tmp_path / "data" / "tintype.db").exists()


def test_a_restore_that_was_interrupted_goes_on(lived: Lived, origin: str, tmp_path: Path) -> None:
    told(run(lived.folder, "backup", str(tmp_path / "saved"), "--data", "data", "--json"))
    told(run(tmp_path, "restore", "saved", "--data", "data", "--json"))
    data = tmp_path / "data"
    (data / "tintype.db").unlink()  # it is put there last
    media = sorted((data / "blobs" / "media").rglob("original.*"))
    media[0].unlink()
    content = media[1].read_bytes()
    media[1].write_bytes(b"of somebody else")
    assert "stored files is not empty" in refused(run(tmp_path, "restore", "saved", "--data", "data"))
    media[1].write_bytes(content)
    key = (data / "encryption.key").read_text()
    (data / "encryption.key").write_text(KEY)
    assert "it has encryption.key" in refused(run(tmp_path, "restore", "saved", "--data", "data"))
    (data / "encryption.key").write_text(key)
    told(run(tmp_path, "restore", "saved", "--data", "data", "--json"))
    with serving(tmp_path, origin, "data") as url:
        assert look(url, lived.token) == lived.shown


@pytest.mark.parametrize("what", ["tintype.db", "files.jsonl", "manifest.json", "files"])
def test_a_damaged_backup_is_not_put_back(lived: Lived, tmp_path: Path, what: str) -> None:
    told(run(lived.folder, "backup", str(tmp_path / "saved"), "--data", "data", "--json"))
    pattern = "files/*/*" if what == "files" else f"*/{what}"
    file = next(iter((tmp_path / "saved").glob(pattern)))
    whole = file.read_bytes()
    file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:] if what != "manifest.json" else whole[:100])
    assert "backup" in refused(run(tmp_path, "restore", "saved", "--data", "data"))
    assert not (tmp_path / "data" / "tintype.db").exists()
    assert not list((tmp_path / "data").rglob("*.jpg"))


def test_secrets_need_the_key_that_sealed_them(lived: Lived, tmp_path: Path) -> None:
    told(run(lived.folder, "backup", str(tmp_path / "bare"), "--no-key", "--data", "data", "--json"))
    assert not list((tmp_path / "bare").rglob("encryption.key"))
    assert "ENCRYPTION_KEY" in refused(run(tmp_path, "restore", "bare", "--data", "data"), code=3)
    assert "ENCRYPTION_KEY" in refused(run(tmp_path, "restore", "bare", "--data", "data", ENCRYPTION_KEY=KEY), code=3)
    own = (lived.folder / "data" / "encryption.key").read_text().strip()
    assert told(run(tmp_path, "restore", "bare", "--data", "data", "--json", ENCRYPTION_KEY=own))["key"] is False


def test_there_has_to_be_something_to_save_and_to_put_back(tmp_path: Path) -> None:
    assert "there is no database" in refused(run(tmp_path, "backup", "saved", "--data", "data"), code=4)
    assert not (tmp_path / "saved").exists()
    assert "no whole backup" in refused(run(tmp_path, "restore", "saved", "--data", "data"), code=4)


def test_to_postgres_and_a_bucket_and_back_in_rows(
    lived: Lived, origin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    for name, value in keys.items():
        monkeypatch.setenv(name, value)
    secret = (lived.folder / "data" / "encryption.key").read_text().strip()
    with postgres_server() as postgres, s3_server() as bucket:
        there = {"DATABASE_URL": postgres, "BLOBS_URL": bucket.url, "ENCRYPTION_KEY": secret, **keys}
        _leave_a_file(bucket, lived.folder / "data" / "blobs", said="what somebody else keeps there")
        other = run(lived.folder, "move", "--to", postgres, "--blobs", bucket.url, "--data", "data", **keys)
        assert "is not empty" in refused(other)
        _leave_a_file(bucket, lived.folder / "data" / "blobs")  # as a move does that is interrupted
        moved = told(
            run(lived.folder, "move", "--to", postgres, "--blobs", bucket.url, "--data", "data", "--json", **keys)
        )
        assert moved["rows"] == rows_of(lived.folder / "data" / "tintype.db")
        assert moved["files"] == len([one for one in (lived.folder / "data" / "blobs").rglob("*.*") if one.is_file()])
        with serving(tmp_path, origin, "node", **there) as url:
            assert look(url, lived.token) == lived.shown
            register(url, origin)  # numbers go on behind those that came along
        again = run(lived.folder, "move", "--to", postgres, "--data", "data")
        assert "is not empty" in refused(again)

        saved = told(run(tmp_path, "backup", "saved", "--data", "node", "--json", **there))
        assert saved["kind"] == "rows"
        assert "is not empty" in refused(run(tmp_path, "restore", "saved", "--data", "node", **there))
    with postgres_server() as other:
        elsewhere = {"DATABASE_URL": other, "ENCRYPTION_KEY": secret}
        found = told(run(tmp_path, "restore", "saved", "--data", "third", "--json", **elsewhere))
        assert found["rows"] == saved["rows"]
        with serving(tmp_path, origin, "third", **elsewhere) as url:
            assert look(url, lived.token) == lived.shown
            register(url, origin)
    small = {"ENCRYPTION_KEY": secret}
    assert told(run(tmp_path, "restore", "saved", "--data", "small", "--json", **small))["rows"] == saved["rows"]
    with serving(tmp_path, origin, "small", **small) as url:
        assert look(url, lived.token) == lived.shown


def _leave_a_file(bucket: S3, blobs: Path, said: str | None = None) -> None:
    file = next(one for one in sorted(blobs.rglob("*.*")) if one.is_file())
    content = said.encode() if said else file.read_bytes()
    bucket.ask("put_object", Key=f"prefix/{file.relative_to(blobs)}", Body=content)


def rows_of(file: Path) -> int:
    with sqlite3.connect(file) as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        ours = [name for name in names if not name.startswith("sqlite_") and name != "alembic_version"]
        return sum(database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ours)


def test_nobody_moves_house_while_a_server_works(lived: Lived, origin: str) -> None:
    with serving(lived.folder, origin, "data"):
        done = run(lived.folder, "move", "--to", "postgresql://nobody@127.0.0.1:1/none", "--data", "data")
    assert "a server works with" in refused(done)


@pytest.mark.parametrize("command", ["backup", "restore", "move"])
def test_a_database_that_is_not_there_is_said(lived: Lived, tmp_path: Path, command: str) -> None:
    with postgres_server() as url:
        missing = f"{url.rpartition('/')[0]}/missing"
        here = {"DATABASE_URL": missing, "ENCRYPTION_KEY": KEY}
        if command == "move":
            done = run(lived.folder, "move", "--to", missing, "--data", "data")
        elif command == "backup":
            done = run(tmp_path, "backup", "saved", "--data", "none", **here)
        else:
            here["ENCRYPTION_KEY"] = (lived.folder / "data" / "encryption.key").read_text().strip()
            done = run(tmp_path, "restore", str(rows_saved(lived, tmp_path, url)), "--data", "none", **here)
    said = refused(done)
    assert "the database does not answer: connection failed: " in said
    assert 'database "missing" does not exist' in said


def rows_saved(lived: Lived, folder: Path, url: str) -> Path:
    """Return a folder with a backup of PostgreSQL, to which the house was moved for it."""
    told(run(lived.folder, "move", "--to", url, "--data", "data", "--json"))
    secret = (lived.folder / "data" / "encryption.key").read_text().strip()
    told(run(folder, "backup", "rows", "--data", "node", "--json", DATABASE_URL=url, ENCRYPTION_KEY=secret))
    return folder / "rows"


def test_tables_of_others_are_left_alone(lived: Lived) -> None:
    with postgres_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE workspaces (id text PRIMARY KEY)")
        assert "tables that are not Tintype's: workspaces" in refused(
            run(lived.folder, "move", "--to", url, "--data", "data")
        )


def test_a_place_that_cannot_be_is_named(lived: Lived, tmp_path: Path) -> None:
    done = run(lived.folder, "move", "--to", "postgresql://nobody:hidden@127.0.0.1:1/none", "--data", "data")
    assert "hidden" not in refused(done)
    assert run(lived.folder, "move", "--to", "sqlite:///x.db", "--data", "data").returncode == 2
    assert "no database" in refused(
        run(tmp_path, "move", "--to", "postgresql://x@127.0.0.1:1/y", "--data", "no"), code=3
    )
