"""Lists of posts as files: CSV and JSON Lines, read into named cells and written from them. Pure.

A spreadsheet runs a cell that begins with = + - or @ as a formula. What is written gets an apostrophe in front of such a
cell, and what is read loses it again; so a file that was written here comes back as it was.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from tintype.errors import Invalid, TooLarge

Format = Literal["csv", "jsonl"]
Cells = Mapping[str, object]

MOST_ROWS = 5_000
MOST_BYTES = 5_000_000

COLUMNS = (
    "account", "type", "media", "caption", "hashtags", "text", "alt_text", "user_tags", "scheduled_at", "timezone",
    "location_id", "collaborators", "cover_url", "thumb_offset", "share_to_feed", "first_comment", "fit", "background",
    "draft", "external_id",
)  # fmt: skip

_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets read these as well


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a file, counted from 1 below the header; `problem` says why it has no cells."""

    number: int
    cells: Cells
    problem: str | None = None


def read(data: bytes, form: Format, columns: Mapping[str, str]) -> Sequence[Record]:
    """Return the rows of a file; `columns` says which of its own names mean which of ours, "" for those to leave out.

    Raises `TooLarge`, and `Invalid` for a file that cannot be read as a whole.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge(f"the file has {len(data)} bytes of {MOST_BYTES}; send it in parts")
    if unknown := sorted(set(columns.values()) - {*COLUMNS, ""}):
        raise Invalid(f"columns: there is no {unknown[0]!r}; the names are {', '.join(COLUMNS)}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid("the file is not UTF-8; save it as CSV UTF-8") from None
    found: list[Record] = []
    for record in _csv(text, columns) if form == "csv" else _jsonl(text, columns):
        if len(found) == MOST_ROWS:
            raise TooLarge(f"the file has more than {MOST_ROWS} rows; send it in parts")
        found.append(record)
    return found


def write(rows: Iterable[Cells], form: Format, *, header: bool = True) -> Iterator[str]:
    """Yield a file of rows line by line, each with its line end; a CSV's later parts have no `header`."""
    if form == "jsonl":
        for row in rows:
            yield json.dumps(_filled(row), ensure_ascii=False, separators=(",", ":")) + "\n"
        return
    if header:
        yield _record(COLUMNS)
    for row in rows:
        yield _record([guarded(_flat(row.get(name))) for name in COLUMNS])


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, and that `unguarded` makes what it was."""
    return f"'{text}" if text.startswith(_DANGEROUS) or _is_guarded(text) else text


def unguarded(text: str) -> str:
    """Return a cell without the apostrophe that `guarded` put in front."""
    return text[1:] if _is_guarded(text) else text


def _is_guarded(text: str) -> bool:
    return text.startswith("'") and text[1:].startswith((*_DANGEROUS, "'"))


def _csv(text: str, columns: Mapping[str, str]) -> Iterator[Record]:
    first = text[: text.find("\n")] if "\n" in text else text
    lines = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if first.count(";") > first.count(",") else ",", strict=True
    )
    try:
        names = [_named(name, columns) for name in _header(next(lines, list[str]()), columns)]
        if not any(names):
            raise Invalid("the file is empty; its first row names the columns")
        if twice := next((name for name in names if name and names.count(name) > 1), None):
            raise Invalid(f"two columns of the file are {twice!r}")
        for number, line in enumerate(lines, 1):
            if any(cell.strip() for cell in line):
                yield _row(number, names, line)
    except csv.Error as error:
        raise Invalid(f"line {lines.line_num} of the file cannot be read: {error}") from None


def _header(line: list[str], columns: Mapping[str, str]) -> Sequence[str]:
    """Return the names of the columns without the empty ones at the right edge that spreadsheets write."""
    end = len(line)
    while end and not line[end - 1].strip() and line[end - 1] not in columns:
        end -= 1
    return line[:end]


def _row(number: int, names: Sequence[str], line: Sequence[str]) -> Record:
    if any(cell.strip() for cell in line[len(names) :]):
        return Record(number, {}, f"the row has {len(line)} cells below {len(names)} columns")
    pairs = zip(names, line, strict=False)
    return Record(number, {name: unguarded(cell) for name, cell in pairs if name and cell.strip()})


def _jsonl(text: str, columns: Mapping[str, str]) -> Iterator[Record]:
    lines = [line for line in text.split("\n") if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            sent: object = json.loads(line)
            if not isinstance(sent, dict):
                raise Invalid("a line is one JSON object")
            named = cast("dict[str, object]", sent)
            cells = {_named(name, columns): value for name, value in named.items() if value not in (None, "")}
        except Invalid as trouble:
            yield Record(number, {}, trouble.message)
        except (ValueError, RecursionError):
            yield Record(number, {}, "the line is not JSON")
        else:
            yield Record(number, {name: value for name, value in cells.items() if name})


def _named(theirs: str, columns: Mapping[str, str]) -> str:
    """Return our name of a column, "" for one that is left out; raises `Invalid` for one nobody knows."""
    if theirs in columns:
        return columns[theirs]
    name = theirs.strip().lower().replace(" ", "_")
    if name not in COLUMNS:
        raise Invalid(f"nobody knows the column {theirs[:40]!r}; the names are {', '.join(COLUMNS)}")
    return name


def _record(cells: Sequence[str]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()


def _flat(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        case _:
            return str(value)


def _filled(row: Cells) -> dict[str, Any]:
    return {name: row[name] for name in COLUMNS if row.get(name) is not None}
