"""Lists of posts as files: cells that no spreadsheet runs, and that come back as they were."""

import csv
import io
from collections.abc import Mapping
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.publishing import COLUMNS
from tintype.core.publishing.bulk_forms import Format, guarded, read, unguarded, write
from tintype.errors import Invalid

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
CELLS = st.one_of(
    TEXT, st.sampled_from(["=1+1", "'=1", "''x", "'", "-", "@a", "+1", "\tx", "a;b", 'say "a"', "a\r\nb"])
)
FILLED = CELLS.filter(lambda text: bool(text.strip()))
ROWS = st.lists(st.dictionaries(st.sampled_from(COLUMNS), FILLED, min_size=1), max_size=5)


@given(CELLS)
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    assert not guarded(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"))
    assert unguarded(guarded(text)) == text


@given(ROWS, st.sampled_from(["csv", "jsonl"]))
def test_rows_come_back_from_either_form(rows: list[Mapping[str, str]], form: Format) -> None:
    found = read("".join(write(rows, form)).encode(), form, {})
    assert [record.cells for record in found] == rows
    assert [record.number for record in found] == list(range(1, len(rows) + 1))


def test_a_sheet_of_semicolons_with_a_mark_and_gaps_is_read() -> None:
    text = "\ufeffAccount;Caption;Scheduled At\r\n1;a, b;\r\n;;\r\n2;c;x\r\n"
    found = read(text.encode(), "csv", {})
    assert [(one.number, one.cells) for one in found] == [
        (1, {"account": "1", "caption": "a, b"}),
        (3, {"account": "2", "caption": "c", "scheduled_at": "x"}),
    ]


def test_a_row_longer_than_its_header_is_told_and_not_guessed_at() -> None:
    (row,) = read(b"account,caption\n1,one, two\n", "csv", {})
    assert row.cells == {}
    assert row.problem == "the row has 3 cells below 2 columns"


def test_empty_columns_at_a_sheets_right_edge_say_nothing() -> None:
    rows = read(b"account,caption, ,\n1,hello,,\n2,bye\n3,more, ,else\n", "csv", {})
    assert [row.cells for row in rows[:2]] == [{"account": "1", "caption": "hello"}, {"account": "2", "caption": "bye"}]
    assert rows[2].problem == "the row has 4 cells below 2 columns"
    assert read(b"account,\n1,note\n", "csv", {"": ""})[0].cells == {"account": "1"}
    with pytest.raises(Invalid, match="nobody knows the column ''"):
        read(b"account,,caption\n1,,hello\n", "csv", {})


def test_columns_that_nobody_knows_are_not_left_out_in_silence() -> None:
    with pytest.raises(Invalid, match="captoin"):
        read(b"account,captoin\n1,hello\n", "csv", {})
    assert read(b"account,note\n1,hello\n", "csv", {"note": ""})[0].cells == {"account": "1"}


@given(st.lists(TEXT, min_size=1, max_size=4), st.sampled_from([",", ";"]))
def test_whatever_is_sent_is_read_or_refused(cells: list[str], mark: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=mark).writerow(cells)
    for data in (written.getvalue().encode(), mark.join(cells).encode()):
        with suppress(Invalid):
            read(data, "csv", {})
