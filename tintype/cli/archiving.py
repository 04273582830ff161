"""Keeping what is stored: `backup`, `restore`, and `move` to a larger place."""

import asyncio
from contextlib import AsyncExitStack, ExitStack, contextmanager, nullcontext
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tintype.cli.opening import Folder, settings_of, start_logs
from tintype.cli.output import AsJson, thing
from tintype.errors import Conflict, Misconfigured

if TYPE_CHECKING:
    from collections.abc import Generator

    from tintype.backends.archive import Moved, Premises, Restored, Saved
    from tintype.settings import Settings

Backups = Annotated[
    Path,
    typer.Argument(
        metavar="DIR|FILE", help="A folder for many backups, or one .tar, .tar.gz file.", show_default=False
    ),
]
MB = 1_000_000


def backup(
    place: Backups,
    keep: Annotated[int, typer.Option(min=0, help="Backups kept in the folder, this one counted; 0: all.")] = 7,
    files: Annotated[bool, typer.Option(help="Save stored files, too, and not only the database.")] = True,
    key: Annotated[bool, typer.Option(help="Save the data folder's encryption key, too.")] = True,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Save the database, the stored files and the key, while the server runs.

    A folder takes one backup after the other; files that it has already are not copied again. Keys of --json: place, name,
    revision, kind, rows, files, bytes, key, dropped.
    """
    from tintype import __version__
    from tintype.backends.archive import Wish, back_up, is_packed, packed

    settings = settings_of(data)
    start_logs(settings, quiet=True)

    async def save(root: Path) -> "Saved":
        async with AsyncExitStack() as stack:
            here = _premises(settings, stack)
            return await back_up(here, root, Wish(files, key, keep), __version__, datetime.now(UTC))

    with packed(place) if is_packed(place) else nullcontext(place) as root:
        made = asyncio.run(save(root))
    parts = {part.name for part in made.manifest.parts}
    told = {
        "place": str(place),
        "name": made.name,
        "revision": made.manifest.revision,
        "kind": made.manifest.kind,
        "rows": sum(made.manifest.rows.values()),
        "files": made.files,
        "bytes": made.bytes,
        "key": "encryption.key" in parts,
        "dropped": list(made.dropped),
    }
    whose = "the key that opens it is in it: keep it safe" if told["key"] else "its key is not in it: keep that, too"
    sentence = f"backup {made.name}: {told['rows']} rows, {made.files} files, {made.bytes / MB:.1f} MB; {whose}"
    thing(told, as_json=as_json, sentence=sentence)


def restore(
    place: Backups,
    at: Annotated[
        str | None, typer.Option(metavar="NAME", help="Which backup of the folder. Default: the newest.")
    ] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Put a backup back into an empty data folder or database, after all of it was looked over.

    Keys of --json: name, made_at, revision, rows, files, key.
    """
    from tintype.backends.archive import is_packed, unpacked
    from tintype.backends.archive import restore as put_back

    settings = settings_of(data)
    start_logs(settings, quiet=True)

    async def put(root: Path) -> "Restored":
        async with AsyncExitStack() as stack:
            return await put_back(_premises(settings, stack), root, at)

    with unpacked(place) if is_packed(place) else nullcontext(place) as root:
        found = asyncio.run(put(root))
    made = found.manifest
    told = {
        "name": found.name,
        "made_at": made.made_at,
        "revision": made.revision,
        "rows": sum(made.rows.values()),
        "files": found.files,
        "key": found.has_key,
    }
    sentence = f"backup {found.name} is restored: {told['rows']} rows, {found.files} files"
    thing(told, as_json=as_json, sentence=sentence)


def move(
    to: Annotated[
        str,
        typer.Option(
            metavar="URL", envvar="TINTYPE_MOVE_TO", help="The new database, like postgresql://…", show_default=False
        ),
    ],
    blobs: Annotated[
        str | None, typer.Option(metavar="URL", help="A new place for stored files as well, like s3://…")
    ] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Copy everything from SQLite into an empty PostgreSQL database, while no server runs; nothing is deleted here.

    Keys of --json: tables, rows, files.
    """
    from tintype.backends.archive import move as carry
    from tintype.backends.blobs import open_blobs
    from tintype.backends.database import open_database, sqlite_file

    settings = settings_of(data)
    start_logs(settings, quiet=True)
    file = sqlite_file(settings.database_address())
    if file is None:
        raise Misconfigured("DATABASE_URL: names a server already; `move` starts from the data folder's SQLite")
    if not file.is_file():
        raise Misconfigured(f"there is no database at {str(file)!r} to move")
    if sqlite_file(to) is not None:
        raise typer.BadParameter("moving goes to postgresql://…; SQLite is copied by backup and restore")

    async def carried() -> "Moved":
        async with AsyncExitStack() as stack:
            here, there = _premises(settings, stack), open_database(to)
            stack.push_async_callback(there.close)
            return await carry(here, there, open_blobs(blobs) if blobs else None)

    with _alone(settings):
        moved = asyncio.run(carried())
    told = {"tables": moved.tables, "rows": moved.rows, "files": moved.files}
    thing(told, as_json=as_json, sentence=_after_move(settings, moved, to_bucket=blobs is not None))


def _after_move(settings: "Settings", moved: "Moved", *, to_bucket: bool) -> str:
    wanted = ["DATABASE_URL"]
    if to_bucket:
        wanted.append("BLOBS_URL")
    if settings.encryption_key is None:
        wanted.append(f"ENCRYPTION_KEY (what {settings.data / 'encryption.key'} holds)")
    files = f" and {moved.files} files" if to_bucket else ""
    return f"{moved.rows} rows of {moved.tables} tables{files} are moved; now set {', '.join(wanted)} and start the servers"


@contextmanager
def _alone(settings: "Settings") -> "Generator[None]":
    """Hold the data folder, so that no server works with it meanwhile; raises `Conflict` when one does."""
    from tintype.machinery import lock

    with ExitStack() as stack:
        if not lock(settings.data, stack):
            raise Conflict(f"a server works with {str(settings.data)!r}; stop it before everything is moved")
        yield


def _premises(settings: "Settings", stack: AsyncExitStack) -> "Premises":
    """Return where the house of these settings keeps everything; its database is closed by `stack`."""
    from tintype.backends.archive import Premises
    from tintype.backends.blobs import open_blobs
    from tintype.backends.database import open_database

    import_module("tintype.app")  # so that every table is known
    database = open_database(settings.database_address())
    stack.push_async_callback(database.close)
    keys = (settings.encryption_key, *settings.encryption_keys_old) if settings.encryption_key else ()
    return Premises(
        data=settings.data,
        database=database,
        blobs=open_blobs(settings.blobs_address()),
        jobs=settings.data / "jobs.db",
        downloads=settings.data / "instaloader",
        keys=tuple(key.get_secret_value() for key in keys),
    )
