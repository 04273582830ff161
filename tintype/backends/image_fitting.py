"""Makes of any picture the JPEG that Instagram takes: upright, sRGB, opaque, in an allowed shape, small enough, bare.

It runs inside the worker process only. A JPEG that is right already is proven whole and stays byte for byte what it is; one
that is right but for its metadata loses that, and keeps every coded bit of the picture. Of both only those parts are told that
are left: whoever asked has the bytes.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyvips

from tintype.backends.image_layout import Bounds, Layout, cropped, fraction, padded, said
from tintype.backends.image_lettering import letter
from tintype.backends.image_source import WHITE, Image, RefusedError, Source, decode, opaque, open_jpeg, read_header

QUALITIES = (92, 85, 80, 70, 60, 50, 40)
UNUSABLE = "Invalid image format. Supported: JPEG, PNG"  # the words of seed 3; WebP, AVIF and GIF are converted, too
HEIC = "Invalid image format. Supported: JPEG, PNG. HEIC: convert to JPEG first, there is no decoder for it here"
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx")
_BLUR = 16  # the blurred background is worked out at a sixteenth of the canvas
_PARTS = 16  # of a JPEG that stand between metadata; no camera leaves as many, and each is told and remembered
_BLOCK = 8  # pixels, or a multiple of them, in which a JPEG is coded
_SCAN = 0xDA
_FRAMES = frozenset({*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)})
_PLAIN_SEGMENTS = frozenset({0xE0, 0xEE, 0xDB, 0xC4, 0xDD, 0xCC, *_FRAMES})

# Exif, XMP, IPTC, comments; 0xE2 may announce more pictures
_METADATA = frozenset({0xE1, *range(0xE3, 0xEE), 0xEF, 0xFE})
_END = b"\xff\xd9"
_REGION: Any = pyvips.Region  # pyright: ignore[reportUnknownMemberType] - pyvips carries no types

Parts = list[tuple[int, int]]  # where the parts of a file begin and end that are kept


@dataclass(frozen=True, slots=True)
class _Wish:
    bounds: Bounds
    bytes_max: int
    mode: str
    background: str
    ratio: Any
    text: str


def fit(data: bytes, job: dict[str, Any]) -> tuple[dict[str, object], bytes | None]:
    """Return what was changed, and the picture, or None when `kept` tells which of its own bytes are left.

    Raises `RefusedError`.
    """
    wish = _read(job)
    source = _header(data)
    width, height = source.upright
    shaped = wish.bounds.in_shape(width, height)
    if wish.mode == "as_is" and not shaped:
        allowed = f"{said(wish.bounds.ratio_min)} to {said(wish.bounds.ratio_max)}"
        found = f"{said((width, height))} ({width} × {height} pixels)"
        raise RefusedError("invalid", f"the picture's ratio is {found}, allowed are {allowed}; choose pad or crop")
    layout = (cropped if wish.mode == "crop" else padded)(width, height, wish.bounds, _ratio(wish))
    kept = without_metadata(data) if source.format == "jpeg" else None
    left = sum(end - start for start, end in kept or ())
    bare = left == len(data)
    untouched = layout == Layout((width, height), (width, height), (width, height)) and source.orientation == 1
    right = untouched and source.plain and not wish.text
    if kept is not None and right and left <= wish.bytes_max and is_whole(source):
        changes = [] if bare else ["metadata removed"]
        return {"width": width, "height": height, "changes": changes, "kept": kept}, None
    picture, transparent = _drawn(source, layout, wish)
    changes = _changes(source, layout, transparent=transparent, bare=bare)
    if wish.text:
        picture, lost = letter(picture, wish.text)
        changes += ["text drawn", *([f"characters left out: {lost}"] if lost else [])]
    body, quality = _encoded(picture.copy_memory(), wish.bytes_max)
    changes += ["compressed"] if quality < QUALITIES[0] or not changes else []
    return {"width": layout.canvas[0], "height": layout.canvas[1], "changes": changes}, body


def _read(job: dict[str, Any]) -> _Wish:
    bounds = Bounds(fraction(job["ratio_min"]), fraction(job["ratio_max"]), job["width_min"], job["width_max"])
    ratio = fraction(job["ratio"]) if job["ratio"] else None
    return _Wish(bounds, job["bytes_max"], job["mode"], job["background"], ratio, (job["text"] or "").strip())


def _ratio(wish: _Wish) -> Any:
    return None if wish.mode == "as_is" else wish.ratio


def _header(data: bytes) -> Source:
    try:
        source = read_header(data)
    except RefusedError as refused:
        if refused.kind != "unsupported":
            raise
        heic = data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS
        raise RefusedError("unsupported", HEIC if heic else UNUSABLE) from refused
    if source.format == "heic":
        try:  # the header is always understood; the pixels only where the library was built with a decoder for HEVC
            Image.new_from_buffer(data, "", access="sequential", fail_on="error").copy_memory()
        except pyvips.Error as error:
            raise RefusedError("unsupported", HEIC) from error
    return source


def without_metadata(data: bytes) -> Parts | None:
    """Return the parts of a JPEG that are no metadata.

    None when it has a profile that is not sRGB, something that nobody knows, or metadata between too many parts.
    """
    kept = [(0, 2)]
    for marker, at, end in _segments(data):
        if marker == _SCAN:
            # Coded bits hold no end marker, so what stands behind the first one is something else.
            ends = data.endswith(_END) and end <= len(data) - 2 and data.rfind(_END, end, len(data) - 2) == -1
            parts = _joined([*kept, (at, len(data))])
            return parts if ends and len(parts) <= _PARTS else None
        profile = marker == 0xE2 and data[at + 4 : at + 16] == b"ICC_PROFILE\0"
        if marker in _PLAIN_SEGMENTS or (profile and _is_srgb(data[at + 18 : end])):
            kept.append((at, end))
        elif marker not in _METADATA:
            return None
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, beginning and end of all that stands before a JPEG's coded bits, the last of which is `_SCAN`."""
    marker, at = 0, 2
    while marker != _SCAN and data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        marker, end = data[at + 1], at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, at, end
        at = end


