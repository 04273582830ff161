"""Bringing bytes into a store: where they go, what they are, and that they are there before anybody refers to them."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from tintype.core.files.debt_records import Place
from tintype.core.files.intake import Intake
from tintype.core.files.keys import container_of, filename_of, home_place, key_of, outer_place
from tintype.core.files.model import HOME, PickerApp, Stored, StoreOptions, location_of
from tintype.core.files.stores import Stores
from tintype.errors import Unavailable

PIECE = 2**18


@dataclass(frozen=True, slots=True)
class Landed:
    """Bytes that lie in a store and that nobody refers to yet."""

    stored: Stored
    filename: str
    content_type: str
    size: int

    @property
    def place(self) -> Place:
        """Where they lie."""
        return Place(self.stored.store, self.stored.place)


@dataclass(frozen=True, slots=True)
class Storing:
    """Puts files into the stores; `max_bytes` is what one file may have."""

    stores: Stores
    max_bytes: int

    async def put(
        self,
        app: PickerApp,
        source: bytes | AsyncIterable[bytes],
        options: StoreOptions,
        handle: str,
        *,
        version: int = 1,
        key: str | None = None,
    ) -> Landed:
        """Put a file where its options say and look at what was put; `key` is that of an overwritten file's new content.

        Raises `Invalid`, `TooLarge` and `Unavailable`; then nothing lies there, or nothing for long.
        """
        location = location_of(options.location)
        container = container_of(options.container)
        store = self.stores.name_of(app, location)
        most = min(self.max_bytes, options.max_size or self.max_bytes)
        intake = Intake(_pieces(source), most, options.min_size or 0, options.base64)
        content_type = await intake.begin(options.content_type)
        filename = filename_of(options.filename, content_type)
        key = key or key_of(handle, filename, options.path)
        bucket = self.stores.bucket(store)
        folder = None if container == bucket else container
        place = Place(store, home_place(handle, version) if store == HOME else outer_place(folder, key))
        await self.stores.put(place, intake.chunks(), content_type)
        found = await self.stores.blobs(store).head(place.place)
        if found is None or found.size != intake.size:
            await self.stores.undo(place)
            raise Unavailable("the store does not hold what was just put there; try again")
        path = options.path or None
        stored = Stored(location, store, container or bucket, path, key, place.place, intake.md5, intake.sha256)
        return Landed(stored, filename, content_type, intake.size)


async def _pieces(source: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if not isinstance(source, bytes):
        async for chunk in source:
            yield chunk
        return
    for at in range(0, len(source), PIECE):
        yield source[at : at + PIECE]
