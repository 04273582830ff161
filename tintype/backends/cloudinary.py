"""Cloudinary: pictures put into a cloud of the operator's, tagged and taken out again, by its signed Upload API.

A call is signed with the SHA-1 of its sorted parameters and the secret, which itself does not travel; its `timestamp` keeps
the signature good for an hour. Only what lies there is asked of the Admin API, which wants key and secret themselves. What is
wrong is told in words of ours, because theirs repeat what was signed.
"""

import base64
import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from secrets import token_hex
from typing import Any, cast

from tintype.backends.outbound import Answer, Outbound, Outgoing, Policy
from tintype.errors import Busy, Forbidden, Misconfigured, Refused, Trouble, Unreachable

VERSION = "v1_1"  # of the Upload API, part of every path
MOST_TAGGED = 100  # public ids in one call, which takes a thousand
LISTED = 500  # public ids in one answer, which is what the Admin API gives at most

CALL = Policy(total_seconds=20, first_byte_seconds=20, max_bytes=2**20, https_only=False)
UPLOAD = Policy(total_seconds=60, first_byte_seconds=30, max_bytes=2**20, https_only=False)

_SAID = 200  # characters of a refusal that are repeated
_NOBODYS = "tintype/check/no-such-picture"

Params = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's bytes and their format, as `jpeg`."""

    body: bytes = field(repr=False)
    format: str


@dataclass(frozen=True, slots=True)
class Cloudinary:
    """One cloud, asked as its API key; every method raises `Misconfigured`, `Busy`, `Unreachable` or `Refused`."""

    outbound: Outbound
    url: str
    name: str
    key: str = field(repr=False)
    secret: str = field(repr=False)
    clock: Callable[[], float] = time.time

    async def upload(self, public_id: str, picture: Picture, tags: Sequence[str]) -> str:
        """Put a picture under a public id, over whatever is there, and return the address at which it is served."""
        params = {"public_id": public_id, "overwrite": "true", "tags": ",".join(tags)}
        answer = await self._ask("upload", params, picture)
        address = answer.get("secure_url")
        if not isinstance(address, str) or not address.startswith(("https://", "http://")):
            raise Unreachable("Cloudinary took a picture and gave no address of it", retryable=True)
        return address

    async def destroy(self, public_id: str) -> bool:
        """Take a picture out of the cloud and its caches; tell whether it was there."""
        answer = await self._ask("destroy", {"public_id": public_id, "invalidate": "true"})
        if answer.get("result") not in ("ok", "not found"):
            raise Unreachable("Cloudinary did not say that a picture is gone", retryable=True)
        return answer["result"] == "ok"

    async def tag(self, public_ids: Sequence[str], tags: Sequence[str]) -> None:
        """Let pictures, at most `MOST_TAGGED`, have these tags and no others."""
        said = {"command": "replace", "tag": ",".join(tags)} if tags else {"command": "remove_all"}
        await self._ask("tags", {**said, "public_ids": public_ids})

    async def listed(self, prefix: str) -> frozenset[str]:
        """Return the public ids of all pictures that begin so; each `LISTED` of them are one call."""
        known = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        headers = {"authorization": f"Basic {known}", "accept": "application/json"}
        asked = {"prefix": prefix, "max_results": str(LISTED)}
        found: set[str] = set()
        cursors: set[object] = set()
        cursor: object = ""
        while cursor not in cursors:
            cursors.add(cursor)
            query = {**asked, "next_cursor": str(cursor)} if cursor else asked
            url = f"{self.url}/{VERSION}/{self.name}/resources/image/upload"
            answer = await self._sent(Outgoing("GET", url, query=query, headers=headers), CALL)
            found.update(_ids(answer))
            cursor = answer.get("next_cursor")
            if not cursor:
                return frozenset(found)
        raise Unreachable("Cloudinary lists the same pictures again and again", retryable=True)

    async def check(self) -> None:
        """Go on when Cloudinary takes our signature: it is asked to take out a picture that nobody has."""
        await self.destroy(_NOBODYS)

    async def _ask(self, action: str, params: Params, picture: Picture | None = None) -> Mapping[str, Any]:
        stated = {**params, "timestamp": str(int(self.clock()))}
        signed = {**stated, "api_key": self.key, "signature": signature(stated, self.secret)}
        content_type, content = _form(signed, picture)
        request = Outgoing(
            "POST",
            f"{self.url}/{VERSION}/{self.name}/image/{action}",
            headers={"content-type": content_type, "accept": "application/json"},
            content=content,
        )
        return await self._sent(request, UPLOAD if picture else CALL)

    async def _sent(self, request: Outgoing, policy: Policy) -> Mapping[str, Any]:
        try:
            answer = await self.outbound.send(request, policy)
        except Forbidden as trouble:
            raise Misconfigured(f"{trouble.message}; if it is yours, add its host:port to OUTBOUND_ALLOW") from trouble
        body = _body(answer)
        if answer.status != 200 or body is None or "error" in body:
            raise self._trouble(answer, body)
        return body

    def _trouble(self, answer: Answer, body: Mapping[str, Any] | None) -> Trouble:
        said = _sentence(body)
        match answer.status:
            case 401 | 403:
                return Misconfigured(
                    f"Cloudinary does not take our signature for the cloud {self.name!r} ({answer.status}): check "
                    "CLOUDINARY_CLOUD_NAME, CLOUDINARY_API_KEY and CLOUDINARY_API_SECRET"
                )
            case 420 | 429:
                return Busy("Cloudinary asks us to wait", retry_after=_seconds(answer, self.clock()), retryable=True)
            case 400 if "stale request" in said.lower():
                return Misconfigured("Cloudinary finds our signature too old: set this machine's clock")
            case status if status >= 500 or status in (200, 408) or body is None:
                return Unreachable(f"Cloudinary answered {status} and nothing that can be used", retryable=True)
            case status if status < 400 or status in (404, 405):
                return Misconfigured(f"what answers is not Cloudinary ({status}): check CLOUDINARY_UPLOAD_PREFIX")
            case status:
                return Refused(f"Cloudinary refused a picture ({status}): {said or 'it does not say why'}")


