"""What Instagram's refusals mean: one table of code and subcode, and one function that turns an answer into a `Trouble`.

HTTP statuses and English texts are not trusted: nearly every refusal is a 400, and the texts change (graph-api.md 5.1). The
only texts that are read are those of api.instagram.com, which gives no codes. Instagram's own words reach a person only after
`scrubbed`, because Meta quotes tokens in some of them.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from tintype.errors import Busy, Forbidden, Kind, Misconfigured, Reconnect, Refused, Trouble, Unreachable
from tintype.instagram import wire
from tintype.instagram.limits import LIMITS
from tintype.instagram.model import Container, ContainerState
from tintype.instagram.usage import account_usage

MINUTE = 60.0
HOUR = 60 * MINUTE
LONGEST_QUOTE = 300  # characters of Instagram's own words in a message


class Budget(StrEnum):
    """What a rate limit of Instagram's counts together."""

    APP = "app"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal is, whether asking again may help, and what a person should know and do."""

    kind: Kind
    message: str
    retryable: bool = False
    revoking: bool = False  # the account's permission is over: only a new login helps
    wait: float | None = None  # seconds, when Instagram names none itself
    budget: Budget | None = None  # the call budget that is used up
    quote: bool = False  # Instagram's own words add something


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as Instagram sent it; `said` is its text, scrubbed."""

    code: int | None = None
    subcode: int | None = None
    said: str | None = None
    transient: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """A refusal understood: the trouble to raise, and what the sender of the call has to know besides."""

    trouble: Trouble
    retryable: bool
    budget: Budget | None = None


def _again(message: str) -> Meaning:
    return Meaning(Kind.UNREACHABLE, message, retryable=True)


def _limit(message: str, *, wait: float, budget: Budget | None = None) -> Meaning:
    return Meaning(Kind.BUSY, message, wait=wait, budget=budget)


def _no(message: str, *, quote: bool = False) -> Meaning:
    return Meaning(Kind.REFUSED, message, quote=quote)


def _relogin(message: str) -> Meaning:
    return Meaning(Kind.RECONNECT, message, revoking=True)


def _act(message: str) -> Meaning:
    return Meaning(Kind.RECONNECT, message)


_WINDOW = float(LIMITS.app_rate_window.value)
_APP_LIMIT = _limit(
    "the app has made too many calls to Instagram; it goes on by itself.", wait=_WINDOW, budget=Budget.APP
)
_ACCOUNT_LIMIT = _limit(
    "this account has made too many calls to Instagram; it goes on by itself.", wait=_WINDOW, budget=Budget.ACCOUNT
)
_PERMISSION = Meaning(
    Kind.FORBIDDEN,
    "the account did not grant a permission that this needs; connect it again and allow everything that is asked.",
    quote=True,
)
_EXPIRED = _relogin("the access token has expired or is not valid; connect the account again.")
_START_AGAIN = "start connecting again from the beginning."
_UNKNOWN = _no("Instagram refused it.", quote=True)

