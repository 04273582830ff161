"""Logs: one line per happening on stderr, as text or JSON, and no secret in any of them.

Whatever a library puts into a message or a traceback passes the same mask: values that look like tokens, parameters that
carry secrets, passwords in addresses, and the secret settings of this process by their very value.
"""

import json
import logging
import re
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

MASK = "•••"
_SHORTEST = 8  # shorter settings would mask ordinary words

_PATTERNS = (
    # Authorization headers, in messages as well as in dumps of header lists.
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}"),
    # Parameters and JSON fields that are secrets by their name.
    re.compile(
        r"(?i)(\b[\"']?(?:[a-z_]*(?:access_?token|auth_?token|client_secret|app_?secret|appsecret_proof|password|api_?key)"
        r"|fb_exchange_token|instagramAccountSecret|instagramAppSecret|signed_request|secret|token)"
        r"[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,;}<>]{4,}"
    ),
    # These two connect an account for ten minutes; in prose the words mean something else.
    re.compile(r"([?&](?:code|state)=)[^\s&#\"']+"),
    # Passwords in the addresses of databases, brokers and proxies.
    re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)[^\s@/]+(?=@)"),
    # Instagram's and Facebook's tokens, our feed keys and the states of connections, wherever they stand.
    re.compile(r"()\b(?:IG[A-Za-z]{2}|EAA)[A-Za-z0-9_-]{16,}"),
    # JSON Web Tokens: the middle part begins like the first, with the brace of an object.
    re.compile(r"()\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    re.compile(r"()\b(?:fk_[A-Za-z0-9]{20,}|tt_[A-Za-z0-9_-]{20,})"),
)

Format = Literal["text", "json"]

# What all lines of one request or job carry: request_id, dialect, job_id, job, workspace. Those inside may add to it.
_about: ContextVar[dict[str, str] | None] = ContextVar("about", default=None)


@contextmanager
def about(**fields: str) -> Generator[None]:
    """Have every line that is written inside the block carry these fields."""
    token = _about.set({**(_about.get() or {}), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def note(**fields: str) -> None:
    """Add fields to the lines of the present request or job, from here to its end; outside of one it does nothing."""
    if (present := _about.get()) is not None:
        present.update(fields)


class Redaction:
    """Masks secrets in text: those that can be recognised, and those that were named to it."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({one for one in secrets if len(one) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def __call__(self, text: str) -> str:
        """Return `text` with every secret replaced by a mask."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern in _PATTERNS:
            text = pattern.sub(rf"\g<1>{MASK}", text)
        return text


class Lines(logging.Formatter):
    """Writes a record as one masked line; a traceback follows as indented lines, or inside the JSON."""

    def __init__(self, form: Format, redaction: Redaction) -> None:
        super().__init__()
        self._form = form
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = self._redaction(record.getMessage())
        trace = self._redaction(self.formatException(record.exc_info)) if record.exc_info else ""
        told = _about.get() or {}
        if self._form == "json":
            line = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": message, **told}
            return json.dumps(line | ({"trace": trace} if trace else {}), ensure_ascii=False)
        text = f"{at} {record.levelname.lower():7} {record.name}: {message}{_tail(told)}".replace("\n", "\n    ")
        return text + ("\n    " + trace.replace("\n", "\n    ") if trace else "")


def _tail(told: dict[str, str]) -> str:
    return f" ({', '.join(f'{name} {value}' for name, value in told.items())})" if told else ""


class Stderr(logging.Handler):
    """Writes to what stderr is at that moment: a test or an embedding program may have put another in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        with suppress(ValueError, OSError):  # closed, or nobody reads it: a log line is no reason to fail
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()


def set_up(form: Format = "text", level: str = "info", *, secrets: Iterable[str] = ()) -> None:
    """Send all logs of this process to stderr; `secrets` are values that must never be seen in them."""
    handler = Stderr()
    handler.setFormatter(Lines(form, Redaction(secrets)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    # The engine brings a handler of its own, unmasked, unless its logger has one already.
    engine = logging.getLogger("dbos")
    engine.handlers[:] = [handler]
    engine.propagate = False
    for chatty in (
        "dbos",
        "httpcore",
        "httpcore2",
        "httpx",
        "httpx2",
        "alembic",
        "aiosqlite",
        "asyncio",
        "uvicorn",
        "multipart",
        "pyvips",
    ):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, root.level))
