"""What every outlet can do, and how one import ends as exactly one recipe in it, however often the process dies.

    record → ask the target → post → ask again

Before anything is sent, the caller stores that it has begun. Whoever finds such a note later asks the target first: its
answer may have been lost, not the recipe. A request that a dead process left behind may still be at work, so after
posting in doubt the target is asked once more, and of two recipes the elder stays.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tintype.core.recipes.model import Recipe


@dataclass(frozen=True, slots=True)
class Order:
    """One import to put somewhere: the recipe, where it is from, and its cover.

    `taken` are ids that this outlet gave to other imports of the same post: none of them is this one.
    """

    id: str
    recipe: Recipe
    since: datetime  # when the import was made: what is older cannot be its recipe
    source_url: str | None = None
    cover: bytes | None = field(default=None, repr=False)
    taken: frozenset[str] = frozenset()

    @property
    def mark(self) -> str:
        """What the target keeps as the recipe's source, and is asked for: the post's address, or the import's own name."""
        return self.source_url or f"urn:uuid:{self.id}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where a recipe ended up: its id there, and the page a person opens."""

    id: str
    url: str
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """What a test of the connection found, in one sentence for the person who asked for it."""

    sentence: str
    version: str | None = None


class Outlet(Protocol):
    """A place that takes recipes. Raises `Refused` (this recipe, for good), `Misconfigured`, `Busy` or `Unreachable`."""

    @property
    def name(self) -> str: ...

    async def find(self, order: Order) -> Receipt | None:
        """Return the eldest recipe that is there for this import, or None."""
        ...

    async def put(self, order: Order) -> Receipt:
        """Make the recipe, without its cover; doing it twice makes two."""
        ...

    async def illustrate(self, receipt: Receipt, cover: bytes) -> str | None:
        """Set the cover of a recipe; returns a warning when this picture is not taken. Doing it twice changes nothing."""
        ...

    async def remove(self, receipt: Receipt) -> None:
        """Take back a recipe that was just made; nothing happens when it is gone."""
        ...

    async def check(self) -> Standing:
        """Test the connection, the credential and the right to write, without leaving anything behind."""
        ...


async def place(outlet: Outlet, order: Order, *, begun: bool) -> Receipt:
    """Return where the order's one recipe is: found if an earlier try may have made it (`begun`), made otherwise.

    The caller stores the receipt before it calls `illustrate`, so that nothing is asked twice.
    """
    if not begun:
        return await outlet.put(order)
    if found := await outlet.find(order):
        return found
    made = await outlet.put(order)
    eldest = await outlet.find(order)
    if eldest is None or eldest.id == made.id:
        return made
    await outlet.remove(made)
    return eldest
