"""What is known of a file, under the documented names; sums and sizes are found out when somebody first asks."""

import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from tintype.backends.images import Images
from tintype.core.files.exif import exif_of
from tintype.core.files.files import Files
from tintype.core.files.model import File
from tintype.core.files.sniffing import PICTURES
from tintype.errors import Trouble

log = logging.getLogger(__name__)

DEFAULT = ("size", "mimetype", "filename", "uploaded", "writeable", "location", "path", "container")
SUMS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512")
FLAGS = ("size", "mimetype", "filename", "width", "height", "uploaded", "writeable", "cloud", "source_url", *SUMS,
         "location", "path", "container", "key", "exif")  # fmt: skip
EXIF = "exif"

PICTURE_MAX = 64 * 2**20  # bytes of a picture that is opened to be measured


@dataclass(frozen=True, slots=True)
class Metadata:
    """Answers questions about files."""

    files: Files
    images: Images

    async def of(self, file: File, wanted: Iterable[str]) -> Mapping[str, Any]:
        """Return what is wanted of a file, in the documented order; of nothing in particular, the documented default.

        Raises `MediumGone` for a link whose medium is gone.
        """
        asked = frozenset(wanted)
        names = [name for name in FLAGS if name in asked] or list(DEFAULT)
        await self.files.present(file)
        if {"width", "height"} & asked:
            file = await self._measured(file)
        summed = await self._sums(file, [name for name in names if name in SUMS])
        found: dict[str, Any] = {}
        for name in names:
            if name == EXIF:
                found[name] = await self._exif(file)
            else:
                found[name] = summed[name] if name in SUMS else _KNOWN[name](file)
        return found

    async def _measured(self, file: File) -> File:
        if file.width is not None or file.content_type not in PICTURES:
            return file
        try:
            seen = await self.images.inspect(await self._bytes(file))
        except Trouble as trouble:
            log.info("picture %s has no size: %s", file.handle, trouble.message)
            return file
        await self.files.records.measured(file.handle, file.version, width=seen.width, height=seen.height)
        return replace(file, width=seen.width, height=seen.height)

    async def _sums(self, file: File, names: list[str]) -> Mapping[str, str]:
        if file.stored is not None and set(names) <= {"md5", "sha256"}:
            return {"md5": file.stored.md5, "sha256": file.stored.sha256}
        sums = {name: hashlib.new(name, usedforsecurity=False) for name in names}
        if sums:
            opened = await self.files.open(file)
            async for chunk in opened.chunks:
                for one in sums.values():
                    one.update(chunk)
        return {name: one.hexdigest() for name, one in sums.items()}

    async def _exif(self, file: File) -> Mapping[str, Any] | None:
        return exif_of(await self._bytes(file)) if file.content_type in PICTURES else None

    async def _bytes(self, file: File) -> bytes:
        opened, taken = await self.files.open(file), bytearray()
        async for chunk in opened.chunks:
            taken += chunk
            if len(taken) > PICTURE_MAX:
                break
        return bytes(taken)


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


_KNOWN: Mapping[str, Callable[[File], Any]] = {
    "size": lambda file: file.size,
    "mimetype": lambda file: file.content_type,
    "filename": lambda file: file.filename,
    "width": lambda file: file.width,
    "height": lambda file: file.height,
    "uploaded": lambda file: _milliseconds(file.uploaded_at),
    "writeable": lambda file: True,
    "cloud": lambda file: file.client or None,
    "source_url": lambda file: file.source_url,
    "location": lambda file: file.stored.location if file.stored else None,
    "path": lambda file: file.stored.key if file.stored else None,
    "container": lambda file: file.stored.container if file.stored else None,
    "key": lambda file: file.stored.key if file.stored else None,
}
