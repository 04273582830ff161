"""The pretend Instagram's media hosts: signed addresses that expire, byte ranges, and broken deliveries on demand."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from functools import partial
from typing import cast
from urllib.parse import urlencode

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from tintype.simulator import deliveries, faults
from tintype.simulator.deliveries import EXPIRED, GONE, Dripping, Truncated
from tintype.simulator.faults import Fault
from tintype.simulator.log import Entry
from tintype.simulator.magic import MAGIC
from tintype.simulator.model import Rendition
from tintype.simulator.photographs import photograph
from tintype.simulator.shelf import Shelf
from tintype.simulator.videos import video
from tintype.simulator.world import World

FOLDERS = {"image": "t51.29350-15", "poster": "t51.36329-15", "profile": "t51.2885-19", "video": "t66.30100-16"}
FILE = re.compile(r"/v/t[\d.]+-\d+/([^/_]+)_([^/_]+)_([^/]+)_n\.(jpg|mp4)")
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
MISMATCH = "URL signature mismatch"
TYPES = {"image": "image/jpeg", "video": "video/mp4"}
CLIP = 640  # pixels of the longer side; whoever reads a pretend clip looks at its format, not at its detail
FIRST_DAY = 1_577_836_800  # 2020-01-01, when files that belong to no post were put up
_prints = Shelf(room=64 * 1024 * 1024, hands=2)


def url(origin: str, key: str, *, now: float, lifetime: float, secret: bytes) -> str:
    """The address of a file that works until `now + lifetime` (Unix seconds); `key` as in `Rendition`."""
    media_id, rev, name = key.split("/")
    stem, _, ending = name.rpartition(".")
    kind, _, size = stem.partition("_")
    path = f"/v/{FOLDERS[kind]}/{media_id}_{rev}_{stem}_n.{ending}"
    token = hashlib.sha256(key.encode()).hexdigest()
    query = {
        "stp": f"dst-jpg_e35_s{size}_tt6" if ending == "jpg" else f"dst-mp4_p{size}",
        "_nc_cat": str(100 + int(token[:2], 16) % 12),
        "_nc_sid": token[2:8],
        "_nc_ohc": token[8:19],
        "_nc_ht": origin.partition("://")[2],
    }
    expiry = f"{int(now + lifetime):X}"
    mark = signature(path, query | {"oe": expiry}, secret)
    return f"{origin}{path}?{urlencode(query)}&oh={mark}&oe={expiry}"


def address(world: World, key: str, origin: str | None = None, *, age: float = 0.0) -> str:
    """The signed address of a file below `origin`, else on one of Instagram's media hosts; given out `age` seconds ago."""
    rendition = world.renditions[key]
    shard = 1 + int(hashlib.sha256(key.encode()).hexdigest(), 16) % 3
    lifetime = world.cdn_lifetime(rendition.kind)
    where = origin or f"https://scontent-tin{shard}-1.cdninstagram.com"
    return url(where, key, now=world.now() - age, lifetime=lifetime, secret=world.cdn_secret)


def signature(path: str, query: Mapping[str, str], secret: bytes) -> str:
    """What `oh` must be: it covers the path and every other parameter, in any order."""
    signed = path + "?" + urlencode(sorted((name, value) for name, value in query.items() if name != "oh"))
    return "00_" + hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()[:40]


def verify(path: str, query: Mapping[str, str], *, now: float, secret: bytes) -> str | None:
    """None for a good address, else what the media host says: a wrong signature comes before an old one."""
    if not hmac.compare_digest(query.get("oh", "").encode(), signature(path, query, secret).encode()):
        return MISMATCH
    return EXPIRED if int(query["oe"], 16) <= now else None


def key_of(path: str) -> str | None:
    """The `Rendition` key in the path of an address; None when there is none."""
    match = FILE.fullmatch(path)
    return "{}/{}/{}.{}".format(*match.groups()) if match else None


async def serve(request: Request, world: World) -> Response:
    """Answer a fetch below `/v/`: 403 text for a bad or expired address, 404 for a deleted file, else the bytes."""
    path = request.url.path
    if request.method not in ("GET", "HEAD"):
        return PlainTextResponse("Method Not Allowed", 405, {"Allow": "GET, HEAD"})
    if refusal := verify(path, request.query_params, now=world.now(), secret=world.cdn_secret):
        return PlainTextResponse(refusal, 403)
    rendition = world.renditions.get(key_of(path) or "")
    if rendition is None:
        return PlainTextResponse(GONE, 404)
    fault = world.faults.take(f"cdn.{rendition.kind}", rendition.owner)
    note(request, rendition, fault)
    return await faults.play(fault, partial(deliver, request, world, rendition, fault), refused)


