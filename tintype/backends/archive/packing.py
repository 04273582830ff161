"""A backup as one file: a tar of the backup folder, which appears whole or not at all."""

import gzip
import shutil
import tarfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from tintype.backends.archive.holding import held, is_held
from tintype.backends.archive.manifest import sync
from tintype.errors import Conflict, Invalid, NotFound

ENDINGS = (".tar", ".tar.gz", ".tgz")
_DRAFT = ".tintype-unfinished-"
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error, UnicodeDecodeError)


def is_packed(place: Path) -> bool:
    """Tell whether a name means one file rather than a folder."""
    return place.name.endswith(ENDINGS)


@contextmanager
def packed(place: Path) -> Generator[Path]:
    """Yield a folder beside `place`, which becomes that one file when the block ends well.

    Raises `Conflict` when the file is there already.
    """
    if place.exists():
        raise Conflict(f"{str(place)!r} is there already; give another name")
    place.parent.mkdir(parents=True, exist_ok=True)
    with _beside(place) as whole:
        folder, draft = whole / "packed", whole / "draft"
        folder.mkdir(mode=0o700)
        yield folder
        draft.touch(mode=0o600)
        with tarfile.open(draft, "w" if place.suffix == ".tar" else "w:gz") as tar:
            tar.add(folder, arcname="")
        sync(draft)
        draft.rename(place)


@contextmanager
def unpacked(place: Path) -> Generator[Path]:
    """Yield a folder with what `packed` put into a file; it is gone after the block.

    Raises `NotFound`, and `Invalid` for a file that is no such archive.
    """
    if not place.is_file():
        raise NotFound(f"there is no file {str(place)!r}")
    with _beside(place) as whole:
        folder = whole / "unpacked"
        folder.mkdir(mode=0o700)
        try:
            with tarfile.open(place) as tar:
                tar.extractall(folder, filter="data")
        except (*_DAMAGED, tarfile.TarError) as error:
            raise Invalid(f"{str(place)!r} is no archive that can be read: {type(error).__name__}") from error
        yield folder


@contextmanager
def _beside(place: Path) -> Generator[Path]:
    """Yield a new folder on the same volume, which goes after the block; what killed ones left there goes now."""
    for left in place.parent.glob(f"{_DRAFT}*"):
        if not is_held(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(mkdtemp(prefix=_DRAFT, dir=place.parent))
    try:
        with held(folder, alone=True):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
