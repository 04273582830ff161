"""The databases of a house that is new, made once a process and copied: to migrate them for each house costs half a second."""

import asyncio
import atexit
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from dbos import run_dbos_database_migrations

from tintype.backends.database import open_database
from tintype.backends.migrations import upgrade
from tintype.settings import Settings


def furnish(settings: Settings) -> None:
    """Put the databases into the data folder, unless they are elsewhere or there is one already."""
    if settings.database_url is None:
        furnish_folder(settings.data)


def furnish_folder(folder: Path) -> None:
    """Put the databases into a data folder, unless there is one already."""
    if not (folder / "tintype.db").exists():
        shutil.copytree(_made(), folder, dirs_exist_ok=True)


@cache
def _made() -> Path:
    stack = ExitStack()
    atexit.register(stack.close)
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="empty-")))
    with ThreadPoolExecutor(1) as beside:  # whoever asks for a house is in a loop already
        beside.submit(asyncio.run, _migrated(folder / "tintype.db")).result()
    run_dbos_database_migrations(system_database_url=f"sqlite:///{folder / 'jobs.db'}")
    return folder


async def _migrated(file: Path) -> None:
    database = open_database(f"sqlite:///{file}")
    await upgrade(database)
    await database.close()
