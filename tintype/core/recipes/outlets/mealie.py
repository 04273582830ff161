"""Recipes into a Mealie of one's own, by its API: it reads schema.org's JSON-LD and can be asked for a source."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast
from urllib.parse import quote

from tintype.backends.outbound import Answer, Outbound
from tintype.core.recipes.outlets.forms import body_of, call, cover_of, multipart, object_of, sentence, trouble_of
from tintype.core.recipes.outlets.outlet import Order, Receipt, Standing
from tintype.core.recipes.plain import cut
from tintype.core.recipes.shapes import jsonld, title
from tintype.errors import Unreachable

NAME = 128  # a name as long as a caption becomes a recipe that Mealie can neither show nor delete
_WHO = "Mealie"
_SETTING = "MEALIE"
_GROUP = "home"  # the one that every Mealie begins with


@dataclass(frozen=True, slots=True)
class MealiePolicy:
    """Where Mealie is and the API token of the person whose recipes these become."""

    url: str
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mealie:
    """Puts recipes into one Mealie; see `Outlet` for what each method promises."""

    policy: MealiePolicy
    outbound: Outbound
    name: str = "mealie"

    async def find(self, order: Order) -> Receipt | None:
        """Return the eldest recipe whose original address is this source."""
        query = {"queryFilter": f'orgURL = "{_quoted(order.mark)}"', "perPage": "50"}
        answer = await self._ask("GET", "recipes", query=query)
        found = object_of(answer).get("items")
        if answer.status != 200 or not isinstance(found, list):
            raise trouble_of(_WHO, _SETTING, answer, doing="look for a recipe")
        entries = [cast("dict[str, Any]", one) for one in cast("list[object]", found) if isinstance(one, dict)]
        # Its answer is filtered once more: a version that does not know the filter would show every recipe.
        ours = [
            one for one in entries if one.get("orgURL") == _quoted(order.mark) and one.get("slug") not in order.taken
        ]
        if not ours:
            return None
        eldest = min(ours, key=lambda one: (str(one.get("createdAt") or ""), str(one.get("id"))))
        return await self._receipt(str(eldest["slug"]))

    async def put(self, order: Order) -> Receipt:
        """Create the recipe from its JSON-LD, and make sure that it can be found by its source."""
        steps = tuple(replace(step, group=None) for step in order.recipe.steps)  # a section's name becomes a step there
        recipe = replace(order.recipe, name=cut(title(order.recipe), NAME)[0], steps=steps)
        data = json.dumps(jsonld(recipe, url=_quoted(order.mark)), ensure_ascii=False)
        answer = await self._ask("POST", "recipes/create/html-or-json", json={"data": data, "includeTags": True})
        slug = body_of(answer)
        if answer.status not in (200, 201):
            raise trouble_of(_WHO, _SETTING, answer, doing="take the recipe")
        if not isinstance(slug, str) or not slug:
            raise Unreachable("Mealie took the recipe and did not say under which name", retryable=True)
        answer = await self._ask("PATCH", f"recipes/{quote(slug, safe='')}", json={"orgURL": _quoted(order.mark)})
        if answer.status != 200:
            raise trouble_of(_WHO, _SETTING, answer, doing="keep the recipe's source")
        return await self._receipt(slug)

    async def illustrate(self, receipt: Receipt, cover: bytes) -> str | None:
        """Upload the bytes with the ending that says what they are."""
        picture = cover_of(cover)
        if picture is None:
            return "the cover was left out: it is no JPEG, PNG, GIF or WebP"
        form = multipart({"extension": picture.ending}, picture)
        path = f"recipes/{quote(receipt.id, safe='')}/image"
        answer = await self._ask("PUT", path, form=form)
        if answer.status == 200:
            return None
        if answer.status in (400, 404, 413, 422, 500):  # a picture that it cannot open is a 500 to Mealie
            return f"Mealie did not take the cover: {sentence(object_of(answer) or str(answer.status))}"
        raise trouble_of(_WHO, _SETTING, answer, doing="take the cover")

    async def remove(self, receipt: Receipt) -> None:
        """Delete a recipe that was just made."""
        answer = await self._ask("DELETE", f"recipes/{quote(receipt.id, safe='')}")
        if answer.status not in (200, 204, 404):
            raise trouble_of(_WHO, _SETTING, answer, doing="take a recipe back")

    async def check(self) -> Standing:
        """Ask who we are; Mealie's tokens may do what their person may."""
        answer = await self._ask("GET", "users/self")
        if answer.status != 200 or not object_of(answer):
            raise trouble_of(_WHO, _SETTING, answer, doing="look at it")
        version = str(object_of(await self._ask("GET", "app/about")).get("version") or "") or None
        return Standing(f"Mealie {version or ''}".strip() + " answers, and the token is known", version)

    async def _receipt(self, slug: str) -> Receipt:
        answer = await self._ask("GET", "users/self")
        group = str(object_of(answer).get("groupSlug") or _GROUP) if answer.status == 200 else _GROUP
        page = f"{self.policy.url.rstrip('/')}/g/{quote(group, safe='')}/r/{quote(slug, safe='')}"
        return Receipt(slug, page)

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


def _quoted(mark: str) -> str:
    # Its filter language has no way to write a quotation mark inside a text.
    return mark.replace('"', "%22").replace("\\", "%5C")
