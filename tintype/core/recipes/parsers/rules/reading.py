"""From a text to a recipe: plain lines, what each of them is, what stands in them, and whether that is a recipe."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tintype.core.recipes.model import Certainty, Context, Ingredient, Parsed, Recipe
from tintype.core.recipes.parsers.addressing import for_cooks
from tintype.core.recipes.parsers.rules.facts import read_nutrition, read_servings, read_times, yields
from tintype.core.recipes.parsers.rules.ingredients import read_ingredient
from tintype.core.recipes.parsers.rules.labelling import Label, label
from tintype.core.recipes.parsers.rules.lexicon import Lexicon, guess_language, lexicon
from tintype.core.recipes.parsers.rules.prose import after_list, pick_ingredients, told_sentences
from tintype.core.recipes.parsers.rules.relining import relined
from tintype.core.recipes.parsers.rules.seeing import Look, look
from tintype.core.recipes.parsers.rules.steps import divided, read_steps, told
from tintype.core.recipes.parsers.rules.titles import read_titles, told_title
from tintype.core.recipes.parsers.rules.tokens import fold
from tintype.core.recipes.parsers.rules.unwrapping import plain, unwrap
from tintype.core.recipes.parsers.rules.verdict import Verdict, judge

LONGEST = 20_000  # characters: no caption is longer, and a transcript beyond this is no recipe's
MOST_LINES = 400

_SEPARATOR = re.compile(r"^[\W_]*$")
_WORD = re.compile(r"[^\W\d_]+")
_TAG = re.compile(r"#(\w+)")
_LAST_TAGS = re.compile(r"(?:[^\S\n]*#\w+)+[^\S\n]*$", re.MULTILINE)
_PREFIXED = re.compile(r"^([^:]{3,60}):\s*(?=\S)")


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a text, with the verdict on it."""

    recipe: Recipe
    verdict: Verdict
    title_lead: float
    headed: bool


def read(text: str, context: Context) -> Reading:
    """Read a text as if it were a recipe, and say whether it is one."""
    # What talks to a model is no line of a recipe, whoever reads it.
    bare = plain(unwrap(for_cooks(text[:LONGEST])[0]))
    language = context.language or guess_language(map(fold, _WORD.findall(_TAG.sub(" ", bare))))
    known = lexicon(language)
    listed = _listed(bare, known)
    if len(listed.recipe.ingredients) >= 2 and (listed.verdict.recipe or listed.verdict.confidence > 0.9):
        return listed
    told_one = _told(bare, known)
    return told_one if told_one.verdict.recipe else listed


def _lines(bare: str, known: Lexicon) -> list[Look]:
    """Return what each line looks like; a heading before a colon stands on a line of its own."""
    looks: list[Look] = []
    blank = False
    for line in relined(bare, known)[:MOST_LINES]:
        if _SEPARATOR.match(line):
            blank = True
            continue
        one = look(line, blank, known)
        cut = (
            _PREFIXED.match(one.text)
            if one.prefix in ("ingredient", "step") and one.heading is None and not one.facts
            else None
        )
        if cut:
            looks.append(look(one.text[: cut.end()].strip(), blank, known))
            one = look(one.text[cut.end() :], False, known)
        looks.append(one)
        blank = False
    _mark_yields(looks, known)
    return [replace(one, group=True) if _names_part(looks, place) else one for place, one in enumerate(looks)]


def _mark_yields(looks: list[Look], known: Lexicon) -> None:
    """Make a fact of "about 20 pieces" that stands alone before the first quantity or heading."""
    counted = next(
        (place for place, one in enumerate(looks) if one.heading or (one.has_unit and not yields(one.tokens, known))),
        len(looks),
    )
    for place, one in enumerate(looks[: min(counted, len(looks) - 1)]):
        after = looks[place + 1]
        apart = after.heading or after.facts or (after.after_blank and not one.foods)
        if (apart or (place > 0 and looks[place - 1].facts)) and yields(one.tokens, known):
            looks[place] = replace(one, facts=True)


