"""Turns a `Trouble` on the way into the `Failure` that is stored and shown."""

from tintype.core.publishing.model import Failure, Part
from tintype.core.publishing.preparing import Unfetchable
from tintype.errors import Kind, RemoteTrouble, Trouble
from tintype.instagram import Category, Container, meaning_of, meaning_of_container

# What the sender of a post can mend himself, so that dialects call it his mistake and not Instagram's.
_THEIRS = frozenset({Category.MEDIA_FORMAT, Category.MEDIA_FETCH, Category.POLICY})


def failure_of(trouble: Trouble, position: int | None = None, part: Part | None = None) -> Failure:
    """Return what is kept of a trouble; what we saw of the item ourselves stands behind Instagram's word on it."""
    message = f"{_item(position)}{trouble.message}"
    if not isinstance(trouble, RemoteTrouble):
        passing = isinstance(trouble, Unfetchable) and trouble.passing
        return Failure(trouble.kind, message, retryable=passing, position=position, retry_after=trouble.retry_after)
    kind = trouble.kind
    if kind is Kind.REFUSED and trouble.code is not None:
        kind = Kind.INVALID if meaning_of(trouble.code, trouble.subcode).category in _THEIRS else kind
    return Failure(
        kind,
        f"{message}{_seen(part)}",
        trouble.action,
        trouble.code,
        trouble.subcode,
        trouble.trace_id,
        trouble.retryable,
        position,
        trouble.retry_after,
    )


def failure_in(container: Container, position: int | None, part: Part | None = None) -> Failure:
    """Return why a container died, in words; `retryable` says whether a new one may live."""
    meaning = meaning_of_container(container)
    code, subcode = container.failure or (None, None)
    return Failure(
        Kind.INVALID if meaning.category in _THEIRS else Kind.REFUSED,
        f"{_item(position)}Instagram could not process the medium: {meaning.cause}; {meaning.action}.{_seen(part)}",
        meaning.action,
        code,
        subcode,
        retryable=meaning.retryable,
        position=position,
    )


def _item(position: int | None) -> str:
    return "" if position is None else f"Item {position + 1}: "


def _seen(part: Part | None) -> str:
    return f" Seen from here: {'; '.join(part.notes)}." if part and part.notes else ""
