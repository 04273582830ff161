"""The feed from the command line: `sync` with its progress, `feed show` and `feed collect`."""

import asyncio
from collections.abc import Sequence
from contextlib import nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from tintype.cli.finding import find_accounts, find_workspace
from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, Exit, Row, note, rows, say_json, thing

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.accounts import Account
    from tintype.core.feed import Item

feeds = typer.Typer(help="A workspace's feed.", no_args_is_help=True)

_LOOK_SECONDS = 0.4
_CAPTION = 60  # characters shown in a table
# A sync of another process records its copies batch by batch; files younger than this may belong to one.
_UNRECORDED = timedelta(hours=1)

_COLUMNS = {
    "username": "account",
    "state": "state",
    "photos": "posts",
    "stored": "new or changed",
    "removed": "removed",
    "error": "what went wrong",
}


class Watcher(Protocol):
    """Sees how far an account's sync is."""

    def begin(self, account: "Account") -> None: ...
    def reached(self, account: "Account", posts: int) -> None: ...
    def end(self, account: "Account", state: str, posts: int) -> None: ...


def sync(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[WORKSPACE or ACCOUNT …]", help="Default: all connected accounts.")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read everything again, not only what is new.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on until interrupted.")] = False,
    every: Annotated[float, typer.Option(min=1, help="Seconds between two rounds of --watch.")] = 60.0,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Bring accounts up to date with Instagram and wait until they are; ends with 1 when one could not be.

    The running server does the work, or this command when there is none. Keys of --json, for each account (one line a
    round with --watch): account_id, username, workspace_id, state, photos, stored, removed, synced_at, error.
    """

    async def rounds(house: "House") -> bool:
        while True:
            well = await _round(house, names or [], deep=deep, as_json=as_json)
            if not watch:
                return well
            await asyncio.sleep(every)

    if not in_house(settings_of(data), rounds, work=True):
        raise typer.Exit(Exit.TROUBLE)


async def _round(house: "House", names: Sequence[str], *, deep: bool, as_json: bool) -> bool:
    from tintype.core.accounts import State

    found = await find_accounts(house, names)
    chosen = [one for one in found if names or one.state is State.CONNECTED]
    with _progress(hidden=as_json) as watcher:
        results = await asyncio.gather(*(_sync_one(house, account, watcher, deep=deep) for account in chosen))
        if house.backends.works and any(one["stored"] for one in results):
            # Nobody else would make the sizes of the new pictures before a browser asks for them.
            job = await house.backends.engine.enqueue("feed.render", unique="feed.render")
            while (await house.backends.engine.outcome(job, wait=5)).state.value in ("waiting", "running"):
                pass
    rows(results, as_json=as_json, empty="No account is connected.", columns=_COLUMNS)
    return all(one["state"] == "done" for one in results)


async def _sync_one(house: "House", account: "Account", watcher: "Watcher | None", *, deep: bool) -> dict[str, object]:
    job = await house.feed.queue(account, deep=deep, again=True)
    if watcher:
        watcher.begin(account)
    while (outcome := await house.backends.engine.outcome(job, wait=_LOOK_SECONDS)).state.value in (
        "waiting",
        "running",
    ):
        if watcher:
            watcher.reached(account, len(await house.feed.items(account.workspace_id, account.id)))
    result = outcome.result
    photos = result.get("photos")
    if watcher:
        watcher.end(account, outcome.state.value, photos if isinstance(photos, int) else 0)
    return {
        "account_id": account.id,
        "username": account.username or account.instagram_id,
        "workspace_id": account.workspace_id,
        "state": outcome.state.value,
        "photos": photos,
        "stored": result.get("stored"),
        "removed": result.get("removed"),
        "synced_at": result.get("synced_at"),
        "error": outcome.error,
    }


def _progress(*, hidden: bool) -> "_Bars | nullcontext[None]":
    import sys

    return nullcontext() if hidden or not sys.stderr.isatty() else _Bars()


class _Bars:
    """A bar for each account, on stderr; Instagram does not say beforehand how long it will be."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.completed:.0f} posts"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bars: dict[str, object] = {}

    def __enter__(self) -> "Watcher":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, account: "Account") -> None:
        self._bars[account.id] = self._progress.add_task(account.username or account.instagram_id, total=None)

    def reached(self, account: "Account", posts: int) -> None:
        self._progress.update(self._bars[account.id], completed=posts)  # pyright: ignore[reportArgumentType] - as add_task gave it

    def end(self, account: "Account", state: str, posts: int) -> None:
        self._progress.update(self._bars[account.id], completed=posts, total=posts or 1)  # pyright: ignore[reportArgumentType] - as add_task gave it


