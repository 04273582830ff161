"""Recipes from the page that a caption links to: "full recipe on my blog", read from what the page says for machines.

The page is fetched by the house's one way out, with its caps and its address guard; the library only reads the text.
A page that is away, or holds no recipe, is no failure of the post: the next parser is asked.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from tintype.backends.outbound import Outbound, Outgoing, Policy
from tintype.core.recipes.model import Certainty, Context, Ingredient, Nutrition, Parsed, Recipe, Servings, Times
from tintype.core.recipes.parsers.rules.ingredients import read_ingredient
from tintype.core.recipes.parsers.rules.lexicon import Lexicon, guess_language, lexicon
from tintype.core.recipes.parsers.rules.steps import read_steps
from tintype.core.recipes.parsers.rules.tokens import words
from tintype.core.recipes.plain import one_line
from tintype.errors import Trouble

LIMITS = Policy(total_seconds=15, first_byte_seconds=10, max_bytes=3 * 1024 * 1024, max_redirects=4)
_PAGES = 2  # links of one caption that are followed
_LINES = 200
_LEAST = 2  # ingredients of a page that counts as a recipe
_SURE = 0.95
_NOTE = "the page says so for machines"

_ADDRESS = re.compile(
    r"https?://[^\s<>\"')\]]+|(?<![\w@./-])(?:(?![0-9-]{1,63}\.)[a-z0-9-]{1,63}+\.)+[a-z]{2,10}/[^\s<>\"')\]]{3,}",
    re.IGNORECASE,
)
# Places where a link leads to a shop, a profile or another post, and never to a recipe's own page.
_ELSEWHERE = [
    "instagram.com",
    "instagr.am",
    "facebook.com",
    "fb.me",
    "threads.net",
    "tiktok.com",
    "youtube.com",
    "youtu.be",
    "twitter.com",
    "x.com",
    "pinterest.com",
    "pin.it",
    "snapchat.com",
    "t.me",
    "wa.me",
    "amazon.com",
    "amzn.to",
    "linktr.ee",
    "beacons.ai",
    "linkin.bio",
    "bit.ly",
    "spotify.com",
    "patreon.com",
    "cdninstagram.com",
    "fbcdn.net",
]

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class LinkedParser:
    """Follows the links of a text and reads the first page that holds a recipe."""

    outbound: Outbound
    name: str = "linked"
    schema: str = "recipe"

    async def parse(self, text: str, context: Context) -> Parsed[Recipe] | None:
        """Return the recipe of a linked page, or None."""
        for url in links(text):
            page = await self._page(url)
            # Reading takes a tenth of a second of processor time, which others should not wait for.
            recipe = await asyncio.to_thread(read_page, page, url, context) if page else None
            if recipe is not None:
                return _parsed(recipe, self)
        return None

    async def _page(self, url: str) -> str | None:
        try:
            answer = await self.outbound.send(Outgoing("GET", url, headers={"accept": "text/html"}), LIMITS)
        except Trouble:
            return None
        is_page = "html" in answer.headers.get("content-type", "text/html")
        return answer.body.decode("utf-8", "replace") if answer.status == 200 and is_page else None


def links(text: str) -> list[str]:
    """Return the addresses in a text that may be a recipe's page, each once and with a scheme."""
    found = (address.rstrip(".,;:!?…") for address in _ADDRESS.findall(text))
    whole = [one if "://" in one else f"https://{one}" for one in found]
    return [one for one in dict.fromkeys(whole) if _may_be_a_page(one)][:_PAGES]


def _may_be_a_page(url: str) -> bool:
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return False
    return "." in host and not any(host == one or host.endswith(f".{one}") for one in _ELSEWHERE)


def read_page(html: str, url: str, context: Context) -> Recipe | None:
    """Return the recipe that a page describes, or None when it describes none."""
    # Loaded where it is used: it takes half a second and 50 MB, which nobody pays who never follows a link.
    from recipe_scrapers import scrape_html

    found: Any = _asked(lambda: scrape_html(html, org_url=url, supported_only=False))
    if found is None:
        return None
    told = _lines(_asked(found.instructions_list))
    grouped = _grouped(found)
    name = one_line(str(_asked(found.title) or ""))
    known = lexicon(context.language or guess_language(words("\n".join([name, *told, *(line for line, _ in grouped)]))))
    ingredients = _ingredients(grouped, known)
    if not name or len(ingredients) < _LEAST:
        return None
    return Recipe(
        name=name,
        ingredients=ingredients,
        steps=read_steps([(line, None) for line in told], ingredients, known),
        description=one_line(str(_asked(found.description) or "")),
        servings=_servings(_asked(found.yields)),
        times=Times(_minutes(found.total_time), _minutes(found.prep_time), _minutes(found.cook_time)),
        nutrition=_nutrition(_asked(found.nutrients)),
        keywords=tuple(one_line(word).lower() for word in _lines(_asked(found.keywords))),
        language=known.language,
    )


def _asked(ask: Callable[[], Value]) -> Value | None:
    try:
        return ask()
    except Exception:  # noqa: BLE001 - whatever a stranger's page makes the library do, it says nothing about this field
        return None


def _lines(found: object) -> list[str]:
    if not isinstance(found, list | tuple):
        return []
    entries = cast("Sequence[object]", found)
    return [line for entry in entries[:_LINES] if isinstance(entry, str) and (line := one_line(entry))]


def _grouped(found: Any) -> list[tuple[str, str | None]]:
    groups: list[Any] = _asked(found.ingredient_groups) or []
    pairs = [(line, one_line(str(one.purpose or "")) or None) for one in groups for line in _lines(one.ingredients)]
    return pairs or [(line, None) for line in _lines(_asked(found.ingredients))]


def _ingredients(grouped: Sequence[tuple[str, str | None]], known: Lexicon) -> tuple[Ingredient, ...]:
    read = (read_ingredient(line, known, group) for line, group in grouped)
    return tuple(one for one in read if one is not None)


def _servings(found: object) -> Servings | None:
    match = re.match(r"\s*(\d{1,4})\s*(.*)", str(found or ""))
    return Servings(float(match[1]), what=one_line(match[2])) if match and int(match[1]) else None


def _minutes(ask: Callable[[], object]) -> int | None:
    found = _asked(ask)
    return int(found) if isinstance(found, int | float) and 0 < found < 100_000 else None


def _nutrition(found: object) -> Nutrition:
    facts: dict[str, Any] = cast("dict[str, Any]", found) if isinstance(found, dict) else {}

    def amount(key: str) -> float | None:
        match = re.search(r"\d+(?:[.,]\d+)?", str(facts.get(key) or ""))
        return float(match[0].replace(",", ".")) if match else None

    return Nutrition(amount("calories"), amount("proteinContent"), amount("carbohydrateContent"), amount("fatContent"))


def _parsed(recipe: Recipe, parser: LinkedParser) -> Parsed[Recipe]:
    there = (
        ("name", True),
        ("ingredients", True),
        ("steps", bool(recipe.steps)),
        ("servings", recipe.servings is not None),
        ("times", recipe.times.whole is not None),
    )
    fields = tuple(Certainty(name, _SURE, _NOTE) for name, known in there if known)
    missing = tuple(name for name, known in there if not known)
    return Parsed(recipe, parser.name, parser.schema, _SURE if recipe.steps else 0.6, fields, missing)
