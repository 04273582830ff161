"""How much: a number, a fraction, a number word or a range at a place of a line."""

from typing import NamedTuple

from tintype.core.recipes.parsers.rules.lexicon import Lexicon
from tintype.core.recipes.parsers.rules.tokens import VULGAR, Token, number

_DASHES = frozenset("-–—~")
_AND = frozenset({"and", "und", "et", "y", "e", "en"})
_HALVES = frozenset({"half", "demi", "demie", "medio", "media", "mezzo", "mezza", "meio", "meia", "halb", "halve"})
_MODEST = 5000  # nobody cooks with more of anything, whatever its unit


class Quantity(NamedTuple):
    """The lower and upper end of what was said, the place behind it, and whether it was said in digits."""

    amount: float
    upper: float | None
    end: int
    digits: bool


def quantity(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> Quantity | None:
    """Read the quantity that starts at a token, with "about" before it if need be, or return None."""
    if place >= len(tokens) or (tokens[place].kind != "n" and tokens[place].folded not in lexicon.counting):
        return None
    about = lexicon.approximations.at(tokens, place)
    if about and about[1] < len(tokens):
        place = about[1]
    while place < len(tokens) and tokens[place].text in ("~", "±", "+"):
        place += 1
    first = _value(tokens, place, lexicon)
    if first is None:
        return None
    amount, end, digits = first
    if amount > _MODEST or ((end < len(tokens) and tokens[end].text in ("%", "°", "€", "$", "£")) and digits):
        return None
    if digits and _describing(tokens, end, lexicon):
        return None
    if digits and end + 1 < len(tokens) and tokens[end].text == ":" and tokens[end + 1].start == tokens[end].end:
        return None  # "8:30" is a time of day
    return _ranged(tokens, amount, end, digits, lexicon)


def _describing(tokens: tuple[Token, ...], end: int, lexicon: Lexicon) -> bool:
    """Tell whether a number is part of a word: "3-ingredient", "20-minute"."""
    if end + 1 >= len(tokens) or tokens[end].text != "-" or tokens[end].start != tokens[end - 1].end:
        return False
    word = tokens[end + 1]
    return word.kind == "w" and word.start == tokens[end].end and lexicon.units.at(tokens, end + 1) is None


def _ranged(tokens: tuple[Token, ...], amount: float, end: int, digits: bool, lexicon: Lexicon) -> Quantity:
    """Add the upper end of a range; "1-1/2" is one and a half, as American cards have it."""
    if end + 1 >= len(tokens):
        return Quantity(amount, None, end, digits)
    mark = tokens[end]
    if mark.text in _DASHES or (mark.folded in lexicon.ranges and mark.kind == "w"):
        second = _value(tokens, end + 1, lexicon)
        if second is None or (mark.kind == "w" and not second[2] and digits):
            return Quantity(amount, None, end, digits)
        if mark.text == "-" and digits and mark.start == tokens[end - 1].end and second[0] < 1 <= amount:
            return Quantity(amount + second[0], None, second[1], digits)
        if second[0] > amount:
            return Quantity(amount, second[0], second[1], digits)
    return Quantity(amount, None, end, digits)


def _value(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> tuple[float, int, bool] | None:
    """Read one number in digits or in words."""
    if place >= len(tokens):
        return None
    token = tokens[place]
    if token.kind == "n":
        value, end = number(token.text), place + 1
        half = and_a_half(tokens, end, lexicon)
        if half:
            return value + 0.5, half, True
        fraction = _and_a_fraction(tokens, end) if value.is_integer() else None
        return (value + fraction[0], fraction[1], True) if fraction else (value, end, True)
    if token.kind != "w":
        return None
    return _spoken(tokens, place, lexicon)


def _spoken(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> tuple[float, int, bool] | None:
    """Read a number word: "two", "half a", "una y media", "three quarters of a", "a dozen"; an article needs a unit."""
    word = tokens[place].folded
    after = tokens[place + 1].folded if place + 1 < len(tokens) else ""
    value = lexicon.numbers.get(word)
    if (
        word in lexicon.articles
        and after in lexicon.numbers
        and (lexicon.numbers[after] < 1 or lexicon.numbers[after] == 12)
    ):
        return lexicon.numbers[after], _past_article(tokens, place + 2, lexicon), False
    if value is None:
        if word not in lexicon.articles or lexicon.units.at(tokens, _past_sizes(tokens, place + 1, lexicon)) is None:
            return None
        return 1.0, place + 1, False
    if value < 1:
        return value, _past_article(tokens, place + 1, lexicon), False
    if after in ("quarters", "quarter") and value <= 3:
        return value / 4, _past_article(tokens, place + 2, lexicon), False
    half = and_a_half(tokens, place + 1, lexicon)
    return (value + 0.5, half, False) if half else (*_composed(tokens, place + 1, value, lexicon), False)


def _composed(tokens: tuple[Token, ...], place: int, value: float, lexicon: Lexicon) -> tuple[float, int]:
    """Add up number words: "two hundred", "deux cents", "doscientos cincuenta", "duzentos e cinquenta"."""
    if place < len(tokens) and tokens[place].folded in ("hundred", "cent", "cents") and value < 10:
        value, place = value * 100, place + 1
    more = place + 1 if place < len(tokens) and tokens[place].folded in _AND else place
    if (
        value >= 20
        and more < len(tokens)
        and 1 <= lexicon.numbers.get(tokens[more].folded, 0) < (100 if value >= 100 else 10)
    ):
        return value + lexicon.numbers[tokens[more].folded], more + 1
    return value, place


def and_a_half(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> int | None:
    """Return the place behind "and a half", or None when something else stands there."""
    if place + 1 >= len(tokens) or tokens[place].folded not in _AND:
        return None
    place += 1
    if tokens[place].folded in lexicon.articles and place + 1 < len(tokens):
        place += 1
    return place + 1 if tokens[place].folded in _HALVES else None


def _and_a_fraction(tokens: tuple[Token, ...], place: int) -> tuple[float, int] | None:
    """Read the rest of "2 e 1/2" or "1 & ¼"."""
    if place + 1 >= len(tokens) or not (tokens[place].folded in _AND or tokens[place].text == "&"):
        return None
    written = tokens[place + 1]
    if written.kind != "n" or not (written.text[-1] in VULGAR or "/" in written.text):
        return None
    value = number(written.text)
    return (value, place + 2) if 0 < value < 1 else None


def _past_article(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> int:
    """Step over "of a" or "a" between a fraction and its unit."""
    if place + 1 < len(tokens) and tokens[place].folded == "of" and tokens[place + 1].folded in lexicon.articles:
        return place + 2
    return place + 1 if place < len(tokens) and tokens[place].folded in lexicon.articles else place


def _past_sizes(tokens: tuple[Token, ...], place: int, lexicon: Lexicon) -> int:
    while place < len(tokens) and tokens[place].folded in lexicon.sizes:
        place += 1
    return place


def is_number(text: str) -> bool:
    """Tell whether a token's text is a number or a vulgar fraction."""
    return text[:1].isdigit() or text[:1] in VULGAR
