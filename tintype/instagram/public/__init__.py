"""Public posts without a token: found by several ways, politely, and fetched whole.

    doors = Doors(standard_ways(outbound), PageWay(outbound), now=utc_now)
    post = await doors.look_up(link.shortcode)
    for number, media in enumerate(post.media):
        await fetch(outbound, media, folder / f"{post.shortcode}_{number}", max_bytes=…, seconds=60)

Every refusal is a kind of `tintype.errors` with a stable word: `reason_of(trouble)`.
"""

from collections.abc import Mapping
from importlib.util import find_spec

from tintype.backends.outbound import Outbound
from tintype.instagram.public.doors import Asks, Doors, MemoryStandings, Standings
from tintype.instagram.public.fetching import Fetched, fetch
from tintype.instagram.public.late import LateWay
from tintype.instagram.public.manners import Health, Manners, Standing, State, Verdict
from tintype.instagram.public.model import PublicMedia, PublicPost, Way, post_from
from tintype.instagram.public.page import BROWSER, PageWay
from tintype.instagram.public.reasons import MEANINGS, Reason, reason_of, trouble
from tintype.instagram.public.sharing import resolve
from tintype.instagram.public.whole import Container, container_of

__all__ = [
    "BROWSER",
    "MEANINGS",
    "WAYS",
    "Asks",
    "Container",
    "Doors",
    "Fetched",
    "Health",
    "Manners",
    "MemoryStandings",
    "PageWay",
    "PublicMedia",
    "PublicPost",
    "Reason",
    "Standing",
    "Standings",
    "State",
    "Verdict",
    "Way",
    "container_of",
    "fetch",
    "post_from",
    "reason_of",
    "resolve",
    "session_way",
    "standard_ways",
    "trouble",
]

WAYS = ("instaloader", "page", "yt-dlp")  # in the order in which they are tried


def standard_ways(
    outbound: Outbound, *, user_agent: str | None = None, names: tuple[str, ...] = WAYS
) -> tuple[Way, ...]:
    """Return the ways of anybody, each to be closed at the end; yt-dlp only where the extra `ytdlp` is installed."""
    ways: list[Way] = []
    if "instaloader" in names:
        ways.append(LateWay("instaloader", lambda: _instaloader(outbound, user_agent)))
    if "page" in names:
        ways.append(PageWay(outbound, user_agent or BROWSER))
    if "yt-dlp" in names and find_spec("yt_dlp") is not None:
        ways.append(LateWay("yt-dlp", lambda: _ytdlp(outbound, user_agent)))
    return tuple(ways)


# Each of the libraries takes a tenth of a second to load.


def _instaloader(outbound: Outbound, user_agent: str | None, session: Mapping[str, str] | None = None) -> Way:
    from tintype.instagram.public.instaloader import InstaloaderWay

    return InstaloaderWay(outbound, user_agent=user_agent, session=session)


def _ytdlp(outbound: Outbound, user_agent: str | None) -> Way:
    from tintype.instagram.public.ytdlp import YtDlpWay

    return YtDlpWay(outbound, user_agent=user_agent)


def session_way(outbound: Outbound, session: Mapping[str, str], *, user_agent: str | None = None) -> Way:
    """Return the way of a person who lends a session (the cookies sessionid, csrftoken, ds_user_id); kept in memory.

    `user_agent` should be that of the browser from which the cookies come. Raises `Invalid` when a cookie is missing.
    """
    return _instaloader(outbound, user_agent, session)
