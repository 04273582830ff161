"""`export` and `erase`: a row of everybody in every table, and afterwards nothing of one of them anywhere."""

import asyncio
import base64
import hashlib
import json
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    Integer,
    LargeBinary,
    Table,
    insert,
    select,
    update,
)

from tests.cli.programs import fetch, run
from tests.cli.test_archiving import look, origin, refused, register, serving, told
from tests.servers import postgres_server, redis_server
from tintype.backends.database import Database, Instant, metadata, open_database
from tintype.backends.migrations import upgrade
from tintype.cli.belongings import HIDDEN, NOBODYS, SEARCHED

__all__ = ["origin"]

import_module("tintype.app")

pytestmark = pytest.mark.timeout(600)  # program after program, each of which takes seconds on a busy machine
KEY = base64.b64encode(bytes(32)).decode()
NOW = datetime(2026, 5, 1, tzinfo=UTC)
FIXED = {
    "login": "instagram",
    "store": "home",
    "role": "owner",
    "schedule": "once",
    "removed_at": None,
    "leaving_at": None,
    "claimed_at": None,
    "unused_since": None,
}


def seed(letter: str) -> dict[str, Any]:
    """Return the ids of one of the people in this play, who share nothing."""
    number = ord(letter)
    return {
        "workspace": f"{letter}wrkspce-0000-4000-8000-{number:012}",
        "account": f"{letter}account-0000-4000-8000-{number:012}",
        "instagram": f"178414{number:011}",
        "username": f"{letter}_planted.name",
        "shortcode": f"{letter}PlantedX",
        "user": number,
        "letter": letter,
        "word": f"{letter}-planted",
    }


def planted(table: Table, who: dict[str, Any]) -> dict[str, Any]:
    """Return a row for a table in which every text tells whose it is."""
    return {column.name: value_of(column, table, who) for column in table.columns}


def value_of(column: Column[Any], table: Table, who: dict[str, Any]) -> Any:
    name, target = column.name, next((key.column for key in column.foreign_keys), None)
    if target is not None:
        return value_of(target, target.table, who)
    if (known := by_name(table.name, name, who)) is not None or name in FIXED:
        return FIXED[name] if known is None else known
    if isinstance(column.type, Instant):
        return NOW
    if isinstance(column.type, Date):
        return date(2026, 5, 1)
    if isinstance(column.type, Boolean):
        return False
    if isinstance(column.type, Float):
        return 1.5
    if isinstance(column.type, Integer):
        return who["user"]
    if isinstance(column.type, LargeBinary):
        return f"{who['word']} sealed".encode()
    said = f"{who['word']} {table.name} {name}"
    if isinstance(column.type, JSON):
        return {"said": said}
    return said[: getattr(column.type, "length", None) or 200]


def by_name(table: str, name: str, who: dict[str, Any]) -> Any:
    return {
        ("workspaces", "id"): who["workspace"],
        ("accounts", "id"): who["account"],
        ("accounts", "state"): "connected",
        ("webhook_endpoints", "delays"): [],
        ("webhook_endpoints", "events"): ["account.disconnected"],
        ("users", "id"): who["user"],
        ("assets", "digest"): who["letter"] * 64,
        ("downloads", "post"): {"owner": who["username"]},
        ("push_notices", "notice"): {"item": f"{who['word']}-recipe-1"},
        ("dialogs", "chosen"): {"account_id": who["account"]},
        ("downloads", "current"): who["shortcode"],
        ("journal", "event"): json.dumps({"kind": "MediaSynced", "account_id": who["account"]}),
        ("audit", "subject"): f"@{who['username']}",
        ("file_uploads", "options"): {"account": who["account"]},
        ("files", "place"): f"files/{who['word']}.jpg",
        ("files_derived", "place"): f"files/{who['word']}-small.jpg",
        ("file_parts", "place"): f"files/{who['word']}.part",
        ("posts", "draft"): {
            "items": [{"blob": f"publishing/{who['word']}.jpg"}],
            "shared": "publishing/shared.jpg",
            "caption": f"publishing/uploads/{seed('b')['workspace']}/{'0' * 32}.jpg",
            "first_comment": "publishing/../../encryption.key and publishing/bPlain.jpg",
        },
        ("recipe_items", "source"): {"cover": f"recipes/{who['word']}.jpg", "author": who["username"]},
        ("recipe_items", "id"): f"{who['word']}-recipe-1",
        ("recipe_changes", "item_id"): f"{who['word']}-recipe-1",
        ("recipe_changes", "item"): None,
        ("webhook_messages", "body"): json.dumps({"instagram_id": who["instagram"], "said": who["word"]}),
    }.get((table, name)) or {
        "workspace_id": who["workspace"],
        "account_id": who["account"],
        "user_id": who["user"],
        "instagram_id": who["instagram"],
        "username": who["username"],
        "shortcode": who["shortcode"],
    }.get(name)