def _joined(parts: Parts) -> Parts:
    """Return parts of which none begins where the one before it ends."""
    joined = parts[:1]
    for start, end in parts[1:]:
        if start == joined[-1][1]:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def is_whole(source: Source) -> bool:
    """Whether a JPEG decodes without a complaint; an eighth of its size costs least and still reads every coded bit."""
    _complaints()
    try:
        small = open_jpeg(_down_to_its_last_blocks(source), shrink=8, fail_on="warning")
        # All at once and in this thread, which costs less than to have it streamed by others.
        _REGION.new(small).fetch(0, 0, small.width, small.height)
    except pyvips.Error:
        return False
    return not _complaints()  # about the last lines nobody asks libvips again


def _complaints() -> str:
    """Return what libvips has noted since it was asked last."""
    return str(pyvips.Error("").detail)


def _down_to_its_last_blocks(source: Source) -> bytes | bytearray:
    """Return a JPEG of which an eighth has all lines: libvips rounds down, and would not look at the blocks below that."""
    missing = -source.height % _BLOCK
    frame = next((at for marker, at, _ in _segments(source.data) if marker in _FRAMES), None) if missing else None
    if frame is None:
        return source.data
    place = slice(frame + 5, frame + 7)
    taller = bytearray(source.data)
    taller[place] = (source.height + missing).to_bytes(2, "big")
    return taller


def _is_srgb(profile: bytes) -> bool:
    return b"sRGB" in profile or "sRGB".encode("utf-16-be") in profile


