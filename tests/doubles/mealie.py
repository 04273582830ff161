"""A Mealie on a loopback port with the facts of a real one (2.0): slugs, twins, filter by source, covers, refusals."""

import json
import re
from asyncio import StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.backends.remote import Asked, Remote, remote
from tests.doubles.tandoor import form_fields, is_picture

TOKEN = "mealie-token"

Reply = tuple[int, Any]


@dataclass(slots=True)
class PretendMealie:
    """Its recipes by their slugs; `lose` counts the creations whose answers are never sent."""

    recipes: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    lose: int = 0
    down: bool = False
    empty: bool = False
    group: str | None = "cooks"
    created: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def play(self, asked: Asked, writer: StreamWriter) -> None:
        method, target, _ = asked.line.split(" ")
        status, body = self._answer(method, target, asked)
        if status == 201 and self.lose:
            self.lose -= 1
            return
        data = json.dumps(body).encode()
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            + data
        )

    def _answer(self, method: str, target: str, asked: Asked) -> Reply:
        if self.down:
            return 503, {"detail": "away"}
        parts = urlsplit(target)
        if parts.path == "/api/app/about":
            return 200, {"production": True, "version": "v2.0.0"}
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, {"detail": "Could not validate credentials"}
        if parts.path == "/api/users/self":
            return 200, {"id": "1", "username": "cook", **({"groupSlug": self.group} if self.group else {})}
        if parts.path == "/api/recipes/create/html-or-json":
            return self._create(json.loads(asked.body))
        if parts.path == "/api/recipes":
            return self._list({k: v[0] for k, v in parse_qs(parts.query).items()})
        found = re.fullmatch(r"/api/recipes/([^/]+)(/image)?", parts.path)
        return (
            self._one(method, unquote(found.group(1)), bool(found.group(2)), asked)
            if found
            else (404, {"detail": "Not Found"})
        )

    def _create(self, body: dict[str, Any]) -> Reply:
        recipe: dict[str, Any]
        try:
            recipe = json.loads(body["data"])
        except ValueError:
            recipe = {}
        if self.empty or not (recipe.get("recipeIngredient") or recipe.get("recipeInstructions")):
            return 400, {"detail": {"details": "BAD_RECIPE_DATA"}}
        self.created += 1
        first = slug = re.sub(r"[^a-z0-9]+", "-", recipe["name"].lower()).strip("-")
        twin = 0
        while slug in self.recipes:
            twin += 1
            slug = f"{first}-{twin}"
        stored = {"id": str(self.created), "slug": slug, "name": recipe["name"], "data": recipe, "image": None}
        self.recipes[slug] = stored | {"orgURL": recipe.get("url"), "createdAt": f"2026-11-21T00:50:{self.created:02}Z"}
        return 201, slug

    def _list(self, query: dict[str, str]) -> Reply:
        if query.get("orderBy") not in (None, "name", "created_at"):
            return 400, {"detail": {"message": f'Invalid order_by statement "{query["orderBy"]}"'}}
        asked = re.fullmatch(r'orgURL = "([^"]*)"', query["queryFilter"])
        assert asked is not None, query
        found = [one for one in self.recipes.values() if one["orgURL"] == asked.group(1)]
        return 200, {"page": 1, "per_page": 50, "total": len(found), "total_pages": 1, "items": found}

    def _one(self, method: str, slug: str, image: bool, asked: Asked) -> Reply:
        recipe = self.recipes.get(slug)
        if recipe is None:
            return 404, {"detail": {"message": "No Entry Found"}}
        if image:
            fields = form_fields(asked)
            data: Any = fields["image"].get_payload(decode=True)
            if not is_picture(data):
                return 500, {"detail": {"message": "Unknown Error"}}
            recipe["image"] = fields["extension"].get_payload()
            return 200, {"image": "111"}
        if method == "DELETE":
            del self.recipes[slug]
        elif method == "PATCH":
            recipe |= json.loads(asked.body)
        return 200, recipe


@asynccontextmanager
async def pretend_mealie() -> AsyncGenerator[tuple[PretendMealie, Remote]]:
    """Serve a pretend Mealie until the block ends; the remote shows what it was asked."""
    mealie = PretendMealie()
    async with remote(mealie.play) as here:
        mealie.port = here.port
        yield mealie, here
