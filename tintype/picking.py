"""Puts the picker together: apps, files, conversions, dialogs and webhooks, and the dialect that speaks of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from tintype import __version__
from tintype.api.callers import Limiter
from tintype.api.dialect import Mounted
from tintype.api.picker import PickerDesk
from tintype.api.picker import mount as mount_picker
from tintype.backends.idempotency import Idempotency
from tintype.core.access import Access, Users
from tintype.core.accounts import Accounts, Connecting
from tintype.machinery import Backends
from tintype.settings import Settings


@dataclass(frozen=True, slots=True)
class Picking:
    """What the picker consists of."""

    accounts: Accounts
    connecting: Connecting


def open_picking(settings: Settings, backends: Backends, accounts: Accounts, connecting: Connecting) -> Picking:
    """Return the picker's core, on the house's backends and accounts."""
    del settings, backends
    return Picking(accounts, connecting)


def picker_dialect(settings: Settings, backends: Backends, picking: Picking, access: Access, users: Users) -> Mounted:
    """Return the picker dialect, speaking of `picking`."""
    return mount_picker(
        PickerDesk(
            access=access,
            users=users,
            accounts=picking.accounts,
            connecting=picking.connecting,
            idempotency=Idempotency(backends.database, backends.vault),
            limiter=Limiter(backends.cache, settings.trusted_proxies),
            base=settings.address(),
            version=__version__,
            max_body_bytes=settings.max_body_bytes,
            upload_max_bytes=settings.upload_max_bytes,
        )
    )


def picker_hosts(settings: Settings) -> Mapping[str, str]:
    """Return the hosts on which clients of today look for processed files: the whole path there is one of `/cdn`."""
    zone = urlsplit(settings.address()).hostname or "localhost"
    zone = "localhost" if zone in ("127.0.0.1", "::1") else zone
    return {f"{name}.{zone}": "/cdn" for name in ("cdn", "process")}
