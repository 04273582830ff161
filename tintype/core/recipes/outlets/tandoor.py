"""Recipes into a Tandoor of one's own, 1.5 or 2.x, by its API.

Tandoor has no protection against the same recipe twice and no search by source. On 2.x its importer tells which recipes
have a given source; on 1.5 only whether one has; both are throttled, so the newest recipes can also be read one by one.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from tintype.backends.outbound import Answer, Outbound
from tintype.core.recipes.outlets.forms import call, cover_of, multipart, object_of, sentence, trouble_of
from tintype.core.recipes.outlets.outlet import Order, Receipt, Standing
from tintype.core.recipes.outlets.tandoor_recipe import SOURCE, named, payload
from tintype.errors import Unreachable

_WHO = "Tandoor"
_SETTING = "TANDOOR"
_PAGE = 100  # Tandoor gives no more at once
_PAGES = 10
_LOOKS = 50  # recipes of another name that are read, the newest first: a person may have renamed ours
_MAKING = timedelta(minutes=2)  # a change that comes later is a person's
_LONG_AGO = "1970-01-01T00:00:00+00:00"
_SKEW = timedelta(days=1)  # clocks differ, and Tandoor's may have no idea of the time zone
# The least that its importer calls a recipe; with data given it fetches nothing.
_NOTHING = json.dumps({"@type": "Recipe", "name": "x", "recipeIngredient": ["1 x"], "recipeInstructions": "x"})


@dataclass(frozen=True, slots=True)
class TandoorPolicy:
    """Where Tandoor is and the token that may write there."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the importer says of a source: the ids where it names them, whether there are any, and which line it is."""

    any: bool
    ids: tuple[int, ...] = ()
    names_them: bool = False


