"""Names of files: handles, the documented keys, and the places in stores that they stand for. Pure."""

import re
import secrets
import string
from urllib.parse import unquote, urlsplit

from tintype.errors import Invalid

HANDLE_LETTERS = 20  # 119 random bits; clients of old recognise a handle by its twenty letters
FILENAME_MAX = 255
KEY_MAX = 600
SEGMENTS_MAX = 12
SEGMENT_MAX = 190

_BASE62 = string.ascii_letters + string.digits
_HANDLE = re.compile(r"[A-Za-z0-9]{20}")
_UNFIT = re.compile(r"[^A-Za-z0-9._=+@,~-]")
_UNNAMED = frozenset({"", ".", "..", "undefined", "null", "blob"})  # what clients send of files that have no name

EXTENSIONS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/gif": ".gif",
    "image/webp": ".webp",
    "image/avif": ".avif",
    "video/mp4": ".mp4",
    "application/pdf": ".pdf",
    "text/plain": ".txt",
}


def new_handle() -> str:
    """Return a fresh handle: whoever knows it may have the file, so nobody can guess one."""
    return "".join(secrets.choice(_BASE62) for _ in range(HANDLE_LETTERS))


def is_handle(text: str) -> bool:
    """Tell whether a text has the form of a handle."""
    return _HANDLE.fullmatch(text) is not None


def filename_of(given: str | None, content_type: str = "") -> str:
    """Return a file's name as people see it: the last part of what was given, or a plain one of its type."""
    name = (given or "").replace("\\", "/").rpartition("/")[2]
    name = "".join(letter for letter in name if letter.isprintable() and not "\ud800" <= letter <= "\udfff").strip()
    if name.lower() in _UNNAMED:
        return f"untitled{EXTENSIONS.get(content_type, '')}"
    stem, dot, extension = name.rpartition(".")
    if len(name) > FILENAME_MAX:
        name = f"{stem[: FILENAME_MAX - 20]}{dot}{extension[:19]}" if dot and stem else name[:FILENAME_MAX]
    return name


def filename_in(url: str) -> str | None:
    """Return the file name at the end of an address; None: it has none."""
    try:
        last = unquote(urlsplit(url).path, errors="replace").rpartition("/")[2]
    except ValueError:
        return None
    return last if "." in last.strip(".") else None


def key_of(handle: str, filename: str, path: str | None) -> str:
    """Return the documented key of a stored file.

    Without a path it is the handle and the name; a path that ends with a slash goes in front of that; any other path is
    the whole key. Letters that not every store takes become `_`. Raises `Invalid` for a path that is too long or too deep,
    or that has letters in it which cannot be shown.
    """
    own = _segment(f"{handle}_{filename}")
    if not (path or "").isprintable():
        raise Invalid("path must be made of letters that can be shown")
    given = (path or "").strip().lstrip("/")
    if not given:
        return own
    folders = [part for part in given.split("/") if part]
    if given.endswith("/") or not folders:
        folders.append(own)
    key = "/".join(_segment(part) for part in folders)
    if len(key) > KEY_MAX or len(folders) > SEGMENTS_MAX:
        raise Invalid(f"path is too long: a key has at most {KEY_MAX} characters and {SEGMENTS_MAX} folders")
    return key


def container_of(given: str | None) -> str | None:
    """Return a container's name as a folder of a store; None: none was given.

    Raises `Invalid` for one that is no plain name.
    """
    name = (given or "").strip()
    if not name:
        return None
    if len(name) > SEGMENT_MAX or _UNFIT.search(name) or not re.match(r"[A-Za-z0-9_]", name):
        raise Invalid(f"container {name[:40]!r} is not a name; use letters, digits, dots and hyphens")
    return name


def home_place(handle: str, version: int) -> str:
    """Return where one version of a file is to lie in the house's own store; no two attempts have the same place."""
    return f"files/{handle[:2]}/{handle}/{version}-{secrets.token_hex(4)}"


def outer_place(container: str | None, key: str) -> str:
    """Return where a file lies in a store of the operator's: under its documented key."""
    return f"{container}/{key}" if container else key


def next_key(key: str, version: int) -> str:
    """Return the key of an overwritten file's new content: beside the old one, which is read until it is replaced."""
    folder, slash, name = key.rpartition("/")
    stem, dot, extension = name.rpartition(".")
    stem = re.sub(r"~\d+$", "", stem if dot and stem else name)
    return f"{folder}{slash}{stem}~{version}" + (f".{extension}" if dot and name.rpartition(".")[0] else "")


def _segment(text: str) -> str:
    fit = _UNFIT.sub("_", text)
    if not re.match(r"[A-Za-z0-9_]", fit):
        fit = f"_{fit[1:]}" if fit[1:] else "_"
    stem, dot, extension = fit.rpartition(".")
    if len(fit) <= SEGMENT_MAX:
        return fit
    return f"{stem[: SEGMENT_MAX - 20]}.{extension[:19]}" if dot and stem else fit[:SEGMENT_MAX]
