"""Where pictures and files are kept: a local folder, a bucket, or memory, chosen by one address."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from tintype.backends.blobs.folder import FolderBlobs
from tintype.backends.blobs.memory import MemoryBlobs
from tintype.backends.blobs.model import Blob, Blobs, check_key
from tintype.errors import Misconfigured

__all__ = ["Blob", "Blobs", "FolderBlobs", "MemoryBlobs", "check_key", "open_blobs"]

BUCKETS = ("s3", "gs", "az")


def open_blobs(url: str) -> Blobs:
    """Return the store that `url` names: `file:///dir`, `s3://bucket/prefix?endpoint=…&region=…&allow_http=true`,
    `gs://bucket/prefix`, `az://container/prefix` or `memory:`; raises `Misconfigured` for anything else.
    """
    parts = urlsplit(url)
    match parts.scheme:
        case "file" if parts.netloc in ("", "localhost") and len(parts.path) > 1:
            return FolderBlobs.at(Path(unquote(parts.path)))
        case "memory":
            return MemoryBlobs()
        case scheme if scheme in BUCKETS:
            # Loaded only where a bucket is configured: the library costs every process some 15 MB.
            from tintype.backends.blobs.bucket import BucketBlobs

            return BucketBlobs.at(url)
        case _:
            raise Misconfigured("BLOBS_URL: write file:///folder, s3://bucket/prefix, gs://…, az://… or memory:")
