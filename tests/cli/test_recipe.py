"""`tintype recipe`: from a file, a pipe or a post to the screen, and to a folder or a Tandoor, without a server."""

import asyncio
import io
import json
import logging
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from tests.api.cooks import CAPTION, NO_RECIPE, OWNER
from tests.cli.programs import run
from tests.core.recipes.test_slides import slide
from tests.doubles.mealie import TOKEN, pretend_mealie
from tests.doubles.tandoor import WRITE, pretend_tandoor
from tests.instagram.pretend import Pretend, running
from tintype.cli import main

Cli = Callable[..., tuple[int, str, str]]
NAME = "Potato soup for a grey evening"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _logs() -> Generator[None]:
    """Commands take over the process's logs; give them back to pytest."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    logging.captureWarnings(False)
    root.handlers[:], root.level = before


@pytest.fixture(scope="module")
def pretend() -> Generator[Pretend]:
    with running() as one:
        yield one


@pytest.fixture
def cli(tmp_path: Path, pretend: Pretend, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINTYPE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("INSTAGRAM_ORIGIN", pretend.origin)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capsys.readouterr()
        try:
            code = main(("recipe", *arguments))
        except SystemExit as end:
            code = int(end.code or 0)
        said = capsys.readouterr()
        return int(code), said.out, said.err

    return call


def post(pretend: Pretend, caption: str = CAPTION) -> str:
    made = pretend.post("/media", username=OWNER, kind="IMAGE", caption=caption, width=160, height=200)
    return f"https://www.instagram.com/p/{made['shortcode']}/"


def test_a_file_becomes_a_page(cli: Cli, tmp_path: Path) -> None:
    place = tmp_path / "soup.txt"
    place.write_text(CAPTION)
    code, out, err = cli(str(place))
    assert (code, err) == (0, "")
    assert out.startswith(f"# {NAME}\n")
    assert "- 600 g potatoes\n" in out
    assert "4. Blend until smooth and season with salt." in out


def test_a_pipe_becomes_json_for_programs(cli: Cli) -> None:
    code, out, _ = cli("-", "--json", stdin=CAPTION)
    found = json.loads(out)
    assert code == 0
    assert (found["@type"], found["name"], len(found["recipeIngredient"])) == ("Recipe", NAME, 5)


@pytest.mark.parametrize("through", ["argument", "pipe"])
def test_a_post_becomes_a_page_that_names_it(cli: Cli, pretend: Pretend, through: str) -> None:
    url = post(pretend)
    code, out, _ = cli(url) if through == "argument" else cli("-", stdin=f"{url}\n")
    assert code == 0
    assert out.startswith(f"# {NAME}\n")
    assert url in out


def test_the_same_recipe_is_put_into_a_folder_once(cli: Cli, pretend: Pretend, tmp_path: Path) -> None:
    url, folder = post(pretend), tmp_path / "kept"
    for _ in range(2):
        code, out, err = cli(url, "--to", "folder", "-o", str(folder))
        assert code == 0
        assert out.startswith(f"# {NAME}\n")
        assert "It is at file://" in err
    (kept,) = folder.iterdir()
    assert {one.name for one in kept.iterdir()} == {"recipe.jsonld", "recipe.md", "cover.jpg"}


def test_what_is_no_recipe_ends_with_4_and_a_guess_is_taken_when_asked_for(cli: Cli) -> None:
    code, out, err = cli("-", stdin=NO_RECIPE)
    assert (code, out) == (4, "")
    assert err == "tintype: there is no recipe in this; --force takes the best guess\n"
    code, out, _ = cli("-", "--force", stdin=NO_RECIPE)
    assert code == 0
    assert out.startswith("# ")


@pytest.mark.parametrize(
    ("url", "code", "part"),
    [
        ("https://www.instagram.com/nasa/", 1, "leads to a profile"),
        ("https://blog.example/cake", 1, "instagram"),
        ("https://www.instagram.com/p/AAAAAAAAAAA/", 4, ""),
    ],
)
def test_a_link_that_leads_to_no_post_is_said(cli: Cli, url: str, code: int, part: str) -> None:
    found, out, err = cli(url)
    assert (found, out) == (code, "")
    assert part in err.lower()
    assert err.count("\n") == 1


@pytest.mark.parametrize("arguments", [(), ("nosuch.txt",), (".",), ("-", "--to", "paper")])
def test_wrong_use_ends_with_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    code, out, _ = cli(*arguments)
    assert (code, out) == (2, "")


def test_a_file_that_is_neither_text_nor_picture_ends_with_2(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42\xff\xfe")
    assert cli("film.mp4")[0] == 2


def test_a_picture_of_a_recipe_is_read(cli: Cli, tmp_path: Path) -> None:
    rows = ("Lemon cake", "Ingredients", "250 g flour", "3 eggs", "2 tbsp olive oil", "Bake for 40 minutes.")
    (tmp_path / "slide.png").write_bytes(slide(*rows))
    code, out, _ = cli("slide.png")
    assert code == 0
    assert "- 250 g flour\n- 3 eggs\n- 2 tbsp olive oil\n" in out


def test_more_than_a_text_ends_with_2(cli: Cli) -> None:
    assert cli("-", stdin="x" * 200_001)[0] == 2


@pytest.mark.parametrize("target", ["tandoor", "mealie", "folder"])
def test_a_target_that_is_not_set_ends_with_3(cli: Cli, target: str) -> None:
    code, out, err = cli("-", "--to", target, stdin=CAPTION)
    assert (code, out) == (3, "")
    assert target in err


async def test_a_recipe_goes_to_tandoor_once_unless_it_is_wanted_again(pretend: Pretend, tmp_path: Path) -> None:
    url = post(pretend)
    async with pretend_tandoor(new=True) as (double, here):
        environment = {
            "INSTAGRAM_ORIGIN": pretend.origin,
            "TANDOOR_URL": double.url,
            "TANDOOR_TOKEN": WRITE,
            "OUTBOUND_ALLOW": here.place,
        }
        for _ in range(2):
            done = await asyncio.to_thread(run, tmp_path, "recipe", url, "--to", "tandoor", **environment)
            assert done.returncode == 0, done.stderr
            assert f"It is at {double.url}" in done.stderr
        (kept,) = double.recipes.values()
        assert kept["name"] == NAME
        assert kept["image"]
        done = await asyncio.to_thread(run, tmp_path, "recipe", url, "--to", "tandoor", "--again", **environment)
        assert done.returncode == 0, done.stderr
        assert len(double.recipes) == 2


async def test_a_text_goes_to_mealie(tmp_path: Path) -> None:
    (tmp_path / "soup.txt").write_text(CAPTION)
    async with pretend_mealie() as (double, here):
        environment = {"MEALIE_URL": double.url, "MEALIE_TOKEN": TOKEN, "OUTBOUND_ALLOW": here.place}
        for _ in range(2):
            done = await asyncio.to_thread(run, tmp_path, "recipe", "soup.txt", "--to", "mealie", **environment)
            assert done.returncode == 0, done.stderr
            assert done.stdout.startswith(f"# {NAME}\n")
        assert [one["name"] for one in double.recipes.values()] == [NAME]
