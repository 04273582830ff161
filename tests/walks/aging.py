"""Months in the life of many accounts' tokens, day by day, while refreshes fail now and then; beside them a policy of one try."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from tests.walks.stage import Stage
from tintype.core.accounts import Account, Accounts, State
from tintype.events import AccountExpiring
from tintype.instagram import Connection, Login, Profile, Token

DAY = timedelta(days=1)
LIFE = 60 * DAY
ONE_TRY_ON = 58 * DAY  # of a token's life, by those who try once
BEGINNERS = 20  # days over which the accounts are connected
FAILURES = ({"kind": "status", "status": 500}, {"kind": "lost"}, {"kind": "html", "status": 502}, {"kind": "reset"})


@dataclass(slots=True)
class Lone:
    """A token that is refreshed by a single try two days before its end; None once that failed."""

    username: str
    token: str | None
    since: datetime


@dataclass(slots=True)
class Months:
    """What happened so far: accounts of ours that were lost without need, refreshes, and what the other policy lost."""

    stage: Stage
    accounts: Accounts
    workspace_id: str
    chance: random.Random
    share: float
    lone: list[Lone] = field(default_factory=list[Lone])
    doomed: str = ""  # whose refresh fails every day
    ids: dict[str, str] = field(default_factory=dict[str, str])
    refreshed: int = 0
    troubled: int = 0  # days on which an account's refresh would have failed
    lost: set[str] = field(default_factory=set[str])

    def warnings(self, username: str) -> Sequence[int]:
        """The days left of which somebody was warned, in order."""
        told = [one for one in self.stage.events(AccountExpiring) if one.account_id == self.ids[username]]
        return [one.days for one in told]

    @property
    def lost_by_one_try(self) -> int:
        """How many accounts the policy of one try has lost."""
        return sum(one.token is None for one in self.lone)

    async def pass_days(self, days: int, count: int) -> None:
        """Connect so many accounts over the first days and let every day pass."""
        names = [f"year.{number}" for number in range(count)]
        self.doomed = names[0]
        for day in range(days):
            for name in names[day::BEGINNERS] if day < BEGINNERS else ():
                await self._connect(name)
            self._trouble([one.username for one in self.lone])
            self.refreshed += await self.accounts.refresh_due()
            for one in self.lone:
                self._try_once(one)
            self.stage.pretend.levers.delete("/_world/faults").raise_for_status()
            self.lost |= await self._lost()
            self.stage.skip(DAY)

    async def _connect(self, name: str) -> None:
        pretend, now = self.stage.pretend, self.stage.clock()
        pretend.post("/people", username=name, media=0)
        made = pretend.post("/tokens", username=name, login="instagram")
        token = Token(str(made["access_token"]), expires_at=now + LIFE)
        connection = Connection(Login.INSTAGRAM_LOGIN, token, Profile(str(made["user_id"]), None, name))
        self.ids[name] = (await self.accounts.keep(self.workspace_id, connection)).id
        if name != self.doomed:
            self.lone.append(Lone(name, pretend.token(name), now))

    def _trouble(self, names: Sequence[str]) -> None:
        """Let today's refreshes of a share of the accounts fail, however often they are tried today."""
        hit = [name for name in names if self.chance.random() < self.share]
        self.troubled += len(hit)
        for name in (self.doomed, *hit):
            fault = dict(self.chance.choice(FAILURES))
            self.stage.pretend.fault("oauth.refresh", str(fault.pop("kind")), username=name, times=None, **fault)

    def _try_once(self, one: Lone) -> None:
        now = self.stage.clock()
        if one.token is None or now - one.since < ONE_TRY_ON:
            return
        query = {"grant_type": "ig_refresh_token", "access_token": one.token}
        try:
            answer = self.stage.pretend.levers.get("/refresh_access_token", params=query)
            one.token = str(cast("dict[str, Any]", answer.raise_for_status().json())["access_token"])
            one.since = now
        except Exception:  # noqa: BLE001 - whatever it was: the policy gives up
            one.token = None

    async def _lost(self) -> set[str]:
        """Whose account is not usable any more although Instagram never said so."""
        now = self.stage.clock()
        unusable = [account for account in await self.accounts.all() if not _lives(account, now)]
        return {str(account.username) for account in unusable if account.username != self.doomed}


def _lives(account: Account, now: datetime) -> bool:
    expires = account.token_expires_at
    return account.state is State.CONNECTED and expires is not None and expires > now


async def begun(stage: Stage, *, seed: int = 7, share: float = 0.05) -> Months:
    """Begin: nobody is connected yet. Pauses between repeated calls are left out, as the days are short here."""

    async def no_rest(seconds: float) -> None:
        del seconds

    accounts = replace(stage.house.accounts, graph=replace(stage.house.accounts.graph, rest=no_rest))
    workspace, _ = await stage.house.access.register("Everybody")
    return Months(stage, accounts, workspace.id, random.Random(seed), share)
