"""Connecting an account by OAuth from POST /auth/connect on, and Meta's own calls about it."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import delete

from tests.api.projects import VERIFY_TOKEN, Project, bare, person, pull, refused
from tests.beside import Kept
from tests.served import Served
from tests.trust import NOBODY
from tintype.backends.idempotency import answers
from tintype.core.access import fingerprint
from tintype.core.accounts.records import Pending
from tintype.events import AccountChanged, Event
from tintype.instagram import Login


async def begin(door: Served, one: Project, **body: object) -> str:
    """Begin to connect and return the address to open."""
    answer = await door.client.post("/auth/connect", headers=one.bearer, json=body)
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    assert answer.json() == {"success": True, "data": data}
    assert set(data) == {"url", "expiresAt"}
    return data["url"]


def browser() -> httpx2.AsyncClient:
    return httpx2.AsyncClient(timeout=30, verify=NOBODY)


async def consent(opened: httpx2.AsyncClient, url: str, username: str, decision: str = "allow") -> str:
    """Open a connection in a browser, decide on the consent page, and return where Instagram sends the browser."""
    sent = await opened.get(url)
    assert sent.status_code == 302, sent.text
    return await consented(opened, sent.headers["location"], username, decision)


async def consented(opened: httpx2.AsyncClient, page_url: str, username: str, decision: str = "allow") -> str:
    """Decide on Instagram's consent page, and return where Instagram sends the browser."""
    page = await opened.get(page_url)
    assert page.status_code == 200
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    granted = re.findall(r'name="granted" value="([^"]+)"', page.text)
    form = {
        **{name: value.replace("&amp;", "&") for name, value in fields.items()},
        "granted": ",".join(granted),
        "username": username,
        "decision": decision,
    }
    back = await opened.post(page_url, data=form)
    assert back.status_code == 302, back.text
    return back.headers["location"].partition("#")[0]


async def connect(door: Served, username: str, *, login: str = "INSTAGRAM_LOGIN") -> tuple[Project, dict[str, Any]]:
    """Connect a person's account to a new project, and wait for its first sync."""
    one = await bare(door)
    async with browser() as opened:
        back = await consent(opened, await begin(door, one, apiType=login), username)
        answer = await opened.get(back)
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    for job in data["queuedTasks"]:
        await door.house.backends.engine.outcome(job, wait=20)
    return one, data


@pytest.mark.parametrize("login", ["INSTAGRAM_LOGIN", "FACEBOOK_LOGIN"])
async def test_an_account_is_connected_and_its_feed_is_there(door: Served, login: str) -> None:
    username = await person(door, "IMAGE", page=True)
    one, data = await connect(door, username, login=login)
    assert [account["username"] for account in data["accounts"]] == [username]
    photos = (await door.client.get("/photos", headers=one.bearer)).json()["data"]["photos"]
    assert len(photos) == 1
    refreshed = await door.client.post("/auth/refresh-token", headers=one.bearer)
    assert refreshed.json()["data"] == {"result": "success", "message": "Token is not expired"}


async def test_the_consent_page_is_asked_with_a_state_of_its_own(door: Served) -> None:
    one = await bare(door)
    async with browser() as opened:
        asked: list[dict[str, list[str]]] = []
        for _ in range(2):
            sent = await opened.get(await begin(door, one))
            assert sent.headers["cache-control"] == "no-store"
            asked.append(parse_qs(urlsplit(sent.headers["location"]).query))
    first, second = asked
    assert first["redirect_uri"] == [door.house.settings.callback()]
    assert "instagram_business_basic" in first["scope"][0].split(",")
    assert first["response_type"] == ["code"]
    assert first["state"] != second["state"]
    assert len(first["state"][0]) >= 32
    assert "code_challenge" not in first


