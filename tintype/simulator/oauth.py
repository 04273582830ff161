"""Both logins: the consent page, codes, short and long tokens, refresh, token inspection."""

from collections.abc import Mapping
from dataclasses import replace
from typing import cast
from urllib.parse import urlencode, urlsplit

from starlette.responses import JSONResponse, RedirectResponse, Response

from tintype.simulator import consent, errors, tokens
from tintype.simulator.arrival import Arrival, loopback
from tintype.simulator.errors import GraphError, ShortError
from tintype.simulator.face.guest import wants_page
from tintype.simulator.model import DAY, HOUR, Answer, App, Code, Login, Person, Token
from tintype.simulator.world import World

REFUSED = {
    "error": "access_denied",
    "error_reason": "user_denied",
    "error_description": "The user denied your request",
}
WRONG_REDIRECT = (
    "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the "
    "OAuth dialog request"
)
NO_ROLE = "Insufficient developer role"
DATA_ACCESS = 90 * DAY


def dialog(arrival: Arrival, login: Login) -> Response:
    """The authorise page (GET) and what its buttons do (POST).

    A wrong app or redirect address never redirects: 400 in the short form (Instagram) or the envelope (Facebook), or as
    a page for people.
    """
    asked = arrival.params
    try:
        app, scopes = _asked_app(arrival.world, asked, login)
    except ShortError as error:
        if wants_page(arrival.request):
            return consent.refused(arrival, login, error.message)
        if login == "instagram":
            return errors.short_answer(error.message)
        return errors.answer(GraphError(101 if "app" in error.message else 191, error.message))
    if arrival.method == "POST":
        return _decide(arrival, app, scopes)
    return consent.page(arrival, app, scopes)


def _asked_app(world: World, asked: Mapping[str, str], login: Login) -> tuple[App, tuple[str, ...]]:
    app = world.apps.get(asked.get("client_id", ""))
    if app is None or app.login != login:
        raise ShortError("Invalid platform app")
    uri = asked.get("redirect_uri", "")
    if not uri or not (uri in app.redirect_uris or uri in world.settings.redirect_uris or loopback(uri)):
        raise ShortError("Invalid redirect_uri")
    if asked.get("response_type", "code") != "code":
        raise ShortError("Invalid response_type")
    scopes = tuple(dict.fromkeys(asked.get("scope", "").replace(",", " ").split()))
    if not scopes and login == "facebook":
        scopes = tokens.SCOPES["facebook"]
    unknown = set(scopes) - tokens.KNOWN_SCOPES[login]
    if unknown or not scopes:
        raise ShortError(f"Invalid scope: {sorted(unknown)}")
    return app, scopes


def _decide(arrival: Arrival, app: App, scopes: tuple[str, ...]) -> Response:
    asked, world = arrival.params, arrival.world
    state = {"state": asked["state"]} if "state" in asked else {}
    if asked.get("decision") != "allow":
        return _send_back(asked["redirect_uri"], REFUSED | state, "")
    person = world.people.get(asked.get("username", ""))
    if person is None:
        return errors.short_answer("Unknown user")
    if not consent.has_role(world, person):
        if wants_page(arrival.request):
            return consent.refused(arrival, app.login, NO_ROLE)
        return errors.short_answer(NO_ROLE)
    kept = set(asked.get("granted", "").split(",")) if "choosing" in asked else set(scopes)
    granted = tuple(scope for scope in scopes if scope in kept)
    declined = tuple(scope for scope in scopes if scope not in kept)
    code = tokens.new_code(
        world, app_id=app.app_id, username=person.username, redirect_uri=asked["redirect_uri"], scopes=granted,
        declined=declined, pages=_pages(world, person, asked) if app.login == "facebook" else None,
    )  # fmt: skip
    arrival.entry.username = person.username
    arrival.effect(f"code:{person.username}")
    return _send_back(asked["redirect_uri"], {"code": code.value} | state, "#_" if app.login == "instagram" else "#_=_")