# Source: graph-api.md 5.2 and 5.3, publishing.md 2.5. A key without subcode holds for every subcode not named beside it.
MEANINGS: Mapping[tuple[int, int | None], Meaning] = {
    (1, None): _again("Instagram had a fault of its own; try again."),
    (2, None): _again("Instagram is not available at the moment; try again."),
    (4, None): _APP_LIMIT,
    (10, None): _PERMISSION,
    (12, None): _no("this id is not one of a professional Instagram account; check the account id."),
    (17, None): _ACCOUNT_LIMIT,
    (18, None): _limit("too many different hashtags were searched this week.", wait=24 * HOUR),
    (20, 1772107): _no("the write has happened, only its answer could not be given; do not repeat it."),
    (32, None): _ACCOUNT_LIMIT,
    (100, None): _no("Instagram did not accept a part of the request.", quote=True),
    (100, 33): _no("there is no such thing on Instagram, or this account may not see it."),
    (100, 36007): _no(f"the authorisation code has expired; {_START_AGAIN}"),
    (100, 36008): _no(f"the redirect address differs from the one the login began with; use the same; {_START_AGAIN}"),
    (100, 36009): _no(f"the authorisation code has been used already; {_START_AGAIN}"),
    (102, None): _EXPIRED,
    (104, None): Meaning(Kind.MISCONFIGURED, "Instagram wants a token or the app secret proof; check the app secret."),
    (110, 2207013): _no("Instagram knows no professional account of that name; check the spelling."),
    (110, 2207018): _no('a collaborator\'s name is not usable; give public usernames without "@".'),
    (190, None): _EXPIRED,
    (190, 458): _relogin("the app was removed in the account's settings; connect the account again."),
    (190, 459): _act("Instagram wants to check this person first; log in at instagram.com and follow what it asks."),
    (190, 460): _relogin("the password was changed; connect the account again."),
    (190, 463): _EXPIRED,
    (190, 464): _act("the person has not confirmed the account yet; log in at instagram.com and confirm it."),
    (190, 467): _relogin("Instagram ended the session (logout or security); connect the account again."),
    (190, 492): _act("the person has no role on the Facebook Page any more; restore the role, then connect again."),
    (341, None): _APP_LIMIT,
    (368, None): _limit("Instagram has blocked this account's actions for a while; let it rest.", wait=4 * HOUR),
    (613, None): _ACCOUNT_LIMIT,
    (803, None): _no("this id is of another kind than the call needs, or does not exist; check it."),
    (2500, None): _no("Instagram could not read the request.", quote=True),
    (-2, 2207003): _again("Instagram took too long to download the medium; check that its address answers fast."),
    (-2, 2207020): _no("the upload has expired; publish again with a new one."),
    (-1, 2207001): _again("Instagram had a fault of its own; try again."),
    (-1, 2207032): _again("Instagram could not prepare the medium; try again."),
    (-1, 2207053): _again("Instagram could not take the upload; try again with a new one."),
    (-1, 2207073): _no("media of this kind cannot be deleted through the API; delete it in the app."),
    (1, 2207057): _no("the cover's moment lies outside the video; choose one within its length."),
    (4, 2207051): _limit(
        "Instagram suspects spam and has blocked the action; look whether the post is live, then let the account rest.",
        wait=4 * HOUR,
    ),
    (9, 2207042): _limit("today's publishing quota of the account is used up; publish later.", wait=HOUR),
    (10, 2207081): _no("the account has no Trial Reels; publish without the trial option."),
    (24, 2207006): _no("Instagram does not know this medium any more; publish again with a new upload."),
    (24, 2207008): Meaning(
        Kind.REFUSED, "Instagram does not find the upload; publish again with a new one.", retryable=True
    ),
    (25, 2207050): _no("the account is restricted; open the Instagram app and follow what it asks."),
    (100, 2207023): _no("this kind of medium is unknown to Instagram."),
    (100, 2207028): _no(
        f"a carousel needs {LIMITS.carousel_items_min.value} to {LIMITS.carousel_items_max.value} pictures or videos."
    ),
    (100, 2207035): _no("product tags on videos take no position."),
    (100, 2207036): _no("product tags on pictures need a position."),
    (100, 2207037): _no("a product tag is not valid; check the product ids."),
    (100, 2207040): _no(f"the caption mentions more than {LIMITS.caption_mentions.value} people; use fewer."),
    (100, 2207089): _no("a single video has to be published as a reel."),
    (352, 2207026): _no("Instagram does not take this video format; use H.264 with AAC in MP4 or MOV."),
    (9004, 2207052): Meaning(
        Kind.REFUSED,
        "Instagram could not fetch the medium; its address must be public and answer with the file itself.",
        retryable=True,
    ),
    (9007, 2207027): _limit("the upload is still being processed; it can be published in a moment.", wait=MINUTE / 2),
    (36000, 2207004): _no(f"the picture is larger than {LIMITS.image_bytes.whole // 2**20} MiB; make it smaller."),
    (36001, 2207005): _no("Instagram does not take this picture format; use JPEG."),
    (36003, 2207009): _no("the picture is too tall or too wide; Instagram takes 4:5 to 1.91:1."),
    (36004, 2207010): _no(
        f"the caption is too long; Instagram takes {LIMITS.caption_characters.value} characters, "
        f"{LIMITS.caption_hashtags.value} hashtags and {LIMITS.caption_mentions.value} mentions."
    ),
}

_CODES = {subcode: code for code, subcode in MEANINGS if subcode is not None}
_PERMISSIONS = range(200, 300)
_ACCOUNT_LIMITS = frozenset({*range(80000, 80007), 80008, 80009, 80014})

