"""Webhooks put together, and what of the house's events they tell: a part of `app.py` that grew too long for one page.

An event reaches every process of a house, and each writes it down; the identity in its key lets only the first one do so.
What a process stored and died before it announced is found again when the next one starts.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tintype.backends.mail import SmtpMail
from tintype.core.access import Access, Role, UserRecords
from tintype.core.accounts import Account, Accounts
from tintype.core.accounts import State as AccountState
from tintype.core.feed import Feed
from tintype.core.publishing import Post, Publisher, State
from tintype.core.recipes import Item, Query, Recipes, Status
from tintype.core.webhooks import (
    Deliverer,
    DeliveryRecords,
    EndpointRecords,
    Happening,
    Letters,
    Outbox,
    Policy,
    Tries,
    Webhooks,
)
from tintype.errors import Gone, NotFound
from tintype.events import (
    AccountChanged,
    AccountExpiring,
    Event,
    MediaSynced,
    PostFailed,
    PostPublished,
    PostUnlinked,
    QueueItemChanged,
)
from tintype.machinery import Backends, secret
from tintype.settings import Settings

log = logging.getLogger(__name__)

LOOK_BACK = timedelta(days=1)  # for what a process that died did not announce
_PAGE = 100
_POSTS = {
    State.PUBLISHED: "post.published",
    State.FAILED: "post.failed",
    State.UNLINKED: "post.unlinked",
}
_ITEMS = {Status.SUCCESS: "queue.success", Status.ERROR: "queue.error"}


@dataclass(frozen=True, slots=True)
class Hooks:
    """What webhooks consist of: the trade, who delivers, and where what happens is written."""

    webhooks: Webhooks
    deliverer: Deliverer
    outbox: Outbox


def open_hooks(settings: Settings, backends: Backends, now: Callable[[], datetime]) -> Hooks:
    """Put webhooks together."""
    policy = Policy(
        seconds=settings.webhook_seconds,
        jitter=timedelta(seconds=settings.webhook_jitter_seconds),
        kept=timedelta(days=settings.webhook_kept_days),
        allowed=settings.outbound_allow,
        schedule=settings.webhook_schedule,
    )
    endpoints, deliveries = EndpointRecords(backends.database), DeliveryRecords(backends.database)
    tries = Tries(deliveries, endpoints, backends.to_receivers, backends.vault, policy, now, backends.node)
    deliverer = Deliverer(tries)
    outbox = Outbox(backends.database, now, deliverer.wake)
    webhooks = Webhooks(endpoints, deliveries, outbox, tries, backends.vault, policy, settings.address())
    return Hooks(webhooks, deliverer, outbox)


def open_letters(settings: Settings, hooks: Hooks, users: UserRecords, now: Callable[[], datetime]) -> Letters | None:
    """Return who writes to owners, where a mail server is set; raises `Misconfigured` for one that cannot be."""
    url = secret(settings.smtp_url)
    if url is None:
        return None

    async def owners(workspace_id: str) -> Sequence[str]:
        """Whoever owns a workspace, and where nobody does, who runs the house."""
        found = [one.user for one in await users.members(workspace_id) if one.role is Role.OWNER]
        living = [one.email for one in found if one.email and one.disabled_at is None]
        return living or settings.operators

    mail = SmtpMail.of(url, settings.smtp_from)
    return Letters(hooks.webhooks.endpoints, mail, owners, settings.address(), now)


@dataclass(frozen=True, slots=True)
class Announcer:
    """Writes down what the house's events say, for endpoints that asked for it by name."""

    outbox: Outbox
    access: Access
    accounts: Accounts
    feed: Feed
    publisher: Publisher
    recipes: Recipes
    queue_workspace: str | None

    async def heard(self, event: Event) -> None:
        """Tell of an event, if it is one that is told."""
        try:
            happening = await self._happening(event)
        except (NotFound, Gone):
            return  # what it was about is gone already
        if happening is not None:
            await self.outbox.tell(happening)

    async def catch_up(self) -> None:
        """Tell of what was stored lately and never announced; what was told is not told again."""
        for workspace_id in await self.outbox.curious():
            async for happening in self._lately(workspace_id):
                await self.outbox.tell(happening)

    async def _lately(self, workspace_id: str) -> AsyncGenerator[Happening]:
        since = self.outbox.now() - LOOK_BACK
        for account in await self.accounts.of_workspace(workspace_id):
            if _is_new(account) and account.token_issued_at and account.token_issued_at > since:
                yield self._connected(account)
        after: int | None = None
        while True:
            page = await self.publisher.list(workspace_id, states=tuple(_POSTS), after=after, limit=_PAGE)
            for post in page.posts:
                if post.updated_at > since:
                    yield await self._post(post)
            after = page.after
            if after is None or not any(post.updated_at > since for post in page.posts):
                break
        if workspace_id == await self._of_queue():
            query = Query(statuses=tuple(_ITEMS), sort="updatedAt", limit=_PAGE)
            for item in (await self.recipes.page(query)).items:
                if item.updated_at > since:
                    yield self._item(item, workspace_id)

    async def _happening(self, event: Event) -> Happening | None:
        match event:
            case AccountChanged(workspace_id, account_id):
                account = await self.accounts.get(workspace_id, account_id)
                return self._standing(account)
            case AccountExpiring(workspace_id, account_id, days):
                account = await self.accounts.get(workspace_id, account_id)
                text = {**_of(account), "days": days}
                return self._told(account, "account.expiring", text, f"{_life(account)}:{days}")
            case PostPublished() | PostFailed() | PostUnlinked():
                post = await self.publisher.get(event.workspace_id, event.post_id)
                name = _POSTS.get(post.state)
                return await self._post(post) if name and await self.outbox.hears(post.workspace_id, name) else None
            case MediaSynced(workspace_id, account_id, changed=True) if account_id:
                account = await self.accounts.get(workspace_id, account_id)
                standing = (await self.feed.standings(workspace_id)).get(account_id)
                mark = f"{standing.revision}:{standing.synced_at}" if standing else "0"
                return self._told(account, "feed.synced", _of(account), f"{account_id}:{mark}")
            case QueueItemChanged(tell=True):
                item, workspace_id = await self.recipes.get(event.item_id), await self._of_queue()
                return self._item(item, workspace_id) if workspace_id and item.status in _ITEMS else None
            case _:
                return None

    def _standing(self, account: Account) -> Happening | None:
        if account.state in (AccountState.RECONNECT, AccountState.DISCONNECTED):
            text = {**_of(account), "state": account.state.value, "reason": account.reason}
            return self._told(account, "account.disconnected", text, f"{_life(account)}:{account.state}")
        return self._connected(account) if _is_new(account) else None

    def _connected(self, account: Account) -> Happening:
        return self._told(account, "account.connected", _of(account), _life(account))

    async def _post(self, post: Post) -> Happening:
        account = await self.accounts.get(post.workspace_id, post.account_id)
        text: dict[str, object] = {**_of(account), "postId": post.id}
        if post.state is State.PUBLISHED:
            text |= {"mediaId": post.media_id, "permalink": post.permalink}
        if post.state is State.FAILED:
            text["reason"] = post.failure.message if post.failure else None
        mark = post.media_id if post.state is State.PUBLISHED else post.version
        return self._told(account, _POSTS[post.state], text, f"{post.id}:{mark}", post.published_at)

    def _item(self, item: Item, workspace_id: str) -> Happening:
        event = _ITEMS[item.status]
        text: dict[str, object] = {"itemId": item.id, "status": item.status.value, "url": item.url}
        if item.upload is not None:
            text["recipe"] = item.upload.url
        if item.failure is not None:
            text["reason"] = item.failure.message
        key = f"{event}:{item.id}:{item.told}"
        return Happening(workspace_id, None, event, text, item.ended_at or self.outbox.now(), key)

    def _told(
        self, account: Account, event: str, text: dict[str, object], identity: str, at: datetime | None = None
    ) -> Happening:
        return Happening(account.workspace_id, None, event, text, at or self.outbox.now(), f"{event}:{identity}"[:160])

    async def _of_queue(self) -> str | None:
        """Return whose endpoints may hear of recipes, which belong to nobody: the only workspace, or one that is named."""
        if self.queue_workspace is not None:
            return self.queue_workspace
        rooms = await self.access.workspaces()
        return rooms[0].id if len(rooms) == 1 else None


def _of(account: Account) -> dict[str, object]:
    return {"accountId": account.id, "username": account.username}


def _life(account: Account) -> str:
    """Return which of an account's tokens it is about: each is connected, expires and is lost at most once."""
    return f"{account.id}:{account.token_issued_at.isoformat() if account.token_issued_at else None}"


def _is_new(account: Account) -> bool:
    """Tell whether an account was connected by a person, and not merely refreshed since."""
    return account.state is AccountState.CONNECTED and account.token_tried_at is None


def open_announcer(
    settings: Settings,
    backends: Backends,
    hooks: Hooks,
    access: Access,
    accounts: Accounts,
    feed: Feed,
    publisher: Publisher,
    recipes: Recipes,
) -> Announcer:
    """Have the house's events told."""
    room = settings.webhook_queue_workspace
    announcer = Announcer(hooks.outbox, access, accounts, feed, publisher, recipes, room)
    backends.bus.subscribe(announcer.heard)
    return announcer
