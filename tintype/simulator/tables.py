"""Photographs of what stands on a table, seen from above: a cup of coffee, a meal."""

import math

from pyvips import Image

from tintype.simulator.canvas import Canvas, Colour, Sketch, Stops, curve, enlarge, lay, mix, soft, toned

TABLES: tuple[tuple[Colour, Colour], ...] = (  # grain, surface
    ((74, 46, 28), (150, 104, 66)),
    ((176, 140, 100), (222, 192, 150)),
    ((44, 46, 50), (84, 86, 90)),
    ((206, 202, 196), (240, 238, 234)),
    ((58, 40, 32), (104, 74, 56)),
)


def table(canvas: Canvas) -> Image:
    """A table top from above: boards, slate or marble, with light from a window on one side."""
    which = int(canvas.between(0, len(TABLES)))
    grain, surface = TABLES[which]
    shade = canvas.noise(1, 10) if which in (0, 1, 4) else canvas.noise()
    picture = toned(shade, [(0.2, grain), (0.45, mix(grain, surface, 0.6)), (0.7, surface), (1, surface)])
    if which in (0, 1, 4):
        gaps = Sketch.of(canvas)
        wide = canvas.unit * canvas.between(0.22, 0.34)
        for n in range(int(canvas.width / wide) + 1):
            gaps.box((n + 0.4) * wide, 0, (n + 0.4) * wide + 2, canvas.height, (190,))
        picture = lay(picture, mix(grain, (0, 0, 0), 0.6), soft(gaps.image(), 0.7))
    window = canvas.glow(canvas.one_of([0, canvas.width]), 0, canvas.height * 1.1, 0.45)
    return lay(picture, (255, 250, 236), window)


def dish(canvas: Canvas, picture: Image, place: tuple[float, float, float], profile: Stops, rough: float = 0) -> Image:
    """A round thing at (x, y, radius in pixels), coloured from its middle (0.0) to its rim (1.0), and its soft shadow."""
    x, y, radius = place
    shade = Sketch.of(canvas, shrink=2)
    shade.oval((x + radius * 0.12) / 2, (y + radius * 0.16) / 2, radius * 0.51, radius * 0.51, (200,))
    picture = lay(picture, (12, 8, 6), soft(enlarge(canvas, shade.image(), 2), radius * 0.07))
    far = canvas.distance(x, y)
    if rough:
        far = far + (canvas.noise(1, 1, coarsest=80).cast("float") - 128) * (rough * radius / 255)
    share = far.linear([250 / radius], [0], uchar=True)
    return lay(picture, toned(share, profile), (radius - far).linear([255], [128], uchar=True))


def sheen(canvas: Canvas, picture: Image, place: tuple[float, float, float]) -> Image:
    """The window's light on the upper left of a round thing at (x, y, radius)."""
    x, y, radius = place
    return lay(picture, (255, 252, 244), canvas.glow(x - radius * 0.55, y - radius * 0.55, radius * 0.9, 0.4))


CHINA: tuple[Colour, ...] = ((244, 242, 236), (66, 74, 80), (222, 208, 188), (148, 172, 176), (250, 250, 250))


def cup(canvas: Canvas) -> Image:
    """A cup of coffee from above."""
    china = canvas.one_of(CHINA)
    dim, bright = mix(china, (40, 34, 30), 0.25), mix(china, (255, 255, 255), 0.5)
    x, y = canvas.between(0.4, 0.6) * canvas.width, canvas.between(0.4, 0.6) * canvas.height
    radius = canvas.unit * canvas.between(0.2, 0.27)
    saucer: Stops = ((0, dim), (0.5, china), (0.62, dim), (0.66, china), (0.92, bright), (0.98, dim), (1, dim))
    picture = dish(canvas, table(canvas), (x, y, radius * 1.6), saucer)
    grip = canvas.disc(x + radius * 1.14, y - radius * 0.1, radius * 0.3, radius * 0.14)
    picture = lay(picture, dim, soft(grip, 1))
    body: Stops = ((0, dim), (0.86, mix(dim, (0, 0, 0), 0.35)), (0.9, china), (0.95, bright), (1, dim))
    picture = dish(canvas, picture, (x, y, radius), body)
    crema, milk = canvas.one_of(
        [((120, 70, 34), (238, 216, 180)), ((150, 92, 46), (246, 230, 200)), ((60, 34, 20), (130, 84, 48))]
    )
    drink: Stops = (
        (0, crema),
        (0.8, mix(crema, (255, 200, 120), 0.15)),
        (0.96, mix(crema, (20, 8, 0), 0.5)),
        (1, (40, 22, 12)),
    )
    picture = dish(canvas, picture, (x, y, radius * 0.88), drink)
    art = soft(foam(canvas, x, y, radius * 0.7), 0.9)
    picture = lay(picture, milk, art)
    return sheen(canvas, picture, (x, y, radius))


