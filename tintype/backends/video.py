"""Looks at videos and makes them right: is this a whole MP4, what is in it, what does a frame of it show?

Everything is done by the ffmpeg and ffprobe programs, each in a process group of its own that ends with its deadline or its
caller. They read the one file they are given: a playlist dressed up as a video could name others, so only containers pass.
"""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from tintype.backends.video_boxes import Boxes, boxes, check_mp4
from tintype.errors import Invalid, Unsupported

__all__ = ["Clip", "Recipe", "check_mp4", "convert", "ffmpeg", "frame", "probe", "sound"]

_FRAME_SECONDS = 20
_PROBE_SECONDS = 30
_CONVERT_SECONDS = 900.0
_SOUND_SECONDS = 120
_SPEECH_RATE = 16_000  # what speech models listen at
_KEY_SECONDS = 2  # between key frames
_CONTAINERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,flv,asf"
_READING = ("-protocol_whitelist", "file", "-format_whitelist", _CONTAINERS)
_NO_PROGRAM = "no ffmpeg was found to {}; install ffmpeg"


@dataclass(frozen=True, slots=True)
class Clip:
    """What is in a video: upright size in pixels, frames and bits a second, codecs by ffmpeg's names, how it is packed."""

    container: str  # mp4, mov, matroska, avi …
    seconds: float
    width: int
    height: int
    rotation: int  # degrees clockwise by which a player turns it: 0, 90, 180 or 270
    rate: float
    video_codec: str
    pixel_format: str
    interlaced: bool
    audio_codec: str | None
    audio_rate: int
    channels: int
    bytes: int
    bits: int
    moov_first: bool
    edit_lists: int  # tracks with one
    cutting: bool  # an edit list that leaves parts out, so that copying the tracks would show them


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a video is made anew; what is not named as wrong is copied as it is."""

    picture: bool  # code the picture anew
    sound: bool  # code the sound anew
    width_max: int
    rate: float | None  # frames a second to be made; None: as they come
    bits: int  # a second of picture and sound together; half a second's worth may come on top, once
    audio_rate: int
    channels: int


def ffmpeg() -> str | None:
    """Return the ffmpeg program: the machine's own, else the one that comes with the package, else None."""
    found = shutil.which("ffmpeg")
    if found:
        return found
    try:
        import imageio_ffmpeg
    except ImportError:
        return None
    return str(imageio_ffmpeg.get_ffmpeg_exe())


async def frame(path: Path, at_seconds: float = 0.3) -> bytes:
    """Return the frame of a video at `at_seconds` as JPEG.

    Raises `Invalid` when the file has none that can be decoded, or no ffmpeg is to be found.
    """
    program = ffmpeg()
    if program is None:
        raise Invalid(_NO_PROGRAM.format("take a poster from the video"))
    asked = ("-v", "error", *_READING, "-ss", str(at_seconds), "-i", str(path), "-frames:v", "1")
    done = await _run((program, *asked, "-f", "image2", "-c:v", "mjpeg", "-q:v", "3", "pipe:1"), _FRAME_SECONDS)
    if done is None:
        raise Invalid("the video could not be decoded in time")
    if done.code or not done.output:
        raise Invalid("the video has no frame that can be decoded")
    return done.output


async def sound(path: Path, out: Path, *, longest: int) -> None:
    """Write the first `longest` seconds of a video's sound as WAV, in the one channel and the rate that speech needs.

    Raises `Invalid` when it has none that can be decoded in time, `Unsupported` without ffmpeg.
    """
    program = ffmpeg()
    if program is None:
        raise Unsupported(_NO_PROGRAM.format("hear the video"))
    read = ("-nostdin", "-v", "error", "-y", *_READING, "-i", str(path), "-map", "0:a:0", "-t", str(longest))
    made = ("-ac", "1", "-ar", str(_SPEECH_RATE), "-c:a", "pcm_s16le", "-map_metadata", "-1", "-f", "wav", str(out))
    done = await _run((program, *read, *made), _SOUND_SECONDS)
    if done is None or done.code:
        raise Invalid("the video has no sound that can be decoded")


