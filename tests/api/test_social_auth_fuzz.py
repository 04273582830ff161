"""Whatever is sent to /api/auth: a documented status, and a refusal in the dialect's form."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.people import PASSWORD, Someone, house_of_people, someone
from tests.walks.stage import Stage

DOCUMENTED = {200, 201, 204, 400, 401, 403, 404, 405, 409, 413, 415, 422, 429}
BODIES = (
    ("POST", "/register"), ("POST", "/login"), ("POST", "/refresh"), ("POST", "/logout"), ("POST", "/workspaces"),
    ("POST", "/workspaces/own/members"), ("PATCH", "/workspaces/own/members/1"),
)  # fmt: skip

# The house works in this process too, and its engine's threads draw from `random` for their pauses.
pytestmark = pytest.mark.filterwarnings("ignore:Do not use the `random` module")

quick = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Halves of surrogate pairs too: JSON can write them.
words = st.text(st.characters(), max_size=20) | st.text("\0\ud800 a@.", max_size=6)
values = st.none() | st.booleans() | st.integers() | st.floats() | words | st.lists(words, max_size=2)
keys = st.sampled_from(["email", "password", "name", "workspace", "invitation", "refresh_token", "role"])
likely = {
    "email": words | words.map(lambda word: f"{word}@example.com"),
    "password": words | st.just(PASSWORD),
    "role": st.sampled_from(["owner", "editor", "viewer", "king"]),
}


@pytest.fixture(scope="module")
async def stage() -> AsyncGenerator[Stage]:
    async with house_of_people() as one:
        yield one


@pytest.fixture(scope="module")
async def ann(stage: Stage) -> Someone:
    return await someone(stage)


def check(answer: httpx2.Response) -> None:
    assert answer.status_code in DOCUMENTED, (answer.status_code, answer.text)
    assert answer.headers["x-request-id"]
    if answer.status_code >= 400:
        assert answer.json()["error"]
        assert answer.headers["x-error-code"]


@pytest.mark.parametrize(("method", "path"), BODIES)
@quick
@given(body=st.dictionaries(keys, values, max_size=7) | st.fixed_dictionaries({}, optional={**likely, "name": words}))
async def test_any_object(ann: Someone, method: str, path: str, body: dict[str, Any]) -> None:
    shown = "" if path == "/logout" else f"Bearer {ann.access}"
    headers = {"authorization": shown, "content-type": "application/json"}
    url = f"/api/auth{path.replace('own', ann.workspace_id)}"
    check(await ann.stage.http.request(method, url, content=json.dumps(body), headers=headers))


@quick
@given(
    parts=st.lists(
        st.binary(max_size=12).map(lambda raw: raw.hex())
        | st.sampled_from(["eyJhbGciOiJIUzI1NiJ9", "e30", "bnVsbA", ""]),
        max_size=4,
    )
)
async def test_any_token(ann: Someone, parts: list[str]) -> None:
    answer = await ann.stage.http.get("/api/auth/me", headers={"authorization": f"Bearer {'.'.join(parts)}".strip()})
    check(answer)
    assert answer.status_code == 401


@quick
@given(name=st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
async def test_any_workspace(ann: Someone, name: str) -> None:
    answer = await ann.me(**{"x-workspace": name})
    check(answer)
    assert answer.status_code == (404 if name else 200)


async def test_nobody_was_logged_out(ann: Someone) -> None:
    assert (await ann.me()).status_code == 200
