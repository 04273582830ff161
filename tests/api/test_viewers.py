"""Who may only look changes nothing, with a token that was given out when he could or by a browser: every route is asked."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

import pytest

from tests.api.questions import BESIDE, PATHS
from tests.api.rooms import Question, Room, Route, Things, ask, two_rooms, with_own
from tintype.core.access import Role

SNS = "/api/sns/instagram"
CHANGE_NOTHING = {("POST", f"{SNS}/posts/validate"), ("POST", "/console/workspace")}
UNNAMED = [
    (("POST", f"{SNS}/uploads"), Question("user", raw=b"a picture")),
    (("POST", f"{SNS}/posts/import"), Question("user", raw=b"account,image_url")),
    (("GET", f"{SNS}/oauth/authorize"), Question("user")),
    (("POST", "/api/apps"), Question("user", body={"name": "mine now"})),
]
ASKED = [
    (route, question)
    for route, question in (*PATHS.items(), *((route, question) for _, route, question in BESIDE), *UNNAMED)
    if question.who in ("user", "token", "browser")
    and route not in CHANGE_NOTHING
    and (route[0] not in ("GET", "OPTIONS") or (route, question) in UNNAMED)
]


@dataclass(frozen=True, slots=True)
class Looking:
    """A room whose owner may only look since, and what is in it."""

    room: Room
    own: Things


@pytest.fixture(scope="module")
async def looking(anyio_backend: str) -> AsyncGenerator[Looking]:
    del anyio_backend
    async with two_rooms() as (room, _):
        own = await room.things()
        members = room.team.stage.house.members
        await members.place(room.id, room.colleague, Role.OWNER)
        await members.place(room.id, room.team.who.id, Role.VIEWER)
        yield Looking(room, own)


def test_there_is_something_to_ask() -> None:
    assert len(ASKED) > 50


@pytest.mark.parametrize(("route", "question"), ASKED, ids=[" ".join(route) for route, _ in ASKED])
async def test_a_viewer_may_not(looking: Looking, route: Route, question: Question) -> None:
    who = "browser" if question.who == "browser" else "user"
    way = with_own(replace(question, who=who), looking.own)
    answer = await ask(looking.room, looking.own, looking.own, route, way)
    assert answer.status_code == 403, answer.text