def _pages(world: World, person: Person, asked: Mapping[str, str]) -> tuple[str, ...] | None:
    """The Pages that the person left ticked, of their own; None for all when the form did not ask."""
    if "choosing_pages" not in asked or person.facebook_id is None:
        return None
    kept = set(asked.get("pages", "").split(","))
    return tuple(page.id for page in world.pages_of(person.facebook_id) if page.id in kept)


def _send_back(uri: str, params: Mapping[str, str], fragment: str) -> Response:
    glue = "&" if urlsplit(uri).query else "?"
    return RedirectResponse(f"{uri}{glue}{urlencode(params)}{fragment}", 302)


def redeem(world: World, asked: Mapping[str, str]) -> Code:
    """The code of a token request, now used; ShortError says what does not fit."""
    app = world.apps.get(asked.get("client_id", ""))
    if app is None:
        raise ShortError("Invalid platform app")
    if asked.get("client_secret") != app.app_secret:
        raise ShortError("Error validating client secret.")
    code = world.codes.get(asked.get("code", ""))
    if code is None or code.used or code.app_id != app.app_id or world.now() - code.issued_at > HOUR:
        raise ShortError("Matching code was not found or was already used")
    if asked.get("redirect_uri") != code.redirect_uri:
        raise ShortError(WRONG_REDIRECT)
    world.codes[code.value] = replace(code, used=True)
    return code


def short_token(arrival: Arrival) -> Response:
    """`POST api.instagram.com/oauth/access_token`: a code becomes a token of one hour."""
    world, asked = arrival.world, arrival.params
    if asked.get("grant_type") != "authorization_code":
        raise ShortError("Invalid grant_type")
    app = world.apps.get(asked.get("client_id", ""))
    if app is None or app.login != "instagram":
        raise ShortError("Invalid platform app")
    code = redeem(world, asked)
    token = tokens.issue(world, "short", "instagram", code.app_id, code.username, code.scopes)
    arrival.entry.username = code.username
    arrival.effect(f"token:{code.username}")
    return JSONResponse(_short_body(world, token))


def _short_body(world: World, token: Token) -> Answer:
    person, settings = world.people[token.username], world.settings
    joined = ",".join(token.scopes)
    if settings.token_shape == "wrapped":  # noqa: S105 - a shape, not a secret
        return {"data": [{"access_token": token.value, "user_id": person.scoped_id, "permissions": joined}]}
    permissions: object = list(token.scopes) if settings.permissions_shape == "list" else joined
    return {"access_token": token.value, "user_id": int(person.user_id), "permissions": permissions}


def long_token(arrival: Arrival) -> Response:
    """`GET graph.instagram.com/access_token`: a short token becomes one of 60 days."""
    world, asked = arrival.world, arrival.params
    if asked.get("grant_type") != "ig_exchange_token":
        raise GraphError(100, "(#100) Invalid grant_type", kind="IGApiException")
    token = tokens.living(world, arrival.token)
    if token.login != "instagram" or token.kind != "short":
        raise errors.unsupported_method("get")
    if asked.get("client_secret") != world.apps[token.app_id].app_secret:
        raise GraphError(1, "Error validating client secret.")
    long = tokens.issue(world, "long", "instagram", token.app_id, token.username, token.scopes)
    arrival.effect(f"token:{token.username}")
    return _bearer(world, long)


def refreshed_token(arrival: Arrival) -> Response:
    """`GET graph.instagram.com/refresh_access_token`: 60 more days for a token that is alive and a day old."""
    world, asked = arrival.world, arrival.params
    if asked.get("grant_type") != "ig_refresh_token":
        raise GraphError(100, "(#100) Invalid grant_type", kind="IGApiException")
    token = tokens.living(world, arrival.token)
    if token.login != "instagram" or token.kind != "long":
        raise errors.unsupported_method("get")
    tokens.require(world, token, "basic")
    tokens.old_enough(world, token)
    fresh = tokens.refreshed(world, token)
    arrival.effect(f"refreshed:{token.username}")
    return _bearer(world, fresh, permissions=",".join(fresh.scopes))


