"""The pretend world: who exists, what was posted, which tokens live, what time it is.

The seam to the CDN (`cdn.py`):

* `world.renditions` maps a key `{media_id}/{rev}/{kind}_{w}x{h}.{jpg|mp4}` (kind: image, poster, video, profile) to its
  `Rendition`. A key that is not there is gone (deleted or replaced): 404.
* `world.now()` is the time by which signatures expire, `world.cdn_secret` signs them,
  `world.cdn_lifetime("image" | "video")` is their life in seconds (4 days, 12 hours unless reset says otherwise).
* `world.faults.take("cdn.image" | "cdn.video", rendition.owner)` is the fault of a fetch; `faults.play(fault, respond,
  refuse)` plays the kinds every call knows, `cdn.py` plays `faults.MEDIA_KINDS`; the fault's name goes into
  `request.scope["simulator.entry"].fault` (log.Entry, may be absent).
* `cdn.url(origin, key, *, now, lifetime, secret)` is the address put into answers: a path under `/v/` below the origin
  (`https://scontent-….cdninstagram.com` or the simulator's own). `await cdn.serve(request, world)` answers it.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from tintype.simulator import ids, magic, people
from tintype.simulator.clock import Clock
from tintype.simulator.faults import Faults
from tintype.simulator.log import Log
from tintype.simulator.model import (
    DAY,
    HOUR,
    App,
    Code,
    Comment,
    Container,
    FacebookUser,
    Media,
    Page,
    Person,
    Rendition,
    Token,
)
from tintype.simulator.settings import Settings

DEFAULT_SEED = 7


class World:
    """Everything that can change, behind plain verbs; `reset` begins again in place."""

    def __init__(self, seed: int = DEFAULT_SEED, settings: Settings | None = None) -> None:
        self.first_settings = settings or Settings()
        self.reset(seed)

    def reset(self, seed: int | None = None, *, now: float | None = None, settings: Settings | None = None) -> None:
        """Build the world of this seed; the same seed gives the same people, posts and ids."""
        self.seed = DEFAULT_SEED if seed is None else seed
        self.settings = settings or self.first_settings
        self.clock = Clock(now)
        self.people: dict[str, Person] = {}
        self.pages: dict[str, Page] = {}
        self.facebook_users: dict[str, FacebookUser] = {}
        self.apps: dict[str, App] = {}
        self.media: dict[str, Media] = {}
        self.comments: dict[str, Comment] = {}
        self.containers: dict[str, Container] = {}
        self._made: dict[str, list[float]] = {}  # username -> when containers were made
        self.codes: dict[str, Code] = {}
        self.tokens: dict[str, Token] = {}
        self.renditions: dict[str, Rendition] = {}
        self.published: list[tuple[float, str, str]] = []  # (when, container id, media id)
        self._went_up: dict[str, list[float]] = {}  # username -> when posts were published
        self.subscriptions: dict[tuple[str, str], tuple[str, ...]] = {}  # (app id, node id) -> fields
        self.searched_tags: dict[str, dict[str, float]] = {}  # user id -> tag -> when
        self.fresh_reads: dict[str, int] = {}  # media id -> reads that still answer 100/33
        self.calls: dict[tuple[str, str], list[float]] = {}  # (app id, username) -> times
        self.sessions: dict[str, str] = {}  # sessionid cookie -> username
        self.magic_memory = magic.Memory()
        self.magic_posts: dict[str, Media] = {}  # media id -> a post that goes wrong on the public web side
        self.faults = Faults(self.seed)
        self.log = Log()
        self._sequence = 0
        self._posts: dict[str, list[str]] = {}
        self._codes: dict[str, str] = {}  # shortcode -> media id
        self._talk: dict[str, list[str]] = {}
        self.cdn_secret = ids.letters(40, self.seed, "cdn").encode()
        self._settle()

    def _settle(self) -> None:
        for app in people.apps(self.seed, self.settings.redirect_uris):
            self.apps[app.app_id] = app
        anchor = people.anchor(self.now())
        for plan in people.CAST:
            self.settle(plan, anchor)
        self.magic_owner = magic.owner(self.seed)
        self._show(people.profile_rendition(self.magic_owner))
        for media in magic.posts(self.seed):
            self.magic_posts[media.id] = media
            self._codes[media.shortcode] = media.id
            self._show(*_files(media))

    def settle(self, plan: people.Plan, anchor: float) -> Person:
        """Add a person with a Page if planned, posts older than the anchor, and today's stories."""
        person, user, pages = people.person_of(plan, self.seed)
        self.people[person.username] = person
        self._posts.setdefault(person.username, [])
        if user:
            self.facebook_users[user.id] = user
        self.pages.update({page.id: page for page in pages})
        for post, children, comments in people.posts_of(plan, person, self.seed, anchor, int(self.now() // HOUR)):
            for child in children:
                self.add_media(child)
            self.add_media(post)
            for comment in comments:
                self.add_comment(comment)
        self._show(people.profile_rendition(person))
        return person

    def now(self) -> float:
        """Unix seconds by the world's clock."""
        return self.clock.now()

    def cdn_lifetime(self, kind: Literal["image", "video"]) -> float:
        """Seconds for which a signed address of this kind of file works."""
        return self.settings.video_lifetime if kind == "video" else self.settings.image_lifetime

    def begin_beyond(self, number: int) -> None:
        """Make the ids of new things from higher numbers: lower ones were given out by an earlier run of this world."""
        self._sequence = max(self._sequence, number)

    def next_number(self) -> int:
        """1, 2, 3 … since the reset; what ids of new things are made from."""
        self._sequence += 1
        return self._sequence

    def add_media(self, media: Media) -> None:
        """Put up a post, a story or a carousel child together with its files."""
        self.media[media.id] = media
        if media.parent_id is None:
            self._posts[media.owner].append(media.id)
            self._codes[media.shortcode] = media.id
        self._show(*_files(media))

    def change_media(self, media: Media) -> None:
        """Replace a post by its new self; files of an older revision stop existing."""
        old = self.media[media.id]
        self.media[media.id] = media
        if old.rev != media.rev:
            self._hide(old)
            self._show(*_files(media))

    def drop_media(self, media: Media) -> None:
        """Delete a post with its children, files and comments."""
        for item in (media, *(self.media[child] for child in media.children)):
            self.media.pop(item.id, None)
            self._hide(item)
        if media.parent_id is None:
            self._posts[media.owner].remove(media.id)
            self._codes.pop(media.shortcode, None)
        for comment_id in self._talk.pop(media.id, []):
            self.comments.pop(comment_id, None)

    def post_by_code(self, shortcode: str) -> Media | None:
        """The post with this shortcode, magic ones included; stories and carousel children have none of their own."""
        media_id = self._codes.get(shortcode, "")
        found = self.magic_posts.get(media_id) or self.media.get(media_id)
        return None if found is None or found.kind == "STORY" else found

    def posts(self, username: str) -> list[Media]:
        """Feed posts and reels of a person, newest first."""
        return self._newest(media for media in self._own(username) if media.kind != "STORY")

    def stories(self, username: str) -> list[Media]:
        """Stories of the last 24 hours, newest first."""
        since = self.now() - DAY
        return self._newest(item for item in self._own(username) if item.kind == "STORY" and item.timestamp > since)

    def _own(self, username: str) -> Iterable[Media]:
        return (self.media[media_id] for media_id in self._posts.get(username, ()))

    @staticmethod
    def _newest(posts: Iterable[Media]) -> list[Media]:
        return sorted(posts, key=lambda media: (media.timestamp, media.sequence), reverse=True)

    def _show(self, *renditions: Rendition) -> None:
        self.renditions.update({rendition.key: rendition for rendition in renditions})

    def _hide(self, media: Media) -> None:
        for rendition in _files(media):
            self.renditions.pop(rendition.key, None)

    def add_comment(self, comment: Comment) -> None:
        """Write a comment or reply below its post."""
        self.comments[comment.id] = comment
        self._talk.setdefault(comment.media_id, []).append(comment.id)

    def drop_comment(self, comment: Comment) -> None:
        """Delete a comment with its replies."""
        for reply in self.replies(comment.id):
            self.drop_comment(reply)
        self._talk[comment.media_id].remove(comment.id)
        del self.comments[comment.id]

    def talk(self, media_id: str) -> list[Comment]:
        """Top-level comments of a post, newest first."""
        found = (self.comments[item] for item in self._talk.get(media_id, ()))
        return sorted((c for c in found if c.parent_id is None), key=lambda c: (c.timestamp, c.sequence), reverse=True)

    def replies(self, comment_id: str) -> list[Comment]:
        """Replies to a comment, newest first."""
        media_id = self.comments[comment_id].media_id
        found = (self.comments[item] for item in self._talk.get(media_id, ()))
        mine = (comment for comment in found if comment.parent_id == comment_id)
        return sorted(mine, key=lambda c: (c.timestamp, c.sequence), reverse=True)

    def comments_count(self, media: Media) -> int:
        """Comments and replies below a post."""
        return len(self._talk.get(media.id, ())) + media.extra_comments

    def person(self, account_id: str) -> Person | None:
        """The account with this professional or app-scoped id."""
        return next((p for p in self.people.values() if account_id in (p.user_id, p.scoped_id)), None)

    def pages_of(self, facebook_id: str) -> list[Page]:
        """Pages that a Facebook user manages."""
        return [page for page in self.pages.values() if page.owner_id == facebook_id]

    def app_for(self, login: str) -> App:
        """The first app of this login."""
        return next(app for app in self.apps.values() if app.login == login)

    def add_container(self, container: Container) -> None:
        """Keep a new container."""
        self.containers[container.id] = container
        self._made.setdefault(container.owner, []).append(container.created_at)

    def made_since(self, username: str, since: float) -> int:
        """How many containers of an account were made after a moment."""
        return sum(when > since for when in self._made.get(username, ()))

    def note_published(self, container: Container, media: Media) -> None:
        """Remember that a post came through the API."""
        now = self.now()
        self.published.append((now, container.id, media.id))
        self._went_up.setdefault(container.owner, []).append(now)
        self.change_container(container, media_id=media.id)

    def published_since(self, username: str, since: float) -> int:
        """How many posts of an account went up through the API after a moment."""
        return sum(when > since for when in self._went_up.get(username, ()))

    def change_container(self, container: Container, **changes: object) -> Container:
        """Replace a container by its new self and return that."""
        changed = replace(container, **changes)  # pyright: ignore[reportArgumentType] - callers name fields of Container
        self.containers[changed.id] = changed
        return changed


def _files(media: Media) -> tuple[Rendition, ...]:
    return people.renditions_of(media) + people.smaller_of(media)
