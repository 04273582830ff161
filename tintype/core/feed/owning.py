"""Posts of accounts that are connected here, for whoever has only their address: read by the official way, with no look-up."""

from dataclasses import dataclass

from tintype.core.accounts import Accounts
from tintype.core.feed.records import FeedRecords
from tintype.instagram import Graph, Media, MediaKind, calls
from tintype.instagram.links import LinkKind, post_url
from tintype.instagram.public import PublicMedia, PublicPost

SOURCE = "graph"

_LINKS = (LinkKind.POST, LinkKind.REEL, LinkKind.TV)


@dataclass(frozen=True, slots=True)
class OwnPosts:
    """Finds a post among the stored media of all accounts, and reads its present addresses with its account's token."""

    records: FeedRecords
    accounts: Accounts
    graph: Graph

    async def find(self, shortcode: str) -> PublicPost | None:
        """Return a post; None when it is nobody's here, or Instagram gives no address of one of its files.

        Raises the `Trouble` of an account that cannot be read now.
        """
        found = await self.records.posted_as([post_url(shortcode, kind) for kind in _LINKS])
        if found is None:
            return None
        account_id, media_id = found
        grip = await self.accounts.open(account_id)
        call = calls.media_item(grip.account.login, media_id)
        return public_post(shortcode, await self.graph.using(grip.app).ask(call, grip.token), grip.account.name)


def public_post(shortcode: str, media: Media, owner_name: str | None) -> PublicPost | None:
    """Return an own medium as a post like others; None when the address of a file is missing (flagged audio)."""
    parts = media.children if media.kind is MediaKind.CAROUSEL_ALBUM else (media,)
    files = [_file(part, part.media_url) for part in parts if part.media_url]
    if not files or len(files) < len(parts):
        return None
    return PublicPost(
        shortcode=shortcode,
        media_id=media.id,
        kind=media.kind,
        product=media.product.value if media.product else None,
        caption=media.caption or "",
        owner=media.username,
        owner_name=owner_name,
        taken_at=media.timestamp,
        media=tuple(files),
        source=SOURCE,
    )


def _file(part: Media, url: str) -> PublicMedia:
    kind = MediaKind.VIDEO if part.kind is MediaKind.VIDEO else MediaKind.IMAGE
    return PublicMedia(kind=kind, url=url, poster_url=part.thumbnail_url)