def _bearer(world: World, token: Token, **more: str) -> Response:
    body: Answer = {"access_token": token.value, "token_type": "bearer"}
    if token.expires_at is not None:
        body["expires_in"] = round(token.expires_at - world.now())
    return JSONResponse(body | more)


def facebook_token(arrival: Arrival) -> Response:
    """`/oauth/access_token` of graph.facebook.com: a code, a short token or an app's credentials become a token."""
    world, asked = arrival.world, arrival.params
    app = world.apps.get(asked.get("client_id", ""))
    if app is None or app.login != "facebook":
        raise GraphError(101, "Error validating application. Cannot get application info due to a system error.")
    if asked.get("client_secret") != app.app_secret:
        raise GraphError(1, "Error validating client secret.")
    if asked.get("grant_type") == "client_credentials":
        return _bearer(world, tokens.issue(world, "app", "facebook", app.app_id, "", ()))
    if asked.get("grant_type") == "fb_exchange_token":
        old = tokens.living(world, asked.get("fb_exchange_token"))
        token = tokens.issue(
            world, "long", "facebook", app.app_id, old.username, old.scopes, declined=old.declined, pages=old.pages
        )
    else:
        code = _facebook_code(world, asked)
        token = tokens.issue(
            world, "short", "facebook", app.app_id, code.username, code.scopes, declined=code.declined, pages=code.pages
        )
    arrival.entry.username = token.username
    arrival.effect(f"token:{token.username}")
    return _bearer(world, token)


def _facebook_code(world: World, asked: Mapping[str, str]) -> Code:
    code = world.codes.get(asked.get("code", ""))
    subcode, message = None, "Invalid verification code format."
    if code is not None and code.used:
        subcode, message = 36009, "This authorization code has been used."
    elif code is not None and world.now() - code.issued_at > HOUR:
        subcode, message = 36007, "This authorization code has expired."
    elif code is not None and asked.get("redirect_uri") != code.redirect_uri:
        subcode, message = 36008, WRONG_REDIRECT
    elif code is not None and code.app_id == asked.get("client_id"):
        return redeem(world, asked)
    challenge = f'OAuth "Facebook Platform" "invalid_code" "{message}"'
    raise GraphError(100, message, subcode, headers={"www-authenticate": challenge})


def debug_token(arrival: Arrival) -> Response:
    """`GET /debug_token`: what a token is; a dead one still answers 200 with `is_valid: false`."""
    world = arrival.world
    asker = arrival.token or ""
    app_id, _, secret = asker.partition("|")
    if not (app_id in world.apps and world.apps[app_id].app_secret == secret):
        tokens.living(world, asker)
    token = world.tokens.get(arrival.params.get("input_token", ""))
    if token is None:
        problem: Answer = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
        return JSONResponse({"data": {"error": problem, "is_valid": False, "scopes": []}})
    return JSONResponse({"data": _inspected(world, token)})


def _inspected(world: World, token: Token) -> Answer:
    kind = {"page": "PAGE", "app": "APP"}.get(token.kind, "USER")
    shown: Answer = {
        "app_id": token.app_id,
        "type": kind,
        "application": world.apps[token.app_id].name,
        "data_access_expires_at": int(token.issued_at + DATA_ACCESS),
        "expires_at": int(token.expires_at or 0),
        "is_valid": True,
        "issued_at": int(token.issued_at),
        "scopes": list(token.scopes),
        "granular_scopes": [{"scope": scope} for scope in token.scopes],
    }
    if token.page_id:
        shown["profile_id"] = token.page_id
    if token.username:
        person = world.people[token.username]
        shown["user_id"] = person.facebook_id or person.scoped_id
    try:
        tokens.living(world, token.value)
    except GraphError as error:
        shown["is_valid"] = False
        shown["error"] = {key: value for key, value in cast(Answer, errors.envelope(error)["error"]).items() if key in (
            "code", "message", "error_subcode")}  # fmt: skip
    return shown
