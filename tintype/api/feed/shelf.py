"""Prepared answers: a workspace's feed as ready bytes, so that a read costs a hash and two dictionary look-ups.

An entry holds every form of a token's answer (plain, gzip, br, and the 304 of each) as ASGI messages; what visitors of websites
get is prepared when the first of them asks. Entries are dropped by event, in this process and by the bus in others, and their
freshness is looked at once a minute: those that are read all the time are looked at ahead of that, a few at a time, so that no
reader waits for it. When the database is away the last entry goes on being served: a website's feed fails open.
"""

import asyncio
import json
import logging
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tintype import logs
from tintype.api.cached import photos_key, tenant_key, token_key
from tintype.api.feed.forms import Form, Forms, fitting, forms_of
from tintype.api.feed.wire import Links, encode, first_expiry, lean, moment, photos
from tintype.backends.cache import Cache
from tintype.core.access import Access, Caller, Grant, fingerprint
from tintype.core.feed import Feed
from tintype.errors import Trouble, Unavailable
from tintype.events import AccountChanged, Event, MediaSynced, WorkspaceChanged

log = logging.getLogger(__name__)

RECHECK_SECONDS = 60.0
AHEAD = 0.5  # the part of that time after which whoever reads has it done, without waiting for it
AHEAD_AT_ONCE = 2
PATIENCE_SECONDS = 2.0  # for a database that hangs, when there is a last good list to serve
MOST_BYTES = 512 * 2**20  # some ten thousand feeds of fifty posts
MOST_CALLERS = 50_000
MOST_PARTS = 16  # of one feed; a website asks for the same one always


@dataclass(frozen=True, slots=True)
class Choice:
    """A part of a public feed: the first so many posts, or those of one account."""

    limit: int | None = None
    account: str | None = None

    def of(self, items: Sequence[dict[str, Any]]) -> Sequence[dict[str, Any]]:
        """Return the items that are meant."""
        name = self.account.lower().removeprefix("@") if self.account else None
        return [one for one in items if name is None or (one.get("username") or "").lower() == name][: self.limit]


@dataclass(frozen=True, slots=True)
class Entry:
    """A workspace's feed, prepared; `packed` are its items, for filtered reads and the page."""

    workspace_id: str
    revision: str
    packed: bytes = field(repr=False)
    count: int
    synced_at: datetime | None
    stale: str | None
    forms: Forms
    until: float
    expires: bool = False  # shows an address of Instagram's that ends: the list is read again even if nothing changed
    parts: dict[Choice, Forms] = field(default_factory=dict[Choice, Forms])

    @property
    def items(self) -> list[dict[str, Any]]:
        """Return all items as a page gets them."""
        return json.loads(zlib.decompress(self.packed))

    @property
    def size(self) -> int:
        """Return about how many bytes this holds."""
        held = (self.forms, *self.parts.values())
        return len(self.packed) + sum(len(form.body["body"]) for forms in held for form in forms.values())

    def form(self, accept_encoding: bytes) -> Form:
        """Return the form for what a client accepts."""
        return fitting(self.forms, accept_encoding)

    def part(self, choice: Choice, accept_encoding: bytes) -> Form:
        """Return the public form of a part of the feed, which is packed once for all who want the same part."""
        if choice.limit is not None and choice.limit >= self.count:
            choice = replace(choice, limit=None)
        forms = self.parts.get(choice)
        if forms is None:
            if len(self.parts) >= MOST_PARTS:
                self.parts.clear()
            body = encode({"photos": choice.of(self.items)})
            forms = self.parts[choice] = forms_of(
                body, [*_about(self.synced_at, self.stale), (b"cache-control", _PUBLIC)]
            )
        return fitting(forms, accept_encoding)


@dataclass(frozen=True, slots=True)
class _Opened:
    """A credential that was recognised, and until when that is believed."""

    caller: Caller
    until: float


