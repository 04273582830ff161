"""Charts as SVG, drawn on the server: lines by day, life curves with a band, and a week's heat map.

Every chart has a title that says what it shows; the numbers themselves stand in a table beside it. What nobody measured is
a gap, never a zero. Colours come from the style sheet, by class.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from math import floor, log10

from markupsafe import Markup, escape

WIDTH, HEIGHT = 640, 200
LEFT, RIGHT, TOP, BOTTOM = 56, 8, 10, 24
TICKS = 4
CELL = 24


@dataclass(frozen=True, slots=True)
class Scale:
    """Where a value from `low` to `high` lies between two edges of the picture."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Return the place of a value."""
        span = (self.high - self.low) or 1
        return self.start + (value - self.low) / span * (self.end - self.start)


def line(title: str, labels: Sequence[str], values: Sequence[float | None]) -> Markup:
    """Return a line over evenly spaced labels; None leaves a gap."""
    known = [value for value in values if value is not None]
    if not known:
        return Markup("")
    across = Scale(0, max(1, len(values) - 1), LEFT, WIDTH - RIGHT)
    up = _up(known)
    points = [
        (across.at(place), up.at(value), value) if value is not None else None for place, value in enumerate(values)
    ]
    marks = [
        Markup('<circle class="mark" cx="{:.1f}" cy="{:.1f}" r="2.5"><title>{}: {}</title></circle>').format(
            point[0], point[1], label, number(point[2])
        )
        for point, label in zip(points, labels, strict=True)
        if point is not None
    ]
    body = [*_grid(up), *(_path("line", run) for run in _runs(points)), *marks, *_labels(across, labels)]
    return _drawn(title, WIDTH, HEIGHT, body)


def curve(
    title: str, own: Sequence[tuple[float, float]], band: Sequence[tuple[float, float, float, float]], unit: str
) -> Markup:
    """Return a curve of (hours, value) above a band of (hours, lower, middle, upper)."""
    if not own:
        return Markup("")
    values = [value for _, value in own] + [row[3] for row in band]
    last = max([hours for hours, _ in own] + [row[0] for row in band])
    across, up = Scale(0, last, LEFT, WIDTH - RIGHT), _up(values)
    body = list(_grid(up))
    if len(band) > 1:
        upper = [(across.at(row[0]), up.at(row[3])) for row in band]
        lower = [(across.at(row[0]), up.at(row[1])) for row in reversed(band)]
        body.append(Markup('<polygon class="band" points="{}"/>').format(_points([*upper, *lower])))
        body.append(_path("middle", [(across.at(row[0]), up.at(row[2])) for row in band]))
    body.append(_path("line", [(across.at(hours), up.at(value)) for hours, value in own]))
    ticks = [last * place / TICKS for place in range(TICKS + 1)]
    body += [_text(across.at(tick), HEIGHT - 6, f"{tick:.0f} {unit}", _anchor(tick, last)) for tick in ticks]
    return _drawn(title, WIDTH, HEIGHT, body)


def heat(title: str, cells: Sequence[tuple[float | None, int]], days: Sequence[str]) -> Markup:
    """Return a week of 7 × 24 cells of (value, how many say so); the fuller a cell, the higher its value."""
    known = [value for value, _ in cells if value is not None]
    low, high = (min(known), max(known)) if known else (0, 1)
    body: list[Markup] = []
    for place, (value, count) in enumerate(cells):
        day, hour = divmod(place, 24)
        strength = 0 if value is None else 1 + round((value - low) / ((high - low) or 1) * 4)
        said = "nothing yet" if value is None else f"{number(value)}, from {count} {'post' if count == 1 else 'posts'}"
        body.append(
            Markup(
                '<rect class="heat heat-{}" x="{}" y="{}" width="{}" height="{}" rx="3"><title>{} {:02d}:00, {}</title></rect>'
            ).format(strength, 40 + hour * CELL, day * CELL, CELL - 3, CELL - 3, days[day], hour, said)
        )
        if count:
            body.append(_text(40 + hour * CELL + CELL / 2 - 1.5, day * CELL + 14, str(count), "middle", "count"))
    body += [_text(34, day * CELL + 15, name, "end") for day, name in enumerate(days)]
    body += [_text(40 + hour * CELL, 7 * CELL + 14, f"{hour:02d}", "start") for hour in range(0, 24, 3)]
    return _drawn(title, 40 + 24 * CELL, 7 * CELL + 20, body)


def number(value: float) -> str:
    """Return a number as people read it: 1,234, 12.3k or 4.87."""
    if abs(value) >= 10_000:
        return f"{value / 1000:,.1f}k" if abs(value) < 1_000_000 else f"{value / 1_000_000:,.2f}M"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def _up(values: Iterable[float]) -> Scale:
    known = list(values)
    low, high = min(known), max(known)
    low = 0.0 if low >= 0 and low < high / 2 else low
    step = _step((high - low) / TICKS) if high > low else max(1.0, abs(high) / TICKS)
    return Scale(floor(low / step) * step, floor(high / step) * step + step, HEIGHT - BOTTOM, TOP)


def _step(rough: float) -> float:
    power = 10 ** floor(log10(rough)) if rough > 0 else 1
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def _grid(up: Scale) -> Iterable[Markup]:
    for place in range(TICKS + 1):
        value = up.low + (up.high - up.low) * place / TICKS
        y = up.at(value)
        yield Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(LEFT, WIDTH - RIGHT, y, y)
        yield _text(LEFT - 6, y + 4, number(value), "end")


def _labels(across: Scale, labels: Sequence[str]) -> Iterable[Markup]:
    last = len(labels) - 1
    for place in sorted({0, last // 2, last}):
        yield _text(across.at(place), HEIGHT - 6, labels[place], _anchor(place, last))


def _anchor(place: float, last: float) -> str:
    return "start" if place <= 0 else "end" if place >= last else "middle"


def _runs(points: Sequence[tuple[float, float, float] | None]) -> Iterable[Sequence[tuple[float, float]]]:
    for is_known, run in groupby(points, key=lambda point: point is not None):
        if is_known:
            yield [(point[0], point[1]) for point in run if point is not None]


def _path(kind: str, points: Sequence[tuple[float, float]]) -> Markup:
    return Markup('<polyline class="{}" points="{}"/>').format(kind, _points(points))


def _points(points: Iterable[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _text(x: float, y: float, said: str, anchor: str, kind: str = "tick") -> Markup:
    form = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return form.format(kind, x, y, anchor, said)


def _drawn(title: str, width: int, height: int, body: Iterable[Markup]) -> Markup:
    head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        width, height, escape(title)
    )
    return Markup("").join((head, *body, Markup("</svg>")))
