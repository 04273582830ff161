"""How much Instagram is asked for, and when nobody asks at all: pure rules about one way's standing, time passed in.

Nobody publishes how many look-ups an address has; what is known is that they are few and that asking on after a refusal
makes it worse (public-web.md 2.5). So the budget begins small, grows by what succeeds, is halved by every signal of a
limit, and after such a signal there is a pause that doubles. A way that fails for other reasons is left alone for a while,
too: then one look-up at a time tries whether it works again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tintype.errors import Kind
from tintype.instagram.public.reasons import MEANINGS, SHORTLY, STOPPING, Reason

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# Said about one post these are about the post; said about several in a row, they are about who asks.
SUSPICIOUS = frozenset({Reason.LOGIN_REQUIRED, Reason.FEEDBACK_REQUIRED, Reason.SESSION_EXPIRED})
ABOUT_US = STOPPING | SUSPICIOUS
_LIMITS_OF_ONE_ADDRESS = 4  # in a row, each after a pause twice as long as the one before


@dataclass(frozen=True, slots=True)
class Manners:
    """The figures. Budgets are look-ups an hour; a limit's pause is Instagram's own figure or `first_pause`, doubled."""

    start: float = 30.0
    least: float = 2.0
    most: float = 200.0
    growth: float = 0.5  # look-ups an hour won by each success
    first_pause: float = 15 * MINUTE
    longest_pause: float = DAY
    failures: int = 3  # in a row, of different posts, until the way counts as broken
    away_pause: float = SHORTLY  # when Instagram cannot be reached: networks come back soon; doubled as well
    broken_pause: float = 2 * MINUTE  # when its answers are of no use; doubled as well
    longest_broken_pause: float = HOUR
    trial_seconds: float = 60.0  # how long the one trial after a pause may take before another may start


class State(StrEnum):
    """CLOSED: look-ups pass. OPEN: none does until the pause is over. HALF_OPEN: it is over, and one at a time may try."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Verdict(StrEnum):
    """What a person should think of a way: LIMITED is about this address, BROKEN most likely about everybody."""

    WORKING = "working"
    UNKNOWN = "unknown"
    LIMITED = "limited"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Standing:
    """All that is remembered about one way; a value that several processes can share."""

    budget: float
    left: float
    counted_at: datetime
    open_until: datetime | None = None
    trial_until: datetime | None = None
    limits: int = 0  # in a row
    pauses: int = 0  # of a broken way, in a row
    failed: tuple[str, ...] = ()  # the posts of the last failures in a row
    reason: Reason | None = None  # of the last trouble
    last_success: datetime | None = None
    last_failure: datetime | None = None


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a look-up is not made now, and the seconds until one would be."""

    reason: Reason
    seconds: float


@dataclass(frozen=True, slots=True)
class Health:
    """One way's state as a person may read it; `left` of `budget` look-ups an hour are to be had now."""

    way: str
    verdict: Verdict
    state: State
    budget: int
    left: int
    next_at: datetime
    reason: Reason | None
    last_success: datetime | None
    last_failure: datetime | None


def newcomer(manners: Manners, now: datetime) -> Standing:
    """Return how a way stands that was never used."""
    return Standing(manners.start, manners.start, now)


def admit(standing: Standing, manners: Manners, now: datetime) -> tuple[Standing, Denial | None]:
    """Take one look-up out of the budget; or say why not, and the standing is only brought up to date."""
    current = refilled(standing, now)
    wait = _closed_for(current, now)
    if wait > 0:
        return current, Denial(_denied_for(current.reason), wait)
    if current.left < 1:
        return current, Denial(Reason.BUDGET_EXHAUSTED, _until_one(current))
    trial = now + timedelta(seconds=manners.trial_seconds) if current.open_until else None
    return replace(current, left=current.left - 1, trial_until=trial), None


def succeeded(standing: Standing, manners: Manners, now: datetime) -> Standing:
    """Return the standing after an answer, be it the post or that there is none: the way works, the budget grows."""
    grown = min(standing.budget + manners.growth, max(manners.most, standing.budget))
    return replace(
        refilled(standing, now),
        budget=grown,
        open_until=None,
        trial_until=None,
        limits=0,
        pauses=0,
        failed=(),
        reason=None,
        last_success=now,
    )


