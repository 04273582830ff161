"""What goes over the wire to an outlet and is no recipe: one call of its API, a form, the sentence in a refusal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, cast

from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy
from tintype.errors import Busy, Forbidden, Misconfigured, Refused, Trouble, Unreachable

_SAID = 300  # characters of a refusal that are repeated
_DEPTH = 8
_LEAVES = 4


# Thirty ingredients take Tandoor three seconds on a loaded machine, and a machine at home may be a small one.
LIMITS = Policy(total_seconds=60, first_byte_seconds=60, max_bytes=8 * 1024 * 1024, https_only=False)


async def call(
    outbound: Outbound,
    url: str,
    token: str,
    method: str,
    path: str,
    *,
    query: Mapping[str, str] | None = None,
    json: object | None = None,
    form: tuple[str, bytes] | None = None,
) -> Answer:
    """Ask an API below `url`, as whom the token names; a `form` is its content type and its bytes."""
    headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
    kind, content = form or (None, None)
    known = {**headers, "content-type": kind} if kind else headers
    address = f"{url.rstrip('/')}/api/{path}"
    request = Outgoing(method, address, query=query or {}, headers=known, json=json, content=content)
    try:
        return await outbound.send(request, LIMITS)
    except Forbidden as trouble:
        raise Misconfigured(f"{trouble.message}; if it is yours, add its host:port to OUTBOUND_ALLOW") from trouble


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture in a format that every outlet takes, with the name ending and type that say so."""

    data: bytes
    ending: str
    content_type: str


def cover_of(data: bytes) -> Cover | None:
    """Return the bytes as a cover when they are a JPEG, PNG, GIF or WebP: outlets judge by the name's ending first."""
    if data.startswith(b"\xff\xd8\xff"):
        return Cover(data, "jpg", "image/jpeg")
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Cover(data, "png", "image/png")
    if data.startswith((b"GIF87a", b"GIF89a")):
        return Cover(data, "gif", "image/gif")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Cover(data, "webp", "image/webp")
    return None


def multipart(fields: Mapping[str, str], cover: Cover) -> tuple[str, bytes]:
    """Return the content type and body of a form with plain fields and the cover as the file `image`."""
    border = token_hex(16)
    parts = [
        _part(border, f'name="{name}"', "text/plain; charset=utf-8", value.encode()) for name, value in fields.items()
    ]
    picture = f'name="image"; filename="cover.{cover.ending}"'
    parts.append(_part(border, picture, cover.content_type, cover.data))
    return f"multipart/form-data; boundary={border}", b"".join([*parts, f"--{border}--\r\n".encode()])


def _part(border: str, disposition: str, content_type: str, body: bytes) -> bytes:
    head = f"--{border}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {content_type}\r\n\r\n"
    return head.encode() + body + b"\r\n"


def body_of(answer: Answer) -> Any:
    """Return the JSON in an answer, or None: both Tandoor and the proxies before it also answer with pages."""
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def object_of(answer: Answer) -> dict[str, Any]:
    """Return the JSON object in an answer, empty when there is none."""
    found = body_of(answer)
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def sentence(body: object) -> str:
    """Return a refusal that mirrors the payload as one sentence: "steps 1, ingredients 2, unit: This field is required."""
    leaves = list(_leaves(body, ()))
    told = "; ".join(f"{', '.join(path)}: {text}" if path else text for path, text in leaves[:_LEAVES])
    more = f" (and {len(leaves) - _LEAVES} more)" if len(leaves) > _LEAVES else ""
    return (told[:_SAID] + more) or "it does not say why"


def _leaves(body: object, path: tuple[str, ...]) -> "list[tuple[tuple[str, ...], str]]":
    if isinstance(body, dict) and len(path) < _DEPTH:
        named = cast("dict[str, object]", body)
        return [leaf for key, value in named.items() for leaf in _leaves(value, (*path, *_word(key)))]
    if isinstance(body, list) and len(path) < _DEPTH:
        listed = cast("list[object]", body)
        numbered = any(isinstance(value, dict | list) for value in listed)
        return [
            leaf
            for place, value in enumerate(listed, 1)
            for leaf in _leaves(value, (*path[:-1], f"{path[-1]} {place}") if numbered and path else path)
        ]
    return [(path, body.strip())] if isinstance(body, str) and body.strip() else []


def _word(key: str) -> tuple[str, ...]:
    return () if key in ("non_field_errors", "detail", "details", "message") else (key,)


def trouble_of(who: str, setting: str, answer: Answer, *, doing: str) -> Trouble:
    """Return what an answer that is not a success means; `setting` names what a person would have to mend."""
    body = body_of(answer)
    said = sentence(body) if body is not None else ""
    match answer.status:
        case 301 | 302 | 307 | 308:
            return Misconfigured(f"{who} has moved: write its new address, with https, into {setting}_URL")
        case 401 | 403:
            return Misconfigured(f"{who} did not let us {doing} ({said or answer.status}): check {setting}_TOKEN")
        case 404 | 405:
            return Misconfigured(f"{who} is not what answers there ({answer.status}): check {setting}_URL")
        case 429:
            return Busy(f"{who} asks us to wait", retry_after=_seconds(answer), retryable=True)
        case status if status in (408, 425) or status >= 500 or body is None:
            return Unreachable(f"{who} answered {status} and no reason when asked to {doing}", retryable=True)
        case _:
            return Refused(f"{who} did not {doing}: {said}")


def _seconds(answer: Answer) -> float | None:
    stated = answer.headers.get("retry-after", "")
    return float(stated) if stated.isascii() and stated.isdigit() and len(stated) < 7 else None
