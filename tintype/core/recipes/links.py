"""Which links the queue takes: any path of Instagram's own two hosts, by https, and nothing that only looks like it.

Stricter than a browser about the host and more lenient about the path, as seed 4 promises. What the link leads to is found
out by `instagram.links`, later.
"""

import re

from tintype.errors import Invalid

LONGEST = 2048
_HOSTS = frozenset({"instagram.com", "www.instagram.com"})
_ABSOLUTE = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_NEVER = frozenset('\\<>"{}|^`')

MISSING = "Missing or invalid URL parameter"
MALFORMED = "Invalid URL format"
NOT_HTTPS = "URL must use HTTPS protocol"
ELSEWHERE = "URL must be from instagram.com domain"


def accepted(url: object) -> str:
    """Return a link as it was sent, without the blanks around it.

    Raises `Invalid` with the document's own sentences.
    """
    if not isinstance(url, str) or not url.strip():
        raise Invalid(MISSING)
    text = url.strip()
    found = _ABSOLUTE.fullmatch(text)
    if found is None or len(text) > LONGEST or not _is_printable(text):
        raise Invalid(MALFORMED)
    scheme, authority, _ = found.groups()
    if scheme.lower() != "https":
        raise Invalid(NOT_HTTPS)
    if not authority:
        raise Invalid(MALFORMED)
    if authority.lower().removesuffix(":443") not in _HOSTS:
        raise Invalid(ELSEWHERE)
    return text


def _is_printable(text: str) -> bool:
    return all(sign.isprintable() and not sign.isspace() for sign in text) and not _NEVER & set(text)
