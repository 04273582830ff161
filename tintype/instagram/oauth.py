"""Connecting an account: the authorise address, code to token, token to longer token, and the proof in a signed request.

Both logins end in a long-lived token and the id that all other calls take. Instagram's documentation and its servers disagree
about the shape of the first token answer (graph-api.md 1.3), so both are read. Secrets go into forms; the two endpoints of
graph.instagram.com take them in the query only, by Meta's contract, and nothing of ours logs queries.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote, urlencode

from tintype.errors import Invalid, Refused, Unauthorized
from tintype.instagram import calls, wire
from tintype.instagram.calls import Call, Host
from tintype.instagram.graph import Graph
from tintype.instagram.model import App, FacebookPage, Login, Profile, Token

# graph-api.md 1.10; the names before 2025-01-27 and those of Basic Display are dead.
READ_SCOPES: Mapping[Login, tuple[str, ...]] = {
    Login.INSTAGRAM_LOGIN: ("instagram_business_basic",),
    Login.FACEBOOK_LOGIN: ("instagram_basic", "pages_show_list", "pages_read_engagement"),
}
PUBLISH_SCOPES: Mapping[Login, tuple[str, ...]] = {
    Login.INSTAGRAM_LOGIN: ("instagram_business_content_publish",),
    Login.FACEBOOK_LOGIN: ("instagram_content_publish",),
}
COMMENT_SCOPES: Mapping[Login, tuple[str, ...]] = {
    Login.INSTAGRAM_LOGIN: ("instagram_business_manage_comments",),
    Login.FACEBOOK_LOGIN: ("instagram_manage_comments",),
}
INSIGHT_SCOPES: Mapping[Login, tuple[str, ...]] = {
    Login.INSTAGRAM_LOGIN: ("instagram_business_manage_insights",),
    Login.FACEBOOK_LOGIN: ("instagram_manage_insights",),
}
ALL_SCOPES: Mapping[Login, tuple[str, ...]] = {
    login: (*READ_SCOPES[login], *PUBLISH_SCOPES[login], *COMMENT_SCOPES[login], *INSIGHT_SCOPES[login])
    for login in Login
}


@dataclass(frozen=True, slots=True)
class ShortToken:
    """The token that a code buys, good for about an hour; `user_id` only says who it is roughly: ask `/me`."""

    value: str = field(repr=False)
    user_id: str | None = None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Connection:
    """A connected account: the token for its calls and, with Facebook Login, the Page and the person's own token."""

    login: Login
    token: Token
    profile: Profile
    page: FacebookPage | None = None
    user_token: Token | None = None


@dataclass(frozen=True, slots=True)
class _Grant:
    value: str = field(repr=False)
    seconds: int | None
    scopes: frozenset[str] = frozenset()


def authorize_url(
    login: Login,
    app_id: str,
    redirect_uri: str,
    state: str,
    scopes: Iterable[str],
    version: str,
    *,
    force_reauth: bool = False,
) -> str:
    """Where to send the browser so that the person can allow `scopes`; Instagram sends it back to `redirect_uri`."""
    query = {
        "client_id": app_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": ",".join(scopes),
        "state": state,
    }
    if login is Login.INSTAGRAM_LOGIN:
        place = "https://www.instagram.com/oauth/authorize"
        query |= {"force_reauth": "true"} if force_reauth else {}
    else:
        place = f"https://www.facebook.com/{version}/dialog/oauth"
    return f"{place}?{urlencode(query, quote_via=quote)}"


async def exchange_code(graph: Graph, app: App, code: str, redirect_uri: str) -> ShortToken:
    """Buys a short-lived token for a code (once); `redirect_uri` is the very one of the authorise address.

    Raises Refused when Instagram does not take the code and Invalid when there is none.
    """
    cut = code.strip().removesuffix("#_")
    if not cut:
        raise Invalid('"code" is empty; start connecting again from the beginning.')
    instagram = app.login is Login.INSTAGRAM_LOGIN
    call = Call(
        name="exchange the authorisation code",
        method="POST",
        host=Host.API_INSTAGRAM if instagram else Host.GRAPH_FACEBOOK,
        path="oauth/access_token",
        form={
            "client_id": app.id,
            "client_secret": app.secret,
            "grant_type": "authorization_code",
            "redirect_uri": redirect_uri,
            "code": cut,
        },
        versioned=not instagram,
        parse=_short_token,
    )
    return await graph.using(app).ask(call, None)


def _short_token(value: object) -> ShortToken:
    sent = wire.unwrapped(value)
    return ShortToken(
        value=wire.required(wire.phrase(sent.get("access_token")), "access_token", "a token answer"),
        user_id=wire.identifier(sent.get("user_id")),
        scopes=_scopes(sent.get("permissions")),
    )


def _scopes(value: object) -> frozenset[str]:
    listed = [value] if isinstance(value, str) else wire.items(value)
    return frozenset(word for entry in listed for word in (wire.text(entry) or "").replace(",", " ").split())


