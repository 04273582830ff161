"""A whole house before a pretend Instagram, both under one clock, and the people who use the two."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, cast

import httpx2

from tests.beside import Kept
from tests.empty import furnish
from tests.instagram.pretend import Json, Pretend, running
from tests.profile import backends
from tests.trust import NOBODY
from tintype.app import House, open_house
from tintype.cli.listening import bind, listening, port_of
from tintype.core.feed import Report
from tintype.events import Event
from tintype.instagram import Connection, Profile, Token, utc_now
from tintype.settings import Settings, load

E = TypeVar("E", bound=Event)

_numbers = count(1)


@dataclass(slots=True)
class Clock:
    """The real time, and what was skipped."""

    ahead: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return utc_now() + self.ahead


@dataclass(frozen=True, slots=True)
class Stage:
    """The house, a client of it, the pretend Instagram, and what the house announced so far."""

    house: House
    http: httpx2.AsyncClient
    pretend: Pretend
    clock: Clock
    announced: list[Event] = field(default_factory=list[Event])

    def skip(self, span: timedelta) -> None:
        """Let time pass at once, here and at Instagram."""
        self.clock.ahead += span
        self.pretend.post("/clock", advance_seconds=span.total_seconds())

    def events(self, kind: type[E]) -> list[E]:
        """What was announced of a kind, oldest first."""
        return [one for one in self.announced if isinstance(one, kind)]

    def calm(self) -> None:
        """End all trouble at Instagram."""
        self.pretend.levers.delete("/_world/faults").raise_for_status()

    def person(self, posts: int = 0) -> "Person":
        """Somebody on Instagram, with small pictures only, whom the house does not know yet."""
        username = f"walker{next(_numbers)}"
        self.pretend.post("/people", username=username, media=0)
        found = Person(self, username, self.pretend.token(username))
        for _ in range(posts):
            found.post()
        return found

    async def member(self, posts: int = 0) -> "Member":
        """Somebody on Instagram who is registered here and synced once."""
        return await self.person(posts).register()

    async def status(self, url: str) -> int:
        return (await self.http.get(url)).status_code

    async def assert_whole(self, url: str) -> None:
        """Check that an address of the house shows a picture that can be decoded to its last line."""
        answer = await self.http.get(url)
        assert answer.status_code == 200, url
        await self.house.backends.images.inspect(answer.content)

    def kept(self) -> Kept:
        """What the house has stored."""
        return Kept.by(self.house.settings)

    def files(self) -> dict[str, float]:
        """The keys of all stored files with the moment of their last change."""
        return self.kept().files()


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on Instagram."""

    stage: Stage
    username: str
    token: str

    def post(self, kind: str = "IMAGE", **more: object) -> str:
        """Publish something small, each a minute after the one before, and return its id."""
        tall = kind in ("VIDEO", "REELS")
        shape: Json = {"width": 180, "height": 320} if tall else {"width": 160, "height": 200}
        ago = timedelta(days=20) - timedelta(minutes=next(_numbers))
        moment = int((self.stage.clock() - ago).timestamp())
        shape |= {"timestamp": moment, **more}
        return str(self.stage.pretend.post("/media", username=self.username, kind=kind, **shape)["id"])

    def edit(self, media_id: str, **changes: object) -> None:
        self.stage.pretend.levers.patch(f"/_world/media/{media_id}", json=changes).raise_for_status()

    def delete(self, media_id: str) -> None:
        self.stage.pretend.levers.delete(f"/_world/media/{media_id}").raise_for_status()

    def fault(self, on: str, kind: str, **more: object) -> None:
        """Trouble with this person's calls, once if nothing else is said."""
        self.stage.pretend.fault(on, kind, username=self.username, **more)

    def calls(self) -> list[Json]:
        """What was asked of Instagram about this person, oldest first."""
        return [call for call in self.stage.pretend.calls() if call.get("username") == self.username]

    async def register(self) -> "Member":
        """Register here as seed 0 has it, which syncs at once."""
        body = {
            "name": self.username,
            "instagramAccountId": "me",
            "instagramAccountSecret": "secret",
            "instagramAccessToken": self.token,
            "apiType": "INSTAGRAM_LOGIN",
        }
        answer = await self.stage.http.post("/register", json=body)
        assert answer.status_code == 201, answer.text
        made = answer.json()["data"]
        accounts = await self.stage.house.accounts.of_workspace(made["tenantId"])
        return Member(self.stage, self.username, self.token, made["tenantId"], accounts[0].id, made["authToken"])


