"""Reads what follows the host of a processing address, and the bodies that say the same: `[KEY/]task=option:value/…/SOURCE`.

Tasks run from left to right; the rest (security, cache, store, the format) may stand anywhere. Whatever cannot be read raises
`Invalid` and nothing else.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast
from urllib.parse import parse_qsl

from tintype.backends.image_operations import AS_IS, Operation, Output
from tintype.core.files.conversion import values
from tintype.core.files.conversion.model import CACHED, Caching, Plan, Source, Told, Value, Wish
from tintype.core.files.conversion.pieces import decoded, of_base64, options, split, value_of
from tintype.core.files.conversion.tasks import OTHERS, OUTPUTS, SYNONYMS, TASKS, operation, output, read, unsupported
from tintype.errors import Invalid

ADDRESS_MAX = 8192
TASKS_MAX = 50
SOURCES_MAX = 100
_HANDLE = re.compile(r"([A-Za-z0-9_-]{20,64})(?:[.+](.{0,200}))?")
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
_SCHEME = re.compile(r"(https?|src|b64):", re.IGNORECASE)
_WEB = re.compile(r"https?:/+(?=[^/])", re.IGNORECASE)
_QUOTE = re.compile(r'"|%22')
_QUOTED = re.compile(r'^(?:"|%22)|(?:"|%22)$')
PRESET = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_POLICY_PIECES = 40  # a policy in standard base64 may hold slashes, each of which cuts it once

_SECURITY = {"policy": values.words, "signature": values.words}
_CACHE = {"expiry": values.seconds}
_FALLBACK = {"file": values.file, "cache": values.words, "handle": values.file}


def read_address(path: str, query: str = "") -> Wish:
    """Return what a path, still percent-encoded and without its first slash, asks for."""
    if len(path) + len(query) > ADDRESS_MAX:
        raise Invalid(f"the address is longer than {ADDRESS_MAX} characters")
    path = path.lstrip("/")
    if query and len(_QUOTE.findall(path)) % 2:  # the question mark stands in a quoted source
        path, query = f"{path}?{query}", ""
    pieces = [each for each in split(path, "/") if each[1]] or [(0, "")]
    tail, web = _tail(path, pieces)
    asked = _Reading()
    if web is None:
        asked.flags(query)
    else:
        asked.take_source(web + (f"?{query}" if query else ""))
    segments = _rejoined([decoded(text) for _, text in tail])
    if web is None and len(segments) > 1 and segments[-1] == "metadata" and _HANDLE.fullmatch(segments[-2]):
        segments = [*segments[:-2], "metadata", segments[-2]]  # as the Python client writes it
    if segments and _is_key(segments, alone=web is not None):
        asked.key = segments.pop(0)
    if web is None:
        asked.take_source(segments.pop() if segments else "")
    asked.take_segments(segments)
    return asked.finished()


def read_body(body: Mapping[str, Value]) -> Wish:
    """Return what a body `{apikey, sources, tasks}` asks for."""
    asked = _Reading()
    key = body.get("apikey")
    asked.key = str(key) if isinstance(key, str | int) and key != "" else None
    sources = body.get("sources")
    for one in sources if isinstance(sources, list) else [sources]:
        asked.take_json_source(one)
    asked.take_json_tasks(body.get("tasks"))
    tags = body.get("upload_tags")
    if isinstance(tags, dict):
        asked.tags = {
            str(name)[:128]: str(value)[:256] for name, value in list(cast("dict[str, object]", tags).items())[:10]
        }
    return asked.finished()


def _tail(path: str, pieces: Sequence[tuple[int, str]]) -> tuple[Sequence[tuple[int, str]], str | None]:
    """Return the pieces before the source, and the source when it is an address, slashes and all."""
    for at, (place, text) in enumerate(pieces):
        if _SCHEME.match(text) and path[place + len(text) - 1 : place + len(text)] != "" and text.endswith(":"):
            return pieces[:at], path[place:]
        if at == len(pieces) - 1:
            bare = _QUOTED.sub("", text)
            whole = bare if _WEB.match(bare) else decoded(bare)
            if _WEB.match(whole):
                return pieces[:at], whole
    return pieces, None


def _is_key(segments: Sequence[str], *, alone: bool) -> bool:
    first = segments[0]
    if "=" in first or ":" in first or _name(first) in (*TASKS, *OUTPUTS, *OTHERS, "b64"):
        return False
    return (alone or len(segments) > 1) and bool(_KEY.fullmatch(first))


def _rejoined(segments: list[str]) -> list[str]:
    """Put a policy together again that was cut at its slashes."""
    found: list[str] = []
    rest = list(segments)
    while rest:
        piece = rest.pop(0)
        if piece.startswith("security=") and not _policy_whole(piece):
            longer = piece
            for count, more in enumerate(rest[:_POLICY_PIECES], 1):
                longer += "/" + more
                if _policy_whole(longer):
                    piece, rest = longer, rest[count:]
                    break
        found.append(piece)
    return found


def _policy_whole(segment: str) -> bool:
    try:
        given = options(segment.partition("=")[2])
    except Invalid:
        return False
    policy = given.get("policy", given.get("p"))
    told = of_base64(policy) if isinstance(policy, str) else None
    if told is None or not ({"signature", "s"} & given.keys()):
        return False
    try:
        return isinstance(json.loads(told), dict)
    except (ValueError, RecursionError):
        return False


def _name(segment: str) -> str:
    name = segment.partition("=")[0].strip().lower()
    return SYNONYMS.get(name, name)


@dataclass(slots=True)
class _Reading:
    """A request as far as it was read."""

    key: str | None = None
    sources: list[Source] = field(default_factory=list[Source])
    operations: list[Operation] = field(default_factory=list[Operation])
    output: Output = AS_IS
    told: Told = "picture"
    policy: str | None = None
    signature: str | None = None
    caching: Caching = CACHED
    store: dict[str, Value] | None = None
    fallback: str | None = None
    preset: str | None = None
    wanted: set[str] = field(default_factory=set[str])
    tags: dict[str, str] = field(default_factory=dict[str, str])
    extension: str = ""
    count: int = 0

    def flags(self, query: str) -> None:
        """Take what stands behind a question mark: credentials, and which facts are wanted."""
        try:
            pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=100)
        except ValueError:
            raise Invalid("the query cannot be read") from None
        for name, value in pairs:
            if name == "policy":
                self.policy = value
            elif name == "signature":
                self.signature = value
            elif value.lower() == "true":
                self.wanted.add(name)

    def take_segments(self, segments: Sequence[str]) -> None:
        rest = list(segments)
        while rest:
            piece = rest.pop(0)
            if piece == "b64":
                if not rest:
                    raise Invalid("after b64/ the tasks are missing")
                self.take_json_tasks(_json_of(rest.pop(0)))
            elif piece.startswith("preset:"):
                self._preset(piece.partition(":")[2])
            else:
                self._take_text(piece)

    def _take_text(self, piece: str) -> None:
        name, equals, said = piece.partition("=")
        if equals and said.strip() in ("", "true"):
            said = ""
        match name.strip().lower(), said.strip():
            case "cache", "false" | "max" as word:
                given: dict[str, Value] = {"": word}
            case "preset", word if word and ":" not in word:
                given = {"name": value_of(word)}
            case _, "":
                given = {}
            case _, text:
                given = options(text)
        self.take(name, given)

    def take_json_tasks(self, tasks: Value) -> None:
        if tasks is None:
            return
        if not isinstance(tasks, list):
            raise Invalid("tasks must be a list of {name, params}")
        for one in tasks:
            task = cast("dict[str, Value]", one) if isinstance(one, dict) else {}
            name, params = task.get("name"), task.get("params")
            if not isinstance(name, str):
                raise Invalid("every task needs a name")
            if name == "cache" and params is False:
                params = cast("Value", {"": "false"})
            given = cast("dict[str, Value]", params) if isinstance(params, dict) else {}
            self.take(name, {str(option): value for option, value in given.items()})

    def take(self, name: str, given: Mapping[str, Value]) -> None:
        """Take one task with its options."""
        task = _name(name)
        self.count += 1
        if self.count > TASKS_MAX:
            raise Invalid(f"at most {TASKS_MAX} tasks are done for one address")
        if task in TASKS:
            made = operation(task, given)
            self.operations += [made] if made is not None else []
        elif task in OUTPUTS:
            self.output = output(task, given, self.output)
        elif task in OTHERS:
            self._take_other(task, given)
        else:
            raise unsupported(task)

    def _take_other(self, task: str, given: Mapping[str, Value]) -> None:
        match task:
            case "security":
                self._secure(given)
            case "cache":
                self._cache(given)
            case "store":
                self.store = {name[:40]: value for name, value in given.items()}
                self.told = "store"
            case "fallback":
                read_ = read("fallback", _FALLBACK, given, {})
                self.fallback = read_.get("file") or read_.get("handle")
            case "preset":
                self._preset(str(given.get("name", given.get("n", ""))))
            case "metadata" | "imagesize" | "zip":
                self.told = task if self.told != "store" else self.told
                self.wanted |= {name for name, value in given.items() if values.flag(name[:40], value)}
            case _:
                raise unsupported(task)

    def _secure(self, given: Mapping[str, Value]) -> None:
        found = read("security", _SECURITY, given, {})
        self.policy = found.get("policy", self.policy)
        self.signature = found.get("signature", self.signature)

    def _cache(self, given: Mapping[str, Value]) -> None:
        word = given.get("")
        if word == "false" or given.get("cache") is False:
            self.caching = replace(self.caching, use=False)
        elif word == "max":
            self.caching = replace(self.caching, expiry=values.seconds("cache", "max"))
        elif found := read("cache", _CACHE, given, {}):
            self.caching = replace(self.caching, expiry=found["expiry"])

    def _preset(self, name: str) -> None:
        if not PRESET.fullmatch(name):
            raise Invalid("a preset's name has letters, digits, '-', '_' and '.'")
        self.preset = name

    def take_json_source(self, one: Value) -> None:
        if isinstance(one, dict):
            told = cast("dict[str, Value]", one)
            headers = told.get("headers")
            named = cast("dict[str, object]", headers) if isinstance(headers, dict) else {}
            self.take_source(told.get("source") or told.get("url"), {str(name): str(at) for name, at in named.items()})
        else:
            self.take_source(one)

    def take_source(self, text: Value, headers: Mapping[str, str] | None = None) -> None:
        if not isinstance(text, str) or not text or len(text) > ADDRESS_MAX:
            raise Invalid("the source is missing: end the address with a file's handle or with an address")
        if text.startswith("[") and text.endswith("]"):
            listed = value_of(text)
            for one in listed if isinstance(listed, list) else []:
                self.take_source(one)
            return
        if len(self.sources) >= SOURCES_MAX:
            raise Invalid(f"at most {SOURCES_MAX} sources are taken at once")
        self.sources.append(self._source(text, headers or {}))

    def _source(self, text: str, headers: Mapping[str, str]) -> Source:
        if text[:6].lower() == "b64://":
            told = of_base64(decoded(text[6:].partition("?")[0]))
            inner = told.decode("utf-8", "replace") if told else ""
            if not inner or inner[:6].lower() == "b64://":
                raise Invalid("what follows b64:// is not base64 of a source")
            return self._source(inner, headers)
        if text[:6].lower() == "src://":
            return Source("alias", decoded(text[6:]), headers)
        if web := _WEB.match(text):
            scheme = text[: web.end()].partition(":")[0].lower()
            return Source("url", f"{scheme}://{text[web.end() :]}", headers)
        if found := _HANDLE.fullmatch(text):
            self.extension = found[2] or ""
            return Source("handle", found[1])
        raise Invalid(f"{text[:60]!r} is neither a file's handle nor an address; handles have 20 characters")

    def finished(self) -> Wish:
        if len(self.sources) != 1 and (self.told != "zip" or not self.sources):
            raise Invalid("exactly one source is converted at a time; several only make a zip")
        if self.preset is not None and self.extension and not self.output.format:
            self.output = output("output", {"format": self.extension}, self.output)
        return Wish(
            sources=tuple(self.sources),
            plan=Plan(tuple(self.operations), self.output),
            told=self.told,
            key=self.key,
            policy=self.policy,
            signature=self.signature,
            caching=self.caching,
            store=self.store,
            fallback=self.fallback,
            preset=self.preset,
            wanted=frozenset(self.wanted),
            tags=self.tags,
        )


def _json_of(text: str) -> Value:
    try:
        return json.loads(of_base64(text) or b"")
    except (ValueError, RecursionError):
        raise Invalid("what follows b64/ is not base64 of a list of tasks") from None
