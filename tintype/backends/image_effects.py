"""What changes the look of a picture: turning, colours, blurring, corners, frames, and other pictures laid over it.

It runs inside the worker process only. Every function takes sRGB with 8 bits, with or without transparency, and returns that.
"""

from typing import Any

from tintype.backends.image_operations import (
    BlackWhite,
    Blur,
    Border,
    Circle,
    Flip,
    Flop,
    Modulate,
    Monochrome,
    Negative,
    Operation,
    Pixelate,
    Rotate,
    RoundedCorners,
    Sepia,
    Sharpen,
    Watermark,
)
from tintype.backends.image_source import MAX_PIXELS, Image, RefusedError

_SEPIA = ((0.393, 0.769, 0.189), (0.349, 0.686, 0.168), (0.272, 0.534, 0.131))
_TURNS = {90: "d90", 180: "d180", 270: "d270"}


def draw(picture: Any, one: Operation, overlays: dict[str, Any]) -> Any:
    """Return the picture after one operation."""
    match one:
        case Flip():
            return picture.flipver()
        case Flop():
            return picture.fliphor()
        case Rotate():
            return _rotated(picture, one)
        case Sharpen():
            return picture.sharpen(sigma=max(0.3, one.amount / 2)).cast("uchar")
        case Blur():
            return _closed(_opened(picture).gaussblur(one.amount, precision="integer"), picture)
        case BlackWhite() | Sepia() | Monochrome() | Negative() | Modulate():
            return _coloured(picture, one)
        case Pixelate():
            return _closed(_squares(_opened(picture), one.amount), picture)
        case RoundedCorners():
            return _rounded(picture, one)
        case Circle():
            return _circle(picture, one)
        case Border():
            return _framed(picture, one)
        case Watermark():
            return _marked(picture, one, overlays[one.file])
        case _:
            raise AssertionError(f"{one} changes the size, which is done elsewhere")


def alone(one: Operation) -> bool:
    """Whether an operation costs so much that what follows should not ask for any pixel of it twice."""
    return isinstance(one, Rotate | Sharpen | Blur | Modulate | RoundedCorners | Circle | Watermark)


def _rotated(picture: Any, one: Rotate) -> Any:
    if one.deg in _TURNS:
        return picture.rot(_TURNS[one.deg])
    whole = picture if picture.hasalpha() or one.background != "transparent" else picture.bandjoin(255)
    width, height = whole.width * 2, whole.height * 2
    if width * height > MAX_PIXELS * 4:
        raise RefusedError("invalid", "the picture is too large to be turned by such an angle")
    filled = _ink(one.background, whole.bands)
    return _closed(_opened(whole).rotate(one.deg, background=filled), whole)


def _coloured(picture: Any, one: Operation) -> Any:
    colours, alpha = _apart(picture)
    match one:
        case BlackWhite():
            made = (colours.colourspace("b-w") > one.threshold * 2.55).copy(interpretation="b-w").colourspace("srgb")
        case Monochrome():
            made = colours.colourspace("b-w").colourspace("srgb")
        case Negative():
            made = colours.invert()
        case Sepia():
            made = colours.recomb(_mixed(one.tone / 100))
        case Modulate():
            bright, full = one.brightness / 100, one.saturation / 100
            made = colours.colourspace("lch").linear([bright, full, 1], [0, 0, one.hue]).copy(interpretation="lch")
            made = made.colourspace("srgb")
        case _:
            raise AssertionError(f"{one} is no change of colours")
    made = made.cast("uchar").copy(interpretation="srgb")
    return made if alpha is None else made.bandjoin(alpha)


def _mixed(share: float) -> list[list[float]]:
    """Return the matrix of colours between none of a sepia (0) and all of it (1)."""
    return [
        [share * weight + (1 - share) * (row == column) for column, weight in enumerate(weights)]
        for row, weights in enumerate(_SEPIA)
    ]