def note(request: Request, rendition: Rendition, fault: Fault | None) -> None:
    """Write into the log's entry whose file was asked for and what went wrong."""
    entry = cast("Entry | None", request.scope.get("simulator.entry"))
    if entry is not None:
        entry.username = rendition.owner
        entry.fault = fault.kind if fault else None


def mark(request: Request, trouble: str) -> None:
    """Write into the log's entry how a magic post went wrong."""
    entry = cast("Entry | None", request.scope.get("simulator.entry"))
    if entry is not None and entry.fault is None:
        entry.fault = f"magic:{trouble}"


def refused(fault: Fault) -> Response:
    """How a media host says no: plain text with the fault's status, or the one that suits its kind."""
    status = fault.status or {"rate_limit": 429, "expired_token": 403}.get(fault.kind, 503)
    return PlainTextResponse(EXPIRED if fault.kind == "expired_token" else "Sorry, something went wrong", status)


async def deliver(request: Request, world: World, rendition: Rendition, fault: Fault | None) -> Response:
    """The file as asked for, or broken in the way of a media fault."""
    kind = fault.kind if fault else None
    if fault and kind == "redirect":
        return RedirectResponse(fault.to or str(request.url), fault.status or 302)
    if kind == "wrong_type":
        return Response(faults.SORRY, media_type=TYPES[rendition.kind])
    media_id = rendition.key.partition("/")[0]
    media = world.media.get(media_id) or world.magic_posts.get(media_id)
    whole = File(await content(rendition), TYPES[rendition.kind], media.timestamp if media else FIRST_DAY)
    answer = whole.answer(request)
    if kind == "truncate":
        return Truncated.of(answer)
    if kind == "drip":
        return Dripping.of(answer)
    magic = MAGIC[media.shortcode] if media and media.id in world.magic_posts else None
    if magic is None or magic.place != "media" or rendition.kind != "video":
        return answer
    mark(request, magic.trouble)
    return deliveries.broken(magic.trouble, answer)


async def content(rendition: Rendition) -> bytes:
    """The bytes of a file: those that were published, else generated from its seed (clips at most CLIP pixels long)."""
    if rendition.body is not None:
        return rendition.body
    seed, width, height = rendition.seed, rendition.width, rendition.height
    if rendition.kind == "image":
        return await _prints.get((seed, width, height), partial(photograph, seed, width, height))
    scale = min(1.0, CLIP / max(width, height))
    return await video(seed, round(width * scale), round(height * scale), rendition.seconds)


@dataclass(frozen=True, slots=True)
class File:
    """A file as HTTP sees it: bytes, media type and when it was put up (Unix seconds)."""

    body: bytes = field(repr=False)
    media_type: str
    modified: int

    @property
    def etag(self) -> str:
        """A strong validator: another body has another one."""
        return f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'

    def answer(self, request: Request) -> Response:
        """200, 206, 304 or 416 as RFC 9110 has it for one range; several ranges are answered by the whole file."""
        headers = {
            "Content-Type": self.media_type,
            "ETag": self.etag,
            "Last-Modified": formatdate(self.modified, usegmt=True),
            "Cache-Control": "max-age=1209600, no-transform",
            "Accept-Ranges": "bytes",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if self.unchanged(request.headers):
            return Response(None, 304, headers)
        size = len(self.body)
        asked = request.headers.get("range", "") if self.range_is_welcome(request.headers) else ""
        window = cut(asked, size)
        start, end = window or (0, size)
        if window:
            headers |= {"Content-Range": f"bytes {start}-{end - 1}/{size}" if start < end else f"bytes */{size}"}
        headers |= {"Content-Length": str(end - start)}
        status = 200 if window is None else 206 if start < end else 416
        return Response(None if request.method == "HEAD" else self.body[start:end], status, headers)

    def unchanged(self, headers: Headers) -> bool:
        """Whether the client's copy is this file; If-None-Match outranks If-Modified-Since."""
        if known := headers.get("if-none-match"):
            tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
            return "*" in tags or self.etag in tags
        with suppress(ValueError):
            return parsedate_to_datetime(headers.get("if-modified-since", "")).timestamp() >= self.modified
        return False

    def range_is_welcome(self, headers: Headers) -> bool:
        """Whether a range may be served: no If-Range, or one that names this very file."""
        return headers.get("if-range", self.etag) in (self.etag, formatdate(self.modified, usegmt=True))


def cut(asked: str, size: int) -> tuple[int, int] | None:
    """Where the asked `Range` starts and ends (exclusive), both `size` when out of reach; None for none or nonsense."""
    match = RANGE.fullmatch(asked)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    if last and int(last) < int(first):
        return None
    return min(size, int(first)), min(size, int(last or size) + 1)
