"""POST /register, who may read what it made, and the Idempotency-Key that keeps one project from becoming two."""

import re
from uuid import uuid4

import anyio
import pytest

from tests.api.projects import KINDS, Project, bare, person, project, pull, refused, register, registration
from tests.served import Served
from tintype.core.access import Grant

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
STRANGE = "0f8fad5b-d9cb-469f-a165-70867728950e"
BEARERS = (("GET", "/photos"), ("POST", "/auth/refresh-token"), ("POST", "/auth/connect"))


@pytest.fixture(scope="module")
async def baker(door: Served) -> Project:
    """A project with one post of each kind."""
    return await project(door, *KINDS)


async def test_registering_answers_as_documented(door: Served) -> None:
    answer = await register(door)
    assert answer.status_code == 201
    assert answer.json() == {
        "success": True,
        "data": {
            "authToken": answer.json()["data"]["authToken"],
            "photosCount": 0,
            "tenantId": answer.json()["data"]["tenantId"],
        },
    }
    assert UUID.fullmatch(answer.json()["data"]["authToken"])
    assert UUID.fullmatch(answer.json()["data"]["tenantId"])


async def test_two_projects_of_one_name_are_two(door: Served) -> None:
    first, second = await bare(door), await bare(door)
    assert first.id != second.id
    assert first.token != second.token


@pytest.mark.parametrize("login", ["instagram", "facebook"])
async def test_with_a_token_the_photos_are_there_at_once(door: Served, login: str) -> None:
    username = await person(door, *KINDS, page=login == "facebook")
    given = await pull(door, "tokens", username=username, login=login)
    answer = await register(
        door,
        instagramAccountId=given["user_id"],
        instagramAccessToken=given["access_token"],
        apiType=f"{login.upper()}_LOGIN",
    )
    made = answer.json()["data"]
    assert (answer.status_code, made["photosCount"]) == (201, 3)
    assert made["sync"] == {"status": "done", "error": None}
    photos = await door.client.get("/photos", headers={"authorization": f"Bearer {made['authToken']}"})
    assert len(photos.json()["data"]["photos"]) == 3


@pytest.mark.parametrize("login", ["INSTAGRAM_LOGIN", "FACEBOOK_LOGIN"])
async def test_a_dead_token_registers_and_says_what_is_wrong(door: Served, login: str) -> None:
    username = await person(door, "IMAGE", page=True)
    given = await pull(door, "tokens", username=username, login=login.partition("_")[0].lower())
    await pull(door, "tokens/revoke", access_token=given["access_token"])
    answer = await register(
        door, instagramAccountId=given["user_id"], instagramAccessToken=given["access_token"], apiType=login
    )
    assert answer.status_code == 201
    made = answer.json()["data"]
    assert made["photosCount"] == 0
    assert made["sync"]["status"] == "failed"
    assert "connect the account again" in made["sync"]["error"]
    assert given["access_token"] not in answer.text
    feed = await door.client.get("/photos", headers={"authorization": f"Bearer {made['authToken']}"})
    assert (feed.status_code, feed.json()["data"]) == (200, {"photos": []})


async def test_a_token_of_nonsense_registers_as_well(door: Served) -> None:
    answer = await register(door, instagramAccessToken="IGQnonsense")
    assert answer.status_code == 201
    assert answer.json()["data"]["sync"]["status"] == "failed"
    assert "IGQnonsense" not in answer.text


async def test_an_empty_token_is_none(door: Served) -> None:
    made = (await register(door, instagramAccessToken="")).json()["data"]
    assert set(made) == {"authToken", "photosCount", "tenantId"}


@pytest.mark.parametrize(("method", "path"), BEARERS)
@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Basic dXNlcjpwYXNz", "Token abc", f"Bearer {STRANGE}", "Bearer fk_123", "Bearer \xff"],
)
async def test_no_known_token_is_unauthorized(door: Served, method: str, path: str, header: str | None) -> None:
    headers = [] if header is None else [(b"authorization", header.encode("latin-1"))]
    answer = await door.client.request(method, path, headers=headers)
    assert refused(answer, 401, "UNAUTHORIZED") == "Unauthorized"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
async def test_the_word_bearer_is_written_as_one_likes(door: Served, baker: Project, scheme: str) -> None:
    answer = await door.client.get("/photos", headers={"authorization": f"{scheme} {baker.token}"})
    assert answer.status_code == 200


async def test_a_revoked_token_is_unauthorized_and_its_sister_is_not(door: Served) -> None:
    one = await bare(door)
    sister = await door.house.access.issue(one.id, Grant.WORKSPACE)
    assert (await door.client.get("/photos", headers=one.bearer)).status_code == 200
    [first] = [each for each in await door.house.access.credentials(one.id) if each.id != sister.credential.id]
    await door.house.access.revoke(one.id, first.id)
    refused(await door.client.get("/photos", headers=one.bearer), 401, "UNAUTHORIZED")
    answer = await door.client.get("/photos", headers={"authorization": f"Bearer {sister.secret}"})
    assert answer.status_code == 200


async def test_a_removed_projects_token_finds_nothing(door: Served) -> None:
    one = await bare(door)
    assert (await door.client.get("/photos", headers=one.bearer)).status_code == 200
    await door.house.access.remove(one.id)
    for method, path in BEARERS:
        refused(await door.client.request(method, path, headers=one.bearer), 404, "NOT_FOUND")


