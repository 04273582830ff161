"""Workspaces with several members: who may look, change and leave, and who learns nothing."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import httpx2
import pytest

from tests.api.people import DATABASES, PASSWORD, Someone, house_of_people, refused, someone, stranger
from tests.walks.stage import Stage
from tintype.core.access import Role
from tintype.errors import Forbidden


@pytest.fixture(scope="module", params=DATABASES)
async def stage(request: pytest.FixtureRequest) -> AsyncGenerator[Stage]:
    async with house_of_people(request.param) as one:
        yield one


@pytest.fixture
async def ann(stage: Stage) -> Someone:
    return await someone(stage, name="Ann")


def room(who: Someone, tail: str = "") -> str:
    return f"/workspaces/{who.workspace_id}/members{tail}"


async def add(owner: Someone, who: Someone, role: str) -> httpx2.Response:
    return await owner.ask("POST", room(owner), {"email": who.email, "role": role})


async def joined(owner: Someone, role: str) -> Someone:
    """Somebody who has a place in another's workspace, too."""
    who = await someone(owner.stage)
    assert (await add(owner, who, role)).status_code == 201
    return who


async def test_everybody_owns_a_workspace_of_their_own(ann: Someone) -> None:
    (only,) = (await ann.ask("GET", "/workspaces")).json()
    assert set(only) == {"id", "name", "role", "created_at"}
    assert (only["id"], only["role"]) == (ann.workspace_id, "owner")
    (member,) = (await ann.ask("GET", room(ann))).json()
    assert set(member) == {"id", "email", "name", "role", "since"}
    assert (member["id"], member["role"]) == (ann.id, "owner")


async def test_one_may_own_more(ann: Someone) -> None:
    answer = await ann.ask("POST", "/workspaces", {"name": "Second"}, **{"idempotency-key": ann.email})
    again = await ann.ask("POST", "/workspaces", {"name": "Second"}, **{"idempotency-key": ann.email})
    assert answer.status_code == again.status_code == 201
    assert answer.json() == again.json()
    second = answer.json()["id"]
    assert [one["id"] for one in (await ann.ask("GET", "/workspaces")).json()] == [ann.workspace_id, second]
    me = await ann.me(**{"x-workspace": second})
    assert (me.json()["workspace_id"], me.json()["role"]) == (second, "owner")
    refused(await ann.ask("POST", "/workspaces", {"name": "ab"}), 400, "invalid")
    refused(await ann.ask("POST", "/workspaces", {}), 400, "invalid")


async def test_a_user_gets_a_place_at_once(ann: Someone) -> None:
    bob = await someone(ann.stage)
    answer = await add(ann, bob, "editor")
    assert answer.status_code == 201
    assert answer.json().items() >= {"id": bob.id, "email": bob.email, "role": "editor"}.items()
    me = (await bob.me(**{"x-workspace": ann.workspace_id})).json()
    assert (me["role"], me["workspace_id"]) == ("editor", ann.workspace_id)
    assert {one["id"] for one in me["workspaces"]} == {ann.workspace_id, bob.workspace_id}
    refused(await add(ann, bob, "viewer"), 409, "conflict")
    refused(await ann.ask("POST", room(ann), {"email": bob.email, "role": "king"}), 400, "invalid")
    refused(await ann.ask("POST", room(ann), {"email": "nobody", "role": "viewer"}), 400, "invalid")


@pytest.mark.parametrize("role", ["viewer", "editor"])
async def test_only_owners_decide_about_members(ann: Someone, role: str) -> None:
    bob = await joined(ann, role)
    assert (await bob.ask("GET", room(ann))).status_code == 200
    for method, tail, body in (
        ("POST", "", {"email": "new@example.com", "role": "viewer"}),
        ("PATCH", f"/{bob.id}", {"role": "owner"}),
        ("DELETE", f"/{ann.id}", None),
    ):
        said = refused(await bob.ask(method, room(ann, tail), body), 403, "forbidden")
        assert said == f"this needs the role owner; yours in this workspace is {role}"


async def test_a_viewer_may_not_do_what_editors_do(ann: Someone) -> None:
    bob = await joined(ann, "viewer")
    users = ann.stage.house.users
    caller = await users.who(bob.access, ann.workspace_id)
    with pytest.raises(Forbidden, match="needs the role editor"):
        caller.must(Role.EDITOR)
    await ann.ask("PATCH", room(ann, f"/{bob.id}"), {"role": "editor"})
    (await users.who(bob.access, ann.workspace_id)).must(Role.EDITOR)


async def test_another_role_counts_at_once(ann: Someone) -> None:
    bob = await joined(ann, "owner")
    assert (await bob.ask("PATCH", room(ann, f"/{ann.id}"), {"role": "viewer"})).json() == {
        "id": ann.id,
        "role": "viewer",
    }
    assert (await ann.me()).json()["role"] == "viewer"
    refused(await add(ann, bob, "viewer"), 403, "forbidden")


async def test_whoever_is_put_out_is_out_at_once(ann: Someone) -> None:
    bob = await joined(ann, "editor")
    renewed = await bob.renew(**{"x-workspace": ann.workspace_id})
    bob.take(renewed.json())
    assert bob.workspace_id == ann.workspace_id
    assert (await bob.me()).status_code == 200
    answer = await ann.ask("DELETE", room(ann, f"/{bob.id}"))
    assert (answer.status_code, answer.json()) == (200, {"message": "Member removed"})
    assert "not a member of this token's workspace" in refused(await bob.me(), 403, "forbidden")
    refused(await bob.me(**{"x-workspace": ann.workspace_id}), 404, "not_found")
    bob.take((await bob.renew()).json())
    assert bob.workspace_id != ann.workspace_id
    assert (await bob.me()).status_code == 200


