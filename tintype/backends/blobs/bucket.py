"""Blobs in a bucket of S3 and its friends, Google Cloud Storage or Azure, through obstore.

The library's error texts hold the whole address and the remote's answer: they are kept as causes for the log and never
repeated in a message.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Coroutine
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from tintype.backends.blobs.model import Blob, check_key, check_prefix
from tintype.errors import Misconfigured, NotFound, Unavailable

if TYPE_CHECKING:  # these names do not exist when the program runs
    from collections.abc import Generator, Sequence

    from obstore import ObjectMeta
    from obstore.store import ClientConfig, ObjectStore, RetryConfig, S3Config

_PART = 5 * 1024 * 1024  # the smallest part S3 takes; what fits into one is sent with one call
_STEP = 256 * 1024
_ABORT_SECONDS = 10.0
# The library's own ten retries keep a caller waiting for minutes when the endpoint is gone.
_RETRY: "RetryConfig" = {"max_retries": 2, "retry_timeout": timedelta(seconds=20)}
# A missing bucket is not a kind of error of its own: only the remote's code in the text tells.
_NO_BUCKET = ("NoSuchBucket", "ContainerNotFound", "404 Not Found")
_OPTIONS = ("endpoint", "region", "virtual_hosted_style_request", "skip_signature")


@dataclass(frozen=True, slots=True)
class BucketBlobs:
    """Blobs in one bucket, below the address's prefix; see `Blobs` for what each method promises."""

    _store: "ObjectStore" = field(repr=False)

    @classmethod
    def at(cls, url: str) -> "BucketBlobs":
        """Open a bucket by its address; credentials come from the environment, as the provider's own tools read them.

        Raises `Misconfigured` for an option that is not known.
        """
        address, _, query = url.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        client: ClientConfig = {
            "allow_http": options.pop("allow_http", "false").lower() == "true",
            "connect_timeout": timedelta(seconds=5),
            "timeout": timedelta(minutes=10),
            "read_timeout": timedelta(seconds=30),
        }
        unknown = sorted(options.keys() - set(_OPTIONS))
        if unknown or not urlsplit(address).netloc:
            known = ", ".join(("allow_http", *_OPTIONS))
            raise Misconfigured(f"BLOBS_URL: write s3://bucket/prefix?endpoint=…; the options are {known}")
        if "endpoint" in options and not _is_origin(options["endpoint"]):
            raise Misconfigured("BLOBS_URL: its endpoint must be an address like https://s3.example")
        try:
            store = from_url(address.rstrip("/"), client_options=client, retry_config=_RETRY, config=_config(options))
        except (BaseError, ValueError) as error:
            raise Misconfigured(f"BLOBS_URL: {address!r} cannot be opened with these options") from error
        return cls(store)

    async def put(self, key: str, chunks: bytes | AsyncIterable[bytes], *, content_type: str) -> None:
        check_key(key)
        parts = _parts(chunks)
        first, second = await anext(parts, b""), await anext(parts, None)
        if second is None:
            size = len(first)
            await self._send(key, first, content_type)
        else:
            upload = _Upload(first, second)
            size = await upload.run(parts, self._send(key, upload.feed(), content_type))
        stored = await self.head(key)
        if stored is None or stored.size != size:
            raise Unavailable(f"the bucket did not keep all of {key!r}")

    async def _send(self, key: str, content: bytes | AsyncIterator[bytes], content_type: str) -> None:
        with _told(key):
            await obstore.put_async(self._store, key, content, attributes={"Content-Type": content_type})

    async def get(self, key: str) -> bytes:
        with _told(check_key(key)):
            found = await obstore.get_async(self._store, key)
            return bytes(await found.bytes_async())

    async def stream(self, key: str, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        known = await self.head(key)
        if known is None:
            raise NotFound(f"there is no stored file {key!r}")
        last = known.size if end is None else min(end, known.size)
        if start >= last:
            return  # a bucket refuses an empty range
        with _told(key):
            found = await obstore.get_async(self._store, key, options={"range": (max(start, 0), last)})
            async for chunk in found.stream(min_chunk_size=_STEP):
                yield bytes(chunk)

    async def head(self, key: str) -> Blob | None:
        try:
            with _told(check_key(key)):
                return _blob(await obstore.head_async(self._store, key))
        except NotFound:
            return None

    async def delete(self, key: str) -> None:
        try:
            with _told(check_key(key)):
                await obstore.delete_async(self._store, key)
        except NotFound:
            return  # Google and Azure mind; S3 does not

    async def list(self, prefix: str = "") -> AsyncIterator[Blob]:
        with _told(prefix):
            async for page in _pages(self._store, check_prefix(prefix), 1000):
                for meta in page:
                    yield _blob(meta)

    def path(self, key: str) -> None:
        check_key(key)

    async def sweep(self, older_than: float) -> int:
        return 0  # an interrupted upload is aborted by the library, or ended by the bucket's own lifecycle rule

    async def health(self) -> None:
        try:
            async for _ in _pages(self._store, "health-probe", 1):
                break
        except (BaseError, FileNotFoundError) as error:
            if any(sign in str(error) for sign in _NO_BUCKET):
                raise Unavailable("the bucket of stored files was not found; does it exist in this region?") from error
            raise Unavailable("the bucket of stored files cannot be used now") from error


class _Upload:
    """Hands parts over to the library, and makes it abort when the caller's iterable fails or its task is cancelled.

    The caller's iterable is read in the caller's own task. A library call that is merely cancelled would leave an
    unfinished upload in the bucket, which nobody sees and somebody pays for; one whose source raises is aborted.
    """

    def __init__(self, *first: bytes) -> None:
        self._first = first
        self._waiting: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=1)
        self._abandoned = False

    async def feed(self) -> AsyncIterator[bytes]:
        for part in self._first:
            yield part
        while (part := await self._waiting.get()) is not None:
            yield part
        if self._abandoned:
            raise InterruptedError("the source of this upload failed")

    async def run(self, parts: AsyncIterator[bytes], sending: Coroutine[None, None, None]) -> int:
        size = sum(len(part) for part in self._first)
        task = asyncio.create_task(sending)
        try:
            async for part in parts:
                size += len(part)
                await self._hand_over(part, task)
            await self._hand_over(None, task)
            await asyncio.shield(task)
        except BaseException:
            await self._abandon(task)
            raise
        return size

    async def _hand_over(self, part: bytes | None, task: "asyncio.Task[None]") -> None:
        handing = asyncio.create_task(self._waiting.put(part))
        await asyncio.wait({handing, task}, return_when=asyncio.FIRST_COMPLETED)
        if task.done() and part is not None:
            handing.cancel()
            task.result()

    async def _abandon(self, task: "asyncio.Task[None]") -> None:
        self._abandoned = True
        while not self._waiting.empty():
            self._waiting.get_nowait()
        self._waiting.put_nowait(None)
        await asyncio.wait({task}, timeout=_ABORT_SECONDS)
        if not task.cancel() and not task.cancelled():
            task.exception()  # seen; what the caller gets is the reason for abandoning


