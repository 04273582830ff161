"""Tells from its first bytes what a file is: the type that is served is never one that somebody only claimed. Pure."""

HEAD = 64  # bytes that are looked at

PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"})
UNKNOWN = "application/octet-stream"

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
)
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"mif1": "image/heic",
    b"qt  ": "video/quicktime",
}
# Who claims one of these has to bring its bytes.
_PROVABLE = ("image/", "video/mp4", "video/quicktime", "application/pdf")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789!#$&^_.+-/")


def seen_in(head: bytes) -> str | None:
    """Return the type that a file's first bytes prove; None: they prove none."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    return next((kind for beginning, kind in _BEGINNINGS if head.startswith(beginning)), None)


def type_of(head: bytes, claimed: str | None) -> str:
    """Return a file's type: what its bytes prove, else what was claimed unless that would have had to be proven."""
    said = (claimed or "").partition(";")[0].strip().lower()
    if seen := seen_in(head):
        return said if seen == "application/zip" and said.startswith("application/") and _plain(said) else seen
    return UNKNOWN if not _plain(said) or said.startswith(_PROVABLE) else said


def _plain(said: str) -> bool:
    return 3 <= len(said) <= 127 and said.count("/") == 1 and set(said) <= _LETTERS
