"""Registering, logging in, refreshing and logging out, as a marketing app meets them."""

import base64
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import jwt
import pytest

from tests.api.people import PASSWORD, Someone, house_of_people, refused, someone, stranger
from tests.walks.stage import Stage

SECRET = "a secret of this platform, long enough for HS256"


@pytest.fixture(scope="module")
async def stage() -> AsyncGenerator[Stage]:
    async with house_of_people(platform_secret_key=SECRET) as one:
        yield one


@pytest.fixture
async def ann(stage: Stage) -> Someone:
    return await someone(stage, name="Ann")


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, SECRET, algorithms=["HS256"], options={"verify_exp": False, "verify_iat": False})


async def test_registering_answers_with_tokens_and_the_user(stage: Stage) -> None:
    bob = stranger(stage)
    answer = await bob.post(
        "/register", {"email": f" {bob.email.upper()} ", "password": PASSWORD, "workspace": "Bakery"}
    )
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert set(body) == {"access_token", "refresh_token", "user"}
    assert set(body["user"]) == {"id", "email", "name", "role", "workspace_id", "is_active", "created_at"}
    assert type(body["user"]["id"]) is int
    assert body["user"]["email"] == bob.email
    assert body["user"]["name"] == bob.email.partition("@")[0]
    assert body["user"]["role"] == "owner"
    me = (await bob.take(body).me()).json()
    assert me["workspaces"][0]["name"] == "Bakery"


async def test_tokens_say_what_is_promised(stage: Stage, ann: Someone) -> None:
    access, refresh = claims_of(ann.access), claims_of(ann.refresh)
    assert jwt.get_unverified_header(ann.access) == {"alg": "HS256", "typ": "JWT"}
    assert (access["user_id"], access["role"], access["type"]) == (ann.id, "owner", "access")
    assert access["workspace_id"] == ann.workspace_id
    assert access["exp"] - access["iat"] == 3600
    assert abs(access["iat"] - stage.clock().timestamp()) < 60
    assert (refresh["user_id"], refresh["type"]) == (ann.id, "refresh")
    assert refresh["exp"] - refresh["iat"] == 30 * 24 * 3600
    assert access["jti"] != refresh["jti"]
    assert "role" not in refresh


async def test_an_empty_registration_is_told_what_is_needed(stage: Stage) -> None:
    answer = await stranger(stage).post("/register", {})
    assert refused(answer, 400, "invalid") == "Request body is required and must be JSON"
    body = answer.json()
    assert body["errors"] == ["email is required", "password is required"]
    assert body["requirements"].items() >= {
        "min_length": 8, "require_digit": True, "require_special": True, "require_uppercase": True
    }.items()  # fmt: skip
    assert isinstance(body["requirements"]["special_chars"], str)


@pytest.mark.parametrize(
    ("changes", "problems"),
    [
        ({"password": "Sh0rt!"}, ["password must be at least 8 characters"]),
        ({"password": "no-upper-1"}, ["password must contain an uppercase letter"]),
        ({"password": "No-Digit-Here"}, ["password must contain a digit"]),
        ({"password": "NoSpecial1"}, ["password must contain a special character"]),
        ({"password": "Aa1!" * 65}, ["password must be at most 256 characters"]),
        ({"email": "nobody"}, ["email must be an e-mail address, like name@example.com"]),
        ({"email": "a@b\x00.example"}, ["email must be an e-mail address, like name@example.com"]),
        ({"email": "a" * 250 + "@b.example"}, ["email must be an e-mail address, like name@example.com"]),
        ({"name": "x" * 201}, ["name must be at most 200 characters, none of them a control character"]),
        ({"name": "a\x00b"}, ["name must be at most 200 characters, none of them a control character"]),
        ({"workspace": "ab"}, ["workspace name must be at least 3 characters and at most 200"]),
        ({"workspace": "a\x00bc"}, ["workspace name must not contain a null character"]),
        (
            {"email": "nobody", "password": "A"},
            [
                "email must be an e-mail address, like name@example.com",
                "password must be at least 8 characters",
                "password must contain a digit",
                "password must contain a special character",
            ],
        ),
    ],
)
async def test_everything_wrong_is_told_at_once(stage: Stage, changes: dict[str, str], problems: list[str]) -> None:
    bob = stranger(stage)
    answer = await bob.post("/register", {"email": bob.email, "password": PASSWORD, **changes})
    assert refused(answer, 400, "invalid") == "; ".join(problems)
    assert answer.json()["errors"] == problems
    assert "requirements" in answer.json()


