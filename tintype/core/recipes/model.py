"""Words of a recipe as every parser gives it and every outlet takes it, apart from any wire."""

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from tintype.core.recipes.budget import Budget

Language = Literal["en", "de", "fr", "es", "it", "pt", "nl"]
Source = Literal["caption", "comment", "ocr", "transcript", "page"]

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Ingredient:
    """One line of what goes in: the author's words in `original`, and what they were understood to mean.

    `amount` is the lower end of a range and absent when the author gave none. `unit` keeps the author's spelling,
    `measure` is the same unit in the one spelling that is used everywhere ("tbsp", "clove").
    """

    food: str
    amount: float | None = None
    amount_max: float | None = None
    unit: str | None = None
    measure: str | None = None
    note: str = ""
    group: str | None = None
    original: str = ""
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do; `ingredients` are the places in the recipe's list of those that this step is first to name."""

    text: str
    group: str | None = None
    minutes: int | None = None
    ingredients: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Servings:
    """How much it makes: a number, the upper end of a range, and the author's word for what is counted."""

    amount: float
    amount_max: float | None = None
    what: str = ""


@dataclass(frozen=True, slots=True)
class Times:
    """Minutes as the author gave them; `whole` adds up what is known when no total was given."""

    total: int | None = None
    prep: int | None = None
    cook: int | None = None
    wait: int | None = None

    @property
    def whole(self) -> int | None:
        """Return the total, or the sum of preparing and cooking, or None when neither was said."""
        return self.total if self.total is not None else ((self.prep or 0) + (self.cook or 0)) or None


@dataclass(frozen=True, slots=True)
class Nutrition:
    """Kilocalories and grams per serving, each only where the author named it."""

    calories: float | None = None
    protein: float | None = None
    carbohydrates: float | None = None
    fat: float | None = None

    @property
    def complete(self) -> bool:
        """Tell whether all four are known: some outlets take all of them or none."""
        return None not in (self.calories, self.protein, self.carbohydrates, self.fat)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe; what the author did not say is absent."""

    name: str
    ingredients: tuple[Ingredient, ...] = ()
    steps: tuple[Step, ...] = ()
    description: str = ""
    servings: Servings | None = None
    times: Times = Times()
    nutrition: Nutrition = Nutrition()
    keywords: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    language: Language | None = None
    other_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Certainty:
    """How sure a parser is of one field, from 0 to 1, and why."""

    field: str
    confidence: float
    reason: str


@dataclass(frozen=True, slots=True)
class Parsed(Generic[Value]):
    """What a parser read, how sure it is of all of it and of each field, and which fields it did not find."""

    value: Value
    parser: str
    schema: str
    confidence: float
    fields: tuple[Certainty, ...] = ()
    missing: tuple[str, ...] = ()

    def certainty(self, field: str) -> Certainty | None:
        """Return how sure the parser is of one field, or None when it says nothing about it."""
        return next((one for one in self.fields if one.field == field), None)


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of a text beside its words; `force` asks for the best guess where a parser would rather refuse.

    `budget` is what servers may still cost the recipe; without one each parser has its own.
    """

    source: Source = "caption"
    language: Language | None = None
    force: bool = False
    budget: Budget | None = field(default=None, compare=False, repr=False)