async def probe(path: Path) -> Clip:
    """Return what is in a video.

    Raises `Invalid` for a file that is none or is damaged, `Unsupported` when neither ffprobe nor ffmpeg is to be found.
    """
    packed, size = _packing(path)
    if program := shutil.which("ffprobe"):
        asked = (program, "-v", "error", *_READING, "-of", "json", "-show_format", "-show_streams", str(path))
        done = await _run(asked, _PROBE_SECONDS)
        if done is None or done.code:
            raise Invalid("the video cannot be read: it is damaged, or no video at all")
        return _clip(json.loads(done.output), packed, size)
    program = ffmpeg()
    if program is None:
        raise Unsupported(_NO_PROGRAM.format("look at the video"))
    done = await _run((program, "-hide_banner", *_READING, "-i", str(path)), _PROBE_SECONDS)
    return _clip(_told(done.errors.decode("utf-8", "replace") if done else ""), packed, size)


async def convert(path: Path, out: Path, recipe: Recipe, *, seconds: float = _CONVERT_SECONDS) -> None:
    """Make a video that Instagram takes: H.264 in 4:2:0, AAC, upright, its index first, no edit lists, no metadata.

    `out` appears only when it is whole. Raises `Invalid` when the file cannot be converted or it takes longer than
    `seconds`, `Unsupported` without ffmpeg.
    """
    program = ffmpeg()
    if program is None:
        raise Unsupported(_NO_PROGRAM.format("convert the video"))
    with _appearing(out) as part:
        done = await _run((program, *_arguments(path, recipe), str(part)), seconds)
        if done is None:
            raise Invalid(f"converting the video takes longer than {seconds:.0f} seconds; send H.264 and AAC in an MP4")
        if done.code:
            raise Invalid("the video cannot be converted: it is damaged, or coded in a way that ffmpeg does not know")


@contextlib.contextmanager
def _appearing(out: Path) -> Generator[Path]:
    """Lend a file beside `out` that takes its place when the block ends well, and is gone when it does not."""
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=".converting-", suffix=".mp4")
    os.close(handle)
    part = Path(name)
    try:
        yield part
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _packing(path: Path) -> tuple[Boxes, int]:
    with path.open("rb") as file:
        return boxes(file), path.stat().st_size


@dataclass(frozen=True, slots=True)
class _Done:
    code: int
    output: bytes
    errors: bytes


