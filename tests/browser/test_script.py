"""filepicker.js of our own, call by call: promises and functions, Blobs and errors with a hint, widgets, the early queue."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.shop import Shop, connected, dialog_in, held, visit
from tests.walks.stage import Stage

WIDGET = """<input type="filepicker" id="photo" data-fp-services="INSTAGRAM" data-fp-mimetypes="image/*" data-fp-button-text="Add a photo">
<script nonce="shop">
document.getElementById("photo").addEventListener("change", (event) => {
  window.seen = { value: event.target.value, one: event.fpfile.url, all: event.fpfiles.length };
});
</script>"""

DROP = """<input type="filepicker-dragdrop" id="photo" data-fp-multiple="true" data-fp-mimetypes="text/*" data-fp-maxsize="10"
  data-fp-store-path="drops/"><div id="pane">Drop a page here</div>
<script nonce="shop">
document.getElementById("photo").addEventListener("change", (event) => { window.seen = event.fpfiles; });
window.heard = [];
const hear = (name) => (...given) => window.heard.push([name, ...given.map((one) => Array.isArray(one) ? one.length : String(one))]);
filepicker.makeDropPane(document.getElementById("pane"), {
  location: "S3", path: "panes/", dragEnter: hear("enter"), dragLeave: hear("leave"), onError: hear("error"),
  onSuccess: (files) => { window.stored = files; },
});
</script>"""

# Lets go of files over an element, as a hand with a mouse does.
DROPPED = """([selector, files]) => {
  const pane = document.querySelector(selector), dataTransfer = new DataTransfer();
  for (const [name, type, text] of files) dataTransfer.items.add(new File([text], name, { type }));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    pane.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
  }
}"""

# Lets go of what was taken from another page, of which only its source is known.
PULLED = """([selector, html]) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.setData("text/html", html);
  document.querySelector(selector).dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
async def page(browser: Browser, shop: Shop) -> Page:
    shop.show(strict=True)
    window = await visit(shop, await browser.new_context())
    return window.page


async def called(page: Page, code: str) -> Any:
    """What a call comes to: its value, or its error's code and hint."""
    return await page.evaluate(
        f"(async () => {{ try {{ return await ({code}); }} catch (error) {{ return {{ code: error.code, text: String(error), hint: error.hint }}; }} }})()"
    )


async def test_files_are_stored_read_written_looked_at_and_removed(page: Page, shop: Shop) -> None:
    stored = await called(
        page, "filepicker.store('Lemon cake', { filename: 'cake.txt', location: 'S3', path: 'cakes/' })"
    )
    told = {"filename": "cake.txt", "mimetype": "text/plain", "size": 10}
    assert {name: stored[name] for name in told} == told
    assert set(stored) <= {"url", "key", "client", "container", "path", "isWriteable", *told}
    assert stored["key"].startswith("cakes/")
    await page.evaluate("(one) => { window.one = one; }", stored)
    assert await called(page, "filepicker.read(one, { asText: true })") == "Lemon cake"
    assert await called(page, "filepicker.read(one)") == "Lemon cake"
    assert await called(page, "filepicker.read(one.url, { base64encode: true })") == "TGVtb24gY2FrZQ=="
    assert (await called(page, "filepicker.write(one, 'Orange cake')"))["url"] == stored["url"]
    assert await called(page, "filepicker.read(one, { asText: true })") == "Orange cake"
    seen = await called(
        page, "filepicker.stat(one).then((seen) => ({ ...seen, isDate: seen.uploaded instanceof Date, uploaded: 0 }))"
    )
    assert (seen["size"], seen["filename"], seen["isDate"]) == (11, "cake.txt", True)
    copied = await called(page, "filepicker.storeUrl(one.url, { filename: 'copy.txt' })")
    assert copied["filename"] == "copy.txt"
    assert (await called(page, f"filepicker.writeUrl(one, '{copied['url']}')"))["url"] == stored["url"]
    file = "new File(['<b>'], 'note.html', { type: 'text/html' })"
    assert (await called(page, f"filepicker.store({file})"))["filename"] == "note.html"
    assert await called(page, "filepicker.remove(one)") is None
    gone = await called(page, "filepicker.read(one)")
    assert gone["code"] == 115
    assert "removed" in gone["hint"]
    assert (await called(page, "filepicker.stat(one)"))["code"] == 161
    assert (await called(page, "filepicker.remove(one)"))["code"] == 171


async def test_mistakes_are_thrown_where_they_are_made(page: Page) -> None:
    for call, text in (
        ("filepicker.pickAndStore({})", "Not all required parameters given"),
        ("filepicker.pick({ mimetype: 'image/*', extension: '.jpg' })", "both mimetype and extension"),
        ("filepicker.convert('https://x/api/file/abc', { size: 4 })", "not a valid parameter"),
        ("filepicker.convert('https://x/api/file/abc', { width: '4' })", "not the right type"),
        ("filepicker.remove('https://elsewhere.example/x')", "not one of"),
        ("(filepicker.setKey(''), filepicker.pick())", "API Key not found"),
    ):
        said = await page.evaluate(
            f"(() => {{ try {{ {call}; return ''; }} catch (error) {{ return String(error); }} }})()"
        )
        assert text in said, call


