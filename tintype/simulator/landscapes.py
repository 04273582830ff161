"""Photographs of the world outside: hills, sea, beach, forest, stars. One function per motif."""

import math

from pyvips import Image

from tintype.simulator.canvas import Canvas, Colour, Sketch, Stops, curve, enlarge, lay, mix, noise_tile, soft, toned

SKIES: tuple[Stops, ...] = (
    ((0, (58, 110, 176)), (0.45, (138, 178, 214)), (0.75, (214, 224, 226)), (1, (232, 226, 210))),
    ((0, (46, 62, 112)), (0.35, (128, 104, 142)), (0.6, (226, 142, 118)), (0.8, (250, 196, 132)), (1, (255, 222, 164))),
    ((0, (120, 138, 152)), (0.5, (176, 188, 194)), (1, (218, 220, 216))),
    ((0, (28, 52, 96)), (0.4, (70, 116, 160)), (0.7, (206, 178, 156)), (1, (246, 206, 150))),
    ((0, (74, 134, 188)), (0.6, (168, 204, 226)), (1, (236, 240, 236))),
)


FAR_HILLS: tuple[tuple[Colour, Colour], ...] = (  # the farthest ridge, the nearest one
    ((150, 172, 192), (30, 44, 34)),
    ((176, 140, 150), (40, 28, 40)),
    ((160, 172, 172), (44, 58, 48)),
    ((166, 160, 168), (34, 40, 50)),
    ((152, 182, 196), (58, 78, 34)),
)


def sky(canvas: Canvas, stops: Stops, horizon: float) -> Image:
    """A sky down to `horizon` (share of the height) with clouds lit from below."""
    picture = canvas.gradient([(at * horizon, colour) for at, colour in stops])
    clouds = curve(canvas.noise(3, 1), canvas.between(125, 165), 225, canvas.between(120, 240))
    return lay(picture, mix(stops[-1][1], (255, 255, 255), 0.4), clouds)


def hills(canvas: Canvas) -> Image:
    """Ridges behind ridges in haze."""
    which = int(canvas.between(0, len(SKIES)))
    far, near = FAR_HILLS[which]
    horizon = canvas.between(0.45, 0.6)
    picture = sky(canvas, SKIES[which], horizon + 0.1)
    x, y = canvas.between(0.15, 0.85) * canvas.width, canvas.between(0.5, 0.95) * horizon * canvas.height
    picture = lay(picture, (255, 240, 205), canvas.glow(x, y, canvas.unit * canvas.between(0.35, 0.8), 0.95))
    layers = 4
    for n in range(layers):
        share = n / (layers - 1)
        level = horizon - 0.05 + share * (0.96 - horizon) * 0.75
        line = canvas.ridge(level, 0.05 + 0.05 * (1 - share), 0.25 + 0.12 * n)
        body = mix(far, near, share**0.8)
        mist = mix(body, SKIES[which][-1][1], 0.55 * (1 - share))
        slope = canvas.gradient([(0, body), (max(0.01, level - 0.08), body), (min(0.99, level + 0.2), mist), (1, mist)])
        picture = lay(picture, slope, canvas.below(line))
    rough = curve(canvas.noise(), 60, 200, 60)
    return lay(picture, mix(near, (0, 0, 0), 0.6), rough)


