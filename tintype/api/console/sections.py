"""What the console's menu holds: one line for each thing that the house does."""

from dataclasses import dataclass

from tintype.core.access import Role


@dataclass(frozen=True, slots=True)
class Section:
    """One line of the menu, for whoever may do what `role` may."""

    path: str
    name: str
    role: Role = Role.VIEWER
    operators: bool = False  # only for those who run the house


SECTIONS = (
    Section("/console", "Overview"),
    Section("/console/accounts", "Accounts"),
    Section("/console/feed", "Feed"),
    Section("/console/publish", "Publish", Role.EDITOR),
    Section("/console/posts", "Posts"),
    Section("/console/insights", "Insights"),
    Section("/console/recipes", "Recipes"),
    Section("/console/downloads", "Downloads"),
    Section("/console/picker", "Picker", Role.EDITOR),
    Section("/console/webhooks", "Webhooks"),
    Section("/console/team", "Team and keys"),
    Section("/console/system", "System", operators=True),
)
