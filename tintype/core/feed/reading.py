"""Reading an account's media from Instagram, as what is said of posts and, where they are stored, as items of the feed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tintype.core.accounts import Grip
from tintype.core.feed.comparing import Known, Said, Wanting, settled, stable_name
from tintype.core.feed.copies import Source, addresses, source_of
from tintype.core.feed.model import Item, Kind
from tintype.errors import Refused
from tintype.instagram import Graph, Login, Media, MediaKind, MediaUrls, Profile, calls

KINDS: Mapping[MediaKind, Kind] = {
    MediaKind.IMAGE: "IMAGE",
    MediaKind.VIDEO: "VIDEO",
    MediaKind.CAROUSEL_ALBUM: "CAROUSEL_ALBUM",
}

_NOT_FOUND = (100, 33)  # "does not exist, or no permission" (graph-api.md 5.2)


@dataclass(frozen=True, slots=True)
class Pass:
    """What one pass over an account has seen, newest first; `complete` when it reached the end or the limit."""

    said: tuple[Said, ...]
    media: tuple[Media, ...] = field(repr=False)
    complete: bool
    username: str | None

    def items(self, wanted: Collection[str]) -> Sequence[Item]:
        """Return some of the posts as items of the feed, still without copies."""
        return [said.item() for said in self.said if said.id in wanted]

    def sources(self) -> Mapping[str, Source]:
        """Return where the files of each item and child are to be had; most passes find nothing to fetch, and never ask."""
        return {one.id: source_of(one) for media in self.media for one in (media, *media.children)}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one account with one opened token."""

    graph: Graph
    grip: Grip

    @property
    def _asking(self) -> Graph:
        return self.graph.using(self.grip.app)

    @property
    def _user(self) -> str:
        # A token of Instagram Login speaks for one account; its own number is not always accepted (graph-api.md 1.3).
        return "me" if self.grip.account.login is Login.INSTAGRAM_LOGIN else self.grip.account.instagram_id

    async def read(self, stored: Mapping[str, Known], *, deep: bool, max_items: int, wanting: Wanting) -> Pass:
        """Read media, newest first, until known ground (or the end, when `deep`), at most `max_items`."""
        seen: list[Media] = []
        more = False
        call = calls.media_page(self.grip.account.login, self._user)
        async for page in self._asking.pages(call, self.grip.token):
            shown = [media for media in page.items if media.kind in KINDS]
            seen.extend(shown)
            more = page.after is not None
            if len(seen) >= max_items or (not deep and settled(list(map(said_of, shown[-2:])), stored, wanting)):
                break
        kept = tuple(seen[:max_items])
        username = next((media.username for media in kept if media.username), None)
        return Pass(tuple(map(said_of, kept)), kept, complete=not more, username=username)

    async def urls(self, media_id: str) -> MediaUrls:
        """Return the present addresses of one medium."""
        return await self._asking.ask(calls.media_urls(self.grip.account.login, media_id), self.grip.token)

    async def profile(self) -> Profile:
        """Return the account as Instagram shows it now."""
        return await self._asking.ask(calls.profile(self.grip.account.login, self._user), self.grip.token)

    async def is_gone(self, media_id: str) -> bool:
        """Tell whether Instagram says, asked directly, that a medium does not exist."""
        try:
            await self.urls(media_id)
        except Refused as trouble:
            return (trouble.code, trouble.subcode) == _NOT_FOUND
        return False


def item_of(media: Media) -> Item:
    """Return a medium as an item of the feed, still without copies."""
    return said_of(media).item()


def said_of(media: Media) -> Said:
    """Return what is said of a medium and its children, without their signed addresses."""
    children = tuple(_said(child, "FEED", ()) for child in media.children if child.kind in KINDS)
    return _said(media, media.product.value if media.product else "FEED", children)


def _said(media: Media, product: str, children: tuple[Said, ...]) -> Said:
    picture, video = addresses(media.kind.value, media.media_url, media.thumbnail_url)
    return Said(
        media.id,
        KINDS.get(media.kind, "IMAGE"),
        product,
        media.caption or "",
        media.permalink or "",
        media.timestamp,
        media.alt_text,
        stable_name(picture),
        stable_name(video),
        children,
    )
