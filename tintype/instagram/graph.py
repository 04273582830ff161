"""Sends calls to Instagram, for both logins: deadline, pacing, safe retries, refusals turned into `Trouble`.

The token travels in the Authorization header, never in an address. Lists are walked by cursor: Meta's `paging.next` addresses
contain the token and grow until they fail when followed (graph-api.md I30).
"""

import asyncio
import hashlib
import hmac
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import TypeVar

from tintype import metrics
from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy
from tintype.errors import Forbidden, Reconnect, TooLarge, Trouble, Unreachable
from tintype.instagram import wire
from tintype.instagram.calls import Call, Host, checked_id
from tintype.instagram.errors import Verdict, judged, refusal_in
from tintype.instagram.meanings import Budget, meaning_of
from tintype.instagram.model import App, Login, Page
from tintype.instagram.publishing import transferred
from tintype.instagram.usage import Throttle, Usage, account_usage, app_usage

T = TypeVar("T")

PAUSES = (0.25, 0.75)  # seconds before the two repetitions of a safe call; each is taken 0.5 to 1.5 times
LARGEST_ANSWER = 8 * 1024 * 1024  # bytes; a page of 100 carousels is under one
UPLOAD_SECONDS = 900.0  # for a reel of the largest size over a slow line
UPLOAD_PAUSES = (1.0, 4.0, 15.0)  # seconds before an upload is taken up again
BAD_TOKEN = 190  # what Instagram answers to text that cannot be a token, which a header could not even carry
SECRET_KEYS = ("access_token", "client_secret", "code", "fb_exchange_token")
HOSTS = tuple(host.value for host in Host)


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Graph:
    """Instagram's API of one version, asked on behalf of one app (None: without its secret); share one throttle."""

    outbound: Outbound
    version: str
    timeout_seconds: float
    throttle: Throttle = field(default_factory=Throttle)
    app: App | None = None
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = utc_now
    rest: Callable[[float], Awaitable[object]] = asyncio.sleep

    def using(self, app: App | None) -> "Graph":
        """The same, on behalf of another app."""
        return replace(self, app=app)

    async def ask(self, call: Call[T], token: str | None) -> T:
        """What the call asks for, within `timeout_seconds`; raises a Trouble.

        Only calls that change nothing are repeated, at most twice, when Instagram or the way to it failed for a moment.
        """
        if token is not None and not _may_be_token(token):
            raise _no_token(call.name)
        deadline = self.clock() + self.timeout_seconds
        for pause in (*PAUSES, None):
            outcome = await self._try(call, token, deadline)
            if not isinstance(outcome, Verdict):
                return call.parse(outcome)
            if pause is None or not (call.safe and outcome.retryable):
                raise outcome.trouble
            nap = pause * random.uniform(0.5, 1.5)  # noqa: S311 - spreads retries, guards nothing
            if self.clock() + nap >= deadline:
                raise outcome.trouble
            await self.rest(nap)
        raise AssertionError("the last pause is None, so the loop has returned or raised")

    async def pages(self, call: Call[Page[T]], token: str | None) -> AsyncIterator[Page[T]]:
        """The pages of a list from this call's on, each asked for when it is wanted; raises Unreachable on a circle."""
        seen: set[str] = set()
        page = await self.ask(call, token)
        yield page
        while page.after is not None:
            if page.after in seen:
                raise Unreachable(f"Could not {call.name}: Instagram's pages go in a circle; try again later.")
            seen.add(page.after)
            page = await self.ask(call.at(page.after), token)
            yield page

    async def upload(
        self,
        login: Login,
        container_id: str,
        token: str,
        read_from: Callable[[int], AsyncIterator[bytes]],
        *,
        size: int,
        timeout_seconds: float = UPLOAD_SECONDS,
    ) -> None:
        """Sends a video's `size` bytes to a resumable container; `read_from(offset)` gives those from an offset on.

        After a break it asks how much has arrived and sends the rest, up to three times; `timeout_seconds` is for all of it.
        """
        deadline = self.clock() + timeout_seconds
        failure = Unreachable("Could not upload the video: there was no time for it.")
        for tried, pause in enumerate((0.0, *UPLOAD_PAUSES)):
            if self.clock() + pause >= deadline:
                break
            try:
                if tried:
                    await self.rest(pause)
                offset = await self.ask(transferred(login, container_id), token) if tried else 0
                if offset < size:
                    await self._send_rest(container_id, token, read_from(offset), (offset, size), deadline)
                return
            except Unreachable as trouble:
                failure = trouble
        raise failure

    async def _send_rest(
        self, container_id: str, token: str, body: AsyncIterator[bytes], part: tuple[int, int], deadline: float
    ) -> None:
        offset, size = part
        what = "upload the video"
        if not _may_be_token(token):
            raise _no_token(what)
        request = Outgoing(
            method="POST",
            url=f"https://{Host.RUPLOAD}/ig-api-upload/{self.version}/{checked_id(container_id)}",
            headers={
                "authorization": f"OAuth {token}",
                "offset": str(offset),
                "file_size": str(size),
                "content-length": str(size - offset),
            },
            content=body,
        )
        try:
            answer = await self.outbound.send(request, self._policy(deadline - self.clock()))
        except (Unreachable, Forbidden, TooLarge) as trouble:
            raise _unanswered(what, trouble).trouble from trouble
        outcome = _read(answer, what, lambda: (token,))
        if isinstance(outcome, Verdict):
            raise outcome.trouble

    async def _try(self, call: Call[T], token: str | None, deadline: float) -> object | Verdict:
        kind, budgets = _ID.sub("", call.name), self._budgets(token)
        wait = self.throttle.admit(*budgets.values())
        if wait > 0:
            await self.rest(wait)
            deadline += wait
        try:
            with metrics.measured(metrics.INSTAGRAM_SECONDS, kind):
                answer = await self.outbound.send(self._request(call, token), self._policy(deadline - self.clock()))
        except (Unreachable, Forbidden, TooLarge) as trouble:
            _count(kind, trouble.kind.value).inc()
            return _unanswered(call.name, trouble)
        self._note(budgets, {Budget.APP: app_usage(answer.headers), Budget.ACCOUNT: account_usage(answer.headers)})
        outcome = _read(answer, call.name, lambda: self._secrets(call, token))
        told = outcome.trouble.kind.value if isinstance(outcome, Verdict) else "ok"
        _count(kind, told).inc()
        if isinstance(outcome, Verdict) and outcome.budget and outcome.trouble.retry_after:
            self.throttle.stop(budgets[outcome.budget], outcome.trouble.retry_after)
        return outcome

    def _note(self, budgets: Mapping[Budget, str], used: Mapping[Budget, Usage | None]) -> None:
        for budget, usage in used.items():
            self.throttle.note(budgets[budget], usage)
            if usage is not None:
                _meter(budget.value).set(usage.percent)

    def _budgets(self, token: str | None) -> dict[Budget, str]:
        app = self.app.id if self.app else ""
        account = hashlib.sha256(token.encode()).hexdigest() if token else ""
        return {Budget.APP: f"app {app}", Budget.ACCOUNT: f"account {app} {account}"}

    def _request(self, call: Call[T], token: str | None) -> Outgoing:
        version = f"{self.version}/" if call.versioned else ""
        return Outgoing(
            method=call.method,
            url=f"https://{call.host}/{version}{call.path}",
            query={**call.params, **self._proof(call, token)},
            headers={"accept": "application/json", **({"authorization": f"Bearer {token}"} if token else {})},
            form=call.form,
        )

    def _proof(self, call: Call[T], token: str | None) -> dict[str, str]:
        if token is None or self.app is None or call.host is not Host.GRAPH_FACEBOOK:
            return {}
        return {"appsecret_proof": hmac.new(self.app.secret.encode(), token.encode(), hashlib.sha256).hexdigest()}

    def _secrets(self, call: Call[T], token: str | None) -> tuple[str, ...]:
        sent = {**call.params, **(call.form or {})}
        known = (token, self.app.secret if self.app else None, *(sent.get(key) for key in SECRET_KEYS))
        return tuple(secret for secret in known if secret)

    def _policy(self, seconds: float) -> Policy:
        left = max(seconds, 0.01)
        return Policy(total_seconds=left, first_byte_seconds=left, max_bytes=LARGEST_ANSWER, host_suffixes=HOSTS)


