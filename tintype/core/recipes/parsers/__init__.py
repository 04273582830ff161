"""Ways from text to structured content, one file or folder each; recipes are the first kind of content.

A parser names itself and the kind of content it gives, and answers None for a text that holds no such thing. It never
invents: every amount, name and time it gives stands in the text.
"""

from typing import Any, Protocol

from tintype.core.recipes.model import Context, Parsed


class Parser(Protocol):
    """One way to read a text; `schema` is the kind of content it gives ("recipe")."""

    @property
    def name(self) -> str: ...

    @property
    def schema(self) -> str: ...

    async def parse(self, text: str, context: Context) -> Parsed[Any] | None: ...
