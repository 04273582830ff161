"""What every page for people weighs, and how soon it is ready and still: in Chromium, as on a first visit, narrow and wide.

    python bench/pages.py [part of a path …]

The demo runs in a process of its own. Each page is opened twice, by a browser that has nothing in its cache, and the quicker
visit counts; the first one is also the one for which a picture may have to be made smaller. Pictures that only come by
scrolling are not counted. A figure past its budget has a star.
"""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, Page, StorageState, sync_playwright

CHROMIUM = "/usr/bin/chromium"
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update")
PATIENCE_MS = 20_000
WIDTHS = (390, 1280)

MOST_KB = 100.0
MOST_SHIFT = 0.001
MOST_READY_MS = 300.0
MOST_SERVER_MS = 100.0

CONSOLE = (
    "/?stay", "/signin", "/console", "/console/accounts", "/console/accounts/doctor", "/console/feed",
    "/console/publish", "/console/posts", "/console/posts/calendar", "/console/insights", "/console/recipes",
    "/console/downloads", "/console/picker", "/console/webhooks", "/console/team", "/console/team/log",
    "/console/system", "/console/me", "/share", "/docs/start", "/docs/settings", "/docs/commands",
    "/docs/dialects/feed", "/docs/how-to/website", "/docs/api/feed", "/docs/api/social",
)  # fmt: skip
DETAILS = (r"/console/insights/posts/\w+", r"/console/picker/[\w-]{36}", r"/console/posts/[\w-]{36}")
FACE = ("/_face/", "/_face/published", "/_face/magic", "/_world/panel")

WIDGET = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Café</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"><h1>Café</h1>
<tintype-feed feed="{feed_key}"><svg viewBox="0 0 3 3" width="100%" display="block"></svg></tintype-feed>
<script async src="{url}/widget.js"></script><p>Open from seven to six.</p></html>"""
SHOP = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1"><script src="{url}/v2/filepicker.js?key={app_key}"></script>
<h1>Shop</h1><script>filepicker.pick({{services: ["INSTAGRAM"]}}, function () {{}}, function () {{}});</script></html>"""

WATCH = """
window.seen = {shift: 0, painted: 0};
new PerformanceObserver((list) => { for (const one of list.getEntries()) if (!one.hadRecentInput) window.seen.shift += one.value; })
  .observe({type: "layout-shift", buffered: true});
new PerformanceObserver((list) => { for (const one of list.getEntries()) window.seen.painted = one.startTime; })
  .observe({type: "largest-contentful-paint", buffered: true});
"""
TOLD = """() => { const one = performance.getEntriesByType("navigation")[0];
  return {server: one.responseStart - one.requestStart, parsed: one.domContentLoadedEventEnd, loaded: one.loadEventEnd, ...window.seen}; }"""


@dataclass(slots=True)
class Sight:
    """What one visit to a page came to; times are milliseconds from the click on."""

    bytes: int = 0
    requests: int = 0
    server: float = 0.0
    parsed: float = 0.0
    loaded: float = 0.0
    painted: float = 0.0
    shift: float = 0.0
    strangers: set[str] = field(default_factory=set[str])

    @property
    def ready(self) -> float:
        """When everything is there that is seen without scrolling."""
        return max(self.parsed, self.painted)

    def line(self, name: str, width: int) -> str:
        """Return it as a line of the table."""
        figures = (
            _figure(self.bytes / 1000, MOST_KB, 8, 1),
            f"{self.requests:>6}",
            _figure(self.server, MOST_SERVER_MS, 8, 0),
            _figure(self.parsed, MOST_READY_MS, 8, 0),
            _figure(self.painted, MOST_READY_MS, 8, 0),
            f"{self.loaded:>8.0f} ",
            _figure(self.shift, MOST_SHIFT, 7, 3),
            _figure(len(self.strangers), 0, 7, 0),
        )
        return f"{name[:44]:44}{width:>6}" + "".join(figures)

    @property
    def is_over(self) -> bool:
        """Whether a budget is passed."""
        slow = self.ready > MOST_READY_MS or self.server > MOST_SERVER_MS
        return slow or self.bytes > MOST_KB * 1000 or self.shift > MOST_SHIFT or bool(self.strangers)


def _figure(value: float, most: float, width: int, digits: int) -> str:
    return f"{value:>{width}.{digits}f}{'*' if value > most else ' '}"


