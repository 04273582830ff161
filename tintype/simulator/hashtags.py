"""Hashtags (Facebook login only): search, and the posts of the pretend world that carry one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tintype.simulator import ids
from tintype.simulator.errors import GraphError
from tintype.simulator.grammar import Field
from tintype.simulator.model import DAY, Answer, Media, Person
from tintype.simulator.visit import Maker, Visit
from tintype.simulator.world import World

TAG = re.compile(r"#(\w+)")
MOST = 50


@dataclass(frozen=True, slots=True)
class Hashtag:
    """A tag; its id is global and never changes."""

    id: str
    name: str


def named(name: str) -> Hashtag:
    """The hashtag of this word."""
    plain = name.lstrip("#").lower()
    return Hashtag(f"178{ids.number(14, 'hashtag', plain):014d}", plain)


def by_id(world: World, tag_id: str) -> Hashtag | None:
    """The tag with this id, if anybody here used or searched it."""
    used = {tag.lower() for media in world.media.values() for tag in TAG.findall(media.caption)}
    searched = {tag for tags in world.searched_tags.values() for tag in tags}
    return next((tag for tag in map(named, sorted(used | searched)) if tag.id == tag_id), None)


def search(visit: Visit, params: Mapping[str, str]) -> Answer:
    """`GET /ig_hashtag_search`: the id of a tag; 30 different ones in 7 days per account."""
    visit.require("basic")
    person = visit.world.person(params.get("user_id", ""))
    if person is None or not visit.may_speak_for(person.username):
        raise GraphError(100, "(#100) The parameter user_id is required")
    tag, now = named(params.get("q", "")), visit.world.now()
    known = visit.world.searched_tags.setdefault(person.user_id, {})
    recent = {name for name, when in known.items() if when > now - 7 * DAY}
    if not tag.name or tag not in _used(visit.world):
        raise GraphError(
            24, "The requested resource does not exist", 2207024, title="Invalid hashtag", text="No such hashtag."
        )
    if tag.name not in recent and len(recent) >= visit.world.settings.hashtag_max:
        raise GraphError(18, "Max Hashtags Reached", 2207034, title="Too many hashtags", text="Try again in some days.")
    known[tag.name] = now
    return {"data": [{"id": tag.id}]}


def _used(world: World) -> set[Hashtag]:
    return {named(tag) for media in world.media.values() for tag in TAG.findall(media.caption)}


def _tagged(visit: Visit, tag: Hashtag, since: float) -> list[Media]:
    posts = (post for name in visit.world.people for post in visit.world.posts(name))
    return [
        post for post in posts if post.timestamp >= since and tag in {named(word) for word in TAG.findall(post.caption)}
    ]


def _recent(visit: Visit, tag: Hashtag, field: Field) -> object:
    found = _tagged(visit, tag, visit.world.now() - DAY)
    return visit.through("public").edge(tag.id, found, field, paging="after", most=MOST)


def _top(visit: Visit, tag: Hashtag, field: Field) -> object:
    found = sorted(_tagged(visit, tag, 0), key=lambda post: -post.like_count)
    return visit.through("public").edge(tag.id, found, field, paging="after", most=MOST)


def _searched(visit: Visit, person: Person, field: Field) -> object:
    now = visit.world.now()
    tags = visit.world.searched_tags.get(person.user_id, {})
    recent = [named(name) for name, when in tags.items() if when > now - 7 * DAY]
    return visit.edge(person.user_id, recent, field)


TABLE: Mapping[str, Maker] = {
    "id": lambda _v, tag, _f: tag.id,
    "name": lambda _v, tag, _f: tag.name,
    "recent_media": _recent,
    "top_media": _top,
}
SEARCHED: Mapping[str, Maker] = {"recently_searched_hashtags": _searched}
