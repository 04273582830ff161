"""One row of a list of posts and the post that is meant by it, in both directions. Pure."""

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar, cast
from urllib.parse import urlsplit

from tintype.core.accounts import Account, State
from tintype.core.publishing.bulk_forms import Cells
from tintype.core.publishing.checks import problems
from tintype.core.publishing.model import Draft, Fit, Item, ItemKind, Moment, Problem, Product, Tag
from tintype.core.publishing.schedule import moment_of
from tintype.core.publishing.uploads import UPLOAD
from tintype.errors import Invalid
from tintype.zones import zone_named

T = TypeVar("T")

EXTERNAL_ID = 150  # characters: the key of a post has to hold it

_TYPES = {"post": Product.IMAGE, "carousel": Product.CAROUSEL, "reel": Product.REEL, "story": Product.STORY}
_NAMES = {product: name for name, product in _TYPES.items()}
_VIDEO = re.compile(r"\.(mp4|mov|m4v)$", re.IGNORECASE)
_TRUE, _FALSE = frozenset({"true", "yes", "1", "x"}), frozenset({"false", "no", "0"})
_WORD = re.compile(r"[^\s,|]+")
_ADDRESS = re.compile(r"[^\s|]+")
_LONGEST = 10_000  # characters of one cell


@dataclass(frozen=True, slots=True)
class Order:
    """What a row orders; `hold` keeps it as a draft, `external_id` is what its sender knows it by."""

    account: Account
    draft: Draft
    moment: Moment | None
    hold: bool
    external_id: str | None

    @property
    def identity(self) -> str:
        """What tells a row from others when the same list comes again: its sender's id, or else all that it says."""
        if self.external_id is not None:
            return f"id:{self.account.number}:{self.external_id}"
        said = cells_of(self.account.number, self.draft, self.moment, hold=self.hold, external_id=None)
        return "row:" + hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


class Directory:
    """A workspace's accounts by all that a row may call them: number, id, Instagram's id, username."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        held = [one for one in accounts if one.state is not State.DISCONNECTED]
        # The later ones win: a username of digits does not hide the account of that number.
        self._by_name = {(one.username or "").lower(): one for one in held if one.username}
        self._by_name |= {one.instagram_id: one for one in held}
        self._by_name |= {one.id: one for one in held} | {str(one.number): one for one in held}

    def find(self, named: str) -> Account:
        """Return the account of this name; raises `Invalid`."""
        found = self._by_name.get(named) or self._by_name.get(named.removeprefix("@").lower())
        if found is None:
            raise Invalid(f"account: there is no {named[:60]!r} in this workspace")
        return found


def order_of(cells: Cells, accounts: Directory, now: datetime) -> tuple[Order | None, Sequence[Problem]]:
    """Return what a row orders, or None, and everything that stands against it."""
    reading = _Reading(cells)
    account = reading.take("account", lambda value: accounts.find(_text(value)))
    hold = reading.take("draft", _flag) or False
    if "scheduled_at" not in cells:
        reading.take("timezone", lambda value: zone_named(_text(value).strip()))
    moment = reading.take("scheduled_at", lambda value: moment_of(_text(value), reading.zone(), now))
    external_id = reading.take("external_id", _external)
    draft = _draft(reading)
    found = [*reading.problems]
    if account is None and "account" not in cells:
        found.append(Problem("account", "missing", "account is required"))
    if "media" not in cells:
        found.append(Problem("media", "missing", "media is required"))
    elif not any(one.field == "media" for one in found):
        # A draft is kept whatever stands against it, and says so.
        found.extend(replace(one, blocking=one.blocking and not hold) for one in problems(draft))
    if account is not None and account.state is not State.CONNECTED:
        message = account.reason or "this Instagram account is not connected; connect it first"
        found.append(Problem("account", "reconnect", message, blocking=not hold))
    if account is None or any(one.blocking for one in found):
        return None, found
    return Order(account, draft, moment, hold, external_id), found


def cells_of(
    account: object, draft: Draft, moment: Moment | None, *, hold: bool, external_id: str | None
) -> Mapping[str, object]:
    """Return the row that orders this; what is not said has no cell."""
    items = draft.items
    alone = len(items) == 1 and draft.product is not Product.CAROUSEL
    alts = [item.alt_text for item in items]
    told: dict[str, object] = {
        "account": account,
        "type": _NAMES[draft.product],
        "media": _joined([_medium_said(item, draft.product) for item in items], _ADDRESS),
        "caption": draft.caption,
        "hashtags": _joined(draft.hashtags),
        "text": draft.text,
        "alt_text": (alts[0] if alone else alts) if any(alts) else None,
        "user_tags": [_tag_said(tag, place) for place, item in enumerate(items, 1) for tag in item.tags],
        "scheduled_at": moment.at.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None,
        "timezone": moment.timezone if moment else None,
        "location_id": draft.location_id,
        "collaborators": _joined(draft.collaborators),
        "cover_url": draft.cover_url or draft.cover_blob,
        "thumb_offset": draft.thumb_offset,
        "share_to_feed": draft.share_to_feed,
        "first_comment": draft.first_comment,
        "fit": draft.fit.value if draft.fit is not Fit.PAD else None,
        "background": draft.background if draft.background != "white" else None,
        "draft": hold or None,
        "external_id": external_id,
    }
    return {name: value for name, value in told.items() if value not in (None, "", [])}


class _Reading:
    """The cells of one row while they are read, and what was wrong with them."""

    def __init__(self, cells: Cells) -> None:
        self._cells = cells
        self.problems: list[Problem] = []

    def take(self, name: str, read: Callable[[object], T]) -> T | None:
        """Return what a cell says; None where it is empty, or says what it cannot."""
        value = self._cells.get(name)
        if value is None or value == "":
            return None
        try:
            return read(value)
        except Invalid as trouble:
            message = trouble.message if trouble.message.startswith(name) else f"{name}: {trouble.message}"
            self.problems.append(Problem(name, "bad_value", message))
            return None

    def zone(self) -> str | None:
        """Return the name of the zone in which the row's time is meant."""
        value = self._cells.get("timezone")
        return _text(value).strip() if value else None


