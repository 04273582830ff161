"""Small pictures of what an account has, for a dialog's grid: fetched by us, so that no browser meets Instagram's network."""

import contextlib
import json
from dataclasses import dataclass, replace

from tintype.backends.cache import Cache
from tintype.backends.images import Images
from tintype.backends.outbound import Outgoing, Policy
from tintype.backends.vault import Vault
from tintype.core.accounts import Accounts
from tintype.core.files.dialog_model import Dialog, Entry
from tintype.core.files.links import CDN, Links
from tintype.core.files.model import Medium
from tintype.errors import Misconfigured, NotFound, Unavailable, Unreachable
from tintype.instagram import MediaKind, calls

WIDTH = 320
FORMAT = "webp"
REMEMBERED = 3600.0
PICTURE: Policy = replace(CDN, max_bytes=16 * 2**20)

_EXPIRED = frozenset({403, 404, 410})


@dataclass(frozen=True, slots=True)
class Thumbs:
    """Makes the small pictures; each has a token that only its dialog's address opens."""

    accounts: Accounts
    links: Links
    images: Images
    cache: Cache
    vault: Vault

    def token(self, dialog: Dialog, account_id: str, entry: Entry) -> str | None:
        """Return the token of what an entry shows; an album shows its first picture. None: it shows nothing."""
        shown = entry.children[0] if entry.children else entry
        if shown.kind not in (MediaKind.IMAGE, MediaKind.VIDEO):
            return None
        wanted = [account_id, shown.child_id or shown.media_id, shown.kind is MediaKind.VIDEO]
        return self.vault.seal(json.dumps(wanted), context=_context(dialog)).hex()

    async def picture(self, dialog: Dialog, token: str) -> bytes:
        """Return the small picture of a token.

        Raises `NotFound` for a token of another dialog, or when there is no picture, and other `Trouble` when Instagram
        could not be asked.
        """
        account_id, media_id, is_video = self._opened(dialog, token)
        key = f"thumb:{account_id}:{media_id}"
        with contextlib.suppress(Unavailable):
            if (found := await self.cache.get(key)) is not None:
                return found
        body = await self._fetched(account_id, media_id, is_video=is_video)
        (made,) = await self.images.render(body, sizes=(WIDTH,), formats=(FORMAT,))
        with contextlib.suppress(Unavailable):
            await self.cache.set(key, made.data, REMEMBERED)
        return made.data

    def _opened(self, dialog: Dialog, token: str) -> tuple[str, str, bool]:
        try:
            account_id, media_id, is_video = json.loads(self.vault.open(bytes.fromhex(token), context=_context(dialog)))
        except (ValueError, Unavailable, Misconfigured):
            raise NotFound("there is no such picture in this dialog") from None
        return account_id, media_id, is_video

    async def _fetched(self, account_id: str, media_id: str, *, is_video: bool) -> bytes:
        for afresh in (False, True):
            url = await self._address(account_id, media_id, is_video=is_video, afresh=afresh)
            answer = await self.links.outbound.send(Outgoing("GET", url), PICTURE)
            if answer.status == 200:
                return answer.body
            if answer.status not in _EXPIRED:
                break
        raise Unreachable("Instagram's network has no picture of this at the moment")

    async def _address(self, account_id: str, media_id: str, *, is_video: bool, afresh: bool) -> str:
        if not is_video:
            return await self.links.address(Medium(account_id, media_id), afresh=afresh)
        grip = await self.accounts.open(account_id)
        call = calls.media_urls(grip.account.login, media_id)
        urls = await self.links.graph.using(grip.app).ask(call, grip.token)
        if urls.thumbnail_url is None:
            raise NotFound("Instagram shows no picture of this video")
        return urls.thumbnail_url


def _context(dialog: Dialog) -> str:
    return f"dialogs:{dialog.id}:thumb"
