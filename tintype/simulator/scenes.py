"""What the simulator's photographs show: one function per motif, and one tuple of all of them."""

import math
from collections.abc import Callable

from pyvips import Image

from tintype.simulator.canvas import Canvas, Colour, Sketch, Stops, add, curve, enlarge, lay, mix, soft, toned
from tintype.simulator.landscapes import forest, hills, night, sea, shore
from tintype.simulator.tables import cup, plate

LIGHTS: tuple[tuple[Colour, ...], ...] = (
    ((255, 190, 96), (255, 160, 60), (255, 220, 160), (190, 70, 40)),
    ((90, 190, 255), (255, 90, 150), (255, 200, 120), (120, 110, 255)),
    ((255, 214, 150), (255, 120, 80), (150, 220, 190), (255, 240, 220)),
)


def bokeh(
    canvas: Canvas, count: int, size: float, colours: tuple[Colour, ...], top: float = 0, end: float = 1
) -> Image:
    """Light of `count` lamps far out of focus, discs of about `size` (share of the unit) between two heights."""
    discs = Sketch.of(canvas, (0, 0, 0), shrink=2)
    unit = min(discs.width, discs.height)
    for _ in range(count):
        radius = unit * size * canvas.between(0.6, 1.3)
        x, y = canvas.between(0, 1) * discs.width, canvas.between(top, end) * discs.height
        colour, bright = canvas.one_of(colours), canvas.between(0.15, 0.75)
        discs.oval(x, y, radius, radius, mix((0, 0, 0), colour, bright))
        discs.oval(x, y, radius * 0.86, radius * 0.86, mix((0, 0, 0), colour, bright * 0.8))
    return enlarge(canvas, discs.image(), 2)


def city(canvas: Canvas) -> Image:
    """A skyline at night behind the lights of a street."""
    dusk: Stops = canvas.one_of(
        [
            ((0, (8, 12, 30)), (0.4, (30, 34, 66)), (0.62, (112, 74, 92)), (0.75, (190, 112, 84)), (1, (30, 24, 34))),
            ((0, (6, 10, 22)), (0.5, (16, 34, 62)), (0.7, (52, 86, 118)), (1, (14, 18, 30))),
            ((0, (24, 18, 44)), (0.45, (78, 44, 88)), (0.7, (206, 98, 104)), (1, (34, 20, 36))),
        ]
    )
    picture = lay(canvas.gradient(dusk), mix(dusk[1][1], (90, 90, 110), 0.4), curve(canvas.noise(3, 1), 120, 230, 130))
    lights = canvas.one_of(LIGHTS)
    towers, windows, mask = Sketch.of(canvas, (0, 0, 0)), Sketch.of(canvas, (0, 0, 0)), Sketch.of(canvas)
    for layer in range(3):
        body = mix(dusk[2][1], (8, 9, 14), 0.62 + 0.17 * layer)
        x = -canvas.between(0, 0.1) * canvas.width
        while x < canvas.width:
            wide = canvas.unit * canvas.between(0.06, 0.17)
            top = canvas.height * (canvas.between(0.25, 0.52) + 0.1 * layer)
            mask.box(x, top, x + wide, canvas.height, (255,))
            windows.box(x, top, x + wide, canvas.height, (0, 0, 0))
            towers.box(x, top, x + wide, canvas.height, mix(body, (0, 0, 0), canvas.between(0, 0.5)))
            lit(canvas, windows, (x, top, wide), lights, 0.3 + 0.2 * layer)
            x += wide + canvas.between(-0.01, 0.05) * canvas.width
    blur = canvas.unit * canvas.between(0.002, 0.008)
    picture = lay(picture, soft(towers.image(), blur), soft(mask.image(), blur))
    haze = canvas.glow(canvas.width / 2, canvas.height * 0.9, canvas.height * 0.6, 0.7)
    picture = lay(picture, mix(lights[0], (60, 30, 20), 0.4), haze)
    shine = windows.image()
    picture = add(picture, soft(shine, blur) * 1.4 + soft(shine, canvas.unit * 0.02))
    return add(picture, bokeh(canvas, 46, 0.045, lights, 0.72, 1))


