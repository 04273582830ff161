"""Dialogs: one opens for a page, an account is connected in it, its photos are shown and some of them are chosen.

What connects a window with the dialog that opened it is a row here. Browsers cut every other thread between the two: cookies
of a frame are not those of a window, and a window does not know its opener where either page asked for that.
"""

import asyncio
import contextlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tintype.backends.vault import Vault
from tintype.core.access import fingerprint
from tintype.core.accounts import Account, Accounts, Connecting, Looking, State
from tintype.core.files.dialog_model import Dialog, DialogState, Entry, Opening, Purpose, Showing, entry, matching
from tintype.core.files.dialog_records import Connect, DialogRecords
from tintype.core.files.files import Files
from tintype.core.files.model import File, Medium, MediumGone, PickerApp, StoreOptions
from tintype.errors import Forbidden, Invalid, Misconfigured, NotFound, Reconnect, TooLarge, Trouble, Unavailable
from tintype.instagram import Login, Media, MediaKind, Page, oauth

IDLE = timedelta(hours=1)
TOUCHED_EVERY = timedelta(minutes=1)
KEPT = timedelta(days=1)  # an ended dialog, for those who ask what became of theirs
CONNECT_LIFE = timedelta(minutes=10)
CODE_TRIES = 5  # of a million codes

PAGE = 24
SEARCHED = 50  # media of one page that is searched
SEARCH_PAGES = 4  # pages that one search looks through before it shows what it has

ENDED = "this dialog has ended; close it and open it again"


