"""Looks at pictures and makes their sizes, in worker processes: a file that kills a decoder costs one job, no more.

The workers run `image_worker.py` with libvips. They are started when they are first needed, never by forking this
process (it has threads), are renewed after some hundred jobs, and end with this process however it ends.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from tintype.backends.image_operations import Converted, Operation, Output, as_job
from tintype.errors import Invalid, TooLarge, Trouble, Unavailable, Unsupported

SIZES = (320, 640, 1080)
FORMATS = ("avif", "webp", "jpeg")
BACKGROUNDS = ("white", "blur", "dominant")

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_JOBS_PER_WORKER = 500
_WAITING = 64
_JOB_SECONDS = 60.0  # of the clock; the worker's own limit counts CPU and comes first on an idle machine
_BUFFER = 4 * 1024 * 1024
_REMEMBERED = 4096  # pictures that need nothing more, one to four kB each
_LONG = 1024 * 1024  # bytes whose digest is taken beside the loop
_SHARED = 8 * 1024 * 1024  # bytes of shared memory that a worker may keep between jobs
_PROGRAM = Path(__file__).with_name("image_worker.py")
_HOUSE = str(Path(__file__).parents[2])
# The worker sees hostile files, so it gets none of our environment but what Python itself may need.
_KEPT_ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG")
# A decoder that hits a bug or its limits ends by one of these; other ends are not the file's fault.
_OF_THE_FILE = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGXCPU}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was decoded completely: format, upright size in pixels, mean colour, ThumbHash in base64."""

    format: str
    width: int
    height: int
    colour: str
    thumbhash: str

    @property
    def content_type(self) -> str:
        return f"image/{self.format}"


@dataclass(frozen=True, slots=True)
class Rendition:
    """One made picture. `size` is the width that was asked for, `width` the real one, never above the source's."""

    size: int
    width: int
    height: int
    format: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Fit:
    """What a picture has to be like: ratios of width to height, pixels across, bytes; `text` is drawn on it.

    `pad` shows all of it on a larger canvas, `crop` fills the canvas, `as_is` refuses a ratio that is not allowed. The
    background is `white`, `#rrggbb`, `blur` or `dominant`; `ratio` is the one ratio that a carousel's pictures share.
    """

    ratio_min: float
    ratio_max: float
    width_min: int
    width_max: int
    bytes_max: int
    mode: Literal["pad", "crop", "as_is"] = "pad"
    background: str = "white"
    ratio: float | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        if self.background not in BACKGROUNDS and not _COLOUR.fullmatch(self.background):
            raise Invalid(f"{self.background[:40]!r} is no background; write white, blur, dominant or #rrggbb")


@dataclass(frozen=True, slots=True)
class Fitted:
    """A JPEG that fits, the SHA-256 of its bytes, and what was done to it: `rotated`, `padded`, `text drawn` … or nothing."""

    data: bytes = field(repr=False)
    digest: str
    width: int
    height: int
    changes: tuple[str, ...]


@dataclass(slots=True)
class _Worker:
    process: Process
    shared: int | None  # memory that it sees as well, so that a picture is copied into it once and goes through no pipe
    jobs: int = 0


