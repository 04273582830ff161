"""Recipes that are told: speech without full stops, prose, one line, no amounts, a photographed page; our own words."""

from dataclasses import dataclass

import pytest

from tintype.core.recipes import Recipe, RulesParser


@dataclass(frozen=True)
class Told:
    text: str
    name: str
    foods: dict[str, float | None]


TOLD = {
    "en-speech": Told(
        "hey guys welcome back so today I'm going to show you my favourite creamy tomato soup it's so good okay so first take a big pot "
        "and heat two tablespoons of olive oil then add one chopped onion and three cloves of garlic and let that cook for about five "
        "minutes then pour in two cans of tomatoes and two cups of vegetable broth add a teaspoon of sugar and stir in half a cup of "
        "heavy cream and that's it",
        "creamy tomato soup",
        {"olive oil": 2, "onion": 1, "garlic": 3, "tomatoes": 2, "vegetable broth": 2, "sugar": 1, "heavy cream": 0.5},
    ),
    "de-speech": Told(
        "Hallo ihr Lieben heute zeige ich euch meinen schnellen Apfelkuchen ihr braucht dafür drei Äpfel zweihundert Gramm Mehl hundert "
        "Gramm Zucker zwei Eier und hundertfünfzig Gramm Butter zuerst schlagt ihr die Butter mit dem Zucker schaumig dann rührt ihr das "
        "Mehl unter und dann backt ihr den Kuchen vierzig Minuten bei 180 Grad",
        "Apfelkuchen",
        {"Äpfel": 3, "Mehl": 200, "Zucker": 100, "Eier": 2, "Butter": 150},
    ),
    "es-speech": Told(
        "hola chicos hoy vamos a preparar una tortilla de patatas muy fácil necesitamos cuatro huevos medio kilo de patatas una cebolla y "
        "un vaso de aceite de oliva primero pelamos las patatas luego las freímos con la cebolla durante veinte minutos después batimos "
        "los huevos con una pizca de sal y cuajamos la tortilla",
        "tortilla de patatas",
        {"huevos": 4, "patatas": 0.5, "cebolla": 1, "aceite de oliva": 1, "sal": 1},
    ),
    "pt-speech": Told(
        "oi gente hoje vou fazer um bolo de cenoura você vai precisar de três cenouras quatro ovos uma xícara de óleo duas xícaras de açúcar "
        "e duzentos e cinquenta gramas de farinha primeiro bata no liquidificador as cenouras os ovos e o óleo depois misture o açúcar e a "
        "farinha e asse por quarenta minutos",
        "bolo de cenoura",
        {"cenouras": 3, "ovos": 4, "óleo": 1, "açúcar": 2, "farinha": 250},
    ),
    "fr-prose": Told(
        "Pour ma mousse, je fais fondre 200 g de chocolat noir avec 30 g de beurre. Je sépare 6 œufs, je mélange les jaunes au chocolat "
        "puis j'incorpore délicatement les blancs montés en neige avec une pincée de sel. Au frigo pendant 4 heures !",
        "mousse",
        {"chocolat noir": 200, "beurre": 30, "œufs": 6, "sel": 1},
    ),
    "it-prose": Told(
        "Per la mia carbonara uso 320 g di spaghetti. Intanto rosolo 150 g di guanciale a listarelle, sbatto 4 tuorli con 80 g di pecorino. "
        "Scolo la pasta e la unisco al guanciale. Servite subito!",
        "carbonara",
        {"spaghetti": 320, "guanciale": 150, "tuorli": 4, "pecorino": 80},
    ),
    "nl-prose": Told(
        "Voor deze pannenkoeken klop je 250 gram bloem met 500 ml melk en 2 eieren tot een glad beslag. Voeg een snufje zout toe en laat "
        "het 10 minuten rusten. Bak ze in de pan goudbruin.",
        "pannenkoeken",
        {"bloem": 250, "melk": 500, "eieren": 2, "zout": 1},
    ),
    "de-prose": Told(
        "Für meine Linsensuppe dünste ich eine Zwiebel und zwei Karotten in 2 EL Öl an, gebe 250 g rote Linsen und 1 Liter Gemüsebrühe dazu "
        "und lasse alles 20 Minuten köcheln. Dann pürieren und mit 1 TL Kreuzkümmel abschmecken.",
        "Linsensuppe",
        {"Zwiebel": 1, "Karotten": 2, "Öl": 2, "rote Linsen": 250, "Gemüsebrühe": 1, "Kreuzkümmel": 1},
    ),
    "en-line": Told(
        "Garlic shrimp 🍤 500g shrimp, 4 cloves garlic, 50g butter, juice of 1 lemon. Melt butter, fry garlic 1 min, add shrimp 3 min. Done!",
        "Garlic shrimp",
        {"shrimp": 500, "garlic": 4, "butter": 50, "lemon": 1},
    ),
    "de-line": Told(
        "Overnight Oats: 50g Haferflocken | 150ml Milch | 1 EL Chiasamen | 1 TL Honig. Alles mischen, über Nacht in den Kühlschrank. Fertig!",
        "Overnight Oats",
        {"Haferflocken": 50, "Milch": 150, "Chiasamen": 1, "Honig": 1},
    ),
    "en-no-amounts": Told(
        "Pantry pasta\nSpaghetti\nGarlic\nAnchovies\nChilli flakes\nParsley\n\nBoil the spaghetti. Fry the garlic with the anchovies and "
        "chilli, then toss together and finish with parsley.",
        "Pantry pasta",
        {"Spaghetti": None, "Garlic": None, "Anchovies": None, "Chilli flakes": None, "Parsley": None},
    ),
    "en-page": Told(
        "BANANA BREAD\nINGREDIENTS\n¢ 3 ripe bananas\ne 2 eggs\n¢ 1OO g sugar\n¢ 250 g flour,\nsifted\n* l tsp baking powder\nMETHOD\n"
        "1 Mash the bananas with the eggs\nand the sugar.\n2 Fold in flour and baking powder.\n3 Bake for 50 minutes at 180 °C",
        "BANANA BREAD",
        {"ripe bananas": 3, "eggs": 2, "sugar": 100, "flour": 250, "baking powder": 1},
    ),
}


def read(text: str) -> Recipe:
    found = RulesParser().read(text)
    assert found is not None
    return found.value


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_amounts_and_foods_are_picked_out(told: Told) -> None:
    assert {one.food: one.amount for one in read(told.text).ingredients} == told.foods


@pytest.mark.parametrize("told", TOLD.values(), ids=TOLD)
def test_the_dish_is_named_and_there_is_something_to_do(told: Told) -> None:
    recipe = read(told.text)
    assert recipe.name == told.name
    assert recipe.steps


def test_what_is_told_is_less_sure_than_what_is_listed() -> None:
    told = RulesParser().read(TOLD["fr-prose"].text)
    listed = RulesParser().read(
        "Mousse\n\n200 g de chocolat\n30 g de beurre\n6 œufs\n\nFaire fondre le chocolat.\nIncorporer les œufs."
    )
    assert told is not None
    assert listed is not None
    assert told.confidence < 0.5 < listed.confidence


def test_lines_of_a_photographed_page_are_joined() -> None:
    recipe = read(TOLD["en-page"].text)
    assert [step.text for step in recipe.steps] == [
        "Mash the bananas with the eggs and the sugar.",
        "Fold in flour and baking powder.",
        "Bake for 50 minutes at 180 °C",
    ]
    assert recipe.steps[2].minutes == 50