_count = cache(metrics.INSTAGRAM.labels)  # looking a child up by its labels costs more than counting
_meter = cache(metrics.USAGE.labels)

_ID = re.compile(r" \S*\d{5}\S*")  # what a call is about; figures are kept of its kind alone


def _may_be_token(token: str) -> bool:
    return token.isascii() and token.isprintable() and token != "" and " " not in token


def _no_token(what: str) -> Reconnect:
    meaning = meaning_of(BAD_TOKEN)
    return Reconnect(f"Could not {what}: {meaning.sentence}", code=BAD_TOKEN, action=meaning.action)


def _unanswered(what: str, trouble: Trouble) -> Verdict:
    # The guard's and the cap's words are about Instagram's answer here, not about what our caller may do.
    passing = isinstance(trouble, Unreachable)
    spoken = Unreachable(f"Could not {what}: {trouble.message}; try again.", action="try again", retryable=passing)
    return Verdict(spoken, retryable=passing)


def _read(answer: Answer, what: str, hide: Callable[[], Iterable[str]]) -> object | Verdict:
    if 200 <= answer.status < 300:
        with suppress(ValueError):
            value = wire.decoded(answer.body)
            if refusal_in(value) is None:
                return value
    return judged(answer.status, answer.headers, answer.body, what=what, hide=hide())
