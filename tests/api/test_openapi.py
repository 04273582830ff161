"""What the dialects say of themselves as OpenAPI agrees with what they do."""

from typing import Any

from tests.served import Served

PROMISED = {
    "/health": "get",
    "/instagram-callback": "get",
    "/auth/obtain-token": "post",
    "/auth/refresh-token": "post",
    "/register": "post",
    "/photos": "get",
    "/sync": "post",
    "/sync/process/{tenant_id}": "post",
}


async def document(door: Served) -> dict[str, Any]:
    answer = await door.client.get("/openapi/feed.json")
    assert answer.status_code == 200
    return answer.json()


async def test_every_promised_route_is_described(door: Served) -> None:
    paths = (await document(door))["paths"]
    assert {path: method for path, method in PROMISED.items() if method not in paths.get(path, {})} == {}


async def test_bodies_are_described_with_what_they_require(door: Served) -> None:
    paths = (await document(door))["paths"]
    schema = paths["/register"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["required"]) == {"name", "instagramAccountId", "instagramAccountSecret", "apiType"}
    assert schema["properties"]["apiType"]["enum"] == ["FACEBOOK_LOGIN", "INSTAGRAM_LOGIN"]


async def test_refusals_are_described(door: Served) -> None:
    described = (await document(door))["paths"]["/photos"]["get"]["responses"]["default"]["description"]
    assert '"errorMessage"' in described
    assert "401 UNAUTHORIZED" in described


async def test_an_unknown_dialect_is_not_described(door: Served) -> None:
    assert (await door.client.get("/openapi/nobody.json")).status_code == 404
