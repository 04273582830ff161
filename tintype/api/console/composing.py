"""Reads the composer's form: its fields as they were typed, the draft that they mean, and the moment it is due."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TypeVar
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData, UploadFile

from tintype.api.console.door import text_of
from tintype.core.publishing import Draft, Fit, Item, ItemKind, Moment, Post, Product, moment_of
from tintype.errors import Invalid

VIDEO_ENDINGS = (".mp4", ".mov")
CHUNK = 256 * 1024

Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Piece:
    """One picture or video of a post as the form carries it: the key of an upload or an address, and its alt text."""

    source: str
    name: str
    alt_text: str = ""

    @property
    def is_upload(self) -> bool:
        """Whether it lies here already."""
        return self.source.startswith("publishing/")

    @property
    def is_video(self) -> bool:
        """Whether it is a video, by the ending of its name."""
        return self.source.partition("?")[0].lower().endswith(VIDEO_ENDINGS)


@dataclass(frozen=True, slots=True)
class Composed:
    """The composer's form as somebody filled it in."""

    account_id: str = ""
    product: str = "image"
    caption: str = ""
    text: str = ""
    first_comment: str = ""
    location_id: str = ""
    collaborators: str = ""
    fit: str = "pad"
    background: str = "white"
    thumb_seconds: str = ""
    share_to_feed: bool = True
    scheduled_at: str = ""
    timezone: str = ""
    post_id: str = ""
    tag: str = ""
    pieces: tuple[Piece, ...] = field(default_factory=tuple)

    def draft(self) -> Draft:
        """Return what the form means.

        Raises `Invalid` for a field that means nothing.
        """
        product = _word(Product, self.product, "kind")
        return Draft(
            product,
            tuple(map(_item, self.pieces)),
            self.caption.replace("\r\n", "\n").strip(),
            text=(self.text.strip() or None) if product is Product.STORY else None,
            location_id=self.location_id.strip() or None,
            collaborators=tuple(name.lstrip("@") for name in self.collaborators.replace(",", " ").split()),
            thumb_offset=_milliseconds(self.thumb_seconds) if product is Product.REEL else None,
            share_to_feed=self.share_to_feed if product is Product.REEL else None,
            first_comment=self.first_comment.strip() or None,
            fit=_word(Fit, self.fit, "fit"),
            background=self.background.strip() or "white",
        )

    def moment(self, now: datetime) -> Moment | None:
        """Return when the post is due; None: at once.

        Raises `Invalid` for a moment that a clock skips, or that has passed.
        """
        if not self.scheduled_at.strip():
            return None
        return moment_of(self.scheduled_at.strip(), self.timezone.strip() or "UTC", now)


def read(form: FormData, pieces: Sequence[Piece]) -> Composed:
    """Return a form as it was filled in, with the pieces in the order that it asks for."""
    words = {name: text_of(form, name) for name in _TEXTS if name in form}
    return Composed(**words, share_to_feed="share_to_feed" in form, pieces=tuple(pieces))


_TEXTS = (
    "account_id", "product", "caption", "text", "first_comment", "location_id", "collaborators", "fit", "background",
    "thumb_seconds", "scheduled_at", "timezone", "post_id", "tag",
)  # fmt: skip


def kept_pieces(form: FormData) -> Sequence[Piece]:
    """Return the pieces that an earlier look at the form has kept, in their order, without those that were taken out."""
    sources = [one for one in form.getlist("piece") if isinstance(one, str)]
    names = [one for one in form.getlist("piece_name") if isinstance(one, str)]
    words = [one for one in form.getlist("piece_alt") if isinstance(one, str)]
    places = [one for one in form.getlist("piece_place") if isinstance(one, str)]
    dropped = {one for one in form.getlist("piece_drop") if isinstance(one, str)}
    rows = list(zip(places, sources, names, words, strict=False))
    rows.sort(key=lambda row: int(row[0]) if is_number(row[0]) else len(rows))
    return [Piece(source, name, alt) for _, source, name, alt in rows if source not in dropped]


def addresses(form: FormData) -> Sequence[Piece]:
    """Return the pieces that are given by their addresses, one a line."""
    lines = (line.strip() for line in text_of(form, "urls").splitlines())
    return [Piece(line, line.rpartition("/")[2][:80] or line) for line in lines if line]


def uploads(form: FormData) -> Sequence[UploadFile]:
    """Return the files that came with the form; a browser sends an empty one for a field that was left alone."""
    return [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]


def composed(post: Post, account_id: str) -> Composed:
    """Return a stored post as the form that would make it."""
    draft, zone = post.draft, post.timezone or "UTC"
    at = post.scheduled_at
    return Composed(
        account_id=account_id,
        product=draft.product.value,
        caption=draft.words,
        text=draft.text or "",
        first_comment=draft.first_comment or "",
        location_id=draft.location_id or "",
        collaborators=" ".join(draft.collaborators),
        fit=draft.fit.value,
        background=draft.background,
        thumb_seconds=f"{draft.thumb_offset / 1000:g}" if draft.thumb_offset else "",
        share_to_feed=draft.share_to_feed is not False,
        scheduled_at=at.strftime("%Y-%m-%dT%H:%M") if at and zone == "UTC" else _local(at, zone),
        timezone=zone if at else "",
        post_id=str(post.id),
        tag=post.tag,
        pieces=tuple(map(_piece, draft.items)),
    )


def _local(at: datetime | None, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M") if at else ""


def _piece(item: Item) -> Piece:
    source = item.blob or item.url or ""
    return Piece(source, source.rpartition("/")[2], item.alt_text or "")


def _item(piece: Piece) -> Item:
    kind = ItemKind.VIDEO if piece.is_video else ItemKind.PICTURE
    alt_text = piece.alt_text.strip() or None
    if piece.is_upload:
        return Item(kind, blob=piece.source, alt_text=alt_text)
    return Item(kind, piece.source, alt_text=alt_text)


def is_number(text: str) -> bool:
    """Tell whether a text is a number that a database takes; some digits of other alphabets are none."""
    return text.isascii() and text.isdigit() and len(text) < 16


def _word(words: type[Word], said: str, name: str) -> Word:
    try:
        return words(said)
    except ValueError:
        raise Invalid(f"{name} must be one of {', '.join(words)}") from None


def _milliseconds(seconds: str) -> int | None:
    try:
        return round(float(seconds.replace(",", ".")) * 1000) if seconds.strip() else None
    except (ValueError, OverflowError):
        raise Invalid("the cover's second must be a number, like 2.5") from None
