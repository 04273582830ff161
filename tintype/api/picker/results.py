"""Results of conversions as browsers get them, and those that are asked for often as ready messages in memory.

An answer is remembered under the letters of its address. It is dropped by event when its file changes, and looked at again
after a minute. The route that answers from here is plain ASGI in front of everything else: no framework, no copy.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tintype.api.picker.serving import HARMLESS, disposition, known
from tintype.core.files import Derived, Plan, newest
from tintype.events import AccountChanged, Event, FileRemoved, FileStored, WorkspaceChanged

RECHECK_SECONDS = 60.0
MOST_BYTES = 128 * 2**20
LARGEST = 4 * 2**20  # bytes of a result that is held
FRESH_SECONDS = 3600  # for browsers and networks of caches; a handle may get another content

Key = tuple[bytes, bytes]
_NO_BODY: Message = {"type": "http.response.body", "body": b""}


@dataclass(frozen=True, slots=True)
class Form:
    """One result, ready to be sent: its tag, the two messages that send it, and the one that says "not modified"."""

    etag: bytes
    start: Message
    body: Message
    unchanged: Message


@dataclass(frozen=True, slots=True)
class Entry:
    """What an address answers, by what the client shows where that makes a difference."""

    handles: frozenset[str]
    varies: bool
    until: float
    forms: dict[str, Form]

    @property
    def size(self) -> int:
        return sum(len(form.body["body"]) for form in self.forms.values())


@dataclass(slots=True)
class Results:
    """Holds the answers that are asked for often; `extra` are headers that every answer of the dialect has."""

    extra: tuple[tuple[bytes, bytes], ...] = ()
    clock: Callable[[], float] = time.monotonic
    entries: dict[Key, Entry] = field(default_factory=dict[Key, Entry])
    held: int = 0
    changes: int = 0

    def find(self, key: Key, accept: bytes) -> Form | None:
        """Return what an address answers, without waiting for anything."""
        entry = self.entries.get(key)
        if entry is None or entry.until < self.clock():
            return None
        return entry.forms.get(newest(accept.decode("latin-1")) if entry.varies else "")

    def keep(
        self, key: Key, accept: bytes, response: Response, *, handles: frozenset[str], varies: bool, seconds: float
    ) -> None:
        """Remember an answer for at most so many seconds, and a minute."""
        body = bytes(response.body)
        if len(body) > LARGEST or seconds <= 0:
            return
        before = self.entries.get(key)
        forms = dict(before.forms) if before and before.varies == varies and before.until > self.clock() else {}
        forms[newest(accept.decode("latin-1")) if varies else ""] = _form(response, body, self.extra)
        self._drop(key)
        until = self.clock() + min(RECHECK_SECONDS, seconds)
        entry = Entry(handles, varies, min(until, before.until) if before and len(forms) > 1 else until, forms)
        self.entries[key] = entry
        self.held += entry.size
        while self.held > MOST_BYTES and len(self.entries) > 1:
            self._drop(next(iter(self.entries)))

    def forget(self, event: Event) -> None:
        """Drop what an event made old."""
        match event:
            case FileStored() | FileRemoved():
                gone = [key for key, entry in self.entries.items() if event.handle in entry.handles]
            case WorkspaceChanged() | AccountChanged():  # an app's settings, or access to what a link shows
                gone = list(self.entries)
            case _:
                return
        self.changes += 1
        for key in gone:
            self._drop(key)

    def _drop(self, key: Key) -> None:
        entry = self.entries.pop(key, None)
        self.held -= entry.size if entry else 0


@dataclass(frozen=True, slots=True)
class HotResults:
    """GET of a result from memory; everything else goes to `behind`."""

    results: Results
    behind: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.behind(scope, receive, send)
            return
        accept = tags = b""
        credentials = False
        for name, value in scope["headers"]:
            if name == b"accept":
                accept = value
            elif name == b"if-none-match":
                tags = value
            elif name == b"authorization":
                credentials = True
        form = None if credentials else self.results.find(key_of(scope), accept)
        if form is None:
            await self.behind(scope, receive, send)
        elif tags and form.etag in tags:
            await send(form.unchanged)
            await send(_NO_BODY)
        else:
            await send(form.start)
            await send(form.body)


def key_of(scope: Scope) -> Key:
    """Return the letters of a request's address, as they were sent: decoding would make two different ones the same."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.partition(b"?")[0], scope["query_string"]


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long an answer may be kept by whoever gets it; `private` ones only by the client itself."""

    seconds: int = FRESH_SECONDS
    private: bool = False
    store: bool = True

    @property
    def header(self) -> str:
        if not self.store:
            return "no-store"
        return f"{'private' if self.private else 'public'}, max-age={self.seconds}"


def answer(request: Request, result: Derived, filename: str, plan: Plan, lasting: Lasting) -> Response:
    """Return a result, or that the client has it already."""
    etag = f'"{result.etag}"'
    headers: dict[str, str] = {
        **HARMLESS,
        "ETag": etag,
        "Cache-Control": lasting.header,
        **({"Vary": "Accept"} if plan.varies else {}),
    }
    if known(request, etag):
        return Response(status_code=304, headers=headers)
    headers["Content-Disposition"] = disposition(filename, result.content_type, download=False)
    return Response(result.data, media_type=result.content_type, headers=headers)


def _form(response: Response, body: bytes, extra: tuple[tuple[bytes, bytes], ...]) -> Form:
    headers = [*response.raw_headers, *extra]
    told: Mapping[bytes, bytes] = dict(headers)
    kept = [one for one in headers if one[0] not in (b"content-length", b"content-type", b"content-disposition")]
    return Form(
        told[b"etag"],
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": body},
        {"type": "http.response.start", "status": 304, "headers": kept},
    )