def limited(
    standing: Standing, manners: Manners, now: datetime, *, reason: Reason, retry_after: float | None = None
) -> Standing:
    """Return the standing after Instagram asked to stop: half the budget, nothing left, and a pause."""
    named = retry_after or manners.first_pause
    pause = _doubled(named, standing.limits, max(manners.longest_pause, named))
    return replace(
        refilled(standing, now),
        budget=max(standing.budget / 2, min(manners.least, standing.budget)),
        left=1.0,  # for the trial when the pause is over
        open_until=_later(standing.open_until, now + timedelta(seconds=pause)),
        trial_until=None,
        limits=standing.limits + 1,
        reason=reason,
        last_failure=now,
    )


def failed(standing: Standing, manners: Manners, now: datetime, *, reason: Reason, shortcode: str) -> Standing:
    """Return the standing after a failure that is not about this post, as far as one can tell.

    Different posts have to fail until the way is left alone for a while; a trial that fails ends in a longer pause.
    """
    seen = (*(code for code in standing.failed if code != shortcode), shortcode)[-manners.failures :]
    noted = replace(refilled(standing, now), failed=seen, reason=reason, last_failure=now, trial_until=None)
    if standing.open_until is None and len(seen) < manners.failures:
        return noted
    first = manners.away_pause if MEANINGS[reason].kind is Kind.UNREACHABLE else manners.broken_pause
    pause = _doubled(first, standing.pauses, manners.longest_broken_pause)
    until = _later(standing.open_until, now + timedelta(seconds=pause))
    return replace(noted, open_until=until, pauses=standing.pauses + 1)


def resting(standing: Standing, now: datetime, *, until: datetime, reason: Reason) -> Standing:
    """Return the standing of a way that stays closed because another one was told to stop."""
    return replace(refilled(standing, now), open_until=_later(standing.open_until, until), reason=reason)


def refilled(standing: Standing, now: datetime) -> Standing:
    """Return the standing with what the budget has won since it was last looked at."""
    passed = max((now - standing.counted_at).total_seconds(), 0.0)
    left = min(standing.left + passed * standing.budget / HOUR, max(standing.budget, 1.0))
    return replace(standing, left=left, counted_at=max(now, standing.counted_at))


def health(way: str, standing: Standing, manners: Manners, now: datetime) -> Health:
    """Return what can be said about a way now."""
    current, denial = admit(standing, manners, now)
    state = _state(standing, now)
    return Health(
        way=way,
        verdict=_verdict(standing, state),
        state=state,
        budget=int(standing.budget),
        left=int(refilled(standing, now).left) if denial is None else 0,
        next_at=current.counted_at + timedelta(seconds=denial.seconds if denial else 0),
        reason=standing.reason,
        last_success=standing.last_success,
        last_failure=standing.last_failure,
    )


def _verdict(standing: Standing, state: State) -> Verdict:
    # A withdrawn query was once answered with "please wait" to everybody, for weeks (public-web.md 3.1, 3).
    if standing.limits > _LIMITS_OF_ONE_ADDRESS:
        return Verdict.BROKEN
    if standing.limits or (state is State.OPEN and standing.reason in ABOUT_US):
        return Verdict.LIMITED
    if standing.pauses:
        return Verdict.BROKEN
    return Verdict.WORKING if standing.last_success else Verdict.UNKNOWN


def _state(standing: Standing, now: datetime) -> State:
    if standing.open_until is None:
        return State.CLOSED
    return State.OPEN if standing.open_until > now else State.HALF_OPEN


def _denied_for(reason: Reason | None) -> Reason:
    return Reason.UPSTREAM_RATE_LIMITED if reason is None or reason in ABOUT_US else reason


def _closed_for(standing: Standing, now: datetime) -> float:
    ends = [end for end in (standing.open_until, standing.trial_until) if end is not None]
    return max(((end - now).total_seconds() for end in ends), default=0.0)


def _until_one(standing: Standing) -> float:
    return (1.0 - standing.left) * HOUR / standing.budget


def _doubled(first: float, times: int, longest: float) -> float:
    return min(first * 2.0 ** min(times, 30), longest)


def _later(one: datetime | None, other: datetime) -> datetime:
    return other if one is None else max(one, other)
