"""Whatever is sent to a route of the social dialect: the answer is JSON of the documented kind, never a page or a crash.

The team has no account, so nothing that is made up here is ever fetched or published.
"""

import json
from collections.abc import AsyncGenerator

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.marketing import ROOT, Team, agency

POSTS = (
    "/posts",
    "/stories",
    "/reels",
    "/batch-post",
    "/posts/validate",
    "/posts/1/retry",
    "/posts/1/link",
    "/uploads",
)
GETS = (
    "/accounts", "/account/info", "/media", "/posts", "/posts/top", "/posts/1", "/posts/1/events", "/1/insights",
    "/accounts/1/quota", "/accounts/1/insights", "/accounts/1/insights.csv", "/accounts/1/best-times", "/insights.csv",
    "/callback", "/oauth/authorize", "/files/x",
)  # fmt: skip
DOCUMENTED = {200, 201, 207, 304, 400, 401, 403, 404, 405, 409, 412, 413, 415, 422}
# How the library speaks that reads bodies and queries.
FOREIGN = ("instance of", "valid dictionary", "input should", "should have", "valid string", "unable to parse")

# The house works in this process too, and its engine's threads draw from `random` for their pauses.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

quick = settings(
    max_examples=20,
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
    ["account_id", "image_url", "video_url", "caption", "hashtags", "scheduled_at", "timezone", "draft", "user_tags",
     "children", "thumb_offset", "collaborators", "location_id", "upload", "media_id", "kind", "account_ids", "fit"]
)  # fmt: skip
numbers = st.integers(-1, 2**70) | st.integers(-1, 2**70).map(str)
whole = st.fixed_dictionaries({"account_id": numbers, "image_url": words, "video_url": words})


def both(one: dict[str, object], other: dict[str, object]) -> dict[str, object]:
    return {**one, **other}


anything: st.SearchStrategy[dict[str, object]] = st.dictionaries(keys | words, values, max_size=8)
objects = anything | st.builds(both, whole, st.dictionaries(keys, values, max_size=3))
types = st.sampled_from(["application/json", "text/plain", "image/jpeg", "video/mp4", "nonsense", "", "a/b+json"])


@pytest.fixture(scope="module")
async def team() -> AsyncGenerator[Team]:
    async with agency(max_body_bytes=65_536) as office:
        yield await office.team()


def check(answer: httpx2.Response) -> None:
    """Check that an answer is one that a caller was told of."""
    assert answer.status_code in DOCUMENTED, (answer.status_code, answer.text)
    assert "Traceback" not in answer.text
    assert "<html" not in answer.text.lower()
    assert answer.headers["x-request-id"]
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/json"
        message = answer.json()["error"]
        assert isinstance(message, str)
        assert not any(words.lower() in message.lower() for words in FOREIGN), message


@pytest.mark.parametrize("path", POSTS)
@quick
@given(body=st.binary(max_size=200), kind=types)
async def test_any_bytes(team: Team, path: str, body: bytes, kind: str) -> None:
    headers = {"authorization": f"Bearer {team.who.access}", **({"content-type": kind} if kind else {})}
    check(await team.stage.http.post(ROOT + path, content=body, headers=headers))


@pytest.mark.parametrize(("method", "path"), [*(("POST", path) for path in POSTS), ("PATCH", "/posts/1")])
@quick
@given(body=objects)
async def test_any_json(team: Team, method: str, path: str, body: dict[str, object]) -> None:
    raw = json.dumps(body)  # lone surrogates and NaN go out as they are
    headers = {"authorization": f"Bearer {team.who.access}", "content-type": "application/json"}
    check(await team.stage.http.request(method, ROOT + path, content=raw.encode(), headers=headers))


@pytest.mark.parametrize("path", GETS)
@quick
@given(
    query=st.dictionaries(
        st.sampled_from(
            ["account_id", "limit", "after", "status", "metric", "since", "until", "timezone", "order", "login", "code"]
        ),
        words | numbers.map(str) | st.dates().map(str),
        max_size=4,
    )
)
async def test_any_question(team: Team, path: str, query: dict[str, str]) -> None:
    check(await team.stage.http.get(ROOT + path, params=query, headers={"authorization": f"Bearer {team.who.access}"}))


@quick
@given(
    headers=st.dictionaries(
        st.sampled_from(
            [
                "authorization",
                "if-none-match",
                "if-match",
                "accept",
                "idempotency-key",
                "cookie",
                "range",
                "x-workspace",
            ]
        ),
        st.text(st.characters(min_codepoint=33, max_codepoint=255)),
    ),
    path=st.sampled_from(["/posts", "/posts/1", "/files/x", "/oauth/authorize", "/uploads"]),
    method=st.sampled_from(["GET", "POST", "PATCH", "DELETE", "OPTIONS"]),
)
async def test_any_header(team: Team, headers: dict[str, str], path: str, method: str) -> None:
    given = {"authorization": f"Bearer {team.who.access}", **headers}
    raw = [(name.encode(), value.encode("latin-1")) for name, value in given.items()]
    answer = await team.stage.http.request(method, ROOT + path, headers=raw)
    if "problem+json" in answer.headers.get("content-type", "") or answer.status_code == 204:
        return
    check(answer)
