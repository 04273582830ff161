"""The console as people use it, in a real browser: from the first run to a published post, a recipe, a revoked key."""

import json
import re
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pyvips
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.test_axe import findings_everywhere
from tests.walks.stage import Stage, staged
from tests.windows import Window
from tintype.core.access import Grant

PAGES = (
    "/console", "/console/accounts", "/console/accounts/doctor", "/console/feed", "/console/publish", "/console/posts",
    "/console/posts/calendar", "/console/insights", "/console/recipes", "/console/downloads", "/console/picker",
    "/console/webhooks", "/console/team", "/console/team/log", "/console/system", "/console/me", "/share", "/docs/start",
    "/docs/dialects/feed", "/docs/api/feed", "/?stay", "/signin",
)  # fmt: skip
# One of each kind of page that is only reached by a link.
DETAILS = re.compile(r"/console/(picker|posts|recipes|webhooks|downloads|insights/posts)/[\w-]{8,}")
SIDEWAYS = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.innerText)"
MOST_BYTES = 100_000
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  // What a click or another size of the window moves was asked for, and counts nowhere.
  new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) sum += one.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 200);
})"""


@pytest.fixture(scope="module")
async def stage(anyio_backend: str) -> AsyncGenerator[Stage]:
    """A house as a demonstration furnishes it, with an account that has some posts."""
    del anyio_backend
    async with staged() as one:
        house = one.house
        one.pretend.post("/reset", redirect_uris=[house.settings.callback()])
        user_id = await house.users.add("you@demo.example", "Correct-h0rse", name="You", workspace="Demo")
        (seat,) = (await house.users.person(user_id)).seats
        key = await house.access.issue(seat.workspace.id, Grant.FEED)
        await house.picking.apps.create(seat.workspace.id, "Shop", presets={"thumb": "resize=w:400"})
        house.welcome.offer(seat.workspace.id, key.secret, one.pretend.origin, user_id)
        yield one


@pytest.fixture
async def window(stage: Stage, browser: Browser) -> AsyncGenerator[Window]:
    """The console of the demonstration, opened from the start page; whatever is complained about fails the test."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    one = await entered(stage, context)
    yield one
    assert one.complaints == []
    assert one.hosts - {None} == {"127.0.0.1"}  # a picture that was chosen has an address of its own, and no host
    await context.close()


async def entered(stage: Stage, context: BrowserContext) -> Window:
    one = Window(await context.new_page()).watch()
    await one.page.goto(stage.house.settings.address())
    await one.page.get_by_role("button", name="Open the console").click()
    await expect(one.page.get_by_role("heading", name="Demo")).to_be_visible()
    return one


async def connected(stage: Stage, page: Page, posts: int = 3) -> str:
    """Connect one more account by the console's own button, and return its name."""
    person = stage.person(posts)
    await page.goto(f"{stage.house.settings.address()}/console/accounts")
    await page.get_by_role("button", name="Connect with Instagram").click()
    await page.get_by_text(person.username, exact=False).first.click()
    await page.get_by_role("button", name="Allow").click()
    await expect(page.get_by_role("heading", name="Connected")).to_be_visible()
    account = next(one for one in await stage.house.accounts.all() if one.username == person.username)
    await stage.house.feed.sync(account.id)
    return person.username


async def pages(page: Page, address: str) -> list[str]:
    """All pages: those that are known, and one of each kind that is only reached by a link."""
    found: dict[str, str] = {}
    for path in ("/console/posts", "/console/recipes", "/console/picker", "/console/insights"):
        await page.goto(address + path)
        for linked in await page.evaluate("[...document.links].map((one) => one.pathname)"):
            if kind := DETAILS.fullmatch(linked):
                found.setdefault(kind[1], linked)
    return [*PAGES, *found.values()]


def picture(folder: Path) -> Path:
    file = folder / "mine.jpg"
    pyvips.Image.black(640, 800, bands=3).copy(interpretation="srgb").jpegsave(str(file))
    return file


async def test_from_the_first_page_to_a_feed_in_three_clicks(stage: Stage, window: Window, tmp_path: Path) -> None:
    page = window.page
    await connected(stage, page)
    await page.goto(stage.house.settings.address() + "/?stay")
    await page.get_by_role("button", name="Open the console").click()  # one
    await page.get_by_role("link", name="Feed", exact=True).click()  # two
    await expect(page.locator(".post img").first).to_be_visible()
    await window.shot(tmp_path, "feed")
    await page.locator(".post").first.get_by_role("button", name="Hide").click()
    await expect(page.get_by_role("status")).to_contain_text("Hidden")


async def test_a_picture_is_published_and_followed_to_its_end(stage: Stage, window: Window, tmp_path: Path) -> None:
    page = window.page
    name = await connected(stage, page)
    await page.get_by_role("link", name="the start page").click()
    await page.goto(f"{stage.house.settings.address()}/console/publish")
    await page.get_by_label("Account").select_option(label=name)
    await page.set_input_files("#files", picture(tmp_path))
    await page.get_by_role("textbox", name="Caption").fill("From the console #tintype")
    await expect(page.locator("#counter")).to_contain_text("1 of 30 hashtags")
    await expect(page.locator("#stage img")).to_be_visible()
    await page.get_by_role("button", name="Publish", exact=True).click()
    await expect(page.locator("h1 .chip")).to_have_text("published", timeout=30_000)
    assert stage.pretend.levers.get("/_world/published", params={"username": name}).json()


