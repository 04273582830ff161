"""Names that are nearly those of settings: whoever wrote one believes that it is set, and nothing says that it is not."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from dotenv import dotenv_values
from pydantic import AliasChoices

from tintype.settings import Settings

_ALIKE = 0.88  # of 1: a letter that is missing, twice, or another one; a word more is another name
_OTHERS = {"TINTYPE_TOKEN", "TINTYPE_MOVE_TO"}  # read by single commands


def misspelt(given: Iterable[str]) -> Mapping[str, str]:
    """Return those of the names that no setting has, and beside each the setting that was most likely meant."""
    known = _OTHERS | {str(name) for field in Settings.model_fields.values() for name in _names(field.validation_alias)}
    strange = sorted({name.upper() for name in given} - known)
    nearest = {name: get_close_matches(name, known, 1, _ALIKE) for name in strange}
    return {name: found[0] for name, found in nearest.items() if found}


def given() -> set[str]:
    """Return the names that stand in the environment and in the `.env` file."""
    file = Settings.model_config.get("env_file")
    return {*os.environ, *(dotenv_values(file, encoding="utf-8") if isinstance(file, str) else ())}


def _names(alias: object) -> Iterable[object]:
    return alias.choices if isinstance(alias, AliasChoices) else ()
