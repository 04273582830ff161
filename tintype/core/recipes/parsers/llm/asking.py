"""Asking a model until it has answered in a way that can be read: up and down the ladder, within one budget."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tintype.backends.outbound import Outbound
from tintype.core.recipes.budget import Budget
from tintype.core.recipes.parsers.llm.answers import SaidRecipe, read
from tintype.core.recipes.parsers.llm.client import Failed, Failure, Form, Message, ModelPolicy, ModelServer, Said, Turn
from tintype.core.recipes.parsers.llm.ladder import following
from tintype.errors import Misconfigured, Unreachable

_DAY = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Rung:
    """The rung on which a server last answered, for a day."""

    turn: Turn
    until: float


Rungs = dict[tuple[str, str], Rung]  # by server and model: who reads texts and who sees may be the same


@dataclass(frozen=True, slots=True)
class Interviewer:
    """Asks one server; the rung of the ladder on which it answered is remembered for a day."""

    policy: ModelPolicy
    outbound: Outbound
    clock: Callable[[], float] = time.monotonic
    rungs: Rungs = field(default_factory=Rungs, repr=False)

    async def ask(
        self,
        written: Callable[[Turn], Sequence[Message]],
        schema: dict[str, Any],
        budget: Budget,
        *,
        accepts: Callable[[SaidRecipe], bool] = lambda _: True,
    ) -> SaidRecipe:
        """Return the first answer that can be read and is accepted; `written` gives the conversation for a turn.

        Raises `Unreachable` or `Misconfigured` when none came.
        """
        server = ModelServer(self.policy, self.outbound)
        turn: Turn | None = self._first_turn()
        outcome: Said | Failed = Failed(Failure.AWAY, "there was no time left to ask the model server")
        while turn is not None and budget.call():
            with budget.spending() as seconds:
                outcome = await server.chat(written(turn), turn, schema, seconds)
            if isinstance(outcome, Said) and (said := read(outcome.text, outcome.thought)) and accepts(said):
                self._remember(turn)
                return said
            turn = following(turn, outcome, self.policy.most_tokens)
        if isinstance(outcome, Failed) and outcome.failure is Failure.NO:
            raise Misconfigured(outcome.sentence)
        sentence = outcome.sentence if isinstance(outcome, Failed) else "the model gave no answer that can be read"
        raise Unreachable(sentence, retryable=True)

    async def check(self, setting: str) -> str:
        """Test the connection: the model is one of those that the server has, or the server does not tell."""
        names = await ModelServer(self.policy, self.outbound).models()
        if names and self.policy.model not in names:
            raise Misconfigured(f"the model server has no {self.policy.model!r}: set {setting} to one of its own")
        return f"the model server answers and has {self.policy.model!r}"

    def budget(self) -> Budget:
        """Return what one recipe may cost, where nothing else was spent on it."""
        return Budget(self.policy.calls, self.policy.total_seconds, self.clock)

    def _first_turn(self) -> Turn:
        kept = self.rungs.get((self.policy.base_url, self.policy.model))
        if kept is None or kept.until < self.clock():
            return Turn(Form.SCHEMA, self.policy.max_tokens)
        return kept.turn

    def _remember(self, turn: Turn) -> None:
        place = (self.policy.base_url, self.policy.model)
        self.rungs[place] = Rung(replace(turn, unreadable=None), self.clock() + _DAY)
