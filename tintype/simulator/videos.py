"""Clips for the pretend Instagram: a slow move over one of its photographs, encoded by ffmpeg."""

import shutil
import subprocess
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tintype.simulator.photographs import photograph
from tintype.simulator.shelf import Shelf

RATE = 20  # frames per second
RATES = (300, 100)  # kbit/s of clips, and of those below SMALL pixels: smaller in bytes as well
SMALL = 512  # pixels of the longer side
TIMEOUT = 60  # seconds; a clip takes well under two on an idle machine
_clips = Shelf(room=32 * 1024 * 1024, hands=2)


async def video(seed: int, width: int, height: int, seconds: float) -> bytes:
    """A playable MP4 (H.264, yuv420p, AAC, moov first) over the photograph of the same seed; made once per arguments.

    Sides are rounded down to even numbers. Raises RuntimeError when ffmpeg is missing or fails.
    """
    size = width // 2 * 2, height // 2 * 2
    return await _clips.get((seed, *size, seconds), partial(encoded, seed, *size, seconds))


def encoded(seed: int, width: int, height: int, seconds: float) -> bytes:
    """The clip itself, encoded on one thread so that the same arguments give the same bytes."""
    still = photograph(seed, width * 5 // 4, height * 5 // 4)
    with TemporaryDirectory(prefix="tintype-clip-") as folder:
        clip = Path(folder, "clip.mp4")  # a file, because moov can only be moved to the front where ffmpeg can seek
        done = subprocess.run(  # noqa: S603 - our own arguments, no shell
            [ffmpeg(), *arguments(seed, width, height, seconds), str(clip)],
            input=still,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"ffmpeg could not make a clip: {done.stderr.decode(errors='replace')[-500:]}")
        return clip.read_bytes()


def arguments(seed: int, width: int, height: int, seconds: float) -> list[str]:
    """What ffmpeg is told: a still from the standard input, a quiet room for sound; the output's path comes last."""
    dice = Random(seed)  # noqa: S311 - dice for camera moves
    frames = max(1, round(seconds * RATE))
    rightwards, downwards = (dice.choice(("on", f"({frames}-on)")) for _ in range(2))
    inwards = dice.choice(("on", f"({frames}-on)"))
    move = (
        f"zoompan=z='1.04+0.16*{inwards}/{frames}':x='(iw-iw/zoom)*{rightwards}/{frames}'"
        f":y='(ih-ih/zoom)*{downwards}/{frames}':d={frames}:s={width}x{height}:fps={RATE},setsar=1,format=yuv420p"
    )
    rate = RATES[max(width, height) < SMALL]
    room = f"anoisesrc=color=brown:amplitude=0.04:sample_rate=44100:seed={seed % 2**31}"
    return [
        *("-hide_banner", "-loglevel", "error", "-nostdin", "-threads", "1", "-filter_threads", "1"),
        *("-f", "image2pipe", "-c:v", "mjpeg", "-i", "pipe:0", "-f", "lavfi", "-i", room),
        *("-vf", move, "-t", str(seconds), "-map_metadata", "-1", "-fflags", "+bitexact", "-flags", "+bitexact"),
        *("-c:v", "libx264", "-preset", "superfast", "-threads", "1", "-profile:v", "main", "-g", str(RATE * 2)),
        *("-b:v", f"{rate}k", "-maxrate", f"{rate + 100}k", "-bufsize", f"{rate + 100}k"),
        *("-c:a", "aac", "-b:a", "32k", "-ac", "1"),
        *("-movflags", "+faststart", "-f", "mp4", "-y"),
    ]


def ffmpeg() -> str:
    """The path of ffmpeg: the machine's own, else the one that came with imageio-ffmpeg; RuntimeError without either."""
    if found := shutil.which("ffmpeg"):
        return found
    try:
        import imageio_ffmpeg
    except ImportError:
        raise RuntimeError("ffmpeg is not installed; install it, or the Python package imageio-ffmpeg") from None
    return imageio_ffmpeg.get_ffmpeg_exe()
