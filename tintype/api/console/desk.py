"""What the console's pages lean on."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tintype.api.console.door import Door
from tintype.api.health import Part
from tintype.backends.engine_jobs import JobDesk
from tintype.backends.storage import Room
from tintype.core.access import Access, Audit, Browsing, Members, Users
from tintype.core.accounts import Accounts, Connecting
from tintype.core.downloads import Downloads
from tintype.core.feed import Feed
from tintype.core.files import Apps, Stores
from tintype.core.insights import Insights
from tintype.core.publishing import Publisher
from tintype.core.recipes import Outlet, Recipes
from tintype.core.webhooks import Webhooks
from tintype.settings.shown import Shown


@dataclass(slots=True)
class Welcome:
    """What the start page offers to everybody on this machine; empty outside of a demonstration."""

    workspace_id: str | None = None
    feed_key: str | None = field(default=None, repr=False)
    simulator: str | None = None
    user_id: int | None = None  # whoever opens the console from the start page comes in as this user

    def offer(self, workspace_id: str, feed_key: str, simulator: str, user_id: int | None = None) -> None:
        """Begin to show a demonstration's workspace."""
        self.workspace_id, self.feed_key, self.simulator = workspace_id, feed_key, simulator
        self.user_id = user_id


@dataclass(frozen=True, slots=True)
class ConsoleDesk:
    """The house, as far as the pages for people need it."""

    door: Door
    access: Access
    users: Users
    members: Members
    browsing: Browsing
    audit: Audit
    accounts: Accounts
    connecting: Connecting
    feed: Feed
    publisher: Publisher
    insights: Insights
    downloads: Downloads
    recipes: Recipes
    outlet: Outlet | None
    apps: Apps
    stores: Stores
    webhooks: Webhooks
    welcome: Welcome
    parts: Sequence[Part]
    ways: Callable[[], Awaitable[object]]
    jobs: JobDesk
    storage: Callable[
        [], Awaitable[tuple[Sequence[Room], int]]
    ]  # what the data folder holds, and what is free beside it
    settings: Sequence[Shown]
    described: Mapping[str, Callable[[], dict[str, Any]]]  # the dialects that can say what they offer
    base: str
    callback: str
    upload_max_bytes: int
    consents: Sequence[str]  # the origins on which people consent: Instagram's, or the pretend one's