async def test_one_may_leave(ann: Someone) -> None:
    bob = await joined(ann, "viewer")
    assert (await bob.ask("DELETE", room(ann, f"/{bob.id}"))).status_code == 200
    refused(await bob.ask("GET", room(ann)), 404, "not_found")


async def test_the_last_owner_stays(ann: Someone) -> None:
    await joined(ann, "editor")
    refused(await ann.ask("DELETE", room(ann, f"/{ann.id}")), 409, "conflict")
    refused(await ann.ask("PATCH", room(ann, f"/{ann.id}"), {"role": "viewer"}), 409, "conflict")
    assert (await ann.ask("PATCH", room(ann, f"/{ann.id}"), {"role": "owner"})).status_code == 200


async def test_of_two_owners_who_leave_at_once_one_stays(ann: Someone) -> None:
    bob = await joined(ann, "owner")
    answers = await asyncio.gather(*(who.ask("DELETE", room(ann, f"/{who.id}")) for who in (ann, bob)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


@pytest.mark.parametrize("user_id", ["0", "99999999", "9" * 30, "-1"])
async def test_nobody_is_no_member(ann: Someone, user_id: str) -> None:
    refused(await ann.ask("DELETE", room(ann, f"/{user_id}")), 404, "not_found")
    refused(await ann.ask("PATCH", room(ann, f"/{user_id}"), {"role": "viewer"}), 404, "not_found")


async def test_strangers_learn_nothing_of_a_workspace(ann: Someone) -> None:
    eve = await someone(ann.stage)
    nowhere = "0f8fad5b-d9cb-469f-a165-70867728950e"
    for method, tail, body in (
        ("GET", "", None),
        ("POST", "", {"email": "x@example.com", "role": "viewer"}),
        ("PATCH", f"/{ann.id}", {"role": "viewer"}),
        ("DELETE", f"/{ann.id}", None),
    ):
        real = await eve.ask(method, room(ann, tail), body)
        made_up = await eve.ask(method, f"/workspaces/{nowhere}/members{tail}", body)
        assert refused(real, 404, "not_found").replace(ann.workspace_id, nowhere) == refused(made_up, 404, "not_found")
    refused(await eve.me(**{"x-workspace": ann.workspace_id}), 404, "not_found")
    refused(await eve.renew(**{"x-workspace": ann.workspace_id}), 404, "not_found")
    assert (await eve.renew()).status_code == 200


async def test_a_workspaces_own_token_speaks_for_its_owner(stage: Stage, ann: Someone) -> None:
    member = await stage.member()
    tool = Someone(stage, "", ann.address, access=member.key, workspace_id=member.workspace_id)
    assert [one["id"] for one in (await tool.ask("GET", "/workspaces")).json()] == [member.workspace_id]
    assert (await add(tool, ann, "editor")).status_code == 201
    refused(await tool.ask("GET", room(ann)), 404, "not_found")
    refused(await tool.ask("POST", "/workspaces", {"name": "More"}), 403, "forbidden")


async def test_an_invitation_lets_in_once(ann: Someone) -> None:
    bob = stranger(ann.stage)
    answer = await add(ann, bob, "editor")
    assert answer.status_code == 201
    invited = answer.json()
    assert set(invited) == {"email", "role", "invitation", "expires_at"}
    body = {"email": bob.email, "password": PASSWORD, "invitation": invited["invitation"]}
    eve = stranger(ann.stage)
    stolen = await eve.post("/register", {**body, "email": eve.email})
    assert "invitation" in refused(stolen, 401, "unauthorized")
    bob.take((await bob.post("/register", body)).json())
    assert bob.workspace_id == ann.workspace_id
    me = (await bob.me()).json()
    assert me["role"] == "editor"
    assert [one["role"] for one in me["workspaces"]] == ["editor", "owner"]
    other = stranger(ann.stage)
    refused(await other.post("/register", {**body, "email": other.email}), 401, "unauthorized")


async def test_a_newer_invitation_ends_the_older_one(ann: Someone) -> None:
    bob = stranger(ann.stage)
    old, new = [(await add(ann, bob, role)).json()["invitation"] for role in ("owner", "viewer")]
    body = {"email": bob.email, "password": PASSWORD}
    refused(await bob.post("/register", {**body, "invitation": old}), 401, "unauthorized")
    bob.take((await bob.post("/register", {**body, "invitation": new})).json())
    assert (await bob.me()).json()["role"] == "viewer"


async def test_an_invitation_ends_after_a_week(ann: Someone) -> None:
    bob = stranger(ann.stage)
    invited = (await add(ann, bob, "editor")).json()["invitation"]
    ann.stage.skip(timedelta(days=7, minutes=1))
    answer = await bob.post("/register", {"email": bob.email, "password": PASSWORD, "invitation": invited})
    refused(answer, 401, "unauthorized")
    assert (await bob.post("/register", {"email": bob.email, "password": PASSWORD})).status_code == 201


async def test_a_removed_workspace_is_nobodys(ann: Someone) -> None:
    bob = await joined(ann, "editor")
    cat = stranger(ann.stage)
    invited = (await add(ann, cat, "editor")).json()["invitation"]
    await ann.stage.house.access.remove(ann.workspace_id)
    refused(await bob.ask("GET", room(ann)), 404, "not_found")
    refused(await ann.me(), 403, "forbidden")
    body = {"email": cat.email, "password": PASSWORD, "invitation": invited}
    refused(await cat.post("/register", body), 401, "unauthorized")
