"""From the text as it came to plain lines: wrappers of link previews, letters in disguise and invisible marks go."""

import re
import unicodedata

_PREVIEW = (
    re.compile(
        r"^\s*[\d.,]+\s?[KMkm]?\s+(?:likes?|mentions?|gef[aä]llt|me gusta|mi piace|curtidas|gostos|vind)[^\"“\n]{0,200}?:\s*"
        r"[\"“](?P<inside>.*?)[\"”]?[.\s]*$",
        re.DOTALL | re.IGNORECASE,
    ),
    re.compile(r"^[^\"“\n]{1,120} (?:on|auf|sur|en|su|no|op) Instagram: [\"“](?P<inside>.*?)[\"”]?[.\s]*$", re.DOTALL),
)
_KEYCAP = re.compile(
    "(\\d)\ufe0f?\u20e3[.):]?[ ]?(?=(\\d\ufe0f?\u20e3)?)(?=(min(?:\\.|s|ut\\w{1,3})?(?!\\w)|std\\b|h\\b|hours?\\b|stunden?\\b)?)",
    re.IGNORECASE,
)
_CIRCLED = re.compile("[①-⑳❶-❿➀-➉]\\s?")
_DISGUISED = re.compile("[\U0001d400-\U0001d7ff\uff01-\uff5e\u2100-\u2108\u210a-\u2114ﬀ-ﬆ]")
_INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u2800\u00ad]")
_QUOTES = str.maketrans(
    {
        "’": "'",
        "\u2018": "'",
        "\u00b4": "'",
        "`": "'",
        "“": '"',
        "”": '"',
        "„": '"',
        "\u2032": "'",
        "\u2044": "/",
        "\u2215": "/",
    }
)
# What optical reading takes for digits: "1OO g", "l tsp".
_ROUND = re.compile(r"(?<=\d)[Oo]+(?=[\dOo]*\s?(?:g|kg|ml|cl|l|°|min)\b)")
_STROKE = re.compile(
    r"^([^\w\n]*)[lI|](?=\s(?:tsp|tbsp|cup|teaspoon|tablespoon|EL|TL|Prise|c\.|cda|cdta|cucharad\w+|cucchiai\w*|colher|el|tl|pinch|clove)\b)",
    re.MULTILINE,
)
_SPACES = re.compile(r"[^\S\n]{2,}|[^\S\n ]")


def unwrap(text: str) -> str:
    """Return the caption inside the wrapper of a link preview ("1,234 likes - somebody on June 3: …")."""
    for wrapper in _PREVIEW:
        if found := wrapper.match(text):
            return found["inside"]
    return text


def plain(text: str) -> str:
    """Return a text in ordinary letters: digits in boxes, bold and wide letters, odd spaces and quotes made plain.

    Vulgar fractions stay: compatibility folding would glue "1½" into "11/2".
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("🔟", "10. ")
    text = _KEYCAP.sub(_uncapped, text)
    text = _CIRCLED.sub(lambda found: f"{unicodedata.digit(found[0][0], 0) or _counted(found[0][0])}. ", text)
    text = _DISGUISED.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).translate(_QUOTES)
    text = _ROUND.sub(lambda found: "0" * len(found[0]), _STROKE.sub(r"\g<1>1", text))
    return _SPACES.sub(" ", text)


def _uncapped(found: re.Match[str]) -> str:
    return found[1] if found[2] else f"{found[1]} " if found[3] else f"{found[1]}. "


def _counted(mark: str) -> int:
    return int(unicodedata.numeric(mark, 0))
