"""What is stored of a workspace or of a person on Instagram: which rows, and which files those name.

Tables that nothing ties to either are searched for words, or stand below as nobody's, each with its reason.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, Connection, Table, delete, or_, select

from tintype.backends.archive import Chosen, Marks, Row, belonging, pieces, tables_of, told
from tintype.backends.database import metadata, put
from tintype.core.files import HOME
from tintype.errors import NotFound

# Their texts may speak of anybody. Those first whose rows are spoken of by others, with the column that does so.
SEARCHED: Mapping[str, str | None] = {
    "downloads": "shortcode",
    "recipe_items": "id",
    "recipe_changes": None,
    "push_notices": None,
    "webhook_messages": None,
    "dialogs": None,
    "file_uploads": None,
    "audit": None,
}

NOBODYS = {
    "assets": "copies by their content; those that nothing shows any more go with their files",
    "file_debts": "places that are emptied soon",
    "hosted_pictures": "copies by their content, as above, that lie in the operator's cloud",
    "idempotent_answers": "sealed, under a digest, for a day",
    "journal": "what other processes hear within the hour; erasing waits for that and then takes it out",
    "login_attempts": "counted under a digest",
    "nodes": "names of processes that work here, until what they left is taken over",
    "public_sessions": "the operator's own",
    "public_standings": "how the ways to public posts do",
    "push_keys": "the house's own",
    "push_marks": "how far a stream was read",
    "push_subscriptions": "a browser of the operator's, sealed",
}

HIDDEN = {
    "browsers": ("digest",),
    "credentials": ("digest",),
    "dialog_connects": ("state", "browser", "code"),
    "dialogs": ("id",),
    "invitations": ("digest",),
    "oauth_states": ("digest", "session"),
    "second_factors": ("spares",),
    "sessions": ("digest",),
    "users": ("password",),
    "welcomes": ("digest",),
}  # what would let somebody in; values of bytes are sealed secrets and left out as well

_KEY = re.compile(r"(?:publishing|recipes)(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)+")
_UPLOADS = "publishing/uploads/"
_SHORTCODE = re.compile(r"/(?:p|reel|tv)/([A-Za-z0-9_-]+)")
_OWN_POSTS = ("media", "posts", "insight_targets")


@dataclass(slots=True)
class Named:
    """Files that rows name: keys in our own store, places in any store, pictures by their content, downloaded posts."""

    keys: set[str] = field(default_factory=set[str])
    places: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    digests: set[str] = field(default_factory=set[str])
    posts: dict[str, str] = field(default_factory=dict[str, str])  # shortcode → download

    def add(self, table: str, row: Row) -> None:
        """Add what a row names."""
        match table:
            case "media":
                self.digests.update(one for one in (row["picture"], row["video"]) if one)
            case "files" if row["place"]:
                self.places.add((row["store"], row["place"]))
            case "files_derived" | "file_parts":
                self.places.add(("", row["place"]))
            case "posts" | "recipe_items":
                mine = f"{_UPLOADS}{row.get('workspace_id')}/"
                self.keys.update(key for key in keys_in(row) if not key.startswith(_UPLOADS) or key.startswith(mine))
            case "downloads" if row["current"]:
                self.posts[row["shortcode"]] = row["id"]
            case _:
                pass


def keys_in(row: Row) -> set[str]:
    """Return the keys of stored files that a row's texts are; one within a sentence is what somebody wrote."""
    return {said for value in row.values() if isinstance(value, str) for said in _texts(value) if _KEY.fullmatch(said)}


def _texts(stored: str) -> Iterator[str]:
    """Yield a text, or all those in it when it is JSON as it is stored."""
    try:
        left: list[Any] = [json.loads(stored)] if stored.startswith(("{", "[", '"')) else [stored]
    except ValueError:
        left = [stored]
    while left:
        one: Any = left.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, list | dict):
            left += one.values() if isinstance(one, dict) else one


def of_workspace(connection: Connection, workspace_id: str) -> tuple[Chosen, Marks]:
    """Return what is a workspace's: with the users who are members of no other.

    Raises `NotFound`, but also finds workspaces that were removed.
    """
    rooms, members, accounts = (metadata.tables[name] for name in ("workspaces", "members", "accounts"))
    if connection.scalar(select(rooms.c.id).where(rooms.c.id == workspace_id)) is None:
        raise NotFound(f"there is no workspace {workspace_id!r}; `tintype workspace list` shows all")
    mine = select(members.c.user_id).where(members.c.workspace_id == workspace_id)
    others = select(members.c.user_id).where(members.c.workspace_id != workspace_id)
    users = connection.scalars(mine.where(members.c.user_id.not_in(others))).all()
    ids = connection.scalars(select(accounts.c.id).where(accounts.c.workspace_id == workspace_id)).all()
    marks = Marks({workspace_id, *ids})
    return _with_told(connection, {"workspaces": [workspace_id], "users": list(users)}, marks), marks


