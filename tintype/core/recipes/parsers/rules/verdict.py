"""Whether a text is a recipe at all: look-alikes have lists and steps too, but nobody eats what comes of them."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tintype.core.recipes.model import Ingredient
from tintype.core.recipes.parsers.rules.facts import duration_at
from tintype.core.recipes.parsers.rules.lexicon import Lexicon, everywhere
from tintype.core.recipes.parsers.rules.seeing import Look
from tintype.core.recipes.parsers.rules.tokens import Token, number, tokenize

_INJECTION = re.compile(
    r"\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:previous|prior|above|all|instructions?|prompt|rules)\b|\bsystem (?:prompt|override|message)\b|\bassistant must\b|\bis_recipe\b|\byou are (?:now )?(?:an? )?(?:ai|assistant|language model)"
    r"|\bignorier\w*\b.{0,40}\banweisung|\bignore[zr]?\b.{0,40}\binstructions|\bignora\b.{0,40}\b(?:instrucciones|istruzioni)|\bignore\b.{0,40}\binstru[cç][oõ]es|\bnegeer\b.{0,40}\binstructies",
    re.IGNORECASE,
)  # a text that speaks to a machine instead of a cook has to prove itself by its steps
_CLOCKED = re.compile(r"^\W*\d{1,2}(?::\d{2}|\s?(?:am|pm|uhr|h\d{2}))\b", re.IGNORECASE)


FEW = 5  # ingredients of most things that are mixed at home and not eaten


class Verdict(NamedTuple):
    """Whether it is a recipe, how sure that is, and why."""

    recipe: bool
    confidence: float
    reason: str


def judge(
    ingredients: Sequence[Ingredient], steps: Sequence[str], looks: Sequence[Look], headed: bool, lexicon: Lexicon
) -> Verdict:
    """Decide from what was read and from the words around it."""
    refused = _look_alike(looks, ingredients, steps, headed, lexicon)
    if refused:
        return Verdict(False, 0.95, refused)
    counted = sum(one.amount is not None for one in ingredients)
    edible = sum(_edible(one, lexicon) for one in ingredients)
    if len(ingredients) < 2:
        return Verdict(False, 0.9, "no list of ingredients")
    if edible * 3 < len(ingredients) or edible < 1:
        return Verdict(False, 0.8, "what is listed is no food")
    if counted >= 2 or (counted and (steps or headed)):
        return Verdict(
            True, min(0.99, 0.6 + 0.05 * counted + 0.15 * bool(steps) + 0.1 * headed), "ingredients with amounts"
        )
    told = len(steps) >= 2 or sum(map(len, steps)) > 80
    if len(ingredients) >= 3 and edible * 2 >= len(ingredients) and (headed or told):
        return Verdict(True, 0.7, "ingredients without amounts, and what to do with them")
    return Verdict(False, 0.7, "foods without amounts")


def _edible(one: Ingredient, lexicon: Lexicon) -> bool:
    return any(lexicon.is_food(token.folded) for token in tokenize(one.food))


def _look_alike(
    looks: Sequence[Look], ingredients: Sequence[Ingredient], steps: Sequence[str], headed: bool, lexicon: Lexicon
) -> str | None:
    """Return why a text is one of the things that look like recipes, or None."""
    cues = {cue for one in looks if not one.tags for cue in lexicon.refusals.within(one.tokens)}
    reason = _uneaten(looks, ingredients, cues, lexicon) or _planned(looks, steps, headed, lexicon)
    if reason:
        return reason
    if not steps and sum(_ends_with_price(one) for one in looks) >= max(3, len(ingredients) / 2):
        return "a list of prices"
    for least, told, such in _LISTINGS:
        found = sum(such(one, lexicon) for one in looks)
        if found >= least and found * 3 >= len(ingredients):
            return told
    if _titled(looks, lexicon) & _OFFERED and sum(one.amount is not None for one in ingredients) < 3:
        return "an offer"
    if not headed and any(lexicon.promotions.within(one.tokens) for one in looks) and len(steps) < 2:
        return "an offer"
    if cues and not steps and any(lexicon.refusals.within(tokenize(one.food)) for one in ingredients):
        return f"lists {', '.join(sorted(cues))}"
    if cues and sum(_edible(one, lexicon) for one in ingredients) * 2 < len(ingredients):
        return f"speaks of {', '.join(sorted(cues))}"
    if (len(steps) < 2 or len(ingredients) < 4) and any(_INJECTION.search(one.text) for one in looks):
        return "speaks to a machine"
    return None


def _uneaten(looks: Sequence[Look], ingredients: Sequence[Ingredient], cues: set[str], lexicon: Lexicon) -> str | None:
    """Return why nobody eats what is mixed here, or None: one word of house or body is in many a recipe."""
    titled = _titled(looks, lexicon)
    hints = {one for one in _hints(looks, lexicon) if not any(one in cue.split() for cue in cues)}
    named = {cue for one in _naming(looks)[:1] for cue in lexicon.refusals.within(one.tokens)} | (titled - _OFFERED)
    against = 2 * len(named) + len((titled | cues) - named) + (len(cues & _SURE) > 1)
    eaten = _for_table(looks, ingredients, lexicon)
    hinted = 0.5 * (len(hints) + len(hints & _hints(_naming(looks)[:1], lexicon)))
    if against and against + hinted > eaten and (against > 1 or len(ingredients) <= FEW):
        return f"speaks of {', '.join([*sorted(titled), *sorted(cues - titled), *sorted(hints)][:3])}"
    if len(ingredients) > FEW:
        return None
    if (cues or hints) and ingredients and eaten < 2 and all(_cleans(one, _CLEANERS) for one in ingredients):
        return f"speaks of {', '.join(sorted(cues or hints)[:3])}, and of nothing but what cleans"
    nameless = not _names_dish(looks, lexicon)
    kept = all(_keeps(one) for one in ingredients)
    if (len(hints) > 1 or (hints and (nameless or kept))) and hinted + 0.5 * kept > eaten:
        return f"speaks of {', '.join(sorted(hints)[:3])}, and of nothing that is eaten"
    if eaten >= 1 or any(lexicon.eaten.within(one.tokens) for one in looks):
        return None
    if nameless and ingredients and sum(_edible(one, lexicon) for one in ingredients) * 2 <= len(ingredients):
        return "what is mixed here is hardly food, and nobody says it is"
    if ingredients and (
        (kept and nameless) or (not eaten and all(_keeps(one) or not _edible(one, lexicon) for one in ingredients))
    ):
        return "what is mixed here need not be eaten, and nobody says it is"
    return None


def _for_table(looks: Sequence[Look], ingredients: Sequence[Ingredient], lexicon: Lexicon) -> float:
    """Return how much speaks for something to eat: words of the table and the kitchen, and foods that are nothing else."""
    said = {token.folded for one in looks if not one.tags for token in one.tokens}
    title = {token for one in _naming(looks) for token in one.tokens}
    named = 1.0 if any(_is_dish(token) and token.folded not in _RECIPE for token in title) else 0.0
    named = named or 0.5 * any(
        lexicon.is_food(token.folded) and token.folded not in _KEPT_IN_THE_HOUSE for token in title
    )
    foods = sum(_edible(one, lexicon) and not _cleans(one, _KEPT_IN_THE_HOUSE) for one in ingredients)
    plain = any(token.folded.startswith(_PLAINLY_EATEN) for one in ingredients for token in tokenize(one.food))
    many = (
        2.5
        if foods >= 4 or 2 <= foods == len(ingredients)
        else 1.5
        if foods >= 2 and foods * 2 >= len(ingredients)
        else min(0.5 * foods, 1.0)
    )
    return min(len(said & _SERVED), 2) * 1.25 + min(len(said & _COOKED), 3) * 0.5 + many + 2.0 * plain + named


def _planned(looks: Sequence[Look], steps: Sequence[str], headed: bool, lexicon: Lexicon) -> str | None:
    """Return that a text is a day of meals or what was bought for them, or None."""
    meals = sum(_is_meal(one, lexicon) for one in looks)
    planned = any(lexicon.day_plans.within(one.tokens) for one in looks if one.heading is None)
    if meals >= 3 or (meals >= 2 and not headed and not steps) or (planned and (meals >= 2 or not (steps or headed))):
        return "a day of meals"
    return None


def _cleans(one: Ingredient, such: frozenset[str]) -> bool:
    """Tell whether a thing is of use in the house as well as at table: vinegar, soda, lemon, salt, water."""
    return any(token.folded in such for token in tokenize(one.food))


def _keeps(one: Ingredient) -> bool:
    """Tell whether a thing is kept in the house for more than the table: "cinnamon sticks", "Milchpulver"."""
    return any(
        token.folded.startswith(_KEPT_STEMS) or token.folded in _KEPT_IN_THE_HOUSE for token in tokenize(one.food)
    )


def _names_dish(looks: Sequence[Look], lexicon: Lexicon) -> bool:
    """Tell whether one of the first two lines names something to eat or to drink."""
    return any(lexicon.is_food(token.folded) or _is_dish(token) for one in _naming(looks) for token in one.tokens)


def _is_dish(token: Token) -> bool:
    return token.folded in _DISHES or (len(token.folded) > 6 and token.folded.endswith(_DISH_ENDS))


def _naming(looks: Sequence[Look]) -> list[Look]:
    """Return those of the first two lines that may be a name."""
    spoken = [one for one in looks if not one.tags and one.words]
    first, second = spoken[:1], spoken[1:2]
    return [one for one in first if not (one.starts_with_quantity and one.has_unit)] + [
        one for one in second if not one.starts_with_quantity
    ]


_CLEANERS = everywhere("cleaners")
_KEPT_IN_THE_HOUSE = _CLEANERS | everywhere("household")
_KEPT_STEMS = tuple(word for word in sorted(_KEPT_IN_THE_HOUSE) if len(word) > 3)
_DISHES = everywhere("dishes")
_SERVED = everywhere("served")
_COOKED = everywhere("cooked")
_PLAINLY_EATEN = tuple(word for word in sorted(everywhere("plainly_eaten")) if len(word) > 2)
_ELSEWHERE = everywhere("elsewhere")
_OFFERED = everywhere("offered")
_RECIPE = everywhere("recipe")
_DISH_ENDS = tuple(word for word in sorted(_DISHES) if len(word) > 3 and word != "crema")
_WEEKDAYS = everywhere("weekdays")


def _hints(looks: Sequence[Look], lexicon: Lexicon) -> set[str]:
    """Return the words of home and body in a text; they are in recipes too, so they count only where nobody eats."""
    spoken = [one for one in looks if not one.tags]
    gone = {token.folded for one in spoken for token in one.tokens if token.folded in _ELSEWHERE}
    return gone.union(*(lexicon.hints.within(one.tokens) for one in spoken))


def _titled(looks: Sequence[Look], lexicon: Lexicon) -> set[str]:
    """Return the things nobody eats that the first line names, alone or as the end of a compound."""
    first = next((one for one in looks if not one.tags and one.words), None)
    if first is None or first.words > 12 or (first.starts_with_quantity and first.has_unit):
        return set()
    named = set(lexicon.refused_titles.within(first.tokens))
    if lexicon.language in ("de", "nl"):
        ends = tuple(word for word in lexicon.compound_refusals if len(word) > 4)
        named |= {token.folded for token in first.tokens if len(token.folded) > 8 and token.folded.endswith(ends)}
    return named


def _opens_day(one: Look, lexicon: Lexicon) -> bool:
    """Tell whether a line opens with a day of the week, or with the letter of a meal: "Mon: curry", "B: 2 eggs"."""
    if len(one.tokens) < 2 or one.tokens[1].text not in (":", "-", "–", "—", "|", "=", "."):
        return False
    return one.tokens[0].folded in _WEEKDAYS or one.tokens[0].text in ("B", "L", "D", "S")


def _lasts(one: Look, lexicon: Lexicon) -> bool:
    """Tell whether a short line gives a thing and how long: "Soup - 3 months", "Soft: 6 minutes"."""
    if one.facts or one.numbered or one.verb or one.words > 6 or len(one.tokens) < 3 or one.starts_with_quantity:
        return False
    place = next((place for place, token in enumerate(one.tokens) if token.kind == "n"), 0)
    duration = duration_at(one.tokens, place, lexicon) if place else None
    word = one.tokens[-1].folded
    return (duration is not None and duration.end >= len(one.tokens)) or (place > 0 and word in _LONG_TIMES)


def _before_colon(one: Look, lexicon: Lexicon) -> bool:
    """Tell whether a line opens with a time and a colon: "30 min before: 1 gel", "4-6 months: 30 g of carrot"."""
    colon = next((place for place, token in enumerate(one.tokens[:6]) if token.text == ":"), 0)
    if colon < 2 or one.facts or colon == len(one.tokens) - 1:
        return False
    timed = duration_at(one.tokens, 0, lexicon) is not None
    return timed or (one.tokens[0].kind == "n" and one.tokens[colon - 1].folded in _LONG_TIMES)


_LONG_TIMES = everywhere("long_times")
_PER_HUNDRED = re.compile(
    r"\b(?:per|pour|por|je|pro|auf|in|en|em|a|op)\s100\s?(?:g|ml|gr)\b|\b100\s?(?:g|gr)\b.*\d\s?(?:k?cal|g)\b|^\W*100\s?g\b.*\d",
    re.IGNORECASE,
)


_ENERGY = everywhere("energy")
_MILLIGRAMS = re.compile(r"\d\s?(?:mg|µg|mcg|iu)\b", re.IGNORECASE)


def _compares(one: Look, lexicon: Lexicon) -> bool:
    """Tell whether a line says how much of something is in a food: "lentils: 9 g per 100 g", "100 g banana = 89 kcal"."""
    if not one.foods or one.words > 12:
        return False
    if _MILLIGRAMS.search(one.text):
        return True  # nobody weighs so little in a kitchen
    energy = one.words <= 8 and any(token.folded in _ENERGY for token in one.tokens)
    return energy or _PER_HUNDRED.search(one.text) is not None


def _ends_with_price(one: Look) -> bool:
    """Tell whether a line is a thing and a bare number: "Soup of the day 8"."""
    named = one.words > 1 and not (one.facts or one.numbered or one.starts_with_quantity)
    return named and one.tokens[-1].kind == "n" and one.tokens[-2].kind == "w"


def _is_figure(one: Look, lexicon: Lexicon) -> bool:
    """Tell whether a line opens with thousands of something that no kitchen has: "3,400 croissants"."""
    if len(one.tokens) < 2 or one.tokens[0].kind != "n" or number(one.tokens[0].text) < 1000:
        return False
    unit = lexicon.units.at(one.tokens, 1)
    return unit is None or unit[0] not in ("g", "ml")


def _is_meal(one: Look, lexicon: Lexicon) -> bool:
    """Tell whether a line opens with a meal of the day and goes on with what was eaten, or stands alone as heading."""
    found = lexicon.meals.at(one.tokens, 0)
    if found is None:
        return False
    rest = one.tokens[found[1] :]
    return not rest or rest[0].text in (":", "-", "–", "—", "|") or rest[0].kind == "p"


_SURE = everywhere("surely_no_food")

# How many lines of a sort make a list that is no recipe's, as long as they are a third of what was read as ingredients.
_LISTINGS: tuple[tuple[int, str, Callable[[Look, Lexicon], bool]], ...] = (
    (3, "a week of meals", _opens_day),
    (2, "a table of measures", lambda one, _: "=" in one.text and one.starts_with_quantity and one.words <= 12),
    (3, "a table of times", _lasts),
    (2, "a timetable", _before_colon),
    (3, "a timetable", lambda one, _: _CLOCKED.match(one.text) is not None),
    (3, "what is in foods", _compares),
    (2, "figures", _is_figure),
    (2, "a list of prices", lambda one, _: one.price),
    (2, "sets and repetitions", lambda one, _: one.sets and one.words <= 10 and not one.ends_sentence),
)
