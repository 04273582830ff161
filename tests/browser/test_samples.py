"""The seed's two samples run as printed, with the key in the script tag, where cookies are blocked."""

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright, expect

from tests.browser.shop import Shop, connected, dialog_in, shot, visit
from tests.walks.stage import Stage
from tests.windows import CHROMIUM, QUIET

PICK = """<script nonce="shop">
filepicker.pick( { mimetypes: ['image/*'], services:['INSTAGRAM'], }, function(Blob){ console.log(JSON.stringify(Blob)); } );
</script>"""

CONVERT = """<script nonce="shop">
filepicker.pick( { services: ['INSTAGRAM'], mimetype: 'image/*', }, function(pickedBlob){ console.log("Conversion in progress...")
filepicker.convert( pickedBlob, { width: 400, height: 400, }, { location: 'S3' }, function(convertedBlob){ console.log("Converted file url: ", convertedBlob.url); console.log("File is stored under your S3: ", convertedBlob.key); filepicker.remove( pickedBlob, function(){ console.log("Removed"); } ); } ); } );
</script>"""


async def test_pick_prints_a_blob(stage: Stage, browser: Browser, shop: Shop, tmp_path: Path) -> None:
    person = stage.person(4)
    shop.show(PICK, strict=True)
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    said: list[str] = []
    one = await visit(shop, context)
    one.page.on("console", lambda line: said.append(line.text))
    await shot(one.page, tmp_path, "connect-wide")
    await connected(one.page, person)
    await dialog_in(one.page).get_by_role("button", name="Photo").first.click()
    await shot(one.page, tmp_path, "grid-wide")
    async with one.page.expect_console_message(lambda line: line.text.startswith("{")):
        await dialog_in(one.page).get_by_role("button", name="Choose").click()
    blob: dict[str, Any] = json.loads(said[-1])
    assert blob == {
        "url": blob["url"],
        "filename": blob["filename"],
        "mimetype": "image/jpeg",
        "size": blob["size"],
        "client": "Instagram",
        "isWriteable": True,
    }
    assert blob["url"].startswith(f"{shop.host}/api/file/")
    assert len((await stage.http.get(blob["url"])).content) == blob["size"]
    await expect(one.page.locator("iframe")).to_have_count(0)
    assert one.complaints == []
    assert one.hosts == {"127.0.0.1", "localhost"}


async def test_convert_prints_what_the_document_says(stage: Stage, browser: Browser, shop: Shop) -> None:
    person = stage.person()
    person.post(width=1440, height=1800)
    shop.show(CONVERT, strict=True)
    one = await visit(shop, await browser.new_context())
    said: list[str] = []
    one.page.on("console", lambda line: said.append(line.text))
    await connected(one.page, person)
    await dialog_in(one.page).get_by_role("button", name="Photo").first.click()
    async with one.page.expect_console_message(lambda line: line.text == "Removed"):
        await dialog_in(one.page).get_by_role("button", name="Choose").click()
    begun, url, stored, removed = said
    assert (begun, removed) == ("Conversion in progress...", "Removed")
    address = url.removeprefix("Converted file url: ").strip()
    picture = await stage.house.backends.images.inspect((await stage.http.get(address)).content)
    assert max(picture.width, picture.height) == 400
    assert stored.startswith("File is stored under your S3: ")
    assert len(stored) > len("File is stored under your S3: ")
    assert one.complaints == []


async def test_all_cookies_are_blocked(stage: Stage, shop: Shop, tmp_path: Path) -> None:
    """Not even the window of the connection has one: there the dialog itself vouches for it."""
    person = stage.person(2)
    shop.show(PICK, strict=True)
    folder = tmp_path / "profile" / "Default"
    folder.mkdir(parents=True)
    (folder / "Preferences").write_text('{"profile": {"default_content_setting_values": {"cookies": 2}}}')
    async with async_playwright() as play:
        context = await play.chromium.launch_persistent_context(
            folder.parent, executable_path=CHROMIUM, args=QUIET, headless=True
        )
        one = await visit(shop, context)
        await connected(one.page, person)
        await dialog_in(one.page).get_by_role("button", name="Photo").first.click()
        async with one.page.expect_console_message(lambda line: line.text.startswith("{")):
            await dialog_in(one.page).get_by_role("button", name="Choose").click()
        assert await context.cookies() == []
        await context.close()
