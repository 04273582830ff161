"""One pull at a lever of the control plane: its body with checked fields, and how it refuses."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from tintype.simulator.arrival import Client
from tintype.simulator.model import Person
from tintype.simulator.world import World

MOST = 1e15  # larger numbers are mistakes
LATEST = 1e11  # Unix seconds; the year 5138


class WrongPullError(Exception):
    """A lever pulled wrongly; becomes `{"error": text}` with this status."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text, self.status = text, status


@dataclass(frozen=True, slots=True)
class Pull:
    """A call of the control plane; `item` is the last part of the path where the call names a thing."""

    request: Request
    world: World
    client: Client
    origin: str
    body: dict[str, Any]
    item: str

    def only(self, *names: str) -> None:
        """Refuse fields that this lever does not have."""
        if unknown := sorted(set(self.body) - set(names)):
            raise WrongPullError(f"unknown field {', '.join(unknown)}; known: {', '.join(names)}")

    def text(self, name: str, default: str | None = None) -> str:
        """A text field; WrongPullError when missing without default."""
        value = self.body.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str):
            raise WrongPullError(f"{name} must be a text")
        return value

    def number(
        self, name: str, default: float | None = None, *, least: float = -MOST, most: float = MOST
    ) -> float | None:
        """A number, or the default when left out or null."""
        value = self.body.get(name)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise WrongPullError(f"{name} must be a number from {least:g} to {most:g}")
        return value

    def whole(self, name: str, default: int | None = None, *, least: float = -MOST, most: float = MOST) -> int | None:
        """A whole number, or the default when left out or null."""
        value = self.number(name, default, least=least, most=most)
        if value is not None and value != int(value):
            raise WrongPullError(f"{name} must be a whole number")
        return None if value is None else int(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """A true/false field."""
        value = self.body.get(name, default)
        if not isinstance(value, bool):
            raise WrongPullError(f"{name} must be true or false")
        return value

    def choice(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        """One of some words."""
        value = self.text(name, default)
        if value not in choices:
            raise WrongPullError(f"{name} must be one of {', '.join(choices)}")
        return value

    def person(self, name: str = "username") -> Person:
        """The person whom the body names; 404 when nobody is called that."""
        username = self.text(name)
        if username not in self.world.people:
            raise WrongPullError(f"nobody is called {username!r}", 404)
        return self.world.people[username]
