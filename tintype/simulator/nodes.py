"""Which thing an id stands for, and which fields and edges it has through which host."""

from tintype.simulator import accounts, comments, hashtags, ids, insights, posts, publishing, tokens
from tintype.simulator.errors import GraphError, nonexisting_field, unsupported
from tintype.simulator.grammar import Field
from tintype.simulator.model import Answer, Comment, Container, FacebookUser, Media, Page, Person
from tintype.simulator.visit import Maker, Node, Tables, Visit

EDGES = frozenset(
    (
        "media",
        "stories",
        "tags",
        "live_media",
        "subscribed_apps",
        "insights",
        "content_publishing_limit",
        "children",
        "comments",
        "replies",
        "accounts",
        "permissions",
        "businesses",
        "collaborators",
        "recent_media",
        "top_media",
        "recently_searched_hashtags",
    )
)
PERSON_EDGES: dict[str, Maker] = {
    "insights": insights.of_account,
    "content_publishing_limit": publishing.limit,
}

POST_EDGES: dict[str, Maker] = {"insights": insights.of_media}

TABLES: Tables = {
    (Person, "instagram"): {**accounts.INSTAGRAM, **PERSON_EDGES},
    (Person, "facebook"): {**accounts.FACEBOOK, **PERSON_EDGES, **hashtags.SEARCHED},
    (Person, "public"): accounts.PUBLIC,
    (Media, "instagram"): {**posts.INSTAGRAM, **POST_EDGES},
    (Media, "facebook"): {**posts.FACEBOOK, **POST_EDGES},
    (Media, "public"): posts.PUBLIC,
    (Comment, "instagram"): comments.TABLE,
    (Comment, "facebook"): comments.TABLE,
    (Comment, "public"): comments.TABLE,
    (Container, "instagram"): publishing.TABLE,
    (Container, "facebook"): publishing.TABLE,
    (Page, "facebook"): accounts.PAGE,
    (FacebookUser, "facebook"): accounts.USER,
    (hashtags.Hashtag, "facebook"): hashtags.TABLE,
}


def owner(visit: Visit) -> object:
    """What `me` stands for: the Instagram account, the Page, or the Facebook user."""
    token, world = visit.token, visit.world
    if token.kind == "app":
        raise GraphError(2500, "An active access token must be used to query information about the current user.")
    if token.page_id:
        return world.pages[token.page_id]
    person = world.people[token.username]
    if token.login == "instagram":
        return person
    known = world.facebook_users.get(person.facebook_id or "")
    return known or FacebookUser(f"1022{ids.number(13, 'facebook', person.user_id):013d}", person.name)


def find(visit: Visit, node_id: str, method: str = "get") -> object:
    """The node with this id that the token may see; GraphError 100/33 or 803 otherwise."""
    if node_id == "me":
        return owner(visit)
    node = _anything(visit, node_id)
    if node is not None and _visible(visit, node):
        return node
    if not node_id.isdecimal():
        raise GraphError(803, f"(#803) Some of the aliases you requested do not exist: {node_id}")
    raise unsupported(visit.login, node_id, method)


def _anything(visit: Visit, node_id: str) -> Node | Person | None:
    world = visit.world
    if found := world.media.get(node_id) or world.comments.get(node_id) or world.containers.get(node_id):
        return found
    if visit.login == "instagram":
        return world.person(node_id)
    person = next((one for one in world.people.values() if one.user_id == node_id), None)
    user = world.facebook_users.get(node_id)
    return person or world.pages.get(node_id) or user or hashtags.by_id(world, node_id)


def _visible(visit: Visit, node: object) -> bool:
    world = visit.world
    match node:
        case Person():
            return visit.may_speak_for(node.username)
        case Media():
            return visit.may_speak_for(node.owner) and not _still_hidden(visit, node)
        case Comment():
            return visit.may_speak_for(world.media[node.media_id].owner) or node.author == visit.token.username
        case Container():
            return visit.may_speak_for(node.owner)
        case Page():
            return node.id == visit.token.page_id or any(page.id == node.id for page in _managed(visit))
        case FacebookUser():
            return node == owner(visit)
        case _:
            return visit.lens == "facebook"


def _managed(visit: Visit) -> list[Page]:
    user = owner(visit)
    return tokens.pages(visit.world, visit.token, user.id) if isinstance(user, FacebookUser) else []


def _still_hidden(visit: Visit, media: Media) -> bool:
    left = visit.world.fresh_reads.get(media.id, 0)
    if left:
        visit.world.fresh_reads[media.id] = left - 1
    old_story = media.kind == "STORY" and media not in visit.world.stories(media.owner)
    return left > 0 or old_story


def edge_of(visit: Visit, node: object, name: str, field: Field) -> Answer:
    """The answer of `GET /{node}/{edge}`; GraphError 2500 for no edge at all, 100 for one of another node."""
    if name not in EDGES:
        raise GraphError(2500, f"Unknown path components: /{name}")
    maker = visit.tables.get((type(node), visit.lens), {}).get(name)
    if maker is None:
        raise nonexisting_field(name)
    found = maker(visit, node, field)
    return found if isinstance(found, dict) else {"data": []}  # pyright: ignore[reportUnknownVariableType] - edges answer with dicts of their own making
