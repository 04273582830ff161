"""The feed on a website of somebody else: every layout, with keys alone, on a phone, and when the feed is away."""

import asyncio
import os
import re
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.backends.pictures import see
from tests.browser.site import MAPPED, NAME, Site, feed_key, opened_site
from tests.browser.test_axe import findings, findings_everywhere
from tests.walks.stage import Member, Stage, staged
from tests.windows import chromium

# What a page puts between the tags, so that the space is there before the script is: the layout's own shape.
SPACES = {
    "grid": '<svg viewBox="0 0 3 3" width="100%" display="block"></svg>',
    "masonry": '<svg viewBox="0 0 3 3.75" width="100%" display="block"></svg>',
    "slider": '<svg viewBox="0 0 3 1" width="100%" display="block"></svg>',
    "list": '<svg height="76rem" width="100%" display="block"></svg>',
}
SHAPES = ((640, 800), (800, 640), (640, 640), (900, 500), (640, 800), (640, 640), (600, 750), (640, 800))


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    del anyio_backend
    async with staged(feed_copy_videos=True) as one:
        yield one


@pytest.fixture(scope="module")
async def browser(anyio_backend: str) -> AsyncGenerator[Browser]:
    del anyio_backend
    async with chromium(MAPPED) as one:
        yield one


@pytest.fixture(scope="module")
async def cafe(stage: Stage) -> Member:
    """Ten posts: an album of four and a reel, and photos of many shapes before them."""
    person = stage.person()
    for number, (width, height) in enumerate(SHAPES):
        person.post(caption=f"Bread number {number}\nfrom the oven", width=width, height=height)
    person.post("REELS", caption="A reel of the harbour")
    person.post("CAROUSEL_ALBUM", children=["IMAGE", "IMAGE", "VIDEO", "IMAGE"], caption="A week at the sea")
    member = await person.register()
    while await member.assert_whole_feed():  # a busy machine may be late with a copy; the next sync has it
        await member.sync(deep=True)
    await stage.house.renditions.render_all()
    return member


@pytest.fixture(scope="module")
async def key(stage: Stage, cafe: Member) -> str:
    return await feed_key(stage, cafe.workspace_id)


@pytest.fixture
async def site(stage: Stage) -> AsyncGenerator[Site]:
    async with opened_site(stage) as one:
        yield one


async def context_of(browser: Browser, width: int = 1280, **more: Any) -> BrowserContext:
    return await browser.new_context(viewport={"width": width, "height": 900}, **more)


def tiles(page: Page) -> Locator:
    return page.locator("tintype-feed button.open")


async def filled(page: Page, posts: int = 9) -> None:
    """Wait until the feed is there and every picture of it is decoded, those below the fold too."""
    await expect(tiles(page)).to_have_count(posts)
    for one in await tiles(page).all():
        await one.scroll_into_view_if_needed()
        await expect(one.locator("img.there")).to_have_count(1)
    await page.evaluate("scrollTo(0, 0)")
    await asyncio.sleep(0.4)  # they fade in


async def shot(page: Page, folder: Path, name: str) -> None:
    """Keep a picture for people who look."""
    place = Path(os.environ.get("TINTYPE_SHOTS", folder)) / f"widget-{name}.png"
    await page.screenshot(path=place, full_page=not await page.locator("dialog[open]").count())


async def shifted(page: Page) -> float:
    return float(await page.evaluate("window.shifts.reduce((sum, one) => sum + one, 0)"))


