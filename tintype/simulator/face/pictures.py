"""Pictures and clips for the face's own pages, beside the CDN: whatever is broken there, a person still sees the world."""

import hashlib
from functools import partial
from typing import Literal

from pyvips import Image
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tintype.simulator import cdn, people
from tintype.simulator.model import Media, Person, Rendition
from tintype.simulator.photographs import photograph
from tintype.simulator.shelf import Shelf
from tintype.simulator.world import World

Size = Literal["small", "large", "files"]
WIDTHS = {"small": 200, "large": 560}  # pixels: tiles of a page with many, and a post's own page
QUALITY = 45  # of WebP; a page with thirty small ones stays below 100 kB
_prints = Shelf(room=16 * 1024 * 1024, hands=2)


def portrait(person: Person) -> str:
    """The address of a profile picture."""
    return f"/_face/small/{people.profile_key(person)}"


def picture(media: Media, size: Size = "small") -> str:
    """The address of what a post shows while nothing moves: its picture, or the poster of its clip."""
    return f"/_face/{size}/{people.renditions_of(media)[-1].key}"


def clip(media: Media) -> str:
    """The address of a video."""
    return f"/_face/files/{people.renditions_of(media)[0].key}"


async def serve(request: Request, world: World, size: str, key: str) -> Response:
    """A file by its key: as it is, or a picture no wider than its size says."""
    rendition, width = world.renditions.get(key), WIDTHS.get(size)
    if rendition is None or (width and rendition.kind != "image"):
        return PlainTextResponse("Not found", 404)
    if width:
        file = cdn.File(await _shown(rendition, width), "image/webp", cdn.FIRST_DAY)
    else:
        file = cdn.File(await cdn.content(rendition), cdn.TYPES[rendition.kind], cdn.FIRST_DAY)
    answer = file.answer(request)
    answer.headers["Cache-Control"] = "no-cache"  # after a reset another picture may have this name
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


async def _shown(rendition: Rendition, width: int) -> bytes:
    if rendition.body is not None:
        mark = hashlib.sha256(rendition.body).digest()
        return await _prints.get((mark, width), partial(_shrunk, rendition.body, width))
    width = min(width, rendition.width)
    height = max(1, round(rendition.height * width / rendition.width))
    return await _prints.get((rendition.seed, width, height), partial(_drawn, rendition.seed, width, height))


def _drawn(seed: int, width: int, height: int) -> bytes:
    return _shrunk(photograph(seed, width, height), width)


def _shrunk(body: bytes, width: int) -> bytes:
    return Image.thumbnail_buffer(body, width, size="down").webpsave_buffer(Q=QUALITY, keep=0)
