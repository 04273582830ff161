"""Reads pictures for the worker: which ones are taken, and how they become upright sRGB with 8 bits.

It runs inside the worker process only, and imports nothing of the house, so that the worker stays small and knows no secret.
"""

from dataclasses import dataclass
from typing import Any

import pyvips

MAX_PIXELS = 50_000_000
MAX_PIXELS_WHOLE = 25_000_000  # progressive JPEG and AVIF are decoded whole: 20 Mpx of AVIF take 557 MiB
MAX_SIDE = 16_384
LOADERS = {
    "jpegload_buffer": "jpeg",
    "jpegload_source": "jpeg",
    "pngload_buffer": "png",
    "webpload_buffer": "webp",
    "heifload_buffer": "avif",
    "gifload_buffer": "gif",
}
JPEG = b"\xff\xd8\xff"  # what every JPEG begins with
NO_PICTURE = "this is not a JPEG, PNG, WebP, AVIF or GIF picture"
WHITE = (255, 255, 255)

# pyvips carries no types; these are the names through which it is used.
Image: Any = pyvips.Image  # pyright: ignore[reportUnknownMemberType]
Memory: Any = pyvips.Source  # pyright: ignore[reportUnknownMemberType]


class RefusedError(Exception):
    """The picture is not taken; `kind` is `invalid`, `unsupported` or `too_large`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


@dataclass(frozen=True, slots=True)
class Source:
    """A picture of which only the header was read: its bytes, format, stored size, and how it has to be turned."""

    data: bytes
    format: str
    width: int
    height: int
    orientation: int
    frames: int
    plain: bool  # three bands of 8 bits in sRGB, as far as the header tells

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as a person sees them."""
        return (self.height, self.width) if self.orientation > 4 else (self.width, self.height)


def read_header(data: bytes) -> Source:
    """Look at the header alone and refuse what must not be decoded; raises `RefusedError`."""
    try:
        found = open_jpeg(data) if data[:3] == JPEG else Image.new_from_buffer(data, "", access="sequential")
    except pyvips.Error as error:
        raise RefusedError("unsupported", NO_PICTURE) from error
    kind = _kind(found)
    whole = kind in ("avif", "heic") or bool(_get(found, "interlaced", 0) and kind == "jpeg")
    limit = MAX_PIXELS_WHOLE if whole else MAX_PIXELS
    size = f"the picture has {found.width} × {found.height} pixels"
    if found.width * found.height > limit:
        what = {"jpeg": " of a progressive JPEG"}.get(kind, f" of {kind.upper()}") if whole else ""
        raise RefusedError("too_large", f"{size}; at most {limit // 1_000_000} million pixels{what} are taken")
    if max(found.width, found.height) > MAX_SIDE:
        raise RefusedError("too_large", f"{size}; at most {MAX_SIDE} on a side are taken")
    plain = (found.bands, found.format, found.interpretation) == (3, "uchar", "srgb")
    turned, frames = int(_get(found, "orientation", 1)), int(_get(found, "n-pages", 1))
    return Source(data, kind, found.width, found.height, turned, frames, plain)


def open_jpeg(data: bytes | bytearray, **options: object) -> Any:
    """Open a JPEG where its bytes are, without a copy of them; nothing is decoded before it is needed."""
    return Image.new_from_source(Memory.new_from_memory(data), "", access="sequential", **options)


def decode(source: Source, width: int) -> Any:
    """Decode once, completely, into memory: upright, sRGB with 8 bits, `width` pixels wide or as wide as it is."""
    scale = min(1.0, width / source.upright[0])
    loaded = Image.new_from_buffer(source.data, _load_options(source, scale), access="sequential", fail_on="error")
    profile = loaded.get_typeof("icc-profile-data") != 0
    alpha = loaded.hasalpha()
    picture = loaded.premultiply() if alpha else loaded
    across, down = max(1, round(source.width * scale)), max(1, round(source.height * scale))
    if (picture.width, picture.height) != (across, down):
        picture = picture.resize(across / picture.width, vscale=down / picture.height)
    if alpha:
        picture = picture.unpremultiply().cast(loaded.format)
    picture = _to_srgb(picture, profile).copy_memory()
    return picture.autorot().copy_memory() if source.orientation > 1 else picture


def opaque(picture: Any, background: tuple[int, int, int] = WHITE) -> Any:
    """Return the picture on a background, in three bands."""
    flat = picture.flatten(background=list(background)) if picture.hasalpha() else picture
    return flat if flat.bands == 3 else flat.colourspace("srgb")


def _kind(found: Any) -> str:
    kind = LOADERS.get(_get(found, "vips-loader", ""))
    if kind == "avif":
        kind = {"av1": "avif", "hevc": "heic"}.get(_get(found, "heif-compression", ""))
    if kind is None:
        raise RefusedError("unsupported", NO_PICTURE)
    return kind


def _to_srgb(picture: Any, profile: bool) -> Any:
    if profile:
        try:
            return picture.icc_transform("srgb", embedded=True)
        except pyvips.Error:  # a broken profile is no reason to refuse the pixels
            pass
    return picture if picture.interpretation == "srgb" else picture.colourspace("srgb")


def _load_options(source: Source, scale: float) -> str:
    if source.format == "jpeg":
        return f"[shrink={next((shrink for shrink in (8, 4, 2) if scale * shrink <= 1), 1)}]"
    return f"[scale={scale:.6f}]" if source.format == "webp" and scale < 1 else ""


def _get(image: Any, name: str, default: Any) -> Any:
    return image.get(name) if image.get_typeof(name) != 0 else default