def main() -> None:
    """Open all pages, or those whose address has one of the given parts."""
    wanted = sys.argv[1:]
    with _demo() as said, _site(said) as site, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS), timeout=PATIENCE_MS)
        try:
            inside = _entered(browser, said["url"])
            pages = [one for one in _pages(browser, inside, said, site) if not wanted or any(w in one for w in wanted)]
            print(f"{'page':44}{'width':>6}{'kB':>8}{'asked':>7}{'server':>8}{'parsed':>9}{'painted':>9}"
                  f"{'loaded':>9}{'shift':>9}{'others':>8}")  # fmt: skip
            sights = [_shown(browser, inside, url, width) for url in pages for width in WIDTHS]
        finally:
            browser.close()
    over = sum(one.is_over for one in sights)
    print(f"{len(sights)} visits to {len(pages)} pages; {over} past a budget of {MOST_KB:.0f} kB, "
          f"{MOST_READY_MS:.0f} ms ({MOST_SERVER_MS:.0f} ms of them the server's), no shift, nobody else")  # fmt: skip


def _shown(browser: Browser, inside: StorageState, url: str, width: int) -> Sight:
    sight = min((_seen(browser, inside, url, width) for _ in range(2)), key=lambda one: one.ready)
    parts = urlsplit(url)
    print(sight.line(parts.path + (f"?{parts.query}" if parts.query else ""), width), flush=True)
    return sight


def _seen(browser: Browser, inside: StorageState, url: str, width: int) -> Sight:
    """Visit a page with an empty cache, until it is quiet."""
    sight = Sight()
    context = browser.new_context(storage_state=inside, viewport={"width": width, "height": 900})
    try:
        page = _opened(context)
        traffic = context.new_cdp_session(page)
        traffic.send("Network.enable")  # pyright: ignore[reportUnknownMemberType] - its parameters are untyped
        traffic.on("Network.loadingFinished", partial(_weighed, sight))
        traffic.on("Network.requestWillBeSent", partial(_asked, sight))
        page.goto(url)
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(200)
        for name, value in page.evaluate(TOLD).items():
            setattr(sight, name, value)
    finally:
        context.close()
    return sight


def _opened(context: BrowserContext) -> Page:
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(WATCH)
    return context.new_page()


def _weighed(sight: Sight, event: dict[str, float]) -> None:
    sight.bytes += int(event["encodedDataLength"])
    sight.requests += 1


def _asked(sight: Sight, event: dict[str, dict[str, str]]) -> None:
    host = urlsplit(event["request"]["url"]).hostname
    if host not in (None, "127.0.0.1"):
        sight.strangers.add(host)


def _entered(browser: Browser, url: str) -> StorageState:
    """Come into the console of the demonstration, and return the cookies of that."""
    context = browser.new_context()
    page = _opened(context)
    page.goto(url)
    page.get_by_role("button", name="Open the console").click()
    page.wait_for_url("**/console")
    return context.storage_state()


def _pages(browser: Browser, inside: StorageState, said: dict[str, str], site: str) -> list[str]:
    """Return the addresses of all pages: those that are known, and one of each kind that is only reached by a link."""
    context = browser.new_context(storage_state=inside)
    page = _opened(context)
    linked: list[str] = []
    for path in ("/console/insights", "/console/picker", "/console/posts"):
        page.goto(said["url"] + path)
        linked += page.evaluate("[...document.links].map((one) => new URL(one.href).pathname)")
    page.goto(said["simulator"] + "/_face/")
    faces: list[str] = page.evaluate("[...document.links].map((one) => new URL(one.href).pathname)")
    people = [one for one in faces if one.startswith("/_face/people/")]
    page.goto(said["simulator"] + people[0])
    posts: list[str] = page.evaluate(
        "[...document.querySelectorAll('.grid a')].map((one) => new URL(one.href).pathname)"
    )
    context.close()
    details = [next((one for one in linked if re.fullmatch(kind, one)), None) for kind in DETAILS]
    ours = [*CONSOLE, f"/feeds/{said['feed_key']}.html", *filter(None, details)]
    theirs = [*FACE, *people[:2], *posts[:2]]
    return (
        [said["url"] + one for one in ours]
        + [said["simulator"] + one for one in theirs]
        + [f"{site}/widget", f"{site}/dialog"]
    )


@contextmanager
def _demo() -> Generator[dict[str, str]]:
    """Run the demo on free ports; gives what it says of itself."""
    program = str(Path(sys.executable).with_name("tintype"))
    command = [program, "demo", "--port", "0", "--simulator-port", "0", "--json"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert demo.stdout is not None
        yield json.loads(demo.stdout.readline())
    finally:
        demo.send_signal(signal.SIGINT)
        try:
            demo.wait(20)
        except subprocess.TimeoutExpired:
            demo.kill()


@contextmanager
def _site(said: dict[str, str]) -> Generator[str]:
    """Serve a website with the widget on one page and the picker's dialog on another; gives its address."""
    pages = {"/widget": WIDGET.format(**said).encode(), "/dialog": SHOP.format(**said).encode()}

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(pages.get(self.path, b""))

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the table is printed meanwhile."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


if __name__ == "__main__":
    main()
