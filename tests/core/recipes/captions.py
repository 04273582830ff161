"""Captions of our own in seven languages: a few dishes, written in every manner that people write captions in."""

from collections.abc import Callable
from dataclasses import dataclass

from tintype.core.recipes import Language

BOLD = {chr(base + at): chr(start + at) for base, start in ((65, 0x1D5D4), (97, 0x1D5EE)) for at in range(26)}


@dataclass(frozen=True)
class Thing:
    """One ingredient: the amount as it is written, its value, the unit as written and in general, and the food."""

    written: str
    amount: float | None
    unit: str
    measure: str | None
    food: str
    link: str = ""


@dataclass(frozen=True)
class Dish:
    """A dish with what a caption says of it, and the words its language puts around it."""

    language: Language
    name: str
    servings: tuple[str, float]
    minutes: tuple[str, int]
    heading: str
    method: str
    hook: str
    goodbye: str
    things: tuple[Thing, ...]
    steps: tuple[str, ...]


def line(thing: Thing) -> str:
    """Return an ingredient with its amount in front."""
    return (
        " ".join(part for part in (thing.written, thing.unit) if part)
        + (" " if thing.written else "")
        + (f"{thing.link}{thing.food}")
    )


def trailing(thing: Thing, mark: str) -> str:
    """Return an ingredient with its amount behind a mark."""
    amount = " ".join(part for part in (thing.written, thing.unit) if part)
    return f"{thing.food}{mark}{amount}" if amount else thing.food


def _listed(dish: Dish, mark: str, number: Callable[[int], str]) -> str:
    things = "\n".join(f"{mark}{line(thing)}" for thing in dish.things)
    steps = "\n".join(f"{number(place)}{step}" for place, step in enumerate(dish.steps, 1))
    return f"{dish.heading}:\n{things}\n\n{dish.method}:\n{steps}"


def _facts(dish: Dish) -> str:
    return f"{dish.servings[0]}\n⏱ {dish.minutes[0]}"


def headed(dish: Dish) -> str:
    return f"{dish.name}\n\n{_facts(dish)}\n\n{_listed(dish, '- ', lambda n: f'{n}. ')}\n\n{dish.goodbye}"


def hooked(dish: Dish) -> str:
    return (
        f"{dish.hook}\n\n{dish.name} 🍽\n{_facts(dish)}\n\n{_listed(dish, '✨ ', lambda n: f'{n}) ')}\n\n{dish.goodbye}"
    )


def shouted(dish: Dish) -> str:
    body = _listed(dish, "• ", lambda n: f"{n}\ufe0f\u20e3 ")
    return f"{dish.name.upper()}\n.\n{dish.servings[0]}\n.\n{body}\n.\n.\n#food #{dish.language}"


def disguised(dish: Dish) -> str:
    bold = "".join(BOLD.get(letter, letter) for letter in dish.name)
    return f"{bold}\n\n{_facts(dish)}\n\n{_listed(dish, '🔸', lambda n: f'{n}. ')}"


def bare(dish: Dish) -> str:
    things, steps = "\n".join(line(thing) for thing in dish.things), "\n".join(dish.steps)
    return f"{dish.name}\n\n{things}\n\n{steps}"


def dashed(dish: Dish) -> str:
    things, steps = "\n".join(trailing(one, " – ") for one in dish.things), "\n".join(dish.steps)
    return f"{dish.name} 😋\n{dish.servings[0]}\n\n{dish.heading}\n{things}\n\n{dish.method}\n{steps}\n\n{dish.goodbye}"


def colons(dish: Dish) -> str:
    things = "\n".join(f"🥄 {trailing(one, ': ')}" for one in dish.things)
    steps = "\n".join(f"{place}. {step}" for place, step in enumerate(dish.steps, 1))
    return f"{dish.name}\n\n{dish.heading}:\n{things}\n\n{dish.method}:\n{steps}"


def commas(dish: Dish) -> str:
    return f"{dish.name}\n\n{dish.heading}: {', '.join(map(line, dish.things))}.\n\n{' '.join(dish.steps)}"


def slashes(dish: Dish) -> str:
    return f"{dish.name}\n{dish.servings[0]}\n\n{dish.heading}: {' / '.join(map(line, dish.things))}\n\n{' '.join(dish.steps)}"


