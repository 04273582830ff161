"""Is this file all of a picture or video? Told by its own structure, for a clean end of a connection proves nothing.

A download that was cut, an HTML page under a picture's name and an empty file all come with status 200 (public-web.md 2.3).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tintype.backends.video import check_mp4
from tintype.errors import Invalid
from tintype.instagram.model import MediaKind
from tintype.instagram.public.reasons import Reason, trouble

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\x00\x00\x00\x00IEND\xae\x42\x60\x82"
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})  # JPEG's start-of-frame markers
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_VIDEO_BRANDS = (b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"dash", b"M4V ", b"qt  ")


@dataclass(frozen=True, slots=True)
class Container:
    """What a file is: its kind, type and usual ending, and a picture's size where its header tells it."""

    kind: MediaKind
    content_type: str
    ending: str
    width: int | None = None
    height: int | None = None


def container_of(path: Path) -> Container:
    """Return what a file is; raises MEDIA_EMPTY, MEDIA_NOT_MEDIA, or MEDIA_TRUNCATED when its end is missing."""
    with path.open("rb") as file:
        start = file.read(32)
        if not start:
            raise trouble(Reason.MEDIA_EMPTY)
        length = file.seek(0, 2)
        file.seek(0)
        if start.startswith(_JPEG):
            return _jpeg(file, length)
        if start.startswith(_PNG):
            return _png(file, length, start)
        if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
            return _webp(length, start)
        if start[4:8] == b"ftyp" and start[8:12] in _VIDEO_BRANDS:
            return _mp4(file)
        raise trouble(Reason.MEDIA_NOT_MEDIA)


def _mp4(file: IO[bytes]) -> Container:
    try:
        check_mp4(file)
    except Invalid as broken:
        raise trouble(Reason.MEDIA_TRUNCATED) from broken
    return Container(MediaKind.VIDEO, "video/mp4", "mp4")


def _jpeg(file: IO[bytes], length: int) -> Container:
    size = _frame(file)
    file.seek(max(length - 64, 0))
    # Some encoders pad the end with zeros.
    if size is None or not file.read().rstrip(b"\x00").endswith(b"\xff\xd9"):
        raise trouble(Reason.MEDIA_TRUNCATED)
    return Container(MediaKind.IMAGE, "image/jpeg", "jpg", *size)


def _frame(file: IO[bytes]) -> tuple[int, int] | None:
    """Return width and height from the first frame's header, None when the file ends before it."""
    file.seek(2)
    while True:
        lead, marker = _marker(file)
        if not lead:
            return None
        if marker in _ALONE:
            continue
        head = file.read(2)
        if len(head) < 2 or marker in (0xD9, 0xDA):
            return None
        if marker in _FRAMES:
            frame = file.read(5)
            size = int.from_bytes(frame[3:5], "big"), int.from_bytes(frame[1:3], "big")
            return size if len(frame) == 5 and all(size) else None
        file.seek(int.from_bytes(head, "big") - 2, 1)


def _marker(file: IO[bytes]) -> tuple[bytes, int]:
    lead = file.read(1)
    if lead != b"\xff":
        return b"", 0
    code = file.read(1)
    while code == b"\xff":
        code = file.read(1)
    return (lead, code[0]) if code else (b"", 0)


def _png(file: IO[bytes], length: int, start: bytes) -> Container:
    file.seek(max(length - len(_PNG_END), 0))
    if file.read() != _PNG_END or start[12:16] != b"IHDR":
        raise trouble(Reason.MEDIA_TRUNCATED)
    width, height = int.from_bytes(start[16:20], "big"), int.from_bytes(start[20:24], "big")
    return Container(MediaKind.IMAGE, "image/png", "png", width, height)


def _webp(length: int, start: bytes) -> Container:
    stated = int.from_bytes(start[4:8], "little") + 8
    if length < stated:
        raise trouble(Reason.MEDIA_TRUNCATED)
    return Container(MediaKind.IMAGE, "image/webp", "webp", *_webp_size(start))


def _webp_size(start: bytes) -> tuple[int, int] | tuple[None, None]:
    match start[12:16]:
        case b"VP8X":
            return int.from_bytes(start[24:27], "little") + 1, int.from_bytes(start[27:30], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(start[21:25], "little")
            return (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
        case b"VP8 ":
            return int.from_bytes(start[26:28], "little") & 0x3FFF, int.from_bytes(start[28:30], "little") & 0x3FFF
        case _:
            return None, None
