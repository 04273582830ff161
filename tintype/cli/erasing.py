"""Giving out, and erasing, all that is stored of a workspace or of a person: `export` and `erase`."""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, note, thing
from tintype.errors import Conflict, Invalid, NotFound, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tintype.app import House
    from tintype.backends.archive import Chosen, Marks
    from tintype.cli.belongings import Named
    from tintype.core.accounts import Account

Room = Annotated[str | None, typer.Option("--workspace", metavar="WORKSPACE", help="Id, or name if no other has it.")]
Person = Annotated[
    str | None, typer.Option("--person", metavar="INSTAGRAM_ID", help="A person's id on Instagram, or @name.")
]
_HEARD_SECONDS = 1.0  # other processes read the journal every 0.4 s


def export(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="A new folder.", show_default=False)],
    workspace: Room = None,
    person: Person = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Write all that is stored of a workspace, or of a person in all workspaces: rows as JSON, and files.

    Sealed secrets and digests of tokens are not shown. Keys of --json: place, rows, files.
    """
    _one_of(workspace, person)
    if output.exists() and any(output.iterdir()):
        raise Conflict(f"{str(output)!r} is not empty; give a new folder")

    async def write(house: "House") -> dict[str, object]:
        async with house.backends.database.read() as connection:
            rows, named = await connection.run_sync(_written, await _subject(house, workspace, person), output)
        files = await _save_files(house, named, output / "files", await _uploads(house, workspace))
        return {"place": str(output), "rows": rows, "files": files}

    told = in_house(settings_of(data), write)
    thing(told, as_json=as_json, sentence=f"{told['rows']} rows and {told['files']} files are written to {output}")


def erase(
    workspace: Room = None,
    person: Person = None,
    sure: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Erase all that is stored of a workspace, or of a person in all workspaces. Nothing brings it back but a backup.

    Keys of --json: rows (by table), files, jobs.
    """
    _one_of(workspace, person)
    if not sure:
        _ask(f"Erase everything of {'workspace' if workspace else 'person'} {workspace or person!r}?")
    settings = settings_of(data)

    async def forget(house: "House") -> dict[str, object]:
        subject = await _subject(house, workspace, person)
        digests = await house.access.records.digests(subject[0]) if workspace else ()
        accounts = await _let_go(house, subject)
        await _uncache(house, subject, accounts, digests)
        uploads = await _uploads(house, subject[0] if workspace else None)
        database = house.backends.database
        async with database.write(durable=True) as connection:
            gone, named, marks = await connection.run_sync(_erased, subject, uploads)
        files = await _drop_files(house, named)
        jobs = await _forget_jobs(house, marks)
        await _tell(house, accounts, marks)
        with suppress(Unavailable):  # what somebody read in between; it was there a moment ago
            await _uncache(house, subject, accounts, digests)
        await _wipe(house)
        return {"rows": gone, "files": files, "jobs": jobs}

    told: dict[str, Any] = in_house(settings, forget)
    count = sum(told["rows"].values())
    thing(told, as_json=as_json, sentence=f"{count} rows, {told['files']} files and {told['jobs']} jobs are erased")


Subject = tuple[str, bool]  # the id, and whether it is a workspace's


def _one_of(workspace: str | None, person: str | None) -> None:
    if (workspace is None) == (person is None):
        raise typer.BadParameter("give either --workspace or --person", param_hint="--workspace")


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        raise typer.BadParameter("nobody is there to be asked; say that you are sure", param_hint="--yes")
    if not typer.confirm(question, err=True):
        raise typer.Exit(1)


async def _subject(house: "House", workspace: str | None, person: str | None) -> Subject:
    """Return who is meant; raises `Invalid` for a word as which many may have been registered."""
    from tintype.cli.finding import find_workspace

    if workspace is None:
        assert person is not None
        if person == "me":
            raise Invalid("--person: 'me' may be anybody; give an id, or a user name like @name")
        return person, False
    try:
        return (await find_workspace(house, workspace)).id, True
    except NotFound:
        return workspace, True  # the id of one that was removed, perhaps


def _chosen(connection: "Connection", subject: Subject) -> "tuple[Chosen, Marks]":
    from tintype.cli.belongings import of_person, of_workspace

    meant, is_workspace = subject
    return of_workspace(connection, meant) if is_workspace else of_person(connection, meant)


def _written(connection: "Connection", subject: Subject, folder: Path) -> "tuple[int, Named]":
    from tintype.backends.archive import belonging
    from tintype.cli.belongings import Named, shown

    chosen, _ = _chosen(connection, subject)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    named, count = Named(), 0
    for table, rows in belonging(connection, chosen):
        with (folder / f"{table.name}.jsonl").open("a") as file:
            for row in rows:
                named.add(table.name, row)
                file.write(json.dumps(shown(table, row), ensure_ascii=False, default=str) + "\n")
        count += len(rows)
    return count, named


def _erased(
    connection: "Connection", subject: Subject, uploads: list[str]
) -> "tuple[dict[str, int], Named, frozenset[str]]":
    """Delete the rows, and write down as debts what lies in stores, so that it goes even if this process is killed now."""
    from tintype.backends.archive import erase as erase_rows
    from tintype.cli.belongings import named_by, owe, still_needed

    chosen, marks = _chosen(connection, subject)
    named = named_by(connection, chosen)
    gone = erase_rows(connection, chosen)
    named.keys.update(uploads)
    named.keys -= still_needed(connection, frozenset(named.keys))
    owe(connection, named)
    return gone, named, frozenset(marks.words)


