"""A Tandoor on a loopback port with the facts of real ones (1.5.35 and 2.6.12): statuses, limits, templates, covers.

It refuses what they refuse in their words, keeps two recipes when it is sent two, executes what is a template in a step,
deletes a cover when it is given an address, and answers with a page where they do. `lose` makes it commit and hang up.
"""

import json
import re
from asyncio import StreamWriter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from tests.backends.remote import Asked, Remote, remote

WRITE, READ = "tda_write", "tda_read"
PAGE = '\n<!doctype html>\n<html lang="en">\n<head>\n  <title>Server Error (500)</title>\n</head>\n</html>\n'
REQUIRED, BLANK, NULL = "This field is required.", "This field may not be blank.", "This field may not be null."
NOT_A_PICTURE = "Upload a valid image. The file you uploaded was either not an image or a corrupted image."
TOLD_AN_HOUR = 60

Errors = dict[str, Any]
Reply = tuple[int, Any]


@dataclass(slots=True)
class PretendTandoor:
    """Its recipes and how it is to behave; `lose` counts the creations whose answers are never sent."""

    new: bool = True
    recipes: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    foods: dict[str, str] = field(default_factory=dict[str, str])
    lose: int = 0
    told: int = 0
    broken: int = 0  # recipes of which only the name is kept: its database was locked, and it answers 500
    down: bool = False
    full: bool = False
    created: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def play(self, asked: Asked, writer: StreamWriter) -> None:
        method, target, _ = asked.line.split(" ")
        status, body = self._answer(method, target, asked)
        if method == "POST" and target == "/api/recipe/" and status == 201 and self.lose:
            self.lose -= 1
            return  # committed, and the caller never hears of it
        is_page = isinstance(body, str)
        data = b"" if status == 204 else (body.encode() if is_page else json.dumps(body).encode())
        kind = "text/html" if is_page else "application/json"
        writer.write(
            f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nConnection: close\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            + data
        )

    def _answer(self, method: str, target: str, asked: Asked) -> Reply:
        if self.down:
            return 502, PAGE
        parts = urlsplit(target)
        token = asked.headers.get("authorization", "")
        if token not in (f"Bearer {WRITE}", f"Bearer {READ}"):
            return 403, {"detail": "Authentication credentials were not provided."}
        if method != "GET" and token == f"Bearer {READ}":
            return 403, {"detail": "You do not have permission to perform this action."}
        return self._route(method, parts.path, {k: v[0] for k, v in parse_qs(parts.query).items()}, asked)

    def _route(self, method: str, path: str, query: dict[str, str], asked: Asked) -> Reply:
        if path == "/api/user-space/":
            return 200, {"count": 1, "next": None, "results": [{"id": 1, "user": 1, "space": 1}]}
        if path == "/api/server-settings/current/":
            return (200, {"version": "2.6.12"}) if self.new else (500, PAGE)
        if path == "/api/recipe-from-source/":
            return self._from_source(json.loads(asked.body))
        if path == "/api/recipe/" and method == "POST":
            return self.create(json.loads(asked.body))
        if path == "/api/recipe/":
            return self._list(query)
        if found := re.fullmatch(r"/api/recipe/(\d+)/(image/)?", path):
            return self._one(method, int(found.group(1)), bool(found.group(2)), asked)
        return (404, {"detail": "Not found."}) if self.new else (500, PAGE)

    def _from_source(self, body: dict[str, Any]) -> Reply:
        if not body.get("url") and not body.get("data"):
            return (400, {"error": True, "msg": "Nothing to do.", "duplicates": []}) if self.new else (500, PAGE)
        self.told += 1
        if self.told > TOLD_AN_HOUR:
            return 429, {"detail": "Request was throttled. Expected available in 3600 seconds."}
        assert body.get("data"), "without data a real one fetches the address"
        known = [one for one in self.recipes.values() if one["source_url"] == body["url"].strip()]
        if not self.new:
            return 200, {"recipe_json": {}, "recipe_images": [], "duplicate": bool(known)}
        twins = [{"id": one["id"], "name": one["name"]} for one in known]
        return 200, {"recipe": {}, "images": [], "error": False, "msg": "", "duplicates": twins}

    def _list(self, query: dict[str, str]) -> Reply:
        ordered = sorted(
            self.recipes.values(), key=lambda one: one["id"], reverse=query.get("sort_order") == "-created_at"
        )
        size = min(int(query.get("page_size", "25")), 100)
        first = (int(query.get("page", "1")) - 1) * size
        shown = [{k: one[k] for k in ("id", "name", "created_at")} for one in ordered[first : first + size]]
        more = f"{self.url}/api/recipe/?page=2" if first + size < len(ordered) else None
        return 200, {"count": len(ordered), "next": more, "previous": None, "results": shown}

    def create(self, body: dict[str, Any]) -> Reply:
        """Take a recipe or refuse it, as its API does."""
        if errors := recipe_errors(body):
            return 400, errors
        if self.full:
            return 400, {"non_field_errors": ["You have reached the maximum number of recipes for your space."]}
        self.created += 1
        if self.broken:
            self.broken -= 1
            moment = datetime.now(UTC).isoformat()
            self.recipes[self.created] = {"id": self.created, "image": None, "created_at": moment, "updated_at": moment}
            self.recipes[self.created] |= {"name": body["name"], "source_url": body.get("source_url"), "steps": []}
            return 500, PAGE
        for step in body["steps"]:
            step["instructions_markdown"] = rendered(step.get("instruction", ""))
            for one in step.get("ingredients", []):
                if one["food"]:
                    one["food"]["name"] = self.foods.setdefault(one["food"]["name"].lower(), one["food"]["name"])
        moment = datetime.now(UTC) + timedelta(microseconds=self.created)
        made = {"id": self.created, "image": None, "created_at": moment.isoformat(), "source_url": None, **body}
        self.recipes[self.created] = made | ({"diameter": 0, "diameter_text": ""} if self.new else {})
        return 201, self.recipes[self.created]

    def _one(self, method: str, place: int, image: bool, asked: Asked) -> Reply:
        recipe = self.recipes.get(place)
        if recipe is None:
            return 404, {"detail": "No Recipe matches the given query."}
        if image:
            return self._image(recipe, asked)
        if method == "DELETE":
            del self.recipes[place]
            return 204, ""
        return 200, recipe

    def _image(self, recipe: dict[str, Any], asked: Asked) -> Reply:
        fields = form_fields(asked)
        if "image_url" in fields:  # it cannot be fetched here, and the cover that was there is gone
            recipe["image"] = None
            return 200, {"image": None, "image_url": fields["image_url"].get_payload()}
        part = fields.get("image")
        data = part.get_payload(decode=True) if part else b""
        ending = (part.get_filename() or "").rpartition(".")[2] if part else ""
        if not isinstance(data, bytes) or ending not in ("png", "jpg", "jpeg", "gif", "webp") or not is_picture(data):
            return 400, {"image": [NOT_A_PICTURE]}
        recipe["image"] = f"{self.url}/media/recipes/{recipe['id']}.{ending}"
        return 200, {"image": recipe["image"], "image_url": None}


