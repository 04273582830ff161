"""The doors behind which public posts are found: tried in order, politely, and left alone when they should be.

Another door is tried only when the one before gave an answer of no use, or fails for one post after another. Who is told to
wait, that a post is gone or that it is not for him, does not knock at the next one; neither does who reached nobody: he tries
once more, and comes back later (public-web.md 2.4).
"""

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from tintype.errors import Kind, Trouble
from tintype.instagram.public import manners as rules
from tintype.instagram.public.manners import SUSPICIOUS, Denial, Health, Manners, Standing, State
from tintype.instagram.public.model import PublicPost, Way
from tintype.instagram.public.reasons import AFTER_A_LIMIT, MEANINGS, STOPPING, Reason, reason_of, trouble

T = TypeVar("T")

_ANOTHER_MAY_HELP = frozenset({Kind.REFUSED, Kind.UNREACHABLE})
_JITTER = (0.2, 0.6)  # seconds before the one try more

Change = Callable[[Standing | None], tuple[Standing, T]]


class Standings(Protocol):
    """Where the standing of each way is kept, so that all processes of a house share one budget."""

    async def change(self, way: str, rule: Change[T]) -> T:
        """Replace a way's standing (None: not known yet) by what the rule makes of it, undisturbed by others."""
        ...


@dataclass(slots=True)
class MemoryStandings:
    """Standings of this process alone."""

    _known: dict[str, Standing] = field(default_factory=dict[str, Standing])

    async def change(self, way: str, rule: Change[T]) -> T:
        """Replace a way's standing."""
        self._known[way], result = rule(self._known.get(way))
        return result


class Asks(Protocol):
    """Finds out why a post is not shown."""

    async def why_missing(self, shortcode: str, *, seconds: float) -> Reason: ...


@dataclass(frozen=True, slots=True)
class Doors:
    """Looks public posts up by the `ways`, in their order; `asks` finds out why a post is missing.

    All ways are this address's: when one of them is told to stop, all of them rest.
    """

    ways: Sequence[Way]
    asks: Asks
    now: Callable[[], datetime]
    manners: Manners = field(default_factory=Manners)
    standings: Standings = field(default_factory=MemoryStandings)
    seconds: float = 30.0
    at_once: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def look_up(self, shortcode: str) -> PublicPost:
        """Return a public post; raises a trouble with a reason (`reason_of`) and an honest `retry_after`.

        Never waits for Instagram's limits to pass: when nothing may be asked now, that is said at once.
        """
        ends = time.monotonic() + self.seconds
        try:
            async with asyncio.timeout(self.seconds):
                await self.at_once.acquire()
        except TimeoutError:
            raise trouble(Reason.UPSTREAM_TIMEOUT) from None
        try:
            return await self._through(shortcode, ends)
        finally:
            self.at_once.release()

    async def rest(self, problem: Trouble) -> None:
        """Let all ways rest after a limit that was met elsewhere, at the media host."""
        first = self.ways[0]
        if (await self._change(first, self._health(first))).state is not State.OPEN:
            await self._noted(first, problem, "")

    async def health(self) -> tuple[Health, ...]:
        """Return how each way stands."""
        return tuple([await self._change(way, self._health(way)) for way in self.ways])

    def close(self) -> None:
        """Let the ways end what they hold."""
        for way in self.ways:
            way.close()

    async def _through(self, shortcode: str, ends: float) -> PublicPost:
        problem: Trouble | None = None
        denials: list[Denial] = []
        for way in self.ways:
            denial = await self._change(way, self._admit)
            if denial is not None:
                denials.append(denial)
                if _is_for_all(denial):
                    break
                continue
            try:
                return await self._patiently(way, shortcode, ends)
            except Trouble as found:
                problem = found
                if not await self._goes_on(way, found):
                    raise
        raise problem or _denied(denials)

    async def _patiently(self, way: Way, shortcode: str, ends: float) -> PublicPost:
        """Ask one way, and once more when it was only the connection that failed."""
        try:
            return await self._by(way, shortcode, (ends - time.monotonic()) / 2)
        except Trouble as problem:
            if not await self._may_try_again(problem, ends) or await self._change(way, self._admit) is not None:
                raise
        left = ends - time.monotonic()
        return await self._by(way, shortcode, left if way is self.ways[-1] else left / 2)

    async def _goes_on(self, way: Way, problem: Trouble) -> bool:
        """Tell whether the next way may help: this one's answer was of no use, or it fails for one post after another."""
        if reason_of(problem) is Reason.BAD_UPSTREAM_RESPONSE:
            return True
        return problem.kind in _ANOTHER_MAY_HELP and (await self._change(way, self._health(way))).state is State.OPEN

    async def _by(self, way: Way, shortcode: str, seconds: float) -> PublicPost:
        ends = time.monotonic() + seconds
        try:
            try:
                post = await way.look_up(shortcode, seconds=seconds)
            except Trouble as problem:
                if reason_of(problem) is not Reason.POST_MISSING:
                    raise
                left = max(ends - time.monotonic(), 0.01)
                raise trouble(await self.asks.why_missing(shortcode, seconds=left)) from problem
        except Trouble as problem:
            raise await self._noted(way, problem, shortcode) from problem.__cause__
        await self._change(way, self._succeeded)
        return post

    async def _noted(self, way: Way, problem: Trouble, shortcode: str) -> Trouble:
        """Learn from a trouble, and return it with the wait that follows from it."""
        reason = reason_of(problem) or Reason.BAD_UPSTREAM_RESPONSE
        if reason in STOPPING - SUSPICIOUS:
            named = problem.retry_after if problem.retry_after != AFTER_A_LIMIT else None
            until = await self._change(way, self._limited(reason, named))
            resting = self._resting(until, reason)
            await asyncio.gather(*(self._change(other, resting) for other in self.ways if other is not way))
            wait = math.ceil((until - self.now()).total_seconds())
            return trouble(reason, retry_after=wait) if problem.kind is Kind.BUSY else problem
        if reason in SUSPICIOUS or problem.kind in _ANOTHER_MAY_HELP:
            await self._change(way, self._failed(reason, shortcode))
        else:
            await self._change(way, self._succeeded)
        return problem

    async def _may_try_again(self, problem: Trouble, ends: float) -> bool:
        nap = random.uniform(*_JITTER)  # noqa: S311 - spreads retries, guards nothing
        if problem.kind is not Kind.UNREACHABLE or time.monotonic() + nap >= ends:
            return False
        await asyncio.sleep(nap)
        return True

    async def _change(self, way: Way, rule: Callable[[Standing, datetime], tuple[Standing, T]]) -> T:
        now = self.now()
        return await self.standings.change(
            way.name, lambda known: rule(known or rules.newcomer(self.manners, now), now)
        )

    def _admit(self, standing: Standing, now: datetime) -> tuple[Standing, Denial | None]:
        return rules.admit(standing, self.manners, now)

    def _succeeded(self, standing: Standing, now: datetime) -> tuple[Standing, None]:
        return rules.succeeded(standing, self.manners, now), None

    def _limited(self, reason: Reason, retry_after: float | None) -> "Rule[datetime]":
        def rule(standing: Standing, now: datetime) -> tuple[Standing, datetime]:
            new = rules.limited(standing, self.manners, now, reason=reason, retry_after=retry_after)
            return new, new.open_until or now

        return rule

    def _resting(self, until: datetime, reason: Reason) -> "Rule[None]":
        return lambda standing, now: (rules.resting(standing, now, until=until, reason=reason), None)

    def _failed(self, reason: Reason, shortcode: str) -> "Rule[None]":
        return lambda standing, now: (
            rules.failed(standing, self.manners, now, reason=reason, shortcode=shortcode),
            None,
        )

    def _health(self, way: Way) -> "Rule[Health]":
        return lambda standing, now: (standing, rules.health(way.name, standing, self.manners, now))


Rule = Callable[[Standing, datetime], tuple[Standing, T]]


def _is_for_all(denial: Denial) -> bool:
    return MEANINGS[denial.reason].kind not in _ANOTHER_MAY_HELP


def _denied(denials: Sequence[Denial]) -> Trouble:
    final = next((denial for denial in denials if _is_for_all(denial)), None)
    soonest = final or min(denials, key=lambda denial: denial.seconds)
    return trouble(soonest.reason, retry_after=math.ceil(soonest.seconds))
