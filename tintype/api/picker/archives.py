"""Several files in one: a zip that is written while it is sent, so that no size of it has to fit anywhere."""

import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import BinaryIO, cast

from starlette.responses import Response, StreamingResponse

from tintype.api.picker.serving import HARMLESS
from tintype.core.files import File, Files

_OLDEST = (1980, 1, 1, 0, 0, 0)


class _Outlet:
    """What a zip is written to: takes bytes, and gives them away at once. It cannot be rewound, which zips can do without."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        return None

    def take(self) -> bytes:
        taken = b"".join(self._parts)
        self._parts.clear()
        return taken


def archive(files: Files, chosen: Sequence[File]) -> Response:
    """Return a zip of some files under their names."""
    headers = {
        **HARMLESS,
        "Cache-Control": "no-store",
        "Content-Disposition": 'attachment; filename="files.zip"',
    }
    return StreamingResponse(_written(files, chosen), 200, headers, "application/zip")


async def _written(files: Files, chosen: Sequence[File]) -> AsyncIterator[bytes]:
    outlet = _Outlet()
    used: set[str] = set()
    with zipfile.ZipFile(cast("BinaryIO", outlet), "w", zipfile.ZIP_STORED) as whole:
        for file in chosen:
            about = zipfile.ZipInfo(_unused(file.filename, used), _moment(file.uploaded_at))
            opened = await files.open(file)
            with whole.open(about, "w", force_zip64=True) as entry:
                async for chunk in opened.chunks:
                    entry.write(chunk)
                    yield outlet.take()
    yield outlet.take()


def _unused(name: str, used: set[str]) -> str:
    stem, dot, extension = name.rpartition(".")
    found, count = name, 1
    while found in used:
        count += 1
        found = f"{stem} ({count}).{extension}" if dot and stem else f"{name} ({count})"
    used.add(found)
    return found


def _moment(at: datetime) -> tuple[int, int, int, int, int, int]:
    return (at.year, at.month, at.day, at.hour, at.minute, at.second) if at.year >= 1980 else _OLDEST
