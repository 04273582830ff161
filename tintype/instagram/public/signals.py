"""What an answer of Instagram's public side says before anybody looks for a post in it.

One list of signals, read from the top, is held to every answer whatever library asked for it (public-web.md 2.4). Libraries
tell these apart by their exceptions' classes or not at all; the answer itself tells more.
"""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from tintype.backends.outbound import Answer
from tintype.errors import Trouble
from tintype.instagram import wire
from tintype.instagram.public.reasons import Reason, trouble

HOSTS = ("instagram.com",)  # they and their subdomains; cookies and tokens go nowhere else

_WAIT = "please wait a few minutes"
_WORDS = {
    "checkpoint_required": Reason.CHECKPOINT_REQUIRED,
    "challenge_required": Reason.CHALLENGE_REQUIRED,
    "feedback_required": Reason.FEEDBACK_REQUIRED,
    "login_required": Reason.LOGIN_REQUIRED,
}
_LOGIN_MARKS = ("/accounts/login", 'name="password"', "login • instagram")
_LONGEST_WAIT = 30 * 24 * 3600  # seconds; nothing that lasts longer is a wait
_GLANCE = 65536  # characters of an answer in which a word is looked for


def trouble_in(answer: Answer, url: str, *, wants_json: bool, session: bool = False) -> Trouble | None:
    """Return what an answer refuses, None when it may hold what was asked for; `session`: a login was sent along."""
    reason = reason_in(answer, url, wants_json=wants_json)
    if reason is None:
        return None
    if reason is Reason.LOGIN_REQUIRED and session:
        reason = Reason.SESSION_EXPIRED
    return trouble(reason, retry_after=retry_after(answer.headers) if reason is Reason.UPSTREAM_RATE_LIMITED else None)


def reason_in(answer: Answer, url: str, *, wants_json: bool) -> Reason | None:
    """Return the first signal that an answer gives, in the order of the contract."""
    sent = json_of(answer)
    if answer.status == 429 or _asks_to_wait(answer, sent):
        return Reason.UPSTREAM_RATE_LIMITED
    spoken = _spoken(answer, sent) or _redirected(answer, url)
    if spoken is not None:
        return spoken
    if answer.status != 200:
        return _by_status(answer.status, sent)
    if not wants_json:
        return None
    if not sent:
        return Reason.LOGIN_REQUIRED if is_login_page(answer) else Reason.BAD_UPSTREAM_RESPONSE
    return _refused(sent)


def json_of(answer: Answer) -> Mapping[str, object]:
    """Return the JSON object that an answer is; an empty one when it is none."""
    if answer.body[:64].lstrip()[:1] != b"{":
        return {}
    try:
        return wire.record(wire.decoded(answer.body))
    except ValueError:
        return {}


def is_login_page(answer: Answer) -> bool:
    """Tell whether an answer is the page to log in at, shown in place of what was asked for."""
    said = answer.body[:_GLANCE].decode("utf-8", "replace").lower()
    return "<html" in said and any(mark in said for mark in _LOGIN_MARKS)


def _asks_to_wait(answer: Answer, sent: Mapping[str, object]) -> bool:
    if sent:
        return _WAIT in (wire.text(sent.get("message")) or "").lower()
    # A page that was shown may quote these words; one that was refused says them.
    return answer.status != 200 and _WAIT in answer.body[:_GLANCE].decode("utf-8", "replace").lower()


def _spoken(answer: Answer, sent: Mapping[str, object]) -> Reason | None:
    if answer.status == 200 and wire.text(sent.get("status")) in (None, "ok"):
        return None
    said = (wire.text(sent.get("message")) or "").lower()
    word = next((reason for word, reason in _WORDS.items() if word in said), None)
    return Reason.LOGIN_REQUIRED if word is None and sent.get("require_login") is True else word


def _redirected(answer: Answer, url: str) -> Reason | None:
    location = answer.headers.get("location")
    if not 300 <= answer.status < 400 or location is None:
        return None
    try:
        target = urlsplit(urljoin(url, location))
        host = (target.hostname or "").rstrip(".")
    except ValueError:
        return Reason.UNEXPECTED_REDIRECT
    if not any(host == own or host.endswith(f".{own}") for own in HOSTS):
        return Reason.UNEXPECTED_REDIRECT
    if target.path.startswith("/accounts/login"):
        return Reason.LOGIN_REQUIRED
    return Reason.CHECKPOINT_REQUIRED if target.path.startswith(("/challenge", "/checkpoint")) else None


def _by_status(status: int, sent: Mapping[str, object]) -> Reason | None:
    match status:
        case 404 | 410:
            return Reason.NOT_FOUND
        case 401:
            return Reason.LOGIN_REQUIRED
        case 403:
            return Reason.BAD_UPSTREAM_RESPONSE if sent else Reason.UPSTREAM_BLOCKED
        case _ if status >= 500:
            return Reason.UPSTREAM_ERROR
        case _ if 300 <= status < 400:
            return None  # to a place of Instagram's own: whoever asked follows, or does not
        case _:
            return Reason.BAD_UPSTREAM_RESPONSE


def _refused(sent: Mapping[str, object]) -> Reason | None:
    withdrawn = sent.get("errors") and not any(wire.record(sent.get("data")).values())
    failed = wire.text(sent.get("status")) not in (None, "ok")
    return Reason.BAD_UPSTREAM_RESPONSE if withdrawn or failed else None


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the wait that an answer names, as seconds or as a moment by the clock of who sent it; None: it names none."""
    named = headers.get("retry-after", "")
    seconds = wire.count(named)
    if seconds is None:
        try:
            until, sent = (parsedate_to_datetime(text) for text in (named, headers.get("date", "")))
            seconds = int((until - sent).total_seconds())
        except (TypeError, ValueError):
            return None
    return float(min(seconds, _LONGEST_WAIT)) if seconds > 0 else None