def _names_part(looks: list[Look], place: int) -> bool:
    """Tell whether a short line can only name a part: "Burger sauce" between two lists, "Zum Wälzen" above quantities."""
    if not 0 < place < len(looks) - 1:
        return False
    before, one, after = looks[place - 1 : place + 2]
    counted = after.starts_with_quantity or after.ends_with_quantity
    if one.after_blank and not after.after_blank and after.has_unit and place > 1 and not (one.foods or one.verb):
        return one.words <= 4 and not (
            one.facts or one.tags or one.heading or one.digits or one.text.endswith((".", "!", "?"))
        )
    if one.numbered and after.has_unit and not (after.numbered or one.verb or one.facts or one.digits or one.heading):
        return one.words <= 3 and not one.ends_sentence  # "(1) Polenta"
    listed = after.bullet and counted
    plain = not (
        one.bullet or one.numbered or one.heading or one.facts or one.tags or one.digits or one.ends_with_quantity
    )
    return (
        listed
        and plain
        and one.words <= 4
        and not one.ends_sentence
        and (before.bullet or before.facts or before.heading is not None)
    )


def _listed(bare: str, known: Lexicon) -> Reading:
    """Read a text whose lines are ingredients and steps."""
    looks = _lines(bare, known)
    labels = label(looks)
    groups = _groups(looks, labels)
    ingredients = tuple(
        one
        for place, sort in enumerate(labels)
        if sort == "ingredient" and (one := read_ingredient(looks[place].text, known, groups[place]))
    )
    lines = [
        (text, groups[place], looks[place].numbered)
        for place, sort in enumerate(labels)
        if sort == "step" and (text := told(looks[place].text))
    ]
    steps = divided(lines)
    headed = any(one.heading for one in looks)
    verdict = judge(ingredients, [text for text, _ in steps], looks, headed, known)
    return _reading(bare, looks, labels, ingredients, steps, verdict, headed, known)


def _told(bare: str, known: Lexicon) -> Reading:
    """Read a text that tells a recipe in sentences."""
    spoken = _LAST_TAGS.sub("", bare).replace("#", "")
    said = told_sentences(spoken)
    looks = [look(sentence, False, known) for sentence in said[:MOST_LINES]]
    ingredients = tuple(pick_ingredients(spoken, known))
    telling = [place for place, one in enumerate(looks) if one.words > 2 and (one.verbs or one.foods)]
    kept = looks[telling[0] :] if telling else []
    steps: list[tuple[str, str | None]] = [
        (text, None)
        for one in kept
        if (text := after_list(one.text, known))
        and one.words > 2
        and not one.asks
        and (one.chatter == 0 or (one.verbs and one.words > 12))
    ]
    labels: list[Label] = ["step" if one.verbs and place else "chatter" for place, one in enumerate(looks)]
    verdict = judge(ingredients, [text for text, _ in steps], looks, False, known)
    if verdict.recipe:
        verdict = _told_verdict(ingredients, len(steps), verdict)
    reading = _reading(bare, looks, labels, ingredients, steps, verdict, False, known)
    spoken_of = told_title(said, known)
    return replace(reading, recipe=replace(reading.recipe, name=spoken_of)) if spoken_of else reading


def _told_verdict(ingredients: Sequence[Ingredient], steps: int, verdict: Verdict) -> Verdict:
    """Ask more of a told recipe: three foods with amounts, or two and things to do with them."""
    counted = sum(one.amount is not None for one in ingredients)
    if steps and (counted >= 3 or (counted >= 2 and steps >= 2)):
        return verdict._replace(confidence=min(verdict.confidence, 0.6), reason="a recipe told in sentences")
    return Verdict(False, 0.6, "too few ingredients are told")


