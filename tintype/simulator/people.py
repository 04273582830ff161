"""Who lives in the pretend world, and what they posted: generated from the seed, with the same ids every time."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Literal

from tintype.simulator import captions, ids
from tintype.simulator.model import DAY, HOUR, App, Comment, FacebookUser, Kind, Media, Page, Person, Rendition

FIRST_OF_OCTOBER_2026 = 1_790_812_800  # posts end here, so that shortcodes do not depend on the day one runs this
OLDEST_POST = 6 * 365 * DAY  # seconds before the newest
LOOPBACK_CALLBACKS = ("http://localhost:8000/instagram-callback", "http://127.0.0.1:8000/instagram-callback")
FEED_SIZES = ((1080, 1350), (1080, 1080), (1440, 1080), (1080, 1350), (1440, 754))
REEL_SIZE = (720, 1280)
STORY_SIZE = (1080, 1920)
SMALL_PICTURE = 640  # pixels of width


@dataclass(frozen=True, slots=True)
class Plan:
    """A person to be: how many posts and stories, and whether a Facebook Page belongs to them."""

    username: str
    name: str
    account_type: Literal["BUSINESS", "MEDIA_CREATOR", "PERSONAL"]
    language: str
    posts: int
    stories: int = 0
    page: str | None = None
    biography: str = ""
    followers: int = 1200
    private: bool = False


CAST = (
    Plan("marlow.bakehouse", "Marlow Bakehouse", "BUSINESS", "en", 64, 3, None, "Bread, butter, patience.", 18_420),
    Plan(
        "keramik.nordlicht",
        "Keramik Nordlicht",
        "BUSINESS",
        "de",
        36,
        2,
        "Keramik Nordlicht",
        "Steinzeug aus Kiel",
        5_213,
    ),
    Plan("juniper.walks", "Juniper Hale", "MEDIA_CREATOR", "en", 23, 1, None, "One walk a week 🌿", 2_764),
    Plan("casa.mareira", "Casa Mareira", "BUSINESS", "pt", 12, 0, "Casa Mareira", "Quartos perto do mar", 640),
    Plan("quiet.harbour", "Quiet Harbour", "BUSINESS", "en", 0, 0, None, "Opening soon.", 12),
    Plan("tomas.private", "Tomás", "PERSONAL", "es", 8, 0, None, "", 87, private=True),
)


def anchor(now: float) -> float:
    """The moment before which all generated posts lie: fixed, unless the clock stands earlier."""
    return min(FIRST_OF_OCTOBER_2026, now - HOUR)


def apps(seed: int, redirect_uris: tuple[str, ...] = ()) -> tuple[App, App]:
    """The two demo apps, one per login."""

    def app(login: Literal["instagram", "facebook"], name: str) -> App:
        number = f"{10**15 + ids.number(15, seed, login, 'app') % (9 * 10**15)}"
        return App(number, f"{ids.number(38, seed, login, 'secret'):032x}"[:32], login, name, uris)

    uris = (*LOOPBACK_CALLBACKS, *redirect_uris)
    return app("instagram", "Tintype demo"), app("facebook", "Tintype demo (Facebook)")


def person_of(plan: Plan, seed: int) -> tuple[Person, FacebookUser | None, tuple[Page, ...]]:
    """The account of a plan, with the Facebook user and Pages behind it (one more Page has no Instagram account)."""
    key = (seed, plan.username)
    person = Person(
        username=plan.username,
        user_id=ids.account_id(*key),
        scoped_id=f"2{ids.number(15, 'scoped', *key):015d}",
        pk=10**9 + ids.number(10, "pk", *key),
        account_type=plan.account_type,
        name=plan.name,
        biography=plan.biography,
        website=f"https://{plan.username.replace('.', '-')}.example" if plan.account_type == "BUSINESS" else "",
        followers_count=plan.followers,
        follows_count=40 + ids.number(3, "follows", *key),
        picture_seed=ids.number(9, "picture", *key),
        language=plan.language,
        private=plan.private,
    )
    if plan.page is None:
        return person, None, ()
    user = FacebookUser(f"1022{ids.number(13, 'facebook', *key):013d}", plan.name.split(maxsplit=1)[0] + " Admin")
    page = Page(f"10{ids.number(13, 'page', *key):013d}", plan.page, "Local business", user.id, plan.username)
    other = Page(f"10{ids.number(13, 'other', *key):013d}", f"{plan.page} Archive", "Community", user.id, None)
    return replace(person, page_id=page.id, facebook_id=user.id), user, (page, other)


@lru_cache(maxsize=32)
def posts_of(
    plan: Plan, person: Person, seed: int, before: float, hour: int
) -> tuple[tuple[Media, tuple[Media, ...], tuple[Comment, ...]], ...]:
    """Posts with their children and comments, oldest first, then the stories of the last hours.

    They are values, so every world of a seed that begins in this hour since 1970 may have the same ones.
    """
    return (*_posts(plan, person, seed, before), *_stories(plan, person, seed, hour))


def _posts(
    plan: Plan, person: Person, seed: int, before: float
) -> Iterator[tuple[Media, tuple[Media, ...], tuple[Comment, ...]]]:
    dice = ids.dice(seed, "posts", person.username)
    longest = min(4 * DAY, OLDEST_POST // max(1, plan.posts))
    gaps = [dice.randint(longest // 20 + 1, longest) for _ in range(plan.posts)]
    when = int(before) - sum(gaps) - dice.randint(HOUR, DAY)
    for index, gap in enumerate(gaps):
        when += gap
        kind = kind_of(index, plan.posts)
        media = post(person, kind, when, index, seed, ("post", index))
        media, children = with_children(media, 2 + index % 6, seed) if kind == "CAROUSEL_ALBUM" else (media, ())
        yield media, children, tuple(talk(media, person, dice))


def _stories(plan: Plan, person: Person, seed: int, hour: int) -> Iterator[tuple[Media, tuple[()], tuple[()]]]:
    for index in range(plan.stories):
        taken = hour * HOUR - (index * 5 + 1) * HOUR
        yield post(person, "STORY", taken, 10**6 + index, seed, ("story", index)), (), ()


def kind_of(index: int, count: int) -> Kind:
    """Every kind appears early and often; the newest post is an image."""
    turn: tuple[Kind, ...] = ("IMAGE", "CAROUSEL_ALBUM", "REELS", "IMAGE", "IMAGE", "VIDEO", "CAROUSEL_ALBUM", "IMAGE")
    return turn[(count - 1 - index) % len(turn)]


def post(person: Person, kind: Kind, when: int, sequence: int, seed: int, name: tuple[object, ...]) -> Media:
    """One post of this kind, everything about it decided by seed, person and name."""
    key = (seed, person.username, *name)
    dice = ids.dice("post", *key)
    video = kind in ("VIDEO", "REELS") or (kind == "STORY" and dice.random() < 0.4)
    width, height = _size(kind, video, dice)
    likes = dice.randint(person.followers_count // 100, person.followers_count // 12 + 1)
    pk = ids.pk_at(when, *key)
    return Media(
        id=ids.object_id(*key),
        pk=pk,
        shortcode=ids.shortcode_of(pk),
        owner=person.username,
        kind=kind,
        timestamp=when,
        sequence=sequence,
        picture_seed=ids.number(9, "picture", *key),
        width=width,
        height=height,
        caption="" if kind == "STORY" or dice.random() < 0.08 else captions.caption(dice, person.language),
        media_type="CAROUSEL_ALBUM" if kind == "CAROUSEL_ALBUM" else "VIDEO" if video else "IMAGE",
        alt_text=captions.alt_text(dice) if kind == "IMAGE" and dice.random() < 0.4 else "",
        like_count=0 if kind == "STORY" else likes,
        views=likes * dice.randint(6, 14) + 40,
        seconds=round(dice.uniform(4, 9), 1) if video else 0.0,
        no_media_url=kind == "REELS" and sequence % 4 == 1,
        music=kind == "REELS" and sequence % 4 == 1,
        shared_to_feed=dice.random() < 0.8,
    )


def _size(kind: Kind, video: bool, dice: Random) -> tuple[int, int]:
    if kind == "STORY":
        return REEL_SIZE if video else STORY_SIZE
    return REEL_SIZE if video else dice.choice(FEED_SIZES)


def with_children(album: Media, count: int, seed: int) -> tuple[Media, tuple[Media, ...]]:
    """A carousel and its children; each third child is a video, all have the album's moment."""
    children = tuple(child(album, place, seed, video=place % 3 == 2) for place in range(count))
    return replace(album, children=tuple(item.id for item in children)), children


