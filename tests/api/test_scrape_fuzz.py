"""Whatever is sent to the scrape dialect: the answer is one that a caller was told of, in JSON, and Instagram is not asked."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.served import Served, served

# The house works in this process too, and its engine's threads draw from `random` for their pauses.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

quick = settings(
    max_examples=40,
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
types = st.sampled_from(
    ["application/json", "text/plain", "multipart/form-data; boundary=x", "nonsense", "", "a/b+json"]
)
DOCUMENTED = {400, 401, 404, 405, 413, 415, 416, 429}


@pytest.fixture(scope="module")
async def door() -> AsyncIterator[Served]:
    async with served(only=("scrape",), rate_limit_max_requests=0) as house:
        yield house


def check(answer: httpx2.Response, *also: int) -> None:
    assert answer.status_code in DOCUMENTED.union(also), (answer.status_code, answer.text)
    assert answer.headers["x-request-id"]
    if answer.status_code >= 400:
        assert answer.headers["content-type"] in ("application/json", "application/problem+json")
        assert {"code"} < set(answer.json())


@pytest.mark.parametrize("path", ["/scrape", "/scrape/", "/resolve"])
@quick
@given(body=st.binary(max_size=200), kind=types)
async def test_any_bytes(door: Served, path: str, body: bytes, kind: str) -> None:
    check(await door.client.post(path, content=body, headers={"content-type": kind} if kind else {}))


@pytest.mark.parametrize("path", ["/scrape", "/resolve"])
@quick
@given(body=st.dictionaries(st.sampled_from(["url", "more"]), values, max_size=2))
async def test_any_json(door: Served, path: str, body: dict[str, Any]) -> None:
    check(await door.client.post(path, content=json.dumps(body).encode(), headers={"content-type": "application/json"}))


@quick
@given(
    tail=st.text(max_size=40).filter(lambda text: not text.strip("/ ").startswith(("p/", "reel", "tv/"))),
    host=st.sampled_from(["www.instagram.com", "instagram.com", "example.com", "instagram.com.example.com"]),
)
async def test_any_address(door: Served, tail: str, host: str) -> None:
    check(await door.client.post("/scrape", json={"url": f"https://{host}/{tail}"}))


@quick
@given(path=st.text(max_size=40), query=st.text(max_size=40), method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]))
async def test_any_path(door: Served, path: str, query: str, method: str) -> None:
    for start in ("/x", "/media/", "/scrape/", "/scrape/jobs/"):
        check(await door.client.request(method, f"{start}{quote(path)}", params={"sig": query, "until": query}))


@quick
@given(
    headers=st.dictionaries(
        st.sampled_from(
            ["accept", "range", "prefer", "idempotency-key", "x-api-key", "x-forwarded-for", "if-none-match"]
        ),
        st.text(st.characters(min_codepoint=33, max_codepoint=255)),
    ),
    place=st.sampled_from(
        [("POST", "/scrape"), ("GET", "/scrape/jobs/x"), ("GET", "/media/abc/abc.mp4"), ("GET", "/health")]
    ),
)
async def test_any_header(door: Served, headers: dict[str, str], place: tuple[str, str]) -> None:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = await door.client.request(*place, headers=raw)
    if place[1] == "/health":
        assert (answer.status_code, answer.text) == (200, "OK")
    else:
        check(answer)


async def test_nothing_of_all_this_was_asked_of_instagram(door: Served) -> None:
    calls = (await door.simulator.get("/_world/log")).json()
    assert [call for call in calls if not str(call["path"]).startswith("/_world")] == []