async def test_a_browser_gets_a_page(door: Served) -> None:
    username = await person(door)
    async with browser() as opened:
        back = await consent(opened, await begin(door, await bare(door)), username)
        answer = await opened.get(back, headers={"accept": "text/html,application/xhtml+xml"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert username in answer.text


async def test_a_personal_account_is_not_connected(door: Served) -> None:
    one, username = await bare(door), await person(door, account_type="PERSONAL")
    async with browser() as opened:
        back = await consent(opened, await begin(door, one), username)
        message = refused(await opened.get(back), 400, "VALIDATION_FAILED")
    assert message == (
        f"@{username} is a personal account; Instagram gives apps only business and creator accounts: switch it in the "
        "app under Settings, Account type, then connect again"
    )
    assert all(account.username != username for account in await door.house.accounts.of_workspace(one.id))


async def test_a_browser_gets_a_page_when_nothing_was_connected(door: Served) -> None:
    one, username = await bare(door), await person(door)
    page = {"accept": "text/html,application/xhtml+xml"}
    async with browser() as opened:
        back = await consent(opened, await begin(door, one), username, "cancel")
        for words in ("denied", "used already"):
            answer = await opened.get(back, headers=page)
            assert answer.status_code == 400
            assert answer.headers["content-type"] == "text/html; charset=utf-8"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'")
            assert answer.headers["x-error-code"] == "VALIDATION_FAILED"
            assert words in answer.text
            assert "<script" not in answer.text
    # A state that a project made itself comes back to the project, as the document has it.
    refused(await door.client.get("/instagram-callback?state=theirs", headers=page), 400, "VALIDATION_FAILED")


async def test_a_state_counts_once(door: Served) -> None:
    username = await person(door)
    async with browser() as opened:
        back = await consent(opened, await begin(door, await bare(door)), username)
        assert (await opened.get(back)).status_code == 200
        refused(await opened.get(back), 400, "VALIDATION_FAILED")


async def test_the_answer_belongs_to_the_browser_that_asked(door: Served) -> None:
    one = await bare(door)
    username = await person(door)
    async with browser() as opened, browser() as other:
        url = await begin(door, one)
        back = await consent(opened, url, username)
        refused(await other.get(url), 400, "VALIDATION_FAILED")
        refused(await other.get(back), 400, "VALIDATION_FAILED")
    assert await door.house.accounts.of_workspace(one.id) != []
    assert all(account.username != username for account in await door.house.accounts.of_workspace(one.id))


async def test_an_unknown_state_of_ours_is_refused(door: Served) -> None:
    refused(await door.client.get("/connect/tt_nobody"), 400, "VALIDATION_FAILED")
    refused(await door.client.get("/instagram-callback?code=AQB&state=tt_nobody"), 400, "VALIDATION_FAILED")


async def test_a_person_may_say_no(door: Served) -> None:
    one = await bare(door)
    async with browser() as opened:
        back = await consent(opened, await begin(door, one), await person(door), "cancel")
        message = refused(await opened.get(back), 400, "VALIDATION_FAILED")
        assert "The user denied your request" in message
        refused(await opened.get(back), 400, "VALIDATION_FAILED")


async def test_a_code_that_instagram_does_not_take(door: Served) -> None:
    async with browser() as opened:
        back = await consent(opened, await begin(door, await bare(door)), await person(door))
        code = parse_qs(urlsplit(back).query)["code"][0]
        answer = await opened.get(back.replace(code, "AQBwrong"))
    refused(answer, 500, "INTERNAL_ERROR")


async def test_connecting_needs_a_known_login(door: Served) -> None:
    one = await bare(door)
    answer = await door.client.post("/auth/connect", headers=one.bearer, json={"apiType": "X_LOGIN"})
    assert refused(answer, 400, "VALIDATION_FAILED") == "apiType must be one of FACEBOOK_LOGIN, INSTAGRAM_LOGIN"


async def test_metas_verification_is_answered(door: Served) -> None:
    url = f"{door.house.settings.address()}/meta/webhooks"
    said = await pull(door, "webhooks/verify", callback=url, verify_token=VERIFY_TOKEN)
    assert said == {"verified": True, "status": 200}
    said = await pull(door, "webhooks/verify", callback=url, verify_token="wrong")
    assert said == {"verified": False, "status": 403}


@pytest.mark.parametrize("query", ["", "hub.mode=subscribe", f"hub.mode=unsubscribe&hub.verify_token={VERIFY_TOKEN}"])
async def test_half_a_verification_is_refused_as_json(door: Served, query: str) -> None:
    answer = await door.client.get(f"/meta/webhooks?{query}")
    assert answer.status_code == 403
    assert set(answer.json()["error"]) == {"code", "message"}


async def test_a_challenge_is_never_a_page(door: Served) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": VERIFY_TOKEN, "hub.challenge": "<script>alert(1)</script>"}
    answer = await door.client.get("/meta/webhooks", params=query)
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_webhook_brings_news_into_the_feed(door: Served) -> None:
    username = await person(door)
    one, _ = await connect(door, username)
    await pull(door, "media", username=username, kind="IMAGE", width=64, height=64)
    url = f"{door.house.settings.address()}/meta/webhooks"
    said = await pull(door, "webhooks", field="comments", username=username, value={"id": "1"}, callback=url)
    assert said["delivered"] is True
    [account] = [each for each in await door.house.accounts.of_workspace(one.id) if each.username == username]
    await door.house.backends.engine.outcome(await door.house.feed.queue(account), wait=20)
    photos = (await door.client.get("/photos", headers=one.bearer)).json()["data"]["photos"]
    assert len(photos) == 1


@pytest.mark.parametrize(
    ("newer", "older", "status"),
    [
        ("right", None, 200),
        (None, "right", 200),
        ("right", "wrong", 200),
        ("wrong", "right", 401),
        (None, "wrong", 401),
        ("wrong", "wrong", 401),
        (None, None, 401),
    ],
)
async def test_the_older_signature_counts_only_when_the_newer_is_missing(
    door: Served, newer: str | None, older: str | None, status: int
) -> None:
    raw = b'{"object":"instagram","entry":[]}'
    secret = door.house.settings.instagram_app_secret
    assert secret is not None
    given = (("x-hub-signature-256", "sha256", newer), ("x-hub-signature", "sha1", older))
    headers = {
        name: f"{how}={hmac.new(secret.get_secret_value().encode(), raw if is_ == 'right' else b'', how).hexdigest()}"
        for name, how, is_ in given
        if is_ is not None
    }
    answer = await door.client.post("/meta/webhooks", content=raw, headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("header", [None, "sha256=", f"sha256={'0' * 64}", "sha1=0", "nonsense"])
async def test_a_webhook_without_metas_signature_is_refused(door: Served, header: str | None) -> None:
    headers = {"x-hub-signature-256": header} if header is not None else {}
    answer = await door.client.post("/meta/webhooks", content=b'{"object":"instagram","entry":[]}', headers=headers)
    assert answer.status_code == 401
    assert set(answer.json()["error"]) == {"code", "message"}
    assert answer.headers["x-request-id"]


async def photos_of(door: Served, one: Project) -> tuple[int, str | None]:
    """Return how many photos a project shows, and why they are stale if they are."""
    answer = await door.client.get("/photos", headers=one.bearer)
    assert answer.status_code == 200
    return len(answer.json()["data"]["photos"]), answer.headers.get("x-feed-stale")


async def test_removing_the_app_lets_go_of_the_account(door: Served) -> None:
    username = await person(door, "IMAGE")
    one, _ = await connect(door, username)
    url = f"{door.house.settings.address()}/meta/deauthorize"
    assert await pull(door, "deletion", username=username, callback=url) == {"status": 200}
    assert await photos_of(door, one) == (1, "disconnected")
    accounts = {each.username: each.state.value for each in await door.house.accounts.of_workspace(one.id)}
    assert accounts[username] == "disconnected"


async def test_deletion_takes_the_photos_and_can_be_followed(door: Served) -> None:
    username = await person(door, "IMAGE")
    one, _ = await connect(door, username)
    payload = {"user_id": await _scoped_id(door, one, username), "algorithm": "HMAC-SHA256"}
    answer = await door.client.post("/meta/data-deletion", data={"signed_request": _signed(door, payload)})
    assert answer.status_code == 200
    assert set(answer.json()) == {"url", "confirmation_code"}
    assert await photos_of(door, one) == (0, "disconnected")
    followed = await door.client.get(answer.json()["url"])
    assert followed.status_code == 200
    assert followed.json()["confirmation_code"] == answer.json()["confirmation_code"]


async def test_of_who_asked_for_deletion_no_name_is_left(door: Served) -> None:
    username = await person(door, "IMAGE")
    one, _ = await connect(door, username)
    [before] = [each for each in await door.house.accounts.of_workspace(one.id) if each.username == username]
    assert before.name
    payload = {"user_id": await _scoped_id(door, one, username), "algorithm": "HMAC-SHA256"}
    answer = await door.client.post("/meta/data-deletion", data={"signed_request": _signed(door, payload)})
    assert answer.status_code == 200
    kept = Kept.by(door.house.settings)
    rows = {name: repr(kept.rows(f'SELECT * FROM "{name}"')) for name in kept.tables()}
    quoted = (f"'{username}'", f'"{username}"', f"'{before.name}'", f"/{username}")
    assert {name for name, text in rows.items() if any(said in text for said in quoted)} == set()


async def test_a_deletion_is_followed_on_a_page(door: Served) -> None:
    payload = {"user_id": "1784140000000", "algorithm": "HMAC-SHA256"}
    said = (await door.client.post("/meta/data-deletion", data={"signed_request": _signed(door, payload)})).json()
    page = await door.client.get(said["url"], headers={"accept": "text/html,application/xhtml+xml"})
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    assert said["confirmation_code"] in page.text
    assert "<script" not in page.text
    unknown = await door.client.get(f"{said['url'][:-1]}", headers={"accept": "text/html"})
    assert unknown.status_code == 404


@pytest.mark.parametrize("path", ["/meta/deauthorize", "/meta/data-deletion"])
async def test_a_request_that_comes_again_is_answered_and_changes_nothing(door: Served, path: str) -> None:
    username = await person(door, "IMAGE")
    one, _ = await connect(door, username)
    now = int(datetime.now(UTC).timestamp())
    payload = {"user_id": await _scoped_id(door, one, username), "algorithm": "HMAC-SHA256", "issued_at": now}
    form = {"signed_request": _signed(door, payload)}
    first = await door.client.post(path, data=form)
    assert first.status_code == 200
    assert (await photos_of(door, one))[1] == "disconnected"

    async with browser() as opened:
        answer = await opened.get(await consent(opened, await begin(door, one), username))
    for job in answer.json()["data"]["queuedTasks"]:
        await door.house.backends.engine.outcome(job, wait=20)
    assert await photos_of(door, one) == (1, None)
    again = await door.client.post(path, data=form)
    assert (again.status_code, again.json()) == (200, first.json())
    assert await photos_of(door, one) == (1, None)


async def a_day_passes(door: Served) -> None:
    """Have all answers be forgotten that are kept for a day."""
    async with door.house.backends.database.write() as connection:
        await connection.execute(delete(answers))


async def connected_since(door: Served, one: Project, username: str, moment: datetime) -> None:
    """Have a person's account be connected since a moment."""
    [account] = [each for each in await door.house.accounts.of_workspace(one.id) if each.username == username]
    await door.house.accounts.records.change(account.id, token_issued_at=moment)


@pytest.mark.parametrize("path", ["/meta/deauthorize", "/meta/data-deletion"])
async def test_a_request_means_no_connection_that_is_younger(door: Served, path: str) -> None:
    username = await person(door, "IMAGE")
    one, _ = await connect(door, username)
    asked = datetime.now(UTC) - timedelta(hours=30)
    await connected_since(door, one, username, asked - timedelta(days=9))
    user_id = await _scoped_id(door, one, username)
    payload = {"user_id": user_id, "algorithm": "HMAC-SHA256", "issued_at": int(asked.timestamp())}
    form = {"signed_request": _signed(door, payload)}
    first = await door.client.post(path, data=form)
    assert (await photos_of(door, one))[1] == "disconnected"

    await a_day_passes(door)
    async with browser() as opened:
        answer = await opened.get(await consent(opened, await begin(door, one), username))
    for job in answer.json()["data"]["queuedTasks"]:
        await door.house.backends.engine.outcome(job, wait=20)
    again = await door.client.post(path, data=form)
    assert again.status_code == first.status_code == 200
    assert again.json().get("confirmation_code") == first.json().get("confirmation_code")
    assert await photos_of(door, one) == (1, None)

    later = {**payload, "issued_at": int(datetime.now(UTC).timestamp())}
    assert (await door.client.post(path, data={"signed_request": _signed(door, later)})).status_code == 200
    assert (await photos_of(door, one))[1] == "disconnected", "a new request is heeded, by a clock that differs as well"


@pytest.mark.parametrize("seconds", [-30, 30])
async def test_clocks_that_differ_a_little_lose_no_request(door: Served, seconds: int) -> None:
    username = await person(door, "IMAGE")
    one, _ = await connect(door, username)
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    user_id = await _scoped_id(door, one, username)
    payload = {"user_id": user_id, "algorithm": "HMAC-SHA256", "issued_at": int(moment.timestamp())}
    assert (await door.client.post("/meta/deauthorize", data={"signed_request": _signed(door, payload)})).is_success
    assert (await photos_of(door, one))[1] == "disconnected"


async def test_who_comes_again_tells_nobody_a_second_time(door: Served) -> None:
    username = await person(door, "IMAGE")
    one, _ = await connect(door, username)
    heard: list[Event] = []

    async def hear(event: Event) -> None:
        heard.append(event)

    door.house.backends.bus.subscribe(hear)
    user_id = await _scoped_id(door, one, username)
    payload = {"user_id": user_id, "algorithm": "HMAC-SHA256", "issued_at": int(datetime.now(UTC).timestamp())}
    for path in ("/meta/deauthorize", "/meta/deauthorize", "/meta/data-deletion"):
        answer = await door.client.post(path, data={"signed_request": _signed(door, payload)})
        assert answer.status_code == 200
        await a_day_passes(door)
    told = [event for event in heard if isinstance(event, AccountChanged) and event.workspace_id == one.id]
    assert len(told) == 1
    assert await photos_of(door, one) == (0, "disconnected"), "deletion is done for who is disconnected already"


@pytest.mark.parametrize("path", ["/meta/deauthorize", "/meta/data-deletion"])
@pytest.mark.parametrize("issued_at", [1e400, 10**400, 253402300799, "soon", [], True, 0, -1])
async def test_a_moment_that_is_none_hinders_nothing(door: Served, path: str, issued_at: object) -> None:
    username = await person(door, "IMAGE")
    one, _ = await connect(door, username)
    payload = {"user_id": await _scoped_id(door, one, username), "algorithm": "HMAC-SHA256", "issued_at": issued_at}
    assert (await door.client.post(path, data={"signed_request": _signed(door, payload)})).status_code == 200
    assert (await photos_of(door, one))[1] == "disconnected"


async def _scoped_id(door: Served, one: Project, username: str) -> str:
    """Return the id by which Meta knows a person towards the app, from what the API itself says."""
    [account] = [each for each in await door.house.accounts.of_workspace(one.id) if each.username == username]
    grip = await door.house.accounts.open(account.id)
    me = await door.simulator.get(
        "/v25.0/me?fields=id", headers={"host": "graph.instagram.com", "authorization": f"Bearer {grip.token}"}
    )
    return str(me.json()["id"])


def _signed(door: Served, payload: Mapping[str, object], secret: str | None = None) -> str:
    app_secret = door.house.settings.instagram_app_secret
    assert app_secret is not None
    encoded = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    mark = hmac.new((secret or app_secret.get_secret_value()).encode(), encoded.encode(), hashlib.sha256).digest()
    return f"{base64.urlsafe_b64encode(mark).decode().rstrip('=')}.{encoded}"


@pytest.mark.parametrize("path", ["/meta/deauthorize", "/meta/data-deletion"])
async def test_an_unproven_request_changes_nothing(door: Served, path: str) -> None:
    username = await person(door, "IMAGE")
    one, _ = await connect(door, username)
    payload: dict[str, object] = {"user_id": await _scoped_id(door, one, username), "algorithm": "HMAC-SHA256"}
    right, wrong = _signed(door, payload), _signed(door, payload, secret="another-apps-secret")
    for form, status in (
        ({"signed_request": wrong}, 401),
        ({"signed_request": right[:-4]}, 401),
        ({"signed_request": "x" + right}, 401),
        ({"signed_request": "nonsense"}, 400),
        ({"signed_request": ""}, 400),
        ({"signed_request": _signed(door, {"algorithm": "HMAC-SHA256"})}, 400),
        ({"signed_request": _signed(door, {**payload, "algorithm": "none"})}, 400),
        ({}, 400),
    ):
        answer = await door.client.post(path, data=form)
        assert (answer.status_code, set(answer.json()["error"])) == (status, {"code", "message"}), form
    assert await photos_of(door, one) == (1, None)


async def test_a_connection_ends_after_ten_minutes(door: Served) -> None:
    one = await bare(door)
    now = datetime.now(UTC)
    for minutes, status in ((9, 302), (11, 400)):
        state = f"tt_{minutes}"
        begun = Pending(one.id, Login.INSTAGRAM_LOGIN, "feed", "http://x/", None, now - timedelta(minutes=minutes))
        await door.house.accounts.records.begin(fingerprint(state), begun, forget_before=now - timedelta(hours=1))
        assert (await door.client.get(f"/connect/{state}")).status_code == status
