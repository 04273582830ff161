"""POST /sync for everybody, and POST /sync/process/{tenantId}: who may call it, and what a signature has to prove."""

import asyncio
import base64
import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import httpx2
import jwt
import pytest
from qstash import Receiver

from tests.api.projects import CURRENT_KEY, NEXT_KEY, SYNC_SECRET, Project, bare, project, pull, refused
from tests.served import Served
from tintype.backends.qstash import Signatures

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
async def one(door: Served) -> Project:
    """A project with one picture."""
    return await project(door, "IMAGE")


def signed(url: str, raw: bytes, *, key: str = CURRENT_KEY, **claims: object) -> dict[str, str]:
    """Return the headers of a call as QStash makes it; a claim of None is left out."""
    now = int(time.time())
    said = {
        "body": hash_of(raw).rstrip("="),
        "exp": now + 300,
        "iat": now,
        "iss": "Upstash",
        "jti": f"jwt_{uuid4().hex}",
        "nbf": now,
        "sub": url,
        **claims,
    }
    token = jwt.encode({name: value for name, value in said.items() if value is not None}, key, algorithm="HS256")
    return {"upstash-signature": token, "content-type": "application/json"}


def hash_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).decode()


def address(door: Served, tenant: str) -> str:
    """Return the address at which QStash calls for a project."""
    return f"{door.house.settings.address()}/sync/process/{tenant}"


def body_of(tenant: str) -> bytes:
    return json.dumps({"tenantId": tenant}, separators=(",", ":")).encode()


def check_processed(answer: httpx2.Response, tenant: str, photos: int) -> None:
    """Check an answer against the document: its keys, and the two that may stand beside them."""
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    assert answer.json() == {"success": True, "data": data}
    assert set(data) == {"result", "refreshTokenResult"}
    assert data["refreshTokenResult"] == "success"
    assert set(data["result"]) == {"photosCount", "tenantId", "lastSync"}
    assert (data["result"]["photosCount"], data["result"]["tenantId"]) == (photos, tenant)
    assert MOMENT.fullmatch(data["result"]["lastSync"])


@pytest.mark.parametrize("place", ["body", "header"])
async def test_sync_queues_every_project_once(door: Served, one: Project, place: str) -> None:
    await pull(door, "faults", on="graph.media", kind="slow", delay_ms=700, times=None, username=one.username)
    ways: dict[str, dict[str, Any]] = {
        "body": {"json": {"secret": SYNC_SECRET}},
        "header": {"headers": {"x-sync-secret": SYNC_SECRET}},
    }
    answers = [await door.client.post("/sync", **ways[place]) for _ in range(2)]
    await door.simulator.delete("/_world/faults")
    for answer in answers:
        assert answer.status_code == 200
        summary = answer.json()["data"]["summary"]
        assert answer.json() == {"success": True, "data": {"summary": summary}}
        assert set(summary) == {"totalTenants", "queuedTasks", "errors"}
        assert summary["errors"] == []
        assert summary["totalTenants"] == len(await door.house.access.workspaces()) == len(set(summary["queuedTasks"]))
    # The job that still waits for its slow Instagram is the one that the second call names.
    first, second = (set(answer.json()["data"]["summary"]["queuedTasks"]) for answer in answers)
    assert first & second
    for job in first | second:
        await door.house.backends.engine.outcome(job, wait=20)


