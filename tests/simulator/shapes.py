"""Keys and kinds of recorded Graph API bodies: facts about shapes, without the bodies."""

import json
from pathlib import Path
from typing import TypeAlias, cast

Shape: TypeAlias = "str | list[Shape] | dict[str, Shape]"


def shape_of(body: object) -> Shape:
    """The shape of a JSON value: objects by key, lists by one merged item, the rest by kind."""
    if isinstance(body, dict):
        return {key: shape_of(value) for key, value in cast(dict[str, object], body).items()}
    if isinstance(body, list):
        merged: Shape = {}
        for item in cast(list[object], body):
            merged = _merged(merged, shape_of(item))
        return [merged] if body else []
    if isinstance(body, bool):
        return "flag"
    return "number" if isinstance(body, int | float) else "text"


def _merged(one: Shape, other: Shape) -> Shape:
    if isinstance(one, dict) and isinstance(other, dict):
        both = {key: _merged(one[key], other[key]) for key in one.keys() & other.keys()}
        return {key: both.get(key, value) for key, value in {**one, **other}.items()}
    if isinstance(one, list) and isinstance(other, list) and one and other:
        return [_merged(one[0], other[0])]
    return other or one


SHAPES = cast(dict[str, Shape], json.loads(Path(__file__).with_name("shapes.json").read_bytes()))
