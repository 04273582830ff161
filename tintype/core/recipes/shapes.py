"""A recipe in the forms that other programs read: schema.org's JSON-LD, and Markdown for people and notes."""

import re
from collections.abc import Sequence
from itertools import groupby
from math import isfinite
from typing import Any

from tintype.core.recipes.model import Ingredient, Nutrition, Recipe, Servings, Step
from tintype.core.recipes.plain import one_line, plain

UNNAMED = "Recipe"
_MARKED = re.compile(r"([\\*_#|~])")
_FACTS = (("calories", "kcal"), ("protein", "g protein"), ("carbohydrates", "g carbohydrates"), ("fat", "g fat"))


def jsonld(recipe: Recipe, *, url: str | None = None, image: str | None = None) -> dict[str, Any]:
    """Return the recipe as schema.org's Recipe; what is not known has no key. `url` and `image` are the caller's own."""
    facts: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Recipe",
        "name": title(recipe),
        "description": plain(recipe.description) or None,
        "url": url,
        "image": image,
        "inLanguage": recipe.language,
        "recipeYield": yields(recipe.servings),
        "prepTime": duration(recipe.times.prep),
        "cookTime": duration(recipe.times.cook),
        "totalTime": duration(recipe.times.whole),
        "recipeIngredient": [line for one in recipe.ingredients if (line := ingredient_line(one))],
        "recipeInstructions": _instructions(recipe.steps),
        "keywords": ", ".join(keywords(recipe)) or None,
        "nutrition": _nutrition(recipe.nutrition),
    }
    return {name: value for name, value in facts.items() if value is not None}


def markdown(recipe: Recipe, *, url: str | None = None, image: str | None = None) -> str:
    """Return the recipe as a Markdown page; `url` and `image` are the caller's own."""
    parts = [f"# {_escaped(title(recipe))}"]
    if image:
        parts.append(f"![]({image})")
    if recipe.description:
        parts.append(_escaped(plain(recipe.description)))
    if known := _known(recipe):
        parts.append("\n".join(f"- {fact}" for fact in known))
    if recipe.ingredients:
        parts.append("## Ingredients")
        parts += _listed([(one.group, ingredient_line(one)) for one in recipe.ingredients], "-")
    if recipe.steps:
        parts.append("## Steps")
        parts += _listed([(one.group, one_line(one.text)) for one in recipe.steps], "1.")
    if recipe.notes:
        parts += ["## Notes", "\n".join(f"- {_escaped(one_line(note))}" for note in recipe.notes)]
    if words := keywords(recipe):
        parts.append(_escaped(", ".join(words)))
    if url:
        parts.append(f"Source: <{url}>")
    return "\n\n".join(parts) + "\n"


def title(recipe: Recipe) -> str:
    """Return the recipe's name on one line; every target wants one."""
    return one_line(recipe.name) or UNNAMED


def ingredient_line(one: Ingredient) -> str:
    """Return an ingredient as its author wrote it, or as it is understood where the words are not kept."""
    if line := one_line(one.original):
        return line
    amount = amounts(one)
    line = " ".join(part for part in (amount, one_line(one.unit or ""), one_line(one.food)) if part)
    note = one_line(one.note)
    return f"{line}, {note}" if note and line else line or note


def amounts(one: Ingredient) -> str:
    """Return "2", "2–3" or nothing."""
    if one.amount is None or not isfinite(one.amount):
        return ""
    upper = f"\u2013{number(one.amount_max)}" if one.amount_max and one.amount_max > one.amount else ""
    return number(one.amount) + upper


def number(value: float) -> str:
    """Return a number with at most four places and no idle zeros."""
    return f"{value:.4f}".rstrip("0").rstrip(".")


def yields(servings: Servings | None) -> str | None:
    """Return "4 servings", or None when nobody said how much it makes."""
    if servings is None or not isfinite(servings.amount):
        return None
    upper = servings.amount_max
    span = f"\u2013{number(upper)}" if upper is not None and upper > servings.amount else ""
    return f"{number(servings.amount)}{span} {one_line(servings.what) or 'servings'}"


def duration(minutes: int | None) -> str | None:
    """Return minutes as ISO 8601 writes them: PT1H20M."""
    if minutes is None or minutes <= 0:
        return None
    hours, rest = divmod(minutes, 60)
    return "PT" + (f"{hours}H" if hours else "") + (f"{rest}M" if rest else "")


def keywords(recipe: Recipe) -> list[str]:
    """Return the keywords in small letters without their signs, each once."""
    words = (one_line(word).strip(" #,").lower() for word in recipe.keywords)
    return list(dict.fromkeys(word for word in words if word))


def nutrition_line(nutrition: Nutrition) -> str:
    """Return "420 kcal, 38 g protein": only what is known."""
    known = [(getattr(nutrition, name), unit) for name, unit in _FACTS]
    return ", ".join(f"{number(value)} {unit}" for value, unit in known if _known_number(value))


def _instructions(steps: Sequence[Step]) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for group, members in groupby(steps, key=lambda step: step.group):
        texts = [{"@type": "HowToStep", "text": text} for step in members if (text := plain(step.text))]
        name = one_line(group or "")
        made += [{"@type": "HowToSection", "name": name, "itemListElement": texts}] if name else texts
    return made


def _nutrition(nutrition: Nutrition) -> dict[str, str] | None:
    facts = {
        "calories": (nutrition.calories, "kcal"),
        "proteinContent": (nutrition.protein, "g"),
        "carbohydrateContent": (nutrition.carbohydrates, "g"),
        "fatContent": (nutrition.fat, "g"),
    }
    known = {name: f"{number(value)} {unit}" for name, (value, unit) in facts.items() if value and _known_number(value)}
    return {"@type": "NutritionInformation", **known} if known else None


def _known_number(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _known(recipe: Recipe) -> list[str]:
    times = recipe.times
    facts = (
        ("Makes", yields(recipe.servings)),
        ("Preparation", times.prep and f"{times.prep} min"),
        ("Cooking", times.cook and f"{times.cook} min"),
        ("Total", times.whole and f"{times.whole} min"),
        ("Per serving", nutrition_line(recipe.nutrition)),
    )
    return [f"{name}: {_escaped(str(value))}" for name, value in facts if value]


def _listed(entries: Sequence[tuple[str | None, str]], sign: str) -> list[str]:
    parts: list[str] = []
    for group, members in groupby(entries, key=lambda entry: entry[0]):
        if name := one_line(group or ""):
            parts.append(f"### {_escaped(name)}")
        lines = [_escaped(line) for _, line in members if line]
        signs = [f"{place}." if sign == "1." else sign for place in range(1, len(lines) + 1)]
        parts.append("\n".join(f"{mark} {line}" for mark, line in zip(signs, lines, strict=True)))
    return [part for part in parts if part]


def _escaped(text: str) -> str:
    return _MARKED.sub(r"\\\1", text)
