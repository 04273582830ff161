"""What each line is: chatter, a fact, a heading, an ingredient, a group, a step or a note, decided for all lines at once.

Each line speaks for itself by weights, and the order in which captions are written speaks by the costs of going from
one sort of line to the next; the best path through both wins (Viterbi). Headings are hints, not requirements.
"""

from operator import add
from typing import Literal

from tintype.core.recipes.parsers.rules.seeing import Look

Label = Literal["chatter", "facts", "ingredient_heading", "ingredient", "group", "step_heading", "step", "note"]
LABELS: tuple[Label, ...] = (
    "chatter", "facts", "ingredient_heading", "ingredient", "group", "step_heading", "step", "note",
)  # fmt: skip

_NEVER = -12.0

#        chatter facts  i-head  ingr   group  s-head  step   note
_START = (0.0, -0.4, -0.4, -1.2, -2.5, -1.5, -2.0, -2.0)
_STEPS: dict[Label, tuple[float, ...]] = {
    "chatter": (0.2, 0.0, 0.0, -1.4, -1.5, -0.4, -1.8, -0.8),
    "facts": (-0.2, 0.2, 0.0, -0.7, -0.7, -0.3, -1.2, -1.0),
    "ingredient_heading": (-3.0, -0.7, -2.0, 1.2, 0.6, -4.0, -2.5, -3.0),
    "ingredient": (-1.2, -1.0, -1.0, 0.7, 0.0, 0.0, -1.0, -0.7),
    "group": (-3.0, -2.0, -2.0, 0.7, -1.5, -0.6, 0.2, -2.5),
    "step_heading": (-2.0, -2.0, -3.0, -4.0, -0.3, -3.0, 1.2, -1.5),
    "step": (-0.8, -1.0, -0.4, -2.6, -0.8, -1.0, 0.7, 0.0),
    "note": (0.0, -0.5, -0.4, -2.6, -2.0, -0.6, -2.4, 0.3),
}
# What it costs to come to a sort of line from each sort, without and with a blank line between.
_INTO = tuple(
    tuple(tuple(_STEPS[before][at] + (gap[before == label]) for before in LABELS) for at, label in enumerate(LABELS))
    for gap in ((0.0, 0.0), (0.4, -0.3))
)
_AT = {label: place for place, label in enumerate(LABELS)}


def label(looks: list[Look]) -> list[Label]:
    """Return what each line is, by the best path through all of them."""
    if not looks:
        return []
    trail: list[list[int]] = []
    begin = _beginning(looks)
    scores = [start + own for start, own in zip(_START, _own(looks[0], begin > 0), strict=True)]
    for place, one in enumerate(looks[1:], 1):
        own, into = _own(one, place < begin), _INTO[one.after_blank]
        best: list[int] = []
        fresh: list[float] = []
        for at in range(len(LABELS)):
            came = list(map(add, scores, into[at]))
            top = came.index(max(came))
            best.append(top)
            fresh.append(came[top] + own[at])
        trail.append(best)
        scores = fresh
    at = max(range(len(LABELS)), key=scores.__getitem__)
    path = [at]
    for best in reversed(trail):
        at = best[at]
        path.append(at)
    return [LABELS[at] for at in reversed(path)]


def _beginning(looks: list[Look]) -> int:
    """Return where the recipe begins at the earliest: its first ingredient heading, or its first line with a quantity."""
    heading = next((place for place, one in enumerate(looks) if one.heading == "ingredient"), None)
    if heading is None:  # "For 1 glass:" opens a list as well
        heading = next((place for place, one in enumerate(looks) if one.facts and one.colon), None)
    counted = [place for place, one in enumerate(looks) if one.has_unit or one.ends_with_quantity]
    if heading is not None and sum(place < heading for place in counted) < 2:
        return heading
    if heading is None and any(one.heading == "step" for one in looks) and not counted:
        return 1
    first = next((place for place, one in enumerate(looks) if one.digits and one.foods), len(looks))
    begin = min([first, *counted[:1]]) if counted or first < len(looks) else 1
    return _with_uncounted(looks, begin)


