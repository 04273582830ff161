"""Numbers for people: an account day by day against the days before, its posts, one post's life, and the best hours."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from statistics import median, quantiles

from fastapi import FastAPI, Request
from markupsafe import Markup
from starlette.responses import Response, StreamingResponse

from tintype.api.console import charts
from tintype.api.console.desk import ConsoleDesk
from tintype.core.accounts import Account
from tintype.core.insights import AccountSeries, DayPoint, Post, Sample
from tintype.errors import NotFound
from tintype.instagram import utc_now

PLACE = "/console/insights"
PERIODS = (7, 28, 90)
METRICS = ("engagement_rate", "reach", "views", "likes", "comments", "saved", "shares")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
AGES = (1, 3, 6, 12, 24, 48, 72, 120, 168)  # hours at which a post is compared with the others
COMPARED = 30  # posts whose lives make the band


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the strip: its value now, and its change against as many days before, where both are known."""

    name: str
    value: float | None
    change: float | None
    note: str


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""
    _account(app, desk)
    _post(app, desk)
    _exports(app, desk)


def _account(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE)
    async def insights(
        request: Request, account: str = "", days: int = 28, metric: str = "engagement_rate", timezone: str = "UTC"
    ) -> Response:
        """Show an account's numbers."""
        visit = await desk.door.visit(request)
        accounts = await desk.accounts.of_workspace(visit.caller().workspace_id)
        if not accounts:
            return desk.door.page(visit, "insights.html", accounts=(), chosen=None)
        chosen = _chosen(accounts, account)
        days = days if days in PERIODS else 28
        metric = metric if metric in METRICS else METRICS[0]
        until = utc_now().date()  # for the followers, who are counted now; Instagram tells of yesterday at the earliest
        since = until - timedelta(days=days - 1)
        series = await desk.insights.of_account(chosen.workspace_id, chosen.id, since, until)
        before = await desk.insights.of_account(
            chosen.workspace_id, chosen.id, since - timedelta(days=days), since - timedelta(days=1)
        )
        posts = await desk.insights.top(chosen.workspace_id, chosen.id, metric=metric, limit=25)
        hours = await desk.insights.best_hours(chosen.workspace_id, chosen.id, timezone)
        return desk.door.page(
            visit,
            "insights.html",
            accounts=accounts,
            chosen=chosen,
            days=days,
            periods=PERIODS,
            metric=metric,
            metrics=METRICS,
            timezone=timezone,
            figures=_figures(series, before),
            lines=[_line(name, points) for name, points in _shown(series)],
            rows=list(zip(series.followers, series.reach, series.views, strict=True)),
            series=series,
            posts=posts,
            hours=hours,
            heat=charts.heat(
                f"Engagement by weekday and hour, in {hours.timezone}",
                [(cell.mean if cell.n else None, cell.n) for cell in hours.cells],
                DAYS,
            ),
            day_names=DAYS,
            number=charts.number,
        )


def _post(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE + "/posts/{media_id}")
    async def post(media_id: str, request: Request, metric: str = "views") -> Response:
        """Show one post's numbers and its life, against the account's other posts."""
        visit = await desk.door.visit(request)
        workspace_id = visit.caller().workspace_id
        found = {one.target.media_id: one for one in await desk.insights.posts(workspace_id)}
        if media_id not in found:
            raise NotFound(f"there is no measured post {media_id[:64]!r} in this workspace")
        own = found[media_id]
        metric = metric if metric in METRICS[1:] else "views"
        others = [one for one in found.values() if _is_alike(own, one)][:COMPARED]
        lives = [await _life(desk, workspace_id, one, metric) for one in others]
        life = await _life(desk, workspace_id, own, metric)
        band = _band(lives)
        return desk.door.page(
            visit,
            "insights_post.html",
            post=own,
            metric=metric,
            metrics=METRICS[1:],
            life=life,
            compared=len(others),
            curve=charts.curve(f"{metric} by hours since it was published", life, band, "h"),
            number=charts.number,
        )