async def test_a_post_is_scheduled_changed_and_called_back(stage: Stage, window: Window) -> None:
    page = window.page
    name = await connected(stage, page, 1)
    await page.goto(f"{stage.house.settings.address()}/console/publish")
    await page.get_by_label("Account").select_option(label=name)
    await page.get_by_text("Or by their addresses").click()
    await page.get_by_label("One a line").fill("https://pictures.invalid/one.jpg")
    await page.locator("[name=scheduled_at]").fill(f"{datetime.now(UTC).year + 1}-05-01T09:00")
    await page.get_by_label("Time zone").fill("Europe/Berlin")
    await page.get_by_role("button", name="Publish", exact=True).click()
    await expect(page.locator("h1 .chip")).to_have_text("scheduled")
    await page.get_by_role("link", name="Change").click()
    await page.get_by_role("textbox", name="Caption").fill("Other words")
    await page.get_by_role("button", name="Keep the change").click()
    await expect(page.locator(".words")).to_have_text("Other words")
    page.on("dialog", lambda asked: asked.accept())
    await page.get_by_role("button", name="Call back").click()
    await expect(page.locator("h1 .chip")).to_have_text("cancelled")


async def test_an_account_is_let_go_and_connected_again(stage: Stage, window: Window) -> None:
    page = window.page
    name = await connected(stage, page, 1)
    await page.goto(f"{stage.house.settings.address()}/console/accounts")
    card = page.locator(".card", has_text=name)
    page.on("dialog", lambda asked: asked.accept())
    await card.get_by_role("button", name="Disconnect").click()
    await expect(page.locator(".card", has_text=name).locator(".chip")).to_have_text("disconnected")
    await page.locator(".card", has_text=name).get_by_role("button", name="Connect again").click()
    await page.get_by_text(name, exact=False).first.click()
    await page.get_by_role("button", name="Allow").click()
    await page.goto(f"{stage.house.settings.address()}/console/accounts")
    await expect(page.locator(".card", has_text=name).locator(".chip")).to_have_text("connected")


async def test_a_paste_becomes_a_recipe_and_a_failed_one_is_tried_again(stage: Stage, window: Window) -> None:
    page, address = window.page, stage.house.settings.address()
    await page.goto(f"{address}/console/recipes")
    await page.get_by_label("Links or words").fill(
        "Oat bake\n\nIngredients\n- 200 g oats\n- 2 eggs\n\nMethod\n1. Mix.\n2. Bake."
    )
    await page.get_by_role("button", name="Make recipes").click()
    await expect(page.get_by_text("200 g oats", exact=True)).to_be_visible(timeout=60_000)
    await page.get_by_role("link", name="Correct it").click()
    await page.get_by_label("Name").fill("Oat cake")
    await page.get_by_role("button", name="Keep it").click()
    await expect(page.get_by_role("heading", name="Oat cake")).to_be_visible()
    await page.goto(f"{address}/console/recipes")
    await page.get_by_label("Links or words").fill(
        "We had such a lovely day at the lake with the whole family yesterday."
    )
    await page.get_by_role("button", name="Make recipes").click()
    await expect(page.locator("h1 .chip")).to_have_text("not made", timeout=60_000)
    await page.get_by_role("button", name="Try again").click()
    await expect(page.get_by_role("status")).to_contain_text("tried again")


async def test_a_key_is_made_and_revoked(stage: Stage, window: Window) -> None:
    page, address = window.page, stage.house.settings.address()
    await page.goto(f"{address}/console/team")
    await page.get_by_label("Label").fill("shop")
    await page.get_by_role("button", name="Make a token").click()
    secret = await page.locator("#issued").inner_text()
    row = page.locator("tr", has_text="shop").filter(has=page.get_by_role("button", name="Revoke"))
    page.on("dialog", lambda asked: asked.accept())
    assert await stage.status(f"/feeds/{secret}.json") == 200
    await row.get_by_role("button", name="Revoke").click()
    await expect(page.get_by_role("status")).to_contain_text("opens nothing")
    assert await stage.status(f"/feeds/{secret}.json") == 401


