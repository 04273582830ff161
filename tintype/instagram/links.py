"""What a pasted Instagram link is: every form of it, told from its text alone, and every trick refused.

Two parsers that read an address differently are a hole in a wall, so none is used here: the text is checked character by
character, taken apart at fixed signs and compared with fixed words. Whoever goes on from here uses `Link.url`, which is
written anew from the parts, and never the text that was pasted (public-web.md 4).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from tintype.errors import Invalid

HOSTS = frozenset({"instagram.com", "www.instagram.com", "m.instagram.com", "instagr.am", "www.instagr.am"})
LONGEST = 2048  # characters; a dialect may take fewer

_ORIGIN = "https://www.instagram.com"
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_DIGITS = {sign: value for value, sign in enumerate(_ALPHABET)}
_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_USERNAME = re.compile(r"[A-Za-z0-9._]{1,30}")
_ID = re.compile(r"[0-9]{1,20}")
_FORBIDDEN_SIGNS = frozenset('\\<>"{}|^`')
_ID_BITS = 63
_PRIVATE_TAIL = 28  # a private account's links carry so many signs more, which are a key and no part of the id
_EPOCH = datetime(2011, 8, 24, 21, 7, 1, 721000, UTC)  # from here Instagram's ids count milliseconds
_SEQUENCE_BITS = 23  # below the time: which of the posts of one millisecond

_TABS = frozenset({"reels", "tagged", "channel", "guides", "saved", "followers", "following", "feed"})
_NO_USERNAMES = frozenset(
    {"about", "accounts", "api", "ar", "challenge", "developer", "direct", "directory", "emails", "explore"}
    | {"graphql", "highlights", "legal", "lite", "locations", "nametag", "oauth", "p", "press", "reel", "reels"}
    | {"s", "share", "stories", "tags", "topics", "tv", "web"}
)


class LinkKind(StrEnum):
    """What a link leads to; SHARE leads to a post or reel that only one question to Instagram can name."""

    POST = "post"
    REEL = "reel"
    TV = "tv"
    SHARE = "share"
    STORY = "story"
    HIGHLIGHT = "highlight"
    PROFILE = "profile"


class Why(StrEnum):
    """The reasons for which a text is no link of ours."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    BAD_CHARACTER = "bad_character"
    NOT_HTTPS = "not_https"
    NOT_HTTPS_URL = "not_https_url"
    USERINFO = "userinfo"
    PORT = "port"
    HOST = "host"
    ENCODED_PATH = "encoded_path"
    DOT_SEGMENT = "dot_segment"
    AMBIGUOUS_PATH = "ambiguous_path"
    BAD_SHORTCODE = "bad_shortcode"
    NOT_A_POST = "not_a_post"


_SAID = {
    Why.EMPTY: "the link is empty; paste the address of an Instagram post",
    Why.TOO_LONG: f"the link is longer than {LONGEST} characters",
    Why.BAD_CHARACTER: "the link holds a space or another character that no link has; copy it again",
    Why.NOT_HTTPS: "the link begins with http://; write https:// instead",
    Why.NOT_HTTPS_URL: "this is no link; it has to begin with https://www.instagram.com/",
    Why.USERINFO: "the link has a user name in front of its host; paste it without",
    Why.PORT: "the link names a port; paste it without",
    Why.HOST: "the link does not lead to instagram.com",
    Why.ENCODED_PATH: "the link's path holds '%' or ';', which no link of Instagram's has",
    Why.DOT_SEGMENT: "the link's path holds '.' or '..'",
    Why.AMBIGUOUS_PATH: "the link names two kinds of posts at once",
    Why.BAD_SHORTCODE: "the link's shortcode is none: it may hold only letters, digits, '-' and '_', 64 at most",
    Why.NOT_A_POST: "the link does not lead to a post, a reel or a profile",
}


