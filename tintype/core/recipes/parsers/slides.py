"""The words on the slides of a carousel, read on this machine: many recipes are in the pictures and not in the caption.

Reading takes the extra `ocr` and two seconds of processor time a slide, in a process that ends when the post is read.
What it sees are boxes; here they become the lines that their author set: columns one after the other, pieces of a line
put together, and a line that was only broken for want of room joined to the one before.
"""

import asyncio
import json
import re
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tintype.errors import Misconfigured, Unavailable

SLIDES = 10  # an Instagram carousel of the usual size; more are not read
SECONDS = 20.0  # for one slide on a slow machine, and for loading the models
SCORE = 0.5  # words of which it is less sure are not words
_PROGRAM = Path(__file__).with_name("slide_program.py")
_LINE_BYTES = 4 * 1024 * 1024
_NEW_LINE = re.compile(r"^\s*(?:[-•*·–▪◦✓+]|\d|[½⅓⅔¼¾⅛]|[A-ZÀ-Þ])")
_ENDED = re.compile(r"[.!?:;]\s*$")


@dataclass(frozen=True, slots=True)
class Box:
    """Words on a picture, and the upright rectangle around them."""

    text: str
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return max(self.bottom - self.top, 1.0)


@dataclass(frozen=True, slots=True)
class SlideReader:
    """Reads the words on pictures; one process for one call."""

    seconds: float = SECONDS

    async def read(self, pictures: Sequence[bytes]) -> str:
        """Return the words on the pictures, a gap between two; raises `Misconfigured` without the extra, or `Unavailable`."""
        if find_spec("rapidocr") is None:
            raise Misconfigured("reading slides needs the extra ocr: install tintype[ocr]")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", str(_PROGRAM), stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=_LINE_BYTES
        )
        try:
            slides = [lines(await self._boxes(process, picture)) for picture in pictures[:SLIDES]]
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()
        return "\n\n".join("\n".join(slide) for slide in slides if slide)

    async def _boxes(self, process: Process, picture: bytes) -> list[Box]:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            async with asyncio.timeout(self.seconds):
                process.stdin.write(len(picture).to_bytes(4, "big") + picture)
                await process.stdin.drain()
                answer = await process.stdout.readline()
        except (TimeoutError, ConnectionError, ValueError) as error:
            raise Unavailable("a slide was not read in time") from error
        if not answer:
            raise Unavailable("the program that reads slides ended")
        return [_box(one) for one in json.loads(answer) if one["score"] >= SCORE]


def _box(told: dict[str, Any]) -> Box:
    across = [corner[0] for corner in told["corners"]]
    down = [corner[1] for corner in told["corners"]]
    return Box(told["text"], min(across), min(down), max(across), max(down))


def lines(boxes: Sequence[Box]) -> list[str]:
    """Return the lines that boxes of words were set as, in the order in which they are read."""
    return [line.text for column in _columns(boxes) for line in _unbroken(_rows(column))]


def _columns(boxes: Sequence[Box]) -> list[list[Box]]:
    """Part boxes into two columns when enough stand on either side of the middle and none across it."""
    if not boxes:
        return []
    middle = (min(box.left for box in boxes) + max(box.right for box in boxes)) / 2
    across = [box for box in boxes if box.left < middle < box.right]
    left = [box for box in boxes if box.right <= middle]
    right = [box for box in boxes if box.left >= middle]
    heads = [box for box in across if box.bottom <= min((one.top for one in (*left, *right)), default=0.0)]
    if len(heads) < len(across) or len(left) < 3 or len(right) < 3:
        return [list(boxes)]
    return [heads, left, right]


def _rows(boxes: Sequence[Box]) -> list[Box]:
    """Put pieces that stand side by side together, from top to bottom."""
    rows: list[Box] = []
    for box in sorted(boxes, key=lambda one: (one.top + one.bottom) / 2):
        last = rows[-1] if rows else None
        if last and min(last.bottom, box.bottom) - max(last.top, box.top) > 0.5 * min(last.height, box.height):
            first, second = sorted((last, box), key=lambda one: one.left)
            rows[-1] = Box(
                f"{first.text} {second.text}",
                first.left,
                min(first.top, second.top),
                max(first.right, second.right),
                max(first.bottom, second.bottom),
            )
        else:
            rows.append(box)
    return rows


def _unbroken(rows: Sequence[Box]) -> list[Box]:
    """Join a row to the one before when that one was full, did not end, and this one does not look like a beginning."""
    width = max((row.right for row in rows), default=0.0)
    left = min((row.left for row in rows), default=0.0)
    joined: list[Box] = []
    for row in rows:
        last = joined[-1] if joined else None
        if last and _goes_on(last, row, 0.7 * (width - left) + left):
            joined[-1] = replace(last, text=f"{last.text} {row.text}", bottom=row.bottom, top=row.top, right=row.right)
        else:
            joined.append(row)
    return joined


def _goes_on(last: Box, row: Box, full: float) -> bool:
    near = row.top - last.bottom < 0.9 * row.height
    return near and last.right >= full and not _ENDED.search(last.text) and not _NEW_LINE.match(row.text)
