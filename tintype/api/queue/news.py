"""What browsers that want to be told of the queue are told: a sentence for each item that came to an end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tintype.core.notifications import Notice
from tintype.core.recipes import Change, Item, Recipes, Status

_LINES = 200  # of the log at a time


@dataclass(frozen=True, slots=True)
class QueueNews:
    """The queue's log, read for what people should be told; `base` is where the house's pages are."""

    recipes: Recipes
    base: str

    async def since(self, number: int) -> tuple[int, Sequence[tuple[datetime, Notice]]]:
        """Return up to which number was read, and what to tell of changes behind `number`, oldest first."""
        told: list[tuple[datetime, Notice]] = []
        while changes := await self.recipes.told(number, _LINES):
            for change in changes:
                notice = await self._notice(change)
                if notice is not None:
                    told.append((change.at, notice))
            number = changes[-1].number
        return number, told

    async def _notice(self, change: Change) -> Notice | None:
        if change.closes is not None:
            return batch_notice(change.closes, await self.recipes.counts(change.closes), self.base)
        if change.item is None or not change.tell:
            return None
        return item_notice(change.item, self.base)


def item_notice(item: Item, base: str) -> Notice:
    """Return what is told of an item that came to an end."""
    title, body = _words(item)
    has_picture = item.source is not None and item.source.cover is not None
    return Notice(
        key=f"{item.id}:{item.told}",
        subject=item.id,
        kind="queue-item",
        status=item.status.value,
        title=title,
        body=body,
        url=f"{base}/share?item={item.id}#item-{item.id}",
        thumbnail=f"{base}/api/queue/{item.id}/thumbnail" if has_picture else None,
        is_urgent=item.in_review,
    )


def batch_notice(batch: str, counts: Mapping[Status, int], base: str) -> Notice:
    """Return what is told of many items together, once the last of them came to its end."""
    ready, waiting = counts.get(Status.SUCCESS, 0), counts.get(Status.UNHEALTHY, 0)
    failed, held = counts.get(Status.ERROR, 0), counts.get(Status.PENDING, 0)
    rest = [f"{held} wait for you to look at them"] if held else []
    rest += [f"{waiting} have to wait"] if waiting else []
    rest += [f"{failed} could not be made"] if failed else []
    return Notice(
        key=f"batch:{batch}",
        subject=batch,
        kind="queue-batch",
        status=(Status.SUCCESS if not rest else Status.UNHEALTHY if waiting else Status.ERROR).value,
        title=f"{ready} of {sum(counts.values())} recipes are ready",
        body=", ".join(rest) or "All of them went well",
        url=f"{base}/share",
    )


def _words(item: Item) -> tuple[str, str]:
    name = item.parsed.value.name if item.parsed else ""
    reason = item.failure.message if item.failure else ""
    match item.status:
        case Status.SUCCESS:
            return name or "A recipe is ready", _where(item)
        case Status.PENDING:
            return name or "A recipe was found", "Look at it before it is put away"
        case Status.UNHEALTHY:
            return name or "A recipe has to wait", f"{reason}; it is tried again by itself"
        case _:
            return name or "No recipe was made", reason


def _where(item: Item) -> str:
    if item.upload is None or item.upload.url is None:
        return "The recipe is ready"
    return f"The recipe is in {item.upload.outlet.capitalize()}"
