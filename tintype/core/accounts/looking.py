"""Looking at an account as Instagram shows it at this moment, for callers who ask for no stored copy."""

from dataclasses import dataclass
from typing import TypeVar

from tintype.core.accounts.accounts import Accounts
from tintype.core.accounts.model import Account
from tintype.errors import Reconnect
from tintype.instagram import Call, Login, Media, Page, Profile, calls, revokes

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Looking:
    """Reads what Instagram shows of an account; all methods raise `Reconnect` when only a person can help."""

    accounts: Accounts

    async def profile(self, account: Account) -> Profile:
        """Return the account's profile, and keep what is news in it."""
        found = await self._ask(account, calls.profile(account.login, _name(account)))
        await self.accounts.portray(account, found)
        return found

    async def media(self, account: Account, *, limit: int, after: str | None = None) -> Page[Media]:
        """Return one page of the account's posts, newest first."""
        return await self._ask(account, calls.media_page(account.login, _name(account), limit=limit, after=after))

    async def _ask(self, account: Account, call: Call[T]) -> T:
        grip = await self.accounts.open(account.id)
        try:
            return await self.accounts.graph.using(grip.app).ask(call, grip.token)
        except Reconnect as trouble:
            if revokes(trouble):
                await self.accounts.lost(account, trouble, grip)
            raise


def _name(account: Account) -> str:
    # A token of Instagram Login speaks for one account; its own number is not always accepted (graph-api.md 1.3).
    return "me" if account.login is Login.INSTAGRAM_LOGIN else account.instagram_id
