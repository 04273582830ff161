"""The dialog as people use it: with a mouse, with keys, on a phone, in the dark, and when something goes wrong."""

import asyncio
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.backends.pictures import picture
from tests.browser.shop import Shop, connected, consented, dialog_in, held, shot, visit
from tests.walks.stage import Person, Stage

MANY = """<script nonce="shop">
filepicker.pickMultiple({ mimetypes: ['image/*'], services: ['INSTAGRAM'], maxFiles: 8 },
  (blobs) => { window.blobs = blobs; }, (error) => { window.error = error; }, (percent) => { window.percent = percent; });
</script>"""


def family(stage: Stage, posts: int = 5) -> Person:
    """Somebody with photos, an album of three pictures and a video, and one, and a reel."""
    person = stage.person()
    person.post("REELS", caption="A reel of the harbour")
    for number in range(posts):
        person.post(caption=f"Bread number {number} from the oven", width=640, height=800)
    children = ["IMAGE", "IMAGE", "VIDEO", "IMAGE"]
    person.post("CAROUSEL_ALBUM", children=children, caption="A week at the sea, in order")
    return person


async def loaded(page: Page, pictures: int) -> None:
    """Wait until so many small pictures are shown."""
    await expect(dialog_in(page).locator("img.there")).to_have_count(pictures)
    await asyncio.sleep(0.3)  # they fade in


async def test_several_photos_are_chosen_across_an_album(
    stage: Stage, browser: Browser, shop: Shop, tmp_path: Path
) -> None:
    person = family(stage, 9)
    shop.show(MANY, strict=True)
    one = await visit(shop, await browser.new_context(viewport={"width": 1280, "height": 800}))
    dialog = dialog_in(one.page)
    await connected(one.page, person)
    await loaded(one.page, 11)
    await dialog.get_by_role("button", name="number 3").click()
    await dialog.get_by_role("button", name="number 1").click()
    await expect(dialog.get_by_text("2 selected").first).to_be_visible()
    await shot(one.page, tmp_path, "many-wide")
    await dialog.get_by_role("button", name="Album, 4 items").click()
    await expect(dialog.get_by_text("A week at the sea")).to_be_visible()
    await loaded(one.page, 4)
    await dialog.get_by_role("button", name="Take all (3)").click()
    await shot(one.page, tmp_path, "album-wide")
    await expect(dialog.get_by_text("5 selected").first).to_be_visible()
    await dialog.get_by_role("button", name="Back to all posts").click()
    await expect(dialog.get_by_role("button", name="Album, 4 items")).to_contain_text("3/4")
    await dialog.get_by_role("button", name="Choose (5)").click()
    found = await held(one.page, "blobs")
    assert len(found) == 5
    assert {blob["client"] for blob in found} == {"Instagram"}
    assert len({blob["url"] for blob in found}) == 5
    assert await one.page.evaluate("window.percent") == 100
    assert one.complaints == []
    assert one.hosts == {"127.0.0.1", "localhost"}


async def test_a_phone_in_the_dark(stage: Stage, browser: Browser, shop: Shop, tmp_path: Path) -> None:
    person = family(stage, 14)
    shop.show(MANY, strict=True)
    context = await browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True)
    one = await visit(shop, context)
    dialog = dialog_in(one.page)
    await expect(dialog.get_by_role("button", name="Connect Instagram")).to_be_visible()
    await shot(one.page, tmp_path, "connect-phone")
    await connected(one.page, person)
    await loaded(one.page, 16)
    await dialog.get_by_role("button", name="number 9").tap()
    await shot(one.page, tmp_path, "grid-phone")
    wide = "document.documentElement.scrollWidth <= innerWidth"
    frame = next(one for one in one.page.frames if "/dialog/open" in one.url)
    assert await frame.evaluate(wide)
    await dialog.get_by_role("button", name="Album, 4 items").tap()
    await loaded(one.page, 4)
    await shot(one.page, tmp_path, "album-phone")
    assert one.complaints == []