def child(album: Media, place: int, seed: int, *, video: bool) -> Media:
    """One picture or clip of a carousel."""
    key = (seed, album.id, "child", place)
    pk = album.pk + 1 + place
    return Media(
        id=ids.object_id(*key),
        pk=pk,
        shortcode=ids.shortcode_of(pk),
        owner=album.owner,
        kind="VIDEO" if video else "IMAGE",
        timestamp=album.timestamp,
        sequence=place,
        picture_seed=album.picture_seed if place == 0 else ids.number(9, "picture", *key),
        width=album.width,
        height=album.height,
        media_type="VIDEO" if video else "IMAGE",
        parent_id=album.id,
        seconds=5.0 if video else 0.0,
    )


def talk(media: Media, person: Person, dice: Random) -> Iterator[Comment]:
    """A few comments by friends, some of them answered by the owner."""
    for index, author in enumerate(dice.sample(captions.FRIENDS, dice.choice((0, 1, 2, 2, 3, 5)))):
        text = captions.comment(dice, person.language)
        author_id = str(10**15 + ids.number(15, "igsid", author) % (8 * 10**15))
        when = media.timestamp + dice.randint(60, 2 * DAY)
        first = Comment(
            ids.object_id(media.id, "comment", index), media.id, author, author_id, text, when, index,
            like_count=dice.randint(0, 6),
        )  # fmt: skip
        yield first
        if dice.random() < 0.35:
            thanks = f"@{author} {dice.choice(('🙏', 'Thank you!', '❤️', 'danke!', 'obrigada!'))}"
            yield Comment(
                ids.object_id(media.id, "reply", index), media.id, person.username, person.scoped_id, thanks,
                when + 600, index, parent_id=first.id,
            )  # fmt: skip


