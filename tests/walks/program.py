"""A server as a program of its own, which can be killed."""

import os
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.empty import furnish_folder
from tests.instagram.pretend import Pretend
from tests.profile import environment as on_the_profile

_READY = "listens on "
_ROOT = Path(__file__).parents[2]


def environment(pretend: Pretend, **more: str) -> Mapping[str, str]:
    """What a server before this Instagram is started with; it syncs when it is told to."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME")}
    return kept | {
        "INSTAGRAM_ORIGIN": pretend.origin,
        "SYNC_INTERNAL_SECRET": "sync",
        "FEED_SYNC_MINUTES": "0",
        "FEED_COPY_VIDEOS": "false",
        "IMAGE_WORKERS": "1",
        "LOG_LEVEL": "error",
        **more,
    }


@contextmanager
def serving(
    folder: Path, environment: Mapping[str, str], *, port: int = 0
) -> Generator[tuple["subprocess.Popen[str]", str]]:
    """Run `tintype serve`, on the profile where it is not sent elsewhere; yield it and its address when it answers.

    It is killed at the end.
    """
    if "DATABASE_URL" not in environment:
        environment = {**on_the_profile(folder), **environment}
    if "DATABASE_URL" not in environment:
        furnish_folder(folder)
    command = [sys.executable, "-m", "tintype", "serve", "--port", str(port), "--data", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_ROOT, env=environment) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            assert _READY in said, said
            yield process, said.partition(_READY)[2].strip()
        finally:
            process.kill()
