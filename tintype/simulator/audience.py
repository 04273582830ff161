"""Breakdowns of insights: how a number falls apart by product, by follower, by age, country and city."""

from collections.abc import Sequence
from itertools import product
from typing import Any

from tintype.simulator import ids
from tintype.simulator.errors import GraphError
from tintype.simulator.model import Answer

TRAITS = ("age", "city", "country", "gender")
TIMEFRAMES = {"this_month": "THIS_MONTH", "this_week": "THIS_WEEK"}
TOP = 45
FOLLOWING = (("FOLLOWER", 6), ("NON_FOLLOWER", 4))
PARTS: dict[str, tuple[tuple[str, int], ...]] = {
    "media_product_type": (("POST", 38), ("CAROUSEL_CONTAINER", 22), ("REEL", 30), ("STORY", 10)),
    "follow_type": FOLLOWING,
    "follower_type": FOLLOWING,
    "contact_button_type": (("BOOK_NOW", 2), ("DIRECTION", 3), ("EMAIL", 4), ("CALL", 1)),
    "age": (("18-24", 19), ("25-34", 34), ("35-44", 24), ("45-54", 13), ("55-64", 7), ("65+", 3)),
    "gender": (("F", 58), ("M", 37), ("U", 5)),
    "country": (("GB", 30), ("DE", 22), ("PT", 14), ("US", 12), ("ES", 9), ("JP", 5), ("IT", 4), ("FR", 4)),
    "city": (
        ("Bristol, England", 26), ("Kiel, Schleswig-Holstein", 20), ("Porto, Porto District", 16),
        ("Leeds, England", 13), ("Vigo, Galicia", 11), ("Kyoto, Kyoto Prefecture", 8), ("Torino, Piemonte", 6),
    ),
}  # fmt: skip


def split(value: int, dimension: str, shares: Sequence[tuple[str, int]]) -> Answer:
    """A number cut into parts that add up to it."""
    return _results([dimension], [((name,), share) for name, share in shares], value)


def across(value: int, dimensions: Sequence[str]) -> Answer:
    """A number by one or two dimensions at once."""
    parts: list[tuple[tuple[str, ...], int]] = []
    for combined in product(*(PARTS[name] for name in dimensions)):
        weight = 1
        for _, share in combined:
            weight *= share
        parts.append((tuple(name for name, _ in combined), weight))
    return _results(list(dimensions), parts, value)


def check_timeframe(timeframe: str | None, breakdown: Sequence[str]) -> None:
    """Demographics need one of the two living time frames and exactly one trait."""
    if timeframe not in TIMEFRAMES:
        raise GraphError(100, f"(#100) timeframe must be one of the following values: {', '.join(TIMEFRAMES)}")
    if len(breakdown) != 1:
        raise GraphError(100, f"(#100) breakdown must be one of the following values: {', '.join(TRAITS)}")


def demographics(followers: int, name: str, timeframe: str, breakdown: Sequence[str], seed: int) -> Answer:
    """Who follows or engages, by one trait, the time frame as first dimension; at most 45 entries."""
    share = 100 if name.startswith("follower") else 8 + ids.number(2, seed, name) % 9
    label = TIMEFRAMES[timeframe]
    parts = [((label, value), weight) for value, weight in PARTS[breakdown[0]][:TOP]]
    return {"breakdowns": [_results(["timeframe", breakdown[0]], parts, followers * share // 100)]}


def _results(keys: list[str], parts: Sequence[tuple[tuple[str, ...], int]], value: int) -> Answer:
    whole = sum(weight for _, weight in parts) or 1
    counts = [value * weight // whole for _, weight in parts]
    if counts:
        counts[0] += value - sum(counts)
    results: list[dict[str, Any]] = [
        {"dimension_values": list(names), "value": count}
        for (names, _), count in zip(parts, counts, strict=True)
        if count
    ]
    return {"dimension_keys": keys, "results": results}
