"""On Postgres a text with a NUL, one that is too long and a number that is too large are refused: none of them breaks a route.

SQLite keeps all three, so whatever forgets to look at what it is given is only seen here.
"""

import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from tests.api.people import Someone, someone
from tests.servers import postgres_server
from tests.walks.stage import staged
from tintype.backends.vault import new_key
from tintype.core.access import Grant

DIALECTS = ("feed", "social", "scrape", "queue", "picker", "meta")
ODD: dict[str, Any] = {"a NUL": "a\0b", "a long text": "x" * 3000, "a large number": 2**70, "a small number": -(2**70)}
LASTING = re.compile(r"stream|logout|session")


@pytest.fixture(scope="module")
async def ann(anyio_backend: str) -> AsyncGenerator[tuple[Someone, str]]:
    """Somebody in a house on Postgres, with a token of her workspace."""
    del anyio_backend
    with postgres_server() as url:
        async with staged(
            database_url=url, encryption_key=new_key(), rate_limit_per_minute=0, rate_limit_max_requests=0
        ) as stage:
            one = await someone(stage)
            yield one, (await stage.house.access.issue(one.workspace_id, Grant.WORKSPACE)).secret


@pytest.mark.parametrize("odd", ODD.values(), ids=ODD)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_nothing_that_cannot_be_stored_breaks_a_route(
    ann: tuple[Someone, str], dialect: str, odd: object
) -> None:
    one, token = ann
    http = one.stage.http
    document: Any = (await http.get(f"/openapi/{dialect}.json")).json()
    asked = 0
    for template, methods in document["paths"].items():
        for method, described in methods.items():
            if LASTING.search(template) or method not in ("get", "post", "put", "patch", "delete"):
                continue
            path = re.sub(r"\{.*?\}", quote(str(odd)), template)
            query = {known["name"]: str(odd) for known in described.get("parameters", ()) if known["in"] == "query"}
            for body in _bodies(document, described, odd):
                for secret in (token, one.access):
                    answer = await _ask(http, method, path, query, body, secret)
                    asked += 1
                    said = (method, path[:80], str(body)[:300], answer.text)
                    assert "Internal server error" not in answer.text, said
    assert asked > 2


async def _ask(
    http: httpx2.AsyncClient, method: str, path: str, query: dict[str, str], body: object, secret: str
) -> httpx2.Response:
    headers = {"authorization": f"Bearer {secret}"}
    return await http.request(method, path, params=query, json=body, headers=headers)


def _bodies(document: Any, described: Any, odd: object) -> Iterator[object]:
    """No body where none is described, and otherwise one for each field that is odd, beside all others as they should be."""
    content = described.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        yield None
        return
    fields: dict[str, Any] = _resolved(document, content["schema"]).get("properties", {})
    plain = {name: _plain(document, schema) for name, schema in fields.items()}
    for name in fields:
        yield {**{key: value for key, value in plain.items() if value is not None}, name: odd}
        yield {name: odd}


def _plain(document: Any, schema: Any) -> object:
    """Something that suits a schema, as a client would send it; None: it is left out."""
    schema = _resolved(document, schema)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "string":
            return (
                "https://www.instagram.com/p/AAAAAAAAAAA/" if "url" in str(schema.get("title")).lower() else "walker1"
            )
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return None


def _resolved(document: Any, schema: Any) -> Any:
    for _ in range(5):
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        elif "anyOf" in schema:
            schema = schema["anyOf"][0]
        elif "allOf" in schema:
            schema = schema["allOf"][0]
    return schema
