"""The tour of the house leads to rooms that exist, and past every one of them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("tour", "publishing")


def text(page: str) -> str:
    return (ROOT / "docs" / "house" / f"{page}.md").read_text()


def packages(folder: str) -> set[str]:
    return {path.parent.name for path in (ROOT / "tintype" / folder).glob("*/__init__.py")}


def test_every_core_package_has_its_sentence_and_no_other_has_one() -> None:
    told = text("tour").partition("### Core: what a user buys")[2].partition("### ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE)) == packages("core")


@pytest.mark.parametrize("name", sorted(packages("api")))
def test_every_dialect_is_met(name: str) -> None:
    assert re.search(rf"\b{name}\b", text("tour").partition("### Around it")[2].partition("## ")[0])


@pytest.mark.parametrize("page", PAGES)
def test_every_file_on_the_way_is_there(page: str) -> None:
    named = set(re.findall(r"`([\w/]+\.(?:py|toml))`", text(page)))
    assert named
    known = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("[tbp]*/**/*.*")} | {"pyproject.toml"}
    assert {name for name in named if not any(one == name or one.endswith(f"/{name}") for one in known)} == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_folder_on_the_way_is_there(page: str) -> None:
    named = set(re.findall(r"`([\w/]+)/`", text(page)))
    assert {name for name in named if not any((ROOT / top / name).is_dir() for top in ("", "tintype"))} == set()
