"""What bodies may be written in: UTF-8, and where no rule of a field says more, without the null character.

Postgres keeps that in no text. SQLite would, and then such a row could never be moved to Postgres.
"""

import re

from python_multipart.multipart import parse_options_header

NO_NULL = "the null character (U+0000) has no place in a body"

_CHARSETS = (b"utf-8", b"utf8", b"us-ascii", b"iso-8859-1", b"windows-1252")
_NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def is_legible(content_type: str) -> bool:
    """Tell whether a body can be read, by its media type: some codecs do not even fail as a decoder should."""
    media_type, options = parse_options_header(content_type)
    return media_type != b"multipart/form-data" or options.get(b"charset", b"utf-8").lower() in _CHARSETS


def has_null(raw: bytes) -> bool:
    """Tell whether a JSON text holds the null character in one of its strings."""
    return b"\\u0000" in raw and _NULL.search(raw) is not None


def without_null(text: str) -> str:
    """Return what somebody can have typed into a form's field."""
    return text.replace("\0", "")
