"""What the picker dialect's routes lean on."""

from dataclasses import dataclass

from tintype.api.callers import Limiter
from tintype.api.picker.results import Results
from tintype.backends.idempotency import Idempotency
from tintype.core.access import Access, Users
from tintype.core.accounts import Accounts, Connecting
from tintype.core.files import Apps, Conversions, Dialogs, Exports, Files, Metadata, Policies, Thumbs, Uploads
from tintype.core.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class PickerDesk:
    """The house, as far as the picker dialect's routes need it."""

    access: Access
    users: Users
    accounts: Accounts
    connecting: Connecting
    apps: Apps
    policies: Policies
    files: Files
    metadata: Metadata
    uploads: Uploads
    exports: Exports
    conversions: Conversions
    results: Results
    dialogs: Dialogs
    thumbs: Thumbs
    webhooks: Webhooks
    idempotency: Idempotency
    limiter: Limiter
    base: str
    version: str
    max_body_bytes: int
    upload_max_bytes: int
    writes_per_minute: int
