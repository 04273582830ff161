"""What requests to the queue say in their paths and queries, checked: whatever is wrong is `Invalid`, in one sentence."""

import re
from collections.abc import Sequence

from starlette.datastructures import QueryParams
from starlette.requests import Request

from tintype.api.callers import host_of
from tintype.core.recipes import Query, Status
from tintype.errors import Invalid

LIMIT = 50
MOST = 100
SORTS = ("createdAt", "updatedAt", "status")

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_FURTHEST = 2**31 - 1
_BY_NAME = {status.value: status for status in Status}


def item_id_of(text: str) -> str:
    """Return an item's id in small letters."""
    if not _UUID.fullmatch(text):
        raise Invalid("Invalid UUID format")
    return text.lower()


def statuses_of(given: Sequence[str]) -> tuple[Status, ...]:
    """Return the statuses that are asked for; several, repeated or with commas between them, mean any of them."""
    names = [part.strip() for one in given for part in one.split(",")]
    unknown = [name for name in names if name not in _BY_NAME]
    if unknown:
        raise Invalid(f"status must be one of {', '.join(_BY_NAME)}")
    return tuple(_BY_NAME[name] for name in dict.fromkeys(names))


def is_ours(request: Request, base: str) -> bool:
    """Tell whether a request comes from a page of ours, or from no page at all.

    Browsers let any page send text/plain to anybody, but say which page it is.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or host_of(origin) in (request.headers.get("host"), host_of(base))


def query_of(query: QueryParams) -> Query:
    """Return which items a list is to show."""
    sort, order = query.get("sort", "createdAt"), query.get("order", "desc")
    if sort not in SORTS:
        raise Invalid(f"sort must be one of {', '.join(SORTS)}")
    if order not in ("asc", "desc"):
        raise Invalid("order must be one of asc, desc")
    return Query(
        statuses=statuses_of(query.getlist("status")),
        in_review=_flag(query.get("review", "false"), "review"),
        limit=_number(query.get("limit", str(LIMIT)), "limit", 1, MOST),
        offset=_number(query.get("offset", "0"), "offset", 0, _FURTHEST),
        sort=sort,
        descending=order == "desc",
    )


def _flag(text: str, name: str) -> bool:
    if text not in ("true", "false"):
        raise Invalid(f"{name} must be true or false")
    return text == "true"


def _number(text: str, name: str, least: int, most: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 11 else -1
    if not least <= number <= most:
        raise Invalid(f"{name} must be a whole number from {least} to {most}")
    return number
