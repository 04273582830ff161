"""How long a cook waits: from a posted link to its parsed recipe, and from a pasted list to a queue that has all of it.

    python bench/recipe_queue.py [links]

Before a pretend Instagram in a process of its own. Links are sent one after the other, each when the one before has come to
its end; a stream says when its parsing was completed. Then 500 links are pasted at once.
"""

import json
import sys
import tempfile
import threading
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.servers import Server, free_port, running, simulator

PASTED = 500
CAPTION = """Carrot soup no. {number}

Serves 4

Ingredients:
- 500 g carrots
- 1 onion
- 2 tbsp oil
- 800 ml stock

Method:
1. Slice the carrots and the onion.
2. Fry both in the oil for 5 minutes.
3. Add the stock, simmer for 15 minutes and blend.
"""


class Watch:
    """Hears from the stream when each item's parsing was completed, by our clock and in our process."""

    def __init__(self, port: int) -> None:
        self.parsed: dict[str, float] = {}
        self.ended: set[str] = set()
        self.told = threading.Condition()
        self._answer = urllib.request.urlopen(f"http://127.0.0.1:{port}/api/queue/stream", timeout=600)
        self._answer.readline()  # the greeting has begun: from here on nothing is missed
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self._answer:
            if not line.startswith(b"data: ") or b'"progress"' not in line:
                continue
            now, said = time.perf_counter(), json.loads(line[6:])
            with self.told:
                if said["progress"][1]["status"] in ("completed", "error"):
                    self.parsed.setdefault(said["itemId"], now)
                if said["status"] not in ("pending", "in_progress"):
                    self.ended.add(said["itemId"])
                self.told.notify_all()

    def wait(self, item_id: str) -> float:
        """Return when an item's parsing was completed, once the item has come to its end."""
        with self.told:
            if not self.told.wait_for(lambda: item_id in self.ended, 60):
                raise RuntimeError(f"nothing was heard of the end of {item_id}")
            return self.parsed[item_id]


def main() -> None:
    """Measure both."""
    links = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        origin = stack.enter_context(simulator())
        server = _ours(stack, Path(name), origin)
        watch = Watch(server.port)
        spent = sorted(_spent(server, watch, _posted(origin, number)) for number in range(links))
        p50, p95 = (spent[int(len(spent) * share)] * 1000 for share in (0.5, 0.95))
        print(f"POST to `parsing: completed`, {links} links: p50 {p50:.0f} ms, p95 {p95:.0f} ms")
        urls = [f"https://www.instagram.com/reel/Paste{number:05}/" for number in range(PASTED)]
        begun = time.perf_counter()
        taken = _asked(server.port, "POST", "/api/queue/batch", {"urls": urls})
        print(f"{taken['queued']} links pasted: queued in {time.perf_counter() - begun:.2f} s")


def _spent(server: Server, watch: Watch, url: str) -> float:
    begun = time.perf_counter()
    item = _asked(server.port, "POST", "/api/queue", {"url": url})
    return watch.wait(item["id"]) - begun


def _ours(stack: ExitStack, folder: Path, origin: str) -> Server:
    port = free_port()
    command = [sys.executable, "-m", "tintype", "serve", "--only", "queue", "--data", str(folder / "data")]
    env = {"INSTAGRAM_ORIGIN": origin, "RECIPE_FOLDER": str(folder / "recipes"), "PUBLIC_LOOKUPS_PER_HOUR": "10000"}
    env |= {"LOG_LEVEL": "error"}
    return stack.enter_context(running("Tintype", [*command, "--port", str(port)], port, "/api/queue", env=env))


def _posted(origin: str, number: int) -> str:
    body: dict[str, object] = {"username": "marlow.bakehouse", "kind": "IMAGE", "width": 640, "height": 800}
    body["caption"] = CAPTION.format(number=number)
    port = int(origin.rpartition(":")[2])
    return f"https://www.instagram.com/p/{_asked(port, 'POST', '/_world/media', body)['shortcode']}/"


def _asked(port: int, method: str, path: str, body: object = None) -> dict[str, Any]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, {"Content-Type": "application/json"})
    request.method = method
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


if __name__ == "__main__":
    main()
