"""`tintype fetch` and `tintype session`: many posts in one go, again without asking again, and honest ends."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.programs import run
from tests.instagram.pretend import Pretend, running


@pytest.fixture(scope="module")
def pretend() -> Generator[Pretend]:
    with running() as one:
        yield one


def posted(pretend: Pretend, **more: object) -> str:
    shape: dict[str, object] = {"username": "marlow.bakehouse", "kind": "IMAGE", "width": 64, "height": 80}
    return str(pretend.post("/media", **{**shape, **more})["shortcode"])


def link(shortcode: str) -> str:
    return f"https://www.instagram.com/p/{shortcode}/"


def fetched(pretend: Pretend, folder: Path, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    done = run(folder, "fetch", *arguments, "--json", INSTAGRAM_ORIGIN=pretend.origin)
    return done.returncode, json.loads(done.stdout), done.stderr


def test_many_posts_into_a_folder(pretend: Pretend, tmp_path: Path) -> None:
    codes = [posted(pretend) for _ in range(3)]
    children = [{"kind": "IMAGE", "width": 64, "height": 64}, {"kind": "IMAGE", "width": 64, "height": 64}]
    codes.append(posted(pretend, kind="CAROUSEL_ALBUM", children=children))
    (tmp_path / "list").write_text("# some posts\n" + "\n".join(map(link, codes[1:])) + "\n\n")
    code, found, said = fetched(pretend, tmp_path, link(codes[0]), link(codes[0]), "--from", "list", "-o", "out")
    assert (code, said) == (0, "")
    assert [one["shortcode"] for one in found] == codes
    assert {one["status"] for one in found} == {"done"}
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {f"{one}.jpg" for one in codes[:3]} | {f"{codes[3]}_1.jpg", f"{codes[3]}_2.jpg"}
    assert [one["files"] for one in found] == [1, 1, 1, 2]


def test_what_is_here_is_not_fetched_again(pretend: Pretend, tmp_path: Path) -> None:
    codes = [posted(pretend) for _ in range(2)]
    assert fetched(pretend, tmp_path, link(codes[0]), "-o", "out")[0] == 0
    place = tmp_path / "out" / f"{codes[0]}.jpg"
    before, calls = place.stat().st_mtime_ns, len(pretend.calls())
    place.with_name(f"{codes[1]}.jpg").write_bytes(b"half")
    assert fetched(pretend, tmp_path, *map(link, codes), "-o", "out")[0] == 0
    assert place.stat().st_mtime_ns == before
    assert place.with_name(f"{codes[1]}.jpg").stat().st_size > 100
    asked = [call for call in pretend.calls()[calls:] if "graphql" in str(call["path"])]
    assert len(asked) == 1


def test_one_that_fails_does_not_stop_the_others(pretend: Pretend, tmp_path: Path) -> None:
    good = posted(pretend)
    code, found, _ = fetched(pretend, tmp_path, link("x-404"), "https://example.com/p/abc/", link(good))
    assert code == 1
    assert [(one["status"], one["code"]) for one in found] == [
        ("failed", "not_found"),
        ("failed", "invalid_url"),
        ("done", None),
    ]
    assert Path(found[2]["path"]).is_file()
    assert all(one["error"] for one in found[:2])


def test_people_read_a_table_and_a_summary(pretend: Pretend, tmp_path: Path) -> None:
    good = posted(pretend)
    done = run(tmp_path, "fetch", link(good), link("x-404"), INSTAGRAM_ORIGIN=pretend.origin)
    assert done.returncode == 1
    assert good in done.stdout
    assert "1 of 2 posts" in done.stderr
    assert "1 could not be had" in done.stderr


def test_the_doctor_tells_how_the_ways_stand(pretend: Pretend, tmp_path: Path) -> None:
    def told() -> dict[str, Any]:
        done = run(tmp_path, "doctor", "--json", INSTAGRAM_ORIGIN=pretend.origin)
        return next(one for one in json.loads(done.stdout) if one["check"] == "public posts")

    assert (told()["state"], told()["found"]) == ("ok", "nobody was asked for one yet")
    assert fetched(pretend, tmp_path, link(posted(pretend)))[0] == 0
    assert told()["state"] == "ok"
    assert "instaloader last worked" in told()["found"]
    assert fetched(pretend, tmp_path, link("x-429"))[0] == 1
    assert told()["state"] == "warn"
    assert "instaloader is limited (upstream_rate_limited)" in told()["found"]
    code, found, _ = fetched(pretend, tmp_path, link(posted(pretend)))  # another process, and it keeps quiet as well
    assert (code, found[0]["code"]) == (1, "upstream_rate_limited")


@pytest.mark.parametrize("arguments", [(), ("--from", "nothing-here")])
def test_wrong_use(pretend: Pretend, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(tmp_path, "fetch", *arguments, INSTAGRAM_ORIGIN=pretend.origin)
    assert (done.returncode, done.stdout) == (2, "")


def test_a_session_is_lent_shown_and_taken_back(pretend: Pretend, tmp_path: Path) -> None:
    def session(*arguments: str) -> tuple[int, dict[str, Any], str]:
        done = run(tmp_path, "session", *arguments, "--json", INSTAGRAM_ORIGIN=pretend.origin)
        return done.returncode, json.loads(done.stdout or "{}"), done.stderr

    cookies = pretend.post("/sessions", username="marlow.bakehouse")["cookies"]
    (tmp_path / "cookies.json").write_text(json.dumps(cookies))
    assert session("status")[1]["id"] is None
    code, kept, said = session("add", link(posted(pretend)), "--cookies", "cookies.json")
    assert (code, said) == (0, "")
    assert session("status")[1] == kept
    assert session("remove")[:2] == (0, {"removed": True})
    assert session("remove")[0] == 4
    (tmp_path / "cookies.json").write_text("{}")
    code, _, said = session("add", link(posted(pretend)), "--cookies", "cookies.json")
    assert code == 1
    assert "sessionid" in said
