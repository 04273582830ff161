"""Judges videos by Instagram's limits: what is wrong with one, and which recipe mends it. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from tintype.backends.video import Clip, Recipe
from tintype.instagram import LIMITS

VideoRole = Literal["reel", "story", "carousel"]

_CODECS = {"h264": ("yuv420p", "yuvj420p"), "hevc": ("yuv420p", "yuvj420p", "yuv420p10le")}
_MB = 2**20
_SLACK = 0.05  # seconds that a container's length may differ from its tracks'
_ROOM = 0.95  # of the bits that are allowed: the rest is for packing
_BURST = 0.5  # seconds' worth of bits by which the encoder may be over its rate


class Mend(StrEnum):
    """What it takes to put a problem right."""

    NOTHING = "nothing"  # no conversion helps
    PACKING = "packing"  # the same pictures and sound, packed anew
    PICTURE = "picture"
    SOUND = "sound"


@dataclass(frozen=True, slots=True)
class Problem:
    """One way in which a video is not what Instagram takes."""

    code: str
    sentence: str
    mend: Mend


def problems(clip: Clip, role: VideoRole) -> tuple[Problem, ...]:
    """Return everything that is wrong with a video for this use; an empty answer means that Instagram takes it as it is."""
    return (*_lasting(clip, role), *_shape(clip, role), *_picture(clip), *_sound(clip), *_packing(clip, role))


def recipe(clip: Clip, role: VideoRole) -> Recipe | None:
    """Return how to convert a video, or None when nothing has to be; no recipe mends a problem with `Mend.NOTHING`."""
    mends = {problem.mend for problem in problems(clip, role)} - {Mend.NOTHING}
    if not mends:
        return None
    length = max(clip.seconds, 1.0)
    rate = min(max(clip.rate, LIMITS.video_rate_min.value), LIMITS.video_rate_max.value)
    return Recipe(
        picture=Mend.PICTURE in mends or clip.cutting,
        sound=Mend.SOUND in mends or clip.cutting,
        width_max=LIMITS.video_width_max.whole,
        rate=None if rate == clip.rate else float(30 if rate > clip.rate else rate),
        bits=int(min(LIMITS.video_bits.whole, bytes_max(role) * 8 / length) * _ROOM * length / (length + _BURST)),
        audio_rate=LIMITS.audio_rate_max.whole,
        channels=min(max(clip.channels, 1), LIMITS.audio_channels_max.whole),
    )


def bytes_max(role: VideoRole) -> int:
    """Return how many bytes a video may have."""
    return (LIMITS.story_video_bytes if role == "story" else LIMITS.reel_bytes).whole


def _lasting(clip: Clip, role: VideoRole) -> list[Problem]:
    story = role == "story"  # Meta states no length for a carousel's items, so that a reel's holds
    least = (LIMITS.story_seconds_min if story else LIMITS.reel_seconds_min).value
    most = (LIMITS.story_seconds_max if story else LIMITS.reel_seconds_max).value
    if clip.seconds < least - _SLACK:
        words = f"the video lasts {clip.seconds:.1f} seconds, a {role} takes at least {least}; no conversion mends that"
        return [Problem("too_short", words, Mend.NOTHING)]
    if clip.seconds > most + _SLACK:
        words = f"the video lasts {clip.seconds:.1f} seconds, a {role} takes at most {most}; cut it"
        return [Problem("too_long", words, Mend.NOTHING)]
    return []


def _shape(clip: Clip, role: VideoRole) -> list[Problem]:
    found: list[Problem] = []
    least = (LIMITS.story_video_aspect_min if role == "story" else LIMITS.video_aspect_min).value
    if not least * clip.height <= clip.width <= LIMITS.video_aspect_max.value * clip.height:
        words = f"the video is {clip.width} × {clip.height} pixels, a ratio that Instagram does not take; crop it"
        found.append(Problem("ratio", words, Mend.NOTHING))
    if clip.width > LIMITS.video_width_max.value:
        words = f"the video is {clip.width} pixels wide, {LIMITS.video_width_max.whole} are allowed"
        found.append(Problem("too_wide", words, Mend.PICTURE))
    return found


def _picture(clip: Clip) -> list[Problem]:
    found: list[Problem] = []
    if clip.video_codec not in _CODECS:
        words = f"the picture is coded as {clip.video_codec}, Instagram takes H.264 and HEVC"
        found.append(Problem("video_codec", words, Mend.PICTURE))
    elif clip.pixel_format not in _CODECS[clip.video_codec]:
        words = f"the pixels are {clip.pixel_format}, Instagram takes 4:2:0"
        found.append(Problem("pixel_format", words, Mend.PICTURE))
    if clip.interlaced:
        found.append(Problem("interlaced", "the video is interlaced", Mend.PICTURE))
    least, most = LIMITS.video_rate_min.value, LIMITS.video_rate_max.value
    if not least - 0.1 <= clip.rate <= most + 0.1:
        words = f"the video has {clip.rate:.4g} frames a second, {least} to {most} are allowed"
        found.append(Problem("rate", words, Mend.PICTURE))
    if clip.bits > LIMITS.video_bits.value:
        words = f"the video takes {clip.bits / 1e6:.1f} Mbit/s, {LIMITS.video_bits.value / 1e6:.0f} are allowed"
        found.append(Problem("bits", words, Mend.PICTURE))
    return found


def _sound(clip: Clip) -> list[Problem]:
    if clip.audio_codec is None:
        return []
    found: list[Problem] = []
    if clip.audio_codec != "aac":
        words = f"the sound is coded as {clip.audio_codec}, Instagram takes AAC"
        found.append(Problem("audio_codec", words, Mend.SOUND))
    if clip.audio_rate > LIMITS.audio_rate_max.value:
        words = f"the sound has {clip.audio_rate} Hz, {LIMITS.audio_rate_max.whole} are allowed"
        found.append(Problem("audio_rate", words, Mend.SOUND))
    if clip.channels > LIMITS.audio_channels_max.value:
        words = f"the sound has {clip.channels} channels, {LIMITS.audio_channels_max.whole} are allowed"
        found.append(Problem("channels", words, Mend.SOUND))
    return found


def _packing(clip: Clip, role: VideoRole) -> list[Problem]:
    found: list[Problem] = []
    if clip.bytes > bytes_max(role):
        words = f"the video has {clip.bytes / _MB:.0f} MB, {bytes_max(role) // _MB} are allowed"
        found.append(Problem("too_many_bytes", words, Mend.PICTURE))
    if clip.container not in ("mp4", "mov"):
        found.append(Problem("container", f"the file is {clip.container}, Instagram takes MP4 and MOV", Mend.PACKING))
    elif not clip.moov_first:
        words = "the index (moov) is at the end of the file, Instagram wants it first"
        found.append(Problem("moov_last", words, Mend.PACKING))
    if clip.edit_lists:
        found.append(Problem("edit_lists", "the file has edit lists, Instagram takes none", Mend.PACKING))
    return found