@feeds.command("show")
def show_feed(
    named: Annotated[str, typer.Argument(metavar="WORKSPACE", help="Id or name.", show_default=False)],
    limit: Annotated[int | None, typer.Option(min=1, help="Only the newest.")] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Show what a workspace's websites get, newest first.

    Keys of --json: workspace_id, synced_at, stale, items; of an item: id, kind, product, caption, alt_text, permalink,
    posted_at, copied, width, height, bytes, children.
    """

    async def look(house: "House") -> dict[str, object]:
        workspace = await find_workspace(house, named)
        view = await house.feed.view(workspace.id)
        items = [_item(one) for one in view.items[:limit]]
        return {"workspace_id": workspace.id, "synced_at": view.synced_at, "stale": view.stale, "items": items}

    found = in_house(settings_of(data), look)
    if as_json:
        say_json(found)
        return
    if found["stale"]:
        note(f"This feed is stale: {found['stale']}.")
    items: list[Row] = found["items"]  # pyright: ignore[reportAssignmentType] - as made above
    short = [{**one, "caption": _shortened(str(one["caption"]))} for one in items]
    columns = {"posted_at": "posted", "kind": "kind", "children": "parts", "copied": "copied", "caption": "caption"}
    rows(short, as_json=False, empty="This feed shows nothing yet.", columns={"id": "id", **columns})


def _item(item: "Item") -> dict[str, object]:
    picture = item.picture
    return {
        "id": item.id,
        "kind": item.kind,
        "product": item.product,
        "caption": item.caption,
        "alt_text": item.alt_text,
        "permalink": item.permalink,
        "posted_at": item.posted_at,
        "copied": picture is not None and (item.kind != "VIDEO" or item.video is not None),
        "width": picture.width if picture else None,
        "height": picture.height if picture else None,
        "bytes": (picture.bytes if picture else 0) + (item.video.bytes if item.video else 0),
        "children": len(item.children),
    }


def _shortened(caption: str) -> str:
    line = " ".join(caption.split())
    return line if len(line) <= _CAPTION else f"{line[: _CAPTION - 1]}…"


@feeds.command("collect")
def collect(
    grace: Annotated[
        float | None, typer.Option(min=0, metavar="SECONDS", help="How long an unused copy stays. Default: a day.")
    ] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Drop own copies that no post shows any more, at Cloudinary too, and files that a killed process left.

    Beside a running server, files of the last hour without a record stay: they may belong to its sync. Pictures that somebody
    took out of Cloudinary are noticed; the server puts them there again. Keys of --json: collected, lost.
    """
    settings = settings_of(data)

    async def drop(house: "House") -> tuple[int, int]:
        from tintype.machinery import is_worked

        kept = house.feed.policy.grace if grace is None else timedelta(seconds=grace)
        shared = not house.backends.database.is_sqlite or is_worked(settings)
        taken = await house.feed.hosting.collect(kept)
        lost = await house.feed.hosting.find_lost()
        dropped = await house.renditions.collect(kept, strays_too=max(kept, _UNRECORDED) if shared else kept)
        return taken + dropped, lost

    count, lost = in_house(settings, drop)
    if lost:
        note(
            f"{lost} pictures are at Cloudinary no longer; own copies are shown until the server has put them there again"
        )
    thing({"collected": count, "lost": lost}, as_json=as_json, sentence=f"{count} copies and files are gone")
