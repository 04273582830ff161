"""Captions, comments and lives for invented people, put together from word lists in several languages."""

from random import Random
from typing import NamedTuple


class Tongue(NamedTuple):
    """The words of one language: openings, middles, endings, tags, comments."""

    openings: tuple[str, ...]
    subjects: tuple[str, ...]
    endings: tuple[str, ...]
    tags: tuple[str, ...]
    comments: tuple[str, ...]


TONGUES: dict[str, Tongue] = {
    "en": Tongue(
        ("Slow start today:", "Back at it with", "Two years ago this was a sketch, now it is", "You asked, so here:"),
        ("the first loaf of rye", "a walk along the north shore", "new glaze tests", "light through the old windows"),
        ("Come by until six.", "More in stories.", "Which one would you take home?", "Rain helped, for once."),
        ("slowmorning", "handmade", "onthetable", "smallbatch", "northlight", "weekendwalk", "makersgonnamake"),
        (
            "Beautiful!",
            "Where is this?",
            "I need the recipe",
            "Saw it yesterday, even better in person",
            "That light ✨",
        ),
    ),
    "de": Tongue(
        ("Frisch aus dem Ofen:", "Heute im Atelier:", "Lange geplant, endlich da:", "Sonntagsrunde mit"),
        ("Becher in Moosgrün", "ein Blech Pflaumenkuchen", "die große Schale für Familie Öz", "Nebel über dem See"),
        (
            "Ab Freitag im Laden.",
            "Wer kommt vorbei?",
            "Danke für die vielen Nachrichten!",
            "Schönes Wochenende, ihr Lieben.",
        ),
        ("keramikliebe", "handgemacht", "werkstatt", "sonntagskuchen", "draußenzuhause", "kleinemanufaktur"),
        ("Wunderschön!", "Gibt es die auch in Blau?", "Große Klasse 👏", "Habe ich gestern bestellt, freu mich"),
    ),
    "es": Tongue(
        ("Hoy en la cocina:", "Un año después,", "Por fin listo:", "Tarde tranquila con"),
        ("pan de masa madre", "la luz del puerto", "cerámica recién esmaltada", "el mercado de los sábados"),
        ("¿Quién se apunta?", "Os esperamos mañana.", "Gracias por tanto cariño.", "La receta, en historias."),
        ("hechoamano", "panaderia", "luznatural", "finde", "mercado", "cocinalenta"),
        ("¡Qué maravilla!", "Quiero uno 😍", "¿Hacéis envíos?", "Preciosa foto"),
    ),
    "it": Tongue(
        ("Stamattina in bottega:", "Finalmente pronta", "Piccole cose:", "Una domenica con"),
        ("la focaccia di nonna", "una passeggiata sul lungomare", "la tazza blu notte", "il profumo di pane"),
        ("Vi aspettiamo!", "Chi viene domani?", "Ricetta nelle storie.", "Grazie di cuore."),
        ("fattoamano", "colazione", "lucenaturale", "bottega", "weekend"),
        ("Bellissima!", "Che meraviglia", "La voglio ❤️"),
    ),
    "ja": Tongue(
        ("今日の一枚、", "朝のひととき。", "新作です。", "散歩の途中で"),
        ("焼きたてのパン", "海辺の光", "小さな器", "雨上がりの庭"),
        ("週末お待ちしています。", "続きはストーリーで。", "いつもありがとうございます。"),
        ("手仕事", "朝ごはん", "うつわ", "海のある暮らし"),
        ("素敵です。", "美味しそう😋", "どこで買えるのかな"),
    ),
    "pt": Tongue(
        ("Hoje na oficina:", "Depois de muita chuva,", "Novidade na mesa:", "Domingo com"),
        ("pão de fermentação lenta", "o mar do norte", "a caneca verde", "a luz das cinco"),
        ("Apareçam!", "Quem vem?", "Obrigada por tudo.", "Mais nos stories."),
        ("feitoamao", "paoartesanal", "luznatural", "fimdesemana"),
        ("Lindo demais!", "Quero muito 🙌", "Que saudade desse lugar"),
    ),
}

EMOJI = ("", "", "✨", "🌿", "🍞", "🌊", "📷", "☕️", "🧡", "🏔️", "👩🏽‍🍳", "🇵🇹")
FRIENDS = ("ada.brightwell", "olivier_petit", "mina.koto", "rosa__verde", "jonas.feld", "the.paper.boat", "kwame.draws")

SCENES = (
    "A wooden table by a window with soft light",
    "Waves rolling onto a stony beach under clouds",
    "Hands shaping a bowl on a potter's wheel",
    "A path through tall grass in the evening sun",
    "Loaves of bread cooling on a wire rack",
)


def caption(dice: Random, language: str) -> str:
    """A caption of one to three paragraphs with tags, often an emoji, sometimes a mention; at most 2,200 characters."""
    tongue = TONGUES[language]
    text = f"{dice.choice(tongue.openings)} {dice.choice(tongue.subjects)} {dice.choice(EMOJI)}".strip()
    if dice.random() < 0.6:
        text += f"\n\n{dice.choice(tongue.endings)}"
    if dice.random() < 0.2:
        text += f" 📸 @{dice.choice(FRIENDS)}"
    if dice.random() < 0.75:
        tags = dice.sample(tongue.tags, dice.randint(1, len(tongue.tags)))
        text += "\n.\n" * (dice.random() < 0.2) + "\n" + " ".join(f"#{tag}" for tag in tags)
    return text


def alt_text(dice: Random) -> str:
    """What a screen reader would say about an invented picture."""
    return dice.choice(SCENES)


def comment(dice: Random, language: str) -> str:
    """What friends say under a post, in its language or in English."""
    return dice.choice(TONGUES[dice.choice((language, "en"))].comments)
