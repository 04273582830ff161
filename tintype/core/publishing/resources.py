"""What publishing leans on, handed from the roof to whoever moves posts."""

from dataclasses import dataclass, field
from typing import TypeVar

from tintype.backends.blobs import Blobs
from tintype.backends.bus import Bus
from tintype.core.accounts import Accounts, Grip
from tintype.core.publishing.arrivals import Arrivals
from tintype.core.publishing.pace import Pace
from tintype.core.publishing.policy import Policy
from tintype.core.publishing.preparing import Preparing
from tintype.core.publishing.quotas import Quotas
from tintype.core.publishing.records import PostRecords
from tintype.instagram import Call, Graph, Login

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Resources:
    """The collaborators of publishing; `uploads` sends videos' bytes to Instagram instead of an address to fetch."""

    records: PostRecords
    accounts: Accounts
    graph: Graph
    preparing: Preparing
    quotas: Quotas
    blobs: Blobs
    bus: Bus
    policy: Policy
    uploads: bool = False
    arrivals: Arrivals = field(default_factory=Arrivals)
    pace: Pace = field(default_factory=Pace)

    async def ask(self, grip: Grip, call: Call[T]) -> T:
        """Ask Instagram on behalf of an account."""
        return await self.graph.using(grip.app).ask(call, grip.token)


def user_of(grip: Grip) -> str:
    """Return how Instagram is told whose media are meant.

    A token of Instagram Login speaks for one account; its own number is not always accepted (graph-api.md 1.3).
    """
    return "me" if grip.account.login is Login.INSTAGRAM_LOGIN else grip.account.instagram_id
