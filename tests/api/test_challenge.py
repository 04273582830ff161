"""A 401 says which credential it asks for (RFC 9110, 15.5.2), and says of a bearer token that it is worthless (RFC 6750, 3)."""

from collections.abc import AsyncIterator, Mapping

import httpx2
import pytest

from tests.served import Served, served
from tests.trust import NOBODY
from tintype.api.dialect import Front, Mounted, Surround, build
from tintype.api.social import SOCIAL
from tintype.errors import Reconnect, Trouble, Unauthorized

KEY = "a key of some length"
ASKED = 'Bearer realm="tintype"'
WORTHLESS = 'Bearer realm="tintype", error="invalid_token"'
POST = {"url": "https://www.instagram.com/p/x-other/"}

# Each way in which somebody is refused for want of a credential: by the framework, by plain bytes, with a page.
DOORS = {
    "feed": ("GET", "/photos"),
    "feed's operator": ("POST", "/register"),
    "social": ("GET", "/api/sns/instagram/accounts"),
    "social's own": ("GET", "/api/auth/me"),
    "queue": ("GET", "/api/queue"),
    "queue's page": ("GET", "/share?text=a"),
    "scrape": ("POST", "/scrape"),
    "scrape's link": ("POST", "/resolve"),
    "figures": ("GET", "/metrics"),
}
BODIES: Mapping[str, Mapping[str, object]] = {
    "/register": {
        "name": "One",
        "instagramAccountId": "1",
        "instagramAccountSecret": "secret",
        "apiType": "INSTAGRAM_LOGIN",
    }
}


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Served]:
    async with served(
        queue_api_key=KEY, api_key=KEY, metrics_token=KEY, admin_token=KEY, rate_limit_max_requests=0
    ) as house:
        yield house


async def ask(door: Served, name: str, **headers: str) -> httpx2.Response:
    method, path = DOORS[name]
    body = BODIES.get(path, POST) if method == "POST" else None
    return await door.client.request(method, path, json=body, headers=headers)


@pytest.mark.parametrize("name", DOORS)
async def test_who_shows_nothing_is_told_what_to_show(door: Served, name: str) -> None:
    answer = await ask(door, name)
    assert (answer.status_code, answer.headers.get_list("www-authenticate")) == (401, [ASKED])


@pytest.mark.parametrize("name", DOORS)
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
async def test_who_shows_a_worthless_token_is_told_so(door: Served, name: str, scheme: str) -> None:
    answer = await ask(door, name, authorization=f"{scheme} nobody-knows-this")
    assert (answer.status_code, answer.headers.get_list("www-authenticate")) == (401, [WORTHLESS])


@pytest.mark.parametrize("shown", ["Basic YTpi", "Bearer", "nonsense"])
async def test_what_is_no_token_is_no_worthless_one(door: Served, shown: str) -> None:
    answer = await ask(door, "feed", authorization=shown)
    assert (answer.status_code, answer.headers.get_list("www-authenticate")) == (401, [ASKED])


async def test_the_key_of_the_scrape_dialect_is_taken_as_it_is_asked_for(door: Served) -> None:
    wrong = {"url": "https://example.com/"}
    for headers in ({"authorization": f"Bearer {KEY}"}, {"authorization": f"bearer {KEY}", "x-api-key": "another"}):
        assert (await door.client.post("/scrape", json=wrong, headers=headers)).status_code == 400
        assert (await door.client.post("/resolve", json=POST, headers=headers)).status_code == 200


async def test_the_console_asks_for_no_token_and_opens_no_password_window(door: Served) -> None:
    async with httpx2.AsyncClient(base_url=door.client.base_url, verify=NOBODY) as person:
        answer = await person.post("/signin", data={"email": "nobody@example.com", "password": "wrong"})
    assert (answer.status_code, answer.headers.get_list("www-authenticate")) == (401, ['Cookie realm="tintype"'])


async def test_meta_is_asked_for_a_signature(door: Served) -> None:
    answer = await door.client.post("/meta/webhooks", json={})
    assert (answer.status_code, answer.headers.get_list("www-authenticate")) == (401, ['Signature realm="tintype"'])


async def test_other_answers_ask_for_nothing(door: Served) -> None:
    for path in ("/healthz", "/nobody/claims/this", "/api/file/none"):
        assert "www-authenticate" not in (await door.client.get(path)).headers


@pytest.mark.parametrize(
    ("trouble", "said"), [(Unauthorized("who?"), WORTHLESS), (Reconnect("Instagram's token has ended"), ASKED)]
)
async def test_a_token_that_is_ours_and_well_is_not_blamed_for_instagrams(trouble: Trouble, said: str) -> None:
    app = build(SOCIAL, version="1")

    @app.get("/api/sns/raises")
    async def raises() -> None:
        raise trouble

    front = Front([Mounted(SOCIAL, Surround(app, SOCIAL, 10))], SOCIAL)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=front), base_url="http://tintype.example") as http:
        answer = await http.get("/api/sns/raises", headers={"authorization": "Bearer a-good-one"})
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, said)


async def test_the_documents_say_so(door: Served) -> None:
    for name in ("feed", "social", "queue", "scrape"):
        described = (await door.client.get(f"/openapi/{name}.json")).json()["paths"]
        assert "A 401 says in WWW-Authenticate" in str(described)
    for name in ("feed", "picker"):
        described = (await door.client.get(f"/openapi/{name}.json")).json()["paths"]
        assert ("WWW-Authenticate" in str(described)) == (name == "feed")
