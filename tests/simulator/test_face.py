"""The pages of the pretend Instagram for people, over HTTP; what programs read under the same addresses stays as it was."""

import re
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.simulator.browser import BY_SHORTCODE, Browser
from tests.simulator.visitor import BAKER, CALLBACK, POTTER, PRIVATE, Visitor

PERSON = {"accept": "text/html,application/xhtml+xml", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate"}
HREF = re.compile(r'(?:href|src|action|poster)="([^"]+)"')


async def opened(visitor: Visitor, path: str, **params: str) -> httpx2.Response:
    """A page as a person's browser opens it."""
    return await visitor.http.get(path, params=params or None, headers=PERSON)


async def pushed(visitor: Visitor, act: str, **fields: str) -> httpx2.Response:
    """A form of the panel, sent by a page of the simulator's own."""
    headers = {"sec-fetch-site": "same-origin"}
    return await visitor.http.post("/_world/panel", data={"act": act, **fields}, headers=headers)


async def published(visitor: Visitor, **params: str) -> tuple[str, str]:
    """A container and the post that came of it."""
    await visitor.world("PATCH", "/settings", fetch_pictures=False)
    token = await visitor.token()
    made = (await visitor.post(token, "/me/media", image_url="https://p.example/a.jpg", **params))["id"]
    await visitor.world("PATCH", f"/containers/{made}", status_code="FINISHED")
    return made, (await visitor.post(token, "/me/media_publish", creation_id=made))["id"]


async def test_the_start_page_tells_people_where_they_are(visitor: Visitor) -> None:
    page = await opened(visitor, "/")
    assert page.status_code == 200
    for words in (BAKER, POTTER, PRIVATE, "INSTAGRAM_ORIGIN=http://127.0.0.1:8001", "/_world/panel"):
        assert words in page.text
    assert page.text == (await visitor.http.get("/_face/")).text


async def test_programs_read_what_they_read_before(visitor: Visitor) -> None:
    post = Browser(visitor).posts(BAKER, "IMAGE")[0]
    for path in ("/", f"/p/{post.shortcode}/", f"/reel/{post.shortcode}/", f"/{BAKER}/p/{post.shortcode}/"):
        for headers in ({}, {"accept": "text/html"}, {**PERSON, "host": "www.instagram.com"}):
            answer = await visitor.http.get(path, headers=headers)
            assert "data-sjs" in answer.text, (path, headers)
            assert "_face" not in answer.text
    assert "application/json" in (await visitor.http.get(f"/{BAKER}/")).headers["content-type"]
    assert "application/json" in (await opened(visitor, "/me")).headers["content-type"]
    embed = await opened(visitor, f"/p/{post.shortcode}/embed/captioned/")
    assert "PolarisEmbedSimple" in embed.text
    assert (await opened(visitor, "/p/x-500/")).status_code == (await visitor.http.get("/p/x-500/")).status_code == 500


async def test_a_look_uses_no_fault_up_and_leaves_no_trace(visitor: Visitor) -> None:
    await visitor.world("PATCH", "/settings", latency_ms=60_000)
    for on in ("*", "cdn.image"):
        await visitor.world("POST", "/faults", on=on, kind="status", status=500)
    for path in ("/", f"/{BAKER}/", "/_world/panel", "/_face/published"):
        page = await opened(visitor, path)
        assert page.status_code == 200
    small = re.search(r'src="(/_face/small/[^"]+)"', (await opened(visitor, f"/{BAKER}/")).text)
    assert small
    assert (await visitor.http.get(small[1])).content[8:12] == b"WEBP"
    assert len(await visitor.world("GET", "/faults")) == 2
    assert await visitor.log() == []


async def test_profiles_show_posts_page_by_page(visitor: Visitor) -> None:
    shown: list[str] = []
    for page in ("1", "2", "3"):
        text = (await opened(visitor, f"/{BAKER}/", page=page)).text
        shown += re.findall(r'href="/_face/posts/([\w-]{5,14})"', text)
    posts = [post.shortcode for post in visitor.simulator.world.posts(BAKER)]
    assert [code for code in shown if code in posts] == posts
    assert "Older posts" not in text
    assert "18,420" in text
    for odd in ("0", "99", "x", "-1"):
        assert (await opened(visitor, f"/{BAKER}/", page=odd)).status_code == 200


async def test_private_people_show_nothing(visitor: Visitor) -> None:
    page = await opened(visitor, f"/{PRIVATE}/")
    assert "This account is private" in page.text
    assert "/_face/posts/" not in page.text
    post = visitor.simulator.world.posts(PRIVATE)[0]
    assert "/_face/files/" not in (await opened(visitor, f"/p/{post.shortcode}/")).text


@pytest.mark.parametrize("kind", ["IMAGE", "VIDEO", "CAROUSEL_ALBUM"])
async def test_posts_have_pages(visitor: Visitor, kind: str) -> None:
    post = Browser(visitor).posts(BAKER, kind)[0]
    page = await opened(visitor, f"/p/{post.shortcode}/")
    assert page.status_code == 200
    assert page.text.count("<video") + page.text.count('<a href="/_face/files') == max(1, len(post.children))
    assert f"<strong>{post.like_count:,}</strong> likes" in page.text


async def test_stories_say_how_long_they_stay(visitor: Visitor) -> None:
    await visitor.world("POST", "/media", username=POTTER, kind="STORY")
    assert "23 hours left" in (await opened(visitor, f"/{POTTER}/")).text
    await visitor.world("POST", "/clock", advance_seconds=20 * 3600)
    assert "3 hours left" in (await opened(visitor, f"/{POTTER}/")).text
    await visitor.world("POST", "/clock", advance_seconds=4 * 3600)
    assert "hours left" not in (await opened(visitor, f"/{POTTER}/")).text


async def test_what_apps_published_is_seen_by_app_and_by_person(visitor: Visitor) -> None:
    made, post = await published(visitor, caption="Rye")
    page = (await opened(visitor, "/_face/published")).text
    assert f"…{post[-6:]}" in page
    assert f"…{made[-6:]}" in page
    assert f"{BAKER} <strong" in page
    assert "1 of 100" in page
    app = await visitor.app("facebook")
    for other in ({"app": str(app["app_id"])}, {"username": POTTER}):
        assert f"…{post[-6:]}" not in (await opened(visitor, "/_face/published", **other)).text


async def test_a_containers_state_is_seen_without_counting_as_a_poll_and_is_moved(visitor: Visitor) -> None:
    token = await visitor.token()
    await visitor.world("PATCH", "/settings", fetch_pictures=False)
    made = (await visitor.post(token, "/me/media", image_url="https://p.example/a.jpg"))["id"]
    for _ in range(4):
        assert "being processed" in (await opened(visitor, "/_face/published")).text
    answer = await pushed(visitor, "container", item=made, status_code="ERROR", back="/_face/published?app=&username=")
    assert answer.headers["location"] == "/_face/published?app=&username=&said=container#top"
    assert (await visitor.get(token, f"/{made}", fields="status_code"))["status_code"] == "ERROR"
    assert "The container has its new state." in (await opened(visitor, answer.headers["location"])).text


async def test_a_posts_numbers_are_moved_and_insights_follow(visitor: Visitor) -> None:
    token = await visitor.token()
    post = Browser(visitor).posts(BAKER, "IMAGE")[0]
    sent = await pushed(visitor, "edit", item=post.id, views="90000", like_count="1234", comments_count="77")
    assert sent.status_code == 303
    said = await visitor.get(token, f"/{post.id}/insights", metric="views,likes,comments")
    assert [one["values"][0]["value"] for one in said["data"]] == [90000, 1234, 77]
    page = (await opened(visitor, f"/p/{post.shortcode}/")).text
    assert '<td>Views</td><td class="number">90,000</td>' in page


async def test_a_deleted_post_is_gone_everywhere(visitor: Visitor) -> None:
    post = Browser(visitor).posts(BAKER, "IMAGE")[0]
    assert (await pushed(visitor, "drop-post", post=post.shortcode)).status_code == 303
    assert (await visitor.http.get(f"/_face/posts/{post.shortcode}")).status_code == 404
    asked = await Browser(visitor).ask(BY_SHORTCODE, shortcode=post.shortcode)
    assert post.shortcode not in asked.text


async def test_every_page_keeps_to_itself(visitor: Visitor) -> None:
    made = Browser(visitor).posts(BAKER, "CAROUSEL_ALBUM")[0]
    paths = [
        "/",
        f"/{BAKER}/",
        f"/p/{made.shortcode}/",
        "/_face/published",
        "/_face/magic",
        "/_world/panel",
        "/_face/x",
    ]
    for path in paths:
        page = await opened(visitor, path)
        policy = page.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert len(page.content) < 60_000
        assert not re.search(r"<script|<style| style=| on\w+=", page.text), path
        for link in HREF.findall(page.text):
            assert link.startswith(("/_face/", "/_world", "#")), link


async def test_links_lead_somewhere(visitor: Visitor) -> None:
    left, seen = ["/_face/"], set[str]()
    while left:
        path = left.pop()
        if path in seen or path.startswith(("/_face/files", "/_face/small", "/_world/log")):
            continue
        seen.add(path)
        page = await visitor.http.get(path)
        assert page.status_code == 200, path
        if len(seen) < 40 and page.headers["content-type"].startswith("text/html"):
            left += [link.replace("&amp;", "&").partition("#")[0] or path for link in HREF.findall(page.text)]
    assert {"/_world/panel", "/_face/published", "/_face/magic"} <= seen


async def asked(visitor: Visitor, login: str, **changes: str) -> dict[str, str]:
    app = await visitor.app(login)
    scope = "instagram_business_basic" if login == "instagram" else "instagram_basic,pages_show_list"
    usual = {"client_id": app["app_id"], "redirect_uri": CALLBACK, "response_type": "code", "scope": scope}
    return usual | changes


@pytest.mark.parametrize(
    ("login", "path", "changes", "title"),
    [
        ("instagram", "/oauth/authorize", {"redirect_uri": "https://elsewhere.example/cb"}, "URL blocked"),
        ("facebook", "/v25.0/dialog/oauth", {"redirect_uri": "https://elsewhere.example/cb"}, "URL blocked"),
        ("instagram", "/oauth/authorize", {"client_id": "1"}, "Invalid app id"),
        ("facebook", "/v25.0/dialog/oauth", {"client_id": "1"}, "Invalid app id"),
        ("instagram", "/oauth/authorize", {"scope": "user_profile"}, "Invalid scopes"),
    ],
)
async def test_people_read_why_an_app_cannot_ask(
    visitor: Visitor, login: str, path: str, changes: dict[str, str], title: str
) -> None:
    page = await opened(visitor, path, **await asked(visitor, login, **changes))
    assert page.status_code == 400
    assert f"<h1>{title}</h1>" in page.text
    assert "location" not in page.headers


async def test_in_development_mode_only_people_with_a_role_connect(visitor: Visitor) -> None:
    await visitor.world("PATCH", "/settings", development_mode=True, testers=[BAKER])
    query = await asked(visitor, "instagram")
    assert "development mode" in (await opened(visitor, "/oauth/authorize", **query)).text
    let = {"decision": "allow", "username": BAKER}
    assert (await visitor.http.post("/oauth/authorize", params=query, data=let)).status_code == 302
    let["username"] = POTTER
    refused = await visitor.http.post("/oauth/authorize", params=query, data=let)
    assert (refused.status_code, refused.json()["error_message"]) == (400, "Insufficient developer role")
    page = await visitor.http.post("/oauth/authorize", params=query, data=let, headers=PERSON)
    assert "<h1>App not active</h1>" in page.text
    let["decision"] = "cancel"
    assert (await visitor.http.post("/oauth/authorize", params=query, data=let)).status_code == 302


async def test_whoever_sends_the_hidden_fields_and_a_name_hands_over_all_pages(visitor: Visitor) -> None:
    page = await opened(visitor, "/v25.0/dialog/oauth", **await asked(visitor, "facebook"))
    hidden = re.findall(r'<input type="hidden" name="([^"]+)"', page.text)
    assert "choosing" in hidden
    assert "choosing_pages" not in hidden
    assert re.search(r'<input [^>]*name="choosing_pages" value="1" checked hidden>', page.text)


async def test_only_pages_that_stay_ticked_are_handed_over(visitor: Visitor) -> None:
    pages = {page.name: page.id for page in visitor.simulator.world.pages.values()}
    query, app = await asked(visitor, "facebook"), await visitor.app("facebook")
    ways: list[tuple[dict[str, str], list[str]]] = [
        ({}, ["Keramik Nordlicht", "Keramik Nordlicht Archive"]),
        ({"choosing_pages": "1", "pages": pages["Keramik Nordlicht Archive"]}, ["Keramik Nordlicht Archive"]),
        ({"choosing_pages": "1", "pages": pages["Casa Mareira"]}, []),
    ]
    for form, names in ways:
        let = {"decision": "allow", "username": POTTER, **form}
        sent = await visitor.http.post("/v25.0/dialog/oauth", params=query, data=let)
        code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
        known = {"client_id": app["app_id"], "client_secret": app["app_secret"], "redirect_uri": CALLBACK, "code": code}
        short = (await visitor.http.get("/v25.0/oauth/access_token", params=known)).json()["access_token"]
        swap = {**known, "grant_type": "fb_exchange_token", "fb_exchange_token": short}
        long = (await visitor.http.get("/v25.0/oauth/access_token", params=swap)).json()["access_token"]
        found = (await visitor.get(long, "/v25.0/me/accounts", fields="name"))["data"]
        assert [page["name"] for page in found] == names
        media = await visitor.ask(long, f"/v25.0/{await visitor.user_id(POTTER)}/media")
        assert media.is_success == ("Keramik Nordlicht" in names)