@pytest.mark.parametrize("body", [{"email": 1, "password": PASSWORD}, {"email": "a@b.c", "workspace": 7}])
async def test_nonsense_in_a_registration_is_refused(stage: Stage, body: dict[str, object]) -> None:
    refused(await stranger(stage).post("/register", {"password": PASSWORD, **body}), 400, "invalid")


async def test_half_a_character_is_refused(stage: Stage) -> None:
    raw = b'{"email": "a@b.example", "password": "Correct-h0rse\\ud800", "name": "x"}'
    answer = await stage.http.post("/api/auth/register", content=raw, headers={"content-type": "application/json"})
    refused(answer, 400, "invalid")


async def test_an_address_registers_once(ann: Someone) -> None:
    for email in (ann.email, ann.email.upper()):
        answer = await ann.post("/register", {"email": email, "password": PASSWORD})
        assert refused(answer, 409, "conflict") == "Email already registered"


async def test_the_same_key_registers_once_and_answers_the_same(stage: Stage) -> None:
    bob = stranger(stage)
    body = {"email": bob.email, "password": PASSWORD}
    first = await bob.post("/register", body, **{"idempotency-key": bob.email})
    again = await bob.post("/register", body, **{"idempotency-key": bob.email})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()
    other = await bob.post("/register", {**body, "name": "Bob"}, **{"idempotency-key": bob.email})
    refused(other, 422, "mismatch")


async def test_logging_in(ann: Someone) -> None:
    answer = await ann.login()
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token", "refresh_token", "user"}
    assert answer.json()["user"]["id"] == ann.id
    ann.take(answer.json())
    assert (await ann.me()).json()["email"] == ann.email


@pytest.mark.parametrize("body", [{}, {"email": "a@b.c"}, {"password": "x"}, {"email": " ", "password": "x"}])
async def test_half_a_login_is_told_so(stage: Stage, body: dict[str, str]) -> None:
    answer = await stranger(stage).post("/login", body)
    assert refused(answer, 400, "invalid") == "Missing email or password"


@pytest.mark.parametrize("email", [None, "nobody@example.com", "no address", "a\x00b@example.com", "x" * 5000])
@pytest.mark.parametrize("password", ["Wrong-h0rse", "x" * 100_000])
async def test_a_wrong_login_does_not_say_what_was_wrong(ann: Someone, email: str | None, password: str) -> None:
    answer = await ann.post("/login", {"email": email or ann.email, "password": password})
    assert refused(answer, 401, "unauthorized") == "Invalid email or password"


async def test_me_says_who_one_is(ann: Someone) -> None:
    answer = await ann.me()
    assert answer.status_code == 200
    body = answer.json()
    assert body.items() >= {"id": ann.id, "email": ann.email, "name": "Ann", "role": "owner"}.items()
    (room,) = body["workspaces"]
    assert (room["id"], room["name"], room["role"]) == (ann.workspace_id, "Ann's workspace", "owner")


async def test_a_workspaces_own_token_is_taken_as_well(stage: Stage, ann: Someone) -> None:
    member = await stage.member()
    bearer = {"authorization": f"Bearer {member.key}"}
    body = (await stage.http.get("/api/auth/me", headers=bearer)).json()
    assert (body["id"], body["workspace_id"], body["role"]) == (None, member.workspace_id, "owner")
    foreign = await stage.http.get("/api/auth/me", headers={**bearer, "x-workspace": ann.workspace_id})
    refused(foreign, 404, "not_found")


