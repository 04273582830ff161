"""Connecting by OAuth: begin with a single-use state, bind it to one browser, finish with the code Instagram sent."""

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tintype.backends.outbound import browser_url
from tintype.core.access import fingerprint
from tintype.core.accounts.accounts import Accounts
from tintype.core.accounts.model import Account
from tintype.core.accounts.records import Pending
from tintype.errors import Forbidden, Invalid
from tintype.instagram import App, Call, Graph, Host, Login, Profile, oauth

STATE_LIFE = timedelta(minutes=10)

PERSONAL = "PERSONAL"

OURS = "tt_"  # tells a state of ours, perhaps used up, from one that a user of seed 0 made for himself

# Where a visitor of somebody's website picks, or exports to: asked for no more than that, and kept apart from the own ones.
VISITS: Mapping[str, Mapping[Login, tuple[str, ...]]] = {
    "picker": oauth.READ_SCOPES,
    "picker-export": {one: (*oauth.READ_SCOPES[one], *oauth.PUBLISH_SCOPES[one]) for one in Login},
}

_TEST_FIELDS = "id,media_type,media_url,caption,timestamp"  # what seed 0 reads to prove a new token


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Where the browser is sent: Graph version, and the pretend Instagram's address when one is used."""

    version: str
    origin: str | None = None
    scopes: Mapping[Login, tuple[str, ...]] = field(default_factory=lambda: oauth.ALL_SCOPES)


@dataclass(frozen=True, slots=True)
class Beginning:
    """A connection that begins: the state that comes back with the code, and when it ends."""

    state: str = field(repr=False)
    expires_at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Connecting:
    """Leads a person's browser through Instagram's consent and back."""

    accounts: Accounts
    graph: Graph
    settings: AppSettings

    async def begin(
        self, workspace_id: str, login: Login, *, dialect: str, redirect_uri: str, session: str | None = None
    ) -> Beginning:
        """Begin to connect an account to a workspace, bound from the start to the browser that holds `session`, if given.

        Raises `Invalid` when there is no Instagram app for this login.
        """
        await self._app(workspace_id, login)
        now = datetime.now(UTC)
        state = OURS + secrets.token_urlsafe(32)
        bound = fingerprint(session) if session else None
        pending = Pending(workspace_id, login, dialect, redirect_uri, bound, now)
        await self.accounts.records.begin(fingerprint(state), pending, forget_before=now - 2 * STATE_LIFE)
        return Beginning(state, now + STATE_LIFE)

    def owns(self, state: str) -> bool:
        """Tell whether a state was made here, whatever became of it."""
        return state.startswith(OURS)

    async def send(self, state: str, session: str) -> str:
        """Bind a connection to the browser that holds `session` and return the address where that browser consents.

        Raises `Invalid` for a state that is unknown, over, or bound to another browser.
        """
        digest = fingerprint(state)
        pending = _live(await self.accounts.records.pending(digest))
        bound = await self.accounts.records.bind(digest, fingerprint(session))
        if not bound and not _same(pending.session, session):
            raise Invalid("this link was opened in another browser already; begin again")
        return await self._address(pending, state)

    async def address(self, state: str) -> str:
        """Return the address where whoever opens it consents, for a caller who cannot lead a browser past `send`.

        Raises `Invalid` for a state that is unknown or over.
        """
        return await self._address(_live(await self.accounts.records.pending(fingerprint(state))), state)

    async def _address(self, pending: Pending, state: str) -> str:
        app = await self._app(pending.workspace_id, pending.login)
        scopes = VISITS.get(pending.dialect, self.settings.scopes)[pending.login]
        url = oauth.authorize_url(pending.login, app.id, pending.redirect_uri, state, scopes, self.settings.version)
        return browser_url(url, self.settings.origin)

    async def finish(
        self,
        state: str,
        session: str | None,
        *,
        code: str | None,
        refusal: str | None,
        dialects: tuple[str, ...] = ("feed", "console"),
        unbound: bool = False,
    ) -> Sequence[Account]:
        """Use up a state and connect what its person consented to; one account, or one per linked Page.

        `dialects` are those whose connections come back where the caller listens. With `unbound` a connection that was
        never bound to a browser may end in any: a program began it and handed the address on. Raises `Invalid` for a
        state that is unknown, used, over, another dialect's or another browser's, `Forbidden` when the person refused
        or has a personal account, `NotFound` when the workspace was removed, and what Instagram answers when it does not
        take the code.
        """
        pending = _live(await self.accounts.records.take(fingerprint(state)))
        if pending.dialect not in dialects:
            raise Invalid("this connection was begun elsewhere and does not end here; begin again")
        loose = unbound and pending.session is None
        if not loose and not _same(pending.session, session):
            raise Invalid("this answer belongs to a connection begun in another browser; begin again here")
        if refusal or not code:
            raise Forbidden(
                f"Instagram did not connect the account: {refusal or 'it sent no code'}; begin again to retry"
            )
        app = await self._app(pending.workspace_id, pending.login)
        found = await oauth.connect(self.graph, app, code, pending.redirect_uri)
        for connection in found:
            _check_professional(connection.profile)
        visiting = pending.dialect in VISITS
        return [await self.accounts.keep(pending.workspace_id, one, visiting=visiting) for one in found]

    async def obtain(self, app: App, code: str, redirect_uri: str) -> tuple[str, object]:
        """Buy a long-lived token for a code on behalf of any app, and prove it by reading a page of media.

        Returns the token and Instagram's page as it came; nothing is stored. Raises `Trouble` when Instagram refuses.
        """
        short = await oauth.exchange_code(self.graph, app, code, redirect_uri)
        token = await oauth.long_lived(self.graph, app, short)
        call = Call(
            name="read media with the new token",
            method="GET",
            host=Host.GRAPH_INSTAGRAM,
            path="me/media",
            params={"fields": _TEST_FIELDS},
            parse=_as_sent,
        )
        return token.value, await self.graph.using(app).ask(call, token.value)

    async def _app(self, workspace_id: str, login: Login) -> App:
        app = await self.accounts.app(workspace_id, login)
        if app is None:
            names = "INSTAGRAM_APP_ID and INSTAGRAM_APP_SECRET"
            if login is Login.FACEBOOK_LOGIN:
                names = "FACEBOOK_APP_ID and FACEBOOK_APP_SECRET"
            raise Invalid(f"no app is set up for {login} login; set {names}, or give this workspace an app of its own")
        return app


def _live(pending: Pending | None) -> Pending:
    if pending is None or datetime.now(UTC) - pending.created_at > STATE_LIFE:
        raise Invalid("this connection is unknown, was used already, or is older than ten minutes; begin again")
    return pending


def _check_professional(profile: Profile) -> None:
    # Instagram lets anybody log in, and then answers every question about a personal account with a missing permission.
    if profile.account_type == PERSONAL:
        raise Forbidden(
            f"@{profile.username or profile.user_id} is a personal account; Instagram gives apps only business and creator "
            "accounts: switch it in the app under Settings, Account type, then connect again"
        )


def _same(digest: str | None, session: str | None) -> bool:
    return digest is not None and session is not None and hmac.compare_digest(digest, fingerprint(session))


def _as_sent(value: object) -> object:
    return value
