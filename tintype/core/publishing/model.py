"""Words of publishing: what somebody wants to publish, how far it came, and what went wrong.

A post's way, with the state that is stored before each step is taken:

    draft → scheduled → preparing → creating → processing → ready → publishing → published
                 ↑                                            ↑         ↓
                 └──── quota, limits, a new try ──────────────┴── reconciling → published | published_unlinked
    failed and cancelled end a way; `retry` begins it anew.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from tintype.errors import Kind


class Product(StrEnum):
    """What is made of the pictures and videos."""

    IMAGE = "image"
    CAROUSEL = "carousel"
    REEL = "reel"
    STORY = "story"


class ItemKind(StrEnum):
    """What one item of a post is."""

    PICTURE = "picture"
    VIDEO = "video"


class Fit(StrEnum):
    """How a picture comes into the ratio that Instagram takes."""

    PAD = "pad"  # nothing is cut off
    CROP = "crop"
    AS_IS = "as_is"  # refused when it does not fit


class State(StrEnum):
    """Where a post stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"  # waits for its time, or for quota
    PREPARING = "preparing"  # its pictures and videos are fetched and made right
    CREATING = "creating"  # containers are being created
    PROCESSING = "processing"  # Instagram works on the containers
    READY = "ready"  # the container is finished and may be published
    PUBLISHING = "publishing"  # `media_publish` was called, or is about to be
    RECONCILING = "reconciling"  # whether it was published is being found out
    PUBLISHED = "published"
    UNLINKED = "published_unlinked"  # it is live, or may be, and a person has to say which medium it is
    FAILED = "failed"  # certainly not published
    CANCELLED = "cancelled"


EDITABLE = frozenset({State.DRAFT, State.SCHEDULED, State.FAILED})
ENDED = frozenset({State.PUBLISHED, State.UNLINKED, State.FAILED, State.CANCELLED})
UNDER_WAY = frozenset(set(State) - ENDED - {State.DRAFT, State.SCHEDULED})


@dataclass(frozen=True, slots=True)
class Tag:
    """Somebody marked on an item; `x` and `y` run from 0 to 1 and are needed on pictures of the feed."""

    username: str
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """A picture or a video by its address, or by the key of a file that was uploaded here."""

    kind: ItemKind
    url: str | None = None
    blob: str | None = None
    alt_text: str | None = None
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to publish, as they said it."""

    product: Product
    items: tuple[Item, ...]
    caption: str = ""
    hashtags: tuple[str, ...] = ()
    text: str | None = None  # drawn onto a story: Instagram shows no captions there
    location_id: str | None = None
    collaborators: tuple[str, ...] = ()
    cover_url: str | None = None
    cover_blob: str | None = None
    thumb_offset: int | None = None  # milliseconds into the video
    share_to_feed: bool | None = None
    first_comment: str | None = None
    fit: Fit = Fit.PAD
    background: str = "white"  # #rrggbb, white, blur or dominant

    @property
    def words(self) -> str:
        """The caption as Instagram gets it: with the hashtags behind it, each with one `#`."""
        tags = " ".join(f"#{tag.strip().lstrip('#')}" for tag in self.hashtags if tag.strip().lstrip("#"))
        return " ".join(part for part in (self.caption, tags) if part)


@dataclass(frozen=True, slots=True)
class Moment:
    """When a post is due: the instant, and the zone in which somebody meant it."""

    at: datetime
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One item on its way: what was made of it, and its container at Instagram.

    `position` counts from 0; the cover of a reel is part -1 and never has a container.
    """

    position: int
    url: str | None = None
    blob: str | None = None
    width: int | None = None
    height: int | None = None
    seconds: float | None = None
    notes: tuple[str, ...] = ()
    container_id: str | None = None
    sent: bool = True  # False while a video's bytes are still to be sent to its container
    finished: bool = False


def changed(parts: Sequence[Part], *now: Part) -> tuple[Part, ...]:
    """Return the parts with some of them as they are now."""
    by_position = {part.position: part for part in now}
    return tuple(by_position.get(part.position, part) for part in parts)


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, for people and programs; `position` is that of the item it was about, where it was one."""

    kind: Kind
    message: str
    action: str | None = None
    code: int | None = None
    subcode: int | None = None
    trace_id: str | None = None
    retryable: bool = False
    position: int | None = None
    retry_after: float | None = None  # seconds


@dataclass(frozen=True, slots=True)
class Candidate:
    """A medium of the account that may be the post."""

    media_id: str
    permalink: str | None
    caption: str | None
    timestamp: datetime
    media_type: str


class CommentState(StrEnum):
    """Where a post's first comment stands."""

    NONE = "none"
    WANTED = "wanted"
    SENDING = "sending"  # it was sent, or is about to be
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Post:
    """A post of an account and everything that is known of its way."""

    id: int
    workspace_id: str
    account_id: str
    user_id: int | None
    draft: Draft
    state: State
    version: int  # counts what its owner sees change; the ETag is made of it
    scheduled_at: datetime | None
    timezone: str | None
    due_at: datetime | None  # when the next step is taken; None: nothing happens by itself
    parts: tuple[Part, ...]
    container_id: str | None
    container_at: datetime | None
    round: int  # how often its containers were made anew
    tries: int  # of the present step
    publishes: int  # calls of `media_publish`
    publish_started_at: datetime | None
    doubt: Failure | None  # what the last `media_publish` answered, when that was no yes
    media_id: str | None
    permalink: str | None
    failure: Failure | None
    candidates: tuple[Candidate, ...]
    comment_state: CommentState
    comment_id: str | None
    comment_tries: int
    refreshed: bool  # whether its account's token was refreshed for it once already
    reason: str | None  # why it waits, in a sentence
    fence: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    batch: str | None = None  # the import that brought it

    @property
    def tag(self) -> str:
        """The strong ETag of what its owner may change."""
        return f'"{self.id}-{self.version}"'


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One line of a post's timeline."""

    at: datetime
    name: str
    detail: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True, slots=True)
class Quota:
    """An account's publishing quota: used and total as Instagram said at `read_at`, and what is reserved here."""

    used: int | None
    total: int | None
    window_seconds: int | None
    reserved: int
    read_at: datetime | None

    @property
    def remaining(self) -> int | None:
        """How many more may be published now; None when Instagram did not say."""
        if self.total is None or self.used is None:
            return None
        return max(0, self.total - self.used - self.reserved)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that stands against a draft, or a warning; `field` is the name by which the caller sent it."""

    field: str
    code: str
    message: str
    blocking: bool = True


@dataclass(frozen=True, slots=True)
class Review:
    """What a dry run found: problems, the conversions that would happen item by item, and the quota."""

    problems: tuple[Problem, ...]
    conversions: tuple[tuple[str, ...], ...]
    quota: Quota | None

    @property
    def passes(self) -> bool:
        """Whether the draft would be taken."""
        return not any(one.blocking for one in self.problems)


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of posts, newest first; `after` is the cursor of the next page, None on the last."""

    posts: tuple[Post, ...]
    after: int | None
