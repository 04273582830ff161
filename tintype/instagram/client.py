"""Instagram for plain Python programs: one class, no server, no `await`; all it needs is an access token.

    from tintype import InstagramAPI, InstagramAPIError

    with InstagramAPI(token) as api:
        post_id = api.post_feed("https://example.com/image.jpg", "Hello", ["world"])

Programs written for another place of this class, such as `backend.services.instagram_api`, find it there after

    sys.modules["backend.services.instagram_api"] = sys.modules["tintype.instagram.client"]

The work is done by the asynchronous library on a thread of its own, started with the first call. One object may be used from
several threads. It is closed by `close()`, by the end of its `with`, or with the object itself.
"""

import asyncio
import os
import threading
import warnings
import weakref
from collections.abc import Callable, Coroutine, Iterable, Mapping
from concurrent.futures import CancelledError, Future
from typing import TypedDict, TypeVar

from tintype.backends.outbound import HttpOutbound
from tintype.errors import Invalid, Kind, Misconfigured, Reconnect, Refused, RemoteTrouble, Trouble, Unavailable
from tintype.instagram import calls, oauth
from tintype.instagram.errors import category_of, revokes
from tintype.instagram.graph import Graph
from tintype.instagram.limits import LIMITS
from tintype.instagram.meanings import Category
from tintype.instagram.model import App, InsightSet, Login, Media, MediaProduct, Profile, Token
from tintype.instagram.posting import Unconfirmed, Writer

T = TypeVar("T")

GRAPH_VERSION = "v25.0"
UNCONFIRMED = "unconfirmed"
METRICS = ("likes", "comments", "shares", "reach", "views", "saved")
ACCOUNT_TYPES = {"BUSINESS": "business", "MEDIA_CREATOR": "creator"}
NO_TEXT = (
    "The story is published without its text: Instagram ignores captions on stories, and InstagramAPI draws nothing on "
    "pictures. Publish through a running Tintype, which draws it, or draw the text on the picture yourself."
)
_SCHEMES = ("http://", "https://")
PICTURE_FORMAT = (36001, 2207005)


class AccountInfo(TypedDict):
    """An account as `get_account_info` tells it."""

    id: str
    username: str
    name: str
    bio: str
    followers_count: int
    following_count: int
    profile_picture_url: str
    website: str
    account_type: str


class Post(TypedDict):
    """A medium as `get_media` tells it; `media_url` expires and is None where Instagram gives none."""

    id: str
    caption: str
    media_type: str
    media_url: str | None
    timestamp: str
    likes: int
    comments: int


class Insights(TypedDict):
    """Numbers of a post; one that Instagram does not provide is 0. `impressions` are Instagram's views."""

    likes: int
    comments: int
    shares: int
    reach: int
    impressions: int
    saved: int
    engagement_rate: float


class InstagramAPIError(Exception):
    """Why a call failed, in words for a person, and as Instagram's numbers for a program.

    `kind` is a word of `tintype.errors.Kind`, or "unconfirmed" for a post that may be live and must not be repeated. The text of an expired token holds "token" and that of a rate limit "rate limit".
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        subcode: int | None = None,
        kind: str | None = None,
        action: str | None = None,
        retry_after: float | None = None,
        trace_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.subcode = subcode
        self.kind = kind
        self.action = action
        self.retry_after = retry_after
        self.trace_id = trace_id

    @classmethod
    def of(cls, trouble: Trouble) -> "InstagramAPIError":
        """The same trouble in this face's words."""
        message = " ".join(filter(None, (_known_words(trouble), trouble.message)))
        if not isinstance(trouble, RemoteTrouble):
            return cls(message, kind=trouble.kind.value, retry_after=trouble.retry_after)
        return cls(
            message,
            code=trouble.code,
            subcode=trouble.subcode,
            kind=UNCONFIRMED if isinstance(trouble, Unconfirmed) else trouble.kind.value,
            action=trouble.action,
            retry_after=trouble.retry_after,
            trace_id=trouble.trace_id,
        )