def form_fields(asked: Asked) -> dict[str, Message]:
    """Return the parts of a multipart body by their names, read by the standard library and not by us."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    parsed: Any = BytesParser(policy=HTTP).parsebytes(head + asked.body)
    return {str(part.get_param("name", header="content-disposition")): part for part in parsed.iter_parts()}


def is_picture(data: bytes) -> bool:
    """Tell whether bytes begin and go on as a picture does; Pillow, which the real one asks, wants more than a signature."""
    return data.startswith((b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF")) and len(data) > 64


def rendered(instruction: str) -> str:
    """Return what a step shows: templates are executed, and single braces vanish."""
    if "{%" in instruction:
        return "Could not parse template code. Error: Template Syntax broken"
    shown = re.sub(r"\{#.*?#\}", "", instruction)
    shown = re.sub(r"\{\{.*?\}\}", "EXECUTED", shown)
    return f"<p>{re.sub(r'[{}]', '', shown)}</p>"


def recipe_errors(body: dict[str, Any]) -> Errors:
    """Return what a real one says of a recipe; empty when it takes it."""
    errors: Errors = _text(body, "name", 128, required=True)
    errors |= _text(body, "description", 512, blank=True)
    errors |= _text(body, "servings_text", 32, blank=True) | _text(body, "source_url", 1024, blank=True)
    for name in ("servings", "working_time", "waiting_time"):
        if name in body:
            errors |= _integer(body[name], name)
    wrong = [_keyword_errors(one) for one in body.get("keywords", [])]
    if any(wrong):
        errors["keywords"] = wrong
    if (nutrition := body.get("nutrition")) is not None:
        missing = {k: [REQUIRED] for k in ("carbohydrates", "fats", "proteins", "calories") if k not in nutrition}
        errors |= {"nutrition": missing} if missing else {}
    if "steps" not in body:
        errors["steps"] = [REQUIRED]
    elif any(steps := [_step_errors(step) for step in body["steps"]]):
        errors["steps"] = steps
    return errors


def _keyword_errors(one: Any) -> Errors:
    if not isinstance(one, dict):
        return {"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(one).__name__}."]}
    return _text(cast("dict[str, Any]", one), "name", 64, required=True)


def _step_errors(step: dict[str, Any]) -> Errors:
    errors = _text(step, "name", 128, blank=True) | _integer(step.get("time", 0), "time")
    ingredients = [_ingredient_errors(one) for one in step.get("ingredients", [])]
    return errors | ({"ingredients": ingredients} if any(ingredients) else {})


def _ingredient_errors(one: dict[str, Any]) -> Errors:
    errors: Errors = {name: [REQUIRED] for name in ("food", "unit", "amount") if name not in one}
    for name in ("food", "unit"):
        if isinstance(one.get(name), dict) and (wrong := _text(one[name], "name", 128, required=True)):
            errors[name] = wrong
    if "amount" in one:
        errors |= _amount(one["amount"])
    return errors | _text(one, "note", 256, blank=True) | _text(one, "original_text", 512, blank=True)


def _amount(value: object) -> Errors:
    if value is None:
        return {"amount": [NULL]}
    plain = str(value).replace(",", ".")
    return {} if re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", plain) else {"amount": ["A valid number is required"]}


def _integer(value: object, name: str) -> Errors:
    if value is None:
        return {name: [NULL]}
    return {} if isinstance(value, int) else {name: ["A valid integer is required."]}


def _text(body: dict[str, Any], name: str, limit: int, *, required: bool = False, blank: bool = False) -> Errors:
    value = body.get(name)
    if name not in body:
        return {name: [REQUIRED]} if required else {}
    if value == "" and not blank:
        return {name: [BLANK]}
    long = isinstance(value, str) and len(value) > limit
    return {name: [f"Ensure this field has no more than {limit} characters."]} if long else {}


@asynccontextmanager
async def pretend_tandoor(*, new: bool = True) -> AsyncGenerator[tuple[PretendTandoor, Remote]]:
    """Serve a pretend Tandoor until the block ends; the remote shows what it was asked."""
    tandoor = PretendTandoor(new)
    async with remote(tandoor.play) as here:
        tandoor.port = here.port
        yield tandoor, here
