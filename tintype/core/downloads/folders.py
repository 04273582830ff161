"""Where downloaded posts lie: one folder a post, `{root}/{shortcode}/`, that appears whole by one rename or not at all.

What is being written lies beside it under a name no shortcode can have, on the same volume. Everything here blocks; callers
give it to a thread.
"""

import json
import os
import re
import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tintype.core.downloads.model import File, Post
from tintype.core.downloads.records import post_from, post_json

_STAGE, _TRASH = ".stage-", ".trash-"
_SHORTCODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}\.[a-z0-9]{2,5}")


@dataclass(frozen=True, slots=True)
class Folders:
    """The folders of downloaded posts under one root, which is made when it is needed."""

    root: Path

    def stage(self, download_id: str) -> Path:
        """Return a new empty folder to write a post into; what an earlier try left there is gone."""
        place = self._stage(download_id)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place

    def staged_bytes(self, download_id: str, name: str = "") -> int:
        """Return how much of a post is written so far, or of its file that begins with `name`."""
        try:
            return sum(path.stat().st_size for path in self._stage(download_id).glob(f"{name}*"))
        except OSError:
            return 0  # a file was renamed, or the folder published, between two looks

    def is_staged(self, download_id: str) -> bool:
        """Tell whether something was begun to be written for a download."""
        return self._stage(download_id).exists()

    def drop(self, download_id: str) -> None:
        """Remove what was written for a download that is not published."""
        shutil.rmtree(self._stage(download_id), ignore_errors=True)

    def publish(self, download_id: str, shortcode: str, post: Post, published_at: datetime) -> None:
        """Make a staged post visible, in place of an older one; it is on the disk before it can be seen.

        Its files were brought to the disk by who fetched them.
        """
        stage, place = self._stage(download_id), self.folder(shortcode)
        sidecar = {"shortcode": shortcode, "published_at": published_at.isoformat(), **post_json(post)}
        described = stage / f"{shortcode}.json"
        described.write_text(json.dumps(sidecar, ensure_ascii=False, indent=1))
        for path in (described, stage):
            _sync(path)
        self._bury(place, download_id)
        stage.rename(place)
        _sync(self.root)
        self._clear(download_id)

    def read(self, shortcode: str) -> tuple[Post, datetime] | None:
        """Return a published post by its sidecar, with the moment of its publication; None: none that is whole."""
        try:
            said = json.loads((self.folder(shortcode) / f"{shortcode}.json").read_bytes())
            post, published_at = post_from(said), datetime.fromisoformat(said["published_at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        same = said["shortcode"] == shortcode  # on some volumes two names that differ in case are one folder
        return (post, published_at) if same and self.is_whole(shortcode, post.files) else None

    def is_whole(self, shortcode: str, files: Iterable[File]) -> bool:
        """Tell whether every file of a post lies there in its full size."""
        try:
            return all((self.folder(shortcode) / file.name).lstat().st_size == file.bytes for file in files)
        except OSError:
            return False

    def folder(self, shortcode: str) -> Path:
        """Return the folder of a post.

        Raises `ValueError` for a text that is no shortcode.
        """
        if not _SHORTCODE.fullmatch(shortcode):
            raise ValueError("this is no shortcode")
        return self.root / shortcode

    def file(self, shortcode: str, name: str) -> Path | None:
        """Return a published file of a post; None when there is none: only plain files of plain names are handed out."""
        if not _SHORTCODE.fullmatch(shortcode) or not _NAME.fullmatch(name) or not name.startswith(shortcode):
            return None
        path = self.root / shortcode / name
        return path if path.is_file() and not path.is_symlink() and not path.parent.is_symlink() else None

    def remove(self, shortcode: str, download_id: str) -> None:
        """Take a post away, from one moment to the next."""
        self._bury(self.folder(shortcode), download_id)
        self._clear(download_id)

    def sweep(self, living: Collection[str]) -> int:
        """Remove what killed processes left half-written, apart from that of `living` downloads; return how much."""
        if not self.root.is_dir():
            return 0
        left = [path for path in self.root.iterdir() if _is_left(path.name, living)]
        for path in left:
            shutil.rmtree(path, ignore_errors=True)
        return len(left)

    def published(self) -> list[str]:
        """Return the shortcodes of all folders of ours: those with a sidecar."""
        if not self.root.is_dir():
            return []
        found = [path for path in self.root.iterdir() if _SHORTCODE.fullmatch(path.name) and not path.is_symlink()]
        return [path.name for path in found if (path / f"{path.name}.json").is_file()]

    def free_bytes(self) -> int:
        """Return how much room the volume has."""
        self.root.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.root).free

    def _stage(self, download_id: str) -> Path:
        return self.root / f"{_STAGE}{download_id}"

    def _bury(self, place: Path, download_id: str) -> None:
        # A folder that has files in it cannot be renamed over: the old one steps aside first.
        trash = self.root / f"{_TRASH}{download_id}"
        shutil.rmtree(trash, ignore_errors=True)
        if place.is_dir() and not place.is_symlink():
            place.rename(trash)

    def _clear(self, download_id: str) -> None:
        shutil.rmtree(self.root / f"{_TRASH}{download_id}", ignore_errors=True)


def _is_left(name: str, living: Collection[str]) -> bool:
    return name.startswith(_TRASH) or (name.startswith(_STAGE) and name.removeprefix(_STAGE) not in living)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
