"""A recipe as Tandoor takes it, on both lines of it: every limit kept, every field harmless, nothing invented. Pure.

Steps are templates there and Markdown is live, so no brace, tag, link or address leaves here (see `plain`); a name or a
food of any length would be refused whole, so each is cut at a word.
"""

import math
import re
from collections.abc import Sequence
from typing import Any

from tintype.core.recipes.model import Ingredient, Nutrition, Recipe, Step, Times
from tintype.core.recipes.plain import cut, one_line, plain
from tintype.core.recipes.shapes import amounts, keywords, nutrition_line, title

# What Tandoor's own tables hold; a longer text is a 400 for the whole recipe.
NAME, DESCRIPTION, SOURCE = 128, 512, 1024
FOOD, NOTE, ORIGINAL = 128, 256, 512
KEYWORD, STEP, SERVINGS_TEXT = 64, 128, 32
_KEYWORDS = 30
_SERVINGS = 10_000
_MINUTES = 60 * 24 * 60
_AMOUNT = 1e9
_INSTRUCTION = 20_000
_HEADING = re.compile(r"(?m)^(\s*)(?=#)")


def payload(recipe: Recipe, source: str) -> dict[str, Any]:
    """Return the body that creates the recipe; `source` is what it can be asked for again."""
    name, rest = named(recipe)
    working, waiting = times(recipe.times)
    body: dict[str, Any] = {
        "name": name,
        "description": description(recipe, rest),
        "working_time": working,
        "waiting_time": waiting,
        "internal": True,  # otherwise it counts as a file that lies elsewhere
        "private": False,
        "source_url": source[:SOURCE],
        "keywords": [{"name": word} for word in keywords(recipe) if len(word) <= KEYWORD][:_KEYWORDS],
        "steps": steps(recipe),
    }
    if (servings := recipe.servings) and math.isfinite(servings.amount):
        body["servings"] = max(1, min(round(servings.amount), _SERVINGS))
        body["servings_text"] = one_line(servings.what, SERVINGS_TEXT)
    if (nutrition := _nutrition(recipe.nutrition)) is not None:
        body["nutrition"] = nutrition
    return body


def named(recipe: Recipe) -> tuple[str, str]:
    """Return the name under which Tandoor lists the recipe, and what of its title did not fit."""
    return cut(title(recipe), NAME)


def description(recipe: Recipe, rest: str) -> str:
    """Return what did not fit into the name, what the author says, and the notes, as far as there is room."""
    known = "" if recipe.nutrition.complete else nutrition_line(recipe.nutrition)
    parts = (rest, plain(recipe.description), *(plain(note) for note in recipe.notes), known)
    return cut("\n".join(part for part in parts if part), DESCRIPTION)[0]


def times(known: Times) -> tuple[int, int]:
    """Return minutes of work and of waiting that add up to the total where one is known."""
    total, prep, cook = known.total, known.prep, known.cook
    if total is None:
        working, waiting = prep or 0, (cook or 0) + (known.wait or 0)
    elif prep is not None:
        working, waiting = prep, total - prep
    elif cook is not None or known.wait is not None:
        waiting = min((cook or 0) + (known.wait or 0), total)
        working = total - waiting
    else:
        working, waiting = total, 0
    return _minutes(working), _minutes(waiting)


def steps(recipe: Recipe) -> list[dict[str, Any]]:
    """Return the steps with the ingredients that each is first to name; the first one gets those that none names."""
    texts = [step for step in recipe.steps if plain(step.text)] or [Step("")]
    placed = {place for step in texts for place in step.ingredients}
    everywhere = range(len(recipe.ingredients))
    made: list[dict[str, Any]] = []
    told: set[int] = set()
    group: str | None = None
    for order, step in enumerate(texts):
        mine = [place for place in dict.fromkeys(step.ingredients) if place in everywhere and place not in told]
        if order == 0:
            mine = sorted({*mine, *(place for place in everywhere if place not in placed)})
        told.update(mine)
        made.append(_step(step, [recipe.ingredients[place] for place in mine], order, headed=step.group != group))
        group = step.group
    return made


def _step(step: Step, used: Sequence[Ingredient], order: int, *, headed: bool) -> dict[str, Any]:
    instruction = cut(plain(step.text), _INSTRUCTION)[0]
    return {
        "name": one_line(step.group or "", STEP) if headed else "",
        "instruction": _HEADING.sub(r"\1\\", instruction),
        "time": _minutes(step.minutes or 0),
        "order": order,
        "show_as_header": False,
        "show_ingredients_table": True,
        "ingredients": [{**one, "order": place} for place, one in enumerate(_ingredients(used))],
    }


def _ingredients(used: Sequence[Ingredient]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    group: str | None = None
    for one in used:
        name = one_line(one.group or "", NOTE)
        if name and name != group:
            made.append(_entry(None, note=name, header=True))
        group = name
        if entry := _ingredient(one):
            made.append(entry)
    return made


def _ingredient(one: Ingredient) -> dict[str, Any] | None:
    food = one_line(one.food, FOOD) or one_line(one.original, FOOD)
    if not food:
        return None
    amount = one.amount if one.amount is not None and math.isfinite(one.amount) and 0 < one.amount < _AMOUNT else None
    span = amounts(one) if amount is not None and one.amount_max and one.amount_max > amount else ""
    note = ", ".join(part for part in (one_line(one.note), span) if part)
    unit = one_line(one.unit or "", FOOD)
    return _entry(food, unit=unit, amount=amount, note=cut(note, NOTE)[0], original=one_line(one.original, ORIGINAL))


def _entry(
    food: str | None,
    *,
    note: str,
    unit: str = "",
    amount: float | None = None,
    original: str = "",
    header: bool = False,
) -> dict[str, Any]:
    # Food, unit and amount have to be there, a blank name is refused, and so is an amount of null.
    return {
        "food": {"name": food} if food else None,
        "unit": {"name": unit} if unit else None,
        "amount": round(amount, 4) if amount is not None else 0,
        "note": note,
        "is_header": header,
        "no_amount": amount is None and not unit,
        "original_text": original,
    }


def _nutrition(known: Nutrition) -> dict[str, Any] | None:
    # All four or none: a missing one is a 400, and a nought would be a lie.
    facts = (known.calories, known.carbohydrates, known.fat, known.protein)
    if any(value is None or not math.isfinite(value) or not 0 <= value < _AMOUNT for value in facts):
        return None
    calories, carbohydrates, fat, protein = facts
    return {"calories": calories, "carbohydrates": carbohydrates, "fats": fat, "proteins": protein, "source": ""}


def _minutes(value: int) -> int:
    return max(0, min(int(value), _MINUTES))
