"""What is due, looked for among the endpoints that have something waiting: how many others there are does not matter.

The look goes from one endpoint that has something waiting to the next, by an index in which nothing else is. So it passes
a paused one with all its backlog in one step, and never sees those that were told everything.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CTE, Select, func, select

from tintype.core.access import is_living
from tintype.core.webhooks.model import State, Way
from tintype.core.webhooks.tables import deliveries, endpoints

_SENT_TO = (
    endpoints.c.state == State.ACTIVE.value,
    endpoints.c.way == Way.PUSH.value,
    is_living(endpoints.c.workspace_id),
)


def next_due() -> Select[Any]:
    """Return the query for when the next attempt to an endpoint that is sent to is due."""
    waiting = _waiting()
    return select(func.min(_first(waiting))).select_from(waiting).where(_is_sent_to(waiting))


def due_endpoints(now: datetime) -> Select[Any]:
    """Return the query for the endpoints that are sent to and have something due."""
    waiting = _waiting()
    due = select(waiting.c.id).where(_first(waiting) <= now, _is_sent_to(waiting)).cte("due")
    # Said once more of the row itself: whoever locks it sees what changed at that moment.
    return select(endpoints.c.id).join(due, due.c.id == endpoints.c.id).where(*_SENT_TO[:2])


def _waiting() -> CTE:
    first = select(func.min(deliveries.c.endpoint_id).label("id")).where(deliveries.c.due_at.is_not(None))
    waiting, more = first.cte("waiting", recursive=True), deliveries.alias("more")
    after = select(func.min(more.c.endpoint_id)).where(more.c.due_at.is_not(None), more.c.endpoint_id > waiting.c.id)
    return waiting.union_all(select(after.scalar_subquery()).where(waiting.c.id.is_not(None)))


# Both are asked as values, one endpoint at a time: Postgres would make joins of them, and begin with all endpoints.
def _first(waiting: CTE) -> Any:
    soonest = select(func.min(deliveries.c.due_at)).where(deliveries.c.due_at.is_not(None))
    return soonest.where(deliveries.c.endpoint_id == waiting.c.id).scalar_subquery()


def _is_sent_to(waiting: CTE) -> Any:
    return select(endpoints.c.id).where(endpoints.c.id == waiting.c.id, *_SENT_TO).scalar_subquery().is_not(None)
