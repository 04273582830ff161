"""`tintype doctor` on what recipes and pushes need: each line says what is there, and what to do where it is not."""

import asyncio
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.model_server import MODEL, model_server
from tests.doubles.tandoor import WRITE, pretend_tandoor
from tintype.app import open_house
from tintype.cli.doctor import CHECKS, Check, Finding
from tintype.settings import Settings, load

PUSH, RECIPES = (next(one for one in CHECKS if getattr(one, "__name__", "") == name) for name in ("_push", "_recipes"))
KEY, OTHER = (b64encode(bytes([number]) * 32).decode() for number in (1, 2))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of a house that was open once."""
    folder = tmp_path_factory.mktemp("data")

    async def begin() -> None:
        async with open_house(load(data=folder, encryption_key=KEY, insights_collect=False)):
            pass

    asyncio.run(begin())
    return folder


async def asked(check: Check, chosen: Settings) -> Finding:
    return await check(chosen)


def push(folder: Path, **more: object) -> tuple[str, str, str]:
    found = asyncio.run(asked(PUSH, settings(folder, **more)))
    return found.state, found.found, found.advice or ""


def settings(folder: Path, **more: Any) -> Settings:
    return load(**{"data": folder, "encryption_key": KEY, **more})


def test_the_key_was_made_by_the_first_start(opened: Path, tmp_path: Path) -> None:
    state, found, advice = push(opened)
    assert (state, found.startswith("the key begins with B")) == ("ok", True)
    assert "PUSH_CONTACT" in advice
    assert push(tmp_path)[:2] == ("ok", "the key is made by the first start; no contact is given")
    assert list(tmp_path.iterdir()) == []


def test_another_encryption_key_shuts_the_key_in(opened: Path) -> None:
    state, found, advice = push(opened, encryption_key=OTHER)
    assert state == "fail"
    assert "cannot be used" in found
    assert "ENCRYPTION_KEYS_OLD" in advice
    assert push(opened, encryption_key=OTHER, encryption_keys_old=(KEY,))[0] == "ok"


def test_pages_without_https_and_pushes_without_a_contact_are_told(opened: Path) -> None:
    state, found, advice = push(opened, public_url="http://recipes.example")
    assert (state, "is not https" in found, "PUBLIC_URL" in advice) == ("warn", True, True)
    assert push(opened, public_url="https://recipes.example")[:1] == ("ok",)
    assert "mailto:cook@recipes.example" in push(opened, push_contact="mailto:cook@recipes.example")[1]


def test_where_recipes_go_and_who_helps_is_asked(tmp_path: Path) -> None:
    async def look() -> None:
        async with pretend_tandoor() as (tandoor, _), model_server() as (model, _):
            given: dict[str, Any] = {
                "tandoor_url": tandoor.url,
                "tandoor_token": WRITE,
                "llm_base_url": model.base_url,
                "llm_model": MODEL,
                "llm_vision_model": MODEL,
                "transcription_model": "whisper-1",
                "outbound_allow": (tandoor.url.removeprefix("http://"), f"127.0.0.1:{model.port}"),
            }
            found = await RECIPES(settings(tmp_path, **given))
            assert found.state == "ok"
            assert [part.split(" ")[0] for part in found.found.split("; ")] == ["Tandoor", "the", "the", "the"]
            wrong = await RECIPES(settings(tmp_path, **{**given, "tandoor_token": "tda_wrong", "llm_model": "other"}))
            assert wrong.state == "fail"
            assert "TANDOOR_TOKEN" in wrong.found
            assert "'other'" in wrong.found
            assert "tda_wrong" not in wrong.found

    asyncio.run(look())


def test_with_nothing_set_nobody_is_asked(tmp_path: Path) -> None:
    found = asyncio.run(asked(RECIPES, settings(tmp_path)))
    assert (found.state, found.found) == ("ok", "stay in the queue, and rules read them")
    there = asyncio.run(asked(RECIPES, settings(tmp_path, recipe_folder=tmp_path / "recipes")))
    assert (there.state, there.found) == ("ok", "are put away")
    assert not (tmp_path / "recipes").exists()
