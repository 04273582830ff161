"""The wheel holds all that is needed: installed alone, it serves its pages, its scripts and its documentation."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.cli.programs import PATIENCE, ROOT, fetch
from tintype import __version__

pytestmark = pytest.mark.timeout(600)  # program after program, each of which takes seconds on a busy machine


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(
        build, cwd=ROOT, check=True, capture_output=True, env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"}
    )
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with the wheel alone in it; what it depends on is looked up where the tests have it."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder / "env", with_pip=False)
    python = folder / "env" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    (packages,) = (folder / "env").glob("lib/python3*/site-packages")
    # A path alone: the files there that would lead to this checkout are not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python.parent


def test_the_wheel_has_templates_scripts_migrations_and_pages(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert f"tintype-{__version__}.dist-info/METADATA" in names
    assert f"tintype-{__version__}.dist-info/licenses/LICENSE" in names
    kept = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tintype").rglob("*") if _is_ours(path)}
    assert {name for name in kept if name not in names} == set()
    pages = {f"tintype/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "docs").rglob("*.md")}
    assert pages <= names
    assert not [name for name in names if name.startswith(("tests/", "bench/")) or name.endswith((".pyc", ".db"))]


def _is_ours(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


@pytest.fixture(scope="module")
def demo(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator[dict[str, str]]:
    folder = tmp_path_factory.mktemp("served")
    command = [str(installed / "tintype"), "demo", "--json", "--port", "0", "--simulator-port", "0", "--data", "data"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "FEED_MAX_ITEMS": "4", "FEED_COPY_VIDEOS": "false"}
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as program:
        try:
            assert program.stdout is not None
            line = program.stdout.readline()
            assert line, program.stderr.read() if program.stderr else b""
            yield json.loads(line)
        finally:
            program.terminate()
            program.wait(PATIENCE)


def test_it_is_the_installed_one_that_runs(installed: Path, tmp_path: Path) -> None:
    asked = [str(installed / "python"), "-c", "import tintype; print(tintype.__file__)"]
    said = subprocess.run(asked, cwd=tmp_path, check=True, capture_output=True, text=True, env={}).stdout.strip()
    assert Path(said).is_relative_to(installed.parent)
    version = subprocess.run(
        [str(installed / "tintype"), "--version"], check=True, capture_output=True, text=True, env={}
    )
    assert version.stdout.strip() == f"tintype {__version__}"


@pytest.mark.parametrize(
    "path", ["/console", "/docs", "/docs/start", "/docs/operations/deploy", "/filepicker.js", "/healthz"]
)
def test_pages_and_scripts_are_served(demo: dict[str, str], path: str) -> None:
    status, body = fetch(f"{demo['url']}{path}")
    assert status == 200, body[:300]
    assert len(body) > 20


def test_photos_are_served(demo: dict[str, str]) -> None:
    status, body = fetch(f"{demo['url']}/photos", Authorization=f"Bearer {demo['token']}")
    assert status == 200
    assert json.loads(body)["data"]["photos"]
