"""Recipes by a language model on any OpenAI-compatible server: what rules cannot read, without trusting a word of it.

client      one question, and what came of it
ladder      what to ask next when that was no answer
answers     the JSON in what a model wrote
source      numbered lines, without those that talk to the model
grounding   nothing but what stands in them
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from secrets import token_hex

from tintype.backends.outbound import Outbound
from tintype.core.recipes.model import Certainty, Context, Parsed, Recipe
from tintype.core.recipes.parsers.llm.answers import SaidRecipe, read
from tintype.core.recipes.parsers.llm.client import Failed, Failure, Form, ModelPolicy, ModelServer, Outcome, Said, Turn
from tintype.core.recipes.parsers.llm.grounding import grounded
from tintype.core.recipes.parsers.llm.ladder import following
from tintype.core.recipes.parsers.llm.prompt import SCHEMA, messages
from tintype.core.recipes.parsers.llm.source import Source, numbered
from tintype.core.recipes.parsers.rules import RulesParser
from tintype.core.recipes.parsers.rules.lexicon import guess_language, lexicon
from tintype.core.recipes.parsers.rules.tokens import words
from tintype.errors import Misconfigured, Unreachable

__all__ = ["LlmParser", "ModelPolicy", "ModelServer"]

_DAY = 24 * 3600.0
_LEAST = 1.0  # seconds that are worth a call
# A model's word alone never passes for certain: a person may want to look at it.
_WITH_RULES, _ALONE, _SUSPICIOUS = 0.75, 0.6, 0.4


@dataclass(slots=True)
class _Memory:
    """The rung on which a server last answered, for a day."""

    turn: Turn
    until: float


@dataclass(frozen=True, slots=True)
class LlmParser:
    """Reads a text with a model's help, within one budget of calls and seconds; rules have the first word."""

    policy: ModelPolicy
    outbound: Outbound
    rules: RulesParser = field(default_factory=RulesParser)
    clock: Callable[[], float] = time.monotonic
    name: str = "llm"
    schema: str = "recipe"
    _known: dict[tuple[str, str], _Memory] = field(
        default_factory=dict[tuple[str, str], _Memory], init=False, repr=False
    )
    _turns: asyncio.Semaphore = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_turns", asyncio.Semaphore(self.policy.at_once))

    async def parse(self, text: str, context: Context) -> Parsed[Recipe] | None:
        """Return what of a model's answer stands in the text, or None when there is no recipe in it.

        Raises `Unreachable` or `Misconfigured` when no answer came.
        """
        source = numbered(text, self.policy.source_characters)
        if not source.lines:
            return None
        async with self._turns:
            said = await self._ask(source)
        if not said.is_recipe and not context.force:
            return None
        known = lexicon(context.language or guess_language(words(source.text)))
        first = self.rules.read(source.text, context)
        recipe = grounded(said, source, known, first.value if first else None)
        return _parsed(recipe, first, source, self) if recipe else None

    async def check(self) -> str:
        """Test the connection: the model is one of those that the server has, or the server does not tell."""
        names = await ModelServer(self.policy, self.outbound).models()
        if names and self.policy.model not in names:
            raise Misconfigured(f"the model server has no {self.policy.model!r}: set LLM_MODEL to one of its own")
        return f"the model server answers and has {self.policy.model!r}"

    async def _ask(self, source: Source) -> SaidRecipe:
        server = ModelServer(self.policy, self.outbound)
        fence, end = token_hex(8), self.clock() + self.policy.total_seconds
        turn: Turn | None = self._first_turn()
        outcome: Outcome = Failed(Failure.AWAY, "there was no time to ask the model server")
        for _ in range(self.policy.calls):
            left = end - self.clock()
            if turn is None or left < _LEAST:
                break
            outcome = await server.chat(messages(source, turn, fence), turn, SCHEMA, left)
            if isinstance(outcome, Said) and (said := read(outcome.text, outcome.thought)):
                self._remember(turn)
                return said
            turn = following(turn, outcome, self.policy.most_tokens)
        if isinstance(outcome, Failed) and outcome.failure is Failure.NO:
            raise Misconfigured(outcome.sentence)
        sentence = outcome.sentence if isinstance(outcome, Failed) else "the model gave no answer that can be read"
        raise Unreachable(sentence, retryable=True)

    def _first_turn(self) -> Turn:
        kept = self._known.get((self.policy.base_url, self.policy.model))
        if kept is None or kept.until < self.clock():
            return Turn(Form.SCHEMA, self.policy.max_tokens)
        return kept.turn

    def _remember(self, turn: Turn) -> None:
        place = (self.policy.base_url, self.policy.model)
        self._known[place] = _Memory(replace(turn, unreadable=None), self.clock() + _DAY)


def _parsed(recipe: Recipe, first: Parsed[Recipe] | None, source: Source, parser: LlmParser) -> Parsed[Recipe]:
    reason = "stands in the lines that the model cites"
    sure = _WITH_RULES if first else _ALONE
    if source.hidden:
        sure, reason = _SUSPICIOUS, "the text also talks to the model: look at it"
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
