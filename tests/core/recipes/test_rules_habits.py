"""Habits of captions: facts in few signs, parts without a bullet, weights before their numbers, what is kept in the house."""

import pytest

from tintype.core.recipes import Recipe, RulesParser

BODY = "\n\n200 g flour\n2 eggs\n100 ml milk\n\nWhisk everything until smooth.\nFry in butter until golden."
Fact = tuple[str, float | None, int | None]

FACTS: tuple[Fact, ...] = (
    ("Plain crepes\n👥 2 ⏱ 35 min", 2, 35),
    ("Plain crepes\n2p • 20 min", 2, 20),
    ("Plain crepes\nPrep: 20 min Cook: 1 hr 15 min", None, 95),
    ("Plain crepes\nServes 6 | Prep 15 mins | Cook 35 mins", 6, 50),
    ("Plain crepes\n25 min + 55 min baking", None, 80),
    ("Plain crepes\n3 portions in 25 min ⏰", 3, 25),
    ("Plain crepes\nmakes 10 slices // 1 hr 15 min total", 10, 75),
    ("Plain crepes\n5 mins | 1 serve | 38g protein | 420 cals", 1, 5),
    ("Plain crepes\n24 cm tin / 8 servings", 8, None),
    ("Plain crepes\nabout 20 pieces", 20, None),
    ("Plain crepes\n15 mins\nServes 2", 2, 15),
    ("Plain crepes (serves 3)", 3, None),
    ("Plain crepes\nMakes 6 big ones. Takes 2 1/2 hours including resting.", 6, 150),
)

HOUSEHOLD = {
    "en-windows": "Windows without streaks\n1 cup vinegar\n1 cup water\n2 tsp cornflour\nShake in a bottle and buff with newspaper.",
    "de-badepralinen": "Badepralinen zum Verschenken\n100 g Natron\n50 g Zitronensäure\n60 g Kakaobutter\nSchmelzen, vermengen, in Förmchen drücken.",
    "fr-four": "Dégraisser le four\n4 c. à soupe de bicarbonate\n2 c. à soupe d'eau\n1 verre de vinaigre\nÉtalez et laissez poser une nuit.",
    "es-gato": "Arena casera para el gato\n3 tazas de pellets de madera\n1 taza de bicarbonato\nMezcla y cambia cada semana.",
    "it-settimana": "Le nostre cene\nLun: pasta e ceci\nMar: 4 uova in padella\nMer: pizza\nGio: zuppa di farro",
    "pt-tabela": "100 g de abacate têm 160 kcal\n100 g de banana têm 89 kcal\n100 g de manga têm 60 kcal",
    "nl-tabletten": "Frisse bruistabletten\n200 g baksoda\n100 g citroenzuur\n1 el water\nMengen, in vormpjes drukken, laten drogen.",
    "en-measures": "Save this!\n1 cup flour = 125 g\n1 cup sugar = 200 g\n1 stick butter = 113 g",
    "en-storage": "How long does it keep?\nSoup - 3 months\nBread - 3 months\nBerries - 12 months",
    "en-prices": "Tonight we ate\nTomato soup (8,25)\nGoat's cheese toast (9,75)\nApple tart (5,50)",
}


def read(caption: str) -> Recipe:
    found = RulesParser().read(caption)
    assert found is not None, caption
    return found.value


@pytest.mark.parametrize(("opening", "servings", "minutes"), FACTS)
def test_facts_are_read_however_few_signs_they_are_told_in(
    opening: str, servings: float | None, minutes: int | None
) -> None:
    recipe = read(opening + BODY)
    assert recipe.name == "Plain crepes"
    assert (recipe.servings.amount if recipe.servings else None, recipe.times.whole) == (servings, minutes)
    assert [one.food for one in recipe.ingredients] == ["flour", "eggs", "milk"]
    assert len(recipe.steps) == 2


@pytest.mark.parametrize("caption", HOUSEHOLD.values(), ids=HOUSEHOLD)
def test_what_is_kept_in_the_house_makes_no_dish(caption: str) -> None:
    assert RulesParser().read(caption) is None


def test_parts_are_named_by_lines_that_have_no_bullet() -> None:
    recipe = read(
        "Burger bowls\n\nIngredients:\nBowl\n• 500 g beef\n• 1 tsp paprika\nBurger sauce\n• 2 tbsp ketchup\n• 1 tbsp mustard"
    )
    assert [(one.food, one.group) for one in recipe.ingredients] == [
        ("beef", "Bowl"), ("paprika", "Bowl"), ("ketchup", "Burger sauce"), ("mustard", "Burger sauce"),
    ]  # fmt: skip


def test_weights_stand_before_their_numbers_as_well() -> None:
    recipe = read(
        "Pasta e ceci per 4 persone\n- ceci lessati g 400\n- ditalini g 250\n- sale q.b.\nCuoci tutto insieme."
    )
    assert [(one.amount, one.unit, one.food) for one in recipe.ingredients] == [
        (400, "g", "ceci lessati"), (250, "g", "ditalini"), (None, None, "sale"),
    ]  # fmt: skip


def test_a_sum_of_a_number_and_a_fraction_is_one_amount() -> None:
    recipe = read("Torta de frango\n2 e 1/2 xícaras de farinha\n3 ovos\n1 xícara (chá) de leite\nMisture tudo e asse.")
    assert [(one.amount, one.unit) for one in recipe.ingredients] == [(2.5, "xícaras"), (3, None), (1, "xícara")]


def test_who_writes_without_capitals_has_lines_all_the_same() -> None:
    recipe = read(
        "iced espresso\n\nwhat you need:\n1 tbsp sugar\n200 ml oat milk\nice\n\nhow to:\n"
        "add the sugar to a jar of ice\nshake until frothy\npour into a glass and top with milk"
    )
    assert [step.text for step in recipe.steps] == [
        "add the sugar to a jar of ice", "shake until frothy", "pour into a glass and top with milk",
    ]  # fmt: skip
