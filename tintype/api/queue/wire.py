"""Queue items and recipes as JSON: the promised names first, and ours beside them; and what requests may hold."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tintype.core.recipes import Change, Ingredient, Item, Phase, Recipe, Status, Step


class QueueRequest(BaseModel):
    """A link to import, or a text."""

    model_config = ConfigDict(extra="ignore")

    url: Any = Field(None, description="Address of a post, a reel or a video of Instagram.")
    text: str | None = Field(None, description="Words to make a recipe of, in place of a link.")
    title: str | None = Field(None, description="What the text is called.")
    dedupe: bool = Field(False, description="Answer with the item that became this post's recipe, if there is one.")
    again: bool = Field(False, description="Make one more recipe of a post of which there is one.")


class BatchRequest(BaseModel):
    """Links to import together."""

    model_config = ConfigDict(extra="ignore")

    urls: list[Any] | None = Field(None, description="Addresses, in the order in which they are worked.")
    text: str | None = Field(None, description="Addresses in a text, one a line or anyhow.")
    dedupe: bool = False
    again: bool = False


class RetryRequest(BaseModel):
    """How to try again."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True)

    since: Literal["extraction", "parsing", "uploading"] | None = Field(
        None, alias="from", description="The first phase that is done anew; else the first unfinished one."
    )
    force: bool | None = Field(None, description="Take the best guess where no recipe was found.")


@dataclass(frozen=True, slots=True)
class Wire:
    """Says items; `base` is the address under which the world reaches us."""

    base: str

    def item(self, item: Item) -> dict[str, Any]:
        """Return an item as the document shows it."""
        results = self.results(item)
        said: dict[str, Any] = {
            "id": item.id,
            "url": item.url or "",
            "status": item.status.value,
            "phases": [phase(one) for one in item.phases],
            "results": results or None,
            "createdAt": stamp(item.created_at),
            "updatedAt": stamp(item.updated_at),
            **self._failure(item),
            "normalizedUrl": item.link,
            "duplicateOf": item.duplicate_of,
            "batch": item.batch,
            "attempt": item.attempt,
            "needsReview": item.in_review or None,
        }
        return {name: value for name, value in said.items() if value is not None}

    def results(self, item: Item) -> dict[str, Any]:
        """Return what was found so far, also where the way ended badly."""
        source, parsed, upload = item.source, item.parsed, item.upload
        picture = self.thumbnail(item)
        said: dict[str, Any] = {
            "recipe": recipe(parsed.value, picture) if parsed else None,
            "tandoorUrl": upload.url if upload and (upload.url or "").startswith("http") else None,
            "extractedText": source.words if source else None,
            "thumbnail": picture,
            "warnings": list(item.warnings) or None,
            "outlet": {"name": upload.outlet, "id": upload.id, "url": upload.url} if upload and upload.id else None,
        }
        if parsed is not None:
            said |= {"confidence": round(parsed.confidence, 3), "parser": parsed.parser}
            said["fields"] = {one.field: round(one.confidence, 3) for one in parsed.fields} or None
            said["missing"] = list(parsed.missing) or None
        return {name: value for name, value in said.items() if value is not None}

    def thumbnail(self, item: Item) -> str | None:
        """Return the address of our copy of an item's picture."""
        has_one = item.source is not None and item.source.cover is not None
        return f"{self.base}/api/queue/{item.id}/thumbnail" if has_one else None

    def update(self, item: Item) -> dict[str, Any]:
        """Return what a stream says of an item that came further."""
        phases = [phase(one) for one in item.phases]
        said = {
            "itemId": item.id,
            "status": item.status.value,
            "timestamp": stamp(item.updated_at),
            "progress": phases,
            "phases": phases,
            "url": item.url or "",
            "attempt": item.attempt,
            **self._failure(item),
            **({"needsReview": True} if item.in_review else {}),
        }
        results = self.results(item)
        return {**said, "results": results} if results else said

    def frame(self, change: Change) -> bytes:
        """Return a change as it goes over every stream."""
        if change.item is None:
            gone = {"itemId": change.item_id, "timestamp": stamp(change.at)}
            return frame("queue-removed", gone, change.number)
        return frame("queue-update", self.update(change.item), change.number)

    def _failure(self, item: Item) -> Mapping[str, Any]:
        failure = item.failure
        if failure is None:
            return {}
        said = {"error": failure.message, "errorCode": failure.code}
        if item.status is Status.UNHEALTHY and item.due_at is not None:
            said["nextRetryAt"] = stamp(item.due_at)
        return said


def frame(event: str, data: Mapping[str, Any], number: int | None = None) -> bytes:
    """Return one event of a stream; `number` is what a client comes back with."""
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    place = f"id: {number}\n" if number is not None else ""
    return f"{place}event: {event}\ndata: {body}\n\n".encode()


def phase(one: Phase) -> dict[str, Any]:
    """Return a phase."""
    said = {
        "name": one.name.value,
        "status": one.status.value,
        "startedAt": stamp(one.started_at) if one.started_at else None,
        "completedAt": stamp(one.completed_at) if one.completed_at else None,
        "progress": one.progress,
    }
    return {name: value for name, value in said.items() if value is not None}


def recipe(one: Recipe, image: str | None) -> dict[str, Any]:
    """Return a recipe in the document's shape; what is not known has no key."""
    facts = one.nutrition
    nutrition = {
        "calories": facts.calories,
        "protein": facts.protein,
        "carbs": facts.carbohydrates,
        "fat": facts.fat,
    }
    known = {name: value for name, value in nutrition.items() if value is not None}
    said: dict[str, Any] = {
        "name": one.name,
        "description": one.description or None,
        "servings": _number(one.servings.amount) if one.servings else None,
        "prepTime": one.times.prep,
        "cookTime": one.times.cook,
        "totalTime": one.times.whole,
        "ingredients": [_ingredient(each) for each in one.ingredients],
        "steps": [_step(each) for each in one.steps],
        "keywords": list(one.keywords) or None,
        "image": image,
        "nutrition": known or None,
        "notes": list(one.notes) or None,
        "language": one.language,
        "otherNames": list(one.other_names) or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _ingredient(one: Ingredient) -> dict[str, Any]:
    said = {
        "food": one.food,
        "amount": _number(one.amount),
        "unit": one.unit,
        "amountMax": _number(one.amount_max),
        "measure": one.measure,
        "note": one.note or None,
        "group": one.group,
        "originalText": one.original or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _step(one: Step) -> dict[str, Any]:
    said = {"instruction": one.text, "time": one.minutes, "group": one.group}
    used = {"ingredients": list(one.ingredients)} if one.ingredients else {}
    return {name: value for name, value in said.items() if value is not None} | used


def _number(value: float | None) -> float | int | None:
    """Return a number with at most four places, and a whole one without any."""
    if value is None:
        return None
    rounded = round(value, 4)
    return int(rounded) if rounded == int(rounded) else rounded


def stamp(at: datetime) -> str:
    """Return a moment as RFC 3339 in UTC, to the millisecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"
