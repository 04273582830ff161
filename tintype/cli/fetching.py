"""Posts from the command line: `fetch`, with its progress and its summary."""

import asyncio
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from tintype.cli.opening import Folder, in_house, settings_of
from tintype.cli.output import AsJson, Exit, Row, note, rows, say_json
from tintype.errors import Invalid, Trouble

if TYPE_CHECKING:
    from tintype.app import House
    from tintype.core.downloads import Download, Post

_AT_ONCE = 4
_LOOK_SECONDS = 0.2
_MIB = 1024 * 1024

_COLUMNS = {
    "shortcode": "post",
    "status": "state",
    "kind": "kind",
    "files": "files",
    "bytes": "bytes",
    "path": "where",
    "error": "what went wrong",
}


_NAMES = ("kind", "caption", "owner", "taken_at", "source", "files", "bytes", "path", "error", "code")


class Watcher(Protocol):
    """Sees how far posts are."""

    def begin(self, name: str) -> None: ...
    def reached(self, name: str, count: int) -> None: ...
    def end(self, name: str, count: int, *, well: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One link that was given, understood or not."""

    url: str
    shortcode: str | None
    problem: str | None = None


def fetch(
    urls: Annotated[
        list[str] | None,
        typer.Argument(metavar="[URL …]", help="Addresses of posts; - reads them from standard input, one a line."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="A file with addresses, one a line; # begins a remark."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Put the files there. Else the data folder.")
    ] = None,
    data: Folder = None,
    as_json: AsJson = False,
) -> None:
    """Download posts, reels and carousels by their addresses; ends with 1 when one could not be had.

    What is here already is not fetched again, so a list that was broken off goes on when it is given again. Keys of
    --json, for each: url, shortcode, status, kind, caption, owner, taken_at, source, files, bytes, path, error, code.
    """
    wanted = [_understood(url) for url in _listed(urls or [], source)]
    if not wanted:
        raise typer.BadParameter("give addresses, --from FILE, or - for standard input", param_hint="URL")

    async def get(house: "House") -> list[dict[str, object]]:
        slots = asyncio.Semaphore(_AT_ONCE)
        with _progress(len(wanted), hidden=as_json) as watcher:
            return await asyncio.gather(*(_one(house, one, out, watcher, slots) for one in wanted))

    found = in_house(settings_of(data), get)
    if as_json:
        say_json(found)
    else:
        rows(found, as_json=False, empty="", columns=_COLUMNS)
        note(_summary(found))
    if any(one["status"] != "done" for one in found):
        raise typer.Exit(Exit.TROUBLE)


def _listed(urls: Sequence[str], source: Path | None) -> list[str]:
    given: list[str] = []
    for url in urls:
        given.extend(_lines(sys.stdin) if url == "-" else (url,))
    if source is not None:
        try:
            given.extend(_lines(source.read_text().splitlines()))
        except (OSError, UnicodeDecodeError) as error:
            raise typer.BadParameter(f"{source} cannot be read: {error}", param_hint="--from") from None
    return list(dict.fromkeys(given))


def _lines(found: Iterable[str]) -> list[str]:
    lines = (line.strip() for line in found)
    return [line for line in lines if line and not line.startswith("#")]


def _understood(url: str) -> _Wanted:
    from tintype.instagram.links import parse_link

    try:
        link = parse_link(url)
    except Invalid as trouble:
        return _Wanted(url, None, trouble.message)
    if link.shortcode is None:
        return _Wanted(url, None, f"the link leads to a {link.kind}, not to a post or reel")
    return _Wanted(url, link.shortcode)


async def _one(
    house: "House", wanted: _Wanted, out: Path | None, watcher: "Watcher | None", slots: asyncio.Semaphore
) -> dict[str, object]:
    if wanted.shortcode is None:
        return _row(wanted) | {"error": wanted.problem, "code": "invalid_url"}
    async with slots:
        if watcher:
            watcher.begin(wanted.shortcode)
        try:
            found = await _ended(house, wanted.shortcode, watcher)
            row = await _had(house, wanted, found, out)
        except Trouble as trouble:
            row = _row(wanted) | {"error": trouble.message, "code": trouble.kind.value}
        except OSError as error:
            row = _row(wanted) | {"error": f"the files could not be put there: {error.strerror}", "code": "output"}
        if watcher:
            size = row["bytes"]
            watcher.end(wanted.shortcode, size if isinstance(size, int) else 0, well=row["status"] == "done")
        return row


async def _ended(house: "House", shortcode: str, watcher: "Watcher | None") -> "Download":
    found = await house.downloads.ask(shortcode, wait=_LOOK_SECONDS)
    while found.state.value == "running":
        if watcher:
            watcher.reached(shortcode, await asyncio.to_thread(house.downloads.written, found))
        found = await house.downloads.wait(found, _LOOK_SECONDS)
    return found


async def _had(house: "House", wanted: _Wanted, found: "Download", out: Path | None) -> dict[str, object]:
    if found.post is None:
        failure = found.failure
        assert failure is not None
        return _row(wanted) | {"error": failure.message, "code": failure.code}
    post, folder = found.post, house.downloads.folders.folder(found.shortcode)
    if out is not None:
        await asyncio.to_thread(_put, folder, post, out)
    return _row(wanted) | {
        "status": "done",
        "kind": post.kind.lower(),
        "caption": post.caption,
        "owner": post.owner,
        "taken_at": post.taken_at,
        "source": post.source,
        "files": len(post.files),
        "bytes": sum(file.bytes for file in post.files),
        "path": str((out or folder) / post.main.name) if len(post.files) == 1 else str(out or folder),
    }


def _row(wanted: _Wanted) -> dict[str, object]:
    nothing: dict[str, object] = {name: None for name in _NAMES}  # noqa: C420 - typed, where fromkeys is not
    return {"url": wanted.url, "shortcode": wanted.shortcode, "status": "failed", **nothing}


def _put(folder: Path, post: "Post", out: Path) -> None:
    """Copy a post's files where they are wanted; a file that is there in full is left alone, half a one never seen."""
    out.mkdir(parents=True, exist_ok=True)
    for file in post.files:
        place = out / file.name
        if place.is_file() and place.stat().st_size == file.bytes:
            continue
        beside = out / f".{file.name}.{os.getpid()}"
        try:
            shutil.copyfile(folder / file.name, beside)
            beside.rename(place)
        finally:
            beside.unlink(missing_ok=True)


def _summary(found: Sequence[Row]) -> str:
    had = [one for one in found if one["status"] == "done"]
    size = sum(one["bytes"] for one in had if isinstance(one["bytes"], int))
    missing = len(found) - len(had)
    said = f"{len(had)} of {len(found)} posts, {size / _MIB:.1f} MiB"
    return f"{said}; {missing} could not be had" if missing else said


def _progress(count: int, *, hidden: bool) -> "_Bars | nullcontext[None]":
    return nullcontext() if hidden or not sys.stderr.isatty() else _Bars(count)


class _Bars:
    """A bar for all posts and a line for each that is under way, on stderr."""

    def __init__(self, count: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._count = count
        self._ended = 0
        self._all = self._progress.add_task(f"0 of {count} posts", total=count)
        self._bars: dict[str, object] = {}

    def __enter__(self) -> "Watcher":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begin(self, name: str) -> None:
        self._bars[name] = self._progress.add_task(name, total=None)

    def reached(self, name: str, count: int) -> None:
        self._progress.update(self._bars[name], completed=count)  # pyright: ignore[reportArgumentType] - as add_task gave it

    def end(self, name: str, count: int, *, well: bool) -> None:
        del well
        self._progress.update(self._bars[name], completed=count, total=count or 1, visible=False)  # pyright: ignore[reportArgumentType] - as add_task gave it
        self._ended += 1
        self._progress.update(self._all, description=f"{self._ended} of {self._count} posts", completed=self._ended)
