"""Meta's calls reach only those whom their signer speaks for: anybody may register, with any secret."""

import base64
import hashlib
import hmac
import json
import time
from uuid import uuid4

import httpx2
import pytest

from tests.api.projects import Project, person, project, pull, register
from tests.served import Served, served
from tests.servers import redis_server
from tintype.core.accounts import Account, State
from tintype.instagram import App, Connection, Login, Profile, Token


async def _with_secret(door: Served, one: Project, secret: str) -> str:
    """Register the same Instagram account once more, with a secret of the caller's choice; return the workspace."""
    answer = await register(door, instagramAccountId=one.instagram_id, instagramAccountSecret=secret)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["data"]["tenantId"])


def request_of(user_id: str, secret: str, **more: object) -> dict[str, str]:
    said = json.dumps({"user_id": user_id, "algorithm": "HMAC-SHA256", **more}).encode()
    payload = base64.urlsafe_b64encode(said).decode().rstrip("=")
    mark = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    return {"signed_request": f"{base64.urlsafe_b64encode(mark).decode().rstrip('=')}.{payload}"}


async def _webhook(door: Served, instagram_id: str, secret: str) -> httpx2.Response:
    event: dict[str, object] = {
        "object": "instagram",
        "entry": [{"id": instagram_id, "changes": [{"field": "comments"}]}],
    }
    raw = json.dumps(event).encode()
    mark = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return await door.client.post("/meta/webhooks", content=raw, headers={"x-hub-signature-256": f"sha256={mark}"})


async def _state(door: Served, workspace_id: str) -> State:
    [account] = await door.house.accounts.of_workspace(workspace_id)
    return account.state


def _operators_secret(door: Served) -> str:
    secret = door.house.settings.instagram_app_secret
    assert secret is not None
    return secret.get_secret_value()


@pytest.mark.parametrize("path", ["/meta/deauthorize", "/meta/data-deletion"])
async def test_a_stranger_with_a_secret_of_his_own_lets_go_of_his_own_account_only(door: Served, path: str) -> None:
    one, secret = await project(door, "IMAGE"), uuid4().hex
    stranger = await _with_secret(door, one, secret)
    answer = await door.client.post(path, data=request_of(one.instagram_id, secret))
    assert answer.status_code == 200
    assert await _state(door, one.id) is State.CONNECTED
    assert len((await door.client.get("/photos", headers=one.bearer)).json()["data"]["photos"]) == 1
    assert await _state(door, stranger) is State.DISCONNECTED


async def test_a_strangers_webhook_means_his_own_account_only(door: Served) -> None:
    one, secret = await project(door), uuid4().hex
    stranger = await _with_secret(door, one, secret)
    before = await door.house.feed.freshness(one.id)
    assert (await _webhook(door, one.instagram_id, secret)).status_code == 200
    accounts, engine = door.house.accounts, door.house.backends.engine
    [own] = await accounts.of_workspace(stranger)
    await engine.outcome(await door.house.feed.queue(own), wait=20)
    assert await door.house.feed.freshness(one.id) == before
    heard = [signer for signer in await accounts.signers() if signer.secret == secret]
    assert [each.workspace_id for each in await accounts.known_as(one.instagram_id, heard)] == [stranger]


async def test_one_secret_may_speak_for_several_workspaces(door: Served) -> None:
    one, secret = await project(door), uuid4().hex
    first, second = await _with_secret(door, one, secret), await _with_secret(door, one, secret)
    answer = await door.client.post("/meta/deauthorize", data=request_of(one.instagram_id, secret))
    assert answer.json()["accounts"] == 2
    assert {await _state(door, each) for each in (first, second)} == {State.DISCONNECTED}


async def test_a_secret_speaks_for_its_own_login_only(door: Served) -> None:
    secret, instagram_id = uuid4().hex, str(uuid4().int)[:17]
    answer = await register(door, instagramAccountId=instagram_id, instagramAccountSecret=secret)
    workspace_id = answer.json()["data"]["tenantId"]
    connection = Connection(Login.FACEBOOK_LOGIN, Token("EAAtoken"), Profile(instagram_id, None, "both"))
    await door.house.accounts.keep(workspace_id, connection)
    answer = await door.client.post("/meta/deauthorize", data=request_of(instagram_id, secret))
    assert answer.json()["accounts"] == 1
    states = {one.login: one.state for one in await door.house.accounts.of_workspace(workspace_id)}
    assert states == {Login.INSTAGRAM_LOGIN: State.DISCONNECTED, Login.FACEBOOK_LOGIN: State.CONNECTED}


async def test_the_operator_speaks_for_those_who_use_the_operators_app(door: Served) -> None:
    users, own = await project(door), await project(door)
    await door.house.accounts.set_app(own.id, App(Login.INSTAGRAM_LOGIN, "4711", "an app of their own"))
    for one, state in ((users, State.DISCONNECTED), (own, State.CONNECTED)):
        signed = request_of(one.instagram_id, _operators_secret(door))
        assert (await door.client.post("/meta/deauthorize", data=signed)).status_code == 200
        assert await _state(door, one.id) is state
    signed = request_of(own.instagram_id, "an app of their own")
    assert (await door.client.post("/meta/deauthorize", data=signed)).json()["accounts"] == 1
    assert await _state(door, own.id) is State.DISCONNECTED


