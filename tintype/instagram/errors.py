"""Instagram's answers turned into a `Trouble`, in one place; what the numbers in them mean is the table of `meanings`.

HTTP statuses and English texts are not trusted: nearly every refusal is a 400, and the texts change (graph-api.md 5.1). The
only texts that are read are those of api.instagram.com, which gives no codes. Instagram's own words reach a person only after
`scrubbed`, because Meta quotes tokens in some of them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tintype.errors import (
    Busy,
    Forbidden,
    Kind,
    Misconfigured,
    Reconnect,
    Refused,
    RemoteTrouble,
    Trouble,
    Unreachable,
)
from tintype.instagram import wire
from tintype.instagram.meanings import ACCOUNT_LIMIT, UNAVAILABLE, UNKNOWN, Budget, Category, Meaning, meaning_of
from tintype.instagram.usage import account_usage

LONGEST_QUOTE = 300  # characters of Instagram's own words in a message


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as Instagram sent it; `said` is its text, scrubbed."""

    code: int | None = None
    subcode: int | None = None
    said: str | None = None
    transient: bool = False
    trace_id: str | None = None


class Denied(RemoteTrouble, Forbidden):
    """Instagram says that the account did not grant what a call needs."""


class Unfit(RemoteTrouble, Misconfigured):
    """Instagram says that the app, as it is set up here, cannot do this."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A refusal understood: the trouble to raise, whether to ask again at once, and the budget that is used up."""

    trouble: Trouble
    retryable: bool
    budget: Budget | None = None


_CLASSES: Mapping[Kind, type[RemoteTrouble]] = {
    Kind.RECONNECT: Reconnect,
    Kind.BUSY: Busy,
    Kind.UNREACHABLE: Unreachable,
    Kind.FORBIDDEN: Denied,
    Kind.MISCONFIGURED: Unfit,
    Kind.REFUSED: Refused,
}
_CATEGORIES: Mapping[Kind, Category] = {
    Kind.RECONNECT: Category.TOKEN,
    Kind.BUSY: Category.RATE_LIMIT,
    Kind.UNREACHABLE: Category.TRANSIENT,
    Kind.FORBIDDEN: Category.PERMISSION,
}
# Refusals behind which the write may have happened all the same (publishing.md 2.4, rule 7).
_MAYBE_DONE = frozenset({(4, 2207051), (9, 2207042), (20, 1772107)})

# api.instagram.com refuses in its own short form, with the HTTP status as code: only the text tells one from another.
_RESTART = "start connecting again from the beginning"
_SHORT_FORM: tuple[tuple[str, Meaning], ...] = (
    (
        "matching code",
        Meaning(Kind.REFUSED, Category.TOKEN, "the authorisation code is unknown or has been used already", _RESTART),
    ),
    (
        "verification code",
        Meaning(Kind.REFUSED, Category.TOKEN, "the authorisation code or the redirect address does not fit", _RESTART),
    ),
    (
        "invalid platform app",
        Meaning(
            Kind.MISCONFIGURED,
            Category.TOKEN,
            "Instagram does not know the app",
            "set the Instagram app id, which is not the Meta app id",
        ),
    ),
    (
        "redirect",
        Meaning(
            Kind.REFUSED,
            Category.TOKEN,
            "the redirect address is not registered with the app, or differs from the one used before",
            "register it with the app, letter by letter",
        ),
    ),
)

_TOKENISH = re.compile(
    r"(?<=access_token=)[^&\s]+|(?<=client_secret=)[^&\s]+|(?<=code=)[^&\s]+|(?![A-Z_]+\b)[A-Za-z0-9_\-|%]{24,}"
)


def scrubbed(said: str, hide: Iterable[str] = ()) -> str:
    """Instagram's words without `hide` or anything else like a token, without control characters, cut to 300."""
    for secret in hide:
        said = said.replace(secret, "…")
    printable = "".join(letter if letter.isprintable() else " " for letter in said[: 10 * LONGEST_QUOTE])
    quiet = _TOKENISH.sub("…", printable).strip()
    return quiet if len(quiet) <= LONGEST_QUOTE else f"{quiet[: LONGEST_QUOTE - 1]}…"


def revokes(trouble: Trouble) -> bool:
    """Whether this says that the account's permission is over, so that it counts as disconnected."""
    return (
        isinstance(trouble, Reconnect)
        and trouble.code is not None
        and meaning_of(trouble.code, trouble.subcode).revoking
    )


def doubtful(trouble: Trouble) -> bool:
    """Whether a write that ended in this may have happened all the same, so that it must not be repeated unseen."""
    if isinstance(trouble, Unreachable):
        return True
    return isinstance(trouble, RemoteTrouble) and (trouble.code, trouble.subcode) in _MAYBE_DONE


