"""Words of the dialog: what a page opened it for, what may be chosen there, and what a person sees in it. Pure."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from tintype.instagram import Media, MediaKind

IMAGE_ENDINGS = frozenset({"jpg", "jpeg", "jpe"})  # what Instagram sends of pictures
VIDEO_ENDINGS = frozenset({"mp4", "m4v", "mov"})
MOST = 100  # files chosen at once, when the page names no number


class Purpose(StrEnum):
    """What a dialog was opened for."""

    PICK = "open"
    EXPORT = "save"


class DialogState(StrEnum):
    """Whether a dialog can still be used."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Opening:
    """What a page asked for when it opened the dialog; `storing` is empty when links are wanted and no copies."""

    purpose: Purpose = Purpose.PICK
    call_id: str = ""  # by which the page knows its call again
    types: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    many: bool = False
    most: int = MOST
    storing: Mapping[str, str] = field(default_factory=dict[str, str])
    min_size: int | None = None
    max_size: int | None = None
    url: str | None = None  # what is to be exported
    filename: str | None = None
    expires_at: int | None = None  # when the policy that was shown ends, in Unix seconds

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Opening":
        """Read what `stored` returned."""
        read: dict[str, Any] = dict(stored)
        read |= {"purpose": Purpose(read["purpose"]), "types": tuple(read["types"]), "endings": tuple(read["endings"])}
        return cls(**read)

    def stored(self) -> dict[str, Any]:
        """Return a form that JSON can keep."""
        return {**asdict(self), "purpose": self.purpose.value, "storing": dict(self.storing)}

    @property
    def takes_pictures(self) -> bool:
        """Tell whether pictures may be chosen."""
        if self.endings:
            return not IMAGE_ENDINGS.isdisjoint(self.endings)
        return not self.types or any(
            _top(one) in ("*", "image") and _sub(one) in ("*", "jpeg", "jpg") for one in self.types
        )

    @property
    def takes_videos(self) -> bool:
        """Tell whether videos may be chosen: only where the page says so, as the document has it."""
        if self.endings:
            return not VIDEO_ENDINGS.isdisjoint(self.endings)
        return any(_top(one) == "video" and _sub(one) in ("*", "mp4", "quicktime") for one in self.types)

    def takes(self, kind: MediaKind) -> bool:
        """Tell whether one picture or video may be chosen."""
        return self.takes_videos if kind is MediaKind.VIDEO else self.takes_pictures and kind is MediaKind.IMAGE


@dataclass(frozen=True, slots=True)
class Dialog:
    """A dialog that a page of `origin` opened; `id` is the fingerprint of the secret that the dialog's page holds."""

    id: str
    app_id: str
    workspace_id: str
    origin: str
    opening: Opening
    state: DialogState
    made_at: datetime
    used_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A picture, a video or an album as the dialog shows it."""

    media_id: str
    child_id: str | None
    kind: MediaKind
    caption: str
    alt_text: str
    timestamp: datetime
    choosable: bool
    children: tuple["Entry", ...] = ()


@dataclass(frozen=True, slots=True)
class Showing:
    """One page of what an account has; `after` is the cursor of the next, None on the last."""

    items: tuple[Entry, ...]
    after: str | None


def entry(media: Media, opening: Opening) -> Entry:
    """Return a medium as the dialog shows it; an album is as choosable as what is in it."""
    children = tuple(_child(media, child, opening) for child in media.children)
    album = media.kind is MediaKind.CAROUSEL_ALBUM
    return Entry(
        media_id=media.id,
        child_id=None,
        kind=media.kind,
        caption=media.caption or "",
        alt_text=media.alt_text or "",
        timestamp=media.timestamp,
        choosable=any(one.choosable for one in children) if album else opening.takes(media.kind),
        children=children if album else (),
    )


def _child(media: Media, child: Media, opening: Opening) -> Entry:
    return Entry(
        media_id=media.id,
        child_id=child.id,
        kind=child.kind,
        caption=media.caption or "",
        alt_text=child.alt_text or "",
        timestamp=media.timestamp,
        choosable=opening.takes(child.kind),
    )


def matching(items: Sequence[Media], search: str) -> Sequence[Media]:
    """Return the media whose caption has every word that is looked for, whatever the case."""
    words = folded(search).split()
    return [one for one in items if all(word in folded(f"{one.caption or ''} {one.alt_text or ''}") for word in words)]


def folded(text: str) -> str:
    """Return text in the form in which it is compared: without case, and without marks above or below letters."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _top(pattern: str) -> str:
    return pattern.partition("/")[0].strip().lower()


def _sub(pattern: str) -> str:
    return pattern.partition("/")[2].strip().lower()
