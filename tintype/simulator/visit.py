"""One authorised look at the graph: who looks, through which host, and how nodes become answers and pages."""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, Protocol, TypeAlias
from urllib.parse import urlencode

from tintype.simulator import cdn, tokens
from tintype.simulator.errors import GraphError, nonexisting_field
from tintype.simulator.grammar import Field
from tintype.simulator.model import Answer, Login, Person, Token
from tintype.simulator.world import World

Lens = Literal["instagram", "facebook", "public"]
Paging = Literal["both", "after", "cursors", "none"]

DEFAULT_LIMIT = 25
MAX_LIMIT = 100
CURSOR_HEAD, CURSOR_TAIL = "QVFI", "ZD"
UNIX = re.compile(r"\d{1,11}(\.\d{1,6})?", re.ASCII)
ID = Field("id")


class Node(Protocol):
    """Anything with an id."""

    @property
    def id(self) -> str: ...


Maker: TypeAlias = Callable[["Visit", Any, Field], object]
Tables: TypeAlias = Mapping[tuple[type, Lens], Mapping[str, Maker]]


@dataclass(frozen=True, slots=True)
class Visit:
    """A token's look at the world. `address` is scheme, host and version for paging links; `media_origin` None means
    Instagram's own CDN hosts."""

    world: World
    token: Token
    lens: Lens
    address: str
    media_origin: str | None
    version: str
    tables: Tables

    @property
    def login(self) -> Login:
        """The product whose token is used."""
        return self.token.login

    def through(self, lens: Lens) -> "Visit":
        """The same look with other fields visible."""
        return replace(self, lens=lens)

    def may_speak_for(self, username: str) -> bool:
        """Whether the token reaches this Instagram account."""
        return any(person.username == username for person in tokens.readable(self.world, self.token))

    def require(self, need: tokens.Need) -> None:
        """Refuse when the token lacks the scopes."""
        tokens.require(self.world, self.token, need)

    def file(self, key: str) -> str:
        """A signed address of a CDN file."""
        return cdn.address(self.world, key, self.media_origin)

    def show(self, node: object, fields: Sequence[Field] | None) -> Answer:
        """A node with the asked fields, absent values left out and `id` always there."""
        table = self.tables[type(node), self.lens]
        shown: Answer = {}
        for field in fields or (ID,):
            maker = table.get(field.name)
            if maker is None:
                raise nonexisting_field(field.name)
            value = maker(self, node, field)
            if value is not None:
                shown[field.name] = value
        if "id" in table:
            shown.setdefault("id", table["id"](self, node, ID))
        return shown

    def edge(
        self,
        owner_id: str,
        nodes: Sequence[Any],
        field: Field,
        *,
        default: Sequence[Field] = (ID,),
        paging: Paging = "both",
        most: int = MAX_LIMIT,
        key: Callable[[Any], str] = lambda node: node.id,
    ) -> Answer:
        """One page of an edge: `{data, paging}` cut by the field's `limit`, `after`, `before`, `since`, `until`."""
        scope = f"{owner_id}/{field.name}?{field.args.get('since')}&{field.args.get('until')}"
        limit = limit_of(field.args.get("limit"), most)
        keys = [key(node) for node in nodes]
        start, end = window(keys, limit, field.args, scope)
        shown = [self.show(node, field.fields if field.fields is not None else default) for node in nodes[start:end]]
        if not shown or paging == "none":
            return {"data": shown}
        before, after = cursor(scope, keys[start], start), cursor(scope, keys[end - 1], end - 1)
        links: Answer = {"cursors": {"after": after} if paging == "after" else {"before": before, "after": after}}
        if end < len(nodes) and paging != "cursors":
            links["next"] = self._link(owner_id, field, limit, "after", after)
        if start > 0 and paging == "both":
            links["previous"] = self._link(owner_id, field, limit, "before", before)
        if paging == "after" and end >= len(nodes):
            return {"data": shown}
        return {"data": shown, "paging": links}

    def _link(self, owner_id: str, field: Field, limit: int, way: str, place: str) -> str:
        query = [("access_token", self.token.value), ("pretty", "0")]
        if field.inner:
            query.append(("fields", field.inner))
        skipped = {"access_token", "pretty", "fields", "limit", "after", "before"}
        query += [(name, value) for name, value in field.args.items() if name not in skipped]
        query += [("limit", str(limit)), (way, place)]
        return f"{self.address}/{owner_id}/{field.name}?{urlencode(query)}"


def limit_of(text: str | None, most: int = MAX_LIMIT) -> int:
    """The page size: 25 unless asked, never above the maximum; GraphError 100 for nonsense."""
    if text is None or text == "":
        return min(DEFAULT_LIMIT, most)
    if not re.fullmatch(r"0*[1-9]\d{0,8}", text, re.ASCII):
        raise GraphError(100, "(#100) param limit must be a positive integer")
    return min(int(text), most)


def window(keys: Sequence[str], limit: int, args: Mapping[str, str], scope: str) -> tuple[int, int]:
    """Where the asked page begins and ends; a cursor whose item is gone falls back to its place."""
    if after := args.get("after"):
        key, place = read_cursor(scope, after)
        start = keys.index(key) + 1 if key in keys else place
        return start, min(start + limit, len(keys))
    if before := args.get("before"):
        key, place = read_cursor(scope, before)
        end = keys.index(key) if key in keys else min(place, len(keys))
        return max(0, end - limit), end
    return 0, min(limit, len(keys))


def cursor(scope: str, key: str, place: int) -> str:
    """An opaque cursor that only fits the list it came from."""
    plain = f"{key}|{place}".encode()
    mark = hashlib.sha256(f"mark:{scope}:".encode() + plain).digest()[:6]
    mask = hashlib.shake_256(b"mask" + mark).digest(len(plain))
    veiled = bytes(a ^ b for a, b in zip(plain, mask, strict=True))
    return CURSOR_HEAD + base64.urlsafe_b64encode(mark + veiled).decode().rstrip("=") + CURSOR_TAIL


def read_cursor(scope: str, text: str) -> tuple[str, int]:
    """The item and place of a cursor; GraphError 100 when it is not one of this list."""
    refused = GraphError(100, "(#100) Invalid cursors values. Please check the cursors of the query.")
    if not (text.startswith(CURSOR_HEAD) and text.endswith(CURSOR_TAIL)):
        raise refused
    body = text[len(CURSOR_HEAD) : -len(CURSOR_TAIL)]
    try:
        raw = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
        mark, veiled = raw[:6], raw[6:]
        mask = hashlib.shake_256(b"mask" + mark).digest(len(veiled))
        plain = bytes(a ^ b for a, b in zip(veiled, mask, strict=True)).decode()
        key, place = plain.rsplit("|", 1)
        number = int(place)
    except (ValueError, UnicodeDecodeError):
        raise refused from None
    if cursor(scope, key, number) != text:
        raise refused
    return key, number


def moment(text: str | None, now: float) -> float | None:
    """`since`/`until`: Unix seconds, an ISO date, `now`, `today` or `yesterday`; GraphError 100 otherwise."""
    if text is None or text == "":
        return None
    days = {"now": now, "today": now // 86400 * 86400, "yesterday": now // 86400 * 86400 - 86400}
    if text in days:
        return days[text]
    if UNIX.fullmatch(text):
        return float(text)
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise GraphError(100, "(#100) since and until must be a valid unix timestamp or strtotime text") from None


def speaks_as(visit: Visit) -> Person:
    """The Instagram account behind an Instagram-login token."""
    return visit.world.people[visit.token.username]
