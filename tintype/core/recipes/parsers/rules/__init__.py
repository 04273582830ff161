"""Recipes by rules: seven languages, no network, no model, nothing but the standard library."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tintype.core.recipes.model import Context, Parsed, Recipe

if TYPE_CHECKING:
    from tintype.core.recipes.parsers.rules.reading import Reading

__all__ = ["RulesParser"]


@dataclass(frozen=True, slots=True)
class RulesParser:
    """Reads a caption by word lists and weights; what it gives stands in the text."""

    name: str = "rules"
    schema: str = "recipe"

    async def parse(self, text: str, context: Context) -> Parsed[Recipe] | None:
        """Return the recipe in a text, or None when it holds none; see `read`."""
        return self.read(text, context)

    def read(self, text: str, context: Context | None = None) -> Parsed[Recipe] | None:
        """Return the recipe in a text at once: it takes a few milliseconds and waits for nothing."""
        from tintype.core.recipes.parsers.rules.reading import parsed

        context = context or Context()
        reading = _read(text, context)
        if not reading.verdict.recipe and not context.force:
            return None
        return parsed(reading, self.name, self.schema)

    def refusal(self, text: str, context: Context | None = None) -> str | None:
        """Return why a text is not a recipe, or None when it is one."""
        verdict = _read(text, context or Context()).verdict
        return None if verdict.recipe else verdict.reason


def _read(text: str, context: Context) -> "Reading":
    # Its patterns take fifty milliseconds to compile, which whoever reads no recipe need not wait for.
    from tintype.core.recipes.parsers.rules.reading import read

    return read(text, context)