async def _let_go(house: "House", subject: Subject) -> "Sequence[Account]":
    """Close every door first, tokens and accounts; return the accounts of a person."""
    from tintype.events import WorkspaceChanged

    meant, is_workspace = subject
    if is_workspace:
        try:
            await house.access.remove(meant)
        except NotFound:  # removed before, perhaps unheard; what is left of it goes now
            await house.backends.bus.publish(WorkspaceChanged(meant))
        await house.feed.leave(meant)
        return ()
    records = house.accounts.records
    by_name = meant.startswith("@")
    found = await (records.named(meant.removeprefix("@")) if by_name else records.of_instagram(meant))
    for account in found:
        await house.accounts.disconnect(account.workspace_id, account.id, reason="its person is erased")
    return found


async def _uncache(house: "House", subject: Subject, accounts: "Sequence[Account]", digests: Sequence[str]) -> None:
    """Take out of Redis what it knows; raises `Unavailable`, and before anything else is gone."""
    from tintype.api.cached import forget_feeds, forget_workspace

    meant, is_workspace = subject
    if is_workspace:
        await forget_workspace(house.backends.cache, meant, digests)
    else:
        await forget_feeds(house.backends.cache, {one.workspace_id for one in accounts})


async def _tell(house: "House", accounts: "Sequence[Account]", words: frozenset[str]) -> None:
    """Let other processes forget what they remember, and then take out of the journal what told them."""
    from tintype.cli.belongings import forget_events
    from tintype.events import MediaSynced

    for account in accounts:
        await house.backends.bus.publish(MediaSynced(account.workspace_id, account.id, changed=True))
    await asyncio.sleep(_HEARD_SECONDS)
    async with house.backends.database.write(durable=True) as connection:
        await connection.run_sync(forget_events, words)


async def _uploads(house: "House", workspace_id: str | None) -> list[str]:
    """Return what a workspace uploaded to be published, used or not."""
    if workspace_id is None:
        return []
    return [blob.key async for blob in house.backends.blobs.list(f"publishing/uploads/{workspace_id}")]


async def _drop_files(house: "House", named: "Named") -> int:
    from datetime import timedelta

    stores = house.picking.files.storing.stores
    done = await stores.pay()
    done += await house.renditions.collect(timedelta(0), strays_too=timedelta(hours=2))
    done += await _leave_cloud(house)
    for shortcode, download_id in named.posts.items():
        await asyncio.to_thread(house.downloads.folders.remove, shortcode, download_id)
    return done + len(named.posts)


async def _leave_cloud(house: "House") -> int:
    """Take out of the operator's cloud what nothing shows any more, and say so when not all of it could be."""
    from datetime import timedelta

    done = await house.feed.hosting.collect(timedelta(0))
    standing = await house.feed.hosting.standing()
    if standing and standing.leaving:
        note(f"{standing.leaving} pictures are still at Cloudinary ({standing.problem}); the server goes on asking")
    return done


async def _forget_jobs(house: "House", words: frozenset[str]) -> int:
    from tintype.backends.engine_jobs import forget_jobs
    from tintype.machinery import engine_url

    return await forget_jobs(engine_url(house.settings, house.backends.database), words)


async def _wipe(house: "House") -> None:
    """Take what was deleted out of SQLite's files as well; PostgreSQL overwrites it by itself in time."""
    from tintype.backends.archive import compact
    from tintype.backends.database import sqlite_file

    file = sqlite_file(house.backends.database.url)
    for place in (file, house.settings.data / "jobs.db") if file else ():
        if place.is_file() and not await asyncio.to_thread(compact, place):
            note(f"{place.name} is busy: what was erased stays in free pages of it until the server is restarted")


async def _save_files(house: "House", named: "Named", folder: Path, uploads: list[str]) -> int:
    """Write every file that rows name; one that is gone is left out."""
    home, stores, done = house.backends.blobs, house.picking.files.storing.stores, 0
    wanted = [*named.keys, *uploads]
    for digest in sorted(named.digests):
        wanted += [blob.key async for blob in home.list(f"media/{digest[:2]}/{digest}")]
    for key in sorted(set(wanted)):
        done += await _save(home.stream(key), folder / key)
    for store, place in sorted(named.places):
        try:
            source = stores.blobs(store) if store else home
        except Unavailable as trouble:
            note(trouble.message)
            continue
        done += await _save(source.stream(place), folder / (store or "home") / place)
    for shortcode in sorted(named.posts):
        place = house.downloads.folders.folder(shortcode)
        if place.is_dir():
            await asyncio.to_thread(shutil.copytree, place, folder / "downloads" / shortcode)
            done += sum(1 for _ in place.iterdir())
    return done


async def _save(chunks: AsyncIterator[bytes], place: Path) -> bool:
    try:
        first = await anext(chunks, b"")
    except (NotFound, Unavailable):
        return False
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        file.write(first)
        async for chunk in chunks:
            file.write(chunk)
    return True
