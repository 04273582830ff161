"""What the benchmark of publishing calls overhead is what is left of a publish without Instagram's own moments."""

import pytest

from bench.publish_overhead import Publish, overheads

CALLS = (
    {"username": "one", "at": 10.0, "took_ms": 300.0, "effect": "container:1"},
    {"username": "one", "at": 10.2, "took_ms": 50.0},
    {"username": "other", "at": 10.0, "took_ms": 9000.0},
    {"username": "one", "at": 10.9, "took_ms": 400.0, "effect": "published:2"},
)


@pytest.mark.parametrize(
    ("container", "latency", "left"),
    [
        (0.0, 0.0, 1000),  # nothing is Instagram's time
        (0.0, 0.1, 700),  # three calls of a tenth of a second
        (0.5, 0.1, 300),  # the container until 10.6, the last call's tenth
        (0.0, None, 600),  # calls as long as they took: until 10.3, and the last one past the end
        (0.4, None, 200),  # the container until 10.7
    ],
)
def test_what_is_left(container: float, latency: float | None, left: float) -> None:
    (found,) = overheads([Publish("one", 10.0, 11.0)], CALLS, container, latency)
    assert found == pytest.approx(left)


def test_a_call_without_an_answer_is_still_with_instagram() -> None:
    (found,) = overheads([Publish("one", 10.0, 11.0)], [{"username": "one", "at": 10.6}], 0.0, None)
    assert found == pytest.approx(600)
