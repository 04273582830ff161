"""Short videos for tests, made by ffmpeg's own test sources."""

import subprocess
from pathlib import Path

from tintype.backends.video import ffmpeg

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
RIGHT = ("-movflags", "+faststart+negative_cts_offsets", "-use_editlist", "0")


def film(
    path: Path,
    *options: str,
    size: str = "180x320",
    rate: str = "30",
    seconds: float = 4,
    sound: str | None = "sine=frequency=440",
) -> Path:
    """Write a video; without options it is H.264 and AAC as ffmpeg packs them by itself."""
    program = ffmpeg()
    assert program is not None
    inputs = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}"]
    inputs += ["-f", "lavfi", "-i", f"{sound}:duration={seconds}"] if sound else []
    codecs = options if "-c:v" in options else (*H264, *options)
    subprocess.run([program, "-v", "error", "-y", *inputs, *codecs, str(path)], check=True)
    return path


def turned(path: Path, source: Path) -> Path:
    """Write a copy that a player has to turn by a quarter, as a phone held upright writes it."""
    body = bytearray(source.read_bytes())
    at = body.index(b"tkhd") + 44  # behind version 0's times, ids and volume: the matrix
    body[at : at + 36] = b"".join(
        value.to_bytes(4, "big", signed=True) for value in (0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    )
    path.write_bytes(body)
    return path
