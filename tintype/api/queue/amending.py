"""What a person sends to correct a recipe, in the document's shape; a key that is not sent leaves its part as it was."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from tintype.core.recipes import Ingredient, Nutrition, Servings, Step

_LIST = 200

Amount = Annotated[float, Field(gt=0, lt=1_000_000)]
Minutes = Annotated[int, Field(gt=0, lt=100_000)]
Line = Annotated[str, Field(max_length=300)]


class IngredientEdit(BaseModel):
    """One line of what goes in."""

    model_config = ConfigDict(extra="ignore")

    food: str = Field(min_length=1, max_length=200)
    amount: Amount | None = None
    amountMax: Amount | None = None  # noqa: N815 - as the answer has it
    unit: Annotated[str, Field(max_length=60)] | None = None
    measure: Annotated[str, Field(max_length=60)] | None = None
    note: Line | None = None
    group: Line | None = None
    originalText: Line | None = None  # noqa: N815 - as the answer has it

    def value(self) -> Ingredient:
        """Return it as the house has it."""
        return Ingredient(
            food=self.food,
            amount=self.amount,
            amount_max=self.amountMax,
            unit=self.unit,
            measure=self.measure,
            note=self.note or "",
            group=self.group,
            original=self.originalText or "",
        )


class StepEdit(BaseModel):
    """One thing to do."""

    model_config = ConfigDict(extra="ignore")

    instruction: str = Field(min_length=1, max_length=4000)
    time: Minutes | None = None
    group: Line | None = None


class NutritionEdit(BaseModel):
    """Kilocalories and grams per serving."""

    model_config = ConfigDict(extra="ignore")

    calories: Amount | None = None
    protein: Amount | None = None
    carbs: Amount | None = None
    fat: Amount | None = None


class RecipeEdit(BaseModel):
    """Body of PATCH /api/queue/{id}/recipe."""

    model_config = ConfigDict(extra="ignore")

    name: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    description: Annotated[str, Field(max_length=5000)] | None = None
    servings: Amount | None = None
    prepTime: Minutes | None = None  # noqa: N815 - the document's
    cookTime: Minutes | None = None  # noqa: N815 - the document's
    totalTime: Minutes | None = None  # noqa: N815 - the document's
    ingredients: Annotated[list[IngredientEdit], Field(max_length=_LIST)] | None = None
    steps: Annotated[list[StepEdit], Field(max_length=_LIST)] | None = None
    keywords: Annotated[list[Line], Field(max_length=_LIST)] | None = None
    notes: Annotated[list[Line], Field(max_length=_LIST)] | None = None
    nutrition: NutritionEdit | None = None

    def changes(self) -> dict[str, Any]:
        """Return the fields that were sent, as the house has them, and of the times those that were sent."""
        facts = self.nutrition or NutritionEdit()
        told: dict[str, Any] = {
            "name": self.name or "",
            "description": self.description or "",
            "servings": Servings(self.servings) if self.servings else None,
            "ingredients": tuple(one.value() for one in self.ingredients or ()),
            "steps": tuple(Step(one.instruction, one.group, one.time) for one in self.steps or ()),
            "keywords": tuple(self.keywords or ()),
            "notes": tuple(self.notes or ()),
            "nutrition": Nutrition(facts.calories, facts.protein, facts.carbs, facts.fat),
        }
        changed = {name: value for name, value in told.items() if name in self.model_fields_set}
        times = {"prep": "prepTime", "cook": "cookTime", "total": "totalTime"}
        sent = {name: getattr(self, key) for name, key in times.items() if key in self.model_fields_set}
        return changed | ({"times": sent} if sent else {})
