"""Erasing a person by a name on Instagram, or by an id: nobody else is meant, whatever people are called."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.cli.programs import run
from tests.cli.test_archiving import refused, told
from tests.cli.test_erasing import KEY, database, filled, rows, seed
from tintype.backends.database import metadata, open_database

pytestmark = pytest.mark.timeout(600)  # program after program, each of which takes seconds on a busy machine


async def mixed_up(url: str) -> None:
    """Have one person be registered as "me" and called "said", and another one, with a recipe in these words, like an id."""
    opened = open_database(url)
    accounts, recipes = metadata.tables["accounts"], metadata.tables["recipe_items"]
    try:
        async with opened.write() as connection:
            mine, theirs = (accounts.c.id == seed(letter)["account"] for letter in "ab")
            await connection.execute(update(accounts).where(mine).values(instagram_id="me", username="said"))
            await connection.execute(update(accounts).where(theirs).values(username="178"))
            said = update(recipes).where(recipes.c.id == "b-planted-recipe-1")
            await connection.execute(said.values(source={"said": "follow me"}))
    finally:
        await opened.close()


def test_nobody_else_is_meant_by_a_name(tmp_path: Path) -> None:
    with database("sqlite", tmp_path) as url:
        asyncio.run(filled(url))
        asyncio.run(mixed_up(url))
        house = {"DATABASE_URL": url, "ENCRYPTION_KEY": KEY, "TINTYPE_DATA": str(tmp_path / "data")}
        before = asyncio.run(rows(url))
        assert "nothing" in refused(run(tmp_path, "erase", "--person", "178", "--yes", **house), code=4)
        assert asyncio.run(rows(url))["accounts"] == before["accounts"]
        gone = told(run(tmp_path, "erase", "--person", "@said", "--yes", "--json", **house))
        assert gone["rows"]["accounts"] == 1
        after = asyncio.run(rows(url))
        assert not any(seed("a")["account"] in text for text in after["accounts"])
        assert any("follow me" in text for text in after["recipe_items"])
