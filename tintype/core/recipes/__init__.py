"""From a pasted link to a recipe where the cook looks for it: queue items, three phases, retry.

take       take a link, a text or pictures; many at once
page, get  show how far they are
retry      try a failed one again
remove     let go of one
changes    the log of what became of them, for streams
"""

from tintype.core.recipes.extracting import Extracting
from tintype.core.recipes.items import Dependency, Failure, Given, Item, Phase, PhaseStatus, Stage, Status, Upload
from tintype.core.recipes.links import accepted
from tintype.core.recipes.model import (
    Certainty,
    Context,
    Ingredient,
    Language,
    Nutrition,
    Parsed,
    Recipe,
    Servings,
    Source,
    Step,
    Times,
)
from tintype.core.recipes.outlets import (
    Folder,
    FolderPolicy,
    Mealie,
    MealiePolicy,
    Order,
    Outlet,
    Receipt,
    Standing,
    Tandoor,
    TandoorPolicy,
    place,
)
from tintype.core.recipes.parsers import Parser
from tintype.core.recipes.parsers.linked import LinkedParser
from tintype.core.recipes.parsers.llm import LlmParser, ModelPolicy, Rungs
from tintype.core.recipes.parsers.rules import RulesParser
from tintype.core.recipes.parsers.slides import SlideReader
from tintype.core.recipes.parsers.transcript import Listener, SpeechPolicy
from tintype.core.recipes.parsers.vision import VisionParser
from tintype.core.recipes.pipeline import Pipeline
from tintype.core.recipes.policy import Policy
from tintype.core.recipes.probing import Probes
from tintype.core.recipes.reading import Media, Reading, Words
from tintype.core.recipes.recipes import Recipes, Taken, WrongStatus, new_batch
from tintype.core.recipes.records import Change, ItemRecords, Page, Query
from tintype.core.recipes.runner import Runner
from tintype.core.recipes.shapes import jsonld, markdown
from tintype.core.recipes.uploading import Uploading
from tintype.core.recipes.work import jobs, schedules

__all__ = [
    "Certainty",
    "Change",
    "Context",
    "Dependency",
    "Extracting",
    "Failure",
    "Folder",
    "FolderPolicy",
    "Given",
    "Ingredient",
    "Item",
    "ItemRecords",
    "Language",
    "LinkedParser",
    "Listener",
    "LlmParser",
    "Mealie",
    "MealiePolicy",
    "Media",
    "ModelPolicy",
    "Nutrition",
    "Order",
    "Outlet",
    "Page",
    "Parsed",
    "Parser",
    "Phase",
    "PhaseStatus",
    "Pipeline",
    "Policy",
    "Probes",
    "Query",
    "Reading",
    "Receipt",
    "Recipe",
    "Recipes",
    "RulesParser",
    "Rungs",
    "Runner",
    "Servings",
    "SlideReader",
    "Source",
    "SpeechPolicy",
    "Stage",
    "Standing",
    "Status",
    "Step",
    "Taken",
    "Tandoor",
    "TandoorPolicy",
    "Times",
    "Upload",
    "Uploading",
    "VisionParser",
    "Words",
    "WrongStatus",
    "accepted",
    "jobs",
    "jsonld",
    "markdown",
    "new_batch",
    "place",
    "schedules",
]
