"""Team and keys in the console: who may do what, secrets that are shown once, and rooms that stay apart."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx2

from tests.api.test_console_signing import PASSWORD, first_user, form_token
from tests.served import Served, served
from tests.trust import NOBODY
from tintype.core.access import Grant, Role

OTHER = "other@example.com"


@asynccontextmanager
async def member(house: Served, role: Role | None) -> AsyncGenerator[httpx2.AsyncClient]:
    """Yield the browser of one more user; with a role they also have a place in the first user's workspace."""
    users = house.house.users
    user_id = await users.add(OTHER, PASSWORD)
    async with httpx2.AsyncClient(base_url=house.client.base_url, timeout=30, verify=NOBODY) as client:
        client.cookies.set("tintype", await house.house.browsing.admit(user_id, "a test"))
        if role is not None:
            first = await users.person((await users.find("first@example.com")).id)
            await house.house.members.place(first.seats[0].workspace.id, user_id, role)
            form = {"form_token": await form_token(client), "workspace": first.seats[0].workspace.id}
            assert (await client.post("/console/workspace", data=form)).status_code == 303
        yield client


async def test_a_token_is_shown_once_opens_the_feed_and_is_revoked() -> None:
    async with served() as house:
        token = await first_user(house)
        form = {"form_token": token, "label": "website", "grant": "workspace"}
        made = await house.client.post("/console/team/tokens", data=form)
        secret = re.search(r'<code id="issued">([^<]+)</code>', made.text)
        assert secret
        assert secret[1] not in (await house.client.get("/console/team")).text
        headers = {"Authorization": f"Bearer {secret[1]}"}
        assert (await house.client.get("/photos", headers=headers)).status_code == 200
        caller = await house.house.access.who(secret[1], Grant.WORKSPACE)
        path = f"/console/team/tokens/{caller.credential_id}/revoke"
        assert (await house.client.post(path, data={"form_token": token})).status_code == 303
        assert (await house.client.get("/photos", headers=headers)).status_code == 401
        log = (await house.client.get("/console/team/log")).text
        assert "token.issued" in log
        assert "token.revoked" in log


async def test_a_viewer_looks_and_an_editor_does_not_own() -> None:
    async with served() as house:
        await first_user(house)
        async with member(house, Role.VIEWER) as client:
            token = await form_token(client)
            assert (await client.get("/console/accounts")).status_code == 200
            assert (await client.get("/console/system")).status_code == 403
            connect = await client.post("/console/accounts/connect", data={"form_token": token, "login": "instagram"})
            issue = await client.post("/console/team/tokens", data={"form_token": token, "grant": "workspace"})
            assert (connect.status_code, issue.status_code) == (403, 403)
            assert "Make a token" not in (await client.get("/console/team")).text


async def test_nobody_reaches_into_another_workspace() -> None:
    async with served() as house:
        await first_user(house)
        users, access = house.house.users, house.house.access
        first = await users.person((await users.find("first@example.com")).id)
        issued = await access.issue(first.seats[0].workspace.id, Grant.FEED)
        async with member(house, None) as client:
            token = await form_token(client)
            revoke = await client.post(
                f"/console/team/tokens/{issued.credential.id}/revoke", data={"form_token": token}
            )
            choose = await client.post(
                "/console/workspace", data={"form_token": token, "workspace": first.seats[0].workspace.id}
            )
            drop = await client.post(f"/console/team/members/{first.user.id}/remove", data={"form_token": token})
        assert (revoke.status_code, choose.status_code, drop.status_code) == (404, 404, 404)
        assert (await access.who(issued.secret, Grant.FEED)).workspace_id == first.seats[0].workspace.id


async def test_pages_have_a_strict_policy_and_are_never_kept() -> None:
    async with served() as house:
        await first_user(house)
        for path in (
            "/",
            "/signin",
            "/console",
            "/console/accounts",
            "/console/team",
            "/console/me",
            "/console/system",
        ):
            answer = await house.client.get(path, follow_redirects=True)
            policy = answer.headers["content-security-policy"]
            assert answer.status_code == 200
            assert "unsafe" not in policy
            assert "script-src 'self'" in policy
            assert answer.headers["cache-control"] == "no-store"
            assert "style=" not in answer.text


async def test_somebody_who_is_invited_comes_in_by_the_link() -> None:
    async with served() as house:
        token = await first_user(house)
        form = {"form_token": token, "email": OTHER, "role": "editor"}
        page = await house.client.post("/console/team/members", data=form)
        link = re.search(r'<code id="invited">[^<]*(/welcome/to/[^<]+)</code>', page.text)
        assert link
        async with httpx2.AsyncClient(base_url=house.client.base_url, timeout=30, verify=NOBODY) as client:
            wrong = await client.post(link[1], data={"email": "else@example.com", "password": PASSWORD})
            assert wrong.status_code == 400
            assert (await client.post(link[1], data={"email": OTHER, "password": PASSWORD})).status_code == 303
            assert "first" in (await client.get("/console")).text
            again = await client.post(link[1], data={"email": OTHER, "password": PASSWORD})
            assert again.status_code == 400


async def test_one_more_workspace_is_made_and_looked_at() -> None:
    async with served() as house:
        token = await first_user(house)
        made = await house.client.post("/console/workspaces", data={"form_token": token, "name": "Second room"})
        assert made.status_code == 303
        assert "<h1>Second room</h1>" in (await house.client.get("/console")).text
        short = await house.client.post("/console/workspaces", data={"form_token": token, "name": "x"})
        assert short.status_code == 400


async def test_a_token_says_when_it_was_last_used() -> None:
    async with served() as house:
        token = await first_user(house)
        secrets = dict[str, str]()
        for label, grant in (("shop", "workspace"), ("site", "feed")):
            form = {"form_token": token, "label": label, "grant": grant}
            made = await house.client.post("/console/team/tokens", data=form)
            secrets[label] = made.text.partition('<code id="issued">')[2].partition("<")[0]
            assert last_use(made.text, label) == "not yet"
        await house.client.get("/photos", headers={"Authorization": f"Bearer {secrets['shop']}"})
        await house.client.get("/photos", headers={"Authorization": "Bearer of something else"})
        await house.house.access.uses.close()
        page = (await house.client.get("/console/team")).text
        assert (last_use(page, "shop"), last_use(page, "site")) == ("known", "not yet")
        assert (await house.client.get(f"/feeds/{secrets['site']}.json")).status_code == 200
        await house.house.access.uses.close()
        assert last_use((await house.client.get("/console/team")).text, "site") == "known"


async def test_a_read_does_not_wait_for_its_note() -> None:
    async with served() as house:
        workspace, token = await house.house.access.register("Bakery")
        async with house.house.backends.database.write() as connection:
            await connection.exec_driver_sql("UPDATE credentials SET label = 'held'")
            answer = await house.client.get("/photos", headers={"Authorization": f"Bearer {token.secret}"})
            assert answer.status_code == 200
            assert (await house.house.access.credentials(workspace.id))[0].used_at is None
        await house.house.access.uses.close()
        assert (await house.house.access.credentials(workspace.id))[0].used_at is not None


def last_use(page: str, label: str) -> str:
    """Return whether the table of tokens shows a moment, or what it says instead."""
    row = page.partition(f'<td data-label="Label">{label}</td>')[2].partition("</tr>")[0]
    cell = row.partition('<td data-label="Last used">')[2].partition("</td>")[0]
    return "known" if re.match(r'<time datetime="\d{4}-', cell) else cell