def signature(params: Params, secret: str) -> str:
    """Return the signature of a call's parameters: without the file, the key and what is empty."""
    # An ampersand inside a value would otherwise pass for the beginning of the next parameter.
    pairs = sorted(f"{name}={_joined(value)}".replace("&", "%26") for name, value in params.items() if value)
    return hashlib.sha1(f"{'&'.join(pairs)}{secret}".encode(), usedforsecurity=False).hexdigest()


def _joined(value: str | Sequence[str]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _form(params: Params, picture: Picture | None) -> tuple[str, bytes]:
    border = token_hex(16)
    parts = [_part(border, f'name="{name}"', value.encode()) for name, value in _fields(params)]
    if picture is not None:
        disposition = f'name="file"; filename="picture.{picture.format}"'
        parts.append(_part(border, disposition, picture.body, f"image/{picture.format}"))
    return f"multipart/form-data; boundary={border}", b"".join([*parts, f"--{border}--\r\n".encode()])


def _fields(params: Params) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in params.items():
        found += [(name, value)] if isinstance(value, str) else [(f"{name}[]", one) for one in value]
    return [(name, value) for name, value in found if value]


def _part(border: str, disposition: str, body: bytes, content_type: str = "text/plain; charset=utf-8") -> bytes:
    head = f"--{border}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {content_type}\r\n\r\n"
    return head.encode() + body + b"\r\n"


def _body(answer: Answer) -> Mapping[str, Any] | None:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else None


def _ids(body: Mapping[str, Any]) -> list[str]:
    """Return the public ids of a list; raises `Unreachable` for what is none: nothing may seem gone by that."""
    try:
        return [str(one["public_id"]) for one in body["resources"]]
    except (KeyError, TypeError):
        raise Unreachable("Cloudinary did not say which pictures lie there", retryable=True) from None


def _sentence(body: Mapping[str, Any] | None) -> str:
    error = body.get("error") if body else None
    said = cast("Mapping[str, object]", error).get("message") if isinstance(error, dict) else None
    return said[:_SAID] if isinstance(said, str) else ""


def _seconds(answer: Answer, now: float) -> float | None:
    """Return how long Cloudinary wants to be left alone, where it says so."""
    stated = answer.headers.get("retry-after", "")
    if stated.isascii() and stated.isdigit() and len(stated) < 7:
        return float(stated)
    try:
        reset = parsedate_to_datetime(answer.headers.get("x-featureratelimit-reset", ""))
    except ValueError:
        return None
    return max(0.0, (reset.replace(tzinfo=reset.tzinfo or UTC) - datetime.fromtimestamp(now, UTC)).total_seconds())
