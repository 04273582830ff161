"""Twelve servers that misbehave: each ends in the same recipe or in a plain word, within four calls and the time that is given."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

import pytest

from tests.doubles.model_server import HOPELESS, MODEL, MODES, NEWER, ModelServer, model_server
from tintype.backends.outbound import HttpOutbound
from tintype.core.recipes import Context, Parsed, Recipe
from tintype.core.recipes.parsers.llm import LlmParser, ModelPolicy
from tintype.core.recipes.parsers.llm.answers import amount, minutes, read
from tintype.core.recipes.parsers.llm.prompt import SCHEMA
from tintype.errors import Misconfigured, Trouble, Unreachable

CAPTION = """Sunday bread for everybody
2 cups flour
1.5 tbsp sugar
300 ml water

Mix the flour, the sugar and the water in a bowl.
Bake everything for 45 minutes in the oven.
#bread"""


@asynccontextmanager
async def parsing(server: ModelServer, **facts: Any) -> AsyncGenerator[LlmParser]:
    outbound = HttpOutbound(allow=(f"127.0.0.1:{server.port}",))
    try:
        yield LlmParser(ModelPolicy(server.base_url, MODEL, **facts), outbound)
    finally:
        await outbound.close()


async def parse(parser: LlmParser, text: str = CAPTION) -> Parsed[Recipe] | Trouble | None:
    try:
        return await parser.parse(text, Context())
    except Trouble as trouble:
        return trouble


@pytest.mark.parametrize("mode", [*MODES, NEWER])
async def test_every_server_ends_in_a_recipe_or_a_plain_word(mode: str) -> None:
    async with (
        model_server(mode) as (server, _),
        parsing(server, total_seconds=1.5 if mode == "slow" else 30) as parser,
    ):
        found = await parse(parser)
        assert 1 <= len(server.asked) <= 4
        if mode in HOPELESS:
            assert isinstance(found, Unreachable)
            assert found.retryable
            return
        assert isinstance(found, Parsed)
        recipe = found.value
        told = [(one.amount, one.unit, one.food) for one in recipe.ingredients]
        assert told == [(2, "cups", "flour"), (1.5, "tbsp", "sugar"), (300, "ml", "water")]
        assert [step.minutes for step in recipe.steps] == [None, 45]
        assert recipe.steps[0].ingredients == (0, 1, 2)
        assert recipe.name == "Sunday bread for everybody"


async def test_the_rung_that_worked_is_remembered_for_a_day() -> None:
    now = [0.0]
    async with model_server("response_format refused with 400") as (server, _), parsing(server) as parser:
        parser = replace(parser, clock=lambda: now[0])
        await parse(parser)
        assert [form(body) for body in server.asked] == ["json_schema", "json_object", None]
        await parse(parser)
        assert [form(body) for body in server.asked[3:]] == [None]
        now[0] += 24 * 3600 + 1
        await parse(parser)
        assert form(server.asked[4]) == "json_schema"


def form(body: dict[str, Any]) -> str | None:
    return body.get("response_format", {}).get("type")


async def test_what_cannot_be_read_is_shown_to_its_author_once_a_rung() -> None:
    async with model_server("refusal") as (server, _), parsing(server) as parser:
        await parse(parser)
        assert [(form(body), len(body["messages"])) for body in server.asked] == [
            ("json_schema", 2),
            ("json_schema", 4),
            ("json_object", 2),
            ("json_object", 4),
        ]


async def test_an_answer_that_was_cut_off_gets_more_room() -> None:
    async with model_server("cut off") as (server, _), parsing(server) as parser:
        await parse(parser)
        assert [body["max_tokens"] for body in server.asked] == [2000, 6000]


async def test_a_key_is_sent_and_never_told() -> None:
    async with model_server(key="sk-secret") as (server, here):
        async with parsing(server, key="sk-secret") as parser:
            assert isinstance(await parse(parser), Parsed)
            assert here.asked[0].headers["authorization"] == "Bearer sk-secret"
            assert "sk-secret" not in repr(parser)
            assert MODEL in await parser.check()
        async with parsing(server, key="sk-wrong") as parser:
            found = await parse(parser)
            assert isinstance(found, Misconfigured)
            assert "sk-wrong" not in str(found)
            with pytest.raises(Misconfigured, match="LLM_API_KEY"):
                await parser.check()


async def test_a_model_that_is_not_there_is_told() -> None:
    async with model_server() as (server, _), parsing(server) as parser:
        other = replace(parser, policy=replace(parser.policy, model="other"))
        with pytest.raises(Misconfigured, match="'other'"):
            await other.check()


async def test_a_server_that_is_not_there_is_told() -> None:
    async with model_server() as (server, _):
        pass
    async with parsing(server) as parser:
        assert isinstance(await parse(parser), Unreachable)


async def test_a_text_without_words_asks_nobody() -> None:
    async with model_server() as (server, _), parsing(server) as parser:
        assert await parse(parser, " \n \n") is None
        assert server.asked == []


async def test_a_text_that_is_no_recipe_to_the_model_is_none() -> None:
    async with model_server() as (server, _), parsing(server) as parser:
        assert await parse(parser, "hi\nho") is None


def test_the_schema_is_as_strict_as_servers_ask_for() -> None:
    def check(part: Any) -> None:
        if isinstance(part, list):
            for inner in cast("list[Any]", part):
                check(inner)
        if not isinstance(part, dict):
            return
        known = cast("dict[str, Any]", part)
        if known.get("type") == "object":
            assert known["required"] == [*known["properties"]]
            assert known["additionalProperties"] is False
        for inner in known.values():
            check(inner)

    check(SCHEMA)
    json.dumps(SCHEMA)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2, 2),
        ("4 people", 4),
        ("1 1/2", 1.5),
        ("1½", 1.5),
        ("½", 0.5),
        ("1,5", 1.5),
        (True, None),
        (-1, None),
        ("x", None),
    ],
)
def test_amounts_are_read_whatever_their_type(value: object, expected: float | None) -> None:
    assert amount(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(45, 45), ("45 min", 45), ("1 h 20 min", 80), ("PT1H20M", 80), ("2 Stunden", 120), ("30", 30)],
)
def test_minutes_are_read_whatever_their_type(value: object, expected: float) -> None:
    assert minutes(value) == expected


@pytest.mark.parametrize("text", ["", "no", "{", "[1]", '{"a": 1}', "{" * 5000, '{"ingredients": ' + "[" * 5000])
def test_what_holds_no_answer_is_none(text: str) -> None:
    assert read(text) is None
