"""Numbers as files: CSV as RFC 4180 has it, safe to open in a spreadsheet, and JSON Lines.

A spreadsheet runs a cell that begins with = + - or @ as a formula, so text that does gets an apostrophe in front; numbers
stay numbers, also negative ones. Unknown is an empty cell, or null, and never 0.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Literal

from tintype.core.insights.model import AccountSeries, Post

Cell = str | float | int | date | datetime | None
Row = Sequence[Cell]
Format = Literal["csv", "jsonl"]

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001 - spreadsheets read these as well

POST_COLUMNS = (
    "media_id", "product", "published_at", "permalink", "caption", "likes", "comments", "shares", "saved", "reach", "views",
    "engagement_rate", "engagement_rate_basis", "engagement_rate_status", "captured_at",
)  # fmt: skip
ACCOUNT_COLUMNS = ("day", "followers", "followers_net", "reach", "views", "captured_at")


def lines(columns: Sequence[str], rows: Iterable[Row], form: Format, *, bom: bool = False) -> Iterator[str]:
    """Yield a file line by line, with its line ends; `bom` marks a CSV as UTF-8 for old spreadsheets."""
    return csv_lines(columns, rows, bom=bom) if form == "csv" else json_lines(columns, rows)


def csv_lines(columns: Sequence[str], rows: Iterable[Row], *, bom: bool = False) -> Iterator[str]:
    """Yield CSV: a header and one record a row, ended by CR LF."""
    yield ("\ufeff" if bom else "") + _record(columns)
    for row in rows:
        yield _record([_written(cell) for cell in row])


def json_lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Yield one JSON object a row."""
    for row in rows:
        named = {name: _plain(cell) for name, cell in zip(columns, row, strict=True)}
        yield json.dumps(named, ensure_ascii=False, separators=(",", ":")) + "\n"


def guarded(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def post_row(post: Post) -> Row:
    """Return a post as a row of `POST_COLUMNS`."""
    target, numbers = post.target, post.numbers
    raw = [numbers.raw.get(name) for name in ("likes", "comments", "shares", "saved", "reach")]
    views = numbers.raw.get(numbers.impressions_source or "")
    return (
        target.media_id,
        target.product.value,
        target.published_at,
        target.permalink,
        target.caption,
        *raw,
        views,
        numbers.engagement_rate if numbers.engagement_rate_status in ("ok", "partial") else None,
        numbers.engagement_rate_basis,
        numbers.engagement_rate_status,
        numbers.captured_at,
    )


def account_rows(series: AccountSeries) -> Iterator[Row]:
    """Yield an account's days as rows of `ACCOUNT_COLUMNS`."""
    days = zip(series.followers, series.followers_net, series.reach, series.views, strict=True)
    for points in days:
        captured = [point.captured_at for point in points if point.captured_at]
        yield (points[0].day, *(point.value for point in points), max(captured, default=None))


def _record(cells: Sequence[str]) -> str:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\r\n").writerow(cells)
    return written.getvalue()


def _written(cell: Cell) -> str:
    plain = _plain(cell)
    if isinstance(plain, str):
        return guarded(plain)
    return "" if plain is None else repr(plain)


def _plain(cell: Cell) -> str | float | int | None:
    if isinstance(cell, datetime):
        return cell.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    if isinstance(cell, date):
        return cell.isoformat()
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell
