"""Reading numbers from Instagram: in one question where that works, and without the metrics that it refuses by name."""

import logging
import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import date, datetime

from tintype.core.accounts import Grip
from tintype.core.insights.days import bounds, ended_by
from tintype.core.insights.model import DAY, METRICS, NAVIGATION, Product, Sample, Target, product_of
from tintype.errors import Forbidden, Refused, Unreachable
from tintype.instagram import Call, Graph, InsightSet, Login, Media, Metric, Profile, calls

log = logging.getLogger(__name__)

REMEMBERED = DAY  # a metric that was refused for a product is asked for again after this long

_NOT_ACCEPTED = 100
_NOT_FOUND = 33


@dataclass(slots=True)
class Refusals:
    """Which metrics Instagram refused for what, lately. It is this process's own memory: another one asks once itself."""

    _until: dict[tuple[str, str], datetime] = field(default_factory=dict[tuple[str, str], datetime], repr=False)

    def without(self, kind: str, metrics: Sequence[str], now: datetime) -> tuple[str, ...]:
        """Return the metrics that are worth asking for."""
        return tuple(name for name in metrics if self._until.get((kind, name), now) <= now)

    def note(self, kind: str, metrics: Set[str], now: datetime) -> None:
        """Remember that these were refused."""
        self._until |= {(kind, name): now + REMEMBERED for name in metrics}


