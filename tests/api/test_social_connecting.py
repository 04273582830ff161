"""Connecting by OAuth as the social seed has it: an address out of the API, and a callback that works in any browser."""

import html
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.api.marketing import ROOT, Agency, Team, agency, refused
from tests.api.test_connecting import browser, consented
from tests.api.test_social_accounts import LISTED
from tintype.core.access import fingerprint
from tintype.core.accounts.records import Pending
from tintype.instagram import App, Login, Profile

BROWSER = {"accept": "text/html,application/xhtml+xml"}
PAGE = {"sec-fetch-site": "same-origin", "sec-fetch-mode": "cors"}


@pytest.fixture(scope="module")
async def office() -> AsyncGenerator[Agency]:
    async with agency() as one:
        yield one


@pytest.fixture
async def team(office: Agency) -> Team:
    return await office.team()


def person(office: Agency, username: str, kind: str = "BUSINESS") -> str:
    office.stage.pretend.post("/people", username=username, media=0, page=True, account_type=kind)
    return username


def shown(answer: httpx2.Response, status: int) -> str:
    """Check that a refusal is a page without anything that runs, and return what a person reads."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "style-src 'sha256-" in policy
    assert "unsafe-inline" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-request-id"]
    assert answer.headers["x-error-code"]
    assert "<script" not in answer.text
    assert '{"error"' not in answer.text
    assert "begin again" in answer.text
    return " ".join(html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", answer.text, flags=re.DOTALL)).split())


async def begun(team: Team, query: str = "") -> str:
    answer = await team.get(f"/oauth/authorize{query}")
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["auth_url"]
    return answer.json()["auth_url"]


async def test_the_address_is_instagrams_with_a_state_of_its_own(office: Agency, team: Team) -> None:
    first, second = [urlsplit(await begun(team)) for _ in range(2)]
    asked, other = parse_qs(first.query), parse_qs(second.query)
    assert first.path == "/oauth/authorize"
    assert f"{first.scheme}://{first.netloc}" == office.stage.pretend.origin
    assert asked["redirect_uri"] == [f"{office.stage.house.settings.address()}{ROOT}/callback"]
    assert asked["client_id"] == [office.stage.pretend.app("instagram")["app_id"]]
    assert asked["response_type"] == ["code"]
    assert "instagram_business_content_publish" in asked["scope"][0].split(",")
    assert len(asked["state"][0]) >= 32
    assert asked["state"] != other["state"]


async def test_a_program_begins_and_a_browser_ends(office: Agency, team: Team) -> None:
    username = person(office, "begun.by.program")
    async with browser() as opened:
        back = await consented(opened, await begun(team), username)
        answer = await opened.get(back, headers=BROWSER)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert username in answer.text
    workspace = await office.stage.house.access.workspace(team.who.workspace_id)
    assert workspace.name in html.unescape(answer.text)
    assert [one["account_name"] for one in (await team.get("/accounts")).json()] == [username]


async def test_a_program_gets_the_account(office: Agency, team: Team) -> None:
    username = person(office, "json.client")
    async with browser() as opened:
        back = await consented(opened, await begun(team), username)
        answer = await opened.get(back)
    assert answer.status_code == 201, answer.text
    said = answer.json()
    assert list(said) == ["message", "account"]
    assert said["message"] == "Instagram account connected successfully"
    assert list(said["account"]) == LISTED
    assert said["account"]["account_name"] == username
    assert said["account"]["token_expires_at"]
    assert (await team.get("/accounts")).json() == [said["account"]]
    made = await team.post("/posts", {"account_id": said["account"]["id"], "image_url": team.url("product.jpg")})
    assert made.status_code in (201, 202), made.text


async def test_the_same_account_again_keeps_its_number(office: Agency, team: Team) -> None:
    username = person(office, "connected.twice")
    numbers: list[int] = []
    for _ in range(2):
        async with browser() as opened:
            back = await consented(opened, await begun(team), username)
            numbers.append((await opened.get(back)).json()["account"]["id"])
            await team.ask("DELETE", f"/accounts/{numbers[-1]}")
    assert numbers[0] == numbers[1]


async def test_a_page_of_ours_binds_its_own_browser(office: Agency, team: Team) -> None:
    username = person(office, "single.page")
    async with browser() as opened, browser() as other:
        headers = {"authorization": f"Bearer {team.who.access}", **PAGE}
        address = f"{office.stage.house.settings.address()}{ROOT}/oauth/authorize"
        answer = await opened.get(address, headers=headers)
        cookie = answer.headers["set-cookie"].lower()
        assert all(word in cookie for word in ("httponly", "samesite=lax", "path=/api/sns"))
        assert answer.headers["cache-control"] == "no-store"
        back = await consented(opened, answer.json()["auth_url"], username)
        refused(await other.get(back), 400)
        assert (await team.get("/accounts")).json() == []
        again = await opened.get(address, headers=headers)
        back = await consented(opened, again.json()["auth_url"], username)
        assert (await opened.get(back, headers=BROWSER)).status_code == 200
    assert len((await team.get("/accounts")).json()) == 1


async def test_a_page_of_another_name_binds_nothing(office: Agency, team: Team) -> None:
    """Its browser would not show the cookie at the callback, which has the name that the app is registered with."""
    port = office.stage.house.settings.port
    headers = {"authorization": f"Bearer {team.who.access}", **PAGE, "host": f"localhost:{port}"}
    answer = await office.stage.http.get(f"{ROOT}/oauth/authorize", headers=headers)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    async with browser() as opened:
        back = await consented(opened, answer.json()["auth_url"], person(office, "by.another.name"))
        assert (await opened.get(back)).status_code == 201


async def test_a_state_counts_once_and_only_here(office: Agency, team: Team) -> None:
    username = person(office, "only.once")
    async with browser() as opened:
        back = await consented(opened, await begun(team), username)
        assert (await opened.get(back)).status_code == 201
        refused(await opened.get(back), 400)
        back = await consented(opened, await begun(team), username)
        elsewhere = back.replace(f"{ROOT}/callback", "/instagram-callback")
        assert (await opened.get(elsewhere)).status_code == 400
        refused(await opened.get(back), 400)


async def test_states_of_others_and_of_nobody(office: Agency, team: Team) -> None:
    now = datetime.now(UTC)
    records = office.stage.house.accounts.records
    for state, dialect, minutes in (("tt_old", "social", 11), ("tt_feed", "feed", 1)):
        past = Pending(team.who.workspace_id, Login.INSTAGRAM_LOGIN, dialect, "http://x/", None,
                       now - timedelta(minutes=minutes))  # fmt: skip
        await records.begin(fingerprint(state), past, forget_before=now - timedelta(hours=1))
    for state in ("tt_old", "tt_feed", "tt_forged", "forged", "", "x" * 513):
        answer = await office.stage.http.get(f"{ROOT}/callback", params={"code": "AQB", "state": state})
        refused(answer, 400)
    assert (await team.get("/accounts")).json() == []


async def test_a_missing_code_and_a_person_who_says_no(office: Agency, team: Team) -> None:
    answer = await office.stage.http.get(f"{ROOT}/callback")
    assert refused(answer, 400) == "Missing authorization code"
    answer = await office.stage.http.get(f"{ROOT}/callback?code=AQB")
    assert "state" in refused(answer, 400)
    state = parse_qs(urlsplit(await begun(team)).query)["state"][0]
    answer = await office.stage.http.get(f"{ROOT}/callback", params={"state": state})
    assert refused(answer, 400) == "Missing authorization code"
    async with browser() as opened:
        back = await consented(opened, await begun(team), person(office, "not.me"), "cancel")
        message = refused(await opened.get(back), 400)
    assert message.startswith("Missing authorization code: Instagram said")
    assert "denied" in message


async def test_a_code_that_instagram_does_not_take(office: Agency, team: Team) -> None:
    state = parse_qs(urlsplit(await begun(team)).query)["state"][0]
    answer = await office.stage.http.get(f"{ROOT}/callback", params={"state": state, "code": "AQBforged"})
    assert refused(answer, 401).startswith("Authentication failed: ")
    assert (await team.get("/accounts")).json() == []


async def test_who_may_begin(team: Team) -> None:
    answer = await team.stage.http.get(f"{ROOT}/oauth/authorize")
    assert refused(answer, 401) == "Missing authorization header"
    viewer = await team.colleague("viewer")
    refused(await viewer.get("/oauth/authorize"), 403)
    refused(await team.get("/oauth/authorize?login=myspace"), 400)


async def test_facebook_login_with_an_app_of_the_workspaces_own(office: Agency, team: Team) -> None:
    pretend, house = office.stage.pretend, office.stage.house
    app = pretend.app("facebook")
    own = App(Login.FACEBOOK_LOGIN, str(app["app_id"]), str(app["app_secret"]))
    await house.accounts.set_app(team.who.workspace_id, own)
    username = person(office, "with.a.page")
    url = await begun(team, "?login=facebook")
    assert parse_qs(urlsplit(url).query)["client_id"] == [own.id]
    async with browser() as opened:
        back = await consented(opened, url, username)
        answer = await opened.get(back)
    assert answer.status_code == 201, answer.text
    assert answer.json()["account"]["account_name"] == username
    number = answer.json()["account"]["id"]
    info = await team.get(f"/account/info?account_id={number}")
    assert (info.status_code, info.json()["username"]) == (200, username)
    assert (await team.get(f"/media?account_id={number}")).status_code == 200


async def test_without_an_app(team: Team) -> None:
    """The house of this module has an app for Instagram Login only."""
    answer: httpx2.Response = await team.get("/oauth/authorize?login=facebook")
    assert refused(answer, 500) == "Instagram app not configured"
    assert re.search(r"/oauth/authorize\?", await begun(team, "?login=instagram"))


PERSONAL = (
    "@{} is a personal account; Instagram gives apps only business and creator accounts: switch it in the app under "
    "Settings, Account type, then connect again"
)


async def test_a_personal_account_is_not_connected(office: Agency, team: Team) -> None:
    username = person(office, "only.personal", "PERSONAL")
    async with browser() as opened:
        back = await consented(opened, await begun(team), username)
        answer = await opened.get(back)
        assert refused(answer, 401) == f"Authentication failed: {PERSONAL.format(username)}"
        assert answer.headers["x-error-code"] == "unauthorized"
        back = await consented(opened, await begun(team), username)
        assert PERSONAL.format(username) in shown(await opened.get(back, headers=BROWSER), 401)
    assert (await team.get("/accounts")).json() == []
    assert await office.stage.house.accounts.of_workspace(team.who.workspace_id) == []


async def test_the_kind_of_an_account_is_told(office: Agency, team: Team) -> None:
    for username, sent, told in (("kind.shop", "BUSINESS", "business"), ("kind.maker", "MEDIA_CREATOR", "creator")):
        async with browser() as opened:
            back = await consented(opened, await begun(team), person(office, username, sent))
            account = (await opened.get(back)).json()["account"]
        assert account["account_type"] == told
        info = await team.get(f"/account/info?account_id={account['id']}")
        assert info.json()["account_type"] == told
    kept = await office.stage.house.accounts.numbered(team.who.workspace_id, account["id"])
    await office.stage.house.accounts.portray(kept, Profile(kept.instagram_id, None, None, account_type="PERSONAL"))
    assert [one["account_type"] for one in (await team.get("/accounts")).json()] == ["business", "personal"]


async def test_a_browser_is_shown_a_refused_consent(office: Agency, team: Team) -> None:
    async with browser() as opened:
        back = await consented(opened, await begun(team), person(office, "shown.no"), "cancel")
        text = shown(await opened.get(back, headers=BROWSER), 400)
    assert "Not connected" in text
    assert "denied" in text


async def test_a_browser_is_shown_what_became_of_a_state(office: Agency, team: Team) -> None:
    username = person(office, "shown.once")
    async with browser() as opened:
        back = await consented(opened, await begun(team), username)
        assert (await opened.get(back, headers=BROWSER)).status_code == 200
        assert "used already" in shown(await opened.get(back, headers=BROWSER), 400)
        state = parse_qs(urlsplit(await begun(team)).query)["state"][0]
        forged = await opened.get(
            f"{back.partition('?')[0]}", params={"state": state, "code": "AQBforged"}, headers=BROWSER
        )
        assert "Instagram" in shown(forged, 401)


@pytest.mark.parametrize(
    "query",
    [{}, {"code": "AQB"}, {"code": "AQB", "state": ""}, {"code": "AQB", "state": "tt_forged"},
     {"code": "AQB", "state": "x" * 513}, {"code": "x" * 4097, "state": "tt_x"},
     {"error": "access_denied", "error_description": "<script>alert(1)</script> call 555-0100"}],
)  # fmt: skip
async def test_a_browser_is_shown_a_page_whatever_it_brings(team: Team, query: dict[str, str]) -> None:
    answer = await team.stage.http.get(f"{ROOT}/callback", params=query, headers=BROWSER)
    assert "555-0100" not in shown(answer, 400)  # whoever made a link could have us say anything
    refused(await team.stage.http.get(f"{ROOT}/callback", params=query), 400)
