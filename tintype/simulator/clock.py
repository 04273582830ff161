"""The clock that every expiry of the pretend Instagram follows."""

import time


class Clock:
    """Runs at the pace of the real one, and can be moved."""

    __slots__ = ("_offset",)

    def __init__(self, now: float | None = None) -> None:
        self._offset = 0.0
        if now is not None:
            self.move_to(now)

    def now(self) -> float:
        """Unix seconds in the pretend world."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Let this many seconds pass at once; negative goes back."""
        self._offset += seconds

    def move_to(self, now: float) -> None:
        """Set the time to these Unix seconds; it runs on from there."""
        self._offset = now - time.time()


def stamp(seconds: float) -> str:
    """`2021-08-13T08:25:28+0000`, the way every Graph answer writes a moment."""
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000", time.gmtime(seconds))
