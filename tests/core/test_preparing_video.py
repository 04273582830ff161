"""Videos made right: judged by Instagram's limits, converted only when needed, and refused when nothing helps."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.backends.films import RIGHT, film
from tests.backends.remote import Asked, remote
from tests.core.broken import sent
from tintype.backends.blobs import MemoryBlobs
from tintype.backends.images import Images
from tintype.backends.outbound import HttpOutbound
from tintype.backends.video import Clip, probe
from tintype.core.publishing.clips import Mend, bytes_max, problems, recipe
from tintype.core.publishing.preparing import Preparing, Unfetchable, Wanted
from tintype.errors import Invalid
from tintype.instagram import LIMITS

GOOD = Clip(
    container="mp4",
    seconds=20,
    width=1080,
    height=1920,
    rotation=0,
    rate=30,
    video_codec="h264",
    pixel_format="yuv420p",
    interlaced=False,
    audio_codec="aac",
    audio_rate=48_000,
    channels=2,
    bytes=20_000_000,
    bits=8_000_000,
    moov_first=True,
    edit_lists=0,
    cutting=False,
)
WRONG: dict[str, tuple[dict[str, object], Mend]] = {
    "too_short": ({"seconds": 2.5}, Mend.NOTHING),
    "too_long": ({"seconds": 901}, Mend.NOTHING),
    "ratio": ({"width": 1100, "height": 100}, Mend.NOTHING),
    "too_wide": ({"width": 2160}, Mend.PICTURE),
    "video_codec": ({"video_codec": "vp9"}, Mend.PICTURE),
    "pixel_format": ({"pixel_format": "yuv444p"}, Mend.PICTURE),
    "interlaced": ({"interlaced": True}, Mend.PICTURE),
    "rate": ({"rate": 15.0}, Mend.PICTURE),
    "bits": ({"bits": 30_000_000}, Mend.PICTURE),
    "audio_codec": ({"audio_codec": "opus"}, Mend.SOUND),
    "audio_rate": ({"audio_rate": 96_000}, Mend.SOUND),
    "channels": ({"channels": 6}, Mend.SOUND),
    "too_many_bytes": ({"bytes": 400 * 2**20}, Mend.PICTURE),
    "container": ({"container": "matroska"}, Mend.PACKING),
    "moov_last": ({"moov_first": False}, Mend.PACKING),
    "edit_lists": ({"edit_lists": 1}, Mend.PACKING),
}


def test_a_good_clip_has_no_problem_in_any_role() -> None:
    assert [problems(GOOD, role) for role in ("reel", "story", "carousel")] == [(), (), ()]
    assert recipe(GOOD, "reel") is None
    assert problems(replace(GOOD, video_codec="hevc", pixel_format="yuv420p10le", container="mov"), "reel") == ()
    assert problems(replace(GOOD, audio_codec=None, audio_rate=0, channels=0), "reel") == ()


@pytest.mark.parametrize("code", WRONG)
def test_each_problem_is_named_with_what_mends_it(code: str) -> None:
    fields, mend = WRONG[code]
    (found,) = problems(replace(GOOD, **fields), "reel")  # pyright: ignore[reportArgumentType]
    assert (found.code, found.mend) == (code, mend)
    how = recipe(replace(GOOD, **fields), "reel")  # pyright: ignore[reportArgumentType]
    assert (how is None) == (mend is Mend.NOTHING)
    if how:
        assert (how.picture, how.sound) == (mend is Mend.PICTURE, mend is Mend.SOUND)


def test_a_story_is_shorter_and_smaller_than_a_reel() -> None:
    assert [one.code for one in problems(replace(GOOD, seconds=61), "story")] == ["too_long"]
    assert [one.code for one in problems(replace(GOOD, bytes=110 * 2**20), "story")] == ["too_many_bytes"]
    assert "at most 60" in problems(replace(GOOD, seconds=61), "story")[0].sentence


@given(st.floats(3, 900), st.floats(1, 240), st.sampled_from(["reel", "story"]))
def test_a_recipe_stays_within_the_limits(seconds: float, rate: float, role: str) -> None:
    where = "story" if role == "story" else "reel"
    how = recipe(replace(GOOD, seconds=seconds, rate=rate, bytes=2**30, container="avi"), where)
    assert how is not None
    assert (how.bits * (seconds + 0.5) / 8) < bytes_max(where)
    assert how.bits * (seconds + 0.5) / seconds < LIMITS.video_bits.value
    made = how.rate or rate
    assert LIMITS.video_rate_min.value <= made <= LIMITS.video_rate_max.value


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def preparing(tmp_path: Path) -> AsyncIterator[tuple[Preparing, str]]:
    """A workplace, and the address of a server that hands out the files of `tmp_path`."""

    async def play(asked: Asked, writer: object) -> None:
        file = tmp_path / asked.target.lstrip("/")
        body = file.read_bytes() if file.is_file() else b""
        await sent(body, "video/mp4", status="200 OK" if body else "404 X")(asked, writer)  # pyright: ignore[reportArgumentType]

    images = Images(workers=1)
    async with remote(play) as here:
        outbound = HttpOutbound(allow=(here.place,))
        yield Preparing(outbound, MemoryBlobs(), images, "https://tintype.example"), here.url("/")
        await outbound.close()
    await images.close()


async def test_a_video_that_is_right_is_kept_byte_for_byte(preparing: tuple[Preparing, str], tmp_path: Path) -> None:
    work, there = preparing
    path = film(tmp_path / "right.mp4", *RIGHT)
    made = await work.prepare(Wanted("video", f"{there}right.mp4", role="reel"))
    assert made.changes == ()
    assert made.blob is not None
    assert made.blob.endswith(".mp4")
    assert await work.blobs.get(made.blob) == path.read_bytes()
    assert (made.width, made.height, made.url) == (180, 320, f"{work.base}/api/sns/instagram/files/{made.digest}.mp4")
    assert made.seconds == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize(
    ("name", "options", "changes"),
    [
        ("tail.mp4", (), ("repacked",)),
        ("a.mov", RIGHT, ("repacked",)),
        ("a.mkv", ("-c:v", "mpeg4", "-c:a", "libmp3lame"), ("picture converted", "sound converted")),
        ("a.mkv", ("-c:a", "libmp3lame"), ("repacked", "sound converted")),
        ("slow.mp4", ("-r", "12"), ("picture converted",)),
    ],
)
async def test_others_are_converted_as_little_as_needed(
    preparing: tuple[Preparing, str], tmp_path: Path, name: str, options: tuple[str, ...], changes: tuple[str, ...]
) -> None:
    work, there = preparing
    film(tmp_path / name, *options)
    report = await work.inspect(Wanted("video", f"{there}{name}", role="reel"))
    made = await work.prepare(Wanted("video", f"{there}{name}", role="reel"))
    assert made.changes == report.changes == changes
    assert not any(each.blocking for each in report.findings)
    assert made.blob is not None
    out = tmp_path / "out.mp4"
    out.write_bytes(await work.blobs.get(made.blob))
    assert problems(await probe(out), "reel") == ()


async def test_a_video_that_is_too_short_is_refused_and_nothing_is_stored(
    preparing: tuple[Preparing, str], tmp_path: Path
) -> None:
    work, there = preparing
    film(tmp_path / "short.mp4", seconds=1)
    wanted = Wanted("video", f"{there}short.mp4", role="story")
    with pytest.raises(Invalid, match=r"lasts 1\.0 seconds, a story takes at least 3; no conversion mends that"):
        await work.prepare(wanted)
    report = await work.inspect(wanted)
    assert ("too_short", True) in [(each.code, each.blocking) for each in report.findings]
    assert [blob async for blob in work.blobs.list()] == []


async def test_a_video_that_was_cut_off_is_named(preparing: tuple[Preparing, str], tmp_path: Path) -> None:
    work, there = preparing
    path = film(tmp_path / "cut.mp4", *RIGHT)
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(Unfetchable, match="ends in the middle"):
        await work.prepare(Wanted("video", f"{there}cut.mp4", role="reel"))


async def test_uploads_need_no_public_address(preparing: tuple[Preparing, str], tmp_path: Path) -> None:
    work, there = preparing
    film(tmp_path / "tail.mp4")
    hidden = replace(work, base="http://localhost:8000", serves=False)
    wanted = Wanted("video", f"{there}tail.mp4", role="reel")
    with pytest.raises(Unfetchable, match="PUBLIC_URL"):
        await hidden.prepare(wanted)
    assert (await replace(hidden, uploads=True).prepare(wanted)).blob is not None
