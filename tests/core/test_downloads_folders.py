"""Folders of posts appear whole or not at all, and hand out nothing but the files of posts."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.downloads import File, Folders, Post

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
CODE = "DAbCdEfGhIj"


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "instaloader")


def post(size: int = 3, name: str = f"{CODE}.mp4") -> Post:
    file = File(name, "VIDEO", "video/mp4", size, "0" * 64, 720, 1280, "https://scontent.cdninstagram.com/x")
    return Post("VIDEO", "REELS", "1", "words", "somebody", "Some Body", NOW, "test", (file,))


def published(folders: Folders, content: bytes = b"abc", download_id: str = "one") -> Post:
    stage = folders.stage(download_id)
    (stage / f"{CODE}.mp4").write_bytes(content)
    made = post(len(content))
    folders.publish(download_id, CODE, made, NOW)
    return made


def test_nothing_is_seen_before_it_is_published(folders: Folders) -> None:
    stage = folders.stage("one")
    (stage / f"{CODE}.mp4").write_bytes(b"half")
    assert folders.published() == []
    assert folders.read(CODE) is None
    assert folders.file(CODE, f"{CODE}.mp4") is None
    assert folders.staged_bytes("one") == 4


def test_a_published_post_is_read_back(folders: Folders) -> None:
    made = published(folders)
    assert folders.read(CODE) == (made, NOW)
    assert folders.published() == [CODE]
    assert sorted(path.name for path in folders.folder(CODE).iterdir()) == [f"{CODE}.json", f"{CODE}.mp4"]
    assert sorted(path.name for path in folders.root.iterdir()) == [CODE]


def test_a_newer_one_takes_the_place_of_an_older(folders: Folders) -> None:
    published(folders, b"old old old", "one")
    made = published(folders, b"new", "two")
    assert folders.read(CODE) == (made, NOW)
    assert [path.name for path in folders.root.iterdir()] == [CODE]


@pytest.mark.parametrize("content", [b"", b"ab", b"abcd"])
def test_a_file_that_was_changed_is_not_whole(folders: Folders, content: bytes) -> None:
    made = published(folders)
    (folders.folder(CODE) / f"{CODE}.mp4").write_bytes(content)
    assert not folders.is_whole(CODE, made.files)
    assert folders.read(CODE) is None


@pytest.mark.parametrize("sidecar", ["", "{", "[]", "{}", '{"shortcode": "DAbCdEfGhIj", "published_at": 3}'])
def test_a_sidecar_that_is_none_makes_no_post(folders: Folders, sidecar: str) -> None:
    published(folders)
    (folders.folder(CODE) / f"{CODE}.json").write_text(sidecar)
    assert folders.read(CODE) is None


def test_a_folder_of_another_post_is_not_taken_for_this_one(folders: Folders) -> None:
    published(folders)
    place = folders.folder(CODE) / f"{CODE}.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"shortcode": CODE.lower()}))
    assert folders.read(CODE) is None


def test_a_sweep_leaves_what_lives(folders: Folders) -> None:
    published(folders)
    for name in ("dead", "living"):
        (folders.stage(name) / "half").write_bytes(b"x")
    (folders.root / ".trash-old").mkdir()
    assert folders.sweep({"living"}) == 2
    assert sorted(path.name for path in folders.root.iterdir()) == [".stage-living", CODE]


def test_removing_takes_the_whole_folder(folders: Folders) -> None:
    published(folders)
    folders.remove(CODE, "one")
    assert list(folders.root.iterdir()) == []
    folders.remove(CODE, "one")


def test_a_link_out_of_the_folder_is_not_followed(folders: Folders, tmp_path: Path) -> None:
    published(folders)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folders.folder(CODE) / f"{CODE}_2.jpg").symlink_to(secret)
    assert folders.file(CODE, f"{CODE}_2.jpg") is None
    elsewhere = tmp_path / "elsewhere"
    folders.folder(CODE).rename(elsewhere)
    folders.folder(CODE).symlink_to(elsewhere)
    assert folders.file(CODE, f"{CODE}.mp4") is None
    assert folders.published() == []


@given(shortcode=st.text(max_size=20), name=st.text(max_size=30))
def test_no_name_leads_out_of_the_root(tmp_path_factory: pytest.TempPathFactory, shortcode: str, name: str) -> None:
    root = tmp_path_factory.getbasetemp() / "root"
    found = Folders(root).file(shortcode, name)
    assert found is None or found.parent.parent == root


@pytest.mark.parametrize("name", ["..", "../x.mp4", "/etc/passwd", f"{CODE}.mp4/..", f"../{CODE}/{CODE}.mp4", ""])
def test_tricks_with_names(folders: Folders, name: str) -> None:
    published(folders)
    assert folders.file(CODE, name) is None
    assert folders.file(name, f"{CODE}.mp4") is None
