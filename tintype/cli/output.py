"""What the commands say: tables for people, JSON for programs, one line on stderr for trouble, and exit codes.

Rich is imported where a table is made: `tintype --help` and programs that ask for JSON need not wait for it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated

import typer

from tintype.errors import Kind, Trouble

_PIPE_WIDTH = 240

Row = Mapping[str, object]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table.")]


class Exit(IntEnum):
    """How commands end."""

    OK = 0
    TROUBLE = 1
    USAGE = 2
    MISCONFIGURED = 3
    NOT_FOUND = 4
    INTERRUPTED = 130


EXIT_CODES = (
    "Exit codes: 0 done, 1 trouble (one line on stderr says which), 2 wrong use, 3 a setting is missing or wrong, "
    "4 there is no such thing, 130 interrupted. A server that is asked to stop ends with 0."
)


def exit_code(trouble: Trouble) -> Exit:
    """Return the exit code of a trouble."""
    return {Kind.MISCONFIGURED: Exit.MISCONFIGURED, Kind.NOT_FOUND: Exit.NOT_FOUND}.get(trouble.kind, Exit.TROUBLE)


def complain(message: str) -> None:
    """Say on stderr, in one line, what went wrong."""
    sys.stderr.write(f"tintype: {' '.join(message.split())}\n")
    sys.stderr.flush()


def note(message: str) -> None:
    """Say something to the person on stderr, where it does not disturb a program that reads stdout."""
    sys.stderr.write(f"{message}\n")
    sys.stderr.flush()


def say(message: str) -> None:
    """Print one line that a person or program waits for, at once."""
    sys.stdout.write(f"{message}\n")
    sys.stdout.flush()


def say_json(value: object) -> None:
    """Print one line of JSON, at once."""
    say(json.dumps(value, ensure_ascii=False, default=_plain))


def rows(found: Sequence[Row], *, as_json: bool, empty: str, columns: Mapping[str, str] | None = None) -> None:
    """Print a list: as JSON an array of objects with all keys; as a table the columns `key → title`.

    `empty` is the sentence for people when there is nothing to list.
    """
    if as_json:
        say_json(list(found))
        return
    if not found:
        note(empty)
        return
    _table(found, columns or {key: key.replace("_", " ") for key in found[0]})


def thing(found: Row, *, as_json: bool, sentence: str) -> None:
    """Print one thing that was made or changed: as JSON the object, for people a sentence about it."""
    if as_json:
        say_json(found)
    else:
        say(sentence)


def _table(found: Sequence[Row], columns: Mapping[str, str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for key, title in columns.items():
        # Ids are there to be copied: they may not be cut or broken.
        table.add_column(title, no_wrap=key == "id" or key.endswith("_id"), overflow="fold")
    for row in found:
        table.add_row(*(_cell(row.get(key)) for key in columns))
    # Names and captions are other people's words, never markup. A pipe must not break lines that a window would.
    Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, markup=False, highlight=False).print(table)


def _cell(value: object) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone().strftime("%Y-%m-%d %H:%M")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType] - of anything
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} has no JSON form")
