"""Reads the EXIF of a JPEG: what a camera wrote beside the picture, the place included. Pure, and never out of its bounds."""

import struct
from collections.abc import Mapping
from typing import Any

TAGS: Mapping[int, str] = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0112: "Orientation",
    0x011A: "XResolution",
    0x011B: "YResolution",
    0x0128: "ResolutionUnit",
    0x0131: "Software",
    0x0132: "DateTime",
    0x013B: "Artist",
    0x8298: "Copyright",
    0x829A: "ExposureTime",
    0x829D: "FNumber",
    0x8827: "ISOSpeedRatings",
    0x9003: "DateTimeOriginal",
    0x9004: "DateTimeDigitized",
    0x9209: "Flash",
    0x920A: "FocalLength",
    0xA002: "ExifImageWidth",
    0xA003: "ExifImageHeight",
    0xA434: "LensModel",
}
GPS_TAGS: Mapping[int, str] = {
    1: "GPSLatitudeRef",
    2: "GPSLatitude",
    3: "GPSLongitudeRef",
    4: "GPSLongitude",
    5: "GPSAltitudeRef",
    6: "GPSAltitude",
    29: "GPSDateStamp",
}
_EXIF_IFD, _GPS_IFD = 0x8769, 0x8825
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
_ENTRIES_MAX = 200
_VALUES_MAX = 64
_TEXT_MAX = 1000


def exif_of(data: bytes) -> Mapping[str, Any]:
    """Return the known tags of a JPEG, by name; nothing for a picture that has none."""
    block = _block(data)
    if block is None or len(block) < 8 or block[:2] not in (b"II", b"MM"):
        return {}
    order = "<" if block[:2] == b"II" else ">"
    found: dict[str, Any] = {}
    first = _number(block, order, 4, "I") or 0
    pointers = _read(block, order, first, TAGS, found)
    if _EXIF_IFD in pointers:
        _read(block, order, pointers[_EXIF_IFD], TAGS, found)
    if _GPS_IFD in pointers:
        _read(block, order, pointers[_GPS_IFD], GPS_TAGS, found)
    return found


def _block(data: bytes) -> bytes | None:
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA or length < 2:
            return None
        if marker == 0xE1 and data[at + 4 : at + 10] == b"Exif\0\0":
            return data[at + 10 : at + 2 + length]
        at += 2 + length
    return None


def _read(block: bytes, order: str, at: int, names: Mapping[int, str], found: dict[str, Any]) -> dict[int, int]:
    pointers: dict[int, int] = {}
    for number in range(min(_number(block, order, at, "H") or 0, _ENTRIES_MAX)):
        entry = at + 2 + 12 * number
        tag, kind = _number(block, order, entry, "H"), _number(block, order, entry + 2, "H")
        count = _number(block, order, entry + 4, "I")
        if tag is None or kind not in _SIZES or count is None:
            continue
        if tag in (_EXIF_IFD, _GPS_IFD):
            pointers[tag] = _number(block, order, entry + 8, "I") or 0
        elif tag in names:
            size = _SIZES[kind] * count
            start = entry + 8 if size <= 4 else _number(block, order, entry + 8, "I") or 0
            value = _value(block[start : start + min(size, _TEXT_MAX)], order, kind)
            if value is not None:
                found[names[tag]] = value
    return pointers


def _value(raw: bytes, order: str, kind: int) -> Any:
    if kind == 2:
        return raw.split(b"\0")[0].decode("utf-8", "replace").strip()
    if kind in (1, 7):
        return raw[0] if len(raw) == 1 else None
    size = _SIZES[kind]
    pieces = [raw[at : at + size] for at in range(0, min(len(raw), size * _VALUES_MAX), size)]
    values = [_single(piece, order, kind) for piece in pieces if len(piece) == size]
    return values[0] if len(values) == 1 else values or None


def _single(piece: bytes, order: str, kind: int) -> float | int | None:
    if kind in (5, 10):
        above, below = struct.unpack(order + ("II" if kind == 5 else "ii"), piece)
        return above / below if below else None
    return int(struct.unpack(order + {3: "H", 4: "I", 9: "i"}[kind], piece)[0])


def _number(block: bytes, order: str, at: int, form: str) -> int | None:
    size = struct.calcsize(form)
    piece = block[at : at + size]
    return int(struct.unpack(order + form, piece)[0]) if at >= 0 and len(piece) == size else None