def category_of(trouble: Trouble) -> Category:
    """Where the cause of a trouble with Instagram lies."""
    by_kind = _CATEGORIES.get(trouble.kind, Category.UNKNOWN)
    if not isinstance(trouble, RemoteTrouble) or trouble.code is None:
        return by_kind
    meaning = meaning_of(trouble.code, trouble.subcode)
    return meaning.category if meaning.kind is trouble.kind else by_kind


def refusal_in(value: object, hide: Iterable[str] = ()) -> Refusal | None:
    """The refusal in a JSON answer: the Graph envelope, the short form or that of uploads; None when it holds none."""
    hide = tuple(hide)
    sent = wire.record(value)
    if "error_message" in sent or "error_type" in sent:
        return Refusal(said=_said(sent.get("error_message"), hide))
    if "debug_info" in sent:
        info = wire.record(sent["debug_info"])
        return Refusal(said=_said(info.get("message"), hide), transient=info.get("retriable") is True)
    if not sent.get("error"):
        return None
    error = wire.record(sent["error"])
    return Refusal(
        code=wire.count(error.get("code")),
        subcode=wire.count(error.get("error_subcode")) or None,
        said=_said(error.get("error_user_msg"), hide) or _said(error.get("message"), hide),
        transient=error.get("is_transient") is True,
        trace_id=_trace(wire.identifier(error.get("fbtrace_id"))),
    )


def _said(value: object, hide: Iterable[str]) -> str | None:
    return scrubbed(wire.text(value) or "", hide) or None


def _trace(value: str | None) -> str | None:
    return value if value and re.fullmatch(r"[A-Za-z0-9_+/=-]{1,64}", value) else None


def trouble_from(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> Trouble:
    """The trouble in an answer; `what` completes "Could not …". Header names are lower-case."""
    return judged(status, headers, body, what=what).trouble


def judged(status: int, headers: Mapping[str, str], body: bytes, *, what: str, hide: Iterable[str] = ()) -> Verdict:
    """The trouble in an answer that is no success, with what the sender of the call has to know; never quotes `hide`."""
    try:
        refusal = refusal_in(wire.decoded(body), hide)
    except ValueError:
        refusal = None
    if refusal is None:
        return _verdict(_by_status(status, headers), Refusal(), headers, what)
    numbered = refusal.code is not None or refusal.subcode is not None
    meaning = meaning_of(refusal.code, refusal.subcode) if numbered else _in_short_form(refusal)
    if meaning is UNKNOWN and status >= 500:
        meaning = UNAVAILABLE
    if refusal.transient and meaning.kind is not Kind.BUSY:
        meaning = replace(meaning, kind=Kind.UNREACHABLE, action="try again", retryable=True)
    return _verdict(meaning, refusal, headers, what)


def _in_short_form(refusal: Refusal) -> Meaning:
    said = (refusal.said or "").lower()
    return next((meaning for words, meaning in _SHORT_FORM if words in said), UNKNOWN)


def _by_status(status: int, headers: Mapping[str, str]) -> Meaning:
    if status == 429:
        return ACCOUNT_LIMIT
    kind = headers.get("content-type", "").split(";")[0].strip()[:60] or "no content type"
    cause = f"the answer was not readable (HTTP {status}, {scrubbed(kind)})"
    return Meaning(Kind.UNREACHABLE, Category.TRANSIENT, cause, "try again", retryable=status >= 500 or status < 300)


def _verdict(meaning: Meaning, refusal: Refusal, headers: Mapping[str, str], what: str) -> Verdict:
    message = f"Could not {what}: {meaning.sentence}"
    if meaning.quote and refusal.said:
        message += f" Instagram says: {refusal.said}"
    if refusal.code is not None:
        numbers = str(refusal.code) if refusal.subcode is None else f"{refusal.code}/{refusal.subcode}"
        message += f" (Instagram code {numbers})"
    busy = meaning.kind is Kind.BUSY
    trouble = _CLASSES[meaning.kind](
        message,
        code=refusal.code,
        subcode=refusal.subcode,
        retry_after=_wait(meaning, headers) if busy else None,
        action=meaning.action,
        trace_id=refusal.trace_id,
        retryable=meaning.retryable,
    )
    return Verdict(trouble, retryable=meaning.retryable and not busy, budget=meaning.budget)


def _wait(meaning: Meaning, headers: Mapping[str, str]) -> float | None:
    usage = account_usage(headers) if meaning.budget is Budget.ACCOUNT else None
    if usage is not None and usage.regain_seconds:
        return usage.regain_seconds
    named = wire.count(headers.get("retry-after"))
    return float(named) if named and named > 0 else meaning.wait