class NoLink(Invalid):
    """The text is no link that is taken; `why` is the reason as a word.

    `host` is set when the text does lead to Instagram and only its path is of no use.
    """

    def __init__(self, why: Why, *, hint: str = "", host: str | None = None) -> None:
        super().__init__(_SAID[why] + hint)
        self.why = why
        self.host = host


@dataclass(frozen=True, slots=True)
class Link:
    """A link understood. `url` is its plain form, `host` the one it came with (lower case).

    `media_id` is known for stories, and for posts whose shortcode is the id in other signs; `token` belongs to SHARE.
    """

    kind: LinkKind
    url: str
    host: str
    shortcode: str | None = None
    username: str | None = None
    media_id: str | None = None
    token: str | None = None


_KINDS = {"p": LinkKind.POST, "reel": LinkKind.REEL, "reels": LinkKind.REEL, "tv": LinkKind.TV}
_WORDS = {LinkKind.POST: "p", LinkKind.REEL: "reel", LinkKind.TV: "tv"}


def parse_link(text: str) -> Link:
    """Return what a link is; raises `NoLink`, an `Invalid` that names why, and nothing else."""
    authority, path = _split(_checked(text))
    host = _host(authority)
    try:
        return _link(host, _segments(path))
    except NoLink as wrong:
        raise NoLink(wrong.why, host=host) from None


def post_url(shortcode: str, kind: LinkKind = LinkKind.POST) -> str:
    """Return the plain address of a post."""
    return f"{_ORIGIN}/{_WORDS.get(kind, 'p')}/{shortcode}/"


def is_shortcode(text: str) -> bool:
    """Tell whether a text can be a shortcode: safe as a name, whatever it names."""
    return _CODE.fullmatch(text) is not None


def shortcode_to_media_id(shortcode: str) -> str:
    """Return the media id that a shortcode spells (base 64, high digits first); raises `Invalid` when it is none."""
    if not is_shortcode(shortcode):
        raise NoLink(Why.BAD_SHORTCODE)
    number = 0
    for sign in _without_key(shortcode):
        number = number * 64 + _DIGITS[sign]
    if number.bit_length() > _ID_BITS:
        raise Invalid("the shortcode spells a number that is too large for a media id")
    return str(number)


def media_id_to_shortcode(media_id: str) -> str:
    """Return the shortcode of a media id, given bare or as `id_owner`; raises `Invalid` when it is none."""
    number = _number(media_id)
    signs = _ALPHABET[number % 64]
    while number := number // 64:
        signs = _ALPHABET[number % 64] + signs
    return signs


def taken_at(media_id: str) -> datetime:
    """Return when a post was uploaded, to the millisecond; ids older than August 2011 hold no time and give that day."""
    return _EPOCH + timedelta(milliseconds=_number(media_id) >> _SEQUENCE_BITS)


def _checked(text: str) -> str:
    link = text.strip()
    if not link:
        raise NoLink(Why.EMPTY)
    if len(link) > LONGEST:
        raise NoLink(Why.TOO_LONG)
    if not all("!" <= sign <= "~" for sign in link) or _FORBIDDEN_SIGNS & set(link):
        raise NoLink(Why.BAD_CHARACTER)
    return link


def _split(link: str) -> tuple[str, str]:
    scheme, found, rest = link.partition("://")
    if not found or scheme.lower() != "https":
        raise NoLink(Why.NOT_HTTPS if found and scheme.lower() == "http" else Why.NOT_HTTPS_URL)
    before = re.split(r"[?#]", rest, maxsplit=1)[0]
    authority, _, path = before.partition("/")
    return authority, path


def _host(authority: str) -> str:
    if "@" in authority:
        raise NoLink(Why.USERINFO)
    name, colon, port = authority.partition(":")
    if colon and port != "443":
        raise NoLink(Why.PORT)
    host = name.lower()
    if host not in HOSTS:
        looks_like_it = host.endswith("instagram.com")
        raise NoLink(Why.HOST, hint="; write www.instagram.com in place of its host" if looks_like_it else "")
    return host


