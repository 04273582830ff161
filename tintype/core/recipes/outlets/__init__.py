"""Where recipes go: one file per target, all alike from outside.

tandoor   a Tandoor of one's own, 1.5 or 2.x
mealie    a Mealie of one's own
folder    a directory per recipe: JSON-LD, Markdown, cover
"""

from tintype.core.recipes.outlets.folder import Folder, FolderPolicy
from tintype.core.recipes.outlets.mealie import Mealie, MealiePolicy
from tintype.core.recipes.outlets.outlet import Order, Outlet, Receipt, Standing, place
from tintype.core.recipes.outlets.tandoor import Tandoor, TandoorPolicy

OUTLETS = (Tandoor, Mealie, Folder)

__all__ = [
    "OUTLETS",
    "Folder",
    "FolderPolicy",
    "Mealie",
    "MealiePolicy",
    "Order",
    "Outlet",
    "Receipt",
    "Standing",
    "Tandoor",
    "TandoorPolicy",
    "place",
]