def one_paragraph(dish: Dish) -> str:
    things = " ".join(f"• {line(thing)}" for thing in dish.things)
    steps = " ".join(f"{place}. {step}" for place, step in enumerate(dish.steps, 1))
    return f"{dish.name.upper()} {dish.heading}: {things} {dish.method}: {steps}"


def pictures(dish: Dish) -> str:
    return f"{dish.name}\n{' '.join(f'✅ {line(thing)}' for thing in dish.things)}\n{' '.join(dish.steps)}"


def preview(dish: Dish) -> str:
    return f'1,204 likes, 31 comments - cook.of.ours on May 2, 2026: "{headed(dish)}"'


def small(dish: Dish) -> str:
    return bare(dish).lower()


def silent(dish: Dish) -> str:
    things = "\n".join(f"▫️{line(thing)}" for thing in dish.things)
    return f"{dish.name}\n\n{dish.heading}:\n{things}\n\n{dish.goodbye}"


STYLES: dict[str, Callable[[Dish], str]] = {
    style.__name__: style
    for style in (
        headed, hooked, shouted, disguised, bare, dashed, colons, commas, slashes, one_paragraph, pictures, preview, small, silent,
    )
}  # fmt: skip
WITHOUT_STEPS = frozenset({"silent"})
DIVIDED = frozenset(
    {"headed", "hooked", "shouted", "disguised", "bare", "dashed", "colons", "one_paragraph", "preview"}
)
WITH_SERVINGS = frozenset({"headed", "hooked", "shouted", "disguised", "dashed", "slashes", "preview"})
WITH_MINUTES = frozenset({"headed", "hooked", "disguised", "preview"})


Row = tuple[str, float | None, str, str | None, str] | tuple[str, float | None, str, str | None, str, str]


def _things(*rows: Row) -> tuple[Thing, ...]:
    return tuple(Thing(row[0], row[1], row[2], row[3], row[4], row[5] if len(row) == 6 else "") for row in rows)