def renditions_of(media: Media) -> tuple[Rendition, ...]:
    """The files of a post: a picture, or a clip and its poster. An album shows its first child's picture."""
    base, size = f"{media.id}/{media.rev}", f"{media.width}x{media.height}"
    if media.media_type == "VIDEO":
        video = Rendition(
            f"{base}/video_{size}.mp4", media.picture_seed, media.width, media.height, "video", media.owner,
            media.seconds, media.body,
        )  # fmt: skip
        poster = Rendition(
            f"{base}/poster_{size}.jpg", media.picture_seed, media.width, media.height, "image", media.owner
        )
        return video, poster
    key = f"{base}/image_{size}.jpg"
    return (Rendition(key, media.picture_seed, media.width, media.height, "image", media.owner, body=media.body),)


def smaller_of(media: Media) -> tuple[Rendition, ...]:
    """What the public web side offers beside the largest file; what came through the API has one size only."""
    if media.body is not None:
        return ()
    base = f"{media.id}/{media.rev}"
    if media.media_type == "VIDEO":
        width, height = media.width // 3, media.height // 3
        key = f"{base}/video_{width}x{height}.mp4"
        return (Rendition(key, media.picture_seed, width, height, "video", media.owner, media.seconds),)
    if media.width <= SMALL_PICTURE:
        return ()
    height = round(media.height * SMALL_PICTURE / media.width)
    key = f"{base}/image_{SMALL_PICTURE}x{height}.jpg"
    return (Rendition(key, media.picture_seed, SMALL_PICTURE, height, "image", media.owner),)


def profile_rendition(person: Person) -> Rendition:
    """The profile picture of a person."""
    return Rendition(profile_key(person), person.picture_seed, 320, 320, "image", person.username)


def profile_key(person: Person) -> str:
    """The CDN key of a profile picture."""
    return f"{person.user_id}/0/profile_320x320.jpg"