async def _parts(chunks: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(chunks, bytes):
        yield chunks
        return
    held: list[bytes] = []
    size = 0
    async for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= _PART:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _is_origin(endpoint: str) -> bool:
    try:
        parts = urlsplit(endpoint)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, on which the library would panic
        return False


def _config(options: dict[str, str]) -> "S3Config":
    config: S3Config = {}
    if "endpoint" in options:
        config["endpoint"] = options["endpoint"]
    if "region" in options:
        config["region"] = options["region"]
    if "virtual_hosted_style_request" in options:
        config["virtual_hosted_style_request"] = options["virtual_hosted_style_request"].lower() == "true"
    if "skip_signature" in options:
        config["skip_signature"] = options["skip_signature"].lower() == "true"
    return config


def _pages(store: "ObjectStore", folder: str, size: int) -> "AsyncIterator[Sequence[ObjectMeta]]":
    # The overloads that answer in Arrow name a library that is not installed, hence the unknown part.
    return obstore.list(store, prefix=folder or None, chunk_size=size)  # pyright: ignore[reportUnknownMemberType]


def _blob(meta: "ObjectMeta") -> Blob:
    return Blob(meta["path"], meta["size"], (meta["e_tag"] or "").strip('"'), meta["last_modified"])


@contextmanager
def _told(key: str) -> "Generator[None]":
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"there is no stored file {key!r}") from error
    except BaseError as error:
        raise Unavailable("the bucket of stored files cannot be used now") from error
