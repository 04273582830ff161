"""What every outlet promises, whichever it is: one recipe for one import, a cover, and a plain word when something is wrong."""

import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import mealie as pretend_mealie_module
from tests.doubles.mealie import pretend_mealie
from tests.doubles.tandoor import WRITE, pretend_tandoor
from tintype.backends.outbound import HttpOutbound
from tintype.core.recipes import Ingredient, Recipe, Step
from tintype.core.recipes.outlets import (
    OUTLETS,
    Folder,
    FolderPolicy,
    Mealie,
    MealiePolicy,
    Order,
    Outlet,
    Receipt,
    Tandoor,
    TandoorPolicy,
    place,
)
from tintype.errors import Misconfigured, Unreachable

NOW = datetime.now(UTC)
JPEG = b"\xff\xd8\xff\xe0" + b"picture" * 20
SOURCE = "https://www.instagram.com/reel/ABC123/"
RECIPE = Recipe(
    "Lemon chicken",
    (Ingredient("chicken", 600, unit="g", original="600 g chicken"), Ingredient("lemon", 2, original="2 lemons")),
    (Step("Squeeze the lemons.", ingredients=(1,)), Step("Roast the chicken.", minutes=30, ingredients=(0,))),
    keywords=("Dinner",),
)


def order(**facts: Any) -> Order:
    return replace(Order("import-1", RECIPE, NOW, SOURCE), **facts)


@dataclass(frozen=True, slots=True)
class Place:
    """An outlet with what it stands before: how many recipes and covers are there, and how its answers get lost."""

    outlet: Outlet
    double: Any
    folder: Path

    def names(self) -> list[str]:
        if self.double is not None:
            return [one["name"] for one in self.double.recipes.values()]
        return [json.loads(found.read_text())["name"] for found in sorted(self.folder.glob("*/recipe.jsonld"))]

    def covers(self) -> int:
        if self.double is not None:
            return sum(1 for one in self.double.recipes.values() if one["image"])
        return len(list(self.folder.glob("*/cover.jpg")))


@asynccontextmanager
async def standing(kind: str, folder: Path) -> AsyncGenerator[Place]:
    async with AsyncExitStack() as stack:
        if kind == "folder":
            yield Place(Folder(FolderPolicy(folder / "recipes")), None, folder / "recipes")
            return
        double: Any
        if kind == "mealie":
            double, here = await stack.enter_async_context(pretend_mealie())
        else:
            double, here = await stack.enter_async_context(pretend_tandoor(new=kind == "tandoor 2"))
        outbound = HttpOutbound(allow=(here.place,))
        stack.push_async_callback(outbound.close)
        outlet: Outlet = (
            Mealie(MealiePolicy(double.url, pretend_mealie_module.TOKEN), outbound)
            if kind == "mealie"
            else Tandoor(TandoorPolicy(double.url + "/", WRITE), outbound)
        )
        yield Place(outlet, double, folder)


KINDS = ("tandoor 1.5", "tandoor 2", "mealie", "folder")
kinds = pytest.mark.parametrize("kind", KINDS)
remotes = pytest.mark.parametrize("kind", KINDS[:3])


def test_every_outlet_is_held_to_this() -> None:
    assert {kind.split()[0] for kind in KINDS} == {outlet.__name__.lower() for outlet in OUTLETS}