async def test_errors_say_what_to_do(page: Page) -> None:
    wrong = await called(page, "filepicker.store('x', { location: 'the moon' })")
    assert wrong["code"] == 122
    assert "is not known" in wrong["hint"]
    assert wrong["text"].startswith("FPError 122: ")
    await page.evaluate("filepicker.setKey('nobody')")
    refused = await called(page, "filepicker.store('x')")
    assert refused["code"] == 403
    assert refused["hint"]


async def test_what_was_called_early_is_done_later(browser: Browser, shop: Shop) -> None:
    stub = """<script nonce="shop">window.filepicker = { _queue: [] };
for (const name of ["pick", "setKey"]) filepicker[name] = (...given) => { filepicker._queue.push([name, given]); };
filepicker.pick({ debug: true }, (blob) => { window.blob = blob; });</script>"""
    shop.show(strict=True)
    shop.head = stub + shop.head
    one = await visit(shop, await browser.new_context())
    assert (await held(one.page, "blob"))["filename"] == "test.png"
    assert one.complaints == []


async def test_widgets_need_no_script_of_the_page(stage: Stage, browser: Browser, shop: Shop) -> None:
    person = stage.person(1)
    shop.show(WIDGET, strict=True)
    one = await visit(shop, await browser.new_context())
    await one.page.get_by_role("button", name="Add a photo").click()
    await connected(one.page, person)
    await dialog_in(one.page).get_by_role("button", name="Photo").dblclick()
    seen = await held(one.page, "seen")
    assert seen == {"value": seen["one"], "one": seen["one"], "all": 1}
    assert one.complaints == []


async def test_what_is_dropped_is_stored(browser: Browser, shop: Shop) -> None:
    shop.show(DROP, strict=True)
    one = await visit(shop, await browser.new_context())
    cake, bread = ["cake.txt", "text/plain", "Lemon"], ["bread.txt", "text/plain", "Rye"]
    await one.page.evaluate(DROPPED, ["#pane", [cake]])
    (stored,) = await held(one.page, "stored")
    assert (stored["filename"], stored["size"], stored["key"][:6]) == ("cake.txt", 5, "panes/")
    assert (await shop.stage.http.get(stored["url"])).text == "Lemon"
    await one.page.evaluate(DROPPED, ["#pane", [cake, bread]])
    await one.page.evaluate(DROPPED, ["#pane", []])
    assert await held(one.page, "heard") == [
        ["enter"],
        ["enter"],
        ["error", "TooManyFiles", "Only one file at a time"],
        ["enter"],
        ["error", "NoFilesFound", "No files uploaded"],
    ]
    assert one.complaints == []


async def test_a_picture_of_another_page_is_stored_by_its_address(browser: Browser, shop: Shop) -> None:
    shop.show(DROP, strict=True)
    one = await visit(shop, await browser.new_context())
    lying = await called(one.page, "filepicker.store('Lemon', { filename: 'cake.txt' })")
    await one.page.evaluate(PULLED, ["#pane", f'<b>x</b><img data-src="no" alt="a" src="{lying["url"]}?a=1&amp;b=2">'])
    (stored,) = await held(one.page, "stored")
    assert (await shop.stage.http.get(stored["url"])).text == "Lemon"
    assert one.complaints == []


async def test_the_drop_widget_says_what_it_takes_and_what_it_took(browser: Browser, shop: Shop) -> None:
    shop.show(DROP, strict=True)
    one = await visit(shop, await browser.new_context())
    pane = one.page.locator("#photo + * > [aria-live]")
    for wrong, text in (
        (["cake.png", "image/png", "x"], "cake.png isn't the right type of file"),
        (["long.txt", "text/plain", "x" * 11], "long.txt is too large (11 Bytes)"),
    ):
        await one.page.evaluate(DROPPED, ["#photo + * > [aria-live]", [wrong]])
        await expect(pane).to_have_text(text)
    given = [["cake.txt", "text/plain", "Lemon"], ["bread.txt", "text/plain", "Rye"]]
    await one.page.evaluate(DROPPED, ["#photo + * > [aria-live]", given])
    seen = await held(one.page, "seen")
    assert [each["filename"] for each in seen] == ["cake.txt", "bread.txt"]
    assert all(each["key"].startswith("drops/") for each in seen)
    await expect(pane).to_have_text("cake.txt, bread.txt")
    assert await one.page.input_value("#photo") == ",".join(each["url"] for each in seen)
    assert one.complaints == []


async def test_the_dialog_is_closed_in_each_way(page: Page) -> None:
    for how in ("Escape", "shade", "call"):
        await page.evaluate(
            "() => { window.error = undefined; window.opened = filepicker.pick({}, () => {}, (error) => { window.error = error; }); }"
        )
        await expect(dialog_in(page).get_by_role("button", name="Connect Instagram")).to_be_visible()
        if how == "Escape":
            await dialog_in(page).get_by_role("button", name="Connect Instagram").press("Escape")
        elif how == "shade":
            await page.mouse.click(5, 5)
        else:
            await page.evaluate("() => { opened.close(); }")
        assert (await held(page, "error"))["code"] == 101
        await expect(page.locator("iframe")).to_have_count(0)
