"""No route shows, changes or even knows what belongs to another workspace: every one of them is asked, and none is forgotten."""

import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import pytest

from tests.api.questions import BESIDE, NOBODYS, OPENLY, PATHS
from tests.api.rooms import Question, Room, Route, ask, inside, routes, two_rooms, with_own
from tintype.api.dialect import Front
from tintype.core.access import Grant

REFUSED = {403, 404}
UNKNOWN = {401, 403, 404}

Rooms = tuple[Room, Room]


@pytest.fixture(scope="module")
async def rooms(anyio_backend: str) -> AsyncGenerator[Rooms]:
    del anyio_backend
    async with two_rooms() as both:
        yield both


def _name(given: object) -> str | None:
    return " ".join(str(one) for one in given) if isinstance(given, tuple) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType] - a parameter


async def _tried(rooms: Rooms, route: Route, question: Question) -> None:
    owner, stranger = rooms
    theirs, own = await owner.things(), await stranger.things()
    answer = await ask(stranger, own, theirs, route, with_own(question, own))
    assert answer.status_code in REFUSED or (question.says and question.says in answer.text), answer.text
    told = answer.text.replace(str(answer.request.url), "")
    asked = "".join(str(one) for one in (question.body, question.form, question.query, *question.fills))
    leaked = {
        mark for mark in owner.marks() if mark in told and mark not in _said(answer.request.content, asked, theirs)
    }
    assert leaked == set()
    if question.control:
        own_answer = await ask(owner, theirs, theirs, route, with_own(question, theirs))
        assert own_answer.status_code not in UNKNOWN, (own_answer.status_code, own_answer.text)
        assert not question.says or question.says not in own_answer.text


def _said(content: bytes, asked: str, theirs: dict[str, str]) -> str:
    """What the question named itself, which an answer may repeat."""
    return content.decode("utf-8", "replace") + "".join(value for name, value in theirs.items() if name in asked)


@pytest.mark.parametrize(("route", "question"), PATHS.items(), ids=_name)
async def test_what_a_path_names_of_others_is_unknown(rooms: Rooms, route: Route, question: Question) -> None:
    await _tried(rooms, route, question)


@pytest.mark.parametrize(("word", "route", "question"), BESIDE, ids=_name)
async def test_what_is_named_beside_the_path_is_unknown(
    rooms: Rooms, word: str, route: Route, question: Question
) -> None:
    del word
    await _tried(rooms, route, question)


async def test_no_route_is_forgotten(rooms: Rooms) -> None:
    known = {route for _, route in routes(rooms[0].team.stage.house.front)}
    named = {route for route in known if "{" in route[1]}
    assert len(named) > 100
    assert sorted(named - PATHS.keys() - NOBODYS.keys()) == []
    assert sorted(PATHS.keys() - known) == []
    assert sorted(route for _, route, _ in BESIDE if route not in known) == []


# Names of parameters that mean something which belongs to a workspace.
_MEANS = re.compile(
    r"(.+_)?(account|app|batch|credential|delivery|dialog|endpoint|handle|job|media|member|piece|post|tenant|upload|user|workspace)"
    r"(s|_ids?|Ids?)?|token|apikey|clientId"
)


def _named(front: object) -> set[tuple[str, Route]]:
    """Return every parameter of a query or a body that means something which belongs to a workspace, with its route."""
    assert isinstance(front, Front)
    found: set[tuple[str, Route]] = set()
    known: list[Any] = [one for mounted in front.mounted for one in inside(mounted).routes if hasattr(one, "dependant")]
    for route in known:
        extra: dict[str, dict[str, dict[str, dict[str, Any]]]] = route.openapi_extra or {}
        content = extra.get("requestBody", {}).get("content", {})
        names = {
            *_queried(route.dependant),
            *(name for one in content.values() for name in _fields(one.get("schema", {}))),
        }
        found |= {
            (name, (str(method), str(route.path)))
            for name in names
            if _MEANS.fullmatch(name)
            for method in route.methods
        }
    return found


def _queried(dependant: Any) -> set[str]:
    inner = (name for one in dependant.dependencies for name in _queried(one))
    return {*(str(one.alias) for one in (*dependant.query_params, *dependant.body_params)), *inner}


def _fields(schema: dict[str, Any]) -> Iterator[str]:
    inner: list[dict[str, Any]] = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    if "items" in schema:
        inner.append(schema["items"])
    yield from schema.get("properties", {})
    for one in inner:
        yield from _fields(one)


async def test_nothing_that_is_named_beside_a_path_is_forgotten(rooms: Rooms) -> None:
    named = _named(rooms[0].team.stage.house.front)
    asked = {(word, route) for word, route, _ in BESIDE}
    assert len(named) > 40
    assert sorted(named - asked - OPENLY.keys()) == []
    assert sorted(OPENLY.keys() - named) == []


async def test_a_feed_shows_no_account_of_others(rooms: Rooms) -> None:
    owner, stranger = rooms
    access, http = owner.team.stage.house.access, owner.team.stage.http
    keys = [(await access.issue(room.id, Grant.FEED)).secret for room in rooms]
    for key, room in zip(keys, (owner, stranger), strict=True):
        answer = await http.get(f"/feeds/{key}.json", params={"account": str(owner.account.username)})
        assert answer.status_code == 200, answer.text
        assert bool(answer.json()["photos"]) == (room is owner)


@pytest.mark.parametrize("field", ["piece", "post_id"])
async def test_the_composer_takes_nothing_of_others(rooms: Rooms, field: str) -> None:
    owner, stranger = rooms
    theirs, own = await owner.things(), await stranger.things()
    named = {"piece": theirs["piece"], "piece_name": "a.jpg", "piece_alt": "", "piece_place": "1"}
    given = named if field == "piece" else {"post_id": theirs["post"], "urls": "https://pictures.example/a.jpg"}
    form = {"account_id": own["account_id"], "product": "image", "caption": "mine now", "verb": "draft", **given}
    answer = await ask(stranger, own, theirs, ("POST", "/console/publish"), Question("browser", form=form))
    assert answer.status_code in (400, 404, 409), answer.text
    assert {mark for mark in owner.marks() if mark in answer.text} <= ({owner.id} if field == "piece" else set())
    form["account_id"] = theirs["account_id"]
    assert (
        await ask(owner, theirs, theirs, ("POST", "/console/publish"), Question("browser", form=form))
    ).status_code == 303


async def test_nothing_of_others_stands_in_any_list(rooms: Rooms) -> None:
    owner, stranger = rooms
    theirs, own = await owner.things(), await stranger.things()
    marks = owner.marks() | {theirs[name] for name in ("app_id", "key", "handle", "endpoint_id", "credential_id")}
    asked = 0
    for mounted, (method, path) in routes(owner.team.stage.house.front):
        if method != "GET" or "{" in path or path.endswith("/stream"):
            continue
        for who in ("browser",) if mounted.dialect.name == "console" else ("user", "token", "dialog"):
            answer = await ask(stranger, own, theirs, (method, path), Question(who))
            asked += answer.status_code == 200
            assert {mark for mark in marks if mark in answer.text} == set(), path
    assert asked > 40


async def test_a_header_opens_no_other_workspace(rooms: Rooms) -> None:
    owner, stranger = rooms
    for path in ("/api/auth/me", "/api/sns/instagram/accounts", "/api/apps", "/api/webhooks"):
        for secret in (stranger.team.who.access, stranger.token):
            headers = {"authorization": f"Bearer {secret}", "x-workspace": owner.id}
            answer = await stranger.team.stage.http.get(path, headers=headers)
            assert answer.status_code in UNKNOWN, path