def plant(connection: Connection, *letters: str) -> None:
    for table in metadata.sorted_tables:
        if table.name not in ("journal", "push_marks", "public_standings", "file_debts"):
            for letter in letters:
                connection.execute(insert(table).values(planted(table, seed(letter))))


FILES = ("files/{}.jpg", "files/{}-small.jpg", "files/{}.part", "publishing/{}.jpg", "recipes/{}.jpg")


def plant_files(data: Path, *letters: str) -> None:
    put(data / "blobs" / "publishing" / "bPlain.jpg", "of nobody here")
    for letter in letters:
        who = seed(letter)
        uploads = f"publishing/uploads/{who['workspace']}/{'0' * 32}.jpg"
        for key in (*(one.format(who["word"]) for one in FILES), uploads):
            put(data / "blobs" / key, f"bytes of {who['word']}")
        put(data / "instaloader" / who["shortcode"] / f"{who['shortcode']}.json", who["word"])
    put(data / "blobs" / "publishing" / "shared.jpg", "of several")


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[dict[str, str]]:
    """The settings of a house with two workspaces and persons of whom everything is stored."""
    with database(str(request.param), tmp_path) as url:
        asyncio.run(filled(url))
        plant_files(tmp_path / "data", "a", "b")
        yield {"DATABASE_URL": url, "ENCRYPTION_KEY": KEY, "TINTYPE_DATA": str(tmp_path / "data")}


@contextmanager
def database(kind: str, folder: Path) -> Generator[str]:
    if kind == "sqlite":
        (folder / "data").mkdir()
        yield f"sqlite:///{folder / 'data' / 'tintype.db'}"
    else:
        with postgres_server() as url:
            yield url


async def filled(url: str) -> None:
    opened = open_database(url)
    try:
        await upgrade(opened)
        async with opened.write() as connection:
            await connection.run_sync(plant, "a", "b")
    finally:
        await opened.close()


async def rows(url: str) -> dict[str, list[str]]:
    """Return everything in the database as text, table by table."""
    opened: Database = open_database(url)
    try:
        async with opened.read() as connection:
            return {
                name: [repr(tuple(row)) for row in await connection.execute(select(table))]
                for name, table in metadata.tables.items()
            }
    finally:
        await opened.close()


def traces(letter: str, found: dict[str, list[str]], *, person: bool) -> set[str]:
    """Return the tables that still speak of somebody."""
    who = seed(letter)
    marks = ["instagram", "username", "account", "shortcode"] if person else ["workspace", "account", "word"]
    rooms = {"audit", "webhook_messages", "dialogs"}  # of a workspace; it has no queue and no downloads of its own
    others = set[str]() if person else {*SEARCHED, "push_deliveries"} - rooms
    allowed = {*NOBODYS, *others}
    return {
        name
        for name, texts in found.items()
        if name not in allowed and any(who[mark] in text for mark in marks for text in texts)
    }


def test_every_table_is_somebodys_or_has_a_reason() -> None:
    tied = {"workspaces", "accounts", "users"}
    for table in metadata.sorted_tables:
        parents = {key.column.table.name for column in table.columns for key in column.foreign_keys}
        if {"workspace_id", "account_id", "user_id"} & set(table.columns.keys()) or parents & (tied | set(SEARCHED)):
            tied.add(table.name)
    assert set(metadata.tables) - tied - set(SEARCHED) == set(NOBODYS)
    assert {
        f"{name}.{key}" for name, keys in HIDDEN.items() for key in keys if key not in metadata.tables[name].c
    } == set()


