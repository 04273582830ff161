"""Looks posts up with Instaloader, whose query for a single post is kept up to date by its maintainers.

Only its knowledge is used. Its connections are replaced by ours, and so are its habits: here it does not sleep, does not
try again, does not print, and keeps no list of errors. It remembers its page tokens, so a look-up is one request once it
is warm (public-web.md 1.1, 2.5).
"""

import json
import threading
from collections.abc import Mapping
from contextlib import nullcontext
from typing import cast

import instaloader
from instaloader import exceptions as foreign
from instaloader import instaloadercontext

from tintype.backends.outbound import Answer, Outbound
from tintype.backends.sessions import requests_over
from tintype.errors import Invalid, Trouble
from tintype.instagram import wire
from tintype.instagram.public import lines, signals
from tintype.instagram.public.lines import Line, Lines
from tintype.instagram.public.model import PublicPost, post_from
from tintype.instagram.public.reasons import Reason, reason_of, trouble

SESSION_COOKIES = ("sessionid", "csrftoken", "ds_user_id")

# The module's own name for requests is replaced, for it makes a new session for each call and would dial by itself.
instaloadercontext.requests = requests_over(lambda: lines.current().send)  # pyright: ignore[reportPrivateImportUsage]

REASONS: Mapping[type[Exception], Reason] = {
    foreign.InstaloaderException: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.QueryReturnedBadRequestException: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.QueryReturnedForbiddenException: Reason.UPSTREAM_BLOCKED,
    foreign.ProfileNotExistsException: Reason.NOT_FOUND,
    foreign.ProfileHasNoPicsException: Reason.NOT_FOUND,
    foreign.PrivateProfileNotFollowedException: Reason.PRIVATE,
    foreign.LoginRequiredException: Reason.LOGIN_REQUIRED,
    foreign.LoginException: Reason.SESSION_EXPIRED,
    foreign.TwoFactorAuthRequiredException: Reason.SESSION_EXPIRED,
    foreign.BadCredentialsException: Reason.SESSION_EXPIRED,
    foreign.InvalidArgumentException: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.BadResponseException: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.ConnectionException: Reason.BAD_UPSTREAM_RESPONSE,  # ours are the connections: this one is about an answer
    foreign.PostChangedException: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.QueryReturnedNotFoundException: Reason.NOT_FOUND,
    foreign.TooManyRequestsException: Reason.UPSTREAM_RATE_LIMITED,
    foreign.IPhoneSupportDisabledException: Reason.BAD_UPSTREAM_RESPONSE,
    foreign.AbortDownloadException: Reason.CHECKPOINT_REQUIRED,
}
# What the library raises beside its own, when an answer lacks a field (public-web.md 1.1) or leads in a circle.
CARELESS = (LookupError, TypeError, AttributeError, AssertionError, ValueError, RecursionError, OSError)


def trouble_of(error: Exception, heard: Answer | None) -> Trouble:
    """Return the trouble that an error of the library is, in the light of the last answer that it `heard`.

    An answer without the post, but well formed, is POST_MISSING: it has to be found out why.
    """
    if isinstance(error, Trouble):
        return error
    if isinstance(error, foreign.BadResponseException) and heard is not None and _items(heard) == ():
        return trouble(Reason.POST_MISSING)
    reason = next((REASONS[kind] for kind in type(error).__mro__ if kind in REASONS), Reason.BAD_UPSTREAM_RESPONSE)
    return trouble(reason)


class InstaloaderWay:
    """Looks posts up as anybody, or as the person whose `session` (SESSION_COOKIES) is given; kept in memory only."""

    def __init__(
        self, outbound: Outbound, *, user_agent: str | None = None, session: Mapping[str, str] | None = None
    ) -> None:
        self.name = "instaloader" if session is None else "session"
        self._user_agent = user_agent
        self._session = _checked(session)
        self._lines = Lines(outbound, name=self.name, session=session is not None)
        self._context = self._new_context()
        self._cold = (
            threading.Lock()
        )  # so that the first of many asks for the page tokens, and the others wait for them
        self._warm = False

    async def look_up(self, shortcode: str, *, seconds: float) -> PublicPost:
        """Return a post; raises troubles of `reasons` alone."""
        return await self._lines.run(lambda line: self._find(shortcode, line), seconds=seconds)

    def close(self) -> None:
        """Let the threads end."""
        self._lines.close()

    def _find(self, shortcode: str, line: Line) -> PublicPost:
        with nullcontext() if self._warm else self._cold:
            warm = self._warm
            try:
                found = self._ask(shortcode, line)
            except Trouble as problem:
                if reason_of(problem) is not Reason.BAD_UPSTREAM_RESPONSE:
                    raise
                self._forget()
                if not warm or line.status != 400:
                    raise
                found = self._ask(shortcode, line)  # with new tokens: those that were remembered may have been too old
            self._warm = True
            return found

    def _ask(self, shortcode: str, line: Line) -> PublicPost:
        try:
            post = instaloader.Post.from_shortcode(self._context, shortcode)
            return post_from(_node(post), shortcode, self.name)
        except (foreign.PostChangedException, *CARELESS) as error:
            items = _items(line.last) if line.last else None
            if not items:
                raise trouble_of(error, line.last) from error
            return post_from(items[0], shortcode, self.name)
        except (foreign.InstaloaderException, foreign.AbortDownloadException) as error:
            raise trouble_of(error, line.last) from error

    def _forget(self) -> None:
        self._context, self._warm = self._new_context(), False

    def _new_context(self) -> "_Silent":
        context = _Silent(
            sleep=False,
            quiet=True,
            user_agent=self._user_agent,
            max_connection_attempts=1,
            rate_controller=_Unhurried,
            iphone_support=False,
        )
        if self._session:
            context.load_session(self._session["ds_user_id"], dict(self._session))  # pyright: ignore[reportUnknownMemberType]
        return context


class _Silent(instaloader.InstaloaderContext):
    def log(self, *msg: object, sep: str = "", end: str = "\n", flush: bool = False) -> None:
        """Say nothing."""

    def error(self, msg: object, repeat_at_end: bool = True) -> None:
        """Say nothing, and keep nothing: the library's list of errors only ever grows."""


class _Unhurried(instaloader.RateController):
    """Counts nothing and never sleeps: how much may be asked is decided in `manners`, before the library is called."""

    def wait_before_query(self, query_type: str) -> None:
        """Go on at once."""

    def handle_429(self, query_type: str) -> None:
        """Stop at once."""
        raise trouble(Reason.UPSTREAM_RATE_LIMITED)

    def sleep(self, secs: float) -> None:
        """Stop at once."""
        raise trouble(Reason.UPSTREAM_RATE_LIMITED)


def _node(post: instaloader.Post) -> object:
    return cast("dict[str, object]", instaloader.get_json_structure(post))["node"]  # pyright: ignore[reportUnknownMemberType]


def _items(heard: Answer) -> tuple[object, ...] | None:
    """Return the posts in an answer, None when it does not speak of posts at all."""
    data = wire.record(signals.json_of(heard).get("data"))
    listed = (wire.record(part).get("items") for part in data.values())
    return next((wire.items(cast("object", found)) for found in listed if isinstance(found, list)), None)


def _checked(session: Mapping[str, str] | None) -> Mapping[str, str]:
    missing = [name for name in SESSION_COOKIES if not (session or {}).get(name)]
    if session is not None and missing:
        raise Invalid(f"the session lacks the cookie {json.dumps(missing[0])}; copy it from your browser")
    return session or {}
