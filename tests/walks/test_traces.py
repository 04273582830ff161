"""Traces reach a collector when one is named: spans of requests, jobs and calls, with names and ids and no secret."""

import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.cli.programs import fetch, fetch_json, started
from tests.instagram.pretend import running


@contextmanager
def collector() -> Generator[tuple[str, list[bytes]]]:
    """Take whatever is sent; yields the address and the bodies."""
    bodies: list[bytes] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", bodies
        finally:
            server.shutdown()
            thread.join(5)


def spans(bodies: list[bytes]) -> list[Any]:
    found: list[Any] = []
    for body in bodies:
        request = ExportTraceServiceRequest()
        request.ParseFromString(body)
        found += [span for one in request.resource_spans for scope in one.scope_spans for span in scope.spans]
    return found


def test_requests_jobs_and_calls_are_traced(tmp_path: Path) -> None:
    with collector() as (address, bodies), running() as pretend:
        pretend.post("/people", username="traced", media=0)
        pretend.post("/media", username="traced", kind="IMAGE", width=80, height=80)
        token = pretend.token("traced")
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, "INSTAGRAM_ORIGIN": pretend.origin}
        with started(tmp_path, "serve", "--port", "0", **settings) as program:
            origin = program.line("listens on").rpartition(" ")[2]
            body = {
                "name": "traced",
                "instagramAccountId": "me",
                "instagramAccountSecret": "a secret of the app",
                "instagramAccessToken": token,
                "apiType": "INSTAGRAM_LOGIN",
            }
            made = fetch_json(f"{origin}/register", body=body)["data"]
            fetch(f"{origin}/photos?limit=1", Authorization=f"Bearer {made['authToken']}")
            assert program.end() == 0
    found = spans(bodies)
    names = {span.name for span in found}
    assert {"POST /register", "GET /photos", "job feed.sync"} <= names
    calls = [span for span in found if span.name.startswith("GET graph.")]
    jobs = {span.span_id: span for span in found if span.name == "job feed.sync"}
    assert any(call.parent_span_id in jobs for call in calls)
    assert not any(
        secret.encode() in body for body in bodies for secret in (token, made["authToken"], "a secret of the app")
    )


def test_nothing_of_it_is_loaded_when_nobody_collects(tmp_path: Path) -> None:
    program = (
        "import sys, asyncio, tintype.app\n"
        "from pathlib import Path\n"
        "from tintype.settings import load\n"
        "async def main():\n"
        "    async with tintype.app.open_house(load(data=Path('d')), work=False):\n"
        "        print([name for name in sys.modules if name.startswith('opentelemetry.sdk')])\n"
        "asyncio.run(main())\n"
    )
    said = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
    )
    assert said.stdout.strip() == "[]"