async def _run(command: Sequence[str], seconds: float) -> _Done | None:
    """Run a program in a process group of its own; None: it was ended because it took too long."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(seconds):
            output, errors = await process.communicate()
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await asyncio.shield(process.wait())
    return _Done(process.returncode or 0, output, errors)


def _arguments(path: Path, recipe: Recipe) -> list[str]:
    sound = 192_000
    picture = max(100_000, recipe.bits - sound)
    read = ["-nostdin", "-v", "error", "-y", *_READING, "-i", str(path)]
    kept = ["-map", "0:V:0", "-map", "0:a:0?", "-map_metadata", "-1", "-map_chapters", "-1", "-sn", "-dn"]
    video = ["-c:v", "copy"]
    if recipe.picture:
        filters = ["yadif=deint=interlaced", f"scale=w='trunc(min({recipe.width_max},iw*sar)/2)*2':h=-2", "setsar=1"]
        if recipe.rate:
            filters.append(f"fps={recipe.rate:g}")
        video = [
            *("-c:v", "libx264", "-preset", "fast", "-crf", "20", "-profile:v", "high", "-pix_fmt", "yuv420p"),
            *("-maxrate", str(picture), "-bufsize", str(picture // 2), "-vf", ",".join(filters)),
            *("-force_key_frames", f"expr:gte(t,n_forced*{_KEY_SECONDS})", "-flags", "+cgop"),
        ]
    audio = ["-c:a", "copy"]
    if recipe.sound:
        audio = ["-c:a", "aac", "-b:a", "128k", "-ar", str(recipe.audio_rate), "-ac", str(recipe.channels)]
    packing = ["-movflags", "+faststart+negative_cts_offsets", "-use_editlist", "0", "-f", "mp4"]
    return [*read, *kept, *video, *audio, *packing]


def _clip(told: dict[str, Any], packed: Boxes, size: int) -> Clip:
    streams: list[dict[str, Any]] = told.get("streams", [])
    pictures = [each for each in streams if each.get("codec_type") == "video" and not _is_cover(each)]
    sounds = [each for each in streams if each.get("codec_type") == "audio"]
    if not pictures or not pictures[0].get("width"):
        raise Invalid("the file holds no video track that can be read")
    picture, sound = pictures[0], sounds[0] if sounds else {}
    form: dict[str, Any] = told.get("format", {})
    seconds = float(form.get("duration") or picture.get("duration") or 0)
    rotation = _rotation(picture)
    across, down = round(picture["width"] * _squareness(picture)), int(picture["height"])
    return Clip(
        container=_container(str(form.get("format_name", "")), str(form.get("tags", {}).get("major_brand", ""))),
        seconds=seconds,
        width=down if rotation in (90, 270) else across,
        height=across if rotation in (90, 270) else down,
        rotation=rotation,
        rate=float(_ratio(picture.get("avg_frame_rate")) or _ratio(picture.get("r_frame_rate"))),
        video_codec=str(picture.get("codec_name", "unknown")),
        pixel_format=str(picture.get("pix_fmt", "unknown")),
        interlaced=picture.get("field_order", "progressive") not in ("progressive", "unknown"),
        audio_codec=str(sound["codec_name"]) if sound.get("codec_name") else None,
        audio_rate=int(sound.get("sample_rate", 0)),
        channels=int(sound.get("channels", 0)),
        bytes=size,
        bits=round(size * 8 / seconds) if seconds else 0,
        moov_first=packed.moov_first,
        edit_lists=packed.edit_lists,
        cutting=packed.cutting,
    )


def _is_cover(stream: dict[str, Any]) -> bool:
    return bool(stream.get("disposition", {}).get("attached_pic"))


def _container(names: str, brand: str) -> str:
    if "mp4" in names.split(","):
        return "mov" if brand.strip() == "qt" else "mp4"
    return names.split(",")[0] or "unknown"


def _rotation(picture: dict[str, Any]) -> int:
    turns = [each["rotation"] for each in picture.get("side_data_list", []) if "rotation" in each]
    counter = -float(turns[0]) if turns else float(picture.get("tags", {}).get("rotate", 0))
    return round(counter / 90) * 90 % 360


def _squareness(picture: dict[str, Any]) -> Fraction:
    return _ratio(str(picture.get("sample_aspect_ratio", "1:1")).replace(":", "/")) or Fraction(1)


def _ratio(text: object) -> Fraction:
    try:
        return Fraction(str(text))
    except (ValueError, ZeroDivisionError):
        return Fraction(0)


_STREAM = re.compile(r"Stream #0:\d+.*?: (Video|Audio): (\w+)(.*)")
_SIZE = re.compile(r"\b(\d{2,5})x(\d{2,5})\b")


def _told(words: str) -> dict[str, Any]:
    """Read what ffmpeg says of a file into the shape in which ffprobe says it."""
    streams: list[dict[str, Any]] = []
    for line in words.splitlines():
        if found := _STREAM.search(line):
            read = _picture_line if found[1] == "Video" else _sound_line
            streams.append({"codec_type": found[1].lower(), "codec_name": found[2], **read(found[3])})
        elif streams and (turn := re.search(r"rotation of (-?[\d.]+) degrees", line)):
            streams[-1]["side_data_list"] = [{"rotation": float(turn[1])}]
    form: dict[str, Any] = {}
    if name := re.search(r"Input #0, ([\w,]+), from", words):
        form["format_name"] = name[1]
    if brand := re.search(r"major_brand\s*: (\S+)", words):
        form["tags"] = {"major_brand": brand[1]}
    if lasts := re.search(r"Duration: (\d+):(\d+):([\d.]+)", words):
        form["duration"] = int(lasts[1]) * 3600 + int(lasts[2]) * 60 + float(lasts[3])
    return {"streams": streams, "format": form}


def _picture_line(line: str) -> dict[str, Any]:
    size, rate = _SIZE.search(line), re.search(r"([\d.]+) fps", line)
    pixels = re.search(r", ((?:yuv|rgb|bgr|gbr|gray|nv|pal)\w*)", line)
    sar = re.search(r"SAR (\d+:\d+)", line)
    return {
        "width": int(size[1]) if size else 0,
        "height": int(size[2]) if size else 0,
        "avg_frame_rate": rate[1] if rate else "0",
        "pix_fmt": pixels[1] if pixels else "unknown",
        "sample_aspect_ratio": sar[1] if sar else "1:1",
        "field_order": "tt" if re.search(r"top (?:first|coded)|bottom (?:first|coded)", line) else "progressive",
        "disposition": {"attached_pic": int("(attached pic)" in line)},
    }


def _sound_line(line: str) -> dict[str, Any]:
    rate = re.search(r"(\d+) Hz, (\w+)", line)
    channels = {"mono": 1, "stereo": 2, "5": 6, "7": 8}.get(rate[2], 2) if rate else 0
    return {"sample_rate": rate[1] if rate else "0", "channels": channels}
