"""Many posts at once: lists of them taken, rehearsed, called back again, and written out in the same columns.

A row is known again by its sender's `external_id`, or else by all that it says: the same list sent twice makes nothing
twice, and a list that was mended makes only what was missing. Another `key` makes it another list. An export names every
post, so that what is sent back is never published a second time.
"""

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import NAMESPACE_OID, uuid5

from tintype.core.accounts import Account, Accounts
from tintype.core.publishing.bulk_forms import Cells, Format, Record, read, write
from tintype.core.publishing.bulk_rows import Directory, Order, cells_of, order_of
from tintype.core.publishing.model import Moment, Occurrence, Post, Problem, State
from tintype.core.publishing.publisher import Publisher, begun
from tintype.core.publishing.uploads import NOT_THERE, not_there, uploads_of
from tintype.errors import Conflict, NotFound
from tintype.events import PostCancelled, PostScheduled

AT_ONCE = 500  # posts in one transaction, and in one page of an export

_MARK = "import:"  # keys that rows came with: the list's scope, a count of equal rows, what tells the row from others

_NAMED = re.compile(r"post-([0-9]{1,9})-[0-9a-f]{8}")

_ALL: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one row of a list; `is_new` is false for a post that was there from an earlier time."""

    number: int
    problems: tuple[Problem, ...]
    post_id: int | None = None
    is_new: bool = False

    @property
    def passes(self) -> bool:
        """Whether nothing stands against the row."""
        return not any(one.blocking for one in self.problems)


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a list; it has no `batch` when nothing was to be done."""

    rows: tuple[Row, ...]
    batch: str | None = None

    @property
    def created(self) -> int:
        """How many posts are new."""
        return sum(row.is_new for row in self.rows)

    @property
    def failed(self) -> int:
        """How many rows were not taken."""
        return sum(not row.passes for row in self.rows)


@dataclass(frozen=True, slots=True)
class Undone:
    """A post of a list that was called back, or could not be for a reason."""

    post: Post
    reason: str | None

    @property
    def is_undone(self) -> bool:
        """Whether nothing of it will be published."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Bulk:
    """Takes and gives lists of posts."""

    publisher: Publisher
    accounts: Accounts

    async def take(
        self,
        workspace_id: str,
        data: bytes,
        form: Format,
        *,
        columns: Mapping[str, str] = _ALL,
        key: str = "",
        user_id: int | None = None,
        dry_run: bool = False,
    ) -> Report:
        """Make posts of the good rows of a list and report on every row; a `dry_run` only reports.

        Raises `TooLarge`, and `Invalid` for a file that cannot be read as a whole.
        """
        known = Directory(await self.accounts.of_workspace(workspace_id))
        now = self.publisher.resources.graph.now()
        pairs = await self._owned(workspace_id, await asyncio.to_thread(_ordered, data, form, columns, known, now))
        if dry_run:
            return Report(tuple(row for row, _ in pairs))
        batch = str(uuid5(NAMESPACE_OID, f"{workspace_id}\0{key}\0{hashlib.sha256(data).hexdigest()}"))
        there = await self._there(workspace_id, [order for _, order in pairs if order is not None])
        unknown = [order for _, order in pairs if order is not None and _called_by(order) not in there]
        fresh = [(_post(workspace_id, user_id, order, batch, now), name) for name, order in _named(unknown, key)]
        stored = iter(await self._store(fresh))
        rows = [
            row if order is None else Row(row.number, row.problems, *(there.get(_called_by(order)) or next(stored)))
            for row, order in pairs
        ]
        return Report(tuple(rows), batch)

    async def undo(self, workspace_id: str, batch: str) -> Sequence[Undone]:
        """Call back what is not published yet of the posts that one list made; the list may be sent again after that.

        Raises `NotFound` for a batch of nobody, or of others.
        """
        resources, records = self.publisher.resources, self.publisher.resources.records
        now = resources.graph.now()
        waited = await records.recall(workspace_id, batch, now, Occurrence(now, "cancelled"))
        found = await records.of_batch(workspace_id, batch)
        if not found:
            raise NotFound(f"there is no import {batch[:40]!r}")
        gone = set(waited)
        first = {post.account_id: post for post in reversed(found) if post.id in gone}
        for post in first.values():
            await resources.bus.publish(PostCancelled(workspace_id, post.account_id, post.id))
        for post_id in gone:
            resources.arrivals.arrived(post_id)
        done = [await self._undo(post) for post in found]
        await records.forget_keys(workspace_id, batch)
        return done

    async def export(
        self, workspace_id: str, form: Format, *, account_id: str | None = None, states: Collection[State] = ()
    ) -> AsyncIterator[str]:
        """Yield a workspace's posts, newest first, as a list that `take` reads again, piece by piece."""
        names = {one.id: _called(one) for one in await self.accounts.of_workspace(workspace_id)}
        after: int | None = None
        is_first = True
        while is_first or after is not None:
            page = await self.publisher.list(
                workspace_id, account_id=account_id, states=states, after=after, limit=AT_ONCE
            )
            keys = await self.publisher.resources.records.keys([post.id for post in page.posts])
            cells = [_cells(post, names.get(post.account_id, ""), keys.get(post.id)) for post in page.posts]
            yield "".join(write(cells, form, header=is_first))
            after, is_first = page.after, False

    async def _owned(
        self, workspace_id: str, pairs: Sequence[tuple[Row, Order | None]]
    ) -> Sequence[tuple[Row, Order | None]]:
        """Return rows and orders without those orders whose files the workspace has not uploaded."""
        keys = {key for _, order in pairs if order is not None for key in uploads_of(order.draft)}
        gone = await not_there(self.publisher.resources.blobs, workspace_id, keys)
        return [_without(row, order, gone) for row, order in pairs] if gone else pairs

    async def _there(
        self, workspace_id: str, orders: Sequence[Order]
    ) -> Mapping[tuple[str, str | None], tuple[int, bool]]:
        """Return the posts that rows of an earlier export name, but for those that a list made and that were called back."""
        named = [said for order in orders if (said := _NAMED.fullmatch(order.external_id or ""))]
        if not named:
            return {}
        records = self.publisher.resources.records
        found = await records.among(workspace_id, [int(said[1]) for said in named])
        keys = await records.keys([post.id for post in found])
        forgotten = {post.id for post in found if post.batch and post.id not in keys}
        return {(post.account_id, _name(post)): (post.id, False) for post in found if post.id not in forgotten}

    async def _undo(self, post: Post) -> Undone:
        if post.state is State.CANCELLED:
            return Undone(post, None)
        try:
            return Undone(await self.publisher.cancel(post.workspace_id, post.id), None)
        except Conflict as trouble:
            return Undone(await self.publisher.get(post.workspace_id, post.id), trouble.message)

    async def _store(self, fresh: Sequence[tuple[Post, str]]) -> Sequence[tuple[int, bool]]:
        """Store posts, and wake whoever moves them; return the id of each, and whether it is new."""
        resources, found = self.publisher.resources, list[tuple[int, bool]]()
        first: dict[str, PostScheduled] = {}
        for begin in range(0, len(fresh), AT_ONCE):
            some = fresh[begin : begin + AT_ONCE]
            stored = await resources.records.add_many(some, Occurrence(resources.graph.now(), "imported"))
            found.extend(stored[key] for _, key in some)
            for post, key in some:
                post_id, is_new = stored[key]
                if is_new and post.state is State.SCHEDULED:
                    first.setdefault(post.account_id, PostScheduled(post.workspace_id, post.account_id, post_id))
            self.publisher.runner.wake()
        # One for each account: thousands of announcements would take longer than the posts, and wake nobody anew.
        for event in first.values():
            await resources.bus.publish(event)
        return found


