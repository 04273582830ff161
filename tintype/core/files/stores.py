"""Where bytes lie: the house's own store and the operator's, and the debts that let none of them be forgotten.

Bytes are put first and referred to afterwards, in one transaction. Before they are put their place is written down as a
debt, which that transaction settles; whoever is killed in between leaves a debt, and the sweep pays it by deleting.
"""

from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from secrets import token_hex

from tintype.backends.blobs import Blobs
from tintype.core.files.debt_records import DebtRecords, Place
from tintype.core.files.model import HOME, PickerApp, location_of
from tintype.errors import Invalid, Unavailable

UNFINISHED = timedelta(hours=2)  # after which a write that nobody refers to was given up


@dataclass(frozen=True, slots=True)
class Store:
    """One store of the operator's; files whose container has the bucket's own name lie at its top."""

    blobs: Blobs
    bucket: str | None = None


@dataclass(frozen=True, slots=True)
class Stores:
    """Puts bytes where a location says, reads and deletes them; `named` are the operator's stores beside the house's own."""

    home: Blobs
    named: Mapping[str, Store]
    debts: DebtRecords
    now: Callable[[], datetime]

    def name_of(self, app: PickerApp, location: str) -> str:
        """Return the store that takes a documented location: the app's choice, one of the location's name, or our own.

        Raises `Invalid` for a location that is not known.
        """
        known = location_of(location)
        chosen = app.storages.get(known, known if known in self.named else HOME)
        return chosen if chosen in self.named else HOME

    def bucket(self, name: str) -> str | None:
        """Return the bucket's name that a store has for its owner."""
        return self.named[name].bucket if name in self.named else None

    def blobs(self, name: str) -> Blobs:
        """Return a store by its name.

        Raises `Unavailable` for one that the operator took out of the settings while files lie there.
        """
        if name == HOME:
            return self.home
        if name not in self.named:
            raise Unavailable(f"the store {name!r} is not among the settings' STORAGES any more")
        return self.named[name].blobs

    async def put(self, place: Place, chunks: bytes | AsyncIterable[bytes], content_type: str) -> None:
        """Put bytes at a place, under a debt that the transaction which refers to it settles.

        Raises `Conflict` for a place that is taken.
        """
        blobs = self.blobs(place.store)
        await self.debts.owe(place, self.now())
        try:
            await blobs.put(place.place, chunks, content_type=content_type)
        except Exception:
            await self.undo(place)
            raise

    async def undo(self, place: Place) -> None:
        """Delete what was put at a place, because nothing came of it."""
        if await self.debts.undo(place):
            await self.drop([place])

    async def pay(self, older_than: timedelta = UNFINISHED) -> int:
        """Delete what nobody refers to; return how many places that were."""
        done, now = 0, self.now()
        while places := await self.debts.condemn(now - older_than, now):
            paid = [place for place in places if await self._delete(place)]
            await self.debts.forget(paid)
            done += len(paid)
            if len(paid) < len(places):
                break  # a store is away: the rest is tried at the next sweep
        return done

    async def check(self, name: str) -> None:
        """Write something to a store, read it back and delete it, as storing a file does.

        Raises `Unavailable` with what does not work, `Invalid` for a name that is none.
        """
        if name != HOME and name not in self.named:
            raise Invalid(f"there is no store {name!r}; known are {', '.join(sorted((HOME, *self.named)))}")
        blobs, place = self.blobs(name), f"tintype-check-{token_hex(8)}.txt"
        await blobs.put(place, b"checked", content_type="text/plain")
        try:
            if await blobs.get(place) != b"checked":
                raise Unavailable(f"the store {name!r} does not give back what was put there")
        finally:
            await blobs.delete(place)

    async def drop(self, places: Sequence[Place]) -> None:
        """Delete places whose debt says that they are let go, at once; what fails is left to the sweep."""
        await self.debts.forget([place for place in places if await self._delete(place)])

    async def _delete(self, place: Place) -> bool:
        try:
            await self.blobs(place.store).delete(place.place)
        except Unavailable:
            return False
        return True
