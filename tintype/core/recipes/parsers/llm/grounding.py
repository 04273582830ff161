"""Holding a model's answer against the lines it cites: what does not stand there is not believed. Pure.

an ingredient   goes when its line is not there, or most of its words are not in it
an amount       stands in that line, and brings its unit from there, as its author spelled it
a step          says what its lines say, word for word, or is replaced by them
a number        of servings or minutes stands in its line
a name          is made of words of the text
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tintype.core.recipes.model import Ingredient, Recipe, Servings, Times
from tintype.core.recipes.parsers.llm.answers import SaidIngredient, SaidNumber, SaidRecipe, SaidStep
from tintype.core.recipes.parsers.llm.source import Source
from tintype.core.recipes.parsers.rules.facts import duration_at
from tintype.core.recipes.parsers.rules.ingredients import Measure, measured
from tintype.core.recipes.parsers.rules.lexicon import Lexicon
from tintype.core.recipes.parsers.rules.quantities import quantity
from tintype.core.recipes.parsers.rules.steps import read_steps
from tintype.core.recipes.parsers.rules.tokens import Token, fold, tokenize, words
from tintype.core.recipes.plain import one_line

COVERAGE = 0.6  # of the words of an ingredient or a step that have to stand in the cited lines
_NAME = 120
_FOOD = 80
_NOTE = 160
_STEP_LINES = 8
_NEAR = 1e-3
# Words that a model may put between copied ones: they say nothing by themselves. "Not" does.
_BETWEEN = frozenset(
    [
        "and",
        "the",
        "a",
        "an",
        "then",
        "with",
        "und",
        "der",
        "die",
        "das",
        "et",
        "le",
        "la",
        "les",
        "y",
        "el",
        "los",
        "e",
        "il",
        "i",
        "o",
        "os",
        "en",
        "de",
        "het",
    ]
)


def grounded(said: SaidRecipe, source: Source, known: Lexicon, first: Recipe | None) -> Recipe | None:
    """Return what of an answer stands in its text; fields that `first` (read by rules) has are its own.

    None when no ingredient and no step is left.
    """
    ingredients = _each_once(one for each in said.ingredients if (one := _ingredient(each, source, known)))
    texts = dict.fromkeys(text for step in said.steps if (text := _step(step, source)))
    if not ingredients and not texts:
        return None
    recipe = first or Recipe("")
    if len(recipe.ingredients) > len(ingredients):  # an answer that was cut short, or one that wants to hide something
        ingredients = recipe.ingredients
    steps = read_steps([(text, None) for text in texts], ingredients, known)
    return replace(
        recipe,
        name=recipe.name or _name(said.name, source),
        ingredients=ingredients,
        steps=steps or recipe.steps,
        servings=recipe.servings or _servings(said.servings, source, known),
        times=recipe.times if recipe.times.whole is not None else _times(said, source, known),
        keywords=recipe.keywords or _keywords(said.keywords, source),
        language=known.language,
    )


def _each_once(found: Iterable[Ingredient]) -> tuple[Ingredient, ...]:
    return tuple({(one.food, one.amount, one.unit, one.original): one for one in found}.values())


def _ingredient(said: SaidIngredient, source: Source, known: Lexicon) -> Ingredient | None:
    line = source.lines.get(said.line)
    if line is None:
        return None
    food = _standing(said.food, line)
    if not food or len(food) > _FOOD:
        return None
    measure = _measure(said, food, line, known)
    amount = measure.quantity if measure else None
    group = one_line(said.group or "", _FOOD)
    before = "\n".join(text for number, text in source.lines.items() if number <= said.line)
    note = one_line(said.note or "", _NOTE)
    return Ingredient(
        food=food,
        amount=round(amount.amount, 4) if amount else None,
        amount_max=amount.upper if amount else None,
        unit=measure.unit if measure else None,
        measure=measure.measure if measure else None,
        note=note if _all_in(note, line) else "",
        group=group if group and _all_in(group, before) else None,
        original=line,
        confidence=0.7,
    )


def _standing(text: str, line: str) -> str:
    """Return a text when all its words stand in the line, those that do when most do, and nothing otherwise."""
    text = one_line(text)
    spoken = words(text)
    there = set(words(line))
    kept = [word for word in spoken if word in there]
    if not kept or len(kept) < COVERAGE * len(spoken) or _numbers_in(text) - _numbers_in(line):
        return ""
    if len(kept) == len(spoken):
        return text
    return " ".join(token.text for token in tokenize(text) if token.kind == "w" and token.folded in there)


def _measure(said: SaidIngredient, food: str, line: str, known: Lexicon) -> Measure | None:
    """Return the measure in the line that has the said amount: of several the last one before the food, else the first."""
    if said.amount is None:
        return None
    tokens = tokenize(line)
    found = [(place, one) for place, one in _measures(line, tokens, known) if _says(one, said.amount)]
    wanted = set(words(food))
    at = next((place for place, token in enumerate(tokens) if token.folded in wanted), len(tokens))
    before = [one for place, one in found if place < at]
    return before[-1] if before else found[0][1] if found else None


def _measures(line: str, tokens: tuple[Token, ...], known: Lexicon) -> list[tuple[int, Measure]]:
    """Return every measure of a line with its place; what lies inside one, as the 2 in "1-2", is none of its own."""
    found: list[tuple[int, Measure]] = []
    place = 0
    while place < len(tokens):
        one = measured(line, tokens, place, known)
        if one is None or one.quantity is None:
            place += 1
            continue
        found.append((place, one))
        place = max(one.quantity.end, place + 1)
    return found


def _says(measure: Measure, amount: float) -> bool:
    quantity = measure.quantity
    ends = (quantity.amount, quantity.upper) if quantity else ()
    return any(end is not None and abs(end - amount) <= _NEAR * max(1.0, amount) for end in ends)


def _step(said: SaidStep, source: Source) -> str:
    cited = [source.lines[number] for number in dict.fromkeys(said.lines) if number in source.lines][:_STEP_LINES]
    text, whole = one_line(said.instruction), " ".join(cited)
    spoken, there = words(text), set(words(whole))
    present = sum(1 for word in spoken if word in there)
    if not spoken or present < COVERAGE * len(spoken):
        return ""
    strangers = [word for word in spoken if word not in there and word not in _BETWEEN]
    # One word too many may be the poison: then the author's own lines are the step.
    return whole if strangers or _numbers_in(text) - _numbers_in(whole) else text


def _servings(said: SaidNumber | None, source: Source, known: Lexicon) -> Servings | None:
    line = source.lines.get(said.line) if said else None
    if said is None or line is None:
        return None
    tokens = tokenize(line)
    spoken = [one for place in range(len(tokens)) if (one := quantity(tokens, place, known))]
    return Servings(said.value) if any(abs(one.amount - said.value) < _NEAR for one in spoken) else None


def _times(said: SaidRecipe, source: Source, known: Lexicon) -> Times:
    def minutes(number: SaidNumber | None) -> int | None:
        line = source.lines.get(number.line) if number else None
        if number is None or line is None:
            return None
        return round(number.value) if any(abs(one - number.value) < 0.5 for one in _durations(line, known)) else None

    return Times(minutes(said.total_minutes), minutes(said.prep_minutes), minutes(said.cook_minutes))


def _durations(line: str, known: Lexicon) -> list[float]:
    tokens: Sequence[Token] = tokenize(line)
    found = (duration_at(tuple(tokens), place, known) for place in range(len(tokens)))
    return [one.minutes for one in found if one]


def _name(said: str, source: Source) -> str:
    name = one_line(said, _NAME)
    if words(name) and _all_in(name, source.text):
        return name
    short = (line for line in source.lines.values() if words(line) and len(line) <= _NAME)
    return next(short, "")


def _keywords(said: Sequence[str], source: Source) -> tuple[str, ...]:
    plain = (fold(one_line(word, _FOOD)).strip("# ") for word in said)
    return tuple(dict.fromkeys(word for word in plain if words(word) and _all_in(word, source.text)))


def _all_in(text: str, line: str) -> bool:
    return set(words(text)) <= set(words(line)) and not _numbers_in(text) - _numbers_in(line)


def _numbers_in(text: str) -> set[str]:
    return {token.text.replace(",", ".") for token in tokenize(text) if token.kind == "n"}
