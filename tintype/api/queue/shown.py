"""The queue's items and recipes as the pages for people show them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tintype.core.recipes import Item, Phase, PhaseStatus, Recipe, Status, jsonld

_STATES = {
    Status.PENDING: "Waiting",
    Status.IN_PROGRESS: "Working",
    Status.UNHEALTHY: "Has to wait",
    Status.ERROR: "Not made",
    Status.SUCCESS: "Ready",
}
_GUESSED = ("not_a_recipe", "incomplete")  # where a person may know better than a parser
_DOING = {"extraction": "reading the post", "parsing": "finding the recipe", "uploading": "putting it away"}


@dataclass(frozen=True, slots=True)
class Row:
    """One item of the queue, in words."""

    id: str
    status: str
    name: str
    state: str
    detail: str
    phases: Sequence[Phase]
    is_active: bool
    may_approve: bool
    may_retry: bool
    may_force: bool
    picture: str | None
    target: str | None
    page: str | None
    source: str | None

    @classmethod
    def of(cls, item: Item) -> "Row":
        """Return an item as it is shown."""
        is_ready = item.parsed is not None
        return cls(
            id=item.id,
            status=item.status.value,
            name=_name(item),
            state="Look at it" if item.in_review else _STATES[item.status],
            detail=_detail(item),
            phases=item.phases,
            is_active=item.status in (Status.PENDING, Status.IN_PROGRESS) and not item.in_review,
            may_approve=item.in_review,
            may_retry=item.status in (Status.ERROR, Status.UNHEALTHY),
            may_force=item.failure is not None and item.failure.code in _GUESSED,
            picture=picture(item),
            target=_web(item.upload.url) if item.upload else None,
            page=f"/share/recipes/{item.id}" if is_ready else None,
            source=_web(item.link or item.url),
        )


@dataclass(frozen=True, slots=True)
class Group:
    """Lines below a heading, or below none."""

    name: str
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Page:
    """A recipe as people read it, and as other programs find it in the page."""

    id: str
    name: str
    picture: str | None
    description: str
    facts: Sequence[str]
    ingredients: Sequence[str]
    steps: Sequence[Group]
    source: str | None
    jsonld: str

    @classmethod
    def of(cls, item: Item, recipe: Recipe, base: str) -> "Page":
        """Return an item's recipe as it is shown."""
        shown = picture(item)
        source = _web(item.link or item.url)
        found = jsonld(recipe, url=source, image=f"{base}{shown}" if shown else None)
        return cls(
            id=item.id,
            name=str(found["name"]),
            picture=shown,
            description=str(found.get("description", "")),
            facts=_facts(recipe, found),
            ingredients=found["recipeIngredient"],
            steps=_steps(found["recipeInstructions"]),
            source=source,
            # In a script nothing is escaped but what could end it.
            jsonld=json.dumps(found, ensure_ascii=True).replace("<", "\\u003c"),
        )


def picture(item: Item) -> str | None:
    """Return where our copy of an item's picture is."""
    return f"/api/queue/{item.id}/thumbnail" if item.source and item.source.cover else None


def _name(item: Item) -> str:
    if item.parsed is not None:
        return item.parsed.value.name or "A recipe without a name"
    if item.url is not None:
        return item.url.partition("?")[0].removeprefix("https://")
    first = (item.given.title or item.given.text or "").strip().partition("\n")[0]
    return first[:80] or "Pictures"


def _detail(item: Item) -> str:
    if item.failure is not None:
        return item.failure.message
    if item.in_review:
        return "not sure enough to put it away without you"
    doing = next((phase for phase in item.phases if phase.status is PhaseStatus.IN_PROGRESS), None)
    if doing is not None:
        return _DOING[doing.name.value]
    if item.status is Status.SUCCESS and item.upload is not None:
        return f"in {item.upload.outlet.capitalize()}"
    return ""


def _web(url: str | None) -> str | None:
    """Return an address that a page may lead to; a folder's path is none."""
    return url if url and url.startswith(("https://", "http://")) else None


def _facts(recipe: Recipe, found: Mapping[str, Any]) -> Sequence[str]:
    whole = recipe.times.whole
    nutrition: Mapping[str, Any] = found.get("nutrition", {})
    facts = (found.get("recipeYield"), whole and f"{whole} minutes", nutrition.get("calories"))
    return [str(fact) for fact in facts if fact]


def _steps(instructions: Sequence[Mapping[str, Any]]) -> Sequence[Group]:
    groups: list[Group] = []
    loose: list[str] = []
    for one in instructions:
        if one["@type"] == "HowToStep":
            loose.append(str(one["text"]))
            continue
        if loose:
            groups.append(Group("", loose))
            loose = []
        groups.append(Group(str(one["name"]), [str(step["text"]) for step in one["itemListElement"]]))
    return [*groups, *([Group("", loose)] if loose else [])]
