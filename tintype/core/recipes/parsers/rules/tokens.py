"""Words, numbers and marks of a line, each with its place, so that whatever is read can be cut out of the text."""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

VULGAR = {
    "½": 1 / 2, "⅓": 1 / 3, "⅔": 2 / 3, "¼": 1 / 4, "¾": 3 / 4, "⅕": 1 / 5, "⅖": 2 / 5, "⅗": 3 / 5, "⅘": 4 / 5,
    "⅙": 1 / 6, "⅚": 5 / 6, "⅛": 1 / 8, "⅜": 3 / 8, "⅝": 5 / 8, "⅞": 7 / 8,
}  # fmt: skip

_VULGAR = "".join(VULGAR)
_NUMBER = rf"\d+[ ]?[{_VULGAR}]|[{_VULGAR}]|\d+[ ]+\d/\d{{1,2}}(?!\d)|\d+/\d+|\d{{1,3}}(?:[.,]\d{{3}})+(?![\d.,]\d)|\d+[.,]\d+|\d+"
# "d'huile" and "dell'olio" are two words; "what's" is one.
_ELIDED = r"\b(?:[dljnmtscDLJNMTSC]|(?i:qu|un|dell|dall|nell|sull|all|quell))'(?=\w)"
_LETTERS = r"[^\W\d_]+(?:[-'][^\W\d_]+)*"
_TOKEN = re.compile(rf"(?P<n>(?=[\d{_VULGAR}])(?:{_NUMBER}))|(?P<w>{_ELIDED}|{_LETTERS})|(?P<p>[^\w\s]|_)")

_PLAIN = {"ß": "ss", "œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "\u0131": "i"}


class Token(NamedTuple):
    """A word ("w"), a number ("n") or a mark ("p"), as written and in the form in which words are compared."""

    text: str
    folded: str
    start: int
    end: int
    kind: str


@lru_cache(maxsize=16384)
def fold(word: str) -> str:
    """Return a word without case and accents."""
    lowered = word.lower()
    if lowered.isascii():
        return lowered
    bare = "".join(_PLAIN.get(letter, letter) for letter in lowered)
    return "".join(one for one in unicodedata.normalize("NFD", bare) if not unicodedata.combining(one))


_token = Token._make  # quicker than by name, and a text has thousands


@lru_cache(maxsize=2048)
def tokenize(text: str) -> tuple[Token, ...]:
    """Cut a line into its tokens."""
    return tuple(
        [_token((word := found[0], fold(word), *found.span(), found.lastgroup)) for found in _TOKEN.finditer(text)]
    )


def words(text: str) -> list[str]:
    """Return the folded words of a text."""
    return [token.folded for token in tokenize(text) if token.kind == "w"]


def number(text: str) -> float:
    """Return the value of a number token: whole, decimal, with a vulgar or a written fraction."""
    if text.isdecimal():
        return float(text)
    if text[-1] in VULGAR:
        return (float(text[:-1]) if text[:-1].strip() else 0.0) + VULGAR[text[-1]]
    if "/" in text:
        whole, _, fraction = text.rpartition(" ")
        above, _, below = fraction.partition("/")
        return (float(whole) if whole.strip() else 0.0) + (float(above) / float(below) if float(below) else 0.0)
    if re.fullmatch(r"[1-9]\d{0,2}(?:[.,]\d{3})+", text) and text[-2:] in ("00", "50"):
        return float(re.sub(r"[.,]", "", text))
    head, _, tail = text.replace(",", ".").rpartition(".")
    return float(f"{head.replace('.', '')}.{tail}") if head else float(tail)
