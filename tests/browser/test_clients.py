"""The clients of others, as their makers publish them, in a real browser: they only learn another host.

They are development packages of `web/picker`, known by their hashes there; `make test` installs them.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from tests.api.websites import signed
from tests.backends.pictures import picture
from tests.browser.shop import Shop, connected, dialog_in, held, visit
from tests.walks.stage import Stage

PACKAGES = Path(__file__).parents[2] / "web" / "picker" / "node_modules"
OLD = PACKAGES / "filepicker-js" / "dist" / "filepicker.js"
NEW = PACKAGES / "filestack-js" / "build" / "browser" / "filestack.umd.js"
ZONE = "files.example.com"

# Turns the calls of 2012 into promises, so that a test can wait for each.
ASKING = """(call) => new Promise((resolve) => {
  const [name, ...given] = call;
  filepicker[name](...given, (value) => resolve({ value: value === undefined ? null : value }), (error) => resolve({ code: error.code }));
})"""


@pytest.fixture
async def old(browser: Browser, shop: Shop) -> Page:
    """A page with filepicker.js 2.4.18, whose host is ours."""
    shop.scripts["/filepicker.js"] = OLD.read_bytes()
    prelude = f'<script>window.filepicker = {{ hostname: "{shop.host}" }};</script>'
    shop.show(f'<script>filepicker.setKey("{shop.key}");</script>', script="/filepicker.js")
    shop.head = prelude + shop.head
    window = await visit(shop, await browser.new_context(viewport={"width": 1280, "height": 800}))
    assert await window.page.evaluate("filepicker.version") == "2.4.18"
    return window.page


async def asked(page: Page, *call: Any) -> dict[str, Any]:
    return await page.evaluate(ASKING, list(call))


async def test_filepicker_of_old_picks(stage: Stage, old: Page) -> None:
    person = stage.person(3)
    start = """() => { filepicker.pickMultiple({ mimetypes: ['image/*'], services: ['INSTAGRAM'] },
        (blobs) => { window.blobs = blobs; }, (error) => { window.error = error; }); }"""
    await old.evaluate(start)
    await connected(old, person)
    dialog = dialog_in(old)
    await dialog.get_by_role("button", name="Photo").nth(0).click()
    await dialog.get_by_role("button", name="Photo").nth(2).click()
    await dialog.get_by_role("button", name="Choose (2)").click()
    found = await held(old, "blobs")
    assert [set(blob) for blob in found] == [{"url", "filename", "mimetype", "size", "client", "isWriteable"}] * 2
    await expect(old.locator("iframe[name=filepicker_dialog]")).to_have_count(0)


async def test_filepicker_of_old_picks_and_stores(stage: Stage, old: Page) -> None:
    person = stage.person(1)
    start = """() => { filepicker.pickAndStore({ mimetype: 'image/*', service: 'INSTAGRAM' }, { location: 'S3', path: '/trips/' },
        (blobs) => { window.blobs = blobs; }, (error) => { window.error = error; }); }"""
    await old.evaluate(start)
    await connected(old, person)
    await dialog_in(old).get_by_role("button", name="Photo").click()
    await dialog_in(old).get_by_role("button", name="Choose").click()
    (blob,) = await held(old, "blobs")
    assert blob["key"].startswith("trips/")
    assert blob["client"] == "Instagram"


async def test_filepicker_of_old_is_closed_without_a_choice(old: Page) -> None:
    await old.evaluate("() => { filepicker.pick({}, () => {}, (error) => { window.error = { code: error.code }; }); }")
    await expect(dialog_in(old).get_by_role("button", name="Close")).to_be_visible()
    await old.locator(".fp__close a").click()  # its own, which lies over ours
    assert await held(old, "error") == {"code": 101}
    await expect(old.locator("iframe[name=filepicker_dialog]")).to_have_count(0)


async def test_filepicker_of_old_stores_reads_writes_converts_and_removes(stage: Stage, old: Page) -> None:
    stored = (await asked(old, "store", "Lemon cake", {"filename": "cake.txt", "mimetype": "text/plain"}))["value"]
    assert stored["filename"] == "cake.txt"
    assert (await asked(old, "read", stored, {"asText": True}))["value"] == "Lemon cake"
    written = (await asked(old, "write", stored, "Orange cake"))["value"]
    assert written["url"] == stored["url"]
    assert (await asked(old, "read", stored["url"], {"asText": True}))["value"] == "Orange cake"
    seen = (await asked(old, "stat", stored, {"size": True, "filename": True}))["value"]
    assert seen["size"] == len("Orange cake")
    assert await asked(old, "convert", stored, {"width": 10}, {}) == {"code": 142}
    person = stage.person()
    person.post(width=640, height=800)
    await old.evaluate("() => { filepicker.pick({ mimetype: 'image/*' }, (blob) => { window.blob = blob; }); }")
    await connected(old, person)
    await dialog_in(old).get_by_role("button", name="Photo").dblclick()
    blob = await held(old, "blob")
    made = (await asked(old, "convert", blob, {"width": 200, "height": 200, "fit": "crop"}, {"location": "S3"}))[
        "value"
    ]
    assert made["key"]
    picture = await stage.house.backends.images.inspect((await stage.http.get(made["url"])).content)
    assert (picture.width, picture.height) == (200, 200)
    for one in (stored, made, blob):
        assert await asked(old, "remove", one) == {"value": None}
        assert await asked(old, "read", one) == {"code": 115}
    assert await asked(old, "stat", stored, {}) == {"code": 161}


async def in_zone(context: BrowserContext, shop: Shop) -> None:
    """Let the zone's names, which no resolver knows, lead to the house: each host to where the roof has it."""

    async def lead(route: Route) -> None:
        asked = urlsplit(route.request.url)
        name = (asked.hostname or "").partition(".")[0]
        path = f"/cdn{asked.path}" if name in ("cdn", "process") and asked.path != "/process" else asked.path
        answer = await route.fetch(url=f"{shop.host}{path}{'?' + asked.query if asked.query else ''}", max_redirects=0)
        await route.fulfill(response=answer)

    await context.route(f"https://*.{ZONE}/**", lead)
    await context.route(f"https://{urlsplit(shop.host).netloc}/**", lead)  # it knows no other scheme


