"""Fetching what somebody wants to publish, and looking at its first bytes, as strict as the real thing."""

import re
from dataclasses import dataclass

import httpx2

from tintype.simulator.arrival import Client, loopback
from tintype.simulator.containers import AT_ONCE, refusal
from tintype.simulator.settings import Settings

IMAGE_MOST = 8 * 1024 * 1024
NARROWEST, WIDEST = 0.8, 1.91  # 4:5 and 1.91:1
SLACK = 0.01
PATIENCE = 10.0  # seconds
KEPT_MOST = 32 * 1024 * 1024  # larger files are published, but not kept
FAILING = re.compile(r"/fail/(\d{7})\b")
FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
PNG, WEBP = b"\x89PNG\r\n\x1a\n", b"RIFF"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What was found: the bytes (None: not looked at), the size in pixels, the failure that the container will show."""

    body: bytes | None = None
    width: int = 1080
    height: int = 1350
    error: int | None = None


async def image(client: Client, url: str, settings: Settings, *, origin: str, story: bool) -> Fetched:
    """A picture to publish. Addresses outside this machine count as fetched; GraphError 9004, 36000, 36001, 36003."""
    if failure := _wanted_failure(url):
        if failure in AT_ONCE:
            raise refusal(failure)
        return Fetched(error=failure)
    if not url.isascii() or not url.startswith(("http://", "https://")):
        raise _unfetched(url)
    if not (settings.fetch_pictures and nearby(url, origin)):
        return Fetched()
    body = await _get(client, url, IMAGE_MOST)
    if body is None:
        raise _unfetched(url)
    if len(body) > IMAGE_MOST:
        raise refusal(2207004)
    size = jpeg_size(body)
    if size is None:
        if settings.png == "accepted" and (body.startswith(PNG) or body[:4] == WEBP):
            return Fetched(body)
        raise refusal(2207005) if _known_picture(body) else _unfetched(url)
    if not story and not NARROWEST - SLACK <= size[0] / size[1] <= WIDEST + SLACK:
        raise refusal(2207009)
    return Fetched(body, *size)


async def video(client: Client, url: str, settings: Settings, *, origin: str) -> Fetched:
    """A clip to publish; what is wrong with it shows up in the container, as with the real one."""
    if failure := _wanted_failure(url):
        if failure in AT_ONCE:
            raise refusal(failure)
        return Fetched(error=failure, width=720, height=1280)
    if not url.startswith(("http://", "https://")):
        raise _unfetched(url)
    if not (settings.fetch_pictures and nearby(url, origin)):
        return Fetched(width=720, height=1280)
    body = await _get(client, url, settings.reel_max_bytes)
    if body is None:
        return Fetched(error=2207077, width=720, height=1280)
    return judge_video(body, settings)


def nearby(url: str, origin: str) -> bool:
    """Whether an address is on this machine or the simulator's own; nothing else is ever contacted."""
    return loopback(url) or url.startswith(f"{origin}/")


def judge_video(body: bytes, settings: Settings) -> Fetched:
    """Whether bytes are a clip of an allowed size."""
    if len(body) > settings.reel_max_bytes:
        return Fetched(error=2207082, width=720, height=1280)
    if body[4:8] not in (b"ftyp", b"moov", b"wide", b"mdat"):
        return Fetched(error=2207026, width=720, height=1280)
    return Fetched(body if len(body) <= KEPT_MOST else None, 720, 1280)


def jpeg_size(body: bytes) -> tuple[int, int] | None:
    """Width and height from a JPEG's frame header; None for anything else."""
    if body[:3] != b"\xff\xd8\xff":
        return None
    at = 2
    while at + 9 < len(body):
        if body[at] != 0xFF:
            return None
        marker = body[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in FRAMES:
            height, width = int.from_bytes(body[at + 5 : at + 7]), int.from_bytes(body[at + 7 : at + 9])
            return (width, height) if width and height else None
        at += 2 + int.from_bytes(body[at + 2 : at + 4])
    return None


def _known_picture(body: bytes) -> bool:
    return body.startswith((PNG, WEBP, b"GIF8", b"\xff\xd8", b"BM", b"II*\0", b"MM\0*")) or body[4:8] == b"ftyp"


def _wanted_failure(url: str) -> int | None:
    found = FAILING.search(url)
    return int(found.group(1)) if found else None


def _unfetched(url: str) -> Exception:
    text = (
        f"The media could not be fetched from this URI: {url.split('?')[0]}. Please check the limitations of the URI."
    )
    return refusal(2207052, text)


async def _get(client: Client, url: str, most: int) -> bytes | None:
    """The bytes of a 200 answer, cut just above `most`; None for everything else."""
    parts: list[bytes] = []
    size = 0
    try:
        async with client() as http, http.stream("GET", url, timeout=PATIENCE, follow_redirects=True) as answer:
            if answer.status_code != 200:
                return None
            async for part in answer.aiter_bytes():
                parts.append(part)
                size += len(part)
                if size > most:
                    break
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
        return None
    return b"".join(parts)
