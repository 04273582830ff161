"""The levers of `/_world` as forms: how each form's text becomes a lever's body, and what is said when it was pulled."""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from tintype.simulator import control, staging
from tintype.simulator.face import presets
from tintype.simulator.face.guest import Guest
from tintype.simulator.model import Token
from tintype.simulator.pull import Pull, WrongPullError
from tintype.simulator.world import World

Reader = Callable[[str], object]
EXPIRED = 463  # the subcode that is no revocation: the token is past its time


def text(given: str) -> object:
    """A text as it stands."""
    return given


def number(given: str) -> object:
    """A number; whole ones stay whole."""
    try:
        found = float(given)
        return int(found) if found == int(found) else found
    except (ValueError, OverflowError):
        raise WrongPullError(f"{given!r} is no number") from None


def percent(given: str) -> object:
    """A percentage as a part of one."""
    found = number(given)
    assert isinstance(found, int | float)
    return found / 100


def flag(given: str) -> object:
    """A ticked box; one that is not ticked is not sent at all."""
    return given == "on"


def listed(given: str) -> object:
    """Names between commas."""
    return [part.strip() for part in given.split(",") if part.strip()]


def value(given: str) -> object:
    """JSON, or a text when it is none."""
    try:
        return json.loads(given)
    except ValueError:
        return given


@dataclass(frozen=True, slots=True)
class Act:
    """A form: the lever behind it, how its fields are read, and what is said afterwards.

    Empty fields are left out, those of `empty_is_null` become null. With `shows` the lever's answer is worth reading.
    """

    lever: Callable[[Pull], Awaitable[object]]
    said: str
    readers: Mapping[str, Reader]
    empty_is_null: frozenset[str] = frozenset()
    shows: bool = False

    def body_of(self, form: Mapping[str, str]) -> dict[str, object]:
        """The lever's body."""
        body: dict[str, object] = {}
        for name, read in self.readers.items():
            given = form.get(name, "").strip()
            if given:
                body[name] = read(given)
            elif read is flag:
                body[name] = False
            elif name in self.empty_is_null and name in form:
                body[name] = None
        return body


def mark_of(token: Token) -> str:
    """A name for a token that does not give it away."""
    return hashlib.sha256(token.value.encode()).hexdigest()[:12]


async def kill_token(pull: Pull) -> object:
    """Let the token with this mark die by its subcode; 463 lets it be past its time."""
    world, mark = pull.world, pull.text("mark")
    token = next((one for one in world.tokens.values() if mark_of(one) == mark), None)
    if token is None:
        raise WrongPullError("that token is no longer there", 404)
    subcode = pull.whole("subcode", 458)
    if subcode == EXPIRED:
        world.tokens[token.value] = replace(token, expires_at=world.now())
        return None
    return await control.revoke(replace(pull, body={"access_token": token.value, "subcode": subcode}))


async def drop_post(pull: Pull) -> object:
    """Delete a post by its shortcode or id."""
    found = _post(pull.world, pull.text("post"))
    return await staging.drop_media(replace(pull, body={}, item=found))


async def comment_post(pull: Pull) -> object:
    """Comment on a post by its shortcode or id."""
    body = {name: given for name, given in pull.body.items() if name != "post"}
    return await staging.add_comment(replace(pull, body=body | {"media_id": _post(pull.world, pull.text("post"))}))


def _post(world: World, name: str) -> str:
    found = world.post_by_code(name) or world.media.get(name)
    if found is None or found.id not in world.media:
        raise WrongPullError(f"no post is called {name!r}", 404)
    return found.id


SWITCHES: Mapping[str, Reader] = {
    "latency_ms": number, "container_seconds": number, "quota_total": number, "business_usage": number,
    "app_usage": number, "image_lifetime": number, "video_lifetime": number, "insights_delay_hours": number,
    "unreadable_after_publish": number, "testers": listed, "spam_shield": flag, "development_mode": flag,
    "refresh_keeps_token": flag, "require_appsecret_proof": flag,
}  # fmt: skip
FAULT: Mapping[str, Reader] = {
    "on": text, "kind": text, "times": number, "after": number, "chance": percent, "delay_ms": number, "code": number,
    "subcode": number, "status": number, "username": text, "to": text,
}  # fmt: skip
POST: Mapping[str, Reader] = {"caption": text, "like_count": number, "views": number, "comments_count": number}

ACTS: Mapping[str, Act] = {
    "preset": Act(presets.apply, "It is so from now on.", {"preset": text}),
    "clock": Act(control.clock, "The clock was moved.", {"advance_seconds": number}),
    "settings": Act(
        control.change_settings, "The switches are set.", SWITCHES,
        frozenset(("container_seconds", "business_usage", "app_usage", "testers")),
    ),
    "fault": Act(control.add_fault, "The fault waits for its call.", FAULT, frozenset(("times",))),
    "calm": Act(control.drop_fault, "No fault is left.", {}),
    "drop-fault": Act(control.drop_fault, "The fault was taken away.", {}),
    "token": Act(
        control.add_token, "A token was made.",
        {"username": text, "login": text, "lifetime_seconds": number, "age_seconds": number, "page": flag}, shows=True,
    ),
    "kill": Act(kill_token, "The token is dead.", {"mark": text, "subcode": number}),
    "code": Act(
        control.add_code, "A code was made.", {"username": text, "app_id": text, "redirect_uri": text}, shows=True,
    ),
    "session": Act(control.sign_in, "Somebody is signed in.", {"username": text}, shows=True),
    "sessions-end": Act(control.sign_out, "All sessions of that person ended.", {}),
    "container": Act(control.change_container, "The container has its new state.", {"status_code": text}),
    "person": Act(
        staging.add_person, "Somebody new lives here.",
        {"username": text, "account_type": text, "media": number, "stories": number, "page": flag, "private": flag},
    ),
    "post": Act(staging.add_media, "The post is up.", {"username": text, "kind": text, "caption": text}),
    "edit": Act(staging.change_media, "The post was changed.", POST),
    "drop-post": Act(drop_post, "The post is gone, and its files with it.", {"post": text}),
    "comment": Act(comment_post, "The comment stands below the post.", {"post": text, "text": text, "username": text}),
    "webhook": Act(
        control.webhook, "The webhook was sent.",
        {"field": text, "username": text, "value": value, "callback": text, "times": number}, shows=True,
    ),
    "verify": Act(
        control.verify, "The callback was asked.", {"callback": text, "verify_token": text}, shows=True
    ),
    "deletion": Act(
        control.deletion, "The request was sent.", {"username": text, "callback": text}, shows=True
    ),
    "reset": Act(control.reset, "The world began again.", {"seed": number}),
}  # fmt: skip


def said(guest: Guest) -> str:
    """What is said on the page to which an act has led back."""
    act = ACTS.get(guest.asked("said"))
    return act.said if act else ""


async def pull(guest: Guest, name: str, form: Mapping[str, str]) -> object:
    """Pull the lever of a form; WrongPullError says what is wrong with it."""
    act = ACTS.get(name)
    if act is None:
        raise WrongPullError("there is no such form", 404)
    order = Pull(guest.request, guest.world, guest.client, guest.origin, act.body_of(form), form.get("item", ""))
    if not order.item and name == "drop-fault":
        raise WrongPullError("no fault was named", 404)
    return await act.lever(order)
