"""Sentences of a text that talk to the machine that reads it, and not to a cook: nobody's recipe needs them.

A caption is written by a stranger, who may hope that a model reads it: "ignore all previous instructions". Such sentences are
taken out before anybody reads the text, and so is what follows them up to the next gap: what is never read cannot be obeyed.
"""

import re
import unicodedata
from collections.abc import Sequence

_SHADOW = 3  # sentences after an addressing one that are taken to belong to it, unless a gap or a heading comes first
_SENTENCE = re.compile(r"(?<=[.!?…])\s+")

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

# The search above is long, so it is asked only of lines that hold one of these: no pattern of it matches without one.
_MARKS = ("<", "[", "{", "###", "you are ", "a.i", "i.a")
_BEGINNINGS = """
ignor disre forge overr bypas skip verge vergi missa oubli compt olvid dimen esque negee
new updat real actua secre neue nouve nueva nuove novas nieuw
syste assis user devel outpu respo reply answe act obey print revea
ai langu llm llms chat chatg gpt claud gemin llama chatb bot bots model ki parse impor scrap asist modèl sprac taalm ia
recip title name call servi sourc url ingre rezep titel recet titre títul ricet titol recei
json keywo list descr every api passw token word words is_re jailb mode promp anyth http https webho
"""  # words, or the first five letters of longer ones
_BEGUN = frozenset(_BEGINNINGS.split())
_WORD = re.compile(r"\w+")


def for_cooks(text: str) -> tuple[str, int]:
    """Return a text without the sentences that address a model and their followers, and how many those were."""
    kept, hidden = heard(text.splitlines())
    return "\n".join(line for line in kept if line is not None), hidden


def heard(lines: Sequence[str]) -> tuple[list[str | None], int]:
    """Return each line as a cook needs it, None where nothing of it is left, and how many sentences were taken out."""
    kept: list[str | None] = []
    hidden = shadow = 0
    said = [_lowered(_shown(line)) for line in lines]
    cues = _cues("\n".join(said))
    for line, shown in zip(lines, said, strict=True):
        suspect = any(cue in shown for cue in cues)
        if not (shadow or suspect):
            kept.append(line)
            continue
        if not line.strip(" .·•-_") or _HEADING.match(line):
            shadow = 0  # a gap or a heading ends what an addressing sentence began
        sentences: list[str] = []
        found = _SENTENCE.split(line) if line.strip() else []
        for sentence in found:
            if suspect and addresses_a_model(sentence):
                hidden, shadow = hidden + 1, _SHADOW
            elif shadow:
                hidden, shadow = hidden + 1, shadow - 1
            else:
                sentences.append(sentence)
        if sentences or not found:
            kept.append(line if len(sentences) == len(found) else " ".join(sentences))
        else:
            kept.append(None)
    return kept, hidden


def addresses_a_model(line: str) -> bool:
    """Tell whether a line speaks to the machine that reads it, and not to a cook."""
    shown = _shown(line)
    return bool(_cues(_lowered(shown))) and _ADDRESSING.search(shown) is not None


def _shown(line: str) -> str:
    """Return a line as it is seen: letters in disguise made plain, and marks that nobody sees gone."""
    if line.isascii():
        return line
    folded = unicodedata.normalize("NFKC", line)
    unseen = {ord(c): None for c in set(folded) if unicodedata.category(c) in ("Cf", "Mn")}
    return folded.translate(unseen) if unseen else folded


def _lowered(shown: str) -> str:
    """Return a text in small letters, those of Turkish with their dot: the search takes them for one letter."""
    return shown.lower().replace("\u0131", "i").replace("i\u0307", "i")


def _cues(lowered: str) -> list[str]:
    """Return what in a text in small letters may belong to words for a machine; without any it holds none."""
    begun = {word[:5] for word in _WORD.findall(lowered)} & _BEGUN
    return [*begun, *(mark for mark in _MARKS if mark in lowered)]
