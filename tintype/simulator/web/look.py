"""One look at the public web side: who looks, from which of Instagram's hosts, and which posts may be seen."""

import base64
import json
from dataclasses import dataclass
from typing import Literal, cast
from urllib.parse import unquote

from tintype.simulator import cdn, ids
from tintype.simulator.arrival import Arrival
from tintype.simulator.magic import MAGIC, Magic
from tintype.simulator.model import Media, Person
from tintype.simulator.world import World

Standing = Literal["seen", "gone", "private", "age", "geo"]
WWW = "https://www.instagram.com"
BEARER = "Bearer IGT:2:"


@dataclass(frozen=True, slots=True)
class Look:
    """A request with the person whose cookies it carried; `session` is the cookie itself, valid or not."""

    arrival: Arrival
    session: str
    viewer: Person | None

    @property
    def world(self) -> World:
        """The world that is looked at."""
        return self.arrival.world

    @property
    def site(self) -> str:
        """Scheme and host that addresses of pages begin with."""
        return self.arrival.origin if self.arrival.own else WWW

    @property
    def expired(self) -> bool:
        """Whether cookies came that nobody's session belongs to."""
        return bool(self.session) and self.viewer is None

    def find(self, shortcode: str) -> Media | None:
        """The post with this shortcode, whoever may see it."""
        return self.world.post_by_code(shortcode)

    def find_pk(self, pk: str) -> Media | None:
        """The post with this number (`pk` or `pk_owner`)."""
        number = pk.partition("_")[0]
        return self.find(ids.shortcode_of(int(number))) if number.isdecimal() and len(number) < 30 else None

    def owner(self, media: Media) -> Person:
        """Who posted it."""
        return self.world.people.get(media.owner, self.world.magic_owner)

    def standing(self, media: Media | None) -> Standing:
        """Whether the viewer may see a post, and what stands in the way."""
        if media is None:
            return "gone"
        magic = self.magic(media)
        if magic and magic.place == "standing":
            return cast(Standing, magic.trouble)
        owner = self.owner(media)
        mine = self.viewer is not None and self.viewer.username == owner.username
        return "private" if owner.private and not mine else "seen"

    def magic(self, media: Media | None) -> Magic | None:
        """What is magic about a post."""
        return MAGIC[media.shortcode] if media and media.id in self.world.magic_posts else None

    def file(self, key: str, *, expired: bool = False) -> str:
        """A signed address of a CDN file; an expired one was given out too long ago."""
        lifetime = self.world.cdn_lifetime(self.world.renditions[key].kind)
        origin = self.arrival.origin if self.arrival.own else None
        return cdn.address(self.world, key, origin, age=lifetime + 1 if expired else 0.0)

    def permalink(self, media: Media) -> str:
        """The address of a post's page."""
        return f"{self.site}/{'reel' if media.kind == 'REELS' else 'p'}/{media.shortcode}/"


def look_of(arrival: Arrival) -> Look:
    """The look behind a request: its session is the `sessionid` cookie or what the mobile app's bearer token holds."""
    session = unquote(arrival.request.cookies.get("sessionid", "")) or _borne(arrival)
    username = arrival.world.sessions.get(session, "")
    return Look(arrival, session, arrival.world.people.get(username))


def _borne(arrival: Arrival) -> str:
    given = arrival.request.headers.get("authorization", "")
    if not given.startswith(BEARER):
        return ""
    try:
        held = cast(object, json.loads(base64.b64decode(given.removeprefix(BEARER))))
    except ValueError:
        return ""
    session = cast(dict[str, object], held).get("sessionid") if isinstance(held, dict) else None
    return unquote(session) if isinstance(session, str) else ""
