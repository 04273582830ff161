"""What a person makes of a recipe before it is put away: fields that are given take the place of what was read. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tintype.core.recipes.model import Certainty, Parsed, Recipe, Step
from tintype.core.recipes.parsers.rules.lexicon import guess_language, lexicon
from tintype.core.recipes.parsers.rules.steps import read_steps
from tintype.core.recipes.parsers.rules.tokens import words


def amended(parsed: Parsed[Recipe], changes: Mapping[str, Any]) -> Parsed[Recipe]:
    """Return a recipe with the fields that a person gave; somebody has looked at it, so it is certain from then on.

    Of the times only those that are named change.
    """
    given = {**changes, **({"times": replace(parsed.value.times, **changes["times"])} if "times" in changes else {})}
    recipe = replace(parsed.value, **given)
    if changes.keys() & {"ingredients", "steps"}:
        recipe = replace(recipe, steps=_attached(recipe, given="steps" in changes))
    kept = tuple(one for one in parsed.fields if one.field not in changes)
    told = tuple(Certainty(name, 1.0, "a person wrote it") for name in changes)
    missing = tuple(name for name in parsed.missing if name not in changes)
    return replace(parsed, value=recipe, confidence=1.0, fields=(*kept, *told), missing=missing)


def _attached(recipe: Recipe, *, given: bool) -> tuple[Step, ...]:
    """Return the steps with the ingredients that each is first to name; minutes that were given stay."""
    known = lexicon(recipe.language or guess_language(words(" ".join(step.text for step in recipe.steps))))
    read = read_steps([(step.text, step.group) for step in recipe.steps], recipe.ingredients, known)
    pairs = zip(read, recipe.steps, strict=True)
    return tuple(
        replace(fresh, minutes=old.minutes if old.minutes is not None or not given else fresh.minutes)
        for fresh, old in pairs
    )