def lit(
    canvas: Canvas, windows: Sketch, tower: tuple[float, float, float], lights: tuple[Colour, ...], share: float
) -> None:
    """Lights `share` of the windows of one tower (left, top, width in pixels)."""
    left, top, wide = tower
    step = max(3, round(canvas.unit * 0.012))
    tint = mix(canvas.one_of(lights), (255, 226, 180), 0.6)
    for row in range(round(top) + step, round(min(canvas.height, top + canvas.height * 0.4)), step):
        for n in range(int(wide // step) - 1):
            if canvas.dice.random() < share * 0.6:
                x = left + step * (n + 0.6)
                paint = mix((0, 0, 0), tint, canvas.between(0.25, 0.95))
                windows.box(x, row, x + step * 0.5, row + step * 0.6, paint)


PETALS: tuple[tuple[Colour, Colour], ...] = (  # at the heart, at the tip
    ((226, 70, 110), (250, 196, 210)),
    ((250, 170, 40), (255, 226, 120)),
    ((120, 80, 180), (206, 180, 236)),
    ((236, 226, 210), (255, 255, 250)),
    ((190, 24, 40), (236, 84, 70)),
)


def flower(canvas: Canvas) -> Image:
    """One blossom close up, its surroundings far out of focus."""
    green = canvas.one_of([(46, 74, 38), (70, 84, 44), (38, 62, 58)])
    meadow: Stops = ((0, mix(green, (0, 0, 0), 0.6)), (0.6, green), (1, (190, 196, 130)))
    picture = toned(soft(canvas.noise(), canvas.unit * 0.03), meadow)
    picture = add(picture, soft(bokeh(canvas, 16, 0.09, ((150, 170, 90), (210, 200, 140), (90, 120, 60))), 5) * 0.5)
    x, y = canvas.between(0.38, 0.62) * canvas.width, canvas.between(0.38, 0.58) * canvas.height
    reach, tilt = canvas.unit * canvas.between(0.32, 0.44), canvas.between(0.7, 1)
    stem, wide = Sketch.of(canvas), reach * 0.035
    foot = x + canvas.between(-0.15, 0.15) * canvas.width
    end = canvas.height
    stem.polygon([(x - wide, y), (x + wide, y), (foot + wide, end), (foot - wide, end)], (255,))
    picture = lay(picture, mix(green, (120, 160, 70), 0.5), soft(stem.image(), 2))
    picture = blossom(canvas, picture, (x, y, reach, tilt))
    pollen = Sketch.of(canvas, (0, 0, 0))
    for _ in range(260):
        turn, far = canvas.between(0, 2 * math.pi), reach * 0.22 * math.sqrt(canvas.dice.random())
        ink = mix((120, 66, 10), (250, 206, 70), canvas.between(0, 1))
        pollen.oval(x + far * math.cos(turn), y + far * tilt * math.sin(turn), 2.2, 2.2, ink)
    heart = canvas.disc(x, y, reach * 0.23, reach * 0.23 * tilt)
    return lay(picture, soft(pollen.image(), 0.6), soft(heart, 1.2))


def blossom(canvas: Canvas, picture: Image, place: tuple[float, float, float, float]) -> Image:
    """Two rings of petals around (x, y), as long as the third value in pixels, foreshortened by the fourth."""
    x, y, reach, tilt = place
    colours = canvas.one_of(PETALS)
    petals, mask = Sketch.of(canvas, (0, 0, 0)), Sketch.of(canvas)
    count = int(canvas.between(8, 19))
    for n in range(2 * count):
        ring = n // count
        turn = 2 * math.pi * (n + 0.5 * ring + canvas.between(-0.12, 0.12)) / count
        size = reach * (1 - 0.2 * ring) * canvas.between(0.9, 1.05), 5.2 / count
        petal(petals, mask, (x, y, turn, tilt), size, colours, 0.75 + 0.25 * ring)
    veins = curve(canvas.noise(1, 1, coarsest=80), 120, 40, 90)
    veined = lay(petals.image(), mix(colours[0], (0, 0, 0), 0.3), veins)
    return lay(picture, soft(veined, 0.9), soft(mask.image(), 0.8))


def petal(
    petals: Sketch,
    mask: Sketch,
    place: tuple[float, float, float, float],
    size: tuple[float, float],
    colours: tuple[Colour, Colour],
    light: float,
) -> None:
    """One petal at (x, y, turn, tilt) of (length in pixels, half width in radians), darker towards the heart."""
    x, y, turn, tilt = place
    length, spread = size
    lit_side = light * (0.86 + 0.14 * math.sin(turn - 2.2))
    for step in range(5):
        share = step / 4
        outline: list[tuple[float, float]] = []
        for k in range(13):
            along = math.sin(math.pi * k / 12)
            side = (k / 6 - 1) * spread * (0.5 if k in (0, 12) else 1) * (1 - 0.55 * share)
            far = length * (0.1 + (0.9 - 0.25 * share) * along**0.6)
            outline.append((x + far * math.cos(turn + side), y + far * tilt * math.sin(turn + side)))
        ink = mix((0, 0, 0), mix(colours[1], colours[0], 0.85 * (1 - share) if step else 0.55), lit_side)
        petals.polygon(outline, ink)
        if step == 0:
            mask.polygon(outline, (255,))


EVENINGS: tuple[tuple[Colour, Colour, tuple[Colour, ...]], ...] = (  # above, at the horizon, its lamps
    ((70, 84, 112), (250, 190, 130), LIGHTS[0]),
    ((40, 52, 60), (226, 206, 160), LIGHTS[2]),
    ((60, 40, 82), (250, 140, 140), LIGHTS[1]),
)
CLOTHES: tuple[tuple[Colour, Colour], ...] = (  # coat, hair
    ((34, 38, 52), (38, 26, 20)),
    ((96, 42, 34), (24, 18, 18)),
    ((120, 104, 84), (84, 54, 32)),
    ((46, 56, 44), (110, 80, 48)),
)


def somebody(canvas: Canvas) -> Image:
    """A person from behind, looking into a blurred evening."""
    above, glow, lights = canvas.one_of(EVENINGS)
    ground = mix(above, (20, 16, 16), 0.6)
    picture = canvas.gradient([(0, above), (0.5, mix(above, glow, 0.75)), (0.62, glow), (1, ground)])
    horizon = soft(canvas.below(canvas.ridge(0.62, 0.06, 0.3)), canvas.unit * 0.03)
    picture = lay(picture, mix(above, (20, 16, 18), 0.5), horizon)
    picture = add(picture, soft(bokeh(canvas, 26, 0.05, lights, 0.35, 0.8), 1.5))
    coat, hair = canvas.one_of(CLOTHES)
    x, y = canvas.between(0.36, 0.64) * canvas.width, canvas.height * canvas.between(0.44, 0.52)
    head = canvas.unit * canvas.between(0.1, 0.125)
    picture = backlit(canvas, picture, torso(canvas, x, y, head), (coat, glow, 4))
    picture = backlit(canvas, picture, crown(canvas, x, y, head), (hair, glow, 10))
    return add(picture, soft(bokeh(canvas, 4, 0.09, lights, 0.75, 1), 4) * 0.4)


def torso(canvas: Canvas, x: float, y: float, head: float) -> Image:
    """A mask of neck, shoulders and back below a head at (x, y) of half width `head` in pixels."""
    body = Sketch.of(canvas)
    left = [(-0.5, 0), (-0.55, 1.05), (-1.25, 1.45), (-2.1, 1.75), (-2.55, 2.4), (-2.85, 4.2), (-2.9, 12)]
    points = [(x + wide * head, y + low * head) for wide, low in left]
    body.polygon([*points, *[(2 * x - px, py) for px, py in reversed(points)]], (255,))
    return rounded(body, head * 0.2)


def crown(canvas: Canvas, x: float, y: float, head: float) -> Image:
    """A mask of a head of hair, short or falling over the shoulders."""
    hair = Sketch.of(canvas)
    hair.oval(x, y - head * 0.1, head * 0.86, head * 1.12, (255,))
    if canvas.dice.random() < 0.6:
        fall = canvas.between(1.2, 2.6)
        right = [(0.86, 0.0), (1.02, fall * 0.6), (0.8, fall), (0.25, fall + 0.3), (-0.3, fall + 0.15), (-0.85, fall)]
        hair.polygon(
            [(x + wide * head, y + low * head) for wide, low in [*right, (-1.0, fall * 0.6), (-0.86, 0.0)]], (255,)
        )
    else:
        hair.oval(x - head * 0.84, y + head * 0.15, head * 0.12, head * 0.24, (255,))
        hair.oval(x + head * 0.84, y + head * 0.15, head * 0.12, head * 0.24, (255,))
    return rounded(hair, head * 0.07)


def rounded(sketch: Sketch, radius: float) -> Image:
    """The sketched mask with its corners rounded by about `radius` pixels and a smooth edge."""
    return curve(soft(sketch.image(), radius), 96, 160).copy_memory()


def backlit(canvas: Canvas, picture: Image, shape: Image, cloth: tuple[Colour, Colour, int]) -> Image:
    """Something of one colour with long fibres (third value) before a bright sky (second value)."""
    colour, glow, fibre = cloth
    dark = mix(colour, (10, 8, 12), 0.5)
    woven = lay(canvas.flat(dark), mix(colour, glow, 0.22), curve(canvas.noise(1, fibre, coarsest=80), 100, 220, 150))
    picture = lay(picture, woven, shape)
    rim = (shape.cast("float") - soft(shape, canvas.unit * 0.012)).linear([1.1], [0], uchar=True)
    return lay(picture, mix(glow, (255, 240, 220), 0.3), rim)


SCENES: tuple[Callable[[Canvas], Image], ...] = (
    hills, sea, shore, city, forest, flower, cup, plate, somebody, night,
)  # fmt: skip
