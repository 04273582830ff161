"""Looks posts up by their own page, as a browser opens it: one request, no tokens, no library.

The page holds the answer to the query that the web app would ask next. Where in it changes with every release, so it is
searched for by what it holds; and a page that withholds the post says why (public-web.md 2.4, 3.1).
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from tintype.backends.outbound import Answer, Outbound, Outgoing
from tintype.errors import Forbidden, Invalid, TooLarge, Trouble, Unreachable
from tintype.instagram import wire
from tintype.instagram.links import post_url, shortcode_to_media_id
from tintype.instagram.public import signals
from tintype.instagram.public.lines import page_policy, reason_for
from tintype.instagram.public.model import PublicPost, post_from
from tintype.instagram.public.reasons import STOPPING, Reason, reason_of, trouble

BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
RULING = "https://www.instagram.com/api/v1/web/get_ruling_for_content/"
APP_ID = "936619743392459"  # Instagram's own web app

_NAVIGATION = {
    "accept": "text/html",
    "accept-language": "en-US,en;q=0.8",
    "sec-fetch-dest": "document",
    "sec-fetch-mode": "navigate",
    "sec-fetch-site": "none",
}
_SCRIPT = re.compile(r"<script\b[^>]*\bapplication/json\b[^>]*>(.*?)</script>", re.DOTALL)
_POST = ("xig_polaris_media", "xdt_api__v1__media__shortcode__web_info")
_PRIVATE = "polaris.privatePostPage"
_HOPS = 2  # from /p/ to /reel/, and from there to nowhere else
_RULINGS = (
    (re.compile(r"\bage\b|years old|grown|restricted video|18\+|under 18|\bminors?\b"), Reason.AGE_RESTRICTED),
    (re.compile(r"country|countries|region|location|local law"), Reason.GEO_BLOCKED),
    (re.compile(r"private|follow"), Reason.PRIVATE),
)


@dataclass(frozen=True, slots=True)
class PageWay:
    """Reads a post off its page; also finds out why another way did not find one."""

    outbound: Outbound
    user_agent: str = BROWSER

    @property
    def name(self) -> str:
        """Say which way this is."""
        return "page"

    async def look_up(self, shortcode: str, *, seconds: float) -> PublicPost:
        """Return a post; raises troubles of `reasons` alone."""
        page = await self._page(shortcode, time.monotonic() + seconds)
        found = found_in(page)
        if found is not None:
            return post_from(found, shortcode, self.name)
        if signals.is_login_page(page):
            raise trouble(Reason.LOGIN_REQUIRED)
        raise trouble(Reason.POST_MISSING if _withholds(page) else Reason.BAD_UPSTREAM_RESPONSE)

    def close(self) -> None:
        """Nothing is kept."""

    async def why_missing(self, shortcode: str, *, seconds: float) -> Reason:
        """Return why a post is not shown: its page tells, or Instagram's ruling about its content does.

        Raises the trouble of an order to stop. What stays unclear is PRIVATE: that a post does not exist is only said
        when Instagram said so.
        """
        ends = time.monotonic() + seconds
        try:
            page = await self._page(shortcode, ends)
        except Trouble as problem:
            if reason_of(problem) in STOPPING:
                raise
            if reason_of(problem) is Reason.NOT_FOUND:
                return Reason.NOT_FOUND
        else:
            if _PRIVATE.encode() in page.body:
                return Reason.PRIVATE
        return await self._ruling(shortcode, ends)

    async def _page(self, shortcode: str, ends: float) -> Answer:
        url = post_url(shortcode)
        for _ in range(_HOPS):
            answer = await self._ask(Outgoing("GET", url, headers=self._headers(_NAVIGATION)), ends, wants_json=False)
            if answer.status == 200:
                return answer
            url = urljoin(url, answer.headers.get("location", "/"))
            if shortcode not in urlsplit(url).path.split("/"):
                break  # to the start page or a profile: it is not going to be shown
        raise trouble(Reason.LOGIN_REQUIRED)

    async def _ruling(self, shortcode: str, ends: float) -> Reason:
        try:
            query = {"content_type": "MEDIA", "target_id": shortcode_to_media_id(shortcode)}
            headers = self._headers({"accept": "*/*", "x-ig-app-id": APP_ID, "x-ig-www-claim": "0"})
            answer = await self._ask(Outgoing("GET", RULING, query=query, headers=headers), ends, wants_json=True)
        except Invalid:
            return Reason.PRIVATE
        except Trouble as problem:
            if reason_of(problem) in STOPPING:
                raise
            return Reason.NOT_FOUND if reason_of(problem) is Reason.NOT_FOUND else Reason.PRIVATE
        return ruled(signals.json_of(answer))

    async def _ask(self, request: Outgoing, ends: float, *, wants_json: bool) -> Answer:
        left = max(ends - time.monotonic(), 0.01)
        try:
            answer = await self.outbound.send(request, page_policy(left))
        except (Unreachable, Forbidden, TooLarge) as problem:
            raise trouble(reason_for(problem, late=time.monotonic() >= ends)) from problem
        refused = signals.trouble_in(answer, request.url, wants_json=wants_json)
        if refused is not None:
            raise refused
        return answer

    def _headers(self, more: Mapping[str, str]) -> Mapping[str, str]:
        return {"user-agent": self.user_agent, **more}


def found_in(page: Answer) -> object | None:
    """Return the post that a page holds, as an item of Instagram's; None when it holds none."""
    for data in _embedded(page):
        gated = wire.record(wire.record(data.get(_POST[0])).get("if_not_gated_logged_out"))
        items = wire.items(wire.record(data.get(_POST[1])).get("items"))
        if gated or items:
            return gated or items[0]
    return None


def ruled(ruling: Mapping[str, object]) -> Reason:
    """Return what Instagram's ruling about a post's content says."""
    said = " ".join(wire.text(ruling.get(key)) or "" for key in ("title", "description", "message")).lower()
    return next((reason for words, reason in _RULINGS if words.search(said)), Reason.PRIVATE)


def _withholds(page: Answer) -> bool:
    """Tell whether a page is that of a post that is not shown; one that has null for an answer tells nothing."""
    if _PRIVATE.encode() in page.body:
        return True
    is_a_posts = b"polaris." in page.body and b"ostPage" in page.body
    return is_a_posts and not any(key in data and data[key] is None for data in _embedded(page) for key in _POST)


def _embedded(page: Answer) -> Iterator[Mapping[str, object]]:
    """Yield each object inside a page that has one of the keys under which posts are known."""
    for script in _SCRIPT.finditer(page.body.decode("utf-8", "replace")):
        if not any(key in script[1] for key in _POST):
            continue
        try:
            waiting = [wire.decoded(script[1])]
        except ValueError:
            continue
        while waiting:
            value = waiting.pop()
            inside = wire.record(value)
            if any(key in inside for key in _POST):
                yield inside
            waiting.extend(inside.values() if inside else wire.items(value))
