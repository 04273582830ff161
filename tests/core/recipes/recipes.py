"""Any recipe that a parser could come up with, in the worst of words, for the properties that hold for all of them."""

import re
from collections.abc import Iterator
from typing import Any, cast

from hypothesis import strategies as st

from tintype.core.recipes import Ingredient, Nutrition, Recipe, Servings, Step, Times

HOSTILE = (
    "{{ 7*7 }}",
    "{% if x %}",
    "{# note #}",
    "{ {config} }",
    '{{ "{{" }}evil}}',
    "<script>alert(1)</script>",
    "<scr<script>ipt>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=x onerror=alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&amp;lt;script&amp;gt;",
    "&#60;b onclick=x&#62;",
    "![x](https://evil.example/p.png)",
    "[x](javascript:alert(1))",
    "[x]: https://evil.example",
    "https://scontent-fra3-1.cdninstagram.com/v/t51/1.jpg?oe=1",
    "scontent.cdninstagram.com/v/1.jpg",
    "www.evil.example",
    "//evil.example/p.png",
    "HTTP://EVIL.EXAMPLE",
    "hhttps://ttps://evil.example",
    "@a_friend",
    "{\u200b{ 7*7 }\u200b}",
    "java\u200bscript:alert(1)",
    "# heading",
    "line\nline",
    "\u202eright to left",
    "\x00\x07",
)
WORDS = ("flour", "2 cups", "½", "Öl", "crème fraîche", "a", "mix well", "x" * 600, "word " * 200, "😀", "")
texts = st.lists(st.sampled_from(HOSTILE + WORDS) | st.text(max_size=20), max_size=6).map(" ".join)
numbers = st.none() | st.floats() | st.integers(-5, 10**12).map(float)
minutes = st.none() | st.integers(-10, 10**9)
groups = st.none() | texts

ingredients = st.builds(
    Ingredient,
    food=texts,
    amount=numbers,
    amount_max=numbers,
    unit=st.none() | texts,
    note=texts,
    group=groups,
    original=texts,
)
steps = st.builds(
    Step, text=texts, group=groups, minutes=minutes, ingredients=st.lists(st.integers(-1, 9), max_size=5).map(tuple)
)
recipes = st.builds(
    Recipe,
    name=texts,
    ingredients=st.lists(ingredients, max_size=6).map(tuple),
    steps=st.lists(steps, max_size=4).map(tuple),
    description=texts,
    servings=st.none() | st.builds(Servings, amount=st.floats(), amount_max=numbers, what=texts),
    times=st.builds(Times, minutes, minutes, minutes, minutes),
    nutrition=st.builds(Nutrition, numbers, numbers, numbers, numbers),
    keywords=st.lists(texts, max_size=4).map(tuple),
    notes=st.lists(texts, max_size=2).map(tuple),
)

_FORBIDDEN = re.compile(
    r"[{}<>`]|https?:|javascript:|www\.|evil\.example|cdninstagram|@a_friend|!\[|[\u200b\u202e\x00\x07]|&lt;|&#",
    re.IGNORECASE,
)


def strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in cast("dict[str, Any]", value).values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in cast("list[Any]", value):
            yield from strings(inner)


def harmful(value: Any) -> list[str]:
    """Every text in a JSON value that would be code, an address or a name in somebody else's page."""
    return [text for text in strings(value) if _FORBIDDEN.search(text)]