def _known_words(trouble: Trouble) -> str:
    """The sentence by which programs know a trouble; none for a block, which a program must not answer by repeating."""
    if isinstance(trouble, Reconnect) and revokes(trouble):
        return "Access token expired. Please re-authenticate."
    if not isinstance(trouble, RemoteTrouble):
        return ""
    if trouble.kind is Kind.BUSY and trouble.retryable and category_of(trouble) is Category.RATE_LIMIT:
        return "Rate limit exceeded. Please try again later."
    if trouble.kind is Kind.FORBIDDEN:
        return "Permission denied. Check account permissions."
    return "Invalid image format." if (trouble.code, trouble.subcode) == PICTURE_FORMAT else ""


class InstagramAPI:
    """One account's Instagram, by its access token (Instagram Login); every failure is an InstagramAPIError.

    What is not given is taken from INSTAGRAM_ORIGIN, INSTAGRAM_GRAPH_VERSION, INSTAGRAM_APP_ID, INSTAGRAM_APP_SECRET and
    REDIRECT_URI in the environment. Only `authenticate` needs the app; only a test needs an `origin`.
    """

    def __init__(
        self,
        access_token: str | None = None,
        *,
        origin: str | None = None,
        graph_version: str | None = None,
        app_id: str | None = None,
        app_secret: str | None = None,
        redirect_uri: str | None = None,
        timeout_seconds: float = 30.0,
    ) -> None:
        self.access_token = access_token
        self.redirect_uri = redirect_uri or os.environ.get("REDIRECT_URI")
        self._app = App(
            Login.INSTAGRAM_LOGIN,
            app_id or os.environ.get("INSTAGRAM_APP_ID", ""),
            app_secret or os.environ.get("INSTAGRAM_APP_SECRET", ""),
        )
        self._user_ids: dict[str, str] = {}
        origin = origin or os.environ.get("INSTAGRAM_ORIGIN") or None
        version = graph_version or os.environ.get("INSTAGRAM_GRAPH_VERSION") or GRAPH_VERSION
        try:
            graph = Graph(HttpOutbound(instagram_origin=origin), version, timeout_seconds)
        except Trouble as trouble:
            raise InstagramAPIError.of(trouble) from trouble
        self._worker = _Worker(graph)
        self._finalizer = weakref.finalize(self, self._worker.close)

    def __enter__(self) -> "InstagramAPI":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connections and the thread; what is still running in other threads fails. Closing twice is fine."""
        self._finalizer()

    def authenticate(self, code: str) -> tuple[str, AccountInfo]:
        """Exchanges an authorisation code for a token of about 60 days, which this object uses from now on."""
        token, profile = self._run(lambda graph: self._connected(graph, code))
        self.access_token = token
        return token, _account(profile)

    async def _connected(self, graph: Graph, code: str) -> tuple[str, Profile]:
        needed = {"app_id": self._app.id, "app_secret": self._app.secret, "redirect_uri": self.redirect_uri}
        if missing := [name for name, value in needed.items() if not value]:
            names = ", ".join(missing)
            raise Misconfigured(f"Could not authenticate: {names} missing; give it, or set it in the environment.")
        connection = (await oauth.connect(graph, self._app, code, self.redirect_uri or ""))[0]
        return connection.token.value, connection.profile

    def refresh_access_token(self, access_token: str | None = None) -> str:
        """A new token of about 60 days for this one, or for this object's own, which is replaced then.

        Instagram refreshes a token that is 24 hours old or more and has not expired yet.
        """
        given = access_token or self.access_token
        fresh = self._run(lambda graph: oauth.refresh(graph, self._app, Token(_present(given)))).value
        if given == self.access_token:
            self.access_token = fresh
        return fresh

    def get_account_info(self) -> AccountInfo:
        """The account that the token belongs to."""
        token = self.access_token
        return _account(self._run(lambda graph: graph.ask(calls.me(), _present(token))))

    def post_feed(self, image_url: str, caption: str = "", hashtags: Iterable[str] | None = None) -> str:
        """Publishes a picture (JPEG) in the feed and gives its id; hashtags may come with or without their "#"."""
        words = _captioned(caption, hashtags)
        return self._post({"image_url": image_url, "caption": words})

    def post_story(self, image_url: str, text: str | None = None) -> str:
        """Publishes a picture as a story and gives its id; a `text` is left out, with a UserWarning.

        Instagram takes no captions on stories. A running Tintype draws the text on the picture and serves that to Instagram;
        this class serves no files, so whoever uses it draws the text before publishing.
        """
        if text and text.strip():
            warnings.warn(NO_TEXT, UserWarning, stacklevel=2)
        return self._post({"media_type": "STORIES", "image_url": image_url, "caption": ""})

    def post_reel(self, video_url: str, caption: str = "", thumbnail_url: str | None = None) -> str:
        """Publishes a video as a reel and gives its id, which takes as long as Instagram works on the video."""
        cover = {"cover_url": thumbnail_url} if thumbnail_url else {}
        return self._post(
            {"media_type": "REELS", "video_url": video_url, "caption": _captioned(caption, None), **cover}
        )

    def _post(self, params: dict[str, str]) -> str:
        token = self.access_token
        return self._run(lambda graph: self._posted(graph, _present(token), params))

    async def _posted(self, graph: Graph, token: str, params: dict[str, str]) -> str:
        _check(params)
        if token not in self._user_ids:
            self._user_ids[token] = (await graph.ask(calls.me(), token)).user_id
        writer = Writer(graph, Login.INSTAGRAM_LOGIN, self._user_ids[token], token)
        return await writer.post({name: value for name, value in params.items() if value})

    def get_insights(self, media_id: str) -> Insights:
        """What Instagram counted for a post; `engagement_rate` is its likes, comments, shares and saves per 100 reached."""
        token = self.access_token
        return _insights(self._run(lambda graph: _counted(graph, _present(token), media_id)))

    def get_media(self, limit: int = 25, after: str | None = None) -> tuple[list[Post], str | None]:
        """At most `limit` posts (1 to 100), newest first, and the cursor to give as `after` for the next, None at the end."""
        token = self.access_token
        call = calls.media_page(Login.INSTAGRAM_LOGIN, "me", after=after, limit=limit)
        page = self._run(lambda graph: graph.ask(call, _present(token)))
        return [_listed(medium) for medium in page.items], page.after

    def _run(self, work: Callable[[Graph], Coroutine[object, object, T]]) -> T:
        try:
            return self._worker.run(work)
        except Trouble as trouble:
            raise InstagramAPIError.of(trouble) from trouble


class _Worker:
    """A thread with an event loop, where one Graph is asked; it starts with the first call and ends with `close`."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._stop: Callable[[], object] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def run(self, work: Callable[[Graph], Coroutine[object, object, T]]) -> T:
        """What the work gives; the calling thread waits for it. An interrupted wait ends the work too."""
        with self._lock:
            loop = self._opened()
            future = asyncio.run_coroutine_threadsafe(work(self._graph), loop)
        try:
            return future.result()
        except CancelledError:
            raise Unavailable(
                "This was closed while it was working. If it was about to post, look at the account before you repeat it."
            ) from None
        finally:
            future.cancel()

    def close(self) -> None:
        """Ends the thread and its connections, and waits for that unless it is the thread itself that closes."""
        with self._lock:
            self._closed = True
            loop, stop, thread = self._loop, self._stop, self._thread
        if loop and stop and thread and thread.is_alive():
            loop.call_soon_threadsafe(stop)
            if thread is not threading.current_thread():
                thread.join()

    def _opened(self) -> asyncio.AbstractEventLoop:
        if self._closed:
            raise Unavailable("This InstagramAPI is closed; make a new one.")
        if self._loop is None:
            ready: Future[tuple[asyncio.AbstractEventLoop, Callable[[], object]]] = Future()
            self._thread = threading.Thread(
                target=lambda: asyncio.run(self._live(ready)), name="InstagramAPI", daemon=True
            )
            self._thread.start()
            self._loop, self._stop = ready.result()
        return self._loop

    async def _live(self, ready: "Future[tuple[asyncio.AbstractEventLoop, Callable[[], object]]]") -> None:
        stop = asyncio.Event()
        ready.set_result((asyncio.get_running_loop(), stop.set))
        await stop.wait()
        working = asyncio.all_tasks() - {asyncio.current_task()}
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
        await self._graph.outbound.close()