def _drawn(source: Source, layout: Layout, wish: _Wish) -> tuple[Any, bool]:
    """Return the picture on its canvas, and whether it had transparent parts to lose."""
    width, height = source.upright
    scale = max(layout.shown[0] / layout.kept[0], layout.shown[1] / layout.kept[1])
    whole = decode(source, max(1, round(width * min(1.0, scale))))
    transparent = bool(whole.hasalpha() and whole.extract_band(whole.bands - 1).min() < 255)
    colour = _colour(whole, wish.background)
    flat = opaque(whole, colour)
    kept = _middle(flat, layout.kept[0] / width, layout.kept[1] / height)
    shown = _sized(kept, layout.shown)
    if layout.shown == layout.canvas:
        return shown, transparent
    left, top = layout.corner
    across, down = layout.canvas
    if wish.background != "blur":
        filled = shown.embed(left, top, across, down, extend="background", background=list(colour))
        return filled, transparent
    return _blurred(kept, layout.canvas).insert(shown, left, top), transparent


def _middle(picture: Any, across: float, down: float) -> Any:
    width = max(1, round(picture.width * across))
    height = max(1, round(picture.height * down))
    if (width, height) == (picture.width, picture.height):
        return picture
    return picture.crop((picture.width - width) // 2, (picture.height - height) // 2, width, height)


def _sized(picture: Any, size: tuple[int, int]) -> Any:
    if (picture.width, picture.height) == size:
        return picture
    sized = picture.resize(size[0] / picture.width, vscale=size[1] / picture.height)
    if (sized.width, sized.height) != size:  # libvips rounds once more
        sized = sized.embed(0, 0, *size, extend="copy")
    return sized.copy_memory()


def _blurred(picture: Any, canvas: tuple[int, int]) -> Any:
    small = (max(2, canvas[0] // _BLUR), max(2, canvas[1] // _BLUR))
    ratio = small[0] / small[1] * picture.height / picture.width
    filling = _middle(picture, min(1.0, ratio), min(1.0, 1 / ratio))
    soft = _sized(filling, small).gaussblur(2).linear(0.75, 0).cast("uchar")
    return _sized(soft, canvas)


def _colour(picture: Any, background: str) -> tuple[int, int, int]:
    if background == "dominant":
        return _dominant(opaque(picture))
    if background.startswith("#"):
        red, green, blue = bytes.fromhex(background[1:])
        return red, green, blue
    return WHITE


def _dominant(picture: Any) -> tuple[int, int, int]:
    """Return the mean of the pixels in the fullest of 4,096 drawers of colour."""
    pixels = bytes(picture.resize(min(1.0, 48 / max(picture.width, picture.height))).write_to_memory())
    colours = [(pixels[at], pixels[at + 1], pixels[at + 2]) for at in range(0, len(pixels), 3)]
    (fullest, _), *_ = Counter(tuple(value >> 4 for value in each) for each in colours).most_common(1)
    inside = [each for each in colours if tuple(value >> 4 for value in each) == fullest]
    red, green, blue = (round(sum(band) / len(inside)) for band in zip(*inside, strict=True))
    return red, green, blue


def _changes(source: Source, layout: Layout, *, transparent: bool, bare: bool) -> list[str]:
    happened = {
        "first frame only": source.frames > 1,
        f"converted from {source.format}": source.format != "jpeg",
        "rotated": source.orientation > 1,
        "metadata removed": source.format == "jpeg" and not bare,
        "colours converted": not source.plain and not transparent,
        "flattened": transparent,
        "scaled": layout.kept != layout.shown,
        "cropped": layout.kept != source.upright,
        "padded": layout.shown != layout.canvas,
    }
    return [word for word, so in happened.items() if so]


def _encoded(picture: Any, bytes_max: int) -> tuple[bytes, int]:
    for quality in QUALITIES:
        made = picture.jpegsave_buffer(
            Q=quality, optimize_coding=True, interlace=False, subsample_mode="on", keep="none"
        )
        if len(made) <= bytes_max:
            return bytes(made), quality
    raise RefusedError("too_large", f"the picture cannot be made smaller than {bytes_max} bytes")
