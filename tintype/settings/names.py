"""By which environment names a setting is known; the first is ours, the others are those of the seeds."""

from pydantic import AliasChoices


def names(*aliases: str) -> AliasChoices:
    """Return the names under which a setting is looked for."""
    return AliasChoices(*aliases)
