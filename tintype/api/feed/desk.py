"""What the feed's routes lean on."""

from dataclasses import dataclass, field

from tintype.api.callers import Limiter
from tintype.api.feed.shelf import Shelf
from tintype.backends.idempotency import Idempotency
from tintype.backends.qstash import QStash, Signatures
from tintype.core.access import Access
from tintype.core.accounts import Accounts, Connecting
from tintype.core.feed import Feed, Renditions


@dataclass(frozen=True, slots=True)
class FeedDesk:
    """What the feed's routes lean on."""

    access: Access
    accounts: Accounts
    connecting: Connecting
    feed: Feed
    renditions: Renditions
    shelf: Shelf
    idempotency: Idempotency
    limiter: Limiter
    signatures: Signatures | None
    qstash: QStash | None
    base: str
    callback: str
    version: str
    max_body_bytes: int
    exchanges_per_minute: int
    admin_token: str | None = field(repr=False)
    sync_secret: str | None = field(repr=False)
