"""A Cloudinary on a loopback port with the facts of the real one: signatures, tags, versions, delivery, refusals.

It knows one cloud. The Upload API wants a signature over all parameters but the file, the key and what is empty, and a
timestamp of the last hour; the Admin API wants key and secret by Basic authorisation; pictures are delivered to anybody.
"""

import base64
import hashlib
import hmac
import json
import re
import time
from asyncio import Event, StreamWriter, sleep
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pyvips

from tests.backends.pictures import see
from tests.backends.remote import Asked, Remote, remote

CLOUD = "demo-cloud"
KEY = "874837483274837"
SECRET = "a676b67565c6767a6767d6767f676fe1"

FORMATS = {"jpegload_buffer": "jpg", "pngload_buffer": "png", "webpload_buffer": "webp", "gifload_buffer": "gif"}
UNSIGNED = frozenset({"file", "api_key", "resource_type", "cloud_name", "signature"})


@dataclass(eq=False)
class Refusal(Exception):
    """What it answers in place of what was asked for."""

    status: int
    message: str
    headers: tuple[str, ...] = ()


@dataclass(slots=True)
class Stored:
    """A picture that lies there."""

    public_id: str
    body: bytes
    version: int
    format: str
    width: int
    height: int
    tags: list[str]
    context: str = ""


Reply = tuple[int, bytes, str, tuple[str, ...]]


