"""A feed in other people's pages: parts of it, its widget's script, oEmbed, and the policies of its pages."""

import base64
import hashlib
import html
import re
from typing import Any

import httpx2
import pytest

from tests.api.projects import KINDS, Project, project, refused
from tests.served import Served, served
from tintype.core.access import Grant

SITE = "https://cafe.example"
BROWSER = {"sec-fetch-dest": "document", "accept": "text/html"}


@pytest.fixture(scope="module")
async def shown(door: Served) -> Project:
    made = await project(door, *KINDS)
    await door.house.renditions.render_all()
    return made


@pytest.fixture(scope="module")
async def key(door: Served, shown: Project) -> str:
    return (await door.house.access.issue(shown.id, Grant.FEED)).secret


async def photos(door: Served, address: str) -> list[dict[str, Any]]:
    answer = await door.client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.json()["photos"]


def policy_of(answer: httpx2.Response) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in answer.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


def assert_styled_by_hash(answer: httpx2.Response) -> None:
    """Check that every style sheet of a page is let in, that nothing else is, and that no element has a style of its own."""
    sheets = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(one.encode()).digest()).decode()}'" for one in sheets}
    assert sheets
    assert set(policy_of(answer)["style-src"].split()) == hashes
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<[^>]+\sstyle=", answer.text)


async def test_a_part_of_a_feed(door: Served, shown: Project, key: str) -> None:
    whole = await photos(door, f"/feeds/{key}.json")
    assert await photos(door, f"/feeds/{key}.json?limit=2") == whole[:2]
    assert await photos(door, f"/feeds/{key}.json?account=@{shown.username.upper()}") == whole
    assert await photos(door, f"/feeds/{key}.json?account=somebody.else") == []
    assert {one["username"] for one in whole} == {shown.username}
    page = (await door.client.get(f"/feeds/{key}.html?limit=1")).text
    assert page.count("<li>") == 1


