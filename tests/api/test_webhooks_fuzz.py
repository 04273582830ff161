"""Whatever is sent to /api/webhooks: the answer is JSON of the documented kind, on both databases, never a crash."""

import json
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from dataclasses import dataclass, field
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.webhooks.desk import receiving
from tests.servers import postgres_server
from tests.walks.stage import staged
from tintype.backends.vault import new_key

DOCUMENTED = {200, 201, 400, 403, 404, 405, 413, 415, 429}

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
    st.none() | st.booleans() | st.integers(-1, 2**70) | st.floats() | words | words.map(lambda word: word * 300),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)
keys = st.sampled_from(
    ["url", "events", "description", "schedule", "delays", "envelope", "appId", "listen", "overlapHours", "skip", "event",
     "since", "which", "wait", "fence", "status", "reason", "detail", "headers", "body", "seconds"]
)  # fmt: skip
paths = st.sampled_from(
    ["", "/{id}", "/{id}/pause", "/{id}/resume", "/{id}/rotate", "/{id}/test", "/{id}/recover", "/{id}/pull",
     "/{id}/deliveries/1/replay", "/{id}/deliveries/1/answer", "/{listener}/pull", "/{listener}/deliveries/1/answer"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Room:
    """A house with an endpoint, a listener and something told."""

    http: httpx2.AsyncClient = field(repr=False)
    token: str = field(repr=False)
    url: str
    ids: dict[str, str]

    async def ask(self, method: str, path: str, body: object = None) -> httpx2.Response:
        for name, one in self.ids.items():
            path = path.replace(f"{{{name}}}", one)
        sent = None if body is None else json.dumps(body).encode("utf-8", "surrogatepass")
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return await self.http.request(method, f"/api/webhooks{path}", content=sent, headers=headers)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def room(request: pytest.FixtureRequest) -> AsyncGenerator[Room]:
    with ExitStack() as stack:
        given: dict[str, object] = {"picker_writes_per_minute": 0, "webhook_seconds": 2}
        if request.param == "postgresql":
            given |= {"database_url": stack.enter_context(postgres_server()), "encryption_key": new_key()}
        async with receiving() as receiver, staged(outbound_allow=receiver.remote.place, **given) as stage:
            _, issued = await stage.house.access.register("Receivers")
            found = Room(stage.http, issued.secret, receiver.url("/hook"), {})
            for name, wish in (("id", {"url": found.url}), ("listener", {"listen": True})):
                found.ids[name] = (await found.ask("POST", "", wish)).json()["id"]
            yield found


def documented(answer: httpx2.Response) -> None:
    assert answer.status_code in DOCUMENTED, answer.text
    said = answer.json()
    assert isinstance(said, dict)
    if answer.status_code >= 400:
        assert said["error"]["message"]
        assert said["error"]["code"] == answer.status_code


@quick
@given(path=paths, body=st.dictionaries(keys, values, max_size=5) | values)
async def test_bodies_of_every_shape(room: Room, path: str, body: object) -> None:
    documented(await room.ask("POST", path, body))


@quick
@given(body=st.dictionaries(keys, values, max_size=5))
async def test_registering_and_changing_with_a_right_address(room: Room, body: dict[str, object]) -> None:
    made = await room.ask("POST", "", {**body, "url": room.url})
    documented(made)
    documented(await room.ask("PATCH", "/{id}", {**body, "url": room.url}))
    if made.status_code == 201:
        documented(await room.ask("DELETE", f"/{made.json()['id']}"))


@quick
@given(
    query=st.dictionaries(st.sampled_from(["state", "event", "q", "limit", "cursor"]), words | st.integers(-5, 2**70)),
    number=st.integers(-(2**70), 2**70) | words.filter(lambda word: "/" not in word and word not in ("", ".", "..")),
)
async def test_queries_and_numbers_of_every_shape(room: Room, query: dict[str, object], number: object) -> None:
    said = "&".join(f"{name}={quote(str(value).encode('utf-8', 'replace'))}" for name, value in query.items())
    documented(await room.ask("GET", f"/{{id}}/deliveries?{said}"))
    place = quote(str(number).encode("utf-8", "replace"), safe="")
    documented(await room.ask("GET", f"/{{id}}/deliveries/{place}"))
    documented(await room.ask("GET", f"/{place}/deliveries"))
