"""Reads the boxes that an MP4 or MOV file is made of (ISO/IEC 14496-12), far enough to tell whether it is whole and how it
is packed, without decoding anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from tintype.errors import Invalid

_HEADER = 8
_INDEX_MOST = 64 * 1024 * 1024  # a longer moov is not read
_CUT_OFF = "the video ends in the middle of a part: the download was cut off"


@dataclass(frozen=True, slots=True)
class Boxes:
    """How a file is packed: the index before the samples, tracks with edit lists, and whether one leaves parts out."""

    moov_first: bool
    edit_lists: int
    cutting: bool


def check_mp4(file: IO[bytes]) -> None:
    """Walk the top-level boxes of an MP4 to its end (ISO/IEC 14496-12, 4.2), leaving the file at its start.

    Raises `Invalid` when a box reaches past the end, or when the index (`moov`) or the samples (`mdat`) are missing:
    a download that was cut off fails here.
    """
    found = names(file)
    if found[:1] != [b"ftyp"] or not {b"moov", b"mdat"} <= set(found):
        raise Invalid("the video is not a whole MP4 file")


def names(file: IO[bytes]) -> list[bytes]:
    """Return the names of the top-level boxes, leaving the file at its start; raises `Invalid` when one is cut off."""
    found = [name for name, _, _ in _top(file)]
    file.seek(0)
    return found


def boxes(file: IO[bytes]) -> Boxes:
    """Return how a file is packed, leaving it at its start; one that is no MP4 has neither index nor edit lists."""
    places: dict[bytes, tuple[int, int]] = {}
    try:
        for name, at, size in _top(file):
            places.setdefault(name, (at, size))
    except Invalid:
        places = {}
    if b"moov" not in places:
        file.seek(0)
        return Boxes(moov_first=False, edit_lists=0, cutting=False)
    at, size = places[b"moov"]
    file.seek(at)
    index = file.read(min(size, _INDEX_MOST))
    file.seek(0)
    counts = [count for count in (_edits(track) for track in _inside(index[_HEADER:], b"trak")) if count]
    moov_first = b"mdat" not in places or at < places[b"mdat"][0]
    return Boxes(moov_first=moov_first, edit_lists=len(counts), cutting=any(count > 1 for count in counts))


def _top(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    length = file.seek(0, 2)
    at = 0
    while at < length:
        size, name = _box(file, at, length)
        yield name, at, size
        at += size


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
        raise Invalid(_CUT_OFF)
    return size, name


def _edits(track: bytes) -> int:
    """Return how many entries a track's edit list has; an empty one in front only delays the track."""
    for edit in _inside(track, b"edts"):
        for entries in _inside(edit, b"elst"):
            return int.from_bytes(entries[4:8], "big")
    return 0


def _inside(body: bytes, wanted: bytes) -> Iterator[bytes]:
    at = 0
    while at + _HEADER <= len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        if size < _HEADER:
            return
        if body[at + 4 : at + 8] == wanted:
            yield body[at + _HEADER : at + size]
        at += size