@kinds
async def test_a_recipe_is_put_there_and_found_again(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        assert await there.outlet.find(order()) is None
        made = await place(there.outlet, order(cover=JPEG), begun=False)
        assert await there.outlet.illustrate(made, JPEG) is None
        assert (there.names(), there.covers()) == (["Lemon chicken"], 1)
        assert replace(made, warnings=()) == await there.outlet.find(order())
        assert made.url.startswith(("http://127.0.0.1:", "file:///"))


@kinds
async def test_whoever_comes_after_a_death_makes_no_second_one(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        first = await place(there.outlet, order(), begun=True)
        again = await place(there.outlet, order(), begun=True)
        assert (again.id, there.names()) == (first.id, ["Lemon chicken"])


@remotes
async def test_a_lost_answer_makes_no_second_recipe(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        there.double.lose = 1
        with pytest.raises(Unreachable):
            await place(there.outlet, order(), begun=False)
        found = await place(there.outlet, order(), begun=True)
        assert there.names() == ["Lemon chicken"]
        assert found == await there.outlet.find(order())


@remotes
async def test_of_two_the_elder_stays(kind: str, tmp_path: Path) -> None:
    """A dead process's request may be carried out after the next one has asked: what was made in doubt is taken back."""
    async with standing(kind, tmp_path) as there:

        class Late:
            """The outlet of the process that came after: between its question and its post the old request arrives."""

            name = there.outlet.name
            illustrate, remove, check = there.outlet.illustrate, there.outlet.remove, there.outlet.check
            elder: Receipt | None = None

            async def find(self, order: Order) -> Receipt | None:
                return await there.outlet.find(order)

            async def put(self, order: Order) -> Receipt:
                self.elder = await there.outlet.put(order)
                return await there.outlet.put(order)

        late = Late()
        assert await place(late, order(), begun=True) == late.elder
        assert len(there.names()) == 1


@kinds
async def test_another_import_of_the_same_post_is_a_recipe_of_its_own(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        first = await place(there.outlet, order(), begun=False)
        other = order(id="import-2", taken=frozenset({first.id}))
        assert await there.outlet.find(other) is None
        second = await place(there.outlet, other, begun=True)
        assert second.id != first.id
        assert len(there.names()) == 2


@kinds
async def test_a_text_without_an_address_is_found_by_its_import(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        made = await place(there.outlet, order(source_url=None), begun=False)
        assert await there.outlet.find(order(source_url=None)) == made
        assert await there.outlet.find(order(source_url=None, id="import-2")) is None


@kinds
async def test_a_cover_of_another_kind_is_left_out_and_the_recipe_stays(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        heic = b"\0\0\0\x18ftypheic" + b"x" * 100
        made = await place(there.outlet, order(cover=heic), begun=False)
        assert "left out" in str(await there.outlet.illustrate(made, heic))
        assert (there.names(), there.covers()) == (["Lemon chicken"], 0)


@remotes
async def test_a_damaged_cover_is_told_and_no_failure(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        made = await place(there.outlet, order(), begun=False)
        assert "did not take the cover" in str(await there.outlet.illustrate(made, b"\xff\xd8\xffbroken"))
        assert there.covers() == 0


@kinds
async def test_the_connection_is_tested_and_nothing_is_left_behind(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        assert (await there.outlet.check()).sentence
        assert there.names() == []


@remotes
async def test_a_target_that_is_away_is_told_as_such(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        there.double.down = True
        for ask in (there.outlet.find(order()), there.outlet.put(order()), there.outlet.check()):
            with pytest.raises(Unreachable):
                await ask


@remotes
async def test_a_wrong_token_is_for_a_person_to_mend(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        outlet: Any = there.outlet
        stranger = replace(outlet, policy=replace(outlet.policy, token="wrong-token"))
        for ask in (stranger.find(order()), stranger.put(order()), stranger.check()):
            with pytest.raises(Misconfigured, match="_TOKEN") as told:
                await ask
            assert "wrong-token" not in str(told.value)
        assert "wrong-token" not in repr(stranger)


@remotes
async def test_a_target_on_a_private_address_says_how_to_let_it_through(kind: str, tmp_path: Path) -> None:
    async with standing(kind, tmp_path) as there:
        outlet: Any = there.outlet
        guarded = HttpOutbound()
        with pytest.raises(Misconfigured, match="OUTBOUND_ALLOW"):
            await replace(outlet, outbound=guarded).check()
        await guarded.close()
