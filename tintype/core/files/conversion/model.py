"""What somebody wants of a file: one canonical plan, however it was written, and what else the address asks for."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Literal

from tintype.backends.image_operations import AS_IS, Format, Operation, Output, Watermark

Value = str | int | float | bool | None | list["Value"]

ENGINE = "1"  # grows when the same plan comes to mean other pixels, so that nothing old is served for it

Told = Literal["picture", "metadata", "imagesize", "store", "zip"]
SourceKind = Literal["handle", "url", "alias"]

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+ ")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done to a picture, in order, and how the result is written; equal plans have equal texts."""

    operations: tuple[Operation, ...] = ()
    output: Output = AS_IS

    @property
    def text(self) -> str:
        """Return the plan as a processing URL says it: options sorted, defaults left out."""
        return "/".join(filter(None, (*map(_written, self.operations), _written(self.output, bare=False))))

    def digest(self, *beside: str) -> str:
        """Return the name of what comes of it, 64 hex digits; `beside` is what else the result depends on."""
        return hashlib.sha256("\n".join((ENGINE, *beside, self.text)).encode()).hexdigest()

    def settled(self, content_type: str, accept: str) -> "Plan":
        """Return the plan with `auto` made a format: the smallest that the client shows and that the source gains from."""
        if self.output.format != "auto":
            return self
        taken = newest(accept)
        form: Format = "" if content_type == f"image/{taken}" else taken
        return replace(self, output=replace(self.output, format=form))

    @property
    def varies(self) -> bool:
        """Whether the result depends on what the client shows."""
        return self.output.format == "auto"

    @property
    def empty(self) -> bool:
        """Whether the file itself satisfies it."""
        return not self.operations and self.output == AS_IS

    @property
    def overlays(self) -> tuple[str, ...]:
        """Return the other files that are needed, each once."""
        return tuple(dict.fromkeys(one.file for one in self.operations if isinstance(one, Watermark)))


@dataclass(frozen=True, slots=True)
class Source:
    """What is converted: a handle of ours, an address on the web, or a file below an alias of a store."""

    kind: SourceKind
    text: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Caching:
    """How long the answer may be kept, in seconds; `use` is false when it shall be made anew."""

    use: bool = True
    expiry: int | None = None


CACHED = Caching()


@dataclass(frozen=True, slots=True)
class Wish:
    """A processing address or body, read; `told` says what the answer is."""

    sources: tuple[Source, ...]
    plan: Plan = Plan()
    told: Told = "picture"
    key: str | None = None
    policy: str | None = None
    signature: str | None = None
    caching: Caching = CACHED
    store: Mapping[str, Value] | None = None
    fallback: str | None = None
    preset: str | None = None
    wanted: frozenset[str] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def source(self) -> Source:
        """Return the first source, which is the only one but for archives."""
        return self.sources[0]


def newest(accept: str) -> Literal["avif", "webp", ""]:
    """Return the smallest of the newer formats that an `Accept` names and does not refuse with a weight of 0."""
    taken = {kind for kind, weight in map(_weighed, accept.lower().split(",")) if weight != "0"}
    return "avif" if "image/avif" in taken else "webp" if "image/webp" in taken else ""


def _weighed(named: str) -> tuple[str, str]:
    """Return a type and its weight as it stands there, a zero without its decimals."""
    kind, *parameters = (part.strip() for part in named.split(";"))
    weight = next(
        (value.strip() for name, _, value in (each.partition("=") for each in parameters) if name.strip() == "q"), "1"
    )
    return kind, weight.rstrip("0").rstrip(".") or "0"


def _written(one: Operation | Output, *, bare: bool = True) -> str:
    changed = {
        each.name: value
        for each in fields(one)
        if (value := getattr(one, each.name)) != each.default and value is not None
    }
    if not changed:
        return one.task if bare else ""
    return f"{one.task}={','.join(f'{name}:{said(value)}' for name, value in sorted(changed.items()))}"


def said(value: Value) -> str:
    """Return an option's value as a processing URL says it."""
    match value:
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:g}"
        case str() if value and _PLAIN.issuperset(value):
            return value
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list():
            return f"[{','.join(map(said, value))}]"
        case _:
            return "" if value is None else str(value)
