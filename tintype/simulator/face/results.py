"""What apps did here: their containers, what they published, what is gone tomorrow; and the posts that go wrong by name."""

from dataclasses import dataclass

from starlette.responses import Response

from tintype.simulator import containers, publishing
from tintype.simulator.face import acts, paper
from tintype.simulator.face.guest import Guest
from tintype.simulator.face.profiles import Tile
from tintype.simulator.magic import MAGIC
from tintype.simulator.model import DAY, Container
from tintype.simulator.world import World

SHOWN = 60  # containers and posts on the page, newest first
STATES = {
    "IN_PROGRESS": "being processed",
    "FINISHED": "ready to publish",
    "ERROR": "failed",
    "EXPIRED": "too old",
    "PUBLISHED": "published",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A container, where it stands and how long it has been there."""

    container: Container
    code: str
    state: str
    text: str
    age: float
    app: str

    @classmethod
    def of(cls, world: World, container: Container) -> "Row":
        """A container as the page tells of it; looking does not count as a poll."""
        code = containers.status_code(container, world.now(), world.settings)
        text = containers.status_text(container, code) if code == "ERROR" else ""
        return cls(container, code, STATES[code], text, world.now() - container.created_at, app_name(world, container))


@dataclass(frozen=True, slots=True)
class Published:
    """A post that came through the API: when, made from which container by which app."""

    tile: Tile
    age: float
    container_id: str
    app: str


def app_name(world: World, container: Container) -> str:
    """What the app calls itself that made a container."""
    app = world.apps.get(container.app_id)
    return app.name if app else container.app_id


def published(guest: Guest) -> Response:
    """`/_face/published`: by app and by person when asked."""
    world, app_id, username = guest.world, guest.asked("app"), guest.asked("username")
    mine = [
        one for one in reversed(world.containers.values()) if app_id in ("", one.app_id) and username in ("", one.owner)
    ]
    names = {one.id for one in mine}
    posts = [_published(world, *row) for row in reversed(world.published) if row[1] in names and row[2] in world.media]
    return paper.page(
        "published.html",
        guest=guest,
        said=acts.said(guest),
        apps=list(world.apps.values()),
        people=list(world.people.values()),
        app_id=app_id,
        username=username,
        rows=[Row.of(world, one) for one in mine[:SHOWN]],
        hidden=max(0, len(mine) - SHOWN),
        posts=posts[:SHOWN],
        stories=_stories(world, username),
        quotas=_quotas(world, username),
        back=f"{guest.request.url.path}?{guest.request.url.query}",
    )


def _published(world: World, when: float, container_id: str, media_id: str) -> Published:
    app = app_name(world, world.containers[container_id])
    return Published(Tile.of(world.media[media_id]), world.now() - when, container_id, app)


def _stories(world: World, username: str) -> list[tuple[Tile, float]]:
    now = world.now()
    return [
        (Tile.of(story), story.timestamp + DAY - now)
        for one in world.people.values()
        if username in ("", one.username)
        for story in world.stories(one.username)
    ]


def _quotas(world: World, username: str) -> list[tuple[str, int, int]]:
    """How many posts of the last 24 hours each person's apps have used, of how many."""
    rows = [
        (one.username, publishing.used_quota(world, one.username), world.settings.quota_total)
        for one in world.people.values()
        if username in ("", one.username)
    ]
    return [row for row in rows if row[1]]


def magic(guest: Guest) -> Response:
    """`/_face/magic`: posts that go wrong for whoever downloads them."""
    return paper.page("magic.html", guest=guest, said="", rows=list(MAGIC.values()))
