"""Looks posts up with yt-dlp, which comes with the extra `ytdlp`: an own way to them, kept up to date by its maintainers.

Only its extractor is used, over our connections. It warns where it should stop; but its line ends at the first order to
stop (`lines`), so its next request is not sent and its guess is not believed.
"""

import io
from collections.abc import Mapping
from email.message import Message
from functools import cached_property
from types import SimpleNamespace
from typing import Any, cast
from urllib import request as urllib_request
from urllib.parse import urljoin

import yt_dlp
from yt_dlp.extractor.instagram import InstagramIE
from yt_dlp.networking import exceptions as foreign
from yt_dlp.networking.common import Request, RequestHandler, Response
from yt_dlp.utils import ExtractorError, GeoRestrictedError, RegexNotFoundError, UnsupportedError, UserNotLive

from tintype.backends.outbound import Answer, Outbound, Outgoing
from tintype.errors import Invalid, Trouble
from tintype.instagram import wire
from tintype.instagram.links import post_url, shortcode_to_media_id
from tintype.instagram.model import MediaKind
from tintype.instagram.public import lines
from tintype.instagram.public.lines import Line, Lines
from tintype.instagram.public.model import PublicMedia, PublicPost, largest, post_from
from tintype.instagram.public.page import BROWSER, found_in, ruled
from tintype.instagram.public.reasons import STOPPING, Reason, reason_of, trouble

# What the library raises beside its own, when an answer has not the shape that it has always had.
CARELESS = (LookupError, TypeError, AttributeError, AssertionError, ValueError, RecursionError)

_HOPS = 3
_NOT_PASSED_ON = frozenset({"host", "connection", "content-length", "accept-encoding"})

REASONS: Mapping[type[Exception], Reason] = {
    ExtractorError: Reason.BAD_UPSTREAM_RESPONSE,
    GeoRestrictedError: Reason.GEO_BLOCKED,
    RegexNotFoundError: Reason.BAD_UPSTREAM_RESPONSE,
    UnsupportedError: Reason.BAD_UPSTREAM_RESPONSE,
    UserNotLive: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.RequestError: Reason.UPSTREAM_UNREACHABLE,
    foreign.UnsupportedRequest: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.NoSupportingHandlers: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.TransportError: Reason.UPSTREAM_UNREACHABLE,
    foreign.HTTPError: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.IncompleteRead: Reason.UPSTREAM_UNREACHABLE,
    foreign.SSLError: Reason.UPSTREAM_UNREACHABLE,
    foreign.CertificateVerifyError: Reason.UPSTREAM_UNREACHABLE,
    foreign.ProxyError: Reason.UPSTREAM_UNREACHABLE,
}
# The extractor has one class of error; these are its words, in the order in which they are looked for.
_SAID = (
    ("empty media response", Reason.POST_MISSING),
    ("redirected to the login page", Reason.LOGIN_REQUIRED),
    ("registered users", Reason.PRIVATE),
)


def trouble_of(error: Exception, problem: Trouble | None) -> Trouble:
    """Return the trouble that an error of the library is.

    `problem` is the last one of its line: an order to stop counts whatever the library made of it.
    """
    if problem is not None and reason_of(problem) in STOPPING:
        return problem
    cause: object = error
    while isinstance(cause, Exception):
        if isinstance(cause, Trouble):
            return cause
        cause = getattr(cause, "cause", None)
    said = str(error)
    reason = next((reason for words, reason in _SAID if words in said), None)
    if reason is None and type(error) is ExtractorError and error.expected:
        reason = ruled({"title": said})
    return trouble(reason or _by_class(error))


def _by_class(error: Exception) -> Reason:
    return next((REASONS[kind] for kind in type(error).__mro__ if kind in REASONS), Reason.BAD_UPSTREAM_RESPONSE)


class YtDlpWay:
    """Looks posts up as anybody; one at a time, for the library keeps its state in one place."""

    name = "yt-dlp"

    def __init__(self, outbound: Outbound, *, user_agent: str | None = None) -> None:
        self._user_agent = user_agent or BROWSER
        self._lines = Lines(outbound, name=self.name, threads=1)
        self._extractor = self._new_extractor()

    async def look_up(self, shortcode: str, *, seconds: float) -> PublicPost:
        """Return a post; raises troubles of `reasons` alone."""
        return await self._lines.run(lambda line: self._find(shortcode, line), seconds=seconds)

    def close(self) -> None:
        """Let the thread end."""
        self._lines.close()

    def _find(self, shortcode: str, line: Line) -> PublicPost:
        try:
            found = cast("object", self._extractor.extract(post_url(shortcode)))
        except (ExtractorError, foreign.RequestError, *CARELESS) as error:
            said = trouble_of(error, line.problem)
            if reason_of(said) is Reason.POST_MISSING:
                # A guess from having found nothing anywhere, which an answer of no use looks like as well.
                said = trouble(Reason.BAD_UPSTREAM_RESPONSE)
            if reason_of(said) is Reason.BAD_UPSTREAM_RESPONSE:
                self._extractor = self._new_extractor()  # what it remembers may have been too old
            raise said from error
        # The page that the library found says more than what it makes of it: it guesses at kinds that it does not know.
        item = found_in(line.last) if line.last else None
        return post_from(item, shortcode, self.name) if item else post_from_info(found, shortcode, self.name)

    def _new_extractor(self) -> Any:
        library = _Silent(
            {
                "quiet": True,
                "no_warnings": True,
                "cachedir": False,
                "ignore_no_formats_error": True,  # a picture has none
                "geo_bypass": False,
                "extractor_retries": 0,
                "http_headers": {"User-Agent": self._user_agent},
                "logger": SimpleNamespace(debug=_say_nothing, warning=_say_nothing, error=_say_nothing),
            },
            auto_init=False,
        )
        return InstagramIE(library)


