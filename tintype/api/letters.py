"""What addresses and bodies may be written in: UTF-8, without the null character, which Postgres keeps in no text.

SQLite would keep it, and then such a row could never be moved to Postgres; so it is refused before either is asked.
"""

import re

from python_multipart.multipart import parse_options_header
from starlette.types import Scope

NO_NULL = "the null character (U+0000) has no place in an address or a body"

_CHARSETS = (b"utf-8", b"utf8", b"us-ascii", b"iso-8859-1", b"windows-1252")
_NULL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def is_legible(content_type: str) -> bool:
    """Tell whether a body can be read, by its media type: some codecs do not even fail as a decoder should."""
    media_type, options = parse_options_header(content_type)
    return media_type != b"multipart/form-data" or options.get(b"charset", b"utf-8").lower() in _CHARSETS


def is_nameable(scope: Scope) -> bool:
    """Tell whether a request's path and query can name anything."""
    return "\0" not in scope["path"] and b"%00" not in scope["query_string"]


def has_null(raw: bytes) -> bool:
    """Tell whether a JSON text holds the null character in one of its strings."""
    return b"\\u0000" in raw and _NULL.search(raw) is not None


def without_null(text: str) -> str:
    """Return what somebody can have typed into a form's field."""
    return text.replace("\0", "")
