"""The text a model is given: numbered lines between random fences, without the lines that talk to the model.

A caption is written by a stranger. Every line that could be cited is known here by its number, so that whatever comes
back can be held against it. Lines that address a model ("ignore all previous instructions") are taken out before it
reads them, and so is what follows them up to the next gap: nobody can cite what was never shown.
"""

import re
import unicodedata
from dataclasses import dataclass

from tintype.core.recipes.plain import plain

_DIGITS = 2
_LONG = 240  # a longer line is shown as its sentences, so that a citation says something
_SHADOW = 3  # lines after an addressing one that are taken to belong to it, unless a gap or a heading comes first

_FORGET = (
    r"(?:ignor\w*|disregard\w*|forget|override|bypass|skip|vergiss|missachte\w*|oublie\w*|ne tiens? pas compte|olvid\w*"
    r"|dimentica\w*|esque[cç]\w*|negeer|vergeet)"
)
_NAMED = (
    r"(?:instructions?|prompts?|rules|guidelines|directions|commands|anweisung\w*|befehle?|vorgaben|regeln|consignes|règles"
    r"|instruccion\w*|órdenes|reglas|istruzion\w*|regole|instruç\w*|ordens|regras|instructies|opdrachten|regels)"
)
_BEFORE = r"(?:above|before|previous\w*|prior|earlier|so far|oben|davor|bisher\w*|avant|précéd\w*|anterior\w*|preced\w*|hierboven|eerder\w*)"
_MACHINE = (
    r"\b(?:a\.?i|assistants?|language model|llms?|chat ?gpt|gpt(?:-\d\w*)?|claude|gemini|llama|chatbots?|bots?|the model|ki"
    r"|parsers?|importers?|scrapers?|asistente|assistente|modèle|modelo|modello|sprachmodell|taalmodel|i\.?a)\b"
)
_SUBJECT = r"(?:recipe|title|name|servings|source|url|ingredient list|rezept|titel|recette|titre|receta|título|ricetta|titolo|receita)"

_ADDRESSING = re.compile(
    "|".join(
        (
            rf"\b{_FORGET}\b.{{0,60}}\b{_NAMED}\b",
            rf"\b{_FORGET}\b.{{0,30}}\b(?:everything|anything|all|text|alles|tout|todo|tutto|tudo)\b.{{0,30}}\b{_BEFORE}\b",
            rf"\b(?:new|updated|real|actual|secret|neue|nouvelles|nuevas|nuove|novas|nieuwe)\b.{{0,12}}\b{_NAMED}\s*:",
            r"\bsystem\s*(?:prompt|message|note|override|instruction)",
            r"^\W*(?:system|assistant|user|developer)\s*:",
            r"<\|?\s*/?\s*(?:im_start|im_end|system|assistant|user|endoftext)\b|</?s>",
            r"\[/?(?:inst|sys|system|assistant)\]|<</?sys>>|###\s*(?:instruction|system|response|assistant)",
            r"\byou are (?:now\b|an? (?:helpful|ai|assistant|language|large|parser|model|bot|pirate))",
            r"\byou (?:must|will|should|shall) (?:now |only |always )*(?:output|respond|reply|answer|act as|obey)\b",
            rf"\b(?:note|message|attention|hinweis|nota|instructions?)\s*(?:to|for|an|für|pour|para|per|voor)\b.{{0,20}}{_MACHINE}",
            rf"\b(?:dear|hey|hello|hi|if you are|as|liebe|chère?|querid[oa]|car[oa]|beste)\s+(?:an? |the |die )?{_MACHINE}",
            rf"^\W*{_MACHINE}\s*[:,!]",
            (
                rf"\b(?:set|change|rename|replace|ändere|setze|changez?|cambia|muda)\b.{{0,20}}\b{_SUBJECT}\b.{{0,20}}"
                r"(?:\b(?:to|as|with|by|in|zu|auf|en|por|para)\b|[:=])"
            ),
            rf"\b(?:name|call|title)\s+(?:the|this)\s+(?:recipe|dish)\b|\b{_SUBJECT}\s+(?:must|should|has to|muss|soll|doit|debe)\b",
            (
                r"\b(?:add|include|insert|append|put)\b.{0,60}\b(?:to|in|into|as)\b.{0,12}"
                r"\b(?:recipes?|json|output|answer|response|ingredient list|keywords?|list of ingredients|description|every step)\b"
            ),
            r"\b(?:output|respond|reply|answer|print|reveal)\b.{0,30}(?:\b(?:json|only|exactly|with|following|prompt|api key|password|token)\b|\")",
            r"\b(?:return|write|say|repeat|give)\b.{0,30}\b(?:json|system prompt|api key|password|token|the words?|is_recipe)\b",
            r"[{\[]\s*\"?(?:is_recipe|name|ingredients|steps|role|content)\"?\s*:|\bis_recipe\b",
            r"\b(?:jailbreak|dan mode|developer mode|prompt injection|do anything now)\b",
            r"\b(?:upload|post|send|forward|exfiltrate)\b.{0,40}(?:https?:|\bwebhook|\bapi key|\btokens?\b)",
        )
    ),
    re.IGNORECASE,
)
_HEADING = re.compile(r"^\W*[^\W\d][\w' ]{2,30}:\s*$")


@dataclass(frozen=True, slots=True)
class Source:
    """Numbered lines as a model sees them, and the same with their gaps; `hidden` counts what was kept from it."""

    lines: dict[int, str]
    text: str = ""
    hidden: int = 0

    @property
    def shown(self) -> str:
        """The text of the user's message: `L07| 2 cups flour`."""
        width = max(_DIGITS, len(str(len(self.lines))))
        return "\n".join(f"L{number:0{width}d}| {line}" for number, line in self.lines.items())


def numbered(text: str, characters: int) -> Source:
    """Return a text's lines with numbers, without markup and without what addresses a model."""
    kept: dict[int, str] = {}
    whole: list[str] = []
    hidden = shadow = 0
    for raw in text[:characters].splitlines():
        line = plain(raw)
        if not raw.strip(" .·•-_") or _HEADING.match(line):
            shadow = 0  # a gap or a heading ends what an addressing line began
        if addresses_a_model(raw):
            hidden, shadow = hidden + 1, _SHADOW
        elif shadow and line:
            hidden, shadow = hidden + 1, shadow - 1
        else:
            whole.append(line)
            for piece in _pieces(line):
                kept[len(kept) + 1] = piece
    return Source(kept, "\n".join(whole), hidden)


def _pieces(line: str) -> list[str]:
    if len(line) <= _LONG:
        return [line] if line else []
    return [piece for piece in re.split(r"(?<=[.!?…])\s+", line) if piece]


def addresses_a_model(line: str) -> bool:
    """Tell whether a line speaks to the machine that reads it, and not to a cook."""
    shown = "".join(c for c in unicodedata.normalize("NFKC", line) if unicodedata.category(c) not in ("Cf", "Mn"))
    return _ADDRESSING.search(shown) is not None
