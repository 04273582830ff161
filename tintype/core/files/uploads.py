"""Files that come in parts: begun, sent in any order and as often as it takes, put together once."""

import hashlib
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from tintype.core.files.debt_records import Place
from tintype.core.files.files import Files
from tintype.core.files.keys import container_of, filename_of, key_of, new_handle
from tintype.core.files.model import COMPUTER, HOME, File, PickerApp, StoreOptions, location_of
from tintype.core.files.sniffing import type_of
from tintype.core.files.upload_records import Part, Upload, UploadRecords
from tintype.errors import Forbidden, Invalid, NotFound, TooLarge

PARTS_MAX = 10_000
PART_MAX = 100 * 2**20
IDLE = timedelta(days=1)  # after which an upload that nobody goes on with is over
BATCH = 50


@dataclass(frozen=True, slots=True)
class Uploads:
    """Takes files in parts; `max_bytes` is what one may have in all."""

    records: UploadRecords
    files: Files
    max_bytes: int

    async def start(
        self, app: PickerApp, *, filename: str | None, content_type: str | None, size: int, options: StoreOptions
    ) -> Upload:
        """Begin an upload; where it is to go is fixed from here on.

        Raises `Invalid`, and `TooLarge` before a byte is sent.
        """
        location_of(options.location)
        if size < 0:
            raise Invalid("size must be a number of bytes")
        most = min(self.max_bytes, options.max_size or self.max_bytes)
        if size > most:
            raise TooLarge(f"the file is larger than the {most} bytes that are taken here")
        handle, kind = new_handle(), type_of(b"", content_type)
        claimed = content_type if content_type and content_type.isascii() and content_type.isprintable() else None
        name = filename_of(filename, claimed or "")
        container_of(options.container)
        key_of(handle, name, options.path)
        options = replace(options, filename=name, content_type=claimed, client=options.client or COMPUTER)
        upload = Upload(secrets.token_hex(16), app.id, handle, name, kind, size, options, self.files.now())
        await self.records.begin(upload)
        return upload

    async def get(self, upload_id: str) -> Upload:
        """Return an upload.

        Raises `NotFound` for one that is unknown or over.
        """
        found = await self.records.get(upload_id)
        if found is None:
            raise NotFound("this upload is unknown, or nobody went on with it for a day; begin again")
        return found

    async def of_app(self, app: PickerApp, upload_id: str) -> Upload:
        """Return an app's upload; raises `NotFound`, and `Forbidden` when it is another app's."""
        found = await self.get(upload_id)
        if found.app_id != app.id:
            raise Forbidden("this upload belongs to another app")
        return found

    async def keep(
        self,
        upload: Upload,
        number: int,
        offset: int,
        chunks: AsyncIterable[bytes],
        *,
        size: int | None,
        md5: str | None,
    ) -> str:
        """Take the bytes of a part and return their MD5, by which the sender knows that they are the same.

        Raises `Invalid` for other bytes than were announced, and `TooLarge`.
        """
        check_part(number, offset)
        place = Place(HOME, f"uploads/{upload.id}/{number}-{offset}-{secrets.token_hex(8)}")
        counted = _Counted(chunks, min(PART_MAX, upload.size or PART_MAX))
        await self.files.storing.stores.put(place, counted.chunks(), "application/octet-stream")
        if (size is not None and size != counted.size) or (md5 and md5 != counted.md5):
            await self.files.storing.stores.undo(place)
            raise Invalid(f"part {number} has other bytes than were announced; send it again")
        part = Part(number, offset, place.place, counted.size, counted.md5)
        try:
            left = await self.records.keep(upload, part, self.files.now())
        except Exception:
            await self.files.storing.stores.undo(place)
            raise
        await self.files.storing.stores.drop(left)
        return counted.md5

    async def commit(self, upload: Upload, number: int, size: int | None) -> None:
        """Go on when all pieces of a part are here.

        Raises `Invalid` when one is missing.
        """
        pieces = [one for one in await self.records.parts(upload.id) if one.part == number]
        _whole(number, pieces)
        if not pieces or (size is not None and size != sum(one.size for one in pieces)):
            raise Invalid(f"part {number} is not complete; send what is missing")

    async def complete(
        self, app: PickerApp, upload: Upload, tags: Mapping[int, str] | None, options: StoreOptions | None = None
    ) -> File:
        """Put the parts together and return the file; whoever asks again gets the same file.

        `tags` are the MD5s of the parts as the sender knows them. Raises `Invalid` when a part is missing or is another
        one, and what `Files.store` raises.
        """
        async with self.records.database.exclusive(f"upload:{upload.id}"):
            found = await self.files.records.get(upload.handle)
            if found is None:
                found = await self._put_together(app, upload, tags, options or upload.options)
            left = await self.records.end(upload.id, self.files.now(), forget=False)
        await self.files.storing.stores.drop(left)
        return found

    async def collect(self) -> int:
        """Let go of uploads that nobody goes on with; return how many."""
        done = 0
        while idle := await self.records.idle(self.files.now() - IDLE, BATCH):
            for upload_id in idle:
                await self.records.end(upload_id, self.files.now(), forget=True)
            done += len(idle)
        return done

    async def _put_together(
        self, app: PickerApp, upload: Upload, tags: Mapping[int, str] | None, options: StoreOptions
    ) -> File:
        parts = await self.records.parts(upload.id)
        check_parts(parts, upload.size, tags)
        blobs = self.files.storing.stores.blobs(HOME)

        async def chunks() -> AsyncIterator[bytes]:
            for part in parts:
                async for chunk in blobs.stream(part.place):
                    yield chunk

        return await self.files.store(app, chunks(), options, handle=upload.handle)


