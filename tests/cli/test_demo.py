"""`tintype demo`: one process, everything in it; killed once and started again on the same folder."""

import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.programs import PATIENCE, Program, fetch, fetch_json, run, started

# Sixty posts with their clips would only keep the machine busy.
FEW = {"FEED_MAX_ITEMS": "6", "FEED_COPY_VIDEOS": "false"}
KEYS = {"url", "simulator", "console", "workspace", "token", "feed_key", "app_key", "pid"}


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo as it said itself at its first start, and at the second after kill -9."""

    before: dict[str, Any]
    now: dict[str, Any]
    program: Program
    folder: Path

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def photos(self) -> list[dict[str, Any]]:
        return fetch_json(f"{self.now['url']}/photos", Authorization=f"Bearer {self.now['token']}")["data"]["photos"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Generator[Demo]:
    folder = tmp_path_factory.mktemp("demo")
    arguments = ("demo", "--json", "--port", "0", "--simulator-port", "0", "--data", str(folder / "data"))
    with started(folder, *arguments, **FEW) as first:
        before = json.loads(first.line())
        first.kill()
    with started(folder, *arguments, LOG_LEVEL="debug", **FEW) as second:
        yield Demo(before, json.loads(second.line()), second, folder)


def test_says_one_line_with_what_a_program_needs(demo: Demo) -> None:
    assert set(demo.now) == KEYS
    assert demo.now["pid"] == demo.program.process.pid
    assert len(demo.program.out.read_text().splitlines()) == 1


def test_the_feed_page_shows_photos(demo: Demo) -> None:
    status, page = fetch(f"{demo.now['url']}/feeds/{demo.now['feed_key']}.html")
    assert status == 200
    assert page.count(b"<li>") == len(demo.photos()) > 0
    assert fetch(demo.now["console"])[0] == 200


def test_pictures_come_from_the_own_copies(demo: Demo) -> None:
    picture = next(one["mediaUrl"] for one in demo.photos() if one["mediaType"] == "IMAGE")
    assert picture.startswith(demo.now["url"])
    status, body = fetch(picture)
    assert status == 200
    assert body[:2] == b"\xff\xd8"


def test_the_picker_can_be_tried_at_once(demo: Demo) -> None:
    status, script = fetch(f"{demo.now['url']}/v2/filepicker.js?key={demo.now['app_key']}")
    assert status == 200
    assert script
    assert len(demo.now["app_key"]) >= 20


def test_the_account_came_by_the_login_of_the_pretend_instagram(demo: Demo) -> None:
    log = fetch_json(f"{demo.now['simulator']}/_world/log?since=0")
    steps = [(one["method"], one["path"]) for one in log]
    assert ("GET", "/oauth/authorize") in steps
    assert ("POST", "/oauth/authorize") in steps
    assert ("POST", "/oauth/access_token") in steps


def test_a_killed_demo_begins_where_it_was(demo: Demo) -> None:
    kept = ("workspace", "token", "feed_key", "app_key")
    assert [demo.now[key] for key in kept] == [demo.before[key] for key in kept]


def test_commands_work_beside_the_running_server(demo: Demo) -> None:
    (workspace,) = _said(demo, "workspace", "list")
    (account,) = _said(demo, "account", "list", "Demo")
    assert (workspace["id"], workspace["accounts"]) == (demo.now["workspace"], 1)
    assert account["state"] == "connected"
    (synced,) = _said(demo, "sync", "Demo")
    assert (synced["account_id"], synced["state"], synced["error"]) == (account["id"], "done", None)
    shown = _said(demo, "feed", "show", "Demo", "--limit", "3")
    assert [one["id"] for one in shown["items"]] == [one["id"] for one in demo.photos()[:3]]
    assert shown["stale"] is None


def test_a_token_revoked_on_the_command_line_opens_nothing_any_more(demo: Demo) -> None:
    issued = _said(demo, "token", "add", "Demo", "--label", "for a day")
    assert fetch(f"{demo.now['url']}/photos", Authorization=f"Bearer {issued['token']}")[0] == 200
    assert _said(demo, "token", "revoke", "Demo", issued["id"])["revoked"] is True
    until = time.monotonic() + PATIENCE
    while fetch(f"{demo.now['url']}/photos", Authorization=f"Bearer {issued['token']}")[0] == 200:
        assert time.monotonic() < until, "the server goes on taking a revoked token"
        time.sleep(0.05)


def test_an_account_is_connected_from_the_command_line(demo: Demo) -> None:
    from tintype.cli.visitor import Visitor

    apps = {one["login"]: one for one in fetch_json(f"{demo.now['simulator']}/_world")["apps"]}
    settings = {
        "PORT": demo.now["url"].rpartition(":")[2],
        "INSTAGRAM_ORIGIN": demo.now["simulator"],
        "FACEBOOK_APP_ID": apps["facebook"]["app_id"],
        "FACEBOOK_APP_SECRET": apps["facebook"]["app_secret"],
    }
    arguments = ("account", "connect", "Demo", "--login", "facebook", "--data", demo.data)
    with started(demo.folder, *arguments, **settings, **FEW) as waiting:
        visitor = Visitor()
        _, consent, _ = visitor.get(waiting.line("/connect/"))
        _, callback, _ = visitor.post(consent, {"username": "keramik.nordlicht", "decision": "allow"})
        assert visitor.get(callback)[0] == 200
        assert waiting.line("connected: keramik.nordlicht")
        assert waiting.process.wait(PATIENCE) == 0
    accounts = _said(demo, "account", "list")
    assert [one["login"] for one in accounts] == ["instagram", "facebook"]


def test_doctor_is_content_with_it(demo: Demo) -> None:
    found = {one["check"]: one["state"] for one in _said(demo, "doctor", INSTAGRAM_ORIGIN=demo.now["simulator"])}
    assert "fail" not in found.values()
    assert (found["database"], found["engine"], found["instagram"]) == ("ok", "ok", "ok")


def test_no_secret_is_in_its_log(demo: Demo) -> None:
    fetch(f"{demo.now['url']}/instagram-callback?code=planted-code-1234567890&state=tt_{'x' * 40}")
    fetch(f"{demo.now['url']}/photos?access_token=IGAA{'planted' * 6}")
    log = demo.program.err.read_text()
    assert "engine started" in log
    apps = fetch_json(f"{demo.now['simulator']}/_world")["apps"]
    secrets = [demo.now["token"], demo.now["feed_key"], *(one["app_secret"] for one in apps), "planted", "tt_x"]
    assert [one for one in secrets if one in log] == []


def test_asked_to_end_it_leaves_nothing_behind(tmp_path: Path) -> None:
    place = tmp_path / "tmp"
    place.mkdir()
    with started(tmp_path, "demo", "--port", "0", "--simulator-port", "0", TMPDIR=str(place), **FEW) as program:
        program.line("Ctrl-C ends it.")
        assert any(place.iterdir())
        assert program.end() == 0
    assert list(place.iterdir()) == []
    assert program.err.read_text() == ""


def _said(demo: Demo, *arguments: str, **environment: str) -> Any:
    done = run(demo.folder, *arguments, "--json", "--data", demo.data, **FEW, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
