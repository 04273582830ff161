"""Videos: what is seen in them, how they are made right, and how programs end that are not wanted any more."""

import asyncio
import os
from pathlib import Path

import psutil
import pytest

from tests.backends.films import RIGHT, film, turned
from tests.backends.pictures import see
from tintype.backends import video
from tintype.backends.video import Recipe, convert, frame, probe
from tintype.errors import Invalid, Unsupported

ANEW = Recipe(picture=True, sound=True, width_max=1920, rate=None, bits=20_000_000, audio_rate=48_000, channels=2)
REPACKED = Recipe(picture=False, sound=False, width_max=1920, rate=None, bits=0, audio_rate=48_000, channels=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("films")


async def test_a_clip_is_seen_as_it_is(folder: Path) -> None:
    path = film(folder / "plain.mp4")
    clip = await probe(path)
    assert (clip.container, clip.width, clip.height, clip.rotation, clip.rate) == ("mp4", 180, 320, 0, 30)
    assert (clip.video_codec, clip.pixel_format, clip.interlaced) == ("h264", "yuv420p", False)
    assert (clip.audio_codec, clip.audio_rate, clip.channels) == ("aac", 44_100, 1)
    assert clip.seconds == pytest.approx(4, abs=0.1)
    assert (clip.bytes, clip.moov_first, clip.edit_lists) == (path.stat().st_size, False, 2)
    assert clip.bits == pytest.approx(clip.bytes * 8 / 4, rel=0.05)


async def test_what_is_packed_right_is_seen_so(folder: Path) -> None:
    clip = await probe(film(folder / "right.mp4", *RIGHT))
    assert (clip.moov_first, clip.edit_lists, clip.cutting) == (True, 0, False)


@pytest.mark.parametrize(
    ("name", "options", "seen"),
    [
        ("a.mov", (), ("mov", "h264", "aac")),
        ("a.mkv", ("-c:a", "libmp3lame"), ("matroska", "h264", "mp3")),
        ("a.avi", ("-c:v", "mpeg4", "-c:a", "libmp3lame"), ("avi", "mpeg4", "mp3")),
        ("a.webm", ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"), ("matroska", "vp8", "opus")),
        ("silent.mp4", ("-an",), ("mp4", "h264", None)),
    ],
)
async def test_containers_and_codecs_are_named(
    folder: Path, name: str, options: tuple[str, ...], seen: tuple[str, str, str | None]
) -> None:
    clip = await probe(film(folder / name, *options, seconds=1))
    assert (clip.container, clip.video_codec, clip.audio_codec) == seen


async def test_ffmpeg_alone_sees_the_same_as_ffprobe(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = film(folder / "both.mp4")
    paths = [plain, turned(folder / "both-turned.mp4", plain), film(folder / "both.mkv", sound=None)]
    with_both = [await probe(path) for path in paths]
    monkeypatch.setenv("PATH", str(folder))
    assert [await probe(path) for path in paths] == with_both


async def test_a_turned_clip_has_its_upright_size_and_is_turned_when_made_anew(folder: Path) -> None:
    path = turned(folder / "turned.mp4", film(folder / "lying.mp4", size="320x180"))
    clip = await probe(path)
    assert (clip.width, clip.height, clip.rotation) == (180, 320, 90)
    await convert(path, folder / "upright.mp4", ANEW)
    made = await probe(folder / "upright.mp4")
    assert (made.width, made.height, made.rotation) == (180, 320, 0)
    await convert(path, folder / "still-turned.mp4", REPACKED)
    assert (await probe(folder / "still-turned.mp4")).rotation == 90


async def test_anything_becomes_what_instagram_takes(folder: Path) -> None:
    path = film(
        folder / "odd.mkv",
        "-c:v",
        "mpeg4",
        "-c:a",
        "ac3",
        "-ac",
        "6",
        "-ar",
        "48000",
        size="2101x101",
        rate="75",
    )
    await convert(path, folder / "made.mp4", Recipe(True, True, 1920, 30.0, 20_000_000, 48_000, 2))
    made = await probe(folder / "made.mp4")
    assert (made.container, made.video_codec, made.pixel_format) == ("mp4", "h264", "yuv420p")
    assert (made.width, made.rate) == (1920, 30)
    assert (made.audio_codec, made.audio_rate, made.channels) == ("aac", 48_000, 2)
    assert (made.moov_first, made.edit_lists) == (True, 0)


async def test_repacking_moves_the_index_and_leaves_the_samples(folder: Path) -> None:
    path = film(folder / "tail.mp4")
    await convert(path, folder / "head.mp4", REPACKED)
    before, after = await probe(path), await probe(folder / "head.mp4")
    assert (after.moov_first, after.edit_lists) == (True, 0)
    assert after.bytes == pytest.approx(before.bytes, rel=0.02)
    assert see(await frame(folder / "head.mp4")).width == 180


async def test_bits_are_held_down(folder: Path) -> None:
    path = film(folder / "noisy.mp4", "-vf", "noise=alls=100:allf=t", "-qp", "8", size="640x360")
    assert (await probe(path)).bits > 6_000_000
    await convert(path, folder / "calm.mp4", Recipe(True, True, 1920, None, 2_000_000, 48_000, 2))
    assert (await probe(folder / "calm.mp4")).bits < 2_000_000 * 4.5 / 4


@pytest.mark.parametrize("body", [b"", b"not a video" * 99, b"\0\0\0\x20ftypisom" + bytes(900)])
async def test_what_is_no_video_is_refused(folder: Path, body: bytes) -> None:
    path = folder / "none.mp4"
    path.write_bytes(body)
    with pytest.raises(Invalid):
        await probe(path)
    with pytest.raises(Invalid):
        await convert(path, folder / "never.mp4", ANEW)
    assert not (folder / "never.mp4").exists()


async def test_sound_alone_is_no_video(folder: Path) -> None:
    path = film(folder / "sound.mp4", "-vn", seconds=1)
    with pytest.raises(Invalid, match="no video track"):
        await probe(path)


async def test_a_playlist_dressed_up_as_a_video_reads_no_other_file(folder: Path) -> None:
    film(folder / "private.ts", "-f", "mpegts", seconds=1)
    path = folder / "playlist.mp4"
    path.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{folder / 'private.ts'}\n#EXT-X-ENDLIST\n")
    for asking in (probe(path), convert(path, folder / "stolen.mp4", ANEW), frame(path)):
        with pytest.raises(Invalid):
            await asking
    assert not (folder / "stolen.mp4").exists()


def programs() -> list[psutil.Process]:
    return [child for child in psutil.Process().children(recursive=True) if "ffmpeg" in child.name()]


async def begun() -> psutil.Process:
    """Return the program that converts, as soon as it is there."""
    async with asyncio.timeout(60):
        while True:
            if found := programs():
                return found[0]
            await asyncio.sleep(0.01)


def left(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir()]


async def test_a_cancelled_conversion_ends_its_program_and_leaves_nothing(tmp_path: Path) -> None:
    path = film(tmp_path / "long.mp4", size="1280x720", seconds=30)
    task = asyncio.create_task(convert(path, tmp_path / "made.mp4", ANEW))
    program = await begun()
    assert os.getpgid(program.pid) == program.pid
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not program.is_running()
    assert left(tmp_path) == ["long.mp4"]


async def test_a_conversion_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    path = film(tmp_path / "long.mp4", size="1280x720", seconds=30)
    with pytest.raises(Invalid, match="takes longer"):
        await convert(path, tmp_path / "made.mp4", ANEW, seconds=0.2)
    assert programs() == []
    assert left(tmp_path) == ["long.mp4"]


async def test_without_ffmpeg_it_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(folder / "some.mp4", seconds=1)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(video, "ffmpeg", lambda: None)
    with pytest.raises(Unsupported, match="install ffmpeg"):
        await probe(path)
    with pytest.raises(Unsupported, match="install ffmpeg"):
        await convert(path, folder / "none.mp4", ANEW)