def _check(params: Mapping[str, str]) -> None:
    """Raises Invalid for what Instagram would refuse anyway."""
    for name in ("image_url", "video_url", "cover_url"):
        address = params.get(name)
        if address is not None and not address.startswith(_SCHEMES):
            raise Invalid(f'"{name}" has to be the public address of a file, beginning with https://.')
    most = LIMITS.caption_characters.whole
    if len(params["caption"]) > most:
        raise Invalid(f"The caption with its hashtags has {len(params['caption'])} characters; Instagram takes {most}.")


async def _counted(graph: Graph, token: str, media_id: str) -> InsightSet:
    """The metrics of a medium: asked for together, and one by one when one of them is refused."""
    try:
        return await graph.ask(calls.insights_media(Login.INSTAGRAM_LOGIN, media_id, METRICS), token)
    except Refused as refused:
        if refused.subcode is not None:
            raise
        first = refused
    found: list[InsightSet] = []
    for metric in METRICS:
        try:
            found.append(await graph.ask(calls.insights_media(Login.INSTAGRAM_LOGIN, media_id, [metric]), token))
        except Refused:
            continue  # this kind of post does not have it
    if not found:
        raise first
    return InsightSet(tuple(metric for one in found for metric in one.metrics))


def _insights(counted: InsightSet) -> Insights:
    likes, comments, shares, reach, views, saved = (int(counted.total(metric) or 0) for metric in METRICS)
    engaged = likes + comments + shares + saved
    return {
        "likes": likes,
        "comments": comments,
        "shares": shares,
        "reach": reach,
        "impressions": views,
        "saved": saved,
        "engagement_rate": round(engaged / reach * 100, 2) if reach > 0 else 0.0,
    }


