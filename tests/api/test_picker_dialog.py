"""The dialog over HTTP: who may open it, who may ask in it, and each line of the list of what could be abused."""

import html
import json
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.api.test_connecting import consented
from tests.api.websites import signed
from tests.trust import NOBODY
from tests.walks.stage import Person, Stage, staged
from tintype.core.files import CALLBACK

ORIGIN = "https://shop.example"
OWN = {"sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged() as one:
        one.pretend.post("/reset", redirect_uris=[one.house.settings.address() + CALLBACK])
        yield one


@dataclass(frozen=True, slots=True)
class Shop:
    """A website's app, and what its pages' browsers do."""

    stage: Stage
    workspace_id: str
    key: str
    secret: str = field(repr=False)

    async def open(
        self, path: str = "/dialog/open/", referer: str | None = f"{ORIGIN}/", **query: str
    ) -> httpx2.Response:
        headers = {"referer": referer} if referer else {}
        asked = {"key": self.key, "id": "call-1", "m": "image/*", **query}
        async with browser() as fresh:  # without the cookie of an earlier dialog
            return await fresh.get(self.stage.house.settings.address() + path, params=asked, headers=headers)

    async def dialog(self, **query: str) -> "Opened":
        answer = await self.open(**query)
        assert answer.status_code == 200, answer.text
        found = re.search(r'<script type="application/json" id="given"[^>]*>(.*?)</script>', answer.text, re.DOTALL)
        assert found
        return Opened(self, json.loads(found[1]))


@dataclass(frozen=True, slots=True)
class Opened:
    """A dialog as its own page holds it."""

    shop: Shop
    given: dict[str, Any]

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.given['secret']}", **OWN}

    async def get(self, path: str, **query: str) -> httpx2.Response:
        return await self.shop.stage.http.get(path, params=query, headers=self.headers)

    async def post(self, path: str, **body: Any) -> httpx2.Response:
        return await self.shop.stage.http.post(path, json=body, headers=self.headers)

    async def standing(self) -> dict[str, Any]:
        answer = await self.get("/dialog/session")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def returned(self, browser: httpx2.AsyncClient, username: str, decision: str = "allow") -> str:
        """Go out to Instagram in the window's browser, and return the address that Instagram sends it back to."""
        base = self.shop.stage.house.settings.address()
        sent = await browser.get(base + self.given["connect"], headers=OWN)
        assert sent.status_code == 303, sent.text
        return await consented(browser, sent.headers["location"], username, decision)

    async def connect(self, person: Person) -> str:
        """Connect an account, and return its id."""
        async with browser() as window:
            answer = await window.get(await self.returned(window, person.username), headers={"accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return (await self.standing())["accounts"][0]["id"]


def browser() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=30, verify=NOBODY)


@pytest.fixture
async def shop(stage: Stage) -> Shop:
    workspace, _ = await stage.house.access.register("Shop")
    made = await stage.house.picking.apps.create(workspace.id, "Shop", origins=[ORIGIN])
    return Shop(stage, workspace.id, made.app.key, made.secret)


def policy_of(answer: httpx2.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


# ---------------------------------------------------------------------------------------------- who opens it


async def test_only_the_page_that_opened_it_may_frame_it(shop: Shop) -> None:
    answer = await shop.open()
    policy = policy_of(answer)
    nonce = policy["script-src"]
    assert re.fullmatch(r"'nonce-[\w-]{24}'", nonce)
    assert policy == {
        "default-src": "'none'",
        "script-src": nonce,
        "style-src": nonce,
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": ORIGIN,
    }
    assert policy_of(await shop.open())["script-src"] != nonce
    assert "x-frame-options" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers  # a secret stands in it


@pytest.mark.parametrize(
    "referer",
    [
        "https://evil.example/",
        "https://shop.example.evil.example/",
        "http://shop.example/",
        "https://shop.example:8443/",
        None,
    ],
)
async def test_pages_of_other_origins_get_no_dialog(shop: Shop, referer: str | None) -> None:
    answer = await shop.open(referer=referer, referrer="evil.example")
    assert answer.status_code == 403
    assert 'id="given"' not in answer.text
    assert "set-cookie" not in answer.headers


async def test_a_page_without_referrer_is_known_by_the_host_it_names(shop: Shop) -> None:
    answer = await shop.open(referer=None, referrer="shop.example")
    assert answer.status_code == 200
    assert policy_of(answer)["frame-ancestors"] == ORIGIN


async def test_an_unknown_key_opens_nothing_and_says_so(shop: Shop) -> None:
    answer = await shop.open(key="unknown")
    assert answer.status_code == 403
    given = json.loads(re.findall(r'id="refused"[^>]*>(.*?)</script>', answer.text)[0])
    assert (given["code"], given["origin"], given["id"]) == (403, ORIGIN, "call-1")
    assert "API key" in given["hint"]


async def test_a_policy_narrows_what_may_be_chosen(shop: Shop) -> None:
    soon = int(shop.stage.clock().timestamp()) + 600
    assert (await shop.open(**signed(shop.secret, expiry=soon, call=["pick"]))).status_code == 200
    assert (await shop.open(**signed(shop.secret, expiry=soon, call=["read"]))).status_code == 403
    assert (await shop.open(**signed("another", expiry=soon, call=["pick"]))).status_code == 403
    assert (await shop.open(**signed(shop.secret, expiry=soon - 1200))).status_code == 403
    stores = signed(shop.secret, expiry=soon, call=["pick"])
    assert (await shop.open(storeLocation="S3", **stores)).status_code == 403
    stores = signed(shop.secret, expiry=soon, call=["pick", "store"], path="^/trips/")
    assert (await shop.open(storeLocation="S3", storePath="/trips/", **stores)).status_code == 200
    assert (await shop.open(storeLocation="S3", storePath="/other/", **stores)).status_code == 403
    assert (await shop.open(storeLocation="the moon")).status_code == 400


async def test_it_speaks_the_language_that_the_page_or_the_browser_wants(shop: Shop) -> None:
    assert (await shop.dialog(language="de-AT")).given["words"]["choose"] == "Auswählen"
    assert (await shop.dialog(language="xx")).given["words"]["choose"] == "Choose"
    arabic = await shop.open(language="ar")
    assert '<html lang="ar" dir="rtl">' in arabic.text


async def test_scripts_of_old_hear_whether_there_are_cookies(shop: Shop) -> None:
    answer = await shop.stage.http.get("/dialog/comm_iframe/")
    assert answer.status_code == 200
    assert "comm.js" in answer.text


async def test_what_cannot_be_done_is_said(shop: Shop) -> None:
    for path in ("/dialog/process/", "/dialog/folder/"):
        answer = await shop.open(path)
        assert answer.status_code == 400
        assert "&#34;code&#34;: 102" in html.escape(answer.text) or '"code": 102' in answer.text


# ---------------------------------------------------------------------------------------------- who asks in it


async def test_nobody_asks_without_the_secret(shop: Shop) -> None:
    one = await shop.dialog()
    http = shop.stage.http
    assert (await http.get("/dialog/session", headers=OWN)).status_code == 403
    assert (await http.get("/dialog/session", headers={"authorization": "Bearer x", **OWN})).status_code == 403
    foreign = {**one.headers, "sec-fetch-site": "cross-site"}
    assert (await http.get("/dialog/session", headers=foreign)).status_code == 403
    preflight = await http.request("OPTIONS", "/dialog/choose", headers={"origin": "https://evil.example"})
    assert "access-control-allow-origin" not in preflight.headers
    assert (await one.get("/dialog/session")).status_code == 200


async def test_it_ends_after_an_hour_without_use(shop: Shop) -> None:
    one = await shop.dialog()
    shop.stage.skip(timedelta(minutes=50))
    assert (await one.get("/dialog/session")).status_code == 200
    shop.stage.skip(timedelta(minutes=50))
    assert (await one.get("/dialog/session")).status_code == 200
    shop.stage.skip(timedelta(minutes=61))
    ended = await one.get("/dialog/session")
    assert ended.status_code == 403
    assert "open it again" in ended.json()["error"]["message"]


async def test_a_dialog_shows_only_its_own_accounts(shop: Shop) -> None:
    mine, other = await shop.dialog(), await shop.dialog()
    account = await mine.connect(shop.stage.person(2))
    listed = await mine.get("/dialog/media", account=account)
    assert listed.status_code == 200, listed.text
    assert (await other.get("/dialog/media", account=account)).status_code == 404
    item = listed.json()["items"][0]
    chosen = {"account": account, "media": item["media"]}
    assert (await other.post("/dialog/choose", **chosen)).status_code == 404
    assert (await shop.stage.http.get(item["thumb"])).headers["content-type"] == "image/webp"
    stolen = item["thumb"].replace(item["thumb"].split("/")[3], other.given["connect"].split("/")[3])
    assert (await shop.stage.http.get(stolen)).status_code == 404


async def test_visitors_are_no_part_of_the_workspace(shop: Shop) -> None:
    person = shop.stage.person(1)
    one = await shop.dialog()
    account_id = await one.connect(person)
    house = shop.stage.house
    assert await house.accounts.of_workspace(shop.workspace_id) == []
    assert account_id not in [account.id for account in await house.accounts.all()]
    account = await house.accounts.get(shop.workspace_id, account_id)
    assert account.visiting
    assert account.scopes == ("instagram_business_basic",)


# ---------------------------------------------------------------------------------------------- the window


async def test_the_window_asks_for_reading_alone_and_comes_back_to_one_address(shop: Shop) -> None:
    one = await shop.dialog()
    async with browser() as window:
        sent = await window.get(shop.stage.house.settings.address() + one.given["connect"], headers=OWN)
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    assert asked["scope"] == ["instagram_business_basic"]
    assert asked["redirect_uri"] == [shop.stage.house.settings.address() + CALLBACK]
    assert len(asked["state"][0]) >= 43
    assert sent.headers["cross-origin-opener-policy"] == "unsafe-none"
    assert sent.headers["referrer-policy"] == "no-referrer"


async def test_whoever_follows_a_link_is_told_who_asks(shop: Shop) -> None:
    one = await shop.dialog()
    base = shop.stage.house.settings.address()
    async with browser() as window:
        for site in ("cross-site", "none", "same-site"):
            answer = await window.get(base + one.given["connect"], headers={"sec-fetch-site": site})
            assert answer.status_code == 200
            assert "shop.example" in answer.text
            assert policy_of(answer)["frame-ancestors"] == "'none'"
        refused = await window.post(base + one.given["connect"], headers={"sec-fetch-site": "cross-site"})
        assert refused.status_code == 403
        agreed = await window.post(base + one.given["connect"], headers=OWN)
        assert agreed.status_code == 303
    assert (await shop.stage.http.get(one.given["connect"][:-2] + "00", headers=OWN)).status_code == 403


async def test_the_page_at_the_end_tells_nothing_to_anybody(shop: Shop) -> None:
    one, person = await shop.dialog(), shop.stage.person(1)
    async with browser() as window:
        back = await one.returned(window, person.username)
        answer = await window.get(back, headers={"accept": "text/html"})
        assert answer.status_code == 200
        assert "You can close this window" in answer.text
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-opener-policy"] == "unsafe-none"
        assert not re.search(r'(?:src|href)="https?://', answer.text)
        again = await window.get(back, headers={"accept": "text/html"})
        assert again.status_code == 400  # a state is used once
        assert "Not connected" in again.text


async def test_another_browser_has_to_show_the_code(shop: Shop) -> None:
    one, person = await shop.dialog(), shop.stage.person(1)
    async with browser() as window, browser() as phone:
        back = await one.returned(window, person.username)
        asks = await phone.get(back, headers={"accept": "text/html"})
        assert asks.status_code == 200
        fields = dict(re.findall(r'name="(state|held)" value="([^"]*)"', asks.text))
        standing = await one.standing()
        assert standing["connecting"]
        code = standing["code"]
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        confirm = shop.stage.house.settings.address() + CALLBACK.replace("/open", "/confirm")
        foreign = await phone.post(confirm, data={**fields, "code": code}, headers={"sec-fetch-site": "cross-site"})
        assert foreign.status_code == 403
        refused = await phone.post(confirm, data={**fields, "code": wrong}, headers=OWN)
        assert refused.status_code == 403
        assert "not the code" in refused.text
        done = await phone.post(confirm, data={**fields, "code": f"{code[:3]} {code[3:]}"}, headers=OWN)
        assert done.status_code == 200, done.text
    assert [one["name"] for one in (await one.standing())["accounts"]] == [person.username]


@pytest.mark.parametrize("zero", ["\N{ARABIC-INDIC DIGIT ZERO}", "\N{FULLWIDTH DIGIT ZERO}"])
async def test_a_code_is_taken_in_the_digits_of_any_keyboard(shop: Shop, zero: str) -> None:
    one, person = await shop.dialog(), shop.stage.person(1)
    async with browser() as window, browser() as phone:
        asks = await phone.get(await one.returned(window, person.username), headers={"accept": "text/html"})
        fields = dict(re.findall(r'name="(state|held)" value="([^"]*)"', asks.text))
        code = (await one.standing())["code"]
        confirm = shop.stage.house.settings.address() + CALLBACK.replace("/open", "/confirm")
        odd = await phone.post(confirm, data={**fields, "code": "\N{SUPERSCRIPT TWO}" * 6}, headers=OWN)
        assert (odd.status_code, "not the code" in odd.text) == (403, True)
        typed = "".join(chr(ord(zero) + int(digit)) for digit in code)
        done = await phone.post(confirm, data={**fields, "code": typed}, headers=OWN)
        assert done.status_code == 200, done.text


async def test_codes_are_not_guessed(shop: Shop) -> None:
    one, person = await shop.dialog(), shop.stage.person(1)
    async with browser() as window, browser() as thief:
        asks = await thief.get(await one.returned(window, person.username))
        fields = dict(re.findall(r'name="(state|held)" value="([^"]*)"', asks.text))
        code = (await one.standing())["code"]
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        confirm = shop.stage.house.settings.address() + CALLBACK.replace("/open", "/confirm")
        tried = [await thief.post(confirm, data={**fields, "code": wrong}, headers=OWN) for _ in range(5)]
        assert {answer.status_code for answer in tried} == {403}
        late = await thief.post(confirm, data={**fields, "code": code}, headers={**OWN, "accept": "text/html"})
        assert late.status_code == 400
    assert (await one.standing())["accounts"] == []


async def test_states_of_other_dialects_do_not_end_here(shop: Shop) -> None:
    member = await shop.stage.member()
    begun = await shop.stage.http.post("/auth/connect", json={}, headers={"authorization": f"Bearer {member.key}"})
    state = begun.json()["data"]["url"].rpartition("/")[2]
    for given in (state, "tt_unknown", ""):
        answer = await shop.stage.http.get(CALLBACK, params={"state": given, "code": "x"})
        assert answer.status_code == 400
        assert answer.json()["error"]["code"] == 400


@pytest.mark.parametrize(
    ("kind", "decision", "code"), [("PERSONAL", "allow", "personal"), ("BUSINESS", "cancel", "declined")]
)
async def test_the_dialog_hears_why_nothing_was_connected(shop: Shop, kind: str, decision: str, code: str) -> None:
    name = f"somebody.{kind.lower()}.{decision}"
    shop.stage.pretend.post("/people", username=name, media=0, account_type=kind)
    one = await shop.dialog()
    async with browser() as window:
        back = await one.returned(window, name, decision)
        answer = await window.get(back, headers={"accept": "text/html"})
    assert answer.status_code == 403
    standing = await one.standing()
    assert standing["trouble"]["code"] == code
    assert standing["accounts"] == []


# ---------------------------------------------------------------------------------------------- choosing and leaving


async def test_a_photo_is_linked_or_copied_as_the_page_asked(shop: Shop) -> None:
    person = shop.stage.person(1)
    linking = await shop.dialog()
    account = await linking.connect(person)
    (item,) = (await linking.get("/dialog/media", account=account)).json()["items"]
    made = (await linking.post("/dialog/choose", account=account, media=item["media"])).json()
    assert set(made["data"]) == {"filename", "type", "size", "client"}
    copying = await shop.dialog(storeLocation="S3", storePath="trips/")
    account = await copying.connect(person)
    made = (await copying.post("/dialog/choose", account=account, media=item["media"])).json()
    assert made["data"]["key"].startswith("trips/")
    assert made["data"]["client"] == "Instagram"


async def test_videos_are_chosen_where_the_page_says_so(shop: Shop) -> None:
    person = shop.stage.person(1)
    person.post("REELS")
    for types, choosable in (("image/*", [False, True]), ("*/*", [False, True]), ("video/*", [True, False])):
        one = await shop.dialog(m=types)
        account = await one.connect(person)
        items = (await one.get("/dialog/media", account=account)).json()["items"]
        assert [item["choosable"] for item in items] == choosable, types


async def test_a_revoked_account_is_connected_again(shop: Shop) -> None:
    person = shop.stage.person(1)
    one = await shop.dialog()
    account = await one.connect(person)
    (item,) = (await one.get("/dialog/media", account=account)).json()["items"]
    for on in ("graph.media", "graph.media_item"):
        person.fault(on, "status", status=400, code=190, subcode=463, times=20)
    for answer in (
        await one.get("/dialog/media", account=account),
        await one.post("/dialog/choose", account=account, media=item["media"]),
    ):
        assert answer.status_code == 403
        assert answer.headers["x-error-code"] == "reconnect"
    shop.stage.calm()
    assert await one.connect(person) == account
    assert (await one.post("/dialog/choose", account=account, media=item["media"])).status_code == 200


async def test_logging_out_lets_go_of_the_token_unless_a_link_needs_it(shop: Shop) -> None:
    keeping, leaving = shop.stage.person(1), shop.stage.person(1)
    one = await shop.dialog()
    linked = await one.connect(keeping)
    (item,) = (await one.get("/dialog/media", account=linked)).json()["items"]
    made = (await one.post("/dialog/choose", account=linked, media=item["media"])).json()
    other = await shop.dialog()
    alone = await other.connect(leaving)
    assert (await one.post("/dialog/forget", account=linked)).status_code == 204
    assert (await other.post("/dialog/forget", account=alone)).status_code == 204
    assert (await one.standing())["accounts"] == []
    accounts = shop.stage.house.accounts
    assert (await accounts.get(shop.workspace_id, linked)).state == "connected"
    assert (await accounts.get(shop.workspace_id, alone)).state == "disconnected"
    assert (await shop.stage.http.get(made["url"])).status_code == 200


async def test_a_browser_with_cookies_is_known_again_and_can_log_out(shop: Shop) -> None:
    async with browser() as frame:
        base = shop.stage.house.settings.address()
        address, asked = f"{base}/dialog/open/", {"key": shop.key, "id": "1"}
        first = await frame.get(address, params=asked, headers={"referer": f"{ORIGIN}/"})
        assert "HttpOnly" in first.headers["set-cookie"]
        given = json.loads(re.findall(r'id="given"[^>]*>(.*?)</script>', first.text, re.DOTALL)[0])
        await Opened(shop, given).connect(shop.stage.person(1))
        again = await frame.get(address, params=asked, headers={"referer": f"{ORIGIN}/"})
        given = json.loads(re.findall(r'id="given"[^>]*>(.*?)</script>', again.text, re.DOTALL)[0])
        assert len(given["accounts"]) == 1
        sharing = await frame.get(f"{base}/dialog/save/", params=asked, headers={"referer": f"{ORIGIN}/"})
        shown = json.loads(re.findall(r'id="given"[^>]*>(.*?)</script>', sharing.text, re.DOTALL)[0])
        assert [one["connected"] for one in shown["accounts"]] == [False]  # it was allowed to read and not to publish
        again = await frame.get(address, params=asked, headers={"referer": f"{ORIGIN}/"})
        given = json.loads(re.findall(r'id="given"[^>]*>(.*?)</script>', again.text, re.DOTALL)[0])
        assert [one["connected"] for one in given["accounts"]] == [True]
        out = await frame.get(f"{base}/api/clients/unauth", headers={"origin": ORIGIN})
        assert (out.status_code, out.headers["access-control-allow-origin"]) == (200, ORIGIN)
        assert out.headers["access-control-allow-credentials"] == "true"
        last = await frame.get(address, params=asked, headers={"referer": f"{ORIGIN}/"})
        assert json.loads(re.findall(r'id="given"[^>]*>(.*?)</script>', last.text, re.DOTALL)[0])["accounts"] == []
        assert (await Opened(shop, given).get("/dialog/session")).status_code == 403


# ---------------------------------------------------------------------------------------------- scripts


@pytest.mark.parametrize("path", ["/filepicker.js", "/v1/filepicker.js", "/v2/filepicker.js", "/filestack.js"])
async def test_the_script_has_all_its_names(shop: Shop, path: str) -> None:
    answer = await shop.stage.http.get(f"{path}?key={shop.key}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] in ("br", "gzip")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    known = await shop.stage.http.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert (known.status_code, known.content) == (304, b"")


async def test_filestack_loads_a_picker_of_any_version(shop: Shop) -> None:
    answer = await shop.stage.http.get("/picker/4.5.2/picker.js", headers={"origin": ORIGIN})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.text.startswith(f'window.tintypeBase="{shop.stage.house.settings.address()}";')
    assert "fs-loader-picker" in answer.text