async def test_a_preset_is_added_on_a_phone_and_removed(stage: Stage, window: Window, tmp_path: Path) -> None:
    page, address = window.page, stage.house.settings.address()
    await page.set_viewport_size({"width": 390, "height": 844})
    await page.goto(f"{address}/console/picker")
    await page.get_by_role("link", name="Shop").click()
    await page.get_by_label("Preset", exact=True).fill("banner")
    await page.get_by_label("Plan", exact=True).fill("resize=w:wide")
    await page.get_by_role("button", name="Keep it").nth(1).click()
    await expect(page.get_by_role("alert")).to_contain_text("The preset 'banner'")
    await window.shot(tmp_path, "preset-not-taken")
    assert ["400" in one for one in window.complaints] == [
        True
    ]  # the browser's own word about a form that is not taken
    window.complaints.clear()
    await page.get_by_label("Plan", exact=True).fill("resize=w:800,h:200,fit:crop")
    await page.get_by_role("button", name="Keep it").nth(1).click()
    await expect(page.locator("tr", has_text="banner")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.on("dialog", lambda asked: asked.accept())
    await page.get_by_role("button", name="Remove banner").click()
    await expect(page.get_by_role("status")).to_contain_text("kept")
    await expect(page.locator("tr", has_text="banner")).to_have_count(0)


async def test_the_second_editor_of_presets_is_told_and_loses_nothing(
    stage: Stage, window: Window, tmp_path: Path
) -> None:
    page = window.page
    await page.goto(f"{stage.house.settings.address()}/console/picker")
    await page.get_by_role("link", name="Shop").click()
    await expect(page.get_by_label("Preset", exact=True)).to_be_visible()
    other = await page.context.new_page()
    await other.goto(page.url)
    for one, name in ((other, "theirs"), (page, "mine")):
        await one.get_by_label("Preset", exact=True).fill(name)
        await one.get_by_label("Plan", exact=True).fill("resize=w:800")
        await one.get_by_role("button", name="Keep it").nth(1).click()
        if one is other:
            await expect(other.locator("tr", has_text="theirs")).to_be_visible()
    await expect(page.get_by_role("alert")).to_contain_text("Somebody else changed this app meanwhile")
    await expect(page.locator("tr", has_text="theirs")).to_be_visible()
    await expect(page.get_by_label("Preset", exact=True)).to_have_value("mine")
    await expect(page.get_by_label("Plan", exact=True)).to_have_value("resize=w:800")
    await window.shot(tmp_path, "preset-overtaken")
    assert ["412" in one for one in window.complaints] == [True]  # the browser's own word, as above
    window.complaints.clear()
    await page.get_by_role("button", name="Keep it").nth(1).click()
    await expect(page.locator("tr", has_text="mine")).to_be_visible()
    await expect(page.locator("tr", has_text="theirs")).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
async def test_every_page_is_light_still_and_whole(stage: Stage, browser: Browser, tmp_path: Path, width: int) -> None:
    context = await browser.new_context(viewport={"width": width, "height": 900})
    one = await entered(stage, context)
    await connected(stage, one.page, 12)
    for path in PAGES:
        sizes: list[int] = []
        page = await context.new_page()
        window = Window(page).watch()
        page.on("response", lambda answer, sizes=sizes: sizes.append(int(answer.headers.get("content-length", 0))))
        await page.goto(stage.house.settings.address() + path)
        await page.wait_for_load_state("networkidle")
        assert window.complaints == [], path
        assert window.hosts == {"127.0.0.1"}, path
        assert sum(sizes) <= MOST_BYTES, path
        assert await page.evaluate(SHIFTS) < 0.005, path
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        await window.shot(tmp_path, f"{re.sub('[^a-z]+', '-', path.lower())}-{width}")
        await page.close()
    await one.page.close()
    await context.close()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_axe_finds_nothing_serious_on_any_page(stage: Stage, browser: Browser, dark: bool) -> None:
    scheme = "dark" if dark else "light"
    context = await browser.new_context(color_scheme=scheme, bypass_csp=True)
    one = await entered(stage, context)
    found: dict[str, list[str]] = {}
    for path in await pages(one.page, stage.house.settings.address()):
        await one.page.goto(stage.house.settings.address() + path)
        if problems := await findings_everywhere(one.page):
            found[path] = problems
    assert found == {}, json.dumps(found, indent=1)
    await context.close()


async def test_tables_are_whole_on_a_phone(stage: Stage, browser: Browser) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 844})
    one = await entered(stage, context)
    for path in ("/console/team", "/console/team/log", "/console/system", "/console/me"):
        await one.page.goto(stage.house.settings.address() + path)
        await one.page.locator("details").evaluate_all("(all) => all.forEach((one) => { one.open = true; })")
        assert await one.page.locator("table.cells").count() > 0, path
        assert await one.page.locator(".scroll").evaluate_all(SIDEWAYS) == [], path
    await context.close()


async def test_pages_work_without_scripts(stage: Stage, browser: Browser) -> None:
    context = await browser.new_context(java_script_enabled=False)
    one = await entered(stage, context)
    await one.page.get_by_role("link", name="Recipes", exact=True).click()
    await one.page.get_by_label("Links or words").fill(
        "Rice\n\nIngredients\n- 200 g rice\n- 1 onion\n\nMethod\n1. Boil the rice."
    )
    await one.page.get_by_role("button", name="Make recipes").click()
    await expect(one.page.locator("h1")).to_be_visible()
    await one.page.get_by_role("link", name="Team and keys").click()
    await expect(one.page.get_by_role("button", name="Make a token")).to_be_visible()
    await context.close()
