"""Recipes off pictures by a model that sees: slides in handwriting, words that a video shows for a moment.

The model first copies the lines that are written on the pictures; everything it then says has to stand in one of them, as
with a text. What a dish looks like is no recipe: amounts are never guessed from a photograph.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tintype.backends.images import Images
from tintype.backends.outbound import Outbound
from tintype.backends.video import frame, probe
from tintype.core.recipes.model import Context, Parsed, Recipe
from tintype.core.recipes.parsers.llm import Interviewer, ModelPolicy, Rungs, Sureness, weighed
from tintype.core.recipes.parsers.llm.answers import SaidRecipe
from tintype.core.recipes.parsers.llm.grounding import grounded
from tintype.core.recipes.parsers.llm.prompt import SEEN_SCHEMA, looking
from tintype.core.recipes.parsers.llm.source import told
from tintype.core.recipes.parsers.rules import RulesParser
from tintype.core.recipes.parsers.rules.lexicon import guess_language, lexicon
from tintype.core.recipes.parsers.rules.tokens import words
from tintype.errors import Trouble

PICTURES = 6  # of one post that are looked at
_ACROSS = 1024  # pixels: small print is still read, and a picture stays below 300 kB
_SEEN = Sureness(0.7, 0.5, "stands in the lines that the model read off the pictures")


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen on pictures: the words on them, and the recipe in those words, if they hold one."""

    text: str
    parsed: Parsed[Recipe] | None


@dataclass(frozen=True, slots=True)
class VisionParser:
    """Looks at pictures with a model's help, within the recipe's budget of calls and seconds."""

    policy: ModelPolicy
    outbound: Outbound
    images: Images
    rules: RulesParser = field(default_factory=RulesParser)
    clock: Callable[[], float] = time.monotonic
    rungs: Rungs = field(default_factory=Rungs, repr=False)
    name: str = "vision"
    schema: str = "recipe"
    _interviewer: Interviewer = field(init=False, repr=False)
    _turns: asyncio.Semaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_interviewer", Interviewer(self.policy, self.outbound, self.clock, self.rungs))
        object.__setattr__(self, "_turns", asyncio.Semaphore(self.policy.at_once))

    async def look(self, pictures: Sequence[bytes], context: Context) -> Sight:
        """Return what is written on pictures, and the recipe in it.

        Raises `Unreachable` or `Misconfigured` when no answer came.
        """
        shown = [small for one in pictures[:PICTURES] if (small := await self._small(one))]
        if not shown:
            return Sight("", None)
        async with self._turns:
            budget = context.budget or self._interviewer.budget()
            said = await self._interviewer.ask(
                lambda turn: looking(shown, turn), SEEN_SCHEMA, budget, accepts=_can_be_held_against_something
            )
        return self._sight(said, context)

    async def check(self) -> str:
        """Test the connection: the model is one of those that the server has, or the server does not tell."""
        return await self._interviewer.check("LLM_VISION_MODEL")

    def _sight(self, said: SaidRecipe, context: Context) -> Sight:
        source = told(said.seen)
        text = "\n".join(source.lines.values())
        # Whoever talks to the model on a picture may also have had it "see" lines that nobody can check.
        if not text or source.hidden or not (said.is_recipe or context.force):
            return Sight(text, None)
        known = lexicon(context.language or guess_language(words(text)))
        first = self.rules.read(text, context)
        recipe = grounded(said, source, known, first.value if first else None)
        return Sight(text, weighed(recipe, source, _SEEN, self, with_rules=first is not None) if recipe else None)

    async def _small(self, picture: bytes) -> bytes | None:
        """Return a picture as a small JPEG; None for what is no picture."""
        try:
            return (await self.images.render(picture, (_ACROSS,), ("jpeg",)))[0].data
        except Trouble:
            return None


def _can_be_held_against_something(said: SaidRecipe) -> bool:
    return bool(said.seen) or not said.is_recipe


async def frames(video: Path, count: int = PICTURES) -> list[bytes]:
    """Return frames of a video at even distances; raises `Invalid` or `Unsupported` when it cannot be looked at."""
    seconds = (await probe(video)).seconds
    return [await frame(video, seconds * (place + 0.5) / count) for place in range(count)]
