"""The trade of insights: measure media and accounts in time, keep every number, and show what is known of them."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta

from tintype.backends.bus import Bus
from tintype.backends.engine import Engine
from tintype.core.accounts import Account, Accounts, Grip, Signer, State
from tintype.core.insights import exports
from tintype.core.insights.days import bounds, last_day, spans, wanted
from tintype.core.insights.hours import BestHours, best_hours
from tintype.core.insights.model import (
    DAY,
    HOUR,
    MEASURED,
    MINUTE,
    STORY_LIFE,
    AccountSeries,
    Collected,
    End,
    Known,
    Policy,
    Post,
    PostNumbers,
    Product,
    Sample,
    Source,
    Target,
    Visits,
    day_due,
    failed,
    measurable,
    never_read,
    readable,
    stories_due,
    visit_due,
    was_read,
)
from tintype.core.insights.ranking import RATE, Order, check_metric, ranked, value_of
from tintype.core.insights.rates import numbers_of
from tintype.core.insights.reading import Reader, Refusals
from tintype.core.insights.records import InsightRecords
from tintype.core.insights.series import DAILY, FOLLOWERS, check_days, counts_of, day_of, known_days, series_of
from tintype.core.insights.stories import FIELD, samples_of
from tintype.errors import Busy, Forbidden, Gone, NotFound, Reconnect, Refused, Trouble, Unreachable
from tintype.events import InsightsUpdated
from tintype.instagram import Change, Graph

log = logging.getLogger(__name__)

AT_ONCE = 4  # accounts that are read beside each other
PASS = 500  # media that one pass reads at most

# How long an account is left alone after trouble for which Instagram named no time.
RESTS = {Busy.kind: HOUR, Forbidden.kind: 6 * HOUR, Unreachable.kind: 10 * MINUTE}

POSTS = (Product.FEED, Product.CAROUSEL, Product.REELS)
MATURE = DAY  # a younger post is no witness for the hour at which it was published


@dataclass(frozen=True, slots=True)
class Insights:
    """Measures the media and the accounts that are connected, and shows their numbers."""

    records: InsightRecords
    accounts: Accounts
    graph: Graph
    bus: Bus
    policy: Policy
    engine: Engine
    refusals: Refusals = field(default_factory=Refusals)

    async def track(
        self,
        workspace_id: str,
        account_id: str,
        media_id: str,
        product: Product,
        published_at: datetime,
        *,
        permalink: str | None = None,
        caption: str = "",
    ) -> None:
        """Measure a medium from now on; once more changes nothing. Raises `Gone` when the account was let go."""
        target = Target(account_id, workspace_id, media_id, product, published_at, permalink, caption)
        await self.records.begin(never_read(target))

    async def notice(self, account_id: str, media_id: str) -> Target:
        """Measure a medium of which only the id is known, asking Instagram what it is.

        Raises `NotFound` when the account has no such medium, and other `Trouble` when Instagram could not be asked.
        """
        account = await self._account(account_id)
        known = await self.records.target(account.workspace_id, media_id, account_id)
        if known is not None:
            return known
        async with self._reading(account) as reader:
            found = await reader.item(media_id)
        if found is None:
            raise NotFound(f"account {account.username or account.instagram_id} has no medium {media_id[:64]!r}")
        target = never_read(found)
        await self.records.track(account, [target])
        return target

    async def discover(self, account: Account) -> int:
        """Find the account's media and stories that were made elsewhere, and measure them; return how many are new.

        Raises `Trouble` when Instagram could not be asked.
        """
        since = self.graph.now() - MEASURED
        async with self._reading(account) as reader:
            found = await self._new_stories(account, reader)
            media = await reader.unknown_media(await self.records.known(account.id), since)
            return found + await self.records.track(account, [never_read(one) for one in media])

    async def find_stories(self, account: Account) -> int:
        """Find the account's present stories; return how many are new. Raises `Trouble` as `discover` does."""
        async with self._reading(account) as reader:
            return await self._new_stories(account, reader)

    async def collect_due(self, limit: int = PASS) -> Collected:
        """Read the media whose time has come, account by account; trouble with one account never stops another."""
        now = self.graph.now()
        connected = {one.id: one for one in await self.accounts.all() if measurable(one)}
        waiting = [connected[one] for one in await self.records.due_accounts(now) if one in connected]
        each = max(1, limit // max(1, len(waiting)))
        gate = asyncio.Semaphore(AT_ONCE)

        async def collect(account: Account) -> tuple[int, int]:
            async with gate:
                return await self._collect(account, each)

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(collect(account)) for account in waiting[:limit]]
        done = [task.result() for task in tasks]
        return Collected(sum(read for read, _ in done), sum(lost for _, lost in done), len(done))

    async def of_media(self, workspace_id: str, media_id: str, *, account_id: str | None = None) -> PostNumbers:
        """Return a medium's numbers, read now when the last ones are too old.

        When Instagram does not answer they are the stored ones, whose age is told. A medium that is not measured so far
        is looked for in the account, when one is given. Raises `NotFound` for media of others, and Instagram's `Trouble`
        when nothing was ever stored.
        """
        target = await self.records.target(workspace_id, media_id, account_id)
        if target is None and account_id is not None:
            await self.accounts.get(workspace_id, account_id)
            target = await self.notice(account_id, media_id)
        if target is None:
            raise NotFound(f"there is no medium {media_id[:64]!r} in this workspace")
        trouble = await self._refreshed(target)
        target = await self.records.target(workspace_id, media_id, target.account_id) or target
        known = await self.records.numbers(workspace_id, target.account_id, media_id)
        if trouble is not None and not known and target.read_at is None:
            raise trouble
        followers = (await self.records.followers(workspace_id)).get(target.account_id)
        return numbers_of(target, known, followers, self.policy.formula)

    async def history(self, workspace_id: str, media_id: str, metric: str | None = None) -> Sequence[Sample]:
        """Return every kept sample of a medium, oldest first: its life curve. Raises `NotFound` for media of others."""
        target = await self.records.target(workspace_id, media_id)
        if target is None:
            raise NotFound(f"there is no medium {media_id[:64]!r} in this workspace")
        return await self.records.history(workspace_id, target.account_id, media_id, metric)

    async def of_account(self, workspace_id: str, account_id: str, since: date, until: date) -> AccountSeries:
        """Return an account day by day, both days included, from what is stored.

        Raises `NotFound` for accounts of others, and `Invalid` for days that `check_days` does not take.
        """
        check_days(since, until)
        await self.accounts.get(workspace_id, account_id)
        # Wider than asked: the day before tells the first net, and days end at other moments in California.
        start, end = (datetime.combine(day, time(), UTC) for day in (since - DAY, until + 2 * DAY))
        samples = await self.records.days(workspace_id, account_id, (FOLLOWERS, *DAILY), start, end)
        return series_of(await self.records.visits(account_id), samples, since, until)

    async def capture_account(self, account: Account) -> int:
        """Store an account's followers as of now, and reach and views of the last month's days that are missing.

        Returns how many numbers were stored. Raises `Trouble` when Instagram could not be asked; what it told until then
        stays.
        """
        async with self.records.database.exclusive(f"insights.capture:{account.id}"), self._reading(account) as reader:
            profile = await reader.profile()
            counts = counts_of(profile, self.graph.now())
            await self.records.store_account(account, counts, self.graph.version)
            await self.accounts.portray(account, profile)
            stored = len(counts) + await self._capture_days(account, reader)
            await self._visited(account, captured_at=self.graph.now(), paused_until=None, problem=None)
        await self._announce(account)
        return stored

    async def due(self) -> Sequence[Account]:
        """Return the connected accounts that are to be visited now: for their day, or for their stories."""
        now, known = self.graph.now(), await self.records.all_visits()
        accounts = [one for one in await self.accounts.all() if measurable(one)]
        return [one for one in accounts if visit_due(known.get(one.id) or Visits(one.id), now)]

    async def queue_visit(self, account: Account) -> str:
        """Ask for an account to be visited soon; return the job's id, that of the waiting one if there is one."""
        return await self.engine.enqueue("insights.visit", account.id, unique=f"insights.visit:{account.id}")

    async def visit(self, account_id: str) -> int:
        """Do what is due for an account: capture its day and find its media, or find its stories; return what was new.

        Raises `Trouble` when Instagram could not be asked.
        """
        account = await self._account(account_id)
        visits, now = await self.records.visits(account_id), self.graph.now()
        if day_due(visits, now):
            return await self.discover(account) + await self.capture_account(account)
        return await self.find_stories(account) if stories_due(visits, now) else 0

    async def heard(self, change: Change, signers: Sequence[Signer]) -> int:
        """Take what a webhook says of a story that vanished; return of how many accounts it was news."""
        if change.field != FIELD or change.account_id is None:
            return 0
        accounts = await self.accounts.known_as(change.account_id, signers)
        return sum([await self.story_insights(account, change) for account in accounts])

    async def story_insights(self, account: Account, change: Change) -> bool:
        """Store the last word on a story; tell whether it was news. An account that was let go keeps nothing."""
        now, media_id = self.graph.now(), change.subject_id
        samples = samples_of(change, now)
        if media_id is None or len(media_id) > 64 or not samples:
            return False
        target = await self.records.target(account.workspace_id, media_id, account.id)
        if target is None:
            published_at = samples[0].captured_at - STORY_LIFE
            target = Target(account.id, account.workspace_id, media_id, Product.STORY, published_at)
        known = await self.records.numbers(account.workspace_id, account.id, media_id)
        said = {one.name: one.value for one in samples if one.value is not None}
        if target.product is not Product.STORY or (target.ended is End.TOLD and said == _told(known)):
            return False
        told = replace(target, read_at=samples[0].captured_at, next_due=None, ended=End.TOLD)
        try:
            await self.records.begin(target)
            await self.records.store(account, told, samples, self.graph.version)
        except Gone:
            return False
        await self._announce(account)
        return True

    async def posts(
        self,
        workspace_id: str,
        account_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        products: Collection[Product] = POSTS,
    ) -> Sequence[Post]:
        """Return the measured media of a workspace or an account with their numbers, newest first; stories if asked for.

        Raises `NotFound` for accounts of others.
        """
        if account_id is not None:
            await self.accounts.get(workspace_id, account_id)
        followers = await self.records.followers(workspace_id)
        found = await self.records.posts(workspace_id, account_id, since, until)
        return [
            Post(target, numbers_of(target, known, followers.get(target.account_id), self.policy.formula))
            for target, known in found
            if target.product in products
        ]

    async def top(
        self,
        workspace_id: str,
        account_id: str | None = None,
        *,
        metric: str = RATE,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 10,
        order: Order = "desc",
        products: Collection[Product] = POSTS,
    ) -> Sequence[Post]:
        """Return the posts of a time that did best by a metric, or worst; those without that number are left out.

        Raises `Invalid` for an unknown metric, and `NotFound` for accounts of others.
        """
        check_metric(metric)
        return ranked(await self.posts(workspace_id, account_id, since, until, products=products), metric, order, limit)

    async def best_hours(self, workspace_id: str, account_id: str, timezone: str, *, metric: str = RATE) -> BestHours:
        """Return how the posts of each hour of the week did, in the account's zone, with how many say so.

        Raises `Invalid` for an unknown zone or metric, and `NotFound` for accounts of others.
        """
        check_metric(metric)
        until = self.graph.now() - MATURE
        posts = await self.posts(workspace_id, account_id, until=until)
        values = [(post.target.published_at, value_of(post, metric)) for post in posts]
        return best_hours([(at, value) for at, value in values if value is not None], timezone, metric)

    async def export_posts(
        self,
        workspace_id: str,
        account_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        form: exports.Format = "csv",
        bom: bool = False,
    ) -> Iterator[str]:
        """Return the lines of a file with every measured medium, stories too. Raises `NotFound` for accounts of others."""
        posts = await self.posts(workspace_id, account_id, since, until, products=tuple(Product))
        return exports.lines(exports.POST_COLUMNS, map(exports.post_row, posts), form, bom=bom)

    async def export_account(
        self,
        workspace_id: str,
        account_id: str,
        since: date,
        until: date,
        *,
        form: exports.Format = "csv",
        bom: bool = False,
    ) -> Iterator[str]:
        """Return the lines of a file with an account day by day. Raises as `of_account` does."""
        series = await self.of_account(workspace_id, account_id, since, until)
        return exports.lines(exports.ACCOUNT_COLUMNS, exports.account_rows(series), form, bom=bom)

    async def thin(self) -> int:
        """Keep of old samples the last of each day, and nothing of removed workspaces; return how many went."""
        for workspace_id in await self.records.left_behind():
            await self.records.erase(workspace_id)
        before = self.graph.now() - self.policy.raw_for
        dropped = 0
        for account_id in await self.records.accounts():
            while some := await self.records.thin(account_id, before):
                dropped += some
        return dropped

    async def expire(self) -> int:
        """Forget the samples of days that are not kept any more, whole days only; return how many went.

        The last numbers of media and accounts stay.
        """
        first = (self.graph.now() - self.policy.kept).astimezone(UTC).date()
        dropped = 0
        for account_id in await self.records.accounts():
            while some := await self.records.expire(account_id, first):
                dropped += some
        return dropped

    async def erase(self, workspace_id: str, account_id: str | None = None) -> None:
        """Forget all numbers of a workspace, or of one account of it."""
        await self.records.erase(workspace_id, account_id)
        await self.bus.publish(InsightsUpdated(workspace_id, account_id or ""))

    async def _account(self, account_id: str) -> Account:
        account = await self.accounts.find(account_id)
        if account is None:
            raise NotFound(f"there is no account {account_id[:64]!r}")
        return account

    async def _new_stories(self, account: Account, reader: Reader) -> int:
        found = [never_read(one) for one in await reader.stories()]
        new = await self.records.track(account, found)
        await self._visited(account, stories_at=self.graph.now())
        return new

    async def _collect(self, account: Account, limit: int) -> tuple[int, int]:
        """Read an account's due media; return how many were read, and how many could not be."""
        read = lost = 0
        async with self.records.database.exclusive(f"insights.collect:{account.id}"):
            due = await self.records.due(account.id, self.graph.now(), limit)
            try:
                async with self._reading(account) as reader:
                    for target in due:
                        if await self._try(reader, target):
                            read += 1
                        else:
                            lost += 1
                if read:
                    await self._visited(account, paused_until=None, problem=None)
            except Trouble as trouble:
                log.info("account %s is left alone for now: %s", account.id, trouble.message)
                lost += 1
        if read:
            await self._announce(account)
        return read, lost

    async def _try(self, reader: Reader, target: Target) -> bool:
        now = self.graph.now()
        if not readable(target, now):
            await self.records.schedule(replace(target, next_due=None))
            return False
        try:
            await self._read(reader, target)
        except Refused as trouble:
            log.info("medium %s is not read: %s", target.media_id, trouble.message)
            await self.records.schedule(failed(target, now, refused=True))
            return False
        except Unreachable:
            await self.records.schedule(failed(target, now, refused=False))
            raise
        return True

    async def _read(self, reader: Reader, target: Target) -> None:
        found = await reader.medium(target)
        await self.records.store(reader.grip.account, was_read(target, self.graph.now()), found, self.graph.version)

    async def _refreshed(self, target: Target) -> Trouble | None:
        """Read a medium if its numbers are too old; return what prevented it."""
        if not self._too_old(target):
            return None
        account = await self._account(target.account_id)
        async with self.records.database.exclusive(f"insights.read:{account.id}:{target.media_id}"):
            present = await self.records.target(account.workspace_id, target.media_id, account.id)
            if present is None or not self._too_old(present):
                return None  # somebody else waited for the same numbers and was first
            try:
                async with self._reading(account) as reader:
                    await self._read(reader, present)
            except Trouble as trouble:
                log.info("medium %s is shown as it was: %s", target.media_id, trouble.message)
                return trouble
        await self._announce(account)
        return None

    def _too_old(self, target: Target) -> bool:
        now = self.graph.now()
        return readable(target, now) and (target.read_at is None or now - target.read_at > self.policy.fresh_for)

    async def _capture_days(self, account: Account, reader: Reader) -> int:
        now = self.graph.now()
        since, until = bounds(last_day(now) - 31 * DAY)[0], now
        known = await self.records.days(account.workspace_id, account.id, DAILY, since, until)
        captured = {
            metric: {day: one.captured_at for day, one in known_days(known, metric).items()} for metric in DAILY
        }
        stored = 0
        reach = wanted(captured["reach"], now)
        for first, last in spans(reach):
            told = {day_of(one): one for one in await reader.reach(first, last)}
            found = [told.get(day) or _not_told("reach", day, now) for day in reach if first <= day <= last]
            await self.records.store_account(account, found, self.graph.version)
            stored += len(found)
        for day in wanted(captured["views"], now):
            await self.records.store_account(account, [await reader.views(day)], self.graph.version)
            stored += 1
        return stored

    @asynccontextmanager
    async def _reading(self, account: Account) -> AsyncGenerator[Reader]:
        """Open an account for reading; trouble with it is noted, so that it rests, and raised."""
        grip: Grip | None = None
        try:
            grip = await self.accounts.open(account.id)
            yield Reader(self.graph, grip, self.refusals)
        except Gone:
            raise  # nothing may be stored of it any more, not even this
        except Trouble as trouble:
            await self._held_up(account, grip, trouble)
            raise

    async def _held_up(self, account: Account, grip: Grip | None, trouble: Trouble) -> None:
        if isinstance(trouble, Reconnect) and grip and account.state is State.CONNECTED:
            await self.accounts.lost(account, trouble, grip)
        if isinstance(trouble, Busy) and trouble.retry_after:
            rest = timedelta(seconds=trouble.retry_after)
        else:
            rest = RESTS.get(trouble.kind)
        until = self.graph.now() + rest if rest else None
        await self._visited(account, paused_until=until, problem=trouble.message)

    async def _visited(self, account: Account, **moments: datetime | str | None) -> None:
        try:
            await self.records.visited(account, **moments)
        except Gone:
            return

    async def _announce(self, account: Account) -> None:
        await self.bus.publish(InsightsUpdated(account.workspace_id, account.id))


def _not_told(metric: str, day: date, now: datetime) -> Sample:
    start, end = bounds(day)
    return Sample(metric, None, now, period_start=start, period_end=end)


def _told(known: Mapping[str, Known]) -> Mapping[str, float]:
    return {name: one.value for name, one in known.items() if one.source is Source.WEBHOOK}
