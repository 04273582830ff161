"""The trade of files: link, store, copy, read, overwrite, remove; each with its message to those who listen."""

from collections.abc import AsyncIterable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from tintype.backends.bus import Bus
from tintype.core.accounts import Account
from tintype.core.files.addresses import handle_in
from tintype.core.files.debt_records import Place
from tintype.core.files.fetching import Fetching
from tintype.core.files.keys import filename_of, new_handle, next_key
from tintype.core.files.links import Links, shown_in
from tintype.core.files.model import HOME, INSTAGRAM, URL, File, Kind, Medium, Opened, PickerApp, StoreOptions
from tintype.core.files.records import Beside, FileRecords
from tintype.core.files.sniffing import HEAD, type_of
from tintype.core.files.stores import UNFINISHED
from tintype.core.files.storing import Landed, Storing
from tintype.core.files.telling import Telling
from tintype.errors import Forbidden, NotFound, Unsupported
from tintype.events import FileRemoved, FileStored
from tintype.instagram import Media, MediaKind

BATCH = 100
T = TypeVar("T")

NOT_HERE = "there is no file of this handle"


@dataclass(frozen=True, slots=True)
class Files:
    """Keeps picked and stored files under their handles."""

    records: FileRecords
    storing: Storing
    links: Links
    fetching: Fetching
    telling: Telling
    bus: Bus
    now: Callable[[], datetime]

    async def store(
        self,
        app: PickerApp,
        source: bytes | AsyncIterable[bytes],
        options: StoreOptions,
        *,
        handle: str | None = None,
        medium: Medium | None = None,
        source_url: str | None = None,
        tell: Beside | None = None,
    ) -> File:
        """Store bytes as a new file.

        `handle` is one that was given out before, `medium` what the bytes were copied from, `tell` what is told in the
        upload's place, in the same transaction. Raises `Invalid`, `TooLarge`
        (the caps, a quota), `Conflict` for a path that is taken, and `Unavailable`.
        """
        handle = handle or new_handle()
        landed = await self.storing.put(app, source, options, handle)
        now = self.now()
        file = File(
            handle=handle,
            app_id=app.id,
            workspace_id=app.workspace_id,
            kind=Kind.COPY,
            client=options.client or "",
            filename=landed.filename,
            content_type=landed.content_type,
            size=landed.size,
            uploaded_at=now,
            changed_at=now,
            access=options.access,
            medium=medium,
            stored=landed.stored,
            source_url=source_url,
            tags=options.tags,
        )
        return await self._kept(landed, self._add(app, file, tell=tell))

    async def store_url(self, app: PickerApp, url: str, options: StoreOptions) -> File:
        """Store what lies at an address: one of our own files, or anything public on the web.

        Raises `Forbidden` for an address that is not called, `Unreachable`, and what `store` raises.
        """
        own = self.own_handle(url)
        if own is not None:
            source = await self.get(own)
            self.check_owner(app, source)
            wanted = replace(
                options, filename=options.filename or source.filename, client=options.client or source.client
            )
            opened = await self.open(source)
            return await self.store(app, opened.chunks, wanted, medium=source.medium)
        async with self.fetching.open(url, self.storing.max_bytes) as found:
            wanted = replace(
                options,
                filename=options.filename or found.filename,
                content_type=options.content_type or found.content_type,
                client=options.client or URL,
            )
            return await self.store(app, found.chunks, wanted, source_url=url)

    async def link(self, app: PickerApp, account: Account, media_id: str, child_id: str | None = None) -> File:
        """Make a file that names a medium of Instagram's and is read from there.

        Raises `MediumGone`, and other `Trouble` when Instagram could not be asked.
        """
        media, shown, medium = await self._picked(account, media_id, child_id)
        flow = await self.links.open(medium)
        try:
            head = await anext(aiter(flow.answer.chunks), b"")
        finally:
            await flow.close()
        content_type = type_of(head[:HEAD], flow.answer.headers.get("content-type"))
        length = flow.answer.headers.get("content-length", "")
        now = self.now()
        file = File(
            handle=new_handle(),
            app_id=app.id,
            workspace_id=app.workspace_id,
            kind=Kind.LINK,
            client=INSTAGRAM,
            filename=_filename(shown),
            content_type=content_type,
            size=int(length) if length.isdecimal() else None,
            uploaded_at=now,
            changed_at=now,
            medium=medium,
            source_url=media.permalink,
        )
        return await self._add(app, file)

    async def copy(
        self, app: PickerApp, account: Account, media_id: str, child_id: str | None, options: StoreOptions
    ) -> File:
        """Store a copy of a medium of Instagram's.

        Raises `MediumGone`, what `store` raises, and other `Trouble` when Instagram could not be asked.
        """
        media, shown, medium = await self._picked(account, media_id, child_id)
        flow = await self.links.open(medium)
        try:
            wanted = replace(options, filename=options.filename or _filename(shown), client=INSTAGRAM)
            wanted = replace(wanted, content_type=flow.answer.headers.get("content-type"))
            return await self.store(app, flow.answer.chunks, wanted, medium=medium, source_url=media.permalink)
        finally:
            await flow.close()

    async def get(self, handle: str) -> File:
        """Return a file.

        Raises `NotFound` for a handle that is unknown, or whose file was removed.
        """
        found = await self.records.get(handle)
        if found is None:
            raise NotFound(NOT_HERE)
        if found.removed_at is not None:
            raise NotFound(f"this file was removed: {found.reason}")
        return found

    async def present(self, file: File) -> None:
        """Go on when a file's bytes can be had; raises `MediumGone` for a link whose medium is gone."""
        if file.stored is None and file.medium is not None:
            await self.links.address(file.medium)

    async def open(self, file: File, start: int = 0, end: int | None = None) -> Opened:
        """Open a file, or some of its bytes.

        Raises `MediumGone` for a link whose medium is gone, `NotFound` and `Unavailable` of a store, `Unreachable`.
        """
        if file.stored is not None:
            blobs = self.storing.stores.blobs(file.stored.store)
            place = file.stored.place
            size, path = file.size, blobs.path(place)
            return Opened(file.etag, file.content_type, size, blobs.stream(place, start, end), path)
        assert file.medium is not None
        flow = await self.links.open(file.medium, start, end)
        length = flow.answer.headers.get("content-length", "")
        whole = int(length) if flow.answer.status == 200 and length.isdecimal() else file.size
        return Opened(file.etag, file.content_type, whole, flow.chunks(), close=flow.close)

    async def overwrite(
        self, app: PickerApp, file: File, source: bytes | AsyncIterable[bytes], options: StoreOptions
    ) -> File:
        """Put new content under a handle; a link becomes a copy by that. What was made of the old content goes.

        Raises `Overtaken` when somebody else did the same at that moment, and what `store` raises.
        """
        self.check_owner(app, file)
        version = file.version + 1
        old = file.stored
        if old is not None:
            options = replace(options, location=old.location, container=old.container, path=old.path)
        options = replace(options, filename=options.filename or file.filename)
        moved = next_key(old.key, version) if old is not None and old.store != HOME else old and old.key
        landed = await self.storing.put(app, source, options, file.handle, version=version, key=moved)
        new = _overwritten(file, landed, version, self.now())

        async def tell(connection: AsyncConnection, _: File) -> None:
            await self.telling.overwritten(connection, app, new)

        await self._drop(await self._kept(landed, self.records.replace(app, file, new, tell, self.now())))
        await self._announce(FileStored(app.workspace_id, app.id, file.handle))
        return new

    async def overwrite_url(self, app: PickerApp, file: File, url: str, options: StoreOptions) -> File:
        """Put what lies at an address under a handle; raises what `store_url` and `overwrite` raise."""
        self.check_owner(app, file)
        own = self.own_handle(url)
        if own is not None:
            source = await self.get(own)
            self.check_owner(app, source)
            opened = await self.open(source)
            return await self.overwrite(app, file, opened.chunks, options)
        async with self.fetching.open(url, self.storing.max_bytes) as found:
            wanted = replace(options, content_type=options.content_type or found.content_type)
            return await self.overwrite(app, file, found.chunks, wanted)

    async def remove(self, app: PickerApp, file: File, *, skip_storage: bool = False) -> None:
        """Remove a file with everything that was made of it; with `skip_storage` its bytes stay in the operator's store.

        Raises `NotFound` when somebody removed it already, `Forbidden` when it is another app's.
        """
        self.check_owner(app, file)
        outside = file.stored is not None and file.stored.store != HOME

        async def tell(connection: AsyncConnection, removed: File) -> None:
            await self.telling.removed(connection, app, removed)

        gone = "removed by its owner"
        keep = skip_storage and outside
        left = await self.records.remove(file, reason=gone, now=self.now(), keep_bytes=keep, beside=tell)
        if left is None:
            raise NotFound(f"this file was removed: {gone}")
        await self._drop(left)
        await self._announce(FileRemoved(app.workspace_id, app.id, file.handle))

    async def erase(self, account_id: str) -> int:
        """Erase everything that shows media of an Instagram account, names included; return how many files that were."""
        done = 0
        while found := await self.records.of_account(account_id, BATCH):
            done += await self._erase(found, "its person asked Instagram to delete it")
        return done

    async def erase_abandoned(self) -> int:
        """Erase the files of apps and workspaces that were removed; return how many that were."""
        done = 0
        while found := await self.records.abandoned(BATCH):
            done += await self._erase(found, "its app was removed")
        return done

    async def tidy(self, older_than: timedelta = UNFINISHED) -> int:
        """Delete what was let go, and what was put so long ago and never referred to; return how much that was."""
        return await self.storing.stores.pay(older_than)

    def own_handle(self, url: str) -> str | None:
        """Return the handle in an address of one of our own files; None: it is not one of ours.

        Raises `Invalid` for an address of a conversion, whose result is stored with the conversion itself.
        """
        return handle_in(url, self.telling.base)

    def check_owner(self, app: PickerApp, file: File) -> None:
        """Go on when a file is the app's; raises `Forbidden`."""
        if file.app_id != app.id:
            raise Forbidden("this file belongs to another app; use that app's key")

    async def _erase(self, found: Any, reason: str) -> int:
        for file in found:
            left = await self.records.remove(file, reason=reason, now=self.now(), keep_bytes=False, beside=None)
            await self._drop(left or ())
        await self.records.erase([file.handle for file in found])
        return len(found)

    async def _picked(self, account: Account, media_id: str, child_id: str | None) -> tuple[Media, Media, Medium]:
        media = await self.links.medium(account.id, media_id)
        shown = shown_in(media, child_id)
        medium = Medium(account.id, media.id, shown.id if shown.id != media.id else None)
        url = shown.media_url or shown.thumbnail_url
        if url is None:
            raise Unsupported("Instagram gives no address of this medium, as it does where sound is protected")
        await self.links.keep(medium, url)
        return media, shown, medium

    async def _add(self, app: PickerApp, file: File, *, tell: Beside | None = None) -> File:
        async def uploaded(connection: AsyncConnection, added: File) -> None:
            await self.telling.uploaded(connection, app, added)

        added = await self.records.add(app, file, tell or uploaded)
        await self._announce(FileStored(app.workspace_id, app.id, file.handle))
        return added

    async def _kept(self, landed: Landed, keeping: Coroutine[Any, Any, T]) -> T:
        """Refer to bytes that were put; when that does not come about, they go."""
        try:
            return await keeping
        except Exception:
            await self.storing.stores.undo(landed.place)
            raise

    async def _announce(self, event: FileStored | FileRemoved) -> None:
        self.telling.outbox.due()
        await self.bus.publish(event)

    async def _drop(self, places: Any) -> None:
        found: list[Place] = list(places)
        await self.storing.stores.drop(found)


def _overwritten(file: File, landed: Landed, version: int, now: datetime) -> File:
    return replace(
        file,
        kind=Kind.COPY,
        filename=landed.filename,
        content_type=landed.content_type,
        size=landed.size,
        width=None,
        height=None,
        version=version,
        changed_at=now,
        medium=None,
        stored=landed.stored,
    )


def _filename(shown: Media) -> str:
    return filename_of(f"{shown.id}{'.mp4' if shown.kind is MediaKind.VIDEO else '.jpg'}")