@pytest.mark.parametrize("layout", SPACES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")], ids=["wide", "phone"])
async def test_every_layout_on_a_strict_page(
    site: Site,
    browser: Browser,
    key: str,
    tmp_path: Path,
    layout: str,
    width: int,
    scheme: Literal["light", "dark"],
) -> None:
    site.body = site.tag(SPACES[layout], feed=key, layout=layout)
    context = await context_of(browser, width, color_scheme=scheme)
    one = await site.visit(context)
    await filled(one.page)
    assert await shifted(one.page) == 0
    assert one.complaints == []
    assert one.hosts == {NAME, "127.0.0.1"}
    assert await context.cookies() == []
    assert await one.page.evaluate("localStorage.length + sessionStorage.length") == 0
    assert await one.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert all([await image.get_attribute("alt") for image in await tiles(one.page).locator("img").all()])
    loaded = await tiles(one.page).first.locator("img").evaluate("one => one.currentSrc")
    assert re.search(r"/m/[0-9a-f]{64}/(320|640|1080)\.avif$", loaded)
    await shot(one.page, tmp_path, f"{layout}-{width}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("layout", SPACES)
async def test_nothing_serious_is_found(
    site: Site, browser: Browser, key: str, layout: str, scheme: Literal["light", "dark"]
) -> None:
    site.body = site.tag(feed=key, layout=layout)
    one = await site.visit(await context_of(browser, color_scheme=scheme, bypass_csp=True))
    await filled(one.page)
    assert await findings_everywhere(one.page) == []
    await tiles(one.page).first.click()
    await expect(one.page.locator("tintype-feed dialog")).to_be_visible()
    assert await findings_everywhere(one.page) == []


async def test_a_script_tag_is_enough(site: Site, browser: Browser, key: str) -> None:
    site.body = site.script(feed=key, layout="list", count="4") + site.script(feed=key, count="2", columns="2")
    one = await site.visit(await context_of(browser))
    await filled(one.page, 6)
    feeds = one.page.locator("tintype-feed")
    await expect(feeds.nth(0).locator("button.open")).to_have_count(4)
    await expect(feeds.nth(0).get_by_text("Bread number 7")).to_be_visible()
    await expect(feeds.nth(1).locator("button.open")).to_have_count(2)
    assert one.complaints == []


async def test_a_script_in_the_head_says_where(site: Site, browser: Browser, key: str) -> None:
    site.body = f'<div id="here"></div>{site.script(feed=key, count="1", into="#here")}'
    one = await site.visit(await context_of(browser))
    await expect(one.page.locator("#here button.open")).to_have_count(1)


async def test_keys_are_enough(site: Site, browser: Browser, key: str, tmp_path: Path) -> None:
    site.body = site.tag(SPACES["grid"], feed=key)
    one = await site.visit(await context_of(browser))
    await filled(one.page)
    page, keys = one.page, one.page.keyboard
    dialog = page.locator("tintype-feed dialog")
    await keys.press("Tab")
    await expect(tiles(page).first).to_be_focused()
    await keys.press("Enter")
    await expect(dialog).to_be_visible()
    await expect(dialog.get_by_role("status")).to_have_text("1 of 9, Picture 1 of 4")
    await expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    await shot(page, tmp_path, "album")
    await keys.press("ArrowRight")
    await keys.press("ArrowRight")
    await expect(dialog.get_by_role("status")).to_have_text("1 of 9, Picture 3 of 4")
    await expect(dialog.locator("video[controls]")).to_have_count(1)
    await keys.press("ArrowRight")
    await keys.press("ArrowRight")
    await expect(dialog.get_by_text("A reel of the harbour")).to_be_visible()
    await shot(page, tmp_path, "reel")
    await keys.press("End")
    await expect(dialog.get_by_role("status")).to_have_text("9 of 9")
    await expect(dialog.get_by_text("Bread number 1")).to_contain_text("from the oven")
    for _ in range(8):  # whatever is pressed, the focus does not leave for the page behind
        await keys.press("Tab")
        assert await page.evaluate("[null, 'TINTYPE-FEED', 'BODY'].includes(document.activeElement?.tagName ?? null)")
    await keys.press("PageUp")
    await expect(dialog.get_by_role("status")).to_have_text("8 of 9")
    await keys.press("Home")
    await keys.press("PageDown")
    await expect(dialog.get_by_role("status")).to_have_text("2 of 9")
    await keys.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(tiles(page).nth(1)).to_be_focused()
    assert await shifted(page) == 0
    assert one.complaints == []
    assert one.hosts == {NAME, "127.0.0.1"}


async def test_a_reel_plays_from_our_own_copy(site: Site, browser: Browser, key: str) -> None:
    site.body = site.tag(feed=key)
    one = await site.visit(await context_of(browser))
    await filled(one.page)
    await tiles(one.page).nth(1).click()
    film = one.page.locator("dialog video")
    await expect(film).to_have_attribute("preload", "none")
    source = await film.get_attribute("src") or ""
    assert source.startswith(f"{site.host}/m/")
    await film.evaluate("one => { one.muted = true; one.load(); }")
    await expect(film).to_have_js_property("readyState", 4)
    await one.page.keyboard.press("Escape")
    await expect(film).to_have_count(0)
    assert one.complaints == []
    assert one.hosts == {NAME, "127.0.0.1"}


async def test_a_phone_shows_a_post_whole(site: Site, browser: Browser, key: str, tmp_path: Path) -> None:
    site.body = site.tag(feed=key)
    one = await site.visit(await context_of(browser, 390, has_touch=True, color_scheme="dark"))
    await filled(one.page)
    await tiles(one.page).nth(2).tap()
    picture = one.page.locator("dialog .stage img.there")
    await expect(picture).to_have_count(1)
    await asyncio.sleep(0.4)
    box = await picture.bounding_box()
    assert box
    assert box["width"] <= 390
    assert abs(box["width"] / box["height"] - 640 / 800) < 0.02
    await shot(one.page, tmp_path, "phone")


async def test_the_slider_turns_and_keeps_still_for_those_who_ask(
    site: Site, browser: Browser, key: str, tmp_path: Path
) -> None:
    site.body = site.tag(feed=key, layout="slider")
    one = await site.visit(await context_of(browser, reduced_motion="reduce"))
    await filled(one.page)
    rail = one.page.locator("tintype-feed ul")
    await rail.evaluate("one => one.scrollTo(0, 0)")
    await expect(one.page.get_by_role("button", name="Previous")).to_be_hidden()
    await one.page.get_by_role("button", name="Next").click()
    # At once, not on its way.
    moved = await rail.evaluate("one => one.scrollLeft / one.clientWidth")
    assert moved > 0.9
    await expect(one.page.get_by_role("button", name="Previous")).to_be_visible()
    await shot(one.page, tmp_path, "slider-turned")
    for place in ("img", "button.open"):
        duration = await tiles(one.page).first.evaluate(
            "(one, place) => getComputedStyle(one.matches(place) ? one : one.querySelector(place)).transitionDuration",
            place,
        )
        assert duration == "0s"


async def test_only_listed_sites_show_a_feed(stage: Stage, site: Site, browser: Browser, cafe: Member) -> None:
    other = await feed_key(stage, cafe.workspace_id, "https://elsewhere.example")
    site.body = site.tag(feed=other)
    one = await site.visit(await context_of(browser))
    await expect(one.page.locator("tintype-feed section")).to_have_attribute("aria-busy", "false")
    said = [line for line in one.complaints if line.startswith("Tintype: ")]
    advice = "add this origin to the list of the key, or make a key with it"
    assert said == [f"Tintype: the feed key {other} may not be used on {site.origin}: {advice}"]
    await expect(tiles(one.page)).to_have_count(0)
    mine = await feed_key(stage, cafe.workspace_id, "https://elsewhere.example", site.origin)
    site.body = site.tag(feed=mine)
    two = await site.visit(await context_of(browser))
    await filled(two.page)
    assert two.complaints == []


async def test_an_unknown_key_is_named_on_the_console(site: Site, browser: Browser) -> None:
    site.body = site.tag("<p>Find us on Instagram.</p>", feed="fk_nobody")
    one = await site.visit(await context_of(browser))
    await expect(one.page.get_by_text("Find us on Instagram.")).to_be_visible()
    assert "Tintype: the feed key fk_nobody is not known here, or was revoked" in one.complaints


async def test_a_feed_that_is_away_breaks_nothing_and_comes_back(site: Site, browser: Browser, key: str) -> None:
    site.body = site.tag('<a href="https://www.instagram.com/cafe">We are on Instagram</a>', feed=key)
    context = await context_of(browser)
    is_away = True

    async def away(route: Route) -> None:
        await (route.abort() if is_away else route.continue_())

    await context.route("**/feeds/**", away)
    one = await site.visit(context)
    await expect(one.page.get_by_role("link", name="We are on Instagram")).to_be_visible()
    await expect(one.page.get_by_text("Open from seven to six.")).to_be_visible()
    assert any("was not reached" in line for line in one.complaints)
    is_away = False
    await expect(tiles(one.page)).to_have_count(9)
    await expect(one.page.get_by_role("link", name="We are on Instagram")).to_be_hidden()


async def test_who_came_before_sees_the_last_list_while_the_feed_is_away(
    site: Site, browser: Browser, key: str
) -> None:
    site.body = site.tag(feed=key)
    context = await context_of(browser)
    first = await site.visit(context)
    await filled(first.page)

    await context.set_offline(True)
    again = (
        "const one = document.createElement('tintype-feed'); one.setAttribute('feed', key); document.body.append(one)"
    )
    await first.page.evaluate(f"(key) => {{ {again} }}", key)
    await expect(tiles(first.page)).to_have_count(18)


async def test_what_is_hidden_here_is_not_shown(stage: Stage, site: Site, browser: Browser) -> None:
    member = await stage.member(3)
    first, second, _ = await member.ids()
    await stage.house.feed.curation.hide(member.workspace_id, member.account_id, first, hidden=True)
    await stage.house.feed.curation.describe(member.workspace_id, member.account_id, second, "A loaf on a board")
    await stage.house.renditions.render_all()
    site.body = site.tag(feed=await feed_key(stage, member.workspace_id))
    context = await context_of(browser)
    one = await site.visit(context)
    await filled(one.page, 2)
    await expect(tiles(one.page).first).to_have_accessible_name("A loaf on a board")
    await stage.house.feed.curation.hide(member.workspace_id, member.account_id, second, hidden=True)
    two = await site.visit(context)  # whose browser keeps the list of a moment ago
    await filled(two.page, 1)


async def test_space_that_no_post_needs_is_given_back_out_of_sight(stage: Stage, site: Site, browser: Browser) -> None:
    member = await stage.member(2)
    await stage.house.renditions.render_all()
    long = '<div id="long">' + "<p>More of the café.</p>" * 60 + "</div>"
    site.body = site.tag(SPACES["grid"], feed=await feed_key(stage, member.workspace_id)) + long
    one = await site.visit(await context_of(browser, 700))
    await filled(one.page, 2)
    section = one.page.locator("tintype-feed section")
    high = (await section.bounding_box() or {})["height"]
    assert high > 600  # somebody reads what stands below
    await one.page.mouse.wheel(0, 30)
    assert (await section.bounding_box() or {})["height"] == high
    await one.page.set_viewport_size({"width": 700, "height": 300})
    await one.page.mouse.wheel(0, -30)
    await expect(section).to_have_css("height", re.compile("^222"))  # one row
    assert await shifted(one.page) == 0


@pytest.mark.parametrize(
    ("language", "direction", "said"),
    [
        ("de-AT", "ltr", "1 von 9, Bild 1 von 4"),
        ("fr", "ltr", "1 sur 9, Image 1 sur 4"),
        ("ja", "ltr", "1 / 9, 画像 1 / 4"),
        ("ar", "rtl", "1 من 9, صورة 1 من 4"),
    ],
)
async def test_the_widget_speaks_the_language_of_the_page(
    site: Site, browser: Browser, key: str, language: str, direction: str, said: str
) -> None:
    site.body, site.language, site.direction = site.tag(feed=key), language, direction
    one = await site.visit(await context_of(browser))
    await filled(one.page)
    await tiles(one.page).first.click()
    status = one.page.locator("dialog").get_by_role("status")
    shown = (await status.text_content() or "").translate(str.maketrans("٠١٢٣٤٥٦٧٨٩", "0123456789"))
    assert shown == said
    await one.page.keyboard.press("ArrowLeft" if direction == "rtl" else "ArrowRight")
    await expect(status).not_to_have_text(said)
    assert one.complaints == []


async def test_one_account_of_several(stage: Stage, site: Site, browser: Browser, key: str, cafe: Member) -> None:
    site.body = site.tag(feed=key, account=f"@{cafe.username.upper()}", count="2")
    one = await site.visit(await context_of(browser))
    await filled(one.page, 2)
    site.body = site.tag("<p>Nobody here.</p>", feed=key, account="somebody.else")
    two = await site.visit(await context_of(browser))
    await expect(two.page.get_by_text("Nobody here.")).to_be_visible()
    await expect(tiles(two.page)).to_have_count(0)


async def test_a_picture_that_is_not_copied_yet_is_not_asked_of_instagram(
    stage: Stage, site: Site, browser: Browser
) -> None:
    person = stage.person(2)
    person.fault("cdn.image", "status", status=503, times=None)
    member = await person.register()
    stage.calm()
    key = await feed_key(stage, member.workspace_id)
    feed = (await stage.http.get(f"/feeds/{key}.json")).json()["photos"]
    assert not [photo for photo in feed if member.is_own(photo["mediaUrl"])]
    site.body = site.tag("<p>Soon.</p>", feed=key)
    one = await site.visit(await context_of(browser))
    await expect(one.page.get_by_text("Soon.")).to_be_visible()
    assert one.complaints == []
    assert one.hosts == {NAME, "127.0.0.1"}
    assert "<img" not in (await stage.http.get(f"/feeds/{key}.html")).text


async def test_the_page_of_a_feed_in_a_frame(
    stage: Stage, site: Site, browser: Browser, key: str, tmp_path: Path
) -> None:
    page = f"{site.host}/feeds/{key}.html?limit=6"
    site.body = (await stage.http.get("/oembed", params={"url": page})).json()["html"]
    one = await site.visit(await context_of(browser, 700))
    inside = one.page.frame_locator("iframe")
    await expect(inside.locator("img")).to_have_count(6)
    for image in await inside.locator("img").all():
        await expect(image).to_have_js_property("complete", True)
        assert await image.evaluate("one => one.naturalWidth") > 0
    frame = one.page.frames[1]
    assert await frame.evaluate("document.documentElement.scrollHeight <= innerHeight")
    assert one.complaints == []
    assert one.hosts == {NAME, "127.0.0.1"}
    await shot(one.page, tmp_path, "framed")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_the_page_of_a_feed_by_itself(
    site: Site, browser: Browser, key: str, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = await context_of(browser, width, color_scheme=scheme, bypass_csp=False)
    page = await context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    await page.goto(f"{site.host}/feeds/{key}.html")
    await expect(page.locator("img")).to_have_count(10)
    await expect(page.locator("img[loading=lazy]")).to_have_count(4)  # beyond the first six
    assert await findings(page) == []
    assert complaints == []
    await shot(page, tmp_path, f"page-{width}-{scheme}")


async def test_before_a_picture_comes_its_colours_are_there(site: Site, browser: Browser, key: str) -> None:
    context = await context_of(browser)
    await context.route("**/m/**", lambda route: route.abort())
    site.body = site.tag(feed=key)
    one = await site.visit(context)
    await expect(tiles(one.page).locator("canvas")).to_have_count(9)
    feed = (await site.stage.http.get(f"/feeds/{key}.json?limit=9")).json()["photos"]
    for tile, photo in zip(await tiles(one.page).all(), feed, strict=True):
        drawn = await tile.locator("canvas").evaluate(
            """one => [one.width, one.height, ...one.getContext("2d").getImageData(0, 0, one.width, one.height).data]"""
        )
        width, height, pixels = drawn[0], drawn[1], bytes(drawn[2:])
        picture = see((await site.stage.http.get(photo.get("posterUrl") or photo["mediaUrl"])).content)
        small = bytes(picture.thumbnail_image(width, height=height, size="force").write_to_memory())
        apart = [
            abs(a - b) for a, b in zip(_ninths(pixels, width, height, 4), _ninths(small, width, height, 3), strict=True)
        ]
        assert sum(apart) / len(apart) < 20, photo["caption"]


def _ninths(pixels: bytes, width: int, height: int, bands: int) -> list[float]:
    """The mean red, green and blue of each ninth of a picture."""
    found: list[float] = []
    for down in range(3):
        for across in range(3):
            rows = range(down * height // 3, (down + 1) * height // 3)
            columns = range(across * width // 3, (across + 1) * width // 3)
            for band in range(3):
                values = [pixels[(y * width + x) * bands + band] for y in rows for x in columns]
                found.append(sum(values) / len(values))
    return found