def _squares(picture: Any, side: int) -> Any:
    small = picture.shrink(min(side, picture.width), min(side, picture.height), ceil=True)
    return small.copy_memory().zoom(side, side).crop(0, 0, picture.width, picture.height)


def _rounded(picture: Any, one: RoundedCorners) -> Any:
    most = min(picture.width, picture.height) / 2
    radius = min(most, one.radius) if one.radius else most
    return _masked(picture, radius, one.blur, one.background)


def _circle(picture: Any, one: Circle) -> Any:
    side = min(picture.width, picture.height)
    middle = picture.crop((picture.width - side) // 2, (picture.height - side) // 2, side, side)
    return _masked(middle, side / 2, 0, one.background)


def _masked(picture: Any, radius: float, blur: float, background: str) -> Any:
    """Hide what lies outside of a rounded rectangle, by the distance of each pixel to its edge."""
    width, height = picture.width, picture.height
    places = Image.xyz(width, height)
    across = ((places[0] + 0.5 - width / 2).abs() - (width / 2 - radius)).maxpair(0)
    down = ((places[1] + 0.5 - height / 2).abs() - (height / 2 - radius)).maxpair(0)
    distance = (across**2 + down**2) ** 0.5 - radius
    mask = ((0.5 - distance / max(1.0, blur)) * 255).cast("uchar")
    colours, alpha = _apart(picture)
    shown = mask if alpha is None else (mask * alpha / 255).cast("uchar")
    made = colours.bandjoin(shown).copy(interpretation="srgb")
    return made if background == "transparent" else _on(made, background)


def _framed(picture: Any, one: Border) -> Any:
    whole = picture if one.background == "transparent" or not picture.hasalpha() else _on(picture, one.background)
    if one.color == "transparent" and not whole.hasalpha():
        whole = whole.bandjoin(255)
    width, height = whole.width + 2 * one.width, whole.height + 2 * one.width
    return whole.embed(
        one.width, one.width, width, height, extend="background", background=_ink(one.color, whole.bands)
    )


def _marked(picture: Any, one: Watermark, overlay: Any) -> Any:
    whole = overlay if overlay.hasalpha() else overlay.bandjoin(255)
    scale = min(one.size / 100, picture.width / whole.width, picture.height / whole.height)
    if scale != 1:
        whole = whole.premultiply().resize(scale).unpremultiply().cast("uchar")
    width, height = min(whole.width, picture.width), min(whole.height, picture.height)
    whole = whole.crop(0, 0, width, height).copy_memory()
    sides = one.position.split(",")
    left = _along(picture.width - width, "left" in sides, "right" in sides)
    top = _along(picture.height - height, "top" in sides, "bottom" in sides)
    made = picture.composite2(whole, "over", x=left, y=top).cast("uchar")
    return made if picture.hasalpha() else made.extract_band(0, n=3)


def _along(room: int, first: bool, last: bool) -> int:
    return 0 if first else room if last else room // 2


def _opened(picture: Any) -> Any:
    """Return colours by their weight, so that neighbours can be mixed; `_closed` takes the weight away again."""
    return picture.premultiply().cast("uchar") if picture.hasalpha() else picture


def _closed(made: Any, before: Any) -> Any:
    return (made.unpremultiply() if before.hasalpha() else made).cast("uchar")


def _apart(picture: Any) -> tuple[Any, Any]:
    if not picture.hasalpha():
        return picture, None
    return picture.extract_band(0, n=picture.bands - 1), picture.extract_band(picture.bands - 1)


def _on(picture: Any, background: str) -> Any:
    return picture.flatten(background=_ink(background, 3)).cast("uchar")


def _ink(colour: str, bands: int) -> list[int]:
    """Return a colour for a picture of so many bands; without transparency in it, transparent is white."""
    if colour == "transparent":
        return [0, 0, 0, 0] if bands == 4 else [255, 255, 255]
    code = list(bytes.fromhex(colour if len(colour) == 8 else f"{colour}ff"))
    return code[:bands]
