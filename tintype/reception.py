"""Puts the console together: who signs in with a browser, and the pages for everything that the house does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from tintype.api.console import ConsoleDesk, Welcome
from tintype.api.console import mount as mount_console
from tintype.api.console.door import Door
from tintype.api.dialect import Mounted
from tintype.api.health import Part
from tintype.backends.engine_jobs import JobDesk
from tintype.backends.storage import Room, free, rooms
from tintype.core.access import Access, Audit, Browsing, BrowsingRecords, Members, SecondFactors, Users
from tintype.core.accounts import Accounts, Connecting
from tintype.core.downloads import Downloads
from tintype.core.feed import Feed
from tintype.core.insights import Insights
from tintype.core.publishing import Publisher
from tintype.kitchen import Kitchen
from tintype.machinery import Backends, engine_url
from tintype.picking import Picking
from tintype.settings import Settings, environment_name
from tintype.settings.shown import shown

# Where people consent when no pretend Instagram stands in for it.
CONSENTS = ("https://www.instagram.com", "https://www.facebook.com")


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the console has pages for."""

    access: Access
    users: Users
    members: Members
    accounts: Accounts
    connecting: Connecting
    feed: Feed
    publisher: Publisher
    insights: Insights
    downloads: Downloads
    kitchen: Kitchen
    picking: Picking


def open_browsing(backends: Backends, users: Users, now: Callable[[], datetime]) -> Browsing:
    """Return what signs people in with their browsers."""
    records = BrowsingRecords(backends.database)
    return Browsing(records, users, SecondFactors(records, users.attempts, backends.vault, now), now)


def console_pages(
    settings: Settings,
    backends: Backends,
    rooms: Rooms,
    browsing: Browsing,
    welcome: Welcome,
    parts: Sequence[Part],
    ways: Callable[[], Awaitable[object]],
    now: Callable[[], datetime],
) -> Mounted:
    """Return the console, ready to be put behind a `Front`."""
    audit = Audit(backends.database, now)
    door = Door(browsing, audit, settings.address(), settings.trusted_proxies)
    return mount_console(
        ConsoleDesk(
            door=door,
            access=rooms.access,
            users=rooms.users,
            members=rooms.members,
            browsing=browsing,
            audit=audit,
            accounts=rooms.accounts,
            connecting=rooms.connecting,
            feed=rooms.feed,
            publisher=rooms.publisher,
            insights=rooms.insights,
            downloads=rooms.downloads,
            recipes=rooms.kitchen.recipes,
            apps=rooms.picking.apps,
            webhooks=rooms.picking.hooks.webhooks,
            welcome=welcome,
            parts=parts,
            ways=ways,
            jobs=JobDesk(engine_url(settings, backends.database), backends.engine),
            storage=partial(_storage, settings.data),
            settings=shown(settings, {field: environment_name(field) for field in Settings.model_fields}),
            base=settings.address(),
            callback=settings.callback(),
            upload_max_bytes=settings.upload_max_bytes,
            consents=(settings.instagram_origin,) if settings.instagram_origin else CONSENTS,
        )
    )


async def _storage(folder: Path) -> tuple[Sequence[Room], int]:
    return await asyncio.to_thread(rooms, folder), free(folder)