async def test_a_publishable_key_reads_feeds_and_nothing_else(door: Served, baker: Project) -> None:
    key = (await door.house.access.issue(baker.id, Grant.FEED)).secret
    for method, path in BEARERS:
        answer = await door.client.request(method, path, headers={"authorization": f"Bearer {key}"})
        refused(answer, 401, "UNAUTHORIZED")
    refused(await door.client.get(f"/feeds/{baker.token}.json"), 401, "UNAUTHORIZED")


async def test_a_fresh_token_is_refreshed_with_a_word(door: Served, baker: Project) -> None:
    answer = await door.client.post("/auth/refresh-token", headers=baker.bearer)
    assert answer.status_code == 200
    assert answer.json() == {"success": True, "data": {"result": "success", "message": "Token is not expired"}}


async def test_an_old_token_is_refreshed(door: Served) -> None:
    username = await person(door, "IMAGE")
    given = await pull(door, "tokens", username=username, login="instagram", age_seconds=30 * 86_400)
    await pull(door, "faults", on="oauth.refresh", kind="status", status=500, code=2, username=username, times=20)
    made = (
        await register(door, instagramAccountId=given["user_id"], instagramAccessToken=given["access_token"])
    ).json()["data"]
    headers = {"authorization": f"Bearer {made['authToken']}"}
    refused(await door.client.post("/auth/refresh-token", headers=headers), 500, "INTERNAL_ERROR")
    await door.simulator.delete("/_world/faults")
    answer = await door.client.post("/auth/refresh-token", headers=headers)
    assert answer.json() == {"success": True, "data": {"result": "success", "message": "Token refreshed successfully"}}
    again = await door.client.post("/auth/refresh-token", headers=headers)
    assert again.json()["data"]["message"] == "Token is not expired"


async def test_a_revoked_instagram_token_cannot_be_refreshed(door: Served) -> None:
    one = await project(door, "IMAGE")
    await pull(door, "tokens/revoke", access_token=one.instagram_token)
    answer = await door.client.post("/auth/refresh-token", headers=one.bearer)
    assert one.instagram_token not in answer.text
    refused(answer, 500, "INTERNAL_ERROR")


async def test_the_same_request_gets_the_same_answer(door: Served) -> None:
    key = {"idempotency-key": str(uuid4())}
    first = await door.client.post("/register", json=registration(), headers=key)
    second = await door.client.post("/register", json=registration(), headers=key)
    assert (second.status_code, second.json()) == (201, first.json())
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


async def test_a_key_with_another_request_is_refused(door: Served) -> None:
    key = {"idempotency-key": str(uuid4())}
    await door.client.post("/register", json=registration(), headers=key)
    other = await door.client.post("/register", json=registration(name="another-project"), headers=key)
    assert "Idempotency-Key" in refused(other, 422, "IDEMPOTENCY_KEY_REUSED")


async def test_a_key_whose_request_failed_may_be_used_again(door: Served) -> None:
    key = {"idempotency-key": str(uuid4())}
    refused(await door.client.post("/register", json={}, headers=key), 400, "VALIDATION_FAILED")
    assert (await door.client.post("/register", json=registration(), headers=key)).status_code == 201


@pytest.mark.parametrize("key", ["", "k" * 256])
async def test_a_key_must_have_a_sensible_length(door: Served, key: str) -> None:
    answer = await door.client.post("/register", json=registration(), headers={"idempotency-key": key})
    assert "Idempotency-Key" in refused(answer, 400, "VALIDATION_FAILED")


async def test_a_key_whose_request_still_runs_asks_to_wait(door: Served) -> None:
    username = await person(door, "IMAGE")
    given = await pull(door, "tokens", username=username, login="instagram")
    body = registration(instagramAccountId=given["user_id"], instagramAccessToken=given["access_token"])
    await pull(door, "faults", on="graph.media", kind="slow", delay_ms=1_500, username=username)
    key = {"idempotency-key": str(uuid4())}
    async with anyio.create_task_group() as both:

        async def first() -> None:
            assert (await door.client.post("/register", json=body, headers=key)).status_code == 201

        both.start_soon(first)
        # The slow read has begun when its fault is used up.
        while (await door.simulator.get("/_world/faults")).json():  # noqa: ASYNC110 - the pretend world tells nobody
            await anyio.sleep(0.02)
        second = await door.client.post("/register", json=body, headers=key)
        refused(second, 409, "CONFLICT")
        assert int(second.headers["retry-after"]) >= 1
    third = await door.client.post("/register", json=body, headers=key)
    assert third.headers["idempotent-replayed"] == "true"


async def test_connections_are_begun_once_per_key(door: Served) -> None:
    one = await bare(door)
    key = {"idempotency-key": str(uuid4()), **one.bearer}
    first = await door.client.post("/auth/connect", headers=key)
    second = await door.client.post("/auth/connect", headers=key)
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()


async def test_one_projects_key_is_not_anothers(door: Served) -> None:
    one, two = await bare(door), await bare(door)
    key = {"idempotency-key": "shared-by-accident"}
    first = await door.client.post("/auth/connect", headers={**key, **one.bearer})
    second = await door.client.post("/auth/connect", headers={**key, **two.bearer})
    assert first.json() != second.json()
    assert "idempotent-replayed" not in second.headers
