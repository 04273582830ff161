"""Our answers beside bodies that real servers sent: every recorded key is there, and of the recorded kind.

The shapes (keys and kinds, no bodies) are kept in `shapes.json`. Where the recordings themselves are at hand
(TINTYPE_SHARED, else a folder `shared` beside the checkout) the kept shapes are checked against them.
"""

import json
import os
from pathlib import Path

import pytest

from tests.simulator.recordings import CASES, Scene, staged
from tests.simulator.shapes import SHAPES, Shape, shape_of
from tests.simulator.visitor import Visitor

RECORDINGS = Path(os.environ.get("TINTYPE_SHARED", Path(__file__).parents[2] / "../shared")) / "data/graph"


@pytest.fixture
async def scene(visitor: Visitor) -> Scene:
    return await staged(visitor)


def lacks(ours: Shape, recorded: Shape, path: str = "") -> list[str]:
    """What the recording has and we have not, or have of another kind."""
    if isinstance(recorded, dict):
        if not isinstance(ours, dict):
            return [f"{path}: {ours!r} instead of an object"]
        if recorded and all(key.isdecimal() for key in recorded):
            ours, recorded = {"*": next(iter(ours.values()))}, {"*": next(iter(recorded.values()))}
        missing = [f"{path}.{key}" for key in recorded if key not in ours]
        return missing + [
            gap for key in recorded if key in ours for gap in lacks(ours[key], recorded[key], f"{path}.{key}")
        ]
    if isinstance(recorded, list):
        if not isinstance(ours, list):
            return [f"{path}: {ours!r} instead of a list"]
        return lacks(ours[0], recorded[0], f"{path}[]") if ours and recorded else []
    return [] if ours == recorded else [f"{path}: {ours!r} instead of {recorded!r}"]


@pytest.mark.parametrize("name", CASES)
async def test_our_answer_has_all_that_was_recorded(scene: Scene, name: str) -> None:
    ours = await CASES[name](scene, name)
    assert lacks(shape_of(ours), SHAPES[name]) == []


@pytest.mark.parametrize("name", SHAPES)
def test_the_kept_shapes_are_those_of_the_recordings(name: str) -> None:
    assert name in CASES
    file = RECORDINGS / name
    if file.exists():
        assert shape_of(json.loads(file.read_bytes())) == SHAPES[name]


ERRORS = {
    "docs/error_image_too_large.json": (36000, 2207004, "OAuthException"),
    "docs/error_throttle_32.json": (32, None, "OAuthException"),
    "issues/error_100_nonexisting_field.json": (100, None, "OAuthException"),
    "issues/error_12_wrong_node.json": (12, None, "OAuthException"),
    "issues/error_190_expired.json": (190, 0, "OAuthException"),
    "issues/error_200_permissions.json": (200, None, "OAuthException"),
    "issues/error_2207089_carousel_item_standalone.json": (100, 2207089, "OAuthException"),
    "issues/error_4_2207051_spam.json": (4, 2207051, "OAuthException"),
    "issues/error_803_alias.json": (803, None, "OAuthException"),
    "issues/error_9004_fetch_failed.json": (9004, 2207052, "OAuthException"),
    "issues/error_9007_not_ready.json": (9007, 2207027, "OAuthException"),
    "issues/error_fb_code_used.json": (100, 36009, "OAuthException"),
    "issues/error_fb_unsupported_get.json": (100, 33, "GraphMethodException"),
    "issues/error_ig_unsupported_get.json": (100, 33, "IGApiException"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_errors_carry_the_recorded_codes(scene: Scene, name: str) -> None:
    error = (await CASES[name](scene, name))["error"]
    assert (error["code"], error.get("error_subcode"), error["type"]) == ERRORS[name]


def test_a_missing_key_and_a_wrong_kind_are_noticed() -> None:
    assert lacks({"a": "text"}, {"a": "number", "b": "text"}) == [".b", ".a: 'text' instead of 'number'"]
    assert lacks({"data": [{"id": "text"}]}, {"data": [{"id": "text", "x": "flag"}]}) == [".data[].x"]
    assert lacks({"17": {"id": "text"}}, {"99": {"id": "text"}}) == []