@dataclass(slots=True)
class PretendCloudinary:
    """Its pictures by their public ids, what was done to them, and what goes wrong.

    `troubles` are used up one by one (None: this once it goes well), those for `away` never; `slow` are the seconds before
    every answer of the API, `most_listed` the pictures in one answer of a list, which `circles` lets begin anew for ever.
    """

    pictures: dict[str, Stored] = field(default_factory=dict[str, Stored])
    done: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    troubles: list[Refusal | None] = field(default_factory=list[Refusal | None])
    away: Refusal | None = None
    slow: float = 0.0
    most_listed: int = 500
    circles: bool = False
    secret: str = SECRET
    asked: int = 0
    port: int = 0
    _version: int = 1_700_000_000
    _arrived: Event = field(default_factory=Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> dict[str, object]:
        """What a house has to be told to use it."""
        return {
            "cloudinary_cloud_name": CLOUD,
            "cloudinary_api_key": KEY,
            "cloudinary_api_secret": self.secret,
            "cloudinary_upload_prefix": self.url,
            "outbound_allow": (f"127.0.0.1:{self.port}",),
        }

    def tagged(self, tag: str) -> set[str]:
        """The public ids of pictures with a tag."""
        return {one.public_id for one in self.pictures.values() if tag in one.tags}

    async def reached(self, uploads: int) -> None:
        """Return when so many pictures arrived."""
        while sum(verb == "upload" for verb, _ in self.done) < uploads:
            self._arrived.clear()
            await self._arrived.wait()

    async def play(self, asked: Asked, writer: StreamWriter) -> None:
        method, target, _ = asked.line.split(" ")
        if "/v1_1/" in target:
            self.asked += 1
            await sleep(self.slow)
        try:
            status, body, kind, more = self._answer(method, target, asked)
        except Refusal as no:
            said = {"error": {"message": no.message}}
            status, body, kind = no.status, json.dumps(said).encode(), "application/json"
            more = (f"X-Cld-Error: {no.message}", *no.headers)
        lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
        writer.write("\r\n".join([*lines, *more]).encode() + b"\r\n\r\n" + body)

    def _answer(self, method: str, target: str, asked: Asked) -> Reply:
        path, query = unquote(urlsplit(target).path), parse_qs(urlsplit(target).query)
        if found := re.fullmatch(rf"/{CLOUD}/image/upload/(?:v\d+/)?(.+?)(?:\.(\w+))?", path):
            return self._delivered(found.group(1))
        found = re.fullmatch(r"/v1_1/([^/]+)/(.+)", path)
        if found is None:
            raise Refusal(404, "Not found")
        if trouble := self.troubles.pop(0) if self.troubles else self.away:
            raise trouble
        if found.group(1) != CLOUD:
            raise Refusal(401, "cloud_name mismatch")
        if method == "POST" and found.group(2).startswith("image/"):
            return self._uploading(found.group(2), asked)
        self._authorised(asked)
        return self._administered(method, found.group(2), query)

    def _delivered(self, public_id: str) -> Reply:
        one = self.pictures.get(public_id)
        if one is None:
            raise Refusal(404, f"Resource not found - {public_id}")
        return 200, one.body, f"image/{one.format.replace('jpg', 'jpeg')}", ("Cache-Control: public, max-age=2592000",)

    def _uploading(self, what: str, asked: Asked) -> Reply:
        fields, file = _form(asked)
        self._signed(fields)
        match what:
            case "image/upload":
                return _json(self._upload(fields, file))
            case "image/destroy":
                return _json({"result": self._destroy(fields["public_id"])})
            case "image/tags":
                return _json({"public_ids": self._tag(fields)})
            case _:
                raise Refusal(404, "Not found")

    def _signed(self, fields: Mapping[str, str | list[str]]) -> None:
        if not fields.get("timestamp"):
            raise Refusal(400, "Missing required parameter - timestamp")
        if not fields.get("signature"):
            raise Refusal(400, "Upload preset must be specified when using unsigned upload")
        if fields.get("api_key") != KEY:
            raise Refusal(401, "Unknown API key ")
        stated = int(str(fields["timestamp"]))
        if time.time() - stated > 3600:
            raise Refusal(400, f"Stale request - reported time is {stated} which is more than 1 hour ago")
        signed = {name: value for name, value in fields.items() if name not in UNSIGNED and value}
        text = to_sign(signed)
        if not any(
            hmac.compare_digest(hashlib.new(way, f"{text}{self.secret}".encode()).hexdigest(), str(fields["signature"]))
            for way in ("sha1", "sha256")
        ):
            raise Refusal(401, f"Invalid Signature {fields['signature']}. String to sign - '{text}'.")

    def _upload(self, fields: Mapping[str, Any], file: bytes | None) -> dict[str, object]:
        if file is None:
            raise Refusal(400, "Missing required parameter - file")
        width, height, form = _seen(file)
        name = fields.get("public_id") or hashlib.sha256(file).hexdigest()[:20]
        public_id = f"{fields['folder']}/{name}" if fields.get("folder") else str(name)
        existed = public_id in self.pictures
        if existed and fields.get("overwrite") in ("false", "0"):
            return {**self._described(self.pictures[public_id]), "existing": True}
        self._version += 1
        tags = [tag for tag in str(fields.get("tags", "")).split(",") if tag]
        one = Stored(public_id, file, self._version, form, width, height, tags, str(fields.get("context", "")))
        self.pictures[public_id] = one
        self.done.append(("upload", public_id))
        self._arrived.set()
        said = f"public_id={public_id}&version={one.version}{self.secret}"
        more = {"signature": hashlib.sha1(said.encode()).hexdigest(), "overwritten": existed}
        return {**self._described(one), **more}

    def _destroy(self, public_id: str) -> str:
        self.done.append(("destroy", public_id))
        return "ok" if self.pictures.pop(public_id, None) else "not found"

    def _tag(self, fields: Mapping[str, Any]) -> list[str]:
        there = [one for one in fields["public_ids"] if one in self.pictures]
        given = [tag for tag in str(fields.get("tag", "")).split(",") if tag]
        for public_id in there:
            one = self.pictures[public_id]
            match fields["command"]:
                case "add":
                    one.tags = sorted({*one.tags, *given})
                case "remove":
                    one.tags = [tag for tag in one.tags if tag not in given]
                case "replace":
                    one.tags = given
                case "remove_all":
                    one.tags = []
                case other:
                    raise Refusal(400, f"Invalid command {other}")
            self.done.append((f"tags {fields['command']}", public_id))
        return there

    def _authorised(self, asked: Asked) -> None:
        wanted = base64.b64encode(f"{KEY}:{self.secret}".encode()).decode()
        if asked.headers.get("authorization") != f"Basic {wanted}":
            raise Refusal(401, "Invalid credentials")

    def _administered(self, method: str, path: str, query: Mapping[str, Sequence[str]]) -> Reply:
        if path == "ping":
            return _json({"status": "ok"})
        if found := re.fullmatch(r"resources/image/tags/(.+)", path):
            chosen = [self.pictures[one] for one in sorted(self.tagged(found.group(1)))]
            if method == "DELETE":
                return _json({"deleted": {one.public_id: "deleted" for one in chosen if self._destroy(one.public_id)}})
            most = int(query.get("max_results", ["10"])[0])
            return _json({"resources": [self._described(one) for one in chosen[:most]]})
        if path == "resources/image/upload":
            return _json(self._list({name: values[0] for name, values in query.items()}))
        if found := re.fullmatch(r"resources/image/upload/(.+)", path):
            one = self.pictures.get(found.group(1))
            if one is None:
                raise Refusal(404, f"Resource not found - {found.group(1)}")
            return _json(self._described(one))
        raise Refusal(404, "Not found")

    def _list(self, query: Mapping[str, str]) -> dict[str, object]:
        mine = sorted(one for one in self.pictures if one.startswith(query.get("prefix", "")))
        most = min(int(query.get("max_results", "10")), self.most_listed)
        after = "" if self.circles else base64.urlsafe_b64decode(query.get("next_cursor", "")).decode()
        left = [one for one in mine if one > after]
        chosen = [self._described(self.pictures[one]) for one in left[:most]]
        if len(left) <= most:
            return {"resources": chosen}
        return {"resources": chosen, "next_cursor": base64.urlsafe_b64encode(left[most - 1].encode()).decode()}

    def _described(self, one: Stored) -> dict[str, object]:
        address = f"{self.url}/{CLOUD}/image/upload/v{one.version}/{one.public_id}.{one.format}"
        return {
            "asset_id": hashlib.md5(one.public_id.encode()).hexdigest(),
            "public_id": one.public_id,
            "version": one.version,
            "width": one.width,
            "height": one.height,
            "format": one.format,
            "resource_type": "image",
            "type": "upload",
            "created_at": "2026-11-27T12:00:00Z",
            "tags": list(one.tags),
            "bytes": len(one.body),
            "etag": hashlib.md5(one.body).hexdigest(),
            "url": address,
            "secure_url": address,
        }


def to_sign(fields: Mapping[str, str | list[str]]) -> str:
    """The text that is signed, in which an ampersand of a value is none of those between parameters."""
    said = {name: value if isinstance(value, str) else ",".join(value) for name, value in fields.items()}
    return "&".join(f"{name}={value}".replace("&", "%26") for name, value in sorted(said.items()))


def _form(asked: Asked) -> tuple[dict[str, Any], bytes | None]:
    kind = asked.headers.get("content-type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        pairs = [(name, value) for name, values in parse_qs(asked.body.decode()).items() for value in values]
        return _gathered(pairs), None
    head = f"Content-Type: {kind}\r\nMIME-Version: 1.0\r\n\r\n".encode()
    pairs, file = list[tuple[str, str]](), None
    for part in message_from_bytes(head + asked.body, policy=policy.HTTP).iter_parts():
        name: Any = part.get_param("name", header="content-disposition")
        body: Any = part.get_payload(decode=True)
        if name == "file" and part.get_filename():
            file = body
        else:
            pairs.append((name, body.decode()))
    return _gathered(pairs), file


def _gathered(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name.endswith("[]"):
            found.setdefault(name[:-2], []).append(value)
        else:
            found[name] = value
    return found


def _seen(body: bytes) -> tuple[int, int, str]:
    try:
        image = see(body)
        form = str(image.get("vips-loader"))
    except pyvips.Error:
        raise Refusal(400, "Invalid image file") from None
    return int(image.width), int(image.height), FORMATS.get(form, "jpg")


def _json(value: object) -> Reply:
    return 200, json.dumps(value).encode(), "application/json", ()


@asynccontextmanager
async def pretend_cloudinary() -> AsyncGenerator[tuple[PretendCloudinary, Remote]]:
    """Serve a pretend Cloudinary until the block ends; the remote shows what it was asked."""
    cloud = PretendCloudinary()
    async with remote(cloud.play) as here:
        cloud.port = here.port
        yield cloud, here
