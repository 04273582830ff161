"""What is due, looked for among the endpoints that have something waiting: how many others there are does not matter.

The look goes from one endpoint that has something waiting to the next, by an index in which nothing else is. So it passes
a paused one with all its backlog in one step, and never sees those that were told everything.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CTE, Row, Select, bindparam, func, select

from tintype.core.access import is_living
from tintype.core.webhooks.model import State, Way
from tintype.core.webhooks.tables import deliveries, endpoints

_PUSHED = (endpoints.c.state == State.ACTIVE.value, endpoints.c.way == Way.PUSH.value)


def _waiting() -> CTE:
    first = select(func.min(deliveries.c.endpoint_id).label("id")).where(deliveries.c.due_at.is_not(None))
    waiting, more = first.cte("waiting", recursive=True), deliveries.alias("more")
    after = select(func.min(more.c.endpoint_id)).where(more.c.due_at.is_not(None), more.c.endpoint_id > waiting.c.id)
    return waiting.union_all(select(after.scalar_subquery()).where(waiting.c.id.is_not(None)))


# Two questions to one endpoint, each for a value: Postgres would make a join of anything else, and begin with all endpoints.
def _soonest(waiting: CTE) -> Any:
    mine = (deliveries.c.endpoint_id == waiting.c.id) & deliveries.c.due_at.is_not(None)
    return select(func.min(deliveries.c.due_at)).where(mine).scalar_subquery()


def _is_sent_to(waiting: CTE) -> Any:
    mine = (endpoints.c.id == waiting.c.id) & is_living(endpoints.c.workspace_id)
    return select(endpoints.c.id).where(mine, *_PUSHED).scalar_subquery().is_not(None)


def _next() -> Select[Any]:
    waiting = _waiting()
    return select(func.min(_soonest(waiting))).select_from(waiting).where(_is_sent_to(waiting))


def _due() -> Select[*tuple[Any, ...]]:
    waiting = _waiting()
    soonest = _soonest(waiting)
    due = select(waiting.c.id, soonest.label("soonest")).where(soonest <= bindparam("now"), _is_sent_to(waiting))
    found = due.cte("due")
    # Asked once more of the row itself, so that one that is paused at this moment is left alone.
    columns = (endpoints.c.id, endpoints.c.failing_since, endpoints.c.failed_at, found.c.soonest)
    query = select(*columns).join(found, found.c.id == endpoints.c.id).where(*_PUSHED)
    # Held until the end, so that two nodes do not fill the same endpoint's lanes.
    return query.with_for_update(skip_locked=True, key_share=True, of=endpoints)


def _held() -> Select[*tuple[Any, ...]]:
    # Not counted here: SQLite would go through all that was ever delivered, to have it by endpoint.
    columns = (deliveries.c.endpoint_id, endpoints.c.failing_since)
    query = select(*columns).join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
    return query.where(deliveries.c.leased_until > bindparam("now"), endpoints.c.way == Way.PUSH.value)


def in_turn(rows: Sequence[Row[Any]]) -> Sequence[Row[Any]]:
    """Return those that have something due in the order of their turns.

    First whoever took the last attempt, by what waits longest; then the others, by how long ago they were tried: a long
    backlog gives no place before those who are tried as rarely.
    """
    return sorted(rows, key=lambda row: (row.failing_since is not None, row.failed_at or row.soonest, row.soonest))


NEXT_DUE = _next()  # when the next attempt to an endpoint that is sent to is due
DUE_ENDPOINTS = _due()  # those that are sent to and have something due `now`, locked
UNDER_WAY = _held()  # the endpoint of every attempt that is under way `now`, and since when it fails
