"""Photographs for the pretend Instagram: made from a seed, because a repository full of pictures is no fun to clone.

A scene is composed at about a third of a megapixel and then developed: graded, vignetted, enlarged and grained.
"""

from functools import lru_cache
from math import ceil
from random import Random

from pyvips import Image

from tintype.simulator.canvas import TILE, Canvas, lut
from tintype.simulator.scenes import SCENES

QUALITY = 82  # what Instagram's own JPEGs look like; 1080 × 1350 comes to about 100–350 kB
COMPOSED = 200_000  # pixels a scene is composed at; the grain of the last step hides that it was enlarged


def photograph(seed: int, width: int, height: int) -> bytes:
    """A baseline 4:2:0 sRGB JPEG of `width` × `height` pixels that looks like a photograph; same arguments, same bytes."""
    factor = 1
    while (width / factor) * (height / factor) > COMPOSED:
        factor += 1
    dice = Random(seed)  # noqa: S311 - dice for pictures
    scene = SCENES[int(dice.random() * len(SCENES))]
    canvas = Canvas(ceil(width / factor), ceil(height / factor), dice)
    picture = developed(canvas, scene(canvas))
    return printed(canvas, picture, factor, width, height)


def developed(canvas: Canvas, scene: Image) -> Image:
    """The scene with this picture's contrast, tint and darker corners."""
    contrast, lift = canvas.between(0.15, 0.7), canvas.between(0, 16)
    warmth, tint = canvas.between(-9, 12), canvas.between(-3, 4)
    red, green, blue = (tone(contrast, lift, shift) for shift in (warmth, tint, -warmth))
    graded = scene.maplut(red.bandjoin(green).bandjoin(blue))
    return (graded * vignette(canvas.width, canvas.height)).cast("uchar")


def tone(contrast: float, lift: float, shift: float) -> Image:
    """One channel's curve: an S of strength `contrast`, blacks lifted by `lift`, middle tones moved by `shift`."""
    table = bytearray()
    for i in range(256):
        x = i / 255
        bent = x + contrast * (x * x * (3 - 2 * x) - x)
        table.append(max(0, min(255, round(lift + bent * (252 - lift) + shift * 4 * x * (1 - x)))))
    return lut(bytes(table))


def printed(canvas: Canvas, picture: Image, factor: int, width: int, height: int) -> bytes:
    """The picture enlarged, grained and encoded."""
    if factor > 1:
        box = Image.new_from_array([[1] * factor] * factor, scale=factor * factor)
        picture = picture.copy_memory().zoom(factor, factor).conv(box, precision="integer")
    left, top = int(canvas.between(0, TILE - 1)), int(canvas.between(0, TILE - 1))
    grain = grain_tile().replicate(width // TILE + 2, height // TILE + 2).crop(left, top, width, height)
    grained = (picture.crop(0, 0, width, height) + grain - 128).cast("uchar")
    return grained.copy(interpretation="srgb").jpegsave_buffer(Q=QUALITY, subsample_mode="on")


@lru_cache(maxsize=8)
def vignette(width: int, height: int) -> Image:
    """How much light reaches each pixel: 1 in the middle, about 0.72 in the corners."""
    reach = (width**2 + height**2) ** 0.5 / 2
    far = Image.sdf(width, height, "circle", r=0, a=[width / 2, height / 2]) / reach
    return (1 - far**3 * 0.28).copy_memory()


@lru_cache(maxsize=1)
def grain_tile() -> Image:
    """Film grain around 128, TILE × TILE, slightly clumped."""
    noise = Image.gaussnoise(TILE, TILE, mean=128, sigma=5.5, seed=1)
    return noise.gaussblur(0.55).linear([1], [0.5], uchar=True).copy_memory()