def _exports(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE + "/posts.csv")
    async def posts(request: Request, account: str = "") -> Response:
        """Send all measured posts as CSV."""
        visit = await desk.door.visit(request)
        lines = await desk.insights.export_posts(visit.caller().workspace_id, account or None, bom=True)
        return _csv(lines, "posts.csv")

    @app.get(PLACE + "/days.csv")
    async def days(request: Request, account: str, days: int = 90) -> Response:
        """Send an account day by day as CSV."""
        visit = await desk.door.visit(request)
        until = utc_now().date() - timedelta(days=1)
        since = until - timedelta(days=min(max(days, 1), 365) - 1)
        lines = await desk.insights.export_account(visit.caller().workspace_id, account, since, until, bom=True)
        return _csv(lines, "days.csv")


def _csv(lines: Iterable[str], name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingResponse(iter(lines), media_type="text/csv; charset=utf-8", headers=headers)


def _chosen(accounts: Sequence[Account], account_id: str) -> Account:
    if not account_id:
        return accounts[0]
    found = next((one for one in accounts if one.id == account_id), None)
    if found is None:
        raise NotFound("there is no such account in this workspace")
    return found


def _shown(series: AccountSeries) -> Sequence[tuple[str, Sequence[DayPoint]]]:
    return (("Followers", series.followers), ("Reach", series.reach), ("Views", series.views))


def _line(name: str, points: Sequence[DayPoint]) -> tuple[str, Markup]:
    labels = [point.day.strftime("%d %b") for point in points]
    return name, charts.line(f"{name} by day", labels, [point.value for point in points])


def _figures(now: AccountSeries, before: AccountSeries) -> Sequence[Figure]:
    followers, earlier = _last(now.followers), _last(before.followers)
    return (
        Figure("Followers", followers, _change(followers, earlier), "on the last day"),
        Figure("Views", *_summed(now.views, before.views), "all days together"),
        Figure("Reach a day", *_middled(now.reach, before.reach), "the middle day: days share people"),
    )


def _summed(now: Sequence[DayPoint], before: Sequence[DayPoint]) -> tuple[float | None, float | None]:
    total, earlier = _sum(now), _sum(before)
    return total, _change(total, earlier) if _is_whole(now) and _is_whole(before) else None


def _middled(now: Sequence[DayPoint], before: Sequence[DayPoint]) -> tuple[float | None, float | None]:
    middle, earlier = _median(now), _median(before)
    return middle, _change(middle, earlier) if _is_whole(now) and _is_whole(before) else None


def _sum(points: Sequence[DayPoint]) -> float | None:
    known = [point.value for point in points if point.value is not None]
    return sum(known) if known else None


def _median(points: Sequence[DayPoint]) -> float | None:
    known = [point.value for point in points if point.value is not None]
    return median(known) if known else None


def _is_whole(points: Sequence[DayPoint]) -> bool:
    """Tell whether so many days were measured that a comparison says something: nine of ten."""
    return sum(point.value is not None for point in points) >= 0.9 * len(points)


def _last(points: Sequence[DayPoint]) -> float | None:
    return next((point.value for point in reversed(points) if point.value is not None), None)


def _change(now: float | None, before: float | None) -> float | None:
    return (now - before) / before * 100 if now is not None and before else None


def _is_alike(own: Post, other: Post) -> bool:
    same = own.target.account_id == other.target.account_id and own.target.product == other.target.product
    return same and own.target.media_id != other.target.media_id


async def _life(desk: ConsoleDesk, workspace_id: str, post: Post, metric: str) -> Sequence[tuple[float, float]]:
    samples: Sequence[Sample] = await desk.insights.history(workspace_id, post.target.media_id, metric)
    since = post.target.published_at
    return [
        ((one.captured_at - since).total_seconds() / 3600, one.value)
        for one in samples
        if one.value is not None and one.name == metric
    ]


def _band(lives: Sequence[Sequence[tuple[float, float]]]) -> Sequence[tuple[float, float, float, float]]:
    """Return (hours, lower quartile, median, upper quartile) at each age that at least four lives have reached."""
    band: list[tuple[float, float, float, float]] = []
    for age in AGES:
        reached = [max(value for hours, value in life if hours <= age) for life in lives if _spans(life, age)]
        if len(reached) >= 4:
            low, middle, high = quantiles(reached, n=4)
            band.append((float(age), low, middle, high))
    return band


def _spans(life: Sequence[tuple[float, float]], age: int) -> bool:
    return bool(life) and life[0][0] <= age <= life[-1][0]
