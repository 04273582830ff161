"""Why a post could not be looked up or fetched: the stable words, and the trouble that each of them is.

A dialect says the `reason` beside its sentence, so that a program need not read English. The table follows
public-web.md 2.4: one line per word, with the kind of trouble from which the status follows.
"""

from dataclasses import dataclass
from enum import StrEnum

from tintype.errors import Busy, Forbidden, Gone, Kind, NotFound, Refused, Trouble, Unreachable

MINUTE = 60.0
SHORTLY = 30.0  # seconds after which a broken connection or a server error is worth another try
AFTER_A_LIMIT = 15 * MINUTE  # where Instagram names no wait itself


class Reason(StrEnum):
    """The words, as they are promised to callers."""

    UPSTREAM_RATE_LIMITED = "upstream_rate_limited"
    BUDGET_EXHAUSTED = "budget_exhausted"
    CHECKPOINT_REQUIRED = "checkpoint_required"
    CHALLENGE_REQUIRED = "challenge_required"
    FEEDBACK_REQUIRED = "feedback_required"
    LOGIN_REQUIRED = "login_required"
    SESSION_EXPIRED = "session_expired"
    NOT_FOUND = "not_found"
    POST_MISSING = "post_missing"
    PRIVATE = "private_or_login_required"
    AGE_RESTRICTED = "age_restricted"
    GEO_BLOCKED = "geo_blocked"
    UPSTREAM_BLOCKED = "upstream_blocked"
    UNEXPECTED_REDIRECT = "unexpected_redirect"
    BAD_UPSTREAM_RESPONSE = "bad_upstream_response"
    UPSTREAM_UNREACHABLE = "upstream_unreachable"
    UPSTREAM_TIMEOUT = "upstream_timeout"
    UPSTREAM_ERROR = "upstream_error"
    MEDIA_FORBIDDEN = "media_forbidden"
    MEDIA_GONE = "media_gone"
    MEDIA_TRUNCATED = "media_truncated"
    MEDIA_EMPTY = "media_empty"
    MEDIA_UNAVAILABLE = "media_unavailable"
    MEDIA_NOT_MEDIA = "media_not_media"
    MEDIA_TOO_LARGE = "media_too_large"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a reason is, what a person should know and do, and the seconds until asking again makes sense."""

    kind: Kind
    message: str
    wait: float | None = None


MEANINGS = {
    Reason.UPSTREAM_RATE_LIMITED: Meaning(
        Kind.BUSY, "Instagram asks this address to wait; nothing is asked until then.", AFTER_A_LIMIT
    ),
    Reason.BUDGET_EXHAUSTED: Meaning(
        Kind.BUSY, "The look-ups that Instagram is asked for in an hour are used up; they come back by themselves."
    ),
    Reason.CHECKPOINT_REQUIRED: Meaning(
        Kind.FORBIDDEN, "Instagram wants a person to confirm who asks; log in to instagram.com in a browser and do so."
    ),
    Reason.CHALLENGE_REQUIRED: Meaning(
        Kind.FORBIDDEN, "Instagram set a challenge that only a person can pass; log in to instagram.com in a browser."
    ),
    Reason.FEEDBACK_REQUIRED: Meaning(
        Kind.FORBIDDEN, "Instagram holds this post back from programs; open it in the app or a browser."
    ),
    Reason.LOGIN_REQUIRED: Meaning(
        Kind.FORBIDDEN, "Instagram shows this post only to people who are logged in; a session of yours may help."
    ),
    Reason.SESSION_EXPIRED: Meaning(
        Kind.FORBIDDEN, "Instagram no longer takes the session that was given; log in again and give its new cookies."
    ),
    Reason.NOT_FOUND: Meaning(Kind.NOT_FOUND, "There is no such post, or it was removed."),
    Reason.POST_MISSING: Meaning(Kind.NOT_FOUND, "Instagram does not show this post."),
    Reason.PRIVATE: Meaning(Kind.FORBIDDEN, "The post's account is private, or Instagram wants a login for it."),
    Reason.AGE_RESTRICTED: Meaning(Kind.FORBIDDEN, "The post is for grown-ups only: Instagram wants a login for it."),
    Reason.GEO_BLOCKED: Meaning(Kind.FORBIDDEN, "The post is not shown in the country that this service runs in."),
    Reason.UPSTREAM_BLOCKED: Meaning(
        Kind.REFUSED, "Instagram refuses to talk to this address; look-ups from data centres are often blocked."
    ),
    Reason.UNEXPECTED_REDIRECT: Meaning(
        Kind.REFUSED, "Instagram led to a host that is not its own; it was not called."
    ),
    Reason.BAD_UPSTREAM_RESPONSE: Meaning(
        Kind.REFUSED, "Instagram's answer could not be used; its pages may have changed, so look for an update."
    ),
    Reason.UPSTREAM_UNREACHABLE: Meaning(Kind.UNREACHABLE, "Instagram could not be reached; try again.", SHORTLY),
    Reason.UPSTREAM_TIMEOUT: Meaning(Kind.UNREACHABLE, "Instagram did not answer in time; try again.", SHORTLY),
    Reason.UPSTREAM_ERROR: Meaning(Kind.UNREACHABLE, "Instagram has an error of its own; try again.", SHORTLY),
    Reason.MEDIA_FORBIDDEN: Meaning(Kind.REFUSED, "Instagram's media host refuses the post's files."),
    Reason.MEDIA_GONE: Meaning(Kind.GONE, "The post's files are gone from Instagram's media host."),
    Reason.MEDIA_TRUNCATED: Meaning(Kind.UNREACHABLE, "A file of the post arrived only in part; try again.", SHORTLY),
    Reason.MEDIA_EMPTY: Meaning(Kind.UNREACHABLE, "A file of the post arrived without content; try again.", SHORTLY),
    Reason.MEDIA_UNAVAILABLE: Meaning(
        Kind.UNREACHABLE, "Instagram's media host has an error of its own; try again.", SHORTLY
    ),
    Reason.MEDIA_NOT_MEDIA: Meaning(Kind.REFUSED, "Instagram's media host sent something that is no picture or video."),
    Reason.MEDIA_TOO_LARGE: Meaning(Kind.REFUSED, "A file of the post is larger than is taken here."),
}

# After these no other way is tried: Instagram told the asker to stop, not that one way is broken.
STOPPING = frozenset(
    {
        Reason.UPSTREAM_RATE_LIMITED,
        Reason.CHECKPOINT_REQUIRED,
        Reason.CHALLENGE_REQUIRED,
        Reason.FEEDBACK_REQUIRED,
    }
)


class _Reasoned(Trouble):
    def __init__(self, reason: Reason, *, retry_after: float | None = None) -> None:
        meaning = MEANINGS[reason]
        super().__init__(meaning.message, retry_after=retry_after or meaning.wait)
        self.reason = reason


class Missing(_Reasoned, NotFound):
    """There is no such post."""


class Hidden(_Reasoned, Forbidden):
    """There is, or may be, such a post, but not for us."""


class Limited(_Reasoned, Busy):
    """We have asked for enough; `retry_after` says when to come back."""


class Unusable(_Reasoned, Refused):
    """Instagram answered with something that is of no use."""


class Away(_Reasoned, Unreachable):
    """Instagram did not answer, or only with an error of its own."""


class Lost(_Reasoned, Gone):
    """The post's files were there and will not come back."""


_CLASSES: dict[Kind, type[_Reasoned]] = {
    Kind.NOT_FOUND: Missing,
    Kind.FORBIDDEN: Hidden,
    Kind.BUSY: Limited,
    Kind.REFUSED: Unusable,
    Kind.UNREACHABLE: Away,
    Kind.GONE: Lost,
}


def trouble(reason: Reason, *, retry_after: float | None = None) -> Trouble:
    """Return the trouble that a reason is."""
    return _CLASSES[MEANINGS[reason].kind](reason, retry_after=retry_after)


def reason_of(problem: BaseException) -> Reason | None:
    """Return the reason of a trouble made here; None for any other error."""
    return problem.reason if isinstance(problem, _Reasoned) else None
