"""What leaves as a file: CSV that any reader reads back and no spreadsheet runs, JSON Lines, and refusals understood."""

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tintype.core.insights import csv_lines, guarded, json_lines
from tintype.core.insights.model import Sample, Source, Visits
from tintype.core.insights.reading import refused_in
from tintype.core.insights.series import series_of
from tintype.core.insights.stories import samples_of
from tintype.instagram import Change, parse_webhook

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)

# Half surrogates never get this far: `wire.text` and the database refuse them.
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)
STARTS = st.sampled_from(["=", "+", "-", "@", "\t", "\r", "", "'", '"', ",", "\n"])
CELLS = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.floats(-1e9, 1e9), st.tuples(STARTS, TEXT).map("".join))


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8), st.booleans())
def test_csv_is_read_back_as_written_and_no_cell_of_text_is_a_formula(
    rows: list[tuple[str | float | int | None, ...]], bom: bool
) -> None:
    text = "".join(csv_lines(("a", "b", "c"), rows, bom=bom))
    assert text.startswith("\ufeff") == bom
    assert text.endswith("\r\n")
    read = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True))
    assert read[0] == ["a", "b", "c"]
    assert len(read) == len(rows) + 1
    for cells, given_ in zip(read[1:], rows, strict=True):
        for cell, value in zip(cells, given_, strict=True):
            if value is None:
                assert cell == ""
            elif isinstance(value, str):
                assert cell in (value, f"'{value}")
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
            else:
                assert float(cell) == value


@given(st.lists(st.tuples(CELLS, CELLS), max_size=8))
def test_json_lines_keep_every_value(rows: list[tuple[str | float | int | None, ...]]) -> None:
    read = [json.loads(line) for line in json_lines(("a", "b"), rows)]
    assert read == [{"a": first, "b": second} for first, second in rows]
    assert all(line.count("\n") == 1 for line in json_lines(("a", "b"), rows))


def test_moments_are_utc_and_whole_numbers_have_no_decimals() -> None:
    berlin = datetime(2026, 11, 21, 13, 0, 5, 99, tzinfo=timezone(timedelta(hours=1)))
    (line,) = list(csv_lines(("a", "b", "c", "d"), [(berlin, date(2026, 11, 21), 245.0, -0.5)]))[1:]
    assert line == "2026-11-21T12:00:05Z,2026-11-21,245,-0.5\r\n"


def test_what_a_spreadsheet_would_run_is_text() -> None:
    assert guarded("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert guarded("\uff1d1+1") == "'\uff1d1+1"
    assert guarded("2 = 2") == "2 = 2"
    assert list(csv_lines(("a",), [('=cmd|" /C"!A0',)]))[1] == '"\'=cmd|"" /C""!A0"\r\n'


ASKED = ("likes", "reach", "views", "shares")


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("(#100) The Media Insights API does not support the views metric for this media product type.", "views"),
        ("(#100) metric[1] must be one of the following values: likes, views, saved", "reach"),
        ("(#100) metric[9] must be one of the following values: likes, views, saved", None),
        ("(#100) Starting from version 22 and above, the shares metric is no longer supported", "shares"),
        ("(#100) Incompatible metrics (likes, views)", None),
        ("(#100) Insights are not available for items inside a carousel", None),
        ("", None),
    ],
)
def test_which_metric_a_refusal_names(said: str, refused: str | None) -> None:
    assert refused_in(f"Could not read the insights of medium 1: Instagram says: {said}", ASKED) == refused


@given(st.text(max_size=200))
def test_no_refusal_names_what_was_not_asked(said: str) -> None:
    assert refused_in(said, ASKED) in (None, *ASKED)


def test_a_storys_last_word() -> None:
    value: dict[str, object] = {
        "media_id": "1", "impressions": 9, "reach": 7.0, "taps_forward": -1, "exits": 0, "replies": True, "views": "8",
        "nonsense": 4, "shares": 10**400,
    }  # fmt: skip
    found = {one.name: one.value for one in samples_of(Change("2", "story_insights", "1", None, None, value), NOW)}
    assert found == {
        "impressions": 9, "reach": 7, "navigation.tap_forward": None, "navigation.tap_exit": 0, "shares": None,
    }  # fmt: skip
    tomorrow = Change("2", "story_insights", "1", None, NOW + DAY, value)
    assert {one.captured_at for one in samples_of(tomorrow, NOW)} == {NOW}
    assert {one.source for one in samples_of(tomorrow, NOW)} == {Source.WEBHOOK}


COUNTS = st.lists(st.one_of(st.none(), st.integers(0, 10**6)), min_size=1, max_size=20)


@given(COUNTS)
def test_a_net_is_told_only_between_two_days_that_were_measured(counts: list[int | None]) -> None:
    since = NOW.date()
    samples = [Sample("followers_count", count, NOW + DAY * at) for at, count in enumerate(counts)]
    series = series_of(Visits("a"), samples, since, since + DAY * (len(counts) - 1))
    assert [point.value for point in series.followers] == counts
    nets = [point.value for point in series.followers_net]
    assert nets[0] is None
    for at in range(1, len(counts)):
        before, now = counts[at - 1], counts[at]
        assert nets[at] == (None if before is None or now is None else now - before)
    assert all(point.source in (None, Source.DERIVED) for point in series.followers_net)
    assert {point.value for point in series.reach} == {None}


def test_the_last_word_of_a_day_counts_and_silence_is_no_word() -> None:
    end = datetime(2026, 11, 20, 8, tzinfo=UTC)
    told = [
        Sample("reach", value, at, period_start=end - DAY, period_end=end)
        for value, at in ((70, end + DAY), (None, end + 2 * DAY), (90, end + DAY * 1.5))
    ]
    series = series_of(Visits("a"), told, date(2026, 11, 19), date(2026, 11, 20))
    assert [(point.day.day, point.value, point.captured_at) for point in series.reach] == [
        (19, 90, end + DAY * 1.5),
        (20, None, None),
    ]


def test_a_storys_last_word_as_it_is_delivered() -> None:
    sent = {"media_id": "17881", "impressions": 120, "reach": 81, "taps_back": 4}
    entry = {"id": "17841", "time": int(NOW.timestamp()), "changes": [{"field": "story_insights", "value": sent}]}
    (change,) = parse_webhook(json.dumps({"object": "instagram", "entry": [entry]}).encode())
    assert (change.account_id, change.field, change.subject_id) == ("17841", "story_insights", "17881")
    found = samples_of(change, NOW + DAY)
    assert {one.name: one.value for one in found} == {"impressions": 120, "reach": 81, "navigation.tap_back": 4}
    assert {one.captured_at for one in found} == {NOW}