@pytest.mark.parametrize("header", [None, "", "Basic abc", "Bearer"])
async def test_no_token_is_told_so(stage: Stage, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    for path in ("/api/auth/me", "/api/auth/workspaces"):
        answer = await stage.http.get(path, headers=headers)
        assert refused(answer, 401, "unauthorized") == "Missing authorization header"


def forged(kind: str, ann: Someone) -> str:
    """A token that somebody made up."""
    claims = claims_of(ann.access)
    parts = ann.access.split(".")
    deep = base64.urlsafe_b64encode(b"[" * 5000).decode().rstrip("=")
    made = {
        "another secret": lambda: jwt.encode(claims, SECRET[::-1], algorithm="HS256"),
        "another algorithm": lambda: jwt.encode(claims, SECRET * 2, algorithm="HS512"),
        "none": lambda: jwt.encode(claims, "", algorithm="none"),
        "no signature": lambda: f"{parts[0]}.{parts[1]}.",
        "no end": lambda: jwt.encode({k: v for k, v in claims.items() if k != "exp"}, SECRET, algorithm="HS256"),
        "no type": lambda: jwt.encode({k: v for k, v in claims.items() if k != "type"}, SECRET, algorithm="HS256"),
        "a strange end": lambda: jwt.encode({**claims, "exp": True}, SECRET, algorithm="HS256"),
        "a strange user": lambda: jwt.encode({**claims, "user_id": "1 OR 1"}, SECRET, algorithm="HS256"),
        "another session": lambda: jwt.encode({**claims, "sid": "x"}, SECRET, algorithm="HS256"),
        "another user": lambda: jwt.encode({**claims, "user_id": claims["user_id"] + 1}, SECRET, algorithm="HS256"),
        "of another kind": lambda: ann.refresh,
        "cut": lambda: ann.access[:-3],
        "nonsense": lambda: "a.b.c",
        "dots": lambda: "..",
        "deep": lambda: f"{deep}.{deep}.{deep}",
        "deep inside": lambda: f"{parts[0]}.{deep}.{parts[2]}",
        "opaque": lambda: "0f8fad5b-d9cb-469f-a165-70867728950e",
    }
    return made[kind]()


FORGERIES = (
    "another secret", "another algorithm", "none", "no signature", "no end", "no type", "a strange end", "a strange user",
    "another session", "another user", "of another kind", "cut", "nonsense", "dots", "deep", "deep inside", "opaque",
)  # fmt: skip


@pytest.mark.parametrize("kind", FORGERIES)
async def test_a_made_up_token_opens_nothing(ann: Someone, kind: str) -> None:
    real, ann.access = ann.access, forged(kind, ann)
    assert refused(await ann.me(), 401, "unauthorized") == "Invalid or expired token"
    ann.access = real
    assert (await ann.me()).status_code == 200


async def test_an_access_token_ends_after_an_hour(ann: Someone) -> None:
    ann.stage.skip(timedelta(minutes=59))
    assert (await ann.me()).status_code == 200
    ann.stage.skip(timedelta(minutes=2))
    assert refused(await ann.me(), 401, "unauthorized") == "Invalid or expired token"
    ann.take((await ann.renew()).json())
    assert (await ann.me()).status_code == 200


async def test_a_refresh_token_ends_after_thirty_days(ann: Someone) -> None:
    ann.stage.skip(timedelta(days=29))
    ann.take((await ann.renew()).json())
    ann.stage.skip(timedelta(days=30))
    assert refused(await ann.renew(), 401, "unauthorized") == "Invalid or expired token"


async def test_a_refresh_token_that_comes_twice_ends_the_session(ann: Someone) -> None:
    stolen = ann.refresh
    answer = await ann.renew()
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] != stolen
    ann.take(answer.json())
    assert (await ann.me()).status_code == 200
    assert refused(await ann.renew(stolen), 401, "unauthorized") == "Invalid or expired token"
    refused(await ann.renew(), 401, "unauthorized")
    refused(await ann.me(), 401, "unauthorized")
    assert (await ann.login()).status_code == 200


