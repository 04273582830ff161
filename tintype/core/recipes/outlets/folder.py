"""Recipes into a folder: one directory each, with JSON-LD, Markdown and the cover, there whole or not at all."""

import asyncio
import hashlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tintype.core.recipes.outlets.forms import Cover, cover_of
from tintype.core.recipes.outlets.outlet import Order, Receipt, Standing
from tintype.core.recipes.shapes import jsonld, markdown, title
from tintype.errors import Misconfigured, Trouble, Unreachable

Found = TypeVar("Found")

_NAME = 60
_MARK = 12
_LEFT_OUT = "the cover was left out: it is no JPEG, PNG, GIF or WebP"


@dataclass(frozen=True, slots=True)
class FolderPolicy:
    """Where the recipes' directories are made."""

    path: Path


@dataclass(frozen=True, slots=True)
class Folder:
    """Puts recipes into one folder; see `Outlet` for what each method promises."""

    policy: FolderPolicy
    name: str = "folder"

    async def find(self, order: Order) -> Receipt | None:
        """Return this import's directory; its name ends in the import's mark."""
        return await self._do(lambda: self._find(order))

    async def put(self, order: Order) -> Receipt:
        """Write everything aside and rename it into place; the cover is part of it."""
        return await self._do(lambda: self._put(order))

    async def illustrate(self, receipt: Receipt, cover: bytes) -> str | None:
        """Tell whether the cover is there: `put` has written it with the rest."""
        return None if cover_of(cover) else _LEFT_OUT

    async def remove(self, receipt: Receipt) -> None:
        """Delete a directory that was just made."""
        await self._do(lambda: shutil.rmtree(self.policy.path / Path(receipt.id).name, ignore_errors=True))

    async def check(self) -> Standing:
        """Write a file and take it away again."""
        await self._do(self._try)
        return Standing(f"recipes can be written into {str(self.policy.path)!r}")

    def _find(self, order: Order) -> Receipt | None:
        found = sorted(self.policy.path.glob(f"*-{_mark(order.id)}"))
        return _receipt(found[0]) if found else None

    def _put(self, order: Order) -> Receipt:
        root, mark = self.policy.path, _mark(order.id)
        aside, place = root / f".{mark}.part", root / f"{_slug(title(order.recipe))}-{mark}"
        root.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(aside, ignore_errors=True)  # of a process that died here
        aside.mkdir()
        cover = cover_of(order.cover) if order.cover else None
        for name, data in _files(order, cover).items():
            _write(aside / name, data)
        try:
            aside.rename(place)
        except OSError:
            if not place.is_dir():
                raise
            shutil.rmtree(aside)  # another process was first
        _settle(root)
        return _receipt(place, (_LEFT_OUT,) if order.cover and cover is None else ())

    def _try(self) -> None:
        self.policy.path.mkdir(parents=True, exist_ok=True)
        probe = self.policy.path / ".tintype-can-write"
        probe.write_bytes(b"")
        probe.unlink()

    async def _do(self, work: Callable[[], Found]) -> Found:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise self._trouble(error) from error

    def _trouble(self, error: OSError) -> Trouble:
        said = f"{str(self.policy.path)!r} cannot be written: {error.strerror or 'it does not say why'}"
        if isinstance(error, PermissionError | NotADirectoryError | FileExistsError | FileNotFoundError):
            return Misconfigured(f"{said}; check RECIPE_FOLDER")
        return Unreachable(said, retryable=True)


def _files(order: Order, cover: Cover | None) -> dict[str, bytes]:
    image = f"cover.{cover.ending}" if cover else None
    facts = jsonld(order.recipe, url=order.source_url, image=image)
    files = {
        "recipe.jsonld": json.dumps(facts, ensure_ascii=False, indent=2).encode() + b"\n",
        "recipe.md": markdown(order.recipe, url=order.source_url, image=image).encode(),
    }
    return files | ({image: cover.data} if image and cover else {})


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _settle(folder: Path) -> None:
    """Make a rename outlast a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _receipt(place: Path, warnings: tuple[str, ...] = ()) -> Receipt:
    return Receipt(place.name, place.resolve().as_uri(), warnings)


def _mark(import_id: str) -> str:
    return hashlib.sha256(import_id.encode()).hexdigest()[:_MARK]


def _slug(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", folded)[:_NAME].strip("-") or "recipe"
