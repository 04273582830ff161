"""Recipes off pictures: the same ladder, repair and grounding as with a text, whatever the server or the model does."""

import json
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tests.backends.films import film
from tests.core.recipes.test_llm_grounding import INJECTIONS, POISON, leaks
from tests.core.recipes.test_slides import slide
from tests.doubles.model_server import HOPELESS, MODEL, MODES, NEWER, ModelServer, model_server
from tintype.backends.images import Images
from tintype.backends.outbound import HttpOutbound
from tintype.core.recipes import Context, ModelPolicy, VisionParser
from tintype.core.recipes.budget import Budget
from tintype.core.recipes.parsers.llm.prompt import SEEN_SCHEMA
from tintype.core.recipes.parsers.vision import Sight, frames
from tintype.errors import Invalid, Trouble, Unreachable

LINES = (
    "Sunday bread for everybody",
    "2 cups flour",
    "1.5 tbsp sugar",
    "300 ml water",
    "Mix the flour, the sugar and the water in a bowl.",
    "Bake everything for 45 minutes in the oven.",
)
PICTURE = slide("handwriting that nobody reads")


@asynccontextmanager
async def looking(server: ModelServer) -> AsyncGenerator[VisionParser]:
    outbound, images = HttpOutbound(allow=(f"127.0.0.1:{server.port}",)), Images(1)
    try:
        yield VisionParser(ModelPolicy(server.base_url, MODEL), outbound, images)
    finally:
        await images.close()
        await outbound.close()


async def look(parser: VisionParser, budget: Budget | None = None) -> Sight | Trouble:
    try:
        return await parser.look([PICTURE], Context("ocr", budget=budget))
    except Trouble as trouble:
        return trouble


@pytest.mark.parametrize("mode", [*MODES, NEWER])
async def test_every_server_ends_in_a_recipe_or_a_plain_word(mode: str) -> None:
    budget = Budget(seconds=1.5 if mode == "slow" else 30)
    async with model_server(mode, pictured=LINES) as (server, _), looking(server) as parser:
        found = await look(parser, budget)
        assert 1 <= len(server.asked) <= 4
        if mode in HOPELESS:
            assert isinstance(found, Unreachable)
            return
        assert isinstance(found, Sight)
        assert found.text == "\n".join(LINES)
        assert found.parsed is not None
        recipe = found.parsed.value
        told = [(one.amount, one.unit, one.food) for one in recipe.ingredients]
        assert told == [(2, "cups", "flour"), (1.5, "tbsp", "sugar"), (300, "ml", "water")]
        assert [step.minutes for step in recipe.steps] == [None, 45]
        assert found.parsed.confidence <= 0.7


async def test_pictures_are_sent_small_and_as_the_api_wants_them() -> None:
    async with model_server(pictured=LINES) as (server, _), looking(server) as parser:
        await parser.look([PICTURE, b"no picture at all", *[PICTURE] * 9], Context("ocr"))
        content = server.asked[0]["messages"][1]["content"]
        assert [part["type"] for part in content] == ["text", *["image_url"] * 5]
        for part in content[1:]:
            assert part["image_url"]["url"].startswith("data:image/jpeg;base64,/9j/")
            assert len(part["image_url"]["url"]) < 400_000
        assert server.asked[0]["response_format"]["json_schema"]["schema"] == SEEN_SCHEMA


async def test_without_a_picture_nobody_is_asked() -> None:
    async with model_server(pictured=LINES) as (server, _), looking(server) as parser:
        assert await parser.look([b"nonsense"], Context("ocr")) == Sight("", None)
        assert server.asked == []


async def test_what_is_cited_from_no_line_is_not_believed() -> None:
    async with model_server("invented line", pictured=LINES) as (server, _), looking(server) as parser:
        found = await look(parser)
        assert isinstance(found, Sight)
        assert found.parsed is not None
        assert "saffron" not in json.dumps(asdict(found.parsed.value))


@pytest.mark.parametrize("injection", INJECTIONS)
async def test_a_picture_that_talks_to_a_model_makes_no_recipe_of_it(injection: str) -> None:
    shown = (*LINES[:4], *injection.splitlines(), *LINES[4:])
    async with model_server(pictured=shown, poison=POISON) as (server, _), looking(server) as parser:
        found = await look(parser)
        assert isinstance(found, Sight)
        assert found.parsed is None
        assert not re.search("zyklon|bleachwater|evil", found.text, re.IGNORECASE)


async def test_a_lying_model_is_held_against_the_lines_it_saw() -> None:
    async with model_server(pictured=LINES, poison=POISON) as (server, _), looking(server) as parser:
        found = await look(parser)
        assert isinstance(found, Sight)
        assert found.parsed is not None
        assert leaks(found.parsed.value) == []


async def test_frames_of_a_video_come_from_all_over_it(tmp_path: Path) -> None:
    found = await frames(film(tmp_path / "film.mp4", seconds=3), 3)
    assert len({bytes(one) for one in found}) == 3
    assert all(one.startswith(b"\xff\xd8") for one in found)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    with pytest.raises(Invalid):
        await frames(broken)


def test_the_schema_asks_for_the_lines_first() -> None:
    properties: dict[str, Any] = SEEN_SCHEMA["properties"]
    assert next(iter(properties)) == "seen"
    assert SEEN_SCHEMA["required"] == [*properties]