async def test_one_session_ends_and_the_other_goes_on(ann: Someone) -> None:
    other = Someone(ann.stage, ann.email, ann.address).take((await ann.login()).json())
    await ann.renew()
    await ann.renew()
    refused(await ann.me(), 401, "unauthorized")
    assert (await other.me()).status_code == 200


@pytest.mark.parametrize("token", ["access", "empty", None])
async def test_only_a_refresh_token_refreshes(ann: Someone, token: str | None) -> None:
    body = {"refresh_token": ann.access} if token == "access" else {"refresh_token": ""} if token == "empty" else {}
    answer = await ann.post("/refresh", body)
    if token == "access":
        assert refused(answer, 401, "unauthorized") == "Invalid or expired token"
    else:
        assert refused(answer, 400, "invalid") == "Missing refresh token"


@pytest.mark.parametrize("by", ["access", "refresh"])
async def test_logging_out_ends_both_tokens(ann: Someone, by: str) -> None:
    body = {"refresh_token": ann.refresh} if by == "refresh" else {}
    answer = await ann.ask("POST", "/logout", body)
    assert (answer.status_code, answer.json()) == (200, {"message": "Logged out"})
    refused(await ann.me(), 401, "unauthorized")
    refused(await ann.renew(), 401, "unauthorized")


async def test_somebody_let_out_is_told_so(ann: Someone) -> None:
    users = ann.stage.house.users
    user = await users.find(ann.email)
    await users.set_enabled(user, enabled=False)
    refused(await ann.me(), 401, "unauthorized")
    assert refused(await ann.renew(), 401, "unauthorized") == "User not found or inactive"
    assert refused(await ann.login(), 401, "unauthorized") == "User not found or inactive"
    await users.set_enabled(user, enabled=True)
    refused(await ann.me(), 401, "unauthorized")
    assert (await ann.login()).status_code == 200


async def test_another_password_ends_every_session(ann: Someone) -> None:
    users = ann.stage.house.users
    await users.set_password(await users.find(ann.email), "An0ther-password")
    refused(await ann.me(), 401, "unauthorized")
    refused(await ann.renew(), 401, "unauthorized")
    refused(await ann.login(), 401, "unauthorized")
    assert (await ann.login("An0ther-password")).status_code == 200


async def test_no_password_and_no_token_is_stored_as_it_is(ann: Someone) -> None:
    found = await ann.stage.house.users.records.by_email(ann.email)
    assert found is not None
    assert str(found[1]).startswith("$argon2id$v=19$")
    kept = ann.stage.kept().written()
    assert ann.email.encode() in kept
    for secret in (PASSWORD, ann.access, ann.refresh, claims_of(ann.refresh)["jti"]):
        assert secret.encode() not in kept


async def test_bodies_are_measured_and_read_as_everywhere(stage: Stage) -> None:
    large = json.dumps({"email": "a" * 2_000_000})
    answer = await stage.http.post("/api/auth/login", content=large, headers={"content-type": "application/json"})
    refused(answer, 413, "too_large")
    answer = await stage.http.post("/api/auth/login", content="a=b", headers={"content-type": "text/plain"})
    refused(answer, 415, "unsupported")
    refused(await stage.http.get("/api/auth/login"), 405, "METHOD_NOT_ALLOWED")
    refused(await stage.http.get("/api/auth/nothing"), 404, "not_found")


async def test_the_routes_are_described(stage: Stage) -> None:
    described = (await stage.http.get("/openapi/social.json")).json()
    paths = described["paths"]
    assert {"/api/auth/register", "/api/auth/login", "/api/auth/refresh", "/api/auth/logout", "/api/auth/me"} <= set(
        paths
    )
    schema = paths["/api/auth/register"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(schema["properties"]) == {"email", "password", "name", "workspace", "invitation"}


async def test_what_is_said_as_a_problem_has_the_same_keys(stage: Stage) -> None:
    problem = {"accept": "application/problem+json"}
    answer = await stranger(stage).post("/register", {"email": "nobody"}, **problem)
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["code"]) == (400, "invalid")
    assert {"errors", "requirements", "detail"} <= set(body)
