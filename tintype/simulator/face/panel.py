"""`/_world/panel`: every lever as a form, with what the world is like now; for whoever sits at this machine."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.responses import RedirectResponse, Response

from tintype.simulator import containers, faults, staging
from tintype.simulator.arrival import params_of
from tintype.simulator.face import acts, paper, presets
from tintype.simulator.face.guest import Guest
from tintype.simulator.face.results import Row
from tintype.simulator.model import DAY, HOUR, KINDS, Token
from tintype.simulator.pull import WrongPullError
from tintype.simulator.world import World

PATH = "/_world/panel"
CALLS = 15  # of the log
TOKENS = 40
STEPS = ((HOUR, "an hour"), (DAY, "a day"), (7 * DAY, "a week"), (55 * DAY, "55 days"), (61 * DAY, "61 days"))
DEATHS = (
    (463, "it expired"),
    (458, "the app was removed"),
    (460, "the password changed"),
    (459, "checkpoint"),
    (467, "logged out"),
    (492, "no role on the Page"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """A token as the panel tells of it: never its value."""

    mark: str
    token: Token
    app: str
    left: float | None
    death: str

    @classmethod
    def of(cls, world: World, token: Token) -> "Held":
        """A token with its remaining seconds, None for endless, and how it died."""
        left = None if token.expires_at is None else token.expires_at - world.now()
        death = dict(DEATHS).get(token.dead, f"revoked ({token.dead})") if token.dead else ""
        if left is not None and left <= 0 and not death:
            death = "it expired"
        return cls(acts.mark_of(token), token, world.apps[token.app_id].name, left, death)


async def serve(guest: Guest) -> Response:
    """Show the panel, or pull the lever of a form that one of our own pages has sent."""
    if not guest.trusted:
        return paper.page("closed.html", 403, guest=guest)
    if guest.request.method in ("GET", "HEAD"):
        return _page(guest)
    if guest.request.method != "POST":
        return paper.page("missing.html", 405, guest=guest)
    if not guest.at_home:
        return paper.page("closed.html", 403, guest=guest)
    return await _act(guest, await params_of(guest.request))


async def _act(guest: Guest, form: Mapping[str, str]) -> Response:
    name = form.get("act", "")
    try:
        answer = await acts.pull(guest, name, form)
    except WrongPullError as wrong:
        return _page(guest, status=wrong.status, refused=wrong.text)
    if acts.ACTS[name].shows:
        return _page(guest, said=acts.ACTS[name].said, shown=json.dumps(answer, indent=2, ensure_ascii=False))
    return RedirectResponse(_back(form, name), 303, paper.HEADERS)


def _back(form: Mapping[str, str], name: str) -> str:
    """The page that the form stood on, if it is one of ours."""
    asked = urlsplit(form.get("back", ""))
    path = asked.path if asked.path.startswith("/_face/") else PATH
    kept = "&".join(part for part in asked.query.split("&") if part and not part.startswith("said="))
    return f"{path}?{kept + '&' if kept and path != PATH else ''}said={name}#top"


def _page(guest: Guest, status: int = 200, *, said: str = "", refused: str = "", shown: str = "") -> Response:
    world = guest.world
    tokens = sorted(world.tokens.values(), key=lambda one: one.issued_at, reverse=True)
    rows = [Row.of(world, one) for one in reversed(world.containers.values()) if one.media_id is None]
    return paper.page(
        "panel.html",
        status,
        guest=guest,
        said=said or acts.said(guest),
        refused=refused,
        shown=shown,
        world=world,
        settings=world.settings,
        moved=presets.moved(world),
        presets=presets.PRESETS,
        faults=list(world.faults),
        names=sorted(faults.NAMES),
        kinds=faults.KINDS,
        steps=STEPS,
        deaths=DEATHS,
        held=[Held.of(world, one) for one in tokens[:TOKENS]],
        rows=rows[:CALLS],
        statuses=[one for one in containers.STATUSES if one != "PUBLISHED"],
        media_kinds=KINDS,
        account_types=staging.ACCOUNT_TYPES,
        calls=world.log.last(CALLS),
    )
