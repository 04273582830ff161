"""Whether what an unhealthy item waits for is back: asked once for all items that wait for the same thing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tintype.core.recipes.items import Dependency
from tintype.errors import Trouble

log = logging.getLogger(__name__)

Probe = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Probes:
    """Asks what is around the items; each probe raises a trouble while its part is away. A part without one is there."""

    probes: Mapping[Dependency, Probe]
    kept: timedelta  # how long an answer is taken
    now: Callable[[], datetime]
    _known: dict[Dependency, tuple[datetime, bool]] = field(
        default_factory=dict[Dependency, tuple[datetime, bool]], init=False
    )
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def is_green(self, dependency: Dependency | None) -> bool:
        """Tell whether a dependency answers."""
        probe = self.probes.get(dependency) if dependency else None
        if dependency is None or probe is None:
            return True
        async with self._asking:
            known = self._known.get(dependency)
            if known is None or self.now() - known[0] > self.kept:
                known = self.now(), await _answers(dependency, probe)
                self._known[dependency] = known
        return known[1]

    def failed(self, dependency: Dependency) -> None:
        """Forget that a dependency answered: it has just failed an item."""
        self._known.pop(dependency, None)


async def _answers(dependency: Dependency, probe: Probe) -> bool:
    try:
        await probe()
    except Trouble as trouble:
        log.info("%s is still away: %s", dependency.value, trouble.message)
        return False
    return True
