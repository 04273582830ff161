"""The Graph API's `fields` language: `id,media.limit(2){id,children{id}}` becomes values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from tintype.simulator.errors import GraphError

TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[{},.()]|$)")
DEPTH = 8  # nested braces; deeper questions are refused, as a real server does at some depth


@dataclass(frozen=True, slots=True)
class Field:
    """One asked field: its modifiers (`limit`, `after`, `username` …) and, for edges, the fields inside.

    `inner` is the text between the braces, for paging addresses; `fields` is None when there were no braces.
    """

    name: str
    args: Mapping[str, str] = field(default_factory=dict[str, str])
    fields: "tuple[Field, ...] | None" = None
    inner: str = ""


@lru_cache(maxsize=256)
def parse(text: str) -> tuple[Field, ...]:
    """The fields of a comma list, which a program asks for again and again; GraphError 2500 for text that is not one."""
    if not text.strip():
        return ()
    reader = _Reader(text)
    fields = reader.fields(0)
    if not reader.at_end():
        raise reader.error()
    return fields


class _Reader:
    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def at_end(self) -> bool:
        return not self.text[self.at :].strip()

    def error(self) -> GraphError:
        found = self.text[self.at : self.at + 1] or "end of string"
        return GraphError(2500, f'Syntax error "Unexpected {found}" at character {self.at}: {self.text}')

    def peek(self) -> str:
        match = TOKEN.match(self.text, self.at)
        return match.group(1) if match else ""

    def take(self, wanted: str | None = None) -> str:
        match = TOKEN.match(self.text, self.at)
        if not match or not match.group(1) or (wanted is not None and match.group(1) != wanted):
            raise self.error()
        self.at = match.end()
        return match.group(1)

    def fields(self, depth: int) -> tuple[Field, ...]:
        if depth > DEPTH:
            raise self.error()
        found = [self.one(depth)]
        while self.peek() == ",":
            self.take()
            if not self.peek() or self.peek() == "}":
                break
            found.append(self.one(depth))
        return tuple(found)

    def one(self, depth: int) -> Field:
        name = self.take()
        if not name[0].isalpha() and name[0] != "_":
            raise self.error()
        args: dict[str, str] = {}
        while self.peek() == ".":
            self.take()
            modifier = self.take()
            args[modifier] = self.value()
        if self.peek() != "{":
            return Field(name, args)
        self.take()
        start = self.at
        inside = self.fields(depth + 1)
        inner = self.text[start : self.at].strip()
        self.take("}")
        return Field(name, args, inside, inner)

    def value(self) -> str:
        self.take("(")
        end = self.text.find(")", self.at)
        if end < 0:
            raise self.error()
        found, self.at = self.text[self.at : end], end + 1
        return found.strip()
