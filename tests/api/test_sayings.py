"""Every dialect says every kind of trouble, a crash included, and no two dialects claim one path."""

from http import HTTPStatus

import httpx2
import pytest
from starlette.responses import JSONResponse

from tests.served import Served
from tintype.api.console.dialect import CONSOLE
from tintype.api.dialect import Dialect, Front, Mounted, Saying, Surround, build
from tintype.api.feed import FEED
from tintype.api.health import HEALTH
from tintype.api.meta import META
from tintype.api.queue.dialect import QUEUE
from tintype.api.scrape import SCRAPE
from tintype.api.social import SOCIAL
from tintype.errors import Conflict, Kind, RateLimited, Trouble, Unavailable

DIALECTS = (FEED, SCRAPE, SOCIAL, QUEUE, META, CONSOLE, HEALTH)

# Seed 0's table "Error Codes", and what decisions.md adds to it.
FEED_SAYS = {
    Kind.INVALID: (400, "VALIDATION_FAILED"),
    Kind.UNAUTHORIZED: (401, "UNAUTHORIZED"),
    Kind.NOT_FOUND: (404, "NOT_FOUND"),
    Kind.FORBIDDEN: (500, "INTERNAL_ERROR"),
    Kind.RECONNECT: (500, "INTERNAL_ERROR"),
    Kind.REFUSED: (500, "INTERNAL_ERROR"),
    Kind.BUSY: (500, "INTERNAL_ERROR"),
    Kind.UNREACHABLE: (500, "INTERNAL_ERROR"),
    Kind.MISCONFIGURED: (500, "INTERNAL_ERROR"),
    Kind.CONFLICT: (409, "CONFLICT"),
    Kind.MISMATCH: (422, "IDEMPOTENCY_KEY_REUSED"),
    Kind.STALE: (412, "PRECONDITION_FAILED"),
    Kind.GONE: (410, "GONE"),
    Kind.TOO_LARGE: (413, "PAYLOAD_TOO_LARGE"),
    Kind.UNSUPPORTED: (415, "UNSUPPORTED_MEDIA_TYPE"),
    Kind.RATE_LIMITED: (429, "RATE_LIMITED"),
    Kind.UNAVAILABLE: (503, "UNAVAILABLE"),
}

TROUBLES = {one.kind: one for one in Trouble.__subclasses__() if "kind" in vars(one)} | {
    one.kind: one for parent in Trouble.__subclasses__() for one in parent.__subclasses__() if "kind" in vars(one)
}


def client(dialect: Dialect, error: Exception) -> httpx2.AsyncClient:
    """Return a client of an app of this dialect whose one route raises."""
    app = build(dialect, version="1")

    @app.get("/raises")
    async def raises() -> None:
        raise error

    around = Surround(app, dialect, 1_000)
    return httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=around, raise_app_exceptions=False), base_url="http://tintype.example"
    )


def test_every_kind_has_its_trouble() -> None:
    assert set(TROUBLES) == set(Kind)


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
async def test_every_dialect_says_every_kind(dialect: Dialect, kind: Kind) -> None:
    trouble = TROUBLES[kind]("what happened")
    async with client(dialect, trouble) as http:
        answer = await http.get("/raises")
        problem = await http.get("/raises", headers={"accept": "application/problem+json"})
    saying = dialect.sayings[kind]
    assert answer.status_code == problem.status_code == saying.status
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {**dialect.refusal(saying, "what happened"), **dialect.details(trouble)}
    assert "what happened" in answer.text
    assert answer.headers["x-request-id"] != problem.headers["x-request-id"]
    assert ("retry-after" in answer.headers) == (saying.status in (429, 503))
    assert problem.json() == {
        "type": "about:blank",
        "title": HTTPStatus(saying.status).phrase,
        "status": saying.status,
        "detail": "what happened",
        "code": saying.code,
        **dialect.details(trouble),
    }


@pytest.mark.parametrize(("kind", "said"), FEED_SAYS.items())
def test_the_feed_says_what_its_document_says(kind: Kind, said: tuple[int, str]) -> None:
    assert FEED.sayings[kind] == Saying(*said)


def test_the_documents_of_the_feed_are_complete() -> None:
    assert set(FEED_SAYS) == set(Kind)


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda one: one.name)
async def test_a_crash_is_said_without_its_reason(dialect: Dialect) -> None:
    async with client(dialect, RuntimeError("the password is hunter2")) as http:
        for accept, kind in (("*/*", "application/json"), ("application/problem+json", "application/problem+json")):
            answer = await http.get("/raises", headers={"accept": accept})
            assert answer.status_code == 500
            assert answer.headers["content-type"] == kind
            assert answer.headers["x-request-id"]
            assert "hunter2" not in answer.text
            assert "Internal server error" in answer.text


@pytest.mark.parametrize(
    ("trouble", "seconds"),
    [
        (RateLimited("slowly", retry_after=12.2), "12"),
        (Unavailable("away"), "1"),
        (Unavailable("away", retry_after=0.01), "1"),
        (Conflict("still running", retry_after=2), "2"),
    ],
)
async def test_when_to_come_back(trouble: Trouble, seconds: str) -> None:
    async with client(FEED, trouble) as http:
        assert (await http.get("/raises")).headers["retry-after"] == seconds


async def test_ours_is_the_only_shape_on_a_port_of_its_own() -> None:
    alone = Front([Mounted(META, Surround(build(META, version="1"), META, 10))], META)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=alone), base_url="http://tintype.example") as http:
        answer = await http.get("/nobody/claims/this")
    assert (answer.status_code, set(answer.json())) == (404, {"error"})


def dialect(name: str, *claims: str) -> Mounted:
    """Return a dialect that answers every request with its name."""
    return Mounted(Dialect(name, claims, FEED.sayings, FEED.crash, FEED.refusal), JSONResponse(name))


def test_two_claims_on_one_path_end_the_start() -> None:
    with pytest.raises(RuntimeError, match="two dialects claim /photos"):
        Front([dialect("one", "/photos"), dialect("two", "/other", "/photos")], FEED)


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/", "one"),
        ("/photos", "one"),
        ("/photos/", "one"),
        ("/photos/deeper/still", "one"),
        ("/api/one", "one"),
        ("/api/one/x", "one"),
        ("/api/two", "two"),
        ("/api/two/x/y", "two"),
        ("/api", None),
        ("/api/three", None),
        ("/photosynthesis", None),
        ("/x", None),
        ("/%2F", "one"),
    ],
)
async def test_a_path_finds_its_dialect(path: str, owner: str | None) -> None:
    front = Front([dialect("one", "/", "/photos", "/api/one"), dialect("two", "/api/two")], FEED)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=front), base_url="http://tintype.example") as http:
        answer = await http.get(path)
    assert answer.status_code == (200 if owner else 404)
    assert answer.json() == owner or answer.json()["code"] == "NOT_FOUND"


async def test_the_house_claims_every_path_of_the_document(door: Served) -> None:
    for path in ("/health", "/instagram-callback", "/photos", "/register", "/sync", "/auth/obtain-token"):
        assert (await door.client.get(path)).status_code != 404