async def test_keys_are_enough(stage: Stage, browser: Browser, shop: Shop) -> None:
    person = family(stage, 9)
    shop.show(MANY, strict=True)
    one = await visit(shop, await browser.new_context(viewport={"width": 1280, "height": 800}))
    dialog, keys = dialog_in(one.page), one.page.keyboard
    await connected(one.page, person)
    await loaded(one.page, 11)
    await dialog.get_by_label("Search captions").focus()
    await keys.press("Tab")  # to the button that closes
    await keys.press("Tab")
    await expect(dialog.get_by_role("button", name="Album, 4 items")).to_be_focused()
    await keys.press("ArrowRight")
    await keys.press("Space")
    await expect(dialog.get_by_role("button", name="number 8")).to_have_attribute("aria-pressed", "true")
    await keys.press("ArrowDown")
    await keys.press("End")
    await keys.press("Enter")
    await expect(dialog.get_by_role("status").last).to_have_text("Cannot be chosen here")
    await keys.press("Home")
    await keys.press("Enter")
    await expect(dialog.get_by_text("A week at the sea")).to_be_visible()
    await expect(dialog.get_by_role("button", name="Photo, 1 of 4")).to_be_focused()
    await keys.press("Space")
    await expect(dialog.get_by_role("status").last).to_have_text("2 selected")
    await keys.press("Escape")
    await expect(one.page.locator("iframe")).to_have_count(0)
    assert await one.page.evaluate("window.error.code") == 101


async def test_captions_are_searched(stage: Stage, browser: Browser, shop: Shop) -> None:
    person = family(stage, 40)
    shop.show(MANY, strict=True)
    one = await visit(shop, await browser.new_context(viewport={"width": 1280, "height": 800}))
    dialog = dialog_in(one.page)
    await connected(one.page, person)
    await expect(dialog.locator(".cell")).to_have_count(42)  # the second page came by itself
    await dialog.get_by_label("Search captions").fill("SEA week")
    await expect(dialog.locator(".cell")).to_have_count(1)
    await dialog.get_by_label("Search captions").fill("zebra")
    await expect(dialog.get_by_text("No caption has these words: zebra").first).to_be_visible()
    await dialog.get_by_label("Search captions").fill("number 39")
    await dialog.get_by_role("button", name="number 39").click()
    await dialog.get_by_label("Search captions").fill("")
    await expect(dialog.get_by_role("button", name="number 39")).to_have_attribute("aria-pressed", "true")


async def test_no_more_than_the_page_takes(stage: Stage, browser: Browser, shop: Shop) -> None:
    person = family(stage, 9)
    shop.show(MANY.replace("maxFiles: 8", "maxFiles: 2"), strict=True)
    one = await visit(shop, await browser.new_context())
    dialog = dialog_in(one.page)
    await connected(one.page, person)
    await dialog.get_by_role("button", name="number 8").click()
    await dialog.get_by_role("button", name="Album, 4 items").click()
    await dialog.get_by_role("button", name="Take all (3)").click()
    await expect(dialog.get_by_role("alert")).to_have_text("At most 2 can be chosen.")
    await expect(dialog.get_by_text("2 selected").first).to_be_visible()


async def test_a_file_is_shared_on_instagram(stage: Stage, browser: Browser, shop: Shop, tmp_path: Path) -> None:
    person = stage.person()
    stored = await stage.http.post(
        "/api/store/S3",
        params={"key": shop.key, "filename": "cake.jpg"},
        content=picture("jpeg", 640, 800),
        headers={"content-type": "image/jpeg"},
    )
    url = stored.json()["url"]
    shop.show(
        f"""<script nonce="shop">filepicker.exportFile({{ url: "{url}", mimetype: "image/jpeg", filename: "cake.jpg" }},
        {{ services: ["INSTAGRAM"] }}, (blob) => {{ window.blob = blob; }}, (error) => {{ window.error = error; }});</script>""",
        strict=True,
    )
    one = await visit(shop, await browser.new_context(viewport={"width": 1280, "height": 800}))
    dialog = dialog_in(one.page)
    async with one.page.expect_popup() as popup:
        await dialog.get_by_role("button", name="Connect Instagram").click()
    await consented(await popup.value, person)
    await dialog.get_by_label("Caption").fill("Lemon cake for Sunday", timeout=60_000)
    await shot(one.page, tmp_path, "export-wide")
    await dialog.get_by_role("button", name="Share", exact=True).click()
    blob = await held(one.page, "blob")
    assert (blob["client"], blob["filename"]) == ("Instagram", "cake.jpg")
    assert (await stage.http.get(blob["url"])).status_code == 200
    assert one.complaints == []
