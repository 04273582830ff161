"""A customer's website with a feed on it, under a name of its own and behind a policy that lets nothing in but what it names."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import BrowserContext
from starlette.types import Receive, Scope, Send

from tests.walks.stage import Stage
from tests.windows import Window
from tintype.cli.listening import bind, listening, port_of
from tintype.core.access import Grant

NAME = "cafe.example"
# The browser takes every name for this machine's and asks nobody.
MAPPED = f"--host-resolver-rules=MAP {NAME} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"

STRICT = "default-src 'none'; script-src {host} 'nonce-site'; connect-src {host}; img-src {host} data:; media-src {host}; frame-src {host}; style-src 'nonce-site'; base-uri 'none'"

PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}"><head><meta charset="utf-8"><title>Café</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style nonce="site">
:root {{ color-scheme: light dark; }}
body {{ max-width: 60rem; margin: 0 auto; padding: 1rem; font: 1rem/1.5 Georgia, serif; }}
</style>
<script nonce="site">
window.shifts = [];
new PerformanceObserver((list) => {{
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts.push(one.value);
}}).observe({{ type: "layout-shift", buffered: true }});
</script></head>
<body><main><h1>Café</h1><p>What we baked this week.</p>
{body}
<p id="after">Open from seven to six.</p></main></body></html>
"""


@dataclass(slots=True)
class Site:
    """A website of one page; a test chooses what stands in its middle."""

    stage: Stage
    port: int
    body: str = ""
    language: str = "en"
    direction: str = "ltr"

    @property
    def origin(self) -> str:
        return f"http://{NAME}:{self.port}"

    @property
    def host(self) -> str:
        return self.stage.house.settings.address()

    def script(self, **data: str) -> str:
        """The script tag with its data- attributes."""
        given = "".join(f' data-{name}="{value}"' for name, value in data.items())
        return f'<script async src="{self.host}/widget.js"{given}></script>'

    def tag(self, inside: str = "", **attributes: str) -> str:
        """The web component, and the script that knows it."""
        given = "".join(f' {name}="{value}"' for name, value in attributes.items())
        return f"<tintype-feed{given}>{inside}</tintype-feed>{self.script()}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the page."""
        del receive
        if scope["type"] != "http":
            return
        page = PAGE.format(body=self.body, language=self.language, direction=self.direction).encode()
        policy = STRICT.format(host=self.host).encode()
        headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-security-policy", policy)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": page})

    async def visit(self, context: BrowserContext) -> Window:
        """Open the page."""
        window = Window(await context.new_page()).watch()
        await window.page.goto(self.origin)
        return window


@asynccontextmanager
async def opened_site(stage: Stage) -> AsyncGenerator[Site]:
    """Open a website."""
    with bind("127.0.0.1", 0) as listener:
        site = Site(stage, port_of(listener))
        async with listening(site, listener):
            yield site


async def feed_key(stage: Stage, workspace_id: str, *origins: str) -> str:
    """A publishable key, for every site when no origins are named."""
    return (await stage.house.access.issue(workspace_id, Grant.FEED, origins=origins)).secret
