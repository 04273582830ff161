"""What the tests that send nonsense share: how much of it, what it looks like, and what must not happen meanwhile.

FUZZ_CASES asks for more cases than the suite's, and FUZZ_SEED for others.
"""

import logging
import os
import socket
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, TypeVar

import httpx2
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st

CASES = int(os.environ.get("FUZZ_CASES", "100"))
SEED = os.environ.get("FUZZ_SEED")

# An answer that takes longer hangs: other tests may keep the machine busy, but not that long.
SLOW_SECONDS = 10.0

F = TypeVar("F", bound=Callable[..., object])

enough = settings(
    max_examples=CASES,
    deadline=None,
    database=None,
    derandomize=SEED is None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def seeded(test: F) -> F:
    """Have a test draw other cases when FUZZ_SEED says so."""
    return seed(SEED)(test) if SEED is not None else test


LONG = "x" * 5000
# Words that have broken servers: what databases, files, dates, numbers, addresses and pages read in a way of their own.
NASTY = (
    "", " ", "\0", "a\0b", "../../etc/passwd", "%00", "%", "true", "null", "None", "NaN", "-1", "0", "1e400", "9" * 40,
    "9223372036854775808", "2147483648", "0x10", "1_000", "\u0661", "\u00b2", "2026-02-30", "0000-00", "9999-12-31", "10000-01", "9999-12-31T23:59",
    "0001-01-01", "2026-13", "Europe/Nowhere", "../Berlin", "https://evil.example/", "//evil.example/", "/\\evil.example",
    "javascript:alert(1)", "http://[::1", "http://\u2100.example/", "http://a:99999999/", "<script>", "{{7*7}}", "'\"--;",
    "a@b@c", "\r\nX-Split: yes", "\u202e", "\ufeff", "\U0001f408" * 50, "{", "[]", '{"a":', "\u0130", "\u00df" * 300, LONG,
)  # fmt: skip

# By number: what is drawn from is written out in every failure, and these are long.
words = st.integers(0, len(NASTY) - 1).map(NASTY.__getitem__) | st.text(max_size=20).map(
    lambda text: text.encode("utf-8", "replace").decode()
)


class Complaints(logging.Handler):
    """Keeps what the log tells of faults of ours: errors and tracebacks. A warning alone is about Instagram or an operator."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one line, and the last words of its traceback."""
        if record.levelno >= logging.ERROR or record.exc_info:
            trace = logging.Formatter().formatException(record.exc_info)[-1500:] if record.exc_info else ""
            self.heard.append(f"{record.levelname} {record.name}: {record.getMessage()[:300]} {trace}".strip())


@contextmanager
def complaints() -> Generator[list[str]]:
    """Listen to the log while the block runs."""
    ear, root = Complaints(), logging.getLogger()
    root.addHandler(ear)
    try:
        yield ear.heard
    finally:
        root.removeHandler(ear)


def sent(client: httpx2.Client, request: httpx2.Request) -> httpx2.Response:
    """Send a request, once more where the server had just let go of the connection, as it does after a body it did not read."""
    try:
        return client.send(request)
    except httpx2.TransportError:
        return client.send(request)


@contextmanager
def nobody_looked_up() -> Generator[None]:
    """Let no name of another machine be looked up while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", _nobody_is_looked_up)
        yield


def _nobody_is_looked_up(host: Any, *more: Any, **also: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in (None, "localhost", "127.0.0.1", "::1"):
        raise socket.gaierror(socket.EAI_NONAME, "this test looks nobody up")
    return _looked_up(host, *more, **also)


_looked_up = socket.getaddrinfo
