"""What recipes are written with in seven languages: the word lists of `words/`, read once and made quick to ask."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from tintype.core.recipes.model import Language
from tintype.core.recipes.parsers.rules.tokens import Token, fold, tokenize

LANGUAGES: tuple[Language, ...] = ("en", "de", "fr", "es", "it", "pt", "nl")
LONGEST = 8  # words in the longest phrase of a list
_PLURALS = ("s", "es", "n", "en", "e", "i", "x", "er")

Phrase = tuple[str, ...]


class Phrases:
    """A set of phrases that can be looked for at a place of a line; each may carry a value."""

    def __init__(self, phrases: Mapping[Phrase, str]) -> None:
        self._values = dict(phrases)
        self._heads: dict[str, list[Phrase]] = {}
        for phrase in sorted(self._values, key=len, reverse=True):
            self._heads.setdefault(phrase[0], []).append(phrase)

    def at(self, tokens: tuple[Token, ...], place: int) -> tuple[str, int] | None:
        """Return the value of the longest phrase that starts at a token, and the place behind it."""
        if place >= len(tokens):
            return None
        for phrase in self._heads.get(tokens[place].folded, ()):
            end = _behind(tokens, place, phrase)
            if end is not None:
                return self._values[phrase], end
        return None

    def within(self, tokens: tuple[Token, ...]) -> list[str]:
        """Return every phrase that stands in a line, as one string each."""
        found: list[str] = []
        heads = self._heads
        for place in [place for place, token in enumerate(tokens) if token.folded in heads]:
            for phrase in heads[tokens[place].folded]:
                if _behind(tokens, place, phrase) is not None:
                    found.append(" ".join(phrase))
                    break
        return found

    @property
    def heads(self) -> frozenset[str]:
        """Return the words with which the phrases begin."""
        return frozenset(self._heads)

    def __contains__(self, phrase: object) -> bool:
        return phrase in self._values


def _behind(tokens: tuple[Token, ...], place: int, phrase: Phrase) -> int | None:
    """Return the place behind a phrase that starts at `place`; full stops of abbreviations do not count."""
    for word in phrase:
        while place < len(tokens) and tokens[place].text == "." and word != ".":
            place += 1
        if place >= len(tokens) or tokens[place].folded != word:
            return None
        place += 1
    while place < len(tokens) and tokens[place].text == "." and tokens[place].start == tokens[place - 1].end:
        place += 1
    return place


def phrase(text: str) -> Phrase:
    """Return a phrase as the tuple of words by which it is found."""
    return tuple(token.folded for token in tokenize(text) if token.text != ".")


def phrases(text: str) -> Phrases:
    """Read a comma-separated list of phrases."""
    return Phrases({phrase(one): one.strip() for one in text.split(",") if phrase(one)})


@dataclass(frozen=True)
class Lexicon:
    """The words of one language, with the English ones that go into every language on Instagram."""

    language: Language
    own: Mapping[str, Any]
    english: Mapping[str, Any]

    def words(self, key: str) -> frozenset[str]:
        """Return a list of single words of this language."""
        return frozenset(fold(word) for word in str(self.own[key]).split())

    def shared(self, key: str) -> frozenset[str]:
        """Return a list of single words of this language and of English."""
        return _shared(self.language, key)

    def listed(self, key: str) -> Phrases:
        """Return a list of phrases of this language and of English."""
        return _listed(self.language, key)

    @cached_property
    def common(self) -> frozenset[str]:
        return self.words("common")

    @cached_property
    def units(self) -> Phrases:
        spelled: dict[Phrase, str] = {}
        for table in (self.english["units"], self.own["units"]):
            for measure, spellings in table.items():
                spelled.update({phrase(one): measure for one in str(spellings).split(",") if phrase(one)})
        return Phrases(spelled)

    @cached_property
    def numbers(self) -> dict[str, float]:
        return {fold(word): float(value) for word, value in self.own["numbers"].items()}

    @cached_property
    def partitives(self) -> Phrases:
        parts = str(self.own["partitives"]).split()
        both = {(one, other): "" for one in parts for other in ("la", "las", "los", "l'") if one in ("de", "di")}
        return Phrases({(fold(one),): "" for one in parts} | both)

    @cached_property
    def articles(self) -> frozenset[str]:
        return self.words("articles")

    @cached_property
    def sizes(self) -> frozenset[str]:
        return self.shared("sizes")

    @cached_property
    def preparations(self) -> frozenset[str]:
        return self.words("preparations")

    @cached_property
    def approximations(self) -> Phrases:
        return self.listed("approximations")

    @cached_property
    def counting(self) -> frozenset[str]:
        """Return every word and mark that a quantity can begin with, digits aside."""
        return self.approximations.heads | self.numbers.keys() | self.articles | {"~", "±", "+"}

    @cached_property
    def ranges(self) -> frozenset[str]:
        return frozenset(one.strip() for one in str(self.own["ranges"]).split(",")) | {"to"}

    @cached_property
    def taste(self) -> Phrases:
        return self.listed("taste")

    @cached_property
    def loose(self) -> Phrases:
        return self.listed("loose")

    @cached_property
    def notes(self) -> Phrases:
        return self.listed("notes")

    @cached_property
    def verbs(self) -> frozenset[str]:
        return self.shared("verbs")

    @cached_property
    def connectives(self) -> frozenset[str]:
        return self.words("connectives")

    @cached_property
    def chatter(self) -> Phrases:
        return self.listed("chatter")

    @cached_property
    def people(self) -> frozenset[str]:
        return self.words("people")

    @cached_property
    def group_prefixes(self) -> Phrases:
        return self.listed("group_prefixes")

    @cached_property
    def group_openers(self) -> frozenset[str]:
        """Return the words for "for" with which a group's name opens."""
        return frozenset({"for", fold(str(self.own["serving_for"]))})

    @cached_property
    def serving_words(self) -> frozenset[str]:
        return self.shared("serving_words")

    @cached_property
    def serving_openers(self) -> Phrases:
        return phrases(f"{self.own['serving_openers']}, {self.own['serving_for']}, {self.english['serving_openers']}")

    @cached_property
    def durations(self) -> dict[str, float]:
        """Return how many minutes each word for a unit of time has."""
        scales = (("days", 1440.0), ("seconds", 1 / 60), ("hours", 60.0), ("minutes", 1.0))
        return {"'": 1.0} | {word: scale for key, scale in scales for word in self.shared(key)}

    @cached_property
    def nutrients(self) -> frozenset[str]:
        """Return every word that names what is in a serving."""
        listed = (
            str(table[key]) for table in (self.own, self.english) for key in ("calories", "protein", "carbs", "fat")
        )
        return frozenset(word for one in listed for word in phrase(one))

    @cached_property
    def meals(self) -> Phrases:
        return self.listed("meals")

    @cached_property
    def day_plans(self) -> Phrases:
        return self.listed("day_plans")

    @cached_property
    def refusals(self) -> Phrases:
        own, everyone = str(self.own["refusals"]), ", ".join(sorted(everywhere("surely_no_food")))
        return phrases(f"{own}, {self.english['refusals']}, {everyone}")

    @cached_property
    def hints(self) -> Phrases:
        return phrases(str(self.own["hints"]))

    @cached_property
    def eaten(self) -> Phrases:
        return phrases(str(self.own["eaten"]))

    @cached_property
    def promotions(self) -> Phrases:
        return self.listed("promotions")

    @cached_property
    def refused_titles(self) -> Phrases:
        return self.listed("refused_titles")

    @cached_property
    def compound_refusals(self) -> frozenset[str]:
        """Return the single words of `refused_titles` that end a compound ("Abflussreiniger")."""
        listed = (fold(one.strip()) for one in str(self.own["refused_titles"]).split(","))
        return frozenset(one for one in listed if " " not in one)

    @cached_property
    def noise(self) -> frozenset[str]:
        return self.shared("noise")

    @cached_property
    def foods(self) -> frozenset[str]:
        return self.shared("foods")

    @cached_property
    def _known(self) -> dict[str, bool]:
        return {}

    def is_food(self, word: str) -> bool:
        """Tell whether a folded word names something to eat, alone, in the plural, or as an end of a compound."""
        known = self._known.get(word)
        if known is None:
            known = any(self._names_food(part) for part in (word, *word.split("-")))
            if len(self._known) < 50_000:
                self._known[word] = known
        return known

    def _names_food(self, word: str) -> bool:
        if word in self.foods:
            return True
        if len(word) > 3 and any(word.endswith(end) and word[: -len(end)] in self.foods for end in _PLURALS):
            return True
        if self.language not in ("de", "nl") or len(word) < 7:
            return False
        ends = any(word[cut:] in self.foods for cut in range(3, len(word) - 2))
        return ends or any(word[:cut] in self.foods for cut in range(5, len(word) - 2))


