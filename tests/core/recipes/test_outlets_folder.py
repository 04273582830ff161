"""Recipes in a folder: whole or not at all, readable, and told plainly when the disk says no."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tintype.core.recipes import Ingredient, Recipe, Step
from tintype.core.recipes.outlets import Folder, FolderPolicy, Order, place
from tintype.errors import Misconfigured

JPEG = b"\xff\xd8\xff\xe0picture"
ORDER = Order(
    "import-1",
    Recipe("Crème brûlée / ../etc: {{x}}", (Ingredient("eggs", 4),), (Step("Whisk."),)),
    datetime.now(UTC),
    "https://www.instagram.com/p/A/",
    JPEG,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def place_of(url: str) -> Path:
    return Path(unquote(urlsplit(url).path))


async def test_a_recipe_is_a_directory_with_everything_in_it(tmp_path: Path) -> None:
    made = await place(Folder(FolderPolicy(tmp_path)), ORDER, begun=False)
    here = place_of(made.url)
    assert here == tmp_path / made.id
    assert here.name.startswith("creme-brulee-etc-x-")
    assert names(here) == ["cover.jpg", "recipe.jsonld", "recipe.md"]
    facts = json.loads((here / "recipe.jsonld").read_text())
    assert (facts["@type"], facts["image"], facts["url"]) == ("Recipe", "cover.jpg", ORDER.source_url)
    assert facts["name"] == "Crème brûlée / ../etc: x"
    assert (here / "recipe.md").read_text().startswith("# Crème brûlée")
    assert (here / "cover.jpg").read_bytes() == JPEG


async def test_what_a_dead_process_left_is_not_a_recipe_and_goes(tmp_path: Path) -> None:
    folder = Folder(FolderPolicy(tmp_path))
    made = await place(folder, ORDER, begun=False)
    half = tmp_path / f".{made.id.rpartition('-')[2]}.part"
    await folder.remove(made)
    half.mkdir()
    (half / "recipe.jsonld").write_text("{")
    assert await folder.find(ORDER) is None
    assert await place(folder, ORDER, begun=True) == made
    assert names(tmp_path) == [made.id]


async def test_a_changed_recipe_of_the_same_import_is_no_second_one(tmp_path: Path) -> None:
    folder = Folder(FolderPolicy(tmp_path))
    made = await place(folder, ORDER, begun=False)
    other = replace(ORDER, recipe=replace(ORDER.recipe, name="Another name"))
    assert await place(folder, other, begun=True) == made
    assert await folder.put(ORDER) == made
    assert names(tmp_path) == [made.id]


@pytest.mark.parametrize("path", ["file", "file/below"])
async def test_a_place_that_is_no_folder_is_for_a_person_to_mend(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").write_text("")
    folder = Folder(FolderPolicy(tmp_path / path))
    for ask in (folder.put(ORDER), folder.check()):
        with pytest.raises(Misconfigured, match="RECIPE_FOLDER"):
            await ask
    assert names(tmp_path) == ["file"]


async def test_removing_cannot_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    folder = Folder(FolderPolicy(tmp_path / "recipes"))
    made = await place(folder, ORDER, begun=False)
    await folder.remove(replace(made, id="../outside"))
    assert (tmp_path / "outside").is_dir()
