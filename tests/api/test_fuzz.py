"""Whatever is sent to whatever path: the answer is JSON of the documented kind, never a page, a traceback or a surprise."""

import json
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.projects import CURRENT_KEY, NEXT_KEY, Project, bare, registration
from tests.served import Served
from tintype.backends.qstash import Signatures

POSTS = ("/auth/obtain-token", "/auth/refresh-token", "/auth/connect", "/register", "/sync", "/sync/process/x")
META = ("/meta/webhooks", "/meta/deauthorize", "/meta/data-deletion")
DOCUMENTED = {200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422}

# The house works in this process too, and its engine's threads draw from `random` for their pauses.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

quick = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

words = st.text(max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | words.map(lambda word: word * 300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ["name", "instagramAccountId", "instagramAccountSecret", "apiType", "code", "instagramAppId", "embedUrl", "secret"]
)
objects = st.dictionaries(keys | words, values, max_size=8)
types = st.sampled_from(
    ["application/json", "text/plain", "multipart/form-data; boundary=x", "nonsense", "", "a/b+json"]
)


@pytest.fixture(scope="module")
async def one(door: Served) -> Project:
    """A project whose token is shown on every request."""
    return await bare(door)


def check(answer: httpx2.Response, *, beside: frozenset[int] = frozenset()) -> None:
    """Check that an answer is one that a caller was told of."""
    assert answer.status_code in DOCUMENTED | beside, (answer.status_code, answer.text)
    assert "Traceback" not in answer.text
    assert "<html" not in answer.text.lower()
    assert answer.headers["x-request-id"]
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/json"
        body = answer.json()
        assert set(body) in ({"success", "code", "errorMessage"}, {"error"})


@pytest.mark.parametrize("path", [*POSTS, *META])
@quick
@given(body=st.binary(max_size=200), kind=types)
async def test_any_bytes(door: Served, one: Project, path: str, body: bytes, kind: str) -> None:
    headers = {**one.bearer, **({"content-type": kind} if kind else {})}
    check(await door.client.post(path, content=body, headers=headers))


@pytest.mark.parametrize("path", POSTS)
@quick
@given(body=objects)
async def test_any_json(door: Served, one: Project, path: str, body: dict[str, Any]) -> None:
    raw = json.dumps(body)  # lone surrogates and NaN go out as they are
    headers = {**one.bearer, "content-type": "application/json"}
    check(await door.client.post(path, content=raw.encode(), headers=headers))


@quick
@given(changes=st.dictionaries(st.sampled_from(sorted(registration())), values, min_size=1, max_size=2))
async def test_any_value_in_a_registration(door: Served, changes: dict[str, object]) -> None:
    body = {**registration(), **changes}
    check(await door.client.post("/register", content=json.dumps(body).encode()))


@quick
@given(path=st.text(max_size=40), query=st.text(max_size=40), method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
async def test_any_path(door: Served, one: Project, path: str, query: str, method: str) -> None:
    place = f"/x{quote(path)}" if path[:1] in ("", "/") else f"/{quote(path)}"
    check(await door.client.request(method, place, params={"q": query}, headers=one.bearer))


@quick
@given(query=st.dictionaries(st.sampled_from(["type", "limit", "after", "x"]), words, max_size=4))
async def test_any_choice_of_photos(door: Served, one: Project, query: dict[str, str]) -> None:
    check_hot(await door.client.get("/photos", params=query, headers=one.bearer))


@quick
@given(
    query=st.dictionaries(
        st.sampled_from(["code", "state", "error", "error_description", "hub.mode", "hub.challenge"]), words, max_size=4
    ),
    path=st.sampled_from(["/instagram-callback", "/meta/webhooks", "/connect/tt_x"]),
)
async def test_any_way_back(door: Served, query: dict[str, str], path: str) -> None:
    check(await door.client.get(path, params=query))


HEADERS = (
    "authorization",
    "if-none-match",
    "accept",
    "accept-encoding",
    "range",
    "origin",
    "idempotency-key",
    "cookie",
)


@quick
@given(
    headers=st.dictionaries(st.sampled_from(HEADERS), st.text(st.characters(min_codepoint=33, max_codepoint=255))),
    path=st.sampled_from(["/photos", "/health", "/register", "/feeds/fk_x.json", "/m/a/b", "/sync"]),
    method=st.sampled_from(["GET", "POST", "OPTIONS"]),
)
async def test_any_header(door: Served, headers: dict[str, str], path: str, method: str) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    check_hot(await door.client.request(method, path, headers=raw))


def check_hot(answer: httpx2.Response) -> None:
    """Check an answer that may come from the shelf, which numbers no requests that went well."""
    if answer.status_code != 200 and "problem+json" not in answer.headers.get("content-type", ""):
        check(answer, beside=frozenset({304}))
    assert "Traceback" not in answer.text


@quick
@given(claims=st.binary(max_size=100))
async def test_any_body_with_a_good_signature(door: Served, one: Project, claims: bytes) -> None:
    url = f"{door.house.settings.address()}/sync/process/{one.id}"
    headers = {"upstash-signature": Signatures(CURRENT_KEY, NEXT_KEY).sign(claims, url)}
    answer = await door.client.post(f"/sync/process/{one.id}", content=claims, headers=headers)
    # The project has no token: a body that can be read gets that far and no farther.
    check(answer, beside=frozenset({500}))