@dataclass(frozen=True, slots=True)
class Tandoor:
    """Puts recipes into one Tandoor; see `Outlet` for what each method promises."""

    policy: TandoorPolicy
    outbound: Outbound
    name: str = "tandoor"
    pauses: tuple[float, ...] = (0.0, 1.0, 3.0)  # before looks at a recipe that may still be in the making

    async def find(self, order: Order) -> Receipt | None:
        """Return the eldest recipe with this source; another name does not hide it.

        What Tandoor broke off while it made it, a name without its steps, is taken away and counts as none.
        """
        found = await self._found(order)
        if found is None or await self._is_whole(found, order):
            return found
        await self.remove(found)
        return None

    async def _found(self, order: Order) -> Receipt | None:
        told = await self._told(order.mark)
        if told is not None and told.names_them:
            ids = sorted(one for one in told.ids if str(one) not in order.taken)
            return Receipt(str(ids[0]), self._page(ids[0], new=True)) if ids else None
        if told is not None and not told.any:
            return None
        return await self._walk(order)

    async def put(self, order: Order) -> Receipt:
        """Create the recipe; every text in it is harmless there and within its limits."""
        answer = await self._ask("POST", "recipe/", json=payload(order.recipe, order.mark))
        made = object_of(answer)
        if answer.status not in (200, 201):
            raise trouble_of(_WHO, _SETTING, answer, doing="take the recipe")
        if not isinstance(made.get("id"), int):
            raise Unreachable("Tandoor took the recipe and did not say under which id", retryable=True)
        return self._receipt(made)

    async def illustrate(self, receipt: Receipt, cover: bytes) -> str | None:
        """Upload the bytes, never an address: one that cannot be fetched would delete the cover that is there."""
        picture = cover_of(cover)
        if picture is None:
            return "the cover was left out: Tandoor takes JPEG, PNG, GIF and WebP"
        form = multipart({}, picture)
        answer = await self._ask("PUT", f"recipe/{receipt.id}/image/", form=form)
        if answer.status == 200:
            return None
        if answer.status in (400, 404, 413):
            return f"Tandoor did not take the cover: {sentence(object_of(answer) or 'too large')}"
        raise trouble_of(_WHO, _SETTING, answer, doing="take the cover")

    async def remove(self, receipt: Receipt) -> None:
        """Delete a recipe that was just made."""
        answer = await self._ask("DELETE", f"recipe/{receipt.id}/")
        if answer.status not in (200, 202, 204, 404):
            raise trouble_of(_WHO, _SETTING, answer, doing="take a recipe back")

    async def check(self) -> Standing:
        """Ask who we are, then offer an empty recipe: it is refused for its emptiness, or because we may only read."""
        answer = await self._ask("GET", "user-space/")
        if answer.status != 200 or "results" not in object_of(answer):
            raise trouble_of(_WHO, _SETTING, answer, doing="look at it")
        answer = await self._ask("POST", "recipe/", json={})
        if answer.status != 400:
            raise trouble_of(_WHO, _SETTING, answer, doing="write there")
        version = await self._version()
        return Standing(f"Tandoor {version or ''}".strip() + " answers, and recipes may be written", version)

    async def _version(self) -> str | None:
        answer = await self._ask("GET", "server-settings/current/")
        if answer.status != 200:
            return "1.5 or older"
        return str(object_of(answer).get("version") or "") or "2.x"

    async def _told(self, mark: str) -> _Told | None:
        answer = await self._ask("POST", "recipe-from-source/", json={"url": mark[:SOURCE], "data": _NOTHING})
        body = object_of(answer)
        if answer.status in (401, 403):
            raise trouble_of(_WHO, _SETTING, answer, doing="ask for a recipe")
        if answer.status != 200:
            return None  # throttled after 60 in an hour, or it does not like what it was given: there is another way
        if isinstance(found := body.get("duplicates"), list):
            entries = [cast("dict[str, Any]", one) for one in cast("list[object]", found) if isinstance(one, dict)]
            ids = tuple(one["id"] for one in entries if isinstance(one.get("id"), int))
            return _Told(bool(ids), ids, names_them=True)
        known = body.get("duplicate")
        return _Told(known) if isinstance(known, bool) else None

    async def _is_whole(self, found: Receipt, order: Order) -> bool:
        """Tell whether a recipe has all that was sent, or has it in a moment, or was changed by a person since."""
        wanted = _parts(payload(order.recipe, order.mark))
        for pause in self.pauses:
            await asyncio.sleep(pause)
            answer = await self._ask("GET", f"recipe/{found.id}/")
            body = object_of(answer)
            if answer.status != 200 or _parts(body) >= wanted or _was_edited(body):
                return True
        return False

    async def _walk(self, order: Order) -> Receipt | None:
        """Read the newest recipes for the one with our source: those of our name first, then the others as well."""
        name = named(order.recipe)[0]
        others: list[int] = []
        found: list[dict[str, Any]] = []
        async with aclosing(self._newest(order.since - _SKEW)) as listed:
            async for one in listed:
                if one.get("name") == name:
                    found += await self._ours(one["id"], order)
                else:
                    others.append(one["id"])
        if not found:
            for place in others[:_LOOKS]:
                found += await self._ours(place, order)
        return self._receipt(min(found, key=lambda one: one["id"])) if found else None

    async def _newest(self, since: datetime) -> AsyncGenerator[dict[str, Any]]:
        for page in range(1, _PAGES + 1):
            query = {"sort_order": "-created_at", "page_size": str(_PAGE), "page": str(page)}
            answer = await self._ask("GET", "recipe/", query=query)
            body = object_of(answer)
            if answer.status != 200 or not isinstance(body.get("results"), list):
                raise trouble_of(_WHO, _SETTING, answer, doing="list recipes")
            for one in cast("list[dict[str, Any]]", body["results"]):
                if datetime.fromisoformat(str(one["created_at"])) < since:
                    return
                yield one
            if not body.get("next"):
                return

    async def _ours(self, place: int, order: Order) -> list[dict[str, Any]]:
        if str(place) in order.taken:
            return []
        answer = await self._ask("GET", f"recipe/{place}/")
        if answer.status == 404:
            return []
        if answer.status != 200:
            raise trouble_of(_WHO, _SETTING, answer, doing="show a recipe")
        body = object_of(answer)
        return [body] if body.get("source_url") == order.mark[:SOURCE] else []

    def _receipt(self, body: dict[str, Any]) -> Receipt:
        # Only 2.x knows baking tins.
        return Receipt(str(body["id"]), self._page(body["id"], new="diameter" in body))

    def _page(self, place: int, *, new: bool) -> str:
        return f"{self.policy.url.rstrip('/')}/{'recipe' if new else 'view/recipe'}/{place}"

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        json: object | None = None,
        form: tuple[str, bytes] | None = None,
    ) -> Answer:
        known = self.policy
        return await call(self.outbound, known.url, known.token, method, path, query=query, json=json, form=form)


def _parts(body: Mapping[str, Any]) -> int:
    """Count the steps of a recipe and what they use."""
    steps = cast("list[dict[str, Any]]", body.get("steps") or [])
    return len(steps) + sum(len(step.get("ingredients") or []) for step in steps)


def _was_edited(body: Mapping[str, Any]) -> bool:
    made, changed = (datetime.fromisoformat(str(body.get(key) or _LONG_AGO)) for key in ("created_at", "updated_at"))
    return changed - made > _MAKING
