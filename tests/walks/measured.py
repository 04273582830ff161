"""Somebody on Instagram whose numbers are kept here."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from tests.instagram.pretend import Json
from tests.walks.stage import Member, Stage
from tintype.core.accounts import Account
from tintype.core.insights import InsightRecords, Insights, Policy, Product, Sample
from tintype.instagram import Connection, Login, Profile, Token

DAY = timedelta(days=1)

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Measured(Member):
    """Somebody whose numbers are kept here; the account is known by Instagram's own id, as webhooks name it."""

    insights: Insights = field(repr=False)
    user_id: str

    async def account(self) -> Account:
        return await self.stage.house.accounts.get(self.workspace_id, self.account_id)

    async def published(self, kind: str = "IMAGE", **more: object) -> str:
        """Publish something now, as a draft of ours would have been, and begin to measure it."""
        now = self.stage.clock()
        media_id = self.post(kind, timestamp=int(now.timestamp()), **more)
        products = {"REELS": Product.REELS, "STORY": Product.STORY, "CAROUSEL_ALBUM": Product.CAROUSEL}
        product = products.get(kind, Product.FEED)
        await self.insights.track(self.workspace_id, self.account_id, media_id, product, now)
        return media_id

    async def pass_time(self, span: timedelta, *, steps: timedelta = timedelta(minutes=10)) -> int:
        """Let time pass while the clock of the house collects every few minutes; return how many reads that took."""
        read, end = 0, self.stage.clock() + span
        while self.stage.clock() < end:
            self.stage.skip(steps)
            read += (await self.insights.collect_due()).read
        return read

    async def curve(self, media_id: str, metric: str) -> Sequence[Sample]:
        return await self.insights.history(self.workspace_id, media_id, metric)

    def asked(self) -> list[Json]:
        """The questions for numbers of media, oldest first."""
        return [call for call in self.calls() if str(call["path"]).endswith("/insights")]


async def measured(
    stage: Stage,
    policy: Policy | None = None,
    *,
    login: Login = Login.INSTAGRAM_LOGIN,
    scopes: frozenset[str] = frozenset(),
    followers: int = 1200,
) -> Measured:
    """Somebody new on Instagram who is connected here in a workspace of their own."""
    house, username = stage.house, f"measured{next(_numbers)}"
    facebook = login is Login.FACEBOOK_LOGIN
    made = stage.pretend.post("/people", username=username, media=0, page=facebook, followers_count=followers)
    secret = stage.pretend.token(username, login.value, page=facebook)
    workspace, issued = await house.access.register(username)
    token = Token(secret, stage.clock() + 60 * DAY, scopes)
    user_id = str(made["user_id"])
    kept = await house.accounts.keep(workspace.id, Connection(login, token, Profile(user_id, None, username)))
    insights = Insights(
        InsightRecords(house.backends.database),
        house.accounts,
        house.feed.graph,
        house.backends.bus,
        policy or Policy(),
        house.backends.engine,
    )
    return Measured(stage, username, secret, workspace.id, kept.id, issued.secret, insights=insights, user_id=user_id)
