"""The laws of the house that a machine can hold us to: sizes, names, front desks, floors."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for top in ("tintype", "tests", "bench") for path in (ROOT / top).rglob("*.py"))

MODULE_LINES = 500
FUNCTION_LINES = 50


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_there_is_something_to_measure() -> None:
    assert len(SOURCES) > 50


def test_no_module_is_longer_than_500_lines() -> None:
    long = {
        str(path.relative_to(ROOT)): n for path in SOURCES if (n := len(path.read_text().splitlines())) > MODULE_LINES
    }
    assert long == {}


def test_no_function_is_longer_than_50_lines() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{name}": lines
        for path in SOURCES
        for name, lines in functions(path)
        if lines > FUNCTION_LINES
    }
    assert long == {}


@pytest.mark.parametrize("word", ["util", "utils", "helper", "helpers", "common", "misc", "manager"])
def test_names_say_something(word: str) -> None:
    assert [path for path in SOURCES if word in (path.stem, path.parent.name)] == []


def test_core_packages_are_entered_by_their_front_desk() -> None:
    wrong: list[str] = []
    for path in (ROOT / "tintype").rglob("*.py"):
        place = path.relative_to(ROOT).with_suffix("").parts
        for name in imports(path):
            parts = name.split(".")
            inside = parts[:2] == ["tintype", "core"] and len(parts) > 3
            if inside and list(place[:3]) != parts[:3]:
                wrong.append(f"{'/'.join(place)} imports {name}")
    assert wrong == []


def test_every_module_says_why_it_exists() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tintype").rglob("*.py")
        if ast.get_docstring(ast.parse(path.read_text())) is None
    ]
    assert silent == []


def test_floors_hold() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
