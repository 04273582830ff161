"""Does what is asked to a picture, in order, and writes the result: no metadata, no more pixels than are allowed.

It runs inside the worker process only. The first size that is asked for decides how small the picture is decoded, so that a
thumbnail costs about what decoding it at that size costs.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any

import pyvips

from tintype.backends.image_effects import alone, draw
from tintype.backends.image_fitting import Parts, is_whole, without_metadata
from tintype.backends.image_operations import (
    RESULT_SIDE,
    Crop,
    Flip,
    Flop,
    Operation,
    Output,
    Resize,
    SmartCrop,
    of_job,
)
from tintype.backends.image_source import (
    MAX_PIXELS,
    NO_PICTURE,
    Image,
    Memory,
    RefusedError,
    Source,
    opaque,
    read_header,
)

QUALITY = {"jpeg": 80, "webp": 82, "avif": 65, "png": 100}
FINE = 90  # from this quality on, at least twice the pixels go into the last scaling: 0.04 to 0.16 dB better
_WRITTEN = {"jpeg": "jpeg", "jpg": "jpeg", "png": "png", "webp": "webp", "avif": "avif", "gif": "png"}

_HALF = Fraction(1, 2)
_ROUNDING = 1e-6  # pixels by which a floating number may be off
_LARGE = 2**20  # bytes from which on it pays that libvips reads them where they are, and not from a copy of its own

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _State:
    """A picture on its way: what it is by the rules, in pixels of the source, and what was decoded of it, maybe smaller."""

    picture: Any
    width: int
    height: int
    most: int

    def to(self, picture: Any) -> "_State":
        """Return what a step made, at its own size."""
        return _State(picture, picture.width, picture.height, self.most)


def convert(data: bytes, job: dict[str, Any]) -> tuple[dict[str, object], bytes | None]:
    """Return the result's size and format, and its bytes, or None when `kept` tells which of the picture's they are.

    Raises `RefusedError`.
    """
    operations, output = of_job(job)
    parts = _parts(data, job["lengths"])
    source = _header(parts[0])
    overlays = {name: _overlay(part) for name, part in zip(job["overlays"], parts[1:], strict=True)}
    form = _WRITTEN[output.format or source.format]
    quality = output.quality or QUALITY[form]
    if (kept := _as_it_is(source, operations, output)) is not None:
        return {"width": source.width, "height": source.height, "format": form, "kept": kept}, None
    picture = _done(source, operations, overlays, fine=(output.quality or 0) >= FINE)
    body = _encoded(picture, form, quality, output)
    return {"width": picture.width, "height": picture.height, "format": form}, body


def _parts(data: bytes, lengths: list[int]) -> list[bytes]:
    if len(lengths) == 1:
        return [data]
    ends = [sum(lengths[: at + 1]) for at in range(len(lengths))]
    return [data[end - length : end] for end, length in zip(ends, lengths, strict=True)]


def _header(data: bytes) -> Source:
    source = read_header(data)
    if source.format == "heic":
        raise RefusedError("unsupported", NO_PICTURE)
    if source.width * source.height * source.frames > MAX_PIXELS:
        size = f"{source.frames} frames of {source.width} × {source.height} pixels"
        raise RefusedError("too_large", f"the picture has {size}; at most {MAX_PIXELS // 1_000_000} million are taken")
    return source


def _as_it_is(source: Source, operations: tuple[Operation, ...], output: Output) -> Parts | None:
    """Return the parts of a JPEG that nothing is to be done to, which loses its metadata only; None when there is work."""
    plain = source.format == "jpeg" and source.plain and source.orientation == 1
    if not plain or output.format not in ("", "jpg") or output.quality or output.compress or output.progressive:
        return None
    size = source.upright
    for one in operations:
        whole = isinstance(one, Crop) and _within(one, *size) == (0, 0, *size)
        if not whole and not (isinstance(one, Resize) and one.fit != "crop" and _target(one, *size) == size):
            return None
    kept = without_metadata(source.data)
    return kept if kept is not None and is_whole(source) else None


def _overlay(data: bytes) -> Any:
    return _loaded(_header(data), 1.0)


def _done(source: Source, operations: tuple[Operation, ...], overlays: dict[str, Any], *, fine: bool) -> Any:
    width, height = source.upright
    scale = _first_scale(source.upright, operations)
    loaded = _loaded(source, min(1.0, scale * 2) if fine else scale)
    state = _State(loaded, width, height, max(RESULT_SIDE, width, height))
    streamed = all(isinstance(one, Resize | Crop) for one in operations) and len(operations) <= 1
    if not streamed and state.picture.width * state.picture.height <= MAX_PIXELS:
        state = _State(state.picture.copy_memory(), width, height, state.most)
    for one in operations:
        state = _step(state, one, overlays)
    return state.picture


def _step(state: _State, one: Operation, overlays: dict[str, Any]) -> _State:
    match one:
        case Resize():
            return _resized(state, one)
        case Crop():
            return _cropped(state, one)
        case SmartCrop():
            return _smartly_cropped(state, one)
        case Flip() | Flop():
            return _State(draw(state.picture, one, overlays), state.width, state.height, state.most)
        case _:
            made = draw(_actual(state), one, overlays)
            _check(made.width, made.height, state.most)
            return state.to(made.copy_memory() if alone(one) else made)


def _first_scale(size: Size, operations: tuple[Operation, ...]) -> float:
    """Return how much smaller the picture may be decoded: by the first size that is asked for, if nothing needs more."""
    width, height = size
    for one in operations:
        match one:
            case Flip() | Flop():
                continue
            case Crop():
                _, _, width, height = _within(one, width, height)
            case Resize():
                across, down = _target(one, width, height)
                return min(1.0, max(across / width, down / height))
            case SmartCrop():
                return min(1.0, max(one.width / width, one.height / height))
            case _:
                return 1.0
    return 1.0


def _loaded(source: Source, scale: float) -> Any:
    """Decode at `scale`: upright, sRGB with 8 bits; nothing is decoded before it is needed."""
    picture = _opened(source, scale)
    profile = picture.get_typeof("icc-profile-data") != 0
    form, alpha = ("uchar", False) if source.plain else (picture.format, picture.hasalpha())
    width, height = picture.width, picture.height
    across, down = max(1, ceil(source.width * scale - _ROUNDING)), max(1, ceil(source.height * scale - _ROUNDING))
    if (width, height) != (across, down):
        if alpha:
            picture = picture.premultiply()
        picture = picture.resize(across / width, vscale=down / height)
        if alpha:
            picture = picture.unpremultiply().cast(form)
    if profile:
        picture = _from_profile(picture)
    if not source.plain and picture.interpretation != "srgb":
        picture = picture.colourspace("srgb")
    if not source.plain and picture.format != "uchar":
        picture = picture.cast("uchar")
    return picture.copy_memory().autorot() if source.orientation > 1 else picture


def _from_profile(picture: Any) -> Any:
    try:
        return picture.icc_transform("srgb", embedded=True)
    except pyvips.Error:  # a broken profile is no reason to refuse the pixels
        return picture


def _opened(source: Source, scale: float) -> Any:
    options: dict[str, object] = {"access": "sequential", "fail_on": "error"}
    if source.format == "jpeg":
        options["shrink"] = next((shrink for shrink in (8, 4, 2) if scale * shrink <= 1), 1)
    elif source.format == "webp" and scale < 1:
        options["scale"] = scale
    if len(source.data) >= _LARGE:
        return Image.new_from_source(Memory.new_from_memory(source.data), "", **options)
    if source.format == "jpeg":  # by name, which spares the search for a loader
        return Image.jpegload_buffer(source.data, **options)
    return Image.new_from_buffer(source.data, "", **options)


def _target(one: Resize, width: int, height: int) -> Size:
    """Return the size to which a picture is scaled; for `crop` one of its sides still sticks out of the box."""
    across, down = Fraction(one.width or 0, width), Fraction(one.height or 0, height)
    if one.fit == "scale":
        scales = (across or down, down or across)
    elif one.fit == "crop":
        scales = (max(across, down),) * 2
    else:
        least = min(filter(None, (across, down)))
        scales = (min(least, Fraction(1)) if one.fit == "max" else least,) * 2
    return max(1, floor(width * scales[0] + _HALF)), max(1, floor(height * scales[1] + _HALF))


def _resized(state: _State, one: Resize) -> _State:
    target = _target(one, state.width, state.height)
    box = (one.width or 1, one.height or 1) if one.fit == "crop" else target
    _check(*box, state.most)
    _check_pixels(*target)
    if one.fit == "crop" and one.align in ("attention", "entropy"):
        return _smart(state, box, one.align, target)
    picture = _sized(state.picture, target)
    if box != target:
        left, top = _corner(target, box, one.align)
        picture = picture.crop(left, top, *box)
    return state.to(picture)


def _smartly_cropped(state: _State, one: SmartCrop) -> _State:
    box = (one.width, one.height)
    target = _target(Resize(*box, fit="crop"), state.width, state.height)
    _check(*box, state.most)
    _check_pixels(*target)
    return _smart(state, box, one.mode, target)


def _smart(state: _State, box: Size, mode: str, target: Size) -> _State:
    return state.to(_sized(state.picture, target).copy_memory().smartcrop(*box, interesting=mode))


def _cropped(state: _State, one: Crop) -> _State:
    x, y, width, height = _within(one, state.width, state.height)
    across, down = state.picture.width / state.width, state.picture.height / state.height
    left, top = min(round(x * across), state.picture.width - 1), min(round(y * down), state.picture.height - 1)
    kept = (
        min(max(1, round(width * across)), state.picture.width - left),
        min(max(1, round(height * down)), state.picture.height - top),
    )
    return _State(state.picture.crop(left, top, *kept), width, height, state.most)


def _within(one: Crop, width: int, height: int) -> tuple[int, int, int, int]:
    if one.x >= width or one.y >= height:
        where = f"[{one.x},{one.y},{one.width},{one.height}]"
        raise RefusedError(
            "invalid", f"the crop {where} lies outside of the picture, which has {width} × {height} pixels"
        )
    return one.x, one.y, min(one.width, width - one.x), min(one.height, height - one.y)


def _actual(state: _State) -> Any:
    """Return the picture at the size that it has by the rules."""
    return _sized(state.picture, (state.width, state.height))


def _sized(picture: Any, size: Size) -> Any:
    if (picture.width, picture.height) == size:
        return picture
    alpha = picture.hasalpha()
    before = picture.premultiply() if alpha else picture
    made = before.resize(size[0] / picture.width, vscale=size[1] / picture.height)
    if alpha:
        made = made.unpremultiply().cast("uchar")
    return made if (made.width, made.height) == size else made.embed(0, 0, *size, extend="copy")


def _corner(outer: Size, inner: Size, align: str) -> Size:
    left, top = (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2
    sides = align.split(",")
    left = 0 if "left" in sides else outer[0] - inner[0] if "right" in sides else left
    top = 0 if "top" in sides else outer[1] - inner[1] if "bottom" in sides else top
    return left, top


def _check(width: int, height: int, most: int) -> None:
    if max(width, height) > most:
        raise RefusedError(
            "invalid", f"the result would have {width} × {height} pixels; at most {most} on a side are made"
        )
    _check_pixels(width, height)


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        size = f"{width} × {height} pixels on the way"
        raise RefusedError(
            "invalid", f"the picture would have {size}; at most {MAX_PIXELS // 1_000_000} million are made"
        )


def _encoded(picture: Any, form: str, quality: int, output: Output) -> bytes:
    hard = output.compress
    match form:
        case "jpeg":
            flat = opaque(picture, _rgb(output.background))
            subsampling = "off" if quality >= FINE else "on"
            made = flat.jpegsave_buffer(
                Q=quality,
                optimize_coding=True,
                interlace=output.progressive or hard,
                subsample_mode=subsampling,
                keep="none",
            )
        case "webp":
            made = picture.webpsave_buffer(Q=quality, effort=6 if hard else 4, keep="none")
        case "avif":
            made = picture.heifsave_buffer(
                compression="av1", effort=3 if hard else 0, Q=quality, bitdepth=8, keep="none"
            )
        case _:
            made = picture.pngsave_buffer(compression=9 if hard else 6, keep="none")
    return bytes(made)


def _rgb(colour: str) -> tuple[int, int, int]:
    if colour == "transparent":
        return 255, 255, 255
    red, green, blue = bytes.fromhex(colour[:6])
    return red, green, blue
