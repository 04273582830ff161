"""Draws a short text on a picture, so that it can be read on any background and is never cut.

It runs inside the worker process only. Letters and emoji come from Noto fonts, which dependencies bring along, so that a
machine without fonts draws the same; what those lack (Chinese, Japanese, Korean) comes from the machine's own fonts, and what
nobody can draw is left out and told.
"""

import re
import unicodedata
from functools import lru_cache
from html import escape
from importlib.resources import files
from typing import Any

import pyvips

from tintype.backends.image_source import Image, RefusedError

NO_FONT = (
    "no font on this machine draws this text; install one (Debian: fonts-noto-cjk, fonts-noto-color-emoji), "
    "or leave the text out"
)
_FAMILIES = "Noto Sans, Noto Sans Symbols, Noto Emoji"  # before all others, wherever they have the character
_KEY = re.compile("([0-9#*])\ufe0f?\u20e3")  # 1️⃣; both characters have to come from one font to become one sign
_WIDE = 0.86  # of the picture's width
_TOP, _BOTTOM, _BOTTOM_TALL = 0.67, 0.98, 0.87  # in tall pictures the lowest part lies under Instagram's own buttons
_TALL = 0.7
_LARGEST = 1 / 14  # of the picture's width
_SMALLER = 0.9
_SMALLEST = 8.0
_SHADE = 150  # of 255: white on this much black has a contrast above 4.5 even on a white picture
_FRAME = 2  # pixels; a character without a glyph is drawn as its number in a frame
# Unassigned for ever as far as anybody can tell: how a missing character looks, with four figures and with six.
_MISSING = ("\u0378", "\U000323b0")
_NEVER_DRAWN = ("Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Mc", "Zs", "Zl", "Zp")


def letter(picture: Any, text: str) -> tuple[Any, str]:
    """Return the picture with the text in its lower third, and the characters that no font here can draw.

    Raises `RefusedError` when that is all of them.
    """
    drawable, lost = _drawable(text)
    if not drawable:
        raise RefusedError("invalid", NO_FONT)
    width, height = picture.width, picture.height
    top, bottom = height * _TOP, height * (_BOTTOM_TALL if width / height < _TALL else _BOTTOM)
    line, size = _fitting(drawable, width, bottom - top)
    if line.height + size > height:
        line, size = _fitting(drawable.replace("\n", " "), width, bottom - top)
    band = min(height, round(line.height + size))
    at = max(0, min(height - band, round((top + bottom - band) / 2)))
    shade = Image.black(width, band, bands=3).bandjoin(_SHADE).cast("uchar").copy(interpretation="srgb")
    left = (width - line.width) // 2
    lettered = picture.composite([shade, line], ["over", "over"], x=[0, left], y=[at, at + (band - line.height) // 2])
    return lettered.flatten().cast("uchar").copy(interpretation="srgb"), lost


def _fitting(text: str, width: int, height: float) -> tuple[Any, float]:
    """Return the drawn text and its size: the largest at which it stays within the room, or the smallest there is."""
    size = max(_SMALLEST, width * _LARGEST)
    line = _line(text, size, round(width * _WIDE))
    while size > _SMALLEST and (line.height + size > height or line.width > width * _WIDE):
        size = max(_SMALLEST, size * _SMALLER)
        line = _line(text, size, round(width * _WIDE))
    return line, size


def _line(text: str, size: float, width: int) -> Any:
    # Words that are too long are broken without the hyphen that pango would write.
    words = _KEY.sub('<span font_family="Noto Emoji">\\1\u20e3</span>', escape(text, quote=False))
    marked = f'<span foreground="white" insert_hyphens="false">{words}</span>'
    return _text(marked, size, width=width, align="centre", wrap="word-char", rgba=True)


def _drawable(text: str) -> tuple[str, str]:
    """Return the text with what can be drawn, and the characters that cannot."""
    kept, lost, dropping = "", "", False
    for character in unicodedata.normalize("NFC", text).replace("\r\n", "\n"):
        category = unicodedata.category(character)
        if category in ("Mn", "Me", "Mc") or character in "\u200d\ufe0e\ufe0f":
            kept += "" if dropping else character  # a mark goes with the character that it belongs to
        elif character == "\n" or not (category in _NEVER_DRAWN or _missing(character)):
            kept, dropping = kept + character, False
        elif category.startswith("Z"):
            kept, dropping = kept + " ", False
        else:
            dropping = True
            lost += character if category not in ("Cc", "Cf", "Cs") and character not in lost else ""
    lines = (" ".join(line.split()) for line in kept.strip().splitlines())
    visible = any(unicodedata.category(character) not in _NEVER_DRAWN for character in kept)
    return "\n".join(lines) if visible else "", lost


@lru_cache(maxsize=4096)
def _missing(character: str) -> bool:
    if character.isascii():
        return False
    try:
        drawn, missing = _glyph(character), _glyph(_MISSING[ord(character) > 0xFFFF])
    except pyvips.Error:  # nothing to draw
        return False
    if (drawn.width, drawn.height) != (missing.width, missing.height):
        return False
    across, down = drawn.width, drawn.height
    edges = ((0, 0, across, _FRAME), (0, down - _FRAME, across, _FRAME), (0, 0, _FRAME, down))
    return all(bytes(drawn.crop(*e).write_to_memory()) == bytes(missing.crop(*e).write_to_memory()) for e in edges)


def _glyph(character: str) -> Any:
    return _text(character, 40.0).copy_memory()


def _text(marked: str, size: float, **options: object) -> Any:
    return Image.text(marked, font=f"{_FAMILIES} Bold {size:.1f}", fontfile=_font(), dpi=72, **options)


@lru_cache(maxsize=1)
def _font() -> str:
    """Return the file of Noto Sans; libvips knows the other files from then on, since drawing with a file registers it."""
    for each in files("manimgx_fonts").iterdir():
        if each.name.endswith(".ttf") and not each.name.startswith(("NotoSans[", "NotoSans-Italic[")):
            Image.text("x", fontfile=str(each))
    return str(files("fontpkg_noto_sans").joinpath("files", "NotoSans[wdth,wght].ttf"))
