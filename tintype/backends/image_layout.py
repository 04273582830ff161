"""Where a picture lands on a canvas of an allowed ratio: arithmetic in whole pixels, without pixels.

Ratios are fractions, so that a result that is said to be within the limits is so to the last pixel.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

_ALIKE = 64  # an exact ratio such as 4:5 is met to the pixel when its first number is no larger than this


@dataclass(frozen=True, slots=True)
class Bounds:
    """The ratios (width / height) and widths that are allowed."""

    ratio_min: Fraction
    ratio_max: Fraction
    width_min: int
    width_max: int

    def admit(self, width: int, height: int) -> bool:
        """Whether a picture of this size needs no change."""
        return self.width_min <= width <= self.width_max and self.in_shape(width, height)

    def in_shape(self, width: int, height: int) -> bool:
        """Whether the ratio alone is allowed."""
        return self.ratio_min <= Fraction(width, height) <= self.ratio_max


@dataclass(frozen=True, slots=True)
class Layout:
    """The canvas, the part of the source that is kept (centred), and the size at which it is put in the canvas' middle."""

    canvas: tuple[int, int]
    kept: tuple[int, int]
    shown: tuple[int, int]

    @property
    def corner(self) -> tuple[int, int]:
        """Where the shown part begins on the canvas."""
        return (self.canvas[0] - self.shown[0]) // 2, (self.canvas[1] - self.shown[1]) // 2


def fraction(ratio: float) -> Fraction:
    """Return a ratio as people write it: 1.91 is 191:100, and 1080 / 1349 is what it was made of."""
    as_written = Fraction(str(ratio))
    return as_written if as_written.denominator <= 1000 else Fraction(ratio).limit_denominator(20_000)


def padded(width: int, height: int, bounds: Bounds, ratio: Fraction | None = None) -> Layout:
    """Return the layout that shows all of a picture, on a canvas that grows where its ratio is not allowed."""
    wanted = _wanted(width, height, bounds, ratio)
    canvas = _canvas(max(width, -(-height * wanted.numerator // wanted.denominator)), wanted, bounds, ratio is not None)
    if ratio is None and wanted == Fraction(width, height):
        return Layout(canvas, (width, height), canvas)
    scale = min(Fraction(canvas[0], width), Fraction(canvas[1], height))
    shown = (_between(round(width * scale), 1, canvas[0]), _between(round(height * scale), 1, canvas[1]))
    return Layout(canvas, (width, height), shown)


def cropped(width: int, height: int, bounds: Bounds, ratio: Fraction | None = None) -> Layout:
    """Return the layout that fills the canvas, and keeps of the picture what has the canvas' ratio."""
    wanted = _wanted(width, height, bounds, ratio)
    canvas = _canvas(min(width, int(height * wanted)), wanted, bounds, ratio is not None)
    if ratio is None and wanted == Fraction(width, height):
        return Layout(canvas, (width, height), canvas)
    across = _between(round(Fraction(height * canvas[0], canvas[1])), 1, width)
    down = _between(round(Fraction(width * canvas[1], canvas[0])), 1, height)
    return Layout(canvas, (across, down), canvas)


def said(ratio: Fraction | Iterable[int]) -> str:
    """Return a ratio for people: 4:5 and 16:9 as they are called, others against one."""
    value = ratio if isinstance(ratio, Fraction) else Fraction(*ratio)
    if max(value.numerator, value.denominator) <= 20:
        return f"{value.numerator}:{value.denominator}"
    return f"{float(value):.2f}:1"


def _wanted(width: int, height: int, bounds: Bounds, ratio: Fraction | None) -> Fraction:
    return min(max(ratio or Fraction(width, height), bounds.ratio_min), bounds.ratio_max)


def _canvas(width: int, wanted: Fraction, bounds: Bounds, exact: bool) -> tuple[int, int]:
    across = _between(width, bounds.width_min, bounds.width_max)
    if exact and wanted.numerator <= _ALIKE:
        above = -(-across // wanted.numerator) * wanted.numerator
        across = above if above <= bounds.width_max else above - wanted.numerator
    least, most = -(-across // bounds.ratio_max), across // bounds.ratio_min
    return across, _between(round(across / wanted), max(1, int(least)), int(most))


def _between(value: int, least: int, most: int) -> int:
    return min(max(value, least), most)
