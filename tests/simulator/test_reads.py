"""Reads: fields, defaults, paging, addresses, and what must stay hidden."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.simulator.visitor import BAKER, HARBOUR, OWN, POTTER, PRIVATE, WALKER, Visitor

EVERY_FIELD = (
    "id,caption,media_type,media_product_type,media_url,thumbnail_url,permalink,shortcode,timestamp,username,owner,like_count,"
    "comments_count,children{id},is_comment_enabled,is_shared_to_feed,alt_text,is_ai_generated"
)


async def test_only_the_id_without_fields_and_always_the_id(visitor: Visitor) -> None:
    token = await visitor.token()
    page = await visitor.get(token, "/me/media")
    assert all(set(post) == {"id"} for post in page["data"])
    post = await visitor.get(token, f"/{page['data'][0]['id']}", fields="media_type")
    assert set(post) == {"media_type", "id"}
    assert set(await visitor.get(token, "/me")) == {"id"}


async def test_pages_hold_25_unless_asked_and_at_most_100(visitor: Visitor) -> None:
    await visitor.world("POST", "/people", username="busy.one", media=130)
    token = await visitor.token("busy.one")
    assert len((await visitor.get(token, "/me/media"))["data"]) == 25
    assert len((await visitor.get(token, "/me/media", limit=7))["data"]) == 7
    assert len((await visitor.get(token, "/me/media", limit=500))["data"]) == 100
    assert (await visitor.refused(token, "/me/media", limit="some"))["code"] == 100


async def test_next_leads_through_everything_once_and_previous_leads_back(visitor: Visitor) -> None:
    token = await visitor.token()
    page = await visitor.get(token, "/v25.0/me/media", fields="id,timestamp,children{id,media_type}", limit=20)
    first, seen = page, [post["id"] for post in page["data"]]
    assert "previous" not in page["paging"]
    while "next" in page["paging"]:
        following: str = page["paging"]["next"]
        query = parse_qs(urlsplit(following).query)
        assert following.startswith(f"{OWN}/v25.0/{await visitor.user_id()}/media?access_token=")
        assert query["pretty"] == ["0"]
        assert query["fields"] == ["id,timestamp,children{id,media_type}"]
        assert query["after"] == [page["paging"]["cursors"]["after"]]
        page = (await visitor.http.get(following)).json()
        seen += [post["id"] for post in page["data"]]
    assert len(seen) == len(set(seen)) == 64
    assert set(page["paging"]) == {"cursors", "previous"}
    back = (await visitor.http.get(page["paging"]["previous"])).json()
    assert back["data"][-1]["id"] == seen[59]
    assert first["paging"]["cursors"]["before"].startswith("QVFI")


async def test_cursors_fit_only_their_own_list(visitor: Visitor) -> None:
    baker, walker = await visitor.token(BAKER), await visitor.token(WALKER)
    after = (await visitor.get(baker, "/me/media"))["paging"]["cursors"]["after"]
    assert (await visitor.refused(walker, "/me/media", after=after))["code"] == 100
    assert (await visitor.refused(baker, "/me/stories", after=after))["code"] == 100
    assert (await visitor.refused(baker, "/me/media", after="QVFIabcZD"))["code"] == 100


async def test_a_cursor_survives_the_deletion_of_its_post(visitor: Visitor) -> None:
    token = await visitor.token()
    everything = [post["id"] for post in (await visitor.get(token, "/me/media", limit=100))["data"]]
    page = await visitor.get(token, "/me/media", limit=10)
    await visitor.world("DELETE", f"/media/{everything[9]}")
    rest = await visitor.get(token, "/me/media", limit=3, after=page["paging"]["cursors"]["after"])
    assert len(rest["data"]) == 3
    assert {one["id"] for one in rest["data"]} <= set(everything[10:])


async def test_since_and_until_cut_the_list(visitor: Visitor) -> None:
    token = await visitor.token()
    posts = (await visitor.get(token, "/me/media", fields="timestamp", limit=100))["data"]
    border = posts[10]["timestamp"].replace("+0000", "+00:00")
    newer = (await visitor.get(token, "/me/media", fields="timestamp", since=border, limit=100))["data"]
    assert [post["id"] for post in newer] == [post["id"] for post in posts[:11]]
    older = (await visitor.get(token, "/me/media", until=border, limit=100))["data"]
    assert [post["id"] for post in older] == [post["id"] for post in posts[10:]]
    assert (await visitor.refused(token, "/me/media", since="some day"))["code"] == 100


async def test_nobody_elses_media_can_be_read(visitor: Visitor) -> None:
    baker, walker, meta = (
        await visitor.token(BAKER),
        await visitor.token(WALKER),
        await visitor.token(POTTER, "facebook"),
    )
    media = (await visitor.get(baker, "/me/media"))["data"][0]["id"]
    for token, kind in ((walker, "IGApiException"), (meta, "GraphMethodException")):
        error = await visitor.refused(token, f"/{media}", fields="caption")
        assert (error["code"], error["error_subcode"], error["type"]) == (100, 33, kind)
        assert f"Object with ID '{media}' does not exist" in error["message"]
    assert (await visitor.refused(walker, f"/{await visitor.user_id(BAKER)}/media"))["error_subcode"] == 33
    assert (await visitor.refused(walker, "/not-an-id"))["code"] == 803


@pytest.mark.parametrize(
    ("login", "path", "field"),
    [
        ("instagram", "/me", "is_published"),
        ("instagram", "/{media}", "ig_id"),
        ("instagram", "/{media}", "nonsense"),
        ("facebook", "/{id}", "account_type"),
        ("facebook", "/{id}", "user_id"),
    ],
)
async def test_a_field_that_is_not_there_is_named(visitor: Visitor, login: str, path: str, field: str) -> None:
    token, user_id = await visitor.token(POTTER, login), await visitor.user_id(POTTER)
    media = (await visitor.get(token, f"/{user_id}/media"))["data"][0]["id"]
    error = await visitor.refused(token, path.format(id=user_id, media=media), fields=f"id,{field}")
    assert error["message"] == f"(#100) Tried accessing nonexisting field ({field})"


async def test_ids_asks_several_at_once(visitor: Visitor) -> None:
    token = await visitor.token()
    wanted = [post["id"] for post in (await visitor.get(token, "/me/media", limit=3))["data"]]
    found = await visitor.get(token, "/", ids=",".join(wanted), fields="media_type")
    assert list(found) == wanted
    assert all(set(post) == {"id", "media_type"} for post in found.values())


async def test_fields_by_kind_of_post(visitor: Visitor) -> None:
    token = await visitor.token()
    posts = (await visitor.get(token, "/me/media", fields=EVERY_FIELD, limit=100))["data"]
    for post in posts:
        assert ("thumbnail_url" in post) == (post["media_type"] == "VIDEO")
        assert ("is_shared_to_feed" in post) == (post["media_product_type"] == "REELS")
        assert ("children" in post) == (post["media_type"] == "CAROUSEL_ALBUM")
        kind = "reel" if post["media_product_type"] == "REELS" else "p"
        assert post["permalink"] == f"https://www.instagram.com/{kind}/{post['shortcode']}/"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0000", post["timestamp"])
        assert post["owner"] == {"id": await visitor.user_id()}
        assert isinstance(post["like_count"], int)


async def test_children_have_no_caption_and_no_counts(visitor: Visitor) -> None:
    token = await visitor.token()
    posts = (await visitor.get(token, "/me/media", fields=f"children{{{EVERY_FIELD}}}", limit=100))["data"]
    children = [child for post in posts for child in post.get("children", {"data": []})["data"]]
    assert children
    hidden = {"caption", "like_count", "comments_count", "is_comment_enabled", "media_product_type"}
    assert not any(hidden & set(child) for child in children)
    assert all({"media_url", "permalink", "shortcode", "timestamp"} <= set(child) for child in children)
    edge = await visitor.get(token, f"/{posts[1]['id']}/children", fields="media_type")
    assert [child["id"] for child in edge["data"]] == [child["id"] for child in posts[1]["children"]["data"]]


async def test_media_addresses_follow_the_host_that_was_asked(visitor: Visitor) -> None:
    token = await visitor.token()
    own = await visitor.get(token, "/me/media", fields="media_url", limit=1)
    theirs = await visitor.get(token, "/me/media", fields="media_url", limit=1, host="graph.instagram.com")
    assert own["data"][0]["media_url"].startswith(OWN + "/")
    media_url: str = theirs["data"][0]["media_url"]
    address = urlsplit(media_url)
    assert re.fullmatch(r"scontent-[a-z0-9-]+\.cdninstagram\.com", address.netloc)
    assert re.fullmatch(r"[0-9A-F]{8}", parse_qs(address.query)["oe"][0])
    assert theirs["paging"]["next"].startswith("https://graph.instagram.com/")
    picture = await visitor.http.get(f"{address.path}?{address.query}", headers={"host": address.netloc})
    assert picture.status_code == 200
    assert (await visitor.http.get(own["data"][0]["media_url"])).content == picture.content


async def test_media_addresses_expire_with_the_worlds_clock(visitor: Visitor) -> None:
    token = await visitor.token()
    media = await visitor.world("POST", "/media", username=BAKER, kind="IMAGE", width=320, height=320)
    await visitor.world("POST", "/clock", advance_seconds=4 * 86400 + 1)
    late = await visitor.http.get(media["media_url"])
    assert (late.status_code, late.text) == (403, "URL signature expired")
    fresh = await visitor.get(token, f"/{media['id']}", fields="media_url")
    assert (await visitor.http.get(fresh["media_url"])).status_code == 200


async def test_the_account_as_both_logins_see_it(visitor: Visitor) -> None:
    shared = "username,name,biography,website,profile_picture_url,followers_count,follows_count,media_count"
    instagram = await visitor.get(await visitor.token(POTTER), "/me", fields=f"{shared},user_id,account_type")
    meta = await visitor.get(
        await visitor.token(POTTER, "facebook"), f"/{instagram['user_id']}", fields=f"{shared},ig_id"
    )
    assert meta["id"] == instagram["user_id"]
    assert {name: meta[name] for name in shared.split(",")} == {name: instagram[name] for name in shared.split(",")}
    by_either = [await visitor.get(await visitor.token(POTTER), f"/{instagram[key]}") for key in ("id", "user_id")]
    assert by_either[0] == by_either[1]


async def test_an_account_without_posts_answers_with_an_empty_list(visitor: Visitor) -> None:
    assert await visitor.get(await visitor.token(HARBOUR), "/me/media", fields="id") == {"data": []}


async def test_headers_of_every_answer(visitor: Visitor) -> None:
    token = await visitor.token()
    answer = await visitor.ask(token, "/v24.0/me")
    assert answer.headers["facebook-api-version"] == "v24.0"
    assert answer.headers["content-type"] == "application/json; charset=UTF-8"
    assert answer.headers["x-fb-trace-id"]
    usage = json.loads(answer.headers["x-business-use-case-usage"])
    (row,) = usage[await visitor.user_id()]
    assert row["type"] == "instagram"
    assert set(row) == {"type", "call_count", "total_cputime", "total_time", "estimated_time_to_regain_access"}
    assert set(json.loads(answer.headers["x-app-usage"])) == {"call_count", "total_time", "total_cputime"}
    assert (await visitor.ask(token, "/v20.0/me")).headers["facebook-api-version"] == "v21.0"
    assert (await visitor.ask(token, "/me")).headers["facebook-api-version"] == "v21.0"
    assert (await visitor.ask(token, "/v26.0/nonsense")).headers["facebook-api-version"] == "v26.0"


@pytest.mark.parametrize(("setting", "code"), [("business_usage", 80002), ("app_usage", 4)])
async def test_usage_is_shown_and_throttles_at_100_percent(visitor: Visitor, setting: str, code: int) -> None:
    header = {"business_usage": "x-business-use-case-usage", "app_usage": "x-app-usage"}[setting]
    await visitor.world("POST", "/reset", **{"seed": 7, setting: 93})
    answer = await visitor.ask(await visitor.token(), "/me")
    assert '"call_count":93' in answer.headers[header]
    await visitor.world("POST", "/reset", **{"seed": 7, setting: 100})
    answer = await visitor.ask(await visitor.token(), "/me")
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)
    assert '"call_count":100' in answer.headers[header]


async def test_calls_are_counted_and_forgotten_after_their_time(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, app_calls_per_hour=4)
    token = await visitor.token()
    statuses = [(await visitor.ask(token, "/me")).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 400]
    await visitor.world("POST", "/clock", advance_seconds=3601)
    assert (await visitor.ask(token, "/me")).status_code == 200


async def test_business_discovery(visitor: Visitor) -> None:
    token, own = await visitor.token(POTTER, "facebook"), await visitor.user_id(POTTER)
    inner = (
        "id,username,followers_count,media_count,media.limit(9){id,media_product_type,view_count,like_count,permalink}"
    )
    found = await visitor.get(token, f"/{own}", fields=f"business_discovery.username({BAKER}){{{inner}}}")
    target = found["business_discovery"]
    assert found["id"] == own
    assert (target["username"], target["media_count"]) == (BAKER, 64)
    assert set(target["media"]["paging"]) == {"cursors"}
    assert all(("view_count" in post) == (post["media_product_type"] == "REELS") for post in target["media"]["data"])
    after = target["media"]["paging"]["cursors"]["after"]
    second = await visitor.get(
        token, f"/{own}", fields=f"business_discovery.username({BAKER}){{media.limit(9).after({after}){{id}}}}"
    )
    first_ids = {post["id"] for post in target["media"]["data"]}
    assert first_ids.isdisjoint({post["id"] for post in second["business_discovery"]["media"]["data"]})
    for nobody in ("not.there", PRIVATE):
        error = await visitor.refused(token, f"/{own}", fields=f"business_discovery.username({nobody}){{id}}")
        assert (error["code"], error["error_subcode"]) == (110, 2207013)
    assert (await visitor.refused(token, f"/{next(iter(first_ids))}"))["error_subcode"] == 33


async def test_mentions_and_tags(visitor: Visitor) -> None:
    token, own = await visitor.token(POTTER, "facebook"), await visitor.user_id(POTTER)
    post = await visitor.world("POST", "/media", username=BAKER, kind="IMAGE", caption=f"with @{POTTER} today")
    fields = f"mentioned_media.media_id({post['id']}){{caption,media_type,username}}"
    found = await visitor.get(token, f"/{own}", fields=fields)
    assert found["mentioned_media"]["username"] == BAKER
    assert [one["id"] for one in (await visitor.get(token, f"/{own}/tags"))["data"]] == [post["id"]]
    said = await visitor.world("POST", "/comments", media_id=post["id"], text=f"@{POTTER} look")
    fields = f"mentioned_comment.comment_id({said['id']}){{text,username}}"
    assert (await visitor.get(token, f"/{own}", fields=fields))["mentioned_comment"]["text"] == f"@{POTTER} look"
    instagram = await visitor.token(POTTER)
    assert (await visitor.refused(instagram, "/me/tags"))["code"] == 100
    await visitor.world("POST", "/reset", seed=7, tags_for_instagram_login=True)
    assert (await visitor.get(await visitor.token(POTTER), "/me/tags")) == {"data": []}


async def test_hashtags(visitor: Visitor) -> None:
    await visitor.world("POST", "/reset", seed=7, hashtag_max=2)
    token, own = await visitor.token(POTTER, "facebook"), await visitor.user_id(POTTER)
    await visitor.world("POST", "/media", username=BAKER, kind="IMAGE", caption="one #Uno two #dos three #tres")
    (tag,) = (await visitor.get(token, "/ig_hashtag_search", user_id=own, q="uno"))["data"]
    assert await visitor.get(token, f"/{tag['id']}", fields="name") == {"id": tag["id"], "name": "uno"}
    recent = await visitor.get(token, f"/{tag['id']}/recent_media", user_id=own, fields="id,caption,like_count")
    assert "#Uno" in recent["data"][0]["caption"]
    assert (await visitor.refused(token, f"/{tag['id']}/top_media", user_id=own, fields="owner"))["code"] == 100
    await visitor.get(token, "/ig_hashtag_search", user_id=own, q="dos")
    await visitor.get(token, "/ig_hashtag_search", user_id=own, q="uno")
    error = await visitor.refused(token, "/ig_hashtag_search", user_id=own, q="tres")
    assert (error["code"], error["error_subcode"]) == (18, 2207034)
    error = await visitor.refused(token, "/ig_hashtag_search", user_id=own, q="neverused")
    assert (error["code"], error["error_subcode"]) == (24, 2207024)
    searched = await visitor.get(token, f"/{own}/recently_searched_hashtags", fields="name")
    assert {one["name"] for one in searched["data"]} == {"uno", "dos"}


async def test_batches_answer_each_call_by_itself(visitor: Visitor) -> None:
    token = await visitor.token()
    calls = [
        {"method": "GET", "relative_url": "v25.0/me?fields=username"},
        {"method": "GET", "relative_url": "me?fields=nope"},
    ]
    form = {"batch": json.dumps(calls), "access_token": token, "include_headers": "false"}
    answers: list[dict[str, Any]] = (await visitor.http.post("/", data=form)).json()
    assert [one["code"] for one in answers] == [200, 400]
    assert json.loads(answers[0]["body"])["username"] == BAKER
    assert all(set(one) == {"code", "body"} for one in answers)
    broken = await visitor.http.post("/", data={"batch": "[", "access_token": token})
    assert broken.json()[0]["code"] == 400


async def test_unknown_edges_and_hosts(visitor: Visitor) -> None:
    token = await visitor.token()
    assert (await visitor.refused(token, "/me/followers"))["code"] == 2500
    assert (await visitor.refused(token, "/me/media/3/4"))["code"] == 2500
    assert (await visitor.refused(token, "/me", fields="a{"))["code"] == 2500
    lost = await visitor.http.get("/api/v1/users/web_profile_info/", headers={"host": "i.instagram.com"})
    assert lost.status_code == 404


async def test_an_unchanged_answer_may_be_304(visitor: Visitor) -> None:
    token = await visitor.token()
    first = await visitor.ask(token, "/me", fields="username")
    headers = {"authorization": f"Bearer {token}", "if-none-match": first.headers["etag"]}
    again = await visitor.http.get("/me", params={"fields": "username"}, headers=headers)
    assert (again.status_code, again.content) == (304, b"")
    other = await visitor.http.get("/me", params={"fields": "name"}, headers=headers)
    assert other.status_code == 200


async def test_a_method_may_be_named_by_a_parameter(visitor: Visitor) -> None:
    token = await visitor.token(POTTER, "facebook")
    post = await visitor.world("POST", "/media", username=POTTER, kind="IMAGE")
    said = await visitor.http.post(f"/{post['id']}", data={"method": "delete", "access_token": token})
    assert said.json() == {"success": True, "deleted_id": post["id"]}


@pytest.mark.parametrize(
    ("path", "params", "content", "kind"),
    [
        ("/me/media", {"fields": "media{media{id}}"}, b"", "text/plain"),
        ("/me/media", {"since": "nan", "until": "inf"}, b"", "text/plain"),
        ("/me/media", {"since": "9" * 40}, b"", "text/plain"),
        ("/me/media", {"limit": "²"}, b"", "text/plain"),
        ("/me", {"appsecret_proof": "é"}, b"", "text/plain"),
        ("/me/subscribed_apps", {"subscribed_fields": "["}, b"", "text/plain"),
        ("/me/media", {}, b"[", "application/json"),
        ("/me/media", {}, b"\xff", "multipart/form-data; boundary=x"),
        ("/me/media", {"image_url": "http://["}, b"", "text/plain"),
        ("/oauth/authorize", {"redirect_uri": "http://["}, b"", "text/plain"),
        ("/", {"batch": "[1]"}, b"", "text/plain"),
    ],
)
async def test_nonsense_is_refused_and_never_a_crash(
    visitor: Visitor, path: str, params: dict[str, str], content: bytes, kind: str
) -> None:
    headers = {"authorization": f"Bearer {await visitor.token()}", "content-type": kind}
    for method in ("GET", "POST"):
        answer = await visitor.http.request(method, path, params=params, content=content, headers=headers)
        assert answer.status_code in (200, 400)
        assert answer.json()