@pytest.mark.parametrize("path", ["/meta/deauthorize", "/meta/data-deletion"])
async def test_a_stranger_who_says_the_same_first_does_not_take_its_effect(door: Served, path: str) -> None:
    one, secret = await project(door, "IMAGE"), uuid4().hex
    await _with_secret(door, one, secret)
    said = {"issued_at": int(time.time())}
    first = await door.client.post(path, data=request_of(one.instagram_id, secret, **said))
    assert first.status_code == 200
    assert await _state(door, one.id) is State.CONNECTED
    real = await door.client.post(path, data=request_of(one.instagram_id, _operators_secret(door), **said))
    assert real.status_code == 200
    assert await _state(door, one.id) is State.DISCONNECTED
    assert first.json().get("confirmation_code", "") != real.json().get("confirmation_code")


async def test_a_code_of_an_earlier_version_is_known(door: Served) -> None:
    accounts = door.house.accounts
    assert accounts.gave(accounts.vault.seal("", context="meta:data-deletion").hex())


@pytest.mark.parametrize("code", ["0123456789abcdef", "nonsense", "00" * 33, "zz", "é"])
async def test_a_code_that_was_never_given_out_is_unknown(door: Served, code: str) -> None:
    answer = await door.client.get(f"/meta/data-deletion/{code}")
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"code", "message"}


async def test_a_code_that_was_given_out_is_known_until_a_digit_changes(door: Served) -> None:
    answer = await door.client.post("/meta/data-deletion", data=request_of("4711", _operators_secret(door)))
    code = answer.json()["confirmation_code"]
    assert code.isalnum()
    assert (await door.client.get(answer.json()["url"])).json() == {"confirmation_code": code, "status": "completed"}
    wrong = code[:-1] + ("0" if code[-1] != "0" else "1")
    assert (await door.client.get(f"/meta/data-deletion/{wrong}")).status_code == 404


async def _registered_as_me(door: Served, secret: str) -> tuple[Account, str]:
    """Register an account as Instagram's "me", look at it twice, and return it with its token."""
    username = await person(door, "IMAGE")
    token = str((await pull(door, "tokens", username=username, login="instagram"))["access_token"])
    given = {"instagramAccountId": "me", "instagramAccountSecret": secret, "instagramAccessToken": token}
    made = (await register(door, **given)).json()["data"]
    [account] = await door.house.accounts.of_workspace(made["tenantId"])
    for _ in range(2):
        asked = f"/api/sns/instagram/account/info?account_id={account.number}"
        told = await door.client.get(asked, headers={"Authorization": f"Bearer {made['authToken']}"})
        assert told.status_code == 200, told.text
    return await door.house.accounts.get(account.workspace_id, account.id), token


@pytest.mark.parametrize("path", ["/meta/deauthorize", "/meta/data-deletion"])
@pytest.mark.parametrize("meant", ["user_id", "id"])
async def test_who_was_registered_as_me_is_known_by_the_ids_that_instagram_told(
    door: Served, path: str, meant: str
) -> None:
    secret = uuid4().hex
    account, token = await _registered_as_me(door, secret)
    said = {"host": "graph.instagram.com", "authorization": f"Bearer {token}"}
    ids = (await door.simulator.get("/v25.0/me?fields=id,user_id", headers=said)).json()
    assert (account.instagram_id, account.app_scoped_id) == (ids["user_id"], ids["id"])
    await door.client.post(path, data=request_of(ids[meant], secret))
    assert await _state(door, account.workspace_id) is State.DISCONNECTED


async def test_two_accounts_of_a_workspace_never_become_one(door: Served) -> None:
    secret = uuid4().hex
    first, token = await _registered_as_me(door, secret)
    accounts = door.house.accounts
    second = await accounts.add(first.workspace_id, first.login, "me", app_secret=secret, token=token)
    await accounts.portray(second, Profile(first.instagram_id, first.app_scoped_id, first.username))
    ids = {one.id: one.instagram_id for one in await accounts.of_workspace(first.workspace_id)}
    assert ids == {first.id: first.instagram_id, second.id: "me"}


async def test_what_a_shared_cache_keeps_goes_with_a_deletion() -> None:
    with redis_server() as url:
        async with served(redis_url=url) as door:
            one = await project(door, "IMAGE")
            assert (await door.client.get("/photos", headers=one.bearer)).status_code == 200
            kept = f"instagram:{one.id}:photos"
            assert await door.house.backends.cache.get(kept)
            answer = await door.client.post(
                "/meta/data-deletion", data=request_of(one.instagram_id, "secret of the app")
            )
            assert answer.status_code == 200
            assert await _state(door, one.id) is State.DISCONNECTED
            assert await door.house.backends.cache.get(kept) is None
