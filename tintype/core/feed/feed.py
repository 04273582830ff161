"""The trade of the feed: sync an account, show a workspace's list, and what was asked of Instagram for it."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from tintype.backends.bus import Bus
from tintype.backends.engine import Engine
from tintype.core.accounts import Account, Accounts, Grip, State
from tintype.core.feed.comparing import Known, Plan, plan, wants_copies
from tintype.core.feed.copies import Copies, When
from tintype.core.feed.curation import Curation
from tintype.core.feed.hosting import Hosting
from tintype.core.feed.model import (
    Departures,
    Item,
    Policy,
    Standing,
    Suspect,
    View,
    confirm_due,
    deep_due,
    drop_limit,
    droppable,
    looks,
    noting,
    stale_reason,
    sync_due,
)
from tintype.core.feed.reading import Pass, Reader
from tintype.core.feed.records import FeedRecords
from tintype.errors import Gone, Reconnect, Trouble
from tintype.events import MediaSynced
from tintype.instagram import Graph

log = logging.getLogger(__name__)

# Items copied and swapped in together: few at first, so that a new feed shows soon, and never more than a killed process
# should have to copy again.
FIRST_BATCH = 1
LARGEST_BATCH = 48

_SYNCED = (State.CONNECTED, State.RECONNECT)


@dataclass(frozen=True, slots=True)
class Report:
    """What a sync did: how many posts the account has now, how many were stored, removed, and at what moment."""

    photos: int
    stored: int
    removed: int
    synced_at: datetime


@dataclass(frozen=True, slots=True)
class Feed:
    """Keeps the media of connected accounts and shows them."""

    records: FeedRecords
    accounts: Accounts
    graph: Graph
    copies: Copies
    engine: Engine
    bus: Bus
    curation: Curation
    hosting: Hosting
    policy: Policy

    async def sync(self, account_id: str, *, deep: bool = False) -> Report:
        """Bring one account up to date and return what that took.

        Raises `Reconnect` when only a person can help (the account is marked so), `Gone` when the account was let go
        meanwhile, and other `Trouble` when Instagram could not be read; in every case the stored feed stays whole.
        """
        async with self.records.database.exclusive(f"feed.sync:{account_id}"):
            grip: Grip | None = None
            try:
                grip = await self.accounts.open(account_id)
                return await self._sync(Reader(self.graph, grip), deep)
            except Gone:
                raise  # nothing may be stored of it any more, not even this
            except Trouble as trouble:
                await self._failed(account_id, trouble, grip)
                raise

    async def sync_workspace(self, workspace_id: str) -> Report:
        """Sync all connected accounts of a workspace and return the sum.

        Raises the first account's `Trouble` after all were tried, and `Reconnect` when none was ever connected.
        """
        reports: list[Report] = []
        troubles: list[Trouble] = []
        accounts = [one for one in await self.accounts.of_workspace(workspace_id) if one.state in _SYNCED]
        if not accounts:
            raise Reconnect("this project has no token yet; connect an Instagram account first")
        for account in accounts:
            try:
                reports.append(await self.sync(account.id))
            except Trouble as trouble:
                troubles.append(trouble)
        if troubles:
            raise troubles[0]
        return total(reports)

    async def queue(self, account: Account, *, deep: bool = False, again: bool = False) -> str:
        """Ask for an account to be synced soon; return the job's id, that of the waiting one if there is one.

        With `again`, because something happened just now, a sync that runs already is followed by one more.
        """
        how = ("deep",) if deep else ()
        unique = ":".join(("feed.sync", account.id, *how))
        return await self.engine.enqueue("feed.sync", account.id, *how, unique=unique, again=again)

    async def due(self) -> Sequence[Account]:
        """Return the connected accounts whose last sync, or last failed try, is as old as the policy's interval."""
        interval, now = self.policy.interval, self.graph.now()
        if interval is None:
            return []
        standings = await self.records.all_standings()
        connected = [account for account in await self.accounts.all() if account.state is State.CONNECTED]
        return [account for account in connected if sync_due(standings.get(account.id), account.id, now, interval)]

    async def queue_workspace(self, workspace_id: str) -> str:
        """Ask for all accounts of a workspace to be synced soon; return the job's id, that of the present one if there is one.

        One that has begun may have looked already, and is followed by one more.
        """
        unique = f"feed.sync_workspace:{workspace_id}"
        return await self.engine.enqueue_after("feed.sync_workspace", workspace_id, unique=unique)

    async def view(self, workspace_id: str) -> View:
        """Return a workspace's feed as it stands."""
        # In this order: a sync that ends in between makes the list newer than its revision says, and never older.
        revision, synced_at, stale = await self.freshness(workspace_id)
        chosen = await self.curation.of(workspace_id)
        items = await self.records.items(workspace_id)
        return View(chosen.applied(items), synced_at, stale, revision)

    async def freshness(self, workspace_id: str) -> tuple[str, datetime | None, str | None]:
        """Return a workspace's revision, the moment of its oldest sync, and the reason when its feed is stale."""
        accounts = await self.accounts.of_workspace(workspace_id)
        standings = await self.records.standings(workspace_id)
        now = self.graph.now()
        reasons = [
            stale_reason(standings.get(account.id), account.state, now, self.policy.interval)
            # One that was registered and never connected has no part in a feed that others fill.
            for account in [one for one in accounts if one.state is not State.WAITING] or accounts
        ]
        moments = [standing.synced_at for standing in standings.values() if standing.synced_at]
        chosen = await self.curation.of(workspace_id)
        names = {account.id: account.username or "" for account in accounts}  # shown beside each post
        revision = "-".join(f"{key[:8]}.{one.revision}.{names.get(key, '')}" for key, one in standings.items())
        revision += (f"-{chosen.number}" if chosen.number else "") + self.hosting.mark
        return revision, min(moments) if moments else None, next((reason for reason in reasons if reason), None)

    async def items(self, workspace_id: str, account_id: str | None = None) -> Sequence[Item]:
        """Return what a workspace, or one account of it, shows, newest first."""
        return await self.records.items(workspace_id, account_id)

    async def standings(self, workspace_id: str) -> Mapping[str, Standing]:
        """Return how the syncs of a workspace's accounts stand, by account id; one never synced may be missing."""
        return await self.records.standings(workspace_id)

    async def count(self, workspace_id: str) -> int:
        """Return how many posts a workspace shows."""
        return await self.records.count(workspace_id)

    async def leave(self, workspace_id: str) -> int:
        """Let go of a removed workspace's accounts and forget its media; return how many accounts that were."""
        accounts = await self.accounts.of_workspace(workspace_id)
        for account in accounts:
            await self.accounts.disconnect(workspace_id, account.id, reason="its workspace was removed")
        await self.erase(workspace_id)
        return len(accounts)

    async def erase(self, workspace_id: str, account_id: str | None = None) -> None:
        """Forget a workspace's media, or those of one account; their copies go with the next collections."""
        await self.records.erase(workspace_id, account_id)
        await self.curation.forget(workspace_id, account_id)
        await self.bus.publish(MediaSynced(workspace_id, account_id or "", changed=True))

    async def _sync(self, reader: Reader, deep: bool) -> Report:
        account = reader.grip.account
        standing, stored = await self.records.known(account.id)
        deep = deep or deep_due(standing, self.graph.now())
        wanting = partial(wants_copies, policy=self.policy, now=self.graph.now())
        seen = await reader.read(stored, deep=deep, max_items=self.policy.max_items, wanting=wanting)
        found = plan(stored, seen.said, complete=seen.complete, wanting=wanting)
        if not seen.said and seen.complete and stored and (await reader.profile()).media_count == 0:
            found = Plan(frozenset(), frozenset(), tuple(stored))

        departures = await self._missing(reader, found, len(stored))
        await self.accounts.describe(account, seen.username)

        now = self.graph.now()
        fresh = replace(standing, synced_at=now, problem=None, deep_at=now if deep else standing.deep_at)
        changed = False
        stirred = bool(found.store or departures.removed or departures.suspects)
        if stirred or _returned(found, stored):
            changed = await self._swap_in(reader, found, seen, departures, fresh)
        elif _worth_noting(standing, fresh, noting(self.policy.interval)):
            await self.records.note(account.workspace_id, fresh)
        await self._announce(account, changed=changed)
        photos = len(stored.keys() | found.store) - len(departures.removed)
        return Report(min(photos, self.policy.max_items), len(found.store), len(departures.removed), now)

    async def _swap_in(
        self, reader: Reader, found: Plan, seen: Pass, departures: Departures, standing: Standing
    ) -> bool:
        """Copy and store what a pass found, part by part; tell whether the feed looks different now."""
        account = reader.grip.account
        stored = {item.id: item for item in await self.records.items(account.workspace_id, account.id)}
        changed = False
        parts, sources = list(batches(seen.items(found.store))), seen.sources()
        for number, part in enumerate(parts, 1):
            filled = await self.copies.fill(part, sources, stored, reader.urls, When(self.graph.now(), self.policy))
            final = number == len(parts)
            shown = any(looks(item) != looks(stored.get(item.id)) for item in filled)
            shown = shown or (final and bool(departures.removed))
            changed = changed or shown
            # Until its last batch a pass counts as not deep: were it killed, the next one reads everything again and
            # does not take the newest items, already stored, for known ground.
            step = standing if final else replace(standing, deep_at=None)
            await self.hosting.put(account.workspace_id, filled)
            await self.records.store(
                account,
                [item for item in filled if item != stored.get(item.id)],
                kept=tuple(found.keep) if final else (),
                departures=departures if final else Departures(),
                standing=step,
                max_items=self.policy.max_items,
                shown=shown,
            )
            await self.hosting.settle(filled)
            if shown and not final:
                await self._announce(account, changed=True)
        return changed

    async def _announce(self, account: Account, *, changed: bool) -> None:
        await self.bus.publish(MediaSynced(account.workspace_id, account.id, changed))
        if changed:
            await self.engine.enqueue("feed.render", unique="feed.render")

    async def _missing(self, reader: Reader, found: Plan, held: int) -> Departures:
        """Read missing items directly and return what that says of them."""
        now = self.graph.now()
        account = reader.grip.account
        known = {one.id: one for one in await self.records.suspects(account.id, found.missing)} if found.missing else {}
        due = [one for one in known.values() if confirm_due(one, now, self.policy.removal_spacing)]
        certain: list[str] = []
        suspects: list[Suspect] = []
        for one in due[: drop_limit(held)]:
            try:
                gone = await reader.is_gone(one.id)
            except Reconnect:
                raise
            except Trouble as trouble:
                log.warning("missing posts of account %s not looked for: %s", account.id, trouble.message)
                break  # what this pass did see is worth storing; the next one looks again
            if not gone:
                continue
            if one.confirmed >= 1:
                certain.append(one.id)
            else:
                suspects.append(Suspect(one.id, one.confirmed + 1, now))
        return Departures(droppable(certain, held), tuple(suspects))

    async def _failed(self, account_id: str, trouble: Trouble, grip: Grip | None) -> None:
        account = await self.accounts.find(account_id)
        if account is None:
            return
        standing = await self.records.standing(account_id)
        problem = replace(standing, failed_at=self.graph.now(), problem=trouble.message)
        try:
            await self.records.note(account.workspace_id, problem)
        except Gone:
            return
        if isinstance(trouble, Reconnect) and grip and account.state is State.CONNECTED:
            await self.accounts.lost(account, trouble, grip)
        await self.bus.publish(MediaSynced(account.workspace_id, account_id, changed=False))


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield items in parts of growing size; at least one part, which is empty when there are none."""
    start, size = 0, FIRST_BATCH
    while start < len(items) or start == 0:
        yield items[start : start + size]
        start, size = start + size, min(2 * size, LARGEST_BATCH)


def total(reports: Sequence[Report]) -> Report:
    """Return the sum of several reports, with the moment of the latest."""
    moment = max((report.synced_at for report in reports), default=datetime.now(UTC))
    return Report(
        sum(report.photos for report in reports),
        sum(report.stored for report in reports),
        sum(report.removed for report in reports),
        moment,
    )


def _returned(found: Plan, stored: Mapping[str, Known]) -> bool:
    """Tell whether something was seen that an earlier pass had missed."""
    return any(stored[media_id].missed for media_id in found.keep)


def _worth_noting(before: Standing, after: Standing, spacing: timedelta) -> bool:
    """Tell whether an unchanged sync has to be written down: seldom, after a failure, or when it was a deep one."""
    if before.synced_at is None or after.synced_at is None or before.deep_at != after.deep_at:
        return True
    recovered = before.failed_at is not None and before.failed_at > before.synced_at
    return recovered or after.synced_at - before.synced_at > spacing