class _Turns:
    """Lets so many jobs run at once. Short ones go before long ones: a new post is shown before an old one has all sizes."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._short: deque[asyncio.Future[None]] = deque()
        self._long: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        return len(self._short) + len(self._long)

    async def take(self, *, short: bool) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        lane = self._short if short else self._long
        lane.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give()
            else:
                with contextlib.suppress(ValueError):  # `give` may have passed over it already
                    lane.remove(turn)
            raise

    def give(self) -> None:
        for lane in (self._short, self._long):
            while lane:
                turn = lane.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1


class _Proven:
    """What was found of pictures that fit as they are, or without their metadata; those that were asked for last."""

    def __init__(self) -> None:
        self._told: OrderedDict[tuple[str, Fit], dict[str, Any]] = OrderedDict()

    def get(self, key: tuple[str, Fit]) -> dict[str, Any] | None:
        told = self._told.get(key)
        if told is not None:
            self._told.move_to_end(key)
        return told

    def keep(self, key: tuple[str, Fit], told: dict[str, Any]) -> None:
        self._told[key] = told
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)


class Images:
    """The picture workshop; every method takes an encoded picture and raises

    `Invalid` for a damaged one, `Unsupported` for one that is no JPEG, PNG, WebP, AVIF or GIF, `TooLarge` for too many
    pixels, and `Unavailable` (retry after a second) when too many jobs wait already.
    """

    def __init__(self, workers: int = os.cpu_count() or 1) -> None:
        self.workers = workers
        self._turns = _Turns(workers)
        self._idle: list[_Worker] = []
        self._alive: dict[Process, int | None] = {}
        self._proven = _Proven()
        self._closed = False

    @property
    def waiting(self) -> int:
        """How many jobs wait for a worker."""
        return self._turns.waiting

    async def inspect(self, data: bytes) -> Picture:
        """Decode the picture completely and say what it is."""
        picture, _ = await self._ask(data, (), (), describe=True)
        return Picture(**picture)

    async def render(
        self, data: bytes, sizes: Sequence[int] = SIZES, formats: Sequence[str] = FORMATS
    ) -> list[Rendition]:
        """Return every size in every format; a size above the source's width has the source's width."""
        return (await self._ask(data, sizes, formats, describe=False))[1]

    async def prepare(
        self, data: bytes, sizes: Sequence[int] = SIZES, formats: Sequence[str] = FORMATS
    ) -> tuple[Picture, list[Rendition]]:
        """Inspect and render with one decoding, which is what a new picture needs."""
        picture, made = await self._ask(data, sizes, formats, describe=True)
        return Picture(**picture), made

    async def fit(self, data: bytes, fit: Fit) -> Fitted:
        """Return the picture as a JPEG that meets `fit`, its own bytes when it does already.

        A picture that cannot be used at all raises `Unsupported` with the sentence that callers of old know. One that was
        right is known by its bytes from then on: what goes to ten accounts, or was tried before, is decoded once.
        """
        given = await _digest(data)
        key = (given, fit)
        told, body = self._proven.get(key), b""
        if told is None:
            wish = {each.name: getattr(fit, each.name) for each in fields(fit)}
            told, body = await self._answered({"bytes": len(data), "fit": wish}, data, short=False)
            if "kept" in told:
                self._proven.keep(key, told)
        made = _made(told, body, data)
        if "digest" not in told:
            told["digest"] = given if made is data else await _digest(made)
        return Fitted(made, told["digest"], told["width"], told["height"], tuple(told["changes"]))

    async def convert(
        self,
        data: bytes,
        operations: tuple[Operation, ...],
        output: Output,
        overlays: Mapping[str, bytes] | None = None,
    ) -> Converted:
        """Return the picture after `operations`, written as `output` says; `overlays` are the watermarks by their names."""
        parts = [data, *(overlays or {}).values()]
        wish = {"lengths": list(map(len, parts)), "overlays": list(overlays or {}), **as_job(operations, output)}
        whole = data if len(parts) == 1 else b"".join(parts)
        told, body = await self._answered({"bytes": len(whole), "convert": wish}, whole, short=True)
        return Converted(_made(told, body, data), told["format"], told["width"], told["height"])

    async def close(self) -> None:
        """End all workers, those at work as well."""
        self._closed = True
        self._idle.clear()
        processes = list(self._alive)
        for process in processes:
            self._forget(process)
        await asyncio.gather(*map(_end, processes))

    async def _ask(
        self, data: bytes, sizes: Sequence[int], formats: Sequence[str], *, describe: bool
    ) -> tuple[dict[str, Any], list[Rendition]]:
        wanted = [size for size in dict.fromkeys(sizes) if size > 0]
        job = {"bytes": len(data), "sizes": wanted, "formats": list(formats), "describe": describe}
        told, body = await self._answered(job, data, short=not wanted)
        return told["picture"], _renditions(wanted, told["made"], body)

    async def _answered(self, job: dict[str, Any], data: bytes, *, short: bool) -> tuple[dict[str, Any], bytes]:
        told, body = await self._queued(json.dumps(job).encode() + b"\n", data, short=short)
        if "refused" in told:
            raise _trouble(told["refused"], told["message"])
        return told, body

    async def _queued(self, line: bytes, data: bytes, *, short: bool) -> tuple[dict[str, Any], bytes]:
        if self._closed or self._turns.waiting >= _WAITING:
            raise Unavailable("too many pictures wait to be converted; try again in a moment", retry_after=1)
        await self._turns.take(short=short)
        try:
            return await self._run(line, data)
        finally:
            self._turns.give()

    async def _run(self, line: bytes, data: bytes) -> tuple[dict[str, Any], bytes]:
        worker = await self._worker()
        try:
            async with asyncio.timeout(_JOB_SECONDS):
                told, body = await _exchange(worker, line, data)
        except TimeoutError:
            await self._discard(worker)
            raise Invalid("the picture takes too long to decode") from None
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            code = await self._discard(worker)
            if worker.jobs and not _of_the_file(code):
                return await self._run(line, data)  # it died idle, or was killed from outside: not the file's fault
            raise _died(code) from None
        except BaseException:
            # A cancelled job leaves half an answer in the pipe, so its worker cannot be asked again.
            await asyncio.shield(self._discard(worker))
            raise
        worker.jobs += 1
        if worker.jobs < _JOBS_PER_WORKER and not self._closed:
            self._idle.append(worker)
        else:
            await self._discard(worker)
        return told, body

    async def _worker(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.process.returncode is None:
                return worker
            self._forget(worker.process)
        shared = os.memfd_create("picture") if hasattr(os, "memfd_create") else None
        seen = () if shared is None else (shared,)
        command = (sys.executable, "-P", str(_PROGRAM), *map(str, seen))
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, env=_environment(), limit=_BUFFER, pass_fds=seen
        )
        self._alive[process] = shared
        return _Worker(process, shared)

    async def _discard(self, worker: _Worker) -> int:
        self._forget(worker.process)
        return await _end(worker.process)

    def _forget(self, process: Process) -> None:
        shared = self._alive.pop(process, None)
        if shared is not None:
            os.close(shared)


async def _digest(data: bytes) -> str:
    """Return the SHA-256 of a picture, that of a large one without keeping others waiting."""
    if len(data) > _LONG:
        return (await asyncio.to_thread(hashlib.sha256, data)).hexdigest()
    return hashlib.sha256(data).hexdigest()


async def _exchange(worker: _Worker, line: bytes, data: bytes) -> tuple[dict[str, Any], bytes]:
    process = worker.process
    assert process.stdin is not None
    assert process.stdout is not None
    if worker.shared is None:
        process.stdin.write(line + data)
    else:
        _share(worker.shared, data)
        process.stdin.write(line)
    await process.stdin.drain()
    told = json.loads(await process.stdout.readuntil(b"\n"))
    return told, await process.stdout.readexactly(sum(each["bytes"] for each in told.get("made", [])))


def _made(told: Mapping[str, Any], body: bytes, data: bytes) -> bytes:
    """Return the one result: what came, or those of the picture's own bytes that are left."""
    if "kept" not in told:
        return body
    view, kept = memoryview(data), [(start, end) for start, end in told["kept"]]
    return data if kept == [(0, len(data))] else b"".join(view[start:end] for start, end in kept)


