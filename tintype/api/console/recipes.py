"""The recipe queue for people: paste links, watch them become recipes, correct what was read, and put it away."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from fastapi import FastAPI, Request
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from tintype.api.console.desk import ConsoleDesk
from tintype.api.console.door import back, text_of
from tintype.core.access import Role, Visit
from tintype.core.recipes import Ingredient, Item, Nutrition, Query, Servings, Step, new_batch
from tintype.errors import Invalid, Trouble

PLACE = "/console/recipes"
A_PAGE = 30
SPARE_ROWS = 3
VERBS = ("retry", "force", "approve", "remove")

_LINK = re.compile(r"https?://\S+")
_AMOUNT = re.compile(r"\d{1,6}(?:[.,]\d{1,3})?")


def add(app: FastAPI, desk: ConsoleDesk) -> None:
    """Add the routes."""
    _listing(app, desk)
    _one(app, desk)
    _editing(app, desk)


def _listing(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE)
    async def recipes(request: Request, page: int = 1) -> Response:
        """Show the queue, newest first."""
        visit = await desk.door.visit(request)
        return await _shown(desk, visit, page=max(1, page), done=request.query_params.get("done", ""))

    @app.post(PLACE)
    async def take(request: Request) -> Response:
        """Take what was pasted: links, or the text of a recipe."""
        visit, form = await desk.door.form(request)
        pasted = text_of(form, "pasted").strip()
        links = _LINK.findall(pasted)
        try:
            if links:
                taken = await desk.recipes.take_all(links, dedupe=True, batch=new_batch() if len(links) > 1 else None)
            else:
                taken = [await desk.recipes.take_given(text=pasted or None)]
        except Trouble as trouble:
            return await _shown(desk, visit, problem=trouble.message, pasted=pasted, status=400)
        if len(taken) == 1:
            return RedirectResponse(f"{PLACE}/{taken[0].item.id}", 303)
        return back(PLACE, "taken")

    @app.post(PLACE + "/outlet")
    async def try_outlet(request: Request) -> Response:
        """Test the connection to where recipes go, and say what came of it."""
        visit, _ = await desk.door.form(request)
        if desk.outlet is None:
            return await _shown(desk, visit, problem="no target is set; recipes stay in the queue", status=409)
        try:
            standing = await desk.outlet.check()
        except Trouble as trouble:
            return await _shown(desk, visit, problem=trouble.message, status=409)
        return await _shown(desk, visit, tried=standing.sentence)


def _one(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE + "/{item_id}")
    async def item(item_id: str, request: Request) -> Response:
        """Show one item: the recipe beside the words it was read from."""
        visit = await desk.door.visit(request)
        return await _item_shown(desk, visit, item_id, done=request.query_params.get("done", ""))

    @app.get(PLACE + "/{item_id}/picture")
    async def picture(item_id: str, request: Request) -> Response:
        """Send our copy of an item's picture."""
        await desk.door.visit(request)
        data, media_type, tag = await desk.recipes.thumbnail(item_id)
        headers = {"ETag": tag, "Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
        return Response(data, media_type=media_type, headers=headers)

    @app.post(PLACE + "/{item_id}")
    async def act(item_id: str, request: Request) -> Response:
        """Try an item again, take the best guess, let it go on, or remove it."""
        visit, form = await desk.door.form(request)
        verb = text_of(form, "verb")
        try:
            match verb:
                case "retry" | "force":
                    await desk.recipes.retry(item_id, force=True if verb == "force" else None)
                case "approve":
                    await desk.recipes.approve(item_id)
                case "remove":
                    await desk.recipes.remove(item_id, cancel=True)
                case _:
                    raise Invalid(f"verb must be one of {', '.join(VERBS)}")
        except Trouble as trouble:
            return await _item_shown(desk, visit, item_id, problem=trouble.message, status=409)
        await desk.door.note(visit, f"recipe.{verb}", item_id)
        return back(PLACE if verb == "remove" else f"{PLACE}/{item_id}", verb)


def _editing(app: FastAPI, desk: ConsoleDesk) -> None:
    @app.get(PLACE + "/{item_id}/edit")
    async def edit(item_id: str, request: Request) -> Response:
        """Show a recipe as a form."""
        visit = await desk.door.visit(request, Role.EDITOR)
        item = await desk.recipes.get(item_id)
        if item.parsed is None:
            return await _item_shown(desk, visit, item_id, problem="there is no recipe of this item yet", status=409)
        recipe = item.parsed.value
        rows = [*recipe.ingredients, *(Ingredient("") for _ in range(SPARE_ROWS))]
        steps = "\n\n".join(step.text for step in recipe.steps)
        return desk.door.page(visit, "recipe_edit.html", item=item, recipe=recipe, rows=rows, steps=steps)

    @app.post(PLACE + "/{item_id}/edit")
    async def amend(item_id: str, request: Request) -> Response:
        """Keep a corrected recipe."""
        visit, form = await desk.door.form(request)
        try:
            await desk.recipes.amend(item_id, _changes(form))
        except Trouble as trouble:
            return await _item_shown(desk, visit, item_id, problem=trouble.message, status=409)
        await desk.door.note(visit, "recipe.corrected", item_id)
        return back(f"{PLACE}/{item_id}", "corrected")


def _changes(form: FormData) -> dict[str, Any]:
    nutrition = [_amount(text_of(form, name)) for name in ("calories", "protein", "carbohydrates", "fat")]
    servings = _amount(text_of(form, "servings"))
    return {
        "name": text_of(form, "name").strip()[:300],
        "description": text_of(form, "description").strip()[:5000],
        "servings": Servings(servings, what=text_of(form, "servings_what").strip()[:60]) if servings else None,
        "times": {name: _minutes(text_of(form, name)) for name in ("prep", "cook", "total")},
        "ingredients": tuple(_ingredients(form)),
        "steps": tuple(_steps(text_of(form, "steps"))),
        "keywords": tuple(word.strip() for word in text_of(form, "keywords").split(",") if word.strip()),
        "nutrition": Nutrition(*nutrition),
    }


def _ingredients(form: FormData) -> Sequence[Ingredient]:
    columns = [[str(one) for one in form.getlist(name)] for name in ("amount", "unit", "food", "note", "group")]
    return [
        Ingredient(food=food.strip()[:200], amount=_amount(amount), unit=unit.strip()[:60] or None,
                   note=note.strip()[:300], group=group.strip()[:300] or None)
        for amount, unit, food, note, group in zip(*columns, strict=False)
        if food.strip()
    ]  # fmt: skip


def _steps(text: str) -> Sequence[Step]:
    return [Step(part.strip()[:4000]) for part in re.split(r"\r?\n\s*\r?\n", text) if part.strip()]


def _amount(text: str) -> float | None:
    text = text.strip()
    if not text:
        return None
    if not _AMOUNT.fullmatch(text):
        raise Invalid(f"{text[:40]!r} is no amount; write it like 250 or 0.5")
    return float(text.replace(",", ".")) or None


def _minutes(text: str) -> int | None:
    amount = _amount(text)
    return round(amount) if amount else None


async def _shown(
    desk: ConsoleDesk,
    visit: Visit,
    *,
    page: int = 1,
    done: str = "",
    problem: str = "",
    pasted: str = "",
    tried: str = "",
    status: int = 200,
) -> Response:
    found = await desk.recipes.page(Query(limit=A_PAGE, offset=(page - 1) * A_PAGE))
    return desk.door.page(
        visit,
        "recipes.html",
        status=status,
        items=found.items,
        total=found.total,
        page=page,
        pages=-(-found.total // A_PAGE),
        done=done,
        problem=problem,
        pasted=pasted,
        tried=tried,
        outlet=desk.outlet.name if desk.outlet else None,
        follows=not pasted and any(_is_moving(one) for one in found.items),
    )


async def _item_shown(
    desk: ConsoleDesk, visit: Visit, item_id: str, *, done: str = "", problem: str = "", status: int = 200
) -> Response:
    item = await desk.recipes.get(item_id)
    return desk.door.page(
        visit,
        "recipe.html",
        status=status,
        item=item,
        recipe=item.parsed.value if item.parsed else None,
        groups=_groups(item.parsed.value.ingredients) if item.parsed else (),
        sure={one.field: one for one in item.parsed.fields} if item.parsed else {},
        done=done,
        problem=problem,
        follows=_is_moving(item),
    )


def _groups(ingredients: Sequence[Ingredient]) -> Sequence[tuple[str, Sequence[Ingredient]]]:
    return [(name, list(lines)) for name, lines in groupby(ingredients, key=lambda one: one.group or "")]


def _is_moving(item: Item) -> bool:
    return item.status in ("pending", "in_progress") and not item.in_review
