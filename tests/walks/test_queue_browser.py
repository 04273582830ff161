"""The document's own example for clients, word for word, in a real browser on a page of ours."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.doubles.tandoor import WRITE, pretend_tandoor
from tests.walks.stage import staged
from tests.windows import chromium

CAPTION = """Potato soup for a grey evening

Ingredients:
- 600 g potatoes
- 1 onion
- 2 tbsp butter

Method:
1. Peel the potatoes and cut them into cubes.
2. Fry the onion in the butter, add the potatoes and simmer for 20 minutes.
"""

EXAMPLE = """
async function processInstagramUrl(url) {
	try {
		// 1. Enqueue URL
		const queueResponse = await fetch('/api/queue', {
			method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify({ url })
		});

		const queueItem = await queueResponse.json();
		console.log('Enqueued:', queueItem.id);

		// 2. Listen for real-time updates
		const eventSource = new EventSource(`/api/queue/stream?itemId=${queueItem.id}`);

		return new Promise((resolve, reject) => {
			eventSource.addEventListener('queue-update', (event) => {
				const update = JSON.parse(event.data);

				if (update.status === 'success') {
					eventSource.close();
					resolve(update.results);
				} else if (update.status === 'error') {
					eventSource.close();
					reject(new Error(update.error));
				}

				// Handle progress updates
				console.log('Progress:', update.progress);
			});

			eventSource.onerror = (error) => {
				eventSource.close();
				reject(error);
			};
		});
	} catch (error) {
		console.error('Processing failed:', error);
		throw error;
	}
}
"""
# As the document's page on migration has it: no Content-Type at all.
MIGRATED = """
async (url) => {
  const response = await fetch('/api/queue', {
	method: 'POST',
	body: JSON.stringify({ url })
  });
  const queueItem = await response.json();
  return [response.status, queueItem.status];
}
"""


@pytest.fixture
async def browser(anyio_backend: str) -> AsyncGenerator[Browser]:
    del anyio_backend
    async with chromium() as one:
        yield one


async def _processed(page: Page, url: str) -> Any:
    return await page.evaluate(f"async (url) => {{ {EXAMPLE}; return await processInstagramUrl(url); }}", url)


async def test_the_documents_example_gets_its_recipe_and_its_errors(browser: Browser) -> None:
    async with pretend_tandoor() as (tandoor, _):
        given: dict[str, Any] = {
            "tandoor_url": tandoor.url,
            "tandoor_token": WRITE,
            "outbound_allow": (tandoor.url.removeprefix("http://"),),
            "recipe_read_pictures": False,
        }
        async with staged(**given) as stage:

            def link(caption: str) -> str:
                shape = {"kind": "IMAGE", "width": 160, "height": 200}
                made = stage.pretend.post("/media", username="marlow.bakehouse", caption=caption, **shape)
                return f"https://www.instagram.com/p/{made['shortcode']}/"

            page = await browser.new_page()
            await page.goto(f"{stage.house.settings.address()}/share")
            results = await _processed(page, link(CAPTION))
            assert results["recipe"]["name"] == "Potato soup for a grey evening"
            assert results["tandoorUrl"].startswith(tandoor.url)
            with pytest.raises(Exception, match="No recipe was found"):
                await _processed(page, link("Closed on Mondays. See you soon!"))
            assert await page.evaluate(MIGRATED, link(CAPTION)) == [201, "pending"]
