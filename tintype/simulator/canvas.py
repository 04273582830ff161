"""The few brushes that the simulator's photographs are made with: gradients, noise, soft masks and filled shapes.

SVG would be shorter, but libvips' switch against untrusted formats holds for the whole process, and `tintype demo` runs
the pretend Instagram in the process that (rightly) flips it. So shapes are filled here, row by row, in plain bytes.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import TypeVar

from pyvips import Image

Colour = tuple[int, int, int]
Stops = Sequence[tuple[float, Colour]]
Point = tuple[float, float]
Choice = TypeVar("Choice")

TILE = 1280  # pixels; larger than any canvas, so that one tile gives thousands of different crops


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture in the making: `width` × `height` pixels and the dice that decide everything in it."""

    width: int
    height: int
    dice: Random

    @property
    def unit(self) -> int:
        """The shorter side in pixels: what the sizes of things are measured in."""
        return min(self.width, self.height)

    def between(self, low: float, high: float) -> float:
        """A number from `low` to `high`, thrown with this picture's dice."""
        return low + (high - low) * self.dice.random()

    def one_of(self, choices: Sequence[Choice]) -> Choice:
        """One of `choices`, thrown with this picture's dice."""
        return choices[int(self.dice.random() * len(choices))]

    def flat(self, colour: Colour) -> Image:
        """The whole canvas in one colour."""
        return pixels(bytes(colour), 1, 1, 3, "uchar").zoom(self.width, self.height)

    def gradient(self, stops: Stops) -> Image:
        """Colours from the top edge (0.0) to the bottom edge (1.0)."""
        return ramp(stops, self.height).zoom(self.width, 1)

    def noise(self, across: float = 1, down: float = 1, *, coarsest: int = 320) -> Image:
        """One band of fractal noise around 128, features of up to `coarsest` pixels stretched `across` and `down`."""
        tile = noise_tile(across, down, coarsest)
        if self.width > TILE or self.height > TILE:
            tile = tile.replicate(self.width // TILE + 2, self.height // TILE + 2)
        left, top = int(self.between(0, tile.width - self.width)), int(self.between(0, tile.height - self.height))
        return tile.crop(left, top, self.width, self.height)

    def ridge(self, level: float, swing: float, span: float = 1) -> Image:
        """A skyline, one float per column: `level` of the height, up and down by `swing`, `span` tiles' features wide."""
        row = noise_tile()
        count = max(8, min(row.width, int(TILE * span)))
        line = row.crop(int(self.between(0, row.width - count)), int(self.between(0, row.height)), count, 1)
        stretched = line.cast("float").resize(self.width / count, vscale=1, kernel="cubic")
        stretched = stretched.embed(0, 0, self.width, 1, extend="copy")
        return stretched.linear([swing * self.height / 64], [(level - 2 * swing) * self.height])

    def depth(self, line: Image) -> Image:
        """For every pixel how many pixels it lies below the one-row image `line`; negative above it."""
        rows = pixels(array("f", range(self.height)).tobytes(), 1, self.height, 1, "float")
        return rows.zoom(self.width, 1) - line.zoom(1, self.height)

    def below(self, line: Image) -> Image:
        """A mask of what lies below the one-row image `line`, with a smooth edge."""
        return self.depth(line).linear([255], [128], uchar=True)

    def floor(self, horizon: float, surface: Image) -> Image:
        """`surface` (a noise tile) seen lying flat below `horizon` (share of the height): small far away, large near."""
        rows = [max(0.5, y - horizon * self.height) / self.height for y in range(self.height)]
        near = TILE - self.between(5, 150)
        deep = pixels(array("f", [near - 60 / (row + 0.06) for row in rows]).tobytes(), 1, self.height, 1, "float")
        wide = pixels(array("f", [0.35 / (row + 0.11) for row in rows]).tobytes(), 1, self.height, 1, "float")
        columns = array("f", (x - self.width / 2 for x in range(self.width))).tobytes()
        across = pixels(columns, self.width, 1, 1, "float").zoom(1, self.height) * wide.zoom(self.width, 1) + TILE / 2
        return surface.mapim(across.bandjoin(deep.zoom(self.width, 1)))

    def disc(self, x: float, y: float, wide: float, high: float, strength: int = 255) -> Image:
        """A mask of one upright ellipse."""
        sketch = Sketch.of(self)
        sketch.oval(x, y, wide, high, (strength,))
        return sketch.image()

    def distance(self, x: float, y: float) -> Image:
        """For every pixel its distance in pixels from (x, y)."""
        return Image.sdf(self.width, self.height, "circle", r=0, a=[x, y])

    def glow(self, x: float, y: float, radius: float, strength: float = 1) -> Image:
        """A mask that is brightest at (x, y) and fades to nothing at `radius` pixels, without any edge."""
        small = 8
        wide, high = self.width // small + 2, self.height // small + 2
        far = Image.sdf(wide, high, "circle", r=0, a=[x / small, y / small])
        light = far.linear([255 * small / radius], [0], uchar=True).maplut(falloff(strength))
        return light.zoom(small, small).gaussblur(small * 0.7).crop(0, 0, self.width, self.height)


@dataclass(slots=True)
class Sketch:
    """Shapes with hard edges in plain bytes, `bands` per pixel; blur the image to put it out of focus."""

    width: int
    height: int
    ground: Colour | tuple[int]
    drawn: bytearray

    @classmethod
    def of(cls, canvas: Canvas, ground: Colour | tuple[int] = (0,), *, shrink: int = 1) -> Sketch:
        """An empty sketch of the canvas' size divided by `shrink`, in the colour `ground`."""
        width, height = -(-canvas.width // shrink), -(-canvas.height // shrink)
        return cls(width, height, ground, bytearray(bytes(ground) * (width * height)))

    def span(self, y: int, start: float, end: float, ink: bytes) -> None:
        """Fills one row from `start` to `end`, cut at the edges."""
        left, right = max(0, round(start)), min(self.width, round(end))
        if 0 <= y < self.height and left < right:
            size = len(ink)
            row = y * self.width
            self.drawn[(row + left) * size : (row + right) * size] = ink * (right - left)

    def box(self, left: float, top: float, right: float, bottom: float, ink: Sequence[int]) -> None:
        """Fills an upright rectangle."""
        start, end = max(0, round(left)), min(self.width, round(right))
        row, size = bytes(ink) * max(0, end - start), len(ink)
        for y in range(max(0, round(top)), min(self.height, round(bottom))):
            place = (y * self.width + start) * size
            self.drawn[place : place + len(row)] = row

    def oval(self, x: float, y: float, wide: float, high: float, ink: Sequence[int]) -> None:
        """Fills an upright ellipse with the half axes `wide` and `high`."""
        paint = bytes(ink)
        for row in range(max(0, math.ceil(y - high)), min(self.height, math.floor(y + high) + 1)):
            half = wide * math.sqrt(max(0.0, 1 - ((row - y) / high) ** 2))
            self.span(row, x - half, x + half, paint)

    def polygon(self, points: Sequence[Point], ink: Sequence[int]) -> None:
        """Fills a polygon (even-odd)."""
        paint = bytes(ink)
        cuts: dict[int, list[float]] = {}
        for start, end in zip(points, [*points[1:], points[0]], strict=True):
            (x0, y0), (x1, y1) = (start, end) if start[1] <= end[1] else (end, start)
            for row in range(max(0, math.ceil(y0)), min(self.height, math.ceil(y1))):
                cuts.setdefault(row, []).append(x0 + (row - y0) * (x1 - x0) / (y1 - y0))
        for row, crossed in cuts.items():
            crossed.sort()
            for left, right in zip(crossed[::2], crossed[1::2], strict=True):
                self.span(row, left, right, paint)

    def image(self) -> Image:
        """What was drawn."""
        return pixels(bytes(self.drawn), self.width, self.height, len(self.ground), "uchar")


def pixels(values: bytes, width: int, height: int, bands: int, form: str) -> Image:
    """An image over `values`, safe to hand on.

    The copy costs nothing and is needed: pyvips' `copy_memory` of a bare `new_from_memory` image gives that very image
    back without its hold on the bytes, which are then freed under it.
    """
    return Image.new_from_memory(values, width, height, bands, form).copy()


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour that is `share` (0…1) of the way from `first` to `second`."""
    red, green, blue = (max(0, min(255, round(a + (b - a) * share))) for a, b in zip(first, second, strict=True))
    return red, green, blue


def ramp(stops: Stops, steps: int = 256) -> Image:
    """A column of `steps` colours that runs through `stops` (positions 0…1, ascending)."""
    column = bytearray(bytes(stops[-1][1]) * steps)
    done = 0
    before = stops[0]
    for at, (red, green, blue) in stops:
        low, (red0, green0, blue0) = before
        end = min(steps, round(at * steps))
        size = max(1e-6, (at - low) * steps)
        for i in range(done, end):
            share = min(1.0, max(0.0, (i - low * steps) / size))
            column[3 * i] = int(red0 + (red - red0) * share)
            column[3 * i + 1] = int(green0 + (green - green0) * share)
            column[3 * i + 2] = int(blue0 + (blue - blue0) * share)
        done, before = max(done, end), (at, (red, green, blue))
    return pixels(bytes(column), 1, steps, 3, "uchar")


@lru_cache(maxsize=64)
def falloff(strength: float) -> Image:
    """The table from distance (255 = out of reach) to light."""
    return lut(bytes(int(255 * strength * (1 - i / 255) ** 2.2) for i in range(256)))


def lut(values: bytes) -> Image:
    """A table for `maplut` from 256 values per band."""
    return pixels(values, 256, 1, len(values) // 256, "uchar")


def toned(shade: Image, stops: Stops) -> Image:
    """A one-band image coloured from dark (0.0) to bright (1.0)."""
    return shade.maplut(ramp(stops))


def curve(shade: Image, low: float, high: float, top: float = 255) -> Image:
    """A one-band image stretched so that `low` becomes 0 and `high` becomes `top`, smoothly at both ends."""
    table = bytearray()
    for i in range(256):
        share = max(0.0, min(1.0, (i - low) / (high - low)))
        table.append(round(top * share * share * (3 - 2 * share)))
    return shade.maplut(lut(bytes(table)))


def lay(base: Image, top: Image | Colour, mask: Image) -> Image:
    """`top` over `base` where `mask` says so (0…255)."""
    over = list(top) if isinstance(top, tuple) else top
    return mask.ifthenelse(over, base, blend=True)


def add(base: Image, light: Image) -> Image:
    """Light added to a picture, as a lens does it."""
    return (base + light).cast("uchar")


def soft(picture: Image, sigma: float) -> Image:
    """The picture out of focus by `sigma` pixels."""
    return picture.copy_memory().gaussblur(sigma) if sigma > 0.3 else picture


def enlarge(canvas: Canvas, picture: Image, factor: int) -> Image:
    """A smaller, blurred layer brought to the canvas' size without visible steps."""
    return soft(picture.zoom(factor, factor), factor * 0.6).crop(0, 0, canvas.width, canvas.height)


@lru_cache(maxsize=12)
def noise_tile(across: float = 1, down: float = 1, coarsest: int = 320) -> Image:
    """Fractal noise with a mean of 128 and a deviation of 40, TILE × TILE, the same in every process."""
    if across != 1 or down != 1:
        plain = noise_tile(coarsest=coarsest)
        part = plain.crop(0, 0, math.ceil(TILE / max(1, across)), math.ceil(TILE / max(1, down)))
        stretched = part.resize(max(1, across), vscale=max(1, down), kernel="cubic")
        return stretched.crop(0, 0, TILE, TILE).copy_memory()
    total = Image.black(TILE, TILE)
    for octave in range((coarsest // 4).bit_length()):
        layer = Image.perlin(TILE, TILE, cell_size=coarsest >> octave, seed=octave + 1)
        total = total + layer * 0.55**octave
    return total.linear([40 / total.deviate()], [128], uchar=True).copy_memory()
