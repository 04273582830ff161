"""Magic shortcodes: posts that exist to go wrong, one for each way in which Instagram lets a downloader down.

They need no control plane, like a bank's test cards: whoever pastes `https://www.instagram.com/reel/x-429/` is told that
there were too many requests. The first letter says where it goes wrong: `x-` in the look-up, `z-` the same by every way to
the post, `s-` at the start page, `m-` in the media.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Literal

from tintype.simulator import ids, people
from tintype.simulator.model import Media, Person
from tintype.simulator.people import Plan

Place = Literal["standing", "lookup", "start", "item", "media"]

OWNER = Plan("magic.posts", "Magic Posts", "BUSINESS", "en", posts=0, biography="Posts that go wrong on purpose.")
SECONDS, WIDTH, HEIGHT = 3.0, 720, 1280  # all of them show the same clip, so that it is made once
ARMED_SECONDS = 60  # how long the start page waits to go wrong after a look-up asked for it


@dataclass(frozen=True, slots=True)
class Magic:
    """One magic post.

    `row` is the line of the table of faults in the contract; `place` says where it goes wrong and `trouble` how;
    `status` and `code` are what a downloader must answer in the end, `code` empty for a success. `everywhere` is False
    when only the GraphQL look-up is broken, so that the next way works; `once` when only the first look-up is.
    """

    shortcode: str
    row: int
    place: Place
    trouble: str
    happens: str
    status: int
    code: str = ""
    everywhere: bool = True
    once: bool = False


def _table() -> Iterator[Magic]:
    yield from _standings()
    yield from _refusals()
    yield from _noise()
    yield from _one_way_or_all()
    yield from _starts()
    yield from _items()
    yield from _files()


def _standings() -> Iterator[Magic]:
    yield Magic("x-removed", 1, "standing", "gone", "the post was removed: no items, a page of 404", 404, "not_found")
    private = "private_or_login_required"
    yield Magic("x-private", 3, "standing", "private", "the account is private: no items", 403, private)
    yield Magic("x-age", 4, "standing", "age", "for grown-ups: no items, the ruling says so", 403, "age_restricted")
    yield Magic("x-geo", 5, "standing", "geo", "not in this country: no items, the ruling says so", 403, "geo_blocked")
    yield Magic("x-404", 6, "lookup", "404", "the API answers 404", 404, "not_found")


def _refusals() -> Iterator[Magic]:
    checkpoint, limited, login = "checkpoint_required", "upstream_rate_limited", "login_required"
    yield Magic("x-checkpt", 7, "lookup", "checkpoint", "400 checkpoint_required", 403, checkpoint)
    yield Magic("x-challeng", 7, "lookup", "challenge", "400 challenge_required", 403, "challenge_required")
    yield Magic("x-feedback", 7, "lookup", "feedback", "400 feedback_required", 403, "feedback_required")
    yield Magic("x-wait-401", 9, "lookup", "wait-401", "401 Please wait a few minutes", 429, limited)
    yield Magic("x-401-once", 10, "lookup", "wait-401", "401 Please wait once, then fine", 429, limited, once=True)
    yield Magic("x-wait-200", 11, "lookup", "wait-200", "200 with status fail and Please wait", 429, limited)
    yield Magic("x-403-html", 12, "lookup", "403", "403 with an HTML page", 502, "upstream_blocked")
    yield Magic("x-429", 13, "lookup", "429", "429 every time", 429, limited)
    yield Magic("x-429-once", 14, "lookup", "429", "429 once, then fine", 429, limited, once=True)
    yield Magic("x-login", 17, "lookup", "login-page", "the login page with 200", 403, login)
    yield Magic("x-302login", 20, "lookup", "302-login", "a redirect to the login page", 403, login)
    yield Magic("x-302chall", 21, "lookup", "302-challenge", "a redirect to the challenge", 403, checkpoint)
    away = "unexpected_redirect"
    yield Magic("x-302away", 22, "lookup", "302-away", "a redirect to somebody else's host", 502, away)


def _noise() -> Iterator[Magic]:
    unreachable = "upstream_unreachable"
    yield Magic("x-500", 15, "lookup", "500", "500 every time", 503, "upstream_error")
    yield Magic("x-503-once", 16, "lookup", "503", "503 once, then fine", 200, once=True)
    yield Magic("x-gzip", 19, "lookup", "gzip", "a body that says gzip and is none", 502, "bad_upstream_response")
    yield Magic("x-reset", 23, "lookup", "reset", "the connection is reset before the answer", 503, unreachable)
    yield Magic("x-close", 23, "lookup", "close", "the connection is closed before the answer", 503, unreachable)
    yield Magic("x-hang", 24, "lookup", "hang", "no answer ever", 503, "upstream_timeout")


def _one_way_or_all() -> Iterator[Magic]:
    """What the next way to the post may mend: `x-` breaks GraphQL alone, `z-` all ways."""
    broken: tuple[tuple[int, str, Place, str], ...] = (
        (2, "null", "lookup", "the post's data is null"),
        (2, "errors", "lookup", "GraphQL errors, data null"),
        (8, "badquery", "lookup", "400 invalid request, as for a withdrawn query"),
        (18, "cut-json", "lookup", "an answer cut in half"),
        (18, "empty", "lookup", "an empty answer"),
        (29, "type", "item", "an unknown media_type without a clip"),
        (31, "noclip", "item", "a video without video_versions"),
    )
    for row, name, place, happens in broken:
        yield Magic(f"x-{name}", row, place, name, f"{happens}; GraphQL only", 200, everywhere=False)
        yield Magic(f"z-{name}", row, place, name, f"{happens}; by every way", 502, "bad_upstream_response")


def _starts() -> Iterator[Magic]:
    limited, checkpoint = "upstream_rate_limited", "checkpoint_required"
    yield Magic("s-refused", 25, "start", "close", "the start page closes at once", 503, "upstream_unreachable")
    yield Magic("s-429", 26, "start", "429", "the start page answers 429", 429, limited)
    yield Magic("s-500", 26, "start", "500", "the start page answers 500", 503, "upstream_error")
    yield Magic("s-403", 26, "start", "403", "the start page answers 403", 502, "upstream_blocked")
    yield Magic("s-302chall", 26, "start", "302-challenge", "the start page leads to the challenge", 403, checkpoint)
    yield Magic("s-notokens", 27, "start", "no-tokens", "the start page has no tokens", 200, everywhere=False)
    yield Magic("s-stale", 28, "start", "stale", "the tokens are too old, new ones work", 200, everywhere=False)


def _items() -> Iterator[Magic]:
    yield Magic("x-other", 30, "item", "other", "the answer has another code", 200)
    yield Magic("x-nouser", 31, "item", "nouser", "the item has no user", 200)
    yield Magic("x-nopk", 31, "item", "nopk", "the item has no pk", 200)
    yield Magic("x-caption", 32, "item", "caption", "the caption has no text", 200)


def _files() -> Iterator[Magic]:
    truncated, away = "media_truncated", "unexpected_redirect"
    yield Magic("m-403", 33, "media", "403", "the signature is refused every time", 502, "media_forbidden")
    yield Magic("m-expired", 33, "media", "expired", "the first address is too old, the next is not", 200, once=True)
    yield Magic("m-404", 34, "media", "404", "the file is gone: 404", 404, "media_gone")
    yield Magic("m-410", 34, "media", "410", "the file is gone: 410", 404, "media_gone")
    yield Magic("m-429", 35, "media", "429", "the media host answers 429", 429, "upstream_rate_limited")
    yield Magic("m-500", 36, "media", "500", "the media host answers 500", 503, "media_unavailable")
    yield Magic("m-cut", 37, "media", "cut", "half of the announced length arrives", 503, truncated)
    yield Magic("m-chunked", 37, "media", "chunked", "chunks that end in the middle", 503, truncated)
    yield Magic("m-half", 38, "media", "half", "half a file, no length, a clean close", 503, truncated)
    yield Magic("m-empty", 39, "media", "empty", "a file of no bytes", 503, "media_empty")
    yield Magic("m-html", 40, "media", "html", "an HTML page with 200", 502, "media_not_media")
    yield Magic("m-octet", 41, "media", "octet", "the right bytes as application/octet-stream", 200)
    yield Magic("m-notype", 41, "media", "notype", "the right bytes without a type", 200)
    yield Magic("m-drip", 42, "media", "drip", "one byte a second", 503, "upstream_timeout")
    yield Magic("m-away", 43, "media", "away", "a redirect to somebody else's host", 502, away)
    yield Magic("m-loopback", 43, "media", "loopback", "a redirect to a loopback address", 502, away)
    yield Magic("m-nonmeta", 44, "media", "nonmeta", "an address on somebody else's host", 502, away)
    yield Magic("m-endless", 45, "media", "endless", "a file that never ends", 502, "media_too_large")


MAGIC: Mapping[str, Magic] = {magic.shortcode: magic for magic in _table()}


@dataclass(slots=True)
class Memory:
    """What the magic posts of a world remember: who was hit already, and what waits for the next start page."""

    lookups: Counter[str] = field(default_factory=Counter[str])
    stale: set[str] = field(default_factory=set[str])
    armed: tuple[str, float] | None = None

    def lookup(self, magic: Magic) -> bool:
        """Count a look-up; whether it is one that goes wrong."""
        self.lookups[magic.shortcode] += 1
        return not magic.once or self.lookups[magic.shortcode] == 1

    def arm(self, trouble: str, now: float) -> None:
        """Let the next start page go wrong in this way."""
        self.armed = trouble, now + ARMED_SECONDS

    def start(self, now: float) -> str | None:
        """The trouble of the start page that is asked for now, once."""
        armed, self.armed = self.armed, None
        return armed[0] if armed and now <= armed[1] else None


def owner(seed: int) -> Person:
    """Who posted the magic posts; nobody whom the Graph API knows."""
    return people.person_of(OWNER, seed)[0]


@lru_cache(maxsize=8)
def posts(seed: int) -> tuple[Media, ...]:
    """A reel per magic shortcode, as old as its code says."""
    return tuple(_posts(seed))


def _posts(seed: int) -> Iterator[Media]:
    person = owner(seed)
    picture = ids.number(9, seed, "magic", "picture")
    for place, magic in enumerate(MAGIC.values()):
        pk = ids.pk_of(magic.shortcode)
        made = people.post(person, "REELS", ids.moment_of(pk), place, seed, ("magic", magic.shortcode))
        yield replace(
            made, pk=pk, shortcode=magic.shortcode, caption=f"{magic.shortcode}: {magic.happens}.", seconds=SECONDS,
            width=WIDTH, height=HEIGHT, picture_seed=picture, no_media_url=False, music=False, like_count=3,
        )  # fmt: skip