def foam(canvas: Canvas, x: float, y: float, reach: float) -> Image:
    """A mask of what a barista pours: leaves above each other, or a heart."""
    art = Sketch.of(canvas)
    layers = int(canvas.between(2, 6))
    for n in range(layers):
        share = 1 - n / layers
        for grown, ink in ((1.0, 235), (0.72, 0)):
            size, low = reach * share * grown, y + reach * (0.72 - 0.35 * n / layers)
            outline: list[tuple[float, float]] = []
            for k in range(40):
                turn = 2 * math.pi * k / 40
                outline.append((
                    x + size * 0.78 * math.sin(turn) ** 3 * 1.1,
                    low - size * 0.75 - size * (0.66 * math.cos(turn) - 0.27 * math.cos(2 * turn) - 0.1 * math.cos(3 * turn)),
                ))  # fmt: skip
            art.polygon(outline, (ink if n < layers - 1 else 235,))
    return art.image()


def plate(canvas: Canvas) -> Image:
    """A meal from above."""
    china = canvas.one_of(CHINA)
    dim, bright = mix(china, (40, 34, 30), 0.22), mix(china, (255, 255, 255), 0.6)
    x, y = canvas.between(0.44, 0.56) * canvas.width, canvas.between(0.44, 0.56) * canvas.height
    radius = canvas.unit * canvas.between(0.36, 0.43)
    body: Stops = ((0, china), (0.66, china), (0.7, dim), (0.74, china), (0.93, bright), (0.975, china), (1, dim))
    picture = dish(canvas, table(canvas), (x, y, radius), body)
    base, bits = canvas.one_of(MEALS)
    bed: Stops = (
        (0, mix(base, (255, 240, 200), 0.2)),
        (0.7, base),
        (0.95, mix(base, (30, 12, 0), 0.4)),
        (1, mix(base, (20, 8, 0), 0.6)),
    )
    picture = dish(canvas, picture, (x, y, radius * 0.62), bed, 0.3)
    food, mask = Sketch.of(canvas, (0, 0, 0)), Sketch.of(canvas)
    for _ in range(int(canvas.between(60, 130))):
        turn, far = canvas.between(0, 2 * math.pi), radius * 0.52 * math.sqrt(canvas.dice.random())
        morsel(canvas, food, mask, (x + far * math.cos(turn), y + far * math.sin(turn), radius), bits)
    textured = lay(food.image(), (255, 244, 214), curve(canvas.noise(1, 1, coarsest=20), 130, 210, 110))
    shade = mask.image()
    picture = lay(picture, (20, 10, 4), soft(shade.wrap(x=canvas.width - 4, y=canvas.height - 5), 3) * 0.55)
    picture = lay(picture, soft(textured, 0.7), soft(shade, 0.7))
    return sheen(canvas, picture, (x, y, radius))


MEALS: tuple[tuple[Colour, tuple[Colour, ...]], ...] = (
    ((96, 132, 52), ((120, 168, 60), (70, 116, 44), (206, 52, 40), (244, 232, 196), (158, 190, 84), (96, 40, 88))),
    ((214, 164, 84), ((228, 182, 100), (240, 204, 130), (200, 60, 36), (70, 120, 50), (236, 222, 190))),
    ((178, 62, 30), ((200, 84, 36), (232, 150, 60), (90, 130, 50), (246, 226, 180), (150, 40, 24))),
    ((232, 222, 200), ((240, 132, 96), (250, 160, 120), (96, 150, 70), (40, 44, 40), (250, 240, 220))),
    ((120, 66, 40), ((60, 30, 70), (180, 30, 60), (240, 206, 150), (220, 80, 90), (250, 246, 236))),
)


def morsel(
    canvas: Canvas, food: Sketch, mask: Sketch, place: tuple[float, float, float], bits: tuple[Colour, ...]
) -> None:
    """One bite at (x, y) on a plate of radius (third value): a leaf, a strip, or a slice with a brighter inside."""
    x, y, radius = place
    colour = mix(canvas.one_of(bits), (20, 10, 0), canvas.between(0, 0.3))
    size, turn = radius * canvas.between(0.05, 0.12), canvas.between(0, math.pi)
    if canvas.dice.random() < 0.35:
        for sketch, inks in (
            (mask, ((255,), (255,))),
            (food, (mix(colour, (0, 0, 0), 0.25), mix(colour, (255, 240, 210), 0.2))),
        ):
            sketch.oval(x, y, size * 0.8, size * 0.8, inks[0])
            sketch.oval(x, y, size * 0.62, size * 0.62, inks[1])
        return
    thin = canvas.between(0.25, 0.6)
    for grown, ink in ((1.0, mix(colour, (0, 0, 0), 0.2)), (0.7, mix(colour, (255, 250, 220), 0.14))):
        outline = [
            (x + size * grown * (1.6 * math.cos(a) * math.cos(turn) - thin * math.sin(a) * math.sin(turn)),
             y + size * grown * (1.6 * math.cos(a) * math.sin(turn) + thin * math.sin(a) * math.cos(turn)))
            for a in (n * math.pi / 7 for n in range(14))
        ]  # fmt: skip
        food.polygon(outline, ink)
        mask.polygon(outline, (255,))