@cache
def _shared(language: Language, key: str) -> frozenset[str]:
    return frozenset(fold(word) for one in (language, "en") for word in str(tables()[one][key]).split())


@cache
def _listed(language: Language, key: str) -> Phrases:
    return phrases(f"{tables()[language][key]}, {tables()['en'][key]}")


def _read(language: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "words" / f"{language}.toml").read_text(encoding="utf-8"))


@cache
def everywhere(key: str) -> frozenset[str]:
    """Return a list of `words/any.toml`: single words, or phrases where they are set apart by commas."""
    listed = str(_read("any")[key])
    return frozenset(" ".join(one.split()) for one in (listed.split(",") if "," in listed else listed.split()))


@cache
def tables() -> dict[Language, dict[str, Any]]:
    """Return the word lists of every language as they stand in the files."""
    return {language: _read(language) for language in LANGUAGES}


@cache
def lexicon(language: Language) -> Lexicon:
    """Return the words of one language."""
    return Lexicon(language, tables()[language], tables()["en"])


@cache
def headings(key: str) -> Phrases:
    """Return the headings of one sort in all languages: a heading tells the language rather than the other way."""
    return phrases(", ".join(str(table[key]) for table in tables().values()))


@cache
def _hints() -> dict[str, tuple[tuple[Language, float], ...]]:
    """Return how much each word speaks for each language: function words, and foods and verbs that few share."""
    weights: dict[str, dict[Language, float]] = {}
    for language in LANGUAGES:
        own = tables()[language]
        for key, weight in (("common", 1.0), ("verbs", 1.0), ("foods", 0.7), ("serving_words", 0.5)):
            for word in str(own[key]).split():
                weights.setdefault(fold(word), {})[language] = weight
        for key in ("ingredient_headings", "step_headings", "notes"):
            for word in str(own[key]).replace(",", " ").split():
                weights.setdefault(fold(word), {}).setdefault(language, 0.5)
    return {
        word: tuple((language, weight / len(by) ** 1.5) for language, weight in by.items())
        for word, by in weights.items()
    }


def guess_language(spoken: Iterable[str]) -> Language:
    """Return the language that most of the words speak for; English when none does."""
    votes: dict[Language, float] = dict.fromkeys(LANGUAGES, 0.0)
    votes["en"] = 0.1
    hints = _hints()
    for word in spoken:
        for language, weight in hints.get(word, ()):
            votes[language] += weight
    return max(votes, key=lambda language: votes[language])
