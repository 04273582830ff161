"""What it costs to refuse a wrong URL, beside Flask behind gunicorn: the stack of the service that this replaces.

    python bench/scrape_reject.py [seconds]

The Flask app makes the same checks in the same order (size, key, JSON, url, URL rules). Neither counts requests per address,
which would end the measurement. Both are asked by the same program over kept connections, where the server keeps them.
"""

import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.servers import Cost, Server, free_port, measure_posts, running

FLASK = """
from urllib.parse import urlparse
from flask import Flask, jsonify, request

app = Flask(__name__)

@app.post('/scrape')
def scrape():
    if (request.content_length or 0) > 4096:
        return jsonify(error='Request body too large'), 413
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        return jsonify(error='Invalid JSON body'), 400
    url = sent.get('url')
    if not url:
        return jsonify(error="Missing 'url'"), 400
    if len(url) > 512:
        return jsonify(error='Invalid URL format'), 400
    parts = urlparse(url)
    if parts.scheme != 'https' or parts.netloc.lower() not in ('instagram.com', 'www.instagram.com'):
        return jsonify(error='Invalid URL format'), 400
    path = [part for part in parts.path.split('/') if part]
    if len(path) < 2 or path[0] not in ('p', 'reel'):
        return jsonify(error='Invalid URL format'), 400
    return jsonify(shortcode=path[1])

@app.get('/health')
def health():
    return 'OK'
"""

WRONG = '{"url": "https://www.example.com/reel/DAbCdEfGhIj/"}'


def main() -> None:
    """Measure both servers in turn, in one run."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        servers = [_ours(stack, folder), *(_flask(stack, folder, kind) for kind in ("sync", "gthread"))]
        costs = {one.name: measure_posts(one, "/scrape", WRONG, folder, seconds=seconds) for one in servers}
    print(f"POST /scrape with a wrong URL, 400; 64 connections, {seconds} s each")
    print(f"{'':18}{'requests':>10}{'CPU µs/req':>12}{'req/s/core':>12}{'ours/theirs':>13}{'p99 ms':>9}")
    ours = costs["Tintype"]
    for server, cost in costs.items():
        print(
            f"{server:18}{cost.requests:>10}{cost.cpu_us:>12.0f}{_rate(cost):>12.0f}"
            f"{_rate(ours) / _rate(cost):>13.2f}{cost.p99_ms:>9.2f}"
        )


def _rate(cost: Cost) -> float:
    return 1e6 / cost.cpu_us


def _ours(stack: ExitStack, folder: Path) -> Server:
    port = free_port()
    command = [sys.executable, "-m", "tintype", "serve", "--only", "scrape", "--data", str(folder / "data")]
    env = {"RATE_LIMIT_MAX_REQUESTS": "0"}
    return stack.enter_context(running("Tintype", [*command, "--port", str(port)], port, "/health", env=env))


def _flask(stack: ExitStack, folder: Path, kind: str) -> Server:
    port = free_port()
    (folder / "plain.py").write_text(FLASK)
    threads = ["--threads", "4"] if kind == "gthread" else []
    options = ["--workers", "1", "--worker-class", kind, *threads, "--bind", f"127.0.0.1:{port}"]
    command = [sys.executable, "-m", "gunicorn", "--log-level", "error", *options, "plain:app"]
    return stack.enter_context(running(f"Flask, {kind}", command, port, "/health", cwd=folder))


if __name__ == "__main__":
    main()