def _with_uncounted(looks: list[Look], begin: int) -> int:
    """Go back over the short lines of foods that stand right before the first line with a quantity."""
    while begin > 1 and not looks[begin].after_blank and _counts(looks[begin - 1]):
        begin -= 1
    back = begin
    while back > 1 and not looks[back].after_blank and looks[back - 1].foods and looks[back - 1].words <= 6:
        back -= 1
    return back if begin - back >= 2 else begin


def _counts(one: Look) -> bool:
    """Tell whether a line is a number and a name that no list of foods has."""
    return one.digits and not (one.facts or one.numbered or one.ends_sentence or one.asks) and one.words <= 5


def _own(one: Look, early: bool) -> list[float]:
    """Return how much a line speaks for each label; before the recipe begins nothing is an ingredient or a step."""
    weights = [0.0] * len(LABELS)
    weights[_AT["facts"]] = 5.0 if one.facts else _NEVER
    weights[_AT["ingredient_heading"]] = 7.0 if one.heading == "ingredient" else _NEVER
    weights[_AT["step_heading"]] = 7.0 if one.heading == "step" else _NEVER
    weights[_AT["group"]] = (2.4 if one.colon else 2.0) if one.group and not one.facts else _NEVER
    weights[_AT["note"]] = (1.0 if one.numbered else 5.0) if "note" in (one.heading, one.prefix) else -2.2
    weights[_AT["chatter"]] = _chatter(one)
    weights[_AT["ingredient"]] = _ingredient(one)
    weights[_AT["step"]] = _step(one)
    if early:
        weights[_AT["ingredient"]] -= 8.0
        weights[_AT["step"]] -= 1.5 if one.numbered else 3.5
        weights[_AT["group"]] -= 3.0
    return weights


def _chatter(one: Look) -> float:
    if one.tags:
        return 9.0
    weight = 2.6 * min(one.chatter, 2) + 1.2 * one.person + 1.6 * one.asks + 3.0 * one.price + 4.0 * one.sets
    weight -= 0.8 * one.bullet + 1.2 * one.starts_with_quantity
    return weight - 6.0 * (one.heading is not None)


def _ingredient(one: Look) -> float:
    if one.tags or one.heading or one.words == 0:
        return _NEVER
    weight = (
        2.3 * one.digits
        + 1.3 * (one.starts_with_quantity and not one.digits)
        + 2.0 * one.has_unit
        + 2.8 * one.ends_with_quantity
    )
    weight += 1.1 * min(one.foods, 2) + 1.3 * one.taste + 0.7 * one.bullet
    weight += 0.8 if one.words <= 6 else 0.0 if one.words <= 11 else -0.22 * (one.words - 11)
    weight -= 2.4 * (one.verb and not one.starts_with_quantity) + 0.8 * (one.ends_sentence and one.words > 4)
    weight -= 1.5 * (one.numbered and not one.starts_with_quantity) + 0.8 * one.numbered
    weight -= 1.0 * (one.sentences > 1) + 2.0 * one.asks + 1.5 * one.chatter + 2.5 * one.price + 4.0 * one.sets
    weight -= 0.9 * (one.heat and not one.starts_with_quantity) + 1.2 * one.person + 1.5 * one.facts
    return weight - 2.2 * one.group - 0.6 * (one.foods == 0 and not one.starts_with_quantity)


def _step(one: Look) -> float:
    if one.tags or one.heading:
        return _NEVER
    weight = 2.6 * one.verb + 0.4 * min(one.verbs, 4) + 2.0 * one.numbered + 0.4 * one.bullet + 0.9 * one.heat
    weight += 1.0 * (one.ends_sentence and one.words > 3) + 0.8 * (one.sentences > 1)
    weight += -1.2 if one.words <= 3 else -0.3 if one.words <= 6 else min(0.13 * (one.words - 6), 2.6)
    weight += 0.3 * min(one.foods, 3)
    weight -= 1.2 * (one.starts_with_quantity and not one.numbered) + 1.0 * (
        one.has_unit and not one.numbered and one.verbs == 0
    )
    weight -= (
        1.6 * one.chatter + 1.2 * one.asks + 1.0 * (one.person and not one.verb) + 2.0 * one.price + 4.0 * one.sets
    )
    return weight - 2.0 * one.facts - 1.2 * (one.ends_with_quantity and not one.verb) - (one.group and one.colon)