@pytest.fixture
async def new(browser: Browser, shop: Shop) -> Page:
    """A page with filestack-js 4.3.8, whose `cname` is our zone."""
    shop.scripts["/filestack.js"] = NEW.read_bytes()
    shop.show(script="/filestack.js")
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    await in_zone(context, shop)
    window = await visit(shop, context)
    await window.page.evaluate(
        "([key, cname]) => { window.client = filestack.init(key, { cname }); }", [shop.key, ZONE]
    )
    return window.page


async def test_filestack_picks(stage: Stage, new: Page) -> None:
    person = stage.person(2)
    start = """() => client.picker({ fromSources: ['instagram'], accept: ['image/*'], maxFiles: 2,
        onUploadDone: (result) => { window.result = result; } }).open()"""
    await new.evaluate(start)
    frame = new.frame_locator("dialog iframe")
    async with new.expect_popup() as popup:
        await frame.get_by_role("button", name="Connect Instagram").click()
    window = await popup.value
    await window.get_by_text(person.username).first.click()
    await window.get_by_role("button", name="Allow").click()
    await frame.get_by_role("button", name="Photo").first.click(timeout=60_000)
    await frame.get_by_role("button", name="Choose (1)").click()
    result = await held(new, "result")
    (file,) = result["filesUploaded"]
    assert result["filesFailed"] == []
    assert (file["source"], file["status"], file["mimetype"]) == ("instagram", "Stored", "image/jpeg")
    assert len(file["handle"]) == 20
    assert len((await stage.http.get(file["url"])).content) == file["size"]


async def test_filestack_uploads_looks_at_transforms_and_removes(stage: Stage, new: Page, shop: Shop) -> None:
    made = await new.evaluate(
        "() => client.upload(new Blob(['Lemon cake'], { type: 'text/plain' }), {}, { filename: 'cake.txt' })"
    )
    assert made["handle"]
    assert (await stage.http.get(f"/api/file/{made['handle']}")).text == "Lemon cake"
    seen = await new.evaluate("(handle) => client.metadata(handle, { size: true })", made["handle"])
    assert seen["size"] == len("Lemon cake")
    address: str = await new.evaluate("(handle) => client.transform(handle, { resize: { width: 40 } })", made["handle"])
    assert address.startswith(f"https://cdn.{ZONE}/")
    assert shop.key in address


SAFELY = """async ([key, cname, security]) => {
  const client = filestack.init(key, { cname, security });
  const { handle } = await client.upload(new Blob([await (await fetch("/picture.png")).blob()], { type: "image/png" }), {}, { filename: "a.png" });
  const metadata = await client.metadata(handle, { size: true, width: true });
  const whole = (await client.download(handle)).data;
  const own = client.transform(handle, {}).replace(cname, "localhost");  // which is what the house is called here
  const copied = await client.storeURL(own, { filename: "b.png" });
  await client.remove(handle);
  const gone = await client.metadata(handle).then(() => 0, (error) => error.response.status);
  return { handle, metadata, whole: whole.size ?? whole.byteLength, copied, gone,
    small: client.transform(copied.handle, { resize: { width: 20, height: 10, fit: "crop" }, output: { format: "webp" } }),
    encoded: client.transform(copied.handle, { resize: { width: 30 } }, true) };
}"""


async def test_filestack_with_policies(stage: Stage, new: Page, shop: Shop) -> None:
    app = await stage.house.picking.apps.by_key(shop.key)
    await stage.house.picking.apps.change(app.workspace_id, app.id, {"secure_reads": True, "secure_writes": True})
    drawn = picture("png", 60, 40)
    shop.scripts["/picture.png"] = drawn
    policy = signed(
        shop.secret, expiry=int(stage.clock().timestamp()) + 600, call=[*["read", "stat", "store", "convert", "remove"]]
    )
    done = await new.evaluate(SAFELY, [shop.key, ZONE, policy])
    assert (done["metadata"]["width"], done["whole"], done["gone"]) == (60, len(drawn), 404)
    assert (done["copied"]["filename"], done["copied"]["size"]) == ("b.png", len(drawn))
    assert (await stage.http.get(f"/api/file/{done['copied']['handle']}")).status_code == 403
    for address, size in ((done["small"], (20, 10)), (done["encoded"], (30, 20))):
        opened = await new.context.new_page()
        await opened.goto(address)
        shown = await opened.evaluate("[document.images[0].naturalWidth, document.images[0].naturalHeight]")
        assert tuple(shown) == size
