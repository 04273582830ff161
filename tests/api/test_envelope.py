"""The feed's envelope on every path: health, refusals of the framework, bodies that cannot be read."""

from collections.abc import AsyncIterator

import pytest

from tests.api.projects import refused, registration
from tests.served import Served

# Every path of the document's API box, with its one method.
ROUTES = {
    "/health": "GET",
    "/instagram-callback": "GET",
    "/auth/obtain-token": "POST",
    "/auth/refresh-token": "POST",
    "/register": "POST",
    "/photos": "GET",
    "/sync": "POST",
    "/sync/process/some-tenant": "POST",
}
READING = ("/auth/obtain-token", "/register", "/sync")


async def test_health_is_the_documents_answer(door: Served) -> None:
    answer = await door.client.get("/health")
    assert answer.status_code == 200
    assert answer.content == b'{"success":true,"data":{"message":"ok"}}'
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("accept", "body"),
    [
        ("text/plain", "OK"),
        ("text/plain, */*;q=0.1", "OK"),
        ("text/plain;q=0.9, application/json;q=0.1", "OK"),
        ("*/*", '{"success":true,"data":{"message":"ok"}}'),
        ("application/json, text/plain, */*", '{"success":true,"data":{"message":"ok"}}'),
        ("text/html, application/json;q=0.9, text/plain;q=0.1", '{"success":true,"data":{"message":"ok"}}'),
        ("text/plain;q=0", '{"success":true,"data":{"message":"ok"}}'),
    ],
)
async def test_health_is_text_for_those_who_prefer_it(door: Served, accept: str, body: str) -> None:
    answer = await door.client.get("/health", headers={"accept": accept})
    assert answer.status_code == 200
    assert answer.text == body
    assert answer.headers["content-type"].startswith("text/plain" if body == "OK" else "application/json")


async def test_healthz_and_readyz_name_their_parts(door: Served) -> None:
    alive = await door.client.get("/healthz")
    assert (alive.status_code, alive.json()["status"]) == (200, "ok")
    ready = await door.client.get("/readyz")
    assert ready.status_code == 200
    told = ready.json()
    assert told["ready"] is True
    assert told["parts"] == {"database": "ok", "engine": "ok", "blobs": "ok", "cache": "ok"}
    assert {way["breaker"] for way in told["public_posts"]} == {"closed"}


@pytest.mark.parametrize(
    "path", ["/nope", "/photos/more", "/auth", "/auth/other", "/sync/process", "/sync/process/a/b", "/v1/photos", "/m"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_an_unknown_path_is_refused_as_json(door: Served, method: str, path: str) -> None:
    refused(await door.client.request(method, path), 404, "NOT_FOUND")


@pytest.mark.parametrize(("path", "method"), ROUTES.items())
async def test_a_wrong_method_is_told_the_right_one(door: Served, path: str, method: str) -> None:
    wrong = "POST" if method == "GET" else "GET"
    answer = await door.client.request(wrong, path)
    refused(answer, 405, "METHOD_NOT_ALLOWED")
    allowed = set(answer.headers["allow"].split(", "))
    assert allowed == ({"GET", "HEAD", "OPTIONS"} if method == "GET" else {"POST", "OPTIONS"})


@pytest.mark.parametrize(("path", "method"), ROUTES.items())
async def test_options_names_the_methods(door: Served, path: str, method: str) -> None:
    answer = await door.client.options(path)
    assert answer.status_code == 204
    assert method in answer.headers["allow"].split(", ")


async def test_allow_names_every_method_of_a_path_that_has_two(door: Served) -> None:
    answer = await door.client.put("/meta/webhooks")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("path", ["/health", "/instagram-callback?code=AQB", "/photos", "/healthz"])
async def test_head_is_get_without_the_body(door: Served, path: str) -> None:
    got, head = await door.client.get(path), await door.client.head(path)
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers["content-length"] == str(len(got.content))


async def test_a_slash_at_the_end_changes_nothing(door: Served) -> None:
    answer = await door.client.get("/health/")
    assert (answer.status_code, answer.json()) == (200, {"success": True, "data": {"message": "ok"}})
    refused(await door.client.get("/photos/"), 401, "UNAUTHORIZED")


async def test_problem_json_for_those_who_ask(door: Served) -> None:
    wants = {"accept": "application/problem+json"}
    for path, status in (("/photos", 401), ("/nope", 404), ("/register", 405)):
        answer = await door.client.get(path, headers=wants)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert {"type", "title", "status", "detail"} <= set(problem)
        assert problem["status"] == status
        assert answer.headers["x-request-id"]


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("body", [b"{", b'{"name": }', b"\xff\xfe\x00", b"nonsense", b"[" * 100_000])
async def test_malformed_json_is_a_sentence(door: Served, path: str, body: bytes) -> None:
    answer = await door.client.post(path, content=body[:60_000], headers={"content-type": "application/json"})
    assert refused(answer, 400, "VALIDATION_FAILED") == "the request body is not valid JSON"


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"12", b"null", b"true"])
async def test_json_that_is_no_object_is_a_sentence(door: Served, body: bytes) -> None:
    answer = await door.client.post("/register", content=body, headers={"content-type": "application/json"})
    assert refused(answer, 400, "VALIDATION_FAILED") == "the request body must be a JSON object"


