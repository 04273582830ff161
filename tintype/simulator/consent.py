"""The pages on which a person lets an app in, or learns why they cannot: plain HTML that works without scripts."""

from dataclasses import dataclass

from starlette.responses import Response

from tintype.simulator.arrival import Arrival
from tintype.simulator.face import paper, pictures
from tintype.simulator.model import App, Login, Page, Person
from tintype.simulator.world import World

FORWARDED = ("client_id", "redirect_uri", "response_type", "scope", "state", "config_id")
WORDS = {
    "basic": "See your profile and posts",
    "public_profile": "See your name and picture",
    "publish": "Publish posts for you",
    "comments": "Read and answer comments",
    "insights": "See the numbers of your posts",
    "messages": "Read and answer messages",
    "manage_contents": "Delete your posts",
    "read_engagement": "See what people say on your Pages",
    "engagement": "Answer what people say on your Pages",
    "metadata": "Hear of what happens on your Pages",
    "business_management": "See the businesses you manage",
    "pages": "See the Pages you manage",
}
BRANDS: dict[Login, str] = {"instagram": "Instagram", "facebook": "Facebook"}
# How each refusal is headed and what to do, by the first words of what programs are told.
CAUSES: dict[str, tuple[str, str]] = {
    "Invalid redirect_uri": (
        "URL blocked",
        "The redirect address is not registered for this app. Compare it letter by letter and add it in the settings.",
    ),
    "Invalid platform app": (
        "Invalid app id",
        "No app for this login has that id. Apps for the Instagram login and for the Facebook login have different ids.",
    ),
    "Invalid response_type": ("Invalid request", "Only response_type=code is known."),
    "Invalid scope": ("Invalid scopes", "The app asked for a permission that this login does not have, or for none."),
    "Insufficient developer role": (
        "App not active",
        "In development mode only people with a role on the app connect. Make this person a tester, or switch to live.",
    ),
}


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody who may let the app in, with the Pages they can hand over."""

    person: Person
    portrait: str
    about: str
    warning: str
    pages: tuple[tuple[Page, str], ...]


def page(arrival: Arrival, app: App, scopes: tuple[str, ...]) -> Response:
    """The consent page for this app and these scopes; Facebook's dialog offers only people who manage a Page."""
    world = arrival.world
    people = [one for one in world.people.values() if app.login == "instagram" or one.facebook_id]
    return paper.page(
        "consent.html",
        headers=paper.CONSENT_HEADERS,
        app=app,
        brand=BRANDS[app.login],
        forwarded=[(name, arrival.params[name]) for name in FORWARDED if name in arrival.params],
        choices=[_choice(world, app, person) for person in people],
        scopes=[(scope, next((text for part, text in WORDS.items() if part in scope), "")) for scope in scopes],
        development=world.settings.development_mode,
    )


def _choice(world: World, app: App, person: Person) -> Choice:
    posts = len(world.posts(person.username))
    about = f"{person.account_type.replace('_', ' ').lower()} account, {posts} posts"
    warning = "" if has_role(world, person) else "No role on this app."
    if person.account_type == "PERSONAL":
        warning = "Apps can do nothing with a personal account: switch to a professional one first."
    pages = world.pages_of(person.facebook_id) if app.login == "facebook" and person.facebook_id else ()
    return Choice(
        person, pictures.portrait(person), about, warning,
        tuple((one, f"with {one.username}" if one.username else "no Instagram account") for one in pages),
    )  # fmt: skip


def has_role(world: World, person: Person) -> bool:
    """Whether this person may use an app: once it is live everybody, before that whoever has a role."""
    settings = world.settings
    return not settings.development_mode or settings.testers is None or person.username in settings.testers


def refused(arrival: Arrival, login: Login, message: str) -> Response:
    """Why there is no consent page, for people: what programs are told, and what to do about it."""
    title, about = next((found for start, found in CAUSES.items() if message.startswith(start)), ("Error", ""))
    return paper.page(
        "refused.html",
        400,
        brand=BRANDS[login],
        title=title,
        about=about,
        message=message,
        redirect_uri=arrival.params.get("redirect_uri", "") if "redirect_uri" in message else "",
    )
