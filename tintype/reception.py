"""Puts the console together: who signs in with a browser, and the pages for everything that the house does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import Door
from tintype.api.console.routes import mount as mount_console
from tintype.api.dialect import Mounted
from tintype.api.health import Part
from tintype.backends.engine_jobs import JobDesk
from tintype.backends.storage import Room, free, rooms
from tintype.core.access import Audit
from tintype.machinery import Backends, engine_url
from tintype.rooms import Rooms
from tintype.settings import Settings, environment_name
from tintype.settings.shown import shown

# Where people consent when no pretend Instagram stands in for it.
CONSENTS = ("https://www.instagram.com", "https://www.facebook.com")


def console_pages(
    settings: Settings,
    backends: Backends,
    rooms: Rooms,
    parts: Sequence[Part],
    ways: Callable[[], Awaitable[object]],
    spoken: Sequence[Mounted],
    now: Callable[[], datetime],
) -> Mounted:
    """Return the console, ready to be put behind a `Front`."""
    audit = Audit(backends.database, now)
    door = Door(rooms.browsing, audit, settings.address(), settings.trusted_proxies)
    return mount_console(
        ConsoleDesk(
            door=door,
            access=rooms.access,
            users=rooms.users,
            members=rooms.members,
            browsing=rooms.browsing,
            audit=audit,
            accounts=rooms.accounts,
            connecting=rooms.connecting,
            feed=rooms.feed,
            publisher=rooms.publisher,
            insights=rooms.insights,
            downloads=rooms.downloads,
            recipes=rooms.kitchen.recipes,
            outlet=rooms.kitchen.pipeline.uploading.outlet,
            apps=rooms.picking.apps,
            stores=rooms.picking.files.storing.stores,
            webhooks=rooms.picking.hooks.webhooks,
            welcome=rooms.welcome,
            parts=parts,
            ways=ways,
            jobs=JobDesk(engine_url(settings, backends.database), backends.engine),
            storage=partial(_storage, settings.data),
            settings=shown(settings, {field: environment_name(field) for field in Settings.model_fields}),
            described={one.dialect.name: one.openapi for one in spoken if one.openapi is not None},
            base=settings.address(),
            callback=settings.callback(),
            upload_max_bytes=settings.upload_max_bytes,
            consents=(settings.instagram_origin,) if settings.instagram_origin else CONSENTS,
        )
    )


async def _storage(folder: Path) -> tuple[Sequence[Room], int]:
    return await asyncio.to_thread(rooms, folder), free(folder)