@dataclass(frozen=True, slots=True)
class _Answer:
    given: Mapping[str, Metric]
    refused: frozenset[str] = frozenset()

    def plus(self, other: "_Answer") -> "_Answer":
        return _Answer({**self.given, **other.given}, self.refused | other.refused)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one account's numbers with one opened token."""

    graph: Graph
    grip: Grip
    refusals: Refusals

    @property
    def _asking(self) -> Graph:
        return self.graph.using(self.grip.app)

    @property
    def _login(self) -> Login:
        return self.grip.account.login

    @property
    def _user(self) -> str:
        # A token of Instagram Login speaks for one account; its own number is not always accepted (graph-api.md 1.3).
        return "me" if self._login is Login.INSTAGRAM_LOGIN else self.grip.account.instagram_id

    async def medium(self, target: Target) -> Sequence[Sample]:
        """Return a medium's numbers as they are now; None for those that Instagram left out.

        A story with too few viewers has no numbers yet, which is no trouble.
        """
        now = self.graph.now()
        kind = f"{self._login}:{target.product}"
        asked = self.refusals.without(kind, METRICS[target.product], now)
        if not asked:
            return ()
        try:
            answer = await self._metrics(lambda names: calls.insights_media(self._login, target.media_id, names), asked)
        except Forbidden as trouble:
            if target.product is Product.STORY and "not enough viewers" in trouble.message.lower():
                return [Sample(name, None, now) for name in asked]
            raise
        self.refusals.note(kind, answer.refused, now)
        found = [
            Sample(name, answer.given[name].total if name in answer.given else None, now)
            for name in asked
            if name not in answer.refused
        ]
        return [*found, *(await self._navigation(target, now) if "navigation" in answer.given else ())]

    async def profile(self) -> Profile:
        """Return the account as Instagram shows it now, with its counts."""
        return await self._asking.ask(calls.profile(self._login, self._user), self.grip.token)

    async def reach(self, since: date, until: date) -> Sequence[Sample]:
        """Return the reach of each day from `since` to `until` that Instagram tells."""
        start, end = bounds(since)[0], bounds(until)[1]
        call = calls.insights_account(
            self._login, self._user, ("reach",), metric_type="time_series", since=start, until=end
        )
        answer = await self._asking.ask(call, self.grip.token)
        now = self.graph.now()
        points = [point for metric in answer.metrics if metric.name == "reach" for point in metric.points]
        return [
            Sample("reach", point.value, now, period_start=point.end_time - DAY, period_end=point.end_time)
            for point in points
            if point.end_time is not None and since <= ended_by(point.end_time) <= until
        ]

    async def views(self, day: date) -> Sample:
        """Return the views of one day, None when Instagram does not tell; there is no series of them to ask for."""
        start, end = bounds(day)
        call = calls.insights_account(
            self._login, self._user, ("views",), metric_type="total_value", since=start, until=end
        )
        answer = await self._asking.ask(call, self.grip.token)
        return Sample("views", answer.total("views"), self.graph.now(), period_start=start, period_end=end)

    async def unknown_media(self, known: Set[str], since: datetime) -> Sequence[Target]:
        """Return the account's media that are not known yet, newest first, until a page brings no news."""
        found: list[Target] = []
        async for page in self._asking.pages(calls.media_page(self._login, self._user), self.grip.token):
            news = [media for media in page.items if media.id not in known and media.timestamp >= since]
            found.extend(self._targets(news))
            if not news:
                break
        return found

    async def stories(self) -> Sequence[Target]:
        """Return the account's stories of the last 24 hours."""
        page = await self._asking.ask(calls.stories(self._login, self._user), self.grip.token)
        return self._targets(page.items)

    async def item(self, media_id: str) -> Target | None:
        """Return one medium of this account; None when it is somebody else's, does not exist or has no numbers."""
        try:
            media = await self._asking.ask(calls.media_item(self._login, media_id), self.grip.token)
        except Refused as trouble:
            if (trouble.code, trouble.subcode) == (_NOT_ACCEPTED, _NOT_FOUND):
                return None
            raise
        return next(iter(self._targets((media,))), None)

    def _targets(self, media: Sequence[Media]) -> list[Target]:
        account = self.grip.account
        products = [(one, product_of(one)) for one in media]
        return [
            Target(account.id, account.workspace_id, one.id, product, one.timestamp, one.permalink, one.caption or "")
            for one, product in products
            if product is not None
        ]

    async def _navigation(self, target: Target, now: datetime) -> Sequence[Sample]:
        call = calls.insights_media(self._login, target.media_id, ("navigation",), breakdown=NAVIGATION)
        try:
            answer = await self._asking.ask(call, self.grip.token)
        except (Refused, Unreachable) as trouble:
            log.info("how people left story %s is not known: %s", target.media_id, trouble.message)
            return ()
        slices = [part for metric in answer.metrics if metric.name == "navigation" for part in metric.slices]
        return [
            Sample("navigation", part.value, now, breakdown=part.dimensions[0][1].lower()[:64])
            for part in slices
            if len(part.dimensions) == 1
        ]

    async def _metrics(self, call: Callable[[Sequence[str]], Call[InsightSet]], asked: Sequence[str]) -> _Answer:
        """Ask for metrics, and again without those that are refused; raises `Refused` when all of them are."""
        try:
            answer = await self._asking.ask(call(asked), self.grip.token)
        except Refused as trouble:
            if trouble.code != _NOT_ACCEPTED or trouble.subcode == _NOT_FOUND or len(asked) == 1:
                raise
            return await self._parts(call, asked, refused_in(trouble.message, asked))
        return _Answer({metric.name: metric for metric in answer.metrics})

    async def _parts(
        self, call: Callable[[Sequence[str]], Call[InsightSet]], asked: Sequence[str], refused: str | None
    ) -> _Answer:
        if refused is not None:
            rest = tuple(name for name in asked if name != refused)
            return _Answer({}, frozenset((refused,))).plus(await self._metrics(call, rest))
        middle = len(asked) // 2
        first, second = await self._half(call, asked[:middle]), await self._half(call, asked[middle:])
        troubles = [half for half in (first, second) if isinstance(half, Refused)]
        if len(troubles) == 2:
            raise troubles[0]
        return _together(first, asked[:middle]).plus(_together(second, asked[middle:]))

    async def _half(
        self, call: Callable[[Sequence[str]], Call[InsightSet]], asked: Sequence[str]
    ) -> "_Answer | Refused":
        try:
            return await self._metrics(call, asked)
        except Refused as trouble:
            return trouble


def _together(half: "_Answer | Refused", asked: Sequence[str]) -> _Answer:
    return _Answer({}, frozenset(asked)) if isinstance(half, Refused) else half


def refused_in(message: str, asked: Sequence[str]) -> str | None:
    """Return which of the asked metrics a refusal names, by its place or by its name; None when it does not tell."""
    if place := re.search(r"\bmetric\[(\d{1,3})\]", message):
        return asked[int(place[1])] if int(place[1]) < len(asked) else None
    words = set(re.findall(r"[a-z_]+", message))
    named = [name for name in asked if name in words]
    return named[0] if len(named) == 1 else None
