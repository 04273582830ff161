"""A recipe whose parts stand in several places: what goes in is in the caption, what to do is said in the video. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from tintype.core.recipes.model import Parsed, Recipe
from tintype.core.recipes.parsers.rules.lexicon import guess_language, lexicon
from tintype.core.recipes.parsers.rules.steps import read_steps
from tintype.core.recipes.parsers.rules.tokens import words


def filled(best: Parsed[Recipe], found: Sequence[Parsed[Recipe]]) -> Parsed[Recipe]:
    """Return the best answer with the ingredients or the steps that only another one has; what it has stays its own."""
    recipe = best.value
    steps = next((one for one in found if one.value.steps), None)
    ingredients = next((one for one in found if one.value.ingredients), None)
    if not recipe.steps and steps is not None:
        return _with(best, _stepped(recipe, steps.value), steps, "steps")
    if not recipe.ingredients and ingredients is not None:
        taken = replace(recipe, ingredients=ingredients.value.ingredients)
        return _with(best, _stepped(taken, recipe), ingredients, "ingredients")
    return best


def _stepped(recipe: Recipe, other: Recipe) -> Recipe:
    """Return a recipe with another one's steps, each with those of its own ingredients that it names."""
    known = lexicon(recipe.language or guess_language(words(" ".join(step.text for step in other.steps))))
    steps = read_steps([(step.text, step.group) for step in other.steps], recipe.ingredients, known)
    return replace(recipe, steps=steps)


def _with(best: Parsed[Recipe], recipe: Recipe, origin: Parsed[Recipe], field: str) -> Parsed[Recipe]:
    certainty = origin.certainty(field)
    fields = tuple(one for one in best.fields if one.field != field) + ((certainty,) if certainty else ())
    return replace(best, value=recipe, fields=fields, missing=tuple(one for one in best.missing if one != field))
