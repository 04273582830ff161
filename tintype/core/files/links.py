"""Links to Instagram's media: their addresses expire, so they are asked for again by the medium's id, and remembered for a while."""

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from tintype.backends.cache import Cache
from tintype.backends.outbound import Outbound, Outgoing, Policy, Stream
from tintype.core.accounts import Accounts, Grip
from tintype.core.files.model import Medium, MediumGone
from tintype.errors import NotFound, Reconnect, Refused, Unavailable, Unreachable
from tintype.instagram import Call, Graph, Media, MediaKind, calls, expiry_of, revokes

log = logging.getLogger(__name__)

CDN = Policy(
    total_seconds=60,
    first_byte_seconds=10,
    max_bytes=300 * 2**20,
    max_redirects=3,
    host_suffixes=(".cdninstagram.com", ".fbcdn.net"),
)
REMEMBERED = 3600.0  # seconds; what was deleted on Instagram is shown no longer than that
GONE_REMEMBERED = 60.0
MARGIN = 60.0  # seconds before an address ends at which it is not handed out any more

DELETED = "this medium was deleted on Instagram, or its account may not show it any more"
REVOKED = "access to the Instagram account of this medium was revoked; connect the account again to bring the link back"
WITHHELD = "Instagram gives no address of this medium, as it does where sound is protected"

_EXPIRED = frozenset({403, 404, 410})  # what the CDN answers when a signature is over (graph-api.md 2.5)
_NO_SUCH = frozenset({(100, 33), (803, None), (24, None)})  # what Graph answers of an id that is gone

T = TypeVar("T")


@dataclass(slots=True)
class Flow:
    """An answer of the CDN that is being read; `close` ends one that is not read to its end."""

    answer: Stream
    stack: AsyncExitStack = field(repr=False)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the bytes, and give the connection back at the end."""
        async with self.stack:
            async for chunk in self.answer.chunks:
                yield chunk

    async def close(self) -> None:
        """Give the connection back."""
        await self.stack.aclose()


@dataclass(frozen=True, slots=True)
class Links:
    """Finds the present address of a medium and reads what lies there."""

    accounts: Accounts
    graph: Graph
    outbound: Outbound
    cache: Cache
    now: Callable[[], datetime]

    async def medium(self, account_id: str, media_id: str) -> Media:
        """Return a medium as Instagram shows it now.

        Raises `MediumGone` when it is not to be had, and other `Trouble` when Instagram could not be asked.
        """
        grip = await self._grip(account_id)
        return await self._ask(grip, calls.media_item(grip.account.login, media_id))

    async def address(self, medium: Medium, *, afresh: bool = False) -> str:
        """Return the present address of a medium; `afresh` when the one at hand does not work.

        Raises `MediumGone` with the reason when there is none any more, other `Trouble` when Instagram could not be asked.
        """
        key = f"file:{medium.account_id}:{medium.shown_id}"
        known = None if afresh else await self._remembered(key)
        if known is not None and known.startswith("!"):
            raise MediumGone(known[1:])
        if known is not None:
            return known
        try:
            found = await self._address(medium)
        except MediumGone as gone:
            await self._remember(key, f"!{gone.message}", GONE_REMEMBERED)
            raise
        await self.keep(medium, found)
        return found

    async def keep(self, medium: Medium, url: str) -> None:
        """Remember an address that was just learned."""
        expires = expiry_of(url)
        left = (expires - self.now()).total_seconds() - MARGIN if expires else REMEMBERED
        if left > 0:
            await self._remember(f"file:{medium.account_id}:{medium.shown_id}", url, min(left, REMEMBERED))

    async def open(self, medium: Medium, start: int = 0, end: int | None = None) -> Flow:
        """Begin to read a medium's bytes, or some of them.

        Raises `MediumGone`, and other `Trouble` when Instagram's network gives no usable answer.
        """
        flow = await self._flow(await self.address(medium), start, end)
        if flow.answer.status in _EXPIRED:
            await flow.close()
            flow = await self._flow(await self.address(medium, afresh=True), start, end)
        if flow.answer.status not in (200, 206):
            await flow.close()
            raise Unreachable(f"Instagram's network answered {flow.answer.status} for this medium; try again")
        return flow

    async def _flow(self, url: str, start: int, end: int | None) -> Flow:
        headers = {"Range": f"bytes={start}-{'' if end is None else end - 1}"} if start or end is not None else {}
        stack = AsyncExitStack()
        answer = await stack.enter_async_context(self.outbound.stream(Outgoing("GET", url, headers=headers), CDN))
        return Flow(answer, stack)

    async def _address(self, medium: Medium) -> str:
        grip = await self._grip(medium.account_id)
        urls = await self._ask(grip, calls.media_urls(grip.account.login, medium.shown_id))
        url = urls.media_url or urls.thumbnail_url
        if url is None:
            raise MediumGone(WITHHELD)
        return url

    async def _grip(self, account_id: str) -> Grip:
        try:
            return await self.accounts.open(account_id)
        except (NotFound, Reconnect):
            raise MediumGone(REVOKED) from None

    async def _ask(self, grip: Grip, call: Call[T]) -> T:
        try:
            return await self.graph.using(grip.app).ask(call, grip.token)
        except Reconnect as trouble:
            if not revokes(trouble):
                raise
            await self.accounts.lost(grip.account, trouble, grip)
            raise MediumGone(REVOKED) from None
        except Refused as trouble:
            if (trouble.code, trouble.subcode) in _NO_SUCH:
                raise MediumGone(DELETED) from None
            raise

    async def _remembered(self, key: str) -> str | None:
        # Without the cache Instagram is asked each time: slower, never wrong.
        with contextlib.suppress(Unavailable):
            if (found := await self.cache.get(key)) is not None:
                return found.decode()
        return None

    async def _remember(self, key: str, value: str, seconds: float) -> None:
        with contextlib.suppress(Unavailable):
            await self.cache.set(key, value.encode(), seconds)


def shown_in(media: Media, child_id: str | None) -> Media:
    """Return the picture or video of a post that is meant: one child of a carousel, its first one, or the post itself.

    Raises `MediumGone` for a child that is not in it.
    """
    if media.kind is not MediaKind.CAROUSEL_ALBUM:
        return media
    found = next((child for child in media.children if child_id in (None, child.id)), None)
    if found is None:
        raise MediumGone("this picture is not in the carousel on Instagram any more")
    return found
