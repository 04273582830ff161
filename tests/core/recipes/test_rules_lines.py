"""One line of what goes in, in every form that amounts, units and names are written in."""

import pytest

from tintype.core.recipes import Ingredient, Language
from tintype.core.recipes.parsers.rules.ingredients import read_ingredient
from tintype.core.recipes.parsers.rules.lexicon import lexicon

Row = tuple[Language, str, float | None, float | None, str | None, str]

LINES: tuple[Row, ...] = (
    ("en", "1½ cups oat milk", 1.5, None, "cup", "oat milk"),
    ("en", "1 1/2 cups oat milk", 1.5, None, "cup", "oat milk"),
    ("en", "1-1/2 cups oat milk", 1.5, None, "cup", "oat milk"),
    ("en", "2 ⅓ tbsp honey", 2.3333, None, "tbsp", "honey"),
    ("en", "1/2 cup of honey", 0.5, None, "cup", "honey"),
    ("en", "2-3 tbsp chopped parsley", 2, 3, "tbsp", "parsley"),
    ("en", "2 to 3 tbsp parsley, finely chopped", 2, 3, "tbsp", "parsley"),
    ("en", "3/4 – 1 cup cream", 0.75, 1, "cup", "cream"),
    ("en", "two and a half cups of milk", 2.5, None, "cup", "milk"),
    ("en", "half a cup of sugar", 0.5, None, "cup", "sugar"),
    ("en", "a pinch of salt", 1, None, "pinch", "salt"),
    ("en", "a dozen eggs", 12, None, None, "eggs"),
    ("en", "salt to taste", None, None, None, "salt"),
    ("en", "some basil leaves", None, None, None, "basil leaves"),
    ("en", "1 (15 oz) can chickpeas, drained", 1, None, "can", "chickpeas"),
    ("en", "one 15-ounce can chickpeas", 1, None, "can", "chickpeas"),
    ("en", "2 x 400g tins chickpeas", 2, None, "can", "chickpeas"),
    ("en", "15 oz can chickpeas – 2", 2, None, "can", "chickpeas"),
    ("en", "1 cup / 240 ml milk", 1, None, "cup", "milk"),
    ("en", "1 cup (240 ml) milk", 1, None, "cup", "milk"),
    ("en", "600g/1lb 5oz cream cheese", 600, None, "g", "cream cheese"),
    ("en", "2 T. sugar", 2, None, "tbsp", "sugar"),
    ("en", "1 t. sugar", 1, None, "tsp", "sugar"),
    ("en", "1 heaped tbsp ginger", 1, None, "tbsp", "ginger"),
    ("en", "3 large eggs (beaten)", 3, None, None, "eggs"),
    ("en", "1 large (9 oz) onion", 1, None, None, "onion"),
    ("en", "zest of 3 limes", 3, None, None, "limes"),
    ("en", "sugar – 2 tbsp", 2, None, "tbsp", "sugar"),
    ("en", "sugar (2 tbsp)", 2, None, "tbsp", "sugar"),
    ("en", "ABOUT 200 G Pasta Such As Penne", 200, None, "g", "Pasta"),
    ("en", "1,000 g flour", 1000, None, "g", "flour"),
    ("de", "1,5 TL Zimt", 1.5, None, "tsp", "Zimt"),
    ("de", "1.000 g Mehl", 1000, None, "g", "Mehl"),
    ("de", "2 bis 3 EL Honig", 2, 3, "tbsp", "Honig"),
    ("de", "ca. 200 ml Milch", 200, None, "ml", "Milch"),
    ("de", "eine halbe Zwiebel", 0.5, None, None, "Zwiebel"),
    ("de", "etwas Salz", None, None, None, "Salz"),
    ("de", "1 Msp. Zimt", 1, None, "pinch", "Zimt"),
    ("de", "2 Knoblauchzehen", 2, None, "clove", "Knoblauch"),
    ("de", "Saft von 1 Zitrone", 1, None, None, "Zitrone"),
    ("fr", "2 c. à s. d'huile d'olive", 2, None, "tbsp", "huile d'olive"),
    ("fr", "2 à 3 cuillères à soupe de miel", 2, 3, "tbsp", "miel"),
    ("fr", "1 càc de sel", 1, None, "tsp", "sel"),
    ("fr", "un demi citron", 0.5, None, None, "citron"),
    ("fr", "Beurre : 20 g", 20, None, "g", "Beurre"),
    ("fr", "25 cl de lait", 25, None, "cl", "lait"),
    ("es", "3-4 dientes de ajo", 3, 4, "clove", "ajo"),
    ("es", "¼ de cucharadita de sal", 0.25, None, "tsp", "sal"),
    ("es", "una cucharada y media de azúcar", 1.5, None, "tbsp", "azúcar"),
    ("es", "media cebolla", 0.5, None, None, "cebolla"),
    ("es", "sal al gusto", None, None, None, "sal"),
    ("it", "un pizzico di sale", 1, None, "pinch", "sale"),
    ("it", "sale q.b.", None, None, None, "sale"),
    ("it", "2 cucchiai d'olio", 2, None, "tbsp", "olio"),
    ("it", "100 gr di farina", 100, None, "g", "farina"),
    ("pt", "3 colheres (sopa) de manteiga", 3, None, "tbsp", "manteiga"),
    ("pt", "meia xícara (chá) de leite", 0.5, None, "cup", "leite"),
    ("pt", "1 e meia colher de chá de sal", 1.5, None, "tsp", "sal"),
    ("pt", "sal, q.b.", None, None, None, "sal"),
    ("nl", "2 à 3 el honing", 2, 3, "tbsp", "honing"),
    ("nl", "halve tl kaneel", 0.5, None, "tsp", "kaneel"),
    ("nl", "2 teentjes knoflook", 2, None, "clove", "knoflook"),
    ("nl", "75ml slagroom", 75, None, "ml", "slagroom"),
)


def read(language: Language, line: str) -> Ingredient:
    found = read_ingredient(line, lexicon(language))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("language", "line", "amount", "upper", "measure", "food"), LINES, ids=[row[1] for row in LINES]
)
def test_a_line_is_understood(
    language: Language, line: str, amount: float | None, upper: float | None, measure: str | None, food: str
) -> None:
    found = read(language, line)
    assert (found.amount, found.amount_max, found.measure, found.food) == (amount, upper, measure, food)
    assert found.original == line


@pytest.mark.parametrize(
    ("line", "note"),
    [
        ("2 tbsp parsley, finely chopped", "finely chopped"),
        ("1 (15 oz) can chickpeas, drained", "15 oz, drained"),
        ("finely chopped parsley", "finely chopped"),
        ("100 g butter (soft)", "soft"),
        ("salt to taste", "to taste"),
        ("oil for frying", "for frying"),
    ],
)
def test_what_is_said_beside_the_food_is_a_note(line: str, note: str) -> None:
    assert read("en", line).note == note


@pytest.mark.parametrize("line", ["", "-", "200", "🍋", "(2)"])
def test_a_line_without_a_word_is_no_ingredient(line: str) -> None:
    assert read_ingredient(line, lexicon("en")) is None
