"""Where one house keeps everything that has to outlive it, and nothing but that."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tintype.backends.archive.files import Area, BlobArea, FolderArea
from tintype.backends.blobs import Blobs, FolderBlobs
from tintype.backends.database import Database, sqlite_file
from tintype.backends.vault import Key

KEY_FILE = "encryption.key"


@dataclass(frozen=True, slots=True)
class Premises:
    """The database, the engine's file beside it (on SQLite), both places of stored files, and the key in the data folder."""

    data: Path
    database: Database
    blobs: Blobs
    jobs: Path
    downloads: Path
    keys: Sequence[str] = ()  # ENCRYPTION_KEY and the old ones, where they are set

    @property
    def file(self) -> Path | None:
        """The SQLite database; None: it lies on a server."""
        return sqlite_file(self.database.url)

    @property
    def key_file(self) -> Path | None:
        """The key that the first start made; None: it is in the settings, or there is none yet."""
        place = self.data / KEY_FILE
        return place if not self.keys and place.is_file() else None

    def areas(self) -> tuple[Area, ...]:
        """Return the places of stored files."""
        return BlobArea(self.blobs), FolderArea(self.downloads)

    def has_among_files(self, place: Path) -> bool:
        """Tell whether a place lies where stored files are, so that a backup there would save itself."""
        roots = [self.downloads, *([self.blobs.root] if isinstance(self.blobs, FolderBlobs) else ())]
        return any(place.resolve().is_relative_to(root.resolve()) for root in roots)

    def key_id(self) -> str | None:
        """Return the public id of the key that seals secrets here; None: there is none yet."""
        if self.keys:
            return Key.of(self.keys[0]).id.hex()
        place = self.key_file
        return Key.of(place.read_text()).id.hex() if place else None

    def knows(self, key_id: str) -> bool:
        """Tell whether what was sealed with a key can be opened here."""
        return any(Key.of(key).id.hex() == key_id for key in self.keys)