def post_from_info(value: object, shortcode: str, source: str) -> PublicPost:
    """Return the post in what the extractor made of it; raises BAD_UPSTREAM_RESPONSE when a file has no address."""
    info = wire.record(value)
    entries = wire.records(info.get("entries"))
    media = tuple(_media(entry) for entry in entries or (info,))
    return PublicPost(
        shortcode=shortcode,
        media_id=_media_id(shortcode),
        kind=MediaKind.CAROUSEL_ALBUM if entries else media[0].kind,
        product=None,
        caption=wire.text(info.get("description")) or "",
        owner=wire.phrase(info.get("channel")),
        owner_name=wire.phrase(info.get("uploader")),
        taken_at=wire.unix_moment(info.get("timestamp")),
        media=media,
        source=source,
    )


def _media(info: Mapping[str, object]) -> PublicMedia:
    whole = [one for one in wire.records(info.get("formats")) if not one.get("manifest_url")]
    clip, picture = largest(whole), largest(info.get("thumbnails"))
    shown = clip or picture
    url = wire.phrase(shown["url"]) if shown else None
    lost_clip = clip is None and (wire.items(info.get("formats")) or info.get("duration"))
    if shown is None or url is None or lost_clip:
        raise trouble(Reason.BAD_UPSTREAM_RESPONSE)
    return PublicMedia(
        kind=MediaKind.VIDEO if clip else MediaKind.IMAGE,
        url=url,
        poster_url=wire.phrase(picture["url"]) if clip and picture else None,
        width=wire.count(shown.get("width")),
        height=wire.count(shown.get("height")),
        seconds=wire.number(info.get("duration")) if clip else None,
    )


def _media_id(shortcode: str) -> str | None:
    try:
        return shortcode_to_media_id(shortcode)
    except Invalid:
        return None


_Handler: Any = RequestHandler  # the library's types do not carry its own base classes through
_Library: Any = yt_dlp.YoutubeDL


def _say_nothing(_: object) -> None:
    """Take what the library wants to print."""


class _OverLineRH(_Handler):
    """The library's way out: each request goes over the line of the look-up that runs in this thread."""

    _SUPPORTED_URL_SCHEMES = ("https",)
    _SUPPORTED_PROXY_SCHEMES = None
    _SUPPORTED_FEATURES = None

    def _check_extensions(self, extensions: dict[str, Any]) -> None:
        for known in ("cookiejar", "timeout", "legacy_ssl", "keep_header_casing"):
            extensions.pop(known, None)

    def _send(self, request: Request) -> Response:
        url, method, content = request.url, request.method, request.data
        for _ in range(_HOPS):
            answer = self._over_line(request, url, method, content if isinstance(content, bytes) else None)
            if answer.status < 300:
                return Response(io.BytesIO(answer.body), url, answer.headers, answer.status)
            url, method, content = urljoin(url, answer.headers.get("location", "/")), "GET", None
        raise foreign.TransportError("too many redirects", cause=trouble(Reason.UNEXPECTED_REDIRECT))

    def _over_line(self, request: Request, url: str, method: str, content: bytes | None) -> Answer:
        jar = self._get_cookiejar(request)
        headers = {k.lower(): v for k, v in self._get_headers(request).items() if k.lower() not in _NOT_PASSED_ON}
        cookies = jar.get_cookie_header(url)
        sent = headers | ({"cookie": cookies} if cookies else {})
        try:
            answer = lines.current().send(Outgoing(method, url, headers=sent, content=content))
        except Trouble as problem:
            raise foreign.TransportError(cause=problem) from problem
        given = Message()
        for cookie in answer.cookies:
            given["Set-Cookie"] = cookie
        jar.extract_cookies(cast("Any", SimpleNamespace(info=lambda: given)), urllib_request.Request(url))  # noqa: S310
        return answer


class _Silent(_Library):
    @cached_property
    def _request_director(self) -> Any:
        """The one handler there is, in place of all those that dial by themselves."""
        return self.build_request_director([_OverLineRH])
