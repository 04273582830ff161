"""Looks at videos: is this file a whole MP4, and what does one of its frames show?"""

import asyncio
import shutil
from pathlib import Path
from typing import IO

from tintype.errors import Invalid

_HEADER = 8
_FRAME_SECONDS = 20


def check_mp4(file: IO[bytes]) -> None:
    """Walk the top-level boxes of an MP4 to its end (ISO/IEC 14496-12, 4.2), leaving the file at its start.

    Raises `Invalid` when a box reaches past the end, or when the index (`moov`) or the samples (`mdat`) are missing:
    a download that was cut off fails here.
    """
    length = file.seek(0, 2)
    found: list[bytes] = []
    at = 0
    while at < length:
        size, name = _box(file, at, length)
        found.append(name)
        at += size
    file.seek(0)
    if found[:1] != [b"ftyp"] or not {b"moov", b"mdat"} <= set(found):
        raise Invalid("the video is not a whole MP4 file")


def _box(file: IO[bytes], at: int, length: int) -> tuple[int, bytes]:
    file.seek(at)
    header = file.read(_HEADER)
    size, name = int.from_bytes(header[:4], "big"), header[4:8]
    least = _HEADER
    if size == 1:
        size, least = int.from_bytes(file.read(8), "big"), 16
    elif size == 0:
        size = length - at
    if len(header) < _HEADER or size < least or at + size > length:
        raise Invalid("the video ends in the middle of a part: the download was cut off")
    return size, name


def ffmpeg() -> str | None:
    """Return the ffmpeg program: the machine's own, else the one that comes with the package, else None."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    return str(imageio_ffmpeg.get_ffmpeg_exe())


async def frame(path: Path, at_seconds: float = 0.3) -> bytes:
    """Return the frame of a video at `at_seconds` as JPEG.

    Raises `Invalid` when the file has none that can be decoded, or no ffmpeg is to be found.
    """
    program = ffmpeg()
    if program is None:
        raise Invalid("no ffmpeg was found to take a poster from the video; install ffmpeg")
    arguments = ("-v", "error", "-ss", str(at_seconds), "-i", str(path), "-frames:v", "1")
    process = await asyncio.create_subprocess_exec(
        program, *arguments, "-f", "image2", "-c:v", "mjpeg", "-q:v", "3", "pipe:1",
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_FRAME_SECONDS):
            picture, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise Invalid("the video could not be decoded in time") from None
    if process.returncode or not picture:
        raise Invalid("the video has no frame that can be decoded")
    return picture