def _draft(reading: _Reading) -> Draft:
    media = reading.take("media", _addresses) or ()
    product = reading.take("type", _product) or _likely(media)
    product = Product.CAROUSEL if product is Product.IMAGE and len(media) > 1 else product
    items = reading.take("media", lambda _: tuple(_medium(one, product) for one in media)) or ()
    if items:
        items = reading.take("alt_text", lambda value: _described(items, product, value)) or items
        items = reading.take("user_tags", lambda value: _tagged(items, value)) or items
    cover = reading.take("cover_url", _text)
    uploaded = cover is not None and UPLOAD.fullmatch(cover) is not None
    return Draft(
        product=product,
        items=items,
        caption=reading.take("caption", _text) or "",
        hashtags=reading.take("hashtags", _words) or (),
        text=reading.take("text", _text),
        location_id=reading.take("location_id", _text),
        collaborators=reading.take("collaborators", _words) or (),
        cover_url=None if uploaded else cover,
        cover_blob=cover if uploaded else None,
        thumb_offset=reading.take("thumb_offset", _number),
        share_to_feed=reading.take("share_to_feed", _flag),
        first_comment=reading.take("first_comment", _text),
        fit=reading.take("fit", _fit) or Fit.PAD,
        background=reading.take("background", _text) or "white",
    )


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Invalid("must be text")
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise Invalid("has half a character in it") from None
    if "\0" in text:
        raise Invalid("must not contain the character NUL")
    if len(text) > _LONGEST:
        raise Invalid(f"has more than {_LONGEST} characters")
    return text


def _number(value: object) -> int:
    text = _text(value).strip()
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Invalid(f"{text[:40]!r} is not a whole number")
    return int(text)


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    text = _text(value).strip().lower()
    if text not in _TRUE | _FALSE:
        raise Invalid(f"{text[:40]!r} is neither true nor false")
    return text in _TRUE


def _words(value: object) -> tuple[str, ...]:
    """Return a list: one of JSON, or words between spaces, commas or bars."""
    return _listed(value, _WORD)


def _addresses(value: object) -> tuple[str, ...]:
    """Return a list of addresses, which may have commas in them."""
    return _listed(value, _ADDRESS)


def _listed(value: object, word: re.Pattern[str]) -> tuple[str, ...]:
    if isinstance(value, str) and value.strip().startswith("["):
        value = _json(value)
    if isinstance(value, list):
        return tuple(_text(one) for one in cast("list[object]", value))
    return tuple(word.findall(_text(value)))