def check_part(number: int, offset: int) -> None:
    """Go on when a part can have this number and this offset; raises `Invalid`."""
    if not 1 <= number <= PARTS_MAX:
        raise Invalid(f"part must be a number from 1 to {PARTS_MAX}")
    if not 0 <= offset < PART_MAX:
        raise Invalid(f"offset must be a number of bytes below {PART_MAX}")


def check_parts(parts: Sequence[Part], size: int, tags: Mapping[int, str] | None) -> None:
    """Go on when parts make up a whole file: numbered from 1, without gaps, and each the one that its sender means.

    Raises `Invalid` with what is wrong.
    """
    numbers = sorted({one.part for one in parts})
    if numbers != list(range(1, len(numbers) + 1)):
        missing = next(number for number in range(1, PARTS_MAX + 1) if number not in numbers)
        raise Invalid(f"part {missing} is missing; send it")
    for number in numbers:
        pieces = [one for one in parts if one.part == number]
        _whole(number, pieces)
        told = (tags or {}).get(number)
        if told is not None and len(pieces) == 1 and told.strip().strip('"').lower() != pieces[0].md5:
            raise Invalid(f"the ETag of part {number} is another one; send the part again")
    found = sum(one.size for one in parts)
    if found != size:
        raise Invalid(f"the parts have {found} bytes and the file was to have {size}; send what is missing")


def _whole(number: int, pieces: Sequence[Part]) -> None:
    at = 0
    for piece in sorted(pieces, key=lambda one: one.offset):
        if piece.offset != at:
            raise Invalid(f"part {number} lacks its bytes from {at} on; send them")
        at += piece.size


@dataclass(slots=True)
class _Counted:
    """Bytes on their way into a part."""

    source: AsyncIterable[bytes]
    most: int
    size: int = 0
    md5: str = ""

    async def chunks(self) -> AsyncIterator[bytes]:
        seen = hashlib.md5(usedforsecurity=False)
        async for chunk in self.source:
            self.size += len(chunk)
            if self.size > self.most:
                raise TooLarge(f"a part has at most {self.most} bytes here")
            seen.update(chunk)
            yield chunk
        self.md5 = seen.hexdigest()