def _ordered(
    data: bytes, form: Format, columns: Mapping[str, str], known: Directory, now: datetime
) -> Sequence[tuple[Row, Order | None]]:
    """Return every row of a file with what it orders, or None."""
    seen: set[str] = set()
    return [_row(record, known, now, seen) for record in read(data, form, columns)]


def _row(record: Record, known: Directory, now: datetime, seen: set[str]) -> tuple[Row, Order | None]:
    if record.problem is not None:
        return Row(record.number, (Problem("row", "unreadable", record.problem),)), None
    order, found = order_of(record.cells, known, now)
    if order is not None and order.external_id is not None:
        if order.identity in seen:
            message = f"a row above has the external_id {order.external_id!r} already"
            return Row(record.number, (*found, Problem("external_id", "repeated", message))), None
        seen.add(order.identity)
    return Row(record.number, tuple(found)), order


def _without(row: Row, order: Order | None, gone: frozenset[str]) -> tuple[Row, Order | None]:
    """Return a row without its order when that needs a file that is not there."""
    if order is None or not uploads_of(order.draft) & gone:
        return row, order
    field = "cover_url" if order.draft.cover_blob in gone else "media"
    problem = Problem(field, "no_such_upload", f"{field}: {NOT_THERE}")
    return replace(row, problems=(*row.problems, problem)), None


def _named(orders: Sequence[Order], key: str) -> Sequence[tuple[str, Order]]:
    """Return orders with the keys under which their posts are known again; equal rows of one list are counted."""
    scope = hashlib.sha256(key.encode()).hexdigest()[:16] if key else ""
    seen: Counter[str] = Counter()
    named: list[tuple[str, Order]] = []
    for order in orders:
        seen[order.identity] += 1
        named.append((f"{_MARK}{scope}:{seen[order.identity]}:{order.identity}", order))
    return named


def _external_id(key: str | None) -> str | None:
    """Return the sender's id out of a post's key, if it came with one."""
    if key is None or not key.startswith(_MARK):
        return None
    _, _, kind, *said = key.removeprefix(_MARK).split(":", 4)
    return said[1] if kind == "id" else None


def _name(post: Post) -> str:
    """Return the id by which an export names a post that came with none; no post of another house has the same."""
    told = f"{post.workspace_id}\0{post.id}\0{post.created_at.isoformat()}"
    return f"post-{post.id}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def _called_by(order: Order) -> tuple[str, str | None]:
    """Return by what a row would call a post of an earlier export."""
    return order.account.id, order.external_id


def _post(workspace_id: str, user_id: int | None, order: Order, batch: str, now: datetime) -> Post:
    return begun(
        workspace_id,
        order.account.id,
        order.draft,
        now,
        user_id=user_id,
        moment=order.moment,
        hold=order.hold,
        batch=batch,
    )


def _cells(post: Post, account: object, key: str | None) -> Cells:
    moment = Moment(post.scheduled_at, post.timezone) if post.scheduled_at else None
    name = _external_id(key) or _name(post)
    return cells_of(account, post.draft, moment, hold=post.state is State.DRAFT, external_id=name)


def _called(account: Account) -> str:
    return account.username or account.instagram_id
