"""Putting people and posts into the world from outside, and changing what is there."""

from dataclasses import replace
from typing import cast

from tintype.simulator import ids, nodes, people
from tintype.simulator.grammar import parse
from tintype.simulator.model import KINDS, Answer, Comment, Kind, Login, Media, Person, Token
from tintype.simulator.people import Plan
from tintype.simulator.pull import LATEST, Pull, WrongPullError
from tintype.simulator.visit import Visit

SHOWN = parse(
    "id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,shortcode,timestamp,username,like_count,"
    "comments_count,alt_text,is_shared_to_feed,children{id,media_type,media_url,thumbnail_url,shortcode,timestamp}"
)
CHILDREN_MOST = 20
POSTS_MOST = 20_000
SIDE_LEAST, SIDE_MOST = 16, 4096  # pixels
ACCOUNT_TYPES = ("BUSINESS", "MEDIA_CREATOR", "PERSONAL")


def about(pull: Pull, person: Person) -> Answer:
    """What the control plane tells of a person."""
    shown: Answer = {
        "username": person.username,
        "user_id": person.user_id,
        "account_type": person.account_type,
        "media_count": len(pull.world.posts(person.username)),
    }
    return shown | ({"page_id": person.page_id} if person.page_id else {})


def show(pull: Pull, media: Media) -> Answer:
    """A post as the API shows it to its owner, `shortcode` included."""
    token = Token("", "long", "instagram", pull.world.app_for("instagram").app_id, media.owner, (), 0, None)
    visit = Visit(pull.world, token, "instagram", pull.origin, pull.origin, "v26.0", nodes.TABLES)
    return visit.show(media, SHOWN)


async def add_person(pull: Pull) -> Answer:
    """`POST /_world/people`."""
    pull.only(
        "username", "account_type", "media", "page", "name", "biography", "followers_count", "language", "stories",
        "private",
    )  # fmt: skip
    username = pull.text("username")
    if username in pull.world.people:
        raise WrongPullError(f"{username!r} exists already", 409)
    page = pull.body.get("page")
    name = pull.text("name", username.replace(".", " ").replace("_", " ").title())
    plan = Plan(
        username=username,
        name=name,
        account_type=pull.choice("account_type", ACCOUNT_TYPES, "BUSINESS"),  # pyright: ignore[reportArgumentType] - one of ACCOUNT_TYPES
        language=pull.choice("language", ("en", "de", "es", "it", "ja", "pt"), "en"),
        posts=pull.whole("media", 0, least=0, most=POSTS_MOST) or 0,
        stories=pull.whole("stories", 0, least=0, most=POSTS_MOST) or 0,
        page=page if isinstance(page, str) else name if page else None,
        biography=pull.text("biography", ""),
        followers=pull.whole("followers_count", 1200, least=0) or 0,
        private=pull.flag("private"),
    )
    return about(pull, pull.world.settle(plan, people.anchor(pull.world.now())))


async def add_media(pull: Pull) -> Answer:
    """`POST /_world/media`: a new post now (or at `timestamp`), as if made in the app."""
    pull.only(
        "username", "kind", "caption", "children", "width", "height", "no_media_url", "shortcode", "timestamp",
        "like_count", "alt_text", "picture",
    )  # fmt: skip
    world, person = pull.world, pull.person()
    kind = cast(Kind, pull.choice("kind", KINDS))
    number = world.next_number()
    when = pull.whole("timestamp", int(world.now()), least=0, most=LATEST) or 0
    media = people.post(person, kind, when, 10**7 + number, world.seed, ("staged", number))
    media = replace(
        media,
        caption=pull.text("caption", media.caption),
        width=pull.whole("width", media.width, least=SIDE_LEAST, most=SIDE_MOST) or media.width,
        height=pull.whole("height", media.height, least=SIDE_LEAST, most=SIDE_MOST) or media.height,
        no_media_url=pull.flag("no_media_url"),
        music=pull.flag("no_media_url"),
        alt_text=pull.text("alt_text", media.alt_text),
        like_count=pull.whole("like_count", media.like_count) or 0,
        picture_seed=pull.whole("picture", media.picture_seed) or 0,
    )
    if "shortcode" in pull.body:
        media = replace(media, shortcode=pull.text("shortcode"), pk=_pk(pull.text("shortcode")))
    children = _children(pull, media) if kind == "CAROUSEL_ALBUM" else ()
    for child in children:
        world.add_media(child)
    media = replace(media, children=tuple(child.id for child in children))
    world.add_media(media)
    return show(pull, media)


