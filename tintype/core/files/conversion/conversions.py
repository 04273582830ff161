"""The trade of conversion: each canonical form of a file is made once, kept under its name, and handed out as it is.

Where one is made nobody else makes the same; what failed is not tried again for a minute; and a file has a quota of different
forms, because the attack is not one big picture, it is ten thousand sizes.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.image_operations import Converted
from tintype.core.files.conversion.making import EXTENSIONS, Making, Refusals, tag_of
from tintype.core.files.conversion.model import Plan
from tintype.core.files.conversion.records import DerivedRecords, Made, beyond
from tintype.core.files.debt_records import Place
from tintype.core.files.keys import filename_of
from tintype.core.files.model import HOME, File, PickerApp, StoreOptions
from tintype.errors import NotFound, Stale, Trouble

log = logging.getLogger(__name__)

KEPT = timedelta(days=30)  # what nobody has asked for since is made anew when somebody does
NOTED = timedelta(days=1)
BATCH = 100


@dataclass(frozen=True, slots=True)
class Derived:
    """A result: its bytes, what they are, and a strong tag without quotation marks."""

    data: bytes = field(repr=False)
    content_type: str
    etag: str
    width: int
    height: int


Running = dict[str, "asyncio.Task[Derived]"]


@dataclass(frozen=True, slots=True)
class Conversions:
    """Converts files and remembers what came of it."""

    making: Making
    records: DerivedRecords
    now: Callable[[], datetime]
    refusals: Refusals = field(default_factory=Refusals)
    running: Running = field(default_factory=Running)

    async def derived(self, app: PickerApp, file: File, plan: Plan, *, address: str, free: bool = False) -> Derived:
        """Return a file after a plan whose format is settled; `address` is what webhooks show, `free` counts for no quota.

        Raises `Unsupported` for what is no picture, `Invalid` for a broken one, `TooLarge` beyond the limits and the quota,
        `MediumGone` for a link whose medium is gone, `Unavailable` when too much waits already.
        """
        try:
            return await self._derived(app, file, plan, address, free=free)
        except (Stale, NotFound):
            present = await self.making.files.get(file.handle)
            if present.version == file.version:
                raise
            return await self._derived(app, present, plan, address, free=free)  # overwritten at that very moment

    async def of_url(self, url: str, plan: Plan) -> Derived:
        """Return what lies at a public address after a plan; it is made each time, but once for all who ask at once."""
        name = plan.digest(url)

        async def make() -> Derived:
            return _result(await self.making.of_url(url, plan), tag_of(url, name))

        return await self._once(name, make)

    async def make(self, app: PickerApp, file: File, plan: Plan, options: StoreOptions, *, address: str) -> File:
        """Store what comes of a file under a handle of its own, told of as a conversion.

        Raises what `derived` and `Files.store` raise.
        """
        name = plan.digest(file.handle, str(file.version), *await self.making.overlay_tags(plan))

        async def convert() -> Derived:
            return _result(await self.making.of_file(file, plan), tag_of(file.etag, name))

        found = await self._kept(file, name) or await self._once(name, convert)
        files = self.making.files

        async def tell(connection: AsyncConnection, _: File) -> None:
            await files.telling.converted(connection, app, file, address)

        wanted = replace(options, content_type=found.content_type, client=options.client or file.client, base64=False)
        wanted = replace(wanted, filename=options.filename or renamed(file.filename, found.content_type))
        return await files.store(app, found.data, wanted, medium=file.medium, tell=tell)

    async def make_of_url(self, app: PickerApp, url: str, plan: Plan, options: StoreOptions) -> File:
        """Store what comes of a public address under a handle."""
        if plan.empty:
            return await self.making.files.store_url(app, url, options)
        found = await self.of_url(url, plan)
        last = url.partition("?")[0].rpartition("/")[2]
        wanted = replace(options, content_type=found.content_type, client=options.client or "Url", base64=False)
        wanted = replace(wanted, filename=options.filename or renamed(last, found.content_type))
        return await self.making.files.store(app, found.data, wanted, source_url=url)

    async def collect(self, older_than: timedelta = KEPT) -> int:
        """Put away what nobody has asked for in so long; return how many that were."""
        done, now = 0, self.now()
        while found := await self.records.unused(now - older_than, BATCH):
            places = await self.records.let_go(found, now)
            await self.making.files.storing.stores.drop(places)
            done += len(places)
            if not places:
                break
        return done

    async def _derived(self, app: PickerApp, file: File, plan: Plan, address: str, *, free: bool) -> Derived:
        name = plan.digest(file.handle, str(file.version), *await self.making.overlay_tags(plan))
        kept = await self._kept(file, name)
        if kept is not None:
            return kept

        quota = None if free else app.quota_derived
        if quota is not None and name not in self.running and await self.records.count(file.handle) >= quota:
            raise beyond(quota)

        async def make() -> Derived:
            return await self._make(app, file, plan, name, address, quota)

        return await self._once(name, make)

    async def _kept(self, file: File, name: str) -> Derived | None:
        made = await self.records.get(file.handle, name)
        if made is None:
            return None
        try:
            data = await self.making.files.storing.stores.home.get(made.place)
        except NotFound:
            log.warning("what was made of %s lies no longer at %s; it is made anew", file.handle, made.place)
            await self.records.let_go([made], self.now())
            return None
        if self.now() - made.used_at > NOTED:
            await self.records.used(made, self.now())
        return Derived(data, made.content_type, made.etag, made.width, made.height)

    async def _make(
        self, app: PickerApp, file: File, plan: Plan, name: str, address: str, quota: int | None
    ) -> Derived:
        converted = await self.making.of_file(file, plan)
        result = _result(converted, tag_of(file.etag, name))
        place = Place(HOME, f"{app.id}/derived/{file.handle}/{name[:24]}-{token_hex(4)}.{EXTENSIONS[converted.format]}")
        files, now = self.making.files, self.now()
        made = Made(
            handle=file.handle,
            digest=name,
            version=file.version,
            content_type=result.content_type,
            place=place.place,
            size=len(result.data),
            width=result.width,
            height=result.height,
            etag=result.etag,
            made_at=now,
            used_at=now,
        )

        async def tell(connection: AsyncConnection) -> None:
            await files.telling.converted(connection, app, file, address)

        await files.storing.stores.put(place, result.data, result.content_type)
        try:
            await self.records.add(file, made, quota, tell)
        except Exception:
            await files.storing.stores.undo(place)
            raise
        files.telling.outbox.due()
        return result

    async def _once(self, name: str, make: Callable[[], Awaitable[Derived]]) -> Derived:
        self.refusals.check(name)
        task = self.running.get(name)
        if task is None:
            task = self.running[name] = asyncio.create_task(self._attempt(name, make))
            task.add_done_callback(lambda done: self._over(name, done))
        return await asyncio.shield(task)

    def _over(self, name: str, done: "asyncio.Task[Derived]") -> None:
        self.running.pop(name, None)
        if not done.cancelled():
            done.exception()  # everybody who waited may have gone away; then nobody is left to look at it

    async def _attempt(self, name: str, make: Callable[[], Awaitable[Derived]]) -> Derived:
        try:
            return await make()
        except Stale:
            raise
        except Trouble as trouble:
            self.refusals.keep(name, trouble)
            raise


def renamed(filename: str, content_type: str) -> str:
    """Return a file's name with the extension of its new type."""
    stem, dot, _ = filename.rpartition(".")
    extension = EXTENSIONS.get(content_type.removeprefix("image/"), "bin")
    return filename_of(f"{stem if dot and stem else filename or 'picture'}.{extension}", content_type)


def _result(made: Converted, etag: str) -> Derived:
    return Derived(made.data, made.content_type, etag, made.width, made.height)
