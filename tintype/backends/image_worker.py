"""The program that decodes pictures, one job after the other, in a process that may die of a hostile file.

It is started as a file of its own and imports of the house only what works on pictures, so that it stays small and knows
no secret. A job is a line of JSON on standard input, and the picture's bytes in the memory whose descriptor is the program's
argument, or without one behind the line; the answer is a line of JSON and the results' bytes on standard output, or no bytes
when the line tells which of the picture's own ones are the result. It ends when its standard input does, which is also what a
killed parent looks like.
"""

import base64
import fcntl
import json
import os
import resource
import signal
import sys
from contextlib import suppress
from typing import Any, BinaryIO

import pyvips
import thumbhash

from tintype.backends.image_convert import convert
from tintype.backends.image_fitting import fit
from tintype.backends.image_source import NO_PICTURE, RefusedError, Source, decode, opaque, read_header

MEMORY_BYTES = 1536 * 1024 * 1024
CPU_SECONDS = 20  # per job
HASH_SIDE = 24  # ThumbHash keeps 7 × 7 frequencies; more pixels only cost time
_SET_PIPE_SIZE = 1031  # F_SETPIPE_SZ of Linux; elsewhere it is refused
_PIPE_BYTES = 1024 * 1024  # a whole picture at once, so that neither side waits for the other's turn
_FAMILIES = ("Jpeg", "Png", "Webp", "Heif", "Nsgif")


def describe(source: Source, picture: Any) -> dict[str, object]:
    """Return what is told of a picture: format, upright size, mean colour as `#rrggbb`, ThumbHash in base64."""
    width, height = source.upright
    scale = min(1.0, HASH_SIDE / max(picture.width, picture.height))
    small = opaque(picture)
    small = small.resize(scale) if scale < 1 else small
    pixels = bytes(small.write_to_memory())
    mean = [round(sum(pixels[band::3]) * 3 / len(pixels)) for band in range(3)]
    # Given opaque pixels only: for others the library's encoder trips over its own alpha channel.
    rgba = [value for at in range(0, len(pixels), 3) for value in (*pixels[at : at + 3], 255)]
    hashed = bytes(thumbhash.rgba_to_thumb_hash(small.width, small.height, rgba))
    colour = "#{:02x}{:02x}{:02x}".format(*mean)
    told = {"format": source.format, "width": width, "height": height, "colour": colour}
    return {**told, "thumbhash": base64.b64encode(hashed).decode("ascii")}


def encode(picture: Any, form: str) -> bytes:
    """Return the picture as AVIF, WebP or JPEG without any metadata."""
    match form:
        case "avif":
            # effort 0 is smaller and cheaper than WebP; effort 3 costs eight times more for a few per cent
            made = picture.heifsave_buffer(compression="av1", effort=0, Q=65, bitdepth=8, keep="none")
        case "webp":
            made = picture.webpsave_buffer(Q=82, effort=4, keep="none")
        case "jpeg":
            made = opaque(picture).jpegsave_buffer(
                Q=80, optimize_coding=True, interlace=False, subsample_mode="on", keep="none"
            )
        case _:
            raise RefusedError("unsupported", f"pictures are not written as {form!r}")
    return bytes(made)


def work(job: dict[str, Any], data: bytes) -> tuple[dict[str, object], list[bytes]]:
    """Do one job: look at the picture, and make the sizes and formats that are asked for; raises `RefusedError`."""
    if "fit" in job or "convert" in job:
        told, body = fit(data, job["fit"]) if "fit" in job else convert(data, job["convert"])
        return (told, []) if body is None else ({**told, "made": [{"bytes": len(body)}]}, [body])
    source = read_header(data)
    if source.format == "heic":
        raise RefusedError("unsupported", NO_PICTURE)
    sizes, formats = job["sizes"], job["formats"]
    picture = decode(source, max(sizes, default=HASH_SIDE))
    made: list[dict[str, object]] = []
    bodies: list[bytes] = []
    for width in sorted({min(size, picture.width) for size in sizes}, reverse=True):
        if width < picture.width:  # each size from the one above it, which has fewer pixels than the source
            picture = picture.resize(width / picture.width).copy_memory()
        for form in formats:
            bodies.append(encode(picture, form))
            made.append({"width": width, "height": picture.height, "format": form, "bytes": len(bodies[-1])})
    told = describe(source, picture) if job["describe"] else {}
    return {"picture": told, "made": made}, bodies


def answer(job: dict[str, Any], data: bytes) -> tuple[dict[str, object], list[bytes]]:
    """Do one job and put what goes wrong into words."""
    try:
        return work(job, data)
    except RefusedError as refused:
        return {"refused": refused.kind, "message": refused.message}, []
    except (pyvips.Error, MemoryError):
        return {"refused": "invalid", "message": "the picture is damaged and cannot be decoded"}, []


def main(reading: BinaryIO, writing: BinaryIO, shared: int | None = None) -> None:
    """Answer jobs until the input ends."""
    while line := reading.readline():
        job = json.loads(line)
        data = reading.read(job["bytes"]) if shared is None else os.pread(shared, job["bytes"], 0)
        if len(data) < job["bytes"]:
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        limit = int(used.ru_utime + used.ru_stime) + CPU_SECONDS + 1
        resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.RLIM_INFINITY))
        told, bodies = answer(job, data)
        writing.write(json.dumps(told).encode() + b"\n" + b"".join(bodies))
        writing.flush()


def confine() -> None:
    """Give up what decoding does not need: memory beyond a cap, files, core dumps, and every unsafe loader."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for pipe in (sys.stdin, sys.stdout):
        with suppress(OSError):  # a small pipe only costs time
            fcntl.fcntl(pipe, _SET_PIPE_SIZE, _PIPE_BYTES)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends its workers
    pyvips.cache_set_max(0)
    pyvips.block_untrusted_set(True)
    pyvips.operation_block_set("VipsForeignLoad", True)
    for family in _FAMILIES:
        pyvips.operation_block_set(f"VipsForeignLoad{family}", False)


if __name__ == "__main__":
    confine()
    try:
        main(sys.stdin.buffer, sys.stdout.buffer, int(sys.argv[1]) if len(sys.argv) > 1 else None)
    except BrokenPipeError:
        sys.stderr.close()  # the parent is gone; there is nobody to tell
