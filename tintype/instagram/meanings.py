"""What Instagram's numbers mean: one table of code and subcode, read by whoever has an answer or a dead container.

Every entry says what is so (`cause`) and what a person can do about it (`action`), both as phrases that a sentence is made of.
Sources: graph-api.md 5.2 and 5.3, publishing.md 2.5. Texts of Meta's are not read here: they change, the numbers stay.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tintype.errors import Kind
from tintype.instagram.limits import LIMITS
from tintype.instagram.model import Container, ContainerState

MINUTE = 60.0
HOUR = 60 * MINUTE
LAYER = 1_000_000  # from here on a subcode belongs to one code only, so it speaks for itself


class Budget(StrEnum):
    """What a rate limit of Instagram's counts together."""

    APP = "app"
    ACCOUNT = "account"


class Category(StrEnum):
    """Where the cause of a refusal lies, for those who group or count them."""

    MEDIA_FORMAT = "media_format"
    MEDIA_FETCH = "media_fetch"
    POLICY = "policy"
    RATE_LIMIT = "rate_limit"
    PERMISSION = "permission"
    TOKEN = "token"  # noqa: S105 - a category, not a secret
    TRANSIENT = "transient"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a refusal is, why, what to do, and whether asking again (after `wait` seconds, if any) may help."""

    kind: Kind
    category: Category
    cause: str
    action: str
    retryable: bool = False
    revoking: bool = False  # the account's permission is over: only a new login helps
    wait: float | None = None  # seconds, when Instagram names none itself
    budget: Budget | None = None  # the call budget that is used up
    quote: bool = False  # Instagram's own words add something

    @property
    def sentence(self) -> str:
        """Cause and action, ready to follow "Could not …: "."""
        return f"{self.cause}; {self.action}."


def _no(category: Category, cause: str, action: str, *, retryable: bool = False, quote: bool = False) -> Meaning:
    return Meaning(Kind.REFUSED, category, cause, action, retryable=retryable, quote=quote)


def _again(cause: str, action: str = "try again", category: Category = Category.TRANSIENT) -> Meaning:
    return Meaning(Kind.UNREACHABLE, category, cause, action, retryable=True)


def _calls(cause: str, wait: float, budget: Budget | None = None) -> Meaning:
    action = "wait, it goes on by itself"
    return Meaning(Kind.BUSY, Category.RATE_LIMIT, cause, action, retryable=True, wait=wait, budget=budget)


def _pause(category: Category, cause: str, action: str, wait: float, *, retryable: bool = False) -> Meaning:
    return Meaning(Kind.BUSY, category, cause, action, retryable=retryable, wait=wait)


def _relogin(cause: str) -> Meaning:
    return Meaning(Kind.RECONNECT, Category.TOKEN, cause, "connect the account again", revoking=True)


def _visit(cause: str, action: str) -> Meaning:
    return Meaning(Kind.RECONNECT, Category.TOKEN, cause, action)


_FORMAT, _FETCH, _POLICY = Category.MEDIA_FORMAT, Category.MEDIA_FETCH, Category.POLICY
_PERMIT, _CONFLICT, _OTHER = Category.PERMISSION, Category.CONFLICT, Category.UNKNOWN
_RESTART = "start connecting again from the beginning"
_PUBLIC = "make its address public, without login, and let it answer fast with the file itself"
_RENEW = "publish again with a new upload"

_WINDOW = float(LIMITS.app_rate_window.value)
APP_LIMIT = _calls("the app has made too many calls to Instagram", _WINDOW, Budget.APP)
ACCOUNT_LIMIT = _calls("this account has made too many calls to Instagram", _WINDOW, Budget.ACCOUNT)
PERMISSION = Meaning(
    Kind.FORBIDDEN,
    Category.PERMISSION,
    "the account did not grant a permission that this needs",
    "connect it again and allow everything that is asked",
    quote=True,
)
UNAVAILABLE = _again("Instagram is not available at the moment")
UNKNOWN = _no(_OTHER, "Instagram refused it", "check what was sent, and report it if it stays so", quote=True)
_EXPIRED = _relogin("the access token has expired or is not valid")
_TOO_OLD = _no(_CONFLICT, "the upload has expired", _RENEW)
_UNFETCHED = _no(_FETCH, "Instagram could not fetch the medium", _PUBLIC, retryable=True)
_UNUSABLE = _no(_FORMAT, "Instagram could not process the video", "convert it to H.264 with AAC in MP4 or MOV")

# A key without subcode holds for every subcode not named beside it; one without code was seen in a container's text only.
MEANINGS: Mapping[tuple[int | None, int | None], Meaning] = {
    (1, None): _again("Instagram had a fault of its own"),
    (2, None): UNAVAILABLE,
    (4, None): APP_LIMIT,
    (10, None): PERMISSION,
    (12, None): _no(_OTHER, "this id is not one of a professional Instagram account", "check the account id"),
    (17, None): ACCOUNT_LIMIT,
    (18, None): _calls("too many different hashtags were searched this week", 24 * HOUR),
    (20, 1772107): _no(_CONFLICT, "the write has happened, only its answer could not be given", "do not repeat it"),
    (32, None): ACCOUNT_LIMIT,
    (100, None): _no(_OTHER, "Instagram did not accept a part of the request", "check what was sent", quote=True),
    (100, 33): _no(
        _OTHER,
        "there is no such thing on Instagram, or this account may not see it",
        "check the id, or look again later",
    ),
    (100, 36007): _no(Category.TOKEN, "the authorisation code has expired", _RESTART),
    (100, 36008): _no(
        Category.TOKEN,
        "the redirect address differs from the one the login began with",
        f"use the same, and {_RESTART}",
    ),
    (100, 36009): _no(Category.TOKEN, "the authorisation code has been used already", _RESTART),
    (102, None): _EXPIRED,
    (104, None): Meaning(
        Kind.MISCONFIGURED, Category.TOKEN, "Instagram wants a token or the app secret proof", "check the app secret"
    ),
    (110, 2207013): _no(_OTHER, "Instagram knows no professional account of that name", "check the spelling"),
    (110, 2207018): _no(_POLICY, "a collaborator's name is not usable", 'give public usernames without "@"'),
    (190, None): _EXPIRED,
    (190, 458): _relogin("the app was removed in the account's settings"),
    (190, 459): _visit("Instagram wants to check this person first", "log in at instagram.com and follow what it asks"),
    (190, 460): _relogin("the password was changed"),
    (190, 463): _EXPIRED,
    (190, 464): _visit("the person has not confirmed the account yet", "log in at instagram.com and confirm it"),
    (190, 467): _relogin("Instagram ended the session (logout or security)"),
    (190, 492): _visit("the person has no role on the Facebook Page any more", "restore the role, then connect again"),
    (341, None): APP_LIMIT,
    (368, None): _pause(
        _POLICY, "Instagram has blocked this account's actions for a while", "let it rest", wait=4 * HOUR
    ),
    (613, None): ACCOUNT_LIMIT,
    (803, None): _no(_OTHER, "this id is of another kind than the call needs, or does not exist", "check it"),
    (2500, None): _no(_OTHER, "Instagram could not read the request", "check what was sent", quote=True),
    (-2, 2207003): _again("Instagram took too long to download the medium", _PUBLIC, Category.MEDIA_FETCH),
    (-2, 2207020): _TOO_OLD,
    (-1, 2207001): _again("Instagram had a fault of its own"),
    (-1, 2207032): _again("Instagram could not prepare the medium"),
    (-1, 2207053): _again("Instagram could not take the upload", "try again with a new one"),
    (-1, 2207073): _no(_POLICY, "media of this kind cannot be deleted through the API", "delete it in the app"),
    (1, 2207057): _no(_FORMAT, "the cover's moment lies outside the video", "choose one within its length"),
    (4, 2207051): _pause(
        Category.RATE_LIMIT,
        "Instagram suspects spam and has blocked the action",
        "look whether the post is live, then let the account rest",
        wait=4 * HOUR,
    ),
    (9, 2207042): _pause(
        Category.RATE_LIMIT,
        "today's publishing quota of the account is used up",
        "publish later",
        wait=HOUR,
        retryable=True,
    ),
    (10, 2207081): _no(_PERMIT, "the account has no Trial Reels", "publish without the trial option"),
    (24, 2207006): _no(_CONFLICT, "Instagram does not know this medium any more", _RENEW),
    (24, 2207008): _no(_CONFLICT, "Instagram does not find the upload", _RENEW, retryable=True),
    (25, 2207050): _no(_PERMIT, "the account is restricted", "open the Instagram app and follow what it asks"),
    (100, 2207023): _no(
        _FORMAT, "this kind of medium is unknown to Instagram", "publish a picture, reel, story or carousel"
    ),
    (100, 2207028): _no(
        _POLICY,
        "the carousel has too few or too many items",
        f"give it {LIMITS.carousel_items_min.value} to {LIMITS.carousel_items_max.value} pictures or videos",
    ),
    (100, 2207035): _no(_POLICY, "product tags on videos take no position", "leave the position out"),
    (100, 2207036): _no(_POLICY, "product tags on pictures need a position", "give each an x and a y"),
    (100, 2207037): _no(_POLICY, "a product tag is not valid", "check the product ids"),
    (100, 2207040): _no(
        _POLICY, f"the caption mentions more than {LIMITS.caption_mentions.value} people", "mention fewer"
    ),
    (100, 2207089): _no(_FORMAT, "a single video cannot be published as a video", "publish it as a reel"),
    (352, 2207026): _no(_FORMAT, "Instagram does not take this video format", "use H.264 with AAC in MP4 or MOV"),
    (9004, 2207052): _UNFETCHED,
    (9007, 2207027): _pause(
        Category.TRANSIENT,
        "the upload is still being processed",
        "publish it in a moment",
        wait=MINUTE / 2,
        retryable=True,
    ),
    (36000, 2207004): _no(
        _FORMAT, f"the picture is larger than {LIMITS.image_bytes.whole // 2**20} MiB", "make it smaller"
    ),
    (36001, 2207005): _no(_FORMAT, "Instagram does not take this picture format", "use JPEG"),
    (36003, 2207009): _no(_FORMAT, "the picture is too tall or too wide", "crop or pad it to between 4:5 and 1.91:1"),
    (36004, 2207010): _no(
        _POLICY,
        "the caption is too long",
        f"keep to {LIMITS.caption_characters.value} characters, {LIMITS.caption_hashtags.value} hashtags and "
        f"{LIMITS.caption_mentions.value} mentions",
    ),
    (None, 2207076): _no(
        _FORMAT, "Instagram could not process the video, or its address does not serve it", f"check both: {_PUBLIC}"
    ),
    (None, 2207077): _no(_FETCH, "Instagram could not download the video", _PUBLIC, retryable=True),
    (None, 2207082): _again(
        "the upload of the medium failed", "try again, or make the file smaller", Category.MEDIA_FETCH
    ),
    (None, 2207085): _UNUSABLE,
}

_BY_SUBCODE = {subcode: meaning for (_, subcode), meaning in MEANINGS.items() if subcode and subcode >= LAYER}
_PERMISSIONS = range(200, 300)
_ACCOUNT_LIMITS = frozenset({*range(80000, 80007), 80008, 80009, 80014})


def meaning_of(code: int | None, subcode: int | None = None) -> Meaning:
    """The table's entry for a code and subcode, else for the subcode, else for the code alone, else a plain refusal."""
    found = MEANINGS.get((code, subcode)) or _BY_SUBCODE.get(subcode or 0) or MEANINGS.get((code, None))
    if found:
        return found
    if code in _PERMISSIONS:
        return PERMISSION
    return ACCOUNT_LIMIT if code in _ACCOUNT_LIMITS else UNKNOWN


def meaning_of_container(container: Container) -> Meaning:
    """What a container that failed or expired died of."""
    if container.state is ContainerState.EXPIRED:
        return _TOO_OLD
    return meaning_of(*container.failure) if container.failure else UNKNOWN
