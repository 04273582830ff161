"""Prepared answers: a workspace's feed as ready bytes, so that a read costs a hash and two dictionary look-ups.

An entry holds every form that can be asked for (plain, gzip, br, and the 304 of each) as ASGI messages. Entries are dropped
by event, in this process and by the bus in others, and their freshness is looked at once a minute. When the database is
away the last entry goes on being served: a website's feed fails open.
"""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from tintype import logs
from tintype.api.feed.forms import Form, Forms, fitting, forms_of
from tintype.api.feed.wire import Links, encode, first_expiry, lean, moment, photos
from tintype.backends.cache import Cache
from tintype.core.access import Access, Caller, Grant, fingerprint
from tintype.core.feed import Feed
from tintype.errors import Trouble, Unavailable
from tintype.events import AccountChanged, Event, MediaSynced, WorkspaceChanged

log = logging.getLogger(__name__)

RECHECK_SECONDS = 60.0
PATIENCE_SECONDS = 2.0  # for a database that hangs, when there is a last good list to serve
MOST_BYTES = 256 * 2**20
MOST_CALLERS = 10_000
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
    """A workspace's feed, prepared; `items` are kept for filtered reads and the page."""

    workspace_id: str
    revision: str
    items: list[dict[str, Any]]
    synced_at: datetime | None
    stale: str | None
    forms: Forms
    public: Forms
    until: float
    expires: bool = False  # shows an address of Instagram's that ends: the list is read again even if nothing changed
    parts: dict[Choice, Forms] = field(default_factory=dict[Choice, Forms])

    @property
    def size(self) -> int:
        """Return about how many bytes this holds; the items weigh about as much as their plain form."""
        forms = (*self.forms.values(), *self.public.values())
        return sum(len(form.body["body"]) for form in forms) + len(self.public[b""].body["body"])

    def form(self, accept_encoding: bytes, *, public: bool = False) -> Form:
        """Return the form for what a client accepts."""
        forms = self.public if public else self.forms
        return fitting(forms, accept_encoding)

    def part(self, choice: Choice, accept_encoding: bytes) -> Form:
        """Return the public form of a part of the feed, which is packed once for all who want the same part."""
        if choice.account is None and (choice.limit is None or choice.limit >= len(self.items)):
            return self.form(accept_encoding, public=True)
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
    _changes: int = 0

    def ready(self, secret: str) -> Entry | None:
        """Return the entry for a workspace token when it is at hand and fresh, without waiting for anything."""
        opened = self.opened.get(fingerprint(secret))
        now = time.monotonic()
        if opened is None or opened.until < now or opened.caller.grant is not Grant.WORKSPACE:
            return None
        entry = self.entries.get(opened.caller.workspace_id)
        return entry if entry is not None and entry.until > now else None

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
            self.opened[digest] = _Opened(caller, now + RECHECK_SECONDS)
        await self._note(caller, digest)
        return caller

    async def entry(self, workspace_id: str) -> Entry:
        """Return a workspace's entry, fresh; callers who ask at once share the work."""
        entry = self.entries.get(workspace_id)
        if entry and entry.until > time.monotonic():
            return entry
        task = self._making.get(workspace_id)
        if task is None:
            task = self._making[workspace_id] = asyncio.create_task(self._renew(workspace_id, entry))
            task.add_done_callback(lambda done: self._made(workspace_id, done))
        return await asyncio.shield(task)

    def _made(self, workspace_id: str, task: "asyncio.Task[Entry]") -> None:
        if self._making.get(workspace_id) is task:
            del self._making[workspace_id]

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
                self.entries.pop(event.workspace_id, None)
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
        self.entries.pop(workspace_id, None)
        self.entries[workspace_id] = entry
        while len(self.entries) > 1 and sum(one.size for one in self.entries.values()) > MOST_BYTES:
            self.entries.pop(next(iter(self.entries)))
        return entry

    async def _fresh(self, workspace_id: str, old: Entry | None) -> Entry:
        revision, synced_at, stale = await self.feed.freshness(workspace_id)
        if old is None or old.revision != revision or old.expires:
            return await self._load(workspace_id, revision, synced_at, stale)
        if (old.synced_at, old.stale) == (synced_at, stale):
            return replace(old, until=self._until())
        return await asyncio.to_thread(self._prepared, workspace_id, revision, old.items, synced_at, stale)

    def _until(self) -> float:
        return time.monotonic() + min(RECHECK_SECONDS, self.trust_seconds)

    async def _load(self, workspace_id: str, revision: str, synced_at: datetime | None, stale: str | None) -> Entry:
        key = f"instagram:{workspace_id}:photos"
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
        public = encode({"photos": items})
        about = _about(synced_at, stale)
        return Entry(
            workspace_id,
            revision,
            items,
            synced_at,
            stale,
            forms_of(private, [*about, (b"cache-control", b"private, no-cache")]),
            forms_of(public, [*about, (b"cache-control", _PUBLIC)]),
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
            await self.cache.set(f"auth_token:{digest}", caller.workspace_id.encode(), self.trust_seconds)
            about = encode({"id": caller.workspace_id, "name": caller.workspace_name})
            await self.cache.set(f"tenant:{caller.workspace_id}", about, self.trust_seconds)
        except Unavailable:
            pass


_PUBLIC = b"public, max-age=60, stale-while-revalidate=86400, stale-if-error=604800"


def _about(synced_at: datetime | None, stale: str | None) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    if synced_at:
        found.append((b"x-feed-synced-at", moment(synced_at).encode()))
    if stale:
        found.append((b"x-feed-stale", stale.encode()))
    return found
