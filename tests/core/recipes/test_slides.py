"""Slides of a carousel become the lines that their author set, read by a real process from real pictures."""

import sys
from itertools import pairwise

import pytest
import pyvips

from tintype.core.recipes import Context
from tintype.core.recipes.parsers.rules import RulesParser
from tintype.core.recipes.parsers.slides import Box, SlideReader, lines
from tintype.errors import Misconfigured, Unavailable

SLIDE = (
    "Lemon cake",
    "Ingredients",
    "250 g flour",
    "3 eggs",
    "2 tbsp olive oil",
    "Mix everything and bake for 40 minutes.",
)


def slide(*rows: str) -> bytes:
    """A white slide with rows of dark words."""
    drawn = pyvips.Image.text("\n\n".join(rows), dpi=190)
    picture: bytes = drawn.embed(70, 70, 1080, 1080).invert().write_to_buffer(".png")  # pyright: ignore[reportAssignmentType]
    return picture


async def test_words_on_slides_become_a_recipe() -> None:
    text = await SlideReader(60).read([slide(*SLIDE[:2]), b"this is no picture", slide(*SLIDE[2:])])
    assert text.split("\n") == [*SLIDE[:2], "", *SLIDE[2:]]
    found = RulesParser().read(text, Context(source="ocr"))
    assert found is not None
    assert [(one.amount, one.unit, one.food) for one in found.value.ingredients] == [
        (250, "g", "flour"),
        (3, None, "eggs"),
        (2, "tbsp", "olive oil"),
    ]


async def test_no_pictures_have_no_words() -> None:
    assert await SlideReader().read([]) == ""


async def test_a_slide_that_takes_too_long_is_told() -> None:
    with pytest.raises(Unavailable, match="in time"):
        await SlideReader(0.001).read([slide("2 cups flour")])


async def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rapidocr", None)  # as Python finds a package that is not there
    with pytest.raises(Misconfigured, match=r"tintype\[ocr\]"):
        await SlideReader().read([b""])


def box(text: str, left: float, top: float, width: float, height: float = 40) -> Box:
    return Box(text, left, top, left + width, top + height)


def test_pieces_of_a_row_are_put_together() -> None:
    assert lines([box("flour", 300, 102, 200), box("250 g", 100, 100, 150), box("salt", 100, 180, 90)]) == [
        "250 g flour",
        "salt",
    ]


def test_a_line_that_was_broken_for_want_of_room_is_joined() -> None:
    rows = [
        "2 tbsp of the very best olive oil that",
        "you can get",
        "1 pinch salt",
        "Bake until it is golden brown.",
        "cool it",
    ]
    widths = [800, 200, 250, 780, 150]
    boxes = [box(text, 100, 100 + 60 * at, widths[at]) for at, text in enumerate(rows)]
    assert lines(boxes) == [f"{rows[0]} {rows[1]}", *rows[2:]]


def test_columns_are_read_one_after_the_other() -> None:
    left = [box(text, 60, 200 + 60 * at, 300) for at, text in enumerate(("250 g flour", "3 eggs", "1 pinch salt"))]
    right = [box(text, 600, 200 + 60 * at, 400) for at, text in enumerate(("Mix it.", "Bake it.", "Eat it."))]
    head = box("Lemon cake", 100, 60, 900)
    mixed = [head, *(one for pair in zip(left, right, strict=True) for one in pair)]
    found = lines(mixed)
    assert found == ["Lemon cake", *(one.text for one in left), *(one.text for one in right)]
    assert all(above != below for above, below in pairwise(found))


def test_nothing_seen_is_nothing_said() -> None:
    assert lines([]) == []
