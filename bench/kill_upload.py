"""Kill the server at random moments of an upload to a real Tandoor, and count the recipes that are there afterwards.

    python bench/kill_upload.py http://127.0.0.1:8080 TOKEN [--points 50] [--seed 4]

Texts with names of their own are put into the queue; when their upload has begun, the server is killed with SIGKILL after a random
moment, and started again. When all have come to their end, Tandoor is asked for each name: there has to be exactly one, with all of
its ingredients and steps, and without what is code, markup or an address in any of its texts.
"""

import argparse
import os
import random
import re
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2

from tests.servers import free_port
from tests.walks.program import serving

AT_ONCE = 3
PATIENCE = 180.0
TEXT = """{name}

Serves 4

Ingredients:
- 500 g carrots {{{{ 7*7 }}}}
- 1 onion
- 2 tbsp oil, see https://evil.example/x.png
- 800 ml stock

Method:
1. Slice the carrots and the onion <script>alert(1)</script>.
2. Fry both in the oil for 5 minutes ![](https://evil.example/x.png).
3. Add the stock, simmer for 15 minutes and blend.
"""
_NEVER = re.compile(r"[{}<>]|https?://|evil|script", re.IGNORECASE)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("token")
    parser.add_argument("--points", type=int, default=50)
    parser.add_argument("--seed", type=int, default=4)
    given = parser.parse_args()
    chance, counted = random.Random(given.seed), Counter[str]()
    names: list[str] = []
    with tempfile.TemporaryDirectory(prefix="kill-upload-") as text:
        folder, port, chosen = Path(text), free_port(), _settings(given.url, given.token)
        while counted["killed"] < given.points:
            with serving(folder, chosen, port=port) as (process, url):
                fresh = [f"Carrot soup {uuid4().hex[:10]}" for _ in range(AT_ONCE)]
                names += fresh
                items = [_sent(url, name) for name in fresh]
                counted["killed"] += _uploading(url, items, chance.uniform(0.0, 0.9))
                process.kill()
                process.wait()
        with serving(folder, chosen, port=port) as (_, url):
            ends = _ended(url)
    with httpx2.Client(base_url=given.url, headers={"Authorization": f"Bearer {given.token}"}, timeout=60) as tandoor:
        for name in names:
            counted[_judged(tandoor, name)] += 1
    print(f"{counted['killed']} uploads killed, {len(names)} items: {dict(ends)}")
    print(
        f"in Tandoor once {counted['one']}, twice {counted['twice']}, never {counted['none']}, not clean {counted['dirty']}"
    )


def _settings(url: str, token: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "LANG", "HOME")}
    allowed = urlsplit(url).netloc
    given = {"TANDOOR_URL": url, "TANDOOR_TOKEN": token, "OUTBOUND_ALLOW": allowed, "RECIPE_READ_PICTURES": "false"}
    return {**kept, **given, "FEED_SYNC_MINUTES": "0", "IMAGE_WORKERS": "1", "LOG_LEVEL": "error"}


def _sent(url: str, name: str) -> str:
    answer = httpx2.post(f"{url}/api/queue", json={"text": TEXT.format(name=name)}, timeout=PATIENCE)
    return str(answer.raise_for_status().json()["id"])


def _uploading(url: str, items: list[str], pause: float) -> int:
    """Wait until an upload has begun, and a moment more; return how many are under way then."""
    until = time.monotonic() + PATIENCE
    with httpx2.Client(base_url=url, timeout=PATIENCE) as client:
        while time.monotonic() < until:
            if any(_is_uploading(client, one) for one in items):
                time.sleep(pause)
                return sum(_is_uploading(client, one) for one in items)
            time.sleep(0.01)
    raise RuntimeError("no upload began")


def _is_uploading(client: httpx2.Client, item: str) -> bool:
    phases = client.get(f"/api/queue/{item}").json()["phases"]
    return bool(phases[2]["status"] == "in_progress")


def _ended(url: str) -> Counter[str]:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = httpx2.get(f"{url}/api/queue", params={"limit": 100}, timeout=PATIENCE).json()["items"]
        for item in found:
            if item["status"] == "unhealthy":  # several of its processes were killed in a row
                httpx2.post(f"{url}/api/queue/{item['id']}/retry", timeout=PATIENCE)
        if all(item["status"] in ("success", "error") for item in found):
            return Counter(item["status"] for item in found)
        time.sleep(0.3)
    raise RuntimeError("not every item came to its end")


def _judged(tandoor: httpx2.Client, name: str) -> str:
    answer = tandoor.get("/api/recipe/", params={"query": name, "page_size": 25}).raise_for_status()
    mine = [one["id"] for one in answer.json()["results"] if one["name"] == name]
    if len(mine) != 1:
        return "twice" if mine else "none"
    recipe: dict[str, Any] = tandoor.get(f"/api/recipe/{mine[0]}/").raise_for_status().json()
    ingredients = [one for step in recipe["steps"] for one in step["ingredients"]]
    texts = [recipe["name"], recipe["description"] or "", *(step["instruction"] for step in recipe["steps"])]
    texts += [one[key] or "" for one in ingredients for key in ("note", "original_text")]
    texts += [one["food"]["name"] for one in ingredients]
    is_whole = len(ingredients) == 4 and len(recipe["steps"]) >= 3
    return "one" if is_whole and not any(map(_NEVER.search, texts)) else "dirty"


if __name__ == "__main__":
    main()
