"""Words of the picker: apps, files, where they are kept, how they are to be stored, and what opening one yields."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from tintype.errors import Gone, Invalid, Stale

INSTAGRAM = "Instagram"  # the `client` of what was picked there, as webhooks of old name it
COMPUTER = "Computer"
URL = "Url"

HOME = "home"  # the house's own store, where everything goes that no location of the operator's takes

# The documented locations by what callers write, whatever the case, and what a conversion's webhook calls them.
LOCATIONS: Mapping[str, str] = {
    "s3": "S3",
    "azure": "azure",
    "gcs": "gcs",
    "rackspace": "rackspace",
    "dropbox": "dropbox",
    "local": "local",
    "filestack": "filestack",
    "fp": "filestack",
    "internal": "filestack",
}
_PROVIDERS = {"S3": "amazon", "filestack": "internal", "local": "internal"}

DERIVED_QUOTA = 40  # distinct conversions of one file: the attack is not one big picture, it is ten thousand sizes


CHANGEABLE = frozenset(
    {
        "name",
        "origins",
        "secure_reads",
        "secure_writes",
        "presets_only",
        "presets",
        "storages",
        "quota_bytes",
        "quota_files",
        "quota_derived",
    }
)


@dataclass(frozen=True, slots=True)
class PickerApp:
    """What a website's pages are to the picker: a public key, the origins it works on, and what its callers must show."""

    id: str
    number: int
    workspace_id: str
    key: str
    name: str
    created_at: datetime
    origins: tuple[str, ...] = ()  # empty: pages of any origin
    secure_reads: bool = False
    secure_writes: bool = False
    presets_only: bool = False
    presets: Mapping[str, str] = field(default_factory=dict[str, str])
    storages: Mapping[str, str] = field(
        default_factory=dict[str, str]
    )  # documented location → a store of the operator's
    quota_bytes: int | None = None
    quota_files: int | None = None
    quota_derived: int = DERIVED_QUOTA
    used_at: datetime | None = None  # to some minutes; None: not since it is kept

    @property
    def tag(self) -> str:
        """The strong ETag of what its owner may change."""
        said = {name: getattr(self, name) for name in sorted(CHANGEABLE)}
        return f'"{hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:32]}"'

    def takes(self, origin: str | None) -> bool:
        """Tell whether pages of an origin may use the app; None is no page at all."""
        return origin is None or not self.origins or origin.lower() in self.origins


@dataclass(frozen=True, slots=True)
class IssuedApp:
    """An app at the one moment its secret is shown."""

    app: PickerApp
    secret: str = field(repr=False)


class Kind(StrEnum):
    """Whether a file names a medium of Instagram's, or is a copy of ours."""

    LINK = "link"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Medium:
    """The Instagram medium that a file shows; `child_id` is set for one picture of a carousel."""

    account_id: str
    media_id: str
    child_id: str | None = None

    @property
    def shown_id(self) -> str:
        """The id whose address is asked for."""
        return self.child_id or self.media_id


@dataclass(frozen=True, slots=True)
class Stored:
    """Where a copy lies: the documented names, and the `place` in one of our stores."""

    location: str
    store: str
    container: str | None
    path: str | None
    key: str
    place: str
    md5: str
    sha256: str


@dataclass(frozen=True, slots=True)
class File:
    """A picked or stored file, known to everybody by its handle."""

    handle: str
    app_id: str
    workspace_id: str
    kind: Kind
    client: str
    filename: str
    content_type: str
    size: int | None
    uploaded_at: datetime
    changed_at: datetime
    number: int = 0
    width: int | None = None
    height: int | None = None
    version: int = 1  # grows with each overwrite
    access: str = "private"
    medium: Medium | None = None
    stored: Stored | None = None
    source_url: str | None = None
    tags: Mapping[str, Any] | None = None
    removed_at: datetime | None = None
    reason: str | None = None

    @property
    def provider(self) -> str:
        """Where the file lies, in the words of a conversion's webhook."""
        return provider_of(self.stored.location) if self.stored else self.client

    @property
    def etag(self) -> str:
        """A tag that changes whenever the bytes do, without the quotation marks."""
        if self.stored is not None:
            return self.stored.sha256[:40]
        shown = self.medium.shown_id if self.medium else ""
        return f"{self.handle}-{shown}-{self.version}"


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How somebody wants a file stored; everything may be left out."""

    location: str = "S3"
    path: str | None = None
    container: str | None = None
    filename: str | None = None
    content_type: str | None = None
    access: str = "private"
    base64: bool = False
    tags: Mapping[str, Any] | None = None
    min_size: int | None = None  # what a policy asks for
    max_size: int | None = None
    client: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A file whose bytes can be had; whoever does not read them all calls `close`.

    `path` is the file on this machine that holds them, for a server that sends files by itself.
    """

    etag: str
    content_type: str
    size: int | None
    chunks: AsyncIterator[bytes]
    path: Path | None = None
    close: Callable[[], Any] | None = None


class MediumGone(Gone):
    """What a link names is not to be had any more: deleted on Instagram, or access to the account was revoked."""


class Overtaken(Stale):
    """Somebody else changed the file while the same was done here; to ask again is enough."""


def location_of(name: str) -> str:
    """Return a documented location by what a caller wrote.

    Raises `Invalid` for a name that is none.
    """
    found = LOCATIONS.get(name.strip().lower())
    if found is None:
        raise Invalid(f"location {name[:40]!r} is not known; use S3, azure, gcs, rackspace, dropbox or filestack")
    return found


def provider_of(location: str) -> str:
    """Return what a conversion's webhook calls a location."""
    return _PROVIDERS.get(location, location)
