"""Users of somebody else's issuer: believed by a shared secret, or by keys that are published on loopback."""

import asyncio
import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from tests.api.people import house_of_people, refused, someone
from tests.backends.remote import Asked, Remote, remote
from tests.walks.stage import Stage
from tintype.cli.opening import secrets_of
from tintype.errors import Misconfigured
from tintype.settings import load

SECRET = "a secret shared with the issuer, long enough"
SHARED = "https://shared.example"
KEYED = "https://keyed.example"
FLAKY = "https://flaky.example"

_RSA = rsa.generate_private_key(65537, 2048)
_EC = ec.generate_private_key(ec.SECP256R1())


def published(name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        shown = RSAAlgorithm.to_jwk(key.public_key())
    else:
        shown = ECAlgorithm.to_jwk(key.public_key())
    return {**json.loads(shown), "kid": name, "use": "sig"}


@dataclass(slots=True)
class Publisher:
    """What the issuer's key address answers now."""

    keys: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    status: int = 200

    async def __call__(self, _: Asked, writer: asyncio.StreamWriter) -> None:
        body = json.dumps({"keys": self.keys}).encode()
        writer.write(f"HTTP/1.1 {self.status} -\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)


@dataclass(frozen=True, slots=True)
class Outside:
    """A house that trusts three issuers, and where two of them publish their keys."""

    stage: Stage
    publisher: Publisher
    remote: Remote

    async def me(self, token: str, **headers: str) -> httpx2.Response:
        return await self.stage.http.get("/api/auth/me", headers={"authorization": f"Bearer {token}", **headers})

    def claims(self, **changes: object) -> dict[str, Any]:
        now = int(self.stage.clock().timestamp())
        found = {"iss": SHARED, "sub": "s1", "aud": "tintype", "iat": now, "exp": now + 600, **changes}
        return {name: value for name, value in found.items() if value is not None}

    def shared(self, **changes: object) -> str:
        return jwt.encode(self.claims(**changes), SECRET, algorithm="HS256")

    def keyed(self, kid: str | None = "rsa", *, key: Any = _RSA, algorithm: str = "RS256", **changes: object) -> str:
        headers = {"kid": kid} if kid else {}
        return jwt.encode(self.claims(iss=KEYED, **changes), key, algorithm=algorithm, headers=headers)


@pytest.fixture(scope="module")
async def outside() -> AsyncGenerator[Outside]:
    publisher = Publisher([published("rsa", _RSA), published("ec", _EC)])
    async with remote(publisher) as place:
        issuers = [
            {"issuer": SHARED, "secret": SECRET, "audience": "tintype", "role": "editor"},
            {"issuer": KEYED, "jwks_url": place.url("/keys"), "email_claim": "mail"},
            {"issuer": FLAKY, "jwks_url": place.url("/flaky")},
        ]
        async with house_of_people(auth_issuers=json.dumps(issuers), outbound_allow=place.place) as stage:
            yield Outside(stage, publisher, place)


async def test_somebody_new_becomes_a_user_with_a_workspace(outside: Outside) -> None:
    token = outside.shared(sub="new", email="New@Example.com", name="Newcomer")
    first, again = await outside.me(token), await outside.me(outside.shared(sub="new"))
    assert first.status_code == 200
    body = first.json()
    assert (body["email"], body["name"], body["role"]) == ("new@example.com", "Newcomer", "editor")
    assert type(body["id"]) is int
    assert again.json()["id"] == body["id"]
    (room,) = body["workspaces"]
    assert (room["name"], room["id"]) == ("Newcomer's workspace", body["workspace_id"])


async def test_of_many_first_sights_one_makes_the_user(outside: Outside) -> None:
    token = outside.shared(sub="crowd", email="crowd@example.com")
    answers = await asyncio.gather(*(outside.me(token) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_two_issuers_may_use_one_subject(outside: Outside) -> None:
    one, two = await outside.me(outside.shared(sub="same")), await outside.me(outside.keyed(sub="same"))
    assert one.json()["id"] != two.json()["id"]
    assert (one.json()["role"], two.json()["role"]) == ("editor", "owner")


@pytest.mark.parametrize(
    ("email", "more"),
    [
        (None, {}),
        ("x@example.com", {"email_verified": False}),
        (7, {}),
        ("nothing", {}),
        ("half\ud800@example.com", {}),
        (None, {"name": "a\0b\ud800"}),
    ],
)
async def test_an_address_nobody_vouches_for_is_not_kept(outside: Outside, email: object, more: dict[str, Any]) -> None:
    body = (await outside.me(outside.shared(sub=f"unvouched {email!a} {more!a}", email=email, **more))).json()
    assert body["email"] is None
    assert body["name"]


async def test_nobody_enters_anothers_account_by_an_address(outside: Outside) -> None:
    ann = await someone(outside.stage)
    body = (await outside.me(outside.shared(sub="thief", email=ann.email))).json()
    assert body["id"] != ann.id
    assert body["email"] is None
    refused(await outside.me(outside.shared(sub="thief"), **{"x-workspace": ann.workspace_id}), 404, "not_found")


async def test_an_outsider_may_be_a_member_elsewhere(outside: Outside) -> None:
    ann = await someone(outside.stage)
    token = outside.shared(sub="guest", email="guest@example.com")
    own = (await outside.me(token)).json()["workspace_id"]
    room = f"/workspaces/{ann.workspace_id}/members"
    assert (await ann.ask("POST", room, {"email": "guest@example.com", "role": "viewer"})).status_code == 201
    assert (await outside.me(token)).json()["workspace_id"] == own
    there = (await outside.me(token, **{"x-workspace": ann.workspace_id})).json()
    assert (there["workspace_id"], there["role"]) == (ann.workspace_id, "viewer")


async def test_published_keys_of_both_kinds_are_taken(outside: Outside) -> None:
    for token in (
        outside.keyed("rsa"),
        outside.keyed("ec", key=_EC, algorithm="ES256"),
        outside.keyed(mail="m@x.example"),
    ):
        assert (await outside.me(token)).status_code == 200


def wrong(outside: Outside, kind: str) -> str:
    """A token that must not be believed."""
    now = int(outside.stage.clock().timestamp())
    public = _RSA.public_key().public_numbers().n.to_bytes(256, "big")
    made = {
        "another audience": lambda: outside.shared(aud="elsewhere"),
        "no audience": lambda: outside.shared(aud=None),
        "over": lambda: outside.shared(exp=now - 60),
        "no end": lambda: outside.shared(exp=None),
        "not yet": lambda: outside.shared(nbf=now + 600),
        "no subject": lambda: outside.shared(sub=None),
        "empty subject": lambda: outside.shared(sub=""),
        "long subject": lambda: outside.shared(sub="x" * 300),
        "unstorable subject": lambda: outside.shared(sub="a\0b"),
        "half a character": lambda: outside.shared(sub="a\ud800"),
        "another issuer": lambda: outside.shared(iss="https://nobody.example"),
        "another secret": lambda: jwt.encode(outside.claims(), SECRET[::-1], algorithm="HS256"),
        "none": lambda: jwt.encode(outside.claims(), "", algorithm="none"),
        "a public key as secret": lambda: jwt.encode(
            outside.claims(iss=KEYED), public, algorithm="HS256", headers={"kid": "rsa"}
        ),
        "the other's secret": lambda: jwt.encode(
            outside.claims(iss=KEYED), SECRET, algorithm="HS256", headers={"kid": "rsa"}
        ),
        "a key of one's own": lambda: outside.keyed("ec", key=_RSA),
        "no key name among several": lambda: outside.keyed(None),
    }
    return made[kind]()


KINDS = (
    "another audience", "no audience", "over", "no end", "not yet", "no subject", "empty subject", "long subject",
    "unstorable subject", "half a character",
    "another issuer", "another secret", "none", "a public key as secret", "the other's secret", "a key of one's own",
    "no key name among several",
)  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
async def test_what_an_issuer_did_not_sign_for_us_opens_nothing(outside: Outside, kind: str) -> None:
    assert refused(await outside.me(wrong(outside, kind)), 401, "unauthorized") == "Invalid or expired token"


async def test_keys_are_fetched_again_for_a_new_name_but_not_at_everybodys_wish(outside: Outside) -> None:
    await outside.me(outside.keyed())
    later = rsa.generate_private_key(65537, 2048)
    asked = len(outside.remote.asked)
    for _ in range(3):
        refused(await outside.me(outside.keyed("later", key=later)), 401, "unauthorized")
    assert len(outside.remote.asked) <= asked + 1
    outside.publisher.keys.append(published("later", later))
    outside.stage.skip(timedelta(seconds=31))
    asked = len(outside.remote.asked)
    for _ in range(3):
        assert (await outside.me(outside.keyed("later", key=later))).status_code == 200
    assert len(outside.remote.asked) == asked + 1


async def test_a_new_key_counts_at_once(outside: Outside) -> None:
    outside.stage.skip(timedelta(minutes=11))
    assert (await outside.me(outside.keyed())).status_code == 200
    new = rsa.generate_private_key(65537, 2048)
    outside.publisher.keys.append(published("new", new))
    assert (await outside.me(outside.keyed("new", key=new))).status_code == 200


async def test_keys_that_were_taken_back_are_forgotten_in_ten_minutes(outside: Outside) -> None:
    gone = rsa.generate_private_key(65537, 2048)
    outside.publisher.keys.append(published("gone", gone))
    outside.stage.skip(timedelta(minutes=11))
    assert (await outside.me(outside.keyed("gone", key=gone))).status_code == 200
    outside.publisher.keys.pop()
    outside.stage.skip(timedelta(minutes=11))
    refused(await outside.me(outside.keyed("gone", key=gone)), 401, "unauthorized")


async def test_known_keys_go_on_while_no_new_ones_can_be_had(outside: Outside) -> None:
    assert (await outside.me(outside.keyed())).status_code == 200
    outside.publisher.status = 500
    outside.stage.skip(timedelta(minutes=11))
    try:
        assert (await outside.me(outside.keyed())).status_code == 200
        flaky = jwt.encode(outside.claims(iss=FLAKY), _RSA, algorithm="RS256", headers={"kid": "rsa"})
        answer = await outside.me(flaky)
        assert "cannot be had now" in refused(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "5"
        asked = len(outside.remote.asked)
        refused(await outside.me(flaky), 503, "unavailable")
        assert len(outside.remote.asked) == asked
    finally:
        outside.publisher.status = 200
    outside.stage.skip(timedelta(seconds=6))
    assert (await outside.me(flaky)).status_code == 200


@pytest.mark.parametrize(
    "issuers",
    [
        "nonsense",
        "{}",
        '[{"issuer": "https://a.example"}]',
        '[{"issuer": "https://a.example", "secret": "short"}]',
        json.dumps([{"issuer": "https://a.example", "secret": SECRET, "jwks_url": "https://a.example/keys"}]),
        json.dumps([{"issuer": "https://a.example", "secret": SECRET, "role": "king"}]),
    ],
)
def test_a_wrong_list_of_issuers_is_named(issuers: str) -> None:
    with pytest.raises(Misconfigured, match="AUTH_ISSUERS") as raised:
        load(auth_issuers=issuers)
    assert SECRET not in str(raised.value)


def test_secrets_of_issuers_are_masked_in_logs() -> None:
    settings = load(auth_issuers=json.dumps([{"issuer": SHARED, "secret": SECRET}]))
    assert SECRET in secrets_of(settings)
    assert SECRET not in repr(settings)
