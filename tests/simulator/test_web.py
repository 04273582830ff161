"""The public web side: the posts of the Graph API in the shapes that web apps and downloaders read."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.simulator.browser import (
    APP,
    BY_NUMBER,
    BY_SHORTCODE,
    OLDER,
    OLDEST,
    POLARIS,
    WEB_INFO,
    WWW,
    Browser,
    data_in,
    signed_in,
)
from tests.simulator.visitor import BAKER, OWN, PRIVATE, WALKER, Visitor, visiting
from tintype.simulator import ids

DAY = 86_400
START = 1_795_000_000


@pytest.fixture
def browser(visitor: Visitor) -> Browser:
    return Browser(visitor)


async def test_the_start_page_holds_the_tokens_that_clients_search_for(browser: Browser) -> None:
    answer = await browser.get("/")
    assert re.search(r'"IG_USER_EIMU":"?(\d+)', answer.text)
    assert "DTSGInitialData" not in answer.text
    eqmc = re.search(r'<script\b[^>]*\bid="__eqmc"[^>]*>(\{.*?\})</script>', answer.text)
    assert eqmc
    assert json.loads(eqmc[1])["l"] in answer.text.replace(eqmc[0], "")
    cookies = answer.headers.get_list("set-cookie")
    assert [cookie.partition("=")[0] for cookie in cookies] == ["csrftoken", "mid", "ig_did"]
    assert all("Domain=.instagram.com" in cookie for cookie in cookies)


async def test_signed_in_the_start_page_names_the_person(visitor: Visitor) -> None:
    browser = await signed_in(visitor, WALKER)
    page = (await browser.get("/")).text
    assert re.search(r'"DTSGInitialData",\[\],\{[^{}]*"token":"([^"]+)"', page)
    assert f'"IG_USER_EIMU":"{browser.cookies["ds_user_id"]}"' in page


async def test_a_query_needs_a_token_that_the_start_page_gave_out_today(browser: Browser) -> None:
    await browser.visitor.world("POST", "/clock", now=START)
    code, token = browser.posts(BAKER, "IMAGE")[0].shortcode, await browser.token()
    assert (await browser.ask(BY_SHORTCODE, lsd=token, shortcode=code)).status_code == 200
    for bad in ("", "AVinvented", token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B")):
        assert (await browser.ask(BY_SHORTCODE, lsd=bad, shortcode=code)).status_code == 400, bad
    await browser.visitor.world("POST", "/clock", advance_seconds=DAY + 60)
    assert (await browser.ask(BY_SHORTCODE, lsd=token, shortcode=code)).status_code == 400
    assert (await browser.ask(BY_SHORTCODE, shortcode=code)).status_code == 200


async def test_an_item_has_what_downloaders_cannot_do_without(browser: Browser) -> None:
    for media_type, number in (("IMAGE", 1), ("VIDEO", 2), ("CAROUSEL_ALBUM", 8)):
        post = browser.posts(BAKER, media_type)[0]
        item = await browser.item(post.shortcode)
        assert (item["code"], item["pk"], item["taken_at"]) == (post.shortcode, str(post.pk), post.timestamp)
        assert item["media_type"] == number
        assert item["user"]["username"] == BAKER
        assert item["user"]["pk"].isdecimal()
        assert item["caption"] is None or item["caption"]["text"] == post.caption
        assert (item["video_versions"] is not None) == (media_type == "VIDEO")
        children: list[dict[str, Any]] = item["carousel_media"] or []
        assert len(children) == len(post.children) == (item["carousel_media_count"] or 0)
        for one in [item, *children]:
            url = str(one["image_versions2"]["candidates"][0]["url"])
            assert urlsplit(url).netloc.endswith(".cdninstagram.com")
            assert bool(one["video_versions"]) == (one["media_type"] == 2)


async def test_sizes_are_offered_largest_first_and_are_different_files(browser: Browser) -> None:
    item = await browser.item(browser.posts(BAKER, "VIDEO")[0].shortcode)
    sizes = [version["width"] * version["height"] for version in item["video_versions"]]
    assert len(sizes) == 2
    assert sizes == sorted(sizes, reverse=True)
    bodies = [await _fetch(browser, version["url"]) for version in item["video_versions"]]
    assert all(body[4:8] == b"ftyp" for body in bodies)
    assert len(bodies[0]) > len(bodies[1])


async def _fetch(browser: Browser, url: str) -> bytes:
    parts = urlsplit(url)
    answer = await browser.get(f"{parts.path}?{parts.query}", parts.netloc)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_a_post_has_the_same_file_as_on_the_graph_side(browser: Browser) -> None:
    token = await browser.visitor.token()
    listed = (await browser.visitor.get(token, "/me/media", fields="shortcode,media_type,media_url", limit=30))["data"]
    post = next(one for one in listed if one["media_type"] == "IMAGE")
    item = await browser.item(post["shortcode"])
    url = str(item["image_versions2"]["candidates"][0]["url"])
    assert urlsplit(url).path == urlsplit(str(post["media_url"])).path


async def test_addresses_expire_by_the_worlds_clock_and_a_new_look_up_gives_new_ones(browser: Browser) -> None:
    await browser.visitor.world("POST", "/clock", now=START)
    code = browser.posts(BAKER, "VIDEO")[0].shortcode
    first = urlsplit(str((await browser.item(code))["video_versions"][0]["url"]))
    await browser.visitor.world("POST", "/clock", advance_seconds=13 * 3600)
    refused = await browser.get(f"{first.path}?{first.query}", first.netloc)
    assert (refused.status_code, refused.text) == (403, "URL signature expired")
    await _fetch(browser, (await browser.item(code))["video_versions"][0]["url"])


async def test_older_queries_answer_in_their_own_words(browser: Browser) -> None:
    for media_type, name in (("IMAGE", "GraphImage"), ("VIDEO", "GraphVideo"), ("CAROUSEL_ALBUM", "GraphSidecar")):
        post = browser.posts(BAKER, media_type)[0]
        variables = json.dumps({"shortcode": post.shortcode})
        hashed = (await browser.get("/graphql/query/", query_hash=OLDEST, variables=variables)).json()
        later = (await browser.ask(OLDER, "/graphql/query", shortcode=post.shortcode)).json()
        assert hashed["status"] == later["status"] == "ok"
        media, xdt = hashed["data"]["shortcode_media"], later["data"]["xdt_shortcode_media"]
        assert (media["__typename"], xdt["__typename"]) == (name, f"XDT{name}")
        assert (media["shortcode"], media["id"]) == (post.shortcode, str(post.pk))
        assert media["is_video"] == ("video_url" in media) == (media_type == "VIDEO")
        children = media.get("edge_sidecar_to_children", {"edges": []})["edges"]
        assert len(children) == len(post.children)
        assert all(edge["node"]["display_url"] for edge in children)


async def test_a_query_by_number_answers_as_the_logged_out_page_does(browser: Browser) -> None:
    post = browser.posts(BAKER, "VIDEO")[0]
    answer = (await browser.ask(BY_NUMBER, media_id=str(post.pk))).json()
    asked = answer["data"][POLARIS]
    assert "status" not in answer
    assert asked["if_not_gated_logged_out"]["code"] == post.shortcode
    assert {"edges"} == set(asked["comments_connection"])
    page = data_in((await browser.get(f"/p/{post.shortcode}")).text)[POLARIS]
    assert page["if_not_gated_logged_out"].keys() == asked["if_not_gated_logged_out"].keys()
    assert page["comments_connection"] == asked["comments_connection"]


async def test_numbers_of_withdrawn_queries_are_refused(browser: Browser) -> None:
    answer = await browser.ask("7153618348081770", shortcode="C1234567890")
    assert (answer.status_code, answer.json()["status"]) == (400, "fail")


async def test_a_page_is_found_by_every_form_of_its_address(browser: Browser) -> None:
    code = browser.posts(BAKER, "VIDEO")[0].shortcode
    for path in (
        f"/p/{code}",
        f"/p/{code}/",
        f"/reel/{code}/",
        f"/reels/{code}/",
        f"/tv/{code}/",
        f"/{BAKER}/reel/{code}/",
    ):
        page = await browser.get(path)
        assert data_in(page.text)[POLARIS]["if_not_gated_logged_out"]["code"] == code, path
    for path in ("/p/C1234567890/", f"/stories/{BAKER}/123/", "/reels/audio/123/", "/nobody.at.all/"):
        assert (await browser.get(path)).status_code == 404, path


async def test_signed_in_a_page_holds_what_the_web_app_reads(visitor: Visitor) -> None:
    browser = await signed_in(visitor, WALKER)
    code = browser.posts(BAKER, "IMAGE")[0].shortcode
    assert data_in((await browser.get(f"/p/{code}/")).text)[WEB_INFO]["items"][0]["code"] == code


async def test_a_caption_cannot_leave_the_script_it_stands_in(browser: Browser) -> None:
    caption = '</script><script>alert("x")</script> & more'
    staged = await browser.visitor.world("POST", "/media", username=BAKER, kind="IMAGE", caption=caption)
    page = (await browser.get(f"/p/{staged['shortcode']}/")).text
    assert "<script>alert" not in page
    item = data_in(page)[POLARIS]["if_not_gated_logged_out"]
    assert item["caption"]["text"] == caption


async def test_an_embed_holds_the_post_in_older_words(browser: Browser) -> None:
    code = browser.posts(BAKER, "CAROUSEL_ALBUM")[0].shortcode
    page = (await browser.get(f"/p/{code}/embed/captioned/")).text
    found = re.search(r'"init",\[\],\[(.*?)\]\],', page)
    assert found
    context = json.loads(json.loads(found[1])["contextJSON"])
    assert context["gql_data"]["shortcode_media"]["shortcode"] == code
    assert "init" not in (await browser.get("/p/C1234567890/embed/captioned/")).text


async def test_a_share_link_leads_to_the_post_and_its_token_is_no_code(browser: Browser) -> None:
    code = browser.posts(BAKER, "VIDEO")[0].shortcode
    token = f"BA{code[::-1]}"
    for path in (f"/share/{token}", f"/share/p/{token}/", f"/share/reel/{token}"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (302, f"https://{WWW}/reel/{code}/"), path
    assert (await browser.get(f"/share/{code}")).status_code == 404


async def test_the_mobile_api_is_for_people_who_are_signed_in(visitor: Visitor) -> None:
    stranger, walker = Browser(visitor), await signed_in(visitor, WALKER)
    post = walker.posts(BAKER, "VIDEO")[0]
    path = f"/api/v1/media/{post.pk}/info/"
    redirect = await stranger.get(path)
    assert redirect.status_code == 302
    assert redirect.headers["location"].startswith(f"https://{WWW}/accounts/login/?next=")
    assert (await stranger.get(path, APP)).json()["message"] == "login_required"
    for host in (WWW, APP):
        assert (await walker.get(path, host)).json()["items"][0]["code"] == post.shortcode
    assert (await walker.get("/api/v1/media/1/info/")).status_code == 404


async def test_a_session_ends_for_good(visitor: Visitor) -> None:
    browser = await signed_in(visitor, WALKER)
    code = browser.posts(BAKER, "IMAGE")[0].shortcode
    assert (await browser.ask(BY_SHORTCODE, "/graphql/query", shortcode=code)).json()["status"] == "ok"
    assert (await visitor.pull("DELETE", f"/sessions/{WALKER}")).status_code == 204
    refused = await browser.ask(BY_SHORTCODE, "/graphql/query", shortcode=code)
    assert refused.status_code == 302
    assert "/accounts/login/" in refused.headers["location"]
    assert (await visitor.pull("DELETE", "/sessions/nobody")).status_code == 404
    assert (await visitor.pull("POST", "/sessions", username="nobody")).status_code == 404


async def test_a_private_persons_posts_are_theirs_alone(visitor: Visitor) -> None:
    stranger, owner, other = Browser(visitor), await signed_in(visitor, PRIVATE), await signed_in(visitor, WALKER)
    post = stranger.posts(PRIVATE, "IMAGE")[0]
    assert (await stranger.ask(BY_SHORTCODE, shortcode=post.shortcode)).json()["data"] == {WEB_INFO: {"items": []}}
    assert '"tracePolicy":"polaris.privatePostPage"' in (await stranger.get(f"/p/{post.shortcode}/")).text
    assert (await other.get(f"/api/v1/media/{post.pk}/info/")).status_code == 403
    assert (await owner.get(f"/api/v1/media/{post.pk}/info/")).json()["items"][0]["code"] == post.shortcode
    assert (await owner.item(post.shortcode))["user"]["is_private"]


async def test_rulings_say_whether_a_visitor_may_see_a_post(browser: Browser) -> None:
    post = browser.posts(BAKER, "VIDEO")[0]
    fine = await browser.get("/api/v1/web/get_ruling_for_content/", content_type="MEDIA", target_id=str(post.pk))
    assert fine.json() == {"status": "ok"}
    for code, title in (("x-age", "Restricted Video"), ("x-geo", "Not available in your country")):
        number = str(ids.pk_of(code))
        for path, name in (
            ("get_ruling_for_content/", "target_id"),
            ("get_ruling_for_media_content_logged_out", "media_id"),
        ):
            assert (await browser.get(f"/api/v1/web/{path}", **{name: number})).json()["title"] == title


async def test_route_definitions_tell_a_private_post_from_others(browser: Browser) -> None:
    async def route(code: str) -> str:
        form = {"route_urls[0]": f"/p/{code}/", "routing_namespace": "igx_www"}
        return (await browser.visitor.http.post("/ajax/bulk-route-definitions/", data=form, headers={"host": WWW})).text

    post = browser.posts(BAKER, "VIDEO")[0]
    assert re.search(rf'"media_id":"{post.pk}","media_owner_id":"\d+"', await route(post.shortcode))
    assert '"tracePolicy":"polaris.privatePostPage"' in await route("x-private")
    assert '"error":true' in await route("x-removed")
    assert (await route(post.shortcode)).startswith("for (;;);")


async def test_both_kinds_of_oembed(browser: Browser) -> None:
    post = browser.posts(BAKER, "IMAGE")[0]
    link = f"https://www.instagram.com/p/{post.shortcode}/"
    mobile = (await browser.get("/api/v1/oembed/", APP, url=link)).json()
    assert mobile["media_id"].startswith(f"{post.pk}_")
    official = (await browser.get("/v26.0/instagram_oembed", "graph.facebook.com", url=link)).json()
    assert official["type"] == "rich"
    assert link in official["html"]
    assert not {"author_name", "thumbnail_url", "title"} & set(official)
    gone = await browser.get(
        "/v26.0/instagram_oembed", "graph.facebook.com", url="https://www.instagram.com/p/x-private/"
    )
    assert (gone.status_code, gone.json()["error"]["code"]) == (400, 24)


async def test_under_its_own_address_the_web_side_stays_there(visitor: Visitor) -> None:
    code = Browser(visitor).posts(BAKER, "VIDEO")[0].shortcode
    item = data_in((await visitor.http.get(f"/reel/{code}/")).text)[POLARIS]["if_not_gated_logged_out"]
    assert item["video_versions"][0]["url"].startswith(f"{OWN}/v/")
    assert (await visitor.http.get("/")).text.count("LSD") == 1
    assert (await visitor.http.get("/reel/x-302login/")).headers["location"].startswith(f"{OWN}/accounts/login/")
    assert (await visitor.http.get("/accounts/login/")).status_code == 200
    assert (await visitor.http.get("/challenge/")).status_code == 200


async def test_the_same_seed_gives_the_same_answers() -> None:
    heard: list[list[Any]] = []
    for _ in range(2):
        async with visiting(11) as visitor:
            browser = Browser(visitor)
            code = browser.posts(BAKER, "CAROUSEL_ALBUM")[0].shortcode
            page = (await browser.get(f"/p/{code}/")).text
            cookies = (await signed_in(visitor, WALKER)).cookies
            heard.append(
                [re.sub(r"o[eh]=\w+", "", page), cookies, (await browser.get("/")).headers.get_list("set-cookie")]
            )
    assert heard[0] == heard[1]


CALLS = {
    "web.start": "/",
    "web.graphql": "/graphql/query?doc_id=27128499623469141&variables=%7B%22shortcode%22%3A%22{code}%22%7D",
    "web.page": "/p/{code}/",
    "web.info": "/api/v1/oembed/?url=https%3A%2F%2Fwww.instagram.com%2Fp%2F{code}%2F",
    "web.ruling": "/api/v1/web/get_ruling_for_content/?target_id={pk}",
}


@pytest.mark.parametrize("name", CALLS)
async def test_faults_of_the_control_plane_hit_the_calls_they_name(browser: Browser, name: str) -> None:
    visitor, post = browser.visitor, browser.posts(BAKER, "IMAGE")[0]
    path = CALLS[name].format(code=post.shortcode, pk=post.pk)
    good = await browser.get(path)
    assert good.status_code == 200
    for kind, more, status in (
        ("status", {"status": 503}, 503),
        ("rate_limit", {}, 429),
        ("expired_token", {}, 302),
        ("html", {"status": 403}, 403),
        ("error_after", {}, 500),
        ("redirect", {"to": "https://elsewhere.example/"}, 302),
    ):
        await visitor.world("POST", "/faults", on=name, kind=kind, **more)
        assert (await browser.get(path)).status_code == status, kind
        assert (await browser.get(path)).status_code == 200
    await visitor.world("POST", "/faults", on=name, kind="malformed")
    assert len((await browser.get(path)).content) < len(good.content)
    log = await visitor.log()
    assert [entry["fault"] for entry in log if "fault" in entry] == [
        "status", "rate_limit", "expired_token", "html", "error_after", "redirect", "malformed",
    ]  # fmt: skip


async def test_a_fault_may_be_for_one_persons_posts_only(browser: Browser) -> None:
    await browser.visitor.world("POST", "/faults", on="web.page", kind="status", times=None, username=WALKER)
    for username, status in ((BAKER, 200), (WALKER, 500)):
        code = browser.posts(username, "IMAGE")[0].shortcode
        assert (await browser.get(f"/p/{code}/")).status_code == status


async def test_waiting_is_asked_for_in_instagrams_words(browser: Browser) -> None:
    await browser.visitor.world("POST", "/faults", on="web.graphql", kind="rate_limit", status=401)
    answer = await browser.ask(BY_SHORTCODE, shortcode="C1234567890")
    assert answer.status_code == 401
    assert answer.json()["message"].startswith("Please wait a few minutes")
