"""What a house has stored, looked at without it: the rows of its database and its files, wherever the profile keeps them."""

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import obstore
import psycopg
from obstore.store import S3Store
from psycopg.sql import SQL

from tests.profile import backends
from tests.servers import S3
from tintype.backends.database import sqlite_file
from tintype.settings import Settings, load

_PATIENCE = 60.0  # seconds for a busy machine, and for a writer who is at it
_TABLES = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
}


@dataclass(frozen=True, slots=True)
class Kept:
    """The database and the files of one house."""

    database: str
    blobs: str

    @classmethod
    def by(cls, settings: Settings) -> "Kept":
        """What a house of these settings keeps."""
        return cls(settings.database_address(), settings.blobs_address())

    @classmethod
    def at(cls, folder: Path) -> "Kept":
        """What a house of this data folder keeps."""
        return cls.by(load(data=folder, **backends(folder)))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what a query finds that both kinds of database understand."""
        file = sqlite_file(self.database)
        if file is not None:
            with closing(sqlite3.connect(file, timeout=_PATIENCE)) as beside:
                return beside.execute(query).fetchall()
        with psycopg.connect(self.database, autocommit=True) as beside:
            return beside.execute(SQL(query)).fetchall()  # pyright: ignore[reportArgumentType] - tests write it

    def tables(self) -> list[str]:
        """Return the names of the house's tables."""
        kind = "sqlite" if sqlite_file(self.database) else "postgresql"
        return sorted(str(name) for (name,) in self.rows(_TABLES[kind]))

    def state(self) -> object:
        """Return something that is the same again only when nothing was written to the database meanwhile."""
        file = sqlite_file(self.database)
        if file is not None:
            return file.read_bytes() + file.with_name(f"{file.name}-wal").read_bytes()
        # Each new version of a row has another place, or another transaction.
        return {table: sorted(self.rows(f'SELECT ctid::text, xmin::text FROM "{table}"')) for table in self.tables()}

    def written(self) -> bytes:
        """Return everything that the database holds, to look for what should not be there."""
        file = sqlite_file(self.database)
        if file is not None:
            return b"".join(path.read_bytes() for path in file.parent.glob(f"{file.name}*"))
        rows = [row for table in self.tables() for row in self.rows(f'SELECT * FROM "{table}"')]
        return b"\n".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)

    def files(self) -> dict[str, float]:
        """Return the keys of all stored files with the moment of their last change."""
        folder = self._folder()
        if folder is not None:
            found: dict[str, float] = {}
            for place, _, names in os.walk(folder):
                for path in (Path(place, name) for name in names):
                    with suppress(FileNotFoundError):  # one that was being put has its own name by now
                        found[path.relative_to(folder).as_posix()] = path.stat().st_mtime
            return found
        pages = obstore.list(self._bucket(), chunk_size=1000)  # pyright: ignore[reportUnknownMemberType] - without arrow
        return {one["path"]: one["last_modified"].timestamp() for page in pages for one in page}

    def content(self, key: str) -> bytes:
        """Return the bytes of a stored file."""
        folder = self._folder()
        return (folder / key).read_bytes() if folder else bytes(obstore.get(self._bucket(), key).bytes())

    def put(self, key: str, content: bytes) -> None:
        """Lay a file where nobody knows of it."""
        folder = self._folder()
        if folder is None:
            obstore.put(self._bucket(), key, content)
            return
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(content)

    def _folder(self) -> Path | None:
        parts = urlsplit(self.blobs)
        return Path(unquote(parts.path)) if parts.scheme == "file" else None

    def _bucket(self) -> S3Store:
        parts = urlsplit(self.blobs)
        (endpoint,) = parse_qs(parts.query)["endpoint"]
        return S3(endpoint, parts.netloc).store(parts.path.strip("/"))
