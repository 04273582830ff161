"""Settings as people may see them: every name with its value and where that is from, and no secret."""

from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from pydantic import SecretStr
from pydantic_settings import BaseSettings


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
        case tuple():
            items = cast("tuple[object, ...]", value)
            return ", ".join(_value(one) if isinstance(one, str | int | float) else "…" for one in items) or "none"
        case _:
            return str(value)


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    if parts.password is None:
        return url
    return parts._replace(netloc=f"{parts.username}:…@{parts.hostname}").geturl()
