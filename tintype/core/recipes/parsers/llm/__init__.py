"""Recipes by a language model on any OpenAI-compatible server: what rules cannot read, without trusting a word of it.

client      one question, and what came of it
ladder      what to ask next when that was no answer
asking      questions until one was answered
answers     the JSON in what a model wrote
source      numbered lines, without those that talk to the model
grounding   nothing but what stands in them
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Protocol

from tintype.backends.outbound import Outbound
from tintype.core.recipes.model import Certainty, Context, Parsed, Recipe
from tintype.core.recipes.parsers.llm.asking import Interviewer, Rungs
from tintype.core.recipes.parsers.llm.client import ModelPolicy, ModelServer
from tintype.core.recipes.parsers.llm.grounding import grounded
from tintype.core.recipes.parsers.llm.prompt import SCHEMA, messages
from tintype.core.recipes.parsers.llm.source import Source, numbered
from tintype.core.recipes.parsers.rules import RulesParser
from tintype.core.recipes.parsers.rules.lexicon import guess_language, lexicon
from tintype.core.recipes.parsers.rules.tokens import words

__all__ = ["Interviewer", "LlmParser", "ModelPolicy", "ModelServer", "Rungs", "Sureness", "weighed"]


@dataclass(frozen=True, slots=True)
class Sureness:
    """How sure a model's answer is taken to be, and why: its word alone never passes for certain."""

    with_rules: float
    alone: float
    reason: str
    suspicious: float = 0.4  # a person has to look at it


_TEXT = Sureness(0.75, 0.6, "stands in the lines that the model cites")


@dataclass(frozen=True, slots=True)
class LlmParser:
    """Reads a text with a model's help, within one budget of calls and seconds; rules have the first word."""

    policy: ModelPolicy
    outbound: Outbound
    rules: RulesParser = field(default_factory=RulesParser)
    clock: Callable[[], float] = time.monotonic
    rungs: Rungs = field(default_factory=Rungs, repr=False)
    name: str = "llm"
    schema: str = "recipe"
    _interviewer: Interviewer = field(init=False, repr=False)
    _turns: asyncio.Semaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_interviewer", Interviewer(self.policy, self.outbound, self.clock, self.rungs))
        object.__setattr__(self, "_turns", asyncio.Semaphore(self.policy.at_once))

    async def parse(self, text: str, context: Context) -> Parsed[Recipe] | None:
        """Return what of a model's answer stands in the text, or None when there is no recipe in it.

        Raises `Unreachable` or `Misconfigured` when no answer came.
        """
        source = numbered(text, self.policy.source_characters)
        if not source.lines:
            return None
        fence = token_hex(8)
        async with self._turns:
            budget = context.budget or self._interviewer.budget()
            said = await self._interviewer.ask(lambda turn: messages(source, turn, fence), SCHEMA, budget)
        if not said.is_recipe and not context.force:
            return None
        known = lexicon(context.language or guess_language(words(source.text)))
        first = self.rules.read(source.text, context)
        recipe = grounded(said, source, known, first.value if first else None)
        return weighed(recipe, source, _TEXT, self, with_rules=first is not None) if recipe else None

    async def check(self) -> str:
        """Test the connection: the model is one of those that the server has, or the server does not tell."""
        return await self._interviewer.check("LLM_MODEL")


class _Named(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def schema(self) -> str: ...


def weighed(recipe: Recipe, source: Source, sureness: Sureness, parser: _Named, *, with_rules: bool) -> Parsed[Recipe]:
    """Return a grounded recipe with how sure it is."""
    sure, reason = sureness.with_rules if with_rules else sureness.alone, sureness.reason
    if source.hidden:
        sure, reason = sureness.suspicious, "the text also talks to the model: look at it"
    there = (
        ("name", bool(recipe.name)),
        ("ingredients", bool(recipe.ingredients)),
        ("steps", bool(recipe.steps)),
        ("servings", recipe.servings is not None),
        ("times", recipe.times.whole is not None),
    )
    fields = tuple(Certainty(name, sure, reason) for name, known in there if known)
    missing = tuple(name for name, known in there if not known)
    both = bool(recipe.ingredients) and bool(recipe.steps)
    return Parsed(recipe, parser.name, parser.schema, sure if both else round(sure * 0.7, 2), fields, missing)
