"""`tintype publish`, `posts` and `insights`: without a server, whose work the command then does, and beside one."""

import asyncio
import json
import logging
import signal
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.programs import PATIENCE, started
from tests.instagram.pretend import Pretend, running
from tests.servers import free_port
from tintype.app import open_house
from tintype.cli import main
from tintype.instagram import Connection, Login, Profile, Token
from tintype.settings import load
from tintype.simulator.photographs import photograph
from tintype.simulator.videos import encoded

KEYS = {
    "id", "account_id", "username", "workspace_id", "type", "state", "media_id", "permalink", "caption", "scheduled_at",
    "timezone", "published_at", "reason", "error", "action",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder with pictures in it and a data folder with one connected account, before a pretend Instagram."""

    pretend: Pretend
    folder: Path
    environment: dict[str, str]
    username: str
    said: Callable[[], tuple[str, str]] = lambda: ("", "")

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.said()
        try:
            code = main(arguments)
        except SystemExit as end:
            code = int(end.code or 0)
        return int(code), *self.said()

    def tells(self, *arguments: str) -> Any:
        """Run a command that ends well and return its JSON."""
        code, out, err = self(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    def live(self) -> list[dict[str, Any]]:
        """What was really published."""
        answer = self.pretend.levers.get("/_world/published", params={"username": self.username})
        return answer.raise_for_status().json()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Generator[Desk]:
    folder = tmp_path_factory.mktemp("desk")
    (folder / "bread.jpg").write_bytes(photograph(1, 480, 600))
    (folder / "cake.jpg").write_bytes(photograph(2, 600, 480))
    (folder / "clip.mp4").write_bytes(encoded(1, 360, 640, 4))
    (folder / "notes.txt").write_text("no picture")
    with running() as pretend:
        pretend.post("/reset", seed=7, container_seconds=0)
        app = pretend.app("instagram")
        environment = {
            "TINTYPE_DATA": str(folder / "data"),
            "PORT": str(free_port()),
            "INSTAGRAM_ORIGIN": pretend.origin,
            "INSTAGRAM_APP_ID": str(app["app_id"]),
            "INSTAGRAM_APP_SECRET": str(app["app_secret"]),
        }
        pretend.post("/people", username="publisher", media=0)
        profile = Profile("me", None, "publisher")
        connection = Connection(Login.INSTAGRAM_LOGIN, Token(pretend.token("publisher")), profile)
        settings = {name.lower(): value for name, value in environment.items() if name != "TINTYPE_DATA"}
        asyncio.run(_connect(folder / "data", settings, connection))
        yield Desk(pretend, folder, environment, "publisher")


@pytest.fixture
def desk(prepared: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Generator[Desk]:
    """The desk, with its commands run in this process; they take over its logs, which are given back."""
    monkeypatch.chdir(prepared.folder)
    for name, value in {**prepared.environment, "NO_COLOR": "1", "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    root, engine = logging.getLogger(), logging.getLogger("dbos")
    before = root.handlers[:], root.level, engine.handlers[:], engine.propagate
    yield replace(prepared, said=lambda: tuple(capsys.readouterr()))
    logging.captureWarnings(False)
    root.handlers[:], root.level, engine.handlers[:], engine.propagate = before


async def _connect(data: Path, settings: dict[str, str], connection: Connection) -> None:
    async with open_house(load(data=data, **settings), work=False) as house:
        workspace, _ = await house.access.register("Bakery", label="test")
        await house.accounts.keep(workspace.id, connection)


@pytest.mark.parametrize(
    "command",
    [
        ("publish",),
        ("posts",),
        ("insights",),
        *(("posts", one) for one in ("list", "show", "cancel", "retry", "events")),
    ],
    ids=" ".join,
)
def test_help(desk: Desk, command: tuple[str, ...]) -> None:
    code, out, _ = desk(*command, "--help")
    assert code == 0
    assert "Usage: tintype" in out


def test_a_file_is_published_by_the_command_itself(desk: Desk) -> None:
    before = len(desk.live())
    post = desk.tells("publish", "bread.jpg", "--caption", "Bread", "--hashtag", "bakery", "--alt", "A loaf",
                     "--first-comment", "Come by")  # fmt: skip
    assert set(post) == KEYS
    assert (post["state"], post["type"], post["caption"]) == ("published", "image", "Bread #bakery")
    assert post["permalink"].startswith("https://")
    assert [one["id"] for one in desk.live()[before:]] == [post["media_id"]]
    names = [one["name"] for one in desk.tells("posts", "events", str(post["id"]))]
    assert names[0] == "accepted"
    assert "comment.sent" in names  # nobody else would have written it
    assert desk.tells("posts", "show", str(post["id"]))["media_id"] == post["media_id"]


def test_words_that_are_not_used_are_said(desk: Desk) -> None:
    code, _, err = desk("publish", "bread.jpg", "--text", "Never seen", "--draft")
    assert code == 0
    assert "text is drawn onto stories only" in err
    code, _, err = desk("publish", "bread.jpg", "--story", "--caption", "Never seen", "--draft")
    assert code == 0
    assert "no captions on stories" in err
    assert desk("publish", "bread.jpg", "--caption", "Seen", "--draft")[2] == ""


def test_letters_that_nobody_can_draw_are_said(desk: Desk) -> None:
    code, out, err = desk("publish", "cake.jpg", "--story", "--text", "Open \ue000 now")
    assert code == 0, err
    assert "is live" in out
    assert [line for line in err.splitlines() if "characters" in line] == [
        "no font on this machine draws some characters of the text, so they were left out: \ue000"
    ]
    code, out, err = desk("publish", "cake.jpg", "--story", "--text", "Open \ue000", "--json")
    assert (json.loads(out)["state"], err.count("left out: \ue000")) == ("published", 1)
    assert "left out" not in desk("publish", "cake.jpg", "--story", "--text", "Open now")[2]


def test_several_files_make_a_carousel_a_video_a_reel(desk: Desk) -> None:
    assert desk.tells("publish", "bread.jpg", "cake.jpg", "clip.mp4")["type"] == "carousel"
    assert desk.tells("publish", "clip.mp4")["type"] == "reel"
    assert desk.tells("publish", "cake.jpg", "--story", "--text", "Open now")["type"] == "story"
    assert [one["type"] for one in desk.tells("posts", "list")[:3]] == ["story", "reel", "carousel"]


def test_people_read_where_it_stands_and_where_it_is(desk: Desk) -> None:
    code, out, err = desk("publish", "bread.jpg", "--caption", "Again")
    assert code == 0, err
    assert "is live: https://" in out
    assert err.split()[0] in ("scheduled", "preparing")  # not a terminal: a line for each state, as far as it is seen
    assert "Again" in desk("posts")[1]


def test_a_planned_post_is_not_waited_for_and_is_called_back(desk: Desk) -> None:
    before = len(desk.live())
    at = time.strftime("%Y-12-24T09:00", time.gmtime(time.time() + 31 * 86_400))
    post = desk.tells("publish", "bread.jpg", "--at", at, "--timezone", "Europe/Berlin")
    assert (post["state"], post["scheduled_at"][10:], post["timezone"]) == (
        "scheduled",
        "T08:00:00.000Z",
        "Europe/Berlin",
    )
    shown = f"{at[:10]} 09:00 Europe/Berlin"
    assert f"planned for {shown}" in desk("publish", "bread.jpg", "--at", at, "--timezone", "Europe/Berlin")[1]
    here = datetime.fromisoformat(f"{at}Z").astimezone()
    assert f"planned for {here:%Y-%m-%d %H:%M %Z}" in desk("publish", "bread.jpg", "--at", f"{at}Z")[1]
    assert shown in desk("posts")[1]
    assert shown in desk("posts", "show", str(post["id"]))[1]
    assert desk.tells("posts", "cancel", str(post["id"]))["state"] == "cancelled"
    assert len(desk.live()) == before


def test_what_is_asked_of_posts_holds_for_its_commands(desk: Desk, tmp_path: Path) -> None:
    post = desk.tells("publish", "bread.jpg", "--draft")
    listed = json.loads(desk("posts", "--json", "list", "--limit", "1")[1])
    assert [one["id"] for one in listed] == [post["id"]]
    assert json.loads(desk("posts", "--json", "show", str(post["id"]))[1])["state"] == "draft"
    assert json.loads(desk("posts", "--json", "events", str(post["id"]))[1])[0]["name"]
    assert json.loads(desk("posts", "--data", str(tmp_path / "empty"), "list", "--json")[1]) == []
    assert json.loads(desk("posts", "--json", "cancel", str(post["id"]))[1])["state"] == "cancelled"


def test_a_draft_stays_one(desk: Desk) -> None:
    assert desk.tells("publish", "bread.jpg", "--draft")["state"] == "draft"
    assert [one["state"] for one in desk.tells("posts", "list", "--state", "draft", "--limit", "1")] == ["draft"]


def test_a_failed_post_ends_with_1_and_says_what_to_do(desk: Desk) -> None:
    desk.pretend.fault("graph.publish", "status", username="publisher", code=25, subcode=2207050, status=400)
    code, out, err = desk("publish", "bread.jpg", "--caption", "Restricted", "--json")
    assert code == 1
    post = json.loads(out)
    assert (post["state"], post["media_id"]) == ("failed", None)
    last = err.splitlines()[-1]
    assert last.startswith("tintype: ")
    assert post["error"].rstrip(".") in last
    assert post["action"] in last
    again = desk.tells("posts", "retry", str(post["id"]))
    assert (again["id"], again["state"]) == (post["id"], "published")
    code, _, err = desk("posts", "retry", str(post["id"]))
    assert (code, "only a failed one" in err) == (1, True)


def test_an_interrupted_wait_leaves_the_post_for_later(desk: Desk) -> None:
    desk.pretend.fault("graph.container_status", "status", username="publisher", code=2, status=503, times=50)
    with started(desk.folder, "publish", "bread.jpg", "--caption", "Interrupted", **desk.environment) as program:
        until = time.monotonic() + PATIENCE
        while "processing" not in program.err.read_text() and time.monotonic() < until:
            time.sleep(0.05)
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(PATIENCE) == 130
        said = program.err.read_text()
    assert "goes on when a server or another command works here" in said
    assert "Traceback" not in said
    (post,) = desk.tells("posts", "list", "--limit", "1")
    assert post["state"] == "processing"
    desk.pretend.levers.delete("/_world/faults").raise_for_status()
    with started(desk.folder, "serve", **desk.environment) as server:
        server.line("listens on")
        until = time.monotonic() + PATIENCE
        while desk.tells("posts", "show", str(post["id"]))["state"] != "published" and time.monotonic() < until:
            time.sleep(0.2)
        beside = desk.tells("publish", "cake.jpg", "--caption", "Beside a server")
        assert beside["state"] == "published"
        assert server.end() == 0
    assert [one["caption"] for one in desk.live()[-2:]] == ["Interrupted", "Beside a server"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("publish",), 2, "Missing argument"),
        (("publish", "bread.jpg", "--reel", "--story"), 2, "--story"),
        (("publish", "bread.jpg", "--alt", "a", "--alt", "b"), 2, "--alt"),
        (("publish", "nowhere.jpg"), 4, "there is no file 'nowhere.jpg'"),
        (("publish", "notes.txt"), 1, "neither a picture nor a video"),
        (("publish", "bread.jpg", "--account", "nobody"), 4, "there is no account 'nobody'"),
        (("publish", "bread.jpg", "--at", "2027-03-28T02:30", "--timezone", "Europe/Berlin"), 1, "skip"),
        (("publish", "bread.jpg", "--at", "yesterday"), 1, "is not a time"),
        (("publish", "bread.jpg", "--reel"), 1, "a reel is made of a video"),
        (("posts", "show", "99999"), 4, "there is no post 99999"),
        (("posts", "cancel", "99999"), 4, "there is no post 99999"),
        (("posts", "list", "--state", "lost"), 1, "--state is one of"),
        (("insights", "nobody"), 4, "there is no account 'nobody'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(desk: Desk, arguments: tuple[str, ...], code: int, words: str) -> None:
    ended, out, err = desk(*arguments)
    assert (ended, out) == (code, "")
    assert words in " ".join(err.split())
    assert "Traceback" not in err


def test_numbers_of_an_account_and_of_a_post(desk: Desk) -> None:
    days = desk.tells("insights", "publisher", "--days", "7")
    assert len(days) == 7
    assert set(days[0]) == {"day", "followers", "reach", "views"}
    assert len(desk("insights", "publisher", "--days", "7", "--csv")[1].splitlines()) == 8
    post = desk.tells("publish", "bread.jpg", "--caption", "Measured")
    numbers = desk.tells("insights", str(post["id"]))
    assert {"likes", "reach", "engagement_rate", "captured_at"} <= set(numbers)
    assert {type(numbers[name]) for name in ("likes", "comments", "reach", "impressions")} <= {int, type(None)}
    assert desk("insights", str(post["id"]), "--csv")[1].splitlines()[0].startswith("likes,comments")
    draft = desk.tells("publish", "bread.jpg", "--draft")
    code, _, err = desk("insights", str(draft["id"]))
    assert (code, "only what is published has numbers" in err) == (1, True)
