"""The control plane `/_world`: the levers with which tests and demonstrations move the pretend world."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tintype.simulator import containers, faults, staging, tokens, web, webhooks
from tintype.simulator.arrival import Client
from tintype.simulator.faults import Fault
from tintype.simulator.magic import MAGIC, Memory
from tintype.simulator.model import Answer, App, Person
from tintype.simulator.pull import LATEST, Pull, WrongPullError
from tintype.simulator.world import World


async def serve(request: Request, world: World, client: Client, origin: str) -> Response:
    """Answer a `/_world` call; refusals are `{"error": text}`, nothing to say is 204."""
    parts = tuple(part for part in request.url.path.split("/") if part)[1:]
    lever, item = LEVERS.get((request.method, *parts)), ""
    if lever is None and parts:
        lever, item = LEVERS.get((request.method, *parts[:-1], "*")), parts[-1]
    try:
        if request.headers.get("sec-fetch-site") == "cross-site" and request.method != "GET":
            raise WrongPullError("pages of other sites do not move this world", 403)
        if lever is None:
            raise WrongPullError(f"no such call: {request.method} /{'/'.join(('_world', *parts))}", 404)
        said = await lever(Pull(request, world, client, origin, await _body(request), item))
    except WrongPullError as wrong:
        return JSONResponse({"error": wrong.text}, wrong.status)
    return Response(status_code=204) if said is None else JSONResponse(said)


async def _body(request: Request) -> dict[str, Any]:
    raw = await request.body()
    try:
        given = cast(object, json.loads(raw or b"{}"))
    except ValueError:
        raise WrongPullError("the body must be JSON") from None
    if not isinstance(given, dict):
        raise WrongPullError("the body must be a JSON object")
    return cast(dict[str, Any], given)


async def overview(pull: Pull) -> Answer:
    """`GET /_world`."""
    world = pull.world
    return {
        "seed": world.seed,
        "now": world.now(),
        "people": [staging.about(pull, person) for person in world.people.values()],
        "apps": [_app(world, app) for app in world.apps.values()],
    }


def _app(world: World, app: App) -> Answer:
    return {
        "app_id": app.app_id,
        "app_secret": app.app_secret,
        "login": app.login,
        "redirect_uris": list(dict.fromkeys((*app.redirect_uris, *world.settings.redirect_uris))),
    }


async def reset(pull: Pull) -> Answer:
    """`POST /_world/reset`: a new world; every field beside `seed` and `now` is a setting (settings.Settings)."""
    given = {name: value for name, value in pull.body.items() if name not in ("seed", "now")}
    try:
        settings = pull.world.first_settings.changed(given)
    except ValueError as error:
        raise WrongPullError(str(error)) from error
    pull.world.reset(
        pull.whole("seed", pull.world.seed), now=pull.number("now", least=0, most=LATEST), settings=settings
    )
    return await overview(pull)


async def change_settings(pull: Pull) -> Answer:
    """`PATCH /_world/settings`: settings by name, without beginning again; a plain reset forgets them."""
    try:
        pull.world.settings = pull.world.settings.changed(pull.body)
    except ValueError as error:
        raise WrongPullError(str(error)) from error
    return asdict(pull.world.settings)


async def clock(pull: Pull) -> Answer:
    """`POST /_world/clock`."""
    pull.only("advance_seconds", "now")
    now = pull.number("now", pull.world.now(), least=0, most=LATEST) or 0
    target = now + (pull.number("advance_seconds", 0) or 0)
    if not 0 <= target <= LATEST:
        raise WrongPullError("the clock cannot go there")
    pull.world.clock.move_to(target)
    return {"now": pull.world.now()}


async def add_token(pull: Pull) -> Answer:
    """`POST /_world/tokens`: a long-lived token without clicking; `page: true` gives the Page's token instead."""
    pull.only("username", "login", "lifetime_seconds", "age_seconds", "scopes", "app_id", "kind", "page")
    world, person, login = pull.world, pull.person(), staging.login_of(pull)
    scopes = tuple(pull.text("scopes", ",".join(tokens.SCOPES[login])).replace(",", " ").split())
    token = tokens.issue(
        world,
        "short" if pull.choice("kind", ("short", "long"), "long") == "short" else "long",
        login,
        pull.text("app_id", world.app_for(login).app_id),
        person.username,
        scopes,
        lifetime=pull.number("lifetime_seconds"),
        age=pull.number("age_seconds", 0) or 0,
    )
    expires_in = round((token.expires_at or 0) - world.now())
    if pull.flag("page") and person.page_id:
        token = tokens.page_token(world, token, world.pages[person.page_id])
    return {"access_token": token.value, "user_id": person.user_id, "expires_in": expires_in}


