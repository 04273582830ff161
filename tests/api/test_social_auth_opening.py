"""Who may register: REGISTRATION, ADMIN_TOKEN, invitations, the first user of one's own machine, and limits."""

from collections.abc import AsyncGenerator

import httpx2
import pytest

from tests.api.people import PASSWORD, Someone, house_of_people, refused, stranger
from tests.walks.stage import Stage
from tintype.core.access import Signer
from tintype.errors import Misconfigured
from tintype.settings import load

ADMIN = "the-operators-own-token"


async def register(stage: Stage, **headers: str) -> tuple[Someone, int]:
    who = stranger(stage)
    answer = await who.post("/register", {"email": who.email, "password": PASSWORD}, **headers)
    if answer.status_code == 201:
        who.take(answer.json())
    return who, answer.status_code


@pytest.fixture(
    params=[{"registration": "closed"}, {"public_url": "https://tintype.example"}], ids=["closed", "public"]
)
async def shut(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with house_of_people(**request.param) as one:
        yield one


async def test_a_closed_house_lets_in_its_first_user_and_the_invited(shut: Stage) -> None:
    local = shut.house.settings.is_local()
    first, status = await register(shut)
    assert status == (201 if local else 403)
    if not local:
        first.take((await made_by_operator(shut, first)).json())
    second = stranger(shut)
    body = {"email": second.email, "password": PASSWORD}
    assert "registration is closed" in refused(await second.post("/register", body), 403, "forbidden")
    room = f"/workspaces/{first.workspace_id}/members"
    invited = await first.ask("POST", room, {"email": second.email, "role": "viewer"})
    answer = await second.post("/register", {**body, "invitation": invited.json()["invitation"]})
    assert answer.status_code == 201
    third = stranger(shut)
    made_up = {"email": third.email, "password": PASSWORD, "invitation": "inv_madeup"}
    refused(await third.post("/register", made_up), 401, "unauthorized")


async def made_by_operator(stage: Stage, who: Someone) -> httpx2.Response:
    await stage.house.users.add(who.email, PASSWORD)
    return await who.login()


async def test_the_operators_token_lets_in() -> None:
    async with house_of_people(admin_token=ADMIN) as stage:
        assert (await register(stage))[1] == 201  # the first one, on this machine
        for header in ({}, {"authorization": "Bearer wrong"}, {"authorization": ADMIN}):
            assert (await register(stage, **header))[1] == 401
        assert (await register(stage, authorization=f"Bearer {ADMIN}"))[1] == 201


async def test_open_is_open_to_the_world() -> None:
    async with house_of_people(registration="open", public_url="https://tintype.example", admin_token=ADMIN) as stage:
        assert [(await register(stage))[1] for _ in range(2)] == [201, 201]


async def test_addresses_are_counted() -> None:
    async with house_of_people(rate_limit_per_minute=3) as stage:
        who, _ = await register(stage)
        for path, most in (("/register", 3), ("/login", 3), ("/refresh", 3)):
            statuses = [(await who.post(path, {})).status_code for _ in range(2 * most + 2)]
            assert 429 in statuses
        answer = await who.post("/refresh", {})
        while answer.status_code != 429:
            answer = await who.post("/refresh", {})
        assert refused(answer, 429, "rate_limited")
        assert answer.json()["error_code"] == "RATE_LIMITED"
        assert answer.headers["ratelimit-limit"] == "3"
        assert (await stranger(stage).post("/refresh", {})).status_code == 400


async def test_tokens_survive_a_restart_by_the_encryption_key_alone() -> None:
    async with house_of_people() as stage:
        who, _ = await register(stage)
        again = Signer.of(None, stage.house.backends.vault)
        assert again.secrets == stage.house.users.signer.secrets
        assert stage.house.backends.vault.current.secret not in again.secrets
        assert (await who.me()).status_code == 200


def test_a_short_secret_is_named_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET_KEY", "far too short")
    with pytest.raises(Misconfigured, match="PLATFORM_SECRET_KEY: must be at least 32 bytes") as raised:
        load()
    assert "far too short" not in str(raised.value)


@pytest.mark.parametrize(
    ("given", "local"),
    [
        ({}, True),
        ({"host": "::1"}, True),
        ({"host": "localhost"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"public_url": "https://tintype.example"}, False),
        ({"public_url": "http://127.0.0.1:8000"}, True),
    ],
)
def test_what_counts_as_ones_own_machine(given: dict[str, str], local: bool) -> None:
    assert load(**given).is_local() is local
