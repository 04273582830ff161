"""Numbers of posts and of accounts: the documented keys first, unknown as null in all the others, files for spreadsheets."""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Query, Request
from pydantic import BeforeValidator
from starlette.responses import JSONResponse, Response, StreamingResponse

from tintype.api.dialect import answers
from tintype.api.social.desk import SocialDesk
from tintype.api.social.entry import caller_of
from tintype.api.social.finding import ROOT, account_of, asking, number_of, post_number
from tintype.api.social.posting import POSTS
from tintype.api.social.shapes import stamp
from tintype.core.access import Caller
from tintype.core.insights import FIRST, LAST, AccountSeries, BestHours, Cell, DayPoint, Post, PostNumbers, is_day
from tintype.errors import Conflict

ACCOUNT = ROOT + "/accounts/{number:int}"
DAYS = 30  # shown when nobody says since when
RATE = "engagement_rate"


def _read_day(given: str | None) -> date | None:
    if given is None:
        return None
    try:
        day = date.fromisoformat(given)
    except ValueError:
        day = None
    if day is None or not is_day(day):
        raise ValueError(f"must be a day from {FIRST} to {LAST}, like 2026-05-01")
    return day


Day = Annotated[date | None, BeforeValidator(_read_day), Query()]


def add(app: FastAPI, desk: SocialDesk) -> None:
    """Add the routes."""
    _of_posts(app, desk)
    _of_accounts(app, desk)
    _files(app, desk)


def _of_posts(app: FastAPI, desk: SocialDesk) -> None:
    @app.get(ROOT + "/{number:int}/insights")
    async def of_post(request: Request, number: int) -> Response:
        """Return a published post's numbers."""
        caller = await caller_of(request, desk)
        post = await desk.publisher.get(caller.workspace_id, post_number(number))
        if post.media_id is None:
            raise Conflict(f"there are no numbers of this post yet: it is {post.state.value}")
        found = await desk.insights.of_media(caller.workspace_id, post.media_id, account_id=post.account_id)
        return JSONResponse(_numbers(found))

    @app.get(f"{POSTS}/top")
    async def top(
        caller: Annotated[Caller, Depends(asking(desk))],
        account_id: Annotated[str | None, Query()] = None,
        metric: Annotated[str, Query(max_length=64)] = RATE,
        limit: Annotated[int, Query(ge=1, le=100)] = 10,
        order: Annotated[Literal["desc", "asc"], Query()] = "desc",
        since: Day = None,
        until: Day = None,
    ) -> Response:
        """List the posts that did best by a metric; those without that number are left out."""
        account = None if account_id is None else await account_of(desk, caller, number_of(account_id))
        found = await desk.insights.top(
            caller.workspace_id,
            account and account.id,
            metric=metric,
            limit=limit,
            order=order,
            since=_midnight(desk, since),
            until=_midnight(desk, until, days=1),
        )
        accounts = await desk.accounts.of_workspace(caller.workspace_id)
        numbers = {one.id: one.number for one in accounts}
        return JSONResponse({"metric": metric, "posts": [_ranked(one, numbers) for one in found]})


def _of_accounts(app: FastAPI, desk: SocialDesk) -> None:
    @app.get(f"{ACCOUNT}/insights")
    async def of_account(
        request: Request,
        number: int,
        caller: Annotated[Caller, Depends(asking(desk))],
        since: Day = None,
        until: Day = None,
    ) -> Response:
        """Return an account day by day, the last 30 days if nothing else is asked; as CSV when Accept says text/csv."""
        account = await account_of(desk, caller, number)
        first, last = _days(desk, since, until)
        if _prefers_csv(request.headers.get("accept", "")):
            return _csv(await desk.insights.export_account(caller.workspace_id, account.id, first, last), "account")
        series = await desk.insights.of_account(caller.workspace_id, account.id, first, last)
        return JSONResponse(_series(series, number), headers={"Vary": "Accept"})

    @app.get(f"{ACCOUNT}/insights.csv", **answers("text/csv"))
    async def file(
        number: int,
        caller: Annotated[Caller, Depends(asking(desk))],
        since: Day = None,
        until: Day = None,
    ) -> Response:
        """Return the same as a file."""
        account = await account_of(desk, caller, number)
        first, last = _days(desk, since, until)
        return _csv(await desk.insights.export_account(caller.workspace_id, account.id, first, last), "account")

    @app.get(f"{ACCOUNT}/best-times")
    async def best_times(
        number: int,
        caller: Annotated[Caller, Depends(asking(desk))],
        timezone: Annotated[str, Query(max_length=64)] = "UTC",
        metric: Annotated[str, Query(max_length=64)] = RATE,
    ) -> Response:
        """Say at which hours of the week posts did best, and how many posts say so."""
        account = await account_of(desk, caller, number)
        return JSONResponse(
            _week(await desk.insights.best_hours(caller.workspace_id, account.id, timezone, metric=metric))
        )


