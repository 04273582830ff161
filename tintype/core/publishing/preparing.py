"""Has media made right before Instagram sees them. (Stand-in: hands addresses on as they are.)"""

from dataclasses import dataclass
from typing import Literal

from tintype.backends.blobs import Blobs
from tintype.backends.images import Images
from tintype.backends.outbound import Outbound

Role = Literal["feed", "carousel", "story", "reel", "cover"]


@dataclass(frozen=True, slots=True)
class Wanted:
    kind: str
    url: str | None = None
    blob: str | None = None
    role: Role = "feed"
    mode: str = "pad"
    background: str = "white"
    ratio: float | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    url: str
    blob: str | None = None
    digest: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    seconds: float | None = None
    changes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    sentence: str
    blocking: bool


@dataclass(frozen=True, slots=True)
class Report:
    changes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Preparing:
    outbound: Outbound
    blobs: Blobs
    images: Images
    base: str

    async def prepare(self, wanted: Wanted) -> Prepared:
        return Prepared(wanted.url or "")

    async def inspect(self, wanted: Wanted) -> Report:
        return Report()
