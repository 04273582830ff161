"""Signing in to the console: one-time links, passwords, codes, cookies, and forms that only our own pages can send."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from pyotp.totp import TOTP

from tests.served import Served, served
from tests.trust import NOBODY

PASSWORD = "Correct-h0rse"
FIRST = "first@example.com"


async def first_user(house: Served) -> str:
    """Let the first user in by the one-time link, and return the token of their forms."""
    secret = await house.house.browsing.welcome()
    answer = await house.client.post(f"/welcome/{secret}", data={"email": FIRST, "password": PASSWORD})
    assert answer.status_code == 303
    return await form_token(house.client)


async def form_token(client: httpx2.AsyncClient, path: str = "/console/me") -> str:
    page = await client.get(path)
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page.text)
    assert found, page.text
    return found[1]


async def sign_in(client: httpx2.AsyncClient, password: str = PASSWORD, to: str = "") -> httpx2.Response:
    return await client.post("/signin", data={"email": FIRST, "password": password, "next": to})


async def test_a_stranger_is_led_to_sign_in_and_back() -> None:
    async with served() as house:
        answer = await house.client.get("/console/accounts?done=syncing")
        assert answer.status_code == 303
        to = urlsplit(answer.headers["location"])
        assert (to.path, parse_qs(to.query)) == ("/signin", {"next": ["/console/accounts?done=syncing"]})


async def test_the_one_time_link_opens_once_and_only_for_the_first() -> None:
    async with served() as house:
        secret = await house.house.browsing.welcome()
        await house.house.access.register("Made before anybody came")
        weak = await house.client.post(f"/welcome/{secret}", data={"email": FIRST, "password": "short"})
        assert weak.status_code == 400
        assert FIRST in weak.text
        answer = await house.client.post(f"/welcome/{secret}", data={"email": FIRST, "password": PASSWORD})
        assert answer.headers["location"] == "/console"
        page = await house.client.get("/console")
        assert "Made before anybody came" in page.text
        again = await house.client.get(f"/welcome/{secret}", headers={"Accept": "text/html"})
        assert again.status_code == 410
        later = await house.house.browsing.welcome()
        assert (await house.client.get(f"/welcome/{later}")).status_code == 410


async def test_a_link_for_a_known_user_gives_another_password_and_ends_all_sessions() -> None:
    async with served() as house:
        await first_user(house)
        user = await house.house.users.find(FIRST)
        secret = await house.house.browsing.welcome(user)
        async with httpx2.AsyncClient(base_url=house.client.base_url, verify=NOBODY) as other:
            answer = await other.post(f"/welcome/{secret}", data={"password": "Another-h0rse"})
            assert answer.status_code == 303
        assert (await house.client.get("/console")).status_code == 303
        assert (await sign_in(house.client)).status_code == 401
        assert (await sign_in(house.client, "Another-h0rse")).status_code == 303


async def test_a_session_is_new_after_each_proof_and_cannot_be_planted() -> None:
    async with served() as house:
        await first_user(house)
        planted = house.client.cookies["tintype"]
        answer = await sign_in(house.client)
        made = re.search(r"tintype=([^;]+)", answer.headers["set-cookie"])
        assert made
        assert made[1] != planted
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "samesite=lax" in answer.headers["set-cookie"].lower()
        house.client.cookies.clear()
        house.client.cookies.set("tintype", "planted-by-somebody")
        assert (await house.client.get("/console")).status_code == 303


async def test_over_tls_the_cookie_is_bound_to_this_host() -> None:
    async with served(public_url="https://tintype.example.com") as house:
        secret = await house.house.browsing.welcome()
        answer = await house.client.post(f"/welcome/{secret}", data={"email": FIRST, "password": PASSWORD})
        assert answer.headers["set-cookie"].startswith("__Host-tintype=")
        assert "Secure" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "to", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x", "console"]
)
async def test_signing_in_never_leads_away(to: str) -> None:
    async with served() as house:
        await first_user(house)
        assert (await sign_in(house.client, to=to)).headers["location"] == "/console"


async def test_wrong_passwords_are_refused_and_then_slowed_down() -> None:
    async with served() as house:
        await first_user(house)
        statuses = [(await sign_in(house.client, "Wr0ng-horse")).status_code for _ in range(6)]
        assert statuses == [401] * 5 + [429]


async def test_a_form_without_its_token_or_from_elsewhere_does_nothing() -> None:
    async with served() as house:
        token = await first_user(house)
        form = {"label": "website", "grant": "feed"}
        bare = await house.client.post("/console/team/tokens", data=form)
        wrong = await house.client.post("/console/team/tokens", data={**form, "form_token": "0" * 64})
        foreign = await house.client.post(
            "/console/team/tokens", data={**form, "form_token": token}, headers={"Origin": "https://evil.example"}
        )
        cross = await house.client.post(
            "/console/team/tokens", data={**form, "form_token": token}, headers={"Sec-Fetch-Site": "cross-site"}
        )
        assert [one.status_code for one in (bare, wrong, foreign, cross)] == [403] * 4
        person = await house.house.users.person((await house.house.users.find(FIRST)).id)
        assert await house.house.access.credentials(person.seats[0].workspace.id) == []


async def test_a_second_factor_is_asked_for_and_each_code_opens_once() -> None:
    async with served() as house:
        token = await first_user(house)
        offer = await house.client.post("/console/me/code/offer", data={"form_token": token})
        secret = re.search(r"<code>([A-Z2-7]{32})</code>", offer.text)
        assert secret
        code = TOTP(secret[1]).at(datetime.now(UTC))
        shown = await house.client.post("/console/me/code/confirm", data={"form_token": token, "code": code})
        spares = re.findall(r"[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}", shown.text)
        assert len(spares) == 8

        answer = await sign_in(house.client, to="/console/team")
        assert answer.headers["location"] == "/signin/code?next=/console/team"
        assert (await house.client.get("/console/team")).status_code == 303
        used = await house.client.post("/signin/code", data={"code": code})
        assert used.status_code == 401
        assert (await house.client.post("/signin/code", data={"code": "wörd 1"})).status_code == 401
        next_one = TOTP(secret[1]).at(datetime.now(UTC) + timedelta(seconds=30))
        arabic = "".join(chr(0x0660 + int(digit)) for digit in next_one)
        there = await house.client.post("/signin/code", data={"code": arabic, "next": "/console/team"})
        assert there.headers["location"] == "/console/team"
        await sign_in(house.client)
        spare = await house.client.post("/signin/code", data={"code": spares[0], "next": "/console/team"})
        assert spare.headers["location"] == "/console/team"
        assert (await house.client.get("/console/team")).status_code == 200
        await sign_in(house.client)
        assert (await house.client.post("/signin/code", data={"code": spares[0]})).status_code == 401


async def test_signing_out_ends_the_session_on_the_server() -> None:
    async with served() as house:
        await first_user(house)
        kept = house.client.cookies["tintype"]
        assert (await house.client.post("/signout")).status_code == 303
        house.client.cookies.set("tintype", kept)
        assert (await house.client.get("/console")).status_code == 303


async def test_a_changed_password_signs_the_other_browsers_out() -> None:
    async with served() as house:
        token = await first_user(house)
        async with httpx2.AsyncClient(base_url=house.client.base_url, verify=NOBODY) as other:
            await sign_in(other)
            form = {"form_token": token, "old": PASSWORD, "new": "Another-h0rse"}
            assert (await house.client.post("/console/me/password", data=form)).status_code == 303
            assert (await other.get("/console")).status_code == 303
        assert (await house.client.get("/console")).status_code == 200