async def revoke(pull: Pull) -> None:
    """`POST /_world/tokens/revoke`: 458 (the default) removes the app and tells it so at its deauthorise address."""
    pull.only("access_token", "subcode")
    world = pull.world
    token = world.tokens.get(pull.text("access_token"))
    if token is None:
        raise WrongPullError("no such token", 404)
    subcode = pull.whole("subcode", 458) or 458
    tokens.revoke(world, token, subcode)
    if subcode == 458 and world.settings.deauthorize_url and token.username:
        app, person = world.apps[token.app_id], world.people[token.username]
        await webhooks.send_signed(world, pull.client, app, person, world.settings.deauthorize_url)


async def sign_in(pull: Pull) -> Answer:
    """`POST /_world/sessions`: cookies of a browser in which a person has signed in to the public web side."""
    pull.only("username")
    return {"cookies": web.signed_in(pull.world, pull.person())}


async def sign_out(pull: Pull) -> None:
    """`DELETE /_world/sessions/{username}`: all sessions of a person end."""
    if pull.item not in pull.world.people:
        raise WrongPullError(f"nobody is called {pull.item!r}", 404)
    web.signed_out(pull.world, pull.world.people[pull.item])


async def add_code(pull: Pull) -> Answer:
    """`POST /_world/codes`."""
    pull.only("username", "app_id", "redirect_uri", "scope")
    world, person = pull.world, pull.person()
    app = world.apps.get(pull.text("app_id", world.app_for("instagram").app_id))
    if app is None:
        raise WrongPullError("no such app", 404)
    scopes = tuple(pull.text("scope", ",".join(tokens.SCOPES[app.login])).replace(",", " ").split())
    code = tokens.new_code(
        world, app_id=app.app_id, username=person.username, redirect_uri=pull.text("redirect_uri"), scopes=scopes
    )
    return {"code": code.value}


async def add_fault(pull: Pull) -> Answer:
    """`POST /_world/faults`."""
    pull.only("on", "kind", "times", "after", "delay_ms", "code", "subcode", "status", "username", "to", "chance")
    times = pull.whole("times", least=1) if "times" in pull.body else 1  # null: always
    fault = Fault(
        id=str(pull.world.next_number()),
        on=pull.choice("on", tuple(sorted(faults.NAMES))),
        kind=pull.choice("kind", faults.KINDS),  # pyright: ignore[reportArgumentType] - one of KINDS
        times=times,
        after=pull.whole("after", 0) or 0,
        delay_ms=pull.whole("delay_ms", 0, least=0) or 0,
        code=pull.whole("code"),
        subcode=pull.whole("subcode"),
        status=pull.whole("status", least=200, most=599),
        username=pull.text("username", "") or None,
        to=pull.text("to", "") or None,
        chance=pull.number("chance", 1.0, least=0, most=1) or 0.0,
    )
    if fault.kind == "redirect" and not fault.to:
        raise WrongPullError("a redirect needs `to`")
    pull.world.faults.add(fault)
    return {"id": fault.id}


async def list_faults(pull: Pull) -> list[Answer]:
    """`GET /_world/faults`: those still to come."""
    names = ("id", "on", "kind", "times", "after")
    return [{name: getattr(fault, name) for name in names} for fault in pull.world.faults]


async def drop_fault(pull: Pull) -> None:
    """`DELETE /_world/faults[/{id}]`; without an id the magic posts forget whom they have hit, too."""
    if not pull.item:
        pull.world.magic_memory = Memory()
    if not pull.world.faults.drop(pull.item or None):
        raise WrongPullError(f"no fault {pull.item!r}", 404)


async def list_magic(_pull: Pull) -> list[Answer]:
    """`GET /_world/magic`: the magic shortcodes, what they do and what a downloader must answer."""
    return [asdict(magic) for magic in MAGIC.values()]