def given_out(folder: Path) -> dict[str, str]:
    """Return what was given out, after a look that it is one's alone and opens nothing."""
    files = {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*.*")}
    everything = "\n".join(files.values())
    assert "a-planted" in everything
    assert not [word for word in ("b-planted", "a-planted sealed", "credentials digest") if word in everything]
    assert base64.b64encode(b"a-planted sealed").decode() not in everything
    return files


def test_a_workspace_is_given_out_and_gone_everywhere(house: dict[str, str], tmp_path: Path) -> None:
    before = asyncio.run(rows(house["DATABASE_URL"]))
    done = told(run(tmp_path, "export", "--workspace", seed("a")["workspace"], "-o", "out", "--json", **house))
    given = given_out(tmp_path / "out")
    files = [name for name in given if name.startswith("files/")]
    assert done["files"] == len(files)
    assert {"files/publishing/a-planted.jpg", "files/home/files/a-planted.jpg", "media.jsonl"} <= set(given)
    assert json.loads(given["posts.jsonl"])["draft"]["items"] == [{"blob": "publishing/a-planted.jpg"}]
    assert not [name for name in files if seed("b")["workspace"] in name or "bPlain" in name or "key" in name]
    assert "is not empty" in refused(run(tmp_path, "export", "--workspace", "x", "-o", "out", **house))

    gone = told(run(tmp_path, "erase", "--workspace", seed("a")["workspace"], "--yes", "--json", **house))
    assert gone["rows"]["accounts"] == 1
    after = asyncio.run(rows(house["DATABASE_URL"]))
    assert traces("a", after, person=False) == set()
    mine = {name: [text for text in texts if "b-planted" in text] for name, texts in before.items()}
    assert {name: [text for text in after[name] if "b-planted" in text] for name in mine} == mine
    left = {path.name for path in (tmp_path / "data" / "blobs").rglob("*") if path.is_file()}
    assert not any("a-planted" in name for name in left - {"a-planted.jpg"})
    assert {"b-planted.jpg", "b-planted.part", "shared.jpg", "bPlain.jpg"} <= left
    assert not list((tmp_path / "data" / "blobs").glob(f"publishing/uploads/{seed('a')['workspace']}/*"))
    assert list((tmp_path / "data" / "blobs").glob(f"publishing/uploads/{seed('b')['workspace']}/*"))


def test_a_person_is_given_out_and_gone_everywhere(house: dict[str, str], tmp_path: Path) -> None:
    told(run(tmp_path, "export", "--person", seed("a")["instagram"], "-o", "out", "--json", **house))
    names = {name.rpartition("/")[2] for name in given_out(tmp_path / "out")}
    assert {"accounts.jsonl", "downloads.jsonl", "recipe_items.jsonl", "aPlantedX.json"} <= names

    gone = told(run(tmp_path, "erase", "--person", seed("a")["instagram"], "--yes", "--json", **house))
    assert {"accounts", "media", "posts", "downloads", "recipe_items", "recipe_changes"} <= set(gone["rows"])
    after = asyncio.run(rows(house["DATABASE_URL"]))
    assert traces("a", after, person=True) == set()
    assert len(after["workspaces"]) == 2
    assert any("b-planted" in text for text in after["posts"])
    data = tmp_path / "data"
    assert not (data / "instaloader" / seed("a")["shortcode"]).exists()
    assert (data / "instaloader" / seed("b")["shortcode"]).exists()
    left = {str(path.relative_to(data / "blobs")) for path in (data / "blobs").rglob("*.jpg")}
    assert {"publishing/b-planted.jpg", "publishing/shared.jpg", "recipes/b-planted.jpg", "files/b-planted.jpg"} <= left
    assert not {"publishing/a-planted.jpg", "recipes/a-planted.jpg", "files/a-planted.jpg"} & left


async def registered_as_me(url: str, letter: str) -> None:
    opened, accounts = open_database(url), metadata.tables["accounts"]
    try:
        async with opened.write() as connection:
            mine = update(accounts).where(accounts.c.id == seed(letter)["account"])
            await connection.execute(mine.values(instagram_id="me"))
    finally:
        await opened.close()


def test_nobody_is_disconnected_by_a_word_that_means_nobody(house: dict[str, str], tmp_path: Path) -> None:
    asyncio.run(registered_as_me(house["DATABASE_URL"], "a"))
    before = asyncio.run(rows(house["DATABASE_URL"]))
    assert "'me' may be anybody" in refused(run(tmp_path, "erase", "--person", "me", "--yes", **house))
    assert asyncio.run(rows(house["DATABASE_URL"]))["accounts"] == before["accounts"]


@pytest.mark.parametrize("command", ["export", "erase"])
def test_wrong_use_and_unknown_things(tmp_path: Path, command: str) -> None:
    more = ("-o", "out") if command == "export" else ("--yes",)
    assert run(tmp_path, command, *more).returncode == 2
    assert run(tmp_path, command, *more, "--workspace", "x", "--person", "1").returncode == 2
    run(tmp_path, "migrate", "--data", "data")
    anybody = run(tmp_path, command, *more, "--person", "me", "--data", "data")
    assert "'me' may be anybody" in refused(anybody), "several may have been registered so"
    for whom in (("--workspace", "nobody"), ("--person", "178")):
        assert (
            "there is no" in (said := refused(run(tmp_path, command, *more, *whom, "--data", "data"), code=4))
            or "nothing" in said
        )


def remembered(url: str) -> dict[str, bytes]:
    """Return what a Redis knows."""
    redis: Any = Redis.from_url(url)  # pyright: ignore[reportUnknownMemberType] - open keyword arguments
    with redis:
        return {key.decode(): redis.dump(key) or b"" for key in redis.scan_iter()}


def test_of_a_real_workspace_not_a_byte_is_left_while_the_server_runs(origin: str, tmp_path: Path) -> None:
    with redis_server() as redis, serving(tmp_path, origin, "data", REDIS_URL=redis) as url:
        tokens = [register(url, origin) for _ in range(2)]
        shown = look(url, tokens[1])
        listed = json.loads(run(tmp_path, "workspace", "list", "--json", "--data", "data").stdout)
        gone = listed[0]
        accounts = json.loads(run(tmp_path, "account", "list", "--json", "--data", "data").stdout)
        mine = [one for one in accounts if one["workspace_id"] == gone["id"]]
        told(run(tmp_path, "export", "--workspace", gone["id"], "-o", "out", "--json", "--data", "data"))
        assert len(list((tmp_path / "out" / "files" / "media").rglob("original.*"))) == 2
        assert fetch(f"{url}/photos", Authorization=f"Bearer {tokens[0]}")[0] == 200
        digest = hashlib.sha256(tokens[0].encode()).hexdigest()
        assert {f"tenant:{gone['id']}", f"auth_token:{digest}"} <= set(remembered(redis))
        erasing = ("erase", "--workspace", gone["id"], "--yes", "--json", "--data", "data")
        away = run(tmp_path, *erasing, REDIS_URL="redis://127.0.0.1:1/0")
        assert (away.returncode, away.stdout) == (1, ""), "nothing is said to be gone that may still lie there"
        assert away.stderr.endswith("tintype: Redis does not answer\n")
        told(run(tmp_path, *erasing, REDIS_URL=redis))
        assert fetch(f"{url}/photos", Authorization=f"Bearer {tokens[0]}")[0] == 401
        assert look(url, tokens[1]) == shown
        kept = remembered(redis)
        assert digest not in repr(kept)
        assert gone["id"] not in repr(kept)
        assert gone["name"].encode() not in b"".join(kept.values())
    words = [gone["id"], gone["name"], *(one[key] for one in mine for key in ("id", "instagram_id"))]
    words += [json.loads(line)["id"] for line in (tmp_path / "out" / "media.jsonl").read_text().splitlines()]
    words = [word for word in words if len(word) > 5]  # an account is registered as "me"
    assert len(words) >= 5
    everything = {path: path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()}
    assert {(path.name, word) for path, text in everything.items() for word in words if word.encode() in text} == set()
    digests = {path.parent.name for path in (tmp_path / "out" / "files" / "media").rglob("original.*")}
    assert not [path for path in everything if path.parent.name in digests]
    with sqlite3.connect(tmp_path / "data" / "tintype.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
