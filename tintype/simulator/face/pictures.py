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

Size = Literal["small", "files"]
WIDTH = 320  # pixels of a small picture; tiles are at most as wide on a screen of 390
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
    """A file by its key: small pictures are WIDTH pixels wide, other files as they are."""
    rendition = world.renditions.get(key)
    if rendition is None or (size == "small" and rendition.kind != "image"):
        return PlainTextResponse("Not found", 404)
    body = await (_small(rendition) if size == "small" else cdn.content(rendition))
    answer = cdn.File(body, cdn.TYPES[rendition.kind], cdn.FIRST_DAY).answer(request)
    answer.headers["Cache-Control"] = "no-cache"  # after a reset another picture may have this name
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer


async def _small(rendition: Rendition) -> bytes:
    width = min(WIDTH, rendition.width)
    height = max(1, round(rendition.height * width / rendition.width))
    if rendition.body is None:
        seed = rendition.seed
        return await _prints.get((seed, width, height), partial(photograph, seed, width, height))
    mark = hashlib.sha256(rendition.body).digest()
    return await _prints.get((mark, width), partial(_shrunk, rendition.body, width))


def _shrunk(body: bytes, width: int) -> bytes:
    return Image.thumbnail_buffer(body, width, size="down").jpegsave_buffer(Q=80, keep=0)
