"""What a trouble means for an item: its own failure, or that of something around it, which is worth waiting for."""

from collections.abc import Mapping

from tintype.core.recipes.extracting import UnsupportedLink
from tintype.core.recipes.items import Dependency, Failure, Stage
from tintype.errors import Busy, Forbidden, Kind, Trouble
from tintype.instagram.public import Reason, reason_of

NOT_A_RECIPE = Failure("not_a_recipe", "No recipe was found in the text; retry with force to take the best guess.")
INCOMPLETE = Failure(
    "incomplete", "Something of a recipe was found, but not what goes in; retry with force to take it."
)
INTERNAL = Failure("internal", "Something of ours broke at this item; the log says what.")
LOST = Failure(
    "worker_lost", "The processes that worked on this item died one after the other; see the log.", Dependency.HOUSE
)

# What Instagram says of the post itself. Everything else that it says is about us, or about the day.
_OF_THE_POST = frozenset(
    {
        Reason.NOT_FOUND,
        Reason.POST_MISSING,
        Reason.PRIVATE,
        Reason.AGE_RESTRICTED,
        Reason.GEO_BLOCKED,
        Reason.MEDIA_GONE,
    }
)
_AT_STAGES: Mapping[Stage, Dependency] = {
    Stage.EXTRACTION: Dependency.INSTAGRAM,
    Stage.PARSING: Dependency.MODEL,
    Stage.UPLOADING: Dependency.OUTLET,
}
# Kinds that say something of the remote, of its door or of ours, and nothing of the item.
_SURROUNDINGS = frozenset(
    {
        Kind.UNREACHABLE,
        Kind.BUSY,
        Kind.RATE_LIMITED,
        Kind.FORBIDDEN,
        Kind.UNAUTHORIZED,
        Kind.RECONNECT,
        Kind.UNAVAILABLE,
        Kind.MISCONFIGURED,
    }
)


def failure_of(trouble: Trouble, stage: Stage) -> Failure:
    """Return what a trouble in a phase means for the item."""
    dependency = _AT_STAGES[stage]
    if isinstance(trouble, UnsupportedLink):
        return Failure("unsupported_url", trouble.message)
    reason = reason_of(trouble)
    if reason is not None:
        return Failure(reason.value, trouble.message, None if reason in _OF_THE_POST else dependency)
    code = f"{_PREFIXES[stage]}_{trouble.kind.value}"
    return Failure(code, trouble.message, dependency if trouble.kind in _SURROUNDINGS else None)


_PREFIXES: Mapping[Stage, str] = {
    Stage.EXTRACTION: "instagram",
    Stage.PARSING: "parser",
    Stage.UPLOADING: "upload",
}


def is_waited_for(trouble: Trouble) -> bool:
    """Tell whether an item simply waits its turn: the look-ups of this hour are used up, and come back by themselves."""
    return isinstance(trouble, Busy) and reason_of(trouble) is Reason.BUDGET_EXHAUSTED


def may_pass_soon(trouble: Trouble, stage: Stage) -> bool:
    """Tell whether the same step may succeed in a few seconds; a model has had all the calls that a recipe may cost."""
    return stage is not Stage.PARSING and trouble.kind is Kind.UNREACHABLE and not isinstance(trouble, Forbidden)