def _files(app: FastAPI, desk: SocialDesk) -> None:
    @app.get(f"{ROOT}/insights.csv", **answers("text/csv"))
    async def file(
        caller: Annotated[Caller, Depends(asking(desk))],
        account_id: Annotated[str | None, Query()] = None,
        since: Day = None,
        until: Day = None,
    ) -> Response:
        """Return every measured post with its numbers as a file."""
        account = None if account_id is None else await account_of(desk, caller, number_of(account_id))
        first, last = _midnight(desk, since), _midnight(desk, until, days=1)
        found = await desk.insights.export_posts(caller.workspace_id, account and account.id, first, last)
        return _csv(found, "posts")


def _numbers(found: PostNumbers) -> dict[str, Any]:
    return {
        "likes": found.likes,
        "comments": found.comments,
        "shares": found.shares,
        "reach": found.reach,
        "impressions": found.impressions,
        "saved": found.saved,
        "engagement_rate": found.engagement_rate,
        "impressions_source": found.impressions_source,
        "engagement_rate_basis": found.engagement_rate_basis,
        "engagement_rate_status": found.engagement_rate_status,
        "captured_at": stamp(found.captured_at),
        "metrics": dict(found.raw),
    }


def _ranked(post: Post, numbers: dict[str, int]) -> dict[str, Any]:
    target = post.target
    return {
        "post_id": target.media_id,
        "account_id": numbers.get(target.account_id),
        "kind": target.product.value,
        "published_at": stamp(target.published_at),
        "permalink": target.permalink,
        "caption": target.caption,
        **_numbers(post.numbers),
    }


def _series(found: AccountSeries, number: int) -> dict[str, Any]:
    return {
        "account_id": number,
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "followers": list(map(_day, found.followers)),
        "followers_net": list(map(_day, found.followers_net)),
        "reach": list(map(_day, found.reach)),
        "views": list(map(_day, found.views)),
        "captured_at": stamp(found.captured_at),
        "next_due": stamp(found.next_due),
        "delay_hint_seconds": round(found.delay_hint.total_seconds()),
    }


def _day(point: DayPoint) -> dict[str, Any]:
    return {
        "day": point.day.isoformat(),
        "value": point.value,
        "source": point.source.value if point.source else None,
        "captured_at": stamp(point.captured_at),
    }


def _week(found: BestHours) -> dict[str, Any]:
    return {
        "timezone": found.timezone,
        "metric": found.metric,
        "posts": found.n,
        "mean": found.mean,
        "best": [_cell(cell) for cell in found.best],
        "hours": [_cell(cell) for cell in found.cells],
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "weekday": cell.weekday,
        "hour": cell.hour,
        "posts": cell.n,
        "mean": cell.mean,
        "value": cell.value,
        "sure": cell.sure,
    }


def _days(desk: SocialDesk, since: date | None, until: date | None) -> tuple[date, date]:
    last = until or desk.accounts.graph.now().date()
    return since or max(FIRST, last - timedelta(days=DAYS - 1)), last


def _midnight(desk: SocialDesk, day: date | None, *, days: int = 0) -> datetime | None:
    """Return the beginning of a day in UTC, or of one some days after it."""
    zone = desk.accounts.graph.now().tzinfo
    return datetime.combine(day + timedelta(days=days), time(), zone) if day else None


def _prefers_csv(accept: str) -> bool:
    """Tell whether an Accept header names text/csv and does not rank JSON before it."""
    ranks: dict[str, float] = {}
    for part in accept.lower().split(","):
        name, *parameters = (word.strip() for word in part.split(";"))
        quality = next((word.removeprefix("q=") for word in parameters if word.startswith("q=")), "1")
        ranks[name] = float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality) else 0.0
    json = ranks.get("application/json", ranks.get("application/*", 0.0))
    return ranks.get("text/csv", 0.0) >= max(json, 0.001)


def _csv(lines: Iterable[str], name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}-insights.csv"', "Vary": "Accept"}
    return StreamingResponse(iter(lines), media_type="text/csv; charset=utf-8", headers=headers)