@dataclass(frozen=True, slots=True)
class Member(Person):
    """Somebody on Instagram who is registered here."""

    workspace_id: str
    account_id: str
    key: str = field(repr=False)

    async def reconnect(self) -> None:
        """Let this account be connected once more, with a token that lives."""
        accounts = self.stage.house.accounts
        account = await accounts.get(self.workspace_id, self.account_id)
        token = Token(self.stage.pretend.token(self.username), expires_at=self.stage.clock() + timedelta(days=60))
        profile = Profile(account.instagram_id, None, self.username)
        await accounts.keep(self.workspace_id, Connection(account.login, token, profile))

    async def sync(self, *, deep: bool = False) -> Report:
        return await self.stage.house.feed.sync(self.account_id, deep=deep)

    async def read(self) -> httpx2.Response:
        """The feed's answer, which is 200 whatever happens."""
        answer = await self.stage.http.get("/photos", headers={"Authorization": f"Bearer {self.key}"})
        assert answer.status_code == 200, answer.text
        return answer

    async def photos(self) -> list[dict[str, Any]]:
        return cast("list[dict[str, Any]]", (await self.read()).json()["data"]["photos"])

    async def ids(self) -> list[str]:
        return [str(photo["id"]) for photo in await self.photos()]

    async def photo(self, media_id: str) -> dict[str, Any]:
        return next(photo for photo in await self.photos() if photo["id"] == media_id)

    def is_own(self, url: object) -> bool:
        return str(url).startswith(f"{self.stage.house.settings.address()}/m/")

    async def assert_whole_feed(self) -> Sequence[str]:
        """Check that every address of ours in the feed answers, and return the other ones."""
        foreign: list[str] = []
        for photo in await self.photos():
            for shown in (photo, *photo.get("children", ())):
                for url in {str(url) for url in (shown["mediaUrl"], shown.get("posterUrl")) if url}:
                    if not self.is_own(url):
                        foreign.append(url)
                    elif url.endswith(".mp4"):
                        assert await self.stage.status(url) == 200
                    else:
                        await self.stage.assert_whole(url)
        return foreign


@asynccontextmanager
async def staged(**settings: object) -> AsyncGenerator[Stage]:
    """Open a house with `settings` on top of those that suit a test; one at a time, as its engine is one per process."""
    with TemporaryDirectory(prefix="house-") as folder, running() as pretend:
        async with opened(pretend, Clock(), data=Path(folder), **settings) as stage:
            yield stage


@asynccontextmanager
async def opened(pretend: Pretend, clock: Clock, **settings: object) -> AsyncGenerator[Stage]:
    """Open a house before a pretend Instagram that runs already."""
    with bind("127.0.0.1", 0) as listener:
        chosen = settings_for(pretend, port=port_of(listener), **settings)
        furnish(chosen)
        async with (
            open_house(chosen, now=clock) as house,
            listening(house.front, listener),
            httpx2.AsyncClient(base_url=chosen.address(), timeout=60, verify=NOBODY) as http,
        ):
            house.feed.graph.throttle.clock = lambda: clock().timestamp()
            stage = Stage(house, http, pretend, clock)
            house.backends.bus.subscribe(stage.announced.append)
            yield stage


def settings_for(pretend: Pretend, **settings: object) -> Settings:
    """Settings of a house before this Instagram, on the profile, without a sync of its own accord."""
    app = pretend.app("instagram")
    defaults: dict[str, object] = {
        "instagram_origin": pretend.origin,
        "instagram_app_id": app["app_id"],
        "instagram_app_secret": app["app_secret"],
        "sync_internal_secret": "sync",
        "feed_sync_minutes": 0,
        "insights_collect": False,
        "feed_copy_videos": False,
        "image_workers": 1,
        "rate_limit_per_minute": 1000,
    }
    shared = backends(Path(str(settings["data"])), **settings) if "data" in settings else {}
    return load(**{**defaults, **shared, **settings})
