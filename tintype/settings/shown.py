"""Settings as people may see them: every name with its value and where that is from, and no secret."""

import re
from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings

_IN_QUERY = re.compile(r"[?&](?:ssl)?password=([^&#]+)")  # as the drivers of databases take one


@dataclass(frozen=True, slots=True)
class Shown:
    """One setting: its environment name, its value as text, whether somebody set it, and what it is for."""

    name: str
    value: str
    is_set: bool
    purpose: str


def shown(settings: BaseSettings, name_of: dict[str, str]) -> tuple[Shown, ...]:
    """Return all settings, in the order of their declaration; `name_of` gives their environment names."""
    fields = type(settings).model_fields
    return tuple(
        Shown(
            name_of.get(field, field.upper()),
            _value(getattr(settings, field)),
            field in settings.model_fields_set,
            info.description or "",
        )
        for field, info in fields.items()
    )


def _value(value: object) -> str:
    match value:
        case None:
            return "not set"
        case SecretStr():
            return "set, and not shown"
        case str() if "://" in value:
            return _without_password(value)
        case dict():
            stores = cast("dict[str, str]", value)
            return str({name: _without_password(address) for name, address in stores.items()})
        case tuple():
            items = cast("tuple[object, ...]", value)
            return ", ".join(_value(one) if isinstance(one, str | int | float) else "…" for one in items) or "none"
        case _:
            return str(value)


def _without_password(url: str) -> str:
    for word in passwords(url):
        url = url.replace(word, "…")
    return url


def passwords(url: str) -> list[str]:
    """Return the passwords in an address as they are written there: before its host, and in its query."""
    try:
        place = urlsplit(url).netloc.rpartition("@")[0].partition(":")[2]
    except ValueError:  # brackets without an end: no address at all, which whoever opens it says
        place = ""
    return [word for word in (place, *_IN_QUERY.findall(url)) if word]
