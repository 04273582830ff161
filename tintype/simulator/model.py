"""What the pretend Instagram is made of: frozen facts about people, posts, tokens and containers."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Login = Literal["instagram", "facebook"]
Kind = Literal["IMAGE", "VIDEO", "REELS", "CAROUSEL_ALBUM", "STORY"]
Answer: TypeAlias = dict[str, object]

KINDS: tuple[Kind, ...] = ("IMAGE", "VIDEO", "REELS", "CAROUSEL_ALBUM", "STORY")
HOUR = 3600
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Rendition:
    """One file of the CDN.

    `key` is `{media_id}/{rev}/{kind}_{w}x{h}.{jpg|mp4}`; `seed` decides what the generated picture or clip shows, so two
    renditions with the same seed show the same scene. `body` is set for pictures that were really published: those exact
    bytes are the file. `owner` is the username that faults are matched against.
    """

    key: str
    seed: int
    width: int
    height: int
    kind: Literal["image", "video"]
    owner: str = ""
    seconds: float = 0.0
    body: bytes | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """An Instagram account; `page_id` and `facebook_id` are set when a Facebook Page is linked to it.

    `private` hides the posts from everybody else on the public web side; the Graph API does not know the word.
    """

    username: str
    user_id: str
    scoped_id: str
    pk: int
    account_type: Literal["BUSINESS", "MEDIA_CREATOR", "PERSONAL"]
    name: str
    biography: str
    website: str
    followers_count: int
    follows_count: int
    picture_seed: int
    language: str
    page_id: str | None = None
    facebook_id: str | None = None
    private: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A Facebook Page; `username` is the linked Instagram account, None for a Page without one."""

    id: str
    name: str
    category: str
    owner_id: str
    username: str | None


@dataclass(frozen=True, slots=True)
class FacebookUser:
    """The person on Facebook's side who manages Pages."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Media:
    """A post, a carousel child (`parent_id` set) or a story, with what the Graph API tells about it.

    `timestamp` is Unix seconds; `sequence` breaks ties between posts of one second. `views` is what insights count from.
    """

    id: str
    pk: int
    shortcode: str
    owner: str
    kind: Kind
    timestamp: int
    sequence: int
    picture_seed: int
    width: int
    height: int
    caption: str = ""
    rev: int = 0
    media_type: Literal["IMAGE", "VIDEO", "CAROUSEL_ALBUM"] = "IMAGE"
    children: tuple[str, ...] = ()
    parent_id: str | None = None
    alt_text: str = ""
    like_count: int = 0
    extra_comments: int = 0
    views: int = 0
    seconds: float = 0.0
    no_media_url: bool = False
    music: bool = False
    comment_enabled: bool = True
    shared_to_feed: bool = True
    is_ai_generated: bool = False
    collaborators: tuple[str, ...] = ()
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, or a reply when `parent_id` is set."""

    id: str
    media_id: str
    author: str
    author_id: str
    text: str
    timestamp: int
    sequence: int
    parent_id: str | None = None
    like_count: int = 0
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class App:
    """A registered app; any loopback `redirect_uri` is accepted besides the registered ones."""

    app_id: str
    app_secret: str = field(repr=False)
    login: Login
    name: str
    redirect_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Code:
    """An authorisation code: valid one hour, used once; `pages` as in Token."""

    value: str = field(repr=False)
    app_id: str
    username: str
    redirect_uri: str
    scopes: tuple[str, ...]
    issued_at: float
    used: bool = False
    declined: tuple[str, ...] = ()
    pages: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """An access token; `dead` is the subcode of error 190 once it was revoked, `expires_at` None for never.

    `pages` are those that the person chose for the app, None for all.
    """

    value: str = field(repr=False)
    kind: Literal["short", "long", "page", "app"]
    login: Login
    app_id: str
    username: str
    scopes: tuple[str, ...]
    issued_at: float
    expires_at: float | None
    page_id: str | None = None
    dead: int | None = None
    declined: tuple[str, ...] = ()
    pages: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Container:
    """A publishing container; `forced` is a status set from outside, `error` the subcode it ends with."""

    id: str
    owner: str
    app_id: str
    kind: Literal["IMAGE", "VIDEO", "REELS", "STORIES", "CAROUSEL"]
    created_at: float
    params: dict[str, str]
    children: tuple[str, ...] = ()
    is_child: bool = False
    polls: int = 0
    forced: str | None = None
    error: int | None = None
    resumable: bool = False
    uploaded: bytes = field(default=b"", repr=False)
    file_size: int = 0
    body: bytes | None = field(default=None, repr=False)
    width: int = 1080
    height: int = 1350
    media_id: str | None = None
