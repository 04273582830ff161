"""Two workspaces in one house, each with something of every kind: what one owns, the other must never reach."""

import json
import re
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast
from uuid import uuid4

import httpx2

from tests.api.marketing import Agency, Team, agency
from tests.api.people import PASSWORD, someone
from tests.api.websites import picture, signed
from tests.trust import NOBODY
from tintype.api.dialect import Front, Mounted
from tintype.core.access import Grant, Role
from tintype.core.accounts import Account, State
from tintype.core.files import Opening, StoreOptions
from tintype.core.publishing import Draft, Item, ItemKind, Moment, Product
from tintype.core.webhooks import ALL, Scope, Way, Wish
from tintype.instagram import Connection, Profile, Token

ORIGIN = "https://shop.example"

Route = tuple[str, str]
Things = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Room:
    """A workspace whose owner has a password, a token, a signed-in browser, an account and a published post."""

    team: Team
    account: Account
    published: int
    media_id: str
    token: str = field(repr=False)
    browser: httpx2.AsyncClient = field(repr=False)
    form_token: str = field(repr=False)
    colleague: int
    job: str

    @property
    def id(self) -> str:
        return self.team.who.workspace_id

    async def things(self) -> dict[str, str]:
        """Make one of everything that has an id or a secret of its own, and return all of them by name."""
        house = self.team.stage.house
        await self._connected()
        await house.members.place(self.id, self.colleague, Role.VIEWER)
        found = {
            "workspace_id": self.id,
            "user_id": str(self.team.who.id),
            "colleague": str(self.colleague),
            "account_id": self.account.id,
            "account": str(self.account.number),
            "published": str(self.published),
            "media_id": self.media_id,
            "job": self.job,
            "credential_id": (await house.access.issue(self.id, Grant.FEED)).credential.id,
        }
        found |= await self._posts()
        found |= await self._files()
        return found

    async def _connected(self) -> None:
        """Connect the account again, when a question before this one let go of it."""
        accounts, pretend = self.team.stage.house.accounts, self.team.stage.pretend
        present = await accounts.get(self.id, self.account.id)
        if present.state is not State.CONNECTED:
            profile = Profile(self.account.instagram_id, None, str(self.account.username), account_type="BUSINESS")
            token = Token(pretend.token(str(self.account.username)))
            await accounts.keep(self.id, Connection(self.account.login, token, profile))

    async def _posts(self) -> dict[str, str]:
        publisher, who = self.team.stage.house.publisher, self.team.who
        draft = Draft(Product.IMAGE, (Item(ItemKind.PICTURE, url=self.team.url("product.jpg")),), caption=self.mark)
        later = Moment(self.team.stage.clock() + timedelta(days=2), "UTC")
        batch = uuid4().hex
        post = await publisher.create(
            self.id, self.account.id, draft, user_id=who.id, moment=later, batch=batch, key=uuid4().hex
        )

        async def pieces() -> AsyncGenerator[bytes]:
            yield picture()

        upload = await publisher.keep_upload(self.id, pieces(), "image/jpeg")
        return {"post": str(post.id), "batch": batch, "piece": upload}

    async def _files(self) -> dict[str, str]:
        stage = self.team.stage
        picking, webhooks = stage.house.picking, stage.house.picking.hooks.webhooks
        made = await picking.apps.create(self.id, f"App of {self.mark}", origins=[ORIGIN])
        app = await picking.apps.change(self.id, made.app.id, {"secure_reads": True, "secure_writes": True})
        for earlier in await webhooks.all(Scope(self.id, None)):
            await webhooks.remove(Scope(self.id, None), earlier.id)
        endpoint = (await webhooks.add(Scope(self.id, None), Wish(None, [ALL], self.mark), way=Way.PULL)).endpoint
        secret, dialog = await picking.dialogs.open(app, ORIGIN, Opening())
        await picking.dialogs.records.attach(dialog.id, "", [self.account.id])

        async def pieces() -> AsyncGenerator[bytes]:
            yield picture()

        file = await picking.files.store(app, pieces(), StoreOptions(content_type="image/jpeg", filename="a.jpg"))
        upload = await picking.uploads.start(
            app, filename="b.jpg", content_type="image/jpeg", size=5, options=StoreOptions()
        )
        log = await webhooks.log(Scope(self.id, None), endpoint.id, limit=1)
        expires = int(stage.clock().timestamp()) + 3600
        policy = signed(made.secret, expiry=expires, call=["read", "convert", "store", "pick"])
        return {
            "app_id": app.id,
            "key": app.key,
            "secret": made.secret,
            "handle": file.handle,
            "endpoint_id": endpoint.id,
            "delivery_id": str(log[0].id),
            "upload_id": upload.id,
            "dialog": secret,
            "dialog_id": dialog.id,
            "ticket": picking.dialogs.ticket(dialog),
            **policy,
            "security": f"security=policy:{policy['policy']},signature:{policy['signature']}",
        }

    @property
    def mark(self) -> str:
        """A word that stands in what this workspace owns and nowhere else."""
        return f"mark{self.id.replace('-', '')}"

    def marks(self) -> set[str]:
        """What no answer to others may hold."""
        account = self.account
        return {self.mark, self.id, account.id, account.instagram_id, str(account.username), self.team.who.email}


