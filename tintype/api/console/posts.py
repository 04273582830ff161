"""The posts of a workspace: what waits, what is under way, what happened to each, and what a person has to decide."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from fastapi import FastAPI, Request
from starlette.responses import RedirectResponse, Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import text_of
from tintype.core.access import Visit
from tintype.core.publishing import ENDED, UNDER_WAY, Post, State
from tintype.errors import Invalid, Trouble
from tintype.instagram import utc_now

PLACE = "/console/posts"
VERBS = ("cancel", "retry", "link")
SOON = timedelta(seconds=30)
MOST = 500  # posts of a month that the calendar shows

# What the list can be narrowed to.
FILTERS: Mapping[str, frozenset[State]] = {
    "waiting": frozenset({State.SCHEDULED, State.DRAFT}) | UNDER_WAY,
    "published": frozenset({State.PUBLISHED}),
    "unsure": frozenset({State.UNLINKED, State.RECONCILING}),
    "failed": frozenset({State.FAILED}),
    "cancelled": frozenset({State.CANCELLED}),
}


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the calendar, with the posts of that day by their moments."""

    date: date
    is_inside: bool  # of the month that is shown
    posts: Sequence[Post]


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""
    _listing(app, desk)
    _calendar(app, desk)
    _one(app, desk)


def _listing(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE)
    async def posts(request: Request, only: str = "", after: int | None = None) -> Response:
        """Show the posts, newest first."""
        visit = await desk.door.visit(request)
        states = FILTERS.get(only, frozenset())
        listing = await desk.publisher.list(visit.caller().workspace_id, states=states, after=after)
        return desk.door.page(
            visit,
            "posts.html",
            posts=listing.posts,
            after=listing.after,
            only=only,
            filters=list(FILTERS),
            names=await _names(desk, visit),
            done=request.query_params.get("done", ""),
        )


def _calendar(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE + "/calendar")
    async def month(request: Request, month: str = "") -> Response:
        """Show a month with what is published in it, and what is to be."""
        visit = await desk.door.visit(request)
        first = _first(month)
        weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
        since, until = _midnight(weeks[0][0]), _midnight(weeks[-1][-1] + timedelta(days=1))
        by_day: dict[date, list[Post]] = {}
        for post in await _between(desk, visit.caller().workspace_id, since, until):
            by_day.setdefault(_shown_at(post).date(), []).append(post)
        days = [[Day(day, day.month == first.month, by_day.get(day, [])) for day in week] for week in weeks]
        return desk.door.page(
            visit,
            "calendar.html",
            weeks=days,
            first=first,
            before=(first - timedelta(days=1)).strftime("%Y-%m"),
            behind=(first + timedelta(days=32)).strftime("%Y-%m"),
            names=await _names(desk, visit),
            shown_at=_shown_at,
        )


def _one(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE + "/{post_id}")
    async def post(post_id: int, request: Request) -> Response:
        """Show one post with everything that happened to it."""
        visit = await desk.door.visit(request)
        return await _shown(desk, visit, post_id, done=request.query_params.get("done", ""))

    @app.post(PLACE + "/{post_id}")
    async def act(post_id: int, request: Request) -> Response:
        """Call a post back, try it again, or say which medium it is."""
        visit, form = await desk.door.form(request)
        workspace_id, verb = visit.caller().workspace_id, text_of(form, "verb")
        try:
            match verb:
                case "cancel":
                    await desk.publisher.cancel(workspace_id, post_id)
                case "retry":
                    await desk.publisher.retry(workspace_id, post_id)
                case "link":
                    await desk.publisher.link(workspace_id, post_id, text_of(form, "media_id").strip())
                case _:
                    raise Invalid(f"verb must be one of {', '.join(VERBS)}")
        except Trouble as trouble:
            return await _shown(desk, visit, post_id, problem=trouble.message, status=409)
        await desk.door.note(visit, f"post.{verb}", str(post_id))
        return RedirectResponse(f"{PLACE}/{post_id}?done={verb}", 303)


async def _shown(
    desk: ConsoleDesk, visit: Visit, post_id: int, *, done: str = "", problem: str = "", status: int = 200
) -> Response:
    workspace_id = visit.caller().workspace_id
    post = await desk.publisher.get(workspace_id, post_id)
    return desk.door.page(
        visit,
        "post.html",
        status=status,
        post=post,
        occurrences=await desk.publisher.timeline(workspace_id, post_id),
        names=await _names(desk, visit),
        is_over=post.state in ENDED,
        follows=post.state in UNDER_WAY or _is_due(post),
        done=done,
        problem=problem,
    )


async def _names(desk: ConsoleDesk, visit: Visit) -> Mapping[str, str]:
    accounts = await desk.accounts.of_workspace(visit.caller().workspace_id)
    return {one.id: one.username or one.instagram_id for one in accounts}


async def _between(desk: ConsoleDesk, workspace_id: str, since: datetime, until: datetime) -> Sequence[Post]:
    """Return the posts of a stretch of time by their moments; the newest are looked at first, and not all of many."""
    found: list[Post] = []
    after: int | None = None
    for _ in range(MOST // 100):
        listing = await desk.publisher.list(workspace_id, after=after, limit=100)
        found += [post for post in listing.posts if since <= _shown_at(post) < until]
        after = listing.after
        if after is None:
            break
    return sorted(found, key=_shown_at)


def _is_due(post: Post) -> bool:
    return post.state is State.SCHEDULED and post.due_at is not None and post.due_at <= utc_now() + SOON


def _shown_at(post: Post) -> datetime:
    return post.published_at or post.scheduled_at or post.created_at


def _first(month: str) -> date:
    try:
        return datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        return utc_now().date().replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
