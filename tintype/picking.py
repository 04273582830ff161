"""Puts the picker together: apps, files, conversions, dialogs and webhooks."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from tintype.backends.blobs import open_blobs
from tintype.core.access import Uses
from tintype.core.accounts import Account, Accounts, Connecting
from tintype.core.files import (
    AppRecords,
    Apps,
    Conversions,
    DebtRecords,
    DerivedRecords,
    DialogRecords,
    Dialogs,
    Exports,
    Fetching,
    File,
    FileRecords,
    Files,
    Links,
    Making,
    Metadata,
    Policies,
    Published,
    Store,
    Stores,
    Storing,
    Telling,
    Thumbs,
    UploadRecords,
    Uploads,
)
from tintype.core.publishing import Draft, Failure, Item, ItemKind, Product, Publisher, State
from tintype.errors import (
    Busy,
    Conflict,
    Invalid,
    Kind,
    RateLimited,
    Reconnect,
    Refused,
    RemoteTrouble,
    Trouble,
    Unavailable,
    Unreachable,
)
from tintype.machinery import Backends
from tintype.settings import Settings
from tintype.telling import Hooks, open_hooks


@dataclass(frozen=True, slots=True)
class Picking:
    """What the picker consists of."""

    accounts: Accounts
    connecting: Connecting
    apps: Apps
    policies: Policies
    files: Files
    metadata: Metadata
    uploads: Uploads
    exports: Exports
    conversions: Conversions
    dialogs: Dialogs
    thumbs: Thumbs
    hooks: Hooks


def open_picking(
    settings: Settings,
    backends: Backends,
    accounts: Accounts,
    connecting: Connecting,
    publisher: Publisher,
    now: Callable[[], datetime],
) -> Picking:
    """Return the picker's core, on the house's backends, accounts and publisher."""
    database, graph = backends.database, accounts.graph
    stores = {name: Store(open_blobs(address), _bucket(address)) for name, address in settings.storages.items()}
    records = AppRecords(database)
    uses = Uses(records.uses(), now)
    apps = Apps(records, accounts, backends.vault, graph, backends.bus, now, uses, frozenset(stores))
    backends.bus.subscribe(apps.forget)
    hooks = open_hooks(settings, backends, now)
    debts = DebtRecords(database)
    files = Files(
        FileRecords(database, debts),
        Storing(Stores(backends.blobs, stores, debts, now), settings.files_max_bytes),
        Links(accounts, graph, backends.outbound, backends.cache, now),
        Fetching(backends.outbound),
        Telling(hooks.outbox, settings.address(), now),
        backends.bus,
        now,
    )
    return Picking(
        accounts,
        connecting,
        apps,
        Policies(apps),
        files,
        Metadata(files, backends.images),
        Uploads(UploadRecords(database, debts), files, settings.files_max_bytes),
        Exports(files, partial(_publish, publisher, settings.publish_wait_seconds)),
        Conversions(Making(files, backends.images), DerivedRecords(database, debts), now),
        Dialogs(DialogRecords(database), accounts, connecting, files, backends.vault, now),
        Thumbs(accounts, files.links, backends.images, backends.cache, backends.vault),
        hooks,
    )


def _bucket(address: str) -> str | None:
    parts = urlsplit(address)
    return parts.hostname if parts.scheme in ("s3", "gs", "az") else None


async def _publish(
    publisher: Publisher,
    seconds: float,
    account: Account,
    file: File,
    chunks: AsyncIterator[bytes],
    words: str,
    key: str | None,
) -> Published:
    """Publish a file's bytes: what is exported to Instagram is a post like any other; one that failed is tried again.

    Raises why it failed, and `Conflict` when somebody called it back.
    """
    is_video = file.content_type.startswith("video/")
    blob = await publisher.keep_upload(account.workspace_id, chunks, file.content_type)
    item = Item(ItemKind.VIDEO if is_video else ItemKind.PICTURE, blob=blob)
    draft = Draft(Product.REEL if is_video else Product.IMAGE, (item,), caption=words)
    post = await publisher.create(account.workspace_id, account.id, draft, key=key)
    if post.state is State.FAILED:  # it was taken with this key before
        post = await publisher.retry(account.workspace_id, post.id)
    post = await publisher.wait(account.workspace_id, post.id, seconds)
    if post.state is State.CANCELLED:
        raise Conflict("the post was called back meanwhile")
    if post.state is State.FAILED:
        raise _trouble(post.failure)
    return Published(post.id, post.media_id)


_REMOTE: Mapping[Kind, type[RemoteTrouble]] = {each.kind: each for each in (Reconnect, Refused, Busy, Unreachable)}
_PASSING: Mapping[Kind, type[Trouble]] = {each.kind: each for each in (RateLimited, Unavailable)}


def _trouble(failure: Failure | None) -> Trouble:
    """Return a failure that was stored as the trouble it was; what is wrong with the file is the caller's mistake."""
    if failure is None:
        return Unreachable("it could not be published")
    if remote := _REMOTE.get(failure.kind):
        known = ("code", "subcode", "trace_id", "retryable", "retry_after", "action")
        return remote(failure.message, **{name: getattr(failure, name) for name in known})
    if passing := _PASSING.get(failure.kind):
        return passing(failure.message, retry_after=failure.retry_after)
    return Invalid(failure.message)