DISHES: tuple[Dish, ...] = (
    Dish(
        "en", "Smoky Bean Stew", ("Serves 4", 4), ("Total time: 45 minutes", 45), "Ingredients", "Method",
        "I could eat this every single night!!", "Tag a friend who loves beans 💛",
        _things(
            ("2", 2, "tbsp", "tbsp", "olive oil"), ("1½", 1.5, "cups", "cup", "vegetable stock"),
            ("400", 400, "g", "g", "white beans"), ("2", 2, "", None, "carrots"), ("1/2", 0.5, "tsp", "tsp", "smoked paprika"),
            ("3", 3, "cloves", "clove", "garlic"),
        ),
        ("Warm the oil and soften the carrots with the garlic.", "Stir in the paprika, beans and stock.", "Simmer gently for 30 minutes and serve."),
    ),
    Dish(
        "en", "Coconut Rice Pudding", ("Makes 6 bowls", 6), ("Ready in 1 h 10 min", 70), "What you need", "How to make it",
        "Who else grew up with this?", "Save this for a rainy day 📌",
        _things(
            ("1", 1, "cup", "cup", "short grain rice"), ("2", 2, "cans", "can", "coconut milk"), ("¼", 0.25, "cup", "cup", "brown sugar"),
            ("1", 1, "pinch", "pinch", "salt"), ("2", 2, "", None, "ripe mangoes"),
        ),
        ("Rinse the rice and put it in a pot with the coconut milk.", "Cook on low heat for an hour, stirring often.", "Add sugar and salt, then top with mango."),
    ),
    Dish(
        "de", "Omas Kartoffelpuffer", ("Für 4 Personen", 4), ("Gesamtzeit: 40 Minuten", 40), "Zutaten", "Zubereitung",
        "Wer liebt sie auch so sehr wie ich?", "Speichert euch das Rezept 💛",
        _things(
            ("1", 1, "kg", "kg", "Kartoffeln"), ("2", 2, "", None, "Eier"), ("3", 3, "EL", "tbsp", "Mehl"), ("1", 1, "Prise", "pinch", "Muskat"),
            ("1,5", 1.5, "TL", "tsp", "Salz"), ("", None, "", None, "Öl"),
        ),
        ("Die Kartoffeln schälen und fein reiben.", "Eier, Mehl und Gewürze unterrühren.", "In heißem Öl von beiden Seiten goldbraun braten."),
    ),
    Dish(
        "de", "Schnelles Bananenbrot", ("Ergibt 12 Scheiben", 12), ("Fertig in 60 Minuten", 60), "Du brauchst", "So geht's",
        "Mein Lieblingsrezept für alte Bananen!", "Folgt mir für mehr Rezepte",
        _things(
            ("3", 3, "", None, "Bananen"), ("250", 250, "g", "g", "Dinkelmehl"), ("½", 0.5, "Päckchen", "package", "Backpulver"),
            ("80", 80, "ml", "ml", "Rapsöl"), ("100", 100, "g", "g", "Walnüsse"),
        ),
        ("Die Bananen mit einer Gabel zerdrücken.", "Mit den übrigen Zutaten verrühren.", "Bei 180 °C etwa 45 Minuten backen."),
    ),
    Dish(
        "fr", "Soupe de potiron au lard", ("Pour 6 personnes", 6), ("Temps total : 50 minutes", 50), "Ingrédients", "Préparation",
        "Qui a froid ce soir ?", "Enregistre cette recette 📌",
        _things(
            ("1", 1, "kg", "kg", "potiron", "de "), ("150", 150, "g", "g", "lardons", "de "), ("20", 20, "cl", "cl", "crème", "de "),
            ("2", 2, "", None, "oignons"), ("1", 1, "cuillère à soupe", "tbsp", "beurre", "de "), ("1", 1, "pincée", "pinch", "muscade", "de "),
        ),
        ("Éplucher le potiron et le couper en cubes.", "Faire revenir les oignons dans le beurre.", "Ajouter le potiron, couvrir d'eau et cuire 30 minutes."),
    ),
    Dish(
        "fr", "Cookies tout chocolat", ("Pour 12 cookies", 12), ("Prêt en 25 min", 25), "Il te faut", "Étapes",
        "Vous êtes prêts à craquer ?", "Abonne-toi pour plus de recettes",
        _things(
            ("200", 200, "g", "g", "farine", "de "), ("120", 120, "g", "g", "beurre", "de "), ("1", 1, "", None, "œuf"),
            ("1/2", 0.5, "sachet", "package", "levure", "de "), ("100", 100, "g", "g", "chocolat", "de "),
        ),
        ("Mélange le beurre avec l'œuf.", "Ajoute la farine, la levure et le chocolat.", "Forme des boules et enfourne 12 minutes à 180 °C."),
    ),
    Dish(
        "es", "Garbanzos con espinacas", ("Para 4 personas", 4), ("Tiempo total: 35 minutos", 35), "Ingredientes", "Preparación",
        "¿A quién más le gusta la cuchara?", "Guárdalo para luego 📌",
        _things(
            ("400", 400, "g", "g", "garbanzos", "de "), ("2", 2, "dientes", "clove", "ajo", "de "), ("300", 300, "g", "g", "espinacas", "de "),
            ("1", 1, "cucharadita", "tsp", "comino", "de "), ("3", 3, "cucharadas", "tbsp", "aceite", "de "), ("1", 1, "", None, "tomate"),
        ),
        ("Sofríe el ajo en el aceite.", "Añade el tomate y el comino y cocina 5 minutos.", "Incorpora los garbanzos y las espinacas y deja cocer 15 minutos."),
    ),
    Dish(
        "es", "Arroz con leche de mi madre", ("Para 6 raciones", 6), ("Listo en 50 min", 50), "Necesitas", "Elaboración",
        "¡El postre de toda la vida!", "Cuéntame si lo preparas 💬",
        _things(
            ("1,5", 1.5, "litros", "l", "leche", "de "), ("200", 200, "g", "g", "arroz", "de "), ("1", 1, "", None, "limón"),
            ("150", 150, "g", "g", "azúcar", "de "), ("1", 1, "pizca", "pinch", "sal", "de "),
        ),
        ("Calienta la leche con la piel del limón.", "Añade el arroz y remueve a fuego lento 40 minutos.", "Agrega el azúcar y deja enfriar."),
    ),
    Dish(
        "it", "Zuppa di lenticchie", ("Per 4 persone", 4), ("Tempo totale: 50 minuti", 50), "Ingredienti", "Procedimento",
        "Chi ama le zuppe come me?", "Salva la ricetta 📌",
        _things(
            ("300", 300, "g", "g", "lenticchie", "di "), ("1", 1, "", None, "carota"), ("2", 2, "cucchiai", "tbsp", "olio", "di "),
            ("1", 1, "spicchio", "clove", "aglio", "di "), ("1,5", 1.5, "litri", "l", "brodo", "di "), ("", None, "", None, "sale"),
        ),
        ("Tritate la carota e l'aglio.", "Fateli rosolare nell'olio per 5 minuti.", "Aggiungete le lenticchie e il brodo e cuocete 40 minuti."),
    ),
    Dish(
        "it", "Biscotti alle mandorle", ("Per 20 biscotti", 20), ("Pronto in 30 minuti", 30), "Ti servono", "Preparazione",
        "Una tira l'altra, promesso!", "Fammi sapere se li provi 💬",
        _things(
            ("250", 250, "g", "g", "farina", "di "), ("120", 120, "g", "g", "zucchero", "di "), ("2", 2, "", None, "uova"),
            ("1", 1, "bustina", "package", "lievito", "di "), ("100", 100, "g", "g", "mandorle", "di "),
        ),
        ("Mescola le uova con lo zucchero.", "Unisci la farina, il lievito e le mandorle.", "Forma i biscotti e inforna a 180 °C per 15 minuti."),
    ),
    Dish(
        "pt", "Caldo de feijão da vó", ("Rende 5 porções", 5), ("Tempo total: 40 minutos", 40), "Ingredientes", "Modo de preparo",
        "Quem aí ama um caldinho?", "Salva essa receita 📌",
        _things(
            ("500", 500, "g", "g", "feijão", "de "), ("2", 2, "dentes", "clove", "alho", "de "), ("1", 1, "", None, "cebola"),
            ("3", 3, "colheres de sopa", "tbsp", "azeite", "de "), ("1", 1, "litro", "l", "água", "de "), ("1", 1, "folha", "leaf", "louro", "de "),
        ),
        ("Refogue a cebola e o alho no azeite.", "Junte o feijão, o louro e a água.", "Cozinhe por 30 minutos e bata no liquidificador."),
    ),
    Dish(
        "pt", "Bolo de laranja fofinho", ("Rende 10 fatias", 10), ("Pronto em 55 minutos", 55), "Você vai precisar de", "Como fazer",
        "O bolo que eu mais faço em casa!", "Marca quem precisa provar 👯",
        _things(
            ("3", 3, "", None, "ovos"), ("2", 2, "xícaras", "cup", "farinha", "de "), ("1", 1, "xícara", "cup", "açúcar", "de "),
            ("½", 0.5, "xícara", "cup", "óleo", "de "), ("2", 2, "", None, "laranjas"),
        ),
        ("Bata os ovos com o açúcar e o óleo.", "Adicione a farinha e o suco de laranja.", "Asse por 40 minutos em forno médio."),
    ),
    Dish(
        "nl", "Boerenkoolstamppot met worst", ("Voor 4 personen", 4), ("Totale tijd: 35 minuten", 35), "Ingrediënten", "Bereiding",
        "Wie heeft hier ook zo'n zin in?", "Bewaar dit recept 📌",
        _things(
            ("1", 1, "kg", "kg", "aardappelen"), ("500", 500, "g", "g", "boerenkool"), ("1", 1, "", None, "rookworst"),
            ("100", 100, "ml", "ml", "melk"), ("2", 2, "el", "tbsp", "mosterd"), ("", None, "", None, "zout"),
        ),
        ("Schil de aardappelen en snijd ze in stukken.", "Kook ze met de boerenkool in 20 minuten gaar.", "Stamp alles fijn met de melk en de mosterd."),
    ),
    Dish(
        "nl", "Luchtige appelpannenkoeken", ("Voor 8 pannenkoeken", 8), ("Klaar in 30 minuten", 30), "Dit heb je nodig", "Zo maak je het",
        "Mijn kinderen vragen hier elke zondag om!", "Volg mij voor meer recepten",
        _things(
            ("250", 250, "g", "g", "bloem"), ("2,5", 2.5, "dl", "dl", "melk"), ("2", 2, "", None, "eieren"),
            ("1", 1, "snufje", "pinch", "zout"), ("2", 2, "", None, "appels"),
        ),
        ("Klop de bloem met de melk en de eieren tot een beslag.", "Snijd de appels in dunne plakken.", "Bak de pannenkoeken met de appel in een hete pan."),
    ),
)  # fmt: skip