def _share(shared: int, data: bytes) -> None:
    if os.fstat(shared).st_size > max(len(data), _SHARED):
        os.ftruncate(shared, len(data))  # gives the memory of a huge one back
    view, at = memoryview(data), 0
    while at < len(view):
        at += os.pwrite(shared, view[at:], at)


async def _end(process: Process) -> int:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(0.2):  # one that is idle goes by itself, and one that died tells of what
            return await process.wait()
    except TimeoutError:
        if process.returncode is None:
            process.kill()
        return await process.wait()


def _renditions(sizes: Sequence[int], made: Sequence[dict[str, Any]], body: bytes) -> list[Rendition]:
    by_width: dict[int, list[Rendition]] = {}
    at = 0
    for each in made:
        width, data = each["width"], body[at : at + each["bytes"]]
        by_width.setdefault(width, []).append(Rendition(width, width, each["height"], each["format"], data))
        at += each["bytes"]
    widest = max(by_width, default=0)
    return [replace(one, size=size) for size in sizes for one in by_width.get(min(size, widest), [])]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    paths = os.pathsep.join([_HOUSE, *filter(None, [kept.get("PYTHONPATH")])])
    # libvips' own threads gain nothing for thumbnails, and glibc's arenas only keep memory.
    return {**kept, "PYTHONPATH": paths, "VIPS_CONCURRENCY": "1", "VIPS_WARNING": "0", "MALLOC_ARENA_MAX": "2"}


def _trouble(kind: str, message: str) -> Trouble:
    match kind:
        case "too_large":
            return TooLarge(message)
        case "unsupported":
            return Unsupported(message)
        case _:
            return Invalid(message)


def _of_the_file(code: int) -> bool:
    return code < 0 and -code in _OF_THE_FILE


def _died(code: int) -> Trouble:
    if _of_the_file(code):
        return Invalid("the picture cannot be decoded: it broke the decoder or took it too long")
    return Unavailable("the picture worker ended; is libvips (pyvips-binary) installed?", retry_after=1)