def _account(profile: Profile) -> AccountInfo:
    return {
        "id": profile.user_id,
        "username": profile.username or "",
        "name": profile.name or "",
        "bio": profile.biography or "",
        "followers_count": profile.followers_count or 0,
        "following_count": profile.follows_count or 0,
        "profile_picture_url": profile.picture_url or "",
        "website": profile.website or "",
        "account_type": ACCOUNT_TYPES.get(profile.account_type or "", "personal"),
    }


def _listed(medium: Media) -> Post:
    return {
        "id": medium.id,
        "caption": medium.caption or "",
        "media_type": "REELS" if medium.product is MediaProduct.REELS else medium.kind.value,
        "media_url": medium.media_url,
        "timestamp": medium.timestamp.isoformat().replace("+00:00", "Z"),
        "likes": medium.like_count or 0,
        "comments": medium.comments_count or 0,
    }


def _captioned(caption: str | None, hashtags: Iterable[str] | None) -> str:
    """Caption, space, hashtags, each with one leading "#"."""
    given = hashtags.split() if isinstance(hashtags, str) else hashtags or ()
    bare = (tag.strip().lstrip("#").strip() for tag in given)
    return " ".join(part for part in (caption or "", *(f"#{tag}" for tag in bare if tag)) if part)


def _present(token: str | None) -> str:
    if not token:
        raise Reconnect("There is no access token; give one to InstagramAPI, or authenticate with a code.")
    return token