async def long_lived(graph: Graph, app: App, short: ShortToken) -> Token:
    """Exchanges a short-lived token for one of about 60 days."""
    if app.login is Login.FACEBOOK_LOGIN:
        return await _lengthened(graph, app, short.value, short.scopes)
    query = {"grant_type": "ig_exchange_token", "client_secret": app.secret, "access_token": short.value}
    return await _granted(graph, app, _token_call("lengthen the access token", "access_token", query), short.scopes)


async def refresh(graph: Graph, app: App, token: Token) -> Token:
    """A new token of about 60 days for one that is still alive; Instagram wants it to be 24 hours old or more.

    Keep the returned value, which may or may not be a new string. Raises Reconnect when the token is dead.
    """
    if app.login is Login.FACEBOOK_LOGIN:
        return await _lengthened(graph, app, token.value, token.scopes)
    query = {"grant_type": "ig_refresh_token", "access_token": token.value}
    return await _granted(
        graph, app, _token_call("refresh the access token", "refresh_access_token", query), token.scopes
    )


def _token_call(name: str, path: str, query: Mapping[str, str]) -> Call[_Grant]:
    return Call(
        name=name, method="GET", host=Host.GRAPH_INSTAGRAM, path=path, params=query, versioned=False, parse=_grant
    )


async def _lengthened(graph: Graph, app: App, value: str, scopes: frozenset[str]) -> Token:
    query = {
        "grant_type": "fb_exchange_token",
        "client_id": app.id,
        "client_secret": app.secret,
        "fb_exchange_token": value,
    }
    call = Call(
        name="lengthen the access token",
        method="GET",
        host=Host.GRAPH_FACEBOOK,
        path="oauth/access_token",
        params=query,
        parse=_grant,
    )
    return await _granted(graph, app, call, scopes)


def _grant(value: object) -> _Grant:
    sent = wire.unwrapped(value)
    return _Grant(
        value=wire.required(wire.phrase(sent.get("access_token")), "access_token", "a token answer"),
        seconds=wire.count(sent.get("expires_in")),
        scopes=_scopes(sent.get("permissions")),
    )


async def _granted(graph: Graph, app: App, call: Call[_Grant], scopes: frozenset[str]) -> Token:
    grant = await graph.using(app).ask(call, None)
    life = grant.seconds if grant.seconds is not None and 0 < grant.seconds < 10**9 else None
    expires_at = graph.now() + timedelta(seconds=life) if life else None
    return Token(grant.value, expires_at, grant.scopes or scopes)


async def connect(graph: Graph, app: App, code: str, redirect_uri: str) -> tuple[Connection, ...]:
    """Goes from a code to connected accounts: one with Instagram Login, one per linked Page with Facebook Login.

    Raises Refused when the person has no professional account that could be connected.
    """
    short = await exchange_code(graph, app, code, redirect_uri)
    token = await long_lived(graph, app, short)
    asking = graph.using(app)
    if app.login is Login.INSTAGRAM_LOGIN:
        return (Connection(app.login, token, await asking.ask(calls.me(), token.value)),)
    return await _facebook_connections(asking, token)


async def _facebook_connections(graph: Graph, user: Token) -> tuple[Connection, ...]:
    scopes = await graph.ask(calls.permissions(), user.value)
    user = Token(user.value, user.expires_at, scopes)
    pages = [page async for listed in graph.pages(calls.accounts(), user.value) for page in listed.items]
    found: list[Connection] = []
    for page in pages:
        if page.token is None or page.instagram_user_id is None:
            continue
        profile = await graph.ask(calls.profile(Login.FACEBOOK_LOGIN, page.instagram_user_id), page.token)
        # A Page token that a long-lived user token gave does not expire (graph-api.md 1.7).
        found.append(Connection(Login.FACEBOOK_LOGIN, Token(page.token, None, scopes), profile, page, user))
    if not found:
        raise Refused(
            "Could not connect: none of the chosen Facebook Pages is linked to a professional Instagram account; "
            "link one in the Page's settings, then connect again and choose that Page."
        )
    return tuple(found)


def parse_signed_request(value: str, secrets: Iterable[str]) -> dict[str, object]:
    """The payload of Meta's `signed_request`, proven by one of the app secrets (graph-api.md 1.11).

    Raises Invalid when it is no signed request and Unauthorized when none of the secrets made it.
    """
    signature_text, dot, payload_text = value.partition(".")
    signature, payload = _unpadded(signature_text), _unpadded(payload_text)
    if not dot or signature is None or payload is None:
        raise Invalid('"signed_request" is not two base64url parts joined by a dot.')
    if not any(hmac.compare_digest(signature, _signed(secret, payload_text)) for secret in secrets if secret):
        raise Unauthorized('"signed_request" was not signed with this app\'s secret.')
    try:
        said = wire.record(wire.decoded(payload))
    except ValueError:
        raise Invalid('"signed_request" does not hold JSON.') from None
    if wire.text(said.get("algorithm")) != "HMAC-SHA256":
        raise Invalid('"signed_request" does not hold a JSON object signed by HMAC-SHA256.')
    return dict(said)


def _signed(secret: str, payload_text: str) -> bytes:
    return hmac.new(secret.encode(), payload_text.encode(), hashlib.sha256).digest()


def _unpadded(part: str) -> bytes | None:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True) or None
    except (binascii.Error, ValueError):
        return None