@asynccontextmanager
async def two_rooms(**settings: object) -> AsyncGenerator[tuple[Room, Room]]:
    """Open a house and furnish two workspaces in it."""
    async with (
        agency("sqlite", picker_writes_per_minute=0, **settings) as office,
        httpx2.AsyncClient(verify=NOBODY) as one,
        httpx2.AsyncClient(verify=NOBODY) as other,
    ):
        browsers = [pointed(browser, office) for browser in (one, other)]
        yield await _room(office, browsers[0]), await _room(office, browsers[1])


def pointed(browser: httpx2.AsyncClient, office: Agency) -> httpx2.AsyncClient:
    """Point a browser at the house."""
    browser.base_url = str(office.stage.http.base_url)
    browser.timeout = 60
    return browser


async def _room(office: Agency, browser: httpx2.AsyncClient) -> Room:
    team = await office.team()
    house = office.stage.house
    account = await team.connect()
    answer = await team.post("/posts", {"account_id": account.number, "image_url": team.url("product.jpg")})
    assert answer.status_code == 201, answer.text
    post = await house.publisher.get(team.who.workspace_id, int(answer.json()["db_id"]))
    await house.feed.sync(account.id)
    await house.insights.of_media(team.who.workspace_id, str(post.media_id), account_id=account.id)
    token = (await house.access.issue(team.who.workspace_id, Grant.WORKSPACE)).secret
    signed_in = await browser.post("/signin", data={"email": team.who.email, "password": PASSWORD})
    assert signed_in.status_code == 303, signed_in.text
    page = await browser.get("/console/me")
    form = re.search(r'name="form_token" value="([0-9a-f]{64})"', page.text)
    assert form, page.text
    colleague = await someone(office.stage)
    job = await house.feed.queue(account, again=True)
    await house.backends.engine.outcome(job, wait=20)
    return Room(team, account, post.id, str(post.media_id), token, browser, form[1], colleague.id, job)


def routes(front: object) -> Iterable[tuple[Mounted, Route]]:
    """Return every route of every dialect of a house, with the dialect it belongs to."""
    assert isinstance(front, Front)
    for mounted in front.mounted:
        for route in inside(mounted).routes:
            for method in sorted(getattr(route, "methods", None) or {"*"}):
                yield mounted, (method, str(getattr(route, "path", "")))
        for method, path in mounted.hot:
            yield mounted, (method, path)


def inside(mounted: Mounted) -> Any:
    """Return the app behind what stands around it."""
    app: Any = mounted.app
    while not hasattr(app, "routes"):
        names = [name for name in ("app", "behind", "_app") if hasattr(app, name)]
        assert names, type(app)
        app = getattr(app, names[0])
    return app


@dataclass(frozen=True, slots=True)
class Question:
    """How a route is asked: by whom, and with what."""

    who: str
    fills: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] | None = None
    form: Mapping[str, str] | None = None
    raw: bytes | None = None
    says: str = ""  # what an answer says that is no refusal of its own: one part of what was asked is unknown
    control: bool = True  # whether the owner's own question is let in


OWN = ("ticket",)  # what an asker brings of his own, where the rest belongs to somebody else


async def ask(asker: Room, own: Things, target: Things, route: Route, way: Question) -> httpx2.Response:
    """Ask a route about `target` with everything that `asker` can show."""
    known = {**target, **{name: own[name] for name in OWN}}
    method, template = route
    names = iter(_owned(_filled(name, known), own) for name in way.fills)
    path = re.sub(r"\{.*?\}", lambda _: known.get(name := next(names), name), template)
    query = {name: _filled(value, known) for name, value in way.query.items()}
    headers: dict[str, str] = {"sec-fetch-site": "same-origin", "x-forwarded-for": asker.team.who.address}
    given: dict[str, Any] = {}
    if way.body is not None:
        given["json"] = json.loads(_filled(json.dumps(way.body), known))
    if way.raw is not None:
        given["content"] = way.raw
    if way.form is not None:
        given["data"] = {name: _filled(value, known) for name, value in way.form.items()}
    client = asker.team.stage.http
    match way.who:
        case "user":
            headers["authorization"] = f"Bearer {asker.team.who.access}"
        case "token":
            headers["authorization"] = f"Bearer {asker.token}"
        case "dialog":
            headers["authorization"] = f"Bearer {own['dialog']}"
        case "app":
            query["key"] = own["key"]
            return await client.request(
                method, path, params=query, headers=headers, auth=("app", own["secret"]), **given
            )
        case "browser":
            client = asker.browser
            if method == "POST":
                given["data"] = {"form_token": asker.form_token, **cast("Mapping[str, str]", given.get("data", {}))}
        case _:
            headers["origin"] = ORIGIN
    return await client.request(method, path, params=query or None, headers=headers, **given)


def _filled(text: str, known: Things) -> str:
    return re.sub(r"<(\w+)>", lambda found: known[found[1]], text)


def with_own(way: Question, own: Things) -> Question:
    """Put what the asker brings of his own into a body, where it stands as `[name]`."""
    if way.body is None:
        return way
    return replace(way, body=json.loads(_owned(json.dumps(way.body), own)))


def _owned(text: str, own: Things) -> str:
    return re.sub(r"\[(\w+)\]", lambda found: own.get(found[1], found[0]), text)
