"""What the console's pages lean on."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tintype.api.console.door import Door
from tintype.api.console.welcome import Welcome
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