async def test_what_comes_while_a_sync_copies_is_shown_after_the_next_is_asked_for(door: Served) -> None:
    shop = await project(door, "IMAGE")

    async def is_copying() -> bool:  # so the list was read
        return not (await door.simulator.get("/_world/faults")).json()

    async def is_shown() -> bool:
        photos = (await door.client.get("/photos", headers=shop.bearer)).json()["data"]["photos"]
        return str(late["id"]) in {photo["id"] for photo in photos}

    await pull(door, "faults", on="cdn.image", kind="slow", delay_ms=1500, times=1, username=shop.username)
    await pull(door, "media", username=shop.username, kind="IMAGE", width=64, height=80)
    asked = await door.client.post("/sync", json={"secret": SYNC_SECRET})
    await until(is_copying)
    late = await pull(door, "media", username=shop.username, kind="IMAGE", width=64, height=80)
    again = await door.client.post("/sync", json={"secret": SYNC_SECRET})
    named = [set(one.json()["data"]["summary"]["queuedTasks"]) for one in (asked, again)]
    assert named[0] & named[1]
    await until(is_shown)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(600):
        if await holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ({}, None),
        ({"secret": "wrong"}, None),
        ({"secret": ""}, None),
        ({"secret": None}, None),
        ({"secret": 123}, None),
        ({"secret": [SYNC_SECRET]}, None),
        ({"secret": SYNC_SECRET[:-1]}, None),
        ({"secret": SYNC_SECRET + "x"}, None),
        ({"secret": "wrong"}, SYNC_SECRET),
        ({}, "wrong"),
        ({}, ""),
    ],
)
async def test_a_wrong_secret_queues_nothing(door: Served, body: dict[str, object], header: str | None) -> None:
    headers = {} if header is None else {"x-sync-secret": header}
    answer = await door.client.post("/sync", json=body, headers=headers)
    assert refused(answer, 401, "UNAUTHORIZED") == "Unauthorized"


async def test_a_call_without_a_body_has_no_secret(door: Served) -> None:
    refused(await door.client.post("/sync"), 401, "UNAUTHORIZED")


async def test_a_signed_call_syncs_its_project(door: Served, one: Project) -> None:
    await pull(door, "media", username=one.username, kind="IMAGE", width=64, height=64)
    before = len((await door.client.get("/photos", headers=one.bearer)).json()["data"]["photos"])
    answer = await process(door, one.id)
    check_processed(answer, one.id, before + 1)
    after = len((await door.client.get("/photos", headers=one.bearer)).json()["data"]["photos"])
    assert after == before + 1


async def process(
    door: Served, tenant: str, raw: bytes | None = None, *, sent: bytes | None = None, to: str | None = None, **how: Any
) -> httpx2.Response:
    """Call a project's address with a message signed over `raw`; `sent` and `to` are a body and a tenant put in its place."""
    raw = body_of(tenant) if raw is None else raw
    headers = signed(address(door, tenant), raw, **how)
    return await door.client.post(
        f"/sync/process/{to or tenant}", content=raw if sent is None else sent, headers=headers
    )


@pytest.mark.parametrize("key", [CURRENT_KEY, NEXT_KEY])
async def test_both_keys_sign(door: Served, one: Project, key: str) -> None:
    assert (await process(door, one.id, key=key)).status_code == 200


SPACINGS: dict[str, Callable[[str], bytes]] = {
    "as upstash writes it": body_of,
    "spaces": lambda tenant: b'{ "tenantId" : "%s" }' % tenant.encode(),
    "indented": lambda tenant: json.dumps({"tenantId": tenant}, indent=4).encode(),
    "more keys": lambda tenant: json.dumps({"z": [1, 2], "tenantId": tenant, "a": None}).encode(),
    "no tenant": lambda _: b"{}",
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("way", SPACINGS)
async def test_the_signature_is_over_the_bytes_as_they_are(door: Served, one: Project, way: str) -> None:
    answer = await process(door, one.id, SPACINGS[way](one.id))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    "claims",
    [
        {"jti": None},
        {"iat": None},
        {"body": hash_of},
        {"exp": time.time() + 86_400},
        {"nbf": 0},
    ],
)
async def test_what_upstashs_own_receiver_takes_is_taken(door: Served, one: Project, claims: dict[str, Any]) -> None:
    raw = body_of(one.id)
    claims = {name: value(raw) if callable(value) else value for name, value in claims.items()}
    headers = signed(address(door, one.id), raw, **claims)
    Receiver(CURRENT_KEY, NEXT_KEY).verify(
        signature=headers["upstash-signature"], body=raw.decode(), url=address(door, one.id)
    )
    answer = await door.client.post(f"/sync/process/{one.id}", content=raw, headers=headers)
    assert answer.status_code == 200, answer.text