@dataclass(slots=True)
class Shelf:
    """Holds the prepared feeds of the workspaces that are being read."""

    access: Access
    feed: Feed
    cache: Cache
    links: Links
    trust_seconds: float
    entries: dict[str, Entry] = field(default_factory=dict[str, Entry])
    opened: dict[str, _Opened] = field(default_factory=dict[str, _Opened])
    _making: dict[str, asyncio.Task[Entry]] = field(default_factory=dict[str, "asyncio.Task[Entry]"])
    _asking: dict[str, asyncio.Task[Caller]] = field(default_factory=dict[str, "asyncio.Task[Caller]"])
    _weights: dict[str, int] = field(default_factory=dict[str, int])
    _weight: int = 0
    _changes: int = 0

    def ready(self, secret: str) -> Entry | None:
        """Return the entry for a workspace token when it is at hand and fresh, without waiting for anything."""
        digest = fingerprint(secret)
        opened = self.opened.get(digest)
        now = time.monotonic()
        if opened is None or opened.until < now or opened.caller.grant is not Grant.WORKSPACE:
            return None
        entry = self.entries.get(opened.caller.workspace_id)
        if entry is None or entry.until <= now:
            return None
        ahead = AHEAD * min(RECHECK_SECONDS, self.trust_seconds)
        if entry.until - now < ahead and len(self._making) < AHEAD_AT_ONCE:
            self._begin(entry.workspace_id, entry)
        if opened.until - now < ahead and len(self._asking) < AHEAD_AT_ONCE and digest not in self._asking:
            task = self._asking[digest] = asyncio.create_task(self._asked(secret, digest, opened, opened.caller.grant))
            task.add_done_callback(lambda done: self._answered(digest, done))
        return entry

    async def caller(self, secret: str, grant: Grant) -> Caller:
        """Return who shows `secret`, remembered for a minute.

        Raises what `Access.who` raises; when the database is away, a credential seen before is still believed.
        """
        digest = fingerprint(secret)
        opened = self.opened.get(digest)
        now = time.monotonic()
        if opened and opened.until > now and opened.caller.grant is grant:
            logs.note(workspace=opened.caller.workspace_id)
            return opened.caller
        return await self._asked(secret, digest, opened, grant)

    async def _asked(self, secret: str, digest: str, opened: _Opened | None, grant: Grant) -> Caller:
        changes = self._changes
        try:
            async with asyncio.timeout(PATIENCE_SECONDS if opened else None):
                caller = await self.access.who(secret, grant)
        except (Unavailable, TimeoutError):
            if opened is None or opened.caller.grant is not grant:
                raise
            return opened.caller
        except Trouble:
            self.opened.pop(digest, None)
            raise
        if len(self.opened) >= MOST_CALLERS:
            self.opened.clear()
        if changes == self._changes:  # else it may have been revoked while it was looked up
            self.opened[digest] = _Opened(caller, time.monotonic() + RECHECK_SECONDS)
        await self._note(caller, digest)
        return caller

    async def entry(self, workspace_id: str) -> Entry:
        """Return a workspace's entry, fresh; callers who ask at once share the work."""
        entry = self.entries.get(workspace_id)
        if entry and entry.until > time.monotonic():
            return entry
        return await asyncio.shield(self._begin(workspace_id, entry))

    def weigh(self, entry: Entry) -> None:
        """Take note that an entry has grown, and let go of those that were made first while all are too heavy."""
        workspace_id = entry.workspace_id
        if self.entries.get(workspace_id) is not entry:
            return
        self._weight += entry.size - self._weights.get(workspace_id, 0)
        self._weights[workspace_id] = entry.size
        while len(self.entries) > 1 and self._weight > MOST_BYTES:
            self._drop(next(iter(self.entries)))

    def _drop(self, workspace_id: str) -> None:
        self.entries.pop(workspace_id, None)
        self._weight -= self._weights.pop(workspace_id, 0)

    def _begin(self, workspace_id: str, entry: Entry | None) -> "asyncio.Task[Entry]":
        task = self._making.get(workspace_id)
        if task is None:
            task = self._making[workspace_id] = asyncio.create_task(self._renew(workspace_id, entry))
            task.add_done_callback(lambda done: self._made(workspace_id, done))
        return task

    def _made(self, workspace_id: str, task: "asyncio.Task[Entry]") -> None:
        if self._making.get(workspace_id) is task:
            del self._making[workspace_id]
        _heard(task)

    def _answered(self, digest: str, task: "asyncio.Task[Caller]") -> None:
        self._asking.pop(digest, None)
        _heard(task)

    def forget(self, event: Event) -> None:
        """Drop what an event made old."""
        match event:
            case MediaSynced() | AccountChanged():
                # What is being read at this moment may be the list before the event: it is not kept.
                self._making.pop(event.workspace_id, None)
                if entry := self.entries.get(event.workspace_id):
                    # Kept as the last good list, but looked at again before the next answer.
                    self.entries[event.workspace_id] = replace(entry, until=0.0)
            case WorkspaceChanged():
                self._changes += 1
                self._making.pop(event.workspace_id, None)
                self._drop(event.workspace_id)
                for digest in [
                    key for key, one in self.opened.items() if one.caller.workspace_id == event.workspace_id
                ]:
                    del self.opened[digest]
            case _:
                pass

    async def _renew(self, workspace_id: str, old: Entry | None) -> Entry:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS if old else None):
                entry = await self._fresh(workspace_id, old)
        except (Unavailable, TimeoutError):
            if old is None:
                raise
            log.warning("feed of workspace %s not read anew, the last good list is served", workspace_id)
            return replace(old, until=time.monotonic() + 1.0)
        if self._making.get(workspace_id) is not asyncio.current_task():
            return entry
        self._drop(workspace_id)
        self.entries[workspace_id] = entry
        self.weigh(entry)
        return entry

    async def _fresh(self, workspace_id: str, old: Entry | None) -> Entry:
        revision, synced_at, stale = await self.feed.freshness(workspace_id)
        if old is None or old.revision != revision or old.expires:
            return await self._load(workspace_id, revision, synced_at, stale)
        if (old.synced_at, old.stale) == (synced_at, stale):
            return replace(old, until=self._until())
        return await asyncio.to_thread(lambda: self._prepared(workspace_id, revision, old.items, synced_at, stale))

    def _until(self) -> float:
        return time.monotonic() + min(RECHECK_SECONDS, self.trust_seconds)

    async def _load(self, workspace_id: str, revision: str, synced_at: datetime | None, stale: str | None) -> Entry:
        key = photos_key(workspace_id)
        found = await self._cached(key, revision)
        if found is not None:
            return await asyncio.to_thread(self._prepared, workspace_id, revision, found, synced_at, stale)
        view = await self.feed.view(workspace_id)
        names = {one.id: one.username for one in await self.feed.accounts.of_workspace(workspace_id) if one.username}
        items = photos(view.items, self.links, names, await self.feed.hosting.addresses(workspace_id))
        entry = await asyncio.to_thread(self._prepared, workspace_id, view.revision, items, view.synced_at, view.stale)
        end = first_expiry(view.items)
        if end is None:
            await self._keep(key, view.revision, items)
            return entry
        left = (end - datetime.now(UTC)).total_seconds()
        return replace(entry, expires=True, until=min(entry.until, time.monotonic() + left))

    def _prepared(
        self,
        workspace_id: str,
        revision: str,
        items: list[dict[str, Any]],
        synced_at: datetime | None,
        stale: str | None,
    ) -> Entry:
        private = encode({"success": True, "data": {"photos": list(map(lean, items))}})
        about = _about(synced_at, stale)
        return Entry(
            workspace_id,
            revision,
            zlib.compress(encode(items), 1),
            len(items),
            synced_at,
            stale,
            forms_of(private, [*about, (b"cache-control", b"private, no-cache")]),
            self._until(),
        )

    async def _cached(self, key: str, revision: str) -> list[dict[str, Any]] | None:
        try:
            raw = await self.cache.get(key)
        except Unavailable:
            return None
        kept: dict[str, Any] = json.loads(raw) if raw else {}
        return kept["photos"] if kept.get("revision") == [revision, self.links.base] else None

    async def _keep(self, key: str, revision: str, items: list[dict[str, Any]]) -> None:
        try:
            await self.cache.set(
                key, encode({"revision": [revision, self.links.base], "photos": items}), self.trust_seconds
            )
        except Unavailable:
            log.warning("the cache is away; feeds are read from the database")

    async def _note(self, caller: Caller, digest: str) -> None:
        """Keep the documented keys in a shared cache, for those who look there."""
        try:
            await self.cache.set(token_key(digest), caller.workspace_id.encode(), self.trust_seconds)
            about = encode({"id": caller.workspace_id, "name": caller.workspace_name})
            await self.cache.set(tenant_key(caller.workspace_id), about, self.trust_seconds)
        except Unavailable:
            pass


def _heard(task: "asyncio.Task[Any]") -> None:
    # Where nobody waited nothing is lost: whoever reads when its time has come asks again, and hears it.
    if not task.cancelled():
        task.exception()


_PUBLIC = b"public, max-age=60, stale-while-revalidate=86400, stale-if-error=604800"


def _about(synced_at: datetime | None, stale: str | None) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    if synced_at:
        found.append((b"x-feed-synced-at", moment(synced_at).encode()))
    if stale:
        found.append((b"x-feed-stale", stale.encode()))
    return found
