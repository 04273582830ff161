"""Where pictures land: within the limits to the last pixel, whatever their size, and with nothing lost when padded."""

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tintype.backends.image_layout import Bounds, Layout, cropped, fraction, padded, said
from tintype.instagram import LIMITS

FEED = Bounds(
    fraction(LIMITS.image_aspect_min.value),
    fraction(LIMITS.image_aspect_max.value),
    LIMITS.image_width_min.whole,
    LIMITS.image_width_max.whole,
)
sides = st.integers(1, 16_384)
ratios = st.one_of(st.none(), st.sampled_from([0.8, 1, 1.91, 4 / 3, 1080 / 1349]), st.floats(0.8, 1.91)).map(
    lambda ratio: None if ratio is None else fraction(ratio)
)


@given(sides, sides, ratios)
@example(1, 16_384, None)
@example(16_384, 1, None)
@example(1, 1, fraction(1.91))
@example(1079, 1349, fraction(0.8))
def test_a_padded_picture_meets_the_limits_and_is_shown_whole(width: int, height: int, ratio: Fraction | None) -> None:
    layout = padded(width, height, FEED, ratio)
    assert FEED.admit(*layout.canvas)
    assert layout.kept == (width, height)
    assert all(1 <= shown <= canvas for shown, canvas in zip(layout.shown, layout.canvas, strict=True))
    assert any(shown == canvas for shown, canvas in zip(layout.shown, layout.canvas, strict=True)) or ratio is None
    distortion = layout.shown[0] * height / (layout.shown[1] * width)
    assert abs(distortion - 1) * min(layout.shown) <= 2.5 * max(1, width / height, height / width) or 1 in layout.shown


@given(sides, sides, ratios)
@example(1, 16_384, None)
@example(16_384, 1, None)
def test_a_cropped_picture_meets_the_limits_and_fills_its_canvas(
    width: int, height: int, ratio: Fraction | None
) -> None:
    layout = cropped(width, height, FEED, ratio)
    assert FEED.admit(*layout.canvas)
    assert layout.shown == layout.canvas
    assert 1 <= layout.kept[0] <= width
    assert 1 <= layout.kept[1] <= height
    assert layout.kept[0] == width or layout.kept[1] == height


@given(st.integers(320, 1440), st.integers(320, 1800))
def test_a_picture_within_the_limits_is_left_alone(width: int, height: int) -> None:
    untouched = Layout((width, height), (width, height), (width, height))
    both = padded(width, height, FEED) == untouched, cropped(width, height, FEED) == untouched
    assert both == (FEED.admit(width, height),) * 2


@given(sides, sides, st.sampled_from([Fraction(4, 5), Fraction(1), Fraction(16, 9), Fraction(3, 2)]))
def test_an_exact_ratio_is_met_to_the_pixel(width: int, height: int, ratio: Fraction) -> None:
    for layout in (padded(width, height, FEED, ratio), cropped(width, height, FEED, ratio)):
        assert Fraction(*layout.canvas) == ratio


@given(st.integers(1, 4000), st.integers(1, 4000))
def test_a_ratio_survives_being_a_float(width: int, height: int) -> None:
    assert abs(fraction(width / height) - Fraction(width, height)) < Fraction(width, height) / 10_000


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(Fraction(4, 5), "4:5"), (Fraction(191, 100), "1.91:1"), ((1000, 400), "5:2"), ((10, 1), "10:1")],
)
def test_ratios_are_said_as_people_say_them(ratio: Fraction | tuple[int, int], words: str) -> None:
    assert said(ratio) == words
