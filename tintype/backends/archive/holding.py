"""One at a time in a folder of backups: what one leaves behind another tidies up, so it must not be at work still."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tintype.errors import Conflict


@contextmanager
def held(folder: Path, *, alone: bool) -> Generator[None]:
    """Hold a folder while something is written there, alone, or read with others; a killed process lets go of it.

    Raises `Conflict` when somebody else does. A network file system may know no locks: there everybody goes on.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        if not _taken(handle, alone=alone):
            raise Conflict(f"another backup or restore is at work in {str(folder)!r}; try again when it is done")
        yield
    finally:
        os.close(handle)


def is_held(folder: Path) -> bool:
    """Tell whether somebody is at work in a folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        return not _taken(handle, alone=True)
    finally:
        os.close(handle)


def _taken(handle: int, *, alone: bool) -> bool:
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # no locks there
    return True
