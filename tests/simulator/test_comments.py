"""Comments: reading, answering, hiding, deleting."""

import pytest

from tests.simulator.visitor import BAKER, POTTER, WALKER, Visitor

FIELDS = "id,text,timestamp,username,from,like_count,hidden,parent_id,replies{id,text},media,user"


async def a_comment(visitor: Visitor, text: str = "Lovely!") -> tuple[str, str]:
    post = await visitor.world("POST", "/media", username=BAKER, kind="IMAGE")
    said = await visitor.world("POST", "/comments", media_id=post["id"], text=text)
    return post["id"], said["id"]


@pytest.mark.parametrize(("login", "sides"), [("instagram", {"before", "after"}), ("facebook", {"after"})])
async def test_default_fields_order_and_paging(visitor: Visitor, login: str, sides: set[str]) -> None:
    token = await visitor.token(POTTER, login)
    post = await visitor.world("POST", "/media", username=POTTER, kind="IMAGE")
    for number in range(55):
        await visitor.world("POST", "/comments", media_id=post["id"], text=str(number))
    page = await visitor.get(token, f"/{post['id']}/comments", limit=80)
    assert len(page["data"]) == 50
    assert page["data"][0]["text"] == "54"
    assert set(page["data"][0]) == {"timestamp", "text", "id"}
    assert set(page["paging"]["cursors"]) == sides
    rest = (await visitor.http.get(page["paging"]["next"])).json()
    assert [one["text"] for one in rest["data"]] == ["4", "3", "2", "1", "0"]
    assert "next" not in rest.get("paging", {})
    assert ("paging" in rest) == (login == "instagram")


async def test_a_comment_by_somebody_else(visitor: Visitor) -> None:
    token = await visitor.token()
    media, comment = await a_comment(visitor)
    seen = await visitor.get(token, f"/{comment}", fields=FIELDS)
    assert seen["from"]["username"] == seen["username"] == "passing.stranger"
    assert seen["media"] == {"id": media}
    assert seen["hidden"] is False
    assert not {"user", "parent_id", "replies"} & set(seen)


async def test_answers_hang_below_the_top_comment(visitor: Visitor) -> None:
    token = await visitor.token()
    media, comment = await a_comment(visitor)
    reply = (await visitor.post(token, f"/{comment}/replies", message="Thanks"))["id"]
    second = (await visitor.post(token, f"/{reply}/replies", message="Again"))["id"]
    replies = (await visitor.get(token, f"/{comment}/replies"))["data"]
    assert [one["id"] for one in replies] == [second, reply]
    assert (await visitor.get(token, f"/{second}", fields="parent_id"))["parent_id"] == comment
    assert (await visitor.get(token, f"/{reply}", fields="user"))["user"] == {"id": await visitor.user_id()}
    assert [one["id"] for one in (await visitor.get(token, f"/{media}/comments"))["data"]] == [comment]
    assert (await visitor.get(token, f"/{media}", fields="comments_count"))["comments_count"] == 3
    assert [entry["effect"] for entry in await visitor.log() if "effect" in entry] == [
        f"comment:{reply}", f"comment:{second}",
    ]  # fmt: skip


async def test_hidden_comments_cannot_be_answered_and_own_ones_stay_visible(visitor: Visitor) -> None:
    token = await visitor.token()
    media, comment = await a_comment(visitor)
    assert await visitor.post(token, f"/{comment}", hide="true") == {"success": True}
    assert (await visitor.get(token, f"/{comment}", fields="hidden"))["hidden"] is True
    assert (await visitor.refused(token, f"/{comment}/replies", method="POST", message="x"))["code"] == 100
    await visitor.post(token, f"/{comment}", hide="false")
    own = (await visitor.post(token, f"/{media}/comments", message="mine"))["id"]
    await visitor.post(token, f"/{own}", hide="true")
    assert (await visitor.get(token, f"/{own}", fields="hidden"))["hidden"] is False


async def test_deleting_takes_the_replies_along_and_is_the_owners_right(visitor: Visitor) -> None:
    token, stranger = await visitor.token(), await visitor.token(WALKER)
    media, comment = await a_comment(visitor)
    reply = (await visitor.post(token, f"/{comment}/replies", message="Thanks"))["id"]
    assert (await visitor.refused(stranger, f"/{comment}", method="DELETE"))["error_subcode"] == 33
    answer = await visitor.ask(token, f"/{comment}", method="DELETE")
    assert answer.json() == {"success": True}
    assert (await visitor.refused(token, f"/{reply}"))["error_subcode"] == 33
    assert (await visitor.get(token, f"/{media}/comments")) == {"data": []}


async def test_fields_on_a_comment_write_the_comment_and_then_refuse(visitor: Visitor) -> None:
    token = await visitor.token()
    media, _ = await a_comment(visitor)
    error = await visitor.refused(token, f"/{media}/comments", method="POST", message="once", fields="id")
    assert (error["code"], error["error_subcode"]) == (20, 1772107)
    texts = [one["text"] for one in (await visitor.get(token, f"/{media}/comments"))["data"]]
    assert texts == ["once", "Lovely!"]
    assert (await visitor.refused(token, f"/{media}/comments", method="POST", message=" "))["code"] == 100


async def test_comments_can_be_switched_off(visitor: Visitor) -> None:
    token = await visitor.token()
    media, _ = await a_comment(visitor)
    assert await visitor.post(token, f"/{media}", comment_enabled="false") == {"success": True}
    assert (await visitor.get(token, f"/{media}", fields="is_comment_enabled"))["is_comment_enabled"] is False


async def test_a_mention_is_answered_on_the_other_account(visitor: Visitor) -> None:
    token = await visitor.token(WALKER)
    post = await visitor.world("POST", "/media", username=BAKER, kind="IMAGE", caption=f"@{WALKER} was here")
    said = await visitor.post(token, "/me/mentions", media_id=post["id"], message="I was")
    seen = await visitor.get(await visitor.token(), f"/{said['id']}", fields="username")
    assert seen["username"] == WALKER