def _groups(looks: list[Look], labels: list[Label]) -> list[str | None]:
    """Return the group that each line belongs to: the last one named since the last heading."""
    groups: list[str | None] = []
    current: str | None = None
    for one, sort in zip(looks, labels, strict=True):
        if sort == "group":
            current = one.text.rstrip(": ").strip()
        elif sort in ("ingredient_heading", "step_heading", "note", "facts"):
            current = None
        groups.append(current)
    return groups


def _reading(
    bare: str, looks: list[Look], labels: list[Label], ingredients: tuple[Ingredient, ...], steps: list[tuple[str, str | None]],
    verdict: Verdict, headed: bool, known: Lexicon,
) -> Reading:  # fmt: skip
    """Put together what the lines hold."""
    facts = [
        one.text if one.text[:1].isalpha() else one.raw
        for one, sort in zip(looks, labels, strict=True)
        if sort == "facts"
    ]
    heads = [one.text for one in looks if one.heading or one.facts]
    tags = _TAG.findall(bare)
    titles = read_titles(looks, labels, tags, [one.food for one in ingredients], known)
    notes = [one.text for one, sort in zip(looks, labels, strict=True) if sort == "note" and one.heading is None]
    recipe = Recipe(
        name=titles[0][0] if titles else "",
        ingredients=ingredients,
        steps=read_steps(steps, ingredients, known),
        servings=read_servings([*facts, *heads], known),
        times=read_times(facts, known),
        nutrition=read_nutrition(facts, known),
        keywords=keywords(tags, known),
        notes=tuple(notes),
        language=known.language,
        other_names=tuple(name for name, _ in titles[1:3]),
    )
    lead = titles[0][1] - (titles[1][1] if len(titles) > 1 else 0.0) if titles else 0.0
    return Reading(recipe, verdict, lead, headed)


def keywords(tags: list[str], known: Lexicon) -> tuple[str, ...]:
    """Return the hashtags that say something of the dish, lower-case, each once."""
    kept = (tag.lower() for tag in tags if fold(tag) not in known.noise and not tag.isdigit() and len(tag) <= 40)
    return tuple(dict.fromkeys(kept))


def parsed(reading: Reading, name: str, schema: str) -> Parsed[Recipe]:
    """Return a reading with how sure each field of it is."""
    recipe = reading.recipe
    fields = _certainties(reading)
    missing = tuple(
        field for field, there in (
            ("name", bool(recipe.name)), ("ingredients", bool(recipe.ingredients)), ("steps", bool(recipe.steps)),
            ("servings", recipe.servings is not None), ("times", recipe.times.whole is not None),
        ) if not there
    )  # fmt: skip
    parts = [one.confidence for one in fields if one.field in ("name", "ingredients", "steps")]
    overall = (
        reading.verdict.confidence * (sum(parts) / len(parts) if parts else 0.3) if reading.verdict.recipe else 0.1
    )
    return Parsed(replace(recipe), name, schema, round(overall, 2), fields, missing)


def _certainties(reading: Reading) -> tuple[Certainty, ...]:
    recipe = reading.recipe
    sure = [one.confidence for one in recipe.ingredients]
    fields: list[Certainty] = []
    if recipe.name:
        lead = min(max(0.55 + 0.1 * reading.title_lead, 0.3), 0.95)
        fields.append(
            Certainty(
                "name",
                round(lead, 2),
                "its words come back in the recipe" if lead > 0.7 else "other lines could be the name",
            )
        )
    if sure:
        fields.append(Certainty("ingredients", round(sum(sure) / len(sure), 2), reading.verdict.reason))
    fields.append(
        Certainty(
            "steps",
            0.9 if len(recipe.steps) > 1 else 0.6 if recipe.steps else 0.2,
            "stand in the text" if recipe.steps else "none in the text",
        )
    )
    if recipe.servings:
        fields.append(Certainty("servings", 0.95, "said in so many words"))
    if recipe.times.whole:
        fields.append(
            Certainty(
                "times",
                0.95 if recipe.times.total else 0.85,
                "said in so many words" if recipe.times.total else "added up",
            )
        )
    return tuple(fields)