def _joined(words: Sequence[str], word: re.Pattern[str] = _WORD) -> object:
    """Return a list as plainly as it can be read again."""
    plain = all(word.fullmatch(one) for one in words) and not "".join(words[:1]).startswith("[")
    return " ".join(words) if plain else list(words)


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Invalid("begins with [ and is no list of JSON") from None


def _external(value: object) -> str:
    text = _text(value).strip()
    if len(text) > EXTERNAL_ID:
        raise Invalid(f"is longer than {EXTERNAL_ID} characters")
    return text


def _product(value: object) -> Product:
    found = _TYPES.get(_text(value).strip().lower())
    if found is None:
        raise Invalid(f"is one of {', '.join(_TYPES)}")
    return found


def _fit(value: object) -> Fit:
    try:
        return Fit(_text(value).strip().lower())
    except ValueError:
        raise Invalid(f"is one of {', '.join(Fit)}") from None


def _likely(media: Sequence[str]) -> Product:
    return Product.REEL if len(media) == 1 and _kind(media[0], Product.IMAGE) is ItemKind.VIDEO else Product.IMAGE


def _medium(said: str, product: Product) -> Item:
    """Return an item by its address or the key of an upload; `video:` or `picture:` in front says what it is."""
    kind, _, rest = said.partition(":")
    address = rest if kind in tuple(ItemKind) else said
    found = _kind(said, product)
    if UPLOAD.fullmatch(address):
        return Item(found, blob=address)
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = None
    if parts is None or parts.scheme not in ("http", "https") or not parts.netloc:
        raise Invalid(f"{address[:80]!r} is no address; it begins with https://")
    return Item(found, url=address)


def _kind(said: str, product: Product) -> ItemKind:
    kind = said.partition(":")[0]
    if kind in tuple(ItemKind):
        return ItemKind(kind)
    path = re.split(r"[?#]", said, maxsplit=1)[0]
    return ItemKind.VIDEO if product is Product.REEL or _VIDEO.search(path) else ItemKind.PICTURE


def _medium_said(item: Item, product: Product) -> str:
    address = item.url or item.blob or ""
    return address if _kind(address, product) is item.kind else f"{item.kind.value}:{address}"


def _described(items: tuple[Item, ...], product: Product, value: object) -> tuple[Item, ...]:
    """Return items with their descriptions: a carousel has a list, or one line for each."""
    if product is not Product.CAROUSEL:
        return tuple(replace(item, alt_text=_text(value)) for item in items)
    if isinstance(value, str):
        value = _json(value) if value.strip().startswith("[") else value.splitlines()
    lines = cast("list[object]", value) if isinstance(value, list) else [value]
    if len(lines) > len(items):
        raise Invalid(f"describes {len(lines)} of {len(items)} items")
    texts = [_text(line) if line not in (None, "") else None for line in lines]
    texts += [None] * (len(items) - len(texts))
    return tuple(replace(item, alt_text=text) for item, text in zip(items, texts, strict=True))


def _tagged(items: tuple[Item, ...], value: object) -> tuple[Item, ...]:
    """Return items with those marked on them: a list of `{username, x, y, item}`, where items count from 1."""
    listed = _json(value) if isinstance(value, str) else value
    if not isinstance(listed, list):
        raise Invalid('is a list like [{"username": "ann", "x": 0.5, "y": 0.5, "item": 1}]')
    tags: dict[int, list[Tag]] = {}
    for one in cast("list[object]", listed):
        place, tag = _tag(one)
        if not 1 <= place <= len(items):
            raise Invalid(f"there is no item {place}")
        tags.setdefault(place, []).append(tag)
    return tuple(replace(item, tags=tuple(tags.get(place, ()))) for place, item in enumerate(items, 1))


def _tag(one: object) -> tuple[int, Tag]:
    said = cast("dict[str, object]", one) if isinstance(one, dict) else {}
    username, place = said.get("username"), said.get("item", 1)
    if not isinstance(username, str) or type(place) is not int:
        raise Invalid("each has a username, and x and y from 0 to 1 on a picture")
    return place, Tag(_text(username), _share(said.get("x")), _share(said.get("y")))


def _share(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Invalid("x and y are numbers from 0 to 1")
    return float(value)


def _tag_said(tag: Tag, place: int) -> Mapping[str, object]:
    said = {"username": tag.username, "x": tag.x, "y": tag.y, "item": place if place > 1 else None}
    return {name: value for name, value in said.items() if value is not None}