def _segments(path: str) -> list[str]:
    if "%" in path or ";" in path:
        raise NoLink(Why.ENCODED_PATH)
    segments = [segment for segment in path.split("/") if segment]
    if "." in segments or ".." in segments:
        raise NoLink(Why.DOT_SEGMENT)
    return segments


def _link(host: str, segments: list[str]) -> Link:
    match segments:
        case [word, *rest] if word in _KINDS:
            return _post(host, _KINDS[word], rest, None)
        case [username, word, *rest] if word in _KINDS and rest and _is_username(username):
            return _post(host, _KINDS[word], rest, username.lower())
        case ["share", *rest]:
            return _share(host, rest)
        case ["stories", *rest]:
            return _story(host, rest)
        case ["s", token, *_] if _CODE.fullmatch(token.rstrip("=")):
            return Link(LinkKind.HIGHLIGHT, f"{_ORIGIN}/s/{token}", host)
        case [username] if _is_username(username):
            return _profile(host, username)
        case [username, tab] if tab in _TABS and _is_username(username):
            return _profile(host, username)
        case _:
            raise NoLink(Why.NOT_A_POST)


def _post(host: str, kind: LinkKind, rest: list[str], username: str | None) -> Link:
    match rest:
        case [] | ["audio", _, *_]:
            raise NoLink(Why.NOT_A_POST)
        case [word, *_] if word in _KINDS:
            raise NoLink(Why.AMBIGUOUS_PATH)
        case [code, *_] if is_shortcode(code):
            return Link(kind, post_url(code, kind), host, code, username, _media_id(code))
        case _:
            raise NoLink(Why.BAD_SHORTCODE)


def _share(host: str, rest: list[str]) -> Link:
    match rest:
        case [word, token] if word in _KINDS and is_shortcode(token):
            return Link(LinkKind.SHARE, f"{_ORIGIN}/share/{word}/{token}", host, token=token)
        case [token] if token not in _KINDS and is_shortcode(token):
            return Link(LinkKind.SHARE, f"{_ORIGIN}/share/{token}", host, token=token)
        case _:
            raise NoLink(Why.NOT_A_POST)


def _story(host: str, rest: list[str]) -> Link:
    match rest:
        case ["highlights", number, *_] if _ID.fullmatch(number):
            return Link(LinkKind.HIGHLIGHT, f"{_ORIGIN}/stories/highlights/{number}/", host)
        case [username] if _is_username(username):
            return Link(LinkKind.STORY, f"{_ORIGIN}/stories/{username.lower()}/", host, username=username.lower())
        case [username, number, *_] if _is_username(username) and _ID.fullmatch(number):
            name = username.lower()
            return Link(LinkKind.STORY, f"{_ORIGIN}/stories/{name}/{number}/", host, username=name, media_id=number)
        case _:
            raise NoLink(Why.NOT_A_POST)


def _profile(host: str, username: str) -> Link:
    name = username.lower()
    return Link(LinkKind.PROFILE, f"{_ORIGIN}/{name}/", host, username=name)


def _is_username(text: str) -> bool:
    return _USERNAME.fullmatch(text) is not None and text.lower() not in _NO_USERNAMES and not text.endswith(".")


def _without_key(shortcode: str) -> str:
    return shortcode[:-_PRIVATE_TAIL] if len(shortcode) > _PRIVATE_TAIL else shortcode


def _media_id(shortcode: str) -> str | None:
    try:
        return shortcode_to_media_id(shortcode)
    except Invalid:
        return None


def _number(media_id: str) -> int:
    bare = media_id.partition("_")[0]
    number = int(bare) if _ID.fullmatch(bare) else -1
    if number < 0 or number.bit_length() > _ID_BITS:
        raise Invalid("this is no media id; it is a number of at most 19 digits")
    return number
