"""What the social dialect says of itself as OpenAPI: every route of the seed, with the bodies it takes."""

import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.served import served

PAGE = (Path(__file__).parents[2] / "docs" / "dialects" / "social.md").read_text()

PROMISED = {
    "/api/sns/instagram/oauth/authorize": "get",
    "/api/sns/instagram/callback": "get",
    "/api/sns/instagram/posts": "post",
    "/api/sns/instagram/stories": "post",
    "/api/sns/instagram/reels": "post",
    "/api/sns/instagram/{number}/insights": "get",
    "/api/sns/instagram/account/info": "get",
    "/api/sns/instagram/media": "get",
    "/api/sns/instagram/accounts": "get",
    "/api/sns/instagram/accounts/{number}": "delete",
    "/api/sns/instagram/batch-post": "post",
    "/api/sns/instagram/posts/{number}": "patch",
    "/api/sns/instagram/posts/validate": "post",
    "/api/sns/instagram/uploads": "post",
}


@pytest.fixture(scope="module")
async def document() -> AsyncGenerator[dict[str, Any]]:
    async with served() as door:
        answer = await door.client.get("/openapi/social.json")
        assert answer.status_code == 200, answer.text
        yield answer.json()


async def test_every_promised_route_is_described(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert {path: method for path, method in PROMISED.items() if method not in paths.get(path, {})} == {}


async def test_bodies_are_described(document: dict[str, Any]) -> None:
    for path in ("posts", "stories", "reels", "batch-post", "posts/validate"):
        body = document["paths"][f"/api/sns/instagram/{path}"]["post"]["requestBody"]
        named = body["content"]["application/json"]["schema"]["properties"]
        assert {"account_id", "image_url", "video_url", "caption", "hashtags", "children", "scheduled_at"} <= set(named)
    upload = document["paths"]["/api/sns/instagram/uploads"]["post"]["requestBody"]["content"]
    assert set(upload) == {"image/*", "video/*"}


async def test_answers_have_the_promised_statuses(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert "207" in paths["/api/sns/instagram/batch-post"]["post"]["responses"]
    assert {"200", "207"} <= set(paths["/api/sns/instagram/posts/import"]["post"]["responses"])
    for path in ("posts", "stories", "reels"):
        assert {"201", "202"} <= set(paths[f"/api/sns/instagram/{path}"]["post"]["responses"])


async def test_refusals_are_described(document: dict[str, Any]) -> None:
    for path, method in PROMISED.items():
        described = document["paths"][path][method]["responses"]["default"]["description"]
        assert '"error"' in described


async def test_every_route_has_its_heading(document: dict[str, Any]) -> None:
    told: set[tuple[str, str]] = set()
    for method, paths in re.findall(r"^### ([A-Z]+) (.+)$", PAGE, re.MULTILINE):
        for path in re.findall(r"/[^\s,?]+", paths):  # the second one of a heading begins below the dialect's root
            told.add((method, _bare(path if path.startswith("/api/") else f"/api/sns/instagram{path}")))
    known = {(method.upper(), _bare(path)) for path, methods in document["paths"].items() for method in methods}
    assert known - told == set()


def _bare(path: str) -> str:
    return re.sub(r"\{.*?\}", "{}", path)
