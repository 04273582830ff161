"""How each way to public posts stands, in the database: all processes share one budget, and a restart forgets no refusal."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Column, Connection, String, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tintype.backends.database import Database, Json, metadata
from tintype.instagram.public import Health, Manners, Reason, Standing
from tintype.instagram.public.manners import health

T = TypeVar("T")

Change = Callable[[Standing | None], tuple[Standing, T]]

public_standings = Table(
    "public_standings",
    metadata,
    Column("way", String(32), primary_key=True),
    Column("standing", Json),
)

WRITTEN_EVERY = timedelta(seconds=10)

# Said once: putting a statement together costs as much as running it.
_CHOSEN = select(public_standings.c.standing).where(public_standings.c.way == bindparam("mine")).with_for_update()
_UPDATE = (
    update(public_standings).where(public_standings.c.way == bindparam("mine")).values(standing=bindparam("standing"))
)

_MOMENTS = frozenset({"counted_at", "open_until", "trial_until", "last_success", "last_failure"})


@dataclass(frozen=True, slots=True)
class StoredStandings:
    """Keeps the standing of each way."""

    database: Database

    async def change(self, way: str, rule: Change[T]) -> T:
        """Replace a way's standing (None: not known yet) by what the rule makes of it, undisturbed by others."""

        def step(connection: Connection) -> T:
            known = _known(connection, way)
            standing, result = rule(known)
            if standing != known:
                connection.execute(_UPDATE, {"mine": way, "standing": _plain(standing)})
            return result

        return await self.database.store(step)

    async def all(self) -> dict[str, Standing]:
        """Return the standing of every way that was ever used."""
        async with self.database.read() as connection:
            rows = (await connection.execute(select(public_standings).order_by(public_standings.c.way))).all()
        return {row.way: _standing(row.standing) for row in rows if row.standing}


@dataclass(frozen=True, slots=True)
class _Kept:
    now: Standing
    written: Standing


@dataclass(slots=True)
class RememberedStandings:
    """The same for a process that works alone: two transactions less in every look-up.

    What matters is written at once, and mere counts every ten seconds. A refusal that a command beside this process met is
    learned with the next writing.
    """

    stored: StoredStandings
    _kept: dict[str, _Kept] = field(default_factory=dict[str, _Kept])
    _changing: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    async def change(self, way: str, rule: Change[T]) -> T:
        """Replace a way's standing (None: not known yet) by what the rule makes of it, undisturbed by others."""
        async with self._changing[way]:
            kept = self._kept.get(way)
            if kept is not None:
                standing, result = rule(kept.now)
                if not is_news(standing, kept.written):
                    self._kept[way] = _Kept(standing, kept.written)
                    return result
            known = kept.now if kept else None

            def merged(stored: Standing | None) -> tuple[Standing, tuple[Standing, T]]:
                standing, result = rule(later(known, stored))
                return standing, (standing, result)

            standing, result = await self.stored.change(way, merged)
            self._kept[way] = _Kept(standing, standing)
            return result


def is_news(standing: Standing, written: Standing) -> bool:
    """Tell whether a standing has to be written: it differs in more than counts, or was not written for a while."""
    counts: dict[str, Any] = {name: getattr(written, name) for name in ("budget", "left", "counted_at", "last_success")}
    if replace(standing, **counts) != written:
        return True
    success, before = standing.last_success, written.last_success
    return success is not None and (before is None or success - before >= WRITTEN_EVERY)


def later(known: Standing | None, stored: Standing | None) -> Standing | None:
    """Return the standing that has met the later refusal."""
    if known is None or stored is None:
        return known or stored
    theirs, ours = stored.last_failure, known.last_failure
    return stored if theirs is not None and (ours is None or theirs > ours) else known


async def way_health(standings: StoredStandings, now: datetime) -> list[Health]:
    """Return how each way that was ever used stands, for who looks at a house from outside."""
    return [health(way, standing, Manners(), now) for way, standing in (await standings.all()).items()]


def _known(connection: Connection, way: str) -> Standing | None:
    row = connection.execute(_CHOSEN, {"mine": way}).one_or_none()
    if row is None:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(public_standings).values(way=way).on_conflict_do_nothing())
        row = connection.execute(_CHOSEN, {"mine": way}).one()
    return _standing(row.standing) if row.standing else None


def _plain(standing: Standing) -> dict[str, Any]:
    found = asdict(standing)
    return found | {name: found[name].isoformat() for name in _MOMENTS if found[name] is not None}


def _standing(value: dict[str, Any]) -> Standing:
    # A field that another version wrote, or did not write yet, is none of ours.
    known = {one.name: value[one.name] for one in fields(Standing) if one.name in value}
    moments = {name: datetime.fromisoformat(known[name]) for name in _MOMENTS & known.keys() if known[name]}
    reason = Reason(known["reason"]) if known.get("reason") else None
    found: dict[str, Any] = {**known, **moments, "reason": reason, "failed": tuple(known.get("failed", ()))}
    return Standing(**found)
