"""What the servers that help with one recipe may cost it together: so many calls, so many seconds, whoever takes them."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

_LEAST = 1.0  # seconds that are worth a call


@dataclass(slots=True)
class Budget:
    """Calls and seconds that are left; time spent on this machine, or in waiting for a turn, is not counted."""

    calls: int = 4
    seconds: float = 90.0
    clock: Callable[[], float] = time.monotonic

    @property
    def is_spent(self) -> bool:
        """Tell whether there is no time for another call."""
        return self.seconds < _LEAST

    def call(self) -> bool:
        """Take one of the calls; tell whether there was one, and time for it."""
        if self.calls < 1 or self.is_spent:
            return False
        self.calls -= 1
        return True

    @contextmanager
    def spending(self) -> Generator[float]:
        """Lend the seconds that are left, and take those that the block used."""
        begun = self.clock()
        try:
            yield self.seconds
        finally:
            self.seconds -= self.clock() - begun
