"""Text that strangers wrote, made safe to show anywhere: no markup, no template, no address, no control characters.

A caption ends up in another program's page, where braces are code, an image address tells a stranger who is reading,
and a tag is a script. What leaves for an outlet, or comes back from a model, passes here. Every function is pure, and
cleaning what is clean changes nothing.
"""

import html
import re
import unicodedata

_SCRIPT = re.compile(r"<\s*(script|style|iframe|object|svg)\b.*?(?:<\s*/\s*\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<(?=[a-z/!?])[^<>]*>?", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,12});", re.IGNORECASE)
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\]|:\s*\S*)")
_BOLD = re.compile(r"\*\*|__|~~")
_ADDRESS = re.compile(r"\b(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S*|(?<![\w:/])//[\w-]+\.\S+", re.IGNORECASE)
_PLACE = re.compile(  # an address without its scheme: a host with a path, or one of the ends that no word has
    r"(?<![\w.@-])(?:[a-z0-9-]+\.)+(?:[a-z]{2,12}/\S*|(?:com|net|org|info|app|link|io|bio)\b(?:[/?#]\S*)?)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(?:javascript|vbscript)\s*:|\bdata\s*:\s*(?=[a-z]+/)", re.IGNORECASE)
_HANDLE = re.compile(r"(?<![\w.])@[\w.]{2,}")
_MAIL = re.compile(r"(?<!\S)[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_SPACES = re.compile(r"[^\S\n]+")
_JOINED = ("‍", "️")  # they hold emoji together
_PASSES = 8  # what one pass removes may have held apart what the next one finds


def plain(text: str) -> str:
    """Return a text as plain lines: tags, templates, links, addresses and @names are gone, words stay."""
    for _ in range(_PASSES):
        before = text
        text = _once(text)
        if text == before:
            break
    text = _ENTITY.sub(" ", text).translate(_NEVER)
    lines = (_SPACES.sub(" ", line).strip() for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def one_line(text: str, limit: int | None = None) -> str:
    """Return a text as one plain line, cut at a word when it is longer than `limit`."""
    line = " ".join(plain(text).split())
    return line if limit is None else cut(line, limit)[0]


def cut(text: str, limit: int) -> tuple[str, str]:
    """Split a text before `limit` at a word's edge: what is kept ends in "…" when something follows, then the rest."""
    if len(text) <= limit:
        return text, ""
    room = max(limit - 1, 0)
    edge = max(text.rfind(" ", 0, room + 1), text.rfind("\n", 0, room + 1))
    edge = edge if edge >= room // 2 else room  # a single endless word is cut inside
    return text[:edge].rstrip(" ,;:–-") + "…", text[edge:].strip()


def _visible(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    seen = (c for c in text if c == "\n" or c in _JOINED or unicodedata.category(c) not in _UNSEEN)
    return "".join(seen)


def _once(text: str) -> str:
    text = _visible(html.unescape(text))
    text = _SCRIPT.sub(" ", text)
    text = _TAG.sub(" ", text)
    text = _BOLD.sub("", _LINK.sub(r"\1", text))
    text = _ADDRESS.sub("", text)
    text = _PLACE.sub("", text)
    text = _MAIL.sub("", text)
    text = _SCHEME.sub("", text)
    return _HANDLE.sub("", text).translate(_BRACES)


_BRACES = dict.fromkeys(map(ord, "{}"))
# Left over when a tag was never closed or a link was not one: no target reads these as anything but text.
_NEVER = {ord("<"): "\u2039", ord(">"): "\u203a", ord("`"): "'", ord("["): "(", ord("]"): ")"}
