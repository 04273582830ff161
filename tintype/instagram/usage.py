"""How much of Instagram's call budget is used, and how fast we may therefore go on.

Meta tells both in headers of its answers: `X-App-Usage` for the app as a whole, `X-Business-Use-Case-Usage` per account.
Calls above the limit fail and lengthen the wait, so we slow down early and stop before it (graph-api.md chapter 6).
"""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tintype.errors import Busy
from tintype.instagram import wire
from tintype.instagram.limits import LIMITS

MINUTE = 60.0

SLOW_FROM = 70  # percent of the budget: from here calls are spaced
STOP_FROM = 90  # percent of the budget: from here no call is made until the budget has recovered
SLOWEST = 2.0  # seconds between two calls just below STOP_FROM
LONGEST_WAIT = 2.0  # seconds one call may be held back; a caller who would wait longer is told when to come back

_SHARES = ("call_count", "total_time", "total_cputime", "call_volume", "cpu_time")


@dataclass(frozen=True, slots=True)
class Usage:
    """The fullest of Meta's meters in percent, and the seconds until calls work again, where Meta gave them."""

    percent: int
    regain_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """What a usage means: seconds between two calls, and seconds without any call."""

    spacing: float = 0.0
    stop: float = 0.0


def app_usage(headers: Mapping[str, str]) -> Usage | None:
    """The app's usage from an answer's headers (lower-case names); None when they do not tell."""
    percents = _percents(_json(headers.get("x-app-usage")))
    return Usage(max(percents)) if percents else None


def account_usage(headers: Mapping[str, str]) -> Usage | None:
    """The account's usage from an answer's headers: the fullest of up to 32 entries; None when they do not tell."""
    entries = [
        entry for listed in _json(headers.get("x-business-use-case-usage")).values() for entry in wire.records(listed)
    ]
    percents = [percent for entry in entries for percent in _percents(entry)]
    minutes = [_whole(entry.get("estimated_time_to_regain_access")) or 0 for entry in entries]
    if not percents and not any(minutes):
        return None
    return Usage(max(percents, default=0), max(minutes) * MINUTE or None)


def _json(header: str | None) -> Mapping[str, object]:
    if header is None:
        return {}
    try:
        return wire.record(wire.decoded(header))
    except ValueError:
        return {}


def _percents(meters: Mapping[str, object]) -> list[int]:
    read = (_whole(meters.get(share)) for share in _SHARES)
    return [percent for percent in read if percent is not None]


def _whole(value: object) -> int | None:
    amount = wire.number(value)
    return None if amount is None or amount < 0 else min(math.ceil(amount), 1_000_000)


def pace(usage: Usage) -> Pace:
    """How to go on: freely below 70 %, more slowly up to 90 %, not at all from there or when Meta names a wait."""
    if usage.regain_seconds is not None and usage.regain_seconds > 0:
        return Pace(stop=usage.regain_seconds)
    if usage.percent >= STOP_FROM:
        return Pace(stop=float(LIMITS.app_rate_window.value))
    if usage.percent >= SLOW_FROM:
        return Pace(spacing=SLOWEST * (usage.percent - SLOW_FROM + 1) / (STOP_FROM - SLOW_FROM))
    return Pace()


@dataclass(slots=True)
class _Gate:
    """What is known about one budget; `until` is when that knowledge is too old to act on."""

    pace: Pace
    until: float
    free_at: float = 0.0


@dataclass(slots=True)
class Throttle:
    """Remembers the last usage per budget and holds calls back accordingly.

    A budget is an app, or an app with one account. The memory is this process's own: another process learns the same from
    its own answers.
    """

    clock: Callable[[], float] = time.monotonic
    _gates: dict[str, _Gate] = field(default_factory=dict[str, _Gate], init=False, repr=False)

    def admit(self, *budgets: str) -> float:
        """Seconds to wait before the call (0 mostly, never over 2); raises Busy when calls have to stop for longer."""
        now = self.clock()
        gates = [gate for gate in map(self._gates.get, budgets) if gate is not None and gate.until > now]
        stopped = max((gate.until - now for gate in gates if gate.pace.stop > 0), default=0.0)
        wait = max((gate.free_at - now for gate in gates), default=0.0)
        if stopped > 0 or wait > LONGEST_WAIT:
            raise Busy(
                "Instagram's call budget is nearly used up, so the call was not made; it recovers by itself.",
                retry_after=math.ceil(max(stopped, wait)),
                action="wait, it goes on by itself",
                retryable=True,
            )
        for gate in gates:
            gate.free_at = max(gate.free_at, now) + gate.pace.spacing
        return max(wait, 0.0)

    def note(self, budget: str, usage: Usage | None) -> None:
        """Takes in what an answer's headers said; None changes nothing."""
        if usage is None:
            return
        now, known = self.clock(), self._gates.get(budget)
        going = pace(usage)
        if known is not None and known.pace.stop > 0 and known.until > now and going.stop == 0:
            return  # an answer that was under way when the stop came must not lift it
        if going == Pace():
            self._gates.pop(budget, None)
            return
        until = now + (going.stop or float(LIMITS.app_rate_window.value))
        self._keep(budget, _Gate(going, until, known.free_at if known else 0.0))

    def stop(self, budget: str, seconds: float) -> None:
        """Makes no call on this budget for so long, because Instagram refused one."""
        now = self.clock()
        known = self._gates.get(budget)
        until = max(now + seconds, known.until if known and known.pace.stop > 0 else now)
        self._keep(budget, _Gate(Pace(stop=seconds), until))

    def _keep(self, budget: str, gate: _Gate) -> None:
        now = self.clock()
        self._gates = {name: each for name, each in self._gates.items() if each.until > now} | {budget: gate}
