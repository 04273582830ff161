"""Access tokens: issued, found again, judged, revoked."""

import hashlib
import hmac
from dataclasses import replace
from typing import Literal

from tintype.simulator import ids
from tintype.simulator.errors import (
    GraphError,
    cannot_parse_token,
    missing_permission,
    no_token,
    session_dead,
    session_expired,
)
from tintype.simulator.model import DAY, Code, Login, Page, Person, Token
from tintype.simulator.world import World

Need = Literal["basic", "publish", "comments", "insights", "messages", "delete"]

SCOPES: dict[Login, tuple[str, ...]] = {
    "instagram": (
        "instagram_business_basic",
        "instagram_business_content_publish",
        "instagram_business_manage_comments",
        "instagram_business_manage_insights",
        "instagram_business_manage_messages",
    ),
    "facebook": (
        "public_profile",
        "pages_show_list",
        "pages_read_engagement",
        "pages_manage_metadata",
        "business_management",
        "instagram_basic",
        "instagram_content_publish",
        "instagram_manage_comments",
        "instagram_manage_insights",
        "instagram_manage_messages",
        "instagram_manage_contents",
        "instagram_manage_engagement",
    ),
}
NEEDS: dict[tuple[Need, Login], tuple[str, ...]] = {
    ("basic", "instagram"): ("instagram_business_basic",),
    ("basic", "facebook"): ("instagram_basic", "pages_show_list"),
    ("publish", "instagram"): ("instagram_business_content_publish",),
    ("publish", "facebook"): ("instagram_content_publish",),
    ("comments", "instagram"): ("instagram_business_manage_comments",),
    ("comments", "facebook"): ("instagram_manage_comments",),
    ("insights", "instagram"): ("instagram_business_manage_insights",),
    ("insights", "facebook"): ("instagram_manage_insights",),
    ("messages", "instagram"): ("instagram_business_manage_messages",),
    ("messages", "facebook"): ("instagram_manage_messages",),
    ("delete", "instagram"): ("instagram_manage_contents",),
    ("delete", "facebook"): ("instagram_manage_contents",),
}
KNOWN_SCOPES: dict[Login, frozenset[str]] = {
    "instagram": frozenset(SCOPES["instagram"]),
    "facebook": frozenset(SCOPES["facebook"]) | {"email", "ads_management", "ads_read", "pages_manage_posts", "pages_messaging",
                                                   "read_insights", "pages_manage_engagement"},
}  # fmt: skip


def new_code(world: World, **facts: object) -> Code:
    """A fresh authorisation code; `facts` are the other fields of Code."""
    value = "AQ" + ids.letters(60, world.seed, "code", world.next_number())
    code = Code(value=value, issued_at=world.now(), **facts)  # pyright: ignore[reportArgumentType] - callers name fields of Code
    world.codes[value] = code
    return code


def issue(
    world: World,
    kind: Literal["short", "long", "app"],
    login: Login,
    app_id: str,
    username: str,
    scopes: tuple[str, ...],
    *,
    lifetime: float | None = None,
    age: float = 0.0,
    declined: tuple[str, ...] = (),
    pages: tuple[str, ...] | None = None,
) -> Token:
    """A new token; `lifetime` in seconds from its birth, `age` seconds ago."""
    settings = world.settings
    default = {"short": settings.short_token_seconds, "long": settings.long_token_seconds, "app": None}[kind]
    life = default if lifetime is None else lifetime
    born = world.now() - age
    value = ("IGAA" if login == "instagram" else "EAA") + ids.letters(150, world.seed, "token", world.next_number())
    expires_at = None if life is None else born + life
    token = Token(value, kind, login, app_id, username, scopes, born, expires_at, declined=declined, pages=pages)
    world.tokens[value] = token
    return token


def page_token(world: World, parent: Token, page: Page) -> Token:
    """The token of a Page taken with a user's token: endless when that one is long-lived."""
    value = "EAAP" + ids.letters(150, world.seed, "page", parent.value, page.id)
    if value not in world.tokens:
        expires_at = None if parent.kind == "long" else parent.expires_at
        world.tokens[value] = replace(
            parent, value=value, kind="page", username=page.username or parent.username, page_id=page.id,
            expires_at=expires_at, issued_at=world.now(), dead=None,
        )  # fmt: skip
    return world.tokens[value]


def refreshed(world: World, token: Token) -> Token:
    """A long token with a new 60 days: a new string, or the same by setting."""
    fresh = issue(
        world,
        "long",
        token.login,
        token.app_id,
        token.username,
        token.scopes,
        declined=token.declined,
        pages=token.pages,
    )
    if not world.settings.refresh_keeps_token:
        return fresh
    del world.tokens[fresh.value]
    world.tokens[token.value] = replace(fresh, value=token.value)
    return world.tokens[token.value]


def living(world: World, value: str | None) -> Token:
    """The token with this value; GraphError when missing, unknown, revoked or expired."""
    if not value:
        raise no_token()
    token = world.tokens.get(value)
    if token is None:
        raise cannot_parse_token()
    if token.dead is not None:
        raise session_dead(token.dead)
    if token.expires_at is not None and world.now() >= token.expires_at:
        raise session_expired(token.expires_at, world.now(), world.settings.expired_subcode)
    return token


def old_enough(world: World, token: Token) -> None:
    """Refuse the refresh of a token younger than 24 hours."""
    if world.now() - token.issued_at < DAY:
        raise GraphError(
            world.settings.young_refresh_code,
            f"(#{world.settings.young_refresh_code}) The access token must be at least 24 hours old to be refreshed",
        )


def require(world: World, token: Token, need: Need) -> None:
    """Refuse a token without the scopes for this use."""
    if not set(NEEDS[need, token.login]) <= set(token.scopes):
        raise missing_permission(world.settings.missing_scope_code)


def check_proof(world: World, token: Token, proof: str | None, moment: str | None) -> None:
    """Verify `appsecret_proof` when one came, or when the setting demands it."""
    if not proof:
        if world.settings.require_appsecret_proof:
            raise GraphError(
                100, "API calls from the server require an appsecret_proof argument", kind="GraphMethodException"
            )
        return
    message = f"{token.value}|{moment}" if moment else token.value
    secret = world.apps[token.app_id].app_secret
    right = hmac.new(secret.encode(), message.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right.encode(), proof.encode()):
        raise GraphError(100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException")


def revoke(world: World, token: Token, subcode: int) -> None:
    """Kill a token as its subcode says: 458 all of this person and app, 460 all of this person, else this one."""
    for other in list(world.tokens.values()):
        same_app = other.username == token.username and other.app_id == token.app_id
        hit = {458: same_app, 460: other.username == token.username}.get(subcode, other.value == token.value)
        if hit and other.dead is None:
            world.tokens[other.value] = replace(other, dead=subcode)


def readable(world: World, token: Token) -> list[Person]:
    """The Instagram accounts that this token can speak for."""
    if token.kind == "app":
        return []
    if token.login == "instagram":
        return [world.people[token.username]]
    if token.page_id:
        page = world.pages[token.page_id]
        return [world.people[page.username]] if page.username else []
    owner = world.people[token.username].facebook_id
    if owner is None:
        return []
    return [world.people[page.username] for page in pages(world, token, owner) if page.username]


def pages(world: World, token: Token, facebook_id: str) -> list[Page]:
    """The Pages of a Facebook user that this token was given."""
    return [page for page in world.pages_of(facebook_id) if token.pages is None or page.id in token.pages]