async def change_container(pull: Pull) -> Answer:
    """`PATCH /_world/containers/{id}`: let it finish, fail (`error_code` chooses the subcode) or expire."""
    pull.only("status_code", "error_code")
    world, container = pull.world, pull.world.containers.get(pull.item)
    if container is None:
        raise WrongPullError(f"no container {pull.item!r}", 404)
    code = pull.choice("status_code", containers.STATUSES)
    error = pull.whole("error_code", container.error or containers.UNKNOWN_FAILURE) if code == "ERROR" else None
    changed = world.change_container(container, forced=code, error=error)
    return {"id": changed.id, "status_code": code, "status": containers.status_text(changed, code)}


async def webhook(pull: Pull) -> Answer:
    """`POST /_world/webhooks`: `callback`, `shape`, `times` (duplicates) and `app_id` may be given besides."""
    pull.only("field", "username", "value", "callback", "shape", "times", "app_id")
    world, person = pull.world, pull.person()
    callback = pull.text("callback", world.settings.webhook_url or "")
    if not callback:
        raise WrongPullError("no callback: give one, or set webhook_url at reset", 409)
    shape = pull.choice("shape", ("changes", "flat"), world.settings.webhook_shape)
    body = webhooks.event(world, person, pull.text("field"), pull.body.get("value"), shape)
    app = _app_of(pull, person)
    return await webhooks.deliver(world, pull.client, app, callback, body, times=pull.whole("times", 1) or 1)


def _app_of(pull: Pull, person: Person) -> App:
    world = pull.world
    asked = pull.text("app_id", "")
    if asked and asked not in world.apps:
        raise WrongPullError("no such app", 404)
    holders = [token.app_id for token in world.tokens.values() if token.username == person.username]
    return world.apps[asked or (holders[-1] if holders else world.app_for("instagram").app_id)]


async def verify(pull: Pull) -> Answer:
    """`POST /_world/webhooks/verify`: Meta's check of a callback."""
    pull.only("callback", "verify_token")
    callback = pull.text("callback", pull.world.settings.webhook_url or "")
    if not callback:
        raise WrongPullError("no callback: give one, or set webhook_url at reset", 409)
    return await webhooks.verify(pull.world, pull.client, callback, pull.text("verify_token", "") or None)


async def deletion(pull: Pull) -> Answer:
    """`POST /_world/deletion`: a person asks for their data to be deleted; the signed call goes to `deletion_url`."""
    pull.only("username", "callback", "app_id")
    person = pull.person()
    url = pull.text("callback", pull.world.settings.deletion_url or "")
    if not url:
        raise WrongPullError("no callback: give one, or set deletion_url at reset", 409)
    return {"status": await webhooks.send_signed(pull.world, pull.client, _app_of(pull, person), person, url)}


async def log(pull: Pull) -> list[Answer]:
    """`GET /_world/log?since=N`."""
    since = pull.request.query_params.get("since", "0")
    if not since.lstrip("-").isdecimal():
        raise WrongPullError("since must be a number")
    return pull.world.log.since(int(since))


async def published(pull: Pull) -> list[Answer]:
    """`GET /_world/published?username=`: what came through the API, oldest first, with the container and the moment."""
    world, username = pull.world, pull.request.query_params.get("username")
    return [
        {**staging.show(pull, world.media[media_id]), "container_id": container_id, "published_at": when}
        for when, container_id, media_id in world.published
        if media_id in world.media and username in (None, world.media[media_id].owner)
    ]


LEVERS: dict[tuple[str, ...], Callable[[Pull], Awaitable[object]]] = {
    ("GET",): overview,
    ("POST", "reset"): reset,
    ("PATCH", "settings"): change_settings,
    ("POST", "clock"): clock,
    ("POST", "people"): staging.add_person,
    ("POST", "tokens"): add_token,
    ("POST", "tokens", "revoke"): revoke,
    ("POST", "sessions"): sign_in,
    ("DELETE", "sessions", "*"): sign_out,
    ("POST", "codes"): add_code,
    ("POST", "media"): staging.add_media,
    ("PATCH", "media", "*"): staging.change_media,
    ("DELETE", "media", "*"): staging.drop_media,
    ("POST", "comments"): staging.add_comment,
    ("GET", "faults"): list_faults,
    ("POST", "faults"): add_fault,
    ("DELETE", "faults"): drop_fault,
    ("DELETE", "faults", "*"): drop_fault,
    ("GET", "magic"): list_magic,
    ("PATCH", "containers", "*"): change_container,
    ("POST", "webhooks"): webhook,
    ("POST", "webhooks", "verify"): verify,
    ("POST", "deletion"): deletion,
    ("GET", "log"): log,
    ("GET", "published"): published,
}