def _pk(shortcode: str) -> int:
    try:
        return ids.pk_of(shortcode[:-28] if len(shortcode) > 28 else shortcode)  # the rest is a private post's key
    except ValueError:
        raise WrongPullError("shortcode has letters that no shortcode has") from None


def _children(pull: Pull, album: Media) -> tuple[Media, ...]:
    asked = pull.body.get("children", 3)
    kinds: list[object] = [None] * asked if isinstance(asked, int) else list(cast(list[object], asked))
    if not 2 <= len(kinds) <= CHILDREN_MOST:
        raise WrongPullError(f"children must be from 2 to {CHILDREN_MOST}")
    made: list[Media] = []
    for place, kind in enumerate(kinds):
        named = cast(dict[str, object], kind).get("kind") if isinstance(kind, dict) else kind
        video = place % 3 == 2 if named is None else named == "VIDEO"
        made.append(people.child(album, place, pull.world.seed, video=video))
    return tuple(made)


def _media(pull: Pull) -> Media:
    if pull.item not in pull.world.media:
        raise WrongPullError(f"no media {pull.item!r}", 404)
    return pull.world.media[pull.item]


async def change_media(pull: Pull) -> Answer:
    """`PATCH /_world/media/{id}`; `picture` (a number) puts another picture behind a new address."""
    changeable = ("caption", "alt_text", "like_count", "views", "timestamp", "no_media_url", "comment_enabled")
    pull.only(*changeable, "comments_count", "picture")
    media, changes = _media(pull), dict[str, object]()
    for name in changeable:
        if name in pull.body:
            changes[name] = _read(pull, name, cast(object, getattr(media, name)))
    if "comments_count" in pull.body:
        real = pull.world.comments_count(media) - media.extra_comments
        changes["extra_comments"] = max(0, (pull.whole("comments_count") or 0) - real)
    if "picture" in pull.body:
        changes |= {"picture_seed": pull.whole("picture") or 0, "rev": media.rev + 1, "body": None}
    changed = replace(media, **changes)  # pyright: ignore[reportArgumentType] - names and kinds were taken from Media
    pull.world.change_media(changed)
    return show(pull, changed)


def _read(pull: Pull, name: str, now: object) -> object:
    """The new value of a field, of the kind that it has now."""
    if isinstance(now, bool):
        return pull.flag(name)
    return (pull.whole(name, least=0, most=LATEST) or 0) if isinstance(now, int) else pull.text(name)


async def drop_media(pull: Pull) -> None:
    """`DELETE /_world/media/{id}`."""
    pull.world.drop_media(_media(pull))


async def add_comment(pull: Pull) -> Answer:
    """`POST /_world/comments`: `{media_id, text, username?, parent_id?}`, a comment by a stranger."""
    pull.only("media_id", "text", "username", "parent_id")
    world, media_id = pull.world, pull.text("media_id")
    if media_id not in world.media:
        raise WrongPullError(f"no media {media_id!r}", 404)
    number, author = world.next_number(), pull.text("username", "passing.stranger")
    known = world.people.get(author)
    comment = Comment(
        id=ids.object_id(world.seed, "stranger", number),
        media_id=media_id,
        author=author,
        author_id=known.scoped_id if known else str(10**15 + ids.number(15, "igsid", author)),
        text=pull.text("text"),
        timestamp=int(world.now()),
        sequence=number,
        parent_id=pull.text("parent_id", "") or None,
    )
    world.add_comment(comment)
    return {"id": comment.id, "text": comment.text, "username": author}


def login_of(pull: Pull) -> Login:
    """The login that the body names; instagram when left out."""
    return cast(Login, pull.choice("login", ("instagram", "facebook"), "instagram"))