# api.instagram.com refuses in its own short form, with the HTTP status as code: only the text tells one from another.
_SHORT_FORM: tuple[tuple[str, Meaning], ...] = (
    ("matching code", _no(f"the authorisation code is unknown or has been used already; {_START_AGAIN}")),
    ("verification code", _no(f"the authorisation code or the redirect address does not fit; {_START_AGAIN}")),
    (
        "invalid platform app",
        Meaning(
            Kind.MISCONFIGURED,
            "Instagram does not know the app; set the Instagram app id, which is not the Meta app id.",
        ),
    ),
    ("redirect", _no("the redirect address is not registered with the app, or differs from the one used before.")),
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


def meaning_of(code: int, subcode: int | None = None) -> Meaning:
    """The table's entry for a code and subcode, else for the code alone, else a plain refusal."""
    if found := MEANINGS.get((code, subcode)) or MEANINGS.get((code, None)):
        return found
    if code in _PERMISSIONS:
        return _PERMISSION
    return _ACCOUNT_LIMIT if code in _ACCOUNT_LIMITS else _UNKNOWN


def meaning_of_container(container: Container) -> Meaning:
    """What a container that failed or expired died of."""
    if container.state is ContainerState.EXPIRED:
        return MEANINGS[-2, 2207020]
    if container.failure is None:
        return _UNKNOWN
    code, subcode = container.failure
    return meaning_of(code if code is not None else _CODES.get(subcode, 0), subcode)


def revokes(trouble: Trouble) -> bool:
    """Whether this says that the account's permission is over, so that it counts as disconnected."""
    return (
        isinstance(trouble, Reconnect)
        and trouble.code is not None
        and meaning_of(trouble.code, trouble.subcode).revoking
    )


def refusal_in(value: object, hide: Iterable[str] = ()) -> Refusal | None:
    """The refusal that a JSON answer holds, in the Graph envelope or the short form; None when it holds none."""
    hide = tuple(hide)
    sent = wire.record(value)
    if "error_message" in sent or "error_type" in sent:
        return Refusal(said=_said(sent.get("error_message"), hide))
    if not sent.get("error"):
        return None
    error = wire.record(sent["error"])
    return Refusal(
        code=wire.count(error.get("code")),
        subcode=wire.count(error.get("error_subcode")) or None,
        said=_said(error.get("error_user_msg"), hide) or _said(error.get("message"), hide),
        transient=error.get("is_transient") is True,
    )


def _said(value: object, hide: Iterable[str]) -> str | None:
    return scrubbed(wire.text(value) or "", hide) or None


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
    meaning = _in_short_form(refusal) if refusal.code is None else meaning_of(refusal.code, refusal.subcode)
    if meaning is _UNKNOWN and status >= 500:
        meaning = MEANINGS[2, None]
    if refusal.transient and meaning.kind is Kind.REFUSED:
        meaning = replace(meaning, kind=Kind.UNREACHABLE, retryable=True)
    return _verdict(meaning, refusal, headers, what)


def _in_short_form(refusal: Refusal) -> Meaning:
    said = (refusal.said or "").lower()
    return next((meaning for words, meaning in _SHORT_FORM if words in said), _UNKNOWN)


def _by_status(status: int, headers: Mapping[str, str]) -> Meaning:
    if status == 429:
        return _ACCOUNT_LIMIT
    kind = headers.get("content-type", "").split(";")[0].strip()[:60] or "no content type"
    answer = f"the answer was not readable (HTTP {status}, {scrubbed(kind)})"
    return Meaning(Kind.UNREACHABLE, f"{answer}; try again.", retryable=status >= 500 or status < 300)


def _verdict(meaning: Meaning, refusal: Refusal, headers: Mapping[str, str], what: str) -> Verdict:
    message = f"Could not {what}: {meaning.message}"
    if meaning.quote and refusal.said:
        message += f" Instagram says: {refusal.said}"
    if refusal.code is not None:
        numbers = str(refusal.code) if refusal.subcode is None else f"{refusal.code}/{refusal.subcode}"
        message += f" (Instagram code {numbers})"
    wait = _wait(meaning, headers) if meaning.kind is Kind.BUSY else None
    return Verdict(
        trouble=_raised(meaning.kind, message, refusal, wait),
        retryable=meaning.retryable,
        budget=meaning.budget,
    )


def _wait(meaning: Meaning, headers: Mapping[str, str]) -> float | None:
    usage = account_usage(headers) if meaning.budget is Budget.ACCOUNT else None
    if usage is not None and usage.regain_seconds:
        return usage.regain_seconds
    named = wire.count(headers.get("retry-after"))
    return float(named) if named and named > 0 else meaning.wait


def _raised(kind: Kind, message: str, refusal: Refusal, wait: float | None) -> Trouble:
    match kind:
        case Kind.RECONNECT:
            return Reconnect(message, code=refusal.code, subcode=refusal.subcode)
        case Kind.BUSY:
            return Busy(message, code=refusal.code, subcode=refusal.subcode, retry_after=wait)
        case Kind.UNREACHABLE:
            return Unreachable(message, code=refusal.code, subcode=refusal.subcode)
        case Kind.FORBIDDEN:
            return Forbidden(message)
        case Kind.MISCONFIGURED:
            return Misconfigured(message)
        case _:
            return Refused(message, code=refusal.code, subcode=refusal.subcode)
