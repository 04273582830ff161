"""No route shows, changes or even knows what belongs to another workspace: every one of them is asked, and none is forgotten."""

from collections.abc import AsyncGenerator

import pytest

from tests.api.questions import BESIDE, NOBODYS, PATHS
from tests.api.rooms import Question, Room, Route, ask, routes, two_rooms, with_own

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
