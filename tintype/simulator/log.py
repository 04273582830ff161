"""What was asked of the pretend Instagram, call by call, with every secret masked."""

from collections import deque
from dataclasses import dataclass
from itertools import islice
from urllib.parse import parse_qsl, urlencode

SECRETS = frozenset(
    (
        "access_token",
        "input_token",
        "client_secret",
        "code",
        "fb_exchange_token",
        "appsecret_proof",
        "signed_request",
        "lsd",
        "fb_dtsg",
        "state",
        "hub.verify_token",
    )
)
KEPT = 100_000  # entries; a day of polling stays readable and memory bounded
ALWAYS = ("n", "at", "method", "host", "path", "query", "status")
SOMETIMES = ("took_ms", "fault", "username", "effect")


@dataclass(slots=True)
class Entry:
    """One call; `fault`, `username` and `effect` are filled in while it is answered, `took_ms` when it has been."""

    n: int
    at: float
    method: str
    host: str
    path: str
    query: str
    status: int = 0
    took_ms: float | None = None
    fault: str | None = None
    username: str | None = None
    effect: str | None = None


class Log:
    """Entries in the order of arrival; their numbers start at 1 and never repeat."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._count = 0

    def open(self, *, at: float, method: str, host: str, path: str, query: str) -> Entry:
        """Begin the entry of a call; the caller fills in the rest."""
        self._count += 1
        entry = Entry(self._count, at, method, host, path, masked(query) if query else "")
        self._entries.append(entry)
        return entry

    def since(self, n: int) -> list[dict[str, object]]:
        """Entries numbered above n; took_ms, fault, username and effect only where there is one."""
        return [_told(entry) for entry in self._entries if entry.n > n]

    def last(self, count: int) -> list[Entry]:
        """The newest entries, newest first."""
        return list(islice(reversed(self._entries), count))


def _told(entry: Entry) -> dict[str, object]:
    told: dict[str, object] = {name: getattr(entry, name) for name in ALWAYS}
    return told | {name: value for name in SOMETIMES if (value := getattr(entry, name)) is not None}


def masked(query: str) -> str:
    """A query string in which no value of a secret parameter is left."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, "***" if name in SECRETS else value) for name, value in pairs], safe="*,{}()")
