"""The hours at which posts did best, with how many posts say so: a cell with two of them claims nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isclose

from tintype.zones import zone_named

PRIOR = 5  # posts that the account's own mean weighs in every cell
SURE = 3  # posts that a cell needs before it is shown as a finding
BEST = 3  # cells that are named


@dataclass(frozen=True, slots=True)
class Cell:
    """One hour of the week (weekday 0 is Monday): its posts, their mean, and that mean drawn to the account's.

    `mean` is None without posts, and `value` too when the account has none; `sure` says whether there are enough of them.
    """

    weekday: int
    hour: int
    n: int
    mean: float | None
    value: float | None
    sure: bool


@dataclass(frozen=True, slots=True)
class BestHours:
    """168 cells, Monday's midnight first, in a zone; `best` names the sure ones that lie above the account's mean.

    Without posts there is no mean.
    """

    timezone: str
    metric: str
    n: int
    mean: float | None
    cells: tuple[Cell, ...]
    best: tuple[Cell, ...]


def shrunk(n: int, mean: float, prior_mean: float) -> float:
    """Return a cell's mean as far as its `n` posts can be trusted, and the account's mean for the rest."""
    return prior_mean + n * (mean - prior_mean) / (
        n + PRIOR
    )  # (n·mean + k·prior) / (n + k), exact where they are equal


def best_hours(posts: Iterable[tuple[datetime, float]], timezone: str, metric: str) -> BestHours:
    """Return the week of an account, given when each post was published and how it did.

    Raises `Invalid` when there is no such zone.
    """
    zone = zone_named(timezone)
    values: dict[tuple[int, int], list[float]] = {}
    for published_at, value in posts:
        local = published_at.astimezone(zone)
        values.setdefault((local.weekday(), local.hour), []).append(value)
    everything = [value for some in values.values() for value in some]
    mean = sum(everything) / len(everything) if everything else None
    cells = tuple(
        _cell(weekday, hour, values.get((weekday, hour), ()), mean) for weekday in range(7) for hour in range(24)
    )
    return BestHours(timezone, metric, len(everything), mean, cells, _best(cells, mean))


def _cell(weekday: int, hour: int, values: Sequence[float], mean: float | None) -> Cell:
    n = len(values)
    own = sum(values) / n if n else None
    value = None if mean is None else shrunk(n, own or 0.0, mean)
    return Cell(weekday, hour, n, own, value, n >= SURE)


def _best(cells: Iterable[Cell], mean: float | None) -> tuple[Cell, ...]:
    if mean is None:
        return ()
    sure = [(cell.value, cell) for cell in cells if cell.sure and cell.value is not None]
    above = [(value, cell) for value, cell in sure if value > mean and not isclose(value, mean)]
    above.sort(key=lambda pair: (-pair[0], pair[1].weekday, pair[1].hour))
    return tuple(cell for _, cell in above[:BEST])
