"""How each way to public posts stands, in the database: all processes share one budget, and a restart forgets no refusal."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Column, String, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

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

_MOMENTS = frozenset({"counted_at", "open_until", "trial_until", "last_success", "last_failure"})


@dataclass(frozen=True, slots=True)
class StoredStandings:
    """Keeps the standing of each way."""

    database: Database

    async def change(self, way: str, rule: Change[T]) -> T:
        """Replace a way's standing (None: not known yet) by what the rule makes of it, undisturbed by others."""
        mine = public_standings.c.way == way
        async with self.database.write() as connection:
            known = await self._known(connection, way)
            standing, result = rule(known)
            if standing != known:
                await connection.execute(update(public_standings).where(mine).values(standing=_plain(standing)))
        return result

    async def all(self) -> dict[str, Standing]:
        """Return the standing of every way that was ever used."""
        async with self.database.read() as connection:
            rows = (await connection.execute(select(public_standings).order_by(public_standings.c.way))).all()
        return {row.way: _standing(row.standing) for row in rows if row.standing}

    async def _known(self, connection: AsyncConnection, way: str) -> Standing | None:
        chosen = select(public_standings.c.standing).where(public_standings.c.way == way).with_for_update()
        row = (await connection.execute(chosen)).one_or_none()
        if row is None:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            await connection.execute(insert(public_standings).values(way=way).on_conflict_do_nothing())
            row = (await connection.execute(chosen)).one()
        return _standing(row.standing) if row.standing else None


async def way_health(standings: StoredStandings, now: datetime) -> list[Health]:
    """Return how each way that was ever used stands, for who looks at a house from outside."""
    return [health(way, standing, Manners(), now) for way, standing in (await standings.all()).items()]


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