def of_person(connection: Connection, meant: str) -> tuple[Chosen, Marks]:
    """Return what is of a person on Instagram, in every workspace, by one of its ids or by @name.

    Raises `NotFound` when nothing speaks of it.
    """
    accounts = metadata.tables["accounts"]
    by_id = or_(accounts.c.instagram_id == meant, accounts.c.app_scoped_id == meant)
    by_name = accounts.c.username == meant.removeprefix("@")
    found = connection.execute(select(accounts).where(by_name if meant.startswith("@") else by_id)).all()
    ids = [one.id for one in found]
    marks = Marks({meant, *ids}, {one.username for one in found if one.username})
    marks.words.update(one for row in found for one in (row.instagram_id, row.app_scoped_id) if one)
    if ids:
        marks.words.update(_posts_of(connection, ids))
    chosen = _with_told(connection, {"accounts": ids}, marks)
    if not any(chosen.values()):
        raise NotFound(
            f"nothing is stored of a person with the Instagram id {meant!r}; who was registered as 'me' is found by @name"
        )
    return chosen, marks


def _posts_of(connection: Connection, account_ids: Iterable[str]) -> Iterator[str]:
    """Yield the ids and shortcodes of a person's posts."""
    for name in _OWN_POSTS:
        table = metadata.tables[name]
        key = table.c.id if name == "media" else table.c.media_id
        for media_id, permalink in connection.execute(
            select(key, table.c.permalink).where(table.c.account_id.in_(account_ids))
        ):
            yield from (media_id,) if media_id else ()
            yield from _SHORTCODE.findall(permalink or "")


def _with_told(connection: Connection, chosen: dict[str, Any], marks: Marks) -> Chosen:
    tables = {table.name: table for table in tables_of(connection)}
    for name, spoken_of in SEARCHED.items():
        table = tables.get(name)
        rows = [] if table is None else told(connection, table, marks)
        if table is None or not rows:
            continue
        key = next(iter(table.primary_key.columns)).name
        chosen[name] = [row[key] for row in rows]
        if spoken_of:
            marks.words.update(str(row[spoken_of]) for row in rows)
    return chosen


def forget_events(connection: Connection, words: frozenset[str]) -> None:
    """Take out of the journal what speaks of somebody."""
    journal = metadata.tables["journal"]
    tables = {table.name: table for table in tables_of(connection)}
    for row in told(connection, tables["journal"], Marks(set(words))):
        connection.execute(delete(journal).where(journal.c.id == row["id"]))


def named_by(connection: Connection, chosen: Chosen) -> Named:
    """Return the files that somebody's rows name."""
    found = Named()
    for table, rows in belonging(connection, chosen):
        for row in rows:
            found.add(table.name, row)
    return found


def still_needed(connection: Connection, keys: frozenset[str]) -> set[str]:
    """Return those keys that a row names which is still there."""
    found: set[str] = set()
    for table in tables_of(connection) if keys else ():
        if table.name in ("posts", "recipe_items"):
            found |= keys & {key for some in pieces(connection, table) for row in some for key in keys_in(row)}
    return found


def shown(table: Table, row: Row) -> dict[str, object]:
    """Return a row as people may have it: JSON as such, secrets as no more than that there are some."""
    hidden = HIDDEN.get(table.name, ())
    found: dict[str, object] = {}
    for column in metadata.tables[table.name].columns:
        value = row.get(column.name)
        if value is not None and (column.name in hidden or isinstance(value, bytes)):
            value = "(not shown)"
        elif isinstance(value, str) and isinstance(column.type, JSON):
            value = json.loads(value)
        found[column.name] = value
    return found


def owe(connection: Connection, named: Named) -> None:
    """Write down what lies in stores and nobody names any more, so that it goes at the next sweep at the latest."""
    places = {(HOME, key) for key in named.keys} | {(store or HOME, place) for store, place in named.places}
    now = datetime.now(UTC)
    rows = [{"store": store, "place": place, "leaving": True, "since": now} for store, place in sorted(places)]
    put(connection, metadata.tables["file_debts"], rows)
