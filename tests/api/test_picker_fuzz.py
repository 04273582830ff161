"""Whatever is sent to the picker's files: the answer is one of the few statuses that clients of old know, and never a surprise."""

import json
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.websites import Website, picture, signed, website
from tests.walks.stage import Stage

KNOWN = {200, 201, 204, 206, 400, 403, 404, 405, 410, 413, 415, 416, 429}
DESCRIBED = {400, 403, 404, 405, 410, 413, 415, 429}

# The house works in this process too, and its engine's threads draw from `random` for their pauses.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

quick = settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

words = st.text(max_size=20) | st.sampled_from(["\0", "../..", "\ud800", "a" * 700, "é" * 300, "true", "-1", "9" * 30])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from(
    ["filename", "mimetype", "size", "store", "upload_id", "part", "offset", "md5", "parts", "upload_tags", "fii", "url",
     "policy", "signature", "name", "origins", "storages", "presets", "quota_files", "location", "path", "key", "secret"]
)  # fmt: skip
objects = st.dictionaries(fields | words, values, max_size=7)
queries = st.dictionaries(
    st.sampled_from(
        ["filename", "mimetype", "path", "container", "access", "base64decode", "policy", "signature", "url"]
    ),
    words.filter(lambda word: "\ud800" not in word),
    max_size=5,
)
kinds = st.sampled_from(
    ["application/json", "text/plain", "multipart/form-data; boundary=x", "multipart/form-data", "nonsense", "",
     "application/x-www-form-urlencoded", "image/jpeg"]
)  # fmt: skip


@pytest.fixture(scope="module")
async def shop(stage: Stage) -> Website:
    return await website(stage)


@pytest.fixture(scope="module")
async def handle(shop: Website) -> str:
    return str((await shop.store(picture()))["url"]).rpartition("/")[2]


def check(answer: httpx2.Response) -> None:
    """Check that an answer is one that a caller was told of."""
    assert answer.status_code in KNOWN, (answer.status_code, answer.text)
    assert "Traceback" not in answer.text
    if answer.status_code in DESCRIBED:
        assert answer.headers["content-type"] == "application/json"
        error = answer.json()["error"]
        assert error["code"] == answer.status_code
        assert error["message"]


@pytest.mark.parametrize(
    "place", ["/api/store/S3", "/api/file/{handle}", "/api/file/{handle}/remove", "/multipart/start"]
)
@quick
@given(body=st.binary(max_size=200), kind=kinds, query=queries)
async def test_any_bytes(shop: Website, handle: str, place: str, body: bytes, kind: str, query: dict[str, str]) -> None:
    # An address outside would be looked up; every other one is fair.
    query = {name: value for name, value in query.items() if name != "url" or not value.startswith("http")}
    path = place.format(handle="0" * 20 if "remove" in place else handle)
    headers = {"content-type": kind} if kind else {}
    check(await shop.http.post(path, params={"key": shop.key, **query}, content=body, headers=headers))


@pytest.mark.parametrize("step", ["start", "upload", "commit", "complete"])
@quick
@given(said=objects)
async def test_any_object_in_the_steps_of_an_upload(shop: Website, step: str, said: dict[str, Any]) -> None:
    body = json.dumps({"apikey": shop.key, **said}).encode("utf-8", "surrogatepass")
    check(await shop.http.post(f"/multipart/{step}", content=body, headers={"content-type": "application/json"}))


@pytest.mark.parametrize(
    "place", ["/api/apps", "/api/apps/{id}", "/api/apps/{id}/instagram", "/api/apps/{id}/storages/test"]
)
@quick
@given(said=objects)
async def test_any_object_of_an_app(shop: Website, place: str, said: dict[str, Any]) -> None:
    path = place.format(id=shop.app_id)
    method = {"/api/apps/{id}": "PATCH", "/api/apps/{id}/instagram": "PUT"}.get(place, "POST")
    kept = {
        name: value for name, value in said.items() if name not in ("origins", "storages", "presets", "quota_files")
    }
    body = json.dumps(kept if method == "PATCH" else said).encode("utf-8", "surrogatepass")
    headers = {**shop.owner, "content-type": "application/json"}
    check(await shop.http.request(method, path, content=body, headers=headers))


@quick
@given(said=values, safe=st.booleans())
async def test_any_policy_that_is_signed(shop: Website, handle: str, said: Any, safe: bool) -> None:
    given = signed(shop.secret, expiry=1893456000, call="read", handle=said, path=said) if safe else {}
    check(await shop.http.get(f"/api/file/{handle}", params=given or {"policy": "%", "signature": "x"}))


@quick
@given(name=words.filter(lambda word: "\ud800" not in word), flags=queries)
async def test_any_handle(shop: Website, name: str, flags: dict[str, str]) -> None:
    for tail in ("", "/metadata"):
        check(await shop.http.get(f"/api/file/{quote(name, safe='')}{tail}", params=flags))


@quick
@given(part=words, offset=words)
async def test_any_part(shop: Website, part: str, offset: str) -> None:
    names = [quote(one.encode("utf-8", "replace"), safe="") for one in (part, offset)]
    check(await shop.http.put(f"/multipart/part/{'0' * 32}/{names[0]}/{names[1]}", content=b"x"))
