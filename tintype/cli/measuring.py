"""Numbers on the command line: `insights` of an account day by day, or of one post."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from tintype.cli.finding import find_account
from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, rows, say_json
from tintype.errors import Invalid

if TYPE_CHECKING:
    from tintype.app import House

_NUMBERS = ("likes", "comments", "shares", "saved", "reach", "impressions", "engagement_rate")


def insights(
    named: Annotated[
        str,
        typer.Argument(metavar="ACCOUNT or POST_ID", help="Id or username, or a post's number.", show_default=False),
    ],
    days: Annotated[int, typer.Option(min=1, max=365, help="Of an account: how many, until today.")] = 30,
    csv: Annotated[bool, typer.Option("--csv", help="Print a CSV file.")] = False,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show what is known of an account day by day, or of a post that was published here.

    An empty cell is unknown, and not 0. Keys of --json, for each day: day, followers, reach, views; of a post: likes,
    comments, shares, saved, reach, impressions, engagement_rate, captured_at.
    """

    async def look(house: "House") -> "Sequence[dict[str, object]] | str":
        post = await house.publisher.resources.records.load(int(named)) if _is_number(named) else None
        if post is None:
            return await _account(house, named, days, csv=csv)
        if post.media_id is None:
            raise Invalid(f"post {post.id} is {post.state.value}; only what is published has numbers")
        return await _post(house, post.workspace_id, post.account_id, post.media_id, csv=csv)

    found = in_house(settings_of(data), look)
    if isinstance(found, str):
        typer.echo(found, nl=False)
    elif as_json:
        say_json(found if "day" in found[0] else found[0])
    else:
        rows(found, as_json=False, empty="Nothing is known yet.")


def _is_number(named: str) -> bool:
    return named.isascii() and named.isdigit() and int(named) < 2**31


async def _account(house: "House", named: str, days: int, *, csv: bool) -> Sequence[dict[str, object]] | str:
    account = await find_account(house, named)
    until = house.accounts.graph.now().date()
    since = until - timedelta(days=days - 1)
    if csv:
        return "".join(await house.insights.export_account(account.workspace_id, account.id, since, until))
    series = await house.insights.of_account(account.workspace_id, account.id, since, until)
    days_of = zip(series.followers, series.reach, series.views, strict=True)
    return [
        {"day": day.day.isoformat(), "followers": day.value, "reach": reach.value, "views": views.value}
        for day, reach, views in days_of
    ]


async def _post(
    house: "House", workspace_id: str, account_id: str, media_id: str, *, csv: bool
) -> Sequence[dict[str, object]] | str:
    from tintype.core.insights import csv_lines

    numbers = await house.insights.of_media(workspace_id, media_id, account_id=account_id)
    known: dict[str, object] = {name: numbers.raw.get(name) for name in _NUMBERS}
    known["impressions"] = numbers.impressions if numbers.impressions_source else None
    known["engagement_rate"] = numbers.engagement_rate if numbers.engagement_rate_status in ("ok", "partial") else None
    known["captured_at"] = numbers.captured_at
    return "".join(csv_lines(tuple(known), [[_cell(one) for one in known.values()]])) if csv else [known]


def _cell(value: object) -> float | datetime | None:
    return value if isinstance(value, float | int | datetime) else None
