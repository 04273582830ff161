"""The pages of people and posts: who lives in the pretend world, and what they posted."""

from dataclasses import dataclass

from starlette.responses import Response

from tintype.simulator import insights
from tintype.simulator.face import acts, paper, pictures
from tintype.simulator.face.guest import Guest
from tintype.simulator.model import DAY, Comment, Media, Person
from tintype.simulator.world import World

TILES = 24  # posts on one page of a profile
LATEST = 12  # posts on the start page
TALK = 30  # comments below a post
ALT_MOST = 90  # letters of a caption that stand in for an alternative text


@dataclass(frozen=True, slots=True)
class Tile:
    """A post as a picture that leads to its page; `mark` says what it is unless it is a picture."""

    media: Media
    href: str
    picture: str
    alt: str
    mark: str

    @classmethod
    def of(cls, media: Media) -> "Tile":
        """The tile of a post or story."""
        return cls(media, address(media), pictures.picture(media), alt_of(media), mark_of(media))


@dataclass(frozen=True, slots=True)
class Sheet:
    """One picture or clip on a post's page; `file` is the picture as Instagram has it."""

    media: Media
    picture: str
    file: str
    clip: str
    alt: str


def address(media: Media) -> str:
    """Where a post has its page; a story has its id for a name."""
    return f"/_face/posts/{media.id if media.kind == 'STORY' else media.shortcode}"


def alt_of(media: Media) -> str:
    """What a picture shows, or as much of the caption as serves."""
    if media.alt_text:
        return media.alt_text
    words = " ".join(media.caption.split())
    short = words if len(words) <= ALT_MOST else f"{words[:ALT_MOST].rsplit(' ', 1)[0]} …"
    return short or f"{mark_of(media) or 'Picture'} of {media.owner}"


def mark_of(media: Media) -> str:
    """What kind of post it is, empty for a picture."""
    match media.kind:
        case "CAROUSEL_ALBUM":
            return f"Album, {len(media.children)} items"
        case "REELS":
            return "Reel"
        case "VIDEO":
            return "Video"
        case "STORY":
            return "Story"
        case _:
            return ""


def known(world: World, name: str) -> Media | None:
    """The post of a shortcode, or the story of an id; magic posts have no page here, for they go wrong elsewhere."""
    found = world.post_by_code(name) or world.media.get(name)
    return found if found and found.id in world.media and found.parent_id is None else None


def start(guest: Guest) -> Response:
    """What this place is, who lives here, and what was posted lately."""
    world = guest.world
    shown = [one for one in world.people.values() if not one.private]
    posts = [post for one in shown for post in world.posts(one.username)[:LATEST]]
    posts.sort(key=lambda media: (media.timestamp, media.sequence), reverse=True)
    return paper.page(
        "start.html",
        guest=guest,
        said=acts.said(guest),
        people=[(one, pictures.portrait(one), len(world.posts(one.username))) for one in world.people.values()],
        latest=[Tile.of(post) for post in posts[:LATEST]],
        published=len(world.published),
        apps=list(world.apps.values()),
        now=world.now(),
    )


def profile(guest: Guest, username: str) -> Response:
    """A person's page: who they are, their stories, and their posts page by page."""
    world, person = guest.world, guest.world.people.get(username)
    if person is None:
        return paper.page("missing.html", 404, guest=guest)
    posts = world.posts(username)
    pages = max(1, -(-len(posts) // TILES))
    number = min(guest.number("page"), pages)
    seen = () if person.private else posts[(number - 1) * TILES : number * TILES]
    return paper.page(
        "profile.html",
        guest=guest,
        said=acts.said(guest),
        person=person,
        portrait=pictures.portrait(person),
        page_name=world.pages[person.page_id].name if person.page_id else "",
        posts=len(posts),
        tiles=[Tile.of(post) for post in seen],
        stories=[] if person.private else _stories(world, person),
        number=number,
        pages=pages,
        now=world.now(),
    )


def _stories(world: World, person: Person) -> list[tuple[Tile, float]]:
    now = world.now()
    return [(Tile.of(story), story.timestamp + DAY - now) for story in world.stories(person.username)]


def post(guest: Guest, name: str) -> Response:
    """A post's page: what it shows, what was said below it, and its numbers with levers to move them."""
    world, media = guest.world, known(guest.world, name)
    if media is None:
        return paper.page("missing.html", 404, guest=guest)
    person = world.people[media.owner]
    items = [world.media[child] for child in media.children] or [media]
    talk = world.talk(media.id)
    return paper.page(
        "post.html",
        guest=guest,
        said=acts.said(guest),
        media=media,
        address=address(media),
        mark=mark_of(media),
        person=person,
        portrait=pictures.portrait(person),
        sheets=[_sheet(item, place, len(items)) for place, item in enumerate(items, 1)],
        comments=world.comments_count(media),
        talk=[(comment, _replies(world, comment)) for comment in talk[:TALK]],
        unseen=max(0, len(talk) - TALK),
        numbers=_numbers(world, media),
        now=world.now(),
    )


def _sheet(media: Media, place: int, count: int) -> Sheet:
    alt = alt_of(media) if count == 1 else media.alt_text or f"Item {place} of {count}"
    clip = pictures.clip(media) if media.media_type == "VIDEO" else ""
    return Sheet(media, pictures.picture(media, "large"), pictures.picture(media, "files"), clip, alt)


def _replies(world: World, comment: Comment) -> list[Comment]:
    return world.replies(comment.id)[::-1]


def _numbers(world: World, media: Media) -> list[tuple[str, float]]:
    """What insights say of a post through the Instagram login."""
    product, comments = insights.product_of(media), world.comments_count(media)
    return [
        (str(insights.words(name)["title"]), metric.value(media, comments))
        for name, metric in insights.POST_METRICS.items()
        if product in metric.products
        and not metric.facebook_only
        and name not in insights.NEEDS_FACEBOOK_SHARE
        and name != "impressions"
    ]
