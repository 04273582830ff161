"""Keeping and moving what a house has stored: backups, putting them back, and from SQLite to PostgreSQL.

Everything here goes by the tables' own description, so that a table that is added later is part of it by itself.
"""

from tintype.backends.archive.database import check_empty, copy_rows
from tintype.backends.archive.files import BlobArea
from tintype.backends.archive.moving import Moved, move
from tintype.backends.archive.packing import is_packed, packed, unpacked
from tintype.backends.archive.premises import Premises
from tintype.backends.archive.restoring import Restored, restore
from tintype.backends.archive.saving import Saved, Wish, back_up

__all__ = [
    "BlobArea",
    "Moved",
    "Premises",
    "Restored",
    "Saved",
    "Wish",
    "back_up",
    "check_empty",
    "copy_rows",
    "is_packed",
    "move",
    "packed",
    "restore",
    "unpacked",
]