@dataclass(frozen=True, slots=True)
class Return:
    """What a browser that comes back from Instagram brings: a code, or what Instagram said instead."""

    state: str
    code: str | None
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand in a dialog: its accounts, whether one is being connected, by which code, and what went wrong.

    `attempt` is when the last connection was begun, by which whoever began one tells it from the one before.
    """

    accounts: Sequence[Account]
    attempt: datetime | None
    connecting: bool
    code: str | None
    trouble: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Dialogs:
    """Opens dialogs and does what is asked for in them."""

    records: DialogRecords
    accounts: Accounts
    connecting: Connecting
    files: Files
    vault: Vault
    now: Callable[[], datetime]

    async def open(
        self, app: PickerApp, origin: str, opening: Opening, *, before: str | None = None
    ) -> tuple[str, Dialog]:
        """Open a dialog for a page and return its secret with it.

        `before` is the secret of an earlier one in the same browser: its accounts are known at once to a page of the same
        app and origin.
        """
        secret, now = secrets.token_urlsafe(32), self.now()
        dialog = Dialog(
            id=fingerprint(secret),
            app_id=app.id,
            workspace_id=app.workspace_id,
            origin=origin,
            opening=opening,
            state=DialogState.OPEN,
            made_at=now,
            used_at=now,
            expires_at=now + IDLE,
        )
        known = await self._known(dialog, before) if before else ()
        await self.records.add(dialog, known, forget_before=now - KEPT)
        return secret, dialog

    async def get(self, secret: str) -> Dialog:
        """Return the dialog of a secret.

        Raises `Forbidden` when it has ended.
        """
        return await self.living(fingerprint(secret))

    async def living(self, dialog_id: str) -> Dialog:
        """Return a dialog by its id, for addresses that were made for it.

        Raises `Forbidden` when it has ended.
        """
        found, now = await self.records.get(dialog_id), self.now()
        if found is None or found.state is not DialogState.OPEN or found.expires_at <= now:
            raise Forbidden(ENDED)
        if now - found.used_at >= TOUCHED_EVERY:
            await self.records.touch(found.id, now, now + IDLE)
        return found

    async def standing(self, dialog: Dialog) -> Standing:
        """Return how things stand in a dialog."""
        last = await self.records.last_connect(dialog.id)
        fresh = last is not None and self.now() - last.begun_at < CONNECT_LIFE
        waits = last is not None and fresh and not last.done
        return Standing(
            accounts=await self.accounts_of(dialog),
            attempt=last.begun_at if last else None,
            connecting=waits,
            code=last.code if last and waits else None,
            trouble=last.trouble if last and fresh and last.done else None,
        )

    async def accounts_of(self, dialog: Dialog) -> Sequence[Account]:
        """Return the accounts that were connected in a dialog, those that have to be connected anew included."""
        found = [await self.accounts.find(one) for one in await self.records.account_ids(dialog.id)]
        living = [one for one in found if one is not None and one.state is not State.DISCONNECTED]
        return sorted(living, key=lambda one: one.username or one.instagram_id)

    def ticket(self, dialog: Dialog) -> str:
        """Return what opens the window in which an account is connected to a dialog."""
        return self.vault.seal("connect", context=f"dialogs:{dialog.id}:connect").hex()

    async def admitted(self, dialog_id: str, ticket: str) -> Dialog:
        """Return the dialog of a ticket.

        Raises `Forbidden` when the dialog has ended, or the ticket is not one of its own.
        """
        dialog = await self.living(dialog_id)
        try:
            self.vault.open(bytes.fromhex(ticket), context=f"dialogs:{dialog.id}:connect")
        except (ValueError, Unavailable, Misconfigured):
            raise Forbidden(ENDED) from None
        return dialog

    def usable(self, dialog: Dialog, account: Account) -> bool:
        """Tell whether an account can do what a dialog was opened for, or has to be connected anew for that."""
        # Instagram does not always say what it granted; then it is tried.
        narrow = account.scopes and not set(oauth.PUBLISH_SCOPES[account.login]) <= set(account.scopes)
        return account.state is State.CONNECTED and not (dialog.opening.purpose is Purpose.EXPORT and narrow)

    async def begin(self, dialog: Dialog, redirect_uri: str, browser: str) -> str:
        """Begin to connect an account to a dialog from the window that holds `browser`; return where it consents.

        Raises `Invalid` when there is no Instagram app to consent to.
        """
        login = await self._login(dialog.workspace_id)
        dialect = "picker" if dialog.opening.purpose is Purpose.PICK else "picker-export"
        begun = await self.connecting.begin(dialog.workspace_id, login, dialect=dialect, redirect_uri=redirect_uri)
        code = f"{secrets.randbelow(1_000_000):06}"
        connect = Connect(dialog.id, fingerprint(browser), code, 0, False, None, self.now())
        await self.records.begin(fingerprint(begun.state), connect)
        return await self.connecting.address(begun.state)

    async def came_from(self, state: str, browser: str | None) -> bool:
        """Tell whether the window that comes back is the one that began; if not, it has to show the dialog's code.

        Raises `Invalid` for a state that no dialog began, or that was used.
        """
        connect = await self._begun(state)
        return browser is not None and hmac.compare_digest(connect.browser, fingerprint(browser))

    def hold(self, came: Return) -> str:
        """Return what a window keeps of its return until it has shown the dialog's code: sealed, good for one state."""
        kept = f"{came.code or ''}\n{came.refusal or ''}"
        return self.vault.seal(kept, context=f"dialog_connects:{fingerprint(came.state)}").hex()

    async def prove(self, state: str, typed: str, held: str) -> Return:
        """Return what a window kept, when the code that was typed there is its dialog's.

        Raises `Forbidden` for a wrong one, `Invalid` after too many.
        """
        connect, digest = await self._begun(state), fingerprint(state)
        if await self.records.tried(digest) > CODE_TRIES:
            raise Invalid("too many wrong codes; go back to the page where you pick photos and connect again")
        digits = "".join(str(unicodedata.decimal(letter)) for letter in typed if letter.isdecimal())
        if not hmac.compare_digest(connect.code, digits):
            raise Forbidden("this is not the code that the page where you pick photos shows; look again")
        try:
            kept = self.vault.open(bytes.fromhex(held), context=f"dialog_connects:{digest}")
        except (ValueError, Unavailable, Misconfigured):
            raise Invalid("this window lost what Instagram sent; connect again") from None
        code, _, refusal = kept.partition("\n")
        return Return(state, code or None, refusal or None)

    async def finish(self, came: Return) -> Sequence[Account]:
        """Connect what came back to the dialog that asked for it; the dialog is told how that went.

        Raises what `Connecting.finish` raises.
        """
        connect, digest = await self._begun(came.state), fingerprint(came.state)
        try:
            found = await self.connecting.finish(
                came.state,
                None,
                code=came.code,
                refusal=came.refusal,
                dialects=("picker", "picker-export"),
                unbound=True,
            )
            if not found:
                raise Forbidden("no professional Instagram account is linked to the chosen Pages")
        except Trouble as trouble:
            await self.records.failed(digest, {"code": _why(trouble, came), "message": trouble.message})
            raise
        await self.records.attach(connect.dialog_id, digest, [one.id for one in found])
        return found

    async def origin_of(self, state: str) -> str:
        """Return the origin of the page whose dialog began a connection, to show to whoever ends it."""
        connect = await self.records.connect(fingerprint(state))
        dialog = await self.records.get(connect.dialog_id) if connect else None
        if dialog is None:
            raise Invalid("this connection is unknown; begin again")
        return dialog.origin

    async def show(self, dialog: Dialog, account_id: str, *, after: str | None = None, search: str = "") -> Showing:
        """Return a page of an account's posts, or of those whose caption has all words of `search`.

        Raises `Reconnect` when the account has to be connected anew, and other `Trouble` when Instagram could not be read.
        """
        account = await self.account(dialog, account_id)
        page = (
            await self._searched(account, after, search) if search.strip() else await self._page(account, after, PAGE)
        )
        await self._remember(account, page.items)
        items = tuple(entry(one, dialog.opening) for one in page.items if one.kind is not MediaKind.OTHER)
        return Showing(items, page.after)

    async def look(self, dialog: Dialog, account_id: str, media_id: str) -> Entry:
        """Return one post with what is in it; raises what `show` raises, and `MediumGone`."""
        account = await self.account(dialog, account_id)
        media = await self.files.links.medium(account.id, media_id)
        await self._remember(account, [media])
        return entry(media, dialog.opening)

    async def choose(
        self,
        dialog: Dialog,
        app: PickerApp,
        account_id: str,
        media_id: str,
        child_id: str | None = None,
        *,
        storing: Mapping[str, str] | None = None,
    ) -> File:
        """Make a link to a medium, or a copy where the page, or `storing`, asked for one.

        Raises `Reconnect` when the account has to be connected anew, `MediumGone` when the medium is gone, and what
        `Files.copy` raises.
        """
        opening, account = dialog.opening, await self.account(dialog, account_id)
        if opening.expires_at is not None and self.now().timestamp() >= opening.expires_at:
            raise Forbidden("the page's policy has ended meanwhile; close this and open it again")
        try:
            if opening.storing:
                options = _store_options(replace(opening, storing={**opening.storing, **(storing or {})}))
                return await self.files.copy(app, account, media_id, child_id, options)
            return await self._linked(app, account, media_id, child_id, opening)
        except MediumGone:
            present = await self.accounts.find(account_id)
            if present is None or present.state is not State.CONNECTED:
                raise Reconnect("Instagram does not let us use this account any more; connect it again") from None
            raise

    async def account(self, dialog: Dialog, account_id: str) -> Account:
        """Return an account that was connected in a dialog.

        Raises `NotFound` for any other.
        """
        if account_id not in await self.records.account_ids(dialog.id):
            raise NotFound("this account is not connected in this dialog")
        return await self.accounts.get(dialog.workspace_id, account_id)

    async def forget(self, dialog: Dialog, account_id: str) -> None:
        """Take an account out of a dialog, and let go of its token unless a picked link needs it."""
        account = await self.account(dialog, account_id)
        await self.records.detach(account_id, dialog.id)
        if account.visiting and not await self.records.linked(account_id):
            await self.records.detach(account_id)
            await self.accounts.disconnect(dialog.workspace_id, account_id, reason="its owner logged out")

    async def leave(self, secret: str) -> None:
        """End a dialog and forget its accounts; one that has ended already is left alone."""
        dialog = await self.records.get(fingerprint(secret))
        if dialog is None:
            return
        for account_id in await self.records.account_ids(dialog.id):
            with contextlib.suppress(NotFound):
                await self.forget(dialog, account_id)
        await self.records.close(dialog.id, self.now())

    async def _known(self, dialog: Dialog, before: str) -> Sequence[str]:
        earlier = await self.records.get(fingerprint(before))
        if earlier is None or (earlier.app_id, earlier.origin) != (dialog.app_id, dialog.origin):
            return ()
        return [] if earlier.expires_at <= self.now() else [one.id for one in await self.accounts_of(earlier)]

    async def _begun(self, state: str) -> Connect:
        found = await self.records.connect(fingerprint(state))
        if found is None or found.done or self.now() - found.begun_at >= CONNECT_LIFE:
            raise Invalid("this connection is unknown, was used already, or is older than ten minutes; begin again")
        return found

    async def _login(self, workspace_id: str) -> Login:
        for login in (Login.INSTAGRAM_LOGIN, Login.FACEBOOK_LOGIN):
            if await self.accounts.app(workspace_id, login):
                return login
        return Login.INSTAGRAM_LOGIN  # `begin` says what is missing

    async def _page(self, account: Account, after: str | None, limit: int) -> Page[Media]:
        page = await Looking(self.accounts).media(account, limit=limit, after=after)
        return (
            replace(page, after=None) if page.after == after else page
        )  # a cursor that leads nowhere else ends the list

    async def _searched(self, account: Account, after: str | None, search: str) -> Page[Media]:
        found: list[Media] = []
        for _ in range(SEARCH_PAGES):
            page = await self._page(account, after, SEARCHED)
            found += matching(page.items, search)
            after = page.after
            if after is None or len(found) >= PAGE:
                break
        return Page(tuple(found), after)

    async def _remember(self, account: Account, items: Sequence[Media]) -> None:
        seen = [one for item in items for one in (item, *item.children)]
        pictures = [(Medium(account.id, one.id), one.media_url) for one in seen if one.kind is MediaKind.IMAGE]
        await asyncio.gather(*(self.files.links.keep(medium, url) for medium, url in pictures if url))

    async def _linked(
        self, app: PickerApp, account: Account, media_id: str, child_id: str | None, opening: Opening
    ) -> File:
        made = await self.files.link(app, account, media_id, child_id)
        if opening.max_size is not None and made.size is not None and made.size > opening.max_size:
            await self.files.remove(app, made)
            raise TooLarge(f"this one has {made.size} bytes, and the page takes at most {opening.max_size}")
        return made


def _why(trouble: Trouble, came: Return) -> str:
    """Return in one word what went wrong for the person, where our kinds of trouble tell too little."""
    if "role" in f"{came.refusal or ''} {trouble.message}".lower():
        return "role"
    if came.refusal or not came.code:
        return "declined"
    return "personal" if "personal account" in trouble.message else trouble.kind.value


def _store_options(opening: Opening) -> StoreOptions:
    given = opening.storing
    return StoreOptions(
        location=given.get("location", "S3"),
        path=given.get("path"),
        container=given.get("container"),
        access=given.get("access", "private"),
        min_size=opening.min_size,
        max_size=opening.max_size,
    )