def sea(canvas: Canvas) -> Image:
    """The sun going down over water."""
    horizon = canvas.between(0.4, 0.62)
    stops = canvas.one_of(SKIES[1:4])
    edge = horizon * canvas.height
    x, y = canvas.between(0.3, 0.7) * canvas.width, edge - canvas.between(0.02, 0.12) * canvas.height
    warm = stops[-1][1]
    picture = lay(sky(canvas, stops, horizon), (255, 226, 170), canvas.glow(x, y, canvas.unit * 0.75, 0.9))
    sun = canvas.disc(x, y, canvas.unit * 0.045, canvas.unit * 0.045)
    picture = lay(picture, (255, 250, 224), soft(sun, 1.5))

    deep = mix(stops[0][1], (8, 24, 40), 0.6)
    water = canvas.gradient([(0, warm), (horizon, mix(warm, deep, 0.25)), (min(0.99, horizon + 0.3), deep), (1, deep)])
    waves = canvas.floor(horizon, noise_tile(4, 1, 16)).copy_memory()
    water = lay(water, mix(deep, (0, 0, 0), 0.5), curve(waves, 150, 60, 150))
    path = (curve(waves, 120, 190).cast("float") * canvas.glow(x, edge, canvas.height * 0.7) / 110).cast("uchar")
    water = lay(water, mix(warm, (255, 245, 215), 0.6), path)
    return lay(picture, water, canvas.below(canvas.ridge(horizon, 0)))


def shore(canvas: Canvas) -> Image:
    """A beach from above: sand, foam, turquoise and deep water."""
    line = canvas.ridge(canvas.between(0.3, 0.5), 0.07, 0.3)
    rough = canvas.noise(2, 1).cast("float") - 128
    far = (canvas.depth(line) * (150 / canvas.height) + rough * 0.28 + 80).cast("uchar")
    deep = canvas.one_of([(12, 84, 120), (16, 98, 116), (20, 70, 96)])
    sand = canvas.one_of([(226, 204, 166), (214, 190, 160), (234, 216, 186)])
    bands: Stops = (
        (0, sand), (0.27, sand), (0.31, mix(sand, (110, 84, 56), 0.45)), (0.335, mix(sand, (110, 84, 56), 0.5)),
        (0.345, (250, 250, 246)), (0.365, (226, 240, 236)), (0.38, (120, 206, 200)), (0.39, (236, 246, 242)),
        (0.41, (110, 204, 200)), (0.52, (44, 158, 172)), (0.7, deep), (1, mix(deep, (0, 20, 50), 0.4)),
    )  # fmt: skip
    picture = lay(toned(far, bands), (60, 44, 30), curve(canvas.noise(), 110, 30, 70))
    size = canvas.unit * canvas.between(0.02, 0.04)
    places = [(canvas.between(0.1, 0.9) * canvas.width, canvas.between(0.03, 0.2) * canvas.height) for _ in range(4)]
    shades, shapes = Sketch.of(canvas), Sketch.of(canvas, (0, 0, 0))
    cloth = canvas.one_of([(196, 60, 52), (240, 180, 60), (40, 110, 140)])
    for x, y in places[: int(canvas.between(0, 5))]:
        shades.oval(x + size * 0.7, y + size * 0.8, size, size, (170,))
        for part in range(12):
            turn = part * math.pi / 6
            edge = [(x + size * math.cos(turn + a), y + size * math.sin(turn + a)) for a in (0, 0.27, 0.53)]
            shapes.polygon([(x, y), *edge], mix(cloth if part % 2 else (246, 242, 234), (0, 0, 0), 0.12 * (part < 4)))
    picture = lay(picture, (60, 40, 30), soft(shades.image(), size * 0.15))
    cloths = shapes.image()
    return lay(picture, cloths, (cloths[0] > 0))


