"""Puts the picker together: apps, files, conversions, dialogs and webhooks, and the dialect that speaks of them."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from tintype import __version__
from tintype.api.callers import Limiter
from tintype.api.dialect import Mounted
from tintype.api.picker import PickerDesk, Results
from tintype.api.picker import mount as mount_picker
from tintype.backends.blobs import open_blobs
from tintype.backends.idempotency import Idempotency
from tintype.core.access import Access, Users, Uses
from tintype.core.accounts import Account, Accounts, Connecting
from tintype.core.files import (
    PROCESSING,
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
    zone_of,
)
from tintype.core.publishing import Draft, Item, ItemKind, Product, Publisher
from tintype.machinery import Backends
from tintype.settings import Settings
from tintype.telling import Hooks, open_hooks

BESIDE = 2**20  # bytes of a form around the file in it


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
    """Publish a file's bytes: what is exported to Instagram is a post like any other."""
    is_video = file.content_type.startswith("video/")
    blob = await publisher.keep_upload(account.workspace_id, chunks, file.content_type)
    item = Item(ItemKind.VIDEO if is_video else ItemKind.PICTURE, blob=blob)
    draft = Draft(Product.REEL if is_video else Product.IMAGE, (item,), caption=words)
    post = await publisher.create(account.workspace_id, account.id, draft, key=key)
    post = await publisher.wait(account.workspace_id, post.id, seconds)
    return Published(post.id, post.media_id)


def picker_dialect(settings: Settings, backends: Backends, picking: Picking, access: Access, users: Users) -> Mounted:
    """Return the picker dialect, speaking of `picking`."""
    results = Results()
    backends.bus.subscribe(results.forget)
    return mount_picker(
        PickerDesk(
            access=access,
            users=users,
            accounts=picking.accounts,
            connecting=picking.connecting,
            apps=picking.apps,
            policies=picking.policies,
            files=picking.files,
            metadata=picking.metadata,
            uploads=picking.uploads,
            exports=picking.exports,
            conversions=picking.conversions,
            results=results,
            dialogs=picking.dialogs,
            thumbs=picking.thumbs,
            webhooks=picking.hooks.webhooks,
            idempotency=Idempotency(backends.database, backends.vault),
            limiter=Limiter(backends.cache, settings.trusted_proxies),
            base=settings.address(),
            version=__version__,
            max_body_bytes=settings.max_body_bytes,
            upload_max_bytes=settings.files_max_bytes + BESIDE,
            writes_per_minute=settings.picker_writes_per_minute,
        )
    )


def picker_hosts(settings: Settings) -> Mapping[str, str]:
    """Return the hosts on which clients of today look for processed files: the whole path there is one of `/cdn`."""
    return {f"{name}.{zone_of(settings.address())}": "/cdn" for name in PROCESSING}
