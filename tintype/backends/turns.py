"""Whose turn it is among the jobs that a node has taken from the queue, and how many it takes.

The engine looks for jobs twice a second, so a node that took no more than it works at a time would do few short ones. But what one
node has taken no other works. So where there may be others a node takes more only while its jobs end between two looks, and gives back
those whose turn does not come soon.
"""

import asyncio

# Taken at a look for each job that ended since the one before, and for each that is worked at a time at the most.
AHEAD, AHEAD_AT_MOST = 2, 8

PATIENCE = 2.0  # seconds that a job waits for its turn before others may have it


class Turns:
    """Lets so many jobs be worked at a time; counts those that end, for the next look."""

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self._free = asyncio.Semaphore(at_once)
        self._waiting: set[str] = set()
        self._ended = 0

    async def begin(self, job_id: str, patience: float | None) -> bool:
        """Wait for a job's turn; tell whether it came before our patience was over."""
        self._waiting.add(job_id)
        try:
            async with asyncio.timeout(patience):
                await self._free.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(job_id)
        return True

    def end(self) -> None:
        """Let the next one begin."""
        self._ended += 1
        self._free.release()

    def waits(self, job_id: str) -> bool:
        """Tell whether a job was taken and has not begun."""
        return job_id in self._waiting

    def wanted(self) -> int:
        """Return how many jobs this node wants to have now; asked once a look."""
        ended, self._ended = self._ended, 0
        return wanted(self.at_once, ended)


def wanted(at_once: int, ended: int) -> int:
    """Return how many jobs a node wants that works so many at a time, of which so many ended since the last look."""
    if ended < at_once:
        return at_once  # they last longer than from look to look
    return min(at_once + AHEAD * ended, at_once * AHEAD_AT_MOST)