def forest(canvas: Canvas) -> Image:
    """Trunks in the mist, light falling in from one side."""
    light, dark = canvas.one_of(
        [((214, 224, 190), (24, 36, 22)), ((226, 214, 180), (40, 32, 20)), ((196, 212, 214), (18, 32, 34))]
    )
    leaf = mix(dark, canvas.one_of([(96, 132, 50), (150, 120, 40), (70, 110, 70)]), 0.7)
    picture = canvas.gradient([(0, mix(light, leaf, 0.45)), (0.5, light), (0.75, mix(light, leaf, 0.5)), (1, dark)])
    picture = lay(picture, mix(light, leaf, 0.6), curve(canvas.noise(), 110, 190, 180))
    for layer in range(4):
        near = layer / 3
        trunks = Sketch.of(canvas)
        for _ in range(9 - 2 * layer):
            x, wide = (
                canvas.between(0, 1) * canvas.width,
                canvas.unit * (0.012 + 0.035 * near) * canvas.between(0.6, 1.3),
            )
            lean, foot = canvas.between(-0.04, 0.04) * canvas.width, canvas.height * (0.66 + 0.12 * near)
            trunks.polygon(
                [(x - wide * 0.7, 0), (x + wide * 0.7, 0), (x + lean + wide, foot), (x + lean - wide, foot)], (255,)
            )
        body = mix(mix(light, leaf, 0.5), dark, 0.25 + 0.75 * near)
        picture = lay(picture, body, soft(trunks.image(), 0.8 if layer in (2, 3) else 1.5))
        ground = canvas.below(canvas.ridge(0.6 + 0.11 * near, 0.02, 0.5))
        grass = lay(
            canvas.flat(mix(body, leaf, 0.35)),
            mix(leaf, light, 0.35),
            curve(canvas.noise(1, 1, coarsest=20), 120, 200, 170),
        )
        picture = lay(picture, grass, ground)
    crown = curve(canvas.noise(1, 1, coarsest=80), 118, 150)
    top = canvas.glow(canvas.width * 0.5, 0, canvas.height * 0.75)
    picture = lay(picture, mix(dark, leaf, 0.35), (crown.cast("float") * top / 170).cast("uchar"))
    sun = canvas.glow(canvas.between(0, 1) * canvas.width, canvas.height * 0.25, canvas.height * 0.7, 0.75)
    return lay(picture, mix(light, (255, 248, 220), 0.7), sun)


def night(canvas: Canvas) -> Image:
    """Stars over dark hills, with the last light of the day or a lit tent."""
    deep = canvas.one_of([(10, 16, 40), (8, 24, 36), (24, 14, 44)])
    low = canvas.one_of([(70, 60, 100), (30, 80, 90), (150, 84, 70)])
    picture = canvas.gradient([(0, mix(deep, (0, 0, 0), 0.4)), (0.4, deep), (0.75, low), (1, deep)])
    slant = canvas.between(-0.6, 0.6)
    middle = canvas.width * canvas.between(0.35, 0.65)
    path = [(middle + slant * (y - canvas.height / 2), y) for y in range(-40, canvas.height, 40)]
    band = Sketch.of(canvas, shrink=4)
    for x, y in path:
        band.oval(x / 4, y / 4, canvas.unit * 0.022, 14, (190,))
    milky = soft(enlarge(canvas, band.image(), 4), canvas.unit * 0.05)
    cloud = (curve(canvas.noise(), 90, 200).cast("float") * milky / 200).cast("uchar")
    picture = lay(picture, mix(low, (226, 214, 240), 0.6), cloud)
    stars = Sketch.of(canvas)
    for n in range(700):
        x, y = canvas.between(0, 1) * canvas.width, canvas.between(0, 0.8) * canvas.height
        stars.span(int(y), x, x + (1 if n % 12 else 2), bytes((int(canvas.between(50, 255)),)))
    picture = lay(picture, (255, 250, 240), stars.image())
    for layer in range(2):
        line = canvas.ridge(0.74 + 0.12 * layer, 0.05, 0.3)
        picture = lay(picture, mix(deep, (0, 0, 0), 0.3 + 0.5 * layer), canvas.below(line))
    if canvas.dice.random() < 0.7:
        x, y, size = canvas.between(0.2, 0.8) * canvas.width, canvas.height * 0.93, canvas.unit * 0.07
        tent = Sketch.of(canvas)
        tent.polygon([(x - size, y), (x, y - size * 1.05), (x + size, y)], (235,))
        picture = lay(picture, (255, 168, 66), canvas.glow(x, y, size * 4, 0.55))
        picture = lay(picture, (255, 196, 96), soft(tent.image(), 1))
    return picture
