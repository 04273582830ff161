"""A double of Google Cloud Storage as Google's own documents describe its XML interface: objects, ranges, pages, uploads in parts.

No emulator of Google's own speaks it, and the library we call it with speaks nothing else.
"""

import hashlib
import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from socket import create_server
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import uvicorn
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

BUCKET = "pictures"
PAGE = 10  # small enough to have several of them


@dataclass(frozen=True, slots=True)
class Thing:
    """An object: what it holds, and since when."""

    body: bytes
    type: str
    generation: int
    at: float = field(default_factory=time.time)

    @property
    def headers(self) -> dict[str, str]:
        return {
            "etag": f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"',
            "x-goog-generation": str(self.generation),
            "last-modified": formatdate(self.at, usegmt=True),
            "content-type": self.type,
        }


@dataclass(slots=True)
class GoogleStorage:
    """One bucket's objects and its uploads that are not finished."""

    origin: str = ""
    things: dict[str, Thing] = field(default_factory=dict)
    uploads: dict[str, tuple[str, str, dict[int, bytes]]] = field(default_factory=dict)
    _count: int = 0

    @property
    def key(self) -> str:
        """The service account that says where the service is, instead of whom to ask for tokens."""
        account = {"client_email": "", "private_key": "", "private_key_id": ""}
        return json.dumps({**account, "gcs_base_url": self.origin, "disable_oauth": True})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        bucket, _, key = unquote(request.url.path).lstrip("/").partition("/")
        body = await request.body()
        if bucket != BUCKET:
            answer = _problem(404, "NoSuchBucket")
        elif not key:
            answer = self._list(request)
        elif "uploads" in request.query_params or "uploadId" in request.query_params:
            answer = self._in_parts(request, key, body)
        else:
            answer = self._whole(request, key, body)
        await answer(scope, receive, send)

    def _whole(self, request: Request, key: str, body: bytes) -> Response:
        if request.method == "PUT":
            return Response(headers=self._keep(key, body, request.headers.get("content-type", "")).headers)
        thing = self.things.get(key)
        if thing is None:
            return _problem(404, "NoSuchKey")
        if request.method == "DELETE":
            del self.things[key]
            return Response(status_code=204)
        wanted = request.headers.get("range")
        if wanted is None:
            return Response(thing.body, headers=thing.headers)
        start, _, last = wanted.removeprefix("bytes=").partition("-")
        part = thing.body[int(start) : int(last) + 1]
        told = f"bytes {start}-{int(start) + len(part) - 1}/{len(thing.body)}"
        return Response(part, 206, {**thing.headers, "content-range": told})

    def _in_parts(self, request: Request, key: str, body: bytes) -> Response:
        name = request.query_params.get("uploadId", "")
        if "uploads" in request.query_params:
            self._count += 1
            name = f"upload-{self._count}"
            self.uploads[name] = (key, request.headers.get("content-type", ""), {})
            return _xml("InitiateMultipartUploadResult", {"Bucket": BUCKET, "Key": key, "UploadId": name})
        if name not in self.uploads:
            return _problem(404, "NoSuchUpload")
        key, kind, parts = self.uploads[name]
        if request.method == "PUT":
            parts[int(request.query_params["partNumber"])] = body
            return Response(headers={"etag": f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'})
        del self.uploads[name]
        if request.method == "DELETE":
            return Response(status_code=204)
        kept = self._keep(key, b"".join(parts[number] for number in sorted(parts)), kind)
        answer = _xml("CompleteMultipartUploadResult", {"Key": key, "ETag": kept.headers["etag"]})
        answer.headers["x-goog-generation"] = kept.headers["x-goog-generation"]
        return answer

    def _list(self, request: Request) -> Response:
        prefix, after = request.query_params.get("prefix", ""), request.query_params.get("continuation-token", "")
        names = [name for name in sorted(self.things) if name.startswith(prefix) and name > after]
        root = ET.Element("ListBucketResult")
        for name in names[:PAGE]:
            thing = self.things[name]
            one = ET.SubElement(root, "Contents")
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(thing.at))
            told = {"Key": name, "Size": str(len(thing.body)), "LastModified": stamp, "ETag": thing.headers["etag"]}
            for tag, text in told.items():
                ET.SubElement(one, tag).text = text
        if len(names) > PAGE:
            ET.SubElement(root, "NextContinuationToken").text = names[PAGE - 1]
        return Response(ET.tostring(root), media_type="application/xml")

    def _keep(self, key: str, body: bytes, kind: str) -> Thing:
        self._count += 1
        self.things[key] = Thing(body, kind, self._count)
        return self.things[key]


@contextmanager
def google_storage() -> Generator[GoogleStorage]:
    """Serve the double on a free port while the block runs."""
    listener, double = create_server(("127.0.0.1", 0)), GoogleStorage()
    double.origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(double, lifespan="off", ws="none", log_config=None, access_log=False))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield double
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


def _xml(name: str, told: dict[str, str]) -> Response:
    root = ET.Element(name)
    for tag, text in told.items():
        ET.SubElement(root, tag).text = text
    return Response(ET.tostring(root), media_type="application/xml")


def _problem(status: int, code: str) -> Response:
    answer = _xml("Error", {"Code": code, "Message": code})
    answer.status_code = status
    return answer
