"""The commands that do one thing: what they print, and how they end. In this process, because each starts no server."""

import asyncio
import io
import json
import logging
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.empty import furnish
from tintype.app import open_house
from tintype.cli import main
from tintype.instagram import Login
from tintype.settings import load

Cli = Callable[..., tuple[int, str, str]]

COMMANDS = (
    (), ("serve",), ("worker",), ("demo",), ("simulate",), ("migrate",), ("backup",), ("restore",), ("move",), ("export",), ("erase",), ("doctor",), ("sync",),
    ("workspace",), ("workspace", "add"), ("workspace", "list"), ("workspace", "remove"), ("workspace", "app"),
    ("token",), ("token", "add"), ("token", "list"), ("token", "revoke"),
    ("user",), ("user", "add"), ("user", "list"), ("user", "role"), ("user", "password"), ("user", "disable"),
    ("user", "enable"), ("account",), ("account", "list"), ("account", "connect"), ("account", "refresh"), ("account", "disconnect"),
    ("feed",), ("feed", "show"), ("feed", "collect"), ("vault", "rotate"),
    ("publish",), ("posts",), ("posts", "list"), ("posts", "show"), ("posts", "events"), ("posts", "cancel"), ("posts", "retry"),
    ("insights",), ("fetch",), ("recipe",), ("session",), ("session", "add"), ("session", "status"), ("session", "remove"),
    ("webhooks",), ("webhooks", "list"), ("webhooks", "add"), ("webhooks", "test"), ("webhooks", "log"), ("webhooks", "replay"),
    ("webhooks", "listen"), ("app",), ("app", "create"), ("app", "list"), ("app", "rotate"), ("app", "delete"),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _logs() -> Generator[None]:
    """Commands take over the process's logs; give them back to pytest."""
    root, engine = logging.getLogger(), logging.getLogger("dbos")
    before = root.handlers[:], root.level, engine.handlers[:], engine.propagate
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level, engine.handlers[:], engine.propagate = before


@pytest.fixture
def cli(bare: Cli) -> Cli:
    """The commands before a data folder that has its databases already."""
    furnish(load())
    return bare


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINTYPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NO_COLOR", "1")

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return int(code), said.out, said.err

    return call


def said(cli: Cli, *arguments: str) -> Any:
    code, out, err = cli(*arguments, "--json")
    assert code == 0, err
    assert out.count("\n") == 1
    return json.loads(out)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help(cli: Cli, command: tuple[str, ...]) -> None:
    code, out, _ = cli(*command, "--help")
    assert code == 0
    assert "Usage: tintype" in out


def test_the_help_tells_the_exit_codes(cli: Cli) -> None:
    assert "Exit codes: 0 done, 1 trouble" in " ".join(cli("--help")[1].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("frobnicate",),
        ("serve", "--port", "many"),
        ("serve", "--port", "70000"),
        ("serve", "--only", "nonsense"),
        ("serve", "--only", ""),
        ("workspace", "add"),
        ("workspace", "remove", "X"),
        ("account", "connect", "X", "--login", "myspace"),
        ("token", "add", "X", "--origin", "https://example.com"),
        ("sync", "--every", "0"),
    ],
    ids=" ".join,
)
def test_wrong_use_ends_with_2_and_prints_nothing(cli: Cli, arguments: tuple[str, ...]) -> None:
    code, out, err = cli(*arguments)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "arguments",
    [
        ("workspace", "remove", "nobody", "--yes"),
        ("token", "add", "nobody"),
        ("token", "list", "nobody"),
        ("user", "role", "nobody@example.com", "nowhere", "editor"),
        ("user", "disable", "nobody@example.com"),
        ("account", "list", "nobody"),
        ("account", "connect", "nobody"),
        ("account", "refresh", "nobody"),
        ("account", "disconnect", "nobody"),
        ("feed", "show", "nobody"),
    ],
    ids=" ".join,
)
def test_an_unknown_thing_ends_with_4_in_one_line(cli: Cli, arguments: tuple[str, ...]) -> None:
    code, out, err = cli(*arguments)
    assert (code, out) == (4, "")
    assert err.startswith("tintype: there is no ")
    assert err.count("\n") == 1