@pytest.mark.parametrize("path", READING)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/xml; charset=utf-8"])
async def test_another_content_type_is_refused(door: Served, path: str, kind: str) -> None:
    answer = await door.client.post(path, content=b'{"name": "abc"}', headers={"content-type": kind})
    assert "application/json" in refused(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/vnd.api+json"])
async def test_json_under_its_other_names_is_taken(door: Served, kind: str) -> None:
    answer = await door.client.post("/register", content=b"{}", headers={"content-type": kind})
    refused(answer, 400, "VALIDATION_FAILED")


@pytest.mark.parametrize("path", READING)
async def test_a_body_over_the_limit_is_refused(door: Served, path: str) -> None:
    answer = await door.client.post(path, json={"name": "x" * 70_000})
    assert "65536 bytes" in refused(answer, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("path", READING)
async def test_chunks_do_not_get_around_the_limit(door: Served, path: str) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"name": "'
        for _ in range(40):
            yield b"x" * 2_000
        yield b'"}'

    answer = await door.client.post(path, content=chunks(), headers={"content-type": "application/json"})
    refused(answer, 413, "PAYLOAD_TOO_LARGE")


PROBLEMS = [
    ({"name": "ab"}, "name must be at least 3 characters"),
    ({"name": "  a b  "}, None),
    ({"name": "  ab  "}, "name must be at least 3 characters"),
    ({"name": None}, "name is required"),
    ({"name": 123}, "name must be a string"),
    ({"name": "x" * 201}, "name must be at most 200 characters"),
    ({"name": "nul\0nul"}, "name must not contain the character NUL"),
    ({"instagramAccountId": ""}, "instagramAccountId must not be empty"),
    ({"instagramAccountId": None}, "instagramAccountId is required"),
    ({"instagramAccountId": 178}, "instagramAccountId must be a string"),
    ({"instagramAccountSecret": " "}, "instagramAccountSecret must not be empty"),
    ({"instagramAccessToken": 5}, "instagramAccessToken must be a string"),
    ({"apiType": "TIKTOK_LOGIN"}, "apiType must be one of FACEBOOK_LOGIN, INSTAGRAM_LOGIN"),
    ({"apiType": None}, "apiType is required"),
    ({"apiType": {"a": 1}}, "apiType must be one of FACEBOOK_LOGIN, INSTAGRAM_LOGIN"),
    ({"unknown": 1, "another": [2]}, None),
]


@pytest.mark.parametrize(("changes", "sentence"), PROBLEMS)
async def test_registration_problems_are_one_sentence_each(
    door: Served, changes: dict[str, object], sentence: str | None
) -> None:
    answer = await door.client.post("/register", json=registration(**changes))
    if sentence is None:
        assert answer.status_code == 201
    else:
        assert refused(answer, 400, "VALIDATION_FAILED") == sentence


async def test_several_problems_are_joined(door: Served) -> None:
    answer = await door.client.post("/register", json={"name": "x", "apiType": "no"})
    assert refused(answer, 400, "VALIDATION_FAILED").split("; ") == [
        "name must be at least 3 characters",
        "instagramAccountId is required",
        "instagramAccountSecret is required",
        "apiType must be one of FACEBOOK_LOGIN, INSTAGRAM_LOGIN",
    ]


async def test_an_exchange_without_anything_names_every_field(door: Served) -> None:
    answer = await door.client.post("/auth/obtain-token", json={})
    assert refused(answer, 400, "VALIDATION_FAILED").split("; ") == [
        "code is required",
        "instagramAppId is required",
        "instagramAppSecret is required",
    ]


async def test_a_lone_surrogate_is_a_sentence_as_well(door: Served) -> None:
    raw = rb'{"name":"\ud800\ud800\ud800","instagramAccountId":"1","instagramAccountSecret":"s","apiType":"INSTAGRAM_LOGIN"}'
    answer = await door.client.post("/register", content=raw, headers={"content-type": "application/json"})
    assert refused(answer, 400, "VALIDATION_FAILED").startswith("name")


@pytest.mark.parametrize("query", ["code=AQB1", "code=AQB1%23_", "code=AQB1&state=my-own-state"])
async def test_the_callback_shows_the_code(door: Served, query: str) -> None:
    answer = await door.client.get(f"/instagram-callback?{query}")
    assert (answer.status_code, answer.content) == (200, b'{"success":true,"data":{"code":"AQB1"}}')


@pytest.mark.parametrize("query", ["", "code="])
async def test_the_callback_without_a_code_is_refused(door: Served, query: str) -> None:
    answer = await door.client.get(f"/instagram-callback?{query}")
    assert refused(answer, 400, "VALIDATION_FAILED") == "Missing code parameter"


async def test_the_callback_tells_why_there_is_no_code(door: Served) -> None:
    query = "error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request"
    message = refused(await door.client.get(f"/instagram-callback?{query}"), 400, "VALIDATION_FAILED")
    assert message.startswith("Missing code parameter")
    assert "The user denied your request" in message