async def test_a_part_is_kept_and_packed_like_the_whole(door: Served, key: str) -> None:
    first = await door.client.get(f"/feeds/{key}.json?limit=2")
    again = await door.client.get(f"/feeds/{key}.json?limit=2", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert first.headers["content-encoding"] in ("br", "gzip")
    assert first.headers["x-feed-synced-at"]
    assert first.headers["etag"] != (await door.client.get(f"/feeds/{key}.json")).headers["etag"]


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", "limit=two", "limit=99999", f"account={'a' * 65}"])
async def test_a_part_of_no_sense_is_refused(door: Served, key: str, query: str) -> None:
    refused(await door.client.get(f"/feeds/{key}.json?{query}"), 400, "VALIDATION_FAILED")


async def test_every_page_may_read_why_a_key_is_refused(door: Served, shown: Project) -> None:
    answer = await door.client.get("/feeds/fk_nobody.json", headers={"origin": SITE})
    refused(answer, 401, "UNAUTHORIZED")
    assert answer.headers["access-control-allow-origin"] == "*"
    listed = (await door.house.access.issue(shown.id, Grant.FEED, origins=("https://other.example",))).secret
    answer = await door.client.get(f"/feeds/{listed}.json", headers={"origin": SITE})
    assert "access-control-allow-origin" not in answer.headers


async def test_the_script_is_for_every_page(door: Served) -> None:
    answer = await door.client.get("/widget.js", headers={"accept-encoding": "br"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "br"
    assert int(answer.headers["content-length"]) < 15 * 1024
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in answer.headers
    known = {"accept-encoding": "br", "if-none-match": answer.headers["etag"]}
    assert (await door.client.get("/widget.js", headers=known)).status_code == 304
    assert (await door.client.head("/widget.js")).status_code == 200


async def test_pages_let_in_their_own_style_sheets_only(door: Served, key: str) -> None:
    for dest in ("document", "iframe", "empty"):
        answer = await door.client.get(f"/feeds/{key}.html", headers={"sec-fetch-dest": dest})
        assert_styled_by_hash(answer)
        assert policy_of(answer)["img-src"] == f"'self' {door.house.settings.address()} data:"
        assert "frame-ancestors" not in policy_of(answer)
    refusal = await door.client.get("/instagram-callback?state=if.x&code=y", headers={"accept": "text/html"})
    if refusal.headers["content-type"].startswith("text/html"):
        assert_styled_by_hash(refusal)


async def test_a_key_with_a_list_is_framed_by_those_sites_only(door: Served, shown: Project) -> None:
    listed = (await door.house.access.issue(shown.id, Grant.FEED, origins=(SITE,))).secret
    answer = await door.client.get(f"/feeds/{listed}.html", headers=BROWSER)
    assert policy_of(answer)["frame-ancestors"].split()[:2] == ["'self'", SITE]


async def test_a_page_says_how_it_is_embedded(door: Served, shown: Project, key: str) -> None:
    page = await door.client.get(f"/feeds/{key}.html?limit=2", headers=BROWSER)
    link = re.findall(r'<link rel="alternate" type="application/json\+oembed" href="([^"]+)"', page.text)
    answer = await door.client.get(html.unescape(link[0]))
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["version"] == "1.0"
    assert said["type"] == "rich"
    assert answer.headers["access-control-allow-origin"] == "*"
    frame = dict(re.findall(r'(\w+)="([^"]*)"', said["html"]))
    assert frame["src"] == f"{door.house.settings.address()}/feeds/{key}.html?limit=2"
    assert (int(frame["width"]), int(frame["height"])) == (said["width"], said["height"])
    assert frame["title"] == said["title"]
    framed = await door.client.get(html.unescape(frame["src"]), headers={"sec-fetch-dest": "iframe"})
    assert framed.text.count("<li>") == 2
    assert "<h1" not in framed.text


async def test_what_is_embedded_keeps_within_what_is_allowed(door: Served, key: str) -> None:
    url = f"{door.house.settings.address()}/feeds/{key}.html"
    asking = {"url": url, "maxwidth": 320, "maxheight": 90, "format": "json"}
    said = (await door.client.get("/oembed", params=asking)).json()
    assert (said["width"], said["height"]) == (320, 90)


async def test_a_name_is_text_in_what_is_embedded(door: Served) -> None:
    workspace, _ = await door.house.access.register('"><script>alert(1)</script>')
    one = (await door.house.access.issue(workspace.id, Grant.FEED)).secret
    url = f"{door.house.settings.address()}/feeds/{one}.html?account=%22%3E%3Cscript%3E"
    said = (await door.client.get("/oembed", params={"url": url})).json()
    assert "<script" not in said["html"]
    assert said["html"].count(">") == 2


async def test_addresses_that_are_no_feeds_are_not_embedded(door: Served, key: str) -> None:
    base = door.house.settings.address()
    for url in (
        f"https://evil.example/feeds/{key}.html",
        f"{base}.evil.example/feeds/{key}.html",
        f"{base}/feeds/{key}.json",
        f"{base}/feeds/a/{key}.html",
        f"{base}/feeds/.html",
        "nonsense",
    ):
        refused(await door.client.get("/oembed", params={"url": url}), 404, "NOT_FOUND")
    unknown = {"url": f"{base}/feeds/fk_nobody.html"}
    refused(await door.client.get("/oembed", params=unknown), 401, "UNAUTHORIZED")
    refused(await door.client.get("/oembed"), 400, "VALIDATION_FAILED")
    as_xml = {"url": f"{base}/feeds/{key}.html", "format": "xml"}
    refused(await door.client.get("/oembed", params=as_xml), 501, "NOT_IMPLEMENTED")


async def test_a_server_of_the_feed_alone_has_it_all() -> None:
    async with served(only=("feed",)) as alone:
        one = await project(alone, "IMAGE")
        await alone.house.renditions.render_all()
        key = (await alone.house.access.issue(one.id, Grant.FEED)).secret
        assert (await alone.client.get("/widget.js")).status_code == 200
        page = await alone.client.get(f"/feeds/{key}.html", headers=BROWSER)
        assert_styled_by_hash(page)
        url = f"{alone.house.settings.address()}/feeds/{key}.html"
        assert (await alone.client.get("/oembed", params={"url": url})).json()["type"] == "rich"