def test_a_wrong_setting_ends_with_3_and_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENCRYPTION_KEY", "c2hvcnQ=")
    code, out, err = cli("workspace", "list")
    assert (code, out) == (3, "")
    assert err.startswith("tintype: ENCRYPTION_KEY: ")
    assert err.count("\n") == 1
    assert "c2hvcnQ=" not in err


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.example", "'proxy.example' is no address and no network"),
        ("TRUSTED_PROXIES", "10.0.0.0/33", "'10.0.0.0/33' is no address and no network"),
        ("ENCRYPTION_KEYS_OLD", "pl4nted", "must be 32 bytes in base64"),
        ("PUBLIC_URL", "https://someone:pl4nted@feeds.example.com", "must be without a user"),
        ("PUBLIC_URL", "https://feeds.example.com/?pl4nted=1", "must be without a user, a query"),
        ("PUBLIC_URL", "https://feeds.example.com:pl4nted", "must be an address that starts with"),
        ("PUBLIC_URL", "https://[::1", "must be an address that starts with"),
        ("STORAGES", '{"S3": "s3://pl4nted"', "must be a JSON object"),
        ("STORAGES", '["pl4nted"]', "Input should be a valid dictionary"),
        ("UPSTASH_REDIS_REST_URL", "https://eu1-calm-fox-1.upstash.io", "UPSTASH_REDIS_REST_TOKEN go together"),
        ("UPSTASH_REDIS_REST_TOKEN", "pl4nted", "UPSTASH_REDIS_REST_URL"),
        ("DATABASE_URL", "postgresql://me:pl4nted@[::1", "DATABASE_URL"),
        ("DATABASE_URL", "postgresql://someone:an@ot:pl4nted@127.0.0.1:abc/x", "write @, : and / of a password as %40"),
    ],
)
def test_a_setting_that_cannot_be_is_named_without_its_value_and_before_anything_starts(
    bare: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    code, out, err = bare("migrate")
    assert (code, out) == (3, "")
    assert name in err
    assert said in err
    assert err.count("\n") == 1
    assert "pl4nted" not in err
    assert list(tmp_path.iterdir()) == []
    code, out, err = bare("doctor", "--json")
    assert code == 1
    assert name in out
    assert "pl4nted" not in out + err


def test_names_that_are_nearly_those_of_settings_are_told_by_doctor(
    bare: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("DATABSE_URL=postgresql://pl4nted@h/x\nPOSTGRES_PASSWORD=pl4nted\nADMIN_TOKEN=a\n")
    monkeypatch.setenv("ENCRYPTION_KEYS", "pl4nted")
    monkeypatch.setenv("TINTYPE_TOKEN", "pl4nted")
    code, out, err = bare("doctor", "--json")
    settings = next(one for one in json.loads(out) if one["check"] == "settings")
    assert (code, settings["state"]) == (0, "warn")
    assert settings["found"] == (
        "DATABSE_URL is no setting, DATABASE_URL is; ENCRYPTION_KEYS is no setting, ENCRYPTION_KEY is"
    )
    assert "pl4nted" not in out + err


def test_both_halves_of_upstash_are_one_address(bare: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UPSTASH_REDIS_REST_TOKEN", "pl4nted")
    monkeypatch.setenv("UPSTASH_REDIS_REST_URL", "http://eu1-calm-fox-1.upstash.io")
    code, _, err = bare("migrate")
    assert (code, "must be an address that starts with https://" in err) == (3, True)
    monkeypatch.setenv("UPSTASH_REDIS_REST_URL", "https://eu1-calm-fox-1.upstash.io")
    assert bare("migrate")[0] == 0


def test_a_name_too_short_ends_with_1(cli: Cli) -> None:
    code, out, err = cli("workspace", "add", "ab")
    assert (code, out) == (1, "")
    assert err == "tintype: name must be at least 3 characters and at most 200\n"


def test_the_life_of_a_user(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def typed(text: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(text))

    typed("Correct-h0rse\n")
    made = said(cli, "user", "add", "Ann@Example.com", "--name", "Ann", "--workspace", "Bakery")
    assert set(made) == {"id", "email", "name", "created_at", "disabled_at", "workspaces"}
    assert made["email"] == "ann@example.com"
    assert [(one["name"], one["role"]) for one in made["workspaces"]] == [("Bakery", "owner")]
    assert said(cli, "user", "list") == [made]
    assert "Bakery (owner)" in cli("user", "list")[1]
    second = said(cli, "workspace", "add", "Second")["id"]
    for role in ("viewer", "owner"):
        placed = said(cli, "user", "role", "ann@example.com", "Second", role)
        assert placed == {"id": made["id"], "email": "ann@example.com", "workspace_id": second, "role": role}
    code, _, err = cli("user", "role", "ann@example.com", "Second", "none")
    assert (code, err) == (1, "tintype: a workspace needs an owner: make somebody else the owner first\n")
    typed("An0ther-one\n")
    assert said(cli, "user", "password", "ann@example.com") == {"id": made["id"], "email": "ann@example.com"}
    assert said(cli, "user", "disable", "ann@example.com")["enabled"] is False
    assert said(cli, "user", "list")[0]["disabled_at"]
    assert said(cli, "user", "enable", "ann@example.com")["enabled"] is True
    assert said(cli, "user", "list")[0]["disabled_at"] is None


def test_the_first_user_and_who_forgot_a_password_get_a_link(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    first = said(cli, "user", "welcome")
    assert "/welcome/" in first["url"]
    assert said(cli, "user", "welcome") != first
    monkeypatch.setattr("sys.stdin", io.StringIO("Correct-h0rse\n"))
    said(cli, "user", "add", "ann@example.com")
    code, out, err = cli("user", "welcome")
    assert (code, out) == (1, "")
    assert "name the one" in err
    assert "/welcome/" in said(cli, "user", "welcome", "ann@example.com")["url"]


@pytest.mark.parametrize("password", ["", "\n", "short\n", "no-uppercase-1\n"])
def test_a_weak_password_is_told_and_not_shown(cli: Cli, monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(password))
    code, out, err = cli("user", "add", "ann@example.com")
    assert (code, out) == (1 if password.strip() else 2, "")
    assert "password" in err
    assert not password.strip() or password.strip() not in err
    assert "Traceback" not in err


def test_the_life_of_a_workspace(cli: Cli) -> None:
    made = said(cli, "workspace", "add", "Blue Door")
    assert set(made) == {"id", "name", "created_at", "token", "token_id"}
    (listed,) = said(cli, "workspace", "list")
    assert listed == {**{key: made[key] for key in ("id", "name", "created_at")}, "accounts": 0, "posts": 0}
    _, table, _ = cli("workspace", "list")
    assert made["id"] in table
    assert said(cli, "workspace", "remove", "Blue Door", "--yes")["disconnected"] == 0
    assert said(cli, "workspace", "list") == []


def test_a_name_of_two_workspaces_means_neither(cli: Cli) -> None:
    first, second = (said(cli, "workspace", "add", "Twins")["id"] for _ in range(2))
    code, _, err = cli("token", "list", "Twins")
    assert code == 1
    assert first in err
    assert second in err
    assert len(said(cli, "token", "list", first)) == 1


def test_the_life_of_a_feed_key(cli: Cli) -> None:
    said(cli, "workspace", "add", "Cafe")
    key = said(cli, "token", "add", "Cafe", "--feed-key", "--origin", "https://Cafe.example/", "--label", "website")
    assert key["token"].startswith("fk_")
    assert (key["grant"], key["origins"]) == ("feed", ["https://cafe.example"])
    listed = said(cli, "token", "list", "Cafe")
    assert [one["label"] for one in listed] == ["website", "command line"]
    assert key["token"] not in json.dumps(listed)
    assert said(cli, "token", "revoke", "Cafe", key["id"])["revoked"] is True
    assert said(cli, "token", "list", "Cafe")[0]["revoked_at"] is not None
    assert cli("token", "revoke", "Cafe", key["id"])[0] == 4


def test_the_life_of_an_app_of_the_picker(cli: Cli) -> None:
    said(cli, "workspace", "add", "Cafe")
    made = said(cli, "app", "create", "shop", "--origin", "https://Shop.example/", "--secure")
    assert (made["origins"], made["secure_reads"], made["secure_writes"]) == (["https://shop.example"], True, True)
    listed = said(cli, "app", "list", "--workspace", "Cafe")
    assert [one["key"] for one in listed] == [made["key"]]
    assert made["secret"] not in json.dumps(listed)
    assert said(cli, "app", "rotate", made["key"])["secret"] != made["secret"]
    assert said(cli, "vault", "rotate")["resealed"] == 0
    assert said(cli, "app", "delete", made["id"]) == {"id": made["id"]}
    assert said(cli, "app", "list") == []
    assert cli("app", "delete", made["id"])[0] == 4
    said(cli, "workspace", "add", "Bakery")
    assert cli("app", "create", "shop")[0] != 0


def test_migrating_twice_changes_once(bare: Cli, tmp_path: Path) -> None:
    assert said(bare, "migrate")["changed"] is True
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0, "the data folder is for nobody else, whoever makes it"
    assert said(bare, "migrate")["changed"] is False


def test_migrate_says_where_the_database_stands_and_changes_nothing_when_it_only_checks(
    bare: Cli, tmp_path: Path
) -> None:
    code, out, _ = bare("migrate", "--check", "--json")
    assert (code, json.loads(out)["revision"]) == (1, None)
    assert list(tmp_path.iterdir()) == []
    newest = said(bare, "migrate")["revision"]
    assert said(bare, "migrate", "--check") == {"was": newest, "revision": newest, "newest": newest, "changed": False}
    _stands_at(tmp_path / "data" / "tintype.db", "0009")
    code, out, _ = bare("migrate", "--check")
    assert code == 1
    assert "0009" in out
    assert "tintype migrate" in out


def test_a_version_goes_on_with_a_database_that_a_newer_one_brought_further(cli: Cli, tmp_path: Path) -> None:
    said(cli, "workspace", "add", "Bakery")
    file = tmp_path / "data" / "tintype.db"
    with closing(sqlite3.connect(file)) as database:
        database.execute("ALTER TABLE workspaces ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'")
        database.execute("CREATE TABLE later (id INTEGER PRIMARY KEY, workspace_id TEXT REFERENCES workspaces (id))")
        database.commit()
    _stands_at(file, "9999")
    said(cli, "workspace", "add", "Butcher")
    assert {one["name"] for one in said(cli, "workspace", "list")} == {"Bakery", "Butcher"}
    found = said(cli, "migrate")
    assert (found["was"], found["changed"]) == ("9999", False)
    assert cli("migrate", "--check")[0] == 0
    assert "newer version" in cli("backup", str(tmp_path / "saved"))[2]


def _stands_at(file: Path, revision: str) -> None:
    with closing(sqlite3.connect(file)) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        database.commit()


@pytest.mark.parametrize("command", [("workspace", "list"), ("migrate",)])
def test_a_database_that_is_none_any_more_is_said(bare: Cli, tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "tintype.db").write_bytes(b"no database, whatever its name says. " * 200)
    code, out, err = bare(*command)
    assert (code, out) == (1, "")
    assert (
        err
        == "tintype: the database cannot be read: file is not a database; put a backup back with `tintype restore`\n"
    )


def test_nothing_to_sync_is_well(cli: Cli) -> None:
    assert said(cli, "sync") == []


def test_doctor_looks_and_changes_nothing(bare: Cli, tmp_path: Path) -> None:
    found = {one["check"]: one for one in said(bare, "doctor")}
    assert found["engine"]["state"] == "warn"
    assert found["instagram"]["found"] == "not asked"
    assert all(set(one) == {"check", "state", "found", "advice"} for one in found.values())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "check"),
    [
        ("PORT", "many", "settings"),
        ("DATABASE_URL", "postgresql://nobody:hidden-password@127.0.0.1:1/none", "database"),
        ("REDIS_URL", "redis://:hidden-password@127.0.0.1:1/0", "cache"),
        ("BLOBS_URL", "file:///proc/nowhere", "blobs"),
        ("INSTAGRAM_APP_ID", "123", "app credentials"),
        ("INSTAGRAM_ORIGIN", "http://127.0.0.1:1", "instagram"),
        ("TINTYPE_DATA", f"{__file__}/below", "data folder"),
    ],
)
def test_doctor_finds_what_is_broken(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str, value: str, check: str
) -> None:
    monkeypatch.setenv(name, value)
    code, out, err = cli("doctor", "--json")
    found = {one["check"]: one["state"] for one in json.loads(out)}
    assert (code, found[check]) == (1, "fail")
    assert "hidden-password" not in out + err


def test_rotating_seals_everything_anew(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = (b64encode(bytes([number]) * 32).decode() for number in (1, 2))
    key = asyncio.run(_register(tmp_path / "data", old))
    monkeypatch.setenv("ENCRYPTION_KEY", new)
    assert cli("vault", "rotate")[0] == 3
    monkeypatch.setenv("ENCRYPTION_KEYS_OLD", old)
    assert said(cli, "vault", "rotate") == {"resealed": 3}
    assert said(cli, "vault", "rotate") == {"resealed": 0}
    assert asyncio.run(_secrets(tmp_path / "data", new)) == ["the-app-secret", key]


async def _register(data: Path, key: str) -> str:
    """Make a workspace with secrets, and the key for pushes, whose public half is returned."""
    async with open_house(load(data=data, encryption_key=key), work=False) as house:
        workspace, _ = await house.access.register("Sealed")
        await house.accounts.add(
            workspace.id, Login.INSTAGRAM_LOGIN, "17", app_secret="the-app-secret", token="a-token"
        )
        return (await house.kitchen.notifier.key()).public


async def _secrets(data: Path, key: str) -> list[str]:
    async with open_house(load(data=data, encryption_key=key), work=False) as house:
        signers = [one.secret for one in await house.accounts.signers()]
        return [*signers, (await house.kitchen.notifier.key()).public]


def test_a_workspace_connects_with_its_own_app_and_nobody_sees_its_secret(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said(cli, "workspace", "add", "Corner Bakery")
    monkeypatch.setattr("sys.stdin", io.StringIO("own-app-secret-123\n"))
    code, out, err = cli("workspace", "app", "Corner Bakery", "--app-id", "4711", "--json")
    assert code == 0, err
    assert json.loads(out)["app_id"] == "4711"
    assert "own-app-secret-123" not in out + err
    begun = said(cli, "account", "connect", "Corner Bakery", "--no-wait")
    assert "/connect/" in begun["url"]
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").iterdir() if path.is_file())
    assert b"own-app-secret-123" not in stored


def test_an_empty_app_secret_is_wrong_use(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    said(cli, "workspace", "add", "Corner Bakery")
    monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
    code, _, err = cli("workspace", "app", "Corner Bakery", "--app-id", "4711")
    assert code == 2
    assert "standard input" in err
