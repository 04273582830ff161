"""Migrations only add: while nodes are upgraded one after the other, those of the version before go on working."""

import ast
from pathlib import Path

import pytest

from tintype.backends.migrations import HEAD

VERSIONS = Path(__file__).parents[2] / "tintype" / "backends" / "migrations" / "versions"
STEPS = sorted(VERSIONS.glob("*.py"))

ADDING = {"add_column", "create_index", "create_table", "f", "get_bind"}


def called(tree: ast.AST) -> list[ast.Call]:
    """Return what a step asks Alembic to do."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [one for one in calls if isinstance(one.func, ast.Attribute) and ast.unparse(one.func.value) == "op"]


def added(tree: ast.AST) -> list[str]:
    """Return the columns that a step adds to tables which are there already."""
    within = {id(node) for one in called(tree) if is_of(one, "create_table") for node in ast.walk(one)}
    columns = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "sa.Column"]
    return [ast.unparse(one) for one in columns if id(one) not in within]


def is_of(call: ast.Call, name: str) -> bool:
    return ast.unparse(call.func) == f"op.{name}"


def trouble(source: str) -> list[str]:
    """Return what an older version would not survive in a step's source."""
    tree = ast.parse(source)
    made = {ast.unparse(one.args[0]) for one in called(tree) if is_of(one, "create_table")}
    found = [
        f"a row that an older version inserts has no value for it: {column}"
        for column in added(tree)
        if "nullable=True" not in column and "server_default=" not in column
    ]
    for one in called(tree):
        assert isinstance(one.func, ast.Attribute)
        said = ast.unparse(one)
        if one.func.attr not in ADDING and not said.startswith("op.execute('INSERT INTO "):
            found.append(f"it takes away or alters: {said}")
        if is_of(one, "create_index") and "unique=True" in said and ast.unparse(one.args[1]) not in made:
            found.append(f"an older version may store the same thing twice: {said}")
    return found


def test_the_newest_step_is_the_head_and_each_follows_another() -> None:
    assert [path.stem[:4] for path in STEPS] == [f"{number:04}" for number in range(1, len(STEPS) + 1)]
    assert STEPS[-1].stem[:4] == HEAD


@pytest.mark.parametrize("step", STEPS, ids=lambda path: path.stem)
def test_a_step_only_adds(step: Path) -> None:
    assert trouble(step.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        "op.drop_column('media', 'caption')",
        "op.drop_table('media')",
        "op.alter_column('media', 'caption', new_column_name='words')",
        "op.rename_table('media', 'posts')",
        "op.execute('DROP TABLE media')",
        "op.add_column('media', sa.Column('x', sa.Integer(), nullable=False))",
        "op.create_index('ix', 'media', ['caption'], unique=True)",
    ],
)
def test_what_takes_away_is_seen(line: str) -> None:
    assert len(trouble(line)) == 1
