"""Ready answers: one body in every form that can be asked for (plain, gzip, br, and the 304 of each), as ASGI messages."""

import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import brotli
from fastapi import Request
from starlette.responses import Response
from starlette.types import Message

BROTLI_QUALITY = 5  # 11 costs twenty times the CPU for a tenth fewer bytes

_ENCODINGS = (b"br", b"gzip")


@dataclass(frozen=True, slots=True)
class Form:
    """One form of an answer: its ETag and the two messages that send it, and the one that says "not modified"."""

    etag: bytes
    start: Message
    body: Message
    unchanged: Message

    def answer(self, request: Request) -> Response:
        """Return this as an answer of the framework, for the paths that are not hot."""
        known = request.headers.get("if-none-match", "").encode("latin-1")
        same = bool(known) and matches(known, self)
        start = self.unchanged if same else self.start
        answer = Response(b"" if same else self.body["body"], start["status"])
        answer.raw_headers = list(start["headers"])
        return answer


Forms = Mapping[bytes, Form]


def forms_of(body: bytes, headers: Iterable[tuple[bytes, bytes]], kind: bytes = b"application/json") -> Forms:
    """Return a body in all its forms."""
    digest = hashlib.sha256(body).hexdigest()[:32].encode()
    common = [*headers, (b"vary", b"Accept-Encoding"), (b"content-type", kind)]
    return {
        b"": _form(body, b'"' + digest + b'"', common),
        b"gzip": _form(
            gzip.compress(body, 6, mtime=0), b'"' + digest + b'-gz"', [*common, (b"content-encoding", b"gzip")]
        ),
        b"br": _form(
            _brotli(body),
            b'"' + digest + b'-br"',
            [*common, (b"content-encoding", b"br")],
        ),
    }


def fitting(forms: Forms, accept_encoding: bytes) -> Form:
    """Return the form for what a client accepts."""
    for encoding in _ENCODINGS:
        if encoding in accept_encoding and not _refused(accept_encoding, encoding):
            return forms[encoding]
    return forms[b""]


def _form(body: bytes, etag: bytes, headers: list[tuple[bytes, bytes]]) -> Form:
    sent = [*headers, (b"etag", etag), (b"content-length", str(len(body)).encode())]
    kept = [pair for pair in [*headers, (b"etag", etag)] if pair[0] not in (b"content-type", b"content-encoding")]
    return Form(
        etag,
        {"type": "http.response.start", "status": 200, "headers": sent},
        {"type": "http.response.body", "body": body},
        {"type": "http.response.start", "status": 304, "headers": kept},
    )


def _brotli(body: bytes) -> bytes:
    # The library comes without types.
    compress: Callable[..., bytes] = brotli.compress  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return compress(body, quality=BROTLI_QUALITY)


def _refused(accept_encoding: bytes, encoding: bytes) -> bool:
    """Tell whether a client names an encoding only to say that it does not want it (`br;q=0`)."""
    if b"q=0" not in accept_encoding:
        return False
    for part in accept_encoding.split(b","):
        name, _, quality = part.strip().partition(b";")
        if name.strip() == encoding:
            return quality.replace(b" ", b"") in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return True


def matches(if_none_match: bytes, form: Form) -> bool:
    """Tell whether a client already has a form; weak comparison, as If-None-Match wants it (RFC 9110, 13.1.2)."""
    if if_none_match == form.etag:
        return True
    given = [tag.strip().removeprefix(b"W/") for tag in if_none_match.split(b",")]
    return form.etag in given or b"*" in given
