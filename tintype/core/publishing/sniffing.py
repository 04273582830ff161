"""Tells from its bytes what a file is, and whether it ends where it should; a name or a content type proves nothing. Pure."""

import json
from collections.abc import Callable
from io import BytesIO
from typing import IO

from tintype.backends.video_boxes import names
from tintype.errors import Invalid

PICTURES = frozenset({"jpeg", "png", "webp", "gif", "avif", "heic"})
VIDEOS = frozenset({"mp4", "webm", "avi", "mpegts", "flv"})
HEAD = 1024  # bytes from the start that are looked at

_SAID = {
    "tiff": "a TIFF picture",
    "bmp": "a BMP picture",
    "svg": "an SVG drawing",
    "pdf": "a PDF document",
    "zip": "a ZIP archive",
    "text": "text",
    "unknown": "no format that is known",
}
_AVIF = (b"avif", b"avis")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_BEGINNINGS = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"\x1a\x45\xdf\xa3", "webm"),
    (b"FLV\x01", "flv"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"BM", "bmp"),
    (b"%PDF", "pdf"),
    (b"PK\x03\x04", "zip"),
)
_BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


def kind_of(head: bytes) -> str:
    """Return what a file is by its first bytes: `jpeg`, `mp4`, `html`, `json`, `unknown` and so on."""
    for beginning, kind in _BEGINNINGS:
        if head.startswith(beginning):
            return kind
    if head[:4] == b"RIFF":
        return {b"WEBP": "webp", b"AVI ": "avi"}.get(head[8:12], "unknown")
    if head[4:8] in _BOXES:
        return _of_brand(head)
    if head[:1] == b"\x47" and head[188:189] in (b"\x47", b""):
        return "mpegts"
    return _of_words(head)


def said(kind: str) -> str:
    """Return a kind of file in words."""
    if kind in PICTURES:
        return f"a picture ({kind})"
    return f"a video ({kind})" if kind in VIDEOS else _SAID.get(kind, kind.upper())


def ends_well(kind: str, file: IO[bytes]) -> bool:
    """Whether a file is there to its end, as far as its format tells; leaves it at its start."""
    check = _ENDS.get(kind)
    if check is None:
        return True
    file.seek(0)
    well = check(file)
    file.seek(0)
    return well


def _of_brand(head: bytes) -> str:
    if head[4:8] != b"ftyp":
        return "mp4"
    brands = head[8 : max(12, int.from_bytes(head[:4], "big"))]
    if any(brand in brands for brand in _AVIF):
        return "avif"
    return "heic" if head[8:12] in _HEIC else "mp4"


def _of_words(head: bytes) -> str:
    words = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if words.startswith((b"<!doctype html", b"<html", b"<head", b"<body", b"<!--", b"<script")):
        return "html"
    if b"<svg" in words[:400]:
        return "svg"
    if b"<html" in words:
        return "html"
    if words.startswith((b"<?xml", b"<error")):
        return "xml"
    if words.startswith((b"{", b"[")) and _is_json(words):
        return "json"
    printable = bool(head) and all(byte >= 0x20 or byte in b"\t\r\n" for byte in head)
    return "text" if printable else "unknown"


def _is_json(words: bytes) -> bool:
    try:
        json.loads(words)
    except ValueError:
        return len(words) > HEAD - 16  # only its beginning is at hand
    return True


def _jpeg(file: IO[bytes]) -> bool:
    """Whether there is an end marker behind the coded picture, where none can be by chance; a thumbnail's does not count."""
    body = file.read()
    at = 2
    while body[at : at + 1] == b"\xff" and at + 4 <= len(body):
        if body[at + 1] == 0xDA:
            return body.rfind(b"\xff\xd9") > at
        at += 2 + int.from_bytes(body[at + 2 : at + 4], "big")
    return False


def _png(file: IO[bytes]) -> bool:
    return b"IEND\xaeB`\x82" in file.read()


def _riff(file: IO[bytes]) -> bool:
    stated = int.from_bytes(file.read(8)[4:], "little")
    return stated + 8 <= file.seek(0, 2) + 1  # an odd last chunk may lack its padding


def _boxed(file: IO[bytes]) -> bool:
    try:
        names(file)
    except Invalid:
        return False
    return True


def _mp4(file: IO[bytes]) -> bool:
    try:
        return {b"moov", b"mdat"} <= set(names(file))
    except Invalid:
        return False


_ENDS: dict[str, Callable[[IO[bytes]], bool]] = {
    "jpeg": _jpeg,
    "png": _png,
    "webp": _riff,
    "avif": _boxed,
    "heic": _boxed,
    "mp4": _mp4,
}


def sniff(body: bytes) -> str:
    """Return what a whole file in memory is."""
    return kind_of(BytesIO(body).read(HEAD))
