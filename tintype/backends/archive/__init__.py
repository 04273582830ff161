"""Keeping and moving what a house has stored: backups, putting them back, and from SQLite to PostgreSQL.

Everything here goes by the tables' own description, so that a table that is added later is part of it by itself.
"""

from tintype.backends.archive.belonging import Chosen, Marks, belonging, erase, told
from tintype.backends.archive.database import check_empty, compact, copy_rows
from tintype.backends.archive.files import BlobArea
from tintype.backends.archive.moving import Moved, move
from tintype.backends.archive.packing import is_packed, packed, unpacked
from tintype.backends.archive.premises import Premises
from tintype.backends.archive.restoring import Restored, restore
from tintype.backends.archive.rows import Row, pieces, tables_of
from tintype.backends.archive.saving import Saved, Wish, back_up

__all__ = [
    "BlobArea",
    "Chosen",
    "Marks",
    "Moved",
    "Premises",
    "Restored",
    "Row",
    "Saved",
    "Wish",
    "back_up",
    "belonging",
    "check_empty",
    "compact",
    "copy_rows",
    "erase",
    "is_packed",
    "move",
    "packed",
    "pieces",
    "restore",
    "tables_of",
    "told",
    "unpacked",
]