REFUSED: dict[str, dict[str, Any]] = {
    "expired": {"exp": 1_700_000_000},
    "not yet": {"nbf": 4_000_000_000},
    "no exp": {"exp": None},
    "no nbf": {"nbf": None},
    "no sub": {"sub": None},
    "no issuer": {"iss": None},
    "another issuer": {"iss": "Upstart"},
    "another address": {"sub": "https://elsewhere.example/sync/process/1"},
    "no body": {"body": None},
    "another body's hash": {"body": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"},
    "another key": {"key": "sig_of_somebody_else_0123456789abcdef"},
}


@pytest.mark.parametrize("way", REFUSED)
async def test_a_signature_that_proves_something_else_is_refused(door: Served, one: Project, way: str) -> None:
    answer = await process(door, one.id, **REFUSED[way])
    assert refused(answer, 401, "UNAUTHORIZED") == "Invalid QStash signature"


@pytest.mark.parametrize("signature", [None, "", "nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
async def test_no_signature_is_refused(door: Served, one: Project, signature: str | None) -> None:
    headers = {} if signature is None else {"upstash-signature": signature}
    answer = await door.client.post(f"/sync/process/{one.id}", content=body_of(one.id), headers=headers)
    assert refused(answer, 401, "UNAUTHORIZED").endswith("nvalid QStash signature")


async def test_a_message_for_another_project_is_refused(door: Served, one: Project) -> None:
    other = await bare(door)
    refused(await process(door, other.id, to=one.id), 401, "UNAUTHORIZED")
    refused(await process(door, other.id, to=one.id, sent=body_of(one.id)), 401, "UNAUTHORIZED")


async def test_path_and_body_name_the_same_project(door: Served, one: Project) -> None:
    other = await bare(door)
    assert "another tenant" in refused(await process(door, one.id, body_of(other.id)), 401, "UNAUTHORIZED")


async def test_a_changed_body_is_refused(door: Served, one: Project) -> None:
    for sent in (body_of(one.id) + b" ", b"{}", b""):
        refused(await process(door, one.id, sent=sent), 401, "UNAUTHORIZED")


@pytest.mark.parametrize("claims", [{}, {"jti": None, "exp": 4_000_000_000}])
async def test_a_message_counts_once(door: Served, one: Project, claims: dict[str, Any]) -> None:
    raw = body_of(one.id)
    headers = signed(address(door, one.id), raw, **claims)
    first = await door.client.post(f"/sync/process/{one.id}", content=raw, headers=headers)
    assert first.status_code == 200
    again = await door.client.post(f"/sync/process/{one.id}", content=raw, headers=headers)
    refused(again, 401, "UNAUTHORIZED")


async def test_a_message_whose_sync_failed_may_come_again(door: Served) -> None:
    one = await project(door, "IMAGE")
    raw = body_of(one.id)
    headers = signed(address(door, one.id), raw)
    await pull(door, "faults", on="graph.media", kind="status", status=400, code=100, username=one.username)
    failed = await door.client.post(f"/sync/process/{one.id}", content=raw, headers=headers)
    refused(failed, 500, "INTERNAL_ERROR")
    again = await door.client.post(f"/sync/process/{one.id}", content=raw, headers=headers)
    check_processed(again, one.id, 1)


async def test_a_project_without_a_token_fails_with_a_reason(door: Served) -> None:
    one = await bare(door)
    assert "no token" in refused(await process(door, one.id), 500, "INTERNAL_ERROR")


async def test_an_unknown_project_is_not_found(door: Served) -> None:
    refused(await process(door, str(uuid4())), 404, "NOT_FOUND")


async def test_our_own_signature_is_upstashs(door: Served, one: Project) -> None:
    raw, url = body_of(one.id), address(door, one.id)
    signature = Signatures(CURRENT_KEY, NEXT_KEY).sign(raw, url)
    Receiver(CURRENT_KEY, NEXT_KEY).verify(signature=signature, body=raw.decode(), url=url)
    answer = await door.client.post(f"/sync/process/{one.id}", content=raw, headers={"upstash-signature": signature})
    assert answer.status_code == 200
