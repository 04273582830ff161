"""The trade of accounts: keep them, open their tokens, refresh those in time, let go of them."""

import binascii
import hashlib
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from tintype.backends.bus import Bus
from tintype.backends.vault import Key, Vault
from tintype.core.accounts.model import (
    REFRESH_NEVER_BEFORE,
    Account,
    Grip,
    Signer,
    State,
    expired,
    is_younger,
    refresh_due,
    share,
    too_fresh,
    warning_due,
)
from tintype.core.accounts.records import AccountRecords, Sealed
from tintype.errors import Forbidden, Misconfigured, NotFound, Reconnect, Refused, Trouble, Unavailable
from tintype.events import AccountChanged, AccountExpiring
from tintype.instagram import App, Connection, Graph, Login, Profile, Token, oauth, revokes

log = logging.getLogger(__name__)

_UNNUMBERED = "me"  # whom the token speaks for: Instagram's own word for an account whose number nobody knows
_RECEIPT = "meta:data-deletion"
_RECEIPT_NAME = 16  # bytes of which request it was, in front of as many that prove it


@dataclass(frozen=True, slots=True)
class Accounts:
    """Keeps Instagram accounts and their tokens; `apps` are the operator's own apps, one for each login that has one."""

    records: AccountRecords
    vault: Vault
    graph: Graph
    bus: Bus
    apps: tuple[App, ...] = ()

    async def add(
        self, workspace_id: str, login: Login, instagram_id: str, *, app_secret: str, token: str | None
    ) -> Account:
        """Take over an account as seed 0 registers it: with its app's secret and, perhaps, a token of unknown age."""
        secret = self.vault.seal(app_secret, context=f"apps:{workspace_id}:{login}:secret")
        await self.records.save_app(workspace_id, login, None, secret)
        account = _new(workspace_id, login, instagram_id, self.graph.now())
        account = replace(account, state=State.CONNECTED if token else State.WAITING)
        return await self._save(account, token, None, None)

    async def keep(self, workspace_id: str, connection: Connection, *, visiting: bool = False) -> Account:
        """Store a connection that OAuth brought, over the earlier one of the same account if there is one.

        A `visiting` one never takes the place of a living connection that may do more. Raises `NotFound` when the
        workspace was removed.
        """
        profile, token = connection.profile, connection.token
        found = await self.records.find(workspace_id, connection.login, profile.user_id)
        if visiting and found and found.state is State.CONNECTED and token.scopes < set(found.scopes):
            return found
        account = replace(
            found or _new(workspace_id, connection.login, profile.user_id, self.graph.now()),
            username=profile.username,
            name=profile.name,
            account_type=profile.account_type,
            state=State.CONNECTED,
            reason=None,
            scopes=tuple(sorted(token.scopes)),
            token_issued_at=self.graph.now(),
            token_expires_at=token.expires_at or (connection.user_token.expires_at if connection.user_token else None),
            token_tried_at=None,
            warned_days=None,
            picture_url=profile.picture_url,
            followers_count=profile.followers_count,
            follows_count=profile.follows_count,
            visiting=visiting and (found is None or found.visiting),
        )
        user_token = connection.user_token.value if connection.user_token else None
        account = await self._save(account, token.value, user_token, profile.app_scoped_id)
        await self.bus.publish(AccountChanged(workspace_id, account.id, account.state))
        return account

    async def get(self, workspace_id: str, account_id: str) -> Account:
        """Return a workspace's account.

        Raises `NotFound` when the workspace has none of that id.
        """
        found = await self.records.get(account_id)
        if found is None or found.workspace_id != workspace_id:
            raise NotFound(f"there is no account {account_id!r} in this workspace")
        return found

    async def numbered(self, workspace_id: str, number: int) -> Account:
        """Return a workspace's account by the number that seed 3 knows it by.

        Raises `NotFound` when the workspace has none of that number.
        """
        found = await self.records.numbered(workspace_id, number)
        if found is None or found.visiting:
            raise NotFound("Instagram account not found")
        return found

    async def find(self, account_id: str) -> Account | None:
        """Return an account of whatever workspace, if there is one."""
        return await self.records.get(account_id)

    async def of_workspace(self, workspace_id: str) -> Sequence[Account]:
        """Return a workspace's own accounts, oldest first; those of its websites' visitors are none of them."""
        return [one for one in await self.records.of_workspace(workspace_id) if not one.visiting]

    async def all(self) -> Sequence[Account]:
        """Return every own account of every living workspace, for jobs and commands that visit them all."""
        return [one for one in await self.records.all() if not one.visiting]

    async def left_behind(self) -> Sequence[str]:
        """Return the ids of removed workspaces that still have something here: whoever removed them was interrupted."""
        return await self.records.left_behind()

    async def forget(self, workspace_id: str) -> None:
        """Forget a removed workspace's accounts and apps, the last step of leaving it; a living one keeps its own."""
        await self.records.forget(workspace_id)

    async def open(self, account_id: str) -> Grip:
        """Return an account with a token that is as fresh as it should be.

        A refresh that fails does not matter while the present token lives. Raises `NotFound` for an account that is
        unknown or whose workspace was removed, and `Reconnect` when only a person can help.
        """
        account, sealed = await self._held(account_id)
        now = self.graph.now()
        if account.state is State.CONNECTED and refresh_due(account, now, share(account.id)):
            await self._try_refresh(account)
            account, sealed = await self._held(account_id)
        await self._warn(account, now)
        return await self._grip(account, sealed, now)

    async def refresh(self, account: Account, *, refused: bool = False) -> bool:
        """Refresh a token because somebody asked; tell whether that was needed.

        One that was `refused` is refreshed however fresh it is. Raises `Reconnect` when only a new login helps, and other `Trouble` when Instagram could not be asked.
        """
        now = self.graph.now()
        if too_fresh(account, now) and not refused:
            return False
        try:
            await self._refresh(account)
        except (Forbidden, Refused):
            # Instagram refuses tokens younger than a day, with codes that mean other things as well (graph-api.md 1.5).
            if account.token_issued_at is None and now - account.created_at < REFRESH_NEVER_BEFORE:
                return False
            raise
        return True

    async def refresh_due(self) -> int:
        """Refresh every token whose time has come; return how many are fresher now. One account never stops another."""
        done = 0
        now = self.graph.now()
        for account in await self.records.all():
            if account.state is State.CONNECTED:
                await self._warn(account, now)
                if refresh_due(account, now, share(account.id)):
                    try:
                        fresher = await self._try_refresh(account)
                    except Reconnect:
                        continue  # noted and announced already
                    done += fresher.token_issued_at != account.token_issued_at
        return done

    async def lost(self, account: Account, trouble: Reconnect, grip: Grip | None = None) -> None:
        """Note that Instagram does not let us use an account any more; its stored feed goes on being served.

        With the grip that failed, an account that was connected anew or let go meanwhile stays as it is.
        """
        if grip is None or grip.sealed is None:
            await self.records.change(account.id, state=State.RECONNECT.value, reason=trouble.message)
            await self.bus.publish(AccountChanged(account.workspace_id, account.id, State.RECONNECT))
        else:
            await self._lost(account, trouble, "token", grip.sealed)

    async def portray(self, account: Account, profile: Profile) -> None:
        """Keep what Instagram shows of an account now: its picture, how many follow whom, and the ids by which Meta means it."""
        shown = {
            "instagram_id": await self._number_of(account, profile),
            "app_scoped_id": profile.app_scoped_id,
            "username": profile.username,
            "name": profile.name,
            "account_type": profile.account_type,
            "picture_url": profile.picture_url,
            "followers_count": profile.followers_count,
            "follows_count": profile.follows_count,
        }
        news = {key: value for key, value in shown.items() if value is not None and value != getattr(account, key)}
        if news:
            await self.records.change(account.id, **news)

    async def _number_of(self, account: Account, profile: Profile) -> str | None:
        """Return the number of an account that was registered as "me"; None when it has one, or another one here has it."""
        if account.instagram_id != _UNNUMBERED:
            return None
        taken = await self.records.find(account.workspace_id, account.login, profile.user_id)
        return None if taken else profile.user_id

    async def describe(self, account: Account, username: str | None) -> None:
        """Keep the name that Instagram gives an account, when it is news."""
        if username and username != account.username:
            await self.records.change(account.id, username=username)

    async def disconnect(
        self, workspace_id: str, account_id: str, *, reason: str = "disconnected by its owner"
    ) -> Account:
        """Let go of an account: its tokens are destroyed, its stored feed stays until it is erased."""
        account = await self.get(workspace_id, account_id)
        await self.records.change(
            account.id,
            state=State.DISCONNECTED.value,
            reason=reason,
            token=None,
            user_token=None,
            token_expires_at=None,
        )
        await self.bus.publish(AccountChanged(workspace_id, account.id, State.DISCONNECTED))
        return replace(account, state=State.DISCONNECTED, reason=reason)

    async def known_as(self, instagram_id: str, signers: Sequence[Signer]) -> Sequence[Account]:
        """Return every account that Meta means by an id and that one of the signers speaks for."""
        found = await self.records.of_instagram(instagram_id)
        return [account for account in found if await self._spoken_for(account, signers)]

    async def deauthorized(
        self, instagram_id: str, signers: Sequence[Signer], asked_at: datetime | None = None
    ) -> Sequence[Account]:
        """Let go of every account that the signers speak for and Meta means when it says a person removed the app.

        Returns those that are let go of, also earlier. What the person connected after they `asked_at` is not meant: a
        request that comes late, or again, takes nothing of that.
        """
        known = await self.known_as(instagram_id, signers)
        return [await self._let_go(account) for account in known if not is_younger(account, asked_at)]

    async def _let_go(self, account: Account) -> Account:
        if account.state is State.DISCONNECTED:
            return account
        return await self.disconnect(account.workspace_id, account.id, reason="the app was removed on Instagram")

    async def anonymise(self, account: Account) -> None:
        """Take out of an account that was let go of whose it was; the number by which Meta would ask again stays."""
        nobody = dict.fromkeys(("username", "name", "account_type", "picture_url", "followers_count", "follows_count"))
        await self.records.change(account.id, **nobody)

    def receipt(self, request: str) -> str:
        """Return the code that proves a deletion was confirmed here: 64 hexadecimal digits, nothing is stored.

        A request that comes again gets the same.
        """
        name = hashlib.sha256(request.encode()).digest()[:_RECEIPT_NAME]
        return (name + _proof(self.vault.current, name)).hex()

    def gave(self, receipt: str) -> bool:
        """Tell whether `receipt` was made here, with a key that is still known."""
        try:
            code = binascii.unhexlify(receipt)
            name, proof = code[:_RECEIPT_NAME], code[_RECEIPT_NAME:]
            if any(hmac.compare_digest(proof, _proof(key, name)) for key in (self.vault.current, *self.vault.old)):
                return True
            # Earlier versions sealed nothing, so that no two codes were alike.
            self.vault.open(code, context=_RECEIPT)
        except (ValueError, Misconfigured, Unavailable):
            return False
        return True

    async def app(self, workspace_id: str, login: Login) -> App | None:
        """Return the app to speak for: the workspace's own when its id is known, else the operator's."""
        return await self.own_app(workspace_id, login) or self._operators(login)

    async def own_app(self, workspace_id: str, login: Login) -> App | None:
        """Return a workspace's own app when its id is known."""
        own = await self.records.app(workspace_id, login)
        return self._opened_app(workspace_id, login, *own) if own else None

    async def set_app(self, workspace_id: str, app: App) -> None:
        """Keep a workspace's own Instagram app; connections begun from now on use it."""
        secret = self.vault.seal(app.secret, context=f"apps:{workspace_id}:{app.login}:secret")
        await self.records.save_app(workspace_id, app.login, app.id, secret)

    async def signers(self) -> Sequence[Signer]:
        """Return everybody who may have signed a call of Meta's; anybody may have registered any secret."""
        own = [
            Signer(workspace_id, login, self.vault.open(sealed, context=f"apps:{workspace_id}:{login}:secret"))
            for workspace_id, login, sealed in await self.records.app_secrets()
        ]
        return [*(Signer(None, app.login, app.secret) for app in self.apps), *own]

    async def rotate(self) -> int:
        """Seal anew, with the current key, every token and app secret that an earlier key sealed; return how many.

        May run beside a working house. Raises `Misconfigured` when a key is missing; what was done until then stays.
        """
        done = 0
        for account in await self.records.with_removed():
            sealed = await self.records.sealed(account.id)
            for name, old in (("token", sealed.token), ("user_token", sealed.user_token)):
                if old and (new := self._resealed(old, f"accounts:{account.id}:{name}")):
                    done += await self.records.change_holding(account.id, name, old, **{name: new})
        for workspace_id, login, old in await self.records.app_secrets():
            if new := self._resealed(old, f"apps:{workspace_id}:{login}:secret"):
                done += await self.records.reseal_app(workspace_id, login, old, new)
        return done

    def _resealed(self, sealed: bytes, context: str) -> bytes | None:
        if not self.vault.needs_rotation(sealed):
            return None
        return self.vault.seal(self.vault.open(sealed, context=context), context=context)

    async def _spoken_for(self, account: Account, signers: Sequence[Signer]) -> bool:
        mine = [one for one in signers if one.login is account.login]
        if any(one.workspace_id == account.workspace_id for one in mine):
            return True
        operators = any(one.workspace_id is None for one in mine)
        return operators and await self.app(account.workspace_id, account.login) in self.apps

    async def _held(self, account_id: str) -> tuple[Account, Sealed]:
        found = await self.records.held(account_id)
        if found is None:
            raise NotFound(f"there is no account {account_id!r}")
        return found

    async def _lost(self, account: Account, trouble: Reconnect, name: str, held: bytes) -> None:
        if await self.records.lose(account.id, name, held, trouble.message):
            await self.bus.publish(AccountChanged(account.workspace_id, account.id, State.RECONNECT))

    async def _grip(self, account: Account, sealed: Sealed, now: datetime) -> Grip:
        if account.state is not State.CONNECTED or sealed.token is None:
            raise Reconnect(account.reason or f"account {account.username or account.instagram_id} has no token yet")
        if expired(account, now):
            trouble = Reconnect("the token has expired; connect the account again", code=190, subcode=463)
            await self._lost(account, trouble, "token", sealed.token)
            raise trouble
        user_token = self._opened(account, "user_token", sealed.user_token)
        token = self._opened(account, "token", sealed.token) or ""
        own = self._opened_app(account.workspace_id, account.login, sealed.app_id, sealed.app_secret)
        return Grip(account, token, own or self._operators(account.login), user_token, sealed.token)

    async def _warn(self, account: Account, now: datetime) -> None:
        days = warning_due(account, now)
        if days is not None:
            await self.records.change(account.id, warned_days=days)
            await self.bus.publish(AccountExpiring(account.workspace_id, account.id, days))

    async def _try_refresh(self, account: Account) -> Account:
        try:
            return await self._refresh(account)
        except Trouble as trouble:
            if isinstance(trouble, Reconnect) and revokes(trouble):
                raise
            log.warning("token of account %s not refreshed, the old one stays: %s", account.id, trouble.message)
            return replace(account, token_tried_at=self.graph.now())

    async def _refresh(self, account: Account) -> Account:
        await self.records.change(account.id, token_tried_at=self.graph.now())
        app = await self.app(account.workspace_id, account.login)
        sealed = await self.records.sealed(account.id)
        if sealed.token is None:
            raise Reconnect("the account has no token to refresh; connect it")
        if account.login is Login.FACEBOOK_LOGIN and app is None:
            raise Reconnect("Facebook's tokens are refreshed with the app's id; set FACEBOOK_APP_ID, or connect again")
        name, held = ("user_token", sealed.user_token) if sealed.user_token else ("token", sealed.token)
        value = self._opened(account, name, held) or ""
        try:
            fresh = await oauth.refresh(self.graph, app or App(account.login, "", ""), Token(value))
        except Reconnect as trouble:
            if revokes(trouble):
                await self._lost(account, trouble, name, held)
            raise
        return await self._refreshed(account, name, held, fresh)

    async def _refreshed(self, account: Account, name: str, held: bytes, fresh: Token) -> Account:
        now = self.graph.now()
        sealed = self.vault.seal(fresh.value, context=f"accounts:{account.id}:{name}")
        changes = {"token_issued_at": now, "token_expires_at": fresh.expires_at, "warned_days": None}
        if not await self.records.change_holding(account.id, name, held, **changes, **{name: sealed}):
            return await self._overtaken(account)
        await self.bus.publish(AccountChanged(account.workspace_id, account.id, account.state))
        return replace(account, token_issued_at=now, token_expires_at=fresh.expires_at, warned_days=None)

    async def _overtaken(self, account: Account) -> Account:
        # Somebody connected the account anew, refreshed it elsewhere or let go of it while Instagram thought.
        present = await self.records.get(account.id)
        if present is None or present.state is not State.CONNECTED:
            raise Reconnect((present and present.reason) or "the account was let go meanwhile; connect it again")
        return present

    async def _save(
        self, account: Account, token: str | None, user_token: str | None, app_scoped_id: str | None
    ) -> Account:
        sealed = Sealed(self._sealed(account, "token", token), self._sealed(account, "user_token", user_token))
        number = await self.records.save(account, sealed, app_scoped_id)
        if number is None:
            raise NotFound(f"workspace {account.workspace_id} was removed; nothing is connected to it")
        return replace(account, number=number)

    def _sealed(self, account: Account, name: str, plain: str | None) -> bytes | None:
        return self.vault.seal(plain, context=f"accounts:{account.id}:{name}") if plain else None

    def _opened_app(self, workspace_id: str, login: Login, app_id: str | None, secret: bytes | None) -> App | None:
        if not app_id or secret is None:
            return None
        return App(login, app_id, self.vault.open(secret, context=f"apps:{workspace_id}:{login}:secret"))

    def _operators(self, login: Login) -> App | None:
        return next((app for app in self.apps if app.login is login), None)

    def _opened(self, account: Account, name: str, sealed: bytes | None) -> str | None:
        return self.vault.open(sealed, context=f"accounts:{account.id}:{name}") if sealed else None


def _new(workspace_id: str, login: Login, instagram_id: str, now: datetime) -> Account:
    return Account(
        id=str(uuid4()),
        workspace_id=workspace_id,
        login=login,
        instagram_id=instagram_id,
        username=None,
        name=None,
        account_type=None,
        state=State.WAITING,
        reason=None,
        scopes=(),
        token_issued_at=None,
        token_expires_at=None,
        token_tried_at=None,
        warned_days=None,
        created_at=now,
    )


def _proof(key: Key, name: bytes) -> bytes:
    own = hmac.digest(key.secret, _RECEIPT.encode(), "sha256")
    return hmac.digest(own, name, "sha256")[:_RECEIPT_NAME]
