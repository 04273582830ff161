"""One look-up's conversation with Instagram, made from a thread: it has one end, and it ends at the first order to stop.

A library that is told to wait likes to knock at another door, or to try again. Here it cannot: after a signal to stop, each
further request is answered with the same trouble and none is sent.
"""

import asyncio
import contextvars
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from urllib.parse import urlsplit

from tintype.backends.blocking import Bridge
from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy
from tintype.errors import Forbidden, TooLarge, Trouble, Unreachable
from tintype.instagram.public import signals
from tintype.instagram.public.reasons import STOPPING, Reason, reason_of, trouble

T = TypeVar("T")

LARGEST_PAGE = 8 * 2**20
MOST_REQUESTS = 12  # of one look-up; a library needs half of them, and one that is led in a circle would go on for ever
_SILENCE = 10.0  # seconds without a byte after which a request is given up


class Line:
    """What a library may say to Instagram during one look-up; `last` is the good answer it heard last."""

    def __init__(self, bridge: Bridge, *, seconds: float, session: bool = False) -> None:
        self._bridge = bridge
        self._ends = time.monotonic() + seconds
        self._session = session
        self.last: Answer | None = None
        self.status: int | None = None
        self.problem: Trouble | None = None  # the last trouble, which a library may have swallowed
        self.requests = 0

    def send(self, request: Outgoing) -> Answer:
        """Return an answer that refuses nothing; raises the trouble of any other one."""
        if self.problem is not None and reason_of(self.problem) in STOPPING:
            raise self.problem
        try:
            answer = self._ask(request)
            self.status = answer.status
            refused = signals.trouble_in(answer, request.url, wants_json=wants_json(request), session=self._session)
            if refused is not None:
                raise refused
        except Trouble as problem:
            self.problem = problem
            raise
        self.last = answer
        return answer

    def _ask(self, request: Outgoing) -> Answer:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise trouble(Reason.UPSTREAM_TIMEOUT)
        if self.requests == MOST_REQUESTS:
            raise trouble(Reason.BAD_UPSTREAM_RESPONSE)
        self.requests += 1
        try:
            return self._bridge.send(request, page_policy(left))
        except (Unreachable, Forbidden, TooLarge) as problem:
            raise trouble(reason_for(problem, late=time.monotonic() >= self._ends)) from problem


def page_policy(seconds: float) -> Policy:
    """Return what a request for a page or an API answer may do."""
    silence = min(seconds, _SILENCE)
    return Policy(seconds, silence, max_bytes=LARGEST_PAGE, host_suffixes=signals.HOSTS)


def reason_for(problem: Trouble, *, late: bool) -> Reason:
    """Return the reason that a trouble of the way out is."""
    match problem:
        case Forbidden():
            return Reason.UNEXPECTED_REDIRECT
        case TooLarge():
            return Reason.BAD_UPSTREAM_RESPONSE
        case _ if isinstance(problem.__cause__, zlib.error):
            return Reason.BAD_UPSTREAM_RESPONSE
        case _:
            timed_out = late or "in time" in problem.message
            return Reason.UPSTREAM_TIMEOUT if timed_out else Reason.UPSTREAM_UNREACHABLE


def wants_json(request: Outgoing) -> bool:
    """Tell whether a request asks for data, where a page would be a refusal."""
    return request.method == "POST" or urlsplit(request.url).path.startswith(("/api/", "/graphql/"))


class Lines:
    """Runs a library's look-ups in a few threads of their own, each with its line; to be closed at the end."""

    def __init__(self, outbound: Outbound, *, name: str, threads: int = 2, session: bool = False) -> None:
        self._outbound = outbound
        self._session = session
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=f"look-up-{name}")

    async def run(self, work: Callable[[Line], T], *, seconds: float) -> T:
        """Return what the work returns; at the deadline, or when cancelled, the line is cut and the thread comes free."""
        loop = asyncio.get_running_loop()
        bridge = Bridge(self._outbound, loop)
        line = Line(bridge, seconds=seconds, session=self._session)
        context = contextvars.copy_context()
        context.run(_line.set, line)
        try:
            async with asyncio.timeout(seconds):
                return await loop.run_in_executor(self._threads, lambda: context.run(work, line))
        except TimeoutError:
            raise trouble(Reason.UPSTREAM_TIMEOUT) from None
        finally:
            bridge.hang_up()

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False, cancel_futures=True)


_line: contextvars.ContextVar[Line] = contextvars.ContextVar("line")


def current() -> Line:
    """Return the line of the look-up that runs in this thread; raises `RuntimeError` outside of one."""
    try:
        return _line.get()
    except LookupError:
        raise RuntimeError("a library spoke to Instagram outside of a look-up") from None
